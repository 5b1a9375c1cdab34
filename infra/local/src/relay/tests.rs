//! The relay beside a mail server that does as it is told, in every phase of a conversation.

mod implicit_tls;
mod server;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use lambda_shell::clock::Clock;
use serde_json::Value;
use server::{PHASES, Phase, Server, Trouble};
use tokio::net::TcpListener;

use super::*;
use crate::{
    engine::{Engine, Settings, Storage},
    mailbox::Outgoing,
};

/// An engine whose mail leaves by `server`, and whose wall clock a test turns.
struct Stage {
    engine: Engine,
    hand: Arc<AtomicI64>,
}

const START: i64 = 1_793_700_000_000;

fn smtp(port: u16) -> Smtp {
    Smtp {
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::None,
        login: None,
        hello: "holdpoint.example.com".to_owned(),
        time_out: Duration::from_secs(5),
        connections: 2,
        per_second: 1_000,
        give_up_after: Duration::from_secs(12 * 3_600),
        roots: None,
    }
}

impl Stage {
    async fn around(server: &Server) -> Self {
        let port = server.start().await;
        Self::to(port, crate::embedded::Embedded::memory().unwrap()).await
    }

    async fn to(port: u16, embedded: crate::embedded::Embedded) -> Self {
        Self::by(smtp(port), embedded).await
    }

    async fn by(relay: Smtp, embedded: crate::embedded::Embedded) -> Self {
        let policy = include_str!("../../../policy.json");
        let bounce_address = Some("bounces@example.com".to_owned());
        let settings =
            Settings { relay: Some(relay), bounce_address, durable_queues: true, ..Settings::in_memory(policy) };
        assert_eq!(settings.storage, Storage::Memory);
        let hand = Arc::new(AtomicI64::new(START));
        let topology = crate::topology::Topology::of_the_bundle().unwrap();
        let engine = Engine::around(settings, Clock::steered(hand.clone()), topology, embedded).await.unwrap();
        Self { engine, hand }
    }

    fn relay(&self) -> &Relay {
        self.engine.relay().unwrap()
    }

    async fn hand_in(&self, to: &str, subject: &str) {
        let raw = format!("From: a@example.com\r\nTo: {to}\r\nSubject: {subject}\r\n\r\n.a line with a dot\r\n");
        let tags = vec![("holdpoint-review".to_owned(), "0".repeat(32))];
        let from = "Holdpoint <a@example.com>".to_owned();
        let outgoing = Outgoing { from, to: vec![to.to_owned()], tags, raw: raw.into_bytes() };
        self.engine.mailbox().send(outgoing).await.unwrap();
    }

    /// Everything that can leave now leaves.
    async fn settle(&self) {
        self.relay().drain().await.unwrap();
    }

    async fn after(&self, minutes: i64) {
        self.hand.fetch_add(minutes * 60_000, Ordering::SeqCst);
        self.settle().await;
    }

    fn states(&self) -> Vec<String> {
        let mails = self.engine.mailbox().headlines(crate::mailbox::Excerpt::default()).unwrap();
        mails.into_iter().rev().filter_map(|mail| mail.state).collect()
    }

    /// What the functions are told, by the word that they read.
    fn told(&self) -> Vec<String> {
        let queue = &self.relay().reports_to;
        let messages = self.engine.queues().look(queue).unwrap();
        let word = |body: &str| {
            let event: Value = serde_json::from_str(body).unwrap();
            match sources::mail::read(&event) {
                Ok(sources::mail::ReadReport::Report(report)) => report.report.delivery.status.word().to_owned(),
                Ok(sources::mail::ReadReport::Skipped(why)) => why,
                other => panic!("{event}: {other:?}"),
            }
        };
        messages.iter().map(|message| word(&message.body)).collect()
    }
}

#[tokio::test]
async fn a_mail_leaves_and_the_functions_hear_of_it() {
    let server = Server::default();
    let stage = Stage::around(&server).await;
    stage.hand_in("ada@example.com", "one").await;
    stage.settle().await;
    let taken = server.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].0, "ada@example.com");
    assert!(taken[0].1.contains("\r\n..a line with a dot\r\n"), "{}", taken[0].1);
    assert_eq!((stage.states(), stage.told()), (vec!["sent".to_owned()], vec!["delivered".to_owned()]));
    assert_eq!(stage.relay().wrong(START), None);
    // What left does not leave again.
    stage.after(24 * 60).await;
    assert_eq!(server.taken().len(), 1);
}

