//! Hostile names, titles, sources and notes: they can neither break nor add a header, a property, a recipient or a tag.

mod common;

use std::collections::BTreeMap;

use mail_parser::{MessageParser, PartType};
use presentation::{
    mail::{self, Letterhead},
    page::{
        AnswerTo, Form,
        adoption::{self, adoption},
        workspace::{self, workspace},
    },
    text::{CalParam, HeaderText, Line, Note, one_line},
};
use proptest::prelude::*;
use refresh_core::{
    Role, Source,
    record::{
        delta::{Difference, Field, Value},
        notice::Notice,
        packet::Standpoint,
    },
};

use common::{World, list_of, notices, person, review_id};

const HOSTILE: [&str; 14] = [
    "Eve\r\nBcc: eve@example.com",
    "Eve\nX-Evil: yes\n\nbody",
    "\"Eve\" <eve@example.com>, other@example.com",
    "<script>alert('x')</script>",
    "\"><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}{% include \"x\" %}",
    "</title></style><h1>",
    "=?utf-8?B?RXZl?=",
    "\u{202e}gnp.exe\u{202c}\u{2066}x\u{2069}\u{200f}\u{061c}",
    "👩🏽‍💻🚀 emoji ﷽ Ω̴̡",
    "a\u{0}b\u{7}c\u{1b}[31m\u{85}\u{2028}\u{2029}\u{feff}",
    "--hp-mixed-0000\r\nContent-Type: text/html\r\n\r\n<b>",
    "=0D=0ABcc: eve@example.com",
    "\t \u{a0}\u{3000} ",
];

fn long() -> String {
    "Ångström “x” ".repeat(800)
}

fn with_text(name: &str, text: &str) -> (Notice, Letterhead) {
    let (mut notice, mut letterhead) = notices::named(name);
    text.clone_into(&mut letterhead.title);
    text.clone_into(&mut letterhead.reader_name);
    letterhead.names = letterhead.names.keys().map(|who| (who.clone(), text.to_owned())).collect();
    if let Ok(role) = Role::parse(&one_line(text, 100)) {
        let was = Some(Value::Text(text.to_owned()));
        notice.changes.push(Difference {
            field: Field::Roster(role.clone()),
            was: was.clone(),
            now: was.clone(),
            required: None,
        });
        notice.changes.push(Difference { field: Field::Role, was: was.clone(), now: was, required: None });
    }
    if let Ok(id) = refresh_core::ReviewId::parse(one_line(text, 100).trim()) {
        letterhead.review = id;
    }
    if let Ok(source) = Source::parse(&one_line(text, 100)) {
        let known = notice.why.first().cloned().unwrap_or_else(notices::evidence_moved);
        notice.why.push(Standpoint { source, ..known });
    }
    (notice, letterhead)
}

/// The tags of a page in order, attributes' names included: what no text may add to.
fn tags(html: &str) -> Vec<String> {
    let inside = |tag: &str| {
        let mut names = Vec::new();
        let mut quoted = false;
        let mut name = String::new();
        for c in tag.chars() {
            match c {
                '"' => quoted = !quoted,
                _ if quoted => {}
                c if c.is_whitespace() => names.push(std::mem::take(&mut name)),
                c => name.push(c),
            }
        }
        names.push(name);
        names.join(" ")
    };
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let end = rest[start..].find('>').map_or(rest.len(), |end| start + end);
        tags.push(inside(&rest[start + 1..end]));
        rest = &rest[end.min(rest.len())..];
    }
    tags
}

