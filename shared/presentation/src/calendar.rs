//! Calendar parts: one iTIP object for one person (RFC 5545, 5546, 6047).
//!
//! The meeting and the hold are two objects with their own UIDs, so that a proposal never moves the meeting on anybody's
//! calendar. Each object names its recipient as the only ATTENDEE: nobody's address travels in another's invitation.

mod proof;

use calcard::{
    common::{IanaParse, PartialDateTime},
    icalendar::{
        ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarEntry, ICalendarMethod, ICalendarParameter,
        ICalendarParticipationRole, ICalendarParticipationStatus, ICalendarProperty, ICalendarStatus,
        ICalendarTransparency, ICalendarValue, Uri,
    },
};
use refresh_core::{
    Instant, Person, ReviewId, Zone,
    base::instant::Slot,
    record::booking::CalendarObject,
    record::notice::{CalendarPart, CalendarStatus, Method, Participation},
};

use crate::{
    Unsafe, moment,
    text::{CalParam, CalText, Line, title},
};

/// Who made the object, as clients log it.
const PRODUCT: &str = "-//Holdpoint//Review coordination//EN";
/// The organiser's display name. The address is the service's own: Outlook drops an invitation that comes from its reader.
pub const ORGANISER: &str = "Review coordination";

/// What a calendar part says beyond what was decided: the words and the two addresses.
#[derive(Clone, Debug)]
pub struct Invitation<'a> {
    /// The review.
    pub review: &'a ReviewId,
    /// The review's title.
    pub title: &'a str,
    /// Who the invitation is from: the service's own address.
    pub organiser: &'a Person,
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
/// The reader is the organiser, or the written object does not read back as what was meant.
pub fn write(part: &CalendarPart, invitation: &Invitation<'_>) -> Result<String, Unsafe> {
    if invitation.organiser == invitation.attendee {
        return Err(Unsafe::new("the organiser", "an address that is no recipient", "the recipient's own"));
    }
    let (calendar, event) = properties(part, invitation);
    let mut root = ICalendarComponent::new(ICalendarComponentType::VCalendar);
    root.entries = calendar.iter().map(entry).collect();
    root.component_ids = vec![1];
    let mut vevent = ICalendarComponent::new(ICalendarComponentType::VEvent);
    vevent.entries = event.iter().map(entry).collect();
    let text = ICalendar { components: vec![root, vevent] }.to_string();
    proof::prove(&text, &calendar, &event)?;
    Ok(text)
}

/// What the object holds: the calendar's own properties, and the event's.
pub fn properties(part: &CalendarPart, invitation: &Invitation<'_>) -> (Vec<Property>, Vec<Property>) {
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
        property("SUMMARY", summary(part, invitation)),
        property("DESCRIPTION", description(part, invitation)),
        Property {
            name: "ORGANIZER",
            parameters: vec![("CN", ORGANISER.to_owned())],
            value: mailto(invitation.organiser),
        },
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
    match (part.object, part.method) {
        // Outlook takes "tentative" from here alone, and from STATUS only where TRANSP is absent too.
        (CalendarObject::Hold, Method::Request) => {
            event.push(property("X-MICROSOFT-CDO-BUSYSTATUS", "TENTATIVE".to_owned()));
            event.push(property("X-MICROSOFT-CDO-INTENDEDSTATUS", "TENTATIVE".to_owned()));
        }
        (CalendarObject::Meeting, Method::Request) => event.push(property("TRANSP", "OPAQUE".to_owned())),
        (_, Method::Cancel) => {}
    }
    (calendar, event)
}

fn attendee(part: &CalendarPart, invitation: &Invitation<'_>) -> Property {
    let role = match part.participation {
        Participation::Required => "REQ-PARTICIPANT",
        Participation::Optional => "OPT-PARTICIPANT",
    };
    let name = CalParam::of(invitation.attendee_name);
    let name = if name.as_str().is_empty() { invitation.attendee.as_str() } else { name.as_str() };
    let mut parameters = vec![("CN", name.to_owned()), ("ROLE", role.to_owned())];
    if part.method == Method::Request {
        // Answers are given through the link: a calendar client's own reply is read by nobody, so none is asked for.
        parameters.push(("PARTSTAT", "NEEDS-ACTION".to_owned()));
        parameters.push(("RSVP", "FALSE".to_owned()));
    }
    Property { name: "ATTENDEE", parameters, value: mailto(invitation.attendee) }
}

