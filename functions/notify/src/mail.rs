//! One mail: the reader's names and zone, the signed link, the composed message, and the mailer's answer.

use std::collections::BTreeMap;

use aws_sdk_sesv2::{
    error::ProvideErrorMetadata,
    primitives::Blob,
    types::{Destination, EmailContent, MessageTag, RawMessage},
};
use decisions::Doing;
use lambda_shell::Failure;
use presentation::{
    link::{self, LinkSubject, Token},
    mail::{self, Letter, Letterhead},
};
use refresh_core::{
    Person, ReviewId,
    audience::reading::Reading,
    base::{
        fingerprint::{PersonFingerprint, ProposalFingerprint, ReviewFingerprint, RowFingerprint},
        instant::{MINUTE, SECOND},
    },
    facts::fact::Facts,
    record::{
        delivery::DeliveryStatus,
        notice::{LinkTo, Notice},
    },
};

use sources::mail::{REVIEW_TAG, TRACE_TAG, review_tag};

use crate::Env;

/// What the mailer said.
pub enum MailAccepted {
    /// Its id of the message.
    Message(String),
    /// It will never send this message.
    Never(DeliveryStatus),
    /// It takes nothing for a while.
    Wait(Wait),
}

/// Why the mailer takes nothing now, the gravest last. What is owed stays owed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Wait {
    /// Too many a second.
    SlowDown,
    /// The day's quota is used up; it frees itself hour by hour.
    Quota,
    /// Sending is paused, or something that every mail needs is missing: somebody must see to it.
    Stopped,
}

impl Wait {
    pub const fn millis(self) -> i64 {
        match self {
            Self::SlowDown => 30 * SECOND,
            Self::Quota => 15 * MINUTE,
            Self::Stopped => 5 * MINUTE,
        }
    }
}

pub async fn send(
    env: &Env,
    id: &ReviewId,
    notice: &Notice,
    letter: Letter,
    claimed_by: &str,
) -> Result<MailAccepted, Failure> {
    let tag = |name: &str, value: &str| {
        // Tag values take letters, digits, `-` and `_` alone.
        let plain: String = value.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(200).collect();
        MessageTag::builder().name(name).value(plain).build().doing("tagging a mail")
    };
    let mut tags = vec![
        tag("review", id.as_str())?,
        tag("version", &notice.version.to_string())?,
        tag("claim", claimed_by)?,
        // The others are for people who look for a mail; this one and the trace lead the mailer's reports back.
        tag(REVIEW_TAG, &review_tag(ReviewFingerprint::of(id)))?,
    ];
    if let Some(trace) = notice.trace {
        tags.push(tag(TRACE_TAG, &trace.to_string())?);
    }
    let message = RawMessage::builder().data(Blob::new(letter.bytes)).build().doing("wrapping a mail")?;
    let sent = env
        .mailer
        .send_email()
        .from_email_address(env.postage.from.as_str())
        // The envelope is ours: whatever a header might say, this one person gets the message.
        .destination(Destination::builder().to_addresses(letter.to.as_str()).build())
        .content(EmailContent::builder().raw(message).build())
        .set_email_tags(Some(tags))
        .set_configuration_set_name(env.postage.configuration_set.clone())
        .send()
        .await;
    match sent {
        Ok(sent) => Ok(MailAccepted::Message(sent.message_id.unwrap_or_default())),
        Err(error) => {
            let error = error.into_service_error();
            let (code, message) = (error.code().unwrap_or_default(), error.message().unwrap_or_default());
            match answer(code, message, env.postage.from.as_str()) {
                Some(accepted) => Ok(accepted),
                None => Err(Failure::new("handing a mail to the mailer", error)),
            }
        }
    }
}

/// What an error of the mailer means for this mail and for the next; `None`: nothing is known, so it is tried again.
fn answer(code: &str, message: &str, from: &str) -> Option<MailAccepted> {
    Some(match code {
        // The rate and the day's quota come under the same code.
        "TooManyRequestsException" | "Throttling" | "ThrottlingException" if !message.contains("quota") => {
            MailAccepted::Wait(Wait::SlowDown)
        }
        "TooManyRequestsException" | "Throttling" | "ThrottlingException" | "LimitExceededException" => {
            MailAccepted::Wait(Wait::Quota)
        }
        // The configuration set is what is not found.
        "SendingPausedException"
        | "AccountSuspendedException"
        | "MailFromDomainNotVerifiedException"
        | "NotFoundException" => MailAccepted::Wait(Wait::Stopped),
        // Our own address is in every mail: it is not this one that is wrong.
        "MessageRejected" if message.to_lowercase().contains(from) => MailAccepted::Wait(Wait::Stopped),
        "MessageRejected" | "BadRequestException" => MailAccepted::Never(DeliveryStatus::rejected(message)),
        _ => return None,
    })
}

