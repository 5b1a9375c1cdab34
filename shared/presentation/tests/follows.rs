//! What a mail and a page say of decisions, replies and what follows: only of what there is.

mod common;
#[path = "common/pages.rs"]
mod pages;

use std::collections::BTreeSet;

use presentation::mail;
use refresh_core::{
    base::digest::Digest,
    facts::reply::ReplyWord,
    record::{
        delta::{Field, Value},
        exception::ExceptionKind,
        mark::{Mark, Remark, Violation},
        notice::{Consequence, LinkTo, Notice, NoticeKind, ReviewStanding},
        proposal::Fate,
        reason_word::ReasonWord,
        view::{ExceptionLine, RuleLine, Seating},
    },
};

use common::notices;

fn otherwise(name: &str, otherwise: &[Consequence]) -> String {
    let (notice, letterhead) = notices::named(name);
    let otherwise: BTreeSet<Consequence> = otherwise.iter().copied().collect();
    let todo = mail::content(&Notice { otherwise, ..notice }, &letterhead).todo.expect("what to do");
    todo.otherwise.expect("what follows")
}

/// No reminder, hold, owner or contact is spoken of that there is not.
#[test]
fn a_duty_left_undone_has_the_consequences_that_there_are() {
    use Consequence::{ContactsTold, HoldsEnd, OwnerTold, Reminded};
    for (name, consequences, expected) in [
        (
            "authoritative_update",
            &[Reminded, OwnerTold, ContactsTold][..],
            "If you do nothing, you are reminded, and then the release owner is told that your answer is missing.",
        ),
        ("reminder_answer", &[OwnerTold], "If you do nothing, the release owner is told that your answer is missing."),
        (
            "reminder_answer",
            &[ContactsTold],
            "If you do nothing, the escalation contacts are told that your answer is missing.",
        ),
        ("reminder_answer", &[Reminded], "If you do nothing, you are reminded."),
        ("reminder_answer", &[], "If you do nothing, your answer counts as missing."),
        (
            "adoption_request",
            &[HoldsEnd, ContactsTold],
            "If you do nothing, nothing is adopted: the proposal expires then, its holds are withdrawn, and you and the escalation contacts are told.",
        ),
        (
            "adoption_request",
            &[],
            "If you do nothing, nothing is adopted: the proposal expires then, and you are told.",
        ),
        (
            "adoption_request_cancellation",
            &[ContactsTold],
            "If you do nothing, nothing is cancelled: the proposal expires then, and you and the escalation contacts are told.",
        ),
    ] {
        assert_eq!(otherwise(name, consequences), expected, "{name}");
    }
}

/// Who replied with neither yes nor no has not been silent, and nobody reads that they were.
#[test]
fn a_reply_that_is_no_answer_is_named() {
    for (word, own, others) in [
        (ReplyWord::Tentative, "You replied by mail that you may come", "they may come, which is neither yes nor no"),
        (ReplyWord::Delegated, "You replied by mail that somebody else should come", "somebody else should come"),
        (ReplyWord::Countered, "You asked by mail for another time", "they asked by mail for another time"),
    ] {
        let (mut reminder, letterhead) = notices::named("reminder_answer");
        let silent = mail::content(&reminder, &letterhead);
        assert!(silent.standing.contains("Your answer is still missing."), "{}", silent.standing);
        reminder.replied = [(reminder.to.clone(), word)].into();
        let content = mail::content(&reminder, &letterhead);
        assert!(content.standing.contains("Your reply by mail was neither yes nor no"), "{}", content.standing);
        assert!(content.headline.as_deref().is_some_and(|line| line.starts_with(own)), "{:?}", content.headline);
        let (mut owner, letterhead) = notices::named("escalation_unanswered");
        owner.replied = [(common::person("dbm-a"), word)].into();
        let exception = mail::content(&owner, &letterhead).exceptions.remove(0);
        assert!(exception.remedy.contains("neither yes nor no"), "{}", exception.remedy);
        assert!(exception.reasons[0].contains(others), "{:?}", exception.reasons);
    }
}

/// What is told besides has a reason of its own, and the second line is not that reason's.
#[test]
fn the_second_line_names_the_reason_of_what_it_says() {
    let (request, letterhead) = notices::named("adoption_request");
    let content = mail::content(&request, &letterhead);
    assert!(!content.why_below && content.why.len() == 2, "{:?}", content.why);
    let besides = vec![request.why[0].clone()];
    let content = mail::content(&Notice { besides, ..request }, &letterhead);
    let headline = content.headline.expect("a second line");
    assert!(headline.contains("Why: the calendar of ") && !headline.contains("Why: evidence "), "{headline}");
    assert!(!headline.contains("evidence integration-tests (ci"), "{headline}");
    assert!(content.why_below && content.why[1].starts_with("of what else changed: evidence "), "{:?}", content.why);
}

