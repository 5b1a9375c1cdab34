//! Calendar parts: one iTIP object for one person (RFC 5545, 5546, 6047).
//!
//! The meeting and the hold are two objects with their own UIDs, so that a proposal never moves the meeting on anybody's
//! calendar. Each object names its recipient as the only ATTENDEE: nobody's address travels in another's invitation.

mod lines;
mod proof;
mod words;

use refresh_core::{
    Instant, Person, ReviewId, Zone,
    base::{instant::Slot, text::OrganizerAddress},
    facts::fact::Meeting,
    record::booking::CalendarObject,
    record::notice::{CalendarPart, CalendarStatus, Method, Participation, UnknownInvitation},
};

use crate::{Unsafe, text::CalParam};

/// Who made the object, as clients log it.
const PRODUCT: &str = "-//Holdpoint//Review coordination//EN";
/// The organizer's display name. The address is the service's own: Outlook drops an invitation that comes from its reader.
pub const ORGANIZER: &str = "Review coordination";

/// What a calendar part says beyond what was decided: the words and the two addresses.
#[derive(Clone, Debug)]
pub struct Invitation<'a> {
    /// The review.
    pub review: &'a ReviewId,
    /// The review's title.
    pub title: &'a str,
    /// The organizer of a calendar object that was issued with none: an address of the service, at which replies are read
    /// where any are.
    pub organizer: &'a Person,
    /// The mail's `From`: an address of the service too.
    pub sender: &'a Person,
    /// Whether what calendars send back to that address is read, and may be an answer.
    pub replies_are_read: bool,
    /// Whether an answer of the reader is awaited.
    pub answer_is_awaited: bool,
    /// The reader: the one attendee of the object.
    pub attendee: &'a Person,
    /// The reader's name.
    pub attendee_name: &'a str,
    /// `DTSTAMP`: the notice's own instant, so that the same notice sent twice is the same bytes.
    pub at: Instant,
    /// The reader's zone, for the words of the description. Times of the object itself are UTC.
    pub zone: Zone,
    /// Where the meeting stands, for the hold to say so.
    pub meeting_entry: Option<Slot>,
    /// The invitation of an unknown UID that the reader has, for the hold not to say that they have none.
    pub unknown_invitation: Option<UnknownInvitation>,
    /// The meeting as it was issued, which every update carries again; `None`: it was issued without a calendar object.
    pub issued: Option<&'a Meeting>,
}

/// One property as it must stand in the finished object: what is written and what must be read back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Property {
    /// The name, like `DTSTART`.
    pub name: &'static str,
    /// Name and value of each parameter.
    pub parameters: Vec<(&'static str, String)>,
    /// The value, as text that is not escaped yet.
    pub value: String,
}

/// The properties of a calendar object, by component and in their order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CalendarObjectText {
    /// Of the `VCALENDAR`.
    pub calendar: Vec<Property>,
    /// Of its one `VEVENT`.
    pub event: Vec<Property>,
    /// Of that event's one `VALARM`; empty where the event has none.
    pub alarm: Vec<Property>,
}

const fn property(name: &'static str, value: String) -> Property {
    Property { name, parameters: Vec::new(), value }
}

const fn method(method: Method) -> &'static str {
    match method {
        Method::Request => "REQUEST",
        Method::Cancel => "CANCEL",
    }
}

/// The word of `METHOD`, for the part's content type as well.
pub const fn method_word(part: &CalendarPart) -> &'static str {
    method(part.method)
}

/// Writes the object and reads it back. The bytes are returned only if an exact parse gives exactly what was meant.
///
/// # Errors
///
/// The reader is the organizer, or the written object does not read back as what was meant.
pub fn write(part: &CalendarPart, invitation: &Invitation<'_>) -> Result<String, Unsafe> {
    if invitation.organizer == invitation.attendee {
        return Err(Unsafe::new("the organizer", "an address that is no recipient", "the recipient's own"));
    }
    let object = properties(part, invitation);
    let text = lines::write(&object);
    proof::prove(&text, &object)?;
    Ok(text)
}

/// What the object holds.
pub fn properties(part: &CalendarPart, invitation: &Invitation<'_>) -> CalendarObjectText {
    let calendar = vec![
        property("PRODID", PRODUCT.to_owned()),
        property("VERSION", "2.0".to_owned()),
        property("METHOD", method(part.method).to_owned()),
    ];
    let mut event = vec![
        property("UID", part.uid.to_string()),
        property("SEQUENCE", part.sequence.to_string()),
        property("DTSTAMP", stamp(invitation.at)),
        property("DTSTART", stamp(part.slot.start)),
        property("DTEND", stamp(part.slot.end)),
        property("SUMMARY", words::summary(part, invitation)),
        property("DESCRIPTION", words::description(part, invitation)),
        organizer(part, invitation),
        attendee(part, invitation),
    ];
    if let Some(status) = part.status {
        event.push(property(
            "STATUS",
            match status {
                CalendarStatus::Tentative => "TENTATIVE",
                CalendarStatus::Confirmed => "CONFIRMED",
                CalendarStatus::Cancelled => "CANCELLED",
            }
            .to_owned(),
        ));
    }
    let mut alarm = Vec::new();
    match (part.object, part.method) {
        // Outlook takes "tentative" from here alone, and from STATUS only where TRANSP is absent too.
        (CalendarObject::Hold, Method::Request) => {
            event.push(property("X-MICROSOFT-CDO-BUSYSTATUS", "TENTATIVE".to_owned()));
            event.push(property("X-MICROSOFT-CDO-INTENDEDSTATUS", "TENTATIVE".to_owned()));
        }
        (CalendarObject::Meeting, Method::Request) => {
            event.push(property("TRANSP", "OPAQUE".to_owned()));
            if let Some(issued) = invitation.issued {
                event.extend(place(issued));
                alarm = reminder(issued, part, invitation);
            }
        }
        (_, Method::Cancel) => {}
    }
    CalendarObjectText { calendar, event, alarm }
}

