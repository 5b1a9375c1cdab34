//! The list of reviews says what the core says is open: no more, no less, and "nothing open" only where nothing is.

mod common;

use std::collections::BTreeMap;

use presentation::page::workspace::{ListedReview, workspace};
use refresh_core::{
    Instant, Source,
    audience::open::Open,
    base::digest::Digest,
    record::{
        answer::{Answer, Duty, Reply},
        delivery::{Reachability, Undeliverable, Unreachable},
        exception::{Exception, ExceptionKind, Reason},
        mark::{Mark, Remark, Violation},
        review::{Head, Standing},
    },
};

use common::{World, at, list_of, person, review_id};

/// One way for a review to be open, and the tag that says so.
const WAYS: [&str; 7] = [
    "waits for a decision",
    "exception open",
    "breaks a rule",
    "conflict reported",
    "mail does not arrive",
    "a source is silent",
    "answers outstanding",
];

fn duty(name: &str) -> Duty {
    Duty {
        person: person(name),
        row: Digest::of("row", &name),
        told_at: at("09:00:00"),
        due_at: at("11:00:00"),
        reminded: 0,
        replied: None,
    }
}

fn answer(name: &str, reply: Reply) -> Answer {
    Answer {
        person: person(name),
        row: Digest::of("row", &name),
        reply,
        note: None,
        at: at("09:10:00"),
        stamped_at: None,
    }
}

fn unreachable(name: &str, reach: Reachability) -> Unreachable {
    Unreachable {
        person: person(name),
        why: Undeliverable::Bounced,
        mailed_at: at("09:00:00"),
        profile: None,
        terms: None,
        reach,
    }
}

/// A review that is open in these ways. What is settled is always in it: an answered duty, a remark, somebody who is
/// reached again.
fn world(ways: &[bool; 7]) -> World {
    let mut world = World::proposed();
    let head = &mut world.review.head;
    head.duties = vec![duty("so-a")];
    head.answers = vec![answer("so-a", Reply::Acknowledged)];
    head.today.violated = vec![Mark::Remark(Remark::Unproven(person("so-a")))];
    head.unreachable = vec![unreachable("so-a", Reachability::Resumed { since: at("09:20:00") })];
    head.exceptions.clear();
    let [proposal, exception, violated, conflict, undeliverable, silent, outstanding] = *ways;
    if !proposal {
        head.pending = None;
        world.review.pending = None;
    }
    if exception {
        let reasons = vec![Reason::NoCommonSlot];
        head.exceptions = vec![Exception {
            kind: ExceptionKind::NoViableSlot,
            opened_at: at("09:00:00"),
            waits_until: None,
            reasons,
        }];
    }
    if violated {
        head.today.violated.insert(0, Mark::Violation(Violation::Evidence));
    }
    if conflict {
        head.duties.push(duty("dbm-a"));
        head.answers.push(answer("dbm-a", Reply::Conflict));
    }
    if undeliverable {
        head.unreachable.push(unreachable("sec-a", Reachability::Withheld));
    }
    if silent {
        head.today.silent = vec![Source::parse("//calendar.example.com").expect("a source")];
    }
    if outstanding {
        head.duties.push(duty("sre-a"));
    }
    world
}

fn listed(world: &World, now: Instant) -> String {
    let terms = world.facts.terms(&review_id()).expect("terms");
    let entry = ListedReview { review: &world.review, terms, path: "/reviews/RR-1042" };
    workspace(&list_of(&[entry], &BTreeMap::new(), now), now).body
}

fn tags(world: &World, now: Instant) -> Vec<String> {
    let body = listed(world, now);
    let list = body.split("<ul class=\"tags\">").nth(1).and_then(|rest| rest.split("</ul>").next()).expect("tags");
    list.split("</li>")
        .filter_map(|item| item.split('>').next_back())
        .filter(|tag| !tag.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_way_of_being_open_is_told_and_nothing_else() {
    for combination in 0..128u8 {
        let ways: [bool; 7] = std::array::from_fn(|bit| combination >> bit & 1 == 1);
        let world = world(&ways);
        let now = at("10:00:00");
        let mut expected: Vec<&str> = WAYS.iter().zip(ways).filter(|(_, is)| *is).map(|(way, _)| *way).collect();
        if expected.is_empty() {
            expected.push("nothing open");
        }
        assert_eq!(tags(&world, now), expected, "{ways:?}");
        let open = Open::of(&world.review.head, now);
        assert_eq!(open.is_nothing(), combination == 0, "{ways:?}");
        let people = |count: bool| usize::from(count);
        assert_eq!(open.outstanding.len(), people(ways[6]), "an answered duty is not outstanding: {ways:?}");
        assert_eq!(open.conflicts.len(), people(ways[3]), "{ways:?}");
        assert_eq!(open.undeliverable.len(), people(ways[4]), "{ways:?}");
        assert_eq!(open.silent.len(), people(ways[5]), "{ways:?}");
        assert_eq!(listed(&world, now).contains("//calendar.example.com"), ways[5], "{ways:?}");
        assert_eq!(open.violated.len(), people(ways[2]), "a remark breaks no rule: {ways:?}");
    }
}

/// Once the meeting has started, or the review is closed, nobody decides or answers; what is escalated stays so.
#[test]
fn of_a_review_that_is_over_only_its_exceptions_are_left() {
    let started = at("15:00:00");
    let over = |change: fn(&mut Head)| {
        let mut world = world(&[true; 7]);
        change(&mut world.review.head);
        world
    };
    for (world, now) in [
        (over(|_| {}), started),
        (over(|head| head.standing = Standing::Started), at("10:00:00")),
        (over(|head| head.standing = Standing::Closed), at("10:00:00")),
        (over(|head| head.standing = Standing::Cancelled), at("10:00:00")),
    ] {
        assert_eq!(tags(&world, now), ["exception open"]);
    }
}
