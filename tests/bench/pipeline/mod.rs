//! What an event costs on its whole way through the functions, beside the pipeline that one would write instead.

mod peer;
mod run;
mod workload;

use serde_json::json;

use run::{Cost, Mode, Run};

use holdpoint::connector::Service;

fn one(name: &str, run: Run) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    match runtime.block_on(run::run(run)) {
        Ok(cost) => {
            let mut line = line(name, run, &cost);
            line["peer"] = peer::figures(run);
            println!("{line}");
        }
        Err(why) => println!("{}", json!({ "figure": name, "failed": why })),
    }
}

fn line(name: &str, run: Run, cost: &Cost) -> serde_json::Value {
    let events = cost.events as f64;
    let each = |sum: f64| (sum / events * 1_000.0).round() / 1_000.0;
    let micros = |time: std::time::Duration| each(time.as_secs_f64() * 1e6);
    let functions: serde_json::Map<String, serde_json::Value> =
        cost.functions.iter().map(|(name, time)| (name.clone(), micros(*time).into())).collect();
    let store = || cost.calls.iter().filter(|((_, service, _), _)| *service == Service::DynamoDb);
    let calls: serde_json::Map<String, serde_json::Value> = cost
        .calls
        .iter()
        .map(|((function, _, operation), metered)| {
            (format!("{function} {operation}"), each(metered.calls as f64).into())
        })
        .collect();
    json!({
        "figure": name, "rung": run.shape.rung, "mode": format!("{:?}", run.mode), "batch": run.batch, "reviews": run.reviews,
        "events": cost.events,
        "cpu_us_per_event": micros(cost.functions.values().sum()),
        "cpu_us_by_function": functions,
        "events_per_second": (events / cost.wall.as_secs_f64()).round(),
        "dynamodb_calls_per_event": each(store().map(|(_, metered)| metered.calls as f64).sum()),
        "read_units_per_event": each(store().map(|(_, metered)| metered.read_units).sum()),
        "write_units_per_event": each(store().map(|(_, metered)| metered.write_units).sum()),
        "calls_per_event": calls,
        "mails": cost.mails, "people_mailed": cost.mailed, "left_on_queues": cost.dead,
    })
}

pub fn print() {
    let run = |shape, mode, batch| Run { shape, mode, reviews: 20, batch, events: 400, quiet_seconds: 0 };
    for shape in [workload::A, workload::B] {
        one("event, spread", run(shape, Mode::Spread, 1));
        one("event, spread, ten together", run(shape, Mode::Spread, 10));
        one("event, ten of one review together", run(shape, Mode::Clustered, 10));
    }
    for events in [100, 1_000] {
        one(
            "burst on one review",
            Run { shape: workload::A, mode: Mode::Clustered, reviews: 1, batch: 10, events, quiet_seconds: 120 },
        );
    }
}
