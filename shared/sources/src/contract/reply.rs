//! `reply.received`: what somebody sent back by mail. An answer or a comment, which the rules tell apart; never a move.

use refresh_core::{
    Interval, Person, Uid,
    base::fingerprint::ReviewFingerprint,
    facts::{
        event::Statement,
        fact::LONGEST_SLOT_HOURS,
        reply::{Authentication, LONGEST_REPLY_TEXT, ReceivedReply, ReplyAbout, ReplyWord},
        subject::Subject,
    },
};

use super::said::Said;
use crate::reader::{Node, Object};

/// The name of the type.
pub const TYPE: &str = "dev.holdpoint.reply.received.v1";

const MOST_SEQUENCE: i64 = 2_147_483_647;

/// Reads one.
pub fn received(data: &Object<'_>) -> Option<Said> {
    let about = about(data);
    let sender = data.must("from", |node| node.parsed(Person::parse));
    let authentication = data.must("authentication", |node| node.word(&Authentication::WORDS));
    let automatic = data.may("automatic", |node| node.flag());
    let word = data.must("word", |node| node.word(&ReplyWord::WORDS));
    let attendee = data.may("attendee", |node| node.parsed(Person::parse));
    let sent_by = data.may("sent_by", |node| node.parsed(Person::parse));
    let stamped_at = data.may("stamped_at", |node| node.instant());
    let proposed = data.may("proposed", proposed);
    let text = data.may("text", |node| node.prose(LONGEST_REPLY_TEXT));
    let sender = sender?;
    let reply = ReceivedReply {
        about: about?,
        sender: sender.clone(),
        authentication: authentication?,
        automatic: automatic?.unwrap_or(false),
        word: word?,
        attendee: attendee?,
        sent_by: sent_by?,
        stamped_at: stamped_at?,
        proposed: proposed?,
        text: text?,
    };
    Some((Subject::Reply(sender), Statement::Reply(reply)))
}

/// Either a calendar object or a review.
fn about(data: &Object<'_>) -> Option<ReplyAbout> {
    if data.has("review") {
        let review = data.must("review", |node| node.parsed(fingerprint));
        if data.has("uid") {
            return data.must("uid", |node| node.wrong_as("nothing, since the reply has `review`", "both"));
        }
        return review.map(ReplyAbout::Review);
    }
    let uid = data.must("uid", |node| node.parsed(Uid::parse));
    let sequence = data.must("sequence", |node| u32::try_from(node.whole(0..=MOST_SEQUENCE)?).ok());
    Some(ReplyAbout::Object { uid: uid?, sequence: sequence? })
}

fn fingerprint(text: &str) -> Result<ReviewFingerprint, String> {
    ReviewFingerprint::parse(text).ok_or_else(|| "32 hexadecimal digits".to_owned())
}

fn proposed(node: &Node<'_>) -> Option<Interval> {
    let slot = node.object()?.interval("start", "end")?;
    if slot.length() > LONGEST_SLOT_HOURS * 3_600_000 {
        return node.wrong_as(format!("an interval of at most {LONGEST_SLOT_HOURS} hours"), "a longer one");
    }
    Some(slot)
}
