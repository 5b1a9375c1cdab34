//! Conversations, word by word; then the same over sockets with an engine behind.

use super::{session::LARGEST, *};
use crate::engine::{Settings, virtual_time::VirtualTime};
use refresh_core::Instant as Moment;

const POLICY: &str = include_str!("../../../../../events/scenarios/replies_by_mail.policy.json");
const REPLIES: &str = "replies@example.com";

/// What the server answers to these bytes, in pieces of `piece`, and the mails that arrived.
fn talk(script: &str, piece: usize) -> (String, Vec<(Vec<String>, String)>) {
    let mut session = Session::new("h.example.com", &[REPLIES.to_owned(), "Bounces@example.com".to_owned()]);
    let (mut answers, mut mails) = (String::new(), Vec::new());
    for chunk in script.as_bytes().chunks(piece) {
        let mut bytes = chunk.iter();
        loop {
            match session.ingest(&mut bytes) {
                Said::More => break,
                Said::Answer(text) => answers.push_str(&text),
                Said::Last(text) => return (answers + &text, mails),
                Said::Mail(arrived) => {
                    let (settled, mail) = match arrived.mail {
                        Handed::Whole(bytes) => (Settled::Taken, String::from_utf8(bytes).unwrap()),
                        Handed::TooLarge(bytes) => (Settled::TooLarge, format!("{bytes} bytes")),
                    };
                    answers.push_str(&Session::settle(&arrived.recipients, &settled));
                    mails.push((arrived.recipients, mail));
                }
            }
        }
    }
    (answers, mails)
}

/// The codes of the answers to some lines after `LHLO`.
fn codes(lines: &str) -> String {
    let script = format!("LHLO mx\r\n{}\r\n", lines.replace('|', "\r\n"));
    let (answers, _) = talk(&script, 7);
    let codes: Vec<&str> = answers.lines().filter(|line| line.as_bytes()[3] == b' ').map(|line| &line[..3]).collect();
    codes[1..].join(" ")
}

/// One conversation a row, and the codes of its answers.
#[test]
fn every_command_is_answered_where_it_stands() {
    let to = "MAIL FROM:<a@example.com>|RCPT TO:<replies@example.com>";
    for (lines, expected) in [
        ("NOOP|RSET|VRFY a|QUIT", "250 250 252 221"),
        ("EHLO mx|HELO mx", "500 500"),
        ("STARTTLS|AUTH PLAIN|EXPN a|HELP", "502 502 502 502"),
        ("DANCE", "500"),
        ("RCPT TO:<replies@example.com>|DATA", "503 503"),
        ("MAIL FROM:<>|RCPT TO:<replies@example.com>", "250 250"),
        ("mail from:<A@example.com> SIZE=100 BODY=8BITMIME|rcpt to:<REPLIES@EXAMPLE.COM>", "250 250"),
        ("MAIL FROM:<a@example.com>|MAIL FROM:<b@example.com>", "250 503"),
        ("MAIL FROM:<a@example.com> SIZE=700000|RCPT TO:<replies@example.com>", "552 503"),
        ("MAIL FROM:<a@example.com> DANCE=1", "555"),
        ("MAIL a@example.com|MAIL FROM:<a@example.com>", "501 250"),
        ("MAIL FROM:<a@example.com>|RCPT TO:<replies+0123@example.com>", "250 250"),
        ("MAIL FROM:<>|RCPT TO:<bounces+7-0123@example.com>", "250 250"),
        ("MAIL FROM:<a@example.com>|RCPT TO:<other@example.com>|DATA", "250 550 503"),
        ("MAIL FROM:<a@example.com>|RCPT TO:<replies@example.org>", "250 550"),
        ("MAIL FROM:<a@example.com>|RCPT TO:<replies2@example.com>|RCPT TO:<replies>", "250 550 501"),
        (&format!("{to}|RSET|DATA"), "250 250 250 503"),
        (&format!("{to}|LHLO mx|DATA"), "250 250 250 503"),
        (&format!("{to}|DATA|Subject: x||x|."), "250 250 354 250"),
        (
            &format!("{to}|RCPT TO:<nobody@example.com>|RCPT TO:<replies+1@example.com>|DATA|x|."),
            "250 250 550 250 354 250 250",
        ),
        (&format!("{to}|DATA|x|.|{to}|DATA|y|.|QUIT"), "250 250 354 250 250 250 354 250 221"),
    ] {
        assert_eq!(codes(lines), expected, "{lines}");
    }
    assert!(talk("MAIL FROM:<a@example.com>\r\n", 100).0.starts_with("503 5.5.1 LHLO first"));
    let many = "RCPT TO:<replies@example.com>|".repeat(101);
    assert!(codes(&format!("MAIL FROM:<>|{many}NOOP")).ends_with("250 452 250"));
    let refused = codes(&"DANCE|".repeat(30));
    assert!(refused.ends_with("500 421") && refused.split(' ').count() == 21, "{refused}");
    assert_eq!(codes(&format!("NOOP {}|NOOP", "x".repeat(10_000))).split(' ').next_back(), Some("250"));
}

