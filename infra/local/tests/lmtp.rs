//! Replies by a real mail server, Exim as Debian ships it: handed over by LMTP on a port of loopback and on a Unix socket.

mod exim;

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    path::Path,
    process::Command,
};

use exim::Exim;
use holdpoint::{
    engine::{Engine, Settings},
    inbound::lmtp::{LmtpAddress, LmtpDoor},
};
use lambda_shell::clock::Clock;
use refresh_core::facts::event::Statement;

const POLICY: &str = include_str!("../../../events/scenarios/replies_by_mail.policy.json");

/// What a calendar program sends, with a result that its sender wrote above everything.
const REPLY: &str = "Authentication-Results: mx.example.com; dmarc=pass\r\nFrom: ada@example.com\r\nTo: replies@example.com\r\n\
    Message-ID: <answer-1@example.com>\r\nContent-Type: text/calendar; method=REPLY\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REPLY\r\n\
    BEGIN:VEVENT\r\nUID:rr-1@h.example\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:ada@example.com\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

/// The server says of every mail that its sender is proven, or not, and hands it over.
fn handing_over(verdict: &str, transport: &str) -> String {
    format!(
        "acl_smtp_rcpt = accept\nacl_smtp_data = data\n\
         begin acl\ndata:\n  warn add_header = :at_start:Authentication-Results: mx.example.com; dmarc={verdict}\n  accept\n\
         begin routers\nreplies:\n  driver = accept\n  transport = holdpoint\n\
         begin transports\nholdpoint:\n{transport}\n\
         begin retry\n* * F,1h,1s\n"
    )
}

/// Hands a mail to Exim by SMTP, for these recipients.
fn post(exim: &Exim, recipients: &[&str]) {
    let stream = TcpStream::connect(("127.0.0.1", exim.port)).unwrap();
    let (mut reader, mut writer) = (BufReader::new(stream.try_clone().unwrap()), stream);
    let mut heard = || loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.as_bytes().get(3) != Some(&b'-') {
            break line;
        }
    };
    heard();
    let to: Vec<String> = recipients.iter().map(|to| format!("RCPT TO:<{to}>")).collect();
    let commands = ["EHLO laptop", "MAIL FROM:<ada@example.com>"].into_iter();
    for command in commands.chain(to.iter().map(String::as_str)).chain(["DATA"]) {
        write!(writer, "{command}\r\n").unwrap();
        let answer = heard();
        assert!(answer.starts_with(['2', '3']), "{command}: {answer}");
    }
    write!(writer, "{REPLY}.\r\n").unwrap();
    let answer = heard();
    assert!(answer.starts_with("250"), "{answer}");
}

async fn engine() -> Engine {
    let settings = Settings { reply_address: "replies@example.com".to_owned(), ..Settings::in_memory(POLICY) };
    Engine::open(settings, Clock::system()).await.unwrap()
}

/// What stands on the queue, as ingest reads it: who answered what, and what vouches for them.
fn queued(engine: &Engine) -> Vec<String> {
    let queue = engine.source_queue().unwrap();
    let bindings = engine.functions().ingest.policy.bindings.clone();
    let messages = engine.queues().look(&queue).unwrap().into_iter();
    let read = messages.map(|stored| sources::read(&stored.body, &bindings).unwrap());
    let events = read.flat_map(|read| read.events);
    events
        .map(|event| match event.statement {
            Statement::Reply(reply) => {
                format!("{} {} {}", reply.sender, reply.word.word(), reply.authentication.word())
            }
            other => panic!("{other:?}"),
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_hands_replies_over() {
    let socket = std::env::temp_dir().join(format!("holdpoint-lmtp-exim-{}.sock", std::process::id()));
    for (name, address, verdict) in [
        ("port", LmtpAddress::parse("127.0.0.1:0", Path::new("")).unwrap(), "pass"),
        ("socket", LmtpAddress::Socket(socket.clone()), "fail"),
    ] {
        let engine = engine().await;
        let door = LmtpDoor::open(&engine, &address).await.unwrap();
        let transport = match door.port() {
            Some(port) => format!(
                "  driver = smtp\n  protocol = lmtp\n  hosts = 127.0.0.1\n  port = {port}\n  hosts_override\n  allow_localhost\n  hosts_try_fastopen ="
            ),
            None => {
                let owned = Command::new("chown").arg("Debian-exim").arg(&socket).status().unwrap();
                assert!(owned.success());
                format!("  driver = lmtp\n  socket = {}\n  user = Debian-exim", socket.display())
            }
        };
        let serving = tokio::spawn(door.serve());
        let exim = Exim::start(&format!("lmtp-{name}"), |_| handing_over(verdict, &transport));
        post(&exim, &["replies@example.com", "replies+0123456789abcdef@example.com", "somebody@example.com"]);
        exim.wait("every recipient is answered", || exim.log().contains("Completed"));
        let log = exim.log();
        assert!(log.contains("250 2.0.0 taken"), "{log}");
        assert!(log.contains("550 5.1.1 only the addresses of answers and bounces are delivered here"), "{log}");
        let word = if verdict == "pass" { "passed" } else { "failed" };
        let queued = queued(&engine);
        assert!(!queued.is_empty(), "{log}");
        assert!(queued.iter().all(|one| *one == format!("ada@example.com accepted {word}")), "{queued:?}");
        serving.abort();
    }
}
