//! Notices of every kind, as the core decides them.

use std::collections::{BTreeMap, BTreeSet};

use presentation::mail::Letterhead;
use refresh_core::{
    Person, Source, TraceId,
    base::{
        digest::Digest,
        text::{ConferenceUri, OneLine, OrganizerAddress, Paragraphs},
    },
    facts::{
        fact::Meeting,
        subject::{Diary, Subject},
    },
    record::{
        booking::CalendarObject,
        delta::{Difference, DutyAction, DutyLine, Field, Value},
        mark::Violation,
        notice::{
            CalendarPart, CalendarStatus, Consequence, LinkTo, Method, Notice, NoticeKind, Participation,
            ReviewStanding, UnknownInvitation,
        },
        packet::Standpoint,
        review::PlaceElsewhere,
        view::{Attendance, Seating},
    },
};

use super::{at, escalations, letterhead, person, slot};

pub const LINK: &str = "https://holdpoint.example.com/adopt/AQEB3q2-7wEjRWeJq83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8BI0VniavN7wEj";

pub fn change(field: Field, was: Option<Value>, now: Option<Value>) -> Difference {
    Difference { field, was, now, required: None }
}

pub fn text(text: &str) -> Option<Value> {
    Some(Value::Text(text.to_owned()))
}

pub fn role(name: &str) -> refresh_core::Role {
    refresh_core::Role::parse(name).expect("a role")
}

pub fn tentative() -> Difference {
    change(Field::Standing, Some(Value::Seating(Seating::Authoritative)), Some(Value::Seating(Seating::Tentative)))
}

pub fn moved() -> Difference {
    change(
        Field::Slot,
        Some(Value::Interval(slot("15:00:00", "16:00:00"))),
        Some(Value::Interval(slot("15:30:00", "16:30:00"))),
    )
}

pub fn evidence_moved() -> Standpoint {
    let change = refresh_core::ChangeId::parse("CHG0030001").expect("an id");
    let key = refresh_core::Checkpoint::parse("integration-tests").expect("a name");
    Standpoint {
        subject: Subject::Evidence(change, key),
        source: Source::parse("//ci.example.com/identity").expect("a source"),
        epoch: 0,
        revision: 2,
    }
}

pub fn somebody_busy(name: &str) -> Standpoint {
    Standpoint {
        subject: Subject::Availability(person(name), Diary::Calendar, None),
        source: Source::parse(&format!("//calendar.example.com/people/{name}")).expect("a source"),
        epoch: 0,
        revision: 5,
    }
}

fn uid(text: &str) -> refresh_core::Uid {
    refresh_core::Uid::parse(text).expect("a UID")
}

fn hold(method: Method, sequence: u32) -> CalendarPart {
    CalendarPart {
        method,
        object: CalendarObject::Hold,
        uid: uid("RR-1042-hold@example.com"),
        sequence,
        status: Some(if method == Method::Request { CalendarStatus::Tentative } else { CalendarStatus::Cancelled }),
        slot: slot("15:30:00", "16:30:00"),
        participation: Participation::Required,
    }
}

fn meeting(method: Method, sequence: u32, status: Option<CalendarStatus>) -> CalendarPart {
    CalendarPart {
        method,
        object: CalendarObject::Meeting,
        uid: uid("RR-1042@example.com"),
        sequence,
        status,
        slot: slot("15:30:00", "16:30:00"),
        participation: Participation::Required,
    }
}

