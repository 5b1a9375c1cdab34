//! Does what is said hold? First lines, second lines, remedies, choices and promises, in every mail and page.

mod common;
#[path = "common/pages.rs"]
mod pages;

use presentation::mail;
use refresh_core::record::{
    delta::{Field, Value},
    exception::{Exception, Reason},
    mark::{Mark, Remark, Violation},
    notice::{Notice, NoticeKind, ReviewStanding},
    view::Attendance,
};

use common::notices;

/// Whatever is told, and whether or not the marks have changed: who reads which meeting counts reads what that meeting breaks.
#[test]
fn every_mail_that_says_which_meeting_counts_names_its_marks() {
    let marks = [Violation::Evidence, Violation::Busy(common::person("sec-a"))].map(Mark::from);
    let remark = Mark::Remark(Remark::Unproven(common::person("so-a")));
    let mut said = 0;
    for (name, notice, letterhead) in notices::all() {
        for (kind, standing) in NoticeKind::ALL.into_iter().flat_map(|kind| STANDINGS.map(|standing| (kind, standing)))
        {
            let violated = marks.iter().cloned().chain([remark.clone()]).collect();
            let notice = Notice { kind, standing, violated, ..notice.clone() };
            let first = mail::content(&notice, &letterhead).standing;
            let of = format!("{name} as {} while {standing:?}: {first}", kind.word());
            if !first.contains("is the one that counts") {
                continue;
            }
            said += 1;
            let broken =
                "is the one that counts, although it breaks rules (required evidence is not ready before it starts; ";
            assert!(first.contains(broken) && first.contains(" busy then)."), "{of}");
            let clean = Notice { violated: vec![remark.clone()], ..notice };
            let first = mail::content(&clean, &letterhead).standing;
            assert!(first.contains("is the one that counts.") && !first.contains("although"), "{of}");
        }
    }
    assert!(said > 1000, "found {said} mails that say which meeting counts");
}

/// While a proposal waits or an exception is open, every mail says which meeting counts; beside it, the end of a hold and a
/// release are final.
#[test]
fn every_mail_says_which_meeting_counts_while_something_is_open() {
    use ReviewStanding::{ExceptionOpen, ProposalAndException, ProposalPending};
    for (name, notice, letterhead) in notices::all() {
        for kind in NoticeKind::ALL {
            let released =
                notice.changes.iter().any(|change| change.now == Some(Value::Attendance(Attendance::Released)));
            if matches!(kind, NoticeKind::HoldEnded | NoticeKind::Released) || kind == NoticeKind::Resent && released {
                continue;
            }
            for standing in [ProposalPending, ExceptionOpen, ProposalAndException] {
                let first = mail::content(&Notice { kind, standing, ..notice.clone() }, &letterhead).standing;
                assert!(first.contains("is the one that counts"), "{name} as {}: {first}", kind.word());
                let final_of_a_proposal = first.contains("This is final") && standing != ExceptionOpen;
                assert!(!final_of_a_proposal, "{name} as {} while {standing:?}: {first}", kind.word());
            }
        }
    }
}

/// "Now" alone sends people to a time that nobody has adopted: in the second line, and in the list of changes.
#[test]
fn what_is_proposed_is_called_proposed() {
    let mut found = 0;
    for (name, notice, letterhead) in notices::all() {
        let pending = matches!(notice.standing, ReviewStanding::ProposalPending | ReviewStanding::ProposalAndException);
        let content = mail::content(&notice, &letterhead);
        for change in content.changes.iter().filter(|change| change.what == "Time") {
            let moved = notice.changes.iter().any(|change| match (&change.field, &change.now) {
                (Field::Slot, Some(Value::Interval(slot))) => notice.authoritative_slot != Some(*slot),
                _ => false,
            });
            assert_eq!(change.now.starts_with("proposed "), pending && moved, "{name}: {}", change.now);
            found += usize::from(pending && moved);
        }
    }
    assert!(found >= 6, "found {found} mails of a time that is proposed");
}

