//! Where two workers meet: worlds brought to a certain point of the short journey.

use std::fs;

use holdpoint::{
    queues::Outgoing,
    replay::{Scenario, scenario::Link},
};
use holdpoint_tests::{repository, world::World};
use lambda_shell::deadline::Deadline;
use refresh_core::{
    EventId, Instant, Source,
    base::instant::{MINUTE, SECOND},
    facts::{authority::Disposition, event::Identity, fact::Fact, subject::Subject},
};
use serde_json::{Value, json};

use crate::worker::{Form, Task, Worker};

pub struct Place {
    pub world: World,
    runtime: tokio::runtime::Runtime,
}

/// How many lines of the short journey lie before each point.
const FACTS: usize = 8;
const ISSUED: usize = 9;
const PROPOSED: usize = 10;
const ADOPTED: usize = 11;

/// The review is issued and nothing happened since.
pub fn issued() -> Place {
    Place::after(ISSUED)
}

/// A proposal is pending and its quiet period has just ended: everybody is owed a notice.
pub fn proposed() -> Place {
    let place = Place::after(ISSUED);
    place.decide(&[place.busy(2)]);
    place.quiet()
}

/// A proposal is pending and everybody was told; its page is open before the owner.
pub fn before_the_decision() -> Place {
    Place::after(PROPOSED)
}

/// The next look is due.
pub fn told() -> Place {
    let place = Place::after(PROPOSED);
    let due = place.wait(place.world.engine().store().due(Instant::from_millis(i64::MAX))).expect("the due index").read;
    place.world.time().set(due.iter().map(|due| due.due_at).max().expect("an open review"));
    place
}

/// Adopted, told, and not answered yet.
pub fn after_the_adoption() -> Place {
    Place::after(ADOPTED)
}

impl Place {
    pub fn before_issue() -> Self {
        Self::after(FACTS)
    }

    fn after(lines: usize) -> Self {
        let read = |path: &str| fs::read_to_string(repository().join(path)).expect("a file of the repository");
        let mut scenario = Scenario::parse(&read("tests/crashes/short.jsonl")).expect("a scenario");
        scenario.lines.truncate(lines);
        let mut policy: Value = serde_json::from_str(&read("events/scenarios/story.policy.json")).expect("a policy");
        let operators =
            json!({ "kind": "operator", "source": "//operator.example.com", "governed_by": "desk@example.com" });
        policy["sources"].as_array_mut().expect("a list").push(operators);
        let policy = policy.to_string();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let world = runtime.block_on(async {
            let mut world = World::open(&policy, scenario.lines[0].at).await?;
            world.play(&scenario, 15).await?;
            Ok::<_, String>(world)
        });
        Self { world: world.expect("a journey without faults"), runtime }
    }

    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Everything that is owed, decided and told, and every lease over.
    pub fn rest(&mut self) -> Result<(), String> {
        let until = self.world.time().now().plus_millis(20 * MINUTE);
        self.runtime.block_on(self.world.until(until))
    }

    /// To the end of the quiet period, with nobody told yet.
    pub fn quiet(self) -> Self {
        let store = self.world.engine().store();
        let heads = self.wait(store.reviews()).expect("the reviews").read;
        let at = heads.iter().filter_map(|head| head.notices_at).max().expect("somebody is owed a notice");
        self.world.time().set(at);
        self
    }

    fn event(kind: &str, id: &str, data: &Value) -> String {
        let source = kind.split('.').next().unwrap_or_default();
        json!({
            "specversion": "1.0", "id": id, "source": format!("//{source}.example.com"),
            "type": format!("dev.holdpoint.{kind}.v1"), "data": data,
        })
        .to_string()
    }

    fn calendar(revision: u64, busy: &Value) -> String {
        let data = json!({
            "person": "sec-a@example.com", "kind": "calendar", "revision": revision,
            "horizon": { "start": "2026-11-03T00:00:00Z", "end": "2026-11-06T00:00:00Z" }, "busy": busy,
        });
        Self::event("availability.updated", &format!("busy-{revision}"), &data)
    }

    /// The security reviewer cannot come: the delegate is proposed.
    pub fn busy(&self, revision: u64) -> String {
        let from = format!("2026-11-03T14:{:02}:00Z", revision % 60);
        Self::calendar(revision, &json!([{ "start": from, "end": "2026-11-03T17:00:00Z" }]))
    }

    /// The next fact of the security reviewer's calendar is taken at any revision.
    pub fn reset(&self) -> String {
        let data = json!({
            "kind": "availability", "subject": "sec-a@example.com/calendar", "by": "ops@example.com", "reason": "a test",
        });
        Self::event("subject.reset", "reset-1", &data).replace("//subject.", "//operator.")
    }

