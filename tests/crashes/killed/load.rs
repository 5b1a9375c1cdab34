//! Source systems that post without a pause, and post again what was not answered.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use holdpoint_tests::{
    repository,
    served::{self, Server},
};
use refresh_core::{Instant, base::instant::DAY};
use serde_json::{Value, json};

/// Each touched by every event.
pub const REVIEWS: [&str; 3] = ["RR-K1", "RR-K2", "RR-K3"];
/// Systems that post at once.
const POSTING: usize = 2;

pub struct Load {
    /// Midnight of the day on which the reviews are held.
    day: Instant,
    next: AtomicU64,
    accepted: Mutex<BTreeSet<String>>,
    /// Not answered: accepted or not, nobody knows.
    unanswered: Mutex<Vec<(String, String)>>,
    again: AtomicU64,
}

/// The story's policy without a pause before mails, so that kills meet the mailer; and with as many proposals as come.
pub fn policy(directory: &Path) -> PathBuf {
    let text = fs::read_to_string(repository().join("events/scenarios/story.policy.json")).expect("a policy");
    let mut policy: Value = serde_json::from_str(&text).expect("JSON");
    policy["defaults"]["quiet_seconds"] = 0.into();
    policy["defaults"]["churn"]["proposals"] = 100.into();
    let path = directory.join("policy.json");
    fs::write(&path, policy.to_string()).expect("a file");
    path
}

/// What mail is sent from, and where bounces would come: with it each mail has an envelope sender of its own.
pub const FROM: &str = "holdpoint@example.com";
pub const BOUNCES: &str = "bounces@example.com";

