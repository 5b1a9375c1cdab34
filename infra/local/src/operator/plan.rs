//! What an operator is about to do: the event that does so, and what will come of it, in sentences to agree to.
//!
//! Nothing is done here. The event goes the way of every other, and the handlers decide.

use packet_store::Store;
use refresh_core::{
    Instant, Person, ReviewId, Source,
    audience::open::Open,
    base::hex,
    facts::{
        operator::OperatorChoice,
        policy::Deployment,
        subject::{Kind, Subject},
    },
    record::{last_notified::LastNotified, proposal::Pending, review::Head, view::Seating},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{lines::with_causes, names};
use crate::not_done::NotDone;

/// What an operator does in person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Coordination of a review ends.
    Close(ReviewId),
    /// The next fact of a subject's holder is let in at any revision. The subject is its parts joined by `/`.
    Reset(Kind, String),
    /// The waiting proposal of a review is decided in its owner's place.
    Decide(ReviewId, OperatorChoice),
    /// A person is mailed once more what they were told of a review.
    Resend(ReviewId, Person),
}

impl Act {
    /// The review that the act is about, if one is.
    pub const fn review(&self) -> Option<&ReviewId> {
        match self {
            Self::Close(review) | Self::Decide(review, _) | Self::Resend(review, _) => Some(review),
            Self::Reset(..) => None,
        }
    }
}

/// An act with who and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Planned {
    pub act: Act,
    /// The operator.
    pub by: Person,
    /// Why, in the operator's words.
    pub reason: String,
    /// The source of kind `operator` that the event comes from. `None`: the only one that the engine's policy registers.
    pub source: Option<Source>,
}

/// What one act says of itself.
struct Draft {
    event_type: &'static str,
    data: Value,
    will: Vec<String>,
}

