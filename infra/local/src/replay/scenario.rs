//! The scenario format: JSON Lines, one instant and at most one action a line.

use std::{collections::BTreeMap, fmt};

use refresh_core::{Instant, Interval, Person, ReviewId};
use serde_json::{Map, Value};

use super::mailed::{CalendarButton, ReplyByMail};

/// A recorded history.
#[derive(Clone, PartialEq, Debug)]
pub struct Scenario {
    pub lines: Vec<Line>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// From 1, as an editor counts.
    pub number: usize,
    pub at: Instant,
    pub action: Option<Action>,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// An event, as it goes on the queue. Whether it is a good one is the product's to say.
    Send(Value),
    /// A source system's own payload, to be translated at the door.
    SendNative(Native),
    /// A webhook, as the door of its binding gets it; who sent it was proven when the history was recorded.
    Hook(RecordedHook),
    /// A question to a system that is polled, with what the system answered.
    Poll(RecordedPoll),
    Adopt(Visit),
    Decline(Visit, Then),
    Acknowledge(Visit, Answer),
    Open(Visit, Link),
    /// An owner asks for the expired proposal of their link again.
    AskAgain(Visit),
    /// The page of a superseded proposal is asked for the present link.
    SendLink(Visit),
    /// A calendar's button: the invitation is answered by mail.
    Reply(ReplyByMail),
}

#[derive(Clone, PartialEq, Debug)]
pub struct Native {
    pub format: String,
    pub headers: Map<String, Value>,
    pub body: Value,
}

/// What a hook got.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordedHook {
    /// The name of a binding in the policy.
    pub binding: String,
    pub headers: BTreeMap<String, String>,
    /// The raw body.
    pub body: String,
}

/// A recorded conversation with a system that is polled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordedPoll {
    /// The name of a binding in the policy.
    pub binding: String,
    /// One a question and page, in order.
    pub responses: Vec<RecordedResponse>,
}

/// What a system answered once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordedResponse {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    /// The raw body.
    pub body: String,
}

/// Somebody follows the link in their mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Visit {
    pub review: ReviewId,
    pub person: Person,
    /// The mail about this version; otherwise the newest with such a link.
    pub of_version: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Then {
    OtherSlot,
    Stand,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    Acknowledged,
    Conflict,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Link {
    Adopt,
    Acknowledge,
}

impl Link {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Adopt => "adopt",
            Self::Acknowledge => "acknowledge",
        }
    }
}

/// Everything wrong with a scenario, by line and member.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Malformed(pub Vec<String>);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Malformed {}

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

impl Scenario {
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let mut faults = Vec::new();
        let mut lines: Vec<Line> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let (number, line) = (index + 1, line.trim());
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut reader = Reader { number, faults: &mut faults };
            let Some(line) = reader.line(line) else { continue };
            if let Some(before) = lines.last().filter(|before| before.at > line.at) {
                let expected = format!("an instant not before {} of line {}", before.at, before.number);
                reader.fault("at", &expected, &line.at.to_string().into());
            }
            lines.push(line);
        }
        if faults.is_empty() { Ok(Self { lines }) } else { Err(Malformed(faults)) }
    }
}

struct Reader<'a> {
    number: usize,
    faults: &'a mut Vec<String>,
}

/// Enough of a value to find it by.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        other => {
            let text = other.to_string();
            if text.chars().count() > 60 { format!("{}…", text.chars().take(60).collect::<String>()) } else { text }
        }
    }
}

