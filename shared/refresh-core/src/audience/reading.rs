//! A review as its readers see it: who hears of what.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Person, Role,
    audience::roles,
    base::digest::Digest,
    choice::situation::Situation,
    facts::{fact::Terms, policy::Policy},
    record::{
        answer::Reply,
        exception::Exception,
        mark::{Mark, Remark},
        packet::Packet,
        proposal::OperatorLine,
        review::{Head, Review, Standing},
        view::{Attendance, ExceptionLine, Row, RuleLine, Seating, View},
    },
};

/// A review as its readers see it.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// HEAD and the versions that HEAD names.
    pub review: &'a Review,
    /// What the review was issued with.
    pub terms: &'a Terms,
    /// The policy with the review's own overrides.
    pub policy: &'a Policy,
}

/// What a person is to a review beside their seats. Looked up once a view: several parts of the view depend on it.
#[derive(Clone, Copy)]
struct Part {
    sees_all: bool,
    is_contact: bool,
}

impl Part {
    const fn hears_of_exceptions(self) -> bool {
        self.sees_all || self.is_contact
    }
}

impl<'a> Reading<'a> {
    /// The reading of a review in the situation that the review was loaded with.
    pub fn of(review: &'a Review, situation: &'a Situation<'_>) -> Self {
        Self { review, terms: situation.terms, policy: &situation.policy }
    }

