//! What a meeting breaks, and what is only to know of it.

use refresh_core::record::mark::{Mark, Remark, Violation};

use super::{Names, role};

/// What a violated rule or a mark means for the slot, after "because" or "it is so that".
pub fn mark(mark: &Mark, names: &Names<'_>) -> String {
    match mark {
        Mark::Violation(Violation::Evidence) => "required evidence is not ready before it starts".to_owned(),
        Mark::Violation(Violation::Window) => "it lies outside the review window".to_owned(),
        Mark::Violation(Violation::Cutover) => "it ends too close to the cutover".to_owned(),
        Mark::Violation(Violation::Freeze) => "it overlaps a protected freeze".to_owned(),
        Mark::Violation(Violation::Hours(person)) => {
            format!("it lies outside {}", names.whose("working hours", person))
        }
        Mark::Violation(Violation::Busy(person)) => format!("{} busy then", names.is(person)),
        Mark::Violation(Violation::Delegate(person)) => {
            format!("{} neither holder nor approved delegate for all of it", names.is(person))
        }
        Mark::Violation(Violation::Uncovered(vacant)) => format!("nobody eligible is left for {}", role(vacant)),
        Mark::Violation(Violation::Excluded(person)) => {
            format!("{} excluded from the role by policy", names.is(person))
        }
        Mark::Violation(Violation::Shared(person)) => format!("{} counted for two roles", names.is(person)),
        Mark::Violation(Violation::Booked(person)) => format!("{} booked in another review", names.is(person)),
        Mark::Violation(Violation::Cancelled) => "the change is closed or cancelled".to_owned(),
        Mark::Remark(Remark::Unproven(person)) => format!("{} then is not known", names.whose("availability", person)),
        Mark::Remark(Remark::Overdue(checkpoint)) => format!("evidence {checkpoint} is overdue"),
        Mark::Remark(Remark::ChangeInFlux) => "the change record is being reworked".to_owned(),
        Mark::Remark(Remark::OwnerUnconfirmed) => "the change record’s owner is not confirmed".to_owned(),
    }
}

/// The marks in words, violations first; `nothing` where there are none.
pub fn marks(marks: &[Mark], names: &Names<'_>) -> String {
    let all: Vec<String> = marks.iter().map(|each| mark(each, names)).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join("; ") }
}

/// `, although it breaks a rule (…)`, to stand after the meeting that counts. Nothing where no rule is broken.
pub fn although(all: &[Mark], names: &Names<'_>) -> String {
    let broken: Vec<Mark> = all.iter().filter(|mark| mark.is_violation()).cloned().collect();
    match broken.as_slice() {
        [] => String::new(),
        [_] => format!(", although it breaks a rule ({})", marks(&broken, names)),
        _ => format!(", although it breaks rules ({})", marks(&broken, names)),
    }
}

/// What the present meeting breaks, and what is only to know of it.
pub(super) fn violated(all: &[Mark], names: &Names<'_>) -> String {
    let (broken, remarks): (Vec<Mark>, Vec<Mark>) = all.iter().cloned().partition(Mark::is_violation);
    let mut text = match broken.as_slice() {
        [] => "none broken".to_owned(),
        broken => format!("broken: {}", marks(broken, names)),
    };
    if !remarks.is_empty() {
        text += &format!("; to know: {}", marks(&remarks, names));
    }
    text
}
