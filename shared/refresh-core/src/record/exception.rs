//! Exceptions: open escalations, with the reasons that keep them open.

use serde::{Deserialize, Serialize};

use crate::{
    Calendar, Instant, Interval, Person, Role, Source,
    base::instant::Slot,
    facts::subject::Subject,
    record::{delivery::Undeliverable, mark::Violation, reason_word::ReasonWord, rule::SlotRule},
};

/// Why people must help.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExceptionKind {
    /// No slot satisfies every rule.
    NoViableSlot,
    /// Something that must be explicit is not known.
    PolicyIncomplete,
    /// Nobody decided on a proposal in time.
    Undecided,
    /// Only declined slots are left.
    DeclinedOnly,
    /// The owner stands by a slot that breaks rules.
    OwnerOverride,
    /// Somebody did not answer in time.
    Unanswered,
    /// Mail to somebody who is required does not arrive.
    Unreachable,
    /// A source that the review depends on promised to speak and did not.
    SourceSilent,
    /// Too many proposals were told.
    Churn,
}

impl ExceptionKind {
    /// The word of the contract.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NoViableSlot => "no_viable_slot",
            Self::PolicyIncomplete => "policy_incomplete",
            Self::Undecided => "undecided",
            Self::DeclinedOnly => "declined_only",
            Self::OwnerOverride => "owner_override",
            Self::Unanswered => "unanswered",
            Self::Unreachable => "unreachable",
            Self::SourceSilent => "source_silent",
            Self::Churn => "churn",
        }
    }
}

/// An open escalation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Exception {
    /// Why people must help.
    pub kind: ExceptionKind,
    /// Since when.
    pub opened_at: Instant,
    /// Until when nobody is told: it may heal by itself. `None`: it is in the views of its readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_until: Option<Instant>,
    /// The reasons that keep the exception open.
    pub reasons: Vec<Reason>,
}

/// One reason of an exception, with what the reason is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "StoredReason", into = "StoredReason")]
pub enum Reason {
    /// The waiver of this rule alone would give the slot, which is the nearest such slot.
    Waiver {
        /// The rule.
        rule: SlotRule,
        /// The slot.
        slot: Slot,
        /// By how many whole minutes the slot misses the rule; `None` where nothing says so.
        missed_by_minutes: Option<i64>,
    },
    /// If nobody had to fill this role there would be the slot.
    Uncovered {
        /// The role.
        role: Role,
        /// The nearest such slot.
        slot: Slot,
        /// The time around the slot in which nobody known covers the role.
        gap: Interval,
        /// Who covered the role last.
        last_cover: Person,
    },
    /// If one person might fill two roles there would be the slot.
    Shared {
        /// The person who would fill two roles.
        person: Option<Person>,
        /// The nearest such slot.
        slot: Slot,
    },
    /// If the unknown time of this person were free there would be the slot.
    Unknown {
        /// The person.
        person: Person,
        /// The nearest such slot.
        slot: Slot,
    },
    /// No waiver of a single rule would give a slot.
    NoCommonSlot,
    /// Nobody holds the role.
    Holder(Role),
    /// The delegates of the role are not listed.
    Delegates(Role),
    /// No approved change record was seen.
    ChangeRecord,
    /// The change has no owner.
    Owner,
    /// Nobody may decide in the owner's stead.
    AlternateOwner,
    /// The proposal of this slot expired.
    Expired(Slot),
    /// The owner declined this slot.
    Declined(Slot),
    /// The owner stands by a slot that breaks a rule.
    StandsBy(Violation),
    /// The owner stands by a slot at the edge of a protected freeze.
    FreezeEdge,
    /// The person did not answer in time.
    Unanswered(Missing),
    /// Mail to the person does not arrive.
    Undeliverable(Undeliverable, Missing),
    /// Of a fact nothing was heard for longer than its source promised.
    Silent {
        /// The source.
        source: Source,
        /// The fact of which the source has not spoken for the longest time: shown, and no difference. An earlier release
        /// stored none.
        unheard: Option<Subject>,
    },
    /// A freeze calendar of the policy was never reported.
    NeverReported {
        /// The source that could report the calendar, where there is just one.
        source: Option<Source>,
        /// The calendar.
        calendar: Calendar,
    },
    /// More proposals were told than the policy allows.
    TooManyProposals,
}

/// A required person who is not heard, or not reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Missing {
    /// The person.
    pub person: Person,
    /// The first of the roles that the person fills in the authoritative packet; `None` where they fill none.
    pub role: Option<Role>,
}

/// What counts as the same reason: rule, role, person, source, subject.
pub type ReasonIdentity<'a> = (ReasonWord, Option<&'a Role>, Option<&'a Person>, Option<&'a Source>, Option<&'a str>);

