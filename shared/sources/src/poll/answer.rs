//! What a response is by its status and headers: an answer, nothing new, another address, or a failure.

use chrono::DateTime;
use refresh_core::{Instant, base::instant::SECOND, record::poll::LONGEST_WAIT};

use super::{PollFailure, SystemResponse};

/// What a response is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SystemAnswer {
    /// An answer, or a page of one.
    Page,
    /// Nothing new since the answer that the question named.
    NotModified,
    /// The answer is at another address, as the server writes it.
    Moved {
        /// The `Location`.
        to: String,
        /// Whether what was posted is posted there again. Otherwise only a question without a body may follow.
        keeps_method: bool,
    },
}

/// Bytes of an `ETag` or a `Last-Modified` that are kept. A longer one is kept not at all.
const LONGEST_MARK: usize = 200;

/// What a response is, at `now` by our clock.
///
/// # Errors
/// [`PollFailure`], if the system does not answer: with the instant before which it wants no question, where it says.
pub fn of(response: &SystemResponse, now: Instant) -> Result<SystemAnswer, PollFailure> {
    let wait = || not_before(response, now);
    match response.status {
        200 => Ok(SystemAnswer::Page),
        304 => Ok(SystemAnswer::NotModified),
        301 | 302 | 303 | 307 | 308 => match response.headers.get("location") {
            Some(to) => Ok(SystemAnswer::Moved { to: to.clone(), keeps_method: matches!(response.status, 307 | 308) }),
            None => Err(PollFailure::Refused(response.status)),
        },
        // GitHub says so of a rate limit as well, and of an account that asks too much.
        403 if is_rate_limit(response) => Err(PollFailure::Throttled(wait())),
        401 | 403 | 407 => Err(PollFailure::Denied(response.status)),
        429 => Err(PollFailure::Throttled(wait())),
        408 | 425 | 500..=599 => Err(PollFailure::Unavailable(response.status, wait())),
        status => Err(PollFailure::Refused(status)),
    }
}

fn is_rate_limit(response: &SystemResponse) -> bool {
    let spent = response.headers.get("x-ratelimit-remaining").is_some_and(|left| left.trim() == "0");
    spent || response.headers.contains_key("retry-after")
}

/// `Retry-After` in seconds or as a date (RFC 9110), else the rate limit's own reset: an instant (`X-RateLimit-Reset` of
/// GitHub), or seconds (`RateLimit-Reset`). A date is taken from the answer's own `Date`: the clocks may differ.
fn not_before(response: &SystemResponse, now: Instant) -> Option<Instant> {
    let header = |name: &str| response.headers.get(name).map(|value| value.trim());
    let there = header("date").and_then(date).unwrap_or(now);
    let seconds = |text: &str| text.parse::<u32>().ok().map(|seconds| i64::from(seconds) * SECOND);
    let after = header("retry-after");
    let wait = after.and_then(seconds).or_else(|| after.and_then(date).map(|at| at.since(there)));
    let wait = wait.or_else(|| {
        let reset = header("x-ratelimit-reset")?.parse::<i64>().ok()?;
        // Some write seconds there too; no instant of ours is so early.
        const EARLIEST: i64 = 1_000_000_000;
        Some(if reset < EARLIEST { reset * SECOND } else { Instant::from_millis(reset * SECOND).since(there) })
    });
    let wait = wait.or_else(|| header("ratelimit-reset").and_then(seconds));
    wait.map(|wait| now.plus_millis(wait.clamp(0, LONGEST_WAIT)))
}

/// An HTTP date (RFC 9110).
pub fn date(text: &str) -> Option<Instant> {
    DateTime::parse_from_rfc2822(text).ok().map(|at| Instant::from_millis(at.timestamp_millis()))
}

/// An instant as an HTTP date.
pub fn written(at: Instant) -> String {
    at.to_utc().format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// A mark by which a server knows its answer again, if it is one that may be sent back.
pub fn mark(response: &SystemResponse, name: &str) -> Option<String> {
    let mark = response.headers.get(name)?.trim();
    let good = !mark.is_empty() && mark.len() <= LONGEST_MARK && mark.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    good.then(|| mark.to_owned())
}
