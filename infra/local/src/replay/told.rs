//! A record as a sentence or two, for people.

use std::fmt::Write;

use refresh_core::{
    Instant,
    base::instant::Slot,
    facts::authority::Disposition,
    record::{
        decision::Earlier,
        delta::{Difference, Value},
        mark::Mark,
    },
};

use super::records::{Authoritative, DecisionRecord, NoticeRecord, Open, Pending, Record, StateRecord, What};

/// Several lines; the first starts with the time of day.
pub fn in_words(record: &Record) -> String {
    let mut text = format!("{}  ", clock(record.at));
    match &record.what {
        What::Trigger(trigger) => {
            let name = |part: &Option<String>| part.clone().unwrap_or_else(|| "?".to_owned());
            let kind = name(&trigger.event_type);
            let kind = kind.trim_start_matches("dev.holdpoint.").trim_end_matches(".v1");
            let _ = write!(text, "event     {kind} ({} from {})", name(&trigger.id), name(&trigger.source));
            match trigger.disposition {
                Disposition::Applied if trigger.reviews.is_empty() => text.push_str(": kept"),
                Disposition::Applied => {
                    let reviews: Vec<&str> = trigger.reviews.iter().map(|review| review.as_str()).collect();
                    let _ = write!(text, ": kept, concerns {}", reviews.join(", "));
                }
                Disposition::Ignored(reason) => {
                    let _ = write!(text, ": ignored, {}", plain(reason.word()));
                }
            }
            if !trigger.not_taken.is_empty() {
                let members: Vec<&str> = trigger.not_taken.iter().map(|member| member.word()).collect();
                under(&mut text, &format!("not taken, since the review is issued once: {}", members.join(", ")));
            }
            for fault in &trigger.faults {
                under(&mut text, fault);
            }
        }
        What::Decision(decision) => decided(&mut text, decision),
        What::Notice(notice) => noticed(&mut text, notice),
        What::Answer(answer) => {
            let action = serde_json::to_value(answer.action).unwrap_or_default();
            let action = action.as_str().unwrap_or_default().to_owned();
            let result = plain(answer.result.word());
            let to = answer.to.as_ref().map_or(String::new(), |to| format!(" to {to}"));
            let _ = write!(text, "answer    {}: {action}{to} on {}: {result}", answer.by, answer.review_id);
            if let Some(why) = answer.why {
                let _ = write!(text, ", {}", plain(why.word()));
            }
        }
        What::Poll(poll) => {
            let came_to = match (poll.result.as_str(), poll.messages) {
                ("answered", 0) => ", nothing new".to_owned(),
                ("answered", 1) => ", 1 payload".to_owned(),
                ("answered", many) => format!(", {many} payloads"),
                _ => String::new(),
            };
            let _ = write!(text, "poll      {}: {}{came_to}", poll.binding, plain(&poll.result));
        }
        What::State(state) => stands(&mut text, state),
    }
    text
}

fn under(text: &mut String, line: &str) {
    text.push_str("\n                    ");
    text.push_str(line);
}

fn plain(word: &str) -> String {
    word.replace('_', " ")
}

/// Seconds only where there are any.
fn clock(at: Instant) -> String {
    let full = at.to_string();
    let (day, time) = full.split_once('T').unwrap_or(("", &full));
    format!("{day} {}", time.trim_end_matches('Z').get(..8).unwrap_or(time))
}

fn short(at: Instant) -> String {
    let full = clock(at);
    let time = full.split(' ').nth(1).unwrap_or_default();
    time.strip_suffix(":00").unwrap_or(time).to_owned()
}

fn hours(slot: &Slot) -> String {
    let time = |at: Instant| clock(at).split(' ').nth(1).unwrap_or_default().get(..5).unwrap_or_default().to_owned();
    format!("{}-{}", time(slot.start), time(slot.end))
}

