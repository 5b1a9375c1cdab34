//! The worst that ingest lets in: thirty roles of a holder and thirty delegates, 4,000 intervals in each of a person's two
//! calendars, a window of 366 days. One line a case, in seconds of this process's own processor time.

use std::time::Instant as Clock;

use refresh_core::{
    Instant, Interval,
    base::instant::{DAY, MINUTE},
    decide::refresh,
    facts::{
        fact::{Availability, Body, Busy, EntryOf, Fact, Facts, MOST_DELEGATES, MOST_INTERVALS, MOST_ROLES},
        policy::{Deployment, Policy, Prefer, WorkingHours},
        subject::{Diary, Subject},
    },
    record::{commit::Commit, proposal::Declined, review::Review},
};
use serde_json::json;

use crate::figure::{Figure, Goal, Report};

use super::review::{at, fact, frame, issued, person, policy, trigger};

/// How long it may take, in seconds.
const BAR: f64 = 1.0;

struct Worst {
    name: &'static str,
    teams: Vec<Vec<usize>>,
    days: i64,
    grid: i64,
    /// When this person is busy; `None`: nothing is known of them.
    busy: fn(usize, Interval) -> Option<Vec<Busy>>,
    policy: fn(&mut Policy),
    /// How often the owner declines what is proposed, slot and seats.
    declines: usize,
}

const DECLINED: &str = "sixty declined seatings, all share";

const SEATS: usize = MOST_DELEGATES + 1;

/// Each role its own people.
fn own(roles: usize, seats: usize) -> Vec<Vec<usize>> {
    (0..roles).map(|role| (role * seats..(role + 1) * seats).collect()).collect()
}

/// Two roles with the same only holder, the others with people of their own.
fn one_holder(roles: usize, seats: usize) -> Vec<Vec<usize>> {
    let mut teams = own(roles, seats);
    teams[0].truncate(1);
    teams[1] = teams[0].clone();
    teams
}

/// Two roles with the same only holder, and every other role shares all its delegates with the next.
fn one_holder_and_rings(roles: usize, seats: usize) -> Vec<Vec<usize>> {
    let mut teams = one_holder(roles, seats);
    for (role, team) in teams.iter_mut().enumerate().skip(2) {
        let next = if role + 1 == roles { 2 } else { role + 1 };
        let whose = |place: usize| if place.is_multiple_of(2) { next } else { role };
        team.truncate(1);
        team.extend((1..seats).map(|place| whose(place) * seats + place));
    }
    teams
}

/// The same people in every role, each role with another order: one person too few for all.
fn too_few(roles: usize, seats: usize) -> Vec<Vec<usize>> {
    let people = roles.min(seats) - 1;
    (0..roles).map(|role| (0..people).map(|place| (role + place) % people).collect()).collect()
}

/// The same people in every role, just enough of them.
fn just_enough(roles: usize, seats: usize) -> Vec<Vec<usize>> {
    let people = roles.max(seats);
    (0..roles).map(|role| (0..seats).map(|place| (role + place) % people).collect()).collect()
}

/// Half as many people again as roles, in every role some of them.
fn many(roles: usize, seats: usize) -> Vec<Vec<usize>> {
    let people = roles * 3 / 2;
    (0..roles).map(|role| (0..seats).map(|place| (role + place) % people).collect()).collect()
}

/// Busy half the time, each person in a rhythm of their own: at every start somebody comes or goes.
fn alternating(who: usize, horizon: Interval) -> Option<Vec<Busy>> {
    let period = horizon.length() / MOST_INTERVALS as i64 / MINUTE * MINUTE;
    let phase = (who as i64 * 7_919 % 97) * 5 * MINUTE;
    let entry = |number: i64| {
        let start = horizon.start.plus_millis(phase % period + number * period);
        Busy { start, end: start.plus_millis(period / 2), own: EntryOf::Unsaid }
    };
    Some((0..MOST_INTERVALS as i64).map(entry).collect())
}

/// Mostly free, each person in a rhythm of their own: nearly everybody may sit nearly everywhere.
fn mostly_free(who: usize, horizon: Interval) -> Option<Vec<Busy>> {
    let shorter = |busy: Busy| Busy { end: busy.start.plus_minutes(5), ..busy };
    Some(alternating(who, horizon)?.into_iter().map(shorter).collect())
}

