//! The operator's answers in words.

mod events;
mod night;
mod review;
mod why;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use refresh_core::{base::name::acts, record::mark::Mark};
use serde_json::Value;

use crate::operator::{Request, ReviewsAsked};

pub fn in_words(request: &Request, answer: &Value) -> String {
    let mut text = String::new();
    match request {
        Request::Reviews(asked) => reviews(&mut text, asked, answer),
        Request::Show(_) => review::in_words(&mut text, answer),
        Request::Verify(_) => list(answer, "reviews").for_each(|line| verified(&mut text, line)),
        Request::Why(_) => why::in_words(&mut text, answer),
        Request::Waiting(_) => night::waiting(&mut text, answer),
        Request::Told(_) => night::told(&mut text, answer),
        Request::Stuck(_) => night::stuck(&mut text, answer),
        Request::Send(_) => sent(&mut text, answer),
        Request::Events(asked) => text.push_str(&events::in_words(asked, answer)),
        Request::DeadLetters => letters(&mut text, answer),
        Request::Redrive(_) => {
            letters(&mut text, answer);
            line(&mut text, 0, format!("sent again: {}", answer["sent_again"]));
            if answer["sent_again"] != 0 {
                line(
                    &mut text,
                    1,
                    "`holdpoint events` says what becomes of each: where a newer fact is known, it changes nothing",
                );
            }
        }
        Request::Discard(asked) => line(&mut text, 0, format!("{}: discarded", asked.letter)),
        Request::Clock { .. } => clock(&mut text, answer),
        Request::Compact(_) => compacted(&mut text, answer),
        Request::Removed(_) => removed(&mut text, answer),
        Request::Invoke { .. }
        | Request::Plan(_)
        | Request::Mails(_)
        | Request::Mail(_)
        | Request::Became(_)
        | Request::Kept => {
            line(&mut text, 0, serde_json::to_string_pretty(answer).unwrap_or_default());
        }
    }
    visible(text)
}

/// What a source sent may turn the direction of a line, or be seen by nobody: a terminal gets the code of such a character.
fn visible(text: String) -> String {
    let hidden = |c: char| c != '\n' && (c.is_control() || acts(c));
    if !text.contains(hidden) {
        return text;
    }
    text.chars().fold(String::new(), |mut shown, c| {
        if hidden(c) {
            shown.extend(c.escape_unicode())
        } else {
            shown.push(c)
        }
        shown
    })
}

fn compacted(text: &mut String, answer: &Value) {
    let removed = &answer["removed"];
    let (events, mails, letters) = (&removed["events"], &removed["mails"], &removed["letters"]);
    line(text, 0, format!("removed: events {events}, mails {mails}, dead letters {letters}"));
    for review in list(removed, "reviews") {
        line(text, 1, format!("review {}", plain(review)));
    }
    for kept in list(answer, "kept_although_past") {
        line(text, 1, format!("review {} stays: {}", plain(&kept["review_id"]), plain(&kept["because"])));
    }
}

fn removed(text: &mut String, answer: &Value) {
    for gone in list(answer, "removed") {
        line(text, 0, format!("{} ended {}", plain(&gone["review_id"]), plain(&gone["ended_at"])));
        let by = gone["by"].as_str().unwrap_or("somebody who is not named");
        line(text, 1, format!("removed {} by {by}: {}", plain(&gone["removed_at"]), plain(&gone["reason"])));
        let record = gone["record"].as_str().map_or("written nowhere".to_owned(), |file| format!("in {file}"));
        line(text, 1, format!("{} entries of lineage, its record is {record}", gone["entries"]));
    }
    if list(answer, "removed").next().is_none() {
        line(text, 0, "no review was removed");
    }
    if let Some(next) = answer["next"].as_i64() {
        line(text, 0, format!("the ones before: holdpoint removed --before {next}"));
    }
}

fn clock(text: &mut String, answer: &Value) {
    let seconds = |millis: &Value| millis.as_i64().unwrap_or(0) / 1_000;
    line(text, 0, format!("the engine's time is {}", plain(&answer["now"])));
    line(text, 1, format!("the machine's clock is ahead by {} seconds", seconds(&answer["ahead_milliseconds"])));
    if !answer["doubt"].is_null() {
        line(text, 1, plain(&answer["doubt"]));
    }
    if !answer["moved_milliseconds"].is_null() {
        line(
            text,
            1,
            format!("taken as right: the engine's time moved by {} seconds", seconds(&answer["moved_milliseconds"])),
        );
    }
}

