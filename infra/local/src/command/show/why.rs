//! Why a review is where it is, in words.

use serde_json::Value;

use super::{considered, joined, line, list, plain, review::answered, slot, verified};

pub fn in_words(text: &mut String, answer: &Value) {
    line(text, 0, format!("{} ({})", plain(&answer["review_id"]), plain(&answer["standing"])));
    let (counts, pending) = (&answer["authoritative"], &answer["pending"]);
    line(text, 1, format!("version {} counts: {}", counts["version"], slot(counts)));
    if !pending.is_null() {
        let who = pending["adopter"].as_str().unwrap_or("nobody");
        line(text, 1, format!("version {} waits for {who}: {}", pending["version"], slot(pending)));
    }
    list(answer, "moves").for_each(|one| moved(text, one));
    verified(text, &answer["verified"]);
}

fn moved(text: &mut String, one: &Value) {
    let outcome = plain(&one["outcome"]);
    let to = match one["to"]["version"].as_u64() {
        Some(version) if one["from"]["version"] != version => format!(", version {version}"),
        _ => String::new(),
    };
    let earlier = one["proposal"].as_str().map_or(String::new(), |word| format!("; the proposal before: {word}"));
    line(text, 0, format!("{}  {outcome}{to}{earlier}", plain(&one["at"])));
    for event in list(one, "events") {
        let of = |member: &str| plain(&event[member]);
        line(
            text,
            1,
            format!(
                "by {} {} of {}: {} {}, revision {}",
                of("type"),
                of("id"),
                of("source"),
                of("kind"),
                of("subject"),
                event["revision"]
            ),
        );
    }
    for answer in list(one, "answers") {
        line(text, 1, format!("by {}", answered(answer)));
    }
    for report in list(one, "reports") {
        let said = report["reason"].as_str().map_or(String::new(), |said| format!(" ({said})"));
        line(
            text,
            1,
            format!("by the mailer: mail to {} was {}{said}", plain(&report["person"]), plain(&report["why"])),
        );
    }
    for comment in list(one, "comments") {
        line(text, 1, format!("by a reply of {} that is no answer: {}", plain(&comment["by"]), plain(&comment["why"])));
    }
    if one["by_time_alone"] == true {
        line(text, 1, "by time alone, or by another review that shares people");
    }
    for fact in list(one, "facts") {
        let of = |member: &str| plain(&fact[member]);
        line(
            text,
            1,
            format!("new since: {} {}, revision {} from {}", of("kind"), of("subject"), fact["revision"], of("source")),
        );
    }
    for (what, marks) in [("broken by", "broken"), ("to know of", "remarked")] {
        let marks = joined(&one[marks]);
        if !marks.is_empty() {
            line(text, 1, format!("{what} the slot that counted then: {marks}"));
        }
    }
    for change in list(one, "changed") {
        line(
            text,
            1,
            format!("{}: {} instead of {}", plain(&change["field"]), value(&change["now"]), value(&change["was"])),
        );
    }
    for exception in list(one, "exceptions") {
        let about = |reason: &Value| {
            let parts = ["rule", "role", "person"].map(|member| reason[member].as_str().unwrap_or_default().to_owned());
            parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
        };
        let reasons: Vec<String> = list(exception, "reasons").map(about).collect();
        line(text, 1, format!("open: {}: {}", plain(&exception["kind"]), reasons.join(", ")));
    }
    let report = &one["considered"];
    if report.is_null() {
        return;
    }
    let left_out = report["left_out"].as_u64().filter(|left| *left > 0);
    let left_out = left_out.map_or(String::new(), |left| format!(" ({left} runs farther off are not kept)"));
    line(text, 1, format!("starts that were considered: {}{left_out}", report["starts"]));
    list(report, "runs").for_each(|run| line(text, 2, considered(run)));
}

/// An interval as two instants, nothing as a word.
fn value(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Object(_) if value["start"].is_string() => {
            format!("{} to {}", plain(&value["start"]), plain(&value["end"]))
        }
        other => plain(other),
    }
}