/// A decision is named, and a deadline that passed.
#[test]
fn the_end_of_a_proposal_is_told_as_what_it_was() {
    let (notice, letterhead) = notices::named("withdrawn");
    for (ended, said) in [
        (Some(Fate::Expired), "expired undecided"),
        (Some(Fate::DeclinedOtherSlot), "was declined"),
        (Some(Fate::DeclinedStand), "was declined"),
        (Some(Fate::Withdrawn), "is withdrawn"),
        (Some(Fate::Superseded), "is withdrawn"),
        (None, "is withdrawn"),
    ] {
        let content = mail::content(&Notice { ended, ..notice.clone() }, &letterhead);
        let first = format!("A proposal you were told of {said} and nothing of it was adopted: ");
        assert!(content.standing.starts_with(&first), "{ended:?}: {}", content.standing);
        assert!(content.subject.as_str().contains(&format!("a proposal {said}")), "{ended:?}: {}", content.subject);
    }
}

/// Whoever may ask for an expired proposal again is told so where the link is: the alternate owner, to whom it is withdrawn, as
/// well as the owner, to whom an exception is open.
#[test]
fn whoever_may_ask_again_reads_that_they_may() {
    let link = Some(LinkTo::Adopt { proposal: Digest::ZERO, expires_at: common::at("16:30:00") });
    for name in ["withdrawn", "escalation"] {
        let (notice, letterhead) = notices::named(name);
        let letterhead = mail::Letterhead { link: Some(notices::LINK.to_owned()), ..letterhead };
        let todo = mail::content(&Notice { link, ..notice }, &letterhead).todo.expect("what to do");
        assert!(todo.text.starts_with("If the expired proposal is still wanted, you can ask for it again"), "{name}");
        assert_eq!((todo.button, todo.link.is_some()), ("See the expired proposal", true), "{name}");
    }
}

/// What an earlier proposal said otherwise, and this one leaves as it is, is not called proposed, neither first in the mail.
#[test]
fn what_went_back_is_not_called_proposed() {
    let (request, letterhead) = notices::named("adoption_request");
    let field = Field::Roster(notices::role("security_reviewer"));
    let mut changes = request.changes.clone();
    changes.retain(|change| change.field == field);
    changes.push(notices::moved());
    for kind in [NoticeKind::AdoptionRequest, NoticeKind::TentativeChange, NoticeKind::Reminder] {
        let said = |proposed: BTreeSet<Field>| {
            let notice = Notice { kind, changes: changes.clone(), proposed, ..request.clone() };
            assert_eq!(notice.standing, ReviewStanding::ProposalPending);
            mail::content(&notice, &letterhead)
        };
        let both = said([Field::Slot, field.clone()].into());
        assert!(both.changes.iter().all(|line| line.now.starts_with("proposed ")), "{:?}", both.changes);
        let back = said([Field::Slot].into());
        assert_eq!(back.changes[0].what, "Time", "{:?}", back.changes);
        let reviewer = &back.changes[1];
        assert!(reviewer.now.ends_with("(sec-b@example.com), as in the meeting that counts"), "{reviewer:?}");
    }
    assert!(matches!(notices::moved().now, Some(Value::Interval(_))));
}

fn answers_of(world: &common::World) -> String {
    let body = pages::to_decide(world, &common::person("rm-a")).body;
    let answers = body.split("Answers so far").nth(1).map(str::to_owned);
    answers.unwrap_or_else(|| panic!("no answers: {body}"))
}

/// Who has the hold and a link was asked as far as anybody is, and who keeps their seat is asked nothing.
#[test]
fn the_owners_page_says_who_was_told() {
    let (yes, no) = ("told of the proposal, no answer yet", "not told of the proposal yet");
    for (told_at, said, unsaid) in [(Some(common::at("09:02:00")), yes, no), (None, no, yes)] {
        let mut world = common::World::proposed();
        world.review.head.pending.as_mut().expect("a proposal").told_at = told_at;
        let answers = answers_of(&world);
        assert!(answers.contains(said) && !answers.replace(said, "").contains(unsaid), "{answers}");
        assert!(!answers.contains("not asked yet"), "{answers}");
    }
    let busy = common::calendar("sec-a", 2, &[("14:30:00", "16:00:00")]);
    let substituted = answers_of(&common::World::issued().learn("08:55:00", busy));
    assert!(substituted.contains("not asked: the proposal releases them"), "{substituted}");
    assert!(substituted.contains("not asked: their seat stays as it is"), "{substituted}");
}

