//! What a review that is due is asked for: what it was asked for and has not answered is not asked again before the
//! message can have died.

use packet_store::{AlreadyAsked, Clocks};
use refresh_core::{Instant, ReviewId, base::instant::SECOND};

/// How long a refresh counts as on its way, in milliseconds: a message's whole life, which is as often as its queue hands the
/// message over, each time one visibility time-out. Behind a backlog a message waits longer; then the tick asks again.
pub const REFRESH_AWAITED: i64 = 5 * 180 * SECOND;
/// How long a round of notices counts as on its way, in milliseconds: one visibility time-out. A round may end well and leave
/// HEAD as it was, where a process that died holds a claim on somebody. The round's message is gone then, and nobody but
/// the tick asks for the next round.
pub const NOTICES_AWAITED: i64 = 360 * SECOND;

/// What is asked for now, and what is remembered of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ask {
    pub refresh: bool,
    pub notices: bool,
    pub asked: AlreadyAsked,
}

/// `None` where nothing is due any more: the index is behind the table.
pub(crate) fn ask(review: &ReviewId, clocks: &Clocks, now: Instant) -> Option<Ask> {
    let head = clocks.heads.get(review);
    let counter = head.map(|head| head.counter);
    // Of a review whose HEAD cannot be read all is asked: a newer worker may read it, and a failure is seen.
    let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
    let (refresh_due, notices_due) = head.map_or((true, true), |head| (due(head.check_at), due(head.notices_at)));
    if !refresh_due && !notices_due {
        return None;
    }
    // What moved HEAD since answered, or made something else due.
    let before = clocks.asked.get(review).copied().filter(|asked| asked.counter == counter).unwrap_or_default();
    let awaited = |until: Option<Instant>| until.filter(|until| now < *until);
    let (refresh_until, notices_until) = (awaited(before.refresh_until), awaited(before.notices_until));
    let (refresh, notices) = (refresh_due && refresh_until.is_none(), notices_due && notices_until.is_none());
    let asked = AlreadyAsked {
        counter,
        refresh_until: if refresh { Some(now.plus_millis(REFRESH_AWAITED)) } else { refresh_until },
        notices_until: if notices { Some(now.plus_millis(NOTICES_AWAITED)) } else { notices_until },
    };
    Some(Ask { refresh, notices, asked })
}