impl Reason {
    /// The word of the contract.
    pub const fn word(&self) -> ReasonWord {
        match self {
            Self::Waiver { rule, .. } => ReasonWord::of_waiver(*rule),
            Self::Uncovered { .. } => ReasonWord::of_waiver(SlotRule::Uncovered),
            Self::Shared { .. } => ReasonWord::of_waiver(SlotRule::Shared),
            Self::Unknown { .. } => ReasonWord::of_waiver(SlotRule::Unknown),
            Self::NoCommonSlot => ReasonWord::NoCommonSlot,
            Self::Holder(_) => ReasonWord::Holder,
            Self::Delegates(_) => ReasonWord::Delegates,
            Self::ChangeRecord => ReasonWord::ChangeRecord,
            Self::Owner => ReasonWord::Owner,
            Self::AlternateOwner => ReasonWord::AlternateOwner,
            Self::Expired(_) => ReasonWord::Expired,
            Self::Declined(_) => ReasonWord::Declined,
            Self::StandsBy(violation) => ReasonWord::of_violation(violation),
            Self::FreezeEdge => ReasonWord::FreezeEdge,
            Self::Unanswered(_) => ReasonWord::Unanswered,
            Self::Undeliverable(why, _) => ReasonWord::of_undeliverable(*why),
            Self::Silent { .. } => ReasonWord::Silent,
            Self::NeverReported { .. } => ReasonWord::NeverReported,
            Self::TooManyProposals => ReasonWord::TooManyProposals,
        }
    }

    /// The kind of the exception that the reason keeps open. A reason is of one kind alone.
    pub const fn kind(&self) -> ExceptionKind {
        match self {
            Self::Waiver { .. }
            | Self::Uncovered { .. }
            | Self::Shared { .. }
            | Self::Unknown { .. }
            | Self::NoCommonSlot => ExceptionKind::NoViableSlot,
            Self::Holder(_) | Self::Delegates(_) | Self::ChangeRecord | Self::Owner | Self::AlternateOwner => {
                ExceptionKind::PolicyIncomplete
            }
            Self::Expired(_) => ExceptionKind::Undecided,
            Self::Declined(_) => ExceptionKind::DeclinedOnly,
            Self::StandsBy(_) | Self::FreezeEdge => ExceptionKind::OwnerOverride,
            Self::Unanswered(_) => ExceptionKind::Unanswered,
            Self::Undeliverable(..) => ExceptionKind::Unreachable,
            Self::Silent { .. } | Self::NeverReported { .. } => ExceptionKind::SourceSilent,
            Self::TooManyProposals => ExceptionKind::Churn,
        }
    }

    /// The role that the reason is about.
    pub const fn role(&self) -> Option<&Role> {
        match self {
            Self::Uncovered { role, .. } | Self::Holder(role) | Self::Delegates(role) => Some(role),
            Self::StandsBy(violation) => violation.role(),
            Self::Unanswered(missing) | Self::Undeliverable(_, missing) => missing.role.as_ref(),
            _ => None,
        }
    }

    /// The person that the reason is about.
    pub const fn person(&self) -> Option<&Person> {
        match self {
            Self::Shared { person, .. } => person.as_ref(),
            Self::Unknown { person, .. } => Some(person),
            Self::StandsBy(violation) => violation.person(),
            Self::Unanswered(missing) | Self::Undeliverable(_, missing) => Some(&missing.person),
            _ => None,
        }
    }

    /// The slot that the reason is about: the nearest slot under a waiver, or the choice that expired or was declined.
    pub const fn slot(&self) -> Option<Slot> {
        match self {
            Self::Waiver { slot, .. }
            | Self::Uncovered { slot, .. }
            | Self::Shared { slot, .. }
            | Self::Unknown { slot, .. }
            | Self::Expired(slot)
            | Self::Declined(slot) => Some(*slot),
            _ => None,
        }
    }

    /// By how many whole minutes the nearest slot misses the rule.
    pub const fn missed_by_minutes(&self) -> Option<i64> {
        match self {
            Self::Waiver { missed_by_minutes, .. } => *missed_by_minutes,
            _ => None,
        }
    }

    /// When nobody known covers the role, and who covered it last.
    pub const fn gap(&self) -> Option<(Interval, &Person)> {
        match self {
            Self::Uncovered { gap, last_cover, .. } => Some((*gap, last_cover)),
            _ => None,
        }
    }

    /// Everybody whom the reason names.
    pub fn people(&self) -> impl Iterator<Item = &Person> {
        self.person().into_iter().chain(self.gap().map(|(_, last_cover)| last_cover))
    }

    /// The source that the reason is about.
    pub const fn source(&self) -> Option<&Source> {
        match self {
            Self::Silent { source, .. } => Some(source),
            Self::NeverReported { source, .. } => source.as_ref(),
            _ => None,
        }
    }