fn attack(name: &str, text: &str) {
    let (notice, letterhead) = with_text(name, text);
    let letter = mail::compose(&notice, &letterhead).unwrap_or_else(|fault| panic!("{name} {text:?}: {fault:?}"));
    // Read without any parser: the header block has our names, each once, and no address but the two.
    let raw = std::str::from_utf8(&letter.bytes).expect("ASCII");
    let (head, _) = raw.split_once("\r\n\r\n").expect("a header block");
    let names: Vec<&str> = head
        .split("\r\n")
        .filter(|line| !line.starts_with([' ', '\t']))
        .filter_map(|line| line.split(':').next())
        .collect();
    let allowed = [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "MIME-Version",
        "Auto-Submitted",
        "X-Holdpoint-Review",
        "X-Holdpoint-Kind",
        "X-Holdpoint-Version",
        "X-Holdpoint-Trace",
        "Content-Type",
    ];
    assert_eq!(names, allowed, "{name} {text:?}");
    let message = MessageParser::default().parse(&letter.bytes).expect("a message");
    let to: Vec<_> = message.to().expect("to").iter().map(|to| to.address().unwrap_or_default().to_owned()).collect();
    assert_eq!(to, [notice.to.as_str()], "{name} {text:?}");
    assert!(message.cc().is_none() && message.bcc().is_none());

    // The same notice with harmless words has the same parts and the same tags.
    let (plain_notice, plain_letterhead) = with_text(name, "Harmless");
    let plain_notice =
        Notice { why: plain_notice.why[..notice.why.len().min(plain_notice.why.len())].to_vec(), ..plain_notice };
    let plain = mail::compose(&plain_notice, &plain_letterhead).expect("a harmless mail");
    let plain = MessageParser::default().parse(&plain.bytes).expect("a message").into_owned();
    assert_eq!(message.parts.len(), plain.parts.len(), "{name} {text:?}");
    let html = |message: &mail_parser::Message<'_>| {
        message.parts.iter().find_map(|part| match &part.body {
            PartType::Html(html) => Some(html.to_string()),
            _ => None,
        })
    };
    if notice.changes.len() == plain_notice.changes.len() && notice.why.len() == plain_notice.why.len() {
        let tags = |html: Option<String>| tags(&html.unwrap_or_default());
        assert_eq!(tags(html(&message)), tags(html(&plain)), "{name} {text:?}");
    }
    // One line each: no text opens a line of its own.
    let body = message.body_text(0).unwrap_or_default().into_owned();
    assert!(!body.contains("\nBcc:") && !body.contains("\nX-Evil:"), "{name} {text:?}");
    assert!(!body.contains(['\u{202e}', '\u{2066}', '\u{200f}', '\u{0}', '\u{1b}', '\u{2028}']), "{name} {text:?}");
}

#[test]
fn no_mail_can_be_bent() {
    let long = long();
    for (name, ..) in notices::all() {
        for text in HOSTILE.into_iter().chain([long.as_str()]) {
            attack(name, text);
        }
    }
}

#[test]
fn no_page_can_be_bent() {
    let owner = person("rm-a");
    let form = Form { action: "/adopt/TOKEN", seal: "SEAL", returned: None };
    let shown = |title: &str, note: Option<&str>| {
        let mut world = World::titled(title)
            .learn("08:55:00", common::calendar("sec-a", 2, &[("15:30:00", "17:30:00")]))
            .learn("09:00:00", common::evidence(2, Some("15:30:00")));
        world.review.head.answers.push(refresh_core::record::answer::Answer {
            person: person("sre-a"),
            row: refresh_core::base::digest::Digest::ZERO,
            reply: refresh_core::record::answer::Reply::Conflict,
            note: note.map(str::to_owned),
            at: world.now,
            stamped_at: None,
        });
        let page = adoption(&world.scene(&owner), &adoption::AdoptionState::Open(form), AnswerTo::Get, None);
        let terms = world.facts.terms(&review_id()).expect("terms");
        let entry = workspace::ListedReview { review: &world.review, terms, path: "/reviews/RR-1042" };
        let names = BTreeMap::from([(owner.clone(), title.to_owned())]);
        let list = workspace(&list_of(&[entry], &names, world.now), world.now);
        (tags(&page.body), tags(&list.body), page.body + &list.body)
    };
    let (plain_page, plain_list, _) = shown("Harmless", Some("Harmless"));
    let long = long();
    for text in HOSTILE.into_iter().chain([long.as_str()]) {
        let (page, list, body) = shown(text, Some(text));
        assert_eq!(page, plain_page, "{text:?}");
        assert_eq!(list, plain_list, "{text:?}");
        assert!(!body.contains(['\u{202e}', '\u{2066}', '\u{0}', '\u{1b}']), "{text:?}");
    }
}

#[test]
fn ten_thousand_characters_fill_no_page() {
    let long = "x".repeat(10_000);
    assert_eq!(Line::of(&long).as_str().chars().count(), 201);
    assert_eq!(HeaderText::of(&long).as_str().chars().count(), 201);
    assert_eq!(CalParam::of(&long).as_str().chars().count(), 65);
    assert_eq!(Note::of(&long).as_str().chars().count(), 1_001);
    assert!(Line::of(&long).as_str().ends_with('…'));
}

#[test]
fn letters_of_every_script_stay() {
    for name in ["Ærø Ñandú", "李小龍", "महेश", "Ω≈ç√∫", "صالح", "שלום", "👩🏽‍💻", "O’Neil-Smith, Jr."]
    {
        assert_eq!(Line::of(name).as_str(), name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_text_makes_a_sound_mail(text in any::<String>(), kind in 0_usize..17) {
        let all = notices::all();
        attack(all[kind % all.len()].0, &text);
    }

    #[test]
    fn a_line_is_one_line(text in any::<String>(), longest in 1_usize..300) {
        let line = one_line(&text, longest);
        prop_assert!(!line.chars().any(char::is_control));
        prop_assert!(line.chars().count() <= longest + 1);
        prop_assert_eq!(one_line(&line, longest + 1), line.clone(), "cleaning twice changes nothing");
        prop_assert_eq!(line.trim(), line.as_str());
    }
}
