//! What the mailer (SES) reports of a message of ours, as EventBridge hands it over.
//!
//! Of all it says, six things are read: which message, to whom, for which review, under which trace, what became of it,
//! and when. Headers, the receiving server's own words and the recipients it names (another address, where mail is
//! forwarded) have no place here.

use refresh_core::{
    EventId, Person, Source, TraceId,
    base::fingerprint::ReviewFingerprint,
    facts::event::Identity,
    record::delivery::{Delivery, DeliveryReport, DeliveryStatus},
};
use serde_json::Value;

use crate::{
    fault::Refused,
    reader::{Faults, Node, Object},
};

/// The `source` of every event of SES on the bus. Only AWS may put such a one there.
pub const SOURCE: &str = "aws.ses";
/// The message tag that leads back to the review: its fingerprint, since a name may be longer than a tag, and of letters
/// that a tag has none for.
pub const REVIEW_TAG: &str = "holdpoint-review";

/// The message tag with the trace that the message goes on.
pub const TRACE_TAG: &str = "trace";

/// The tag's value for a review.
pub fn review_tag(review: ReviewFingerprint) -> String {
    review.to_string()
}

/// One report on one message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MailReport {
    /// The bus's: a report has no other.
    pub identity: Identity,
    /// `Email Bounced` and the like.
    pub event_type: String,
    /// The review whose mail it was.
    pub review: ReviewFingerprint,
    /// What became of the message.
    pub report: DeliveryReport,
}

/// What an event of the mailer came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReadReport {
    /// A report on a message of ours.
    Report(MailReport),
    /// Nothing that is followed, with the reason.
    Skipped(String),
}

#[derive(Clone, Copy)]
enum ReportKind {
    Bounce,
    Complaint,
    Delivery,
    Reject,
    Delay,
}

const KINDS: [(&str, ReportKind); 5] = [
    ("Email Bounced", ReportKind::Bounce),
    ("Email Complaint Received", ReportKind::Complaint),
    ("Email Delivered", ReportKind::Delivery),
    ("Email Rejected", ReportKind::Reject),
    ("Email Delivery Delayed", ReportKind::Delay),
];

/// Whether this is an event of the mailer on the bus.
pub fn is_of_the_mailer(value: &Value) -> bool {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    text("source") == Some(SOURCE) && text("detail-type").is_some() && value.get("detail").is_some()
}

/// Reads one.
///
/// # Errors
/// [`Refused`] with every fault in it.
pub fn read(value: &Value) -> Result<ReadReport, Refused> {
    let event_type = value.get("detail-type").and_then(Value::as_str).unwrap_or_default();
    let Some((_, kind)) = KINDS.iter().find(|(name, _)| *name == event_type) else {
        return Ok(ReadReport::Skipped("an event of the mailer that is no report on a message's way".to_owned()));
    };
    let tags = value.pointer("/detail/mail/tags");
    if tags.is_some_and(|tags| tags.is_object() && tags.get(REVIEW_TAG).is_none()) {
        return Ok(ReadReport::Skipped(format!("a report on a mail without the tag {REVIEW_TAG}: it is not of ours")));
    }
    if let Some(why) = no_complaint(value, *kind) {
        return Ok(ReadReport::Skipped(why));
    }
    let faults = Faults::default();
    let mut identity = None;
    let report = Node::root(value, "$", &faults).object().and_then(|event| {
        let id = event.must("id", |node| node.parsed(EventId::parse));
        identity = id.zip(Source::parse(SOURCE).ok()).map(|(id, source)| Identity { source, id });
        let report = report(&event, *kind);
        Some((identity.clone()?, report?))
    });
    match report.filter(|_| faults.is_empty()) {
        Some((identity, (review, report))) => {
            Ok(ReadReport::Report(MailReport { identity, event_type: event_type.to_owned(), review, report }))
        }
        None => {
            let event_type = Some(event_type.into());
            Err(Refused { identity, event_type, trace: None, origin: None, faults: faults.into_vec() })
        }
    }
}

fn report(event: &Object<'_>, kind: ReportKind) -> Option<(ReviewFingerprint, DeliveryReport)> {
    // A rejection has no time of its own.
    let reported = event.must("time", |node| node.instant());
    let detail = event.must("detail", |node| {
        let detail = node.object()?;
        let mail = detail.must("mail", |node| mail(&node.object()?));
        let became = became(&detail, kind);
        Some((mail?, became?))
    });
    let (mail, (status, at)) = detail?;
    let at = at.or(reported)?;
    let delivery = Delivery { message_id: mail.message_id, mailed_at: mail.mailed_at, at, status };
    Some((mail.review, DeliveryReport { to: mail.to, delivery, trace: mail.trace }))
}

