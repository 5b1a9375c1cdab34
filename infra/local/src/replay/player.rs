//! Plays a scenario: what is due at a line's instant happens before the line, and between lines time goes from one
//! happening to the next.

use std::collections::{BTreeMap, BTreeSet};

use ingest::HookRefused;
use packet_store::Store;
use presentation::page::ChosenButton;
use refresh_core::{
    Instant, Person, ReviewId,
    record::{
        comment::CommentReason,
        lineage::{self as core_lineage, AnswerResult, Happening},
    },
};
use serde_json::Value;
use sources::hook::HookRequest;

use super::{
    answer::{self, OpenPage},
    mailed, polled,
    records::{self, AnswerRecord, NoticeRecord, Record, Records, TriggerRecord, What},
    scenario::{Action, Answer, Line, Link, RecordedHook, Scenario, Then, Visit},
};
use crate::{
    engine::{Outcome, Settings, virtual_time::VirtualTime},
    mailbox::Mail,
    not_done::NotDone,
    queues::Outgoing,
};

/// What a replay came to.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Played {
    pub records: Records,
    /// Every mail that was sent, oldest first.
    pub mails: Vec<Mail>,
}

/// Runs a whole scenario in memory.
pub async fn replay(scenario: &Scenario, policy: &str) -> Result<Records, String> {
    play(scenario, policy).await.map(|played| played.records).map_err(String::from)
}

/// Runs a whole scenario in memory, and keeps the mails it leads to.
///
/// # Errors
/// A line of the scenario that could not be played, by its number; a policy with faults.
pub async fn play(scenario: &Scenario, policy: &str) -> Result<Played, NotDone> {
    let Some(first) = scenario.lines.first() else { return Ok(Played::default()) };
    let time = VirtualTime::open(Settings::in_memory(policy), first.at).await?;
    let mut player = Player::of(time);
    let mut records = Records::new();
    for line in &scenario.lines {
        records.extend(player.until(line.at).await?);
        records.extend(player.act(line).await?);
    }
    records.extend(player.state().await?);
    Ok(Played { records, mails: player.time().engine().mailbox().all() })
}

pub struct Player {
    time: VirtualTime,
    /// How much of each review's lineage was told already.
    told: BTreeMap<ReviewId, u64>,
    /// Pages that people have open: a later decision of theirs is sent from there, however old it is.
    open: BTreeMap<(ReviewId, Person, Link, String), OpenPage>,
}

impl Player {
    pub const fn of(time: VirtualTime) -> Self {
        Self { time, told: BTreeMap::new(), open: BTreeMap::new() }
    }

    pub const fn time(&self) -> &VirtualTime {
        &self.time
    }

    pub fn into_time(self) -> VirtualTime {
        self.time
    }

    fn store(&self) -> &Store {
        self.time.engine().store()
    }

    /// Lets time go on to `at`: everything that happens by itself until then, and at that instant.
    pub async fn until(&mut self, at: Instant) -> Result<Records, String> {
        let mut records = self.settle(Vec::new()).await?;
        while let Some(next) = self.time.next_at().await?.filter(|next| *next <= at) {
            self.time.set(next);
            records.extend(self.settle(Vec::new()).await?);
        }
        self.time.set(at);
        records.extend(self.settle(Vec::new()).await?);
        Ok(records)
    }

    /// One line's action, and what follows from it at once.
    ///
    /// # Errors
    /// By the line's number: [`NotDone::Malformed`] where the line says what cannot be; else [`NotDone::Failed`].
    pub async fn act(&mut self, line: &Line) -> Result<Records, NotDone> {
        let Some(action) = &line.action else { return Ok(Records::new()) };
        let numbered = |why: String| format!("line {}: {why}", line.number);
        let first = self.did(action).await.map_err(|not_done| match not_done {
            NotDone::Malformed(why) => NotDone::Malformed(numbered(why)),
            NotDone::Failed(why) => NotDone::Failed(numbered(why)),
        })?;
        Ok(self.settle(first).await?)
    }

