//! What notify, adopt and acknowledge do with the core: mails out, and answers in through the links they carried.

use std::collections::BTreeSet;

use refresh_core::{
    EventId, Instant, Person,
    audience::reading::Reading,
    base::{
        digest::Digest,
        fingerprint::{ProposalFingerprint, RowFingerprint},
        instant::MINUTE,
    },
    choice::situation::Situation,
    decide::{
        acknowledge,
        adopt::{self, Answered, DecisionAttempt, Wish},
        reply,
        resend::{self, Mailed},
        send_link, undeliverable,
    },
    facts::{
        authority::Disposition,
        event::Identity,
        operator::ResendRequest,
        reply::ReceivedReply,
        subject::{Kind, Subject},
    },
    record::{
        answer::Reply,
        claim::ObjectsInDoubt,
        delivery::{Delivery, DeliveryReport, DeliveryStatus},
        lineage::{AnswerResult, Happening, Trigger},
        message::{MailReplied, ResendRequested},
        notice::{LinkTo, Notice},
        view::Seating,
    },
    telling::{
        calendar, owed,
        sent::{self, RoundDone, Sent},
        told,
    },
};

use crate::{fixture, world::World};

/// A claim whose mail went out, if ever, and was never settled.
#[derive(Clone, Copy, Debug)]
pub struct LeftClaim {
    pub objects: ObjectsInDoubt,
    pub until: Instant,
}

/// As long as notify's.
const LEASE: i64 = 5 * MINUTE;

/// Everybody gets what they are owed now: one mail, and where that carries the meeting, another for the end of their hold.
/// Then, if it is over, the quiet period ends.
pub fn notify(world: &mut World) -> Result<(), String> {
    ask(world)?;
    round(world)?;
    ask(world)
}

/// The reviews that share the people whose seats changed are asked to look.
fn ask(world: &mut World) -> Result<(), String> {
    let review = world.review.clone().ok_or("no review was issued")?;
    let done = RoundDone { asked: true, told: false };
    match sent::end_round(&review, &world.deployment.defaults, done, world.now) {
        Some(commit) => {
            world.asked.push(review.head.seats_moved);
            world.write(commit)
        }
        None => Ok(()),
    }
}

fn round(world: &mut World) -> Result<(), String> {
    let facts = world.read();
    let people: BTreeSet<Person> = {
        let (id, review) = (fixture::review(), world.review.as_ref().ok_or("no review was issued")?);
        let situation = Situation::of(&id, &facts, &world.deployment, world.now).ok_or("the review has no terms")?;
        let mut people = Reading::of(review, &situation).people();
        people.extend(world.told.keys().chain(world.in_doubt.keys()).cloned());
        people
    };
    let people = people.into_iter().flat_map(|person| [person.clone(), person]);
    let (mut refused, mut left) = (false, false);
    for person in people {
        if world.in_doubt.get(&person).is_some_and(|claim| world.now < claim.until) {
            left = true;
            continue;
        }
        // HEAD is read anew for each: settling the mail before has moved it.
        let review = world.review.clone().ok_or("no review was issued")?;
        let id = fixture::review();
        let situation = Situation::of(&id, &facts, &world.deployment, world.now).ok_or("the review has no terms")?;
        let reading = Reading::of(&review, &situation);
        let told = told::told(&reading, &person, world.told.get(&person).cloned(), world.deliveries.get(&person));
        let before = world.in_doubt.remove(&person);
        let prior = before.map_or(owed::PriorMail::Settled, |left| owed::PriorMail::InDoubt(left.objects));
        let objects = calendar::in_doubt_after(&reading, &told, prior.objects());
        let told = calendar::with_doubt(&reading, told, prior.objects());
        let Some(notice) = owed::owed(&reading, &told, prior, world.versions.get(&told.version), world.now) else {
            continue;
        };
        let never = if world.refused.contains(&person) {
            Some(DeliveryStatus::rejected("Email address is not verified."))
        } else {
            world.unmailable.contains(&person).then(|| DeliveryStatus::unmailable("To does not read back as meant"))
        };
        if let Some(status) = never {
            reported(world, &person, status, None)?;
            refused = true;
            continue;
        }
        if world.unsettled.remove(&person) {
            world.in_doubt.insert(person, LeftClaim { objects, until: world.now.plus_millis(LEASE) });
            left = true;
            continue;
        }
        let id = format!("message {}", world.mails.len());
        let sent = Sent::of(&reading, &told, &notice, &id, "tables");
        let commit = sent::confirm_sent(&reading, &[sent], false, world.now).commit;
        world.mails.push(notice.clone());
        world.write(commit)?;
    }
    if refused {
        // Others may have been told before the exception opened: another round looks at everybody again.
        return round(world);
    }
    if left {
        return Ok(());
    }
    let review = world.review.clone().ok_or("no review was issued")?;
    let id = fixture::review();
    let situation = Situation::of(&id, &facts, &world.deployment, world.now).ok_or("the review has no terms")?;
    match sent::end_round(&review, &situation.policy, RoundDone { asked: false, told: true }, world.now) {
        Some(commit) => world.write(commit),
        None => Ok(()),
    }
}

