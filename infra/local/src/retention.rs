//! The times after which what has ended may go; `keep` lets it go.

use std::path::PathBuf;

use packet_store::KEPT_DAYS;

use crate::private;

/// How long what has ended is kept, in days.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keep {
    /// At most [`KEPT_DAYS`], after which the functions let events expire.
    pub events: i64,
    pub mails: i64,
    /// From the end of a review, which is the later of its slot's start and the last that was written of it.
    pub reviews: i64,
    /// The folder into which the record of each review is written before it goes.
    pub archive: Option<PathBuf>,
}

impl Keep {
    /// Makes the folder of records where there is none. A start calls this, so the operator hears of a folder that cannot be made
    /// at once, and not two years later when the first review should go.
    ///
    /// # Errors
    /// The folder cannot be made or closed to others.
    pub fn make_archive(&self) -> Result<(), String> {
        let Some(folder) = &self.archive else { return Ok(()) };
        private::folder(folder).map_err(|why| format!("[keep] archive: {why}"))
    }
}

impl Default for Keep {
    fn default() -> Self {
        Self { events: KEPT_DAYS, mails: 90, reviews: 730, archive: None }
    }
}