/// The same mail, however its bytes come in: dots doubled by the sender are single again, and nothing but a line with a
/// dot alone, between whole line ends, is the end.
#[test]
fn a_mail_is_whole_however_it_comes_in() {
    for (sent, expected) in [
        ("Subject: x\r\n\r\n..a\r\n.\r\n", "Subject: x\r\n\r\n.a\r\n"),
        (".\r\n", ""),
        ("..first\r\n.\r\n", ".first\r\n"),
        ("x\n.\nMAIL FROM:<b@example.com>\r\n.\r\n", "x\n.\nMAIL FROM:<b@example.com>\r\n"),
        ("x\r.\r\ny\r\n.\r\n", "x\r.\r\ny\r\n"),
        ("x\n.\r\ny\r\n.\r\n", "x\n.\r\ny\r\n"),
    ] {
        let script = format!(
            "LHLO mx\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<replies+9@example.com>\r\nDATA\r\n{sent}QUIT\r\n"
        );
        for piece in [1, 2, 3, 5, 10_000] {
            let (answers, mails) = talk(&script, piece);
            assert!(answers.ends_with("250 2.0.0 taken <replies+9@example.com>\r\n221 2.0.0 bye\r\n"), "{answers}");
            let whole = format!("Return-Path: <a@example.com>\r\n{expected}");
            assert_eq!(mails, [(vec!["replies+9@example.com".to_owned()], whole)], "{sent:?} by {piece}");
        }
    }
}

#[test]
fn a_mail_that_is_too_large_is_read_to_its_end_and_refused() {
    for (more, code) in [(0, "250"), (1, "552")] {
        let mail = "x".repeat(LARGEST - 2 + more) + "\r\n";
        let script = format!("LHLO mx\r\nMAIL FROM:<>\r\nRCPT TO:<replies@example.com>\r\nDATA\r\n{mail}.\r\nNOOP\r\n");
        for piece in [1_000, 16_384, 2_000_000] {
            let (answers, mails) = talk(&script, piece);
            let last: Vec<&str> = answers.lines().rev().take(2).collect();
            assert_eq!(last[0], "250 2.0.0 here");
            assert!(last[1].starts_with(code), "{}", last[1]);
            assert_eq!(mails.len(), 1);
        }
    }
}

async fn engine(replies: &str) -> VirtualTime {
    let settings = Settings { reply_address: replies.to_owned(), ..Settings::in_memory(POLICY) };
    VirtualTime::open(settings, Moment::parse("2026-11-03T09:00:00Z").unwrap()).await.unwrap()
}

/// Writes all of it, and reads until the server has nothing more to say.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, script: &str) -> String {
    stream.write_all(script.as_bytes()).await.unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    answers
}

