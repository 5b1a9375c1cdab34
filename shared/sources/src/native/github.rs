//! GitHub's `workflow_run` and `check_suite` webhooks as evidence.
//!
//! GitHub numbers nothing for us, so the revision is made of what rises: a later run beats every re-run of an earlier
//! one, a later attempt every word of an earlier attempt, and within an attempt completed beats running. `time` and
//! arrival order nothing: deliveries overtake each other.

use refresh_core::{ChangeId, Instant};
use serde_json::json;

use super::{
    binding::{Binding, BoundChange, EvidenceBinding, Github, GithubEvidence},
    input::Input,
};
use crate::reader::{Node, Object};

/// How far the run is that the evidence comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// Wanted or under way: what was ready is no longer.
    Running,
    Ready,
    /// Finished, and not with a success.
    NotReady,
}

/// What a run says of a checkpoint.
pub struct Observed<'a> {
    /// What the star of the binding's pattern stands for.
    pub star: &'a str,
    /// The delivery or the event it came with.
    pub hint: Option<&'a str>,
    pub revision: u64,
    pub progress: Progress,
    pub began: Instant,
    pub at: Instant,
}

/// One evidence event of one binding.
pub fn emit_evidence(input: &mut Input<'_>, evidence: &EvidenceBinding, observed: &Observed<'_>) {
    let Observed { star, hint, revision, progress, began, at } = *observed;
    let change = match &evidence.change {
        BoundChange::Named(change) => change.clone(),
        BoundChange::Starred => match ChangeId::parse(star) {
            Ok(change) => change,
            Err(_) => return input.skip("the star of a binding's pattern stands for no change id here"),
        },
    };
    let expected = evidence.expected_minutes.map(|minutes| began.plus_minutes(minutes));
    let (status, ready_at) = match progress {
        Progress::Running => ("expected", expected),
        Progress::Ready => ("ready", Some(at)),
        Progress::NotReady => ("withdrawn", None),
    };
    let mut data = json!({
        "change_id": change.as_str(),
        "checkpoint": evidence.checkpoint.as_str(),
        "revision": revision,
        "status": status,
    });
    if let Some(ready_at) = ready_at {
        data["ready_at"] = json!(ready_at.to_string());
    }
    input.emit(&evidence.source, hint, "dev.holdpoint.evidence.updated.v1", data);
}

/// What both webhooks tell.
struct SeenDeployment {
    repository: String,
    name: String,
    branch: Option<String>,
    head_sha: String,
    conclusion: Option<String>,
    phase: Phase,
    revision: u64,
    began: Instant,
    updated: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Requested,
    InProgress,
    Completed,
    Rerequested,
}

pub fn workflow_run(input: &mut Input<'_>) -> Option<()> {
    right_event(input, "workflow_run")?;
    let payload = input.payload.object()?;
    let action = payload.must("action", |node| node.text_owned());
    let repository = payload.must("repository", full_name);
    let seen = payload.must("workflow_run", |node| {
        let run = node.object()?;
        let path = run.must("path", |node| node.text_owned());
        let number = run.must("run_number", |node| node.whole(1..=1_000_000_000));
        let attempt = run.must("run_attempt", |node| node.whole(1..=9_999));
        let branch = run.may("head_branch", |node| node.text_owned());
        let head_sha = run.must("head_sha", |node| node.text_owned());
        let conclusion = run.may("conclusion", |node| node.text_owned());
        let updated = run.must("updated_at", |node| node.instant());
        let began = run.may("run_started_at", |node| node.instant());
        let origin = run.may("head_repository", full_name);
        let (repository, updated) = (repository.clone()?, updated?);
        // A fork's branch may be called anything, `release/CHG1` included.
        let origin = origin?;
        let foreign = origin.is_some_and(|origin| origin != repository);
        let phase = phase(action.as_deref()?);
        let (number, attempt) = (u64::try_from(number?).ok()?, u64::try_from(attempt?).ok()?);
        let seen = SeenDeployment {
            repository,
            // Some deliveries name the ref behind the file.
            name: path?.split('@').next().unwrap_or_default().to_owned(),
            branch: branch?,
            head_sha: head_sha?,
            conclusion: conclusion?,
            phase: phase.unwrap_or(Phase::Requested),
            revision: (number * 10_000 + attempt) * 10 + phase.map_or(0, |phase| phase as u64),
            began: began?.unwrap_or(updated),
            updated,
        };
        Some((seen, phase.is_some() && !foreign))
    });
    let (seen, counts) = seen?;
    if counts {
        emit(input, &seen)
    } else {
        input.skip("a run of a fork, or an action that says nothing of readiness")
    }
    Some(())
}