/// Whoever sits in a role in the authoritative packet, or comes soon after, is never free: each role must be filled anew.
fn holders_away(who: usize, horizon: Interval) -> Option<Vec<Busy>> {
    let away = vec![Busy { start: horizon.start, end: horizon.end, own: EntryOf::Unsaid }];
    if who < 15 { Some(away) } else { mostly_free(who, horizon) }
}

/// Free but around the authoritative slot, in which the first person is busy.
fn free_but_one(who: usize, horizon: Interval) -> Option<Vec<Busy>> {
    let middle = horizon.start.plus_millis(horizon.length() / 2 / DAY * DAY);
    Some(if who == 0 {
        vec![Busy { start: middle, end: middle.plus_minutes(60), own: EntryOf::Unsaid }]
    } else {
        Vec::new()
    })
}

/// The first person is never free; of the others nothing is known.
fn unknown(who: usize, horizon: Interval) -> Option<Vec<Busy>> {
    (who == 0).then(|| vec![Busy { start: horizon.start, end: horizon.end, own: EntryOf::Unsaid }])
}

fn half_unknown(who: usize, horizon: Interval) -> Option<Vec<Busy>> {
    if who.is_multiple_of(2) { alternating(who, horizon) } else { None }
}

fn plain(_: &mut Policy) {}

fn keep_people(policy: &mut Policy) {
    policy.prefer = Prefer::KeepPeople;
}

fn working_hours(policy: &mut Policy) {
    policy.working_hours = Some(WorkingHours { start: 9 * 60, end: 17 * 60, days: (0..5).collect() });
}

fn anybody_twice(policy: &mut Policy) {
    policy.distinct_people = false;
}

fn cases() -> Vec<Worst> {
    let case = |name, teams, busy: fn(usize, Interval) -> Option<Vec<Busy>>, policy: fn(&mut Policy)| Worst {
        name,
        teams,
        days: 366,
        grid: 5,
        busy,
        policy,
        declines: 0,
    };
    let short = |case: Worst| Worst { days: 14, grid: 15, ..case };
    let declining = |case: Worst| Worst { declines: 60, ..short(case) };
    let (roles, seats) = (MOST_ROLES, SEATS);
    vec![
        short(case("two roles with one only holder, ten of ten, 14 days", one_holder(10, 11), alternating, plain)),
        short(case(
            "two roles with one only holder, thirty of thirty, 14 days",
            one_holder(roles, seats),
            alternating,
            plain,
        )),
        case("two roles with one only holder", one_holder(roles, seats), alternating, plain),
        case(
            "two roles with one only holder, the others share",
            one_holder_and_rings(roles, seats),
            alternating,
            plain,
        ),
        case("one person too few for all roles", too_few(roles, seats), alternating, plain),
        case("the same people in all roles", just_enough(roles, seats), alternating, plain),
        case("the same people in all roles, seats before time", just_enough(roles, seats), alternating, keep_people),
        case("one person too few, in working hours", too_few(roles, seats), alternating, working_hours),
        case("one person too few for all roles, mostly free", too_few(roles, seats), mostly_free, plain),
        case(
            "two roles with one only holder, the others share, mostly free",
            one_holder_and_rings(roles, seats),
            mostly_free,
            plain,
        ),
        case("half of the people away, seats before time", many(roles, seats), holders_away, keep_people),
        case("half of the people away, seats before time, too few", too_few(roles, seats), holders_away, keep_people),
        case("own people in each role", own(roles, seats), alternating, plain),
        case("own people in each role, seats before time", own(roles, seats), alternating, keep_people),
        case("nothing known of anybody", own(roles, seats), unknown, plain),
        case("nothing known of half of them, all share", one_holder_and_rings(roles, seats), half_unknown, plain),
        case(
            "nothing known of half of them, anybody may sit twice",
            just_enough(roles, seats),
            half_unknown,
            anybody_twice,
        ),
        declining(case(DECLINED, just_enough(roles, seats), free_but_one, plain)),
        declining(case("sixty declined seatings, own people", own(roles, seats), free_but_one, plain)),
    ]
}

pub fn measure(report: &mut Report) {
    for case in cases() {
        let (seconds, outcome) = slowest(&case);
        let people: std::collections::BTreeSet<&usize> = case.teams.iter().flatten().collect();
        let detail = json!({ "roles": case.teams.len(), "people": people.len(), "days": case.days,
            "grid_minutes": case.grid, "outcome": outcome });
        let figure = Figure::cost("worst case, processor time", case.name, "s", seconds);
        report.add(figure.goal(Goal::AtMost(BAR)).detail(detail));
    }
}