/// The mail of a notice, from profiles of everybody whom its reader's view holds. What cannot be a mail now cannot be one
/// the next time either. The error says so, names no address and repeats no text of others.
pub fn compose(env: &Env, reading: &Reading<'_>, profiles: &Facts, notice: &Notice) -> Result<Letter, DeliveryStatus> {
    let (terms, mut known) = (reading.terms, reading.known_to(&notice.to));
    // The difference may name somebody who has left the review by now. The reader knows that person.
    known.extend(notice.people());
    let name =
        |person: &Person| profiles.profile(person).map_or_else(|| person.to_string(), |found| found.name.clone());
    let names: BTreeMap<Person, String> = known
        .into_iter()
        .map(|person| {
            let name = name(&person);
            (person, name)
        })
        .collect();
    let letterhead = Letterhead {
        review: reading.review.head.review.clone(),
        title: terms.title.clone(),
        reader_name: name(&notice.to),
        reader_zone: profiles.profile(&notice.to).map_or(terms.time_zone, |profile| profile.time_zone),
        from: env.postage.from.clone(),
        replies: env.postage.replies.clone(),
        mail_domain: env.postage.mail_domain.clone(),
        meeting: terms.meeting.clone(),
        link: notice.link.map(|to| signed(env, reading, notice, to)),
        names,
    };
    mail::compose(notice, &letterhead).map_err(|fault| DeliveryStatus::unmailable(&fault.to_string()))
}

fn signed(env: &Env, reading: &Reading<'_>, notice: &Notice, to: LinkTo) -> String {
    let postage = &env.postage;
    let (base, subject, expires_at) = match to {
        LinkTo::Adopt { proposal, expires_at } => {
            let proposal = ProposalFingerprint::of_digest(&proposal);
            (&postage.adopt_link_base, LinkSubject::Proposal(proposal), expires_at)
        }
        LinkTo::Acknowledge { row, expires_at } => {
            let row = RowFingerprint::of_digest(&row);
            (&postage.acknowledge_link_base, LinkSubject::Row(row), expires_at)
        }
    };
    let token = Token {
        review: ReviewFingerprint::of(&reading.review.head.review),
        person: PersonFingerprint::of(&notice.to),
        subject,
        expires_at,
        trace: notice.trace,
    };
    let nonce = link::nonce(&token, &postage.keys, notice.at);
    link::url(base, subject.purpose(), &link::sign(&token, &postage.keys, nonce))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: &str = "holdpoint@example.com";

    fn said(code: &str, message: &str) -> String {
        match answer(code, message, FROM) {
            Some(MailAccepted::Wait(wait)) => format!("{wait:?}"),
            Some(MailAccepted::Never(status)) => format!("{}: {}", status.word(), status.reason().unwrap_or_default()),
            Some(MailAccepted::Message(id)) => format!("accepted: {id}"),
            None => "again".to_owned(),
        }
    }

    #[test]
    fn every_answer_of_the_mailer_has_its_meaning() {
        let unverified = "Email address is not verified. The following identities failed the check in region X: ";
        for (code, message, expected) in [
            ("TooManyRequestsException", "Maximum sending rate exceeded.", "SlowDown"),
            ("Throttling", "Maximum sending rate exceeded.", "SlowDown"),
            ("TooManyRequestsException", "Daily message quota exceeded.", "Quota"),
            ("LimitExceededException", "", "Quota"),
            ("SendingPausedException", "", "Stopped"),
            ("AccountSuspendedException", "", "Stopped"),
            ("MailFromDomainNotVerifiedException", "", "Stopped"),
            ("NotFoundException", "Configuration set <x> does not exist.", "Stopped"),
            ("MessageRejected", &format!("{unverified}Holdpoint@example.com"), "Stopped"),
            ("MessageRejected", &format!("{unverified}a@example.com"), &format!("rejected: {unverified}a@example.com")),
            ("BadRequestException", "Missing final '@domain'", "rejected: Missing final '@domain'"),
            ("InternalServiceErrorException", "", "again"),
            ("AccessDeniedException", "", "again"),
            ("", "", "again"),
        ] {
            assert_eq!(said(code, message), expected, "{code}: {message}");
        }
    }
}
