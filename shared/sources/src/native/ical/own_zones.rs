//! What a calendar's own `VTIMEZONE` components say, held against the zones of those names.
//!
//! A time is read by the zone that its `TZID` names. Programs write rules of their own under a name that another zone has
//! (`EST` of Australia), and then the name says another instant than the rules. Where both say one offset, the time is
//! certain; where they differ, nobody knows which was meant.

use std::collections::BTreeSet;

use refresh_core::{Instant, Zone, base::instant::DAY};

use super::{
    content::{Component, ContentLine},
    values::{self, TimeValue},
};
use crate::native::recurrence::{self, Budget};

/// From then on the local time is so far ahead of UTC, in seconds; before, it was so far.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Onset {
    at: Instant,
    before: i32,
    after: i32,
}

/// The rules that a file writes under one name.
pub struct OwnZone {
    name: String,
    /// In order. `None`: the rules are not understood.
    onsets: Option<Vec<Onset>>,
    /// Whether the rules go on without end.
    goes_on: bool,
}

/// The zones that one calendar defines.
#[derive(Default)]
pub struct OwnZones(Vec<OwnZone>);

impl OwnZones {
    /// Those among the components of a calendar, known to `until`.
    pub fn of(parts: &[Component<'_>], until: Instant) -> Self {
        let mut budget = Budget::default();
        let mut zones: Vec<OwnZone> = Vec::new();
        for part in parts.iter().filter(|part| part.kind == "VTIMEZONE") {
            let Some(zone) = OwnZone::of(part, until, &mut budget) else { continue };
            match zones.iter_mut().find(|known| known.name.eq_ignore_ascii_case(&zone.name)) {
                // Two that define one name in one way are one.
                Some(known) if known.onsets == zone.onsets && known.goes_on == zone.goes_on => {}
                Some(known) => known.onsets = None,
                None => zones.push(zone),
            }
        }
        Self(zones)
    }

    /// What the calendar defines under a name. `None`: nothing, so that the name stands alone.
    pub fn named(&self, name: &str) -> Option<&OwnZone> {
        self.0.iter().find(|zone| zone.name.eq_ignore_ascii_case(name))
    }
}

impl OwnZone {
    /// `None`: a component without a rule defines nothing.
    fn of(component: &Component<'_>, until: Instant, budget: &mut Budget) -> Option<Self> {
        let rules: Vec<&Component<'_>> =
            component.parts.iter().filter(|part| matches!(part.kind.as_str(), "STANDARD" | "DAYLIGHT")).collect();
        let name = unescaped(component.said("TZID").once()?.value);
        if rules.is_empty() {
            return None;
        }
        let read: Option<Vec<Vec<Onset>>> = rules.iter().map(|rule| onsets(rule, until, budget)).collect();
        let onsets = read.map(|rules| {
            let mut onsets = rules.concat();
            onsets.sort_unstable();
            onsets
        });
        let endless = |line: &ContentLine<'_>| {
            let rule = line.value.to_ascii_uppercase();
            !rule.contains("UNTIL=") && !rule.contains("COUNT=")
        };
        let goes_on = rules.iter().any(|rule| rule.lines("RRULE").any(endless));
        Some(Self { name, onsets, goes_on })
    }

    /// Whether the rules say the offset that the zone of the name has then.
    pub fn agrees(&self, zone: Zone, at: Instant) -> bool {
        let Some(onsets) = self.onsets.as_ref().filter(|onsets| !onsets.is_empty()) else { return false };
        let passed = onsets.partition_point(|onset| onset.at <= at);
        let own = if passed == 0 { onsets[0].before } else { onsets[passed - 1].after };
        // Programs cut rules off behind the years that an export needs. Behind its end such a list says no more than
        // which offsets there are.
        own == zone.offset(at) || passed == onsets.len() && !self.goes_on && offsets(onsets) == around(zone, at)
    }
}

/// A parameter needs no escapes where the property of the same name has some.
fn unescaped(name: &str) -> String {
    name.replace("\\,", ",").replace("\\;", ";")
}

fn offsets(onsets: &[Onset]) -> BTreeSet<i32> {
    onsets.iter().map(|onset| onset.after).collect()
}

/// Which offsets a zone has in the year around an instant. No clock is set for less than two weeks.
fn around(zone: Zone, at: Instant) -> BTreeSet<i32> {
    const FORTNIGHTS: i64 = 13;
    (-FORTNIGHTS..=FORTNIGHTS).map(|fortnight| zone.offset(at.plus_millis(fortnight * 14 * DAY))).collect()
}

/// When the clock is set by one rule. `None`: not understood.
fn onsets(rule: &Component<'_>, until: Instant, budget: &mut Budget) -> Option<Vec<Onset>> {
    let offset = |name: &str| values::offset(rule.said(name).once()?.value);
    let (before, after) = (offset("TZOFFSETFROM")?, offset("TZOFFSETTO")?);
    let local = |line: &ContentLine<'_>, item: &str| match values::time_of(line, item)? {
        TimeValue::Local(local) => Some(local),
        TimeValue::Date(_) | TimeValue::Utc(_) => None,
    };
    let instant = |local: chrono::NaiveDateTime| {
        Instant::from_millis(local.and_utc().timestamp_millis()).plus_seconds(-i64::from(before))
    };
    let start = rule.said("DTSTART").once()?;
    let first = local(start, start.value)?;
    let mut locals = vec![first];
    let last = until.plus_seconds(i64::from(before)).to_utc().naive_utc();
    for line in rule.lines("RRULE") {
        let within = |local, until: chrono::NaiveDateTime| {
            instant(local) <= Instant::from_millis(until.and_utc().timestamp_millis())
        };
        locals.extend(recurrence::starts(line.value, first, last, within, budget)?);
    }
    for line in rule.lines("RDATE") {
        let more: Option<Vec<_>> = values::items(line).map(|item| local(line, item)).collect();
        locals.extend(more?);
    }
    locals.sort_unstable();
    locals.dedup();
    Some(locals.into_iter().map(|local| Onset { at: instant(local), before, after }).collect())
}
