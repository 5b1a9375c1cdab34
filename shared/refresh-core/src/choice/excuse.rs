//! Which busy entries of a person's calendars are ours: what we put there ourselves is no conflict.
//!
//! A calendar object stands in a calendar once. So each object excuses one entry of a person, over all their calendars.
//! Where it is not known whether the calendar followed a move, the entry is unknown: neither a conflict nor a free hour.

use crate::{
    Instant, Interval,
    base::instant::Slot,
    facts::{
        fact::{Availability, Busy, EntryOf},
        seat::{InvitationTime, InvitedBy},
    },
};

/// What excuses entries of one person, and the entries that may be excused. Memory is kept from person to person: a search
/// reads hundreds of them, and most have neither.
#[derive(Clone, Debug)]
pub struct Excuses {
    slots: Vec<Excuse>,
    /// What lies outside is excused by nothing.
    span: Interval,
    doubtful: Vec<Doubtful>,
    /// How many reviews were read: objects of two reviews are two.
    reviews: usize,
}

/// One slot of one object.
#[derive(Clone, Copy, Debug)]
struct Excuse {
    review: usize,
    time: InvitationTime,
    /// This slot of the object has excused an entry.
    used: bool,
    /// The object has excused the one entry that is certainly its own.
    object_used: bool,
}

/// An entry of a calendar, or a run of entries, in which an excused slot lies.
#[derive(Clone, Copy, Debug)]
struct Doubtful {
    interval: Interval,
    accepted_at: Instant,
    merged: bool,
    settled: bool,
}

/// What an excuse is tried as, in this order: what is certain before what is not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ground {
    /// The slot that the object has.
    Now,
    /// A slot that the object had when the calendar was read.
    Then,
    /// A slot that the object had, or an object that is over: the calendar may have followed or not.
    Former,
}

/// The span of no slots: nothing overlaps it, and the span of more slots begins here.
const NOWHERE: Interval = Interval { start: Instant::from_millis(i64::MAX), end: Instant::from_millis(i64::MIN) };

impl Default for Excuses {
    fn default() -> Self {
        Self { slots: Vec::new(), span: NOWHERE, doubtful: Vec::new(), reviews: 0 }
    }
}

impl Excuses {
    /// Begins with another person.
    pub fn clear(&mut self) {
        self.slots.clear();
        self.doubtful.clear();
        self.span = NOWHERE;
        self.reviews = 0;
    }

    /// Adds what one review invited the person to.
    pub fn add_review(&mut self, invitations: impl Iterator<Item = InvitationTime>) {
        let first = self.slots.len();
        let review = self.reviews;
        self.slots.extend(invitations.map(|time| Excuse { review, time, used: false, object_used: false }));
        // The same order whatever was written first.
        self.slots[first..].sort_by_key(|excuse| (excuse.time.by, excuse.time.from));
        for Excuse { time, .. } in &self.slots[first..] {
            self.span = Interval { start: self.span.start.min(time.slot.start), end: self.span.end.max(time.slot.end) };
        }
        self.reviews += usize::from(self.slots.len() > first);
    }

    /// Adds to `apart`, in order, which entries of one calendar are not plain: the source says that they are ours, or they may
    /// be. What may be is kept until it is settled. Nothing excuses a plain entry, whatever else the calendar holds, and
    /// nearly every entry is plain by its time alone.
    pub fn read(&mut self, calendar: &Availability, accepted_at: Instant, apart: &mut Vec<usize>) {
        let (entries, merged) = (&calendar.busy, calendar.merged);
        if self.slots.is_empty() && !entries.says_whose() {
            return;
        }
        let first = apart.len();
        if entries.says_whose() {
            let is_plain = |entry: &Busy| entry.own != EntryOf::Ours && !self.may_be_ours(entry, merged);
            apart.extend(entries.iter().enumerate().filter(|(_, entry)| !is_plain(entry)).map(|(place, _)| place));
        } else {
            let near = entries.stretch(0..entries.len()).overlapping(&self.span);
            apart.extend(near.into_iter().filter(|place| self.may_be_ours(&entries.get(*place), merged)));
        }
        let apart = apart[first..].iter().map(|place| entries.get(*place));
        let doubtful = apart.filter(|entry| entry.own != EntryOf::Ours).map(|entry| Doubtful {
            interval: entry.interval(),
            accepted_at,
            merged,
            settled: false,
        });
        self.doubtful.extend(doubtful);
    }