    /// What an action itself leaves behind.
    async fn did(&mut self, action: &Action) -> Result<Records, NotDone> {
        Ok(match action {
            Action::Send(event) => {
                self.put(event).await?;
                Vec::new()
            }
            Action::SendNative(native) => {
                let body = serde_json::json!({
                    "format": native.format, "binding": native.binding, "headers": native.headers, "body": native.body,
                });
                self.put(&body).await?;
                Vec::new()
            }
            Action::Hook(hook) => {
                self.hook(hook).await?;
                Vec::new()
            }
            Action::Poll(conversation) => {
                let poll = polled::play(self.time.engine(), conversation).await?;
                vec![Record { at: self.time.now(), what: What::Poll(poll) }]
            }
            Action::Adopt(visit) => {
                let result = self.decide(visit, ChosenButton::Adopt).await?;
                vec![self.answer(visit, core_lineage::Action::Adopt, result)]
            }
            Action::Decline(visit, then) => {
                let choice = match then {
                    Then::OtherSlot => ChosenButton::DeclineOtherSlot,
                    Then::Stand => ChosenButton::DeclineStand,
                };
                let result = self.decide(visit, choice).await?;
                vec![self.answer(visit, core_lineage::Action::Decline, result)]
            }
            Action::Acknowledge(visit, reply) => {
                let word = match reply {
                    Answer::Acknowledged => "acknowledged",
                    Answer::Conflict => "conflict",
                };
                let result = self.send_form(visit, Link::Acknowledge, "answer", word).await?;
                vec![self.answer(visit, core_lineage::Action::Acknowledge, result)]
            }
            Action::AskAgain(visit) => {
                let result = self.decide(visit, ChosenButton::AskAgain).await?;
                vec![self.answer(visit, core_lineage::Action::AskAgain, result)]
            }
            Action::SendLink(visit) => {
                let result = self.ask_for_link(visit).await?;
                vec![self.answer(visit, core_lineage::Action::SendLink, result)]
            }
            Action::Reply(reply) => {
                let engine = self.time.engine();
                let message = mailed::message(engine, reply, self.time.now())?;
                let none = || NotDone::Malformed("reply: no such invitation was mailed".to_owned());
                let message = message.ok_or_else(none)?;
                self.put(&message).await?;
                Vec::new()
            }
            Action::Open(visit, link) => {
                let result = self.look(visit, *link).await?;
                vec![self.answer(visit, core_lineage::Action::Open, result)]
            }
        })
    }

    /// At the end, one record a review.
    pub async fn state(&self) -> Result<Records, String> {
        let told = |error: packet_store::StoreError| error.to_string();
        let heads = self.store().reviews().await.and_then(packet_store::Several::whole).map_err(told)?;
        let mut records = Records::new();
        for head in heads {
            let state = records::state(self.store(), &head).await.map_err(|why| why.to_string())?;
            records.push(Record { at: self.time.now(), what: What::State(state) });
        }
        Ok(records)
    }

    async fn put(&self, body: &Value) -> Result<(), String> {
        let outgoing = Outgoing { body: body.to_string(), ..Outgoing::default() };
        let source = self.time.engine().topology().functions["ingest"].source.as_ref();
        let queue = source.map(|source| source.queue.clone()).unwrap_or_default();
        self.time.engine().queues().send(&queue, outgoing).await.map(drop).map_err(|refusal| refusal.to_string())
    }

