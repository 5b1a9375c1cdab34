//! CDEvents 0.3 to 0.5: test suite runs, and pipeline runs where a suite tells nothing.
//!
//! The type is matched by subject and predicate; the type's own version decides the vocabulary of outcomes, which
//! changed between 0.2 and 0.3. What is no success word of that version is not ready.

use base64::{Engine, engine::general_purpose::STANDARD};
use refresh_core::Instant;
use serde_json::Value;

use super::{
    binding::{CdEvents, CdRun, Says},
    input::{Input, says_something},
    run::{Observed, Progress, emit_evidence},
};
use crate::{
    json,
    reader::{Node, Object},
};

struct CdType {
    subject: String,
    predicate: String,
    /// Major and minor of the type's own version.
    version: (u32, u32),
}

/// `dev.cdevents.testsuiterun.finished.0.3.0`
fn type_of(name: &str) -> Option<CdType> {
    let mut parts = name.strip_prefix("dev.cdevents.")?.splitn(3, '.');
    let (subject, predicate, version) = (parts.next()?, parts.next()?, parts.next()?);
    // Drafts are marked `0.3.0-draft`; they count by their numbers.
    let numbers: Vec<u32> = version.split('-').next()?.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    let [major, minor, _] = numbers[..] else { return None };
    Some(CdType { subject: subject.to_owned(), predicate: predicate.to_owned(), version: (major, minor) })
}

impl CdType {
    /// How far the run is, and how that orders within one instant.
    fn progress(&self, content: &Object<'_>) -> Option<(Progress, u64)> {
        match self.predicate.as_str() {
            "queued" => Some((Progress::Running, 0)),
            "started" => Some((Progress::Running, 1)),
            "finished" => {
                // `outcome` is optional on pipeline runs: absent is unknown, and unknown is not ready.
                let outcome = content.peek("outcome").and_then(Value::as_str);
                // A success with errors contradicts itself.
                let outcome = outcome.filter(|_| !content.peek("errors").is_some_and(says_something));
                let success = match (self.subject.as_str(), self.version) {
                    ("testsuiterun", (0, 1..=2)) => "pass",
                    // No version after these was read by anybody here.
                    ("testsuiterun" | "pipelinerun", (0, 1..=3)) => "success",
                    _ => return Some((Progress::NotReady, 2)),
                };
                Some((if outcome == Some(success) { Progress::Ready } else { Progress::NotReady }, 2))
            }
            _ => None,
        }
    }
}

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    let payload = input.payload;
    let object = payload.object()?;
    if !object.has("specversion") {
        return cdevent(input, &payload, None);
    }
    if !object.has("data") && object.has("data_base64") {
        return object.must("data_base64", |node| packed(input, node, &object));
    }
    object.must("data", |data| cdevent(input, data, Some(&object)))
}

/// Whether a CloudEvent says something else of itself than the CDEvent in it. The binding of CDEvents to CloudEvents has
/// both say the same.
fn denies(envelope: &Object<'_>, event: &Value) -> bool {
    let said = [("type", "/context/type"), ("source", "/context/source"), ("subject", "/subject/id")];
    said.into_iter().any(|(name, pointer)| envelope.has(name) && envelope.peek(name) != event.pointer(pointer))
}

/// The event as bytes, as senders in binary mode leave it.
fn packed(input: &mut Input<'_>, node: &Node<'_>, envelope: &Object<'_>) -> Option<()> {
    let bytes = STANDARD.decode(node.text()?).ok();
    let Some(text) = bytes.and_then(|bytes| String::from_utf8(bytes).ok()) else {
        return node.wrong_as("Base64 of UTF-8 text", "something else");
    };
    match json::parse(&text, "$.data_base64") {
        Ok(value) => cdevent(input, &node.instead(&value), Some(envelope)),
        Err(fault) => node.wrong_as(format!("Base64 of {}", fault.expected), fault.found),
    }
}

