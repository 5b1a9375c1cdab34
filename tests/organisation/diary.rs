//! Who really is engaged when, and what a calendar service says of it.

use serde_json::{Value, json};

use crate::{people::Somebody, span};

type Span = (i64, i64);

/// The truth, by person: other engagements, incident bridges, and seats in our reviews.
#[derive(Clone, Debug, Default)]
pub struct Diary {
    engaged: Vec<Vec<Span>>,
    bridges: Vec<Vec<Span>>,
    seats: Vec<Vec<(usize, Span)>>,
}

fn overlap(a: Span, b: Span) -> bool {
    a.0 < b.1 && b.0 < a.1
}

impl Diary {
    pub fn of(people: &[Somebody]) -> Self {
        let none = || vec![Vec::new(); people.len()];
        Self { engaged: none(), bridges: none(), seats: vec![Vec::new(); people.len()] }
    }

    pub fn engage(&mut self, person: usize, from: i64, to: i64) {
        self.engaged[person].push((from, to));
    }

    pub fn drop(&mut self, person: usize, from: i64, to: i64) {
        let found = self.engaged[person].iter().position(|one| *one == (from, to));
        found.map(|index| self.engaged[person].remove(index));
    }

    /// A bridge that began at `from` ends at `to`, whatever was expected before.
    pub fn bridge(&mut self, person: usize, from: i64, to: i64) {
        self.bridges[person].retain(|(began, _)| *began != from);
        self.bridges[person].push((from, to));
    }

    pub fn seat(&mut self, review: usize, person: usize, from: i64, to: i64) {
        self.seats[person].push((review, (from, to)));
    }

    /// Nobody is seated in that review any more.
    pub fn unseat(&mut self, review: usize) {
        self.seats.iter_mut().for_each(|seats| seats.retain(|(seated, _)| *seated != review));
    }

    pub fn without_seats(mut self) -> Self {
        self.seats.iter_mut().for_each(Vec::clear);
        self
    }

    pub fn is_free(&self, person: usize, from: i64, to: i64) -> bool {
        self.is_free_but_for(usize::MAX, person, from, to)
    }

    /// Free of everything but a seat in that review.
    pub fn is_free_but_for(&self, review: usize, person: usize, from: i64, to: i64) -> bool {
        let mut spans = self.engaged[person].iter().chain(&self.bridges[person]);
        let elsewhere = |(seated, at): &(usize, Span)| *seated != review && overlap(*at, (from, to));
        !spans.any(|one| overlap(*one, (from, to))) && !self.seats[person].iter().any(elsewhere)
    }

    /// What the calendar service says is busy between two instants: entries, ours among them, or runs of them.
    pub fn busy(&self, person: usize, ours: &[Span], merged: bool, horizon: Span) -> Vec<Value> {
        let mut spans: Vec<Span> = self.engaged[person].iter().chain(ours).copied().collect();
        spans.retain(|one| overlap(*one, horizon));
        spans.sort_unstable();
        if merged {
            let mut runs: Vec<Span> = Vec::new();
            for (from, to) in spans {
                match runs.last_mut() {
                    Some(last) if from <= last.1 => last.1 = last.1.max(to),
                    _ => runs.push((from, to)),
                }
            }
            spans = runs;
        }
        spans.into_iter().map(|(from, to)| span(from, to)).collect()
    }

    /// The bridges of somebody, as the on-call system says them.
    pub fn on_call(&self, person: usize) -> Value {
        json!(self.bridges[person].iter().map(|(from, to)| span(*from, *to)).collect::<Vec<_>>())
    }
}