/// RFC 6068: what has a meaning in a URI, or no place there, is written as its code. Calendars decode it, so that an
/// address with such a character stays that address.
fn mailto(person: &Person) -> String {
    let written = |c: char| match c {
        '%' | '/' | '?' | '#' | '&' | '=' | '^' | '`' | '{' | '|' | '}' => format!("%{:02X}", u32::from(c)),
        c => c.to_string(),
    };
    format!("mailto:{}", person.as_str().chars().map(written).collect::<String>())
}

fn summary(part: &CalendarPart, invitation: &Invitation<'_>) -> String {
    let title = CalText::of(&title(invitation.title, invitation.review.as_str()));
    match part.object {
        CalendarObject::Hold => format!("[Proposed] {title}"),
        CalendarObject::Meeting => title.as_str().to_owned(),
    }
}

fn description(part: &CalendarPart, invitation: &Invitation<'_>) -> String {
    let review = format!("Review {}.", Line::of(invitation.review.as_str()));
    let lines: Vec<String> = match (part.object, part.method) {
        (CalendarObject::Hold, Method::Request) => vec![
            "This is a hold for a proposed time, not a meeting. It is final only once the release owner has adopted it.".to_owned(),
            match &invitation.meeting_entry {
                Some(slot) => format!(
                    "Until then the review’s own entry in your calendar, the meeting of {}, is the one that counts.",
                    moment::interval(slot, invitation.zone)
                ),
                None => "Until then you are not expected, and have no other entry of this review.".to_owned(),
            },
            review,
        ],
        (CalendarObject::Hold, Method::Cancel) => vec![
            match &invitation.meeting_entry {
                Some(slot) => format!(
                    "This hold has ended. What counts is the review’s own entry in your calendar, the meeting of {}.",
                    moment::interval(slot, invitation.zone)
                ),
                None => "This hold has ended, and no entry of this review is left in your calendar.".to_owned(),
            },
            review,
        ],
        (CalendarObject::Meeting, Method::Request) => vec![
            "This time is authoritative. A proposed change would come as a separate hold, marked [Proposed], and leave this entry as it is until it is adopted.".to_owned(),
            "Please answer through the link in the mail that came with this: accepting in the calendar is not an acknowledgement.".to_owned(),
            review,
        ],
        (CalendarObject::Meeting, Method::Cancel) => {
            vec!["You are no longer expected at this meeting.".to_owned(), review]
        }
    };
    let text = CalText::lines(lines.iter().map(String::as_str));
    text.as_str().to_owned()
}

/// `20261103T153000Z`. Calendar time has whole seconds; a fraction is cut off.
fn stamp(at: Instant) -> String {
    at.to_utc().format("%Y%m%dT%H%M%SZ").to_string()
}

fn entry(property: &Property) -> ICalendarEntry {
    let value = property.value.as_str();
    let name = ICalendarProperty::parse(property.name.as_bytes())
        .unwrap_or_else(|| ICalendarProperty::Other(property.name.to_owned()));
    let seconds = || chrono::NaiveDateTime::parse_from_str(value, "%Y%m%dT%H%M%SZ").map(|at| at.and_utc().timestamp());
    let value = match property.name {
        "METHOD" => ICalendarValue::Method(match value {
            "CANCEL" => ICalendarMethod::Cancel,
            _ => ICalendarMethod::Request,
        }),
        "SEQUENCE" => ICalendarValue::Integer(value.parse().unwrap_or_default()),
        "DTSTAMP" | "DTSTART" | "DTEND" => PartialDateTime::from_utc_timestamp(seconds().unwrap_or_default()).into(),
        "ORGANIZER" | "ATTENDEE" => ICalendarValue::Uri(Uri::Location(value.to_owned())),
        "STATUS" => ICalendarValue::Status(match value {
            "TENTATIVE" => ICalendarStatus::Tentative,
            "CANCELLED" => ICalendarStatus::Cancelled,
            _ => ICalendarStatus::Confirmed,
        }),
        "TRANSP" => ICalendarValue::Transparency(ICalendarTransparency::Opaque),
        _ => ICalendarValue::Text(value.to_owned()),
    };
    let parameter = |(name, value): &(&str, String)| match *name {
        "CN" => ICalendarParameter::cn(value.clone()),
        "RSVP" => ICalendarParameter::rsvp(value == "TRUE"),
        "PARTSTAT" => ICalendarParameter::partstat(ICalendarParticipationStatus::NeedsAction),
        _ => ICalendarParameter::role(match value.as_str() {
            "OPT-PARTICIPANT" => ICalendarParticipationRole::OptParticipant,
            _ => ICalendarParticipationRole::ReqParticipant,
        }),
    };
    ICalendarEntry { name, params: property.parameters.iter().map(parameter).collect(), values: vec![value] }
}
