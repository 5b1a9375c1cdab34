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

/// Feedback on the message, of the type that the report says: a complaint, or something else, which the functions tell
/// apart.
pub fn feedback(mail: &Mail, to: &str, at: i64, feedback_type: &str) -> Value {
    let detail = json!({
        "complainedRecipients": [{ "emailAddress": to }], "complaintFeedbackType": feedback_type,
        "timestamp": Instant::from_millis(at).to_string(),
    });
    let mut event = event(mail, to, "Email Complaint Received", "Complaint", ("complaint", detail));
    if !sources::mail::is_complaint(feedback_type) {
        // A complaint that comes after it is another event.
        event["id"] = format!("{}-feedback-{feedback_type}", mail.message_id).into();
    }
    event
}
