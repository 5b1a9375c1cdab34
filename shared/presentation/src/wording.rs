//! The one place where rules, marks, roles and fields get their words. Pages, mails and calendar parts all speak these.

mod causes;

use std::collections::BTreeMap;

use refresh_core::{
    Person, Role, Zone,
    record::{
        delivery::DeliveryStatus,
        delta::{Difference, DutyAction, Field, Value},
        exception::{Exception, ExceptionKind, Reason},
        lineage::Action,
        mark::{Mark, Remark, Violation},
        reason_word::ReasonWord,
        review::{Fate, Reply, Standing},
        view::{Attendance, ExceptionLine, RuleLine, Seating},
    },
};

pub use causes::{against, subject, why};

use crate::{moment, text::one_line};

/// What the reader may be told of people: their names by address. Whoever is not in it, and not named by the view
/// itself, is not named.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// The name of each person that the reader may be told of.
    pub known: &'a BTreeMap<Person, String>,
    /// Who reads.
    pub reader: &'a Person,
    /// The zone in which the reader is told times.
    pub zone: Zone,
}

impl Names<'_> {
    /// `Ada Lovelace (ada@example.com)`; the address alone where no other name is known; `you` for the reader.
    pub fn of(&self, person: &Person) -> String {
        if person == self.reader { "you".to_owned() } else { self.full(person) }
    }

    /// `Ada Lovelace (ada@example.com)`, the reader included; the address alone where no other name is known.
    pub fn full(&self, person: &Person) -> String {
        match self.known.get(person).map(|name| one_line(name, 80)) {
            Some(name) if !name.is_empty() && name != person.as_str() => format!("{name} ({person})"),
            _ => person.to_string(),
        }
    }

    /// The name alone, for tight places; the address where there is none.
    pub fn short(&self, person: &Person) -> String {
        match self.known.get(person).map(|name| one_line(name, 80)) {
            Some(name) if !name.is_empty() => name,
            _ => person.to_string(),
        }
    }

    fn is(&self, person: &Person) -> String {
        if person == self.reader { "you are".to_owned() } else { format!("{} is", self.short(person)) }
    }

    /// `your calendar`, `the calendar of Ada Lovelace`.
    fn whose(&self, what: &str, person: &Person) -> String {
        if person == self.reader { format!("your {what}") } else { format!("the {what} of {}", self.short(person)) }
    }

    /// Whether the reader's view holds anybody else at all.
    fn holds_others(&self) -> bool {
        self.known.keys().any(|person| person != self.reader)
    }

    fn may_name(&self, person: &Person) -> bool {
        person == self.reader || self.known.contains_key(person)
    }
}

/// `security_reviewer` is told as `security reviewer`.
pub fn role(role: &Role) -> String {
    words(role.as_str())
}

fn words(name: &str) -> String {
    one_line(&name.replace(['_', '-'], " "), 80)
}

/// The first letter in upper case, for the start of a sentence. An address keeps its own spelling.
pub fn sentence(text: &str) -> String {
    if text.split_whitespace().next().is_some_and(|word| word.contains('@')) {
        return text.to_owned();
    }
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn uncapitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// `a`, `a and b`, `a, b and c`.
pub fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// What a violated rule or a mark means for the slot, after "because" or "it is so that".
pub fn mark(mark: &Mark, names: &Names<'_>) -> String {
    match mark {
        Mark::Violation(Violation::Evidence) => "required evidence is not ready before it starts".to_owned(),
        Mark::Violation(Violation::Window) => "it lies outside the review window".to_owned(),
        Mark::Violation(Violation::Cutover) => "it ends too close to the cutover".to_owned(),
        Mark::Violation(Violation::Freeze) => "it overlaps a protected freeze".to_owned(),
        Mark::Violation(Violation::Hours(person)) => {
            format!("it lies outside {}", names.whose("working hours", person))
        }
        Mark::Violation(Violation::Busy(person)) => format!("{} busy then", names.is(person)),
        Mark::Violation(Violation::Delegate(person)) => {
            format!("{} neither holder nor approved delegate for all of it", names.is(person))
        }
        Mark::Violation(Violation::Uncovered(vacant)) => format!("nobody eligible is left for {}", role(vacant)),
        Mark::Violation(Violation::Excluded(person)) => {
            format!("{} excluded from the role by policy", names.is(person))
        }
        Mark::Violation(Violation::Shared(person)) => format!("{} counted for two roles", names.is(person)),
        Mark::Violation(Violation::Booked(person)) => format!("{} booked in another review", names.is(person)),
        Mark::Violation(Violation::Cancelled) => "the change is closed or cancelled".to_owned(),
        Mark::Remark(Remark::Unproven(person)) => format!("{} then is not known", names.whose("availability", person)),
        Mark::Remark(Remark::Overdue(checkpoint)) => format!("evidence {checkpoint} is overdue"),
        Mark::Remark(Remark::ChangeInFlux) => "the change record is being reworked".to_owned(),
        Mark::Remark(Remark::OwnerUnconfirmed) => "the change record’s owner is not confirmed".to_owned(),
    }
}

/// The marks in words, violations first; `nothing` where there are none.
pub fn marks(marks: &[Mark], names: &Names<'_>) -> String {
    let all: Vec<String> = marks.iter().map(|each| mark(each, names)).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join("; ") }
}

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