/// What was sent and where it is, then what became of it: how many were applied, and each other one by itself.
fn sent(text: &mut String, answer: &Value) {
    let place = answer["store"].as_str().map_or(String::new(), |store| format!(" in {store}"));
    line(text, 0, format!("sent {} to the queue{place}", answer["sent"]));
    // What no event came of is in no list of events, so it is said here.
    for part in list(answer, "apart") {
        let word = part["disposition"].as_str().map_or(String::new(), |word| format!("{word}: "));
        line(text, 1, format!("{word}{}", plain(&part["why"])));
    }
    if answer["waited"] != true {
        return;
    }
    let is = |event: &&Value, word: &str| event["disposition"] == word && event["repeated"] != true;
    let applied = list(answer, "events").filter(|event| is(event, "applied")).count();
    line(text, 1, format!("applied: {applied}"));
    consequences(text, answer);
    for event in list(answer, "events").filter(|event| is(event, "applied") && !event["not_taken"].is_null()) {
        let (source, id) = (plain(&event["source"]), plain(&event["id"]));
        let members = joined(&event["not_taken"]);
        line(text, 1, format!("{source} {id}: not taken, since the review is issued once: {members}"));
    }
    for event in list(answer, "events").filter(|event| !is(event, "applied")) {
        let became = match (event["repeated"] == true, event["disposition"].as_str()) {
            (true, _) => "ignored: duplicate, an event with this source and id came before".to_owned(),
            (false, Some(word)) => format!("{word}: {}{}", plain(&event["reason"]), expected(event)),
            (false, None) => "not judged yet; the log of the engine will say".to_owned(),
        };
        line(text, 1, format!("{} {}: {became}", plain(&event["source"]), plain(&event["id"])));
    }
}

/// What would have been taken in the place of an ignored event, where the reason alone does not say so.
pub(super) fn expected(event: &Value) -> String {
    event["expected"].as_str().map_or(String::new(), |expected| format!("; expected {expected}"))
}

/// Each review once, with the outcome of the newest of these events that it was refreshed for.
fn consequences(text: &mut String, answer: &Value) {
    let (mut refreshed, mut open) = (BTreeMap::new(), BTreeSet::new());
    for review in list(answer, "events").flat_map(|event| list(event, "reviews")) {
        let id = plain(&review["review_id"]);
        if review["refreshed"] == true {
            let ended = match review["ended"].as_str() {
                Some("review_started") => "; its slot has started, so nobody is told anything and nothing is proposed",
                Some(_) => "; it is closed",
                None => "",
            };
            refreshed.insert(id, format!("{}{ended}", plain(&review["outcome"])));
        } else {
            open.insert(id);
        }
    }
    for (review, outcome) in refreshed.iter().filter(|(review, _)| !open.contains(*review)) {
        line(text, 1, format!("refreshed {review}: {outcome}"));
    }
    for review in open {
        line(text, 1, format!("not refreshed yet: {review}"));
    }
}

fn line(text: &mut String, depth: usize, what: impl AsRef<str>) {
    for part in what.as_ref().lines() {
        let _ = writeln!(text, "{:1$}{part}", "", depth * 2);
    }
}

fn list<'a>(value: &'a Value, member: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value[member].as_array().into_iter().flatten()
}

/// A string without its quotes; anything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

fn joined(value: &Value) -> String {
    value.as_array().into_iter().flatten().map(plain).collect::<Vec<_>>().join(", ")
}

fn slot(packet: &Value) -> String {
    format!("{} to {}", plain(&packet["slot"]["start"]), plain(&packet["slot"]["end"]))
}

