//! Exceptions, their reasons, and what each asks of whoever is told.

use std::collections::BTreeMap;

use refresh_core::{
    Person,
    base::instant::MINUTE,
    facts::reply::ReplyWord,
    record::{
        exception::{Exception, ExceptionKind, Reason},
        reason_word::ReasonWord,
        view::{ExceptionLine, RuleLine},
    },
};

use super::{Names, causes::subject, replies::replied, role, sentence};
use crate::moment;

/// An exception's heading.
pub const fn exception(kind: ExceptionKind) -> &'static str {
    match kind {
        ExceptionKind::NoViableSlot => "No viable slot",
        ExceptionKind::PolicyIncomplete => "The policy is incomplete",
        ExceptionKind::Undecided => "A proposal expired undecided",
        ExceptionKind::DeclinedOnly => "Only declined choices are left",
        ExceptionKind::OwnerOverride => "The release owner stands by the present slot",
        ExceptionKind::Unanswered => "Answers are missing",
        ExceptionKind::Unreachable => "A required person cannot be reached",
        ExceptionKind::SourceSilent => "A source is silent",
        ExceptionKind::Churn => "Too many proposals",
    }
}

/// What an open exception asks of whoever is told. `is_over`: the review has started or is closed, and nothing is decided on
/// the exception any more.
pub fn remedy(exception: &Exception, is_over: bool) -> &'static str {
    let has = |wanted: ReasonWord| exception.reasons.iter().any(|reason| reason.word() == wanted);
    match exception.kind {
        ExceptionKind::Unanswered => "These people were told and have said neither yes nor no in time.",
        ExceptionKind::Unreachable => "Mail does not reach these people. Please reach them another way.",
        _ if is_over => "The exception was open when the review started. Nothing is decided on the exception any more.",
        ExceptionKind::NoViableSlot if has(ReasonWord::NoCommonSlot) => {
            "No slot satisfies every rule. More than one rule would have to be waived, or have its facts changed, to give a slot."
        }
        ExceptionKind::NoViableSlot => {
            "No slot satisfies every rule. Each line names one rule that alone, if it were waived or its facts changed, would give a slot."
        }
        ExceptionKind::PolicyIncomplete if exception.reasons.iter().all(|reason| *reason == Reason::AlternateOwner) => {
            "A proposal waits, and nobody may decide it. Please name an alternate owner in the policy, or another owner in the change record."
        }
        ExceptionKind::PolicyIncomplete => "Nothing is proposed until each of these is named at its source.",
        ExceptionKind::Undecided => {
            "The same proposal is not made again by itself. The release owner can ask for the proposal again on its page."
        }
        ExceptionKind::DeclinedOnly => "Every viable choice was declined. New facts can bring another choice.",
        ExceptionKind::OwnerOverride => "By decision the present meeting stays as it is, until one of these changes.",
        ExceptionKind::SourceSilent => {
            "Nothing new is proposed until each of these reports. Until then the newest known facts count for the present meeting."
        }
        ExceptionKind::Churn => {
            "Nothing is proposed until the facts have been quiet for a while. Then the choice of that moment is proposed."
        }
    }
}

fn rule(rule: ReasonWord) -> &'static str {
    match rule {
        ReasonWord::FreezeCrossing => "crossing a protected freeze",
        ReasonWord::OutsideWindow => "meeting outside the review window",
        ReasonWord::CutoverLead => "meeting closer to the cutover",
        ReasonWord::BeforeEvidence => "meeting before the evidence is ready",
        ReasonWord::EvidenceOverdue => "meeting without the overdue evidence",
        ReasonWord::RoleUncovered => "meeting without",
        ReasonWord::ShortNotice => "meeting at shorter notice",
        ReasonWord::SharedPerson => "one person in two roles",
        ReasonWord::OutsideHours => "meeting outside working hours",
        ReasonWord::AvailabilityUnknown => "counting unknown time as free",
        ReasonWord::NoCommonSlot => "no single waiver gives a slot",
        ReasonWord::Holder => "no holder is named",
        ReasonWord::Delegates => "no explicit list of delegates",
        ReasonWord::ChangeRecord => "no approved change record has been seen",
        ReasonWord::Owner => "the change has no owner: nobody can take a decision",
        ReasonWord::AlternateOwner => {
            "nobody may take the decision that is due: the policy names no alternate owner for it"
        }
        ReasonWord::Expired => "the deadline passed without a decision",
        ReasonWord::Declined => "the choice was declined",
        ReasonWord::Evidence => "required evidence is not ready before it starts",
        ReasonWord::Window => "it lies outside the review window",
        ReasonWord::Cutover => "it ends too close to the cutover",
        ReasonWord::Freeze => "it overlaps a protected freeze",
        ReasonWord::FreezeEdge => "it lies at the edge of a protected freeze",
        ReasonWord::Hours => "it lies outside working hours",
        ReasonWord::Busy => "a required attendee is busy then",
        ReasonWord::Delegate => "a stand-in is not approved for all of it",
        ReasonWord::Uncovered => "nobody eligible is left for a role",
        ReasonWord::Excluded => "an attendee is excluded from the role by policy",
        ReasonWord::Shared => "one person is counted for two roles",
        ReasonWord::Booked => "one person sits in another review",
        ReasonWord::Cancelled => "the change is closed or cancelled",
        ReasonWord::Unanswered => "neither yes nor no in time",
        ReasonWord::Bounced => "mail bounced",
        ReasonWord::Complained => "mail was reported as unwanted",
        ReasonWord::Rejected => "the mailer refused the mail",
        ReasonWord::Unmailable => "the mail could not be made",
        ReasonWord::Silent => "a fact was not heard of for longer than its source promised",
        ReasonWord::NeverReported => "a freeze calendar of the policy was never reported",
        ReasonWord::TooManyProposals => "more proposals in a short time than the policy allows",
    }
}