/// A policy without holds or contacts has a page without them.
#[test]
fn the_owners_page_promises_what_there_is() {
    let owner = common::person("rm-a");
    let with = pages::to_decide(&common::World::proposed(), &owner).body;
    assert!(with.contains("its tentative holds leave the calendars"), "{with}");
    assert!(with.contains("you and the escalation contacts are told"), "{with}");
    let mut world = common::World::issued();
    world.deployment.defaults.hold_invites = false;
    world.deployment.defaults.escalation_contacts.clear();
    let without = pages::to_decide(&world.learn("08:55:00", common::evidence(2, Some("15:30:00"))), &owner).body;
    assert!(!without.contains("tentative holds") && !without.contains("escalation contacts"), "{without}");
    assert!(without.contains("and you are told that it was left undecided"), "{without}");
}

/// A mail about a proposal that its reader knows is of what is new, and says that the proposal waits still.
#[test]
fn news_of_a_known_proposal_is_what_the_mail_is_of() {
    let (request, letterhead) = notices::named("adoption_request");
    let rejected = |people: &[&str]| {
        let rules = people.iter().map(|person| RuleLine {
            rule: ReasonWord::Bounced,
            role: None,
            person: Some(common::person(person)),
            source: None,
            subject: None,
        });
        Some(Value::Exceptions(vec![ExceptionLine { kind: ExceptionKind::Unreachable, rules: rules.collect() }]))
    };
    let flux = |marks: &[Mark]| Some(Value::Marks(marks.to_vec()));
    let role = notices::role("service_owner");
    let text = |person: &str| Some(Value::Text(person.to_owned()));
    for (field, was, now, subject) in [
        (Field::Exception, None, rejected(&["sec-b"]), "a required person cannot be reached"),
        (Field::Exception, rejected(&["sec-b"]), None, "its exceptions are told to you no more"),
        (
            Field::Exception,
            rejected(&["sec-b"]),
            Some(Value::Exceptions(Vec::new())),
            "settled: a required person cannot be reached",
        ),
        (
            Field::Exception,
            rejected(&["sec-b", "so-a"]),
            rejected(&["so-a"]),
            "fewer reasons: a required person cannot be reached",
        ),
        (
            Field::Violated,
            flux(&[Violation::Evidence.into()]),
            flux(&[Violation::Evidence.into(), Remark::ChangeInFlux.into()]),
            "the change record is being reworked",
        ),
        (
            Field::Violated,
            flux(&[Violation::Evidence.into(), Remark::ChangeInFlux.into()]),
            flux(&[Violation::Evidence.into()]),
            "nothing more is to know of the meeting",
        ),
        (
            Field::Violated,
            flux(&[Violation::Evidence.into(), Violation::Window.into()]),
            flux(&[Violation::Evidence.into()]),
            "the meeting breaks fewer rules",
        ),
        (
            Field::Violated,
            flux(&[Violation::Evidence.into()]),
            flux(&[Violation::Evidence.into(), Violation::Window.into()]),
            "the meeting breaks another rule",
        ),
        (Field::Cutover, None, Some(Value::Interval(notices::place_elsewhere(true).slot)), "cutover changed"),
        (
            Field::ConflictProposed(role.clone()),
            None,
            text("so-a@example.com"),
            "conflict with the proposal reported by the service owner",
        ),
        (
            Field::ConflictProposed(role),
            text("so-a@example.com"),
            None,
            "no conflict with a proposal any more of the service owner",
        ),
    ] {
        let changes = vec![notices::moved(), notices::change(field, was, now)];
        let notice = Notice { changes, repeated: [Field::Slot].into(), ..request.clone() };
        let content = mail::content(&notice, &letterhead);
        assert!(
            content.subject.as_str().contains(&format!("For your decision: {subject}; Tue 3 Nov, 16:30 CET proposed ")),
            "{}",
            content.subject
        );
        assert!(content.standing.contains("A proposal still waits for you; it is not final."), "{}", content.standing);
        assert_eq!(content.changes[1].what, "Time", "{subject}");
        let first = mail::content(&Notice { repeated: BTreeSet::new(), ..notice }, &letterhead);
        assert!(first.subject.as_str().contains("16:30 CET proposed"), "{}", first.subject);
        assert!(first.standing.contains("A proposal waits for you"), "{}", first.standing);
    }
}

