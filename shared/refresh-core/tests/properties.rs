//! What holds for all inputs: random small histories, whatever they bring.
//!
//! `HOLDPOINT_CASES` and `HOLDPOINT_SEED` play more histories, or other ones, as in `brute_force`.

#[allow(dead_code, reason = "the brute-force search uses all of the generator")]
#[path = "brute_force/case.rs"]
mod case;
#[allow(dead_code, reason = "the brute-force search uses all of the script")]
#[path = "brute_force/script.rs"]
mod script;
#[path = "brute_force/store.rs"]
mod store;
#[allow(dead_code, reason = "the brute-force search uses all of the translation")]
#[path = "brute_force/translate.rs"]
mod translate;

use std::collections::BTreeMap;

use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};
use refresh_core::{
    Instant,
    audience::deadlines,
    choice::situation::Situation,
    decide::{
        adopt::{self, DecisionAttempt, Wish},
        refresh,
    },
    facts::fact::{Fact, Facts},
    record::{
        exception::{Exception, ExceptionKind, Reason},
        mark,
        notice::{Notice, NoticeKind},
        packet::Packet,
        reason_word::ReasonWord,
        review::{Head, Standing},
        view::View,
    },
};

use crate::{
    case::{MINUTE, Span, Time},
    script::{Act, Script},
    store::{Store, ensure},
    translate::Names,
};

fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// Each property is tried on its own histories, the same ones in every run.
fn holds<S: Strategy>(number: u8, inputs: &S, property: impl Fn(S::Value) -> Result<(), String>) {
    let seed: u64 = setting("HOLDPOINT_SEED", 1);
    let mut bytes = [number; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: setting("HOLDPOINT_CASES", 600),
        failure_persistence: None,
        max_shrink_iters: 4_000,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let result = runner.run(inputs, |input| property(input).map_err(TestCaseError::fail));
    if let Err(error) = result {
        panic!("seed {seed}: {error}");
    }
}

/// One history in play: the script's facts, and what the core made of them.
struct Play<'a> {
    script: &'a Script,
    names: Names,
    now: Time,
    world: case::Facts,
    facts: Facts,
    revision: u64,
    store: Store,
}

impl<'a> Play<'a> {
    fn begin(script: &'a Script) -> Result<Self, String> {
        let names = Names { midnight: script.midnight };
        let now = script.issued_at.min(script.slot.from - 1);
        let facts = translate::facts(names, script, &script.facts, now, 1);
        let deployment = translate::deployment(&script.rules);
        let commit =
            refresh::issue(&translate::review(), "example.com", &facts, &deployment, Vec::new(), names.at(now))
                .ok_or("issuing wrote nothing")?;
        let store = Store::issued(commit, deployment)?;
        Ok(Self { script, names, now, world: script.facts.clone(), facts, revision: 1, store })
    }

    fn at(&self) -> Instant {
        self.names.at(self.now)
    }

    fn learn(&mut self, step: &script::Step, now: Time) {
        self.now = now;
        self.world = step.after(&self.world);
        self.revision += 1;
        self.facts = translate::facts(self.names, self.script, &self.world, now, self.revision);
    }

    fn refresh(&mut self, accepted: bool) -> Result<(), String> {
        let trigger = self.store.trigger(accepted);
        let commit =
            refresh::refresh(&self.store.review, &self.facts, &self.store.deployment, vec![trigger], self.at());
        commit.map_or(Ok(()), |commit| self.store.write(commit))
    }

    fn decide(&mut self, wish: Wish) -> Result<(), String> {
        let Some(pending) = self.store.review.head.pending.clone() else { return Ok(()) };
        let Some(by) = pending.adopter.clone() else { return Ok(()) };
        let attempt = DecisionAttempt {
            by,
            proposal: pending.fingerprint(),
            wish,
            reason: None,
            trace: None,
            as_operator: false,
        };
        let review = &self.store.review;
        let answered = adopt::decide(review, &self.facts, &self.store.deployment, &attempt, self.at());
        answered.commit.map_or(Ok(()), |commit| self.store.write(commit))
    }