/// A process that died before it noted a mail makes the same mail again.
#[tokio::test]
async fn the_same_mail_again_leaves_once() {
    let server = Server::default();
    let stage = Stage::around(&server).await;
    for (to, subject) in [("ada@example.com", "one"), ("ada@example.com", "one"), ("bob@example.com", "one")] {
        stage.hand_in(to, subject).await;
    }
    stage.settle().await;
    stage.hand_in("ada@example.com", "one").await;
    stage.settle().await;
    let readers: Vec<String> = server.taken().into_iter().map(|(to, _)| to).collect();
    assert_eq!((readers.len(), stage.engine.mailbox().len()), (2, 2), "{readers:?}");
    // Another mail of the same words, days later.
    stage.after(2 * 24 * 60).await;
    stage.hand_in("ada@example.com", "one").await;
    stage.settle().await;
    assert_eq!(server.taken().len(), 3);
}

/// Whatever happens in whatever phase, once: the mail leaves in the end or is said to have bounced. Only one whose answer
/// was lost leaves twice.
#[tokio::test]
async fn trouble_in_every_phase_ends_well_or_is_said() {
    let troubles = ["421 closing", "450 later", "451 later", "452 full", "550 no", "554 no", "535 who"];
    for phase in PHASES {
        let mut all: Vec<Trouble> = troubles.map(Trouble::Says).to_vec();
        all.push(Trouble::HangsUp);
        if phase == Phase::Content {
            all.push(Trouble::TakesAndHangsUp);
        }
        for trouble in all {
            let server = Server::default();
            let stage = Stage::around(&server).await;
            server.plan(phase, trouble);
            stage.hand_in("ada@example.com", "one").await;
            stage.settle().await;
            let about_the_message = matches!(phase, Phase::Rcpt | Phase::Data | Phase::Content);
            let refused = about_the_message && matches!(trouble, Trouble::Says(said) if said.starts_with('5'));
            let case = format!("{phase:?}, {trouble:?}");
            if refused {
                stage.after(60).await;
                assert_eq!(
                    (stage.states(), stage.told()),
                    (vec!["bounced".to_owned()], vec!["bounced".to_owned()]),
                    "{case}"
                );
                assert!(server.taken().is_empty(), "{case}");
                continue;
            }
            assert_eq!(stage.states(), ["waiting"], "{case}");
            stage.after(60).await;
            assert_eq!(
                (stage.states(), stage.told()),
                (vec!["sent".to_owned()], vec!["delivered".to_owned()]),
                "{case}"
            );
            let times = if trouble == Trouble::TakesAndHangsUp { 2 } else { 1 };
            assert_eq!(server.taken().len(), times, "{case}");
        }
    }
}

/// A server that says nothing any more, in whatever phase, holds a mail no longer than the time-out.
#[tokio::test]
async fn a_server_that_falls_silent_is_left() {
    for phase in PHASES {
        let server = Server::default();
        let settings = Smtp { time_out: Duration::from_secs(1), ..smtp(server.start().await) };
        let stage = Stage::by(settings, crate::embedded::Embedded::memory().unwrap()).await;
        server.plan(phase, Trouble::FallsSilent);
        stage.hand_in("ada@example.com", "one").await;
        stage.settle().await;
        assert_eq!(stage.states(), ["waiting"], "{phase:?}");
        stage.after(60).await;
        assert_eq!(stage.states(), ["sent"], "{phase:?}");
    }
}

#[tokio::test]
async fn no_more_connections_are_open_than_the_server_allows() {
    let server = Server::default();
    let stage = Stage::around(&server).await;
    for number in 0..12 {
        stage.hand_in(&format!("p{number}@example.com"), "x").await;
    }
    stage.settle().await;
    assert_eq!((server.taken().len(), server.most_open.load(Ordering::SeqCst)), (12, 2));
}

#[tokio::test]
async fn mails_leave_no_faster_than_the_server_allows() {
    let mut work = Work::default();
    let leave: Vec<Instant> = (0..5).map(|_| work.pace(10)).collect();
    for pair in leave.windows(2) {
        assert!(pair[1] - pair[0] >= Duration::from_millis(100), "{leave:?}");
    }
}

