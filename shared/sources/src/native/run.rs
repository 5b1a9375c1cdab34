//! Runs of CI systems as evidence: which binding a run fits, and what the run says of the checkpoint.
//!
//! No system numbers its words for us, so the revision is made of what rises: a later run beats every word of an earlier
//! one, whenever that ends; within a run a later attempt beats an earlier one, and completed beats running.

use refresh_core::{ChangeId, Instant};
use serde_json::json;

use super::{
    binding::{BoundChange, EvidenceBinding, RunBinding, Says},
    input::Input,
};

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
    /// The run by the source's own name, where the revision alone does not tell a later run from an earlier one.
    pub run: Option<&'a str>,
}

/// One evidence event of one binding.
pub fn emit_evidence(input: &mut Input<'_>, evidence: &EvidenceBinding, observed: &Observed<'_>) {
    let Observed { star, hint, revision, progress, began, at, run } = *observed;
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
    if let Some(run) = run {
        data["run"] = json!(run);
    }
    input.emit(&evidence.source, hint, "dev.holdpoint.evidence.updated.v1", data);
}

/// One word of a run, as a CI system tells it.
pub struct SeenRun<'a> {
    /// What a binding's identity is held against, member by member.
    pub identity: Vec<String>,
    /// `None`: the run is of no branch, or of one that is not told.
    pub branch: Option<String>,
    pub head_sha: Option<String>,
    /// `Some` where the run has finished: its word, whatever that is.
    pub finished: Option<String>,
    pub revision: u64,
    pub began: Instant,
    pub at: Instant,
    pub hint: Option<&'a str>,
}

/// The branch that a reference names: of `refs/heads/NAME` the name, of a bare name that name. `None`: a tag, a request, or
/// any other reference.
pub fn branch_of(reference: &str) -> Option<&str> {
    let branch = reference.strip_prefix("refs/heads/");
    branch.or_else(|| Some(reference).filter(|name| !name.to_ascii_lowercase().starts_with("refs/")))
}

/// Of every binding that the run fits, one event.
pub fn emit(input: &mut Input<'_>, seen: &SeenRun<'_>) {
    let mut bound = false;
    for binding in input.bindings() {
        let Says::Run(run) = &binding.says else { continue };
        let Some(star) = matched(run, seen) else { continue };
        bound = true;
        let progress = match seen.finished.as_deref() {
            None => Progress::Running,
            Some(word) if run.ready_on.contains(word) => Progress::Ready,
            Some(_) => Progress::NotReady,
        };
        let SeenRun { revision, began, at, hint, .. } = *seen;
        emit_evidence(input, &run.evidence, &Observed { star, hint, revision, progress, began, at, run: None });
    }
    if !bound {
        input.unbound("a run that no binding names (repository, workflow or app, branch and commit must all fit)");
    }
}

fn matched<'s>(binding: &RunBinding, seen: &'s SeenRun<'_>) -> Option<&'s str> {
    let mut star = "";
    for (pattern, name) in binding.identity.iter().zip(&seen.identity) {
        star = longer(star, pattern.matched(name)?);
    }
    if let Some(sha) = &binding.head_sha
        && !seen.head_sha.as_ref()?.eq_ignore_ascii_case(sha)
    {
        return None;
    }
    match (&binding.branch, &seen.branch) {
        (Some(pattern), branch) => star = longer(star, pattern.matched(branch.as_deref()?)?),
        // A run of no branch is whose? Only the commit can say that it is the one meant.
        (None, None) => drop(binding.head_sha.as_ref()?),
        (None, Some(_)) => {}
    }
    Some(star)
}

/// At most one of a binding's patterns has a star that counts.
fn longer<'t>(one: &'t str, other: &'t str) -> &'t str {
    if other.is_empty() { one } else { other }
}

/// The revision of a run without a number of its own: its start (a later run beats every word of an earlier one), then
/// its age, then its phase, since times may be in whole seconds. Tenths of 2026 are 1.8e10; the sum fits 64 bits for
/// some thousand years.
pub fn revision_by_start(began: Instant, at: Instant, phase: u64) -> u64 {
    let tenths = u64::try_from(began.millis() / 100).unwrap_or(0).min(150_000_000_000);
    tenths * 100_000_000 + age_seconds(began, at).min(9_999_999) * 10 + phase
}

/// How long a run has gone on, in whole seconds.
pub fn age_seconds(began: Instant, at: Instant) -> u64 {
    u64::try_from(at.since(began) / 1_000).unwrap_or(0)
}
