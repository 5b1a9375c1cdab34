//! What a mail is about for its reader: a proposal, or a seat that is another since an adoption.

use crate::{
    Person,
    audience::reading::Reading,
    record::{
        last_notified::LastNotified,
        view::{Attendance, Row, Seating, View},
    },
};

/// A proposal touches their seat, or is in their view.
pub(crate) fn is_about_proposal(reading: &Reading<'_>, person: &Person, view: &View) -> bool {
    let touched = view.standing == Some(Seating::Tentative)
        || matches!(view.attendance, Some(Attendance::WouldBeReleased | Attendance::Cancellation));
    touched || reading.sees_all(person) && reading.proposal_for(person).is_some()
}

/// A duty arises when a notice tells a changed authoritative row after an adoption.
pub(crate) fn arises(told: &LastNotified, view: &View, row: Option<&Row>) -> bool {
    view.standing == Some(Seating::Authoritative)
        && view.attendance.is_none()
        && row.is_some()
        && (told.released || told.seat.as_ref() != row)
}