fn stands(text: &mut String, depth: usize, state: &Value) {
    let authoritative = &state["authoritative"];
    line(text, depth, format!("version {} counts: {}", authoritative["version"], slot(authoritative)));
    // A mark that breaks no rule is only remarked.
    let broken = |mark: &&Value| serde_json::from_value::<Mark>((*mark).clone()).is_ok_and(|mark| mark.is_violation());
    let (violated, remarked): (Vec<&Value>, Vec<&Value>) = list(authoritative, "violated").partition(broken);
    for (what, marks) in [("violated", violated), ("to know", remarked)] {
        if !marks.is_empty() {
            let marks: Vec<String> = marks.into_iter().map(plain).collect();
            line(text, depth, format!("{what}: {}", marks.join(", ")));
        }
    }
    let pending = &state["pending"];
    if !pending.is_null() {
        let who = pending["adopter"].as_str().unwrap_or("nobody");
        line(text, depth, format!("version {} proposed: {}", pending["version"], slot(pending)));
        let seats = pending["attendees"].as_object().into_iter().flatten();
        for (role, proposed) in seats.filter(|(role, proposed)| authoritative["attendees"][role.as_str()] != **proposed)
        {
            let now = plain(&authoritative["attendees"][role]);
            line(text, depth + 1, format!("{role}: {} in the place of {now}", plain(proposed)));
        }
        line(text, depth, format!("waits for {who}, until {}", plain(&pending["expires_at"])));
    }
    for exception in list(state, "exceptions") {
        line(text, depth, format!("exception: {}", plain(&exception["kind"])));
        for reason in list(exception, "reasons") {
            let members = reason.as_object().into_iter().flatten();
            let parts: Vec<String> = members
                .map(|(name, value)| match value {
                    Value::Object(_) => format!("{name} {} to {}", plain(&value["start"]), plain(&value["end"])),
                    other => format!("{name} {}", plain(other)),
                })
                .collect();
            line(text, depth + 1, parts.join(", "));
        }
    }
}

fn outstanding(text: &mut String, depth: usize, value: &Value) {
    for duty in list(value, "outstanding") {
        line(text, depth, format!("has not answered: {}, due {}", plain(&duty["person"]), plain(&duty["due_at"])));
    }
}

fn reviews(text: &mut String, asked: &ReviewsAsked, answer: &Value) {
    let mut none = true;
    for review in list(answer, "reviews") {
        none = false;
        line(text, 0, format!("{} ({})", plain(&review["review_id"]), plain(&review["standing"])));
        stands(text, 1, review);
        for conflict in list(review, "conflicts") {
            let note = conflict["note"].as_str().map_or(String::new(), |note| format!(" ({note})"));
            line(text, 1, format!("conflict: {}, at {}{note}", plain(&conflict["person"]), plain(&conflict["at"])));
        }
        outstanding(text, 1, review);
        for source in list(review, "silent") {
            line(text, 1, format!("silent past its promise: {}; `holdpoint stuck` says since when", plain(source)));
        }
        for known in list(review, "undeliverable") {
            line(text, 1, format!("mail does not arrive: {}, {}", plain(&known["person"]), plain(&known["why"])));
        }
        if review["nothing_open"] == true {
            line(text, 1, "nothing open");
        }
    }
    for broken in list(answer, "unreadable") {
        none = false;
        unreadable(text, broken);
    }
    if none {
        let others = answer["in_all"].as_u64().is_some_and(|count| count > 0);
        line(text, 0, none_of(asked, others));
    }
    if let Some(next) = answer["next"].as_str() {
        let (shown, in_all, open) = (list(answer, "reviews").count(), &answer["in_all"], &answer["open"]);
        line(text, 0, format!("{shown} of {in_all} reviews; something is open in {open}"));
        let only_open = if asked.open { "--open " } else { "" };
        line(text, 1, format!("the next ones: holdpoint reviews {only_open}--after {}", word(next)));
    }
    list(answer, "silenced").for_each(|subject| silenced(text, subject));
    list(answer, "polls").for_each(|poll| failing_poll(text, poll));
}

/// That no review is on the page. `--after` names a place in the order of ids, whether or not a review has that id.
fn none_of(asked: &ReviewsAsked, others: bool) -> String {
    let what = if asked.open { "no review with something open" } else { "no review" };
    match &asked.after {
        _ if !others => "no review was issued yet".to_owned(),
        Some(after) => format!("{what} comes after {after}"),
        None => what.to_owned(),
    }
}

/// As a shell takes it.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// A system that is polled and does not answer.
fn failing_poll(text: &mut String, found: &Value) {
    let (binding, reason) = (plain(&found["binding"]), plain(&found["reason"]));
    line(
        text,
        0,
        format!("poll of {binding}: FAILING: {reason}, {} times since {}", found["failures"], plain(&found["since"])),
    );
    let last = match found["answered_at"].as_str() {
        Some(at) => format!("answered last at {at}; asked again at {}", plain(&found["due_at"])),
        None => format!("never answered; asked again at {}", plain(&found["due_at"])),
    };
    line(text, 1, last);
}