    fn may_be_ours(&self, entry: &Busy, merged: bool) -> bool {
        let interval = entry.interval();
        let about = |excuse: &Excuse| excuse.time.slot == interval || merged && interval.contains(&excuse.time.slot);
        entry.own == EntryOf::Unsaid && self.slots.iter().any(about)
    }

    /// Says of each doubtful entry whether it is ours, unknown or busy. To be called once all calendars are read.
    pub fn settle(&mut self, busy: &mut Vec<Interval>, unknown: &mut Vec<Interval>) {
        if self.doubtful.is_empty() {
            return;
        }
        for ground in [Ground::Now, Ground::Then, Ground::Former] {
            for index in 0..self.slots.len() {
                self.excuse_an_entry(index, ground, unknown);
            }
        }
        for entry in std::mem::take(&mut self.doubtful) {
            if !entry.settled {
                self.excuse_parts(&entry, busy, unknown);
            }
        }
    }

    fn excuse_an_entry(&mut self, index: usize, ground: Ground, unknown: &mut Vec<Interval>) {
        if !self.may_excuse(index, ground) {
            return;
        }
        let time = self.slots[index].time;
        let then = |entry: &Doubtful| {
            time.from <= entry.accepted_at && time.until.is_none_or(|until| entry.accepted_at <= until)
        };
        let fits = |entry: &&mut Doubtful| {
            !entry.settled && entry.interval == time.slot && (ground != Ground::Then || then(entry))
        };
        if let Some(entry) = self.doubtful.iter_mut().find(fits) {
            entry.settled = true;
            if ground == Ground::Former {
                unknown.push(time.slot);
            }
            self.use_up(index, ground);
        }
    }

    /// A run that is longer than what we put there is busy outside our slots, and unknown inside them: what the source
    /// left out of the answer may be there too.
    fn excuse_parts(&mut self, entry: &Doubtful, busy: &mut Vec<Interval>, unknown: &mut Vec<Interval>) {
        let mut parts: Vec<Slot> = Vec::new();
        if entry.merged {
            for ground in [Ground::Now, Ground::Former] {
                for index in 0..self.slots.len() {
                    let slot = self.slots[index].time.slot;
                    if self.may_excuse(index, ground) && slot != entry.interval && entry.interval.contains(&slot) {
                        parts.push(slot);
                        self.use_up(index, ground);
                    }
                }
            }
        }
        parts.sort_unstable();
        let mut from = entry.interval.start;
        for part in &parts {
            busy.extend(Interval::new(from, part.start));
            from = from.max(part.end);
        }
        busy.extend(Interval::new(from, entry.interval.end));
        unknown.extend(parts);
    }

    fn may_excuse(&self, index: usize, ground: Ground) -> bool {
        let Excuse { time, used, object_used, .. } = self.slots[index];
        let stands = time.until.is_none();
        match ground {
            Ground::Now => stands && !object_used,
            Ground::Then => !stands && !used && !object_used && time.by != InvitedBy::UnknownUid,
            // A slot that the object left and came back to is no former slot.
            Ground::Former => !stands && !used && !self.of_object(index).any(|other| self.stands_at(other, &time.slot)),
        }
    }

    fn stands_at(&self, index: usize, slot: &Slot) -> bool {
        let time = &self.slots[index].time;
        time.until.is_none() && time.slot == *slot
    }

    /// All slots of the same object.
    fn of_object(&self, index: usize) -> impl Iterator<Item = usize> + use<'_> {
        let object = |at: usize| (self.slots[at].review, self.slots[at].time.by);
        (0..self.slots.len()).filter(move |other| object(*other) == object(index))
    }

    fn use_up(&mut self, index: usize, ground: Ground) {
        let Excuse { review, time, .. } = self.slots[index];
        for other in self.slots.iter_mut().filter(|other| (other.review, other.time.by) == (review, time.by)) {
            other.used |= other.time.slot == time.slot;
            other.object_used |= ground != Ground::Former;
        }
    }
}
