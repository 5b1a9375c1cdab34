//! What a line may ask for, read member by member.

use refresh_core::{Instant, Interval, Person, ReviewId};
use serde_json::{Map, Value};

use super::{
    super::mailed::{CalendarButton, ReplyByMail},
    Action, Answer, Line, Link, Native, RecordedHook, RecordedPoll, RecordedResponse, Then, Visit,
    reader::Reader,
};

const ACTIONS: [&str; 11] = [
    "send",
    "send_native",
    "hook",
    "poll",
    "adopt",
    "decline",
    "acknowledge",
    "open",
    "ask_again",
    "send_link",
    "reply",
];

impl Reader<'_> {
    pub(super) fn line(&mut self, text: &str) -> Option<Line> {
        let value: Value = match sources::json::parse(text, "$") {
            Ok(value) => value,
            Err(fault) => {
                // The parser saw this line alone.
                let found = fault.found.trim_start_matches("line 1, ");
                self.faults.push(format!("line {}: expected JSON; found {found}", self.number));
                return None;
            }
        };
        let Value::Object(members) = &value else {
            self.fault("", "an object", &value);
            return None;
        };
        let before = self.faults.len();
        let at = self.text(members, "at", "").and_then(|text| match Instant::parse(&text) {
            Ok(at) => Some(at),
            Err(expected) => {
                let number = self.number;
                self.faults.push(format!("line {number}: at: expected {expected}"));
                None
            }
        });
        for unknown in members.keys().filter(|name| *name != "at" && !ACTIONS.contains(&name.as_str())) {
            self.fault(unknown, &format!("`at` and at most one of {}", ACTIONS.join(", ")), &members[unknown]);
        }
        let actions: Vec<&str> = ACTIONS.into_iter().filter(|name| members.contains_key(*name)).collect();
        if actions.len() > 1 {
            self.fault(actions[1], &format!("no second action beside `{}`", actions[0]), &actions[1].into());
        }
        let action = actions.first().and_then(|name| self.action(name, &members[*name]));
        (self.faults.len() == before).then_some(Line { number: self.number, at: at?, action })
    }

    fn action(&mut self, name: &str, value: &Value) -> Option<Action> {
        let Value::Object(members) = value else {
            self.fault(name, "an object", value);
            return None;
        };
        match name {
            "send" => return Some(Action::Send(value.clone())),
            "hook" => return self.hook(members),
            "poll" => return self.poll(members),
            "reply" => return self.reply(members),
            "send_native" => {
                // As on the queue: where several bindings have the format, the payload says for which it is.
                self.only(name, members, &["format", "binding", "headers", "body"]);
                let format = self.text(members, "format", name);
                let binding = match members.get("binding") {
                    None | Some(Value::Null) => None,
                    Some(_) => Some(self.text(members, "binding", name)?),
                };
                let headers = match members.get("headers") {
                    None | Some(Value::Null) => Map::new(),
                    Some(Value::Object(headers)) => headers.clone(),
                    Some(other) => {
                        self.fault(&format!("{name}.headers"), "an object", other);
                        return None;
                    }
                };
                let Some(body) = members.get("body").cloned() else {
                    self.fault(&format!("{name}.body"), "the payload", &Value::Null);
                    return None;
                };
                return Some(Action::SendNative(Native { format: format?, binding, headers, body }));
            }
            _ => {}
        }
        let own: &[&str] = match name {
            "decline" => &["then"],
            "acknowledge" => &["answer"],
            "open" => &["link"],
            _ => &[],
        };
        self.only(name, members, &[&["review_id", "as", "of_version"], own].concat());
        let word = own.first().map(|member| (*member, self.text(members, member, name)));
        let visit = self.visit(name, members);
        match (name, word) {
            ("adopt", _) => Some(Action::Adopt(visit?)),
            ("ask_again", _) => Some(Action::AskAgain(visit?)),
            ("send_link", _) => Some(Action::SendLink(visit?)),
            ("decline", Some((_, word))) => {
                let then = match word?.as_str() {
                    "other_slot" => Then::OtherSlot,
                    "stand" => Then::Stand,
                    _ => return self.wrong(name, "then", "`other_slot` or `stand`", members),
                };
                Some(Action::Decline(visit?, then))
            }
            ("acknowledge", Some((_, word))) => {
                let answer = match word?.as_str() {
                    "acknowledged" => Answer::Acknowledged,
                    "conflict" => Answer::Conflict,
                    _ => return self.wrong(name, "answer", "`acknowledged` or `conflict`", members),
                };
                Some(Action::Acknowledge(visit?, answer))
            }
            ("open", Some((_, word))) => {
                let link = match word?.as_str() {
                    "adopt" => Link::Adopt,
                    "acknowledge" => Link::Acknowledge,
                    _ => return self.wrong(name, "link", "`adopt` or `acknowledge`", members),
                };
                Some(Action::Open(visit?, link))
            }
            _ => None,
        }
    }

    fn hook(&mut self, members: &Map<String, Value>) -> Option<Action> {
        self.only("hook", members, &["binding", "headers", "body"]);
        let binding = self.text(members, "binding", "hook");
        let body = self.text(members, "body", "hook");
        let headers = self.headers(members, "hook.headers");
        Some(Action::Hook(RecordedHook { binding: binding?, headers: headers?, body: body? }))
    }

    /// `response`, or `responses` where there are several: one a question and page.
    fn poll(&mut self, members: &Map<String, Value>) -> Option<Action> {
        self.only("poll", members, &["binding", "response", "responses"]);
        let binding = self.text(members, "binding", "poll");
        let responses = match (members.get("response"), members.get("responses")) {
            (Some(one), None) => self.response(one, "poll.response").map(|one| vec![one]),
            (None, Some(Value::Array(several))) => {
                let read = several.iter().enumerate();
                let read: Vec<Option<RecordedResponse>> =
                    read.map(|(index, one)| self.response(one, &format!("poll.responses[{index}]"))).collect();
                read.into_iter().collect()
            }
            (_, other) => {
                self.fault("poll.responses", "a list, or one `response`", other.unwrap_or(&Value::Null));
                None
            }
        };
        Some(Action::Poll(RecordedPoll { binding: binding?, responses: responses? }))
    }

    /// `{"status", "headers", "body"}`, the body as JSON or as text. Left out, the status is 200.
    fn response(&mut self, value: &Value, path: &str) -> Option<RecordedResponse> {
        let Value::Object(members) = value else {
            self.fault(path, "an object", value);
            return None;
        };
        self.only(path, members, &["status", "headers", "body"]);
        let status = match members.get("status") {
            None => Some(200),
            Some(given) => {
                let status = given.as_u64().and_then(|status| u16::try_from(status).ok());
                let status = status.filter(|status| (200..600).contains(status));
                if status.is_none() {
                    self.fault(&format!("{path}.status"), "a status from 200 to 599", given);
                }
                status
            }
        };
        let headers = self.headers(members, &format!("{path}.headers"));
        let body = match members.get("body") {
            None => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(json) => json.to_string(),
        };
        Some(RecordedResponse { status: status?, headers: headers?, body })
    }

    fn reply(&mut self, members: &Map<String, Value>) -> Option<Action> {
        let name = "reply";
        self.only(name, members, &["as", "for", "review_id", "partstat", "propose", "hold", "text", "dmarc"]);
        let person = self.named(members, "as", Person::parse)?;
        let attendee =
            if members.contains_key("for") { self.named(members, "for", Person::parse)? } else { person.clone() };
        let review = match members.contains_key("review_id") {
            true => Some(self.named(members, "review_id", ReviewId::parse)?),
            false => None,
        };
        let text = if members.contains_key("text") { Some(self.text(members, "text", name)?) } else { None };
        let button = match (members.get("partstat"), members.get("propose")) {
            (Some(_), None) => {
                let word = self.text(members, "partstat", name)?;
                if !["ACCEPTED", "DECLINED", "TENTATIVE", "DELEGATED"].contains(&word.as_str()) {
                    return self.wrong(name, "partstat", "ACCEPTED, DECLINED, TENTATIVE or DELEGATED", members);
                }
                CalendarButton::Answer(word)
            }
            (None, Some(slot)) => {
                let at =
                    |member: &str| slot.get(member).and_then(Value::as_str).and_then(|text| Instant::parse(text).ok());
                match at("start").zip(at("end")).and_then(|(start, end)| Interval::new(start, end)) {
                    Some(slot) => CalendarButton::Propose(slot),
                    None => return self.wrong(name, "propose", "an interval with `start` and a later `end`", members),
                }
            }
            (None, None) if text.is_some() && review.is_some() => CalendarButton::Write,
            (one, _) => {
                let expected = "`partstat` or `propose`; or `text` with `review_id`, for a mail without a calendar";
                self.fault(name, expected, &one.map_or(Value::Null, |_| Value::from("both")));
                return None;
            }
        };
        let hold = match members.get("hold") {
            None => None,
            Some(Value::Bool(hold)) => Some(*hold),
            Some(_) => return self.wrong(name, "hold", "true (the hold) or false (the meeting)", members),
        };
        let dmarc = if members.contains_key("dmarc") { self.text(members, "dmarc", name)? } else { "pass".to_owned() };
        Some(Action::Reply(ReplyByMail { person, attendee, review, button, hold, text, dmarc }))
    }

    fn visit(&mut self, name: &str, members: &Map<String, Value>) -> Option<Visit> {
        let review = self.text(members, "review_id", name);
        let person = self.text(members, "as", name);
        let of_version = match members.get("of_version") {
            None => None,
            Some(value) => {
                let version = value.as_u64().and_then(|version| u32::try_from(version).ok());
                if version.is_none() {
                    self.fault(&format!("{name}.of_version"), "a version's number", value);
                }
                version
            }
        };
        let mut parsed = |member: &str, expected: String| {
            let number = self.number;
            self.faults.push(format!("line {number}: {name}.{member}: expected {expected}"));
        };
        let review = review.map(|text| ReviewId::parse(&text).map_err(|expected| parsed("review_id", expected)));
        let person = person.map(|text| Person::parse(&text).map_err(|expected| parsed("as", expected)));
        Some(Visit { review: review?.ok()?, person: person?.ok()?, of_version })
    }
}