    /// The parts of the subject that the reason is about, joined by `/`.
    pub fn subject(&self) -> Option<&str> {
        match self {
            Self::NeverReported { calendar, .. } => Some(calendar.as_str()),
            _ => None,
        }
    }

    /// The fact that was not heard of.
    pub const fn unheard(&self) -> Option<&Subject> {
        match self {
            Self::Silent { unheard, .. } => unheard.as_ref(),
            _ => None,
        }
    }

    /// Two reasons of one identity are the same reason. Nearest slots and misses are shown as of the telling and are no
    /// difference.
    pub fn identity(&self) -> ReasonIdentity<'_> {
        (self.word(), self.role(), self.person(), self.source(), self.subject())
    }
}

/// A reason as it is stored and shown: the contract's word, and what the word is about.
#[derive(Serialize, Deserialize)]
struct StoredReason {
    rule: ReasonWord,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    person: Option<Person>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slot: Option<Slot>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    missed_by_minutes: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gap: Option<Interval>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_cover: Option<Person>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unheard: Option<Subject>,
}

impl From<Reason> for StoredReason {
    fn from(reason: Reason) -> Self {
        let (gap, last_cover) = reason.gap().map(|(gap, last)| (gap, last.clone())).unzip();
        Self {
            rule: reason.word(),
            role: reason.role().cloned(),
            person: reason.person().cloned(),
            slot: reason.slot(),
            missed_by_minutes: reason.missed_by_minutes(),
            gap,
            last_cover,
            source: reason.source().cloned(),
            subject: reason.subject().map(str::to_owned),
            unheard: reason.unheard().cloned(),
        }
    }
}

impl TryFrom<StoredReason> for Reason {
    type Error = String;

    /// The error names the reason and the member that the reason lacks.
    fn try_from(stored: StoredReason) -> Result<Self, String> {
        let StoredReason { rule, role, person, slot, missed_by_minutes, gap, last_cover, source, subject, unheard } =
            stored;
        let lacks = |member: &str| format!("expected a {member} in the reason `{}`", rule.word());
        let role_of = || role.clone().ok_or_else(|| lacks("role"));
        let person_of = || person.clone().ok_or_else(|| lacks("person"));
        let slot_of = || slot.ok_or_else(|| lacks("slot"));
        let missing = || Ok::<_, String>(Missing { person: person_of()?, role: role.clone() });
        let waiver = |rule| Ok::<_, String>(Self::Waiver { rule, slot: slot_of()?, missed_by_minutes });
        Ok(match rule {
            ReasonWord::FreezeCrossing => waiver(SlotRule::Freeze)?,
            ReasonWord::OutsideWindow => waiver(SlotRule::Window)?,
            ReasonWord::CutoverLead => waiver(SlotRule::Cutover)?,
            ReasonWord::BeforeEvidence => waiver(SlotRule::Evidence)?,
            ReasonWord::EvidenceOverdue => waiver(SlotRule::Overdue)?,
            ReasonWord::ShortNotice => waiver(SlotRule::Notice)?,
            ReasonWord::OutsideHours => waiver(SlotRule::Hours)?,
            ReasonWord::RoleUncovered => Self::Uncovered {
                role: role_of()?,
                slot: slot_of()?,
                gap: gap.ok_or_else(|| lacks("gap"))?,
                last_cover: last_cover.ok_or_else(|| lacks("last_cover"))?,
            },
            ReasonWord::SharedPerson => Self::Shared { slot: slot_of()?, person },
            ReasonWord::AvailabilityUnknown => Self::Unknown { person: person_of()?, slot: slot_of()? },
            ReasonWord::NoCommonSlot => Self::NoCommonSlot,
            ReasonWord::Holder => Self::Holder(role_of()?),
            ReasonWord::Delegates => Self::Delegates(role_of()?),
            ReasonWord::ChangeRecord => Self::ChangeRecord,
            ReasonWord::Owner => Self::Owner,
            ReasonWord::AlternateOwner => Self::AlternateOwner,
            ReasonWord::Expired => Self::Expired(slot_of()?),
            ReasonWord::Declined => Self::Declined(slot_of()?),
            ReasonWord::Evidence => Self::StandsBy(Violation::Evidence),
            ReasonWord::Window => Self::StandsBy(Violation::Window),
            ReasonWord::Cutover => Self::StandsBy(Violation::Cutover),
            ReasonWord::Freeze => Self::StandsBy(Violation::Freeze),
            ReasonWord::FreezeEdge => Self::FreezeEdge,
            ReasonWord::Hours => Self::StandsBy(Violation::Hours(person_of()?)),
            ReasonWord::Busy => Self::StandsBy(Violation::Busy(person_of()?)),
            ReasonWord::Delegate => Self::StandsBy(Violation::Delegate(person_of()?)),
            ReasonWord::Uncovered => Self::StandsBy(Violation::Uncovered(role_of()?)),
            ReasonWord::Excluded => Self::StandsBy(Violation::Excluded(person_of()?)),
            ReasonWord::Shared => Self::StandsBy(Violation::Shared(person_of()?)),
            ReasonWord::Booked => Self::StandsBy(Violation::Booked(person_of()?)),
            ReasonWord::Cancelled => Self::StandsBy(Violation::Cancelled),
            ReasonWord::Unanswered => Self::Unanswered(missing()?),
            ReasonWord::Bounced => Self::Undeliverable(Undeliverable::Bounced, missing()?),
            ReasonWord::Complained => Self::Undeliverable(Undeliverable::Complained, missing()?),
            ReasonWord::Rejected => Self::Undeliverable(Undeliverable::Rejected, missing()?),
            ReasonWord::Unmailable => Self::Undeliverable(Undeliverable::Unmailable, missing()?),
            ReasonWord::Silent => Self::Silent { source: source.ok_or_else(|| lacks("source"))?, unheard },
            ReasonWord::NeverReported => {
                let calendar = Calendar::parse(&subject.ok_or_else(|| lacks("subject"))?)?;
                Self::NeverReported { source, calendar }
            }
            ReasonWord::TooManyProposals => Self::TooManyProposals,
        })
    }
}

