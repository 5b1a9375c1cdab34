//! Every page in every state, by the name of its snapshot.
#![allow(dead_code)]

use std::collections::BTreeMap;

use presentation::{
    mail,
    page::{
        AnswerTo, Form, Hint, Page, Returned,
        acknowledgement::{self, AskedSeat, acknowledgement},
        adoption::{self, adoption},
        failure, mailbox,
        review::{self, review},
        workspace::{self, workspace},
    },
};
use refresh_core::{
    EventId, Person, TraceId,
    audience::reading::Reading,
    base::digest::Digest,
    decide::{refresh, undeliverable},
    facts::{authority::Disposition, event::Identity, fact::Fact},
    record::{
        answer::{Answer, Reply},
        delivery::{Delivery, DeliveryReport, DeliveryStatus, Reachability, Undeliverable, Unreachable},
        lineage::{Trigger, verify},
        proposal::{Fate, PastProposal},
        review::Standing,
    },
};

use crate::common::{World, at, calendar, evidence, list_of, notices, person, review_id};

pub const GIVEN: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// The page of a proposal that waits for its reader.
pub fn to_decide(world: &World, reader: &Person) -> Page {
    adoption(&world.scene(reader), &adoption::AdoptionState::Open(FORM), AnswerTo::Get, None)
}

const FORM: Form<'_> = Form { action: "/adopt/TOKEN", seal: "SEAL", returned: None };
const ANSWER: Form<'_> = Form { action: "/acknowledge/TOKEN", seal: "SEAL", returned: None };

pub fn all() -> Vec<(&'static str, Page)> {
    [adoptions(), acknowledgements(), workspaces(), mailboxes(), failures()].into_iter().flatten().collect()
}

/// The proposal, with one answer to it already.
pub fn answered() -> World {
    let mut world = World::proposed();
    let terms = world.facts.terms(&review_id()).expect("terms").clone();
    let reading = Reading { review: &world.review, terms: &terms, policy: &world.deployment.defaults };
    let answer = |name: &str, reply, note: Option<&str>| Answer {
        person: person(name),
        row: reading.row(&person(name)).map_or(Digest::ZERO, |row| row.digest()),
        reply,
        note: note.map(str::to_owned),
        at: at("09:20:00"),
        stamped_at: None,
    };
    let answers = vec![
        answer("sre-a", Reply::Acknowledged, None),
        answer("dbm-a", Reply::Conflict, Some("On a train from 16:15 <local>, but reachable & willing.")),
    ];
    world.review.head.answers = answers;
    world
}

/// The owner's page where an attendee sits in another review at the proposed hour, and is proposed to sit in a third.
pub fn seated_elsewhere() -> Page {
    use refresh_core::facts::seat::{AuthoritativeSeat, PersonSeats, Seat, TentativeSeat};
    let mut world = answered();
    let proposed = world.review.pending.as_ref().map(|version| version.packet.slot).expect("a proposal");
    let seat = |review: &str| Seat {
        review: refresh_core::ReviewId::parse(review).expect("a name"),
        person: person("so-a"),
        authoritative: None,
        tentative: None,
        invitations: Vec::new(),
    };
    let sits = AuthoritativeSeat { slot: proposed, claim: at("08:00:00") };
    let expires_at = proposed.start;
    let may_sit = TentativeSeat { slot: proposed, made_at: at("08:00:00"), told: true, expires_at };
    let over = TentativeSeat { expires_at: at("09:00:00"), ..may_sit };
    let seats = vec![
        Seat { authoritative: Some(sits), ..seat("RR-2000") },
        Seat { tentative: Some(may_sit), ..seat("RR-3000") },
        Seat { tentative: Some(over), ..seat("RR-4000") },
    ];
    world.facts.insert_seats(person("so-a"), PersonSeats { seats, ..PersonSeats::default() });
    adoption(&world.scene(&person("rm-a")), &adoption::AdoptionState::Open(FORM), AnswerTo::Get, None)
}

pub fn past_proposal(fate: Fate) -> PastProposal {
    PastProposal {
        id: refresh_core::base::digest::Digest::ZERO,
        fate,
        by: None,
        at: at("09:10:00"),
        first_version: 8,
        version: 8,
        by_closing: false,
    }
}