#[tokio::test]
async fn a_reader_gets_mails_in_order_and_holds_up_nobody_else() {
    let server = Server::default();
    let stage = Stage::around(&server).await;
    server.plan(Phase::Rcpt, Trouble::Says("450 greylisted"));
    stage.hand_in("ada@example.com", "one").await;
    stage.settle().await;
    for (to, subject) in [("ada@example.com", "two"), ("bob@example.com", "three")] {
        stage.hand_in(to, subject).await;
    }
    stage.settle().await;
    assert_eq!(stage.states(), ["waiting", "waiting", "sent"]);
    stage.after(5).await;
    let to_ada: Vec<String> =
        server.taken().into_iter().filter(|(to, _)| to == "ada@example.com").map(|(_, mail)| mail).collect();
    assert!(to_ada[0].contains("Subject: one") && to_ada[1].contains("Subject: two"), "{to_ada:?}");
}

/// Late is said once an hour has passed; after the whole time the mail has bounced.
#[tokio::test]
async fn a_mail_that_nobody_takes_is_late_and_then_bounces() {
    let server = Server::default();
    let stage = Stage::around(&server).await;
    stage.hand_in("ada@example.com", "one").await;
    for _ in 0..40 {
        server.plan(Phase::Rcpt, Trouble::Says("452 4.2.2 mailbox full"));
    }
    stage.settle().await;
    let mut tries = 1;
    while stage.states() == ["waiting"] && tries < 40 {
        stage.after(60).await;
        tries += 1;
    }
    assert_eq!((tries, stage.states()), (13, vec!["bounced".to_owned()]));
    let told = stage.told();
    assert_eq!(told.last().map(String::as_str), Some("bounced"), "{told:?}");
    assert!(told[..told.len() - 1].iter().all(|word| word == "delayed"), "{told:?}");
    assert!(server.taken().is_empty());
}

/// Nobody's mail bounces because our own server is away or does not know us; an operator sees it.
#[tokio::test]
async fn a_server_that_is_down_holds_all_mail_and_is_said() {
    let unused = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port();
    let stage = Stage::to(unused, crate::embedded::Embedded::memory().unwrap()).await;
    for number in 0..5 {
        stage.hand_in(&format!("p{number}@example.com"), "x").await;
    }
    stage.settle().await;
    for _ in 0..3 {
        stage.after(24 * 60).await;
    }
    assert_eq!(stage.states(), ["waiting"; 5]);
    assert!(stage.told().is_empty());
    let wrong = stage.relay().wrong(START).unwrap();
    assert!(wrong.contains("no mail leaves since") && wrong.contains("5 mails wait"), "{wrong}");
    assert!(wrong.contains(&format!("connecting to 127.0.0.1:{unused}")), "{wrong}");
}

/// What waited when the engine died leaves from the next one.
#[tokio::test]
async fn what_waits_outlives_the_engine() {
    let server = Server::default();
    let embedded = crate::embedded::Embedded::memory().unwrap();
    let port = server.start().await;
    let stage = Stage::to(port, embedded.clone()).await;
    stage.hand_in("ada@example.com", "one").await;
    drop(stage);
    let again = Stage::to(port, embedded).await;
    again.settle().await;
    assert_eq!((again.states(), server.taken().len()), (vec!["sent".to_owned()], 1));
}

#[test]
fn the_envelope_has_the_address_alone() {
    for (from, expected) in [
        ("a@example.com", "a@example.com"),
        ("Holdpoint <a@example.com>", "a@example.com"),
        ("\"a <b> c\" <a@example.com>", "a@example.com"),
    ] {
        assert_eq!(address(from), expected);
    }
}

/// A report of another server on a mail (RFC 3464).
fn dsn(to: &str, action: &str) -> String {
    format!(
        "To: {to}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nAction: {action}\r\n\
         Diagnostic-Code: smtp; 550 gone\r\n\r\n--b--\r\n"
    )
}

