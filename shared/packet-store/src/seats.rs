//! People's seats in all reviews: read by one query a person, written in the transaction of the decision that takes,
//! changes or frees them.
//!
//! ```text
//!  adopt:  query (the mark first, then the entries) ── decide ── commit if the mark is still that one
//!                   │ another adoption seats the same person: the mark is another, and nothing is written
//! ```
//! The mark names the decision that last gave the person an authoritative seat. Conditions on the entries that were read
//! would miss the entry that did not exist.
//!
//! Most people in reach of a review sit nowhere, and a query for each of them would be most of what a refresh costs. So
//! the item ANY of a person is written before the person's first entry, and never goes. It is read with the facts, and
//! whoever has none is not asked about:
//!
//! ```text
//!  commit:   write ANY ───▶ write the entry
//!  refresh:  read ANY ───▶ query, if there is one
//! ```
//! A reader that finds no ANY read at an instant at which there was no entry either, as a query at that instant would
//! have said. A process that dies between the two writes leaves an ANY that costs a query.

use aws_sdk_dynamodb::types::TransactWriteItem;
use futures_util::future::try_join_all;
use refresh_core::{
    Person,
    base::instant::DAY,
    facts::{
        seat::{PersonSeats, Seat, SeatedBy},
        subject::Subject,
    },
    record::seats::{SeatCondition, SeatGiven},
};

use crate::{
    KEPT_DAYS, Store,
    action::{action, if_absent, if_still},
    call::AT_ONCE,
    codec,
    error::StoreError,
    item::{Item, number, text},
    key::Key,
    several::{KeyPart, Unreadable, named},
};

impl Store {
    /// The seats of each of these people, in their order. Nobody's can be fetched by key: which reviews seat somebody is
    /// what is asked.
    pub(crate) async fn seats(&self, people: Vec<Person>) -> Result<Vec<(Person, SeatsRead)>, StoreError> {
        let read = |person: Person| async move {
            let seats = self.read_seats(&person).await?;
            Ok((person, seats))
        };
        let mut all = Vec::with_capacity(people.len());
        for some in people.chunks(AT_ONCE) {
            all.extend(try_join_all(some.iter().cloned().map(read)).await?);
        }
        Ok(all)
    }

    /// To be called before entries are written. Who is known to have an ANY costs nothing.
    pub(crate) async fn mark_any(&self, seats: &[Seat]) -> Result<(), StoreError> {
        let unknown: Vec<&Person> =
            seats.iter().map(|seat| &seat.person).filter(|person| !self.cache.has_any_seat(person)).collect();
        for some in unknown.chunks(AT_ONCE) {
            try_join_all(some.iter().map(|person| self.put_any(person))).await?;
        }
        Ok(())
    }

    async fn put_any(&self, person: &Person) -> Result<(), StoreError> {
        let item = codec::seal(&Key::any_seat(person), person, &[]);
        let request = self.client.put_item().table_name(&*self.table).set_item(Some(item));
        self.put("marking that a person has seats", request).await?;
        self.cache.keep_any_seat(person);
        Ok(())
    }

    /// The seats of one person, strongly consistent, for whoever needs all of them.
    ///
    /// # Errors
    ///
    /// The table cannot be read, or an item does not read as it was written.
    pub async fn person_seats(&self, person: &Person) -> Result<PersonSeats, StoreError> {
        let read = self.read_seats(person).await?;
        match read.unreadable.into_iter().next() {
            Some(unreadable) => Err(unreadable.error),
            None => Ok(read.seats),
        }
    }

    /// The seats of one person. The mark comes first in the order of keys, so it was read before them. An item that cannot
    /// be read is named, and keeps no review waiting that shares the person.
    async fn read_seats(&self, person: &Person) -> Result<SeatsRead, StoreError> {
        let doing = "reading the seats of a person";
        let (mark, any) = (Key::seated_by(person), Key::any_seat(person));
        let mut read = SeatsRead::default();
        for item in self.query(doing, mark.pk.clone(), None).await? {
            let key = codec::key_of(doing, &item)?;
            if key == any {
                continue;
            }
            if key == mark {
                match codec::open(doing, &item) {
                    Ok(by) => read.seats.seated_by = Some(by),
                    Err(error) => {
                        read.seats.mark_unreadable = true;
                        read.unreadable.push(Unreadable { review: None, error });
                    }
                }
                continue;
            }
            match open_seat(doing, &key, &item, person) {
                Ok(seat) => read.seats.seats.push(seat),
                Err(error) => {
                    // Of an item under no review's name nothing was ever written: whose seat it is nobody could say.
                    let Some(review) = named(&item, KeyPart::Sort) else { return Err(error) };
                    read.seats.unreadable.insert(review.clone());
                    read.unreadable.push(Unreadable { review: Some(review), error });
                }
            }
        }
        Ok(read)
    }

    pub(crate) fn put_seat(&self, seat: &Seat) -> TransactWriteItem {
        action(self.put_of(seat_item(seat)))
    }

    pub(crate) fn give_seat(&self, given: &SeatGiven) -> TransactWriteItem {
        let mark = [("seated_by", text(token(&given.by)))];
        let item = codec::seal(&Key::seated_by(&given.person), &given.by, &mark);
        let put = self.put_of(item);
        action(match &given.condition {
            SeatCondition::Any => put,
            SeatCondition::Still(None) => if_absent(put),
            SeatCondition::Still(Some(was)) => if_still(put, "seated_by", text(token(was))),
        })
    }
}

/// What was read of one person's seats, and what could not be read.
#[derive(Debug, Default)]
pub(crate) struct SeatsRead {
    pub(crate) seats: PersonSeats,
    pub(crate) unreadable: Vec<Unreadable>,
}

fn open_seat(doing: &str, key: &Key, item: &Item, person: &Person) -> Result<Seat, StoreError> {
    let seat: Seat = codec::open(doing, item)?;
    if *key != Key::seat(&seat) || seat.person != *person {
        return Err(StoreError::damaged(doing, key, "it is about another seat than its key"));
    }
    Ok(seat)
}

/// What the condition compares: the number first, since a review's name may hold anything.
fn token(by: &SeatedBy) -> String {
    format!("{} {}", by.decision, by.review)
}

/// An entry expires some time after the last hour that it speaks of, and never because a review is closed.
fn seat_item(seat: &Seat) -> Item {
    let Seat { authoritative, tentative, invitations, .. } = seat;
    let slots = authoritative.map(|seat| seat.slot).into_iter().chain(tentative.map(|seat| seat.slot));
    let last = slots.chain(invitations.iter().map(|shown| shown.slot)).map(|slot| slot.end).max();
    // An entry that speaks of no hour says that there is none: it stands in the place of one that did.
    let beside = last.map(|end| ("expires_at", number(end.plus_millis(KEPT_DAYS * DAY).millis() / 1_000)));
    codec::seal(&Key::seat(seat), seat, beside.as_slice())
}

/// Whose seats are among these subjects.
pub(crate) fn of_subjects<'a>(subjects: impl IntoIterator<Item = &'a Subject>) -> Vec<Person> {
    let person = |subject: &Subject| match subject {
        Subject::Seat(person) => Some(person.clone()),
        _ => None,
    };
    subjects.into_iter().filter_map(person).collect()
}
