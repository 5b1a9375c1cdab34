//! `holdpoint rotate-link-keys` between two runs of the engine: what was mailed before goes on working through one
//! rotation, and ends with the second.

mod server;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    thread,
    time::{Duration, Instant as Moment},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use refresh_core::{
    Instant,
    base::instant::{DAY, HOUR},
};
use serde_json::{Value, json};
use server::{Running, ask, ask_as_operator};

/// An engine that has not mailed by then never will; it decides no test.
const PATIENCE: Duration = Duration::from_secs(120);

const OWNER: &str = "owner@example.com";

/// The review's world: one role with its holder and two delegates, in the days to come.
struct World {
    data: PathBuf,
    policy: PathBuf,
    /// The issued meeting's start.
    starts: Instant,
}

impl World {
    fn new() -> Self {
        let data = std::env::temp_dir().join(format!("holdpoint-rotation-{}", std::process::id()));
        let _ = fs::remove_dir_all(&data);
        fs::create_dir_all(&data).unwrap();
        let mut policy: Value = serde_json::from_str(include_str!("../../policy.json")).unwrap();
        let kinds = ["review", "change", "delegation", "availability", "evidence"];
        let source = |kind| json!({ "kind": kind, "source": "//all.example.com", "governed_by": OWNER });
        // No payload of another system comes here, and a binding's source must be registered.
        policy["native"] = json!([]);
        policy["sources"] = kinds.map(source).to_vec().into();
        policy["defaults"] = json!({ "quiet_seconds": 0, "adoption_deadline_minutes": 1440 });
        let file = data.join("policy.json");
        fs::write(&file, policy.to_string()).unwrap();
        let now = Instant::from_millis(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis().try_into().unwrap());
        let starts = Instant::from_millis(now.millis() / HOUR * HOUR + 3 * DAY);
        Self { data, policy: file, starts }
    }

    fn at(&self, hours: i64) -> Instant {
        self.starts.plus_millis(hours * HOUR)
    }

    fn start(&self) -> Running {
        Running::start(&self.data, &["--policy", self.policy.to_str().unwrap()])
    }

    fn rotate(&self) -> Output {
        rotate(&self.data)
    }

    fn busy(&self, person: &str, revision: u64, busy: bool) -> Value {
        let meeting = json!({ "start": self.at(0), "end": self.at(1), "own": false });
        json!({
            "person": person, "kind": "calendar", "revision": revision,
            "horizon": { "start": self.at(-120), "end": self.at(120) },
            "busy": if busy { vec![meeting] } else { Vec::new() },
        })
    }

    /// Everything up to the review itself.
    fn issue(&self, address: &str) {
        let [holder, first, second] = ["holder", "first", "second"].map(|name| format!("{name}@example.com"));
        let delegate = |person: &str| json!({ "person": person, "status": "approved" });
        let change = json!({
            "change_id": "CHG-1", "revision": 1, "state": "approved", "owner": OWNER, "owner_confirmation": "confirmed",
            "review_window": { "opens": self.at(-48), "closes": self.at(24) },
            "cutover": { "starts": self.at(48), "ends": self.at(50) },
        });
        let delegation = json!({
            "service": "payments", "role": "approver", "revision": 1, "holder": holder,
            "delegates": [delegate(&first), delegate(&second)],
        });
        let evidence = json!({
            "change_id": "CHG-1", "checkpoint": "tests", "revision": 1, "status": "ready", "ready_at": self.at(-96),
        });
        let review = json!({
            "review_id": "RR-1", "revision": 1, "title": "Release readiness: payments", "service": "payments",
            "change_id": "CHG-1", "version": 1, "slot": { "start": self.at(0), "end": self.at(1) },
            "time_zone": "Europe/Berlin", "roles": [{ "role": "approver", "attendee": holder }], "optional": [],
            "checkpoints": ["tests"], "policy": {},
        });
        send(address, "c1", "change.updated", &change);
        send(address, "d1", "delegation.updated", &delegation);
        send(address, "v1", "evidence.updated", &evidence);
        for person in [&holder, &first, &second] {
            send(address, &format!("a1-{person}"), "availability.updated", &self.busy(person, 1, false));
        }
        send(address, "r1", "review.issued", &review);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.data);
    }
}