/// Where the meeting takes place, as it was issued. A hold is no meeting yet, and has none of it.
fn place(issued: &Meeting) -> Vec<Property> {
    let location = issued.location.iter().map(|location| property("LOCATION", location.to_string()));
    let conference = issued.conference.iter().map(|conference| Property {
        name: "CONFERENCE",
        // RFC 7986, 5.11: the parameter must stand there.
        parameters: vec![("VALUE", "URI".to_owned())],
        value: conference.to_string(),
    });
    location.chain(conference).collect()
}

/// The alarm that the meeting was issued with. RFC 5545 wants a text to show.
fn reminder(issued: &Meeting, part: &CalendarPart, invitation: &Invitation<'_>) -> Vec<Property> {
    let before = |minutes: u32| if minutes == 0 { "PT0S".to_owned() } else { format!("-PT{minutes}M") };
    let Some(minutes) = issued.alarm_minutes else { return Vec::new() };
    vec![
        property("ACTION", "DISPLAY".to_owned()),
        property("TRIGGER", before(minutes)),
        property("DESCRIPTION", words::summary(part, invitation)),
    ]
}

/// The organizer whom the meeting was issued with. Holds, and meetings issued without one, are the service's own.
fn issued_organizer<'a>(part: &CalendarPart, invitation: &Invitation<'a>) -> Option<&'a OrganizerAddress> {
    let issued = invitation.issued.and_then(|issued| issued.organizer.as_ref());
    issued.filter(|_| part.object == CalendarObject::Meeting)
}

/// Whether to accept or decline the object in a calendar is an answer. Calendars send that to the organizer: what goes to an
/// organizer whom the meeting keeps, the service does not see. An optional attendee owes no answer, and gives none.
fn is_answered_by_calendar(part: &CalendarPart, invitation: &Invitation<'_>) -> bool {
    invitation.replies_are_read
        && part.participation == Participation::Required
        && issued_organizer(part, invitation).is_none_or(|issued| issued.is(invitation.organizer))
}

/// The meeting keeps its organizer as it was spelt, and calendars take a later part from that organizer alone. A mail that
/// comes from another address is sent on the organizer's behalf (RFC 6047, 2.2.1: the sender must be one of the two), also
/// where both are the service's: replies go to the organizer, and the service sends from its own.
fn organizer(part: &CalendarPart, invitation: &Invitation<'_>) -> Property {
    let issued = issued_organizer(part, invitation);
    let is = |person: &Person| issued.map_or(invitation.organizer == person, |issued| issued.is(person));
    let address = issued.map_or(invitation.organizer.as_str(), OrganizerAddress::as_str);
    let mut parameters = Vec::new();
    if is(invitation.organizer) || is(invitation.sender) {
        parameters.push(("CN", ORGANIZER.to_owned()));
    }
    if !is(invitation.sender) {
        parameters.push(("SENT-BY", mailto(invitation.sender.as_str())));
    }
    Property { name: "ORGANIZER", parameters, value: mailto(address) }
}

fn attendee(part: &CalendarPart, invitation: &Invitation<'_>) -> Property {
    let role = match part.participation {
        Participation::Required => "REQ-PARTICIPANT",
        Participation::Optional => "OPT-PARTICIPANT",
    };
    let name = CalParam::of(invitation.attendee_name);
    let name = if name.as_str().is_empty() { CalParam::of(invitation.attendee.as_str()) } else { name };
    let mut parameters = vec![("CN", name.to_string()), ("ROLE", role.to_owned())];
    if part.method == Method::Request {
        // A hold may be answered, and no answer to it is awaited: who adopts it may ask for one.
        let asks = part.object == CalendarObject::Meeting
            && invitation.answer_is_awaited
            && is_answered_by_calendar(part, invitation);
        parameters.push(("PARTSTAT", "NEEDS-ACTION".to_owned()));
        parameters.push(("RSVP", if asks { "TRUE" } else { "FALSE" }.to_owned()));
    }
    Property { name: "ATTENDEE", parameters, value: mailto(invitation.attendee.as_str()) }
}

/// RFC 6068: what has a meaning in a URI, or no place there, is written as its code. Calendars decode it, so that an
/// address with such a character stays that address.
fn mailto(address: &str) -> String {
    let written = |c: char| match c {
        '%' | '/' | '?' | '#' | '&' | '=' | '^' | '`' | '{' | '|' | '}' => format!("%{:02X}", u32::from(c)),
        c => c.to_string(),
    };
    format!("mailto:{}", address.chars().map(written).collect::<String>())
}

/// `20261103T153000Z`. Calendar time has whole seconds; a fraction is cut off.
fn stamp(at: Instant) -> String {
    at.to_utc().format("%Y%m%dT%H%M%SZ").to_string()
}