pub fn adoptions() -> Vec<(&'static str, Page)> {
    use adoption::{AdoptionState as At, Again};
    let owner = person("rm-a");
    let other = person("so-a");
    let world = answered();
    let quiet = World::issued();
    let show = |world: &World, situation, answer_to| adoption(&world.scene(&owner), &situation, answer_to, None);
    let past = past_proposal(Fate::Superseded);
    let withdrawn = past_proposal(Fate::Withdrawn);
    let by_closing = PastProposal { by_closing: true, ..withdrawn.clone() };
    let mut closed = World::issued();
    closed.review.head.standing = Standing::Closed;
    let returned = Returned { hint: Hint::NothingChosen, written: "The window was agreed.\nSee CHG-8841.".to_owned() };
    vec![
        ("adopt_open", show(&world, At::Open(FORM), AnswerTo::Get)),
        (
            "adopt_open_nothing_chosen",
            show(&world, At::Open(Form { returned: Some(&returned), ..FORM }), AnswerTo::Post),
        ),
        ("adopt_superseded", show(&world, At::Superseded { form: Some(FORM), past: Some(&past) }, AnswerTo::Get)),
        (
            "adopt_former_owner",
            adoption(&world.scene(&other), &At::Superseded { form: None, past: Some(&past) }, AnswerTo::Get, None),
        ),
        ("adopt_withdrawn", show(&quiet, At::Superseded { form: None, past: Some(&withdrawn) }, AnswerTo::Get)),
        ("adopt_closed", show(&closed, At::Superseded { form: None, past: Some(&by_closing) }, AnswerTo::Get)),
        ("adopt_facts_changed", show(&world, At::FactsChanged, AnswerTo::Post)),
        ("adopt_expired", show(&quiet, At::Expired(Again::Yours(FORM)), AnswerTo::Get)),
        ("adopt_expired_for_another", adoption(&quiet.scene(&other), &At::Expired(Again::Others), AnswerTo::Get, None)),
        ("adopt_expired_and_over", show(&world, At::Expired(Again::Over), AnswerTo::Get)),
        (
            "adopt_already_decided",
            show(
                &quiet,
                At::AlreadyDecided { fate: Fate::DeclinedStand, by: Some(&other), at: at("09:10:00") },
                AnswerTo::Post,
            ),
        ),
        ("adopt_not_the_owner", adoption(&world.scene(&other), &At::NotTheOwner, AnswerTo::Get, None)),
        ("adopt_separation_of_duty", show(&world, At::SeparationOfDuty, AnswerTo::Get)),
        (
            "adopt_receipt",
            show(&quiet, At::Decided { fate: Fate::Adopted, by: &owner, at: at("09:10:00") }, AnswerTo::Post),
        ),
        (
            "adopt_receipt_declined",
            show(&quiet, At::Decided { fate: Fate::DeclinedOtherSlot, by: &owner, at: at("09:10:00") }, AnswerTo::Post),
        ),
        ("adopt_asked_again", show(&world, At::AskedAgain { expires_at: Some(at("13:10:00")) }, AnswerTo::Post)),
        ("adopt_asked_again_in_a_pause", show(&quiet, At::AskedAgain { expires_at: None }, AnswerTo::Post)),
    ]
}

/// Pages of the owner that are given a link to the whole review.
pub fn led_on() -> Vec<(&'static str, Page)> {
    use adoption::{AdoptionState as At, Again};
    let (world, owner) = (answered(), person("rm-a"));
    let show = |situation| adoption(&world.scene(&owner), &situation, AnswerTo::Get, Some("/reviews/WHOLE"));
    vec![
        ("open", show(At::Open(FORM))),
        ("superseded", show(At::Superseded { form: None, past: None })),
        ("facts_changed", show(At::FactsChanged)),
        ("expired", show(At::Expired(Again::Yours(FORM)))),
        ("expired_of_others", show(At::Expired(Again::Others))),
        ("expired_and_over", show(At::Expired(Again::Over))),
        ("decided", show(At::Decided { fate: Fate::Adopted, by: &owner, at: at("09:10:00") })),
    ]
}

/// The pages that offer a form, where it comes back.
pub fn returned(returned: &Returned) -> [Page; 3] {
    use adoption::{AdoptionState as At, Again};
    let (world, owner) = (answered(), person("rm-a"));
    let returned = Some(returned);
    let adopt = |situation| adoption(&world.scene(&owner), &situation, AnswerTo::Post, None);
    let open = adopt(At::Open(Form { returned, ..FORM }));
    let expired = adopt(At::Expired(Again::Yours(Form { returned, ..FORM })));
    [
        open,
        expired,
        replying(
            &world,
            acknowledgement::AcknowledgementState::Open(Form { returned, ..ANSWER }),
            None,
            AnswerTo::Post,
        ),
    ]
}

fn replying(
    world: &World,
    situation: acknowledgement::AcknowledgementState<'_>,
    answer: Option<&Answer>,
    answer_to: AnswerTo,
) -> Page {
    replying_to("sre-a", world, situation, answer, answer_to)
}