/// `envelope`: the CloudEvent that the event came in.
fn cdevent(input: &mut Input<'_>, event: &Node<'_>, envelope: Option<&Object<'_>>) -> Option<()> {
    let denied = envelope.is_some_and(|envelope| denies(envelope, event.value()));
    let event = event.object()?;
    let name = event.must("context", |context| context.object()?.must("type", |node| node.text_owned()))?;
    // First what is evidence at all: an event of another type says nothing here, whatever its version.
    let Some(kind) = type_of(&name).filter(|kind| matches!(kind.subject.as_str(), "testsuiterun" | "pipelinerun"))
    else {
        input
            .skip("a CDEvent of a type that is evidence for nothing (a source-code change, a ticket, an incident ...)");
        return Some(());
    };
    let context = event.must("context", |context| context_of(&context.object()?));
    let subject = event.must("subject", |subject| {
        let subject = subject.object()?;
        let run = subject.must("id", |node| node.prose(400));
        subject.must("content", |content| content.object().map(|_| ()));
        run
    });
    let (id, source, at) = context?;
    let run = subject?;
    event.must("subject", |subject| {
        subject.object()?.must("content", |content| {
            tell(input, &kind, &SeenCdRun { id: &id, source: &source, at, run: &run, denied }, &content.object()?);
            Some(())
        })
    })
}

fn context_of(context: &Object<'_>) -> Option<(String, String, Instant)> {
    // Until 0.4 it is called `version`.
    let member = if context.has("version") { "version" } else { "specversion" };
    let version = context.must(member, |node| match node.text()? {
        text if ["0.3.", "0.4.", "0.5."].iter().any(|known| text.starts_with(known)) => Some(()),
        _ => node.wrong("CDEvents 0.3, 0.4 or 0.5 (0.6 is a draft)"),
    });
    let id = context.must("id", |node| node.text_owned());
    let source = context.must("source", |node| node.text_owned());
    let at = context.must("timestamp", |node| node.instant());
    version?;
    Some((id?, source?, at?))
}

struct SeenCdRun<'a> {
    id: &'a str,
    source: &'a str,
    at: Instant,
    /// The subject's id: runs of one suite may overlap, and their instants do not say which began first.
    run: &'a str,
    /// Whether the envelope says something else than the event: then no success is one.
    denied: bool,
}

fn tell(input: &mut Input<'_>, kind: &CdType, seen: &SeenCdRun<'_>, content: &Object<'_>) {
    let Some((progress, phase)) = kind.progress(content) else {
        return input.skip("a CDEvent with a predicate that says nothing of readiness");
    };
    let progress = if seen.denied && progress == Progress::Ready { Progress::NotReady } else { progress };
    let mut bound = false;
    for binding in input.bindings() {
        let Says::CdEvents(binding) = &binding.says else { continue };
        let Some(star) = matched(binding, kind, seen, content) else { continue };
        bound = true;
        let revision = u64::try_from(seen.at.millis()).unwrap_or(0) * 10 + phase;
        let (hint, run) = (Some(seen.id), Some(seen.run));
        let observed = Observed { star, hint, revision, progress, began: seen.at, at: seen.at, run };
        emit_evidence(input, &binding.evidence, &observed);
    }
    if !bound {
        input.unbound("a run that no binding for cdevents names (source, name and environment must all fit)");
    }
}

fn matched<'c>(binding: &CdEvents, kind: &CdType, seen: &SeenCdRun<'_>, content: &Object<'c>) -> Option<&'c str> {
    let id_of = |member: &str| content.peek(member).and_then(|value| value.get("id")).and_then(|id| id.as_str());
    if binding.evidence.source.as_str() != seen.source {
        return None;
    }
    let name = match &binding.run {
        CdRun::TestSuite { environment } if kind.subject == "testsuiterun" => {
            (id_of("environment") == Some(environment)).then(|| id_of("testSuite"))?
        }
        CdRun::Pipeline if kind.subject == "pipelinerun" => content.peek("pipelineName").and_then(|name| name.as_str()),
        _ => None,
    };
    binding.name.matched(name?)
}