    fn head(&self) -> &'a Head {
        &self.review.head
    }

    /// Everyone who has a part in the review now, and everyone who counts as told what the review was issued with. The
    /// latter have no TOLD until they are first mailed. Other former participants come with theirs.
    pub fn people(&self) -> BTreeSet<Person> {
        let packets = [&self.review.issued, &self.review.authoritative].into_iter().chain(&self.review.pending);
        let mut people: BTreeSet<Person> =
            packets.flat_map(|version| version.packet.attendees.values().cloned()).collect();
        people.extend(self.terms.optional.iter().cloned());
        people.extend(self.review.issued.owner.iter().chain(&self.head().today.owner).cloned());
        people.extend(self.head().pending.iter().filter_map(|pending| pending.adopter.clone()));
        people.extend(self.policy.escalation_contacts.iter().cloned());
        people
    }

    /// Everyone to whom something may be owed: people with a view, people whose view changed, and people who were told.
    pub fn audience<'p>(&self, told: impl IntoIterator<Item = &'p Person>) -> BTreeSet<Person> {
        let mut people = self.people();
        people.extend(self.head().affected.iter().cloned());
        people.extend(told.into_iter().cloned());
        people
    }

    /// The people whom a reader's view holds: themselves, and everybody for those who see the whole roster.
    pub fn known_to(&self, reader: &Person) -> BTreeSet<Person> {
        let mut known = BTreeSet::from([reader.clone()]);
        if self.part(reader).hears_of_exceptions() {
            let versions = std::iter::once(&self.review.authoritative).chain(&self.review.pending);
            known.extend(versions.flat_map(|version| version.packet.attendees.values().cloned()));
            known.extend(self.head().today.owner.iter().cloned());
            let reasons = self.head().exceptions.iter().flat_map(|exception| &exception.reasons);
            known.extend(reasons.flat_map(|reason| reason.people().cloned()));
        }
        known
    }

    fn is_owner(&self, person: &Person) -> bool {
        self.head().today.owner.as_ref() == Some(person)
    }

    fn decides(&self, person: &Person) -> bool {
        self.head().pending.as_ref().is_some_and(|pending| pending.adopter.as_ref() == Some(person))
    }

    fn is_release_manager(&self, person: &Person) -> bool {
        let mut roles = self.review.authoritative.packet.roles_of(person);
        roles.any(|role| role.as_str() == roles::RELEASE_MANAGER)
    }

    /// Whether the person sees the whole roster.
    pub fn sees_all(&self, person: &Person) -> bool {
        self.is_owner(person) || self.decides(person) || self.is_release_manager(person)
    }

    fn part(&self, person: &Person) -> Part {
        Part { sees_all: self.sees_all(person), is_contact: self.policy.escalation_contacts.contains(person) }
    }

    /// The proposal, if one is pending and this person hears of proposals.
    pub fn proposal_for(&self, person: &Person) -> Option<&'a Packet> {
        let proposal = &self.review.pending.as_ref()?.packet;
        let decider = self.is_owner(person) || self.decides(person);
        let hears = match (proposal.cancelled, self.policy.tell_before_adoption) {
            (true, _) => decider || self.is_release_manager(person),
            (false, tell) => tell || decider,
        };
        hears.then_some(proposal)
    }

    /// The seat in the authoritative packet.
    pub fn authoritative_row(&self, person: &Person) -> Option<Row> {
        if self.head().standing == Standing::Cancelled {
            return None;
        }
        row(&self.review.authoritative.packet, person, Seating::Authoritative)
    }

    /// The seat a proposal would give, where it is another than the authoritative one.
    pub fn tentative_row(&self, person: &Person) -> Option<Row> {
        let proposal = self.proposal_for(person)?;
        let authoritative = &self.review.authoritative.packet;
        let same = self.head().standing != Standing::Cancelled
            && proposal.slot == authoritative.slot
            && proposal.roles_of(person).eq(authoritative.roles_of(person));
        if same { None } else { row(proposal, person, Seating::Tentative) }
    }

    /// The row this person is shown, and may answer to.
    pub fn row(&self, person: &Person) -> Option<Row> {
        self.tentative_row(person).or_else(|| {
            let seat = self.authoritative_row(person)?;
            let stays = self.proposal_for(person).is_none_or(|proposal| proposal.roles_of(person).next().is_some());
            stays.then_some(seat)
        })
    }

    /// What this person must know now. `last`: the authoritative seat they were last told; who lost it is released,
    /// with the facts they knew.
    pub fn view(&self, person: &Person, last: Option<&Row>) -> View {
        let mut view = self.seat_view(person, last);
        if self.head().standing != Standing::Cancelled {
            let part = self.part(person);
            if part.sees_all {
                self.add_whole(person, &mut view);
            }
            view.contact = part.is_contact && !part.sees_all;
            view.exceptions = self.exceptions_for(part).map(line).collect();
            view.operator = self.operator_for(part).cloned();
            view.asks_again = self.asks_again(person);
        }
        view
    }

    fn seat_view(&self, person: &Person, last: Option<&Row>) -> View {
        let released = |seat: &Row| View {
            slot: Some(seat.slot),
            roles: seat.roles.clone(),
            attendance: Some(Attendance::Released),
            ..View::default()
        };
        if self.head().standing == Standing::Cancelled {
            let was = row(&self.review.authoritative.packet, person, Seating::Authoritative);
            let invited = self.terms.optional.contains(person) || self.sees_all(person);
            let slot = self.review.authoritative.packet.slot;
            let guest = Row { slot, roles: BTreeSet::new(), standing: Seating::Authoritative };
            return was.or(last.cloned()).or(invited.then_some(guest)).as_ref().map(released).unwrap_or_default();
        }
        if let Some(row) = self.row(person) {
            return View { slot: Some(row.slot), roles: row.roles, standing: Some(row.standing), ..View::default() };
        }
        let guest = self.terms.optional.contains(person);
        // An optional attendee who would lose a role is not released: they would stay as a guest.
        if let Some(seat) = self.authoritative_row(person).filter(|_| !guest) {
            return View {
                slot: Some(seat.slot),
                roles: seat.roles,
                standing: Some(Seating::Authoritative),
                attendance: Some(Attendance::WouldBeReleased),
                ..View::default()
            };
        }
        if guest {
            let authoritative = self.review.authoritative.packet.slot;
            let slot = self.proposal_for(person).map_or(authoritative, |proposal| proposal.slot);
            let stays = slot == authoritative && self.authoritative_row(person).is_none();
            let standing = if stays { Seating::Authoritative } else { Seating::Tentative };
            return View { slot: Some(slot), standing: Some(standing), ..View::default() };
        }
        last.map(released).unwrap_or_default()
    }

    /// Owner, whoever must decide, release manager: the whole packet.
    fn add_whole(&self, person: &Person, view: &mut View) {
        let proposal = self.proposal_for(person);
        let packet = proposal.unwrap_or(&self.review.authoritative.packet);
        let today = &self.head().today;
        view.slot = view.slot.or(Some(packet.slot));
        view.roster = packet.attendees.clone();
        view.checkpoints = today.checkpoints.clone();
        view.window = today.window;
        view.cutover = today.cutover;
        view.proposed = proposal.is_some();
        view.freeze_edge = Some(packet.freeze_edge);
        view.conflicts = self.conflicts(|person| self.authoritative_row(person));
        view.conflicts_proposed = self.conflicts(|person| self.tentative_row(person));
        let owner = self.is_owner(person);
        view.violated = today
            .violated
            .iter()
            .filter(|mark| owner || **mark != Mark::Remark(Remark::ChangeInFlux))
            .cloned()
            .collect();
        if owner && !today.owner_confirmed {
            view.violated.push(Remark::OwnerUnconfirmed.into());
            view.violated.sort();
        }
        if proposal.is_some_and(|proposal| proposal.cancelled) {
            view.attendance = Some(Attendance::Cancellation);
        }
        if self.decides(person) {
            view.decides = self.head().pending.as_ref().map(crate::record::proposal::Pending::id);
        }
    }

    /// The proposal that expired undecided, for the present owner, and for the alternate owner who was to decide it.
    fn asks_again(&self, person: &Person) -> Option<Digest> {
        let undecided = self.head().undecided.as_ref().filter(|_| self.head().standing == Standing::Open)?;
        let is_adopter = |of: Option<&Person>| of == Some(person);
        let alternate = is_adopter(undecided.adopter.as_ref()) && is_adopter(self.policy.alternate_owner.as_ref());
        (alternate || self.is_owner(person)).then_some(undecided.proposal)
    }

    /// Whoever hears of exceptions hears that somebody decided in the owner's place.
    fn operator_for(&self, part: Part) -> Option<&'a OperatorLine> {
        let decided = self.head().operator.as_ref().and_then(|record| record.decided.as_ref());
        decided.filter(|_| part.hears_of_exceptions())
    }

    fn exceptions_for(&self, part: Part) -> impl Iterator<Item = &'a Exception> + use<'a> {
        let hears = part.hears_of_exceptions();
        self.head().exceptions.iter().filter(move |exception| hears && !exception.waits())
    }

    /// The exceptions in this person's view, whole: with nearest slots and misses as of now.
    pub fn exceptions(&self, person: &Person) -> Vec<Exception> {
        self.exceptions_for(self.part(person)).cloned().collect()
    }

    /// Who answered `conflict` to this row of theirs, by role: one with the proposal is none with the meeting that counts.
    fn conflicts(&self, row: impl Fn(&Person) -> Option<Row>) -> BTreeMap<Role, Person> {
        let mut conflicts = BTreeMap::new();
        for answer in self.head().answers.iter().filter(|answer| answer.reply == Reply::Conflict) {
            if let Some(row) = row(&answer.person).filter(|row| row.digest() == answer.row) {
                conflicts.extend(row.roles.into_iter().map(|role| (role, answer.person.clone())));
            }
        }
        conflicts
    }
}

fn row(packet: &Packet, person: &Person, standing: Seating) -> Option<Row> {
    let roles: BTreeSet<Role> = packet.roles_of(person).cloned().collect();
    (!roles.is_empty()).then_some(Row { slot: packet.slot, roles, standing })
}

fn line(exception: &Exception) -> ExceptionLine {
    let mut rules: Vec<RuleLine> = exception
        .reasons
        .iter()
        .map(|reason| RuleLine {
            rule: reason.word(),
            role: reason.role().cloned(),
            person: reason.person().cloned(),
            source: reason.source().cloned(),
            subject: reason.subject().map(str::to_owned),
        })
        .collect();
    rules.sort();
    rules.dedup();
    ExceptionLine { kind: exception.kind, rules }
}