/// The reply page of somebody with a seat.
pub fn to_answer(world: &World, reader: &str) -> Page {
    replying_to(reader, world, acknowledgement::AcknowledgementState::Open(ANSWER), None, AnswerTo::Get)
}

fn replying_to(
    reader: &str,
    world: &World,
    situation: acknowledgement::AcknowledgementState<'_>,
    answer: Option<&Answer>,
    answer_to: AnswerTo,
) -> Page {
    let reader = person(reader);
    let (told, _) = notices::named("tentative_change");
    let terms = world.facts.terms(&review_id()).expect("terms");
    let reading = Reading { review: &world.review, terms, policy: &world.deployment.defaults };
    let view = reading.view(&reader, None);
    let seat = AskedSeat {
        view: &view,
        changes: &told.changes,
        why: &told.why,
        answer,
        due_at: Some(at("11:10:00")),
        row: None,
        proposed: None,
    };
    acknowledgement(&world.scene(&reader), &seat, &situation, answer_to)
}

/// What an owner decides on and a participant answers to.
pub fn of_participants(world: &World) -> Vec<(&'static str, Page)> {
    let adopt = adoption(&world.scene(&person("rm-a")), &adoption::AdoptionState::Open(FORM), AnswerTo::Get, None);
    let reply = replying(world, acknowledgement::AcknowledgementState::Open(ANSWER), None, AnswerTo::Get);
    vec![("adopt", adopt), ("acknowledge", reply)]
}

pub fn acknowledgements() -> Vec<(&'static str, Page)> {
    use acknowledgement::AcknowledgementState as At;
    let world = World::proposed();
    let settled = World::issued();
    let reader = person("sre-a");
    let answer = Answer {
        person: reader.clone(),
        row: Digest::ZERO,
        reply: Reply::Conflict,
        note: Some("School run".to_owned()),
        at: at("09:30:00"),
        stamped_at: None,
    };
    vec![
        ("acknowledge_open", replying(&settled, At::Open(ANSWER), None, AnswerTo::Get)),
        ("acknowledge_tentative", replying(&world, At::Open(ANSWER), Some(&answer), AnswerTo::Get)),
        ("acknowledge_stale", replying(&world, At::Stale { fresh: Some("/acknowledge/FRESH") }, None, AnswerTo::Post)),
        (
            "acknowledge_receipt",
            replying(&settled, At::Recorded { reply: Reply::Acknowledged, at: at("09:40:00") }, None, AnswerTo::Post),
        ),
        (
            "acknowledge_receipt_conflict",
            replying(&settled, At::Recorded { reply: Reply::Conflict, at: at("09:40:00") }, None, AnswerTo::Post),
        ),
    ]
}

pub fn workspaces() -> Vec<(&'static str, Page)> {
    let (proposed, escalated, settled) = (answered(), World::escalated(), World::issued());
    let reader = person("rm-a");
    let reported = |world: &World, compare, deliveries: &[(Person, Delivery)]| {
        let verified = verify(&world.entries, &world.review.head.lineage);
        let shown = review::Workspace {
            versions: &world.versions,
            entries: &world.entries,
            verified: &verified,
            compare,
            path: "/reviews/RR-1042",
            list: Some("/reviews"),
            deliveries,
        };
        review(&world.scene(&reader), &shown)
    };
    let page = |world: &World, compare| reported(world, compare, &[]);
    let worlds = [(&proposed, "/reviews/RR-1042"), (&escalated, "/reviews/RR-1043"), (&settled, "/reviews/RR-1044")];
    let entries: Vec<workspace::ListedReview<'_>> = worlds
        .iter()
        .map(|(world, path)| workspace::ListedReview {
            review: &world.review,
            terms: world.facts.terms(&review_id()).expect("terms"),
            path,
        })
        .collect();
    let names = BTreeMap::from([(reader.clone(), "Rosa Marques".to_owned())]);
    // The second of three reviews, those with something open alone.
    let part = workspace::ReviewList {
        entries: &entries[1..2],
        only_open: true,
        is_first: false,
        next: Some("RR 1043&x"),
        ..list_of(&entries, &names, at("09:30:00"))
    };
    let mut broken = World::proposed();
    broken.entries[0].at = at("08:31:00");
    vec![
        ("workspace", workspace(&list_of(&entries, &names, at("09:30:00")), at("09:30:00"))),
        ("workspace_part", workspace(&part, at("09:30:00"))),
        ("workspace_empty", workspace(&list_of(&[], &names, at("09:30:00")), at("09:30:00"))),
        ("review_proposed", page(&proposed, None)),
        ("review_escalated", page(&escalated, None)),
        ("review_same_version", page(&settled, Some((7, 7)))),
        ("review_chain_broken", page(&broken, None)),
        ("review_undelivered", reported(&undelivered(), None, &deliveries())),
        ("review_traced", page(&traced(), None)),
    ]
}

