//! What is due by time alone: time emits no event, so once a minute the due index is read and each review that is due is
//! looked at. A tick is a hint: what it finds, the store decides.

#![warn(missing_docs, clippy::missing_errors_doc)]

mod ask;
mod env;

use decisions::Doing;
use lambda_shell::{
    Failure,
    deadline::Deadline,
    metrics::{Metrics, Unit},
    queue::Outgoing,
};
use packet_store::{AlreadyAsked, Due};
use refresh_core::{
    Instant, ReviewId,
    base::instant::MINUTE,
    record::message::{NoticesDue, RefreshRequested},
};
use serde_json::Value;

pub use ask::{NOTICES_AWAITED, REFRESH_AWAITED};
pub use env::Env;

/// Reviews whose clocks are read in one call, and which are asked before the next are read.
const AT_ONCE: usize = 50;

/// What a tick found due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ticked {
    /// Those it asked.
    pub reviews: Vec<ReviewId>,
    /// Those it left alone, since what they were asked for is still on its way.
    pub awaited: usize,
    /// Those its time did not suffice for: the next tick's.
    pub left: usize,
}

/// One tick: asks every review that is due. The schedule's own event says nothing.
///
/// # Errors
///
/// The store cannot be read or written, or a queue does not take a message.
pub async fn handle(env: &Env, _schedule: Value, deadline: Deadline) -> Result<Ticked, Failure> {
    let now = Instant::from_millis(env.clock.now_millis());
    let found = env.store.due(now).await.doing("reading what is due")?;
    decisions::unreadable(&found.unreadable);
    let due = found.read;
    let mut ticked = Ticked { reviews: Vec::new(), awaited: 0, left: due.len() };
    // The longest overdue first, so that whatever ends this tick leaves the others to the next one.
    for some in due.chunks(AT_ONCE) {
        if deadline.is_near() {
            tracing::warn!(left = ticked.left, "the tick's time is over; what is left is the next tick's");
            break;
        }
        ticked.left -= some.len();
        ask_for(env, some, now, &mut ticked).await?;
    }
    measure(&due, &ticked, now);
    Ok(ticked)
}

/// Asks first and remembers second: a process that dies in between asks again.
async fn ask_for(env: &Env, due: &[Due], now: Instant, ticked: &mut Ticked) -> Result<(), Failure> {
    let reviews: Vec<ReviewId> = due.iter().map(|due| due.review.clone()).collect();
    let clocks = env.store.clocks(&reviews).await.doing("reading the reviews that are due")?;
    decisions::unreadable(&clocks.unreadable);
    let (mut refreshes, mut notices) = (Vec::new(), Vec::new());
    let mut asked: Vec<(ReviewId, AlreadyAsked)> = Vec::new();
    for one in due {
        let Some(ask) = ask::ask(&one.review, &clocks, now) else { continue };
        if ask.refresh {
            refreshes.push(refresh(one, now)?);
        }
        if ask.notices {
            notices.push(self::notices(one, now)?);
        }
        if ask.refresh || ask.notices {
            asked.push((one.review.clone(), ask.asked));
        } else {
            ticked.awaited += 1;
        }
    }
    env.refresh.send_all(refreshes).await.doing("asking for what time alone changes")?;
    env.notices.send_all(notices).await.doing("asking for notices that are due")?;
    for (review, asked) in asked {
        env.store.remember_asked(&review, &asked).await.doing("remembering what was asked for")?;
        ticked.reviews.push(review);
    }
    Ok(())
}

/// Known by what is due and by the minute: two ticks of one minute are one, and one that came to nothing is asked again.
fn refresh(due: &Due, now: Instant) -> Result<Outgoing, Failure> {
    let (trigger, first_accepted) = (None, None);
    let request =
        RefreshRequested { review: due.review.clone(), trigger, at: due.due_at, first_accepted, seats: false };
    let mut message = Outgoing::json(&request).doing("writing a refresh request")?.in_group(due.review.as_str());
    let minute = now.millis().div_euclid(MINUTE);
    message.deduplication = Some(format!("tick {} {} {minute}", due.review, due.due_at.millis()));
    Ok(message)
}

fn notices(due: &Due, now: Instant) -> Result<Outgoing, Failure> {
    Outgoing::json(&NoticesDue { review: due.review.clone(), at: now, trace: None })
        .doing("writing the notices message")
}

/// How late the longest waiting is: the alarm for a tick that stopped, and for queues that are not worked off.
fn measure(due: &[Due], ticked: &Ticked, now: Instant) {
    let overdue = due.iter().map(|due| now.since(due.due_at)).max().unwrap_or(0).max(0);
    Metrics::new("Holdpoint")
        .count("Due", due.len())
        .count("Awaited", ticked.awaited)
        .put("Overdue", Unit::Milliseconds, overdue as f64)
        .emit(now.millis());
}
