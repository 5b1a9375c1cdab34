//! What one function tells the next. A message is a hint to look: what counts is what the store says.

use serde::{Deserialize, Serialize};

use crate::{
    Instant, ReviewId, TraceId,
    base::instant::SECOND,
    facts::{operator::ResendRequest, reply::ReceivedReply},
    record::{
        delivery::DeliveryReport,
        lineage::Trigger,
        review::{Head, Review},
    },
};

/// To `refresh`: an event touched this review, or time did.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RefreshRequested {
    /// The review to look at.
    pub review: ReviewId,
    /// `None` from a tick: time leaves no mark of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
    /// When the request was made.
    pub at: Instant,
    /// Of an event that comes again: when it was first accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_accepted: Option<Instant>,
    /// Asked by another review, which shares people whose seats it changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub seats: bool,
}

impl RefreshRequested {
    /// By another review whose seats changed. `asker`: the HEAD in which they did.
    pub fn by_seats(review: ReviewId, asker: &Head) -> Self {
        Self { review, trigger: None, at: asker.at, first_accepted: None, seats: true }
    }

    /// The event to be decided on for `review`, as it was read; `None` for a review that was never issued. A repeated
    /// event decides nothing for a review that was issued after the event was first accepted: the review was issued
    /// with that fact. The facts are looked at all the same.
    pub fn counts_for(&self, review: Option<&Review>) -> Option<&Trigger> {
        let repeated = |issued: Instant| self.first_accepted.is_some_and(|first| first <= issued);
        let said = review.is_some_and(|review| repeated(review.issued.made_at));
        self.trigger.as_ref().filter(|_| !said)
    }
}

/// To `refresh`: the mailer says what became of a message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MailReported {
    /// The review that the mail was about.
    pub review: ReviewId,
    /// What the mailer says.
    pub reported: DeliveryReport,
}

/// To `refresh`: somebody sent something back by mail.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MailReplied {
    /// The review that the reply is about.
    pub review: ReviewId,
    /// What was sent.
    pub reply: ReceivedReply,
    /// The event that said so. It counts once.
    pub trigger: Trigger,
    /// When the reply arrived.
    pub arrived: Instant,
}

/// To `refresh`: an operator asks that somebody is mailed once more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ResendRequested {
    /// The review that the mail is about.
    pub review: ReviewId,
    /// Whom the mail is for, who asks, and why.
    pub resend: ResendRequest,
    /// The event that said so. It counts once.
    pub trigger: Trigger,
    /// When the event arrived.
    pub arrived: Instant,
}

/// Whatever comes to `refresh`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ToRefresh {
    /// An event or time touched a review.
    Requested(RefreshRequested),
    /// The mailer reported on a mail.
    Reported(MailReported),
    /// Somebody replied by mail.
    Replied(Box<MailReplied>),
    /// An operator asks that somebody is mailed once more.
    Resend(Box<ResendRequested>),
}

impl ToRefresh {
    /// They are told apart by the member that only one of them has. A worker from before there were reports finds no
    /// `at` in a report. Such a worker hands the message back, until a newer one takes it.
    ///
    /// # Errors
    ///
    /// The text is no message of this queue.
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        let message: serde_json::Value = serde_json::from_str(text)?;
        if message.get("reported").is_some() {
            serde_json::from_value(message).map(Self::Reported)
        } else if message.get("reply").is_some() {
            serde_json::from_value(message).map(|replied| Self::Replied(Box::new(replied)))
        } else if message.get("resend").is_some() {
            serde_json::from_value(message).map(|asked| Self::Resend(Box::new(asked)))
        } else {
            serde_json::from_value(message).map(Self::Requested)
        }
    }

    /// The review that the message is about.
    pub const fn review(&self) -> &ReviewId {
        match self {
            Self::Requested(request) => &request.review,
            Self::Reported(report) => &report.review,
            Self::Replied(replied) => &replied.review,
            Self::Resend(asked) => &asked.review,
        }
    }
}

