//! The mailer's mailbox simulator: mail to certain addresses comes to a known end, and the mailer reports it.
//!
//! | address at `simulator.amazonses.com` | what becomes of the mail |
//! |---|---|
//! | `success` | delivered |
//! | `bounce` | bounces for good |
//! | `ooto` | delivered, and answered automatically, which comes back as a soft bounce |
//! | `complaint` | delivered, and then its reader complains |
//! | `suppressionlist` | not even tried: the address is on the list of those that bounced before |
//! | `reject` | refused when it is handed in (this engine's own: the service has no address for that) |
//!
//! A label may follow: `bounce+sre@...` is another mailbox. All other mail is kept, and nothing is reported of it.

use refresh_core::Instant;
use serde_json::{Value, json};

use crate::mailbox::Mail;

const DOMAIN: &str = "simulator.amazonses.com";

/// The simulator's mailbox that an address names.
fn mailbox(address: &str) -> Option<&str> {
    let (local, domain) = address.split_once('@')?;
    (domain == DOMAIN).then(|| local.split('+').next().unwrap_or(local))
}

/// Whether a message to this address is refused.
pub fn refuses(address: &str) -> bool {
    mailbox(address) == Some("reject")
}

/// The events that the service would put on the bus, as EventBridge hands them over.
pub fn reports(mail: &Mail) -> Vec<Value> {
    mail.to.iter().flat_map(|to| of(mail, to)).collect()
}

fn of(mail: &Mail, to: &str) -> Vec<Value> {
    let at = Instant::from_millis(mail.at).to_string();
    let delivered = || {
        let detail =
            json!({ "timestamp": at, "processingTimeMillis": 100, "recipients": [to], "smtpResponse": "250 OK" });
        event(mail, to, "Email Delivered", "Delivery", ("delivery", detail))
    };
    let bounced = |kind: &str, sub: &str| {
        let recipients = json!([{ "emailAddress": to, "action": "failed", "status": "5.1.1" }]);
        let detail =
            json!({ "bounceType": kind, "bounceSubType": sub, "bouncedRecipients": recipients, "timestamp": at });
        event(mail, to, "Email Bounced", "Bounce", ("bounce", detail))
    };
    match mailbox(to) {
        Some("success") => vec![delivered()],
        Some("bounce") => vec![bounced("Permanent", "General")],
        Some("suppressionlist") => vec![bounced("Permanent", "Suppressed")],
        Some("ooto") => vec![delivered(), bounced("Transient", "General")],
        Some("complaint") => {
            let detail = json!({ "complainedRecipients": [{ "emailAddress": to }], "timestamp": at });
            vec![delivered(), event(mail, to, "Email Complaint Received", "Complaint", ("complaint", detail))]
        }
        _ => Vec::new(),
    }
}

/// An event of the mailer as EventBridge hands it over.
pub fn event(mail: &Mail, to: &str, kind: &str, event_type: &str, (member, detail): (&str, Value)) -> Value {
    let tags: serde_json::Map<String, Value> =
        mail.tags.iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
    let at = Instant::from_millis(mail.at).to_string();
    let mut whole = json!({
        "eventType": event_type,
        "mail": {
            "timestamp": at, "source": mail.from, "messageId": mail.message_id, "destination": [to], "tags": tags,
        },
    });
    whole[member] = detail;
    json!({
        "version": "0", "id": format!("{}-{}", mail.message_id, event_type.to_lowercase()), "detail-type": kind,
        "source": "aws.ses", "account": "000000000000", "time": at, "region": "local", "resources": [],
        "detail": whole,
    })
}

#[cfg(test)]
mod tests {
    use refresh_core::{ReviewId, base::fingerprint::ReviewFingerprint};

    use super::*;

    fn fingerprint() -> ReviewFingerprint {
        ReviewFingerprint::of(&ReviewId::parse("RR-1").expect("an id"))
    }

    fn mail(to: &str) -> Mail {
        let tag = sources::mail::review_tag(fingerprint());
        Mail {
            number: 1,
            message_id: "local-1".to_owned(),
            at: 1_793_700_000_000,
            from: "holdpoint@example.com".to_owned(),
            to: vec![to.to_owned()],
            tags: vec![(sources::mail::REVIEW_TAG.to_owned(), tag)],
            raw: Vec::new(),
        }
    }

    /// What the simulator says is what production's reader reads.
    #[test]
    fn every_mailbox_reports_its_end() {
        for (name, expected) in [
            ("success", "delivered"),
            ("bounce", "bounced"),
            ("bounce+sre", "bounced"),
            ("suppressionlist", "suppressed"),
            ("ooto", "delivered bounced_for_now"),
            ("complaint", "delivered complained"),
            ("reject", ""),
            ("ada", ""),
        ] {
            let to = format!("{name}@{DOMAIN}");
            let words = reports(&mail(&to)).into_iter().map(|event| match sources::mail::read(&event) {
                Ok(sources::mail::ReadReport::Report(report)) => {
                    assert_eq!((report.report.to.as_str(), report.review), (to.as_str(), fingerprint()));
                    report.report.delivery.status.word()
                }
                other => panic!("{name}: {other:?}"),
            });
            assert_eq!(words.collect::<Vec<_>>().join(" "), expected, "{name}");
        }
        assert!(reports(&mail("bounce@example.com")).is_empty());
        assert!(refuses("reject@simulator.amazonses.com") && !refuses("reject@example.com"));
    }
}
