//! The measures by which the product is judged, from its records and mails alone.

mod mails;
mod proposals;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{MINUTE, millis, plan::Plan, play::Played};

#[cfg(test)]
pub use mails::QUIET;
pub use mails::{SOON, told};
pub use proposals::{Course, courses};

/// One figure: its name as it stands in the table, and its value.
pub type Figure = (&'static str, Value);

/// Marks that are no violations.
const REMARKS: [&str; 4] = ["unproven:", "overdue:", "owner_unconfirmed", "change_in_flux"];

pub fn violations(packet: &Value) -> Vec<&str> {
    let marks = packet["violated"].as_array().into_iter().flatten().filter_map(Value::as_str);
    marks.filter(|mark| !REMARKS.iter().any(|remark| mark.starts_with(remark))).collect()
}

pub fn at_of(record: &Value) -> i64 {
    record["at"].as_str().and_then(millis).unwrap_or_default()
}

/// Median, ninetieth percentile and greatest, by nearest rank.
fn spread(mut values: Vec<i64>) -> Value {
    values.sort_unstable();
    let rank = |percent: usize| values.get((values.len() * percent).div_ceil(100).saturating_sub(1));
    json!({ "median": rank(50), "p90": rank(90), "max": values.last(), "of": values.len() })
}

fn share(part: usize, of: usize) -> Value {
    let percent = if of == 0 { 0.0 } else { (part as f64 * 1_000.0 / of as f64).round() / 10.0 };
    json!({ "percent": percent, "count": part, "of": of })
}

pub fn figures(plan: &Plan, played: &Played) -> Vec<Figure> {
    let notices: Vec<&Value> = played.records.iter().filter(|record| record["record"] == "notice").collect();
    let courses = courses(&played.records);
    let told = told(&played.records, SOON);
    let reviews = courses.len();
    let with = |has: &dyn Fn(&Course) -> bool| courses.values().filter(|course| has(course)).count();
    let proposals: usize = courses.values().map(|course| course.proposals.len()).sum();
    let fate = |wanted: &str| {
        courses.values().flat_map(|course| &course.proposals).filter(|proposal| proposal.fate == wanted).count()
    };
    let minutes = |part: &dyn Fn(&proposals::Episode) -> Option<i64>| {
        let all = courses.values().flat_map(|course| &course.episodes).filter_map(part);
        spread(all.map(|millis| millis / MINUTE).collect())
    };
    let moved: Vec<i64> = courses.values().map(Course::displacement).filter(|minutes| *minutes > 0).collect();
    let escalations: Vec<&proposals::Escalation> = courses.values().flat_map(|course| &course.escalations).collect();
    let started: Vec<_> = played.starts.iter().collect();
    vec![
        ("events", json!(played.events)),
        ("reviews issued", json!(reviews)),
        ("minutes from a change to its packet", minutes(&|one| one.packet.map(|at| at - one.began))),
        ("minutes from a change to its telling", minutes(&|one| one.told.map(|at| at - one.began))),
        ("minutes from a change to its decision", minutes(&|one| one.decided.map(|at| at - one.began))),
        ("reviews with a held proposal", share(with(&|course| !course.proposals.is_empty()), reviews)),
        ("reviews with an adoption", share(with(&|one| one.proposals.iter().any(|p| p.fate == "adopted")), reviews)),
        ("proposals", json!(proposals)),
        ("proposals adopted", share(fate("adopted"), proposals)),
        ("proposals declined", share(fate("declined"), proposals)),
        ("proposals expired", share(fate("expired"), proposals)),
        ("proposals superseded or withdrawn", share(fate("superseded") + fate("withdrawn"), proposals)),
        ("proposals against somebody who was free", share(played.against_the_free.len(), proposals)),
        ("mails", json!(played.mails.len())),
        ("mails by kind", by_kind(&notices)),
        ("mails a person and day", mails_a_day(played)),
        ("mails with nothing consequential", share(told.inconsequential, notices.len())),
        ("void mails", share(told.void.len(), notices.len())),
        ("contradictory mails", share(told.contradictory.len(), notices.len())),
        ("flips of a slot", json!(courses.values().map(|course| course.flips).sum::<usize>())),
        ("reviews moved in the end", share(moved.len(), reviews)),
        ("minutes moved in the end, of those moved", spread(moved)),
        ("no_viable_slot opened", json!(escalations.len())),
        ("no_viable_slot told", share(escalations.iter().filter(|one| one.told).count(), escalations.len())),
        (
            "no_viable_slot told that healed by itself",
            share(
                escalations.iter().filter(|one| one.told && one.healed).count(),
                escalations.iter().filter(|one| one.told).count(),
            ),
        ),
        (
            "reviews that start violated",
            share(
                started.iter().filter(|one| !violations(&one.state["authoritative"]).is_empty()).count(),
                started.len(),
            ),
        ),
        (
            "reviews that start with somebody elsewhere",
            share(started.iter().filter(|one| !one.elsewhere.is_empty()).count(), started.len()),
        ),
        ("who is elsewhere at a start, by why", json!(why_elsewhere(played))),
        ("mails that no calendar could follow", json!(played.unreadable.len())),
        ("calendars wrong in the end", json!(crate::calendars::wrong(plan, played).len())),
    ]
}

fn by_kind(notices: &[&Value]) -> Value {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for notice in notices {
        *kinds.entry(notice["kind"].as_str().unwrap_or_default()).or_default() += 1;
    }
    json!(kinds)
}

/// How many people are seated in a slot that begins and are elsewhere, by the reason for which they are.
fn why_elsewhere(played: &Played) -> BTreeMap<&'static str, usize> {
    let mut reasons = BTreeMap::new();
    for one in played.starts.iter().flat_map(|start| &start.elsewhere) {
        *reasons.entry(one.why).or_default() += 1;
    }
    reasons
}