/// To `notify`: somebody may be owed a notice. One message a review, however many people.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NoticesDue {
    /// The review whose readers may be owed something.
    pub review: ReviewId,
    /// When they may be told.
    pub at: Instant,
    /// What made them due, for the log of whoever cannot even read HEAD. `None` from a tick, which reads no HEAD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceId>,
}

impl NoticesDue {
    /// The message for a HEAD; `None` where nobody is to be told anything.
    pub fn of(head: &Head) -> Option<Self> {
        head.notices_at.map(|at| Self { review: head.review.clone(), at, trace: head.trace })
    }

    /// The message for the end of the quiet period, where something else is due before.
    pub fn after_quiet(head: &Head) -> Option<Self> {
        let at = head.quiet_until.filter(|until| head.notices_at.is_some_and(|at| at < *until))?;
        Some(Self { review: head.review.clone(), at, trace: head.trace })
    }

    /// The delay of a message that shall arrive at `at`, in whole seconds, rounded up; `None` where that is farther off
    /// than `longest`: a tick finds it then.
    pub fn delay(&self, now: Instant, longest: u32) -> Option<u32> {
        let seconds = (self.at.since(now).max(0) + SECOND - 1) / SECOND;
        u32::try_from(seconds).ok().filter(|seconds| *seconds <= longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Person,
        record::delivery::{Delivery, DeliveryStatus},
    };

    fn reported() -> MailReported {
        let at = Instant::parse("2026-11-03T09:00:00Z").unwrap();
        let status = DeliveryStatus::Rejected { reason: "Bad content".to_owned() };
        let delivery = Delivery { message_id: "m1".to_owned(), mailed_at: at, at, status };
        let to = Person::parse("a@example.com").unwrap();
        MailReported {
            review: ReviewId::parse("RR-1").unwrap(),
            reported: DeliveryReport { to, delivery, trace: TraceId::from_bytes([7; 16]) },
        }
    }

    #[test]
    fn what_comes_to_refresh_is_told_apart_and_old_messages_read() {
        let old = r#"{"review":"RR-1","at":"2026-11-03T09:00:00Z"}"#;
        let Ok(ToRefresh::Requested(request)) = ToRefresh::read(old) else { panic!("{old}: expected a request") };
        assert_eq!((request.review.as_str(), &request.trigger), ("RR-1", &None));
        let text = serde_json::to_string(&reported()).unwrap();
        assert_eq!(ToRefresh::read(&text).unwrap(), ToRefresh::Reported(reported()));
    }

    #[test]
    fn a_worker_from_before_there_were_resends_refuses_one() {
        let resend = serde_json::json!({ "person": "a@example.com", "by": "op@example.com", "reason": "spam" });
        let trigger = serde_json::json!({
            "source": "//operator.example.com", "id": "r1", "event_type": "dev.holdpoint.resend.requested.v1",
            "subject": { "resend": ["RR-1", "a@example.com"] }, "revision": 0, "disposition": "applied",
        });
        let message = serde_json::json!({
            "review": "RR-1", "resend": resend, "trigger": trigger, "arrived": "2026-11-03T09:00:00Z",
        });
        let text = message.to_string();
        let Ok(ToRefresh::Resend(asked)) = ToRefresh::read(&text) else { panic!("{text}: expected a resend") };
        assert_eq!(serde_json::to_value(&asked).unwrap(), message);
        assert!(serde_json::from_str::<RefreshRequested>(&text).unwrap_err().to_string().contains("`at`"));
    }

    /// During a deployment the message goes back to the queue: an older worker must not take it for a request.
    #[test]
    fn a_worker_from_before_there_were_reports_refuses_one() {
        let text = serde_json::to_string(&reported()).unwrap();
        assert!(serde_json::from_str::<RefreshRequested>(&text).unwrap_err().to_string().contains("`at`"));
    }
}