struct ReportedMail {
    message_id: String,
    mailed_at: refresh_core::Instant,
    to: Person,
    review: ReviewFingerprint,
    trace: Option<TraceId>,
}

fn mail(mail: &Object<'_>) -> Option<ReportedMail> {
    let message_id = mail.must("messageId", |node| node.prose(200));
    let mailed_at = mail.must("timestamp", |node| node.instant());
    // Every mail of ours is to one person. The recipients of a bounce may be others: those a mailbox forwards to.
    let to = mail.must("destination", |node| only(node, |node| node.parsed(Person::parse)));
    let tags = mail.must("tags", |node| {
        let tags = node.object()?;
        let review = tags.must(REVIEW_TAG, |node| only(node, |node| node.parsed(fingerprint)));
        Some((review?, trace(&tags)))
    });
    let (review, trace) = tags?;
    Some(ReportedMail { message_id: message_id?, mailed_at: mailed_at?, to: to?, review, trace })
}

/// Nothing is decided by it, so what is none of ours is none: a bounce counts whoever changed the tag beside it.
fn trace(tags: &Object<'_>) -> Option<TraceId> {
    tags.may(TRACE_TAG, |node| match node.value().as_array()?.as_slice() {
        [value] => TraceId::parse(value.as_str()?),
        _ => None,
    })?
}

/// The one item of a list that has one.
fn only<T>(node: &Node<'_>, read: impl Fn(&Node<'_>) -> Option<T>) -> Option<T> {
    let mut items = node.list(1, read)?;
    items.pop().or_else(|| node.wrong("a list of one"))
}

fn fingerprint(text: &str) -> Result<ReviewFingerprint, String> {
    ReviewFingerprint::parse(text).ok_or_else(|| "32 hexadecimal digits".to_owned())
}

/// What became of the message, and when where the report says.
fn became(detail: &Object<'_>, kind: ReportKind) -> Option<(DeliveryStatus, Option<refresh_core::Instant>)> {
    let timed = |name: &str, read: fn(&Object<'_>) -> Option<DeliveryStatus>| {
        detail.must(name, |node| {
            let object = node.object()?;
            let at = object.must("timestamp", |node| node.instant());
            let status = read(&object);
            Some((status?, Some(at?)))
        })
    };
    match kind {
        ReportKind::Bounce => timed("bounce", bounce),
        ReportKind::Complaint => timed("complaint", complaint),
        ReportKind::Delivery => timed("delivery", |_| Some(DeliveryStatus::Delivered)),
        ReportKind::Delay => timed("deliveryDelay", |_| Some(DeliveryStatus::Delayed)),
        ReportKind::Reject => detail.must("reject", |node| {
            let reason = node.object()?.must("reason", |node| node.text_owned())?;
            Some((DeliveryStatus::rejected(&reason), None))
        }),
    }
}

/// Only `Permanent` says that the address is no good; `Undetermined` says that nobody knows.
fn bounce(bounce: &Object<'_>) -> Option<DeliveryStatus> {
    let permanent = bounce
        .must("bounceType", |node| node.word(&[("Permanent", true), ("Transient", false), ("Undetermined", false)]));
    let kind = bounce.must("bounceSubType", |node| node.text_owned());
    Some(match (permanent?, kind?.as_str()) {
        (_, "Suppressed" | "OnAccountSuppressionList") => DeliveryStatus::Suppressed,
        (true, _) => DeliveryStatus::Bounced,
        (false, _) => DeliveryStatus::BouncedForNow,
    })
}

/// The mailer also reports mail that it did not send to somebody who complained before.
fn complaint(complaint: &Object<'_>) -> Option<DeliveryStatus> {
    let kind = complaint.may("complaintSubType", |node| node.text_owned());
    let feedback = complaint.may("complaintFeedbackType", |node| node.text_owned());
    let suppressed = kind?.as_deref() == Some(SUPPRESSED_BEFORE);
    feedback.map(|_| if suppressed { DeliveryStatus::Suppressed } else { DeliveryStatus::Complained })
}

/// The mail was not sent, since its reader complained of an earlier one.
const SUPPRESSED_BEFORE: &str = "OnAccountSuppressionList";
/// The types of feedback that call a message unwanted (RFC 5965). Of those that IANA lists beside them, `not-spam`
/// (RFC 6430) says the opposite, `auth-failure` (RFC 6591) speaks of the sender's domain, and `other` of nothing known.
const COMPLAINTS: [&str; 3] = ["abuse", "fraud", "virus"];
/// Characters of a feedback type that are told.
const LONGEST_FEEDBACK_TYPE: usize = 40;

/// Whether feedback of this type is a reader's complaint. A complaint silences its reader for good, so what is not known
/// to be one is none.
pub fn is_complaint(feedback_type: &str) -> bool {
    COMPLAINTS.iter().any(|known| known.eq_ignore_ascii_case(feedback_type.trim()))
}

