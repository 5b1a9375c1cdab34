//! What the functions measure, counted for Prometheus under the names that a deployment has in CloudWatch.
//!
//! | in a deployment | here |
//! |---|---|
//! | `Events` by `Disposition`, a count | `holdpoint_events_total{disposition="applied"}` |
//! | `ChangeToPacket`, milliseconds | `holdpoint_change_to_packet_milliseconds`, a histogram |
//!
//! The functions write their figures as lines of the embedded metric format; here a layer of the log reads those lines.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use lambda_shell::metrics;
use prometheus::{CounterVec, Encoder, GaugeVec, HistogramOpts, HistogramVec, Opts, Registry, TextEncoder};
use serde_json::Value;
use tracing::{Event, Subscriber, field};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    layer::Context,
    registry::LookupSpan,
};

/// Milliseconds, from a look at memory to the longest time-out of a function.
const BUCKETS: [f64; 14] =
    [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 30_000.0, 300_000.0];

/// What is so at one moment.
#[derive(Clone, PartialEq, Debug)]
pub struct Level {
    pub name: &'static str,
    pub help: &'static str,
    pub labels: Vec<(&'static str, String)>,
    pub value: f64,
}

enum Figure {
    Counted(CounterVec),
    Measured(HistogramVec),
}

/// Since the process began.
#[derive(Default)]
struct Figures {
    registry: Registry,
    by_name: Mutex<BTreeMap<String, Figure>>,
}

fn figures() -> &'static Figures {
    static FIGURES: OnceLock<Figures> = OnceLock::new();
    FIGURES.get_or_init(Figures::default)
}

/// Counts what the functions write.
pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    Counting.with_filter(Targets::new().with_target(metrics::TARGET, LevelFilter::INFO))
}

struct Counting;

impl<S: Subscriber> Layer<S> for Counting {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        event.record(&mut Line);
    }
}

struct Line;

impl field::Visit for Line {
    fn record_str(&mut self, field: &field::Field, value: &str) {
        if field.name() == metrics::LINE {
            count(value);
        }
    }

    fn record_debug(&mut self, _field: &field::Field, _value: &dyn std::fmt::Debug) {}
}

/// One line of the embedded metric format.
fn count(line: &str) {
    let Ok(line) = serde_json::from_str::<Value>(line) else { return };
    let directive = &line["_aws"]["CloudWatchMetrics"][0];
    let strings = |list: &Value| -> Vec<String> {
        list.as_array().into_iter().flatten().filter_map(|one| one.as_str().map(str::to_owned)).collect()
    };
    // The figures without their dimensions are the sums over them, which Prometheus makes itself.
    let dimensions = strings(&directive["Dimensions"][0]);
    let labels: Vec<(String, String)> =
        dimensions.iter().map(|name| (words(name), line[name].as_str().unwrap_or_default().to_owned())).collect();
    for metric in directive["Metrics"].as_array().into_iter().flatten() {
        let (Some(name), Some(value)) =
            (metric["Name"].as_str(), metric["Name"].as_str().and_then(|name| line[name].as_f64()))
        else {
            continue;
        };
        let counted = metric["Unit"] == "Count";
        if let Err(error) = figures().add(name, counted, &labels, value) {
            tracing::debug!(%error, name, "a figure could not be counted");
        }
    }
}

/// `ChangeToPacket` is `change_to_packet`.
fn words(name: &str) -> String {
    let mut words = String::new();
    for (index, c) in name.chars().enumerate() {
        if c.is_ascii_uppercase() && index > 0 {
            words.push('_');
        }
        words.push(c.to_ascii_lowercase());
    }
    words
}

