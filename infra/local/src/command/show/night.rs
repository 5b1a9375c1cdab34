//! What an operator on call asks first, in words: who is waited for, who was told what, and what is stuck.

use serde_json::Value;

use super::{failing_poll, letters, line, list, plain, silenced, unreadable};

pub fn waiting(text: &mut String, answer: &Value) {
    let mut none = true;
    for wait in list(answer, "waiting") {
        none = false;
        let (review, until, since) = (plain(&wait["review_id"]), plain(&wait["until"]), plain(&wait["since"]));
        let person = wait["person"].as_str();
        let what = match wait["for"].as_str() {
            Some("decide") => format!("decide version {} of {review}", wait["version"]),
            Some("ask_again") => format!("say whether to ask again for the proposal of {review} that lapsed"),
            _ => format!("answer to version {} of {review}", wait["version"]),
        };
        let overdue = if wait["overdue"] == true { "OVERDUE: " } else { "" };
        line(
            text,
            0,
            match person {
                Some(person) => format!("{overdue}{person} must {what}, until {until}"),
                None => format!("{overdue}nobody may {what}, until {until}"),
            },
        );
        let reminded = match wait["reminded"].as_u64() {
            None | Some(0) => String::new(),
            Some(1) => ", reminded once".to_owned(),
            Some(times) => format!(", reminded {times} times"),
        };
        let told = if wait["told"] == true { "told" } else { "waited for, and not told yet," };
        line(text, 1, format!("{told} since {since}{reminded}"));
        if wait["mail_waits"] == true {
            line(text, 1, "the newest mail to them waits for the mail server; `holdpoint stuck` says why none leaves");
        }
        if wait["mail_arrives"] == false {
            line(text, 1, "mail does not arrive: nothing more is mailed to them");
        }
    }
    if none {
        line(
            text,
            0,
            answer["person"]
                .as_str()
                .map_or_else(|| "nobody is waited for".to_owned(), |person| format!("nothing waits for {person}")),
        );
    }
    list(answer, "unreadable").for_each(|broken| unreadable(text, broken));
}

pub fn told(text: &mut String, answer: &Value) {
    let mut none = true;
    for review in list(answer, "reviews") {
        none = false;
        line(text, 0, format!("{} ({})", plain(&review["review_id"]), plain(&review["standing"])));
        list(review, "mails").for_each(|mail| told_by(text, mail));
        if review["withheld"] == true {
            let why = plain(&review["undeliverable"]["why"]);
            line(text, 1, format!("nothing more is mailed to them: {why}"));
        }
        if let Some(until) = review["in_doubt_until"].as_str() {
            line(text, 1, format!("a mail is being made, or one may have gone out unrecorded (claimed until {until})"));
        }
    }
    if none {
        line(
            text,
            0,
            format!("{} was told nothing: what a review was issued with counts as known", plain(&answer["person"])),
        );
    }
    list(answer, "unreadable").for_each(|broken| unreadable(text, broken));
}

fn told_by(text: &mut String, mail: &Value) {
    let at = plain(&mail["at"]);
    let became = &mail["became"];
    let known = became["status"].as_str().map(|status| {
        let reason = became["reason"].as_str().map_or(String::new(), |reason| format!(" ({reason})"));
        format!("{}{reason}", status.replace('_', " "))
    });
    if mail["kind"] == "undeliverable" {
        line(text, 1, format!("{at}  mail did not arrive: {}", known.unwrap_or_default()));
        return;
    }
    let fields: Vec<String> = list(mail, "changes").map(|change| plain(&change["field"])).collect();
    let about = if fields.is_empty() { String::new() } else { format!(": {}", fields.join(", ")) };
    line(text, 1, format!("{at}  {}, version {}{about}", plain(&mail["kind"]), mail["version"]));
    let by = match mail["number"].as_u64() {
        Some(number) => format!("mail {number}"),
        None => format!("message {}", plain(&mail["message_id"])),
    };
    let relay = mail["relay"].as_str().map_or(String::new(), |state| format!(", {state}"));
    let became = match known {
        Some(status) => format!("{status} at {}", plain(&became["at"])),
        None => "no report of the mailer is kept of this one".to_owned(),
    };
    line(text, 2, format!("{by}{relay}: {became}"));
    for part in list(mail, "calendar") {
        let slot = format!("{} to {}", plain(&part["slot"]["start"]), plain(&part["slot"]["end"]));
        line(text, 2, format!("calendar: {} of the {}, {slot}", plain(&part["method"]), plain(&part["object"])));
    }
}