/// What an open exception asks of whoever is told.
pub const fn remedy(kind: ExceptionKind) -> &'static str {
    match kind {
        ExceptionKind::NoViableSlot => {
            "No slot satisfies every rule. Each line names one rule that alone, if it were waived or its facts changed, would give a slot."
        }
        ExceptionKind::PolicyIncomplete => {
            "Nothing is refreshed by itself until the missing role, delegate list, change record, owner or alternate owner is made explicit at its source."
        }
        ExceptionKind::Undecided => {
            "The same proposal is not made again by itself; the release owner can ask for it again on its page."
        }
        ExceptionKind::DeclinedOnly => {
            "Every viable choice was declined. New facts, or an adoption, reopen the search."
        }
        ExceptionKind::OwnerOverride => "The rules below stay broken by decision, until they change.",
        ExceptionKind::Unanswered => "These people were told and have not answered in time.",
        ExceptionKind::Unreachable => "Mail to these people did not arrive; reach them another way.",
        ExceptionKind::SourceSilent => {
            "Nothing new is proposed until these sources report again. The newest known facts still count for the present slot."
        }
        ExceptionKind::Churn => {
            "Proposals pause until the facts have been quiet for a while; then the choice of that moment is proposed."
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
        ReasonWord::AlternateOwner => "nobody may take the decision that is due: no alternate owner is named",
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
        ReasonWord::Unanswered => "no answer in time",
        ReasonWord::Bounced => "mail bounced",
        ReasonWord::Complained => "mail was reported as unwanted",
        ReasonWord::Rejected => "the mailer refused the mail",
        ReasonWord::Unmailable => "the mail could not be made",
        ReasonWord::Silent => "nothing was heard for longer than promised",
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

fn about(line: &RuleLine, names: &Names<'_>) -> String {
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
        let who = if person == names.reader { "you".to_owned() } else { names.short(person) };
        text += &format!(" ({who})");
    }
    text
}

/// What the mailer says became of a mail.
pub fn delivery(status: &DeliveryStatus) -> &'static str {
    match status {
        DeliveryStatus::Delayed => "delayed; the mailer still tries",
        DeliveryStatus::BouncedForNow => "came back for now",
        DeliveryStatus::Delivered => "delivered",
        DeliveryStatus::Unmailable { .. } => "not sent: it could not be made",
        DeliveryStatus::Rejected { .. } => "refused by the mailer",
        DeliveryStatus::Suppressed => "not tried: mail to this address came back before",
        DeliveryStatus::Bounced => "came back for good",
        DeliveryStatus::Complained => "reported as unwanted",
    }
}

/// One rule of an exception as a view holds it.
pub fn rule_line(line: &RuleLine, names: &Names<'_>) -> String {
    about(line, names)
}

/// One reason with its nearest slot, its miss, its gap, as of now.
pub fn reason(reason: &Reason, names: &Names<'_>) -> String {
    let mut text = sentence(&about(&line_of(reason), names));
    if let Some(slot) = &reason.slot() {
        let slot = moment::interval(slot, names.zone);
        // Of what was left undecided or declined the slot is the choice itself; of a waiver, what it would make possible.
        text += &match reason {
            Reason::Expired(_) | Reason::Declined(_) => format!(": {slot}"),
            _ => format!(" would allow {slot}"),
        };
    }
    if let Some(minutes) = reason.missed_by_minutes() {
        text += &format!("; it misses by {}", moment::length(minutes * refresh_core::base::instant::MINUTE));
    }
    if let Some((gap, last)) = reason.gap() {
        text += &format!("; nobody known covers {}", moment::interval(&gap, names.zone));
        text += &format!("; last covered by {}", names.of(last));
    }
    text + "."
}

/// A sentence for each reason of an exception.
pub fn reasons(exception: &Exception, names: &Names<'_>) -> Vec<String> {
    exception.reasons.iter().map(|each| reason(each, names)).collect()
}

fn exception_line(line: &ExceptionLine, names: &Names<'_>) -> String {
    let rules: Vec<String> = line.rules.iter().map(|each| rule_line(each, names)).collect();
    let kind = exception(line.kind);
    if rules.is_empty() { kind.to_owned() } else { format!("{kind}: {}", rules.join("; ")) }
}

