//! Mails that people send back: what calendar programs answer (RFC 5546 over RFC 6047), and what people write.
//!
//! A mail comes from the outside, and anybody can write one. So a bad mail is no fault of a source: it is skipped, with
//! its reason, and is never kept whole. Whether the sender is proven is the receiving service's word alone: the verdict
//! of SES beside the mail, or the topmost `Authentication-Results` of the deployment's own server.

mod html;
mod itip;
mod letter;
mod results;
mod words;

use base64::{Engine, engine::general_purpose::STANDARD};
use refresh_core::{
    Person,
    base::fingerprint::ReviewFingerprint,
    facts::reply::{Authentication, ReplyWord},
};
use serde_json::{Map, Value, json};

use super::{
    binding::{ReplyBinding, Says},
    input::Input,
};
use crate::{contract::REPLY_RECEIVED, reader::Node};
use itip::CalendarReply;
use letter::{HandedOver, ReceivedMail};

/// Bytes of a mail that is read: in Base64 it still fits into a message of the queue.
pub const LARGEST_MAIL: usize = 700_000;
/// Recipients of one delivery.
const MOST_RECIPIENTS: usize = 1_000;

/// What the receiving service says of a mail, beside it.
enum SenderVerdict {
    /// The mail's own headers say so, by a server of the deployment.
    InHeaders,
    Said(Authentication),
}

/// A mail as Amazon SES hands it to a topic.
pub fn ses(input: &mut Input<'_>) -> Option<()> {
    let notification = input.payload.object()?;
    if notification.peek("notificationType").and_then(Value::as_str) != Some("Received") {
        input.skip("a notification of SES that hands over no received mail");
        return Some(());
    }
    let receipt = notification.must("receipt", |node| {
        let receipt = node.object()?;
        let recipients = receipt.must("recipients", recipients);
        let word = |name: &str| {
            let status = receipt.peek(name).and_then(|verdict| verdict.get("status"));
            status.and_then(Value::as_str).map(str::to_ascii_uppercase)
        };
        let encoding = receipt.peek("action").and_then(|action| action.get("encoding")).and_then(Value::as_str);
        let base64 = encoding.is_some_and(|encoding| encoding.eq_ignore_ascii_case("base64"));
        let infected = word("virusVerdict").as_deref() == Some("FAIL");
        let spam = word("spamVerdict").as_deref() == Some("FAIL");
        Some((recipients?, dmarc(word("dmarcVerdict").as_deref()), base64, infected, spam))
    });
    let content = notification.must("content", |node| node.text_owned());
    let (recipients, authentication, base64, infected, spam) = receipt?;
    let content = content?;
    if infected {
        input.skip("a mail in which SES found a virus");
        return Some(());
    }
    if spam && authentication != Authentication::Passed {
        input.skip("a mail that SES takes for spam, of a sender that nothing vouches for");
        return Some(());
    }
    let raw = if base64 {
        let Ok(raw) = STANDARD.decode(&content) else {
            return notification.must("content", |node| node.wrong_as("Base64, as `encoding` says", "something else"));
        };
        raw
    } else {
        content.as_bytes().to_vec()
    };
    read(input, &raw, &recipients, &SenderVerdict::Said(authentication))
}

/// A mail as a door of this machine takes it: `{"mail": Base64, "recipients"}`, or `{"bytes"}` of one too large to take.
pub fn received(input: &mut Input<'_>) -> Option<()> {
    let door = input.payload.object()?;
    if let Some(bytes) = door.may("bytes", |node| node.whole(0..=i64::MAX))? {
        input.skip(format!("a mail of {bytes} bytes; at most {LARGEST_MAIL} are read"));
        return Some(());
    }
    let recipients = door.may("recipients", recipients);
    let raw = door.must("mail", |node| match STANDARD.decode(node.text()?) {
        Ok(raw) => Some(raw),
        Err(_) => node.wrong_as("a mail in Base64", "something else"),
    });
    let recipients = recipients?.unwrap_or_default();
    read(input, &raw?, &recipients, &SenderVerdict::InHeaders)
}

fn recipients(node: &Node<'_>) -> Option<Vec<String>> {
    node.list(MOST_RECIPIENTS, |node| node.text_owned())
}

/// `GRAY` is a domain without a policy. Whatever is no word of SES's says nothing.
fn dmarc(status: Option<&str>) -> Authentication {
    match status {
        Some("PASS") => Authentication::Passed,
        Some("FAIL") => Authentication::Failed,
        Some("GRAY") => Authentication::NoPolicy,
        Some("PROCESSING_FAILED") => Authentication::Unavailable,
        _ => Authentication::Missing,
    }
}

/// The binding that speaks of received mails, if any.
fn bound<'a>(input: &Input<'a>) -> Option<&'a ReplyBinding> {
    input.bindings().find_map(|binding| match &binding.says {
        Says::Reply(reply) => Some(reply),
        _ => None,
    })
}

