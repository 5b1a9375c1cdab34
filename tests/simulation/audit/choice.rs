//! The packet against the newest facts: what is stored, in the words of the judge that tries every slot and every
//! assignment, which was written apart from the core.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Audit, ensure, millis};
use crate::{
    case::{
        Booking, Case, Change, Content, Declined, Deputy, Diary, Elsewhere, Evidence, Facts, Hours, Mapping, Object,
        Pending, PersonFacts, Proposal, Proposed, Review, Rules, Span, Time,
    },
    judge::{self, Choice},
    ledger,
    scene::{self, MIDNIGHT, ROLES, ZONES},
};

fn at(instant: &Value) -> Option<Time> {
    millis(instant).map(|millis| (millis - MIDNIGHT).div_euclid(1_000))
}

/// To the millisecond: a hold and a calendar of one second are told apart by which came first. Compared with its like alone.
fn exactly_at(instant: &Value) -> Option<Time> {
    millis(instant).map(|millis| millis - MIDNIGHT)
}

fn span(interval: &Value) -> Option<Span> {
    Some(Span { from: at(&interval["start"])?, to: at(&interval["end"])? })
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// `p3@example.com` is number 3; the owner from elsewhere is one more.
fn number(person: &str) -> usize {
    let digits: String = person.chars().take_while(|c| *c != '@').filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(8)
}

fn person(value: &Value) -> Option<usize> {
    value.as_str().map(number)
}

fn zone(value: &Value) -> Option<chrono_tz::Tz> {
    value.as_str()?.parse().ok()
}

const PEOPLE: usize = 9;

impl Audit {
    pub(super) fn right_choice(&self, head: &Value, now: i64) -> Result<(), String> {
        // Cancelled before it was ever approved: of that the judge has no notion.
        let change = self.fact(&format!("change#{}", scene::CHANGE)).map(|fact| &fact["body"]["change"]);
        if change.is_some_and(|change| change["in_force"].is_null() && change["state"] != "draft") {
            return Ok(());
        }
        let Some(case) = self.case(head, now) else { return Err("what is stored is no case".to_owned()) };
        let kinds: BTreeSet<&str> = list(&head["exceptions"]).filter_map(|one| one["kind"].as_str()).collect();
        let found: BTreeSet<String> = list(&head["today"]["violated"])
            .filter_map(Value::as_str)
            .filter(|mark| !mark.ends_with("in_flux") && !mark.ends_with("unconfirmed"))
            .map(mark)
            .collect();
        let violated = judge::violated(&case);
        ensure(found == violated, || format!("violated are {violated:?}; marked are {found:?}"))?;
        let owner = person(&head["today"]["owner"]);
        let known = case.facts.change.and_then(|change| change.owner);
        ensure(owner == known, || format!("the owner is {known:?}; HEAD says {owner:?}"))?;
        let (silent, unreported) = (kinds.contains("source_silent"), case.facts.unreported);
        ensure(silent == unreported, || format!("a calendar was never reported: {unreported}; open are {kinds:?}"))?;
        // More proposals than the policy allows: then none is made, whatever the choice is.
        if kinds.contains("churn") {
            return Ok(());
        }
        let choice = judge::choose(&case);
        let pending = case.review.pending.as_ref().map(|pending| &pending.proposal);
        let fits = match &choice {
            Choice::Keep => {
                pending.is_none()
                    && !["no_viable_slot", "undecided", "declined_only", "owner_override"]
                        .iter()
                        .any(|one| kinds.contains(one))
                    && judge::content(&case, case.review.slot) == case.review.content
            }
            Choice::Propose(proposal) => pending == Some(proposal) || pending.is_none() && kinds.contains("undecided"),
            Choice::Incomplete(_) => pending.is_none() && kinds.contains("policy_incomplete"),
            Choice::Wait => pending.is_none() && kinds.contains("source_silent"),
            Choice::DeclinedOnly => pending.is_none() && kinds.contains("declined_only"),
            Choice::Stand => pending.is_none() && kinds.contains("owner_override"),
            Choice::Nothing(waived) => {
                let rules: BTreeSet<&str> = waived.iter().map(|waived| waived.rule).collect();
                let open = list(&head["exceptions"]).find(|one| one["kind"] == "no_viable_slot");
                let said: BTreeSet<&str> = open
                    .into_iter()
                    .flat_map(|one| list(&one["reasons"]))
                    .filter_map(|reason| reason["rule"].as_str())
                    .collect();
                pending.is_none() && said == rules
            }
        };
        ensure(fits, || format!("the choice is {choice:?}; pending is {pending:?}, open are {kinds:?}"))?;
        let Some(pending) = head["pending"].as_object() else { return Ok(()) };
        let was = self.version(&head["authoritative"]).map(|one| one["packet"].clone()).unwrap_or_default();
        let is = self.version(&pending["version"]).map(|one| one["packet"].clone()).unwrap_or_default();
        let adopter = pending["adopter"].as_str().map(str::to_owned);
        let may = self.decider(&was, &is);
        ensure(adopter == may, || format!("{adopter:?} is asked to decide; {may:?} may"))?;
        let Some(waiting) = &case.review.pending else { return Ok(()) };
        // Whose working hours counted is forgotten once the owner, or where they live, is another: any of them may have.
        let expires = at(&pending["expires_at"]);
        let made = at(&pending["made_at"]).unwrap_or_default();
        // Where nobody was ever said to live, the review's zone counts.
        let homes = if self.said_where_people_live() { &ZONES[..] } else { &[] };
        let zones = homes.iter().map(|name| name.parse().expect("a zone")).chain([case.review.zone]);
        // Nor is it known any more whether evidence was overdue then.
        let lead = case.rules.overdue_lead.filter(|_| waiting.proposal.slot != case.review.slot);
        let near = lead.map(|lead| waiting.proposal.slot.from - lead);
        let expected: BTreeSet<Time> = zones
            .flat_map(|zone| {
                let deadline = ledger::deadline_in(&case, zone, made);
                let expiry = ledger::expiry(&case, &Pending { deadline, ..waiting.clone() });
                [Some(expiry), near.map(|near| near.min(expiry))].into_iter().flatten()
            })
            .collect();
        ensure(expires.is_some_and(|at| expected.contains(&at)), || {
            format!("it expires at {expires:?}; by the rules at one of {expected:?}")
        })
    }

    fn case(&self, head: &Value, now: i64) -> Option<Case> {
        let terms = &self.fact(&format!("review#{}", self.id))?["body"]["review"];
        Some(Case {
            midnight: MIDNIGHT / 1_000,
            now: (now - MIDNIGHT).div_euclid(1_000),
            rules: self.rules(),
            facts: self.facts(terms),
            review: self.case_review(head, terms)?,
        })
    }

    fn rules(&self) -> Rules {
        let policy = &self.policy;
        let minutes = |name: &str| policy[name].as_i64().unwrap_or(0) * 60;
        let clock = |text: &Value| {
            let (hours, minutes) = text.as_str()?.split_once(':')?;
            Some(hours.parse::<u32>().ok()? * 60 + minutes.parse::<u32>().ok()?)
        };
        let hours = policy["working_hours"].as_object().and_then(|hours| {
            // Monday to Friday is all that is ever drawn.
            Some(Hours { opens: clock(&hours["start"])?, closes: clock(&hours["end"])?, days: (0..5).collect() })
        });
        let excluded = list(&policy["exclusions"]).filter_map(|one| {
            let role = ROLES.iter().position(|role| one["role"] == *role)?;
            Some((role, person(&one["person"])?))
        });
        Rules {
            grid: minutes("grid_minutes"),
            notice: minutes("min_notice_minutes"),
            decision: minutes("min_decision_minutes"),
            overdue_lead: policy["overdue_lead_minutes"].as_i64().map(|minutes| minutes * 60),
            max_age: None,
            buffer: minutes("evidence_buffer_minutes"),
            grace: minutes("evidence_grace_minutes"),
            lead: minutes("lead_before_cutover_minutes"),
            edge: minutes("freeze_edge_minutes"),
            hours,
            keep_people: policy["prefer"] == "keep_people",
            distinct: policy["distinct_people"] == true,
            ignores_others: policy["other_reviews"] == "ignored",
            excluded: excluded.collect(),
            deadline: minutes("adoption_deadline_minutes"),
            alternate: person(&policy["alternate_owner"]),
            // Of telling the judge asks nothing.
            carried: false,
            escalate: 0,
        }
    }

    fn facts(&self, terms: &Value) -> Facts {
        let change = self.fact(&format!("change#{}", scene::CHANGE)).and_then(|fact| {
            let change = &fact["body"]["change"];
            let (state, in_force) = (change["state"].as_str()?, &change["in_force"]);
            Some(Change {
                window: span(&in_force["window"])?,
                cutover: at(&in_force["cutover"]["start"])?,
                owner: person(&in_force["owner"]),
                cancelled: ["closed", "cancelled"].contains(&state),
                flux: ["draft", "on_hold"].contains(&state),
            })
        });
        let roles = terms["attendees"].as_object().into_iter().flatten();
        let mappings = roles.map(|(role, _)| {
            let mapping = &self.fact(&format!("delegation#{}#{role}", scene::SERVICE))?["body"]["delegation"];
            let deputies = mapping["delegates"].as_array().map(|all| {
                let deputy = |one: &Value| {
                    Some(Deputy {
                        person: person(&one["person"])?,
                        approved: one["status"] == "approved",
                        from: at(&one["valid_from"]),
                        until: at(&one["valid_until"]),
                    })
                };
                all.iter().filter_map(deputy).collect()
            });
            Some(Mapping { holder: person(&mapping["holder"]), deputies })
        });
        let evidence = list(&terms["checkpoints"]).filter_map(Value::as_str).map(|checkpoint| {
            let fact = self.fact(&format!("evidence#{}#{checkpoint}", scene::CHANGE))?;
            let evidence = &fact["body"]["evidence"];
            Some(match evidence["status"].as_str()? {
                "ready" => Evidence::Ready(at(&evidence["ready_at"])?),
                "expected" => Evidence::Expected(at(&evidence["ready_at"])),
                _ => Evidence::Withdrawn,
            })
        });
        let freezes = self.fact(&format!("freeze#{}", scene::CALENDAR)).into_iter().flat_map(|fact| {
            list(&fact["body"]["freeze"]).filter_map(|one| Some((span(one)?, one["protected"] == true)))
        });
        let people = (0..PEOPLE).map(|index| {
            let name = if index == 8 { "owner@example.com".to_owned() } else { scene::person(index) };
            let diary = |kind: &str| {
                let fact = self.fact(&format!("availability#{name}#{kind}"))?;
                let body = &fact["body"]["availability"];
                Some(Diary {
                    accepted: exactly_at(&fact["accepted_at"])?,
                    merged: body["merged"] == true,
                    horizon: span(&body["horizon"])?,
                    busy: list(&body["busy"]).filter_map(|one| Some((span(one)?, one["own"].as_bool()))).collect(),
                    unknown: list(&body["unknown"]).filter_map(span).collect(),
                })
            };
            let profile = self.fact(&format!("person#{name}"));
            PersonFacts {
                zone: profile.and_then(|fact| zone(&fact["body"]["person"]["time_zone"])),
                calendar: diary("calendar"),
                oncall: diary("oncall"),
                elsewhere: self.elsewhere(&name),
            }
        });
        Facts {
            change,
            mappings: mappings.collect(),
            evidence: evidence.collect(),
            freezes: freezes.collect(),
            unreported: self.fact(&format!("freeze#{}", scene::CALENDAR)).is_none(),
            people: people.collect(),
        }
    }

    fn case_review(&self, head: &Value, terms: &Value) -> Option<Review> {
        let packet = &self.version(&head["authoritative"])?["packet"];
        let pending = head["pending"].as_object().and_then(|pending| {
            let packet = &self.version(&pending["version"])?["packet"];
            Some(Pending {
                proposal: proposal(packet)?,
                content: content(packet),
                deadline: at(&pending["expires_at"])?,
                made: millis(&pending["made_at"])? - MIDNIGHT,
                told: !pending["told_at"].is_null() || pending.get("seats_told").is_some_and(|told| *told == true),
            })
        });
        let declined = list(&head["declined"]).filter_map(|one| {
            Some(Declined {
                slot: span(&one["slot"])?,
                seats: one["attendees"].is_object().then(|| seats(&one["attendees"])),
                edge: one["freeze_edge"] == true,
            })
        });
        let stands_by = head["stands_by"].as_object().map(|stands| {
            let marks = list(&stands["violated"]).filter_map(Value::as_str).map(mark).collect();
            (marks, stands["freeze_edge"] == true)
        });
        let bookings = list(&head["bookings"]).flat_map(|one| {
            let object = match (one["hold"] == true, one["unknown_uid"] == true && !one["until"].is_null()) {
                (true, _) => Object::Hold,
                (false, true) => Object::Nameless,
                (false, false) => Object::Meeting,
            };
            list(&one["people"]).filter_map(person).filter_map(move |person| {
                let (slot, from) = (span(&one["slot"])?, exactly_at(&one["from"])?);
                Some(Booking { object, slot, person, from, until: exactly_at(&one["until"]) })
            })
        });
        let claims = head["claims"].as_object().into_iter().flatten();
        Some(Review {
            zone: zone(&terms["time_zone"])?,
            slot: span(&packet["slot"])?,
            seats: seats(&packet["attendees"]),
            content: content(packet),
            pending,
            undecided: head["undecided"]["left"].as_object().and_then(|left| {
                let (edge, cancelled) = (false, false);
                Some(Proposal { slot: span(&left["slot"])?, seats: seats(&left["attendees"]), edge, cancelled })
            }),
            declined: declined.collect(),
            stands_by,
            bookings: bookings.collect(),
            uid: true,
            claims: claims.filter_map(|(who, claim)| Some((number(who), millis(claim)? - MIDNIGHT))).collect(),
        })
    }

    /// A person's entries in other reviews, as they are stored.
    fn elsewhere(&self, name: &str) -> Vec<Elsewhere> {
        let partition = format!("FACT#seat#{name}");
        let entries = self.items.iter().filter(|((pk, sk), _)| *pk == partition && sk.starts_with("REVIEW#"));
        let others = entries.filter(|(_, item)| item.body["review"] != self.id.as_str());
        let elsewhere = others.map(|(_, item)| {
            let entry = &item.body;
            let (seated, proposed) = (&entry["authoritative"], &entry["tentative"]);
            Elsewhere {
                review: if entry["review"].as_str() < Some(self.id.as_str()) { -1 } else { 1 },
                seated: span(&seated["slot"]).zip(millis(&seated["claim"]).map(|claim| claim - MIDNIGHT)),
                proposed: span(&proposed["slot"]).and_then(|slot| {
                    let (made, expires) = (millis(&proposed["made_at"])? - MIDNIGHT, at(&proposed["expires_at"])?);
                    Some(Proposed { slot, made, told: proposed["told"] == true, expires })
                }),
                shown: list(&entry["invitations"])
                    .filter_map(|one| {
                        let object = match one["by"].as_str()? {
                            "meeting" => Object::Meeting,
                            "hold" => Object::Hold,
                            _ => Object::Nameless,
                        };
                        Some((object, span(&one["slot"])?, exactly_at(&one["from"])?, exactly_at(&one["until"])))
                    })
                    .collect(),
            }
        });
        elsewhere.collect()
    }
}

fn seats(attendees: &Value) -> Vec<usize> {
    attendees.as_object().into_iter().flatten().filter_map(|(_, who)| person(who)).collect()
}

fn proposal(packet: &Value) -> Option<Proposal> {
    Some(Proposal {
        slot: span(&packet["slot"])?,
        seats: seats(&packet["attendees"]),
        edge: packet["freeze_edge"] == true,
        cancelled: packet["cancelled"] == true,
    })
}

fn content(packet: &Value) -> Content {
    Content {
        ready: packet["checkpoints"].as_object().into_iter().flatten().map(|(_, ready)| at(ready)).collect(),
        window: span(&packet["window"]),
        cutover: at(&packet["cutover"]["start"]),
        edge: packet["freeze_edge"] == true,
    }
}

/// A mark in the judge's numbers.
fn mark(text: &str) -> String {
    match text.split_once(':') {
        Some(("uncovered", role)) => {
            format!("uncovered:{}", ROLES.iter().position(|known| *known == role).unwrap_or(ROLES.len()))
        }
        // There is one checkpoint.
        Some(("overdue", _)) => "overdue:0".to_owned(),
        Some((word, name)) => format!("{word}:{}", number(name)),
        None => text.to_owned(),
    }
}
