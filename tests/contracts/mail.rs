//! SES: a raw message goes to the envelope's recipients as it is.

use aws_sdk_sesv2::{
    primitives::Blob,
    types::{Destination, EmailContent, MessageTag, RawMessage},
};

use crate::{contracts, place::Place};

contracts![a_raw_message_is_read_back, the_envelope_says_who_gets_it, every_sending_is_a_mail];

pub const FROM: &str = "holdpoint@holdpoint.example.com";

fn message(to: &str, subject: &str) -> Vec<u8> {
    let lines = [
        &format!("From: Holdpoint <{FROM}>"),
        &format!("To: {to}"),
        &format!("Subject: {subject}"),
        "MIME-Version: 1.0",
        "Auto-Submitted: auto-generated",
        "Content-Type: multipart/mixed; boundary=\"outer\"",
        "",
        "--outer",
        "Content-Type: multipart/alternative; boundary=\"inner\"",
        "",
        "--inner",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "was 15:00=E2=80=9316:00, now 16:00",
        "--inner",
        "Content-Type: text/html; charset=utf-8",
        "Content-Transfer-Encoding: base64",
        "",
        "PHA+d2FzIDE1OjAw4oCTMTY6MDA8L3A+",
        "--inner",
        "Content-Type: text/calendar; method=REQUEST; charset=utf-8",
        "",
        "BEGIN:VCALENDAR",
        "END:VCALENDAR",
        "--inner--",
        "--outer--",
        "",
    ];
    lines.join("\r\n").into_bytes()
}

async fn send(place: &Place, to: &str, raw: Vec<u8>) -> String {
    let raw = RawMessage::builder().data(Blob::new(raw)).build().expect("a message");
    let answer = place
        .mailer
        .send_email()
        .from_email_address(FROM)
        .destination(Destination::builder().to_addresses(to).build())
        .content(EmailContent::builder().raw(raw).build())
        .email_tags(MessageTag::builder().name("review").value("RR-1").build().expect("a tag"))
        .send()
        .await;
    answer.expect("taken").message_id.expect("an id")
}

async fn a_raw_message_is_read_back(place: Place) {
    let id = send(&place, "read@example.com", message("read@example.com", "=?utf-8?Q?Review_=E2=80=93_moved?=")).await;
    let mails = place.mails_to("read@example.com").await;
    let [mail] = &mails[..] else { panic!("expected one mail, found {mails:?}") };
    assert_eq!((mail.message_id.as_str(), mail.from.as_str()), (id.as_str(), FROM));
    assert_eq!(mail.subject, "Review \u{2013} moved");
    assert_eq!(mail.text.trim(), "was 15:00\u{2013}16:00, now 16:00");
    assert_eq!(mail.html.trim(), "<p>was 15:00\u{2013}16:00</p>");
}

async fn the_envelope_says_who_gets_it(place: Place) {
    send(&place, "envelope@example.com", message("header@example.com", "x")).await;
    assert_eq!(place.mails_to("envelope@example.com").await.len(), 1);
    assert!(place.mails_to("header@example.com").await.is_empty());
}

async fn every_sending_is_a_mail(place: Place) {
    // SES has no idempotency: what is sent twice arrives twice. Telling once is the claim's business.
    let raw = message("twice@example.com", "x");
    let (first, second) =
        (send(&place, "twice@example.com", raw.clone()).await, send(&place, "twice@example.com", raw).await);
    assert_ne!(first, second);
    assert_eq!(place.mails_to("twice@example.com").await.len(), 2);
}