/// The newest mail of this person that carries such a link; about one version alone, where one is named.
pub fn link<'a>(
    world: &'a World,
    by: &Person,
    version: Option<u32>,
    wanted: impl Fn(&LinkTo) -> bool,
) -> Option<(&'a Notice, LinkTo)> {
    world
        .mails
        .iter()
        .rev()
        .filter(|mail| mail.to == *by && version.is_none_or(|version| mail.version == version))
        .find_map(|mail| Some((mail, mail.link.filter(|link| wanted(link))?)))
}

pub fn decide(
    world: &mut World,
    as_: &Person,
    link_of: &Person,
    version: Option<u32>,
    wish: Wish,
) -> Result<(), String> {
    let found = link(world, link_of, version, |link| matches!(link, LinkTo::Adopt { .. }));
    let Some((_, LinkTo::Adopt { proposal, .. })) = found else {
        world.answered = Some(no_link());
        return Ok(());
    };
    let facts = world.read();
    let review = world.review.clone().ok_or("no review was issued")?;
    let attempt = DecisionAttempt {
        by: as_.clone(),
        proposal: ProposalFingerprint::of_digest(&proposal),
        wish,
        reason: None,
        trace: None,
        as_operator: false,
    };
    let answer = if wish == Wish::SendLink { send_link::send_link } else { adopt::decide };
    let answered = answer(&review, &facts, &world.deployment, &attempt, world.now);
    names_its_proposal(&answered, &proposal)?;
    conclude(world, answered)
}

/// A recorded answer names the proposal whose link was used, whatever has become of it since.
fn names_its_proposal(answered: &Answered, proposal: &Digest) -> Result<(), String> {
    let entry = answered.commit.iter().flat_map(|commit| &commit.entry);
    let answers = entry.flat_map(|entry| &entry.happenings).filter_map(|happening| match happening {
        Happening::Answer(line) => Some(line.about),
        _ => None,
    });
    match answers.into_iter().find(|about| about != proposal) {
        Some(other) => Err(format!("the answer is recorded about {other}, the link was about {proposal}")),
        None => Ok(()),
    }
}

pub fn look(world: &mut World, by: &Person, link_of: &Person, version: Option<u32>) -> Result<(), String> {
    let found = link(world, link_of, version, |link| matches!(link, LinkTo::Adopt { .. }));
    let Some((_, LinkTo::Adopt { proposal, .. })) = found else {
        world.answered = Some(no_link());
        return Ok(());
    };
    let facts = world.read();
    let review = world.review.clone().ok_or("no review was issued")?;
    let proposal = ProposalFingerprint::of_digest(&proposal);
    let (result, before) = adopt::link_status(&review, &facts, &world.deployment, by, proposal, world.now);
    world.answered = Some(Answered { result, before, commit: None });
    Ok(())
}

pub fn answer(world: &mut World, by: &Person, version: Option<u32>, reply: Option<Reply>) -> Result<(), String> {
    let found = link(world, by, version, |link| matches!(link, LinkTo::Acknowledge { .. }));
    let Some((_, LinkTo::Acknowledge { row, .. })) = found else {
        world.answered = Some(no_link());
        return Ok(());
    };
    let facts = world.read();
    let review = world.review.clone().ok_or("no review was issued")?;
    let Some(reply) = reply else {
        let id = fixture::review();
        let situation = Situation::of(&id, &facts, &world.deployment, world.now).ok_or("the review has no terms")?;
        let (result, _) = acknowledge::link_status(&review, &situation, by, RowFingerprint::of_digest(&row));
        world.answered = Some(Answered { result, before: None, commit: None });
        return Ok(());
    };
    let attempt = acknowledge::AnswerAttempt {
        by: by.clone(),
        row: RowFingerprint::of_digest(&row),
        reply,
        note: None,
        trace: None,
    };
    let answered = acknowledge::answer(&review, &facts, &world.deployment, &attempt, world.now);
    conclude(world, answered)
}

