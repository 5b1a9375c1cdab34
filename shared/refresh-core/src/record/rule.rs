//! The rules that a viable slot and its seats keep. A rule has one name here, for three things: the slot that breaks the
//! rule, the start that is passed over for it, and the waiver that would help. The contract has a word for each of these.
//! Those words stand where something is written or read: in a `Violation`, an `Against` and a `ReasonWord`.

/// A rule of a viable slot, named by the word that people read where the rule is broken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SlotRule {
    /// The slot starts once the required evidence is ready.
    Evidence,
    /// Each required checkpoint has a ready time.
    Unready,
    /// No required checkpoint is overdue.
    Overdue,
    /// The slot lies inside the review window.
    Window,
    /// The slot ends early enough before the cutover.
    Cutover,
    /// The slot overlaps no protected freeze.
    Freeze,
    /// The slot starts late enough for people to learn of the slot.
    Notice,
    /// The slot lies inside the working hours of everybody seated.
    Hours,
    /// Nobody seated is busy.
    Busy,
    /// The time of everybody seated is known.
    Unknown,
    /// Everybody seated holds the role, or is an approved delegate for the whole slot.
    Delegate,
    /// Somebody eligible covers each role.
    Uncovered,
    /// The policy excludes nobody seated.
    Excluded,
    /// Nobody fills two roles, where the policy asks for distinct people.
    Shared,
    /// Nobody seated sits in another review by an older claim.
    Booked,
    /// The change record is neither closed nor cancelled.
    Cancelled,
    /// The owner did not decline the slot.
    Declined,
}

impl SlotRule {
    /// The word of the rule where it is broken. A violation's word is this one and, after a colon, whom it is about.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Evidence => "evidence",
            Self::Unready => "unready",
            Self::Overdue => "overdue",
            Self::Window => "window",
            Self::Cutover => "cutover",
            Self::Freeze => "freeze",
            Self::Notice => "notice",
            Self::Hours => "hours",
            Self::Busy => "busy",
            Self::Unknown => "unknown",
            Self::Delegate => "delegate",
            Self::Uncovered => "uncovered",
            Self::Excluded => "excluded",
            Self::Shared => "shared",
            Self::Booked => "booked",
            Self::Cancelled => "cancelled",
            Self::Declined => "declined",
        }
    }
}
