//! What a commit decided, for whoever counts.

use lambda_shell::metrics::Metrics;
use refresh_core::record::{commit::Commit, decision::Outcome, lineage::Happening};

/// In order; empty where nothing was decided.
pub fn outcomes(commit: &Commit) -> Vec<Outcome> {
    let happenings = commit.entry.iter().flat_map(|entry| &entry.happenings);
    happenings
        .filter_map(|happening| match happening {
            Happening::Decision(decision) => Some(decision.outcome),
            _ => None,
        })
        .collect()
}

/// A line and a figure for each. To be called once the commit is written, by whatever function wrote it: what a refresh
/// holds, an owner adopts, and both are decisions of one rate.
pub fn measure(commit: &Commit) {
    let head = &commit.head;
    let trace = commit.entry.as_ref().and_then(|entry| entry.trace);
    for outcome in outcomes(commit) {
        let trace = trace.map(tracing::field::display);
        tracing::info!(trace_id = trace, version = head.latest, outcome = outcome.word(), "decided");
        Metrics::new("Holdpoint")
            .dimension("Outcome", outcome.word())
            .count("Decisions", 1)
            .property("review_id", head.review.as_str())
            .emit(head.at.millis());
    }
}
