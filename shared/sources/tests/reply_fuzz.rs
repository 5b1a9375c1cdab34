//! Huge, deep and spoilt mails: each ends, and none whose sender nothing vouches for is taken for a proven sender's.

#[path = "common/mails.rs"]
mod mails;

use base64::{Engine, engine::general_purpose::STANDARD};
use mails::{PASS, SENDER, YES, accepted, calendar, came, crlf, event, mail, said, taken, usual};
use refresh_core::facts::{event::Statement, reply::ReplyWord};
use serde_json::json;
use sources::{LARGEST_MAIL, read};

#[test]
fn huge_and_deep_mails_end() {
    let huge = mail(PASS, &accepted()) + &"x".repeat(LARGEST_MAIL);
    assert!(said(&huge).starts_with("skipped: a mail of "), "{}", said(&huge));
    let deep: String =
        (0..3_000).map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n")).collect();
    let deep = format!("{PASS}From: {SENDER}\n{deep}Content-Type: text/calendar; method=REPLY\n\n{}", accepted());
    let said_of_deep = said(&deep);
    assert!(said_of_deep == YES || said_of_deep.starts_with("skipped: "), "{said_of_deep}");
    let nested: String = (0..2_000).map(|_| "Content-Type: message/rfc822\n\n").collect();
    assert!(said(&format!("{PASS}From: {SENDER}\n{nested}x")).starts_with("skipped: "));
    let events: String = (0..5_000)
        .map(|n| event("ATTENDEE;PARTSTAT=ACCEPTED:mailto:ada@example.com").replace("rr-1@", &format!("rr-{n}@")))
        .collect();
    let many = taken(crlf(&mail(PASS, &calendar("REPLY", &events))).as_bytes(), "r@h.example", &usual());
    assert!(many.events.len() <= 10, "{}", many.events.len());
    let too_large = json!({"format": "mail.received", "body": {"bytes": 90_000_000}});
    let read = read(&too_large.to_string(), &usual()).expect("a mail that is too large is no fault");
    assert_eq!(came(&read), format!("skipped: a mail of 90000000 bytes; at most {LARGEST_MAIL} are read"));
}

/// SplitMix64: the same on every machine.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A fixed number of spoilt mails. None is refused, none panics, and none whose sender nothing vouched for is taken for
/// a proven sender's.
#[test]
fn spoilt_mails_are_read_or_skipped() {
    const PIECES: [&str; 14] = [
        "\n",
        "\n\n",
        "--b\n",
        "--b--\n",
        "From: eve@evil.example\n",
        "Authentication-Results: mx.example.com; dmarc=pass\n",
        "=",
        "\u{0}",
        "BEGIN:VEVENT\n",
        "END:VCALENDAR\n",
        "PARTSTAT=ACCEPTED",
        "Content-Type: message/rfc822\n\n",
        "\u{ff}",
        ";",
    ];
    let unproven = format!("Received: by mx.example.com\n{}", mail("", &accepted()));
    let multi = format!(
        "Received: by mx.example.com\nFrom: {SENDER}\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/calendar; method=REPLY\nContent-Transfer-Encoding: base64\n\n{}\n--b--\n",
        STANDARD.encode(crlf(&accepted()))
    );
    let (mut state, mut answers) = (0x5eed_u64, 0);
    let bindings = usual();
    for input in 0..2_000 {
        let mut raw = crlf(if input % 2 == 0 { &unproven } else { &multi }).into_bytes();
        // What the receiving server puts on top is not the sender's to spoil.
        let top = raw.iter().position(|byte| *byte == b'\n').unwrap_or(0) + 1;
        for _ in 0..=next(&mut state) % 4 {
            let at = top + (next(&mut state) as usize) % (raw.len() - top).max(1);
            match next(&mut state) % 4 {
                0 => raw.truncate(at.max(top + 1)),
                1 => {
                    let last = raw.len() - 1;
                    raw[at.min(last)] = next(&mut state) as u8;
                }
                2 => {
                    let piece = PIECES[(next(&mut state) as usize) % PIECES.len()];
                    raw.splice(at..at, piece.bytes());
                }
                _ => {
                    let end = (at + (next(&mut state) as usize) % 40).min(raw.len());
                    raw.drain(at..end);
                }
            }
            if raw.len() <= top {
                break;
            }
        }
        let read = taken(&raw, "r+00112233445566778899aabbccddeeff@h.example", &bindings);
        let said = read.events.len() + read.skipped.len();
        assert!(said > 0 && read.refused.is_empty(), "input {input}: {}", String::from_utf8_lossy(&raw));
        for event in &read.events {
            let Statement::Reply(reply) = &event.statement else { panic!("{event:?}") };
            assert_ne!(reply.authentication.word(), "passed", "input {input}: {}", String::from_utf8_lossy(&raw));
            answers += usize::from(reply.word == ReplyWord::Accepted);
        }
    }
    assert!(answers > 200, "{answers} of the spoilt mails are still read as answers");
}
