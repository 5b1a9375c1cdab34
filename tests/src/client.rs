//! A person's calendar that follows RFC 5546 and nothing else. It was written apart from what writes the parts, and reads
//! with libraries of others.
//!
//! Of each mail it reads the first calendar part alone, as clients do. Of each UID it keeps the object with the highest
//! SEQUENCE, then the latest DTSTAMP, the cancelled ones too: an older invitation that comes later brings nothing back.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use icalendar::parser::{Component, Property, read_calendar, unfold};
use mail_parser::{MessageParser, MimeHeaders};
use serde_json::Value;

/// One object, as the calendar keeps it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Entry {
    pub sequence: u64,
    /// `DTSTAMP` as written, in UTC.
    pub stamp: String,
    pub cancelled: bool,
    pub tentative: bool,
    /// RFC 3339, in UTC.
    pub start: String,
    /// RFC 3339, in UTC.
    pub end: String,
    /// `ROLE` of the reader, `REQ-PARTICIPANT` where none is written.
    pub role: String,
    pub texts: Texts,
}

/// What an invitation says beside its time; a REQUEST replaces all of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Texts {
    pub organizer: Option<String>,
    pub location: Option<String>,
    /// In their order.
    pub conferences: Vec<String>,
    pub description: Option<String>,
    /// Minutes before the start.
    pub alarm: Option<u64>,
}

impl Texts {
    /// What was issued, and is no longer said. What was not issued may be said in any words.
    pub fn lost(&self, now: &Self) -> Option<String> {
        let said = |what: &Option<String>| what.clone().into_iter().collect::<Vec<_>>();
        let of = |texts: &Self| {
            let alarm = texts.alarm.map(|minutes| minutes.to_string());
            [
                ("organizer", said(&texts.organizer)),
                ("location", said(&texts.location)),
                ("conference", texts.conferences.clone()),
                ("description", said(&texts.description)),
                ("alarm", said(&alarm)),
            ]
        };
        let mut pairs = of(self).into_iter().zip(of(now));
        let ((name, was), (_, now)) = pairs.find(|((_, was), (_, now))| !was.is_empty() && was != now)?;
        Some(format!("the {name} was {was:?} and is {now:?}"))
    }
}

impl Entry {
    /// The entry that people have when a review is handed over: the members of a `review.issued`.
    ///
    /// # Panics
    /// The slot is none.
    pub fn issued(data: &Value) -> Self {
        let meeting = &data["meeting"];
        let text = |name: &str| meeting[name].as_str().map(str::to_owned);
        let utc = |at: &Value| {
            let at = chrono::DateTime::parse_from_rfc3339(at.as_str().unwrap_or_default()).expect("an instant");
            at.to_utc().to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
        };
        let conferences = match &meeting["conference"] {
            Value::Array(several) => several.clone(),
            Value::Null => Vec::new(),
            one => vec![one.clone()],
        };
        Self {
            sequence: meeting["sequence"].as_u64().unwrap_or_default(),
            start: utc(&data["slot"]["start"]),
            end: utc(&data["slot"]["end"]),
            role: "REQ-PARTICIPANT".to_owned(),
            texts: Texts {
                organizer: text("organizer"),
                location: text("location"),
                conferences: conferences.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
                description: text("description"),
                alarm: meeting["alarm_minutes"].as_u64(),
            },
            ..Self::default()
        }
    }
}