/// Why what the mailer hands over as a complaint is none. Where it says no type, the mailer's own word stands.
fn no_complaint(event: &Value, kind: ReportKind) -> Option<String> {
    let complaint = event.pointer("/detail/complaint").filter(|_| matches!(kind, ReportKind::Complaint))?;
    let feedback = complaint.get("complaintFeedbackType").and_then(Value::as_str)?;
    let suppressed = complaint.get("complaintSubType").and_then(Value::as_str) == Some(SUPPRESSED_BEFORE);
    if suppressed || is_complaint(feedback) {
        return None;
    }
    let letter = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let feedback: String = feedback.trim().to_ascii_lowercase().chars().filter(letter).collect();
    let feedback: String = feedback.chars().take(LONGEST_FEEDBACK_TYPE).collect();
    let said = match feedback.as_str() {
        "not-spam" => "a reader says that a mail of ours is wanted",
        "auth-failure" => "a mail of ours did not authenticate; see to SPF, DKIM and DMARC of the sender's domain",
        _ => "a mail system reports on a mail of ours, and no reader is known to complain",
    };
    Some(format!("{said} (feedback type {})", if feedback.is_empty() { "none" } else { &feedback }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn trace_of(tag: Value) -> Option<String> {
        let text = include_str!("../../../events/ingest/mail_bounced.json");
        let mut event: Value = serde_json::from_str(text).expect("the sample");
        event["detail"]["mail"]["tags"][TRACE_TAG] = tag;
        match read(&event) {
            Ok(ReadReport::Report(report)) => report.report.trace.map(|trace| trace.to_string()),
            other => panic!("{event}: expected a report whatever its trace, found {other:?}"),
        }
    }

    #[test]
    fn a_report_goes_on_its_mails_trace_and_counts_without_one() {
        assert_eq!(trace_of(json!([TRACE])).as_deref(), Some(TRACE));
        let upper = TRACE.to_uppercase();
        for none in [
            json!(null),
            json!([]),
            json!(TRACE),
            json!([TRACE, TRACE]),
            json!(["x"]),
            json!([7]),
            json!([upper]),
            json!(["0".repeat(32)]),
        ] {
            assert_eq!(trace_of(none.clone()), None, "{none}");
        }
    }

    fn complaint_of(feedback: Value, kind: Value) -> Result<ReadReport, Refused> {
        let text = include_str!("../../../events/ingest/mail_complaint.json");
        let mut event: Value = serde_json::from_str(text).expect("the sample");
        event["detail"]["complaint"]["complaintFeedbackType"] = feedback;
        event["detail"]["complaint"]["complaintSubType"] = kind;
        read(&event)
    }

    /// The whole of IANA's list, what is on none, and what a mailer says of a complaint without a type.
    #[test]
    fn only_a_readers_complaint_is_a_complaint() {
        let status = |feedback: Value, kind: Value| match complaint_of(feedback, kind) {
            Ok(ReadReport::Report(report)) => report.report.delivery.status.word().to_owned(),
            Ok(ReadReport::Skipped(why)) => why,
            Err(refused) => refused.faults[0].to_string(),
        };
        for complaint in [json!("abuse"), json!("Fraud"), json!(" virus"), json!(null)] {
            assert_eq!(status(complaint.clone(), json!(null)), "complained", "{complaint}");
        }
        for (other, told) in [
            ("not-spam", "a mail of ours is wanted (feedback type not-spam)"),
            ("Auth-Failure", "of the sender's domain (feedback type auth-failure)"),
            ("other", "no reader is known to complain (feedback type other)"),
            ("opt-out", "no reader is known to complain (feedback type opt-out)"),
            ("a\nb<c>", "no reader is known to complain (feedback type abc)"),
            ("", "no reader is known to complain (feedback type none)"),
        ] {
            let found = status(json!(other), json!(null));
            assert!(found.ends_with(told), "{other}: {found}");
        }
        // Nothing was sent, whatever the word on an earlier mail.
        assert_eq!(status(json!("not-spam"), json!(SUPPRESSED_BEFORE)), "suppressed");
        assert!(status(json!(7), json!(null)).contains("complaintFeedbackType"));
    }

    #[test]
    fn a_tag_reads_back() {
        for review in [[0; 16], [0xff; 16], [0x5c; 16]].map(ReviewFingerprint::from_bytes) {
            assert_eq!(fingerprint(&review_tag(review)), Ok(review));
        }
        for bad in ["", "00", &"g".repeat(32), &"+".repeat(32), &"0".repeat(33)] {
            assert!(fingerprint(bad).is_err(), "{bad:?}");
        }
    }
}
