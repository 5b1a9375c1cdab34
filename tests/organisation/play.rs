//! Plays a plan through the handlers of production, on the virtual clock. People live beside it: their calendar programs
//! take what comes by mail, calendar services are asked now and then, owners decide, attendees answer.

mod life;

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use holdpoint::{
    engine::{Settings, virtual_time::VirtualTime},
    replay::{
        Player, Records,
        scenario::{Action, Line},
    },
};
use holdpoint_tests::{
    client::{Client, Entry},
    world::patience,
};
use refresh_core::{Instant, ReviewId};
use serde_json::{Value, json};

use crate::{
    SECOND,
    diary::Diary,
    instant, millis,
    plan::{self, Event, Plan, horizon},
};

/// What somebody or something does at an instant, by itself or because of a mail.
#[derive(Clone, Debug)]
pub(crate) enum Doing {
    Happens(Event),
    /// The calendar service asks for somebody's calendar.
    Poll(usize),
    /// Somebody's calendar program takes the mail of that number.
    Take {
        person: usize,
        mail: u64,
    },
    Decide {
        review: usize,
        person: usize,
    },
    Answer {
        review: usize,
        person: usize,
    },
    /// The authoritative slot begins, if it is still that one.
    Starts {
        review: usize,
        slot: String,
    },
}

/// What a play came to.
#[derive(Default)]
pub struct Played {
    /// The product's own records, in order.
    pub records: Vec<Value>,
    /// Who was mailed when (milliseconds).
    pub mails: Vec<(i64, String)>,
    /// How each review stood one second before its slot began, and who of its people was elsewhere.
    pub starts: Vec<Start>,
    /// Proposals of a held decision against somebody who was free: review and digest.
    pub against_the_free: BTreeSet<(String, String)>,
    /// Mails that no calendar could follow, and why.
    pub unreadable: Vec<String>,
    /// How each calendar stood in the end, by address.
    pub calendars: BTreeMap<String, Client>,
    pub events: usize,
}

pub struct Start {
    pub review: String,
    pub state: Value,
    pub elsewhere: Vec<Elsewhere>,
}

/// Somebody who is seated in a slot that begins, and is elsewhere.
pub struct Elsewhere {
    pub person: String,
    /// Why nobody was put in their place; see [`why_elsewhere`].
    pub why: &'static str,
}

pub(crate) struct Play<'a> {
    plan: &'a Plan,
    seed: u64,
    player: Player,
    agenda: BTreeMap<(i64, u64), Doing>,
    made: u64,
    diary: Diary,
    calendars: Vec<Client>,
    /// What the calendar service last said of somebody.
    said: Vec<Value>,
    polls: BTreeSet<usize>,
    asked: BTreeSet<(usize, usize, &'static str)>,
    revisions: BTreeMap<String, u64>,
    addresses: BTreeMap<String, usize>,
    numbers: BTreeMap<String, usize>,
    mails: u64,
    played: Played,
}

/// Plays the plan; people's own chance follows from the seed.
pub async fn play(plan: &Plan, seed: u64) -> Result<Played, String> {
    // What the SDK itself draws on this thread.
    fastrand::seed(seed);
    let settings = Settings { retries: Some(patience()), ..Settings::in_memory(plan::policy().to_string()) };
    let time = VirtualTime::open(settings, Instant::from_millis(plan::BEGIN)).await?;
    let people = plan.people.len();
    let mut play = Play {
        plan,
        seed,
        player: Player::of(time),
        agenda: BTreeMap::new(),
        made: 0,
        diary: plan.diary.clone().without_seats(),
        calendars: plan.people.iter().map(|one| Client::of(&one.address)).collect(),
        said: vec![Value::Null; people],
        polls: BTreeSet::new(),
        asked: BTreeSet::new(),
        revisions: BTreeMap::new(),
        addresses: plan.people.iter().enumerate().map(|(index, one)| (one.address.clone(), index)).collect(),
        numbers: plan.reviews.iter().enumerate().map(|(index, one)| (one.id.clone(), index)).collect(),
        mails: 0,
        played: Played::default(),
    };
    for (at, event) in &plan.events {
        play.later(*at, Doing::Happens(event.clone()));
    }
    play.whole().await?;
    play.played.calendars =
        play.calendars.iter().zip(&plan.people).map(|(one, who)| (who.address.clone(), one.clone())).collect();
    Ok(play.played)
}

