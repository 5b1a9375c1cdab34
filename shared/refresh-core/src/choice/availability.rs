//! Free, busy and unknown are three things.

use crate::{
    Interval, Person,
    base::instant::Slot,
    facts::{fact::Facts, subject::Diary},
    record::booking::{self, Booking},
};

/// What is known of a person in a slot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Known {
    Free,
    Busy,
    /// Not free: nobody is moved or substituted into a slot they are not known to be free for.
    Unknown,
}

/// One person's time, both calendars together, our own meeting left out.
#[derive(Clone, Debug, Default)]
pub struct Time {
    /// Unsorted, may overlap.
    pub busy: Vec<Interval>,
    /// A slot must lie wholly inside each. Empty with `calendar` false: unknown everywhere.
    pub horizons: Vec<Interval>,
    pub unknown: Vec<Interval>,
    /// Whether the person's calendar was ever reported.
    pub calendar: bool,
}

impl Time {
    pub fn of(person: &Person, facts: &Facts, bookings: &[Booking]) -> Self {
        let mut time = Self::default();
        if let Some((calendar, accepted_at)) = facts.diary(person, Diary::Calendar) {
            let mut ours = booking::ours(bookings, person, accepted_at);
            // Where the source itself says which entry is ours, an unmarked one beside it is somebody else's meeting.
            let marked =
                |slot: &Slot| calendar.busy.iter().any(|busy| busy.own == Some(true) && busy.interval() == *slot);
            ours.retain(|slot| !marked(slot));
            time.calendar = true;
            time.horizons.push(calendar.horizon);
            time.unknown.extend_from_slice(&calendar.unknown);
            time.busy.extend(
                calendar
                    .busy
                    .iter()
                    .filter(|busy| !is_ours(busy.own, busy.interval(), &mut ours))
                    .map(crate::facts::fact::Busy::interval),
            );
        }
        // An on-call entry is never our meeting, whatever it says of itself.
        if let Some((oncall, _)) = facts.diary(person, Diary::Oncall) {
            time.horizons.push(oncall.horizon);
            time.unknown.extend_from_slice(&oncall.unknown);
            time.busy.extend(oncall.busy.iter().map(crate::facts::fact::Busy::interval));
        }
        time
    }

    pub fn in_slot(&self, slot: &Slot) -> Known {
        if self.busy.iter().any(|busy| busy.overlaps(slot)) {
            Known::Busy
        } else if self.calendar
            && self.horizons.iter().all(|horizon| horizon.contains(slot))
            && !self.unknown.iter().any(|unknown| unknown.overlaps(slot))
        {
            Known::Free
        } else {
            Known::Unknown
        }
    }
}

/// One busy entry a slot, no more: a second entry at the same time is somebody else's meeting.
fn is_ours(own: Option<bool>, busy: Interval, ours: &mut Vec<Slot>) -> bool {
    match own {
        Some(own) => own,
        None => match ours.iter().position(|slot| *slot == busy) {
            Some(at) => {
                ours.swap_remove(at);
                true
            }
            None => false,
        },
    }
}