fn read(input: &mut Input<'_>, raw: &[u8], recipients: &[String], verdict: &SenderVerdict) -> Option<()> {
    let Some(binding) = bound(input) else {
        input.skip(format!("a mail, and no binding for {} in the policy's `native` list", input.format.word()));
        return Some(());
    };
    if raw.len() > LARGEST_MAIL {
        input.skip(format!("a mail of {} bytes; at most {LARGEST_MAIL} are read", raw.len()));
        return Some(());
    }
    let letter = match ReceivedMail::read(raw) {
        Ok(letter) => letter,
        Err(why) => {
            input.skip(why);
            return Some(());
        }
    };
    if letter.is_report {
        input.skip("a report on the way of another mail: a bounce or a receipt");
        return Some(());
    }
    let authentication = match verdict {
        SenderVerdict::Said(authentication) => *authentication,
        SenderVerdict::InHeaders => results::authentication(&letter.headers, binding.authserv.as_ref(), &letter.sender),
    };
    let mail = ReadLetter { letter: &letter, authentication, binding };
    let replies = itip::read(&letter.calendars, &letter.sender);
    if replies.is_empty() {
        mail.plain(input, recipients);
    }
    for reply in &replies {
        mail.calendar(input, reply);
    }
    Some(())
}

/// One mail whose sender is known by name.
struct ReadLetter<'a> {
    letter: &'a ReceivedMail,
    authentication: Authentication,
    binding: &'a ReplyBinding,
}

impl ReadLetter<'_> {
    /// What every reply says.
    fn said(&self, word: ReplyWord) -> Map<String, Value> {
        let mut said = Map::new();
        said.insert("from".to_owned(), self.letter.sender.as_str().into());
        said.insert("authentication".to_owned(), self.authentication.word().into());
        said.insert("word".to_owned(), word.word().into());
        said
    }

    fn emit(&self, input: &mut Input<'_>, said: Map<String, Value>) {
        input.emit(&self.binding.source, self.letter.message_id.as_deref(), REPLY_RECEIVED, Value::Object(said));
    }

    /// The answer of a calendar program.
    fn calendar(&self, input: &mut Input<'_>, reply: &CalendarReply) {
        let mut said = self.said(reply.word);
        said.insert("uid".to_owned(), reply.uid.as_str().into());
        said.insert("sequence".to_owned(), reply.sequence.into());
        // A program that answers answers for nobody. A mail that a person's press of a button sends is generated too,
        // and says `auto-generated`; it is that person's.
        if self.letter.replied_by_itself || self.letter.through_a_list || self.letter.answers_to_nobody {
            said.insert("automatic".to_owned(), true.into());
        }
        let (attendee, sent_by) = match &self.letter.handed_over {
            HandedOver::BySender => (reply.attendee.as_ref(), reply.sent_by.as_ref()),
            HandedOver::By(by) => (reply.attendee.as_ref(), Some(by)),
            HandedOver::Unknown => (None, reply.sent_by.as_ref()),
        };
        for (name, person) in [("attendee", attendee), ("sent_by", sent_by)] {
            let person = person.map(Person::as_str);
            said.extend(person.map(|person| (name.to_owned(), person.into())));
        }
        said.extend(reply.stamped_at.map(|at| ("stamped_at".to_owned(), at.to_string().into())));
        let slot = reply.proposed.map(|slot| json!({"start": slot.start.to_string(), "end": slot.end.to_string()}));
        said.extend(slot.map(|slot| ("proposed".to_owned(), slot)));
        said.extend(reply.text.clone().map(|text| ("text".to_owned(), text.into())));
        self.emit(input, said);
    }

    /// A mail without an answer of a calendar program: what a person wrote, if a person wrote it, of the review that the
    /// address names.
    fn plain(&self, input: &mut Input<'_>, recipients: &[String]) {
        let letter = self.letter;
        let why = match () {
            () if letter.answers_to_nobody => "a mail that nobody may answer: a bounce or a notification",
            () if letter.replied_by_itself || letter.generated => "an automatic reply: nobody wrote it",
            () if letter.through_a_list => "a mail through a list, without an answer of a calendar program",
            () => "",
        };
        if !why.is_empty() {
            return input.skip(why);
        }
        // A maildir says no recipient beside the mail; then the headers say to whom it went.
        let said = ["delivered-to", "x-original-to", "to", "cc"];
        let headers = letter.headers.iter().filter(|(name, _)| said.contains(&name.as_str()));
        let written = headers.flat_map(|(_, value)| value.split(|c: char| c.is_whitespace() || ",;<>\"".contains(c)));
        let named = recipients
            .iter()
            .map(String::as_str)
            .chain(written)
            .find_map(|address| Some((address, named_in(address)?)));
        let Some((ours, review)) = named else {
            let why = "a mail without an answer of a calendar program, to an address that names no review";
            return input.skip(match letter.sealed {
                Some(sealed) => format!("{why}; what it says is in {sealed}, which nobody here can read"),
                None => why.to_owned(),
            });
        };
        let Some(text) = letter.text.as_deref().and_then(|text| words::own(text, ours)) else {
            return input.skip("a mail in which nothing is written");
        };
        let mut said = self.said(ReplyWord::Unanswered);
        said.insert("review".to_owned(), review.to_string().into());
        said.insert("text".to_owned(), text.into());
        self.emit(input, said);
    }
}

/// The review in `replies+<fingerprint>@example.com`.
fn named_in(address: &str) -> Option<ReviewFingerprint> {
    let (local, _) = address.rsplit_once('@')?;
    let (_, tag) = local.rsplit_once('+')?;
    ReviewFingerprint::parse(&tag.to_ascii_lowercase())
}

/// What SES puts on a topic when a mail came.
pub fn is_of_ses(object: &Value) -> bool {
    let has = |name: &str| object.get(name).is_some();
    has("notificationType") && has("receipt") && has("mail")
}