    /// The whole script, with a look after every step. False from the look ends the history.
    fn run(
        script: &Script,
        mut look: impl FnMut(&mut Play<'_>, &Packet, Act) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut play = Play::begin(script)?;
        let before = play.store.review.issued.packet.clone();
        look(&mut play, &before, Act::Refresh).map_err(|error| format!("issue: {error}"))?;
        for (index, step) in script.steps.iter().enumerate() {
            let now = (play.now + step.after.max(0)).max(play.names.time(play.store.review.head.at));
            if play.store.review.head.is_over(play.names.at(now)) {
                break;
            }
            play.learn(step, now);
            let before = play.store.review.authoritative.packet.clone();
            match step.act {
                Act::Refresh => play.refresh(true)?,
                Act::Adopt => play.decide(Wish::Adopt)?,
                Act::DeclineOtherSlot => play.decide(Wish::DeclineOtherSlot)?,
                Act::DeclineStand => play.decide(Wish::DeclineStand)?,
            }
            // Who decides may have found nothing to decide: the facts have come all the same.
            play.refresh(true)?;
            look(&mut play, &before, step.act).map_err(|error| format!("step {}: {error}", index + 1))?;
            if step.tell {
                play.tell()?;
            }
        }
        Ok(())
    }

    /// Everybody is told what they are owed, as soon as it is quiet.
    fn tell(&mut self) -> Result<Vec<Notice>, String> {
        let sent = self.store.tell(&self.facts, self.at())?;
        self.now = self.now.max(self.names.time(self.store.review.head.at));
        Ok(sent)
    }

    /// Telling takes time, and time may change the answer: until nothing is due any more.
    fn come_to_rest(&mut self) -> Result<Vec<Notice>, String> {
        let mut sent = self.tell()?;
        for _ in 0..100 {
            let review = &self.store.review;
            let Some(commit) = refresh::refresh(review, &self.facts, &self.store.deployment, Vec::new(), self.at())
            else {
                return Ok(sent);
            };
            self.store.write(commit)?;
            sent.extend(self.tell()?);
        }
        Err("no rest after a hundred tellings".to_owned())
    }

    fn is_open(&self) -> bool {
        self.store.review.head.standing == Standing::Open
    }

    /// A proposal whose slot starts exactly at the notice is made, and over at that very instant.
    fn runs_out_at_once(&self) -> bool {
        self.store.review.head.pending.as_ref().is_some_and(|pending| pending.expires_at <= self.at())
    }

    fn violations(&self) -> usize {
        mark::violations(&self.store.review.head.today.violated).len()
    }

    /// The proposal that waits, a cancellation apart.
    fn proposed(&self) -> Option<(Span, Vec<usize>)> {
        let packet = &self.store.review.pending.as_ref()?.packet;
        let seats = packet.attendees.values().map(translate::person_index).collect();
        (!packet.cancelled).then(|| (self.names.back(packet.slot), seats))
    }
}

#[test]
fn nothing_is_proposed_before_its_evidence() {
    holds(1, &script::scripts(), |script| {
        Play::run(&script, |play, _, _| {
            let Some((slot, _)) = play.proposed() else { return Ok(()) };
            let rules = &play.script.rules;
            // Ready times count to the minute.
            let minute = |at: &Time| at - at.rem_euclid(MINUTE);
            let late = play.world.evidence.iter().any(|evidence| match evidence {
                Some(case::Evidence::Ready(at)) => slot.from < minute(at) + rules.buffer,
                Some(case::Evidence::Expected(Some(at))) if play.now >= minute(at) + rules.grace => {
                    rules.overdue_lead.is_none_or(|lead| slot.from < play.now + lead)
                }
                Some(case::Evidence::Expected(Some(at))) => slot.from < minute(at) + rules.buffer,
                _ => true,
            });
            ensure(!late, || format!("{slot:?} is before its evidence"))
        })
    });
}

#[test]
fn nothing_is_proposed_in_a_protected_freeze() {
    holds(2, &script::scripts(), |script| {
        Play::run(&script, |play, _, _| {
            let Some((slot, _)) = play.proposed() else { return Ok(()) };
            let frozen = play.world.freezes.iter().any(|(freeze, protected)| *protected && freeze.meets(slot));
            ensure(!frozen, || format!("{slot:?} is in a protected freeze"))
        })
    });
}

#[test]
fn nobody_is_moved_who_is_not_known_to_be_free() {
    holds(3, &script::scripts(), |script| {
        Play::run(&script, |play, before, _| {
            let Some((slot, seats)) = play.proposed() else { return Ok(()) };
            let stayed: Vec<usize> = before.attendees.values().map(translate::person_index).collect();
            let moved = slot != play.names.back(before.slot);
            for (person, was) in seats.iter().zip(stayed) {
                let facts = &play.world.people[*person];
                let diaries = [&facts.calendar, &facts.oncall];
                let known = facts.calendar.is_some()
                    && diaries.into_iter().flatten().all(|diary| {
                        diary.horizon.holds(slot) && !diary.unknown.iter().any(|unknown| unknown.meets(slot))
                    });
                ensure(known || !moved && *person == was, || format!("{person} is not known at {slot:?}"))?;
            }
            Ok(())
        })
    });
}

#[test]
fn nobody_is_proposed_for_two_roles() {
    holds(4, &script::scripts(), |script| {
        Play::run(&script, |play, before, _| {
            let Some((slot, mut seats)) = play.proposed().filter(|_| play.script.rules.distinct) else { return Ok(()) };
            let roles = seats.len();
            let kept = seats == before.attendees.values().map(translate::person_index).collect::<Vec<_>>();
            seats.sort_unstable();
            seats.dedup();
            ensure(seats.len() == roles, || format!("somebody sits twice at {slot:?} (as before: {kept})"))
        })
    });
}

#[test]
fn a_legal_slot_is_kept() {
    holds(5, &script::scripts(), |script| {
        Play::run(&script, |play, before, act| {
            let (review, head) = (&play.store.review, &play.store.review.head);
            if act != Act::Adopt {
                ensure(review.authoritative.packet.same_seats(before), || "moved without adoption".to_owned())?;
            }
            let edge = head.today.freeze_edge && !review.authoritative.packet.freeze_edge;
            if play.violations() == 0 && !edge && play.is_open() {
                ensure(review.pending.is_none(), || format!("a legal slot is proposed away: {:?}", review.pending))?;
            }
            Ok(())
        })
    });
}

#[test]
fn a_slot_that_is_not_legal_has_a_proposal_or_an_exception_open() {
    holds(6, &script::scripts(), |script| {
        Play::run(&script, |play, _, _| {
            let head = &play.store.review.head;
            let answered = head.pending.is_some() || !head.exceptions.is_empty();
            ensure(play.violations() == 0 || answered || !play.is_open(), || {
                format!("{:?}, and nothing is open", head.today.violated)
            })
        })
    });
}

/// Seats are read by one query a person, and nobody promises an order of what several queries answer.
#[test]
fn the_order_in_which_seats_are_read_gives_the_same_packet() {
    holds(12, &script::scripts(), |script| {
        Play::run(&script, |play, _, _| {
            let trigger = play.store.trigger(true);
            let mut turned: Facts = play.facts.iter().cloned().collect();
            let read: Vec<_> = play.facts.all_seats().map(|(person, seats)| (person.clone(), seats.clone())).collect();
            for (person, mut seats) in read.into_iter().rev() {
                seats.seats.reverse();
                turned.insert_seats(person, seats);
            }
            let issued = |facts: &Facts| {
                let id = translate::review();
                refresh::issue(&id, "example.com", facts, &play.store.deployment, Vec::new(), play.at())
            };
            let refreshed = |facts: &Facts| {
                let (review, deployment) = (&play.store.review, &play.store.deployment);
                refresh::refresh(review, facts, deployment, vec![trigger.clone()], play.at())
            };
            ensure(issued(&turned) == issued(&play.facts), || "another issue".to_owned())?;
            ensure(refreshed(&turned) == refreshed(&play.facts), || "another decision".to_owned())
        })
    });
}

#[test]
fn refreshing_again_writes_nothing() {
    holds(7, &script::scripts(), |script| {
        Play::run(&script, |play, _, _| {
            if play.runs_out_at_once() {
                return Ok(());
            }
            let again =
                refresh::refresh(&play.store.review, &play.facts, &play.store.deployment, Vec::new(), play.at());
            ensure(again.is_none(), || {
                format!("written again:\n{:#?}\nwas\n{:#?}", again.map(|commit| commit.head), play.store.review.head)
            })
        })
    });
}

#[test]
fn an_event_delivered_again_is_told_to_nobody() {
    holds(8, &script::scripts(), |script| {
        Play::run(&script, |play, _, _| {
            let sent = play.come_to_rest()?;
            let views = play.store.views(&play.facts, play.at());
            play.refresh(false)?;
            ensure(views == play.store.views(&play.facts, play.at()), || "a view changed".to_owned())?;
            // A duty that the notice of this moment did not speak of may be due to be reminded of. Once.
            for notice in play.tell()? {
                let told = |earlier: &Notice| earlier.to == notice.to && earlier.duty == notice.duty;
                let due = notice.kind == NoticeKind::Reminder && !sent.iter().any(told);
                ensure(due, || format!("a mail about nothing new: {notice:?}"))?;
            }
            let more = play.tell()?;
            ensure(more.is_empty(), || format!("more mails about nothing new: {more:?}"))
        })
    });
}

#[test]
fn a_delta_is_empty_exactly_if_the_views_are_equal() {
    holds(9, &script::scripts(), |script| {
        let mut views = Vec::new();
        Play::run(&script, |play, _, _| {
            views.extend(play.store.views(&play.facts, play.at()).into_values());
            Ok(())
        })?;
        for was in &views {
            for now in &views {
                let delta = refresh_core::record::delta::delta(was, now, None, None);
                // Who is told of exceptions is a difference once there are any.
                let was = &View { contact: now.contact, ..was.clone() };
                ensure(delta.is_empty() == (was == now), || format!("{delta:?} between {was:?} and {now:?}"))?;
            }
        }
        Ok(())
    });
}

/// What two histories must agree on: who sits when, what is proposed, what is broken, what is open. What else the
/// authoritative packet says is today's only while it is legal: until then nothing becomes authoritative.
fn outcome(store: &Store) -> impl PartialEq + std::fmt::Debug + use<> {
    let review = &store.review;
    let pending = review.pending.as_ref().map(|version| (version.packet.digest(), version.packet.proposal_digest()));
    let exceptions: BTreeMap<ExceptionKind, Vec<_>> =
        review.head.exceptions.iter().map(|open| (open.kind, open.reasons.clone())).collect();
    let packet = &review.authoritative.packet;
    let settled = pending.is_none() && exceptions.is_empty();
    let today = (settled.then(|| packet.digest()), review.head.today.violated.clone());
    (packet.slot, packet.attendees.clone(), pending, today, exceptions)
}

#[test]
fn any_order_of_arrival_gives_the_same_packet() {
    let inputs = (script::scripts(), proptest::collection::vec(any::<u32>(), 40));
    holds(10, &inputs, |(script, order)| {
        let first = Play::begin(&script)?;
        let Some(step) = script.steps.first() else { return Ok(()) };
        // Before the first proposal runs out: an expiry is a decision, and decisions are no matter of order.
        let expires = first.store.review.head.pending.as_ref().map(|pending| first.names.time(pending.expires_at) - 1);
        let latest = expires.unwrap_or(Time::MAX).min(script.slot.from - MINUTE);
        let now = (first.now + step.after.max(0)).min(latest).max(first.now);
        let mut world = step.after(&first.world);
        // A freeze edge that is left and entered again is asked about again: one calendar changes, not two against
        // each other.
        world.freezes.truncate(1);
        world.freezes.extend(first.world.freezes.get(1).filter(|_| world.freezes.len() == 1).copied());
        let newest = translate::facts(first.names, &script, &world, now, 2);
        let arriving: Vec<Fact> = newest.iter().filter(|fact| differs(&first.facts, fact)).cloned().collect();
        let arrive = |mut arriving: Vec<Fact>, keys: &[u32]| {
            let mut play = Play::begin(&script)?;
            let mut keys = keys.iter().cycle();
            arriving.sort_by_cached_key(|_| keys.next().copied());
            for fact in arriving {
                play.facts.insert(fact);
                play.now = now;
                play.refresh(true)?;
                if play.runs_out_at_once() {
                    return Ok(None);
                }
            }
            Ok::<_, String>(Some(outcome(&play.store)))
        };
        let Some(straight) = arrive(arriving.clone(), &[0])? else { return Ok(()) };
        for keys in order.chunks(20) {
            let Some(shuffled) = arrive(arriving.clone(), keys)? else { return Ok(()) };
            ensure(straight == shuffled, || format!("{straight:#?}\nin another order\n{shuffled:#?}"))?;
        }
        Ok(())
    });
}

fn differs(known: &Facts, fact: &Fact) -> bool {
    known.get(&fact.subject).is_none_or(|known| known.body != fact.body)
}

/// Time emits no event, so whoever waits for `next_check_at` must miss nothing: until then looking again finds what the
/// last look found.
#[test]
fn nothing_changes_by_time_alone_before_the_instant_that_is_named() {
    let inputs = (script::scripts(), proptest::collection::vec(0.0..1.0_f64, 6));
    holds(11, &inputs, |(script, moments)| {
        Play::run(&script, |play, _, _| {
            let review = &play.store.review;
            if !play.is_open() || play.runs_out_at_once() {
                return Ok(());
            }
            let from = play.at().max(review.head.at);
            let situation = Situation::of(&review.head.review, &play.facts, &play.store.deployment, from);
            let situation = situation.ok_or("the review has no terms")?;
            // A reminder that is due stays the next instant until it is sent.
            if deadlines::next_reminder(review, &situation.policy).is_some_and(|at| at <= from) {
                return Ok(());
            }
            let clock = deadlines::of(review, &situation);
            let next = clock.next_check_at.ok_or("an open review names no instant")?;
            ensure(from < next, || format!("{next} is named at {from}"))?;
            let last = next.since(from) - 1;
            let within = moments.iter().map(|part| (*part * last as f64) as i64);
            // To the second: what ends by a minute is looked at one second after that minute.
            for after in within.chain([last]).map(|after| after - after % 1_000) {
                let at = from.plus_millis(after.max(0));
                let again = refresh::refresh(review, &play.facts, &play.store.deployment, Vec::new(), at);
                let Some(commit) = again else { continue };
                let told = |head: &Head| {
                    let lines: Vec<_> = head.exceptions.iter().map(|open| (open.kind, lines(open))).collect();
                    (head.standing, head.latest, head.authoritative, head.pending.clone(), lines, head.today.clone())
                };
                let (was, is) = (told(&review.head), told(&commit.head));
                ensure(commit.entry.is_none() && was == is, || {
                    format!("at {at}, before {next}:\n{was:#?}\nbecame\n{is:#?}\n{:#?}", commit.entry)
                })?;
            }
            Ok(())
        })
    });
}

/// What people are told of an exception's reasons.
fn lines(open: &Exception) -> Vec<(ReasonWord, Option<String>, Option<String>)> {
    let line = |reason: &Reason| {
        let (role, person) = (reason.role().map(ToString::to_string), reason.person());
        (reason.word(), role, person.map(ToString::to_string))
    };
    open.reasons.iter().map(line).collect()
}
