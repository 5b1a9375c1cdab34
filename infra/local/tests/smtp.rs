//! Mail out by a real mail server, Exim as Debian ships it: STARTTLS by a root of our own, a login, and readers whose mail
//! is taken, put off, or refused.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use holdpoint::{
    engine::{Engine, Settings},
    mailbox::{Excerpt, Outgoing},
    relay::{Login, Secret, Security, Smtp},
};
use lambda_shell::clock::Clock;

mod exim;

use exim::Exim;

const PASSWORD: &str = "correct horse";

/// Mail is taken from those who log in, and kept; some readers' mail is put off or refused.
fn keeping(folder: &Path) -> String {
    let place = folder.display();
    format!(
        r#"
tls_advertise_hosts = *
tls_certificate = {place}/server.pem
tls_privatekey = {place}/server.key
auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}
acl_smtp_rcpt = rcpt
acl_smtp_data = data
begin acl
rcpt:
  deny !authenticated = * 
       message = log in first
  deny local_parts = nobody
       message = 5.1.1 no such mailbox
  defer local_parts = full
       message = 4.2.2 mailbox full
  defer local_parts = grey
       condition = ${{if exists{{{place}/seen}}{{no}}{{yes}}}}
       message = 4.7.1 greylisted, come again
  accept
data:
  deny condition = ${{if match{{$h_subject:}}{{unwanted}}{{yes}}{{no}}}}
       message = 5.7.1 content refused
  accept
begin routers
all:
  driver = accept
  transport = kept
begin transports
kept:
  driver = appendfile
  directory = {place}/mail
  maildir_format
  user = Debian-exim
begin retry
* * F,1h,1m
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${{if and{{{{eq{{$auth2}}{{holdpoint}}}}{{eq{{$auth3}}{{{PASSWORD}}}}}}}}}
  server_set_id = $auth2
"#
    )
}

/// An engine whose mail leaves by the server, on a clock that the test turns.
struct Stage {
    engine: Engine,
    hand: Arc<AtomicI64>,
}

const START: i64 = 1_793_700_000_000;

impl Stage {
    async fn of(exim: &Exim, password: &str, roots: bool) -> Self {
        let file = exim.folder.join("password");
        fs::write(&file, password).unwrap();
        let relay = Smtp {
            host: "localhost".to_owned(),
            port: exim.port,
            security: Security::StartTls,
            login: Some(Login { user: "holdpoint".to_owned(), password: Secret::File(file) }),
            hello: "holdpoint.example.com".to_owned(),
            time_out: Duration::from_secs(20),
            connections: 2,
            per_second: 100,
            give_up_after: Duration::from_secs(6 * 3_600),
            roots: roots.then(|| exim.folder.join("root.pem")),
        };
        let hand = Arc::new(AtomicI64::new(START));
        let settings = Settings { relay: Some(relay), ..Settings::in_memory(include_str!("../../policy.json")) };
        Self { engine: Engine::open(settings, Clock::steered(hand.clone())).await.unwrap(), hand }
    }

    async fn mail(&self, to: &str, subject: &str) {
        let raw = format!(
            "From: a@example.com\r\nTo: {to}@example.com\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n.dot and Übung\r\n"
        );
        let outgoing = Outgoing {
            from: "a@example.com".to_owned(),
            to: vec![format!("{to}@example.com")],
            tags: Vec::new(),
            raw: raw.into_bytes(),
        };
        self.engine.mailbox().send(outgoing).await.unwrap();
    }

    async fn after(&self, minutes: i64) -> Vec<String> {
        self.hand.fetch_add(minutes * 60_000, Ordering::SeqCst);
        self.engine.relay().unwrap().drain().await.unwrap();
        let mails = self.engine.mailbox().headlines(Excerpt::default()).unwrap();
        mails.into_iter().rev().filter_map(|mail| mail.state).collect()
    }
}