    /// The door of a binding, once its sender is proven.
    async fn hook(&self, hook: &RecordedHook) -> Result<(), NotDone> {
        let RecordedHook { binding, headers, body } = hook;
        let functions = self.time.engine().functions();
        let ingest = &functions.ingest;
        let bound = ingest.policy.bindings.named(binding).filter(|bound| bound.hook.is_some());
        let expected = || format!("hook.binding: expected a binding with a hook, found {binding:?}");
        let bound = bound.ok_or_else(|| NotDone::Malformed(expected()))?;
        match ingest::proven(ingest, bound, HookRequest { headers, body: body.as_bytes() }).await {
            Ok(_) => Ok(()),
            Err(HookRefused::Unavailable) => Err("hook: the queue did not take it".to_owned().into()),
            // The door's answer goes to the sender. Here the refusal is a result, as of every event that is refused.
            Err(_) => {
                let format = bound.binding.format().word();
                let whole =
                    serde_json::json!({ "format": format, "binding": binding, "headers": headers, "body": body });
                Ok(self.put(&whole).await?)
            }
        }
    }

    fn answer(&self, visit: &Visit, action: core_lineage::Action, result: AnswerResult) -> Record {
        let (review_id, by) = (visit.review.clone(), visit.person.clone());
        Record {
            at: self.time.now(),
            what: What::Answer(AnswerRecord { review_id, by, action, result, to: None, why: None }),
        }
    }

    fn replied(&self, review: &ReviewId, by: &Person, result: AnswerResult, why: Option<CommentReason>) -> Record {
        let (review_id, by, action) = (review.clone(), by.clone(), core_lineage::Action::Reply);
        Record {
            at: self.time.now(),
            what: What::Answer(AnswerRecord { review_id, by, action, result, to: None, why }),
        }
    }

    async fn decide(&mut self, visit: &Visit, choice: ChosenButton) -> Result<AnswerResult, String> {
        self.send_form(visit, Link::Adopt, "choice", choice.word()).await
    }

    /// From the page of a superseded proposal: of the version's mail, otherwise of the newest mail whose page is one.
    async fn ask_for_link(&self, visit: &Visit) -> Result<AnswerResult, String> {
        let engine = self.time.engine();
        let mut newest = None;
        for path in answer::links(engine, visit, Link::Adopt).await? {
            let page = answer::get(engine, &path).await?;
            if page.result == AnswerResult::Superseded {
                // A page without a form has no link to mail.
                return match page.form {
                    Some(_) => answer::post(engine, &page, "choice", ChosenButton::SendLink.word()).await,
                    None => Ok(AnswerResult::NoLink),
                };
            }
            newest.get_or_insert(page.result);
        }
        Ok(newest.unwrap_or(AnswerResult::NoLink))
    }

    async fn look(&mut self, visit: &Visit, link: Link) -> Result<AnswerResult, String> {
        let engine = self.time.engine();
        let Some(path) = answer::find_link(engine, visit, link).await? else { return Ok(AnswerResult::NoLink) };
        let page = answer::get(engine, &path).await?;
        let result = page.result;
        self.open.insert((visit.review.clone(), visit.person.clone(), link, path), page);
        Ok(result)
    }

    /// From the page they have open, or from one opened now.
    async fn send_form(&mut self, visit: &Visit, link: Link, field: &str, word: &str) -> Result<AnswerResult, String> {
        let engine = self.time.engine();
        let Some(path) = answer::find_link(engine, visit, link).await? else { return Ok(AnswerResult::NoLink) };
        let opened = self.open.remove(&(visit.review.clone(), visit.person.clone(), link, path.clone()));
        let page = match opened {
            Some(page) => page,
            None => answer::get(engine, &path).await?,
        };
        answer::post(engine, &page, field, word).await
    }