/// A review of a case, and all that is known.
struct Opened {
    review: Review,
    facts: Facts,
    deployment: Deployment,
    now: Instant,
}

impl Opened {
    fn of(case: &Worst) -> Self {
        let horizon = Interval { start: at(0), end: at(0).plus_millis(case.days * DAY) };
        let start = horizon.start.plus_millis(case.days / 2 * DAY);
        let slot = Interval { start, end: start.plus_minutes(60) };
        let now = at(0).plus_millis(-DAY);
        let mut deployment = Deployment { sources: Vec::new(), defaults: policy() };
        let mut facts = frame(slot, horizon, horizon.start, &[], &case.teams);
        deployment.defaults.distinct_people = false;
        let review = issued(&facts, &deployment, now);
        deployment.defaults = policy();
        deployment.defaults.grid_minutes = case.grid;
        (case.policy)(&mut deployment.defaults);
        add_calendars(&mut facts, case, horizon);
        Self { review, facts, deployment, now }
    }

    #[inline(never)]
    fn refresh(&self) -> Commit {
        let triggers = vec![trigger()];
        refresh::refresh(&self.review, &self.facts, &self.deployment, triggers, self.now).expect("a fact was accepted")
    }
}

/// The slowest refresh of a case, in seconds of processor time, and what the last one decided.
fn slowest(case: &Worst) -> (f64, String) {
    let mut opened = Opened::of(case);
    let mut slowest: f64 = 0.0;
    for _ in 0..=case.declines {
        let before = processor_seconds();
        let commit = opened.refresh();
        slowest = slowest.max(processor_seconds() - before);
        let Some(version) = commit.versions.last() else { return (slowest, outcome(&commit.head.exceptions)) };
        decline(&mut opened.review, version);
    }
    (slowest, "proposed".to_owned())
}

/// A dozen seatings of one slot are proposed and declined, for a program that counts what the refreshes take.
pub fn once() {
    let case = cases().into_iter().find(|case| case.name == DECLINED).expect("among the cases");
    let mut opened = Opened::of(&case);
    for _ in 0..=12 {
        let commit = opened.refresh();
        decline(&mut opened.review, commit.versions.last().expect("a proposal"));
    }
}

fn outcome(exceptions: &[refresh_core::record::exception::Exception]) -> String {
    let kinds = exceptions.iter().map(|open| format!("{} with {} reasons", open.kind.word(), open.reasons.len()));
    kinds.collect::<Vec<_>>().join(", ")
}

fn add_calendars(facts: &mut Facts, case: &Worst, horizon: Interval) {
    let people: std::collections::BTreeSet<usize> = case.teams.iter().flatten().copied().collect();
    let calendar = |who: usize, diary: Diary, busy: Vec<Busy>| -> Fact {
        let subject = Subject::Availability(person(who), diary, None);
        let known = Availability { horizon, busy: busy.into(), unknown: Vec::new(), merged: false };
        fact(subject, Body::Availability(known), 2)
    };
    let calendars = people.into_iter().filter_map(|who| {
        let busy = (case.busy)(who, horizon)?;
        let later = |busy: &Busy| Busy {
            start: busy.start.plus_minutes(10),
            end: busy.end.plus_minutes(10),
            own: EntryOf::Unsaid,
        };
        let oncall = busy.iter().map(later).collect();
        Some([calendar(who, Diary::Calendar, busy), calendar(who, Diary::Oncall, oncall)])
    });
    *facts = facts.iter().cloned().chain(calendars.flatten()).collect();
}

fn decline(review: &mut Review, version: &refresh_core::record::packet::Version) {
    let packet = &version.packet;
    review.head.declined.push(Declined {
        slot: packet.slot,
        attendees: Some(packet.attendees.clone()),
        freeze_edge: false,
    });
}

/// What this process has computed for so far; where the system does not say, what has passed.
fn processor_seconds() -> f64 {
    static BEGUN: std::sync::OnceLock<Clock> = std::sync::OnceLock::new();
    let begun = BEGUN.get_or_init(Clock::now);
    let said = std::fs::read_to_string("/proc/self/schedstat").ok();
    let nanos = said.and_then(|said| said.split_whitespace().next()?.parse::<u64>().ok());
    nanos.map_or_else(|| begun.elapsed().as_secs_f64(), |nanos| nanos as f64 / 1e9)
}
