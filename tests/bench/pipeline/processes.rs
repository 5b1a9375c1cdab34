//! The processor time of the functions as they are deployed, one event after the other: each its own process, and its
//! requests over HTTP, as the peer's are.

use std::time::Duration;

use holdpoint_tests::cloud::binaries;
use serde_json::{Map, Value};

use super::{
    deployed::{Deployed, Function},
    peer,
    run::{Mode, Run},
    workload,
};
use crate::figure::{Figure, Goal, Report};

const FUNCTIONS: [&str; 3] = ["ingest", "refresh", "notify"];
const REVIEWS: usize = 20;
const WARM: usize = 40;
const EVENTS: usize = 400;

pub fn measure(report: &mut Report) {
    for (mode, batch, times) in [(Mode::Spread, 1, 40.0), (Mode::Clustered, 10, 170.0)] {
        let run = Run { shape: workload::A, mode, reviews: REVIEWS, batch, events: EVENTS, quiet_seconds: 0 };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let figure = match runtime.block_on(taken(run)) {
            Ok(taken) => {
                let micros = |time: &Duration| time.as_secs_f64() * 1e6 / run.events as f64;
                let each: Map<String, Value> =
                    taken.iter().map(|(name, time)| ((*name).to_owned(), micros(time).into())).collect();
                let sum = taken.iter().map(|(_, time)| micros(time)).sum();
                let figure = Figure::cost("CPU per event, deployed programs over HTTP", super::of(run), "us", sum);
                figure.detail(each.into()).beside(peer::beside(&peer::measure(run), "cpu_us"))
            }
            Err(why) => Figure::cost("run that failed", super::of(run), "", 1.0).detail(why.into()),
        };
        report.add(figure.goal(Goal::TimesBetter(times)));
    }
}

/// What each function took for all events of the run.
async fn taken(run: Run) -> Result<Vec<(&'static str, Duration)>, String> {
    let programs = binaries::release()?;
    let mut deployed = Deployed::open(run.shape, run.reviews).await?;
    let mut running = Vec::new();
    for function in FUNCTIONS {
        running.push((function, deployed.start(function, &programs[function], &[]).await?));
    }
    let mut turn = 0;
    changes(&mut deployed, &running, run, &mut turn, WARM).await?;
    let before = cpu(&running)?;
    changes(&mut deployed, &running, run, &mut turn, run.events).await?;
    let after = cpu(&running)?;
    for (_, function) in running {
        function.end().await?;
    }
    let taken = after.into_iter().zip(before);
    Ok(FUNCTIONS.into_iter().zip(taken.map(|(after, before)| after.saturating_sub(before))).collect())
}

fn cpu(running: &[(&str, Function)]) -> Result<Vec<Duration>, String> {
    running.iter().map(|(_, function)| function.cpu()).collect()
}

async fn changes(
    deployed: &mut Deployed,
    running: &[(&str, Function)],
    run: Run,
    turn: &mut usize,
    events: usize,
) -> Result<(), String> {
    let end = *turn + events;
    while *turn < end {
        for place in 0..run.batch {
            let review = if run.mode == Mode::Spread { *turn + place } else { *turn / run.batch };
            let event = deployed.workload.change(review % run.reviews);
            deployed.put(&event).await?;
        }
        *turn += run.batch;
        let mut handled = 1;
        while handled > 0 {
            handled = 0;
            for (_, function) in running {
                handled += deployed.hand_over(function).await?;
            }
        }
    }
    Ok(())
}