    /// Lets this instant come to rest, and tells what happened: triggers and answers, decisions, notices.
    async fn settle(&mut self, mut records: Records) -> Result<Records, String> {
        let batches = self.time.pump().await?;
        let mut touched: BTreeSet<ReviewId> = records.iter().filter_map(Record::answered).cloned().collect();
        for done in batches.iter().filter_map(|batch| batch.done.as_ref()).flatten() {
            match &done.outcome {
                Ok(Outcome::Ingested(taken)) => records.extend(taken.iter().map(|taken| self.trigger(taken))),
                Ok(Outcome::Refreshed(refreshed)) => drop(touched.insert(refreshed.review.clone())),
                Ok(Outcome::Notified(notified)) => drop(touched.insert(notified.review.clone())),
                // What failed may have written before, and does not say where.
                Err(_) => touched.extend(self.told.keys().cloned()),
            }
        }
        let mut told = Told::default();
        for review in touched {
            self.tell(review, &mut told).await?;
        }
        records.extend(told.in_order());
        Ok(records)
    }

    /// What a review's lineage says beyond what was told of it.
    async fn tell(&mut self, review: ReviewId, told: &mut Told) -> Result<(), String> {
        let from = self.told.get(&review).copied().unwrap_or(0) + 1;
        let entries = self.store().lineage(&review, from).await.map_err(|error| error.to_string())?;
        for entry in &entries {
            for happening in &entry.happenings {
                self.tell_happening(&review, entry.at, happening, told).await?;
            }
        }
        let last = entries.last().map_or(from - 1, |entry| entry.sequence);
        self.told.insert(review, last);
        Ok(())
    }

    async fn tell_happening(
        &self,
        review: &ReviewId,
        at: Instant,
        happening: &Happening,
        told: &mut Told,
    ) -> Result<(), String> {
        match happening {
            Happening::Decision(decision) => {
                let record = records::decision(self.store(), review, decision).await.map_err(|why| why.to_string())?;
                told.decisions.push(Record { at, what: What::Decision(record) });
            }
            // What a person does by a link is answered as it is done. An operator's decision comes as an event, and whoever
            // looks at the review next carries the decision out.
            Happening::Answer(line) if line.as_operator => {
                let what = What::Answer(AnswerRecord {
                    review_id: review.clone(),
                    by: line.by.clone(),
                    action: line.action,
                    result: line.result,
                    to: line.to.clone(),
                    why: None,
                });
                told.answers.push(Record { at, what });
            }
            Happening::Answer(line) if line.by_mail.is_some() => {
                told.replies.push(self.replied(review, &line.by, line.result, None));
            }
            Happening::Comment(line) => {
                told.replies.push(self.replied(review, &line.by, AnswerResult::Commented, Some(line.why)));
            }
            Happening::Notice { to, kind, version, changes, calendar, .. } => {
                let what = What::Notice(NoticeRecord {
                    review_id: review.clone(),
                    to: to.clone(),
                    kind: *kind,
                    version: *version,
                    changes: changes.clone(),
                    calendar: calendar.iter().map(Into::into).collect(),
                });
                told.notices.push((review.clone(), to.clone(), Record { at, what }));
            }
            _ => {}
        }
        Ok(())
    }

    fn trigger(&self, taken: &ingest::Taken) -> Record {
        let what = What::Trigger(TriggerRecord {
            source: taken.identity.as_ref().map(|identity| identity.source.to_string()),
            id: taken.identity.as_ref().map(|identity| identity.id.to_string()),
            event_type: taken.event_type.clone(),
            disposition: taken.disposition,
            reviews: taken.reviews.clone(),
            not_taken: taken.not_taken.clone(),
            faults: taken.faults.iter().map(ToString::to_string).collect(),
        });
        Record { at: self.time.now(), what }
    }
}

/// What lineages say, by kind.
#[derive(Default)]
struct Told {
    /// Answers and comments by mail.
    replies: Records,
    answers: Records,
    decisions: Records,
    notices: Vec<(ReviewId, Person, Record)>,
}

impl Told {
    fn in_order(mut self) -> impl Iterator<Item = Record> {
        self.notices.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        let notices = self.notices.into_iter().map(|(_, _, notice)| notice);
        self.replies.into_iter().chain(self.answers).chain(self.decisions).chain(notices)
    }
}
