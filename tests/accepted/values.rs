//! Names that the contract accepts: chosen ones, and random ones out of the letters that something, somewhere, reads as
//! more than a letter.

use std::collections::BTreeMap;

use refresh_core::{
    ChangeId, Checkpoint, EventId, Person, ReviewId, Role, Service, Source,
    base::name::{LONGEST_NAME, acts},
};
use serde_json::Value;

/// What stands in a scenario in place of its plain names.
#[derive(Clone, Debug)]
pub struct Names {
    pub review: String,
    pub people: [String; 3],
    others: BTreeMap<String, String>,
}

const PEOPLE: [&str; 3] = ["rm-a@example.com", "sec-a@example.com", "sec-b@example.com"];
/// Whether the contract takes a text for an id of this kind.
type Takes = fn(&str) -> bool;

/// Ids by the reader that takes them.
const IDS: [(&str, Takes); 7] = [
    ("CHG1", |text| ChangeId::parse(text).is_ok()),
    ("identity-service", |text| Service::parse(text).is_ok()),
    ("integration-tests", |text| Checkpoint::parse(text).is_ok()),
    ("release_manager", |text| Role::parse(text).is_ok()),
    ("security_reviewer", |text| Role::parse(text).is_ok()),
    ("prod", |text| refresh_core::Calendar::parse(text).is_ok()),
    ("RR-7", |text| ReviewId::parse(text).is_ok()),
];
const SOURCES: [&str; 5] = ["change", "delegation", "availability", "evidence", "review"];
/// Free text: a title, the names of people, the name of a freeze, why a review was closed.
const TEXTS: [&str; 6] =
    ["Release readiness: identity-service 4.2", "name 0", "name 1", "name 2", "the freeze", "the review was held"];

/// Names that broke something once, or are known to break such things.
pub fn odd() -> Vec<&'static str> {
    vec![
        "RR 1042",
        "größe",
        "日本　レビュー",
        "مراجعة الإصدار",
        "👩🏽‍💻🚀",
        "e\u{301}\u{327}\u{20dd}",
        "RR-1-hold",
        "sha256-0123456789abcdef0123456789abcdef",
        "a;b,c:d\"e\\n\\\\N",
        "=?utf-8?B?UlI=?=",
        "?=a=?b?q?c",
        "</title><script>alert(1)</script>{{7*7}}",
        "../../etc/passwd",
        "%2e%2e%2f%00%",
        "#a#b/c?d=e&f",
        "-rf --help",
        "'; drop table x; --",
        "a\u{a0}b\u{2003}c\u{2028}d",
        "\u{200d}",
        "\u{fe0f}",
        "\u{301}",
        "mailto:a@b.c?bcc=d@e.f",
        "null",
        "__proto__",
        "123456789",
        "<a@example.com>, b@example.com",
        "--hp-mixed-0000",
        ".hidden",
        "\u{fffd}\u{1f1e9}\u{1f1ea}",
    ]
}

impl Names {
    pub fn plain() -> Self {
        Self { review: "RR-7".to_owned(), people: PEOPLE.map(str::to_owned), others: BTreeMap::new() }
    }

    /// The text for every name that takes it: ids as far as they need not differ, and what people read.
    pub fn of(text: &str) -> Self {
        let mut others: BTreeMap<String, String> =
            TEXTS.into_iter().map(|name| (name.to_owned(), text.to_owned())).collect();
        for (name, taken) in IDS {
            // Roles are two: what sets them apart stands at the end.
            let id = if name == "security_reviewer" { format!("{text}2") } else { text.to_owned() };
            assert!(taken(&id), "{id:?} is no name for {name}");
            others.insert(name.to_owned(), id);
        }
        for source in SOURCES {
            // A star is a pattern of the policy, and no source is registered by its name then.
            others
                .insert(format!("//{source}.example.com"), format!("//{source}.example.com/{}", text.replace('*', "")));
        }
        Self { review: text.to_owned(), people: PEOPLE.map(str::to_owned), others }
    }

    /// As long and as odd as they may be.
    pub fn random(seed: u64) -> Self {
        let mut dice = fastrand::Rng::with_seed(seed);
        let mut others = BTreeMap::new();
        for name in TEXTS {
            let text = draw(&mut dice, 200, |text| !text.trim().is_empty() && !text.chars().any(char::is_control));
            others.insert(name.to_owned(), text);
        }
        for (name, taken) in IDS {
            others
                .insert(name.to_owned(), draw(&mut dice, LONGEST_NAME, |text| taken(text) && !text.chars().any(acts)));
        }
        for source in SOURCES {
            let text = draw(&mut dice, 60, |text| Source::parse(text).is_ok() && !text.contains('*'));
            others.insert(format!("//{source}.example.com"), format!("//{source}/{text}"));
        }
        for number in 1..=10 {
            let id = draw(&mut dice, 90, |text| EventId::parse(text).is_ok());
            others.insert(format!("s{number}"), format!("{number}{id}"));
        }
        let people = [0, 1, 2].map(|number| format!("{}{number}@{}", local(&mut dice), domain(&mut dice)));
        for person in &people {
            assert!(Person::parse(person).is_ok(), "{person:?} is no address");
        }
        Self { review: others["RR-7"].clone(), people, others }
    }

    /// In every string of a document.
    pub fn replace(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                let person = PEOPLE.iter().position(|known| known == text).map(|at| &self.people[at]);
                if let Some(by) = person.or_else(|| self.others.get(text.as_str())) {
                    text.clone_from(by);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.replace(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.replace(member)),
            _ => {}
        }
    }
}

/// Letters that something reads as more than a letter, and some of every kind there is.
const LETTERS: &str = "aZ09 \u{a0}\u{3000}\u{2028}.-_~/\\%#?&=+@:;,'\"`<>()[]{}|^*!$éßØžΩжשלامरभाषा日本語ก็한글\u{301}\u{20dd}\u{200d}\u{200c}\u{fe0f}\u{fffd}🚀👩🏽𝔘𒀀\u{1f1e9}";

fn draw(dice: &mut fastrand::Rng, longest: usize, accepted: impl Fn(&str) -> bool) -> String {
    let letters: Vec<char> = LETTERS.chars().collect();
    loop {
        let length = if dice.u8(..4) == 0 { longest } else { dice.usize(1..=12.min(longest)) };
        let text: String = (0..length).map(|_| letters[dice.usize(..letters.len())]).collect();
        if accepted(&text) {
            return text;
        }
    }
}

fn local(dice: &mut fastrand::Rng) -> String {
    let letters: Vec<char> = "abzAZ09!#$%&'*+-/=?^_`{|}~.".chars().collect();
    loop {
        let length = dice.usize(1..=60);
        let text: String = (0..length).map(|_| letters[dice.usize(..letters.len())]).collect();
        if Person::parse(&format!("{text}0@example.com")).is_ok() {
            return text;
        }
    }
}

fn domain(dice: &mut fastrand::Rng) -> String {
    let label = |dice: &mut fastrand::Rng| "a1-B".repeat(dice.usize(1..=15)) + "x";
    let labels: Vec<String> = (0..dice.usize(1..=3)).map(|_| label(dice)).collect();
    let text = labels.join(".");
    if text.len() <= 180 { text } else { "example.com".to_owned() }
}
