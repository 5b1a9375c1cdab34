//! Whoever's seats changed is a matter of every review that shares the person: those are asked to look.
//!
//! ```text
//!  decision: seats written, HEAD names whose ──▶ notify: who depends on these seats? ask ──▶ HEAD names nobody any more
//!                                                         │ HEAD moved meanwhile: asked again, at worst once too often
//! ```
//! Asked by whoever decides, a request would die with a page that nobody posts again, or with a delivery whose
//! redelivery has nothing to write.

use std::collections::BTreeSet;

use decisions::Doing;
use lambda_shell::{Failure, queue::Outgoing};
use refresh_core::{
    ReviewId,
    record::{message::RefreshRequested, review::Head},
};

use crate::Env;

/// Asks for the seats that this HEAD says have changed. Safe to repeat.
pub(crate) async fn ask(env: &Env, head: &Head) -> Result<(), Failure> {
    if head.seats_moved.is_empty() {
        return Ok(());
    }
    let reviews = sharing(env, head).await?;
    let messages = reviews.iter().map(|review| message(review, head)).collect::<Result<Vec<_>, Failure>>()?;
    env.refresh.send_all(messages).await.doing("asking the reviews that share people whose seats changed")?;
    if !reviews.is_empty() {
        tracing::info!(reviews = reviews.len(), "reviews that share people were asked to look");
    }
    Ok(())
}

/// The open reviews that depend on any of these people's seats. Read after the seats were written: whoever registers later
/// reads them.
async fn sharing(env: &Env, asker: &Head) -> Result<Vec<ReviewId>, Failure> {
    let found = env.store.sharing(&asker.seats_moved).await.doing("looking up who shares people")?;
    decisions::unreadable(&found.unreadable);
    // The key still names it, and a refresh too many harms nobody.
    let named = found.unreadable.into_iter().filter_map(|unreadable| unreadable.review);
    let mut reviews: BTreeSet<ReviewId> = found.read.into_iter().chain(named).collect();
    reviews.remove(&asker.review);
    if reviews.is_empty() {
        return Ok(Vec::new());
    }
    let reviews: Vec<ReviewId> = reviews.into_iter().collect();
    let heads = env.store.heads(&reviews).await.doing("reading the reviews that share people")?;
    decisions::unreadable(&heads.unreadable);
    let over: BTreeSet<&ReviewId> =
        heads.read.iter().filter(|head| head.is_over(asker.at)).map(|head| &head.review).collect();
    Ok(reviews.iter().filter(|review| !over.contains(review)).cloned().collect())
}

/// A hint, known by who asks and by the HEAD that asks: by less, the second change of one review within five minutes would
/// be taken for the first.
fn message(review: &ReviewId, asker: &Head) -> Result<Outgoing, Failure> {
    let request = RefreshRequested::by_seats(review.clone(), asker);
    let mut message = Outgoing::json(&request).doing("writing a refresh request")?.in_group(review.as_str());
    message.deduplication = Some(format!("seats {} {} {review}", asker.review, asker.counter));
    Ok(message)
}
