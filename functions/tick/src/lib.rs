//! What is due by time alone: time emits no event, so once a minute the due index is read and each review that is due is
//! looked at. A tick is a hint: what it finds, the store decides.

mod env;

use decisions::Doing;
use lambda_shell::{Failure, deadline::Deadline, metrics::Metrics, queue::Outgoing};
use packet_store::Due;
use refresh_core::{
    Instant, ReviewId,
    base::instant::MINUTE,
    record::message::{NoticesDue, RefreshRequested},
};
use serde_json::Value;

pub use env::Env;

/// What a tick found due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ticked {
    pub reviews: Vec<ReviewId>,
}

pub async fn handle(env: &Env, _schedule: Value, _deadline: Deadline) -> Result<Ticked, Failure> {
    let now = Instant::from_millis(env.clock.now_millis());
    let due = env.store.due(now).await.doing("reading what is due")?;
    let refreshes = due.iter().map(|due| refresh(due, now)).collect::<Result<Vec<_>, Failure>>()?;
    let notices = due.iter().map(|due| notices(due, now)).collect::<Result<Vec<_>, Failure>>()?;
    env.refresh.send_all(refreshes).await.doing("asking for what time alone changes")?;
    env.notices.send_all(notices).await.doing("asking for notices that are due")?;
    measure(&due, now);
    Ok(Ticked { reviews: due.into_iter().map(|due| due.review).collect() })
}

/// Known by what is due and by the minute: two ticks of one minute are one, and one that came to nothing is asked again.
fn refresh(due: &Due, now: Instant) -> Result<Outgoing, Failure> {
    let request = RefreshRequested { review: due.review.clone(), trigger: None, at: due.due_at };
    let mut message = Outgoing::json(&request).doing("writing a refresh request")?.in_group(due.review.as_str());
    let minute = now.millis().div_euclid(MINUTE);
    message.deduplication = Some(format!("tick {} {} {minute}", due.review, due.due_at.millis()));
    Ok(message)
}

fn notices(due: &Due, now: Instant) -> Result<Outgoing, Failure> {
    Outgoing::json(&NoticesDue { review: due.review.clone(), at: now, trace: None })
        .doing("writing the notices message")
}

/// How late the longest waiting is: the alarm for a tick that stopped.
fn measure(due: &[Due], now: Instant) {
    let overdue = due.iter().map(|due| now.since(due.due_at)).max().unwrap_or(0).max(0);
    Metrics::new("Holdpoint")
        .count("Due", due.len())
        .put("Overdue", lambda_shell::metrics::Unit::Milliseconds, overdue as f64)
        .emit(now.millis());
}
