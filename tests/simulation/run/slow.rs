//! An owner's decision whose write is slow: meanwhile other reviews decide, and what it was decided on is no longer so.

use super::Run;
use crate::World;

/// For how many steps a write is slow.
const STEPS: u8 = 24;

/// A worker whose call does not go on.
pub(super) struct Slow {
    worker: usize,
    steps: u8,
}

impl Run {
    pub(super) fn is_slow(&self, worker: usize) -> bool {
        self.slow.as_ref().is_some_and(|slow| slow.worker == worker)
    }

    /// A step nearer to the end of what is slow.
    pub(super) fn hasten(&mut self) {
        if let Some(slow) = &mut self.slow {
            slow.steps -= 1;
        }
        self.slow.take_if(|slow| slow.steps == 0);
    }

    /// Each write of a page that decides is slow where reviews are after one hour.
    pub(super) fn slow_down(&mut self, worker: usize) {
        let writes = self.workers[worker].seam.waiting().is_some_and(|call| call.operation == "TransactWriteItems");
        let decides = self.at[worker].as_ref().is_some_and(|at| at.name == "adopt");
        if self.world == World::Contested && writes && decides && self.slow.is_none() {
            self.slow = Some(Slow { worker, steps: STEPS });
            self.tell(format!("worker {worker}: its write is slow"));
        }
    }

    /// What the other worker does then. No time passes: the process that waits would end.
    pub(super) async fn meanwhile(&mut self, idle: Option<usize>) -> Result<(), String> {
        match (self.rng.u8(..6), idle) {
            (0 | 1, _) => self.say_next().await,
            (2, Some(worker)) => self.visit(worker).await,
            (_, Some(worker)) => self.receive(worker).await.map(drop),
            (_, None) => Ok(()),
        }
    }
}
