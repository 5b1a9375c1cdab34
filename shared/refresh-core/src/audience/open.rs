//! What is open in a review: the one answer that every list of reviews shows, page and command alike.
//!
//! HEAD keeps more than what is open. A duty stays after its answer came, and a mark is not always a violation. Whoever
//! lists reviews asks here and reads no member of HEAD for it.

use std::collections::BTreeSet;

use crate::{
    Instant, Source,
    audience::deadlines,
    record::{
        answer::{Answer, Duty, Reply},
        delivery::Unreachable,
        exception::{Exception, ExceptionKind},
        mark::Mark,
        proposal::Pending,
        review::Head,
    },
};

/// Everything that somebody has still to do about a review, or to know of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Open<'a> {
    /// The proposal that waits for its decision.
    pub proposal: Option<&'a Pending>,
    /// The open escalations.
    pub exceptions: &'a [Exception],
    /// The rules that the authoritative packet breaks today; what is only remarked is not among them.
    pub violated: Vec<&'a Mark>,
    /// Who has been asked for an answer and has given none, by person.
    pub outstanding: Vec<&'a Duty>,
    /// Who has answered `conflict` to the row they have now, by person.
    pub conflicts: Vec<&'a Answer>,
    /// Whose mail does not arrive, required or not, by person.
    pub undeliverable: Vec<&'a Unreachable>,
    /// Who has been silent for longer than promised: of people's time as well, which blocks no proposal.
    pub silent: BTreeSet<SilentSource<'a>>,
}

/// A source that has been silent for longer than the source promised, or that never reported a freeze calendar.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SilentSource<'a> {
    /// `None` where several sources could report the calendar.
    pub source: Option<&'a Source>,
    /// The freeze calendar that was never reported.
    pub calendar: Option<&'a str>,
}

impl<'a> Open<'a> {
    /// Of a review that is over only its exceptions are left: nobody decides, answers or moves anything any more.
    pub fn of(head: &'a Head, now: Instant) -> Self {
        let mut open = Self {
            proposal: head.pending.as_ref(),
            exceptions: &head.exceptions,
            violated: head.today.violated.iter().filter(|mark| mark.is_violation()).collect(),
            outstanding: deadlines::outstanding(head).collect(),
            // HEAD keeps an answer exactly as long as its row is the same. So each of these is to a present row.
            conflicts: head.answers.iter().filter(|answer| answer.reply == Reply::Conflict).collect(),
            undeliverable: head.unreachable.iter().filter(|known| known.is_open()).collect(),
            silent: silent(head).collect(),
        };
        if head.is_over(now) {
            open = Self { exceptions: &head.exceptions, ..Self::nothing() };
        }
        open.conflicts.sort_by(|a, b| a.person.cmp(&b.person));
        open
    }

    const fn nothing() -> Self {
        Self {
            proposal: None,
            exceptions: &[],
            violated: Vec::new(),
            outstanding: Vec::new(),
            conflicts: Vec::new(),
            undeliverable: Vec::new(),
            silent: BTreeSet::new(),
        }
    }

    /// Whether nobody has anything to do or to know.
    pub fn is_nothing(&self) -> bool {
        *self == Self::nothing()
    }
}

/// How many reviews have something open, by what it is: what a list says of the reviews that are not on its page as well.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OpenCounts {
    /// All reviews.
    pub reviews: usize,
    /// Those with anything open.
    pub anything: usize,
    /// Those whose proposal waits for its decision.
    pub proposals: usize,
    /// Those with an open escalation.
    pub exceptions: usize,
    /// Those whose authoritative packet breaks a rule.
    pub violated: usize,
    /// Those to which somebody has answered `conflict`.
    pub conflicts: usize,
    /// Those for whose answer somebody is waited for.
    pub outstanding: usize,
}

impl OpenCounts {
    /// Of one review.
    pub fn of(open: &Open<'_>) -> Self {
        Self {
            reviews: 1,
            anything: usize::from(!open.is_nothing()),
            proposals: usize::from(open.proposal.is_some()),
            exceptions: usize::from(!open.exceptions.is_empty()),
            violated: usize::from(!open.violated.is_empty()),
            conflicts: usize::from(!open.conflicts.is_empty()),
            outstanding: usize::from(!open.outstanding.is_empty()),
        }
    }
}

impl std::iter::Sum for OpenCounts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            reviews: sum.reviews + one.reviews,
            anything: sum.anything + one.anything,
            proposals: sum.proposals + one.proposals,
            exceptions: sum.exceptions + one.exceptions,
            violated: sum.violated + one.violated,
            conflicts: sum.conflicts + one.conflicts,
            outstanding: sum.outstanding + one.outstanding,
        })
    }
}

fn silent(head: &Head) -> impl Iterator<Item = SilentSource<'_>> {
    let blocking = head.exceptions.iter().filter(|exception| exception.kind == ExceptionKind::SourceSilent);
    let reasons = blocking.flat_map(|exception| &exception.reasons);
    let of_reasons = reasons.map(|reason| SilentSource { source: reason.source(), calendar: reason.subject() });
    of_reasons.chain(head.today.silent.iter().map(|source| SilentSource { source: Some(source), calendar: None }))
}
