//! The reader of the `native` list. Unknown members are faults, and so are bindings whose revisions could not compare.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use refresh_core::{ChangeId, Checkpoint, Person, Source, facts::fact::ChangeState};
use serde_json::Value;

use super::{
    Binding, Bindings, BoundChange, CdEvents, CdRun, EvidenceBinding, Format, Github, GithubEvidence, Hook,
    NamedBinding, Oncall, Pattern, Poll, PollTarget, Proof, Servicenow,
};
use crate::reader::{Node, Object};

const MOST_BINDINGS: usize = 2_000;
const MOST_NAMES: usize = 10_000;
const LONGEST_TEXT: usize = 400;
/// A run that takes longer than a week is given no expected time.
const MOST_EXPECTED_MINUTES: i64 = 7 * 24 * 60;
/// Less often than daily is no watch over anything.
const MOST_POLL_MINUTES: i64 = 24 * 60;

/// Anything else is a mistake; what every binding may have is known.
fn only(object: &Object<'_>, members: &[&str]) {
    let common = ["name", "format", "source", "hook", "poll"];
    object.only(&[&common, members].concat());
}

/// Reads the list.
pub fn read(node: &Node<'_>) -> Option<Bindings> {
    let (single, names) = (RefCell::new(BTreeSet::new()), RefCell::new(BTreeSet::new()));
    let words = Format::ALL.map(|format| (format.word(), format));
    let bindings = node.list(MOST_BINDINGS, |item| {
        let object = item.object()?;
        let own_name = object.peek("format").and_then(Value::as_str) != Some("cdevents") || object.has("run");
        // Without `run`, the `name` of a CDEvents binding is the run's, as it was before bindings had names.
        let own = |node: &Node<'_>| {
            let name = binding_name(node)?;
            if names.borrow_mut().insert(name.clone()) {
                Some(name)
            } else {
                node.wrong("a name that no other binding has")
            }
        };
        let name = if own_name { object.may("name", own) } else { Some(None) };
        let named = matches!(name, Some(Some(_)));
        let format = object.must("format", |node| {
            let format = node.word(&words)?;
            // A body of these says nothing of where it is from: without a name, a second binding could never be told from the
            // first.
            if format.tells_its_origin() || named || single.borrow_mut().insert(format) {
                Some(format)
            } else {
                node.wrong("one binding of this format without a `name`")
            }
        });
        let hook = object.may("hook", |node| hook(node, named, format));
        let poll = object.may("poll", |node| poll_target(node, named));
        let binding = binding(&object, format?);
        Some(NamedBinding { name: name?, binding: binding?, hook: hook?, poll: poll? })
    })?;
    comparable(node, &bindings)?;
    Some(Bindings(bindings))
}

/// What stands in the address of a hook: no escape is needed there, and none is taken for another.
fn binding_name(node: &Node<'_>) -> Option<String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    match node.value().as_str() {
        Some(name) if (1..=60).contains(&name.len()) && name.chars().all(plain) => Some(name.to_owned()),
        _ => node.wrong("a name of 1 to 60 lower-case letters, digits, `-`, `_` and `.`"),
    }
}

fn secret_name(node: &Node<'_>) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match node.value().as_str() {
        Some(name) if (1..=60).contains(&name.len()) && name.chars().all(plain) => Some(name.to_owned()),
        // What was found is not said: somebody may have put the secret itself here.
        _ => node.wrong_as("the name of a secret: 1 to 60 letters, digits, `-`, `_` and `.`", "something else"),
    }
}

fn hook(node: &Node<'_>, named: bool, format: Option<Format>) -> Option<Hook> {
    let object = node.object()?;
    object.only(&["secret", "proof"]);
    let secret = object.must("secret", secret_name);
    let proof = object.may("proof", |node| node.word(&Proof::WORDS));
    if !named {
        return node.wrong_as("a `name` beside it, for the address of the hook", "none");
    }
    let usual = Proof::of_format(format?.word());
    Some(Hook { secret: secret?, proof: proof?.unwrap_or(usual) })
}

fn poll_target(node: &Node<'_>, named: bool) -> Option<PollTarget> {
    let object = node.object()?;
    object.only(&["url", "credential", "every_minutes"]);
    let url = object.must("url", |node| {
        let url = text(node)?;
        let host = url.strip_prefix("http://").map(|rest| rest.split(['/', ':', '?']).next().unwrap_or_default());
        let loopback = host.is_some_and(|host| matches!(host, "127.0.0.1" | "localhost"));
        if url.starts_with("https://") || loopback {
            Some(url)
        } else {
            node.wrong("an https:// address (http:// on loopback alone)")
        }
    });
    let credential = object.may("credential", secret_name);
    let every_minutes = object.must("every_minutes", |node| node.whole(1..=MOST_POLL_MINUTES));
    if !named {
        return node.wrong_as("a `name` beside it, under which the poller keeps what it knows", "none");
    }
    Some(PollTarget { url: url?, credential: credential?, every_minutes: every_minutes? })
}

