//! Evidence: whether one checkpoint of a change is ready, and by which of several runs.

use serde::{Deserialize, Serialize};

use crate::Instant;

/// Whether one checkpoint is ready.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The state of the checkpoint.
    pub status: EvidenceStatus,
    /// When the checkpoint is or was ready.
    pub ready_at: Option<Instant>,
    /// The run that the evidence is of, where the source tells runs apart by their names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<EvidenceRun>,
}

/// A run among runs that may overlap: their instants do not say which began last.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EvidenceRun {
    /// The source's own name of the run.
    pub id: String,
    /// The runs that were told to begin, the newest last; at most [`MOST_RUNS`].
    #[serde(default)]
    pub begun: Vec<String>,
}

/// Of runs that began before these nobody waits for an end.
pub const MOST_RUNS: usize = 20;

impl Evidence {
    /// What the evidence becomes after what is known. `None`: the evidence is of a run that is not the newest one begun,
    /// and says nothing of the checkpoint any more.
    pub fn following(&self, known: &Self) -> Option<Self> {
        let (Some(run), Some(before)) = (&self.run, &known.run) else { return Some(self.clone()) };
        let (newest, was_begun) = (run.id == before.id, before.begun.contains(&run.id));
        // A source that tells its runs to begin has told this one's beginning, or it was lost: then a failure counts, and a
        // success may be an older run's.
        let lost = !was_begun && !before.begun.is_empty();
        match self.status {
            _ if newest => {}
            _ if was_begun => return None,
            EvidenceStatus::Ready if lost => return None,
            _ => {}
        }
        let mut begun = before.begun.clone();
        if self.status == EvidenceStatus::Expected && !was_begun {
            begun.push(run.id.clone());
        }
        let oldest = begun.len().saturating_sub(MOST_RUNS);
        let run = Some(EvidenceRun { id: run.id.clone(), begun: begun.split_off(oldest) });
        Some(Self { status: self.status, ready_at: self.ready_at, run })
    }
}

impl Evidence {
    /// The ready time as it counts: to the minute, seconds dropped. Nobody moves five people for 250 milliseconds.
    pub fn ready_minute(&self) -> Option<Instant> {
        self.ready_at.map(Instant::minute)
    }
}

/// The state of a checkpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceStatus {
    /// The checkpoint will be ready at its time.
    Expected,
    /// The checkpoint is ready.
    Ready,
    /// The evidence counts no more.
    Withdrawn,
}
