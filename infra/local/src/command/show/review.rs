//! One review whole, in words: packet, answers, mail, versions, lineage.

use refresh_core::{EventId, Source, facts::event::Identity};
use serde_json::Value;

use super::{considered, joined, line, list, outstanding, plain, slot, stands, verified};

pub(super) fn in_words(text: &mut String, answer: &Value) {
    line(text, 0, format!("{} ({})", plain(&answer["review_id"]), plain(&answer["standing"])));
    stands(text, 1, &answer["state"]);
    let attendees = answer["state"]["authoritative"]["attendees"].as_object();
    for (role, person) in attendees.into_iter().flatten() {
        line(text, 2, format!("{role}: {}", plain(person)));
    }
    for given in list(answer, "answers") {
        let note = given["note"].as_str().map_or(String::new(), |note| format!(" ({note})"));
        let (person, reply) = (plain(&given["person"]), plain(&given["reply"]));
        line(text, 1, format!("answered: {person} {reply} at {}{note}", plain(&given["at"])));
    }
    outstanding(text, 1, answer);
    deliveries(text, answer);
    line(text, 0, "versions");
    let mut before: Vec<&Value> = Vec::new();
    for version in list(answer, "versions") {
        let (number, made) = (&version["version"], plain(&version["made_at"]));
        line(text, 1, format!("{number}, made {made}: {}", slot(&version["packet"])));
        let facts: Vec<&Value> = list(version, "stands_on").collect();
        let news = facts.iter().filter(|fact| !before.is_empty() && !before.contains(fact));
        for fact in news {
            let (source, revision) = (plain(&fact["source"]), &fact["revision"]);
            line(text, 2, format!("because of {}, revision {revision} from {source}", subject(&fact["subject"])));
        }
        for run in list(&version["report"], "runs") {
            line(text, 2, considered(run));
        }
        before = facts;
    }
    line(text, 0, "lineage");
    for entry in list(answer, "lineage") {
        for happening in list(entry, "happenings") {
            let what = happened(happening);
            line(text, 1, format!("{:>4}  {}  {what}", entry["sequence"].to_string(), plain(&entry["at"])));
            if let Some(own) = trace_of(happening) {
                line(text, 4, format!("trace {own}"));
            }
        }
        // What an event was decided as is on its own line already, unless others were decided with it.
        let own = list(entry, "happenings").filter_map(trace_of).last();
        if let Some(trace) = entry["trace"].as_str().filter(|trace| own.as_deref() != Some(*trace)) {
            line(text, 4, format!("trace {trace}"));
        }
    }
    verified(text, &answer["verified"]);
}

/// What the mailer reported. Of whom it has said nothing yet, there is nothing to say.
fn deliveries(text: &mut String, answer: &Value) {
    let known: Vec<&Value> = list(answer, "deliveries").filter(|one| !one["last"].is_null()).collect();
    if known.is_empty() {
        return;
    }
    line(text, 0, "mail");
    for one in known {
        let last = &one["last"];
        let reason = last["reason"].as_str().map_or(String::new(), |reason| format!(" ({reason})"));
        let newest = if last["message_id"] == one["newest_message_id"] { "" } else { ", of an earlier mail" };
        let withheld = if one["withheld"] == true { "; nothing more is mailed to them" } else { "" };
        let status = plain(&last["status"]).replace('_', " ");
        line(
            text,
            1,
            format!("{}: {status}{reason} at {}{newest}{withheld}", plain(&one["person"]), plain(&last["at"])),
        );
    }
}

/// A trigger's own: what its source gave it, or what is made of its source and id.
fn trace_of(happening: &Value) -> Option<String> {
    if happening["record"] != "trigger" {
        return None;
    }
    let given = happening["trace"].as_str().map(ToOwned::to_owned);
    given.or_else(|| {
        let source = Source::parse(happening["source"].as_str()?).ok()?;
        let id = EventId::parse(happening["id"].as_str()?).ok()?;
        Some(Identity { source, id }.trace().to_string())
    })
}

/// One happening of the lineage on a line.
fn happened(happening: &Value) -> String {
    let of = |member: &str| plain(&happening[member]);
    match happening["record"].as_str().unwrap_or_default() {
        "trigger" => {
            let reason = happening["reason"].as_str().map_or(String::new(), |reason| format!(", {reason}"));
            let members = joined(&happening["not_taken"]);
            let untaken = if members.is_empty() { members } else { format!(", not taken: {members}") };
            format!(
                "{} {} revision {}: {}{reason}{untaken}",
                of("event_type"),
                of("id"),
                happening["revision"],
                of("disposition")
            )
        }
        "decision" => {
            let pending = &happening["pending"]["version"];
            let pending = if pending.is_null() { String::new() } else { format!(", version {pending} pending") };
            format!("decided: {}; version {} counts{pending}", of("outcome"), happening["authoritative"])
        }
        "notice" => format!("told {}: {}, version {}", of("to"), of("kind"), happening["version"]),
        "skipped" => format!("nothing owed any more: {}", joined(&happening["people"])),
        "answer" => answered(happening),
        "comment" => format!("a reply of {} that is no answer: {}", of("by"), of("why")),
        "undeliverable" => {
            let reason = happening["reason"].as_str().map_or(String::new(), |reason| format!(": {reason}"));
            format!("mail to {} {}{reason}", of("to"), of("why"))
        }
        other => other.to_owned(),
    }
}

/// Who did what on a page or by mail, what came of it, and the answer itself: a conflict is recorded as well as a yes.
pub(super) fn answered(answer: &Value) -> String {
    let of = |member: &str| plain(&answer[member]);
    let reply = answer["reply"].as_str().map_or(String::new(), |reply| format!(": {reply}"));
    let person = answer["to"].as_str().map_or(String::new(), |person| format!(" to {person}"));
    let place = if answer["as_operator"] == true { ", in the owner's place" } else { "" };
    let way = if answer["by_mail"].is_null() { "" } else { ", by mail" };
    let note = answer["note"].as_str().map_or(String::new(), |note| format!(" ({note})"));
    format!("{}: {}{reply}{person}, {}{place}{way}{note}", of("by"), of("action"), of("result"))
}

/// A fact's subject: its kind and the names that make it.
fn subject(of: &Value) -> String {
    let Some((kind, names)) = of.as_object().and_then(|one| one.iter().next()) else { return plain(of) };
    let names: Vec<String> = match names.as_array() {
        Some(names) => names.iter().map(plain).collect(),
        None => vec![plain(names)],
    };
    format!("{kind} {}", names.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_which_it_is() {
        let yes =
            serde_json::json!({ "by": "a@x", "action": "acknowledge", "result": "recorded", "reply": "acknowledged" });
        assert_eq!(answered(&yes), "a@x: acknowledge: acknowledged, recorded");
        let no = serde_json::json!({
            "by": "a@x", "action": "acknowledge", "result": "recorded", "reply": "conflict", "by_mail": "passed",
            "note": "at sea",
        });
        assert_eq!(answered(&no), "a@x: acknowledge: conflict, recorded, by mail (at sea)");
    }
}