/// A mail that asks for a decision speaks of what is to be decided, whatever else is news; once the reader knows that, of the
/// news. A conflict that somebody reports is graver than an exception with one reason less.
#[test]
fn what_matters_most_comes_first() {
    for (name, subject, second) in [
        ("adoption_request", "For your decision: Tue 3 Nov, 16:30 CET proposed", "Time: was "),
        (
            "adoption_request_anew",
            "For your decision: you stay expected; Tue 3 Nov, 16:30 CET proposed",
            "Your attendance: was still expected, with your release proposed; now expected.",
        ),
        ("reminder_decide", "Reminder – For your decision: a proposal waits", "Time: was "),
        (
            "escalation_conflict",
            "For information: conflict reported by the service owner",
            "Conflict with the present meeting, service owner: was nobody; now ",
        ),
        (
            "escalation_unanswered",
            "For information: answers are missing",
            "Exceptions: was none; now answers are missing",
        ),
        (
            "escalation_alternate_owner",
            "For information: the policy is incomplete",
            "Exceptions: was none; now the policy is incomplete",
        ),
        (
            "released_cancelled_owner",
            "For information: review cancelled",
            "The review: was proposed for cancellation; now cancelled.",
        ),
    ] {
        let (notice, letterhead) = notices::named(name);
        let content = mail::content(&notice, &letterhead);
        assert!(content.subject.as_str().starts_with(subject), "{name}: {}", content.subject);
        let headline = content.headline.expect("a second line");
        assert!(headline.starts_with(second), "{name}: {headline}");
        assert!(headline.starts_with(&format!("{}: ", content.changes[0].what)), "{name}: {headline}");
    }
}

/// What an exception asks for must be possible: nothing is asked again, proposed or named once the review has started, and
/// no waiver is spoken of where none helps.
#[test]
fn a_remedy_promises_nothing_that_is_refused() {
    let (notice, letterhead) = notices::named("escalation");
    let said = |reasons: &[Reason], standing| {
        let kind = reasons[0].kind();
        let exceptions = vec![Exception { kind, reasons: reasons.to_vec(), ..notice.exceptions[0].clone() }];
        let notice = Notice { exceptions, standing, ..notice.clone() };
        let content = mail::content(&notice, &letterhead);
        (content.exceptions[0].remedy, content.todo.expect("what to do").text)
    };
    let slot = common::slot("15:30:00", "16:30:00");
    let (open, started) = (ReviewStanding::ExceptionOpen, ReviewStanding::Started);
    for (reasons, expected) in [
        (vec![Reason::Expired(slot)], "can ask for the proposal again"),
        (vec![Reason::NoCommonSlot], "More than one rule"),
        (notice.exceptions[0].reasons.clone(), "Each line names one rule"),
        (vec![Reason::AlternateOwner], "A proposal waits, and nobody may decide it"),
        (vec![Reason::AlternateOwner, Reason::Owner], "Nothing is proposed until"),
        (vec![Reason::FreezeEdge], "By decision the present meeting stays"),
        (vec![Reason::TooManyProposals], "Nothing is proposed until the facts have been quiet"),
    ] {
        let (remedy, todo) = said(&reasons, open);
        assert!(remedy.contains(expected), "{reasons:?}: {remedy}");
        assert!(todo.contains("the exception is explained below"), "{reasons:?}: {todo}");
        let (remedy, todo) = said(&reasons, started);
        assert!(remedy.ends_with("Nothing is decided on the exception any more."), "{reasons:?}: {remedy}");
        assert_eq!(todo, "You need do nothing.", "{reasons:?}");
    }
}

const STANDINGS: [ReviewStanding; 7] = [
    ReviewStanding::Settled,
    ReviewStanding::ProposalPending,
    ReviewStanding::ExceptionOpen,
    ReviewStanding::ProposalAndException,
    ReviewStanding::Started,
    ReviewStanding::Closed,
    ReviewStanding::Cancelled,
];