const MAIL: &str = "LHLO mx\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<replies@example.com>\r\nRCPT TO:<replies+1@example.com>\r\nDATA\r\n\
    Authentication-Results: mx.example.com; dmarc=pass\r\nFrom: a@example.com\r\nMessage-ID: <1@example.com>\r\n\
    Content-Type: text/calendar; method=REPLY\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nUID:nobody@example.com\r\n\
    ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@example.com\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n.\r\nQUIT\r\n";

#[tokio::test]
async fn a_mail_by_a_socket_is_on_the_queue_before_its_answer_and_counts_once() {
    let mut time = engine(REPLIES).await;
    let door = LmtpDoor::open(time.engine(), &LmtpAddress::parse("127.0.0.1:0", Path::new("")).unwrap()).await.unwrap();
    let port = door.port().unwrap();
    let serving = tokio::spawn(door.serve());
    for reason in ["\"unknown_subject\"", "\"duplicate\""] {
        let answers = converse(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap(), MAIL).await;
        assert_eq!(answers.matches("250 2.0.0 taken").count(), 2, "one answer a recipient: {answers}");
        assert_eq!(super::super::tests::became(&mut time).await, [reason]);
    }
    serving.abort();
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_is_its_group_s_and_one_left_behind_is_nobodys() {
    let time = engine(REPLIES).await;
    let path = std::env::temp_dir().join(format!("holdpoint-lmtp-{}.sock", std::process::id()));
    let address = LmtpAddress::Socket(path.clone());
    // As an engine that was killed leaves it.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let door = LmtpDoor::open(time.engine(), &address).await.unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    let serving = tokio::spawn(door.serve());
    let taken = LmtpDoor::open(time.engine(), &address).await.err().unwrap();
    assert!(taken.contains("another program answers there"), "{taken}");
    let answers = converse(tokio::net::UnixStream::connect(&path).await.unwrap(), MAIL).await;
    assert_eq!(answers.matches("250 2.0.0 taken").count(), 2, "{answers}");
    serving.abort();
    let _ = serving.await;
    assert!(!path.exists(), "the socket goes with the door");
}

#[tokio::test]
async fn a_door_that_leads_nowhere_is_refused_by_name() {
    let address = LmtpAddress::parse("127.0.0.1:0", Path::new("")).unwrap();
    let nobody = LmtpDoor::open(engine("").await.engine(), &address).await.err().unwrap();
    assert!(nobody.contains("--reply-address"), "{nobody}");
    let story = include_str!("../../../../../events/scenarios/story.policy.json");
    let settings = Settings { reply_address: REPLIES.to_owned(), ..Settings::in_memory(story) };
    let unbound = VirtualTime::open(settings, Moment::parse("2026-11-03T09:00:00Z").unwrap()).await.unwrap();
    let refused = LmtpDoor::open(unbound.engine(), &address).await.err().unwrap();
    assert!(refused.contains("--lmtp: expected one binding for mail.received"), "{refused}");
    for (text, expected) in
        [("0.0.0.0:24", "nobody vouches"), ("24", "the path of a Unix socket"), ("mx:24", "loopback")]
    {
        let refused = LmtpAddress::parse(text, Path::new("")).unwrap_err();
        assert!(refused.contains(expected), "{text}: {refused}");
    }
}

/// A door and one end of a conversation with it, without a socket.
async fn visited(
    room: usize,
) -> (VirtualTime, LmtpDoor, tokio::io::DuplexStream, tokio::task::JoinHandle<std::io::Result<()>>) {
    let time = engine(REPLIES).await;
    let door = LmtpDoor::open(time.engine(), &LmtpAddress::parse("127.0.0.1:0", Path::new("")).unwrap()).await.unwrap();
    let (ours, theirs) = tokio::io::duplex(room);
    let visitors = door.visitors.clone();
    let talking = tokio::spawn(async move {
        let mut theirs = theirs;
        visitors.talk(&mut theirs).await
    });
    (time, door, ours, talking)
}

/// Says `first` at once, then one byte after another with a pause before each, until the server ends the conversation.
/// Answers what it said last, and after how long.
async fn dawdle(first: &str, byte: u8, pause: Duration) -> (String, Duration) {
    let (_time, _door, ours, talking) = visited(64 * 1_024).await;
    let begun = Instant::now();
    let (mut reader, mut writer) = tokio::io::split(ours);
    writer.write_all(first.as_bytes()).await.unwrap();
    let writing = tokio::spawn(async move {
        loop {
            tokio::time::sleep(pause).await;
            if writer.write_all(&[byte]).await.is_err() {
                return;
            }
        }
    });
    let mut said = String::new();
    reader.read_to_string(&mut said).await.unwrap();
    let lasted = begun.elapsed();
    drop(reader);
    talking.await.unwrap().unwrap();
    writing.abort();
    (said.lines().last().unwrap_or_default().to_owned(), lasted)
}

const BEFORE_DATA: &str = "LHLO mx\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<replies@example.com>\r\nDATA\r\n";

/// Who says nothing, who says a command byte by byte, who stops in the middle of a mail, and whose mail has no end: each
/// is told so, and gives its place back.
#[tokio::test(start_paused = true)]
async fn a_conversation_that_does_not_go_on_is_ended() {
    let never = Duration::from_secs(100_000);
    for (first, pause, lasts) in [
        ("", never, SILENCE),
        ("LHLO mx\r\n", never, SILENCE),
        ("LHLO mx\r\nMAIL FROM:<a@exam", never, SILENCE),
        ("", Duration::from_secs(7), SILENCE),
        (BEFORE_DATA, never, SILENCE),
        (BEFORE_DATA, Duration::from_secs(250), WHOLE_MAIL),
    ] {
        let (last, lasted) = dawdle(first, b'x', pause).await;
        assert!(last.starts_with("421 4.4.2"), "{first:?}: {last}");
        assert!(lasted >= lasts && lasted < lasts + Duration::from_secs(1), "{first:?} with {pause:?}: {lasted:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_take_an_answer_is_left() {
    let (_time, _door, mut ours, talking) = visited(16).await;
    let begun = Instant::now();
    let asking = tokio::spawn(async move {
        let _ = ours.write_all("NOOP\r\n".repeat(1_000).as_bytes()).await;
        std::future::pending::<()>().await;
        drop(ours);
    });
    let broken = talking.await.unwrap().unwrap_err();
    assert_eq!((broken.kind(), begun.elapsed()), (std::io::ErrorKind::TimedOut, UNHEARD));
    asking.abort();
}

/// A mail far over the limit, a few bytes at a time: read to its end, refused by its size, and the conversation goes on.
#[tokio::test]
async fn a_huge_mail_holds_up_nothing_after_it() {
    let (mut time, _door, ours, talking) = visited(1_000).await;
    let (mut reader, mut writer) = tokio::io::split(ours);
    let mail =
        format!("{BEFORE_DATA}{}.\r\n{}", "x".repeat(70).repeat(60_000) + "\r\n", MAIL.split_once("\r\n").unwrap().1);
    let writing = tokio::spawn(async move { writer.write_all(mail.as_bytes()).await });
    let mut said = String::new();
    reader.read_to_string(&mut said).await.unwrap();
    writing.await.unwrap().unwrap();
    talking.await.unwrap().unwrap();
    let after: Vec<&str> = said.lines().skip_while(|line| !line.starts_with("552")).collect();
    assert!(after.len() > 1 && after.iter().filter(|line| line.starts_with("250 2.0.0 taken")).count() == 2, "{said}");
    assert_eq!(super::super::tests::became(&mut time).await, ["\"unknown_subject\""]);
}

/// More conversations than there is room for are told to come again; whoever comes when one has ended is let in.
#[tokio::test]
async fn a_door_that_is_full_says_so() {
    let time = engine(REPLIES).await;
    let door = LmtpDoor::open(time.engine(), &LmtpAddress::parse("127.0.0.1:0", Path::new("")).unwrap()).await.unwrap();
    let port = door.port().unwrap();
    let serving = tokio::spawn(door.serve());
    let come = || async {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut first = [0; 4];
        stream.read_exact(&mut first).await.unwrap();
        (stream, String::from_utf8(first.to_vec()).unwrap())
    };
    let mut inside = Vec::new();
    for _ in 0..MOST_CONVERSATIONS {
        let (stream, code) = come().await;
        assert_eq!(code, "220 ");
        inside.push(stream);
    }
    assert_eq!(come().await.1, "421 ");
    drop(inside);
    while come().await.1 != "220 " {}
    serving.abort();
}

/// What is wrong with the door stands among what an operator must see to, until the door works again.
#[cfg(unix)]
#[tokio::test]
async fn a_door_that_fails_is_seen_in_health() {
    let time = engine(REPLIES).await;
    let path = std::env::temp_dir().join(format!("holdpoint-lmtp-gone-{}.sock", std::process::id()));
    let mut door = LmtpDoor::open(time.engine(), &LmtpAddress::Socket(path.clone())).await.unwrap();
    let wrong = || async { time.engine().wrong().await };
    assert_eq!(wrong().await, [""; 0]);
    door.note(Err(std::io::Error::other("too many open files"))).unwrap_err();
    door.note(Err(std::io::Error::other("still too many open files"))).unwrap_err();
    assert_eq!(wrong().await, ["no mail comes in by LMTP since 2026-11-03T09:00:00Z: still too many open files"]);
    door.note(Ok(())).unwrap();
    assert_eq!(wrong().await, [""; 0]);
    // Somebody took the socket's file away: there is a new one.
    std::fs::remove_file(&path).unwrap();
    door.listen_again().await.unwrap();
    let serving = tokio::spawn(door.serve());
    let answers = converse(tokio::net::UnixStream::connect(&path).await.unwrap(), MAIL).await;
    assert_eq!(answers.matches("250 2.0.0 taken").count(), 2, "{answers}");
    // A policy that binds no answers any more: the mail server keeps the mail, and an operator hears of it.
    let story = include_str!("../../../../../events/scenarios/story.policy.json");
    let settings = time.engine().settings().clone();
    time.engine().renew(Settings { policy: story.to_owned(), ..settings.clone() }).unwrap();
    let answers = converse(tokio::net::UnixStream::connect(&path).await.unwrap(), MAIL).await;
    assert_eq!(answers.matches("451 4.3.0").count(), 2, "{answers}");
    let said = wrong().await;
    assert!(said.len() == 1 && said[0].starts_with("a mail by LMTP could not be kept since"), "{said:?}");
    time.engine().renew(settings.clone()).unwrap();
    converse(tokio::net::UnixStream::connect(&path).await.unwrap(), MAIL).await;
    assert_eq!(wrong().await, [""; 0]);
    serving.abort();
}

/// A reload changes the address of answers: an open door goes by the new one, from the next conversation on.
#[tokio::test]
async fn an_open_door_delivers_to_the_address_that_the_settings_have_now() {
    let time = engine(REPLIES).await;
    let door = LmtpDoor::open(time.engine(), &LmtpAddress::parse("127.0.0.1:0", Path::new("")).unwrap()).await.unwrap();
    let port = door.port().unwrap();
    let serving = tokio::spawn(door.serve());
    let taken = async |address: &str| {
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let script = format!("LHLO mx\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<{address}>\r\nQUIT\r\n");
        converse(stream, &script).await.contains("250 2.1.5 recipient")
    };
    let settings = time.engine().settings().clone();
    let renewed = |reply_address: &str| {
        let reply_address = reply_address.to_owned();
        time.engine().renew(Settings { reply_address, ..settings.clone() }).unwrap();
    };
    let other = "answers@example.com";
    assert_eq!((taken(REPLIES).await, taken(other).await), (true, false));
    renewed(other);
    assert_eq!(
        (taken(REPLIES).await, taken(other).await, taken("answers+0123@example.com").await),
        (false, true, true)
    );
    renewed("");
    assert_eq!((taken(REPLIES).await, taken(other).await), (false, false), "nobody is delivered here any more");
    renewed(REPLIES);
    assert!(taken(REPLIES).await);
    serving.abort();
}
