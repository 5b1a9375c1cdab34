//! CDEvents 0.4 and 0.5: test suite runs, and pipeline runs where a suite tells nothing.
//!
//! The type is matched by subject and predicate; the type's own version decides the vocabulary of outcomes, which
//! changed between 0.2 and 0.3. What is no success word of that version is not ready.

use refresh_core::Instant;

use super::{
    binding::{Binding, CdEvents, CdRun},
    github::{Observed, Progress, emit_evidence},
    input::Input,
};
use crate::reader::{Node, Object};

struct Type {
    subject: String,
    predicate: String,
    /// Major and minor of the type's own version.
    version: (u32, u32),
}

/// `dev.cdevents.testsuiterun.finished.0.3.0`
fn type_of(name: &str) -> Option<Type> {
    let mut parts = name.strip_prefix("dev.cdevents.")?.splitn(3, '.');
    let (subject, predicate, version) = (parts.next()?, parts.next()?, parts.next()?);
    // Drafts are marked `0.3.0-draft`; they count by their numbers.
    let numbers: Vec<u32> = version.split('-').next()?.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    let [major, minor, _] = numbers[..] else { return None };
    Some(Type { subject: subject.to_owned(), predicate: predicate.to_owned(), version: (major, minor) })
}

impl Type {
    /// How far the run is, and how that orders within one instant.
    fn progress(&self, content: &Object<'_>) -> Option<(Progress, u64)> {
        match self.predicate.as_str() {
            "queued" => Some((Progress::Running, 0)),
            "started" => Some((Progress::Running, 1)),
            "finished" => {
                // `outcome` is optional on pipeline runs: absent is unknown, and unknown is not ready.
                let outcome = content.peek("outcome").and_then(serde_json::Value::as_str);
                let success = match (self.subject.as_str(), self.version) {
                    ("testsuiterun", (0, ..=2)) => "pass",
                    (_, (0, _)) => "success",
                    _ => return Some((Progress::NotReady, 2)),
                };
                Some((if outcome == Some(success) { Progress::Ready } else { Progress::NotReady }, 2))
            }
            _ => None,
        }
    }
}

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    let whole = input.payload.object()?;
    if whole.has("specversion") {
        let payload = input.payload;
        let object = payload.object()?;
        return object.must("data", |data| cdevent(input, data));
    }
    let payload = input.payload;
    cdevent(input, &payload)
}

fn cdevent(input: &mut Input<'_>, event: &Node<'_>) -> Option<()> {
    let event = event.object()?;
    let context = event.must("context", |context| {
        let context = context.object()?;
        // 0.4 calls it `version`.
        let member = if context.has("version") { "version" } else { "specversion" };
        let version = context.must(member, |node| match node.text()? {
            text if text.starts_with("0.4.") || text.starts_with("0.5.") => Some(()),
            _ => node.wrong("CDEvents 0.4 or 0.5"),
        });
        let name = context.must("type", |node| node.text_owned());
        let id = context.must("id", |node| node.text_owned());
        let source = context.must("source", |node| node.text_owned());
        let at = context.must("timestamp", |node| node.instant());
        version?;
        Some((name?, id?, source?, at?))
    });
    let (name, id, source, at) = context?;
    let Some(kind) = type_of(&name).filter(|kind| matches!(kind.subject.as_str(), "testsuiterun" | "pipelinerun"))
    else {
        input
            .skip("a CDEvent of a type that is evidence for nothing (a source-code change, a ticket, an incident ...)");
        return Some(());
    };
    event.must("subject", |subject| {
        subject.object()?.must("content", |content| {
            run(input, &kind, &PipelineRun { id: &id, source: &source, at }, &content.object()?);
            Some(())
        })
    })
}

struct PipelineRun<'a> {
    id: &'a str,
    source: &'a str,
    at: Instant,
}

fn run(input: &mut Input<'_>, kind: &Type, run: &PipelineRun<'_>, content: &Object<'_>) {
    let Some((progress, phase)) = kind.progress(content) else {
        return input.skip("a CDEvent with a predicate that says nothing of readiness");
    };
    let mut bound = false;
    for binding in input.bindings() {
        let Binding::CdEvents(binding) = binding else { continue };
        let Some(star) = matched(binding, kind, run, content) else { continue };
        bound = true;
        let revision = u64::try_from(run.at.millis()).unwrap_or(0) * 10 + phase;
        let observed = Observed { star, hint: Some(run.id), revision, progress, began: run.at, at: run.at };
        emit_evidence(input, &binding.evidence, &observed);
    }
    if !bound {
        input.skip("a run that no binding for cdevents names (source, name and environment must all fit)");
    }
}

fn matched<'c>(binding: &CdEvents, kind: &Type, run: &PipelineRun<'_>, content: &Object<'c>) -> Option<&'c str> {
    let id_of = |member: &str| content.peek(member).and_then(|value| value.get("id")).and_then(|id| id.as_str());
    if binding.evidence.source.as_str() != run.source {
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
