//! GitLab's pipeline hook as evidence.
//!
//! A pipeline keeps its number when jobs of it are retried, and its payload has no attempt. So within a pipeline the
//! latest instant that the payload names orders its words: a retry makes a job, and a job has its times.

use chrono::{DateTime, NaiveDateTime};
use refresh_core::Instant;

use super::{
    input::Input,
    run::{self, SeenRun, age_seconds},
};
use crate::reader::{Node, Object};

const MOST_JOBS: usize = 5_000;

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    let hint = input.header("x-gitlab-event-uuid");
    let payload = input.payload.object()?;
    // One hook may tell of many things; groups and systems call the kind otherwise. First what is evidence at all.
    let name = if payload.has("event_name") && !payload.has("object_kind") { "event_name" } else { "object_kind" };
    let kind = payload.must(name, |node| node.text_owned());
    if kind? != "pipeline" {
        input.skip("a hook of GitLab that tells no pipeline");
        return Some(());
    }
    let project = payload.must("project", |node| {
        node.object()?.must("path_with_namespace", |node| node.text().map(str::to_ascii_lowercase))
    });
    let foreign = payload.may("merge_request", is_foreign);
    let jobs = payload.may("builds", |node| node.list(MOST_JOBS, job));
    let seen = payload.must("object_attributes", |node| {
        let pipeline = node.object()?;
        let number = pipeline.must("iid", |node| node.whole(1..=100_000_000));
        let branch = pipeline.may("ref", |node| node.text_owned());
        let tag = pipeline.must("tag", |node| node.flag());
        let head_sha = pipeline.may("sha", |node| node.text_owned());
        let cause = pipeline.must("source", |node| node.text_owned());
        let status = pipeline.must("status", |node| node.text_owned());
        let detailed = pipeline.may("detailed_status", |node| node.text_owned());
        let created = pipeline.must("created_at", instant);
        let finished_at = pipeline.may("finished_at", instant);
        let (created, finished_at, tag) = (created?, finished_at?, tag?);
        let jobs = jobs?.unwrap_or_default();
        let at = jobs.iter().filter_map(|job| job.latest).chain(finished_at).max().unwrap_or(created).max(created);
        let finished = word(&status?, detailed?.as_deref()).map(|word| beside(word, &jobs));
        let why = why_not(foreign?, &cause?);
        let phase = if finished.is_some() { 2 } else { 1 };
        let seen = SeenRun {
            identity: vec![project?],
            // A tag may be called like a branch.
            branch: branch?.filter(|_| !tag),
            head_sha: head_sha?,
            revision: u64::try_from(number?).ok()? * 10_000_000_000
                + age_seconds(created, at).min(99_999_999) * 10
                + phase,
            began: created,
            at: if finished.is_some() { finished_at.unwrap_or(at) } else { at },
            finished,
            hint,
        };
        Some((seen, why))
    });
    match seen? {
        (_, Some(why)) => input.skip(why),
        (seen, None) => run::emit(input, &seen),
    }
    Some(())
}

/// The word of a pipeline that has come to an end. Jobs that were allowed to fail make another success.
fn word(status: &str, detailed: Option<&str>) -> Option<String> {
    match status {
        "created"
        | "waiting_for_resource"
        | "preparing"
        | "pending"
        | "running"
        | "manual"
        | "scheduled"
        | "canceling" => None,
        "success" => Some(match detailed {
            Some("passed") => "success".to_owned(),
            Some("passed with warnings" | "passed with warning") => "passed_with_warnings".to_owned(),
            // The site's language, a word that is added one day, or nothing: there may have been warnings.
            _ => String::new(),
        }),
        other => Some(other.to_owned()),
    }
}

/// What begins a pipeline that counts for its branch. A pipeline of any other cause runs other jobs than the branch's own
/// (a scan on demand, a policy's), and says nothing of the branch; GitLab itself leaves such pipelines out.
const CAUSES: [&str; 7] = ["push", "web", "trigger", "schedule", "api", "pipeline", "chat"];

fn why_not(foreign: Option<bool>, cause: &str) -> Option<&'static str> {
    match cause {
        _ if foreign == Some(true) => Some("a pipeline of a merge request from a fork"),
        // A push makes it beside the branch's own pipeline.
        "merge_request_event" => Some("a pipeline of a merge request, whose jobs are not the branch's"),
        "external_pull_request_event" => Some("a pipeline of a pull request from another system"),
        "parent_pipeline" => Some("a child pipeline: the parent says how the whole ended"),
        cause if !CAUSES.contains(&cause) => Some("a pipeline that does not count for its branch, by its `source`"),
        _ => None,
    }
}

fn is_foreign(node: &Node<'_>) -> Option<bool> {
    let request = node.object()?;
    let source = request.may("source_project_id", |node| node.whole(0..=i64::MAX));
    let target = request.may("target_project_id", |node| node.whole(0..=i64::MAX));
    let (source, target) = (source?, target?);
    Some(source.is_none() || source != target)
}

/// How a job stands to a success of its pipeline.
#[derive(Clone, Copy, PartialEq, Eq)]
enum JobWord {
    Fits,
    /// A failure that was allowed: the success is one with warnings.
    Warns,
    Denies,
}

struct SeenJob {
    latest: Option<Instant>,
    word: JobWord,
}

/// A success beside a job that failed, runs or waits contradicts itself: the worse of the two counts. The payload has the
/// newest try of each job alone.
fn beside(word: String, jobs: &[SeenJob]) -> String {
    let any = |wanted: JobWord| jobs.iter().any(|job| job.word == wanted);
    match word.as_str() {
        "success" | "passed_with_warnings" if any(JobWord::Denies) => String::new(),
        "success" if any(JobWord::Warns) => "passed_with_warnings".to_owned(),
        _ => word,
    }
}

fn job_word(status: Option<&str>, may_fail: bool) -> JobWord {
    match status {
        // A payload without the states of its jobs says nothing against the state of the pipeline.
        None | Some("success" | "skipped") => JobWord::Fits,
        Some("manual") if may_fail => JobWord::Fits,
        Some("failed" | "canceled") if may_fail => JobWord::Warns,
        _ => JobWord::Denies,
    }
}

fn job(node: &Node<'_>) -> Option<SeenJob> {
    let job = node.object()?;
    let status = job.may("status", |node| node.text_owned());
    let may_fail = job.may("allow_failure", |node| node.flag());
    let latest = latest(&job)?;
    Some(SeenJob { latest, word: job_word(status?.as_deref(), may_fail? == Some(true)) })
}

/// The latest time of a job.
fn latest(job: &Object<'_>) -> Option<Option<Instant>> {
    let times: Vec<_> =
        ["created_at", "started_at", "finished_at"].map(|name| job.may(name, instant)).into_iter().collect();
    let times: Option<Vec<Option<Instant>>> = times.into_iter().collect();
    Some(times?.into_iter().flatten().max())
}

/// `2026-11-03 14:05:10 UTC`, or RFC 3339.
fn instant(node: &Node<'_>) -> Option<Instant> {
    let text = node.text()?;
    let utc = || {
        let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S UTC").ok()?;
        Some(Instant::from_millis(local.and_utc().timestamp_millis()))
    };
    let offset = || {
        let read = DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S %z").ok()?;
        Some(Instant::from_millis(read.timestamp_millis()))
    };
    let rfc = Instant::parse(text).ok();
    rfc.or_else(utc).or_else(offset).or_else(|| node.wrong("an instant like 2026-11-03 14:05:10 UTC"))
}