/// What differs, as the head of a row.
pub fn field(field: &Field) -> String {
    match field {
        Field::Attendance => "Your attendance".to_owned(),
        Field::Slot => "Time".to_owned(),
        Field::Role => "Your role".to_owned(),
        Field::Standing => "Standing".to_owned(),
        Field::Duty => "To do".to_owned(),
        Field::Roster(whose) => sentence(&role(whose)),
        Field::Checkpoint(key) => format!("Evidence {}", one_line(key.as_str(), 80)),
        Field::Window => "Review window".to_owned(),
        Field::Cutover => "Cutover".to_owned(),
        Field::FreezeEdge => "Freeze edge".to_owned(),
        Field::Violated => "Rules, for the present meeting".to_owned(),
        Field::Exception => "Exceptions".to_owned(),
        Field::Conflict(whose) => format!("Conflict reported, {}", role(whose)),
        Field::Operator => "Decided in the owner’s place".to_owned(),
    }
}

/// Where a seat stands.
pub const fn seating(seating: Seating) -> &'static str {
    match seating {
        Seating::Tentative => "tentative, not final",
        Seating::Authoritative => "authoritative, final",
    }
}

/// Whether the reader attends.
pub const fn attendance(attendance: Attendance) -> &'static str {
    match attendance {
        Attendance::WouldBeReleased => "expected until you are released, which is proposed",
        Attendance::Released => "released, no longer needed",
        Attendance::Cancellation => "cancelling the review is proposed",
    }
}

/// What a field holds, or that it holds nothing.
pub fn value(of: &Field, value: Option<&Value>, names: &Names<'_>) -> String {
    let Some(value) = value else {
        return match of {
            Field::Roster(_) | Field::Conflict(_) => "nobody",
            Field::Checkpoint(_) => "no ready time",
            Field::Violated => return violated(&[], names),
            Field::Exception | Field::Operator => "none",
            Field::FreezeEdge => "no",
            Field::Role | Field::Slot | Field::Standing => "none",
            Field::Attendance => "expected",
            Field::Duty => "nothing",
            Field::Window | Field::Cutover => "not set",
        }
        .to_owned();
    };
    match value {
        Value::Flag(true) => "yes, needs a decision".to_owned(),
        Value::Flag(false) => "no".to_owned(),
        Value::Interval(interval) => moment::interval(interval, names.zone),
        Value::Duty(duty) => format!("{} by {}", duty_action(duty.action), moment::instant(duty.by, names.zone)),
        Value::Marks(all) => violated(all, names),
        Value::Exceptions(all) => {
            let lines: Vec<String> = all.iter().map(|line| exception_line(line, names)).collect();
            // It stands after "now", or in a cell, like any other value.
            if lines.is_empty() { "none".to_owned() } else { uncapitalised(&lines.join(". ")) }
        }
        Value::Instant(at) => moment::instant(*at, names.zone),
        Value::Seating(word) => seating(*word).to_owned(),
        Value::Attendance(word) => attendance(*word).to_owned(),
        Value::Text(text) => match of {
            Field::Roster(_) | Field::Conflict(_) => match Person::parse(text) {
                Ok(person) => names.full(&person),
                Err(_) => one_line(text, 200),
            },
            _ => words(text),
        },
    }
}

/// What the reader must do.
pub const fn duty_action(action: DutyAction) -> &'static str {
    match action {
        DutyAction::Decide => "decide",
        DutyAction::Answer => "answer",
    }
}

/// What the present meeting breaks, and what is only to know of it.
fn violated(all: &[Mark], names: &Names<'_>) -> String {
    let (broken, remarks): (Vec<Mark>, Vec<Mark>) = all.iter().cloned().partition(Mark::is_violation);
    let mut text = match broken.as_slice() {
        [] => "none broken".to_owned(),
        broken => format!("broken: {}", marks(broken, names)),
    };
    if !remarks.is_empty() {
        text += &format!("; to know: {}", marks(&remarks, names));
    }
    text
}

/// One row of a delta in words: its head, was and now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChangeRow<'a> {
    /// What the row is about.
    pub about: About<'a>,
    /// The head of the row.
    pub what: String,
    /// What was so before.
    pub was: String,
    /// What is so now.
    pub now: String,
}

/// What a row is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum About<'a> {
    /// A member of the reader's view.
    Field(&'a Difference),
    /// Whether its reader sees the whole packet: every whole view has a freeze edge, and no other view has one.
    Sight {
        /// Whether the reader sees the whole packet from now on, or no more.
        gained: bool,
    },
}

