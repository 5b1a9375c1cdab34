//! What an operator does in person: `subject.reset`, `proposal.decided` and `resend.requested`.

use refresh_core::{
    Calendar, ChangeId, Checkpoint, DiaryName, Person, ReviewId, Role, Service,
    facts::{
        event::{Reset, Statement},
        fact::Body,
        operator::{OperatorChoice, OperatorDecision, ResendRequest},
        subject::{Diary, Kind, Subject},
    },
};

use super::said::Said;
use crate::reader::{Node, Object};

const LONGEST_REASON: usize = 1_000;
/// A decision's reason stands in HEAD, and in the mails of whoever hears of it.
const LONGEST_DECISION_REASON: usize = 300;

const DECISIONS: [(&str, OperatorChoice); 3] = [
    ("adopt", OperatorChoice::Adopt),
    ("decline_other_slot", OperatorChoice::DeclineOtherSlot),
    ("decline_stand", OperatorChoice::DeclineStand),
];

/// A decision in the owner's place, about the proposal that a version carries.
pub fn decided(data: &Object<'_>) -> Option<Said> {
    let review = data.must("review_id", |node| node.parsed(ReviewId::parse));
    let revision = data.must("revision", |node| node.revision());
    let version = data.must("version", |node| u32::try_from(node.whole(1..=1_000_000_000)?).ok());
    let decision = data.must("decision", |node| node.word(&DECISIONS));
    let by = data.must("by", |node| node.parsed(Person::parse));
    let reason = data.must("reason", |node| node.prose(LONGEST_DECISION_REASON));
    let decision = OperatorDecision { version: version?, decision: decision?, by: by?, reason: reason? };
    Some((Subject::Decision(review?), Statement::State { revision: revision?, body: Body::Decision(decision) }))
}

/// Somebody is to be mailed once more what they were last told of a review.
pub fn resend(data: &Object<'_>) -> Option<Said> {
    let review = data.must("review_id", |node| node.parsed(ReviewId::parse));
    let person = data.must("person", |node| node.parsed(Person::parse));
    let by = data.must("by", |node| node.parsed(Person::parse));
    let reason = data.must("reason", |node| node.prose(LONGEST_REASON));
    let asked = ResendRequest { person: person?, by: by?, reason: reason? };
    Some((Subject::Resend(review?, asked.person.clone()), Statement::Resend(asked)))
}

/// `subject` is the subject's parts, joined by `/`.
pub fn reset(data: &Object<'_>) -> Option<Said> {
    let words = Kind::OF_FACTS.map(|kind| (kind.word(), kind));
    let kind = data.must("kind", |node| node.word(&words));
    let subject = match kind {
        Some(kind) => data.must("subject", |node| subject(node, kind)),
        None => data.must("subject", |node| node.text_owned()).and(None),
    };
    let by = data.must("by", |node| node.parsed(Person::parse));
    let reason = data.must("reason", |node| node.prose(LONGEST_REASON));
    Some((subject?, Statement::Reset(Reset { by: by?, reason: reason? })))
}

fn subject(node: &Node<'_>, kind: Kind) -> Option<Subject> {
    node.parsed(|text| parts(text, kind).ok_or_else(|| form(kind).to_owned()))
}

/// How a subject of the kind is written.
const fn form(kind: Kind) -> &'static str {
    match kind {
        Kind::Review => "a subject like RR-1042 (a review)",
        Kind::Change => "a subject like CHG0030001 (a change)",
        Kind::Delegation => "a subject like identity-service/security_reviewer (service/role)",
        Kind::Availability => "a subject like ada@example.com/calendar (person/kind, or person/kind/calendar)",
        Kind::Evidence => "a subject like CHG0030001/integration-tests (change/checkpoint)",
        Kind::Freeze => "a subject like prod (a freeze calendar)",
        Kind::Person => "a subject like ada@example.com (a person)",
        Kind::Operator | Kind::Reply => "a kind of facts",
    }
}

/// The first part ends at the first `/` that leaves good names on both sides: a name may itself have a `/`, so where a
/// subject could be read in several ways the shortest first part counts.
fn parts(text: &str, kind: Kind) -> Option<Subject> {
    let pairs = || text.match_indices('/').map(|(at, _)| (&text[..at], &text[at + 1..]));
    match kind {
        Kind::Review => ReviewId::parse(text).ok().map(Subject::Review),
        Kind::Change => ChangeId::parse(text).ok().map(Subject::Change),
        Kind::Freeze => Calendar::parse(text).ok().map(Subject::Freeze),
        Kind::Person => Person::parse(text).ok().map(Subject::Person),
        Kind::Delegation => pairs()
            .find_map(|(service, role)| Service::parse(service).ok().zip(Role::parse(role).ok()))
            .map(|(service, role)| Subject::Delegation(service, role)),
        Kind::Evidence => pairs()
            .find_map(|(change, key)| ChangeId::parse(change).ok().zip(Checkpoint::parse(key).ok()))
            .map(|(change, key)| Subject::Evidence(change, key)),
        Kind::Availability => pairs().find_map(|(person, rest)| {
            let (word, name) = rest.split_once('/').map_or((rest, None), |(word, name)| (word, Some(name)));
            let diary = [Diary::Calendar, Diary::Oncall].into_iter().find(|diary| diary.word() == word)?;
            let name = name.map(DiaryName::parse).transpose().ok()?;
            Some(Subject::Availability(Person::parse(person).ok()?, diary, name))
        }),
        Kind::Operator | Kind::Reply => None,
    }
}
