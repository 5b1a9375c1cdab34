//! What the functions hear of a mail that left: the events that SES would put on the bus.

use refresh_core::Instant;
use serde_json::{Value, json};

use crate::{connector::simulator::event, mailbox::Mail};

/// The next server took the message.
pub fn delivered(mail: &Mail, to: &str, at: i64, said: &str) -> Value {
    let detail = json!({
        "timestamp": Instant::from_millis(at).to_string(),
        "processingTimeMillis": at.saturating_sub(mail.at).max(0), "recipients": [to], "smtpResponse": said,
    });
    event(mail, to, "Email Delivered", "Delivery", ("delivery", detail))
}

/// Nobody took the message, and nobody will.
pub fn bounced(mail: &Mail, to: &str, at: i64, said: &str) -> Value {
    let recipients = json!([{ "emailAddress": to, "action": "failed", "diagnosticCode": format!("smtp; {said}") }]);
    let detail = json!({
        "bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": recipients,
        "timestamp": Instant::from_millis(at).to_string(),
    });
    event(mail, to, "Email Bounced", "Bounce", ("bounce", detail))
}

/// The message has waited long, and is still tried.
pub fn delayed(mail: &Mail, to: &str, at: i64, said: &str) -> Value {
    let recipients = json!([{ "emailAddress": to, "diagnosticCode": format!("smtp; {said}") }]);
    let detail = json!({
        "delayType": "General", "delayedRecipients": recipients, "timestamp": Instant::from_millis(at).to_string(),
    });
    event(mail, to, "Email Delivery Delayed", "DeliveryDelay", ("deliveryDelay", detail))
}

/// The reader called the message unwanted.
pub fn complained(mail: &Mail, to: &str, at: i64) -> Value {
    let detail = json!({
        "complainedRecipients": [{ "emailAddress": to }], "complaintFeedbackType": "abuse",
        "timestamp": Instant::from_millis(at).to_string(),
    });
    event(mail, to, "Email Complaint Received", "Complaint", ("complaint", detail))
}
