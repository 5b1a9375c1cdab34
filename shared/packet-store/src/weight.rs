//! How much memory remembered facts take. Names and lists are counted as they are in the middle: `tests/store/memory.rs` weighs
//! the whole.

use refresh_core::facts::{
    fact::{Body, Fact, Facts},
    seat::Seat,
};

/// A name, with what the allocator and the count of its owners take.
pub(crate) const BYTES_A_NAME: usize = 48;
/// A fact with the name of its source and what else it names, without what there may be many of. Most facts share the names
/// of their subjects: five are about one person.
const BYTES_A_FACT: usize = size_of::<Fact>() + 2 * BYTES_A_NAME;
/// A review's terms, which stand in a box.
const BYTES_OF_TERMS: usize = 2_048;
/// A delegate or a freeze, with its name.
const BYTES_A_MEMBER: usize = 56 + BYTES_A_NAME;
/// A seat with its review, and what a calendar shows of it.
const BYTES_A_SEAT: usize = size_of::<Seat>() + 2 * BYTES_A_NAME;

/// How many bytes the facts take, with the seats beside them.
pub(crate) fn of(facts: &Facts) -> usize {
    let seats = facts.all_seats().map(|(_, seats)| BYTES_A_NAME + BYTES_A_SEAT * seats.seats.len());
    facts.iter().map(of_fact).chain(seats).sum()
}

fn of_fact(fact: &Fact) -> usize {
    let members = match &fact.body {
        Body::Availability(calendar) => calendar.busy.bytes() + size_of_val(&*calendar.unknown),
        Body::Calendars(names) => BYTES_A_MEMBER * names.len(),
        Body::Delegation(mapping) => BYTES_A_MEMBER * mapping.delegates.as_ref().map_or(0, Vec::len),
        Body::Freeze(freezes) => BYTES_A_MEMBER * freezes.len(),
        Body::Review(_) => BYTES_OF_TERMS,
        Body::Change(_) | Body::Closure { .. } | Body::Decision(_) | Body::Evidence(_) | Body::Person(_) => 0,
    };
    BYTES_A_FACT + members
}