/// What one person's calendar shows once all these mails are read: the same in whatever order they come, and however often.
/// `calendar`: what it showed before. `mails`: in the order they were sent. `in_doubt`: the UIDs of which a mail may have
/// got lost on the way to the mailer.
///
/// # Errors
/// A mail that no calendar could follow, an order of arrival that leaves another calendar, and a `CANCEL` of what the
/// calendar never had: whatever is meant by that is under another UID, and stays.
pub fn in_every_order(calendar: &Client, mails: &[&[u8]], in_doubt: &[&str]) -> Result<Client, String> {
    // Read once, kept in many orders.
    let mut objects = Vec::new();
    for raw in mails {
        objects.extend(read(raw, &calendar.reader)?);
    }
    let mut known: BTreeSet<&String> = calendar.entries.keys().collect();
    for (uid, entry) in &objects {
        if known.insert(uid) && entry.cancelled && !in_doubt.contains(&uid.as_str()) {
            return Err(format!("a CANCEL of {uid} to {}, whose calendar never had it", calendar.reader));
        }
    }
    let kept = |order: &str, objects: Vec<&(String, Entry)>| {
        let mut calendar = calendar.clone();
        for object in objects {
            calendar.keep(object.clone()).map_err(|why| format!("{order}: {why}"))?;
        }
        Ok::<Client, String>(calendar)
    };
    let in_order = kept("in order", objects.iter().collect())?;
    let doubled = || objects.iter().flat_map(|object| [object, object]).collect::<Vec<_>>();
    let mut orders = vec![("doubled", doubled()), ("reversed", objects.iter().rev().collect())];
    for seed in 1..=4 {
        let mut shuffled = doubled();
        Rng::with_seed(seed).shuffle(&mut shuffled);
        orders.push(("shuffled", shuffled));
    }
    for (order, objects) in orders {
        if kept(order, objects)? != in_order {
            return Err(format!("{order}, the mails to {} leave another calendar", calendar.reader));
        }
    }
    Ok(in_order)
}

/// One person's calendar.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Client {
    reader: String,
    entries: BTreeMap<String, Entry>,
}

impl Client {
    /// An empty calendar.
    pub fn of(reader: &str) -> Self {
        Self { reader: reader.to_owned(), entries: BTreeMap::new() }
    }

    /// An invitation that the person had before any mail of ours.
    pub fn seed(&mut self, uid: &str, entry: Entry) {
        self.entries.insert(uid.to_owned(), entry);
    }

    /// What the calendar shows: everything that is not cancelled, by UID.
    pub fn shown(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().filter(|(_, entry)| !entry.cancelled).map(|(uid, entry)| (uid.as_str(), entry))
    }

    /// One mail. A mail without a calendar part changes nothing. Whether the calendar changed.
    ///
    /// # Errors
    /// A mail or part that cannot be read, a part that is not for this reader, and two different objects of one UID,
    /// SEQUENCE and DTSTAMP: nobody could say which of them counts.
    pub fn receive(&mut self, raw: &[u8]) -> Result<bool, String> {
        match read(raw, &self.reader)? {
            Some(object) => self.keep(object),
            None => Ok(false),
        }
    }

    fn keep(&mut self, (uid, entry): (String, Entry)) -> Result<bool, String> {
        match self.entries.get(&uid) {
            Some(kept) if (kept.sequence, &kept.stamp) > (entry.sequence, &entry.stamp) => Ok(false),
            Some(kept) if *kept == entry => Ok(false),
            Some(kept) if (kept.sequence, &kept.stamp) == (entry.sequence, &entry.stamp) => {
                Err(format!("{uid}: two objects of one SEQUENCE and DTSTAMP: {kept:?} and {entry:?}"))
            }
            _ => {
                self.entries.insert(uid, entry);
                Ok(true)
            }
        }
    }
}

/// Every calendar part of a mail, in order: the media type with its `method`, and the text.
///
/// # Errors
/// A mail that cannot be read.
pub fn parts(raw: &[u8]) -> Result<Vec<(String, String)>, String> {
    let message = MessageParser::default().parse(raw).ok_or("a mail that cannot be read")?;
    let calendars = message.parts.iter().filter_map(|part| {
        let kind = part.content_type()?;
        let named = format!("{}/{}", kind.ctype(), kind.subtype()?).to_ascii_lowercase();
        let method = kind.attribute("method").unwrap_or_default().to_owned();
        let calendar = named == "text/calendar" || named == "application/ics";
        calendar.then(|| (method, String::from_utf8_lossy(part.contents()).into_owned()))
    });
    Ok(calendars.collect())
}