impl Reader<'_> {
    fn fault(&mut self, member: &str, expected: &str, found: &Value) {
        let number = self.number;
        let dot = if member.is_empty() { String::new() } else { format!(": {member}") };
        self.faults.push(format!("line {number}{dot}: expected {expected}, found {}", shown(found)));
    }

    fn line(&mut self, text: &str) -> Option<Line> {
        let value: Value = match serde_json::from_str(text) {
            Ok(value) => value,
            Err(error) => {
                let number = self.number;
                self.faults.push(format!("line {number}: expected JSON: {error}"));
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
            self.fault(actions[1], &format!("at most one action, after `{}`", actions[0]), &Value::Bool(true));
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
                self.only(name, members, &["format", "headers", "body"]);
                let format = self.text(members, "format", name);
                let headers = match members.get("headers") {
                    None => Map::new(),
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
                return Some(Action::SendNative(Native { format: format?, headers, body }));
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

    fn headers(&mut self, members: &Map<String, Value>, path: &str) -> Option<BTreeMap<String, String>> {
        let mut headers = BTreeMap::new();
        match members.get("headers") {
            None => {}
            Some(Value::Object(given)) => {
                for name in given.keys() {
                    headers.insert(name.to_ascii_lowercase(), self.text(given, name, path)?);
                }
            }
            Some(other) => {
                self.fault(path, "an object", other);
                return None;
            }
        }
        Some(headers)
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

    fn named<T>(
        &mut self,
        members: &Map<String, Value>,
        member: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(members, member, "reply")?;
        match parse(&text) {
            Ok(named) => Some(named),
            Err(expected) => {
                let number = self.number;
                self.faults.push(format!("line {number}: reply.{member}: expected {expected}"));
                None
            }
        }
    }

    fn wrong<T>(&mut self, name: &str, member: &str, expected: &str, members: &Map<String, Value>) -> Option<T> {
        self.fault(&format!("{name}.{member}"), expected, &members[member]);
        None
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

    /// Members that this format does not know are typing errors.
    fn only(&mut self, name: &str, members: &Map<String, Value>, known: &[&str]) {
        for (unknown, value) in members.iter().filter(|(member, _)| !known.contains(&member.as_str())) {
            self.fault(&format!("{name}.{unknown}"), &format!("only {}", known.join(", ")), value);
        }
    }

    fn text(&mut self, members: &Map<String, Value>, member: &str, of: &str) -> Option<String> {
        let path = if of.is_empty() { member.to_owned() } else { format!("{of}.{member}") };
        match members.get(member) {
            Some(Value::String(text)) => Some(text.clone()),
            other => {
                self.fault(&path, "a string", other.unwrap_or(&Value::Null));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        Scenario::parse(text).unwrap_err().0
    }

    #[test]
    fn empty_lines_and_comments_are_skipped_and_counted() {
        let scenario = Scenario::parse("\n# a comment\n{\"at\":\"2026-11-03T09:00:00Z\"}\n").unwrap();
        assert_eq!(scenario.lines.len(), 1);
        assert_eq!((scenario.lines[0].number, &scenario.lines[0].action), (3, &None));
    }

    #[test]
    fn every_action_is_read() {
        let line = |action: &str| {
            let scenario = Scenario::parse(&format!("{{\"at\":\"2026-11-03T09:00:00Z\",{action}}}")).unwrap();
            scenario.lines[0].action.clone().unwrap()
        };
        let visit = |of_version| Visit {
            review: ReviewId::parse("RR-1").unwrap(),
            person: Person::parse("a@example.com").unwrap(),
            of_version,
        };
        let who = "\"review_id\":\"RR-1\",\"as\":\"a@example.com\"";
        assert_eq!(line(&format!("\"adopt\":{{{who},\"of_version\":8}}")), Action::Adopt(visit(Some(8))));
        assert_eq!(
            line(&format!("\"decline\":{{{who},\"then\":\"stand\"}}")),
            Action::Decline(visit(None), Then::Stand)
        );
        assert_eq!(
            line(&format!("\"acknowledge\":{{{who},\"answer\":\"conflict\"}}")),
            Action::Acknowledge(visit(None), Answer::Conflict)
        );
        assert_eq!(line(&format!("\"ask_again\":{{{who},\"of_version\":8}}")), Action::AskAgain(visit(Some(8))));
        assert_eq!(line(&format!("\"send_link\":{{{who}}}")), Action::SendLink(visit(None)));
        assert_eq!(line(&format!("\"open\":{{{who},\"link\":\"adopt\"}}")), Action::Open(visit(None), Link::Adopt));
        let Action::Reply(reply) = line("\"reply\":{\"as\":\"a@example.com\",\"partstat\":\"DECLINED\"}") else {
            panic!("expected a reply")
        };
        assert_eq!((reply.button, reply.dmarc.as_str()), (CalendarButton::Answer("DECLINED".to_owned()), "pass"));
        assert!(matches!(line("\"send\":{\"id\":7}"), Action::Send(_)), "a bad event is a result, not an error");
        assert_eq!(
            line("\"hook\":{\"binding\":\"ci\",\"headers\":{\"X-Event\":\"a\"},\"body\":\"{}\"}"),
            Action::Hook(RecordedHook {
                binding: "ci".to_owned(),
                headers: BTreeMap::from([("x-event".to_owned(), "a".to_owned())]),
                body: "{}".to_owned(),
            })
        );
        assert_eq!(
            line("\"poll\":{\"binding\":\"ci\",\"response\":{\"headers\":{\"ETag\":\"a\"},\"body\":{}}}"),
            Action::Poll(RecordedPoll {
                binding: "ci".to_owned(),
                responses: vec![RecordedResponse {
                    status: 200,
                    headers: BTreeMap::from([("etag".to_owned(), "a".to_owned())]),
                    body: "{}".to_owned(),
                }],
            })
        );
        assert!(matches!(
            line("\"send_native\":{\"format\":\"github.workflow_run\",\"body\":{}}"),
            Action::SendNative(_)
        ));
    }

    #[test]
    fn each_fault_names_its_line_and_member() {
        let text = "\
{\"at\":\"09:00\"}
{\"at\":\"2026-11-03T09:00:00Z\",\"adopt\":{\"review_id\":\"RR-1\"}}
{\"at\":\"2026-11-03T09:00:00Z\",\"decline\":{\"review_id\":\"RR-1\",\"as\":\"a@example.com\",\"then\":\"later\"}}
{\"at\":\"2026-11-03T09:00:00Z\",\"open\":{\"review_id\":\"RR-1\",\"as\":\"a@example.com\",\"link\":\"adopt\",\"who\":1}}
{\"at\":\"2026-11-03T09:00:00Z\",\"send\":{},\"adopt\":{\"review_id\":\"RR-1\",\"as\":\"a@example.com\"}}
{\"at\":\"2026-11-03T09:00:00Z\",\"sned\":{}}
not json
{\"send\":[]}
{\"at\":\"2026-11-03T09:00:00Z\",\"poll\":{\"binding\":\"ci\",\"responses\":[{\"status\":\"good\"},7]}}";
        let faults = faults(text);
        let expected = [
            "line 1: at: expected an RFC 3339 instant",
            "line 2: adopt.as: expected a string, found none",
            "line 3: decline.then: expected `other_slot` or `stand`, found \"later\"",
            "line 4: open.who: expected only",
            "line 5: adopt: expected at most one action",
            "line 6: sned: expected `at` and at most one of",
            "line 7: expected JSON",
            "line 8: at: expected a string, found none",
            "line 8: send: expected an object, found a list",
            "line 9: poll.responses[0].status: expected a status from 200 to 599, found \"good\"",
            "line 9: poll.responses[1]: expected an object, found 7",
        ];
        assert_eq!(faults.len(), expected.len(), "{faults:#?}");
        for (fault, expected) in faults.iter().zip(expected) {
            assert!(fault.starts_with(expected), "{fault}");
        }
    }

    #[test]
    fn time_never_goes_back() {
        let text = "{\"at\":\"2026-11-03T09:00:00Z\"}\n{\"at\":\"2026-11-03T08:59:59Z\"}";
        assert_eq!(faults(text).len(), 1);
        assert!(
            faults(text)[0].starts_with("line 2: at: expected an instant not before 2026-11-03T09:00:00Z of line 1")
        );
    }
}
