//! The reader of `poll`: where a system is asked. What a question would lack for its answer to be understood is a fault at
//! start, not a dead letter every five minutes.

use std::{cell::RefCell, collections::BTreeMap};

use url::Url;

use super::{
    conditions,
    door::PollTarget,
    format::Format,
    member::secret_name,
    says::{Binding, Says},
    system::{self, AskedAs, CREDENTIAL, PLACEHOLDERS, Pages, System},
};
use crate::reader::{Node, parameter};

/// Less often than daily is no watch over anything.
const MOST_POLL_MINUTES: i64 = 24 * 60;
/// People whom one binding asks for. Each may be a question of its own, and each is known by a digest in one item.
const MOST_PEOPLE: usize = 500;
/// A query of a change system names its columns.
const LONGEST_URL: usize = 2_000;

/// Reads where the system of a binding is asked. `binding`: `None` where it has faults of its own.
pub fn target(node: &Node<'_>, named: bool, format: Option<Format>, binding: Option<&Binding>) -> Option<PollTarget> {
    let object = node.object()?;
    object.only(&["url", "credential", "every_minutes"]);
    let credential = object.may("credential", secret_name);
    let has_credential = matches!(credential, Some(Some(_)) | None);
    let urls = object.must("url", |node| {
        let system = system::of(format?)?;
        match system.asked {
            AskedAs::Tables(tables) => self::tables(node, tables, system, binding, has_credential),
            _ => Some(BTreeMap::from([("", url(node, format, system, binding, has_credential)?)])),
        }
    });
    let every_minutes = object.must("every_minutes", |node| node.whole(1..=MOST_POLL_MINUTES));
    if let Some(format) = format
        && system::of(format).is_none()
    {
        return node.wrong_as(format!("nothing: systems of {} are not asked, they post", format.word()), "a poll");
    }
    if !named {
        return node.wrong_as("a `name` beside it, under which the poller keeps what it knows", "none");
    }
    Some(PollTarget { urls: urls?, credential: credential?, every_minutes: every_minutes? })
}

fn tables(
    node: &Node<'_>,
    tables: &[&'static str],
    system: System,
    binding: Option<&Binding>,
    has_credential: bool,
) -> Option<BTreeMap<&'static str, String>> {
    let object = node.object()?;
    object.only(tables);
    // Every table is looked at before the first fault counts.
    let urls: Vec<_> = tables
        .iter()
        .map(|table| Some((*table, object.must(table, |node| url(node, None, system, binding, has_credential))?)))
        .collect();
    urls.into_iter().collect()
}

fn url(
    node: &Node<'_>,
    format: Option<Format>,
    system: System,
    binding: Option<&Binding>,
    has_credential: bool,
) -> Option<String> {
    let template = node.prose(LONGEST_URL)?;
    let plain = braces(&template).iter().fold(template.clone(), |text, brace| text.replace(brace.as_str(), "x"));
    let parsed = Url::parse(&plain).ok().filter(|url| url.has_host() && (url.scheme() == "https" || is_loopback(url)));
    // What was found is never quoted: a password may stand in it, or a token.
    let Some(parsed) = parsed else {
        return node.wrong_as("an https:// address (http:// on loopback alone)", "something else");
    };
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return node.wrong_as("no user in the address; `credential` names what proves who asks", "one");
    }
    let faults = RefCell::new(Vec::new());
    let expect = |good: bool, expected: String| {
        if !good {
            faults.borrow_mut().push(expected);
        }
    };
    for brace in braces(&template) {
        expect(
            PLACEHOLDERS.contains(&brace.as_str()),
            format!("none but the placeholders {}", PLACEHOLDERS.join(", ")),
        );
    }
    let host = template.split("://").nth(1).and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    expect(!host.contains('{'), "a host without a placeholder".to_owned());
    expect(!template.contains(CREDENTIAL) || has_credential, format!("a `credential` beside it, for {CREDENTIAL}"));
    let has = |placeholder: &str| template.contains(placeholder);
    let people = binding.map(Binding::names);
    let few = people.as_ref().is_none_or(|people| people.iter().flatten().count() <= MOST_PEOPLE);
    expect(few, format!("at most {MOST_PEOPLE} `people` in the binding; another binding asks for others"));
    match system.asked {
        AskedAs::EachPerson { or_once, .. } if has("{person}") || !or_once => {
            expect(has("{person}"), "{person}, in whose place each of the binding's `people` is asked for".to_owned());
            expect(
                people.is_none_or(|people| !people.is_empty()),
                "`people` in the binding, who are asked for".to_owned(),
            );
        }
        AskedAs::EachPerson { .. } => {
            let whose =
                binding.is_none_or(|binding| matches!(&binding.says, Says::Calendar(poll) if poll.person.is_some()));
            expect(whose, "{person}, or `person` in the binding, whose calendar it is".to_owned());
        }
        AskedAs::Batches(_) => {
            expect(
                people.is_none_or(|people| !people.is_empty()),
                "`people` in the binding, who are asked for".to_owned(),
            );
        }
        AskedAs::EachSchedule { .. } => {
            let expected = "{schedule}, in whose place each of the binding's `schedules` is asked for";
            expect(has("{schedule}"), expected.to_owned());
        }
        AskedAs::Once { .. } | AskedAs::Tables(_) => {}
    }
    let given: Vec<String> = parsed.query_pairs().map(|(name, _)| name.into_owned()).collect();
    for name in system.needs {
        expect(
            given.iter().any(|given| given == name),
            format!("the parameter {name}, without which no answer is understood"),
        );
    }
    let filters = format.map(system::filters).unwrap_or_default();
    for (name, _) in parsed
        .query_pairs()
        .filter(|(name, value)| filters.contains(&parameter(name).as_str()) && !matches!(&**value, "" | "false"))
    {
        expect(false, format!("no parameter {name}, which leaves something out of the answer"));
    }
    // Without its token a page looks like the whole.
    let tells = |fields: &str| fields.split([',', '(', ')', ' ']).any(|field| matches!(field, "*" | "nextPageToken"));
    let whole = parsed.query_pairs().filter(|(name, _)| name == "fields").all(|(_, fields)| tells(&fields));
    expect(whole || system.pages != Pages::PageToken, "nextPageToken among the fields".to_owned());
    for name in format.map(|format| conditions::on_states(format, &parsed)).unwrap_or_default() {
        expect(
            false,
            format!("no condition on {name}, by which a change that is withdrawn leaves the answer and stays approved"),
        );
    }
    let faults = faults.into_inner();
    if faults.is_empty() { Some(template) } else { node.wrong_as(faults.join(", and "), "another address") }
}

fn is_loopback(url: &Url) -> bool {
    url.scheme() == "http" && matches!(url.host_str(), Some("127.0.0.1" | "localhost"))
}

/// `{from}` and its like, each as it is written.
fn braces(template: &str) -> Vec<String> {
    let found = template.split('{').skip(1);
    found.filter_map(|after| Some(format!("{{{}}}", after.split_once('}')?.0))).collect()
}
