//! A round that is under way: what each of its steps works with.

use lambda_shell::{deadline::Deadline, metrics::Metrics};
use refresh_core::{
    Instant, ReviewId,
    record::{commit::Commit, lineage::Happening, review::Head},
};

use crate::Env;

/// One round over a review's people.
pub(crate) struct Round<'a> {
    pub(crate) env: &'a Env,
    pub(crate) review: &'a ReviewId,
    /// HEAD as the round found it.
    pub(crate) before: Head,
    pub(crate) now: Instant,
    pub(crate) deadline: Deadline,
}

impl Round<'_> {
    /// The people whose view came back to what they had been told before anything else was mailed to them.
    pub(crate) fn measure_skipped(&self, commit: &Commit) {
        let happenings = commit.entry.iter().flat_map(|entry| &entry.happenings);
        let skipped = happenings.map(|happening| match happening {
            Happening::Skipped { people } => people.len(),
            _ => 0,
        });
        let skipped: usize = skipped.sum();
        if skipped > 0 {
            Metrics::new("Holdpoint").count("NoticesAvoided", skipped).emit(self.now.millis());
        }
    }
}