pub fn mailboxes() -> Vec<(&'static str, Page)> {
    let letters: Vec<Vec<u8>> = notices::all()
        .into_iter()
        .filter_map(|(_, notice, letterhead)| mail::compose(&notice, &letterhead).ok())
        .map(|letter| letter.bytes)
        .collect();
    let mails: Vec<mailbox::MailLine<'_>> = letters
        .iter()
        .enumerate()
        .map(|(number, raw)| mailbox::MailLine { id: IDS[number % IDS.len()], at: at("09:02:00"), raw })
        .collect();
    let first = mails[0];
    let garbage = mailbox::MailLine { id: "../x", at: at("09:02:00"), raw: b"\xff\xfe not a mail" };
    vec![
        ("mailbox", mailbox::list(&mails, None, false)),
        ("mailbox_empty", mailbox::list(&[], Some("rm-a@example.com"), false)),
        ("mailbox_html", mailbox::message(&first, mailbox::MailView::Html)),
        ("mailbox_text", mailbox::message(&first, mailbox::MailView::Text)),
        ("mailbox_calendar", mailbox::message(&first, mailbox::MailView::Calendar)),
        ("mailbox_headers", mailbox::message(&first, mailbox::MailView::Headers)),
        ("mailbox_frame", mailbox::html(&first)),
        ("mailbox_unreadable", mailbox::message(&garbage, mailbox::MailView::Raw)),
    ]
}

const IDS: [&str; 4] = ["1", "2", "3", "4"];

pub fn failures() -> Vec<(&'static str, Page)> {
    vec![
        ("failure_no_link", failure::no_link()),
        ("failure_not_found", failure::not_found()),
        ("failure_unavailable", failure::unavailable()),
    ]
}

/// Mail to the security reviewer was refused: whoever sends mails may write what they like into their answer.
fn undelivered() -> World {
    let mut world = World::proposed();
    world.review.head.unreachable = vec![Unreachable {
        person: person("sec-a"),
        why: Undeliverable::Rejected,
        mailed_at: at("09:02:00"),
        profile: None,
        terms: None,
        reach: Reachability::Withheld,
    }];
    world
}

/// Two events that came together, one with a trace of its source's, and a mail under it that bounced.
pub fn traced() -> World {
    let mut world = World::proposed();
    let given = TraceId::parse(GIVEN);
    let (busy, late) = (calendar("sec-a", 3, &[("15:30:00", "18:00:00")]), evidence(3, Some("15:45:00")));
    let trigger = |fact: &Fact, id: &str, trace| Trigger {
        identity: Identity { source: fact.source.clone(), id: EventId::parse(id).expect("an id") },
        event_type: "dev.holdpoint.evidence.updated.v1".to_owned(),
        subject: fact.subject.clone(),
        revision: fact.revision,
        disposition: Disposition::Applied,
        not_taken: Vec::new(),
        collision: None,
        trace,
    };
    let triggers = vec![trigger(&busy, "calendar-3", None), trigger(&late, "evidence-3", given)];
    world.now = at("09:10:00");
    world.facts.insert(busy);
    world.facts.insert(late);
    let commit = refresh::refresh(&world.review, &world.facts, &world.deployment, triggers, world.now);
    world.apply(commit.expect("a decision"));
    let (delivery, now) = (deliveries().remove(0).1, at("09:13:00"));
    let delivery = Delivery { status: DeliveryStatus::Bounced, ..delivery };
    let report = DeliveryReport { to: person("dbm-a"), delivery, trace: given };
    let commit = undeliverable::undeliverable(&world.review, &world.facts, &world.deployment, &report, now);
    world.apply(commit.expect("a decision"));
    world.now = now;
    world
}

fn deliveries() -> Vec<(Person, Delivery)> {
    let known = |name: &str, status| {
        let delivery = Delivery { message_id: name.to_owned(), mailed_at: at("09:02:00"), at: at("09:03:00"), status };
        (person(name), delivery)
    };
    vec![
        known("dbm-a", DeliveryStatus::Delivered),
        known("rm-a", DeliveryStatus::Delayed),
        known("sec-a", DeliveryStatus::rejected("<b>not</b> verified\r\nBcc: all@example.com")),
        known("sre-a", DeliveryStatus::BouncedForNow),
    ]
}