/// The line of a reason, as a view compares it.
fn line_of(reason: &Reason) -> RuleLine {
    RuleLine {
        rule: reason.word(),
        role: reason.role().cloned(),
        person: reason.person().cloned(),
        source: reason.source().cloned(),
        subject: reason.subject().map(str::to_owned),
    }
}

/// `name`: how a person is named, who is not the reader.
fn about<'n>(line: &RuleLine, names: &Names<'n>, name: fn(&Names<'n>, &Person) -> String) -> String {
    let (which, person) = (line.rule, line.person.as_ref());
    let mut text = rule(which).to_owned();
    if let Some(subject) = &line.subject {
        text += &format!(": {subject}");
    }
    if let Some(source) = &line.source {
        text += &format!(" ({source})");
    }
    if let Some(whose) = &line.role {
        // "meeting without" takes its object; every other rule is a sentence of its own.
        text += &if which == ReasonWord::RoleUncovered {
            format!(" the {}", role(whose))
        } else {
            format!(": {}", role(whose))
        };
    }
    if let Some(person) = person {
        let who = if person == names.reader { "you".to_owned() } else { name(names, person) };
        text += &format!(" ({who})");
    }
    text
}

/// One rule of an exception as a view holds it.
pub fn rule_line(line: &RuleLine, names: &Names<'_>) -> String {
    about(line, names, Names::short)
}

/// One reason with its nearest slot, its miss, its gap, as of now.
pub fn reason(reason: &Reason, names: &Names<'_>) -> String {
    let mut text = match reason {
        // The source may have spoken of other facts a moment ago.
        Reason::Silent { source, unheard: Some(unheard) } => {
            format!("Nothing was heard of {} for longer than promised ({source})", subject(unheard, names))
        }
        // Whoever reads the reason may have to reach the person.
        _ => sentence(&about(&line_of(reason), names, Names::with_address)),
    };
    if let Some(slot) = &reason.slot() {
        let slot = moment::interval(slot, names.zone);
        // Of what was left undecided or declined the slot is the choice itself; of a waiver, what it would make possible.
        text += &match reason {
            Reason::Expired(_) | Reason::Declined(_) => format!(": {slot}"),
            _ => format!(" would allow {slot}"),
        };
    }
    if let Some(minutes) = reason.missed_by_minutes() {
        text += &format!("; it misses by {}", moment::length(minutes * MINUTE));
    }
    if let Some((gap, last)) = reason.gap() {
        text += &format!("; nobody known covers {}", moment::interval(&gap, names.zone));
        text += &format!("; last covered by {}", names.of(last));
    }
    text + "."
}

/// A sentence for each reason of an exception. `said`: who owes an answer, and replied by mail all the same.
pub fn reasons(exception: &Exception, said: &BTreeMap<Person, ReplyWord>, names: &Names<'_>) -> Vec<String> {
    let sentence = |each: &Reason| {
        let text = reason(each, names);
        let word = each.person().filter(|_| exception.kind == ExceptionKind::Unanswered).and_then(|by| said.get(by));
        match word {
            Some(word) => format!("{}: {}.", text.trim_end_matches('.'), replied(*word)),
            None => text,
        }
    };
    exception.reasons.iter().map(sentence).collect()
}

pub(super) fn exception_line(line: &ExceptionLine, names: &Names<'_>) -> String {
    let rules: Vec<String> = line.rules.iter().map(|each| rule_line(each, names)).collect();
    let kind = exception(line.kind);
    if rules.is_empty() { kind.to_owned() } else { format!("{kind}: {}", rules.join("; ")) }
}
