//! What became of one event: the outcome, the line and the figure that say so.

use lambda_shell::{log::masked, metrics::Metrics};
use refresh_core::{
    Instant, ReviewId,
    facts::{
        authority::{Disposition, Ignored, UntakenMember},
        event::{Event, Identity},
    },
};
use sources::fault::Fault;

/// What became of one event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    /// `None` where it could not be read.
    pub identity: Option<Identity>,
    /// Its type as it was sent. `None` where it could not be read.
    pub event_type: Option<String>,
    /// Applied, or ignored for that reason.
    pub disposition: Disposition,
    /// The reviews it touched, or would have.
    pub reviews: Vec<ReviewId>,
    /// Of a repeated `review.issued`: the members that count for nothing.
    pub not_taken: Vec<UntakenMember>,
    /// Of an invalid one: every fault.
    pub faults: Vec<Fault>,
}

impl Taken {
    /// Of an event that was read, and concerns no review as far as is known.
    pub(crate) fn of(identity: &Identity, event_type: &str, disposition: Disposition) -> Self {
        Self {
            identity: Some(identity.clone()),
            event_type: Some(event_type.to_owned()),
            disposition,
            reviews: Vec::new(),
            not_taken: Vec::new(),
            faults: Vec::new(),
        }
    }
}

/// One line an event. What changes nothing is a warning: whoever sent it expects otherwise, and no level need be set to
/// see it.
pub(crate) fn say(event: &Event, became: Disposition, reviews: usize, not_taken: &[UntakenMember]) {
    let (id, source) = identity_of(Some(&event.identity));
    let (kind, revision) = (event.kind().word(), event.revision());
    match reason(became) {
        None if !not_taken.is_empty() => {
            let not_taken = not_taken.iter().map(|member| member.word()).collect::<Vec<_>>().join(" ");
            tracing::warn!(
                event_id = id,
                source,
                kind,
                revision,
                applied = true,
                not_taken,
                "members of a repeated issue count for nothing"
            );
        }
        None => tracing::info!(event_id = id, source, kind, revision, applied = true, reviews, "an event was taken"),
        Some(reason) => {
            tracing::warn!(
                event_id = id,
                source,
                kind,
                revision,
                applied = false,
                reason,
                reviews,
                "an event was ignored"
            );
        }
    }
}

/// The id and the source of an event, as they may be logged: either may be written like an address.
pub(crate) fn identity_of(identity: Option<&Identity>) -> (Option<String>, Option<String>) {
    (identity.map(|identity| masked(identity.id.as_str())), identity.map(|identity| masked(identity.source.as_str())))
}

/// Why it changes nothing, where it does not.
pub(crate) const fn reason(became: Disposition) -> Option<&'static str> {
    match became {
        Disposition::Applied => None,
        Disposition::Ignored(ignored) => Some(ignored.word()),
    }
}

pub(crate) fn measure(disposition: Disposition, now: Instant) {
    let reason = reason(disposition).unwrap_or("applied");
    let mut metrics = Metrics::new("Holdpoint").dimension("Disposition", reason).count("Events", 1);
    // Each has an alarm of its own: they are a source's mistake, and not this deployment's.
    if let Disposition::Ignored(ignored) = disposition {
        metrics = match ignored {
            Ignored::IdCollision => metrics.count("IdCollisions", 1),
            Ignored::UidInUse => metrics.count("UidsInUse", 1),
            _ => metrics,
        };
    }
    metrics.emit(now.millis());
}