pub fn stuck(text: &mut String, answer: &Value) {
    let before = text.len();
    list(answer, "engine").for_each(|why| line(text, 0, plain(why)));
    let dead = &answer["dead"];
    if dead.as_object().into_iter().flatten().any(|(_, letters)| letters.as_array().is_some_and(|all| !all.is_empty()))
    {
        line(text, 0, "dead: `holdpoint redrive` sends these again");
        letters(text, &serde_json::json!({ "queues": dead, "not_shown": answer["dead_not_shown"] }));
    }
    for message in list(answer, "failed") {
        let (queue, receives) = (plain(&message["queue"]), &message["receives"]);
        let dead_after = message["dead_after"].as_u64().map_or(String::new(), |most| format!("; dead after {most}"));
        line(
            text,
            0,
            format!("{queue}: tried {receives} times{dead_after}: message {}", plain(&message["message_id"])),
        );
        line(text, 1, message["why"].as_str().unwrap_or("no reason was kept"));
    }
    for late in list(answer, "overdue") {
        let (review, due) = (plain(&late["review_id"]), plain(&late["due_at"]));
        let person = late["person"].as_str().unwrap_or("nobody");
        line(
            text,
            0,
            match late["what"].as_str() {
                Some("decision") => {
                    format!("{review}: the time for the decision of {person} was over at {due}, and nothing followed")
                }
                Some("answer") => format!("{review}: {person} has not answered; due {due}"),
                Some("mail") => format!("{review}: mail does not leave; due {due}"),
                _ => format!("{review}: nobody looks at it; due {due}"),
            },
        );
    }
    for source in list(answer, "silent") {
        let name = source["source"].as_str().unwrap_or("no registered source");
        let about = match (source["kind"].as_str(), source["subject"].as_str()) {
            (Some(kind), Some(subject)) => format!(" about {kind} {subject}"),
            _ => String::new(),
        };
        let since = match (source["heard_at"].as_str(), source["promised_minutes"].as_i64()) {
            (Some(at), Some(minutes)) => format!(" since {at}, promised every {minutes} minutes"),
            _ => String::new(),
        };
        let reviews: Vec<String> = list(source, "reviews").map(plain).collect();
        line(text, 0, format!("{name}: SILENT{about}{since}; missed by {}", reviews.join(", ")));
    }
    list(answer, "silenced").for_each(|subject| silenced(text, subject));
    list(answer, "polls").for_each(|poll| failing_poll(text, poll));
    for poll in list(answer, "stale_polls") {
        match poll["why"].as_str() {
            Some(why) => line(text, 0, format!("what is kept of a poll cannot be read: {why}")),
            None => {
                line(text, 0, format!("poll of {}: NOT ASKED; due {}", plain(&poll["binding"]), plain(&poll["due_at"])))
            }
        }
    }
    for known in list(answer, "undeliverable") {
        let (review, person, why) = (plain(&known["review_id"]), plain(&known["person"]), plain(&known["why"]));
        line(text, 0, format!("{review}: mail to {person} does not arrive: {why}"));
    }
    if let Some(why) = answer["mail"].as_str() {
        line(text, 0, why);
    }
    list(answer, "unreadable").for_each(|broken| unreadable(text, broken));
    if text.len() == before {
        line(text, 0, "nothing is stuck");
    }
}