/// Revisions compare only within one system: evidence of two formats for one checkpoint, under one source, would be
/// ordered by numbers that have nothing to do with each other. So would two bindings that name the same change.
fn comparable(node: &Node<'_>, bindings: &[NamedBinding]) -> Option<()> {
    for (index, one) in bindings.iter().enumerate() {
        for other in &bindings[..index] {
            let (one, other) = (&one.binding, &other.binding);
            let (Some(a), Some(b)) = (evidence_of(one), evidence_of(other)) else { continue };
            let same = a.source == b.source && a.checkpoint == b.checkpoint && a.change == b.change;
            if same && (one.format() != other.format() || a.change != BoundChange::Starred) {
                let expected = "one system for a source, change and checkpoint, since revisions of two do not compare";
                return node.wrong_as(expected, format!("checkpoint {} of {} twice", a.checkpoint, a.source));
            }
        }
    }
    Some(())
}

fn evidence_of(binding: &Binding) -> Option<&EvidenceBinding> {
    match binding {
        Binding::CdEvents(of) => Some(&of.evidence),
        Binding::Github(of) => Some(&of.evidence),
        _ => None,
    }
}

fn binding(object: &Object<'_>, format: Format) -> Option<Binding> {
    match format {
        Format::CdEvents => cdevents(object).map(Binding::CdEvents),
        Format::GithubWorkflowRun => github(object, "workflow", GithubEvidence::Workflow).map(Binding::Github),
        Format::GithubCheckSuite => github(object, "app", GithubEvidence::App).map(Binding::Github),
        Format::ServicenowChangeRequest => servicenow(object).map(Binding::Servicenow),
        Format::GraphGetSchedule => {
            only(object, &["people", "tentative", "revision_header"]);
            poll(object).map(|poll| Binding::Calendar(format, poll))
        }
        Format::GoogleFreeBusy => {
            only(object, &["people", "revision_header"]);
            poll(object).map(|poll| Binding::Calendar(format, poll))
        }
        Format::IcalVfreebusy => {
            only(object, &["people", "tentative"]);
            poll(object).map(|poll| Binding::Calendar(format, poll))
        }
        Format::PagerdutyOncalls => oncall(object).map(Binding::Oncall),
    }
}

fn text(node: &Node<'_>) -> Option<String> {
    node.prose(LONGEST_TEXT)
}

fn evidence(object: &Object<'_>, pattern: Option<&Pattern>) -> Option<EvidenceBinding> {
    let source = object.must("source", |node| node.parsed(Source::parse));
    let change = object.must("change_id", |node| match (node.text()?, pattern) {
        ("*", Some(Pattern { starred: true, .. })) => Some(BoundChange::Starred),
        ("*", _) => node.wrong("a change id (or a pattern that ends in a star, for `*` to stand for its match)"),
        _ => node.parsed(ChangeId::parse).map(BoundChange::Named),
    });
    let checkpoint = object.must("checkpoint", |node| node.parsed(Checkpoint::parse));
    let expected = object.may("expected_minutes", |node| node.whole(1..=MOST_EXPECTED_MINUTES));
    Some(EvidenceBinding { source: source?, change: change?, checkpoint: checkpoint?, expected_minutes: expected? })
}

fn pattern(node: &Node<'_>) -> Option<Pattern> {
    let text = text(node)?;
    let (before, starred) = match text.strip_suffix('*') {
        Some(before) => (before, true),
        None => (text.as_str(), false),
    };
    if before.contains('*') {
        return node.wrong("a name, or the beginning of one and a star");
    }
    Some(Pattern { before: before.to_owned(), starred })
}

fn cdevents(object: &Object<'_>) -> Option<CdEvents> {
    only(object, &["subject", "run", "environment", "change_id", "checkpoint", "expected_minutes"]);
    let name = object.must(if object.has("run") { "run" } else { "name" }, pattern);
    let evidence = evidence(object, name.as_ref());
    let suite = object.must("subject", |node| node.word(&[("testsuiterun", true), ("pipelinerun", false)]));
    let run = match suite? {
        true => object.must("environment", text).map(|environment| CdRun::TestSuite { environment }),
        false => {
            match object.may("environment", |node| node.wrong::<()>("nothing: a pipeline run names no environment")) {
                Some(None) => Some(CdRun::Pipeline),
                _ => None,
            }
        }
    };
    Some(CdEvents { evidence: evidence?, run: run?, name: name? })
}

