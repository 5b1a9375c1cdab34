//! The processor time of the functions as they are deployed, one event after the other: each its own process, and its
//! requests over HTTP, as the peer's are.

use std::time::Duration;

use holdpoint_tests::cloud::binaries;
use serde_json::{Map, Value, json};

use super::{
    EVENTS, FEW_AND_MANY, REVIEWS,
    deployed::{Deployed, Function},
    few_and_many, peer,
    run::{Mode, Run},
    spread_over, times_of_few, workload,
};
use crate::figure::{Figure, Goal, Report};

const FUNCTIONS: [&str; 3] = ["ingest", "refresh", "notify"];
const FIGURE: &str = "CPU per event, deployed programs over HTTP";

pub fn measure(report: &mut Report) {
    for (mode, batch, times) in [(Mode::Spread, 1, 40.0), (Mode::Clustered, 10, 170.0)] {
        let run = Run { shape: workload::A, mode, reviews: REVIEWS, batch, events: EVENTS, quiet_seconds: 0 };
        let Some(us) = driven(report, &super::of(run), run) else { continue };
        let figure = Figure::cost(FIGURE, super::of(run), "us", sum(&us)).detail(us.into());
        report.add(figure.beside(peer::beside(&peer::measure(run), "cpu_us")).goal(Goal::TimesBetter(times)));
    }
    let taken = FEW_AND_MANY.map(|reviews| driven(report, &few_and_many(), spread_over(reviews)));
    let taken: Vec<Map<String, Value>> = taken.into_iter().flatten().collect();
    if let [before, many, after] = taken.as_slice() {
        let us = [before, many, after].map(sum);
        report.add(times_of_few(&format!("{FIGURE}, times"), us, json!({ "us": us, "by_function_us": taken })));
    }
}

/// Microseconds of an event by function. `None`: the run failed, which is a figure too.
fn driven(report: &mut Report, of: &str, run: Run) -> Option<Map<String, Value>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    match runtime.block_on(taken(run)) {
        Ok(taken) => {
            let micros = |time: Duration| time.as_secs_f64() * 1e6 / run.events as f64;
            Some(taken.into_iter().map(|(name, time)| (name.to_owned(), micros(time).into())).collect())
        }
        Err(why) => {
            report.add(Figure::failed(of, &why));
            None
        }
    }
}

fn sum(by_function: &Map<String, Value>) -> f64 {
    by_function.values().filter_map(Value::as_f64).sum()
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
    changes(&mut deployed, &running, run, &mut turn, run.warm()).await?;
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
    running: &[(&'static str, Function)],
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
        deployed.rest(running).await?;
    }
    Ok(())
}
