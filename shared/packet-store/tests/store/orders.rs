//! Every order of steps in which what is said, who looks and who remembers can follow each other, in a small model of
//! `looked.rs`: three events, two workers that remember, one that settles mails, and a process that dies. No look stands
//! on less than the look before it, and in the end HEAD stands on everything that was said.
//!
//! The model is written apart from the store. What the protocol forbids is played as well, each as a mistake that the
//! search must find.

use std::collections::HashSet;

/// The review's terms, whose second state names the other subject, and that one: evidence, or a calendar.
const TERMS: usize = 0;
const NAMED: usize = 1;
/// The events: what each is about, and the revision it says.
const EVENTS: [(usize, u8); 3] = [(TERMS, 1), (NAMED, 1), (NAMED, 2)];

type Revisions = [u8; 2];

/// A way to get it wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mistake {
    None,
    /// What is remembered counts, whoever looked since.
    NumberNotCompared,
    /// A look leaves HEAD's number of looks as it was.
    LookNotCounted,
    /// What the message names is remembered as well.
    SaidNotRead,
    /// Without a memory, facts are read before HEAD.
    FactsBeforeHead,
    /// Ingest asks who depends on a subject before it writes the fact.
    AskedBeforeWritten,
    /// A worker remembers what it read under the number of a look that was not its own.
    RememberedUnderAnother,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Event {
    New,
    Written,
    /// Of the mistake: who depends was looked up, and whether the review did.
    LookedUp(bool),
    Done,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Head {
    counter: u8,
    looked: u8,
    stands_on: Revisions,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Memory {
    number: u8,
    facts: Revisions,
    known: [bool; 2],
}

/// A worker between its calls.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum At {
    Idle,
    /// HEAD and what the message names, in either order.
    Together {
        from: Memory,
        head: Option<Head>,
        said: Option<u8>,
    },
    /// HEAD is read; facts are registered, then read, one after the other.
    Gathering {
        head: Head,
        facts: Revisions,
        known: [bool; 2],
        registered: [bool; 2],
    },
    /// Of the mistake: facts first.
    Early {
        facts: Revisions,
        known: [bool; 2],
    },
    Deciding {
        head: Head,
        facts: Revisions,
        known: [bool; 2],
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Worker {
    memory: Option<Memory>,
    /// What the message that it handles is about.
    said: Option<usize>,
    at: At,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct World {
    facts: Revisions,
    registered: [bool; 2],
    events: [Event; EVENTS.len()],
    /// Messages on the queue, by what they are about.
    queue: [u8; 2],
    head: Head,
    workers: [Worker; 2],
    settles: u8,
    deaths: u8,
}

/// What a review depends on, as far as the facts say.
fn depends_on(facts: Revisions) -> [bool; 2] {
    [true, facts[TERMS] > 0]
}

fn first_missing(all: [bool; 2], of: [bool; 2]) -> Option<usize> {
    (0..2).find(|subject| all[*subject] && !of[*subject])
}

impl World {
    fn new() -> Self {
        let idle = Worker { memory: None, said: None, at: At::Idle };
        Self {
            facts: [0; 2],
            registered: [true, false],
            events: [Event::New; EVENTS.len()],
            queue: [0; 2],
            head: Head { counter: 1, looked: 1, stands_on: [0; 2] },
            workers: [idle; 2],
            settles: 1,
            deaths: 1,
        }
    }

    fn next(&self, mistake: Mistake) -> Vec<Self> {
        let mut all = Vec::new();
        for event in 0..EVENTS.len() {
            all.extend(self.ingest(event, mistake));
        }
        for worker in 0..2 {
            all.extend(self.work(worker, mistake));
        }
        if self.settles > 0 {
            let mut next = self.clone();
            next.settles -= 1;
            next.head.counter += 1;
            all.push(next);
        }
        all
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut next = self.clone();
        change(&mut next);
        next
    }

    fn ingest(&self, event: usize, mistake: Mistake) -> Option<Self> {
        let (subject, revision) = EVENTS[event];
        let ask = |next: &mut Self, depends: bool| {
            next.queue[subject] += u8::from(depends);
            next.events[event] = Event::Done;
        };
        match self.events[event] {
            Event::New if mistake == Mistake::AskedBeforeWritten => {
                Some(self.with(|next| next.events[event] = Event::LookedUp(self.registered[subject])))
            }
            Event::New => Some(self.with(|next| {
                next.facts[subject] = revision.max(next.facts[subject]);
                next.events[event] = Event::Written;
            })),
            Event::Written => Some(self.with(|next| ask(next, self.registered[subject]))),
            Event::LookedUp(depends) => Some(self.with(|next| {
                next.facts[subject] = revision.max(next.facts[subject]);
                ask(next, depends);
            })),
            Event::Done => None,
        }
    }

    fn work(&self, worker: usize, mistake: Mistake) -> Vec<Self> {
        let mut all = Vec::new();
        let Worker { memory, said, at } = self.workers[worker];
        let to = |at: At| self.with(|next| next.workers[worker].at = at);
        if let (Some(said), true) = (said, self.deaths > 0) {
            all.push(self.with(|next| {
                next.deaths -= 1;
                next.queue[said] += 1;
                next.workers[worker] = Worker { memory: None, said: None, at: At::Idle };
            }));
        }
        match at {
            At::Idle => {
                for said in (0..2).filter(|said| self.queue[*said] > 0) {
                    all.push(self.with(|next| {
                        next.queue[said] -= 1;
                        next.workers[worker] =
                            Worker { memory: None, said: Some(said), at: self.begin(memory, mistake) };
                    }));
                }
            }
            At::Together { from, head, said: found } => {
                if head.is_none() {
                    all.push(to(At::Together { from, head: Some(self.head), said: found }));
                }
                let about = said.unwrap_or(TERMS);
                if found.is_none() {
                    all.push(to(At::Together { from, head, said: Some(self.facts[about]) }));
                }
                if let (Some(head), Some(found)) = (head, found) {
                    all.push(to(judged(from, head, about, found, mistake)));
                }
            }
            At::Early { facts, known } => match first_missing(depends_on(facts), known) {
                Some(subject) => all.push(self.with(|next| {
                    let (mut facts, mut known) = (facts, known);
                    (facts[subject], known[subject]) = (self.facts[subject], true);
                    next.registered[subject] = true;
                    next.workers[worker].at = At::Early { facts, known };
                })),
                None => all.push(to(At::Deciding { head: self.head, facts, known })),
            },
            At::Gathering { head, facts, known, registered } => {
                match (first_missing(depends_on(facts), known), first_missing(depends_on(facts), registered)) {
                    (None, _) => all.push(to(At::Deciding { head, facts, known })),
                    (Some(_), Some(subject)) => all.push(self.with(|next| {
                        let mut registered = registered;
                        (registered[subject], next.registered[subject]) = (true, true);
                        next.workers[worker].at = At::Gathering { head, facts, known, registered };
                    })),
                    (Some(subject), None) => {
                        let (mut facts, mut known) = (facts, known);
                        (facts[subject], known[subject]) = (self.facts[subject], true);
                        all.push(to(At::Gathering { head, facts, known, registered }));
                    }
                }
            }
            At::Deciding { head, facts, known } => all.extend(self.commit(worker, head, facts, known, mistake)),
        }
        all
    }

    fn begin(&self, memory: Option<Memory>, mistake: Mistake) -> At {
        match memory {
            Some(from) => At::Together { from, head: None, said: None },
            None if mistake == Mistake::FactsBeforeHead => At::Early { facts: [0; 2], known: [false; 2] },
            None => everything(self.head),
        }
    }

    /// Written, or decided again; or there is nothing to write, since HEAD stands on the same already.
    fn commit(&self, worker: usize, head: Head, facts: Revisions, known: [bool; 2], mistake: Mistake) -> Vec<Self> {
        let done = |next: &mut Self, number: u8| {
            let memory = Some(Memory { number, facts, known });
            next.workers[worker] = Worker { memory, said: None, at: At::Idle };
        };
        if self.head.counter != head.counter {
            return vec![self.with(|next| next.workers[worker].at = next.begin(None, mistake))];
        }
        let written = self.with(|next| {
            next.head.counter += 1;
            if mistake != Mistake::LookNotCounted {
                next.head.looked = next.head.counter;
            }
            next.head.stands_on = facts;
            let number = next.head.looked;
            done(next, number);
        });
        let mut all = vec![written];
        if head.stands_on == facts {
            let number = if mistake == Mistake::RememberedUnderAnother { self.head.looked } else { head.looked };
            all.push(self.with(|next| done(next, number)));
        } else if mistake == Mistake::RememberedUnderAnother {
            all.push(self.with(|next| done(next, self.head.looked)));
        }
        all
    }

    fn is_quiet(&self) -> bool {
        self.queue == [0; 2]
            && self.events.iter().all(|event| *event == Event::Done)
            && self.workers.iter().all(|worker| worker.at == At::Idle)
    }
}

const fn everything(head: Head) -> At {
    At::Gathering { head, facts: [0; 2], known: [false; 2], registered: [false; 2] }
}

/// HEAD and the fact are read; does what is remembered count?
fn judged(from: Memory, head: Head, about: usize, found: u8, mistake: Mistake) -> At {
    if head.looked != from.number && mistake != Mistake::NumberNotCompared {
        return everything(head);
    }
    let Memory { mut facts, known, .. } = from;
    let registered = known;
    if known[about] && mistake != Mistake::SaidNotRead {
        facts[about] = found;
    }
    At::Gathering { head, facts, known, registered }
}

/// Plays every order; what is wrong with the first that is.
fn explore(mistake: Mistake) -> (usize, Option<String>) {
    let mut seen = HashSet::from([World::new()]);
    let mut left = vec![World::new()];
    while let Some(world) = left.pop() {
        let next = world.next(mistake);
        let depended = depends_on(world.facts);
        if world.is_quiet() && (0..2).any(|at| depended[at] && world.head.stands_on[at] != world.facts[at]) {
            return (seen.len(), Some(format!("lost: {world:?}")));
        }
        for next in next {
            if (0..2).any(|at| next.head.stands_on[at] < world.head.stands_on[at]) {
                return (seen.len(), Some(format!("older than before: {next:?}")));
            }
            if seen.insert(next.clone()) {
                left.push(next);
            }
        }
    }
    (seen.len(), None)
}

#[test]
fn no_order_loses_a_fact_or_decides_on_an_older_one() {
    let (worlds, wrong) = explore(Mistake::None);
    assert_eq!(wrong, None);
    assert!(worlds > 10_000, "{worlds} worlds: that is no model of anything");
}

#[test]
fn every_mistake_is_found() {
    for mistake in [
        Mistake::NumberNotCompared,
        Mistake::LookNotCounted,
        Mistake::SaidNotRead,
        Mistake::FactsBeforeHead,
        Mistake::AskedBeforeWritten,
        Mistake::RememberedUnderAnother,
    ] {
        let (worlds, wrong) = explore(mistake);
        assert!(wrong.is_some(), "{mistake:?} was not found in {worlds} worlds");
    }
}
