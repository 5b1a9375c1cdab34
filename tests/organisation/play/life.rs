//! What people and their calendars do about what they are told.

use holdpoint::replay::scenario::{Action, Answer, Then, Visit};
use refresh_core::{Person, ReviewId};
use serde_json::Value;

use super::{Doing, Play, slot_of, snapshot};
use crate::{MINUTE, SECOND};

impl Play<'_> {
    /// Somebody's calendar changed: the service sees it when it next asks.
    pub(super) fn poll_soon(&mut self, at: i64, person: usize) {
        if self.polls.insert(person) {
            let every = self.plan.people[person].feed.every;
            // Not everybody is asked at the same minute.
            let phase = (person as i64 * 7 * MINUTE) % every;
            let next = (at - phase).div_euclid(every) * every + every + phase;
            self.later(next, Doing::Poll(person));
        }
    }

    pub(super) async fn poll(&mut self, at: i64, person: usize) -> Result<(), String> {
        let data = snapshot(self, at, person);
        if self.said[person] == data {
            return Ok(());
        }
        self.said[person] = data.clone();
        self.say(at, "availability.updated", &format!("calendar {person}"), data).await
    }

    pub(super) fn take(&mut self, at: i64, person: usize, number: u64) {
        let Some(mail) = self.player.time().engine().mailbox().mail(number) else { return };
        match self.calendars[person].receive(&mail.raw) {
            Ok(true) => self.poll_soon(at, person),
            Ok(false) => {}
            Err(why) => self.played.unreadable.push(format!("mail {number}: {why}")),
        }
    }

    /// A decision as it is recorded: where people sit from now on, and when that slot begins.
    pub(super) fn decided(&mut self, trigger: Option<&Value>, decision: &Value) {
        let Some(number) = decision["review_id"].as_str().and_then(|id| self.numbers.get(id)).copied() else { return };
        self.diary.unseat(number);
        let packet = &decision["authoritative"];
        let (from, to) = slot_of(&packet["slot"]);
        for (_, who) in packet["attendees"].as_object().into_iter().flatten() {
            if let Some(person) = who.as_str().and_then(|who| self.addresses.get(who)).copied() {
                self.diary.seat(number, person, from, to);
            }
        }
        if decision["outcome"] == "adopted" {
            let slot = packet["slot"]["start"].as_str().unwrap_or_default().to_owned();
            self.later(from - SECOND, Doing::Starts { review: number, slot });
        }
        self.phantom(number, trigger, decision, (from, to));
    }

    /// A proposal because a calendar says that somebody is busy who is not.
    fn phantom(&mut self, number: usize, trigger: Option<&Value>, decision: &Value, slot: (i64, i64)) {
        let calendar = trigger.is_some_and(|trigger| {
            trigger["type"] == "dev.holdpoint.availability.updated.v1" && trigger["at"] == decision["at"]
        });
        if decision["outcome"] != "held" || !calendar {
            return;
        }
        let marks = decision["authoritative"]["violated"].as_array().into_iter().flatten();
        let busy: Vec<usize> =
            marks.filter_map(|mark| self.addresses.get(mark.as_str()?.strip_prefix("busy:")?).copied()).collect();
        if !busy.is_empty() && busy.iter().all(|person| self.diary.is_free_but_for(number, *person, slot.0, slot.1)) {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            self.played.against_the_free.insert((text(&decision["review_id"]), text(&decision["pending"]["digest"])));
        }
    }

    /// Who must do something plans to.
    pub(super) fn noticed(&mut self, notice: &Value) {
        let duty = notice["changes"].as_array().into_iter().flatten().find(|change| change["field"] == "duty");
        let Some(action) = duty.and_then(|duty| duty["now"]["action"].as_str()) else { return };
        let (Some(number), Some(person)) = (
            notice["review_id"].as_str().and_then(|id| self.numbers.get(id)).copied(),
            notice["to"].as_str().and_then(|to| self.addresses.get(to)).copied(),
        ) else {
            return;
        };
        let Some(at) = notice["at"].as_str().and_then(crate::millis) else { return };
        let mut chance = self.chance(&format!("{action} {number} {person} {at}"));
        if action == "decide" && self.asked.insert((number, person, "decide")) {
            match self.plan.people[person].decides_at(at, &mut chance) {
                Some(when) => self.later(when, Doing::Decide { review: number, person }),
                None => drop(self.asked.remove(&(number, person, "decide"))),
            }
        }
        if action == "answer" && chance.u8(..10) < 8 && self.asked.insert((number, person, "answer")) {
            let when = self.plan.people[person].next_at_desk(at + chance.i64(4..100) * MINUTE);
            self.later(when, Doing::Answer { review: number, person });
        }
    }

    fn visit(&self, review: usize, person: usize) -> Result<Visit, String> {
        Ok(Visit {
            review: ReviewId::parse(&self.plan.reviews[review].id)?,
            person: Person::parse(&self.plan.people[person].address)?,
            of_version: None,
        })
    }

    pub(super) async fn decide(&mut self, at: i64, review: usize, person: usize) -> Result<(), String> {
        self.asked.remove(&(review, person, "decide"));
        let visit = self.visit(review, person)?;
        let action = match self.chance(&format!("choice {review} {person} {at}")).u8(..100) {
            0..=79 => Action::Adopt(visit),
            80..=91 => Action::Decline(visit, Then::OtherSlot),
            _ => Action::Decline(visit, Then::Stand),
        };
        self.send(at, action).await
    }

    pub(super) async fn answer(&mut self, at: i64, review: usize, person: usize) -> Result<(), String> {
        self.asked.remove(&(review, person, "answer"));
        let conflict = self.chance(&format!("answer {review} {person} {at}")).u8(..100) < 7;
        let answer = if conflict { Answer::Conflict } else { Answer::Acknowledged };
        let visit = self.visit(review, person)?;
        self.send(at, Action::Acknowledge(visit, answer)).await
    }
}
