//! What is kept of a system that is asked at intervals: when the next question is due, and what the last answer was known by.
//!
//! ```text
//!  due ── claim: turn + 1 ── ask every page ── queue ── settle: due again
//!  due ── claim ── died anywhere ──▶ the claim ends, and the next worker asks again
//!  hint ──▶ due at once, though not within HINT_APART of the last question
//!  Retry-After ──▶ nothing is asked before it, whatever is due
//! ```
//! An answer itself is never kept: only digests of it, and the words by which its server knows it again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Instant,
    base::instant::{DAY, MINUTE, SECOND},
};

/// How long a worker may ask before another takes its place, in milliseconds: longer than an invocation may take.
pub const CLAIMED_FOR: i64 = 3 * MINUTE;
/// Between two questions that hints ask for, in milliseconds. Answers are numbered by their second, so two of one second
/// would be one; and hints come in swarms.
pub const HINT_APART: i64 = 10 * SECOND;
/// The longest that a server's `Retry-After` is kept, in milliseconds. A longer one is a mistake of its clock or of ours.
pub const LONGEST_WAIT: i64 = DAY;
/// Without a promise of its source, an unchanged answer is handed on again after this many minutes: whatever became of the
/// one before, it is made good within that time.
pub const RENEWED_WITHOUT_PROMISE: i64 = 6 * 60;

/// What is kept of one binding that is polled.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PollRecord {
    /// How often a worker took the binding: the condition of every write.
    pub turn: u64,
    /// When the next question is due.
    pub due_at: Instant,
    /// Until when a worker is asking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_until: Option<Instant>,
    /// When the last question began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Instant>,
    /// When the last question began that was answered whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Instant>,
    /// Before this instant the server wants no question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Instant>,
    /// What is wrong, where the last question was not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<Failing>,
    /// What each answer was known by. The key is a digest of what was asked.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<String, KnownAnswer>,
}

/// Questions that were not answered, one after another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failing {
    /// How many, up to the last.
    pub times: u32,
    /// When the first of them began.
    pub since: Instant,
    /// The word of what was wrong with the last.
    pub why: String,
}

/// What an answer is known by.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct KnownAnswer {
    /// When the answer was last handed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_on_at: Option<Instant>,
    /// The digest of what was handed on.
    pub digest: String,
    /// The instant by which what was handed on is numbered, where that is its `Date`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dated: Option<Instant>,
    /// The server's `ETag` of an answer of one page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The server's `Last-Modified` of an answer of one page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// Of independent records, the digest of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<String>,
}

impl KnownAnswer {
    /// Whether the answer is handed on again though nothing changed: its source said so again, and a promise to speak is kept
    /// by saying so. At half of the promise, so that the promise holds even if one question fails.
    pub fn is_to_be_renewed(&self, promise_minutes: Option<i64>, now: Instant) -> bool {
        let minutes = promise_minutes.map_or(RENEWED_WITHOUT_PROMISE, |promise| promise / 2);
        // An instant that is to come is of a clock that was set back.
        self.handed_on_at.is_none_or(|at| at > now || at.plus_minutes(minutes) <= now)
    }
}

/// What one question came to, for the record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PollEnd {
    /// Every page came, and what is new is on the queue.
    Answered,
    /// Something was not answered, or could not be handed on.
    Failed {
        /// The word of what was wrong.
        why: String,
        /// Before this instant the server wants no question.
        not_before: Option<Instant>,
    },
}

impl Default for PollRecord {
    /// Of a binding that was never asked.
    fn default() -> Self {
        Self {
            turn: 0,
            due_at: Instant::from_millis(0),
            claimed_until: None,
            asked_at: None,
            answered_at: None,
            not_before: None,
            failing: None,
            answers: BTreeMap::new(),
        }
    }
}

impl PollRecord {
    /// Whether the system is to be asked now. `hinted`: when something last said that the system has news. A record of the
    /// future is of a clock that was set back, and holds nobody up for longer than the record could have meant.
    pub fn is_due(&self, hinted: Option<Instant>, every_minutes: i64, now: Instant) -> bool {
        let holds = |until: Option<Instant>, longest: i64| {
            until.is_some_and(|until| now < until && until.since(now) <= longest)
        };
        if holds(self.claimed_until, CLAIMED_FOR) || holds(self.not_before, LONGEST_WAIT) {
            return false;
        }
        let Some(asked) = self.asked_at else { return true };
        let news = hinted.is_some_and(|hinted| hinted > asked) && now.since(asked) >= HINT_APART;
        news || !holds(Some(self.due_at), every_minutes * MINUTE)
    }

    /// The record while a worker asks.
    pub fn claimed(&self, now: Instant) -> Self {
        let claimed_until = Some(now.plus_millis(CLAIMED_FOR));
        Self { turn: self.turn + 1, claimed_until, asked_at: Some(now), ..self.clone() }
    }