/// The object of the first calendar part.
fn read(raw: &[u8], reader: &str) -> Result<Option<(String, Entry)>, String> {
    let Some((declared, text)) = parts(raw)?.into_iter().next() else { return Ok(None) };
    let unfolded = unfold(&text);
    let calendar = read_calendar(&unfolded).map_err(|why| format!("{why}: {text}"))?;
    let method = value(&calendar.properties, "METHOD").ok_or("a calendar part without METHOD")?;
    if !method.eq_ignore_ascii_case(&declared) {
        return Err(format!("the part is declared {declared:?} and says {method:?}"));
    }
    let events: Vec<&Component<'_>> = calendar.components.iter().filter(|one| one.name == "VEVENT").collect();
    let [event] = events[..] else { return Err(format!("{} events in one part", events.len())) };
    let one = |name: &str| value(&event.properties, name).ok_or_else(|| format!("an event without {name}: {text}"));
    let attendee = event.properties.iter().filter(|property| property.name == "ATTENDEE");
    let attendee = attendee.into_iter().find(|property| address(property.val.as_str()) == reader);
    let attendee = attendee.ok_or_else(|| format!("a part to {reader} that does not invite them: {text}"))?;
    let status = value(&event.properties, "STATUS").unwrap_or_default();
    let cancelled = match method.as_str() {
        "CANCEL" => true,
        "REQUEST" => status == "CANCELLED",
        other => return Err(format!("METHOD:{other} of an organizer")),
    };
    let entry = Entry {
        sequence: one("SEQUENCE")?.parse().map_err(|_| "a SEQUENCE that is no number")?,
        stamp: one("DTSTAMP")?,
        cancelled,
        tentative: status == "TENTATIVE",
        start: instant(&one("DTSTART")?)?,
        end: instant(&one("DTEND")?)?,
        role: parameter(attendee, "ROLE").unwrap_or_else(|| "REQ-PARTICIPANT".to_owned()),
        texts: Texts {
            organizer: value(&event.properties, "ORGANIZER").map(|organizer| address(&organizer)),
            location: value(&event.properties, "LOCATION"),
            conferences: uris(&event.properties, "CONFERENCE"),
            description: value(&event.properties, "DESCRIPTION"),
            alarm: alarm(event)?,
        },
    };
    Ok(Some((one("UID")?, entry)))
}

