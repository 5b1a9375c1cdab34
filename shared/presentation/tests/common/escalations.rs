//! Notices of exceptions that open, change or close.

use presentation::mail::Letterhead;
use refresh_core::record::{
    delta::{Field, Value},
    exception::{Exception, ExceptionKind, Missing, Reason},
    mark::{Mark, Violation},
    notice::{Notice, NoticeKind as Kind, ReviewStanding as Standing},
    reason_word::ReasonWord,
    rule::SlotRule,
    view::{ExceptionLine, RuleLine, Seating},
};

use super::{
    at, letterhead,
    notices::{change, moved, notice, role, tentative, text},
    person, slot,
};

pub fn all() -> Vec<(&'static str, Notice, Letterhead)> {
    let mut mails = Vec::new();
    let broken: Vec<Mark> = vec![Violation::Evidence.into(), Violation::Busy(person("sec-a")).into()];
    let rules = |kind, rules: &[ReasonWord]| {
        let rules = rules.iter().map(|rule| RuleLine::new(*rule)).collect();
        Some(Value::Exceptions(vec![ExceptionLine { kind, rules }]))
    };
    let waiver = |rule, slot, missed| Reason::Waiver { rule, slot, missed_by_minutes: Some(missed) };
    let mut reasons = vec![
        waiver(SlotRule::Freeze, slot("19:30:00", "20:30:00"), 30),
        waiver(SlotRule::Evidence, slot("15:00:00", "16:00:00"), 270),
    ];
    reasons.push(Reason::Uncovered {
        role: role("security_reviewer"),
        slot: slot("19:30:00", "20:30:00"),
        gap: slot("19:30:00", "20:30:00"),
        last_cover: person("sec-a"),
    });
    let mut escalation = notice(
        "duty-manager",
        Kind::Escalation,
        Standing::ExceptionOpen,
        vec![change(
            Field::Exception,
            None,
            rules(ExceptionKind::NoViableSlot, &[ReasonWord::FreezeCrossing, ReasonWord::BeforeEvidence]),
        )],
    );
    escalation.exceptions =
        vec![Exception { kind: ExceptionKind::NoViableSlot, opened_at: at("09:00:00"), waits_until: None, reasons }];
    mails.push(("escalation", escalation.clone(), letterhead("duty-manager", true)));

    let mut held = escalation.clone();
    held.elsewhere = vec![super::notices::place_elsewhere(true)];
    mails.push(("escalation_other_review", held, letterhead("duty-manager", true)));

    let mut silent = notice(
        "rm-a",
        Kind::Escalation,
        Standing::ExceptionOpen,
        vec![change(Field::Exception, None, rules(ExceptionKind::SourceSilent, &[ReasonWord::Silent]))],
    );
    let source = refresh_core::Source::parse("//ci.example.com").expect("a source");
    let unheard = Some(refresh_core::facts::subject::Subject::Evidence(
        refresh_core::ChangeId::parse("CHG0030001").expect("an id"),
        refresh_core::Checkpoint::parse("integration-tests").expect("a name"),
    ));
    silent.why.clear();
    silent.exceptions = vec![Exception {
        kind: ExceptionKind::SourceSilent,
        opened_at: at("09:00:00"),
        waits_until: None,
        reasons: vec![Reason::Silent { source, unheard }],
    }];
    mails.push(("escalation_source_silent", silent, letterhead("rm-a", true)));

    let mut unanswered = notice(
        "rm-a",
        Kind::Escalation,
        Standing::ExceptionOpen,
        vec![change(
            Field::Exception,
            None,
            Some(Value::Exceptions(vec![ExceptionLine {
                kind: ExceptionKind::Unanswered,
                rules: vec![RuleLine { person: Some(person("dbm-a")), ..RuleLine::new(ReasonWord::Unanswered) }],
            }])),
        )],
    );
    unanswered.exceptions = vec![Exception {
        kind: ExceptionKind::Unanswered,
        opened_at: at("11:10:00"),
        waits_until: None,
        reasons: vec![Reason::Unanswered(Missing { person: person("dbm-a"), role: None })],
    }];
    unanswered.why.clear();
    mails.push(("escalation_unanswered", unanswered.clone(), letterhead("rm-a", true)));

    // One answer less is missing, since it came: as a conflict.
    let missing = |names: &[&str]| {
        let rule = |name: &&str| RuleLine { person: Some(person(name)), ..RuleLine::new(ReasonWord::Unanswered) };
        let rules = names.iter().map(rule).collect();
        Some(Value::Exceptions(vec![ExceptionLine { kind: ExceptionKind::Unanswered, rules }]))
    };
    unanswered.changes = vec![
        change(Field::Exception, missing(&["dbm-a", "so-a"]), missing(&["dbm-a"])),
        change(Field::Conflict(role("service_owner")), None, text("so-a@example.com")),
    ];
    mails.push(("escalation_conflict", unanswered.clone(), letterhead("rm-a", true)));

    let of = |kind, reasons: Vec<Reason>| {
        let words: Vec<ReasonWord> = reasons.iter().map(Reason::word).collect();
        (vec![Exception { kind, opened_at: at("09:02:00"), waits_until: None, reasons }], rules(kind, &words))
    };
    // The meeting stays at the edge of a freeze, and is overdue for somebody: both by decision.
    let stands = vec![Reason::StandsBy(Violation::Busy(person("sec-a"))), Reason::FreezeEdge];
    let (exceptions, told) = of(ExceptionKind::OwnerOverride, stands);
    let mut stand = notice(
        "rm-a",
        Kind::Escalation,
        Standing::ExceptionOpen,
        vec![
            change(
                Field::Standing,
                Some(Value::Seating(Seating::Tentative)),
                Some(Value::Seating(Seating::Authoritative)),
            ),
            change(Field::FreezeEdge, Some(Value::Flag(true)), Some(Value::Flag(false))),
            change(Field::Exception, Some(Value::Exceptions(Vec::new())), told),
        ],
    );
    (stand.exceptions, stand.violated) = (exceptions, vec![Violation::Busy(person("sec-a")).into()]);
    mails.push(("escalation_stand", stand, letterhead("rm-a", true)));

    let (exceptions, told) = of(ExceptionKind::Undecided, vec![Reason::Expired(slot("15:30:00", "16:30:00"))]);
    let none = Some(Value::Exceptions(Vec::new()));
    let mut started =
        notice("rm-a", Kind::Escalation, Standing::Started, vec![change(Field::Exception, none.clone(), told)]);
    (started.exceptions, started.violated) = (exceptions, broken.clone());
    mails.push(("escalation_started", started, letterhead("rm-a", true)));

    let (exceptions, told) = of(ExceptionKind::PolicyIncomplete, vec![Reason::AlternateOwner]);
    let mut nobody = notice(
        "rm-a",
        Kind::Escalation,
        Standing::ProposalAndException,
        vec![moved(), tentative(), change(Field::Exception, none, told)],
    );
    (nobody.exceptions, nobody.violated) = (exceptions, broken.clone());
    mails.push(("escalation_alternate_owner", nobody, letterhead("rm-a", true)));

    let closed = notice(
        "duty-manager",
        Kind::ExceptionClosed,
        Standing::Settled,
        vec![change(
            Field::Exception,
            rules(ExceptionKind::NoViableSlot, &[ReasonWord::FreezeCrossing]),
            Some(Value::Exceptions(Vec::new())),
        )],
    );
    mails.push(("exception_closed", closed, letterhead("duty-manager", false)));

    let left = notice(
        "duty-manager",
        Kind::AuthoritativeUpdate,
        Standing::ExceptionOpen,
        vec![change(Field::Exception, rules(ExceptionKind::NoViableSlot, &[ReasonWord::FreezeCrossing]), None)],
    );
    mails.push(("authoritative_update_left", left, letterhead("duty-manager", false)));
    mails
}