/// A reply by mail, as ingest hands it on: `by` writes, and it arrives now.
pub fn replied(world: &mut World, reply: ReceivedReply) -> Result<(), String> {
    let facts = world.read();
    let review = world.review.clone().ok_or("no review was issued")?;
    let trigger = no_fact(world, Kind::Reply, Subject::Reply(reply.sender.clone()))?;
    let replied = MailReplied { review: fixture::review(), reply, trigger, arrived: world.now };
    let commit = reply::reply(&review, &facts, &world.deployment, &replied, world.now);
    conclude(world, Answered { result: AnswerResult::Commented, before: None, commit })
}

/// The trigger of an event that is no fact.
fn no_fact(world: &World, kind: Kind, subject: Subject) -> Result<Trigger, String> {
    let id = EventId::parse(&format!("said-{}-{}", world.head()?.counter, world.now))?;
    Ok(Trigger {
        identity: Identity { source: fixture::source(kind), id },
        event_type: format!("dev.holdpoint.{}.v1", subject.word()),
        subject,
        revision: 0,
        disposition: Disposition::Applied,
        not_taken: Vec::new(),
        collision: None,
        trace: None,
    })
}

/// `resend so-a`: an operator asks that so-a is mailed once more.
pub fn resend(world: &mut World, name: &str) -> Result<(), String> {
    let facts = world.read();
    let person = fixture::person(name)?;
    let review = world.review.clone().ok_or("no review was issued")?;
    let trigger = no_fact(world, Kind::Operator, Subject::Resend(fixture::review(), person.clone()))?;
    let told = world.told.get(&person).cloned();
    let mailed = Mailed { told: told.as_ref(), delivery: world.deliveries.get(&person) };
    let request = ResendRequest { person, by: fixture::person("op-1")?, reason: "they ask for it".to_owned() };
    let asked = ResendRequested { review: fixture::review(), resend: request, trigger, arrived: world.now };
    let commit = resend::resend(&review, &facts, &world.deployment, &asked, mailed, world.now);
    conclude(world, Answered { result: AnswerResult::Resent, before: None, commit })
}

/// The mailer reports on a message to this person: their newest, or the one that was mailed at that time.
pub fn reported(
    world: &mut World,
    to: &Person,
    status: DeliveryStatus,
    mailed_at: Option<Instant>,
) -> Result<(), String> {
    let mails = world.mails.iter().enumerate().filter(|(_, mail)| mail.to == *to);
    let newest = mails.rev().find(|(_, mail)| mailed_at.is_none_or(|at| mail.at == at));
    // What is refused when it is handed in never got an id.
    let refused = world.refused.contains(to) || world.unmailable.contains(to);
    let (message_id, mailed_at) = match newest.filter(|_| !refused) {
        Some((number, mail)) => (format!("message {number}"), mail.at),
        None => (format!("claim {}", world.now), world.now),
    };
    let delivery = Delivery { message_id, mailed_at, at: world.now, status };
    let report = DeliveryReport { to: to.clone(), delivery, trace: None };
    if let Some(known) = Delivery::after(world.deliveries.get(to), &report.delivery) {
        world.deliveries.insert(to.clone(), known);
    }
    let facts = world.read();
    let review = world.review.clone().ok_or("no review was issued")?;
    undeliverable::undeliverable(&review, &facts, &world.deployment, &report, world.now)
        .map_or(Ok(()), |commit| world.write(commit))
}

fn conclude(world: &mut World, answered: Answered) -> Result<(), String> {
    if let Some(commit) = answered.commit.clone() {
        world.write(commit)?;
    }
    world.answered = Some(answered);
    world.advance(world.now)
}

fn no_link() -> Answered {
    Answered { result: AnswerResult::NoLink, before: None, commit: None }
}

/// As an earlier release wrote it, which took an invitation of an unknown UID for the meeting, and a guest who was mailed
/// for somebody who was released, and wrote entries of those who have a place alone.
pub fn older(world: &mut World) -> Result<(), String> {
    let slot = world.terms.slot;
    for told in world.told.values_mut() {
        (told.meeting, told.invited_as) = (Some(slot), None);
        told.released |= told.seat.is_none() && told.view.standing == Some(Seating::Authoritative);
    }
    world.forget_shown();
    Ok(())
}