impl Figures {
    fn by_name(&self) -> MutexGuard<'_, BTreeMap<String, Figure>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, name: &str, counted: bool, labels: &[(String, String)], value: f64) -> prometheus::Result<()> {
        let names: Vec<&str> = labels.iter().map(|(name, _)| name.as_str()).collect();
        let values: Vec<&str> = labels.iter().map(|(_, value)| value.as_str()).collect();
        let mut by_name = self.by_name();
        if !by_name.contains_key(name) {
            let figure = self.begin(name, counted, &names)?;
            by_name.insert(name.to_owned(), figure);
        }
        match by_name.get(name) {
            Some(Figure::Counted(counter)) => counter.get_metric_with_label_values(&values)?.inc_by(value.max(0.0)),
            Some(Figure::Measured(histogram)) => histogram.get_metric_with_label_values(&values)?.observe(value),
            None => {}
        }
        Ok(())
    }

    fn begin(&self, name: &str, counted: bool, labels: &[&str]) -> prometheus::Result<Figure> {
        let help = format!("{name} of a deployment");
        if counted {
            let counter = CounterVec::new(Opts::new(format!("holdpoint_{}_total", words(name)), help), labels)?;
            self.registry.register(Box::new(counter.clone()))?;
            return Ok(Figure::Counted(counter));
        }
        let options = HistogramOpts::new(format!("holdpoint_{}_milliseconds", words(name)), help);
        let histogram = HistogramVec::new(options.buckets(BUCKETS.to_vec()), labels)?;
        self.registry.register(Box::new(histogram.clone()))?;
        Ok(Figure::Measured(histogram))
    }
}

/// All figures in Prometheus' text format, with what is so now.
///
/// # Errors
/// Two levels of one name have other labels, or a name is none.
pub fn text(now: &[Level]) -> Result<String, String> {
    let told = |error: prometheus::Error| error.to_string();
    let moment = Registry::new();
    let mut gauges: BTreeMap<&str, GaugeVec> = BTreeMap::new();
    for level in now {
        if !gauges.contains_key(level.name) {
            let names: Vec<&str> = level.labels.iter().map(|(name, _)| *name).collect();
            let gauge = GaugeVec::new(Opts::new(level.name, level.help), &names).map_err(told)?;
            moment.register(Box::new(gauge.clone())).map_err(told)?;
            gauges.insert(level.name, gauge);
        }
        let values: Vec<&str> = level.labels.iter().map(|(_, value)| value.as_str()).collect();
        if let Some(gauge) = gauges.get(level.name) {
            gauge.get_metric_with_label_values(&values).map_err(told)?.set(level.value);
        }
    }
    let mut families = figures().registry.gather();
    families.extend(moment.gather());
    let mut text = Vec::new();
    TextEncoder::new().encode(&families, &mut text).map_err(told)?;
    String::from_utf8(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn what_the_functions_measure_is_counted_under_its_own_name() {
        let subscriber = tracing_subscriber::registry().with(layer());
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..2 {
                metrics::Metrics::new("Holdpoint")
                    .dimension("Reason", "no \"proof\"")
                    .count("TestRefused", 3)
                    .in_all()
                    .emit(0);
            }
            metrics::Metrics::new("Holdpoint").put("TestTime", metrics::Unit::Milliseconds, 7.0).emit(0);
            tracing::info!(line = "of another target");
        });
        let level = |state: &str, value| Level {
            name: "holdpoint_test_level",
            help: "of this test",
            labels: vec![("state", state.to_owned())],
            value,
        };
        let text = text(&[level("one", 1.0), level("two", 2.0)]).unwrap();
        for line in [
            r#"holdpoint_test_refused_total{reason="no \"proof\""} 6"#,
            r#"holdpoint_test_time_milliseconds_bucket{le="10"} 1"#,
            r#"holdpoint_test_time_milliseconds_bucket{le="5"} 0"#,
            "holdpoint_test_time_milliseconds_sum 7",
            r#"holdpoint_test_level{state="one"} 1"#,
            r#"holdpoint_test_level{state="two"} 2"#,
            "# TYPE holdpoint_test_refused_total counter",
        ] {
            assert!(text.contains(line), "expected {line} in\n{text}");
        }
    }

    #[test]
    fn names_are_written_as_prometheus_writes_them() {
        for (name, expected) in [("ChangeToPacket", "change_to_packet"), ("Events", "events"), ("Overdue", "overdue")] {
            assert_eq!(words(name), expected);
        }
    }
}
