//! HEAD: everything of a review that changes. One item, conditional on its counter; the rest is written once.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

use serde::{Deserialize, Serialize};

use crate::{
    Checkpoint, Instant, Interval, Person, ReviewId, Source, TraceId,
    base::{digest::Digest, instant::Slot},
    facts::authority::Ignored,
    record::{
        answer::{Answer, Duty},
        booking::{Booking, InvitedSlot},
        comment::CommentLine,
        delivery::{Reachability, Unreachable},
        exception::Exception,
        mark::Mark,
        packet::{Packet, Standpoint, Version},
        proposal::{Declined, OperatorRecord, PastProposal, Pending, Proposal, StandsBy, Undecided},
        seats_since::SeatsSince,
    },
};

/// How long a review that was open is taken to be open. A proposal that is made and adopted meanwhile starts later than
/// that, wherever a policy asks for that much notice.
const OPEN_MINUTES: i64 = 10;

/// Everything of a review that changes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Head {
    /// The review.
    pub review: ReviewId,
    /// Rises by one with every commit; every commit is conditional on it.
    pub counter: u64,
    /// The latest instant anything was committed: a slow clock never goes back behind a decision.
    pub at: Instant,
    /// Whether the review is still coordinated.
    pub standing: Standing,
    /// The version the review was issued with: what everyone counts as told.
    pub issued: u32,
    /// The highest version minted.
    pub latest: u32,
    /// The number of the version that counts.
    pub authoritative: u32,
    /// When the authoritative slot starts: from then on nothing is refreshed.
    pub starts_at: Instant,
    /// The proposal that waits for the owner.
    pub pending: Option<Pending>,
    /// Today's facts, as people are shown the facts.
    pub today: Today,
    /// The open exceptions, by kind.
    pub exceptions: Vec<Exception>,
    /// What the owner declined and is not proposed again.
    pub declined: Vec<Declined>,
    /// The owner stands by the present slot until this is no longer what it breaks.
    pub stands_by: Option<StandsBy>,
    /// The proposal that expired undecided, while it is still the choice.
    pub undecided: Option<Undecided>,
    /// While set, too many proposals were told: nothing is proposed until then.
    pub paused_until: Option<Instant>,
    /// Of a choice that is not proposed yet, since a source is silent or too many proposals were told: when that choice leaves
    /// too little time, and something else is the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice_until: Option<Instant>,
    /// When proposals were first told, for the churn guard; only those inside its time span.
    pub tellings: Vec<Instant>,
    /// Earlier proposals, the oldest first.
    pub past: Vec<PastProposal>,
    /// The calendar identity of the meeting.
    pub meeting: MeetingObject,
    /// The calendar identity of the hold, and what the hold is now.
    pub hold: Hold,
    /// Which slots were ours when, for own-meeting detection.
    pub bookings: Vec<Booking>,
    /// Who owes an answer, by person.
    pub duties: Vec<Duty>,
    /// The answers to rows that people still have.
    pub answers: Vec<Answer>,
    /// The people whose mail did not arrive, by person. An entry stays when its person is reached again, so that a late
    /// report is no news.
    pub unreachable: Vec<Unreachable>,
    /// How often the owner adopted.
    pub adoptions: u32,
    /// The end of the lineage's chain.
    pub lineage: Tip,
    /// When the answer could next change by time alone, or the hourly look is due. Of a review that ended: when what its
    /// end leaves to do is due; `None` once that is done.
    pub check_at: Option<Instant>,
    /// The end of the quiet period that some change of a view began.
    pub quiet_until: Option<Instant>,
    /// When somebody is next to be told something: the end of the quiet period, or a reminder.
    pub notices_at: Option<Instant>,
    /// The people whose view changed since the quiet period began. One of them who is owed nothing at its end is
    /// `skipped`.
    #[serde(rename = "stirred")]
    pub affected: BTreeSet<Person>,
    /// How many mails went out in all.
    pub mails_sent: u32,
    /// The operator's decision that was looked at last, and the last one that decided a proposal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<OperatorRecord>,
    /// The trace that last changed anybody's view. A decision by time alone goes on under that trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceId>,
    /// Whose view changed by something before that, and who is still to be told.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub earlier: BTreeMap<Person, TraceId>,
    /// Since when each attendee has their seat in the authoritative slot. Written once, kept while person and slot stay.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<Person, Instant>,
    /// Whose seats changed, while the reviews that share these people have not been asked to look.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub seats_moved: BTreeSet<Person>,
    /// Who is shown something of the review in their calendar, has no place in it, and whose entry is still to be written.
    /// `None`: a release before this one decided last, and wrote none of these entries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries_due: Option<BTreeSet<Person>>,
    /// The replies by mail that are no answers, the oldest first: the newest ones, those of people of the review before
    /// others'.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub comments: Vec<CommentLine>,
    /// How many comments were recorded whose senders say that they have a part in the review, and nothing vouches for it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unauthenticated: u32,
    /// How many comments were recorded whose senders have no part in the review.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub strangers: u32,
    /// People to be mailed once more, because an operator asked for it, each with the time of asking. A mail to the person ends it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resends: BTreeMap<Person, Instant>,
    /// The counter of the last commit that looked at the facts; zero where a release before this one decided. Whoever
    /// remembers what that commit saw knows all but what was said since.
    #[serde(default, skip_serializing_if = "is_never")]
    pub looked: u64,
}