/// The rows of a delta. A row whose two sides read the same is not a row. Who sees the whole packet for the first time, or
/// no longer, is told that once; what they are shown of it now was not nothing before, they were not told.
pub fn changes<'a>(all: &'a [Difference], names: &Names<'_>) -> Vec<ChangeRow<'a>> {
    let sight = all.iter().find_map(|change| match change {
        Difference { field: Field::FreezeEdge, was: None, now: Some(_) } => Some(true),
        Difference { field: Field::FreezeEdge, was: Some(_), now: None } => Some(false),
        // A required role is never without anybody: who reads of one for the first time was not told before.
        Difference { field: Field::Roster(_), was: None, now: Some(_) } => Some(true),
        _ => None,
    });
    let mut sees_anew = sight == Some(true);
    let mut rows = Vec::new();
    for change in all {
        if sight == Some(false) && change.field == Field::FreezeEdge {
            rows.push(sees(false));
            continue;
        }
        // Once, before the first of what they are shown for the first time.
        if sees_anew && change.was.is_none() && of_the_whole(&change.field) {
            rows.push(sees(true));
            sees_anew = false;
        }
        let (what, was, mut now) = sides(change, names);
        // Who hears of exceptions no longer is not told that they have closed.
        if change.field == Field::Exception && change.was.is_some() && change.now.is_none() {
            now = "told to you no more".to_owned();
        }
        let untold = sight == Some(true) && change.was.is_none() && of_the_whole(&change.field);
        let was = if untold { "not told to you".to_owned() } else { was };
        rows.push(ChangeRow { about: About::Field(change), what, was, now });
    }
    rows.retain(|row| row.was != row.now);
    rows
}

fn sees(gained: bool) -> ChangeRow<'static> {
    let (all, part) = ("all of it".to_owned(), "your own part, if you have one".to_owned());
    let (was, now) = if gained { (part, all) } else { (all, part) };
    ChangeRow { about: About::Sight { gained }, what: "What you are told of the review".to_owned(), was, now }
}

/// Whether only those who see the whole packet are told this field.
const fn of_the_whole(field: &Field) -> bool {
    match field {
        Field::Roster(_)
        | Field::Checkpoint(_)
        | Field::Window
        | Field::Cutover
        | Field::FreezeEdge
        | Field::Violated
        | Field::Exception
        | Field::Conflict(_)
        | Field::Operator => true,
        Field::Attendance | Field::Slot | Field::Role | Field::Standing | Field::Duty => false,
    }
}

fn sides(change: &Difference, names: &Names<'_>) -> (String, String, String) {
    let of = &change.field;
    // Of a cancellation that is proposed, or proposed no more, the review is what it is about. One that was adopted is
    // told by the release of its reader.
    let stands = |value: &Option<Value>| match value {
        None => Some("takes place"),
        Some(Value::Attendance(Attendance::Cancellation)) => Some("cancelling it is proposed"),
        _ => None,
    };
    if *of == Field::Attendance
        && change.was != change.now
        && let (Some(was), Some(now)) = (stands(&change.was), stands(&change.now))
    {
        return ("The review".to_owned(), was.to_owned(), now.to_owned());
    }
    (field(of), value(of, change.was.as_ref(), names), value(of, change.now.as_ref(), names))
}

/// What an attendee answered.
pub const fn reply(reply: Reply) -> &'static str {
    match reply {
        Reply::Acknowledged => "acknowledged",
        Reply::Conflict => "reported a conflict",
    }
}

/// What became of a proposal.
pub const fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Adopted => "adopted",
        Fate::DeclinedOtherSlot => "declined, to look for another slot",
        Fate::DeclinedStand => "declined, to stand by the present meeting",
        Fate::Superseded => "superseded by another proposal",
        Fate::Withdrawn => "withdrawn",
        Fate::Expired => "expired undecided",
    }
}

/// Whether a review is still coordinated.
pub const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Open => "open",
        Standing::Started => "started",
        Standing::Closed => "closed",
        Standing::Cancelled => "cancelled",
    }
}

/// What somebody did through a link.
pub const fn action(action: Action) -> &'static str {
    match action {
        Action::Adopt => "adopting",
        Action::Decline => "declining",
        Action::Acknowledge => "answering",
        Action::Open => "opening the page",
        Action::AskAgain => "asking for it again",
        Action::SendLink => "asking for the present link",
    }
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn a_sentence_begins_with_a_capital_and_an_address_as_it_is_spelt() {
        for (text, expected) in [
            ("required evidence is not ready", "Required evidence is not ready"),
            ("élan@example.com is busy then", "élan@example.com is busy then"),
            ("ada@example.com", "ada@example.com"),
            ("the calendar of ada@example.com", "The calendar of ada@example.com"),
            ("", ""),
        ] {
            assert_eq!(sentence(text), expected);
        }
    }
}
