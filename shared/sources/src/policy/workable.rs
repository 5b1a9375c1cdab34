//! Members that are good one by one and cannot work together. Whoever wrote them would learn so from a mail that never
//! comes: a proposal would expire before anybody hears of it, and be asked for no more.

use refresh_core::{
    base::instant::MINUTE,
    facts::{
        event::Event,
        fact::Body,
        policy::{Overrides, Policy, Registration},
        subject::Kind,
    },
};

use crate::{
    fault::{Fault, Refused},
    reader::Faults,
};

const SECONDS_A_MINUTE: i64 = MINUTE / 1_000;

/// Every fault of rules that hold together. `at`: the path of the object that sets them, `set`: what the object says.
pub(super) fn rules(policy: &Policy, set: &Overrides, at: &str, faults: &Faults) {
    let Policy { adoption_deadline_minutes: deadline, min_decision_minutes: least, .. } = *policy;
    let latest = (deadline - least) * SECONDS_A_MINUTE;
    if policy.quiet_seconds >= latest {
        // At the member that this object sets; where it sets several, at the one that is most likely meant otherwise.
        let (member, found) = match (set.quiet_seconds, set.adoption_deadline_minutes, set.min_decision_minutes) {
            (None, Some(minutes), _) => ("adoption_deadline_minutes", minutes),
            (None, None, Some(minutes)) => ("min_decision_minutes", minutes),
            _ => ("quiet_seconds", policy.quiet_seconds),
        };
        let expected = format!(
            "a quiet period shorter than the deadline less the time to decide (`quiet_seconds` {}, \
             `adoption_deadline_minutes` {deadline}, `min_decision_minutes` {least}): a proposal would expire before \
             its owner had time for it",
            policy.quiet_seconds
        );
        faults.push(Fault::new(format!("{at}.{member}"), expected, found.to_string()));
    }
    if policy.remind_every_minutes >= policy.acknowledge_within_minutes {
        let (member, found) = match (set.remind_every_minutes, set.acknowledge_within_minutes) {
            (None, Some(minutes)) => ("acknowledge_within_minutes", minutes),
            _ => ("remind_every_minutes", policy.remind_every_minutes),
        };
        let expected = format!(
            "reminders more frequent than the time to acknowledge (`remind_every_minutes` {}, \
             `acknowledge_within_minutes` {}): nobody would be reminded",
            policy.remind_every_minutes, policy.acknowledge_within_minutes
        );
        faults.push(Fault::new(format!("{at}.{member}"), expected, found.to_string()));
    }
    last_reminder(policy, set, at, faults);
}

/// A last reminder that this object asks for, and that no proposal would get. A deadline alone is no such wish: where it is
/// short, the reminder that the deployment or the contract sets is left out for that review.
fn last_reminder(policy: &Policy, set: &Overrides, at: &str, faults: &Faults) {
    let deadline = policy.adoption_deadline_minutes;
    let Some(before) = set.remind_before_expiry_minutes.filter(|before| before * 2 > deadline) else { return };
    let expected = format!(
        "a last reminder after at least half of the deadline (`remind_before_expiry_minutes` {before}, \
         `adoption_deadline_minutes` {deadline}): so early a reminder is not sent"
    );
    faults.push(Fault::new(format!("{at}.remind_before_expiry_minutes"), expected, before.to_string()));
}

/// Registrations that cannot work together.
pub(super) fn sources(sources: &[Registration], faults: &Faults) {
    if sources.is_empty() {
        faults.push(Fault::new("$.sources", "at least one registration: no registration, no authority", "none"));
    }
    for (index, one) in sources.iter().enumerate() {
        let wrong = |member: &str, expected: String, found: String| {
            Fault::new(format!("$.sources[{index}].{member}"), expected, found)
        };
        if matches!(one.kind, Kind::Operator | Kind::Reply) && !one.takes_over.is_empty() {
            let expected = format!("nothing, since a source of kind {} holds no subject", one.kind.word());
            faults.push(wrong("takes_over", expected, format!("a list of {}", one.takes_over.len())));
        }
        // What is said once, and stays true without being said again, can promise no age.
        if let (Kind::Operator | Kind::Reply | Kind::Review | Kind::Person, Some(minutes)) =
            (one.kind, one.max_age_minutes)
        {
            let expected = format!("nothing, since a source of kind {} repeats nothing", one.kind.word());
            faults.push(wrong("max_age_minutes", expected, minutes.to_string()));
        }
        let circle = |other: &&Registration| {
            other.kind == one.kind && other.takes_over.contains(&one.source) && one.takes_over.contains(&other.source)
        };
        if let Some(other) = sources[..=index].iter().find(circle) {
            let expected = "one direction, since two sources that take over from each other would do so without end";
            faults.push(wrong("takes_over", expected.to_owned(), other.source.to_string()));
        }
    }
}

/// The rules a review is issued with, over the deployment's, must be able to work together too.
///
/// # Errors
/// [`Refused`] with every fault. An event that issues no review is never refused.
pub fn issued(event: &Event, defaults: &Policy) -> Result<(), Refused> {
    let Some(Body::Review(terms)) = event.body() else { return Ok(()) };
    let faults = Faults::default();
    rules(&defaults.with(&terms.policy), &terms.policy, "$.data.policy", &faults);
    // What the deployment alone cannot have at start is none of the review's doing.
    if faults.is_empty() || terms.policy == Overrides::default() {
        return Ok(());
    }
    Err(Refused {
        identity: Some(event.identity.clone()),
        event_type: Some(event.event_type.as_str().into()),
        trace: event.trace,
        origin: None,
        faults: faults.into_vec(),
    })
}
