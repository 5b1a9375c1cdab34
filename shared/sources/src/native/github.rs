//! GitHub's `workflow_run` and `check_suite` webhooks as evidence.
//!
//! GitHub numbers nothing for us, so the revision is made of what rises: a later run beats every re-run of an earlier
//! one, a later attempt every word of an earlier attempt, and within an attempt completed beats running. `time` and
//! arrival order nothing: deliveries overtake each other.

use refresh_core::Instant;

use super::{
    input::Input,
    run::{self, SeenRun, age_seconds},
};
use crate::reader::{Node, Object};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Requested,
    InProgress,
    Completed,
    Rerequested,
}

/// Why a run of the right repository counts for nothing.
const OF_A_FORK: &str = "a run of a fork, or an action that says nothing of readiness";
const SILENT: &str = "an action that says nothing of readiness";
const OF_A_RELEASE: &str = "a run of a release, which is of a tag and of no branch";
const OF_A_TAG: &str = "a run of a tag, which is of no branch";
const OF_THE_BASE: &str = "a run of the base branch's code in the name of a pull request (pull_request_target)";

pub fn workflow_run(input: &mut Input<'_>) -> Option<()> {
    if !right_event(input, "workflow_run")? {
        return Some(());
    }
    let hint = input.header("x-github-delivery");
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
        let finished = finished(&run, action.as_deref());
        let event = run.must("event", |node| node.text_owned());
        let updated = run.must("updated_at", |node| node.instant());
        let began = run.may("run_started_at", |node| node.instant());
        // A fork's branch may be called anything, `release/CHG1` included; of a fork that was deleted nothing is left
        // but a run without an origin.
        let origin = run.may("head_repository", full_name);
        let (repository, updated, phase) = (repository.clone()?, updated?, phase(action.as_deref()?));
        let why = match (phase, origin?, event?.as_str()) {
            (None, ..) => Some(OF_A_FORK),
            (_, origin, _) if origin.as_ref() != Some(&repository) => Some(OF_A_FORK),
            (.., "pull_request_target") => Some(OF_THE_BASE),
            // The name of its branch is the tag's, and a tag may be called like a branch.
            (.., "release") => Some(OF_A_RELEASE),
            _ => None,
        };
        let path = path?;
        // Some deliveries name the ref behind the file.
        let (file, reference) = path.split_once('@').map_or((path.as_str(), None), |(file, at)| (file, Some(at)));
        let of_a_tag = reference.is_some_and(|reference| reference.starts_with("refs/tags/"));
        let why = why.or_else(|| of_a_tag.then_some(OF_A_TAG));
        let (number, attempt) = (u64::try_from(number?).ok()?, u64::try_from(attempt?).ok()?);
        let seen = SeenRun {
            identity: vec![repository, file.to_owned()],
            branch: branch?,
            head_sha: Some(head_sha?),
            finished: finished?,
            revision: (number * 10_000 + attempt) * 10 + phase.map_or(0, |phase| phase as u64),
            began: began?.unwrap_or(updated),
            at: updated,
            hint,
        };
        Some((seen, why))
    });
    tell(input, seen?)
}

pub fn check_suite(input: &mut Input<'_>) -> Option<()> {
    if !right_event(input, "check_suite")? {
        return Some(());
    }
    let hint = input.header("x-github-delivery");
    let payload = input.payload.object()?;
    let action = payload.must("action", |node| node.text_owned());
    let repository = payload.must("repository", full_name);
    let seen = payload.must("check_suite", |node| {
        let suite = node.object()?;
        let app = suite.must("app", |node| node.object()?.must("slug", |node| node.text_owned()));
        let branch = suite.may("head_branch", |node| node.text_owned());
        let head_sha = suite.must("head_sha", |node| node.text_owned());
        let finished = finished(&suite, action.as_deref());
        // Where nothing was checked, nothing succeeded.
        let checks = suite.may("latest_check_runs_count", |node| node.whole(0..=i64::MAX));
        let finished = finished.zip(checks).map(|(finished, checks)| match finished {
            Some(_) if checks == Some(0) => Some(String::new()),
            finished => finished,
        });
        let created = suite.must("created_at", |node| node.instant());
        let updated = suite.must("updated_at", |node| node.instant());
        let foreign = suite.may("pull_requests", |node| node.list(1_000, is_foreign));
        let (created, updated, phase) = (created?, updated?, phase(action.as_deref()?));
        let why = match phase {
            None => Some(SILENT),
            Some(_) if foreign?.unwrap_or_default().contains(&true) => Some(OF_A_FORK),
            Some(_) => None,
        };
        let seen = SeenRun {
            identity: vec![repository.clone()?, app?],
            branch: branch?,
            head_sha: Some(head_sha?),
            finished: finished?,
            revision: suite_revision(created, updated, phase.unwrap_or(Phase::Requested)),
            began: updated,
            at: updated,
            hint,
        };
        Some((seen, why))
    });
    tell(input, seen?)
}

fn tell(input: &mut Input<'_>, (seen, why): (SeenRun<'_>, Option<&'static str>)) -> Option<()> {
    match why {
        None => run::emit(input, &seen),
        Some(why) => input.skip(why),
    }
    Some(())
}

/// The conclusion of what is completed, by the action and by the run's own status: where the two differ (a re-run's
/// data lag), it is not known how the run ended.
fn finished(run: &Object<'_>, action: Option<&str>) -> Option<Option<String>> {
    let conclusion = run.may("conclusion", |node| node.text_owned());
    let status = run.may("status", |node| node.text_owned());
    let (conclusion, status) = (conclusion?, status?);
    if action != Some("completed") {
        return Some(None);
    }
    let settled = status.is_some_and(|status| status == "completed");
    Some(Some(conclusion.filter(|_| settled).unwrap_or_default()))
}

/// Whether a pull request of the suite comes from another repository.
fn is_foreign(node: &Node<'_>) -> Option<bool> {
    let pull_request = node.object()?;
    let repository = |side: &str| {
        pull_request.may(side, |node| {
            node.object()?.may("repo", |node| node.object()?.may("id", |node| Some(node.value().clone())))
        })
    };
    let (head, base) = (repository("head")?.flatten().flatten(), repository("base")?.flatten().flatten());
    Some(head.is_none() || head != base)
}

/// A suite has no attempt number: the creation (a suite of a newer commit beats every re-run of an older one), then the
/// age, then the phase, for times are in whole seconds. 2026 is 1.8e9 seconds; the sum fits 64 bits until 2500.
fn suite_revision(created: Instant, updated: Instant, phase: Phase) -> u64 {
    let created_seconds = u64::try_from(created.millis() / 1_000).unwrap_or(0).min(17_000_000_000);
    created_seconds * 1_000_000_000 + age_seconds(created, updated).min(99_999_999) * 10 + phase as u64
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

/// Where the delivery says which event it is, it must be this one. `Some(false)`: a ping, which GitHub sends when a webhook
/// is made, and which was skipped.
fn right_event(input: &mut Input<'_>, event: &str) -> Option<bool> {
    match input.header("x-github-event") {
        Some("ping") => {
            input.skip("a ping of GitHub: the webhook is there, and nothing is told yet");
            Some(false)
        }
        Some(other) if other != event => input.wrong("header x-github-event", event, other),
        _ => Some(true),
    }
}

fn full_name(node: &Node<'_>) -> Option<String> {
    let object: Object<'_> = node.object()?;
    object.must("full_name", |node| node.text().map(str::to_ascii_lowercase))
}