#[tokio::test]
async fn a_real_server_takes_puts_off_and_refuses() {
    let exim = Exim::start("way", keeping);
    let stage = Stage::of(&exim, PASSWORD, true).await;
    for (to, subject) in [("ada", "fine"), ("nobody", "fine"), ("full", "fine"), ("grey", "fine"), ("bob", "unwanted")]
    {
        stage.mail(to, subject).await;
    }
    assert_eq!(stage.after(0).await, ["sent", "bounced", "waiting", "waiting", "bounced"], "{}", exim.log());
    fs::write(exim.folder.join("seen"), "").unwrap();
    assert_eq!(stage.after(5).await[3], "sent", "{}", exim.log());
    for _ in 0..8 {
        stage.after(60).await;
    }
    assert_eq!(stage.after(0).await, ["sent", "bounced", "bounced", "sent", "bounced"]);
    for reader in ["ada", "grey"] {
        exim.wait("the mail is delivered", || !exim.delivered(reader).is_empty());
        let mails = exim.delivered(reader);
        assert_eq!(mails.len(), 1, "{mails:?}");
        assert!(mails[0].contains(".dot and Übung"), "{}", mails[0]);
        assert!(mails[0].contains("with esmtpsa"), "encrypted and logged in: {}", mails[0]);
    }
    assert!(exim.delivered("nobody").is_empty() && exim.delivered("bob").is_empty());
}

/// Nothing bounces because our own settings are wrong. The matter is said, and mended without a restart.
#[tokio::test]
async fn a_wrong_password_or_root_holds_the_mail() {
    let exim = Exim::start("wrong", keeping);
    let stage = Stage::of(&exim, "another", true).await;
    stage.mail("ada", "fine").await;
    assert_eq!(stage.after(0).await, ["waiting"]);
    let wrong = stage.engine.relay().unwrap().wrong(START).unwrap();
    assert!(wrong.contains("AUTH: 535"), "{wrong}");
    assert!(!wrong.contains("another"), "no secret is said: {wrong}");
    fs::write(exim.folder.join("password"), format!("{PASSWORD}\n")).unwrap();
    assert_eq!(stage.after(1).await, ["sent"], "{}", exim.log());

    let unknown = Stage::of(&exim, PASSWORD, false).await;
    unknown.mail("ada", "fine").await;
    assert_eq!(unknown.after(0).await, ["waiting"]);
    let wrong = unknown.engine.relay().unwrap().wrong(START).unwrap();
    assert!(wrong.contains("STARTTLS"), "{wrong}");
}

/// The server is killed with mail under way, and comes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_loses_no_mail() {
    let mut exim = Exim::start("dies", keeping);
    let stage = Stage::of(&exim, PASSWORD, true).await;
    for number in 0..20 {
        stage.mail(&format!("p{number}"), "fine").await;
    }
    let engine = stage.engine.clone();
    let draining = tokio::spawn(async move { engine.relay().unwrap().drain().await });
    let log = exim.folder.join("log/mainlog");
    exim.wait("the first mail is taken", || {
        fs::File::open(&log)
            .is_ok_and(|file| BufReader::new(file).lines().map_while(Result::ok).any(|line| line.contains("<= a@")))
    });
    exim.process.kill().unwrap();
    exim.process.wait().unwrap();
    draining.await.unwrap().unwrap();
    let (port, folder) = (exim.port, exim.folder.clone());
    exim.process =
        Command::new("exim4").arg("-C").arg(folder.join("exim.conf")).args(["-bdf", "-q1m"]).spawn().unwrap();
    exim.wait("the server is back", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    for _ in 0..6 {
        stage.after(60).await;
    }
    assert_eq!(stage.after(0).await, vec!["sent"; 20], "{}", exim.log());
    for number in 0..20 {
        let reader = format!("p{number}");
        exim.wait("every mail is delivered", || !exim.delivered(&reader).is_empty());
    }
}
