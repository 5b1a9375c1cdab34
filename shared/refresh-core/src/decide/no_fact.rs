//! What becomes of events that are no facts: replies by mail, and mails that an operator asks for once more.

use crate::{
    Instant,
    facts::{
        authority::{Disposition, Ignored},
        event::Event,
        policy::Deployment,
    },
    record::review::{self, Head},
};

/// What becomes of such an event, once its review was looked for. `found`: the review that the event is about.
pub fn disposition(
    event: &Event,
    found: Option<&Head>,
    deployment: &Deployment,
    sender: Option<&str>,
    now: Instant,
) -> Disposition {
    if !deployment.lets_in(event.kind(), &event.identity.source, sender) {
        return Disposition::Ignored(Ignored::NonAuthoritativeSource);
    }
    let Some(head) = found else { return Disposition::Ignored(Ignored::UnknownSubject) };
    review::over([head], now).map_or(Disposition::Applied, Disposition::Ignored)
}