/// Mail leaves by the server at `port` of this machine, two at a time.
pub fn settings(directory: &Path, policy: &Path, port: u16) -> PathBuf {
    let maildir = directory.join("bounces");
    ["new", "cur", "tmp"].iter().for_each(|part| fs::create_dir_all(maildir.join(part)).expect("a folder"));
    let text = format!(
        "policy = {policy:?}\n[mail]\nfrom = \"{FROM}\"\nbounce_address = \"{BOUNCES}\"\nmaildir = {maildir:?}\n\
         [mail.smtp]\nhost = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\nconnections = 2\n"
    );
    let path = directory.join("holdpoint.toml");
    fs::write(&path, text).expect("a file");
    path
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Load {
    pub fn new() -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock past 1970");
        let today = i64::try_from(now.as_millis()).expect("a clock before the year 292 million") / DAY;
        Self {
            day: Instant::from_millis((today + 2) * DAY),
            next: AtomicU64::new(2),
            accepted: Mutex::default(),
            unanswered: Mutex::default(),
            again: AtomicU64::new(0),
        }
    }

    fn at(&self, hour: i64) -> Instant {
        self.day.plus_minutes(hour * 60)
    }

    fn event(id: &str, kind: &str, data: &Value) -> (String, String) {
        let source = kind.split('.').next().unwrap_or_default();
        let event = json!({
            "specversion": "1.0", "id": id, "source": format!("//{source}.example.com"),
            "type": format!("dev.holdpoint.{kind}.v1"), "data": data,
        });
        (id.to_owned(), event.to_string())
    }

    fn calendar(&self, person: &str, revision: u64, busy: &Value) -> (String, String) {
        let data = json!({
            "person": format!("{person}@example.com"), "kind": "calendar", "revision": revision,
            "horizon": { "start": self.at(0), "end": self.at(48) }, "busy": busy,
        });
        Self::event(&format!("calendar-{person}-{revision}"), "availability.updated", &data)
    }

    /// What the reviews stand on, and the reviews. None of it is posted into a process that dies.
    pub fn prepare(&mut self, server: &Server) {
        let role = |role: &str, holder: &str, delegates: Value| {
            let data = json!({
                "service": "identity-service", "role": role, "revision": 1, "holder": holder, "delegates": delegates,
            });
            Self::event(&format!("role-{role}"), "delegation.updated", &data)
        };
        let change = json!({
            "change_id": "CHG1", "revision": 1, "state": "approved", "owner": "rm-a@example.com",
            "owner_confirmation": "confirmed",
            "review_window": { "opens": self.at(8), "closes": self.at(21) },
            "cutover": { "starts": self.at(32), "ends": self.at(34) },
        });
        let evidence = json!({
            "change_id": "CHG1", "checkpoint": "integration-tests", "revision": 1, "status": "expected",
            "ready_at": self.at(14),
        });
        let mut events = vec![
            Self::event("change", "change.updated", &change),
            role("release_manager", "rm-a@example.com", json!([])),
            role(
                "security_reviewer",
                "sec-a@example.com",
                json!([{ "person": "sec-b@example.com", "status": "approved" }]),
            ),
            Self::event("evidence-1", "evidence.updated", &evidence),
        ];
        events.extend(["rm-a", "sec-a", "sec-b"].map(|person| self.calendar(person, 1, &json!([]))));
        for review in REVIEWS {
            let data = json!({
                "review_id": review, "revision": 1, "title": "Release readiness", "service": "identity-service",
                "change_id": "CHG1", "version": 1, "slot": { "start": self.at(15), "end": self.at(16) },
                "time_zone": "Europe/Berlin", "optional": [], "checkpoints": ["integration-tests"], "policy": {},
                "roles": [
                    { "role": "release_manager", "attendee": "rm-a@example.com" },
                    { "role": "security_reviewer", "attendee": "sec-a@example.com" },
                ],
            });
            events.push(Self::event(&format!("issue-{review}"), "review.issued", &data));
        }
        for (id, event) in events {
            assert_eq!(served::post(&server.address, &event), Ok(202), "{id}: {event}");
        }
        // A review exists from its first refresh on; what comes before that is a fact it finds, and no trigger of it.
        self.wait_until_issued(server);
    }

    fn wait_until_issued(&self, server: &Server) {
        for _ in 0..600 {
            let issued = |review: &&str| {
                served::get(server, &format!("/reviews/{review}")).is_ok_and(|(status, _)| status == 200)
            };
            if REVIEWS.iter().all(issued) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the reviews were not issued within a minute");
    }

    /// The security reviewer's day changes each time, between free and busy at the slot.
    fn one_more(&self) -> (String, String) {
        let revision = self.next.fetch_add(1, Ordering::SeqCst);
        let busy = match revision % 2 {
            0 => json!([{ "start": self.at(14), "end": self.at(17) }]),
            _ => json!([]),
        };
        self.calendar("sec-a", revision, &busy)
    }

    fn post(&self, address: &str, (id, event): (String, String)) -> bool {
        match served::post(address, &event) {
            Ok(202) => {
                lock(&self.accepted).insert(id);
                true
            }
            Ok(status) => panic!("{id}: expected 202, found {status}"),
            Err(_) => {
                lock(&self.unanswered).push((id, event));
                false
            }
        }
    }

    /// Posts until the process is killed under it.
    pub fn post_until(&self, server: &mut Server, moment: Duration) {
        let (address, killed) = (server.address.clone(), AtomicBool::new(false));
        std::thread::scope(|scope| {
            for _ in 0..POSTING {
                scope.spawn(|| {
                    while !killed.load(Ordering::SeqCst) {
                        let left = lock(&self.unanswered).pop();
                        if left.is_some() {
                            self.again.fetch_add(1, Ordering::SeqCst);
                        }
                        if !self.post(&address, left.unwrap_or_else(|| self.one_more())) {
                            return;
                        }
                    }
                });
            }
            std::thread::sleep(moment);
            server.kill();
            killed.store(true, Ordering::SeqCst);
        });
    }

    pub fn post_what_is_left(&self, server: &Server) {
        let left = std::mem::take(&mut *lock(&self.unanswered));
        self.again.fetch_add(left.len() as u64, Ordering::SeqCst);
        for one in left {
            assert!(self.post(&server.address, one), "a process nobody killed did not answer");
        }
    }

    pub fn accepted(&self) -> usize {
        lock(&self.accepted).len()
    }

    pub fn accepted_ids(&self) -> BTreeSet<String> {
        lock(&self.accepted).clone()
    }

    pub fn again(&self) -> u64 {
        self.again.load(Ordering::SeqCst)
    }

    /// Of the newest fact about the security reviewer's day.
    pub fn newest_revision(&self) -> u64 {
        self.next.load(Ordering::SeqCst) - 1
    }
}
