//! Random small histories: a review, then worlds of facts one after the other, with what the owner does in between.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use proptest::{collection::vec, option::weighted, prelude::*, sample::select};

use crate::case::{
    Change, DAY, Deputy, Diary, Elsewhere, Evidence, Facts, Hours, MINUTE, Mapping, Object, PersonFacts, Proposed,
    Rules, Span, Time,
};

/// A quarter of an hour: what most times are multiples of, so that boundaries touch.
const TICK: Time = 15 * MINUTE;

#[derive(Clone, Debug)]
pub struct Script {
    pub midnight: i64,
    pub zone: Tz,
    pub rules: Rules,
    pub slot: Span,
    pub seats: Vec<usize>,
    /// Somebody invited without a role.
    pub optional: Option<usize>,
    pub issued_at: Time,
    /// Whether it comes with the UID of the invitation that people have.
    pub uid: bool,
    pub facts: Facts,
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub struct Step {
    /// After the step before it.
    pub after: Time,
    pub facts: Facts,
    /// Which parts of the facts stay as they were: change, mappings, evidence, freezes, then the people.
    pub keep: Vec<bool>,
    /// Whether somebody is told of what is pending before this step.
    pub tell: bool,
    pub act: Act,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// The facts alone.
    Refresh,
    Adopt,
    DeclineOtherSlot,
    DeclineStand,
}

impl Step {
    /// The facts of this step: what is kept is that of the step before.
    pub fn after(&self, before: &Facts) -> Facts {
        let mut facts = self.facts.clone();
        if self.keep[0] {
            facts.change = before.change;
        }
        if self.keep[1] {
            facts.mappings.clone_from(&before.mappings);
        }
        if self.keep[2] {
            facts.evidence.clone_from(&before.evidence);
        }
        if self.keep[3] {
            facts.freezes.clone_from(&before.freezes);
            facts.unreported = before.unreported;
        }
        for (index, person) in facts.people.iter_mut().enumerate() {
            if self.keep[4 + index] {
                *person = before.people[index].clone();
            }
        }
        facts
    }
}

/// Days around which some zone changes its clocks, and one on which none does.
const DAYS: [&str; 9] = [
    "2026-03-07",
    "2026-03-28",
    "2026-10-24",
    "2026-10-31",
    "2026-04-04",
    "2026-04-23",
    "2026-10-03",
    "2026-09-05",
    "2026-07-14",
];
const ZONES: [Tz; 10] = [
    Tz::UTC,
    Tz::Europe__Berlin,
    Tz::America__New_York,
    Tz::Australia__Lord_Howe,
    Tz::Africa__Cairo,
    Tz::Asia__Kathmandu,
    Tz::Pacific__Auckland,
    // At midnight, and in summer the standard time.
    Tz::America__Santiago,
    Tz::Asia__Beirut,
    Tz::Europe__Dublin,
];

/// Mostly on a tick; now and then a second or half a minute beside it.
fn time(from: i64, to: i64) -> impl Strategy<Value = Time> + Clone {
    let beside = prop_oneof![22 => Just(0), 1 => Just(1), 1 => Just(-1), 1 => Just(30)];
    (from..to, beside).prop_map(|(tick, beside)| tick * TICK + beside)
}

fn span(from: i64, to: i64, longest: i64) -> impl Strategy<Value = Span> + Clone {
    (time(from, to), 1..=longest).prop_map(|(from, ticks)| Span { from, to: from + ticks * TICK })
}

fn midnight() -> impl Strategy<Value = i64> {
    select(&DAYS[..]).prop_map(|day| {
        let day: chrono::NaiveDate = day.parse().expect("a date");
        day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp()
    })
}

fn hours() -> impl Strategy<Value = Option<Hours>> {
    let some = prop_oneof![
        3 => (28..40_u32, 60..76_u32).prop_map(|(opens, closes)| (opens * 15, closes * 15)),
        4 => (0..12_u32, 60..=96_u32).prop_map(|(opens, closes)| (opens * 15, closes * 15)),
    ];
    let days = prop_oneof![
        3 => Just((0..7).collect::<BTreeSet<u8>>()),
        2 => Just((0..5).collect()),
        1 => proptest::collection::btree_set(0..7_u8, 1..5),
    ];
    weighted(0.25, (some, days).prop_map(|((opens, closes), days)| Hours { opens, closes, days }))
}

fn rules(people: usize, roles: usize) -> BoxedStrategy<Rules> {
    let minutes = |choices: &'static [i64]| select(choices).prop_map(|minutes| minutes * MINUTE);
    let spans = (
        minutes(&[15, 20, 30, 30, 45, 50, 60, 90]),
        minutes(&[0, 30, 60, 90]),
        minutes(&[0, 0, 30, 45]),
        minutes(&[0, 15, 60]),
        minutes(&[0, 0, 30, 120]),
        minutes(&[0, 0, 15, 60]),
        minutes(&[240, 480, 6_000]),
    );
    let waits = (
        minutes(&[0, 15, 15, 45]),
        prop_oneof![2 => Just(None), 3 => minutes(&[0, 60, 60, 180]).prop_map(Some)],
        prop_oneof![4 => Just(None), 1 => minutes(&[600, 1_200]).prop_map(Some)],
    );
    let excluded = prop_oneof![
        8 => Just(BTreeSet::new()),
        1 => proptest::collection::btree_set((0..roles, 0..people), 1..3),
    ];
    let telling = (any::<bool>(), prop_oneof![Just(0), Just(15 * MINUTE), Just(90 * MINUTE)]);
    let flags = (any::<bool>(), prop::bool::weighted(0.8), prop::bool::weighted(0.15));
    (spans, waits, hours(), flags, excluded, weighted(0.5, 0..people), telling)
        .prop_map(
            |(
                (grid, notice, buffer, grace, lead, edge, deadline),
                (decision, overdue_lead, max_age),
                hours,
                (keep_people, distinct, ignores_others),
                excluded,
                alternate,
                (carried, escalate),
            )| {
                Rules {
                    grid,
                    notice,
                    decision,
                    buffer,
                    grace,
                    overdue_lead,
                    max_age,
                    lead,
                    edge,
                    hours,
                    keep_people,
                    distinct,
                    ignores_others,
                    excluded,
                    deadline,
                    alternate,
                    carried,
                    escalate,
                }
            },
        )
        .boxed()
}

/// The window mostly has room around the slot it was issued with; now and then it has moved away from it.
fn change(people: usize, slot: Span) -> BoxedStrategy<Option<Change>> {
    let state = prop_oneof![20 => Just((false, false)), 1 => Just((true, false)), 2 => Just((false, true))];
    let room = prop_oneof![
        6 => (time(0, 36), time(0, 36)),
        1 => (time(-12, 12), time(-4, 12)),
        1 => (time(-40, -12), time(20, 60)),
    ];
    let cutover = prop_oneof![4 => time(0, 40), 1 => time(-24, 4)];
    weighted(
        0.985,
        (room, cutover, weighted(0.95, 0..people), state).prop_map(
            move |((before, after), cutover, owner, (cancelled, flux))| {
                let from = slot.from - before;
                let to = (slot.to + after).max(from + TICK);
                Change { window: Span { from, to }, cutover: to + cutover, owner, cancelled, flux }
            },
        ),
    )
    .boxed()
}

/// How a history is made.
#[derive(Clone, Copy, Debug)]
struct Shape {
    people: usize,
    roles: usize,
    checkpoints: usize,
    slot: Span,
    /// The same few people in all roles, of whom less is known, and an owner who declines much.
    crowded: bool,
}

/// Like most reviews: the holder has the seat, others stand by.
fn mapping(Shape { people, crowded, .. }: Shape) -> BoxedStrategy<Option<Mapping>> {
    let deputy = (0..people, prop::bool::weighted(0.85), weighted(0.2, time(0, 80)), weighted(0.2, time(40, 140)))
        .prop_map(|(person, approved, from, until)| Deputy { person, approved, from, until });
    let mapping = (weighted(0.985, 0..people), weighted(0.985, vec(deputy, if crowded { 2..=4 } else { 0..=3 })))
        .prop_map(|(holder, deputies)| Mapping { holder, deputies });
    weighted(0.99, mapping).boxed()
}

fn evidence() -> impl Strategy<Value = Option<Evidence>> {
    let some = prop_oneof![
        24 => time(-20, 20).prop_map(Evidence::Ready),
        4 => time(20, 80).prop_map(Evidence::Ready),
        6 => time(-10, 60).prop_map(|at| Evidence::Expected(Some(at))),
        1 => Just(Evidence::Expected(None)),
        1 => Just(Evidence::Withdrawn),
    ];
    weighted(0.985, some)
}

/// `slot`: the authoritative one, which calendars show as busy too.
fn diary(slot: Span, is_calendar: bool) -> impl Strategy<Value = Diary> + Clone {
    let own = prop_oneof![6 => Just(None), 1 => Just(Some(false)), 1 => Just(Some(true))];
    let at = prop_oneof![4 => span(-10, 110, 12), 1 => Just(slot)];
    let busy = vec((at, own), if is_calendar { 0..=3 } else { 0..=2 });
    let horizon = prop_oneof![
        8 => Just(Span { from: -20 * DAY, to: 30 * DAY }),
        1 => (time(-20, 40), time(60, 140)).prop_map(|(from, to)| Span { from, to }),
    ];
    let unknown = prop_oneof![3 => vec(span(0, 100, 10), 0..=0), 1 => vec(span(0, 100, 20), 1..=2)];
    let merged = prop::bool::weighted(0.3).prop_map(move |merged| merged && is_calendar);
    (time(-60, 0), merged, horizon, busy, unknown).prop_map(|(accepted, merged, horizon, busy, unknown)| {
        let busy = if merged { runs(busy) } else { busy };
        Diary { accepted, merged, horizon, busy, unknown }
    })
}

/// As free/busy services answer: what touches is one.
fn runs(mut entries: Vec<(Span, Option<bool>)>) -> Vec<(Span, Option<bool>)> {
    entries.sort_unstable();
    let mut runs: Vec<(Span, Option<bool>)> = Vec::new();
    for (span, _) in entries {
        match runs.last_mut() {
            Some((last, _)) if span.from <= last.to => last.to = last.to.max(span.to),
            _ => runs.push((span, None)),
        }
    }
    runs
}

/// Another review's places of a person: near this review's slot, or at the very same hour.
fn elsewhere(slot: Span) -> impl Strategy<Value = Vec<Elsewhere>> + Clone {
    let at = move || prop_oneof![3 => span(0, 100, 6), 2 => Just(slot)];
    let proposed = (at(), time(-60, 20), any::<bool>(), time(0, 120));
    let proposed =
        proposed.prop_map(|(slot, made, told, expires)| Proposed { slot, made: made * 1_000, told, expires });
    // Each object has one slot now, and perhaps others before.
    let shown = (select(&[Object::Meeting, Object::Hold][..]), at(), weighted(0.5, at()), time(-60, 0), any::<bool>())
        .prop_map(|(object, now, had, since, ended)| {
            let before = had.map(|slot| (object, slot, since - 8 * TICK, Some(since)));
            let present = (object, now, since, ended.then_some(since + 8 * TICK));
            before.into_iter().chain([present]).collect()
        });
    let one = (prop_oneof![Just(-1_i8), Just(1)], weighted(0.6, (at(), time(-60, 40))), weighted(0.5, proposed));
    let one =
        (one, prop_oneof![Just(Vec::new()).boxed(), shown.boxed()]).prop_map(|((review, seated, proposed), shown)| {
            let seated = seated.map(|(slot, claim)| (slot, claim * 1_000));
            Elsewhere { review, seated, proposed, shown }
        });
    prop_oneof![4 => vec(one.clone(), 0..=0), 1 => vec(one, 1..=2)].prop_map(|mut all| {
        all.sort_by_key(|other| other.review);
        all.dedup_by_key(|other| other.review);
        all
    })
}

fn person(Shape { slot, crowded, .. }: Shape) -> BoxedStrategy<PersonFacts> {
    let zone = weighted(0.6, select(&ZONES[..]));
    let known = if crowded { 0.75 } else { 0.95 };
    (zone, weighted(known, diary(slot, true)), weighted(0.12, diary(slot, false)), elsewhere(slot))
        .prop_map(|(zone, calendar, oncall, elsewhere)| PersonFacts { zone, calendar, oncall, elsewhere })
        .boxed()
}

fn facts(shape: Shape) -> BoxedStrategy<Facts> {
    let Shape { people, roles, checkpoints, slot, .. } = shape;
    let freezes = prop_oneof![
        1 => vec((span(0, 100, 16), prop::bool::weighted(0.65)), 0..=2),
        1 => Just(Vec::new()),
    ];
    (
        change(people, slot),
        vec(mapping(shape), roles),
        vec(evidence(), checkpoints),
        freezes,
        prop::bool::weighted(0.03),
        vec(person(shape), people),
    )
        .prop_map(|(change, mappings, evidence, freezes, unreported, people)| Facts {
            change,
            mappings,
            evidence,
            freezes,
            unreported,
            people,
        })
        .boxed()
}

fn step(shape: Shape) -> BoxedStrategy<Step> {
    let (stand, other) = if shape.crowded { (5, 3) } else { (1, 2) };
    let act = prop_oneof![
        5 => Just(Act::Refresh),
        1 => Just(Act::Adopt),
        other => Just(Act::DeclineOtherSlot),
        stand => Just(Act::DeclineStand),
    ];
    let after = prop_oneof![1 => Just(0), 4 => time(1, 8), 1 => time(8, 40)];
    let keep = vec(prop::bool::weighted(0.75), 4 + shape.people);
    (after, facts(shape), keep, any::<bool>(), act)
        .prop_map(|(after, facts, keep, tell, act)| Step { after, facts, keep, tell, act })
        .boxed()
}

/// A mapping that fits who was issued, so that most histories begin legal.
fn seated(mut facts: Facts, seats: &[usize], odd: bool) -> Facts {
    if !odd {
        for (mapping, person) in facts.mappings.iter_mut().zip(seats) {
            if let Some(holder) = mapping.as_mut().and_then(|mapping| mapping.holder.as_mut()) {
                *holder = *person;
            }
        }
    }
    facts
}

pub fn scripts() -> impl Strategy<Value = Script> {
    let shape = (3..=5_usize, 1..=3_usize, 0..=2_usize, span(24, 80, 6), prop::bool::weighted(0.3));
    let shape = shape.prop_map(|(people, roles, checkpoints, slot, crowded)| {
        let (people, roles) = if crowded { (people.min(4), 3) } else { (people, roles) };
        Shape { people, roles, checkpoints, slot, crowded }
    });
    shape.prop_flat_map(|shape| {
        let Shape { people, roles, slot, .. } = shape;
        let seats = (Just((0..people).collect::<Vec<_>>()).prop_shuffle(), 0..12_u8).prop_map(move |(order, odd)| {
            let mut seats: Vec<usize> = order.into_iter().take(roles).collect();
            if odd == 0 {
                // Issued with one person in every role.
                seats = vec![seats[0]; roles];
            }
            seats
        });
        (
            (midnight(), select(&ZONES[..]), rules(people, roles), seats, weighted(0.3, 0..people), time(-20, 20)),
            facts(shape),
            vec((step(shape), prop::bool::weighted(0.3)), 1..=5),
            (prop::bool::weighted(0.2), any::<bool>()),
        )
            .prop_map(
                move |((midnight, zone, rules, seats, optional, issued_at), facts, steps, (odd, uid))| {
                    let facts = seated(facts, &seats, odd);
                    let steps = steps
                        .into_iter()
                        .map(|(step, odd)| Step { facts: seated(step.facts.clone(), &seats, odd), ..step })
                        .collect();
                    Script { midnight, zone, rules, slot, seats, optional, issued_at, uid, facts, steps }
                },
            )
    })
}