pub fn notice(to: &str, kind: NoticeKind, standing: ReviewStanding, changes: Vec<Difference>) -> Notice {
    let told = changes.iter().find(|change| change.field == Field::Violated);
    let violated = match told.and_then(|change| change.now.clone()) {
        Some(Value::Marks(marks)) => marks,
        _ => Vec::new(),
    };
    let pending = matches!(standing, ReviewStanding::ProposalPending | ReviewStanding::ProposalAndException);
    let of_seats = |field: &Field| matches!(field, Field::Slot | Field::Role | Field::Roster(_) | Field::FreezeEdge);
    let proposed = changes.iter().map(|change| &change.field).filter(|field| of_seats(field)).cloned().collect();
    Notice {
        to: person(to),
        kind,
        version: 8,
        at: at("09:02:00"),
        changes,
        calendar: None,
        duty: None,
        link: None,
        why: vec![evidence_moved()],
        besides: Vec::new(),
        standing,
        authoritative_slot: Some(slot("15:00:00", "16:00:00")),
        violated,
        meeting_entry: Some(slot("15:00:00", "16:00:00")),
        unknown_invitation: None,
        exceptions: Vec::new(),
        ended: None,
        proposed: if pending { proposed } else { BTreeSet::new() },
        proposed_before: BTreeSet::new(),
        repeated: BTreeSet::new(),
        answer_due: None,
        replied: BTreeMap::new(),
        otherwise: BTreeSet::new(),
        elsewhere: Vec::new(),
        trace: TraceId::from_bytes([0x5c; 16]),
    }
}

/// Sec A in another review, in the hour of the meeting.
pub fn place_elsewhere(proposed: bool) -> PlaceElsewhere {
    let review = refresh_core::ReviewId::parse("RR-2000").expect("an id");
    PlaceElsewhere { person: person("sec-a"), review, slot: slot("15:00:00", "16:00:00"), proposed }
}

fn decide(notice: &mut Notice) {
    notice.otherwise = [Consequence::HoldsEnd, Consequence::ContactsTold].into();
    notice.duty = Some(DutyLine { action: DutyAction::Decide, by: at("13:00:00") });
    notice.link = Some(LinkTo::Adopt { proposal: Digest::ZERO, expires_at: at("13:00:00") });
}

/// To a proposal an answer may be given, and none is owed.
fn can_answer(notice: &mut Notice) {
    notice.link = Some(LinkTo::Acknowledge { row: Digest::ZERO, expires_at: at("16:30:00") });
}

fn answer(notice: &mut Notice) {
    notice.otherwise = [Consequence::Reminded, Consequence::OwnerTold, Consequence::ContactsTold].into();
    notice.duty = Some(DutyLine { action: DutyAction::Answer, by: at("11:10:00") });
    notice.link = Some(LinkTo::Acknowledge { row: Digest::ZERO, expires_at: at("16:30:00") });
}

