//! What the mailer reports back of a message, and what follows: who cannot be reached by mail, and until when.
//!
//! ```text
//!  a mail bounces for good, is refused, its reader complains ──▶ Withheld ── they answer ───────────────▶ Answered
//!                 refused, and then they must know something else │    │ their `person` fact is renewed ▶ Resumed
//!                                                                 ▼    ▲ refused again                       ▲
//!                                                               Retry ─┘── the mailer accepts ───────────────┘
//! ```

use serde::{Deserialize, Serialize};

use crate::{
    Instant, Person, TraceId,
    commit::Commit,
    decision::Outcome,
    exception::Rule,
    fact::{Facts, Revision, Subject},
    lineage::Happening,
    policy::Deployment,
    review::{Head, Review, Standing},
    situation::Situation,
    telling::{self, Told},
    turn::Turn,
    view::Reading,
};

/// What is kept of the mailer's words, in characters.
pub const LONGEST_REASON: usize = 200;

/// What the mailer says became of one message to one person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Report {
    pub to: Person,
    pub delivery: Delivery,
    /// The one that the message itself went on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceId>,
}

/// What is known of a message: kept of each person's newest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Delivery {
    /// The mailer's id of the message; of one that it refused at once, the claim it was made under.
    pub message_id: String,
    /// When the mailer took it, by the mailer's clock: messages to one person are ordered by it.
    pub mailed_at: Instant,
    /// When that became known, by the mailer's clock.
    pub at: Instant,
    #[serde(flatten)]
    pub status: Status,
}

/// In the order of weight: of one message the heaviest word counts, whatever was said last.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Status {
    /// The mailer still tries.
    Delayed,
    /// A full mailbox, a server that was away, an automatic answer. The address is good.
    BouncedForNow,
    Delivered,
    /// The mailer would not send this message: what is in it, or who it is to.
    Rejected {
        reason: String,
    },
    /// On the mailer's list of addresses that bounced or complained before: nothing was tried.
    Suppressed,
    Bounced,
    Complained,
}

impl Status {
    /// The word of the contract.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Delayed => "delayed",
            Self::BouncedForNow => "bounced_for_now",
            Self::Delivered => "delivered",
            Self::Rejected { .. } => "rejected",
            Self::Suppressed => "suppressed",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
        }
    }

    /// The mailer's own words, short and on one line: they are outside text that people will read.
    pub fn rejected(reason: &str) -> Self {
        let reason = reason.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_REASON).collect();
        Self::Rejected { reason }
    }

    const fn weight(&self) -> u8 {
        match self {
            Self::Delayed => 0,
            Self::BouncedForNow => 1,
            Self::Delivered => 2,
            Self::Rejected { .. } => 3,
            Self::Suppressed => 4,
            Self::Bounced => 5,
            Self::Complained => 6,
        }
    }

    /// Why no further mail is worth sending; `None` where one is.
    pub const fn undeliverable(&self) -> Option<Undeliverable> {
        match self {
            Self::Delayed | Self::BouncedForNow | Self::Delivered => None,
            Self::Rejected { .. } => Some(Undeliverable::Rejected),
            Self::Suppressed | Self::Bounced => Some(Undeliverable::Bounced),
            Self::Complained => Some(Undeliverable::Complained),
        }
    }

    /// Whether the message never arrived, for certain. Who complained has read it.
    const fn is_lost(&self) -> bool {
        matches!(self, Self::Rejected { .. } | Self::Suppressed | Self::Bounced)
    }
}

impl Delivery {
    /// What is known after `report`; `None` where it adds nothing. The newest message counts, of one message the
    /// heaviest word: reports come twice, late and in any order, and the answer is the same.
    pub fn after(known: Option<&Self>, report: &Self) -> Option<Self> {
        let order = |one: &Self| (one.mailed_at, one.message_id.clone(), one.status.weight(), one.at);
        known.is_none_or(|known| order(known) < order(report)).then(|| report.clone())
    }
}

/// Why a person's mail does not arrive; the later one outweighs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undeliverable {
    Rejected,
    Bounced,
    Complained,
}

impl Undeliverable {
    pub const fn rule(self) -> Rule {
        match self {
            Self::Rejected => Rule::Rejected,
            Self::Bounced => Rule::Bounced,
            Self::Complained => Rule::Complained,
        }
    }
}

/// A person whose mail did not arrive, required or not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Unreachable {
    pub person: Person,
    pub why: Undeliverable,
    /// When the mailer took the message that was reported on.
    pub mailed_at: Instant,
    /// The revision of their `person` fact then: a newer one is their source's word for the address.
    pub profile: Option<Revision>,
    pub reach: Reach,
}

/// Whether mail to somebody is worth trying.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Nothing is sent: each further try would cost the sender's reputation and reach nobody.
    Withheld,
    /// One message was refused, and what they must know is another by now: that is tried once.
    Retry,
    /// They answered. Reports on mails taken before are old news.
    Answered { since: Instant },
    /// Their source named them anew, or the mailer accepted a mail to them. Reports on mails taken before are old news.
    Resumed { since: Instant },
}

impl Unreachable {
    /// Whether they count as unreachable still.
    pub const fn is_open(&self) -> bool {
        matches!(self.reach, Reach::Withheld | Reach::Retry)
    }
}