/// Of a count that few reviews have.
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

const fn is_never(counter: &u64) -> bool {
    *counter == 0
}

impl Head {
    /// What a mail to this person now goes on: the newest change of their own view.
    pub fn trace_of(&self, person: &Person) -> Option<TraceId> {
        self.earlier.get(person).copied().or(self.trace)
    }

    /// These people's views changed under `trace`. A person who was affected before, and is not among these, keeps
    /// their own trace. So nobody's mail is said to come from a change that was none for them.
    pub(crate) fn go_on(&mut self, trace: Option<TraceId>, affected: &[Person]) {
        if trace != self.trace {
            if let Some(before) = self.trace {
                for person in &self.affected {
                    self.earlier.entry(person.clone()).or_insert(before);
                }
            }
            self.trace = trace;
        }
        for person in affected {
            self.earlier.remove(person);
        }
    }

    /// What is known of a person whose mail did not arrive.
    pub fn unreachable(&self, person: &Person) -> Option<&Unreachable> {
        self.unreachable.iter().find(|known| known.person == *person)
    }

    /// Whether nothing is mailed to this person.
    pub fn withholds(&self, person: &Person) -> bool {
        self.unreachable(person).is_some_and(|known| known.reach == Reachability::Withheld)
    }

    /// The invitation that people had when the review was issued, where its UID is not known. Nothing of ours changes
    /// that invitation. `None`: its UID is known.
    pub fn unknown_invitation(&self) -> Option<&Booking> {
        self.bookings.iter().find(|booking| booking.unknown_uid)
    }

    /// Started, closed or cancelled, and recorded so: nothing is refreshed any more.
    pub fn is_ended(&self) -> bool {
        self.standing != Standing::Open
    }

    /// Closed, cancelled, or its authoritative slot has started.
    pub fn is_over(&self, now: Instant) -> bool {
        self.is_ended() || self.starts_at <= now
    }

    /// Until when whoever read this HEAD at `now` may take the review to be open. `None`: the review is over, or whoever
    /// adopts what is pending ends it.
    pub fn open_until(&self, now: Instant) -> Option<Instant> {
        let proposed = match (&self.pending, &self.hold.entry) {
            (None, _) => self.starts_at,
            (Some(_), Some(hold)) => hold.slot.start,
            // A cancellation, or a policy without holds.
            (Some(_), None) => return None,
        };
        (!self.is_over(now)).then(|| proposed.min(self.starts_at).min(now.plus_minutes(OPEN_MINUTES)))
    }
}

/// Whether the review is still coordinated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The review is coordinated.
    Open,
    /// The authoritative slot has started.
    Started,
    /// `review.closed` came.
    Closed,
    /// The owner adopted the cancellation.
    Cancelled,
}

/// Today's facts as people are shown them, whether or not a version was minted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Today {
    /// The owner that the change record names.
    pub owner: Option<Person>,
    /// Whether the source confirms that owner.
    pub owner_confirmed: bool,
    /// When each required checkpoint is ready; `None` where nothing says so.
    pub checkpoints: BTreeMap<Checkpoint, Option<Instant>>,
    /// The review window.
    pub window: Option<Interval>,
    /// The cutover.
    pub cutover: Option<Interval>,
    /// Whether the authoritative slot is a freeze-edge case by today's freezes.
    pub freeze_edge: bool,
    /// Violations and marks of the authoritative slot and attendees.
    pub violated: Vec<Mark>,
    /// The sources of people's time that broke their promise to speak, in order. Shown, and no part of anybody's view.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silent: Vec<Source>,
    /// Where people sit in other reviews, in hours that bear on this one. Shown, and no part of anybody's view.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<PlaceElsewhere>,
    /// The facts that are newer than those the authoritative version stands on.
    pub news: Vec<Standpoint>,
}

/// A person's place in another review.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct PlaceElsewhere {
    /// The person.
    pub person: Person,
    /// The other review.
    pub review: ReviewId,
    /// Its slot, or the slot that it proposes.
    pub slot: Slot,
    /// Whether the place is a proposal's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub proposed: bool,
}