    /// The record once a question came to its end. `answers`: what each answer is known by from now on. After failures
    /// the next question waits a minute, two, four, up to the interval.
    pub fn settled(&self, end: PollEnd, answers: BTreeMap<String, KnownAnswer>, every_minutes: i64) -> Self {
        let asked = self.asked_at.unwrap_or(self.due_at);
        let (answered_at, not_before, failing, minutes) = match end {
            PollEnd::Answered => (Some(asked), None, None, every_minutes),
            PollEnd::Failed { why, not_before } => {
                let before = self.failing.as_ref();
                let times = before.map_or(0, |failing| failing.times).saturating_add(1);
                let since = before.map_or(asked, |failing| failing.since);
                let minutes = 1_i64.checked_shl(times - 1).filter(|minutes| *minutes > 0).unwrap_or(every_minutes);
                (self.answered_at, not_before, Some(Failing { times, since, why }), minutes.min(every_minutes))
            }
        };
        // The schedule comes once a minute, a moment sooner or later: what is due in this minute is due now.
        let due_at = asked.plus_minutes(minutes).minute();
        Self {
            turn: self.turn + 1,
            due_at,
            claimed_until: None,
            answered_at,
            not_before,
            failing,
            answers,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Instant {
        Instant::from_millis(0).plus_minutes(1_000_000 + minutes)
    }

    fn asked() -> PollRecord {
        PollRecord::default().claimed(at(0)).settled(PollEnd::Answered, BTreeMap::new(), 5)
    }

    #[test]
    fn a_question_is_due_by_its_interval_a_hint_or_a_clock_that_was_set_back() {
        assert!(PollRecord::default().is_due(None, 5, at(0)), "never asked");
        for (minute, hinted, due, why) in [
            (4, None, false, "before its interval"),
            (5, None, true, "at its interval"),
            (4, Some(at(2)), true, "a hint since the last question"),
            (4, Some(at(0)), false, "a hint that the last question answered"),
            (0, None, false, "just asked"),
            (-1, None, true, "a clock that was set back"),
        ] {
            assert_eq!(asked().is_due(hinted, 5, at(minute)), due, "{why}");
        }
        let soon = at(0).plus_millis(HINT_APART - 1);
        assert!(!asked().is_due(Some(soon), 5, soon), "hints come in swarms");
        assert!(asked().is_due(Some(soon), 5, at(0).plus_millis(HINT_APART)));
    }

    #[test]
    fn who_asks_is_alone_until_the_claim_ends() {
        let claimed = PollRecord::default().claimed(at(0));
        assert!(!claimed.is_due(None, 1, at(2)));
        assert!(!claimed.is_due(Some(at(1)), 1, at(2)), "not for a hint either");
        assert!(claimed.is_due(None, 1, at(3)), "whoever died is replaced");
        assert!(claimed.is_due(None, 1, at(-60)), "a claim of the future is of another clock");
    }

    #[test]
    fn failures_wait_longer_each_and_never_longer_than_the_interval_or_what_the_server_asks() {
        let mut record = PollRecord::default();
        let mut waits = Vec::new();
        for minute in [0, 10, 20, 30, 40] {
            let end = PollEnd::Failed { why: "unreachable".to_owned(), not_before: None };
            record = record.claimed(at(minute)).settled(end, BTreeMap::new(), 5);
            waits.push(record.due_at.since(at(minute)) / MINUTE);
        }
        assert_eq!(waits, [1, 2, 4, 5, 5]);
        let failing = record.failing.clone().expect("it fails");
        assert_eq!((failing.times, failing.since), (5, at(0)));
        let end = PollEnd::Failed { why: "throttled".to_owned(), not_before: Some(at(70)) };
        let record = record.claimed(at(50)).settled(end, BTreeMap::new(), 5);
        assert!(!record.is_due(Some(at(60)), 5, at(69)), "neither interval nor hint ask before");
        assert!(record.is_due(None, 5, at(70)));
        let good = record.claimed(at(70)).settled(PollEnd::Answered, BTreeMap::new(), 5);
        assert_eq!((good.failing, good.not_before, good.answered_at), (None, None, Some(at(70))));
    }

    #[test]
    fn an_unchanged_answer_is_handed_on_again_at_half_its_promise() {
        let known = KnownAnswer { handed_on_at: Some(at(0)), ..KnownAnswer::default() };
        for (promise, minute, renewed) in [
            (Some(60), 29, false),
            (Some(60), 30, true),
            (None, 359, false),
            (None, 360, true),
            (Some(1), 0, true),
            (Some(60), -1, true),
        ] {
            assert_eq!(known.is_to_be_renewed(promise, at(minute)), renewed, "{promise:?} {minute}");
        }
        assert!(KnownAnswer::default().is_to_be_renewed(Some(60), at(0)), "never handed on");
    }
}