/// Who is elsewhere at a start for which the product has no excuse.
#[cfg(test)]
pub fn overlooked(played: &Played) -> Vec<String> {
    let ours = |one: &&crate::play::Elsewhere| one.why.starts_with("OURS");
    let of = |start: &crate::play::Start| {
        let review = start.review.clone();
        let lines = start.elsewhere.iter().filter(ours).map(|one| format!("{review}: {}: {}", one.person, one.why));
        lines.collect::<Vec<_>>()
    };
    played.starts.iter().flat_map(of).collect()
}

fn mails_a_day(played: &Played) -> Value {
    let mut days: BTreeMap<(&str, i64), i64> = BTreeMap::new();
    for (at, to) in &played.mails {
        *days.entry((to, at.div_euclid(crate::DAY))).or_default() += 1;
    }
    spread(days.into_values().collect())
}

/// Who is seated in two authoritative slots at once in the end, and neither review says so.
#[cfg(test)]
pub fn unmarked_twice(played: &Played) -> Vec<String> {
    let states: Vec<&Value> = played.records.iter().filter(|record| record["record"] == "state").collect();
    let mut seats: Vec<(String, (i64, i64), &Value)> = Vec::new();
    let mut found = std::collections::BTreeSet::new();
    for state in states {
        let packet = &state["authoritative"];
        let slot = crate::play::slot_of(&packet["slot"]);
        for who in packet["attendees"].as_object().into_iter().flatten().filter_map(|(_, who)| who.as_str()) {
            for (other, at, there) in &seats {
                if other == who && at.0 < slot.1 && slot.0 < at.1 {
                    let marked = |state: &Value| {
                        violations(&state["authoritative"])
                            .iter()
                            .any(|mark| *mark == format!("booked:{who}") || *mark == format!("busy:{who}"))
                    };
                    if !marked(there) && !marked(state) {
                        found.insert(format!("{who}: {} and {}", there["review_id"], state["review_id"]));
                    }
                }
            }
            seats.push((who.to_owned(), slot, state));
        }
    }
    found.into_iter().collect()
}
