//! CloudWatch's embedded metric format: one JSON line with what is measured and what it belongs to.
//!
//! Lines go through the log's own writer, so that a process without one (a test, the local engine) prints nothing.

use serde_json::{Map, Value, json};

/// The log target whose events are written as they are.
pub const TARGET: &str = "embedded_metric_format";
/// The field of such an event that holds the line.
pub const LINE: &str = "line";

/// The unit of a figure, by CloudWatch's own name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// A number of things.
    Count,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// No unit.
    None,
}

impl Unit {
    const fn word(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Milliseconds => "Milliseconds",
            Self::Seconds => "Seconds",
            Self::Bytes => "Bytes",
            Self::None => "None",
        }
    }
}

/// The metrics of one happening. The names are constants of the caller's.
#[derive(Clone, Debug)]
pub struct Metrics {
    namespace: &'static str,
    dimensions: Vec<(&'static str, String)>,
    in_all: bool,
    values: Vec<(&'static str, Unit, f64)>,
    properties: Vec<(&'static str, Value)>,
}

impl Metrics {
    /// No figure yet, in this namespace of CloudWatch.
    pub const fn new(namespace: &'static str) -> Self {
        Self { namespace, dimensions: Vec::new(), in_all: false, values: Vec::new(), properties: Vec::new() }
    }

    /// Few values only: each combination is a metric of its own that is paid for.
    pub fn dimension(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.dimensions.push((name, value.into()));
        self
    }

    /// The same figures without their dimensions as well: an alarm reads one metric, and "many, whatever the reason" is no
    /// sum that it could search for.
    pub const fn in_all(mut self) -> Self {
        self.in_all = true;
        self
    }

    /// Adds a figure.
    pub fn put(mut self, name: &'static str, unit: Unit, value: f64) -> Self {
        self.values.push((name, unit, value));
        self
    }

    /// Adds a number of things.
    pub fn count(self, name: &'static str, count: usize) -> Self {
        // Counts here are far below the 2^53 that a double holds exactly.
        self.put(name, Unit::Count, count as f64)
    }

    /// Searchable beside the metric without being part of it, like an id.
    pub fn property(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.properties.push((name, value.into()));
        self
    }

    /// The line. `None` where nothing was measured.
    pub fn line(&self, at_millis: i64) -> Option<String> {
        if self.values.is_empty() {
            return None;
        }
        let dimensions: Vec<_> = self.dimensions.iter().map(|(name, _)| *name).collect();
        let metrics: Vec<_> =
            self.values.iter().map(|(name, unit, _)| json!({ "Name": name, "Unit": unit.word() })).collect();
        let mut sets = vec![dimensions];
        if self.in_all {
            sets.push(Vec::new());
        }
        let directive = json!({ "Namespace": self.namespace, "Dimensions": sets, "Metrics": metrics });
        let mut line = Map::new();
        line.insert("_aws".into(), json!({ "Timestamp": at_millis, "CloudWatchMetrics": [directive] }));
        line.extend(self.properties.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        line.extend(self.dimensions.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())));
        line.extend(self.values.iter().map(|(name, _, value)| ((*name).to_owned(), (*value).into())));
        Some(Value::Object(line).to_string())
    }

    /// Writes the figures to the log, as one line of the embedded metric format.
    pub fn emit(&self, at_millis: i64) {
        // No line is made that nobody writes.
        if tracing::enabled!(target: TARGET, tracing::Level::INFO)
            && let Some(line) = self.line(at_millis)
        {
            tracing::info!(target: TARGET, line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_in_the_embedded_metric_format() {
        let metrics = Metrics::new("Bundle")
            .dimension("service", "notify")
            .count("sent", 2)
            .put("change_to_packet", Unit::Milliseconds, 12.5)
            .property("id", "R-1");
        let line: Value = serde_json::from_str(&metrics.line(1_000).unwrap()).unwrap();
        assert_eq!(
            line,
            json!({
                "_aws": { "Timestamp": 1000, "CloudWatchMetrics": [{
                    "Namespace": "Bundle", "Dimensions": [["service"]],
                    "Metrics": [{ "Name": "sent", "Unit": "Count" }, { "Name": "change_to_packet", "Unit": "Milliseconds" }]
                }] },
                "service": "notify", "sent": 2.0, "change_to_packet": 12.5, "id": "R-1"
            })
        );
        let line: Value = serde_json::from_str(&metrics.in_all().line(1_000).unwrap()).unwrap();
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["service"], []]));
        assert_eq!(Metrics::new("Bundle").dimension("service", "x").line(0), None);
    }
}