impl Play<'_> {
    fn later(&mut self, at: i64, doing: Doing) {
        self.made += 1;
        self.agenda.insert((at, self.made), doing);
    }

    /// Chance of its own for one thing, so that nothing else that happens changes it.
    fn chance(&self, about: &str) -> Rng {
        let mixed = about.bytes().fold(self.seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Rng::with_seed(mixed)
    }

    async fn whole(&mut self) -> Result<(), String> {
        let mut day = plan::BEGIN;
        loop {
            let happens = self.player.time().next_at().await?.map(Instant::millis);
            let done = self.agenda.first_key_value().map(|((at, _), _)| *at);
            let Some(at) = happens.into_iter().chain(done).min().filter(|at| *at <= self.plan.end) else { break };
            let records = self.player.until(Instant::from_millis(at)).await?;
            self.look(at, records)?;
            while day <= at {
                eprintln!("{}: {} events, {} mails", &instant(day)[..10], self.played.events, self.mails);
                day += crate::DAY;
            }
            while let Some(entry) = self.agenda.first_entry().filter(|entry| entry.key().0 <= at) {
                let doing = entry.remove();
                self.act(at, doing).await?;
            }
        }
        let records = self.player.state().await?;
        self.look(self.plan.end, records)
    }

    async fn act(&mut self, at: i64, doing: Doing) -> Result<(), String> {
        match doing {
            Doing::Happens(event) => self.happens(at, event).await,
            Doing::Poll(person) => {
                self.polls.remove(&person);
                self.poll(at, person).await
            }
            Doing::Take { person, mail } => {
                self.take(at, person, mail);
                Ok(())
            }
            Doing::Decide { review, person } => self.decide(at, review, person).await,
            Doing::Answer { review, person } => self.answer(at, review, person).await,
            Doing::Starts { review, slot } => self.starts(at, review, &slot).await,
        }
    }

    async fn happens(&mut self, at: i64, event: Event) -> Result<(), String> {
        match event {
            Event::Say { kind, subject, data } => self.say(at, kind, &subject, data).await,
            Event::Engage { person, from, to } => {
                self.diary.engage(person, from, to);
                self.poll_soon(at, person);
                Ok(())
            }
            Event::Drop { person, from, to } => {
                self.diary.drop(person, from, to);
                self.poll_soon(at, person);
                Ok(())
            }
            Event::Bridge { person, from, to } => {
                self.diary.bridge(person, from, to);
                let data = json!({
                    "person": self.plan.people[person].address, "kind": "oncall", "horizon": horizon(at),
                    "busy": self.diary.on_call(person),
                });
                self.say(at, "availability.updated", &format!("oncall {person}"), data).await
            }
            Event::Renew => {
                for person in 0..self.plan.people.len() {
                    self.poll(at, person).await?;
                }
                Ok(())
            }
            Event::Issue(number) => self.issue(at, number).await,
            Event::Begin(review) => {
                let slot = instant(self.plan.reviews[review].from);
                self.later(self.plan.reviews[review].from - SECOND, Doing::Starts { review, slot });
                Ok(())
            }
        }
    }

    async fn send(&mut self, at: i64, action: Action) -> Result<(), String> {
        let line = Line { number: 0, at: Instant::from_millis(at), action: Some(action) };
        let records = self.player.act(&line).await?;
        self.look(at, records)
    }

    async fn say(&mut self, at: i64, kind: &str, subject: &str, mut data: Value) -> Result<(), String> {
        let revision = self.revisions.entry(format!("{kind} {subject}")).or_default();
        *revision += 1;
        data["revision"] = (*revision).into();
        self.played.events += 1;
        let source = kind.split('.').next().unwrap_or_default();
        let event = json!({
            "specversion": "1.0", "id": format!("e{}", self.played.events), "source": format!("//{source}.example.com"),
            "type": format!("dev.holdpoint.{kind}.v1"), "data": data,
        });
        self.send(at, Action::Send(event)).await
    }

    /// The meeting stands in the calendars of all who attend, before we know of it.
    async fn issue(&mut self, at: i64, number: usize) -> Result<(), String> {
        let review = &self.plan.reviews[number];
        let data = self.plan.issue(number);
        let people = review.seats.iter().map(|(_, person)| *person).chain(review.guests.iter().copied());
        for person in people.collect::<Vec<_>>() {
            self.calendars[person].seed(&review.uid(), Entry::issued(&data));
            self.poll_soon(at, person);
        }
        self.say(at, "review.issued", &review.id, data).await
    }

    /// How a review stands one second before its slot begins.
    async fn starts(&mut self, _at: i64, number: usize, slot: &str) -> Result<(), String> {
        let review = &self.plan.reviews[number];
        let id = ReviewId::parse(&review.id)?;
        let store = self.player.time().engine().store();
        let Some(head) = store.head(&id).await.map_err(|error| error.to_string())? else { return Ok(()) };
        let state = holdpoint::replay::state_of(store, &head).await?;
        let state = serde_json::to_value(state).map_err(|error| error.to_string())?;
        if state["authoritative"]["slot"]["start"] != slot
            || self.played.starts.iter().any(|one| one.review == review.id)
        {
            return Ok(());
        }
        let (from, to) = slot_of(&state["authoritative"]["slot"]);
        let attendees = state["authoritative"]["attendees"].as_object().into_iter().flatten();
        let elsewhere = attendees.filter_map(|(_, who)| {
            let who = who.as_str()?;
            let person = *self.addresses.get(who)?;
            let free = self.diary.is_free_but_for(number, person, from, to);
            let (said, merged) = (&self.said[person], self.plan.people[person].feed.merged);
            let why = || why_elsewhere(&state, who, said, merged);
            (!free).then(|| Elsewhere { person: who.to_owned(), why: why() })
        });
        let elsewhere: Vec<Elsewhere> = elsewhere.collect();
        self.played.starts.push(Start { review: review.id.clone(), state, elsewhere });
        Ok(())
    }

    /// What was recorded and mailed since last looked at.
    fn look(&mut self, at: i64, records: Records) -> Result<(), String> {
        let mut latest: Option<Value> = None;
        for record in records {
            let record = serde_json::to_value(record).map_err(|error| error.to_string())?;
            match record["record"].as_str().unwrap_or_default() {
                "trigger" => latest = Some(record.clone()),
                "decision" => self.decided(latest.as_ref(), &record),
                "notice" => self.noticed(&record),
                _ => {}
            }
            self.played.records.push(record);
        }
        let mailbox = self.player.time().engine().mailbox().clone();
        while (self.mails as usize) < mailbox.len() {
            self.mails += 1;
            let mail = mailbox.mail(self.mails).ok_or("a mail is missing")?;
            for to in &mail.to {
                self.played.mails.push((mail.at, to.clone()));
                let Some(person) = self.addresses.get(to).copied() else { continue };
                let within = self.plan.people[person].takes_within;
                let wait = self.chance(&format!("takes {}", self.mails)).i64(1..=within) * crate::MINUTE;
                self.later(at + wait, Doing::Take { person, mail: self.mails });
            }
        }
        Ok(())
    }
}