fn rotate(data: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdpoint"));
    command.args(["rotate-link-keys", "--json", "--data"]).arg(data).output().unwrap()
}

/// The ids of the keys that the command says sign and open.
fn said(output: &Output) -> (String, Vec<String>) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let opens = said["opens"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect();
    (said["signs"].as_str().unwrap().to_owned(), opens)
}

fn send(address: &str, id: &str, kind: &str, data: &Value) {
    let event = json!({
        "specversion": "1.0", "id": id, "source": "//all.example.com", "type": format!("dev.holdpoint.{kind}.v1"),
        "data": data,
    });
    let (status, said) = ask(address, "POST", "/events", &event.to_string()).expect("the engine answers");
    assert_eq!(status, 202, "{id}: {said}");
}

/// The `count`-th adoption link that was mailed, once it is.
fn mailed(running: &Running, count: usize) -> String {
    let until = Moment::now() + PATIENCE;
    while Moment::now() < until {
        let mails = (1..).map_while(|number| {
            let (status, page) = ask_as_operator(running, &format!("/mailbox/{number}?view=text"))?;
            (status == 200).then_some(page)
        });
        let links: Vec<String> = mails.filter_map(|page| adoption_link(&page)).collect();
        if let Some(link) = links.into_iter().nth(count - 1) {
            return link;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("adoption link {count} was never mailed");
}

fn adoption_link(page: &str) -> Option<String> {
    let (_, rest) = page.split_once("/adopt/")?;
    let token = rest.split(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c)).next()?;
    Some(format!("/adopt/{token}"))
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}

/// Which key signed it.
fn key(link: &str) -> u8 {
    URL_SAFE_NO_PAD.decode(link.trim_start_matches("/adopt/")).unwrap()[1]
}

fn open(running: &Running, link: &str) -> (u16, String) {
    ask(&running.address, "GET", link, "").expect("the engine answers")
}

#[test]
fn a_mailed_link_decides_through_one_rotation_and_opens_nothing_after_the_second() {
    let world = World::new();
    let running = world.start();
    world.issue(&running.address);
    send(&running.address, "a2", "availability.updated", &world.busy("holder@example.com", 2, true));
    let old = mailed(&running, 1);
    assert_eq!(key(&old), 1);
    let refused = world.rotate();
    assert!(!refused.status.success(), "the keys were rotated under a running engine");
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(why.contains(&format!("an engine runs here already at http://{}", running.address)), "{why}");
    running.stop();

    assert_eq!(said(&world.rotate()), ("2".to_owned(), vec!["2".to_owned(), "1".to_owned()]));
    let running = world.start();
    let (status, page) = open(&running, &old);
    assert_eq!(status, 200, "{page}");
    let seal = between(&page, "name=\"seal\" value=\"", "\"").expect("a form to decide with");
    let form = format!("seal={seal}&choice=adopt");
    let (status, page) = ask(&running.address, "POST", &old, &form).expect("the engine answers");
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("<h1>Adopted</h1>"), "{page}");
    // The next proposal's mail is signed with the new key.
    send(&running.address, "a3", "availability.updated", &world.busy("first@example.com", 2, true));
    let new = mailed(&running, 2);
    assert_eq!(key(&new), 2);
    running.stop();

    assert_eq!(said(&world.rotate()), ("3".to_owned(), vec!["3".to_owned(), "2".to_owned()]));
    let running = world.start();
    let (status, closed) = open(&running, &old);
    assert_eq!(status, 404, "{closed}");
    assert_eq!(closed, open(&running, "/adopt/never-a-link").1, "a dropped key is told from no key at all");
    let (status, page) = open(&running, &new);
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("<h1>Adopt this change?</h1>"), "{page}");
    running.stop();
}