/// Every kind of mail, by the name of its snapshot.
pub fn all() -> Vec<(&'static str, Notice, Letterhead)> {
    use NoticeKind as Kind;
    use ReviewStanding as Standing;
    let linked = |reader: &str, others| Letterhead { link: Some(LINK.to_owned()), ..letterhead(reader, others) };
    let answering =
        |reader: &str| Letterhead { link: Some(LINK.replace("/adopt/", "/acknowledge/")), ..letterhead(reader, false) };
    let evidence = |was: &str, now: &str| {
        let key = refresh_core::Checkpoint::parse("integration-tests").expect("a name");
        change(Field::Checkpoint(key), Some(Value::Instant(at(was))), Some(Value::Instant(at(now))))
    };
    let mut mails = Vec::new();

    let mut request = notice(
        "rm-a",
        Kind::AdoptionRequest,
        Standing::ProposalPending,
        vec![
            moved(),
            tentative(),
            change(Field::Duty, None, Some(Value::Duty(DutyLine { action: DutyAction::Decide, by: at("13:00:00") }))),
            change(Field::Roster(role("security_reviewer")), text("sec-a@example.com"), text("sec-b@example.com")),
            evidence("14:00:00", "15:30:00"),
            change(
                Field::Violated,
                None,
                Some(Value::Marks(vec![Violation::Evidence.into(), Violation::Busy(person("sec-a")).into()])),
            ),
        ],
    );
    request.why.push(somebody_busy("sec-a"));
    request.calendar = Some(hold(Method::Request, 0));
    decide(&mut request);
    mails.push(("adoption_request", request.clone(), linked("rm-a", true)));

    let mut cancel = notice(
        "rm-a",
        Kind::AdoptionRequest,
        Standing::ProposalPending,
        vec![
            change(Field::Attendance, None, Some(Value::Attendance(Attendance::Cancellation))),
            change(Field::Violated, None, Some(Value::Marks(vec![Violation::Cancelled.into()]))),
        ],
    );
    decide(&mut cancel);
    cancel.otherwise.remove(&Consequence::HoldsEnd);
    mails.push(("adoption_request_cancellation", cancel, linked("rm-a", true)));

    // Asked once more: what the meeting breaks has not changed since, and neither has who may be released.
    let mut anew = notice(
        "rm-a",
        Kind::AdoptionRequest,
        Standing::ProposalPending,
        vec![
            moved(),
            change(Field::Attendance, Some(Value::Attendance(Attendance::WouldBeReleased)), None),
            change(Field::Conflict(role("service_owner")), None, text("so-a@example.com")),
        ],
    );
    anew.violated = request.violated.clone();
    anew.repeated = [Field::Slot].into();
    decide(&mut anew);
    mails.push(("adoption_request_anew", anew, linked("rm-a", true)));

    let mut tentative_change =
        notice("sre-a", Kind::TentativeChange, Standing::ProposalPending, vec![moved(), tentative()]);
    tentative_change.why.push(somebody_busy("sec-a"));
    tentative_change.calendar = Some(hold(Method::Request, 0));
    can_answer(&mut tentative_change);
    mails.push(("tentative_change", tentative_change.clone(), answering("sre-a")));

    // An answer to the meeting that counts is owed, whatever is proposed.
    let mut owed = tentative_change.clone();
    answer(&mut owed);
    mails.push(("tentative_change_answer_owed", owed, answering("sre-a")));

    let mut role_may_end = notice(
        "sec-b",
        Kind::TentativeChange,
        Standing::ProposalPending,
        vec![change(Field::Role, text("security_reviewer"), None), tentative()],
    );
    role_may_end.why = vec![somebody_busy("sec-b")];
    mails.push(("tentative_change_role_may_end", role_may_end.clone(), letterhead("sec-b", false)));
    answer(&mut role_may_end);
    mails.push(("tentative_change_role_may_end_answer_owed", role_may_end, answering("sec-b")));

    let mut needed = notice(
        "sec-b",
        Kind::TentativeChange,
        Standing::ProposalPending,
        vec![
            change(Field::Slot, None, Some(Value::Interval(slot("15:30:00", "16:30:00")))),
            change(Field::Role, None, text("security_reviewer")),
            change(Field::Standing, None, Some(Value::Seating(Seating::Tentative))),
        ],
    );
    needed.meeting_entry = None;
    needed.calendar = Some(hold(Method::Request, 0));
    can_answer(&mut needed);
    mails.push(("tentative_change_needed", needed, answering("sec-b")));

    let mut may_be_released = notice(
        "sec-a",
        Kind::TentativeChange,
        Standing::ProposalPending,
        vec![change(Field::Attendance, None, Some(Value::Attendance(Attendance::WouldBeReleased)))],
    );
    may_be_released.why = vec![somebody_busy("sec-a")];
    mails.push(("tentative_change_may_be_released", may_be_released, letterhead("sec-a", false)));

    let mut elsewhere = mails.last().expect("a mail").1.clone();
    elsewhere.why.clear();
    elsewhere.elsewhere = vec![place_elsewhere(false)];
    answer(&mut elsewhere);
    mails.push(("tentative_change_may_be_released_answer_owed", elsewhere, answering("sec-a")));

    let mut released = notice(
        "sec-a",
        Kind::Released,
        Standing::Settled,
        vec![change(
            Field::Attendance,
            Some(Value::Attendance(Attendance::WouldBeReleased)),
            Some(Value::Attendance(Attendance::Released)),
        )],
    );
    released.calendar = Some(meeting(Method::Cancel, 1, None));
    released.authoritative_slot = None;
    released.meeting_entry = None;
    mails.push(("released", released.clone(), letterhead("sec-a", false)));

    released.calendar = None;
    released.unknown_invitation = Some(UnknownInvitation::Remove(slot("15:00:00", "16:00:00")));
    mails.push(("released_unknown_invitation", released, letterhead("sec-a", false)));

    let mut cancelled = notice(
        "so-a",
        Kind::Released,
        Standing::Cancelled,
        vec![
            change(Field::Attendance, None, Some(Value::Attendance(Attendance::Released))),
            change(Field::Standing, Some(Value::Seating(Seating::Authoritative)), None),
        ],
    );
    cancelled.meeting_entry = None;
    cancelled.calendar = Some(meeting(Method::Cancel, 2, Some(CalendarStatus::Cancelled)));
    mails.push(("released_cancelled", cancelled, letterhead("so-a", false)));

    // The owner of the change has no seat.
    let mut owner = notice(
        "rm-a",
        Kind::Released,
        Standing::Cancelled,
        vec![change(
            Field::Attendance,
            Some(Value::Attendance(Attendance::Cancellation)),
            Some(Value::Attendance(Attendance::Released)),
        )],
    );
    owner.meeting_entry = None;
    mails.push(("released_cancelled_owner", owner, letterhead("rm-a", true)));

    let mut withdrawn = notice(
        "sre-a",
        Kind::Withdrawn,
        Standing::Settled,
        vec![
            change(Field::Slot, moved().now, moved().was),
            change(
                Field::Standing,
                Some(Value::Seating(Seating::Tentative)),
                Some(Value::Seating(Seating::Authoritative)),
            ),
        ],
    );
    withdrawn.calendar = Some(hold(Method::Cancel, 1));
    mails.push(("withdrawn", withdrawn, letterhead("sre-a", false)));

    let mut update = notice(
        "sre-a",
        Kind::AuthoritativeUpdate,
        Standing::Settled,
        vec![
            change(
                Field::Standing,
                Some(Value::Seating(Seating::Tentative)),
                Some(Value::Seating(Seating::Authoritative)),
            ),
            change(Field::Duty, None, Some(Value::Duty(DutyLine { action: DutyAction::Answer, by: at("11:10:00") }))),
        ],
    );
    update.authoritative_slot = Some(slot("15:30:00", "16:30:00"));
    update.meeting_entry = Some(slot("15:30:00", "16:30:00"));
    update.calendar = Some(meeting(Method::Request, 1, Some(CalendarStatus::Confirmed)));
    answer(&mut update);
    mails.push(("authoritative_update", update.clone(), answering("sre-a")));

    // Issued without a calendar object: the first adoption sends a new meeting.
    let mut anew = update.clone();
    anew.unknown_invitation = Some(UnknownInvitation::Remove(slot("15:00:00", "16:00:00")));
    mails.push(("authoritative_update_new_meeting", anew, answering("sre-a")));

    let organizer = OrganizerAddress::parse("SRE-A@example.com").expect("an organizer");
    let meeting_of = Meeting {
        organizer: Some(organizer),
        location: OneLine::of("Room 4, Berlin"),
        conference: vec![ConferenceUri::parse("https://meet.example.com/j/9").expect("where to dial in")],
        description: Paragraphs::of("Bring the test report.\nPIN 1234"),
        alarm_minutes: Some(10),
        ..Meeting::bare(uid("RR-1042@example.com"), 0)
    };
    let of_organizer = Letterhead { meeting: Some(meeting_of), ..answering("sre-a") };
    mails.push(("authoritative_update_organizer", update.clone(), of_organizer));

    let mut hold_ended = notice("sre-a", Kind::HoldEnded, Standing::Settled, Vec::new());
    hold_ended.authoritative_slot = Some(slot("15:30:00", "16:30:00"));
    hold_ended.meeting_entry = Some(slot("15:30:00", "16:30:00"));
    hold_ended.calendar = Some(hold(Method::Cancel, 1));
    hold_ended.why.clear();
    mails.push(("hold_ended", hold_ended, letterhead("sre-a", false)));

    // Optional until now, in the hour that they have in their calendar already.
    let mut role_alone = notice(
        "sec-b",
        Kind::TentativeChange,
        Standing::ProposalPending,
        vec![change(Field::Role, None, text("security_reviewer")), tentative()],
    );
    role_alone.why = vec![somebody_busy("sec-a")];
    can_answer(&mut role_alone);
    mails.push(("tentative_change_role_alone", role_alone, answering("sec-b")));

    let evidence_only =
        notice("rm-a", Kind::AuthoritativeUpdate, Standing::Settled, vec![evidence("14:00:00", "14:30:00")]);
    mails.push(("authoritative_update_evidence", evidence_only, letterhead("rm-a", true)));

    let mut conflict = notice(
        "rm-a",
        Kind::AuthoritativeUpdate,
        Standing::Settled,
        vec![change(Field::Conflict(role("security_reviewer")), None, text("sec-b@example.com"))],
    );
    conflict.why.clear();
    mails.push(("authoritative_update_conflict", conflict, letterhead("rm-a", true)));

    let decided = change(Field::Operator, None, text("duty-officer@example.com adopted: Out of reach, on-call says."));
    let mut to_the_contact =
        notice("gov", Kind::AuthoritativeUpdate, Standing::Settled, vec![moved(), decided.clone()]);
    to_the_contact.why.clear();
    mails.push(("authoritative_update_operator", to_the_contact, letterhead("gov", true)));
    let mut to_the_owner = Notice { to: person("rm-a"), ..update.clone() };
    to_the_owner.changes.push(decided);
    mails.push(("authoritative_update_operator_owner", to_the_owner, answering("rm-a")));

    mails.extend(escalations::all());

    // What waited for the next notice comes with the reminder.
    let mut carries = Notice { kind: Kind::Reminder, calendar: None, ..update.clone() };
    carries.changes = vec![evidence("14:00:00", "14:30:00")];
    mails.push(("reminder_answer_carries", carries, answering("sre-a")));

    let decided = request.changes.iter().filter(|change| matches!(change.field, Field::Slot | Field::Roster(_)));
    let changes = decided.cloned().collect();
    let mut remind_owner = Notice { kind: Kind::Reminder, changes, calendar: None, why: Vec::new(), ..request.clone() };
    decide(&mut remind_owner);
    mails.push(("reminder_decide", remind_owner, linked("rm-a", true)));
    let remind = Notice { kind: Kind::Reminder, changes: Vec::new(), calendar: None, why: Vec::new(), ..update };
    mails.push(("reminder_answer", remind, answering("sre-a")));
    let mut again = Notice { kind: Kind::Resent, ..tentative_change };
    mails.push(("resent", again.clone(), answering("sre-a")));
    (again.changes, again.why, again.standing) = (Vec::new(), Vec::new(), Standing::Settled);
    again.calendar = Some(meeting(Method::Request, 1, Some(CalendarStatus::Confirmed)));
    answer(&mut again);
    mails.push(("resent_unchanged", again, answering("sre-a")));
    mails.push(("resent_request", Notice { kind: Kind::Resent, ..request }, linked("rm-a", true)));
    mails
}

pub fn named(name: &str) -> (Notice, Letterhead) {
    let found = all().into_iter().find(|(known, ..)| *known == name);
    let (_, notice, letterhead) = found.expect("a notice of that name");
    (notice, letterhead)
}

pub fn address(text: &str) -> Person {
    Person::parse(text).expect("an address")
}
