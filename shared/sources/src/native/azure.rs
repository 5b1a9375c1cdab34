//! Azure DevOps's service hook `build.complete` as evidence. Nothing is told of a build that runs.

use super::{
    input::Input,
    run::{self, SeenRun, age_seconds},
};
use crate::reader::Node;

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    let payload = input.payload.object()?;
    let event = payload.must("eventType", |node| node.text_owned());
    let hint = payload.may("id", |node| node.text_owned());
    if event? != "build.complete" {
        input.skip("a service hook of Azure DevOps that tells no finished build");
        return Some(());
    }
    let hint = hint?;
    let seen = payload.must("resource", |node| {
        let build = node.object()?;
        let number = build.must("id", |node| node.whole(1..=1_000_000_000));
        // Version 1.0 of the resource says `succeeded` as its status, and neither branch nor result.
        let result = build.must("result", |node| node.text_owned());
        let status = build.must("status", |node| node.text_owned());
        let reference = build.must("sourceBranch", |node| node.text_owned());
        let head_sha = build.may("sourceVersion", |node| node.text_owned());
        let queued = build.must("queueTime", |node| node.instant());
        let finished = build.must("finishTime", |node| node.instant());
        let definition = build.must("definition", full_name);
        let project = build.must("project", name);
        let (queued, finished) = (queued?, finished?);
        let settled = status? == "completed";
        let foreign = build.may("triggerInfo", |node| {
            node.object()?.may("pr.isFork", |node| Some(node.value().to_string().to_ascii_lowercase().contains("true")))
        });
        let foreign = foreign?.flatten() == Some(true);
        let reference = reference?;
        let seen = SeenRun {
            identity: vec![project?, definition?],
            // `refs/pull/7/merge` may be a fork's, and a tag may be called like a branch.
            branch: reference.strip_prefix("refs/heads/").map(str::to_owned),
            head_sha: head_sha?,
            finished: Some(result?).filter(|_| settled).or_else(|| Some(String::new())),
            // Stages that are run again keep the build's number.
            revision: u64::try_from(number?).ok()? * 1_000_000_000 + age_seconds(queued, finished).min(99_999_999) * 10,
            began: queued,
            at: finished,
            hint: hint.as_deref(),
        };
        Some((seen, foreign))
    });
    match seen? {
        (_, true) => input.skip("a build of a pull request from a fork"),
        (seen, false) => run::emit(input, &seen),
    }
    Some(())
}

/// A definition in a folder is named with the folder (`Release\\ledger-tests`): another folder may have one of that name.
fn full_name(node: &Node<'_>) -> Option<String> {
    let definition = node.object()?;
    let name = definition.must("name", |node| node.text_owned());
    let path = definition.may("path", |node| node.text_owned());
    let (name, path) = (name?, path?.unwrap_or_default());
    let folder = path.trim_matches('\\');
    Some(if folder.is_empty() { name } else { format!("{folder}\\{name}") })
}

fn name(node: &Node<'_>) -> Option<String> {
    node.object()?.must("name", |node| node.text_owned())
}