/// A subject that gets nothing but stale revisions, and what an operator does about that.
fn silenced(text: &mut String, found: &Value) {
    let (kind, subject, source) = (plain(&found["kind"]), plain(&found["subject"]), plain(&found["source"]));
    line(text, 0, format!("{kind} {subject}: SILENCED: the last events of {source} were all stale_revision"));
    line(text, 1, format!("revision {} of {} keeps them out", found["revision"], plain(&found["accepted_at"])));
    let next = match found["reset"]["by"].as_str() {
        Some(by) => format!("reset by {by}: the next fact of {source} is let in at any revision"),
        None => "a `dev.holdpoint.subject.reset.v1` of an operator lets the next fact in".to_owned(),
    };
    line(text, 1, next);
}

fn unreadable(text: &mut String, found: &Value) {
    line(text, 0, format!("{}: CANNOT BE READ: {}", named(found), plain(&found["because"])));
}

/// The review of a line, where its key can be read.
fn named(found: &Value) -> String {
    found["review_id"].as_str().unwrap_or("a review without a readable key").to_owned()
}

fn verified(text: &mut String, found: &Value) {
    let review = named(found);
    if found["verified"] == true {
        line(text, 0, format!("{review}: {} lineage entries, the chain verifies", found["entries"]));
    } else {
        let misfit = &found["misfit"];
        let entry = misfit["sequence"].as_u64().map_or(String::new(), |number| format!("entry {number}: "));
        line(text, 0, format!("{review}: DOES NOT VERIFY: {entry}{}", plain(&misfit["because"])));
    }
}

fn letters(text: &mut String, answer: &Value) {
    for (queue, letters) in answer["queues"].as_object().into_iter().flatten() {
        let letters = letters.as_array().map_or(&[][..], Vec::as_slice);
        line(text, 0, format!("{queue}: {}", letters.len()));
        for letter in letters {
            let why = letter["why"].as_str().unwrap_or("no reason was kept");
            line(text, 1, format!("{} sent {}", plain(&letter["message_id"]), plain(&letter["sent_at"])));
            let from = ["format", "binding", "source", "record"].map(|name| letter[name].as_str());
            let from: Vec<&str> = from.into_iter().flatten().collect();
            if !from.is_empty() {
                line(text, 2, from.join(" "));
            }
            line(text, 2, why);
        }
        // Null: the queue could not be asked how many it holds.
        if let Some(more) = answer["not_shown"].get(queue) {
            let more = more.as_u64().map_or("perhaps more".to_owned(), |more| format!("{more} more"));
            line(text, 1, format!("{more} that the queue does not show: of one review it shows ten letters at a time"));
            line(text, 2, "`holdpoint redrive` sends all of them again; the next are shown once the first are gone");
        }
    }
}

/// Starts that were considered, and every reason against them.
fn considered(run: &Value) -> String {
    let (first, last) = (plain(&run["first"]), plain(&run["last"]));
    let starts = if first == last { first } else { format!("{first} to {last}") };
    let against: Vec<String> = list(run, "against").map(against).collect();
    if against.is_empty() { format!("{starts}: viable") } else { format!("{starts}: {}", against.join("; ")) }
}

fn against(reason: &Value) -> String {
    let Some(role) = reason.get("role") else { return plain(reason).replace('_', " ") };
    let people: Vec<String> = list(role, "people")
        .map(|person| format!("{} {}", plain(&person["person"]), plain(&person["because"]).replace('_', " ")))
        .collect();
    let role = plain(&role["role"]);
    if people.is_empty() { format!("nobody for {role}") } else { format!("nobody for {role} ({})", people.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_what_nobody_could_see_or_what_would_turn_the_line() {
        for (sent, shown) in [
            ("release größe 👩🏽‍💻", "release größe 👩🏽‍💻"),
            ("e\u{202e}1", "e\\u{202e}1"),
            ("a\u{200b}b", "a\\u{200b}b"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("one\ntwo", "one\ntwo"),
        ] {
            assert_eq!(visible(sent.to_owned()), shown);
        }
    }
}