fn value(properties: &[Property<'_>], name: &str) -> Option<String> {
    let found = properties.iter().find(|property| property.name.as_str().eq_ignore_ascii_case(name))?;
    Some(found.val.clone().unescape_text().as_str().to_owned())
}

/// Of a URI nothing is escaped, so nothing is unescaped.
fn uris(properties: &[Property<'_>], name: &str) -> Vec<String> {
    let found = properties.iter().filter(|property| property.name.as_str().eq_ignore_ascii_case(name));
    found.map(|property| property.val.as_str().to_owned()).collect()
}

/// Minutes before the start, of the one alarm.
fn alarm(event: &Component<'_>) -> Result<Option<u64>, String> {
    let alarms: Vec<&Component<'_>> = event.components.iter().filter(|one| one.name == "VALARM").collect();
    let [alarm] = alarms[..] else {
        return if alarms.is_empty() { Ok(None) } else { Err(format!("{} alarms", alarms.len())) };
    };
    let trigger = value(&alarm.properties, "TRIGGER").ok_or("an alarm without TRIGGER")?;
    if trigger == "PT0S" {
        return Ok(Some(0));
    }
    let minutes = trigger.strip_prefix("-PT").and_then(|rest| rest.strip_suffix('M')).and_then(|it| it.parse().ok());
    minutes.map(Some).ok_or_else(|| format!("expected minutes before the start, found {trigger}"))
}

fn parameter(property: &Property<'_>, name: &str) -> Option<String> {
    let found = property.params.iter().find(|one| one.key.as_str().eq_ignore_ascii_case(name))?;
    found.val.as_ref().map(|val| val.as_str().to_owned())
}

/// The address behind `mailto:`, its codes decoded (RFC 6068).
fn address(uri: &str) -> String {
    let scheme = uri.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("mailto:"));
    let coded = if scheme { &uri[7..] } else { uri };
    let mut plain = Vec::new();
    let mut rest = coded.as_bytes();
    while let [byte, after @ ..] = rest {
        let code = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match code.filter(|_| *byte == b'%').and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(code) => {
                plain.push(code);
                rest = &after[2..];
            }
            None => {
                plain.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// `20261103T150000Z` as RFC 3339. A time without `Z` has no zone here, and is refused.
fn instant(stamp: &str) -> Result<String, String> {
    let parts =
        |range: std::ops::Range<usize>| stamp.get(range).filter(|part| part.bytes().all(|b| b.is_ascii_digit()));
    let whole = || {
        let (year, month, day) = (parts(0..4)?, parts(4..6)?, parts(6..8)?);
        let (hour, minute, second) = (parts(9..11)?, parts(11..13)?, parts(13..15)?);
        let utc = stamp.len() == 16 && stamp.ends_with('Z') && stamp.get(8..9) == Some("T");
        utc.then(|| format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"))
    };
    whole().ok_or_else(|| format!("expected a time in UTC, found {stamp}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const READER: &str = "sec-b@example.com";

    fn mail(method: &str, sequence: u64, stamp: &str, hour: u64, status: &str) -> Vec<u8> {
        let lines = [
            "BEGIN:VCALENDAR".to_owned(),
            "VERSION:2.0".to_owned(),
            format!("METHOD:{method}"),
            "BEGIN:VEVENT".to_owned(),
            "UID:one@example.com".to_owned(),
            format!("SEQUENCE:{sequence}"),
            format!("DTSTAMP:{stamp}"),
            format!("DTSTART:20261103T{hour:02}0000Z"),
            format!("DTEND:20261103T{:02}0000Z", hour + 1),
            "ORGANIZER:mailto:desk@example.com".to_owned(),
            "LOCATION:Room 1\\, north".to_owned(),
            "ATTENDEE;ROLE=OPT-PARTICIPANT:MAILTO:sec%2Db@example.com".to_owned(),
            format!("STATUS:{status}"),
            "END:VEVENT".to_owned(),
            "END:VCALENDAR".to_owned(),
        ];
        let head = format!("To: {READER}\r\nContent-Type: text/calendar; method={method}\r\n\r\n");
        format!("{head}{}\r\n", lines.join("\r\n")).into_bytes()
    }

    #[test]
    fn the_highest_sequence_stays_in_whatever_order_mails_come() {
        let moved = mail("REQUEST", 2, "20261103T090000Z", 16, "CONFIRMED");
        let first = mail("REQUEST", 1, "20261103T080000Z", 15, "CONFIRMED");
        let gone = mail("CANCEL", 3, "20261103T100000Z", 16, "CANCELLED");
        let mut client = Client::of(READER);
        assert_eq!(client.receive(&moved), Ok(true));
        assert_eq!(client.receive(&first), Ok(false));
        let shown: Vec<_> = client.shown().map(|(_, entry)| entry.clone()).collect();
        assert_eq!((shown[0].start.as_str(), shown[0].role.as_str()), ("2026-11-03T16:00:00Z", "OPT-PARTICIPANT"));
        assert_eq!(shown[0].texts.location.as_deref(), Some("Room 1, north"));
        assert_eq!(client.receive(&gone), Ok(true));
        assert_eq!(client.receive(&moved), Ok(false), "a cancelled object is kept, so that nothing brings it back");
        assert_eq!(client.shown().count(), 0);
    }

    #[test]
    fn what_no_client_could_follow_is_an_error() {
        let mut client = Client::of(READER);
        let first = mail("REQUEST", 1, "20261103T080000Z", 15, "CONFIRMED");
        assert_eq!(client.receive(&first), Ok(true));
        assert_eq!(client.receive(&first), Ok(false), "the same once more is the same");
        assert!(client.receive(&mail("REQUEST", 1, "20261103T080000Z", 16, "CONFIRMED")).is_err(), "two of one number");
        assert!(Client::of("else@example.com").receive(&first).is_err(), "somebody else's invitation");
        let floating = String::from_utf8(first).unwrap().replace("T150000Z", "T150000");
        assert!(Client::of(READER).receive(floating.as_bytes()).is_err(), "a time of no zone");
    }
}
