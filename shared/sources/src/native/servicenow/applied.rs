//! Which schedules' spans apply to a schedule: its own, its parent's and its child schedules'.
//!
//! `parent` of a `cmn_schedule` names one whose spans apply to it as well; so does each row of `cmn_other_schedule`, with
//! the schedule that it names in `child_schedule`. Both go on: a parent may have a parent.

use std::collections::{BTreeMap, BTreeSet};

use refresh_core::Zone;

use super::{column, reference};
use crate::{native::zone, reader::Node};

/// What a schedule says of itself.
pub struct ScheduleRow {
    /// `floating`, or none: the binding's.
    pub zone: Option<Zone>,
    parent: Option<String>,
}

/// The schedules of an answer, and which are the children of which.
pub struct AppliedSchedules {
    rows: BTreeMap<String, ScheduleRow>,
    children: Vec<(String, String)>,
}

impl AppliedSchedules {
    pub fn new(rows: Vec<(String, ScheduleRow)>, children: Vec<Option<(String, String)>>) -> Self {
        Self { rows: rows.into_iter().collect(), children: children.into_iter().flatten().collect() }
    }

    pub fn zone(&self, id: &str) -> Option<Zone> {
        self.rows.get(id)?.zone
    }

    /// Every schedule whose spans apply to this one, itself included.
    ///
    /// # Errors
    /// The first of them that the answer does not hold whole.
    pub fn to<'s>(&'s self, id: &'s str, bad: &BTreeSet<String>) -> Result<BTreeSet<&'s str>, &'s str> {
        let (mut applied, mut open) = (BTreeSet::new(), vec![id]);
        while let Some(id) = open.pop() {
            let Some(row) = self.rows.get(id).filter(|_| !bad.contains(id)) else { return Err(id) };
            if applied.insert(id) {
                open.extend(row.parent.as_deref());
                open.extend(self.children.iter().filter(|(of, _)| of == id).map(|(_, child)| child.as_str()));
            }
        }
        Ok(applied)
    }
}

pub fn schedule(node: &Node<'_>) -> Option<(String, ScheduleRow)> {
    let row = node.object()?;
    let id = row.must("sys_id", column);
    let zone = row.may("time_zone", column);
    // A column that was not asked for does not say that there is no parent.
    let parent = row.must("parent", column);
    let zone = zone?.as_deref().and_then(zone::named);
    Some((id?, ScheduleRow { zone, parent: Some(parent?).filter(|parent| !parent.is_empty()) }))
}

/// A schedule and its child. A child of the type `exclude` takes time out of its schedule. Left out, the freeze is longer:
/// that is never better than it is.
pub fn child(node: &Node<'_>) -> Option<Option<(String, String)>> {
    let row = node.object()?;
    let schedule = row.must("schedule", reference);
    let child = row.must("child_schedule", reference);
    let kind = row.may("type", column);
    let pair = (schedule?, child?);
    Some(Some(pair).filter(|_| !matches!(&kind, Some(Some(kind)) if kind == "exclude")))
}
