//! One flat JSON object a line, under the key names of Powertools: `level`, `message`, `timestamp`, `service`,
//! `location`, `function_request_id`, `xray_trace_id`, then what the spans and the event add.
//!
//! A handler that has found out what it works on says so once, to [`NOTE`]: every later line of that record or page carries
//! it, the one of its failure included.
//!
//! Never an address, a token or a body. Callers leave them out; what slips through in an error's text is masked here:
//! anything that reads like an e-mail address.

use std::{fmt, io::Write, sync::Once};

use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::metrics;

/// The target of events that write no line: their fields go with every later line of the span they are said in.
///
/// `tracing::info!(target: NOTE, review_id = %id, "")`
pub const NOTE: &str = "log_note";

/// Begins logging to standard output. Further calls do nothing.
pub fn start() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let service = std::env::var("POWERTOOLS_SERVICE_NAME").or_else(|_| std::env::var("AWS_LAMBDA_FUNCTION_NAME"));
        let lines = lines(service.unwrap_or_else(|_| "local".to_owned()), std::io::stdout, level());
        let started = tracing_subscriber::registry().with(lines).try_init();
        if started.is_ok() {
            std::panic::set_hook(Box::new(panicked));
        }
    });
}

/// What [`start`] installs, so that a test reads the very lines a deployment writes.
pub fn lines<S, O, W>(service: impl Into<String>, out: W, level: LevelFilter) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    O: Write + 'static,
    W: Fn() -> O + 'static,
{
    Lines::new(service, out).with_filter(filter(level))
}

fn level() -> LevelFilter {
    ["POWERTOOLS_LOG_LEVEL", "AWS_LAMBDA_LOG_LEVEL", "LOG_LEVEL"]
        .iter()
        .find_map(|name| std::env::var(name).ok()?.to_ascii_lowercase().parse().ok())
        .unwrap_or(LevelFilter::INFO)
}

/// The SDK and the HTTP stack log whole requests at finer levels: addresses and tokens among them.
fn filter(level: LevelFilter) -> Targets {
    let quiet = level.min(LevelFilter::WARN);
    let noisy = ["aws_", "hyper", "h2", "rustls", "tower", "mio", "lambda_runtime"];
    // The runtime's span carries the request id, so that one stays.
    Targets::new()
        .with_default(level)
        .with_targets(noisy.map(|name| (name, quiet)))
        .with_target("lambda_runtime::layers", level)
        .with_target(metrics::TARGET, LevelFilter::INFO)
        .with_target(NOTE, LevelFilter::INFO)
}

/// The hook for panics. Their text may quote anything, so only the place is logged.
pub fn panicked(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, "panicked");
}

/// Writes events as lines. Generic over where they go, so that a test reads them.
pub struct Lines<W> {
    service: String,
    out: W,
}

impl<O: Write, W: Fn() -> O + 'static> Lines<W> {
    /// A layer that writes the lines of `service` to `out`.
    pub fn new(service: impl Into<String>, out: W) -> Self {
        Self { service: service.into(), out }
    }

    fn write(&self, line: &str) {
        // A log that cannot be written must not fail the work it is about.
        let _ = (self.out)().write_all(format!("{line}\n").as_bytes());
    }
}

/// A span's own fields, kept with it.
struct Fields(Map<String, Value>);

impl<S, O, W> Layer<S> for Lines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    O: Write + 'static,
    W: Fn() -> O + 'static,
{
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        let mut fields = Map::new();
        attributes.record(&mut Collect(&mut fields));
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Fields(fields));
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(Fields(fields)) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(&mut Collect(fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut own = Map::new();
        event.record(&mut Collect(&mut own));
        let metadata = event.metadata();
        if metadata.target() == metrics::TARGET {
            // Already a line of its own format: CloudWatch reads it as it is.
            if let Some(Value::String(line)) = own.get(metrics::LINE) {
                self.write(line);
            }
            return;
        }
        if metadata.target() == NOTE {
            own.remove("message");
            if let Some(span) = context.event_span(event)
                && let Some(Fields(fields)) = span.extensions_mut().get_mut::<Fields>()
            {
                fields.extend(own);
            }
            return;
        }
        let mut line = Map::new();
        line.insert("level".into(), metadata.level().as_str().into());
        line.insert("message".into(), own.remove("message").unwrap_or_default());
        let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        line.insert("timestamp".into(), now.into());
        line.insert("service".into(), self.service.as_str().into());
        let place = metadata.line().map_or_else(String::new, |line| format!(":{line}"));
        line.insert("location".into(), format!("{}{place}", metadata.target()).into());
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(Fields(fields)) = span.extensions().get::<Fields>() {
                line.extend(fields.clone());
            }
        }
        line.extend(own);
        self.write(&Value::Object(line).to_string());
    }
}

/// Fields as JSON, texts masked, under the names of the glossary of logs.
struct Collect<'a>(&'a mut Map<String, Value>);

impl Collect<'_> {
    fn put(&mut self, field: &Field, value: Value) {
        let name = match field.name() {
            "requestId" => "function_request_id",
            "xrayTraceId" => "xray_trace_id",
            name => name,
        };
        self.0.insert(name.to_owned(), value);
    }
}

impl Visit for Collect<'_> {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, masked(value).into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, masked(&format!("{value:?}")).into());
    }
}

/// Replaces each run of address characters around an `@` by `***@***`. The lines of a function are masked anyway; whoever
/// else reads what is logged (the local engine's terminal) is given it so.
pub fn masked(text: &str) -> String {
    if !text.contains('@') && !text.contains("%40") {
        return text.to_owned();
    }
    let text = text.replace("%40", "@");
    let part = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('@') {
        out.push_str(rest[..at].trim_end_matches(part));
        out.push_str("***@***");
        rest = rest[at + 1..].trim_start_matches(part);
    }
    out.push_str(rest);
    out
}