/// As many places in other reviews are shown at most; whose page it is sees all of them drawn.
pub const MOST_ELSEWHERE: usize = 8;

/// The meeting's calendar object as it counts now. Everything else of the meeting stays in the review's terms.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MeetingObject {
    /// The UID of RFC 5545.
    pub uid: crate::Uid,
    /// The SEQUENCE of RFC 5545.
    pub sequence: u32,
    /// Which answers to an older SEQUENCE count.
    #[serde(default, skip_serializing_if = "SeatsSince::is_plain")]
    pub seats_since: SeatsSince,
}

impl MeetingObject {
    /// As it was issued.
    pub fn new(uid: crate::Uid, sequence: u32) -> Self {
        Self { uid, sequence, seats_since: SeatsSince::default() }
    }

    /// Which SEQUENCEs an attendee's answer to the seat they have now may name.
    pub fn answerable(&self, person: &Person) -> RangeInclusive<u32> {
        self.seats_since.of(person, self.sequence)..=self.sequence
    }
}

/// The tentative calendar object: its own UID for the life of the review.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hold {
    /// The UID of RFC 5545.
    pub uid: crate::Uid,
    /// The SEQUENCE of RFC 5545.
    pub sequence: u32,
    /// What the hold is now; `None` while there is none.
    pub entry: Option<InvitedSlot>,
    /// Whether anybody was sent the hold as it is now. Only then does the next change raise the sequence.
    pub told: bool,
    /// Which answers to an older SEQUENCE count.
    #[serde(default, skip_serializing_if = "SeatsSince::is_plain")]
    pub seats_since: SeatsSince,
}

impl Hold {
    /// None yet.
    pub fn new(uid: crate::Uid) -> Self {
        Self { uid, sequence: 0, entry: None, told: false, seats_since: SeatsSince::default() }
    }

    /// The next SEQUENCE, of which nobody was sent anything. An ended hold is told by its CANCEL, so the next one must rise above it.
    pub(crate) const fn rise(&mut self) {
        self.sequence += 1;
        self.told = self.entry.is_none();
    }

    /// Which SEQUENCEs an attendee's answer to the seat that is proposed now may name. `None`: the hold has ended, and nobody
    /// answers it any more.
    pub fn answerable(&self, person: &Person) -> Option<RangeInclusive<u32>> {
        self.entry.as_ref().map(|_| self.seats_since.of(person, self.sequence)..=self.sequence)
    }
}

/// The end of the lineage's chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tip {
    /// Entries written so far; the first has number 1.
    pub sequence: u64,
    /// The hash of the newest entry.
    pub hash: Digest,
}

/// A review as it was read: HEAD and the versions it names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Review {
    /// Everything that changes.
    pub head: Head,
    /// The version that was issued.
    pub issued: Version,
    /// The version that counts.
    pub authoritative: Version,
    /// The version that carries the proposal.
    pub pending: Option<Version>,
}

impl Review {
    /// Whether its slot had started when it was issued: a history that is imported. Nobody is told anything of it.
    pub fn is_history(&self) -> bool {
        self.issued.packet.slot.start <= self.issued.made_at
    }

    /// The packet people are shown: the pending one while a proposal waits.
    pub fn shown(&self) -> &Packet {
        self.pending.as_ref().map_or(&self.authoritative.packet, |version| &version.packet)
    }

    /// The version of that number, where HEAD names it.
    pub fn version(&self, number: u32) -> Option<&Version> {
        let mut named = [&self.authoritative, &self.issued].into_iter().chain(&self.pending);
        named.find(|version| version.number == number)
    }

    /// The proposal that waits for the owner, if one does: HEAD's part of the proposal, and the version that carries
    /// the proposal.
    pub fn proposal(&self) -> Option<Proposal<'_>> {
        let (pending, version) = self.head.pending.as_ref().zip(self.pending.as_ref())?;
        Some(Proposal { pending, version })
    }
}

/// Why an applied fact refreshes nothing: `review_closed` where every review that depends on it is closed or cancelled,
/// `review_started` where some have only started. `None` where none depends on it, or one is open still.
pub fn over<'a>(dependents: impl IntoIterator<Item = &'a Head>, now: Instant) -> Option<Ignored> {
    let mut reason = None;
    for head in dependents {
        if !head.is_over(now) {
            return None;
        }
        let closed = matches!(head.standing, Standing::Closed | Standing::Cancelled);
        reason = match reason {
            None | Some(Ignored::ReviewClosed) if closed => Some(Ignored::ReviewClosed),
            _ => Some(Ignored::ReviewStarted),
        };
    }
    reason
}
