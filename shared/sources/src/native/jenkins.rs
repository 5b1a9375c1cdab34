//! The payload of Jenkins's notification plugin as evidence. (Its CDEvents plugin sends CDEvents.)

use percent_encoding::percent_decode_str;
use refresh_core::Instant;

use super::{
    input::Input,
    run::{self, SeenRun},
};
use crate::reader::{Node, Object};

/// The build's phases; the last word of a build is `FINALIZED`.
const PHASES: [(&str, u64); 4] = [("QUEUED", 0), ("STARTED", 1), ("COMPLETED", 2), ("FINALIZED", 3)];

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    let payload = input.payload.object()?;
    let name = payload.must("name", |node| node.text_owned());
    let url = payload.may("url", |node| node.text_owned());
    let seen = payload.must("build", |node| {
        let build = node.object()?;
        let number = build.must("number", |node| node.whole(1..=1_000_000_000));
        let phase =
            build.must("phase", |node| Some(PHASES.iter().find(|(word, _)| Some(*word) == node.value().as_str())));
        let status = build.may("status", |node| node.text_owned());
        let failed =
            build.may("testSummary", |node| node.object()?.may("failed", |node| node.whole(0..=i64::from(i32::MAX))));
        // A success with tests that failed contradicts itself.
        let failed = failed?.flatten().unwrap_or(0) > 0;
        let status = status.map(|status| status.filter(|status| !failed || status != "SUCCESS"));
        let began = build.must("timestamp", millis);
        let scm = build.may("scm", |node| source_code(&node.object()?));
        let (began, (branch, head_sha)) = (began?, scm?.unwrap_or_else(|| (Some(String::new()), None)));
        let phase = phase?.map(|(_, phase)| *phase);
        let millis = |node: &Node<'_>| node.whole(0..=i64::from(i32::MAX));
        let lasted = match phase {
            // Without the duration a build would have ended when it began.
            Some(2..) => build.must("duration", millis)?,
            _ => build.may("duration", millis)?.unwrap_or(0),
        };
        let seen = SeenRun {
            identity: vec![full_name(&name?, url?.as_deref())],
            branch,
            head_sha,
            finished: phase.filter(|phase| *phase >= 2).and(Some(status?.unwrap_or_default())),
            revision: u64::try_from(number?).ok()? * 10 + phase.unwrap_or(0),
            began,
            at: Instant::from_millis(began.millis().saturating_add(lasted)),
            hint: None,
        };
        Some((seen, phase.is_some()))
    });
    match seen? {
        (seen, true) => run::emit(input, &seen),
        (_, false) => input.skip("a phase of a build that says nothing of readiness"),
    }
    Some(())
}

/// `job/pay/job/release%252FCHG1/` is the job `release/CHG1` in the folder `pay`; the name alone does not tell jobs of two
/// folders apart.
fn full_name(name: &str, url: Option<&str>) -> String {
    let decoded = |text: &str| {
        let once = percent_decode_str(text).decode_utf8_lossy().into_owned();
        percent_decode_str(&once).decode_utf8_lossy().into_owned()
    };
    let segments: Vec<&str> = url.unwrap_or_default().split('/').filter(|part| !part.is_empty()).collect();
    let of_jobs = segments.chunks(2).map(|pair| match pair {
        ["job", job] => Some(decoded(job)),
        _ => None,
    });
    match of_jobs.collect::<Option<Vec<_>>>() {
        Some(jobs) if !jobs.is_empty() => jobs.join("/"),
        _ => decoded(name),
    }
}

fn source_code(scm: &Object<'_>) -> Option<(Option<String>, Option<String>)> {
    let branch = scm.may("branch", |node| node.text_owned());
    let commit = scm.may("commit", |node| node.text_owned());
    let plain = |name: String| {
        let short = name.strip_prefix("refs/remotes/").unwrap_or(&name);
        let short = short.strip_prefix("origin/").unwrap_or(short);
        // `detached` is what Jenkins calls a commit of no branch.
        run::branch_of(short)
            .map(|name| if matches!(name, "detached" | "HEAD") { String::new() } else { name.to_owned() })
    };
    // The job is known, whatever its source code's branch: a binding that names a branch fits none.
    let branch = branch?.map_or_else(|| Some(String::new()), plain);
    Some((branch, commit?.filter(|commit| !commit.is_empty())))
}

fn millis(node: &Node<'_>) -> Option<Instant> {
    // From 2001 on: a lesser number is of seconds.
    node.whole(1_000_000_000_000..=253_402_300_799_000).map(Instant::from_millis)
}