/// What an earlier proposal said never counted, and nobody reads that the meeting was there.
#[test]
fn what_an_earlier_proposal_said_is_told_as_proposed() {
    for name in ["tentative_change", "withdrawn"] {
        let (notice, letterhead) = notices::named(name);
        let notice = Notice { changes: vec![notices::moved()], proposed_before: [Field::Slot].into(), ..notice };
        let content = mail::content(&notice, &letterhead);
        assert!(content.changes[0].was.starts_with("proposed Tue 3 Nov 2026"), "{name}: {:?}", content.changes);
        let headline = content.headline.expect("a second line");
        assert!(headline.starts_with("Time: was proposed Tue 3 Nov 2026"), "{name}: {headline}");
        let counted = mail::content(&Notice { proposed_before: BTreeSet::new(), ..notice }, &letterhead);
        assert!(counted.changes[0].was.starts_with("Tue 3 Nov 2026"), "{name}: {:?}", counted.changes);
    }
}

/// Whoever decides and owes an answer too reads of both, since the mail has the link of one.
#[test]
fn an_answer_that_is_owed_beside_a_decision_is_named() {
    let (request, letterhead) = notices::named("adoption_request");
    let said = |answer_due| {
        let content = mail::content(&Notice { answer_due, ..request.clone() }, &letterhead);
        let row = content.changes.iter().find(|line| line.what == "To do").expect("what to do").now.clone();
        (content.todo.expect("what to do").text, row)
    };
    let (todo, row) = said(Some(common::at("11:10:00")));
    assert_eq!(
        todo,
        "Adopt the proposal, or decline it. Your answer to the meeting of Tue 3 Nov 2026, 16:00–17:00 CET (15:00–16:00 UTC) \
         is still due Tue 3 Nov 2026, 12:10 CET (11:10 UTC): its link is in the mail that asked you for it."
    );
    assert!(row.ends_with(", and still answer by Tue 3 Nov 2026, 12:10 CET (11:10 UTC)"), "{row}");
    let (todo, _) = said(Some(common::at("09:00:00")));
    assert!(todo.contains(" was due Tue 3 Nov 2026, 10:00 CET"), "{todo}");
    let (todo, row) = said(None);
    assert_eq!(todo, "Adopt the proposal, or decline it.");
    assert!(!row.contains("answer"), "{row}");
}

/// A conflict moves nothing, and whoever is told of one is told that.
#[test]
fn a_conflict_is_told_with_what_follows_from_it() {
    let (notice, letterhead) = notices::named("authoritative_update_conflict");
    let todo = mail::content(&notice, &letterhead).todo.expect("what to do");
    assert!(todo.text.starts_with("Nothing moves by this: "), "{}", todo.text);
    let (settled, letterhead) = notices::named("released");
    let todo = mail::content(&settled, &letterhead).todo.expect("what to do");
    assert!(todo.text.starts_with("You need do nothing"), "{}", todo.text);
}

/// A hold and its meeting may have the same hour: nobody reads that the meeting is off, or that one goes on that is.
#[test]
fn the_end_of_a_hold_says_which_meeting_counts() {
    let (notice, letterhead) = notices::named("hold_ended");
    let first = mail::content(&notice, &letterhead).standing;
    let counts =
        "nothing else changes for you: the meeting of Tue 3 Nov 2026, 10:30–11:30 EST (15:30–16:30 UTC) is the one";
    assert!(first.contains(counts), "{first}");
    let over = Notice { standing: ReviewStanding::Cancelled, ..notice };
    let first = mail::content(&over, &letterhead).standing;
    assert!(first.ends_with("; nothing else changes for you."), "{first}");
}

/// Whoever may be released after another proposal has their present seat again. That seat is final, and the release is not.
#[test]
fn the_seat_that_counts_is_final_and_a_release_that_is_proposed_is_not() {
    let (notice, letterhead) = notices::named("tentative_change_may_be_released");
    let seating = |seating| Some(Value::Seating(seating));
    let standing = notices::change(Field::Standing, seating(Seating::Tentative), seating(Seating::Authoritative));
    let changes = notice.changes.iter().cloned().chain([standing]).collect();
    let content = mail::content(&Notice { changes, ..notice }, &letterhead);
    assert_eq!(content.changes[1].now, "final, as in the meeting that counts", "{:?}", content.changes);
    let (notice, letterhead) = notices::named("tentative_change");
    let content = mail::content(&notice, &letterhead);
    let row = content.changes.iter().find(|row| row.what == "Status").expect("the status");
    assert_eq!(row.now, "proposed, not final");
}
