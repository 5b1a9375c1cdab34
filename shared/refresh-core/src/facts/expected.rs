//! What would have been taken in the place of an ignored event: for its sender, who reads nothing else of the store.

use crate::{
    Instant, Source,
    facts::{
        authority::{Ignored, latest_ready},
        event::{Event, Statement},
        fact::Fact,
        policy::Deployment,
    },
};

/// Sources that a sentence names.
const MOST_NAMED: usize = 5;

/// What the event would have had to say, or who would have had to say it. `None`: the reason alone says everything.
/// `held`: the subject's fact as the event was judged against it; `arrived`: when the event came.
pub fn expected(
    ignored: Ignored,
    event: &Event,
    held: Option<&Fact>,
    arrived: Instant,
    deployment: &Deployment,
) -> Option<String> {
    Some(match ignored {
        Ignored::NonAuthoritativeSource => authority(event, deployment),
        Ignored::HeldByAnotherSource => {
            let holder = &held?.source;
            format!("{holder}, which holds the subject, or a source whose registration takes over from that source")
        }
        Ignored::UnknownSubject => match &event.statement {
            Statement::State { .. } | Statement::Resend(_) => "a review that was issued".to_owned(),
            Statement::Reset(_) => "a subject of which a source has spoken".to_owned(),
            Statement::Reply(_) => "a reply to an invitation of a review".to_owned(),
        },
        Ignored::UidInUse => "a UID that no other review has which is neither closed nor started".to_owned(),
        Ignored::InTheFuture => format!("ready_at no later than {}", latest_ready(arrived)),
        Ignored::NotInForce => "an approved record before one that is a draft or on hold".to_owned(),
        Ignored::StaleRevision => {
            let held = held?;
            if event.revision() > held.revision {
                "evidence of the run that began last".to_owned()
            } else {
                format!("a revision above {}", held.revision)
            }
        }
        Ignored::Invalid
        | Ignored::Duplicate
        | Ignored::IdCollision
        | Ignored::ReviewStarted
        | Ignored::ReviewClosed => return None,
    })
}

fn authority(event: &Event, deployment: &Deployment) -> String {
    let (kind, source) = (event.kind(), &event.identity.source);
    if deployment.registers(kind, source) {
        return format!("the sender that the policy binds to {source}");
    }
    let registered = deployment.sources.iter().filter(|registration| registration.kind == kind);
    let mut names: Vec<&str> = registered.map(|registration| Source::as_str(&registration.source)).collect();
    names.sort_unstable();
    names.dedup();
    let more = names.len().saturating_sub(MOST_NAMED);
    names.truncate(MOST_NAMED);
    match (names.as_slice(), more) {
        ([], _) => format!("a source that the policy registers for {} (there is none)", kind.word()),
        (names, 0) => format!("a source that the policy registers for {}: {}", kind.word(), names.join(", ")),
        (names, more) => {
            format!("a source that the policy registers for {}: {} and {more} more", kind.word(), names.join(", "))
        }
    }
}
