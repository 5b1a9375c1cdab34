//! Which slots were this review's own, when, and who was invited: so that our own meeting is not taken for a conflict.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Instant, Person, instant::Slot};

/// A slot our meeting or hold had, from an instant until another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Booking {
    pub slot: Slot,
    pub people: BTreeSet<Person>,
    pub from: Instant,
    /// `None` while it is so.
    pub until: Option<Instant>,
}
