//! What one function tells the next. A message is a hint to look: what counts is what the store says.

use serde::{Deserialize, Serialize};

use crate::{Instant, ReviewId, instant::SECOND, lineage::Trigger};

/// To `refresh`: an event touched this review, or time did.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RefreshRequested {
    pub review: ReviewId,
    /// `None` from a tick: time leaves no mark of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
    pub at: Instant,
}

/// To `notify`: somebody may be owed a notice. One message a review, however many people.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NoticesDue {
    pub review: ReviewId,
    pub at: Instant,
}

impl NoticesDue {
    /// The delay of a message that shall arrive at `at`, in whole seconds, rounded up; `None` where that is farther off
    /// than `longest`: a tick finds it then.
    pub fn delay(&self, now: Instant, longest: u32) -> Option<u32> {
        let seconds = (self.at.since(now).max(0) + SECOND - 1) / SECOND;
        u32::try_from(seconds).ok().filter(|seconds| *seconds <= longest)
    }
}