fn github(object: &Object<'_>, member: &str, of: fn(String) -> GithubEvidence) -> Option<Github> {
    only(
        object,
        &["repository", member, "branch", "head_sha", "ready_on", "change_id", "checkpoint", "expected_minutes"],
    );
    let repository = object.must("repository", |node| {
        let name = text(node)?.to_ascii_lowercase();
        if name.split('/').filter(|part| !part.is_empty()).count() == 2 { Some(name) } else { node.wrong("owner/name") }
    });
    let named = object.must(member, text);
    let branch = object.may("branch", pattern);
    let head_sha = object.may("head_sha", |node| {
        let sha = text(node)?.to_ascii_lowercase();
        let good = matches!(sha.len(), 40 | 64) && sha.bytes().all(|byte| byte.is_ascii_hexdigit());
        if good { Some(sha) } else { node.wrong("a whole commit id of 40 or 64 hexadecimal digits") }
    });
    let ready_on = object.may("ready_on", |node| {
        let words = ["success", "neutral", "skipped"].map(|word| (word, word));
        let ready = node.set(words.len(), |item| item.word(&words))?;
        if ready.is_empty() { node.wrong("at least one conclusion") } else { Some(ready) }
    });
    let evidence = evidence(object, branch.as_ref().and_then(Option::as_ref));
    Some(Github {
        evidence: evidence?,
        repository: repository?,
        of: of(named?),
        branch: branch?,
        head_sha: head_sha?,
        ready_on: ready_on?.unwrap_or_else(|| BTreeSet::from(["success"])),
    })
}

fn servicenow(object: &Object<'_>) -> Option<Servicenow> {
    only(
        object,
        &[
            "review_opens",
            "review_closes",
            "cutover_starts",
            "cutover_ends",
            "owner",
            "owner_confirmed",
            "states",
            "people",
        ],
    );
    let states = [
        ("draft", ChangeState::Draft),
        ("approved", ChangeState::Approved),
        ("on_hold", ChangeState::OnHold),
        ("implementing", ChangeState::Implementing),
        ("closed", ChangeState::Closed),
        ("cancelled", ChangeState::Cancelled),
    ];
    let source = object.must("source", |node| node.parsed(Source::parse));
    let review_opens = object.must("review_opens", text);
    let review_closes = object.must("review_closes", text);
    let cutover_starts = object.must("cutover_starts", text);
    let cutover_ends = object.must("cutover_ends", text);
    let owner = object.may("owner", text);
    let owner_confirmed = object.may("owner_confirmed", text);
    let states =
        object.may("states", |node| node.object()?.each(|value, node| Some((value.to_owned(), node.word(&states)?))));
    let people = people(object);
    Some(Servicenow {
        source: source?,
        review_opens: review_opens?,
        review_closes: review_closes?,
        cutover_starts: cutover_starts?,
        cutover_ends: cutover_ends?,
        owner: owner?.unwrap_or_else(|| "assigned_to".to_owned()),
        owner_confirmed: owner_confirmed?,
        states: states?.unwrap_or_default().into_iter().collect(),
        people: people?,
    })
}

fn people(object: &Object<'_>) -> Option<BTreeMap<String, Person>> {
    let people = object.may("people", |node| {
        let people = node.object()?.each(|name, node| Some((name.to_owned(), node.parsed(Person::parse)?)))?;
        if people.len() > MOST_NAMES { node.wrong(format!("at most {MOST_NAMES} people")) } else { Some(people) }
    });
    Some(people?.unwrap_or_default().into_iter().collect())
}

fn poll(object: &Object<'_>) -> Option<Poll> {
    let source = object.must("source", |node| node.parsed(Source::parse));
    let people = people(object);
    let tentative = object.may("tentative", |node| node.word(&[("busy", true), ("free", false)]));
    let header = object.may("revision_header", text);
    Some(Poll {
        source: source?,
        people: people?,
        tentative_is_busy: tentative?.unwrap_or(true),
        revision_header: header?.map_or_else(|| "date".to_owned(), |name| name.to_ascii_lowercase()),
    })
}

fn oncall(object: &Object<'_>) -> Option<Oncall> {
    only(object, &["people", "revision_header", "levels", "escalation_policies"]);
    // A snapshot needs to know whom it is of: who has left the rota is in no entry of it.
    object.must("people", |node| node.object().map(|_| ()));
    let poll = poll(object);
    let levels = object.may("levels", |node| node.set(20, |item| item.whole(1..=100)));
    let policies = object.may("escalation_policies", |node| node.set(MOST_BINDINGS, text));
    Some(Oncall { poll: poll?, levels: levels?.unwrap_or_else(|| BTreeSet::from([1])), escalation_policies: policies? })
}
