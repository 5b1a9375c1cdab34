//! The meeting as it was issued, and the invitation that nobody knows.

use crate::case;

/// Organizer, room, dial-in, agenda and alarm are in every calendar's entry still: `calendars` reads them there.
#[test]
fn a_meeting_keeps_its_dial_in() {
    let case = case("a_meeting_keeps_its_dial_in");
    for person in ["rm-a", "so-a", "guest"] {
        assert_eq!(case.calendar("09:10", person)[0], "REQUEST meeting 5 CONFIRMED", "{person}");
    }
    // The organizer is an attendee, and is replaced: the meeting leaves their calendar, and goes on for the others.
    assert!(case.told("09:30").contains(&"released: so-a".to_owned()), "{:?}", case.told("09:30"));
    assert_eq!(case.calendar("09:30", "so-a"), ["CANCEL meeting 6 none"]);
    assert_eq!(case.calendar("09:30", "so-b")[0], "REQUEST meeting 6 CONFIRMED");
    assert!(case.stands()[0].starts_with("RR-1042: "), "{:?}", case.stands());
}

/// Issued without a UID: nothing is said of what people have, until an adoption moves the meeting.
#[test]
fn an_unknown_invitation_is_never_claimed() {
    let case = case("an_unknown_invitation_is_never_claimed");
    let meetings: Vec<String> = case
        .all("notice")
        .flat_map(|notice| notice["calendar"].as_array().into_iter().flatten())
        .filter(|part| !crate::word(&part["uid"]).contains("-hold@"))
        .map(|part| crate::word(&part["method"]))
        .collect();
    // The five attendees and the guest at the end, and the new reviewer when they came in; no CANCEL.
    assert_eq!(meetings.iter().filter(|method| *method == "REQUEST").count(), 7, "{meetings:?}");
    assert_eq!(meetings.len(), 7, "{meetings:?}");
    // The reviewer who is released before has nothing of ours in the calendar.
    assert!(case.told("09:20").contains(&"released: sec-a".to_owned()), "{:?}", case.told("09:20"));
    assert_eq!(case.calendar("09:20", "sec-a"), [] as [&str; 0]);
    assert_eq!(case.calendar("09:20", "sec-b")[0], "REQUEST meeting 1 CONFIRMED", "who had none gets one at once");
    assert_eq!(case.calendar("09:40", "so-a")[0], "REQUEST meeting 2 CONFIRMED");
}
