//! What an event costs on its whole way through the functions, beside the pipeline that one would write instead.

mod bill;
#[allow(dead_code, reason = "the counting of instructions uses more of it")]
pub mod deployed;
mod latency;
pub mod peer;
mod processes;
pub mod run;
#[allow(dead_code, reason = "the counting of instructions uses more of it")]
pub mod workload;

use serde_json::{Map, Value, json};

use crate::figure::{Beside, Figure, Goal, Report};
use holdpoint::connector::Service;
use run::{Cost, Mode, Run};

/// Reviews of the usual run, and of the one that shows what their number costs.
const REVIEWS: usize = 20;
const MANY_REVIEWS: usize = 3_000;
const EVENTS: usize = 400;

/// What a way of handing over has to reach; the second of a pair is the design page's aim.
struct Bars {
    cpu_us: Option<(f64, f64)>,
    events_per_second: Option<f64>,
    calls: Option<(f64, f64)>,
    read_units: Option<f64>,
    write_units: Option<f64>,
    dollars: Option<f64>,
}

const NONE: Bars =
    Bars { cpu_us: None, events_per_second: None, calls: None, read_units: None, write_units: None, dollars: None };

/// Two calls a review and a batch are the least: one read, one transaction.
fn bars(run: Run) -> Bars {
    match (run.shape.rung, run.mode, run.batch) {
        ("A", Mode::Spread, 1) => Bars {
            cpu_us: Some((1_200.0, 450.0)),
            events_per_second: Some(700.0),
            calls: Some((7.0, 3.0)),
            read_units: Some(10.0),
            write_units: Some(10.0),
            dollars: Some(6.0),
        },
        ("A", Mode::Clustered, _) => Bars {
            cpu_us: Some((350.0, 110.0)),
            events_per_second: Some(5_000.0),
            calls: Some((1.2, 0.3)),
            dollars: Some(2.5),
            ..NONE
        },
        ("B", Mode::Spread, 1) => Bars { write_units: Some(16.0), dollars: Some(9.0), ..NONE },
        _ => NONE,
    }
}

fn with_goal(figure: Figure, goal: Option<Goal>) -> Figure {
    Figure { goal, ..figure }
}

pub fn measure(report: &mut Report) {
    let run = |shape, mode, batch| Run { shape, mode, reviews: REVIEWS, batch, events: EVENTS, quiet_seconds: 0 };
    for shape in [workload::A, workload::B] {
        for (mode, batch) in [(Mode::Spread, 1), (Mode::Spread, 10), (Mode::Clustered, 10)] {
            events(report, run(shape, mode, batch));
        }
    }
    for events in [100, 1_000] {
        burst(report, events);
    }
    growth(report);
    latency::measure(report);
    processes::measure(report);
}

/// Drives a run on a runtime of its own. `None`: it failed, which is a figure too.
fn driven(report: &mut Report, of: &str, run: Run) -> Option<Cost> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    match runtime.block_on(run::run(run)) {
        Ok(cost) => Some(cost),
        Err(why) => {
            report.add(Figure::failed(of, &why));
            None
        }
    }
}

fn each(cost: &Cost, sum: f64) -> f64 {
    sum / cost.events as f64
}

fn cpu_us(cost: &Cost) -> f64 {
    each(cost, cost.functions.values().sum::<std::time::Duration>().as_secs_f64() * 1e6)
}

fn by_function_us(cost: &Cost) -> Map<String, Value> {
    let functions = cost.functions.iter();
    functions.map(|(name, time)| (name.clone(), each(cost, time.as_secs_f64() * 1e6).into())).collect()
}

fn of(run: Run) -> String {
    let way = match (run.mode, run.batch) {
        (Mode::Spread, 1) => "spread, one a batch".to_owned(),
        (Mode::Spread, batch) => format!("spread, {batch} a batch"),
        (Mode::Clustered, batch) => format!("{batch} of one review a batch"),
    };
    format!("{}, {way}", run.shape.rung)
}

