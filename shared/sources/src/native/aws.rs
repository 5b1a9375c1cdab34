//! State-change events of AWS CodePipeline and CodeBuild, as EventBridge hands them over.

use chrono::NaiveDateTime;
use refresh_core::Instant;
use serde_json::Value;

use super::{
    binding::Format,
    input::Input,
    run::{self, SeenRun, revision_by_start},
};
use crate::{
    envelope,
    fault::Fault,
    reader::{Node, Object},
};

const PIPELINE: &str = "CodePipeline Pipeline Execution State Change";
/// Phases of one build; there are some twelve kinds.
const MOST_PHASES: usize = 100;
const BUILD: &str = "CodeBuild Build State Change";

/// Which format an event of the bus is: only AWS may put one of these sources there.
pub fn format_of(event: &Value) -> Option<Format> {
    match event.get("source").and_then(Value::as_str).filter(|_| envelope::is_of_aws(event))? {
        "aws.codepipeline" => Some(Format::AwsCodepipeline),
        _ => Some(Format::AwsCodebuild),
    }
}

/// What to say of an event of these services that came in a form from which something was taken away.
pub fn misfit(event: &Value) -> Option<Fault> {
    let has = |name: &str| event.get(name).is_some();
    let whole =
        "the whole event of an EventBridge rule (`detail-type`, `source`, `account`, `region`, `time`, `detail`)";
    if has("detailType") && has("detail") {
        let found =
            "a notification of a notification rule (`detailType`), which tells no start: use an EventBridge rule";
        return Some(Fault::new("$", whole, found));
    }
    let alone = has("execution-id") && has("pipeline") || has("build-status") && has("build-id");
    let found = "the event's `detail` alone: leave out the rule's input path and input transformer";
    alone.then(|| Fault::new("$", whole, found))
}

/// The parts of the envelope that count.
struct BusEvent<'a> {
    whole: Object<'a>,
    id: String,
    time: Instant,
}

/// `None` in the second place: an event of another detail type, which was skipped.
fn opened<'a>(input: &mut Input<'a>, detail_type: &str) -> Option<Option<BusEvent<'a>>> {
    let whole = input.payload.object()?;
    let kind = whole.must("detail-type", |node| node.text_owned());
    let id = whole.must("id", |node| node.text_owned());
    let time = whole.must("time", |node| node.instant());
    if kind? != detail_type {
        input.skip("an event of AWS that tells neither a pipeline's execution nor a build");
        return Some(None);
    }
    Some(Some(BusEvent { whole, id: id?, time: time? }))
}

pub fn codepipeline(input: &mut Input<'_>) -> Option<()> {
    let Some(event) = opened(input, PIPELINE)? else { return Some(()) };
    let account = event.whole.must("account", |node| node.text_owned());
    let region = event.whole.must("region", |node| node.text_owned());
    let seen = event.whole.must("detail", |node| {
        let detail = node.object()?;
        let pipeline = detail.must("pipeline", |node| node.text_owned());
        let state = detail.must("state", |node| node.text_owned());
        let began = detail.must("start-time", |node| node.instant());
        let trigger =
            detail.may("execution-trigger", |node| node.object()?.may("trigger-type", |node| node.text_owned()));
        let (state, began) = (state?, began?);
        let phase = match state.as_str() {
            "STARTED" => 0,
            "RESUMED" | "STOPPING" => 1,
            _ => 2,
        };
        let rolled_back = matches!(trigger?.flatten().as_deref(), Some("ManualRollback" | "AutomatedRollback"));
        let seen = SeenRun {
            identity: vec![format!("arn:aws:codepipeline:{}:{}:{}", region?, account?, pipeline?)],
            branch: Some(String::new()),
            head_sha: None,
            finished: (phase == 2).then_some(state),
            revision: revision_by_start(began, event.time, phase),
            began,
            at: event.time,
            hint: Some(&event.id),
        };
        Some((seen, rolled_back))
    });
    match seen? {
        (_, true) => input.skip("an execution that rolls back to an older revision"),
        (seen, false) => run::emit(input, &seen),
    }
    Some(())
}

pub fn codebuild(input: &mut Input<'_>) -> Option<()> {
    let Some(event) = opened(input, BUILD)? else { return Some(()) };
    let seen = event.whole.must("detail", |node| {
        let detail = node.object()?;
        let status = detail.must("build-status", |node| node.text_owned());
        let project = detail.must("build-id", project_of);
        let more = detail.must("additional-information", |node| {
            let more = node.object()?;
            let began = more.must("build-start-time", start_time);
            let version = more.may("source-version", |node| node.text_owned());
            let complete = more.may("build-complete", |node| node.flag());
            let failed = more.may("phases", |list| list.list(MOST_PHASES, has_failed));
            let failed = failed?.unwrap_or_default().contains(&true);
            Some((began?, version?, complete? != Some(false) && !failed))
        });
        let (status, (began, version, complete)) = (status?, more?);
        let phase = if status == "IN_PROGRESS" { 1 } else { 2 };
        Some(SeenRun {
            identity: vec![project?],
            branch: branch_of(version.as_deref().unwrap_or_default()),
            head_sha: None,
            // A build that says both that it succeeded and that it goes on, or that a phase of it failed, has not succeeded.
            finished: (phase == 2).then_some(if complete { status } else { String::new() }),
            revision: revision_by_start(began, event.time, phase),
            began,
            at: event.time,
            hint: Some(&event.id),
        })
    });
    run::emit(input, &seen?);
    Some(())
}

/// Whether a phase of a build has ended otherwise than well. The last phase has no status.
fn has_failed(node: &Node<'_>) -> Option<bool> {
    let status = node.object()?.may("phase-status", |node| node.text_owned())?;
    Some(status.is_some_and(|status| !matches!(status.as_str(), "" | "SUCCEEDED")))
}

/// `arn:aws:codebuild:REGION:ACCOUNT:build/NAME:UUID` is a build of `arn:aws:codebuild:REGION:ACCOUNT:project/NAME`.
fn project_of(node: &Node<'_>) -> Option<String> {
    let arn = node.text()?;
    let named = arn.rsplit_once(':').and_then(|(build, _)| build.split_once(":build/"));
    match named {
        Some((before, name)) => Some(format!("{before}:project/{name}")),
        None => node.wrong("a build's ARN like arn:aws:codebuild:eu-west-1:111122223333:build/NAME:UUID"),
    }
}

/// `refs/heads/NAME^{COMMIT}`. A pull request (`pr/7`) or any other reference may be a fork's, and a tag is of no branch:
/// `None`. A commit, an archive and a bare word name no branch, and no pattern fits them.
fn branch_of(version: &str) -> Option<String> {
    let name = run::branch_of(version).filter(|name| *name != version).unwrap_or_default();
    let lower = version.to_ascii_lowercase();
    let of_a_request = ["pr/", "mr/", "pull/", "merge-requests/"].iter().any(|prefix| lower.starts_with(prefix));
    if of_a_request || lower.starts_with("refs/") && name.is_empty() {
        return None;
    }
    Some(name.split_once("^{").map_or(name, |(name, _)| name).to_owned())
}

/// `Sep 1, 2017 4:12:29 PM`, which is UTC.
fn start_time(node: &Node<'_>) -> Option<Instant> {
    let text = node.text()?;
    let local = NaiveDateTime::parse_from_str(text, "%b %d, %Y %I:%M:%S %p").ok();
    let utc = local.map(|local| Instant::from_millis(local.and_utc().timestamp_millis()));
    utc.or_else(|| node.wrong("an instant like Nov 3, 2026 2:05:10 PM, in UTC"))
}