impl Head {
    pub fn unreachable(&self, person: &Person) -> Option<&Unreachable> {
        self.unreachable.iter().find(|known| known.person == *person)
    }

    /// Whether nothing is mailed to this person.
    pub fn withholds(&self, person: &Person) -> bool {
        self.unreachable(person).is_some_and(|known| known.reach == Reach::Withheld)
    }

    fn reach(&mut self, person: &Person, reach: Reach) {
        if let Some(known) = self.unreachable.iter_mut().find(|known| known.person == *person) {
            known.reach = reach;
        }
    }

    /// Who answers was reached.
    pub(crate) fn answered(&mut self, person: &Person, now: Instant) {
        self.reach(person, Reach::Answered { since: now });
    }

    /// The mailer took a mail to somebody whose last one it had refused: they are reached again.
    pub(crate) fn accepted(&mut self, person: &Person) -> bool {
        let retried = self.unreachable(person).filter(|known| known.reach == Reach::Retry);
        let Some(since) = retried.map(|known| known.mailed_at.plus_millis(1)) else { return false };
        self.reach(person, Reach::Resumed { since });
        true
    }

    /// Whether this is news; if it is, it is remembered.
    fn unreached(&mut self, report: &Report, why: Undeliverable, profile: Option<Revision>) -> bool {
        let mailed_at = report.delivery.mailed_at;
        let new = Unreachable { person: report.to.clone(), why, mailed_at, profile, reach: Reach::Withheld };
        // Whichever of the two came first: who answers was reached.
        if self.answers.iter().any(|answer| answer.person == report.to && mailed_at < answer.at) {
            return false;
        }
        let Some(known) = self.unreachable.iter_mut().find(|known| known.person == report.to) else {
            self.unreachable.push(new);
            self.unreachable.sort_by(|a, b| a.person.cmp(&b.person));
            return true;
        };
        let news = match known.reach {
            // A mailer reports each message, and says so more than once: only a heavier reason is news.
            Reach::Withheld => known.why < why,
            Reach::Retry => known.why < why || known.mailed_at < mailed_at,
            Reach::Answered { since } | Reach::Resumed { since } => since <= mailed_at,
        };
        if news {
            *known = new;
        }
        news
    }
}

/// A person whose mail does not arrive: nothing more is mailed to them, and one who is required opens `unreachable`.
/// `None` where the report says nothing of the kind, or nothing new.
pub fn undeliverable(
    review: &Review,
    facts: &Facts,
    deployment: &Deployment,
    report: &Report,
    now: Instant,
) -> Option<Commit> {
    let why = report.delivery.status.undeliverable()?;
    let now = now.max(review.head.at);
    let situation = Situation::of(&review.head.review, facts, deployment, now)?;
    let mut turn = Turn::beside(review, &situation);
    turn.trace = report.trace;
    let profile = revision(facts, &report.to);
    if !turn.head().unreached(report, why, profile) {
        return None;
    }
    let reason = match &report.delivery.status {
        Status::Rejected { reason } => Some(reason.clone()),
        _ => None,
    };
    turn.happened(Happening::Undeliverable { to: report.to.clone(), why, reason });
    if review.head.standing == Standing::Open {
        turn.keep_exceptions();
        if turn.changed() {
            turn.decide(Outcome::Unchanged, None, None);
        }
    }
    turn.finish(Vec::new())
}

fn revision(facts: &Facts, person: &Person) -> Option<Revision> {
    facts.get(&Subject::Person(person.clone())).map(|fact| fact.revision)
}

impl Turn<'_> {
    /// Whose `person` fact was renewed since their mail came back: their source vouches for the address, so they are
    /// mailed again, and soon.
    pub(crate) fn resume(&mut self) {
        let now = self.now();
        if self.review.head.standing != Standing::Open {
            return;
        }
        let newer = |known: &&Unreachable| known.profile < revision(self.situation.facts, &known.person);
        let open = self.review.head.unreachable.iter().filter(|known| known.is_open());
        let renewed: Vec<Person> = open.filter(newer).map(|known| known.person.clone()).collect();
        for person in renewed {
            self.review.head.reach(&person, Reach::Resumed { since: now });
            self.stirred([person]);
        }
    }

    /// What was refused is one message. Who must know something else now gets one more try.
    pub(crate) fn retry(&mut self, stirred: &[Person]) {
        let refused = |known: &&mut Unreachable| known.why == Undeliverable::Rejected && known.reach == Reach::Withheld;
        for known in self.review.head.unreachable.iter_mut().filter(refused) {
            if stirred.contains(&known.person) {
                known.reach = Reach::Retry;
            }
        }
    }
}

/// What somebody was told: what did not arrive was not told, and then all that is certain is what the review was issued
/// with. Who answered since was told by the page.
pub fn told(reading: &Reading<'_>, person: &Person, told: Option<Told>, delivery: Option<&Delivery>) -> Told {
    let lost = |told: &Told| {
        let delivery = delivery.filter(|delivery| delivery.status.is_lost());
        let answered = reading.review.head.unreachable(person).map(|known| known.reach);
        delivery.is_some_and(|delivery| told.message_id.as_deref() == Some(delivery.message_id.as_str()))
            && !matches!(answered, Some(Reach::Answered { .. }))
    };
    told.filter(|told| !lost(told)).unwrap_or_else(|| telling::baseline(reading, person))
}