/// The event and its consequences. `deployment`: the policy, where it is known.
///
/// # Errors
/// What is not there, is over already, or cannot be read as an event: what, where, and what was expected.
pub async fn plan(
    store: &Store,
    now: Instant,
    deployment: Option<&Deployment>,
    planned: &Planned,
) -> Result<Value, NotDone> {
    let source = source(deployment, planned.source.as_ref())?;
    let mut draft = match &planned.act {
        Act::Close(review) => close(&names::head(store, review).await?, now)?,
        Act::Reset(kind, subject) => Draft {
            event_type: "dev.holdpoint.subject.reset.v1",
            data: json!({ "kind": kind, "subject": subject }),
            will: Vec::new(),
        },
        Act::Decide(review, choice) => decide(store, &names::head(store, review).await?, *choice, now).await?,
        Act::Resend(review, person) => resend(store, &names::head(store, review).await?, person, now).await?,
    };
    draft.data["by"] = json!(planned.by);
    draft.data["reason"] = json!(planned.reason);
    let mut id = [0_u8; 8];
    getrandom::fill(&mut id).map_err(|error| format!("making an id for the event: {error}"))?;
    let event = json!({
        "specversion": "1.0", "id": format!("operator-{}", hex::written(&id)), "source": source,
        "type": draft.event_type, "time": now, "datacontenttype": "application/json", "data": draft.data,
    });
    // By the reader of every event, so that nothing is agreed to that would be refused.
    let read = sources::read(&event.to_string(), &sources::Bindings::default());
    let faults = |refused: sources::fault::Refused| {
        NotDone::Malformed(refused.faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    };
    let read = read.map_err(faults)?;
    if let (Act::Reset(..), Some(event)) = (&planned.act, read.events.first()) {
        draft.will = reset(store, &event.subject).await?;
    }
    draft.will.push(format!("it is recorded that {} did so, because: {}", planned.by, planned.reason));
    Ok(json!({ "now": now, "event": event, "will": draft.will }))
}

fn source(deployment: Option<&Deployment>, given: Option<&Source>) -> Result<Source, String> {
    let Some(deployment) = deployment else {
        return given.cloned().ok_or_else(|| {
            "a deployment's policy is in its functions alone: expected --source with the source of kind `operator` that it registers"
                .to_owned()
        });
    };
    let registered =
        || deployment.sources.iter().filter(|one| one.kind == Kind::Operator).map(|one| one.source.as_str());
    let list = || registered().collect::<Vec<_>>().join(", ");
    match given {
        Some(given) if deployment.registers(Kind::Operator, given) => Ok(given.clone()),
        Some(given) => Err(format!("--source: expected one that the policy registers as `operator` ({}); found {given}", list())),
        None => match registered().collect::<Vec<_>>().as_slice() {
            [] => Err("the policy registers no source of kind `operator`: expected one in `sources`, so that operators may act".to_owned()),
            [only] if !only.ends_with("/*") => Source::parse(only),
            _ => Err(format!("--source: expected one of those that the policy registers as `operator`: {}", list())),
        },
    }
}

fn is_open(head: &Head, now: Instant) -> Result<(), String> {
    if head.is_over(now) {
        return Err(format!("{}: expected an open review; it is over: {}", head.review, json!(head.standing)));
    }
    Ok(())
}

fn close(head: &Head, now: Instant) -> Result<Draft, String> {
    is_open(head, now)?;
    let (review, open) = (&head.review, Open::of(head, now));
    let mut will =
        vec![format!("{review} is closed: nothing more is decided or asked, and later facts change nothing of it")];
    if let Some(pending) = open.proposal {
        will.push(format!(
            "the proposal of version {} is withdrawn, and whoever was told of it is told so",
            pending.version
        ));
    }
    if !open.exceptions.is_empty() || !open.outstanding.is_empty() {
        let (exceptions, answers) = (open.exceptions.len(), open.outstanding.len());
        will.push(format!("exceptions that close: {exceptions}; answers that are waited for no more: {answers}"));
    }
    will.push(format!("the meeting that starts at {} stays in every calendar as it is", head.starts_at));
    Ok(Draft {
        event_type: "dev.holdpoint.review.closed.v1",
        data: json!({ "review_id": review, "revision": now.millis() }),
        will,
    })
}

async fn reset(store: &Store, subject: &Subject) -> Result<Vec<String>, String> {
    let (kind, name) = (subject.word(), subject.names().join("/"));
    let fact = store.fact(subject).await.map_err(with_causes)?;
    let fact =
        fact.ok_or_else(|| format!("{kind} {name}: expected a subject that somebody has spoken of; nobody has"))?;
    let mut will = vec![format!(
        "the next event of {} about {kind} {name} is let in at any revision; the newest now is {}, accepted at {}",
        fact.source, fact.revision, fact.accepted_at
    )];
    will.push("until then what is known of it stays, and nothing is decided".to_owned());
    Ok(will)
}

async fn decide(store: &Store, head: &Head, choice: OperatorChoice, now: Instant) -> Result<Draft, String> {
    is_open(head, now)?;
    let review = &head.review;
    let pending: &Pending = head.pending.as_ref().filter(|pending| now < pending.expires_at).ok_or_else(|| {
        format!("{review}: expected a proposal that waits for its decision; none does (`holdpoint why {review}`)")
    })?;
    let version = store.version(review, pending.version).await.map_err(with_causes)?;
    let version = version.ok_or_else(|| format!("{review}: version {} is named but not there", pending.version))?;
    let (slot, number) = (version.packet.slot, pending.version);
    let owner = pending.adopter.as_ref().map_or("nobody who may", Person::as_str);
    let what = match (choice, version.packet.cancelled) {
        (OperatorChoice::Adopt, true) => format!("version {number} of {review} is adopted: the review is cancelled"),
        (OperatorChoice::Adopt, false) => {
            format!("version {number} of {review} is adopted: the meeting is from {} to {}", slot.start, slot.end)
        }
        (OperatorChoice::DeclineOtherSlot, _) => {
            format!(
                "version {number} of {review} is declined, and another slot than {} to {} is looked for",
                slot.start, slot.end
            )
        }
        (OperatorChoice::DeclineStand, _) => {
            format!(
                "version {number} of {review} is declined, and the meeting that starts at {} stands",
                head.starts_at
            )
        }
    };
    let known = store.fact(&Subject::Decision(review.clone())).await.map_err(with_causes)?;
    let after = known.map_or(0, |fact| fact.revision.saturating_add(1));
    let will = vec![
        format!("{what}, in the place of {owner}"),
        "owner, escalation contacts and whoever it concerns are told at once".to_owned(),
        "if the facts ask for something else by then, or the operator's own seat would change, nothing is decided"
            .to_owned(),
    ];
    let revision = u64::try_from(now.millis()).unwrap_or(0).max(after);
    Ok(Draft {
        event_type: "dev.holdpoint.proposal.decided.v1",
        data: json!({ "review_id": review, "revision": revision, "version": number, "decision": choice }),
        will,
    })
}

async fn resend(store: &Store, head: &Head, person: &Person, now: Instant) -> Result<Draft, String> {
    is_open(head, now)?;
    let review = &head.review;
    if let Some(known) = head.unreachable(person).filter(|_| head.withholds(person)) {
        let why = json!(known.why);
        return Err(format!(
            "{review}: nothing is mailed to {person}, since mail to them did not arrive ({}); expected a newer `person` fact for the address first",
            why.as_str().unwrap_or_default()
        ));
    }
    let record = store.told_to(review, person).await.map_err(with_causes)?;
    let is_owed = head.affected.contains(person);
    if record.told.is_none() && !is_owed {
        let known = names::people(store, std::slice::from_ref(head)).await?;
        return Err(match known.contains(person) {
            true => format!(
                "{review}: {person} was mailed nothing of it, and is owed nothing; there is no mail to send again"
            ),
            false => names::nobody_of(review, person, &known),
        });
    }
    let says = record.told.as_ref().map(|told| repeated(head, told));
    let mut will = vec![match record.told {
        Some(told) => format!("{person}, who was last told of {review} at {}, is mailed once more", told.at),
        None => format!("{person} is mailed about {review}"),
    }];
    will.push(match says {
        Some(says) if !is_owed => says,
        _ => "what they do not know yet is mailed at once, and no mail besides".to_owned(),
    });
    Ok(Draft {
        event_type: "dev.holdpoint.resend.requested.v1",
        data: json!({ "review_id": review, "person": person }),
        will,
    })
}

/// What the mail says once more, and what it brings. Nothing is owed, so what the person was told is what is so now.
fn repeated(head: &Head, told: &LastNotified) -> String {
    let view = &told.view;
    let has_row = !view.roles.is_empty() && view.standing.is_some() && view.attendance.is_none();
    let may_answer = has_row && (head.adoptions > 0 || view.standing == Some(Seating::Tentative));
    let has_link = view.decides.is_some() || may_answer;
    // The entry that people have from elsewhere, before the first adoption, is not ours to send again.
    let has_entry = told.hold.is_some() || told.meeting.is_some() && head.adoptions > 0;
    let brings = match (has_link, has_entry) {
        (true, true) => "a link that opens and their calendar entry",
        (true, false) => "a link that opens, and no calendar entry",
        (false, true) => "their calendar entry, and no link",
        (false, false) => "neither link nor calendar entry",
    };
    format!("the mail says what they were told, as it is now, with {brings}")
}
