//! Which busy entries of a person are conflicts, sentence by sentence.

use crate::{
    case::{Case, Diary, Object, Span, Time},
    judge,
};

/// When a person is busy, and when it is not known because the entry may be ours.
#[derive(Default)]
pub struct Judged {
    pub busy: Vec<Span>,
    pub unknown: Vec<Span>,
}

/// One object for one person: the slot it has now, and those it had.
struct Ours {
    object: Object,
    now: Option<Span>,
    had: Vec<(Span, Time, Time)>,
    /// It has excused the one entry that is its own.
    spent: bool,
    /// Former slots that have excused an entry.
    spent_slots: Vec<Span>,
}

pub fn of(case: &Case, person: usize) -> Judged {
    let facts = &case.facts.people[person];
    let mut judged = Judged::default();
    let heard = |diary: &&Diary| !judge::is_silent(case, diary);
    judged.busy.extend(facts.oncall.iter().filter(heard).flat_map(|diary| &diary.busy).map(|(span, _)| *span));
    let Some(calendar) = facts.calendar.as_ref().filter(heard) else { return judged };
    let mut entries = Vec::new();
    for (span, own) in &calendar.busy {
        match own {
            Some(true) => {}
            Some(false) => judged.busy.push(*span),
            None => entries.push(*span),
        }
    }
    let mut objects = objects(case, person);
    // An entry equal to the slot an object has, or had when the calendar was read, is ours.
    for ours in &mut objects {
        if let Some(slot) = ours.now {
            ours.spent = take(&mut entries, slot);
        }
    }
    for ours in &mut objects {
        for (slot, from, until) in ours.had.clone() {
            let then = from <= calendar.accepted && calendar.accepted <= until && ours.object != Object::Nameless;
            if then && !ours.spent && take(&mut entries, slot) {
                ours.spent = true;
                ours.spent_slots.push(slot);
            }
        }
    }
    // A slot that an object had excuses one as unknown.
    for ours in &mut objects {
        for slot in left(ours) {
            if !ours.spent_slots.contains(&slot) && take(&mut entries, slot) {
                ours.spent_slots.push(slot);
                judged.unknown.push(slot);
            }
        }
    }
    for run in entries {
        let mut inside = Vec::new();
        if calendar.merged {
            for ours in &mut objects {
                let present = ours.now.filter(|slot| !ours.spent && run.holds(*slot));
                if let Some(slot) = present {
                    ours.spent = true;
                    inside.push(slot);
                }
                for slot in left(ours) {
                    if run.holds(slot) && !ours.spent_slots.contains(&slot) {
                        ours.spent_slots.push(slot);
                        inside.push(slot);
                    }
                }
            }
        }
        // Minute by minute would do as well: whatever of the run lies in no slot of ours is busy.
        let mut edges: Vec<Time> =
            inside.iter().flat_map(|slot| [slot.from, slot.to]).chain([run.from, run.to]).collect();
        edges.sort_unstable();
        for pair in edges.windows(2).filter(|pair| pair[0] < pair[1]) {
            let piece = Span { from: pair[0], to: pair[1] };
            let ours = inside.iter().any(|slot| slot.holds(piece));
            if ours { judged.unknown.push(piece) } else { judged.busy.push(piece) }
        }
    }
    judged
}

fn take(entries: &mut Vec<Span>, slot: Span) -> bool {
    let found = entries.iter().position(|entry| *entry == slot);
    found.map(|at| entries.remove(at)).is_some()
}

/// The slots that the object no longer has.
fn left(ours: &Ours) -> Vec<Span> {
    let mut left: Vec<Span> = Vec::new();
    for (slot, ..) in &ours.had {
        if ours.now != Some(*slot) && !left.contains(slot) {
            left.push(*slot);
        }
    }
    left
}

fn objects(case: &Case, person: usize) -> Vec<Ours> {
    let mut objects: Vec<Ours> = Vec::new();
    let add = |objects: &mut Vec<Ours>, from: usize, object: Object, slot: Span, had: Option<(Time, Time)>| {
        let known = objects[from..].iter().position(|ours| ours.object == object).map(|at| at + from);
        let at = known.unwrap_or_else(|| {
            objects.push(Ours { object, now: None, had: Vec::new(), spent: false, spent_slots: Vec::new() });
            objects.len() - 1
        });
        match had {
            None => objects[at].now = Some(slot),
            // What ended as it began nobody saw.
            Some((from, until)) if from < until => objects[at].had.push((slot, from, until)),
            Some(_) => {}
        }
    };
    for booking in case.review.bookings.iter().filter(|booking| booking.person == person) {
        add(&mut objects, 0, booking.object, booking.slot, booking.until.map(|until| (booking.from, until)));
    }
    objects.sort_by_key(|ours| ours.object as u8);
    objects.iter_mut().for_each(|ours| ours.had.sort_by_key(|(_, from, _)| *from));
    for other in &case.facts.people[person].elsewhere {
        let from = objects.len();
        for (object, slot, since, until) in &other.shown {
            add(&mut objects, from, *object, *slot, until.map(|until| (*since, until)));
        }
        objects[from..].sort_by_key(|ours| ours.object as u8);
        objects[from..].iter_mut().for_each(|ours| ours.had.sort_by_key(|(_, from, _)| *from));
    }
    objects
}