    /// No meeting before half past three.
    pub fn evidence_slips(&self, revision: u64) -> String {
        let data = json!({
            "change_id": "CHG1", "checkpoint": "integration-tests", "revision": revision, "status": "expected",
            "ready_at": "2026-11-03T15:30:00Z",
        });
        Self::event("evidence.updated", &format!("evidence-{revision}"), &data)
    }

    pub fn issue(&self) -> String {
        let scenario = fs::read_to_string(repository().join("tests/crashes/short.jsonl")).expect("a file");
        let line = scenario.lines().find(|line| line.contains("review.issued")).expect("a review.issued");
        let line: Value = serde_json::from_str(line).expect("JSON");
        line["send"].to_string()
    }

    fn queue_of(&self, function: &str) -> String {
        let source = self.world.engine().topology().functions[function].source.as_ref();
        source.expect("a function with a queue").queue.clone()
    }

    /// The events are facts by now, each with a message of its own on the refresh queue. The messages stay there: what
    /// two workers did at once is delivered a third time afterwards.
    pub fn refreshes(&self, events: &[String]) -> Vec<Task> {
        self.send(events);
        let waiting = self.world.engine().queues().look(&self.queue_of("refresh")).expect("a queue");
        assert_eq!(waiting.len(), events.len(), "each event asks for one refresh");
        waiting.into_iter().map(|message| Task::Refresh(vec![message.body])).collect()
    }

    /// Ingest has taken the events, in one batch.
    pub fn send(&self, events: &[String]) {
        self.wait(async {
            let engine = self.world.engine();
            for event in events {
                let outgoing = Outgoing { body: event.clone(), ..Outgoing::default() };
                engine.queues().send(&self.queue_of("ingest"), outgoing).await.expect("a queue");
            }
            while engine.take_batch("ingest", Deadline::far()).await.expect("a batch").is_some() {}
        });
    }

    /// What became of an event, and its subject.
    pub fn recorded(&self, source: &str, id: &str) -> (Disposition, Subject) {
        let source = Source::parse(source).expect("a source");
        let identity = Identity { source, id: EventId::parse(id).expect("an id") };
        let record = self.wait(self.world.engine().store().event(&identity)).expect("the record");
        let record = record.expect("the event was recorded");
        (record.disposition, record.subject)
    }

    pub fn fact(&self, subject: &Subject) -> Fact {
        self.wait(self.world.engine().store().fact(subject)).expect("the fact").expect("a fact")
    }

    /// Facts and decisions, but nobody is told.
    pub fn decide(&self, events: &[String]) {
        self.refreshes(events);
        self.wait(async {
            let engine = self.world.engine();
            while engine.take_batch("refresh", Deadline::far()).await.expect("a batch").is_some() {}
        });
    }

    /// The message that a decision sent for the notices. It stays on its queue as well.
    pub fn round(&self) -> Task {
        let waiting = self.world.engine().queues().look(&self.queue_of("notify")).expect("a queue");
        Task::Notify(waiting.first().expect("a decision asked for the notices").body.clone())
    }

    fn path(&self, link: Link) -> String {
        let engine = self.world.engine();
        let (start, base) = (format!("/{}/", link.word()), &engine.settings().link_base);
        let mails = engine.mailbox().all();
        let found = mails.iter().rev().find_map(|mail| {
            let message = mail_parser::MessageParser::default().parse(&mail.raw)?;
            let text = message.body_text(0)?.into_owned();
            let from = text.find(&format!("{base}{start}"))? + base.len();
            let end = text[from..].find(|c: char| !(c.is_ascii_alphanumeric() || "/-_".contains(c)));
            Some(text[from..end.map_or(text.len(), |end| from + end)].to_owned())
        });
        found.unwrap_or_else(|| panic!("no mail has a link {start}"))
    }

    pub fn adoption(&self) -> Form {
        let worker = Worker::of(self.world.engine());
        self.wait(worker.fill_in(&self.path(Link::Adopt), "choice", "adopt"))
    }

    pub fn acknowledgement(&self) -> Form {
        let worker = Worker::of(self.world.engine());
        self.wait(worker.fill_in(&self.path(Link::Acknowledge), "answer", "acknowledged"))
    }

    /// A little later, so that a tick of this instant is not one of the last.
    pub fn later(&self) {
        self.world.time().set(self.world.time().now().plus_millis(SECOND));
    }
}