/// The picture is cut at its edges. The words are not: who is busy, or not known, longer than the picture shows, is said to
/// be until when.
#[test]
fn the_words_of_the_timeline_end_where_the_time_does() {
    use refresh_core::{
        Interval,
        facts::fact::{Body, Busy, EntryOf},
    };
    let owner = common::person("rm-a");
    let busy = |from: &str, to: refresh_core::Instant, horizon: (i64, i64)| {
        let mut fact = common::calendar("sec-a", 2, &[(from, "23:00:00")]);
        if let Body::Availability(known) = &mut fact.body {
            known.unknown.clear();
            known.busy = known.busy.iter().map(|entry| Busy { end: to, own: EntryOf::Unsaid, ..entry }).collect();
            let midnight = common::at("00:00:00");
            let (start, end) = (midnight.plus_minutes(horizon.0 * 60), midnight.plus_minutes(horizon.1 * 60));
            known.horizon = Interval::new(start, end).expect("an interval");
        }
        pages::to_decide(&common::World::issued().learn("08:55:00", fact), &owner).body
    };
    for (from, to, horizon, words, unknown) in [
        ("09:30:00", common::at("17:30:00"), (0, 48), "10:30–18:30", "until 01:00, from Thu 5 Nov, 01:00 CET on"),
        ("15:30:00", common::at("15:30:00").plus_minutes(24 * 60), (0, 48), "16:30 – Wed 4 Nov, 16:30 CET", ""),
        ("15:00:00", common::at("15:30:00"), (13, 17), "16:00–16:30", "until 14:00, from 18:00 on"),
    ] {
        let body = busy(from, to, horizon);
        assert!(body.contains(&format!("<td data-head=\"Busy\">{words}</td>")), "{words}: {body}");
        let row = body.split(&format!("{words}</td>")).nth(1).and_then(|rest| rest.split("</tr>").next());
        let row = row.unwrap_or_default();
        assert!(horizon == (0, 48) || row.contains(&format!(">{unknown}</td>")), "{words}: {row}");
    }
    let unknown = pages::to_decide(&common::World::proposed().without_calendars(), &owner).body;
    assert!(unknown.contains("<td data-head=\"Not known\">at any time</td>"), "{unknown}");
}

/// Adopting is explained by what it changes, and declining by what it leaves out.
#[test]
fn the_choices_say_what_follows_from_them() {
    let owner = common::person("rm-a");
    let (late, busy) = (common::evidence(2, Some("15:30:00")), &[("14:30:00", "16:00:00")]);
    let substituted = common::World::issued().learn("08:55:00", common::calendar("sec-a", 2, busy));
    let moved = common::World::issued().learn("08:55:00", late);
    let mut near = common::World::issued();
    near.deployment.defaults.freeze_edge_minutes = 30;
    let at_the_edge = near.learn("08:55:00", common::freeze(2, "16:00:00", "16:30:00"));
    let cancelled = common::World::issued().learn("08:55:00", common::cancelled());
    let swap =
        "The security reviewer is Seán Ó Briain (sec-b@example.com), in place of Aiko Tanaka (sec-a@example.com).";
    let stays = "The meeting stays Tue 3 Nov 2026, 16:00–17:00 CET (15:00–16:00 UTC).";
    let present = "Until the next adoption nothing is proposed for the present time.";
    for (world, said, unsaid) in [
        (&substituted, vec![stays, swap, present], vec!["from now on, for everybody"]),
        (
            &moved,
            vec!["16:30–17:30 CET (15:30–16:30 UTC) from now on, for everybody.", "The proposed time is left out"],
            vec![swap],
        ),
        (&at_the_edge, vec![stays, "The edge of the freeze is accepted.", present], vec![swap]),
        (
            &cancelled,
            vec!["The review is cancelled and everybody is released."],
            vec!["choice-decline_other_slot", "left out"],
        ),
    ] {
        let body = pages::to_decide(world, &owner).body;
        let form = body.split("id=\"decision\"").nth(1).unwrap_or_else(|| panic!("no form: {said:?}"));
        for said in said {
            assert!(form.contains(said), "{said}: {form}");
        }
        for unsaid in unsaid {
            assert!(!form.contains(unsaid), "{unsaid}: {form}");
        }
    }
}

/// An answer is kept with slot, role and standing. The page promises no more; and who sees the whole review reads what the
/// meeting breaks.
#[test]
fn the_reply_page_promises_what_holds() {
    let pages: std::collections::BTreeMap<_, _> = pages::acknowledgements().into_iter().collect();
    for (name, said) in [
        ("acknowledge_open", "as long as your time and your role stay the same, and your seat is final."),
        ("acknowledge_receipt", "as long as your time and your role stay the same, and your seat is final."),
        ("acknowledge_tentative", "Once the proposal is adopted, you are asked once more."),
        ("acknowledge_stale", "your time, your role or their standing (proposed or final) has changed."),
    ] {
        assert!(pages[name].body.contains(said), "{name}: {}", pages[name].body);
    }
    let broken = "is the one that counts, although it breaks rules (";
    let world = common::World::proposed();
    assert!(pages::to_answer(&world, "rm-a").body.contains(broken));
    assert!(!pages::to_answer(&world, "sre-a").body.contains("although"));
}