fn marks(marks: &[Mark]) -> String {
    marks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn authoritative(text: &mut String, packet: &Authoritative) {
    let slot = hours(&packet.packet.slot);
    let mut line = format!("version {} counts: {slot}", packet.packet.version);
    if !packet.violated.is_empty() {
        let _ = write!(line, ", but for {}", marks(&packet.violated));
    }
    under(text, &line);
}

fn pending(text: &mut String, packet: &Pending, beside: &Authoritative) {
    let slot = hours(&packet.packet.slot);
    let who = packet.adopter.as_ref().map_or("nobody may decide".to_owned(), |who| format!("{who} decides"));
    let what = if packet.cancelled { "cancellation".to_owned() } else { slot };
    let until = short(packet.expires_at);
    under(text, &format!("version {} proposed: {what}; {who}, by {until}", packet.packet.version));
    for (role, person) in &packet.packet.attendees {
        let before = beside.packet.attendees.get(role);
        if before != Some(person) {
            let before = before.map_or("nobody".to_owned(), ToString::to_string);
            under(text, &format!("{}: {person} for {before}", plain(role.as_str())));
        }
    }
    if packet.packet.freeze_edge {
        under(text, "at the edge of a freeze");
    }
}

fn exceptions(text: &mut String, open: &[Open]) {
    for exception in open {
        let reasons: Vec<String> = exception
            .reasons
            .iter()
            .map(|reason| {
                let mut line = plain(&reason.word().word());
                let about = [
                    reason.role().map(ToString::to_string),
                    reason.person().map(ToString::to_string),
                    reason.source().map(ToString::to_string),
                    reason.subject().map(str::to_owned),
                ];
                for name in about.into_iter().flatten() {
                    let _ = write!(line, " {name}");
                }
                if let Some(slot) = &reason.slot() {
                    let _ = write!(line, " (nearest {}", hours(slot));
                    if let Some(minutes) = reason.missed_by_minutes() {
                        let _ = write!(line, ", missed by {minutes} min");
                    }
                    line.push(')');
                }
                line
            })
            .collect();
        under(text, &format!("exception {}: {}", plain(exception.kind.word()), reasons.join("; ")));
    }
}

fn decided(text: &mut String, decision: &DecisionRecord) {
    let _ = write!(text, "decision  {}: {}", decision.review_id, decision.outcome.word());
    if let Some(earlier) = decision.proposal {
        let fate = match earlier {
            Earlier::Superseded => "superseded",
            Earlier::Withdrawn => "withdrawn",
            Earlier::Expired => "expired",
        };
        let _ = write!(text, "; the proposal before is {fate}");
    }
    authoritative(text, &decision.authoritative);
    if let Some(packet) = &decision.pending {
        pending(text, packet, &decision.authoritative);
    }
    exceptions(text, &decision.exceptions);
}

fn noticed(text: &mut String, notice: &NoticeRecord) {
    let kind = plain(notice.kind.word());
    let _ = write!(text, "mail      {}: {kind}, version {}", notice.to, notice.version);
    for change in &notice.changes {
        under(text, &changed(change));
    }
    for part in &notice.calendar {
        let method = serde_json::to_value(part.method).unwrap_or_default();
        let status = serde_json::to_value(part.status).unwrap_or_default();
        let (method, status) = (method.as_str().unwrap_or_default(), status.as_str().unwrap_or("no status"));
        under(text, &format!("calendar {method} {} sequence {} {status}", part.uid, part.sequence));
    }
}

fn changed(change: &Difference) -> String {
    let side = |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), shown);
    format!("{}: {}, was {}", plain(&change.field.to_string()), side(&change.now), side(&change.was))
}

fn shown(value: &Value) -> String {
    match value {
        Value::Interval(slot) => hours(slot),
        Value::Instant(at) => short(*at),
        Value::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        Value::Marks(list) if list.is_empty() => "nothing".to_owned(),
        Value::Marks(list) => marks(list),
        other => words(&serde_json::to_value(other).unwrap_or_default()),
    }
}

/// Any other value, in order, without JSON's own marks.
fn words(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => Instant::parse(text).map_or_else(|_| plain(text), short),
        serde_json::Value::Array(list) if list.is_empty() => "nothing".to_owned(),
        serde_json::Value::Array(list) => list.iter().map(words).collect::<Vec<_>>().join(", "),
        serde_json::Value::Object(map) => map.values().map(words).collect::<Vec<_>>().join(" "),
        serde_json::Value::Null => "nothing".to_owned(),
        other => other.to_string(),
    }
}

fn stands(text: &mut String, state: &StateRecord) {
    let chain = if state.lineage.verified { "verified" } else { "BROKEN" };
    let _ = write!(
        text,
        "state     {}: {} lineage entries, {chain}; {} mails",
        state.review_id, state.lineage.entries, state.mails_sent
    );
    authoritative(text, &state.authoritative);
    if let Some(packet) = &state.pending {
        pending(text, packet, &state.authoritative);
    }
    exceptions(text, &state.exceptions);
    for person in &state.outstanding {
        under(text, &format!("has not answered: {person}"));
    }
}