/// A mail server of this machine delivers a bounce into a maildir: the engine reports it, and the mail has bounced.
#[tokio::test]
async fn a_bounce_in_a_maildir_is_reported() {
    let server = Server::default();
    let stage = Stage::around(&server).await;
    stage.hand_in("a@example.com", "news").await;
    stage.settle().await;
    let address = bounce::BounceAddress::open("bounces@example.com", stage.engine.mailbox().tables()).unwrap();
    let folder = std::env::temp_dir().join(format!("holdpoint-bounced-{}", std::process::id()));
    for part in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(folder.join(part)).unwrap();
    }
    let door = crate::inbound::maildir::MaildirDoor::open(&stage.engine, &folder).unwrap();
    // Delivered again, as a server does that died in between.
    for name in ["1793696400.1.host", "1793696401.1.host"] {
        std::fs::write(folder.join("new").join(name), dsn(&address.of(1), "failed")).unwrap();
        assert_eq!(door.look(&mut BTreeSet::new()).await, 1);
        stage.settle().await;
    }
    assert_eq!(stage.states(), ["bounced"]);
    // Whoever hears of one bounce twice hears the same word of the same mail.
    let told = stage.told();
    assert!(told[0] == "delivered" && told[1..].iter().all(|word| word == "bounced"), "{told:?}");
    std::fs::remove_dir_all(&folder).unwrap();
}

/// A bounce that comes days later by mail, to the mail's own envelope sender; and one that somebody made up.
#[tokio::test]
async fn a_mail_that_comes_back_later_is_reported_and_a_forged_one_is_not() {
    let server = Server::default();
    let stage = Stage::around(&server).await;
    for to in ["a@example.com", "b@example.com"] {
        stage.hand_in(to, "news").await;
    }
    stage.settle().await;
    assert_eq!(stage.told(), ["delivered", "delivered"]);
    let address = bounce::BounceAddress::open("bounces@example.com", stage.engine.mailbox().tables()).unwrap();
    let forged = address.of(1).replace("+1-", "+2-");
    assert_eq!(stage.relay().returned(dsn(&forged, "failed").as_bytes(), &[]).await, Ok(true));
    stage.settle().await;
    assert_eq!((stage.states(), stage.told().len()), (vec!["sent".to_owned(), "sent".to_owned()], 2));
    // Twice is once.
    for _ in 0..2 {
        assert_eq!(stage.relay().returned(dsn(&address.of(2), "failed").as_bytes(), &[]).await, Ok(true));
        stage.settle().await;
    }
    assert_eq!(stage.states(), ["sent", "bounced"]);
    assert_eq!(stage.told()[..3], ["delivered", "delivered", "bounced"]);
    assert_eq!(stage.relay().returned(b"To: answers@example.com\r\n\r\nhello\r\n", &[]).await, Ok(false));
}

/// Feedback of a mail system: a complaint silences its reader, anything else is told to an operator and silences nobody,
/// and hides no complaint that comes after it.
#[tokio::test]
async fn feedback_that_is_no_complaint_silences_nobody() {
    let server = Server::default();
    let stage = Stage::around(&server).await;
    stage.hand_in("a@example.com", "news").await;
    stage.settle().await;
    let address = bounce::BounceAddress::open("bounces@example.com", stage.engine.mailbox().tables()).unwrap();
    let feedback = |kind: &str| {
        dsn(&address.of(1), "failed").replace("delivery-status", "feedback-report").replace(
            "Reporting-MTA: dns; x\r\n",
            &format!("Feedback-Type: {kind}\r\nOriginal-Mail-From: <{}>\r\n", address.of(1)),
        )
    };
    for kind in ["not-spam", "auth-failure", "other", "x"] {
        assert_eq!(stage.relay().returned(feedback(kind).as_bytes(), &[]).await, Ok(true));
        stage.settle().await;
        assert_eq!(stage.states(), ["sent"], "{kind}");
        let told = stage.told();
        assert!(told.iter().any(|word| word.ends_with(&format!("(feedback type {kind})"))), "{kind}: {told:?}");
    }
    assert!(!stage.told().contains(&"complained".to_owned()));
    assert_eq!(stage.relay().returned(feedback("abuse").as_bytes(), &[]).await, Ok(true));
    stage.settle().await;
    assert_eq!(stage.states(), ["complained"]);
    assert!(stage.told().contains(&"complained".to_owned()));
}