/// Known, and somebody's to decide; not known; or known and not said, which is our own fault.
fn why_elsewhere(state: &Value, who: &str, said: &Value, merged: bool) -> &'static str {
    let marks: Vec<&str> =
        state["authoritative"]["violated"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let marked = |words: &[&str]| words.iter().any(|word| marks.contains(&&format!("{word}:{who}")[..]));
    if marked(&["busy", "booked"]) {
        let exceptions = state["exceptions"].as_array().into_iter().flatten();
        let kinds: Vec<&str> = exceptions.filter_map(|one| one["kind"].as_str()).collect();
        return match &kinds[..] {
            _ if !state["pending"].is_null() => "a proposal waits for its owner",
            kinds if kinds.contains(&"undecided") => "a proposal expired, its owner silent",
            kinds if kinds.contains(&"owner_override") => "the owner stands by the slot",
            kinds if kinds.contains(&"declined_only") => "the owner declined what there is",
            kinds if kinds.contains(&"no_viable_slot") => "no slot is left",
            kinds if kinds.contains(&"policy_incomplete") => "roles, owner or change are incomplete",
            _ => "OURS: marked, and nobody was asked",
        };
    }
    if marked(&["unproven"]) {
        return "unknown: their other meeting lies in one run with ours";
    }
    let (from, to) = slot_of(&state["authoritative"]["slot"]);
    let mut busy = said["busy"].as_array().into_iter().flatten().map(slot_of);
    let shown = busy.any(|one| one.0 < to && from < one.1 && (merged || one != (from, to)));
    match (shown, merged) {
        (false, _) => "unknown: no calendar has shown it yet",
        (true, true) => "unknown: a run that is exactly our slot",
        (true, false) => "OURS: a calendar showed it, and it is not marked",
    }
}

/// Milliseconds of a slot as the records have it.
pub fn slot_of(slot: &Value) -> (i64, i64) {
    let at = |side: &str| slot[side].as_str().and_then(millis).unwrap_or_default();
    (at("start"), at("end"))
}

/// What the calendar service says of somebody at an instant.
pub(crate) fn snapshot(play: &Play<'_>, at: i64, person: usize) -> Value {
    let who = &play.plan.people[person];
    let ours: Vec<(i64, i64)> = play.calendars[person]
        .shown()
        .map(|(_, entry)| (millis(&entry.start).unwrap_or_default(), millis(&entry.end).unwrap_or_default()))
        .collect();
    let within = horizon(at);
    let busy = play.diary.busy(person, &ours, who.feed.merged, slot_of(&within));
    let mut data = json!({ "person": who.address, "kind": "calendar", "horizon": within, "busy": busy });
    if who.feed.merged {
        data["merged"] = true.into();
    }
    data
}
