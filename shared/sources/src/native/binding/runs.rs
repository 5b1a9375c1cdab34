//! Bindings of evidence: CDEvents and the runs of CI systems.

use std::collections::BTreeSet;

use refresh_core::{ChangeId, Checkpoint, Source};

use super::{
    format::Format,
    member::{only, text},
    says::{BoundChange, CdEvents, CdRun, EvidenceBinding, Pattern, RunBinding},
};
use crate::reader::{Node, Object};

/// A run that takes longer than a week is given no expected time.
const MOST_EXPECTED_MINUTES: i64 = 7 * 24 * 60;

/// Which members a binding of a CI system has.
struct RunMembers {
    identity: &'static [&'static str],
    /// Whether the first is told in letters of any case.
    any_case: bool,
    /// Whether one of them may end in a star.
    starred: bool,
    branch: bool,
    head_sha: bool,
    /// Words that may count as ready. The first does, where the deployment says nothing.
    ready: &'static [&'static str],
}

const fn members(format: Format) -> RunMembers {
    let plain = RunMembers { identity: &[], any_case: false, starred: false, branch: true, head_sha: true, ready: &[] };
    match format {
        Format::GithubWorkflowRun => RunMembers {
            identity: &["repository", "workflow"],
            any_case: true,
            ready: &["success", "neutral", "skipped"],
            ..plain
        },
        Format::GithubCheckSuite => RunMembers {
            identity: &["repository", "app"],
            any_case: true,
            ready: &["success", "neutral", "skipped"],
            ..plain
        },
        Format::GitlabPipeline => {
            RunMembers { identity: &["project"], any_case: true, ready: &["success", "passed_with_warnings"], ..plain }
        }
        Format::JenkinsNotification => {
            RunMembers { identity: &["job"], starred: true, ready: &["SUCCESS", "UNSTABLE"], ..plain }
        }
        Format::AzureBuildComplete => {
            RunMembers { identity: &["project", "definition"], ready: &["succeeded", "partiallySucceeded"], ..plain }
        }
        Format::AwsCodepipeline => RunMembers {
            identity: &["pipeline"],
            any_case: false,
            starred: true,
            branch: false,
            head_sha: false,
            ready: &["SUCCEEDED"],
        },
        _ => RunMembers {
            identity: &["project"],
            any_case: false,
            starred: true,
            branch: true,
            head_sha: false,
            ready: &["SUCCEEDED"],
        },
    }
}

fn evidence(object: &Object<'_>, source: Source, starred: Option<bool>) -> Option<EvidenceBinding> {
    let change = object.must("change_id", |node| match (node.text()?, starred) {
        ("*", Some(_)) => Some(BoundChange::Starred),
        ("*", None) => node.wrong("a change id (or a pattern that ends in a star, for `*` to stand for its match)"),
        // The star stands for several things that each number their own runs.
        (_, Some(true)) => node.wrong("`*`: the star stands for several, whose runs do not compare"),
        _ => node.parsed(ChangeId::parse).map(BoundChange::Named),
    });
    let checkpoint = object.must("checkpoint", |node| node.parsed(Checkpoint::parse));
    let expected = object.may("expected_minutes", |node| node.whole(1..=MOST_EXPECTED_MINUTES));
    Some(EvidenceBinding { source, change: change?, checkpoint: checkpoint?, expected_minutes: expected? })
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

pub fn cdevents(object: &Object<'_>, source: Option<Source>) -> Option<CdEvents> {
    only(object, &["subject", "run", "environment", "change_id", "checkpoint", "expected_minutes"]);
    let name = object.must(if object.has("run") { "run" } else { "name" }, pattern);
    let starred = name.as_ref().filter(|name| name.starred).map(|_| true);
    let evidence = source.and_then(|source| evidence(object, source, starred));
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

pub fn run(object: &Object<'_>, format: Format, source: Option<Source>) -> Option<RunBinding> {
    let members = members(format);
    let mut known = members.identity.to_vec();
    known.extend(["change_id", "checkpoint", "expected_minutes"]);
    known.extend(members.branch.then_some("branch"));
    known.extend(members.head_sha.then_some("head_sha"));
    known.extend((members.ready.len() > 1).then_some("ready_on"));
    only(object, &known);
    let named: Vec<_> = members.identity.iter().map(|name| object.must(name, |node| part(node, &members))).collect();
    let branch = if members.branch { object.may("branch", pattern) } else { Some(None) };
    let head_sha = if members.head_sha { object.may("head_sha", commit) } else { Some(None) };
    let ready_on = if members.ready.len() > 1 {
        object.may("ready_on", |node| {
            let words: Vec<(&str, &'static str)> = members.ready.iter().map(|word| (*word, *word)).collect();
            let ready = node.set(words.len(), |item| item.word(&words))?;
            if ready.is_empty() { node.wrong("at least one conclusion") } else { Some(ready) }
        })
    } else {
        Some(None)
    };
    let identity: Option<Vec<Pattern>> = named.into_iter().collect();
    let by_name = identity.iter().flatten().any(|pattern| pattern.starred);
    let by_branch = matches!(&branch, Some(Some(pattern)) if pattern.starred);
    let starred = if by_name { Some(true) } else { by_branch.then_some(false) };
    let evidence = source.and_then(|source| evidence(object, source, starred));
    Some(RunBinding {
        evidence: evidence?,
        identity: identity?,
        branch: branch?,
        head_sha: head_sha?,
        ready_on: ready_on?.unwrap_or_else(|| members.ready.iter().take(1).copied().collect::<BTreeSet<_>>()),
    })
}

fn part(node: &Node<'_>, members: &RunMembers) -> Option<Pattern> {
    if members.starred {
        return pattern(node);
    }
    let name = text(node)?;
    let first = members.identity.first().is_some_and(|first| node.path().ends_with(&format!(".{first}")));
    let name = if members.any_case && first { name.to_ascii_lowercase() } else { name };
    if node.path().ends_with(".repository") && name.split('/').filter(|part| !part.is_empty()).count() != 2 {
        return node.wrong("owner/name");
    }
    // All of its check suites are of this one app: each workflow has its own, and their ages do not compare.
    if node.path().ends_with(".app") && name.eq_ignore_ascii_case("github-actions") {
        return node.wrong("another app: the workflows of `github-actions` are bound by github.workflow_run");
    }
    Some(Pattern::exact(name))
}

fn commit(node: &Node<'_>) -> Option<String> {
    let sha = text(node)?.to_ascii_lowercase();
    let good = matches!(sha.len(), 40 | 64) && sha.bytes().all(|byte| byte.is_ascii_hexdigit());
    if good { Some(sha) } else { node.wrong("a whole commit id of 40 or 64 hexadecimal digits") }
}
