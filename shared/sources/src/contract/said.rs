//! What the readers of all event types come to.

use refresh_core::facts::{event::Statement, subject::Subject};

/// What one event's data says, and of what.
pub type Said = (Subject, Statement);