fn events(report: &mut Report, run: Run) {
    let of = of(run);
    let Some(cost) = driven(report, &of, run) else { return };
    let (bars, peer) = (bars(run), peer::measure(run));
    let beside = |name: &str| peer::beside(&peer, name);
    let store = || cost.calls.iter().filter(|((_, service, _), _)| *service == Service::DynamoDb);
    let sum = |what: fn(&holdpoint::connector::Metered) -> f64| each(&cost, store().map(|(_, one)| what(one)).sum());
    let functions = by_function_us(&cost);
    let calls: Map<String, Value> = cost
        .calls
        .iter()
        .map(|((function, _, operation), one)| {
            (format!("{function} {operation}"), each(&cost, one.calls as f64).into())
        })
        .collect();

    let mut cpu = Figure::cost("CPU per event", of.clone(), "us", cpu_us(&cost)).beside(beside("cpu_us"));
    (cpu.goal, cpu.aim) =
        (bars.cpu_us.map(|(bar, _)| Goal::AtMost(bar)), bars.cpu_us.map(|(_, aim)| Goal::AtMost(aim)));
    report.add(cpu.detail(json!({ "by_function_us": functions, "left_on_queues": cost.dead })));
    let rate = Figure::rate("events a second", of.clone(), "/s", cost.events as f64 / cost.wall.as_secs_f64());
    report.add(with_goal(rate.beside(beside("events_per_second")), bars.events_per_second.map(Goal::AtLeast)));
    let mut calls_figure = Figure::cost("DynamoDB calls per event", of.clone(), "", sum(|one| one.calls as f64));
    (calls_figure.goal, calls_figure.aim) =
        (bars.calls.map(|(bar, _)| Goal::AtMost(bar)), bars.calls.map(|(_, aim)| Goal::AtMost(aim)));
    report.add(calls_figure.beside(beside("calls")).detail(calls.into()));
    let reads = Figure::cost("read units per event", of.clone(), "", sum(|one| one.read_units));
    report.add(with_goal(reads.beside(beside("read_units")), bars.read_units.map(Goal::AtMost)));
    let (mut refreshed, mut mailed) = (0.0, 0.0);
    for ((function, ..), one) in store() {
        if function == "notify" { mailed += one.write_units } else { refreshed += one.write_units }
    }
    let writes = Figure::cost("write units, event with its refresh", of.clone(), "", each(&cost, refreshed));
    report.add(with_goal(writes.beside(beside("write_units")), bars.write_units.map(Goal::AtMost)));
    let writes = Figure::cost("write units, with its mails", of.clone(), "", each(&cost, refreshed + mailed));
    report.add(writes.beside(beside("write_units")));
    let mails = Figure::cost("mails per event", of.clone(), "", each(&cost, cost.mails as f64));
    report.add(mails.beside(beside("mails")));
    let (ours, theirs) = (bill::of(&cost), peer.as_ref().map(|peer| bill::of_the_peer(peer, run)));
    let dollars = |name: &str, ours: f64, theirs: Result<f64, &String>| {
        let beside = match theirs {
            Ok(value) => Beside::Peer { name: peer::NAME.to_owned(), value },
            Err(why) => Beside::Absent(why.clone()),
        };
        Figure::cost(name, of.clone(), "USD", ours).beside(beside)
    };
    let million =
        dollars("cost of a million changes, without mail", ours.million(), theirs.map(|asked| asked.million()));
    report.add(with_goal(million, bars.dollars.map(Goal::AtMost)));
    report.add(dollars(
        "cost of a million changes, mail",
        ours.million_mails(),
        theirs.map(|asked| asked.million_mails()),
    ));
}

/// The least possible is one mail for each person whose view differs at the end.
fn burst(report: &mut Report, events: usize) {
    let run = Run { shape: workload::A, mode: Mode::Clustered, reviews: 1, batch: 10, events, quiet_seconds: 120 };
    let of = format!("burst of {events} on one review");
    let Some(cost) = driven(report, &of, run) else { return };
    let least = cost.mailed as f64;
    let mails =
        Figure::cost("mails", of, "", cost.mails as f64).beside(peer::beside(&peer::measure(run), "mails_sent"));
    report.add(mails.limit(Some(least)).goal(Goal::AtMost(least)));
}

/// What one event costs beside many reviews, in times of what it costs beside few.
fn growth(report: &mut Report) {
    let of = few_and_many();
    let costs = FEW_AND_MANY.map(|reviews| driven(report, &of, spread_over(reviews)));
    let costs: Vec<Cost> = costs.into_iter().flatten().collect();
    if let [before, many, after] = costs.as_slice() {
        let us = [before, many, after].map(cpu_us);
        let by_function = [before, many, after].map(by_function_us);
        report.add(times_of_few("CPU per event, times", us, json!({ "us": us, "by_function_us": by_function })));
    }
}

/// The few before and after the many: a machine that others use as well is faster or slower by the minute.
const FEW_AND_MANY: [usize; 3] = [REVIEWS, MANY_REVIEWS, REVIEWS];

fn few_and_many() -> String {
    format!("{MANY_REVIEWS} reviews against {REVIEWS}")
}

fn spread_over(reviews: usize) -> Run {
    Run { shape: workload::A, mode: Mode::Spread, reviews, batch: 1, events: 5 * EVENTS, quiet_seconds: 0 }
}

/// `costs`: of an event, as `FEW_AND_MANY` has them.
fn times_of_few(name: &str, [before, many, after]: [f64; 3], detail: Value) -> Figure {
    let times = many / f64::midpoint(before, after);
    Figure::cost(name, few_and_many(), "", times).goal(Goal::AtMost(1.1)).detail(detail)
}
