//! What must hold of everything that is written.

use std::fmt::Debug;

use refresh_core::record::{
    commit::Commit,
    mark,
    review::{Review, Standing},
};
use serde::{Serialize, de::DeserializeOwned};

/// What the store keeps must be read back as it was, whatever the shape of its members.
pub fn reads_back_as_written(commit: &Commit) -> Result<(), String> {
    fn same<T: Serialize + DeserializeOwned + PartialEq + Debug>(written: &T) -> Result<(), String> {
        let text = serde_json::to_string(written).map_err(|error| format!("cannot be written: {error}"))?;
        let read: T = serde_json::from_str(&text).map_err(|error| format!("cannot be read back: {error} in {text}"))?;
        if read == *written { Ok(()) } else { Err(format!("read back as {read:?}, written as {written:?}")) }
    }
    same(&commit.head)?;
    commit.versions.iter().try_for_each(same)?;
    commit.entry.iter().try_for_each(same)?;
    commit.told.iter().try_for_each(|settled| same(&settled.told))
}

/// An open review whose authoritative slot breaks a rule has a proposal or an exception open.
pub fn honest(review: &Review) -> Result<(), String> {
    let head = &review.head;
    let violated = mark::violations(&head.today.violated);
    if head.standing == Standing::Open && !violated.is_empty() && head.pending.is_none() && head.exceptions.is_empty() {
        return Err(format!("{violated:?} is violated, and nothing is proposed and no exception is open"));
    }
    Ok(())
}