impl Exception {
    /// Whether nobody is told of the exception yet.
    pub const fn waits(&self) -> bool {
        self.waits_until.is_some()
    }

    /// Kind and rules alike; nearest slots and misses do not count.
    pub fn same(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.reasons.len() == other.reasons.len()
            && self.reasons.iter().zip(&other.reasons).all(|(a, b)| a.identity() == b.identity())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [ReasonWord; 39] = [
        ReasonWord::FreezeCrossing,
        ReasonWord::OutsideWindow,
        ReasonWord::CutoverLead,
        ReasonWord::BeforeEvidence,
        ReasonWord::EvidenceOverdue,
        ReasonWord::RoleUncovered,
        ReasonWord::ShortNotice,
        ReasonWord::SharedPerson,
        ReasonWord::OutsideHours,
        ReasonWord::AvailabilityUnknown,
        ReasonWord::NoCommonSlot,
        ReasonWord::Holder,
        ReasonWord::Delegates,
        ReasonWord::ChangeRecord,
        ReasonWord::Owner,
        ReasonWord::AlternateOwner,
        ReasonWord::Expired,
        ReasonWord::Declined,
        ReasonWord::Evidence,
        ReasonWord::Window,
        ReasonWord::Cutover,
        ReasonWord::Freeze,
        ReasonWord::FreezeEdge,
        ReasonWord::Hours,
        ReasonWord::Busy,
        ReasonWord::Delegate,
        ReasonWord::Uncovered,
        ReasonWord::Excluded,
        ReasonWord::Shared,
        ReasonWord::Booked,
        ReasonWord::Cancelled,
        ReasonWord::Unanswered,
        ReasonWord::Bounced,
        ReasonWord::Complained,
        ReasonWord::Rejected,
        ReasonWord::Unmailable,
        ReasonWord::Silent,
        ReasonWord::NeverReported,
        ReasonWord::TooManyProposals,
    ];

    /// A reason is written as it was read, or refused with the name of the member that it lacks.
    #[test]
    fn each_reason_is_written_as_it_was_read() {
        let members = [
            r#""role":"dba""#,
            r#""person":"a@example.com""#,
            r#""slot":{"start":"2026-11-03T15:30:00Z","end":"2026-11-03T16:30:00Z"}"#,
            r#""missed_by_minutes":30"#,
            r#""gap":{"start":"2026-11-03T15:00:00Z","end":"2026-11-03T17:00:00Z"}"#,
            r#""last_cover":"b@example.com""#,
            r#""source":"//ci.example.com""#,
            r#""subject":"prod""#,
            r#""unheard":{"freeze":"prod"}"#,
        ];
        for word in WORDS {
            let mut kept = 0;
            for chosen in 0..1_usize << members.len() {
                let with =
                    members.iter().enumerate().filter(|(at, _)| chosen >> at & 1 == 1).map(|(_, member)| *member);
                let all: Vec<String> =
                    std::iter::once(format!("\"rule\":\"{}\"", word.word())).chain(with.map(str::to_owned)).collect();
                let stored = format!("{{{}}}", all.join(","));
                match serde_json::from_str::<Reason>(&stored) {
                    Ok(reason) => {
                        assert_eq!(reason.word(), word, "{stored}");
                        kept += usize::from(serde_json::to_string(&reason).expect("JSON") == stored);
                    }
                    Err(error) => assert!(error.to_string().contains(&word.word()), "{stored}: {error}"),
                }
            }
            assert!(kept > 0, "{}: no form of it is written as it was read", word.word());
        }
    }
}