pub fn check_suite(input: &mut Input<'_>) -> Option<()> {
    right_event(input, "check_suite")?;
    let payload = input.payload.object()?;
    let action = payload.must("action", |node| node.text_owned());
    let repository = payload.must("repository", full_name);
    let seen = payload.must("check_suite", |node| {
        let suite = node.object()?;
        let app = suite.must("app", |node| node.object()?.must("slug", |node| node.text_owned()));
        let branch = suite.may("head_branch", |node| node.text_owned());
        let head_sha = suite.must("head_sha", |node| node.text_owned());
        let conclusion = suite.may("conclusion", |node| node.text_owned());
        let created = suite.must("created_at", |node| node.instant());
        let updated = suite.must("updated_at", |node| node.instant());
        let (created, updated) = (created?, updated?);
        let phase = phase(action.as_deref()?);
        let seen = SeenDeployment {
            repository: repository.clone()?,
            name: app?,
            branch: branch?,
            head_sha: head_sha?,
            conclusion: conclusion?,
            phase: phase.unwrap_or(Phase::Requested),
            revision: suite_revision(created, updated, phase.unwrap_or(Phase::Requested)),
            began: updated,
            updated,
        };
        Some((seen, phase.is_some()))
    });
    let (seen, counts) = seen?;
    if counts {
        emit(input, &seen)
    } else {
        input.skip("an action that says nothing of readiness")
    }
    Some(())
}

/// A suite has no attempt number: the creation (a suite of a newer commit beats every re-run of an older one), then the
/// age, then the phase, for times are in whole seconds. 2026 is 1.8e9 seconds; the sum fits 64 bits until 2500.
fn suite_revision(created: Instant, updated: Instant, phase: Phase) -> u64 {
    let created_seconds = u64::try_from(created.millis() / 1_000).unwrap_or(0).min(17_000_000_000);
    let age_seconds = u64::try_from(updated.since(created) / 1_000).unwrap_or(0).min(99_999_999);
    created_seconds * 1_000_000_000 + age_seconds * 10 + phase as u64
}

fn phase(action: &str) -> Option<Phase> {
    match action {
        "requested" => Some(Phase::Requested),
        "in_progress" => Some(Phase::InProgress),
        "completed" => Some(Phase::Completed),
        "rerequested" => Some(Phase::Rerequested),
        _ => None,
    }
}

/// Where the delivery says which event it is, it must be this one.
fn right_event(input: &Input<'_>, event: &str) -> Option<()> {
    match input.header("x-github-event") {
        Some(other) if other != event => input.wrong("header x-github-event", event, other),
        _ => Some(()),
    }
}

fn full_name(node: &Node<'_>) -> Option<String> {
    let object: Object<'_> = node.object()?;
    object.must("full_name", |node| node.text().map(str::to_ascii_lowercase))
}

fn emit(input: &mut Input<'_>, seen: &SeenDeployment) {
    let mut bound = false;
    for binding in input.bindings() {
        let Binding::Github(github) = binding else { continue };
        let Some(star) = matched(github, seen) else { continue };
        bound = true;
        let progress = match (seen.phase, seen.conclusion.as_deref()) {
            (Phase::Completed, Some(conclusion)) if github.ready_on.contains(conclusion) => Progress::Ready,
            (Phase::Completed, _) => Progress::NotReady,
            _ => Progress::Running,
        };
        let observed = Observed {
            star,
            hint: input.header("x-github-delivery"),
            revision: seen.revision,
            progress,
            began: seen.began,
            at: seen.updated,
        };
        emit_evidence(input, &github.evidence, &observed);
    }
    if !bound {
        input.skip("a run that no binding names (repository, workflow or app, branch and commit must all fit)");
    }
}

fn matched<'s>(github: &Github, seen: &'s SeenDeployment) -> Option<&'s str> {
    let (GithubEvidence::Workflow(name) | GithubEvidence::App(name)) = &github.of;
    if github.repository != seen.repository || *name != seen.name {
        return None;
    }
    if github.head_sha.as_ref().is_some_and(|sha| !seen.head_sha.eq_ignore_ascii_case(sha)) {
        return None;
    }
    match &github.branch {
        None => Some(""),
        Some(pattern) => pattern.matched(seen.branch.as_deref()?),
    }
}
