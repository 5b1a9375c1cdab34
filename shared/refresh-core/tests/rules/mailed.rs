//! A reply by mail, as a step of a row.

use refresh_core::{
    base::fingerprint::ReviewFingerprint,
    facts::reply::{Authentication, ReceivedReply, ReplyAbout},
};
use serde_json::json;

use crate::{fixture, told, world::World};

/// `mailed WORD as P [for P] [by P] [hold] [seq N] [at TIME] [undated] [unproven] [automatic] [plain] [saying TEXT]
/// [times N]`: a reply by mail; several say different things.
pub fn mailed(world: &mut World, rest: &str) -> Result<(), String> {
    let mut words = rest.split_whitespace();
    let word = words.next().unwrap_or_default();
    let word = serde_json::from_value(json!(word)).map_err(|_| format!("what a reply says; found {word:?}"))?;
    let head = world.head()?.clone();
    let (mut sender, mut attendee, mut sent_by) = (None, None, None);
    let (mut object, mut sequence, mut stamped_at, mut plain) =
        (&head.meeting.uid, head.meeting.sequence, Some(world.now), false);
    let (mut authentication, mut automatic, mut text, mut times) = (Authentication::Passed, false, None, 1_u32);
    while let Some(word) = words.next() {
        let mut next = || words.next().unwrap_or_default();
        match word {
            "as" => sender = Some(fixture::person(next())?),
            "for" => attendee = Some(fixture::person(next())?),
            "by" => sent_by = Some(fixture::person(next())?),
            "hold" => (object, sequence) = (&head.hold.uid, head.hold.sequence),
            "seq" => sequence = next().parse().map_err(|_| "a sequence".to_owned())?,
            "at" => stamped_at = Some(world.day.instant(next())?),
            "saying" => text = Some(next().to_owned()),
            "times" => times = next().parse().map_err(|_| "how often".to_owned())?,
            "undated" => stamped_at = None,
            "unproven" => authentication = Authentication::Missing,
            "failed" => authentication = Authentication::Failed,
            "automatic" => automatic = true,
            "plain" => plain = true,
            _ => return Err(format!("a part of a reply; found {word:?}")),
        }
    }
    let sender = sender.ok_or("as whom")?;
    let about = match plain {
        true => ReplyAbout::Review(ReviewFingerprint::of(&fixture::review())),
        false => ReplyAbout::Object { uid: object.clone(), sequence },
    };
    let attendee = if plain { None } else { Some(attendee.unwrap_or_else(|| sender.clone())) };
    let proposed = None;
    let reply =
        ReceivedReply { about, sender, authentication, automatic, word, attendee, sent_by, stamped_at, proposed, text };
    for nth in 1..times {
        told::replied(world, ReceivedReply { text: Some(format!("mail {nth}")), ..reply.clone() })?;
    }
    told::replied(world, reply)
}
