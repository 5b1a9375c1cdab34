//! The questions of a binding at an instant.
//!
//! Times stand in an address as placeholders, and are whole days: within one day the same is asked, so that an unchanged
//! answer can be known by its server's `ETag`, and with the next day the horizon goes on.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use refresh_core::{
    Instant,
    base::{digest::Digest, hex, instant::DAY},
};
use serde_json::{Map, Value, json};

use crate::native::{
    Format, NamedBinding,
    binding::{
        Binding, Says,
        system::{self, AskedAs, BatchBody, CREDENTIAL, System},
    },
};

/// Letters and digits alone stand for themselves in a value, and what no address gives a meaning.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Questions whose answers are one snapshot together.
#[derive(Clone, PartialEq, Debug)]
pub struct Group {
    /// A digest of what is asked: what was known of one question is never taken for another's.
    pub key: String,
    /// In order.
    pub questions: Vec<Question>,
}

/// One question, with every page of its answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Question {
    /// The address, with [`CREDENTIAL`] in it where the credential belongs there.
    pub url: String,
    /// What is posted; `None`: the question is a GET.
    pub body: Option<Value>,
    /// Headers that the system's answers depend on.
    pub headers: Vec<(&'static str, &'static str)>,
    /// What the translator is told of the question.
    pub request: Option<Value>,
    /// Of a snapshot of several tables: which.
    pub table: Option<&'static str>,
}

struct AskedTimes {
    from: Instant,
    to: Instant,
    days: i64,
}

impl AskedTimes {
    fn of(binding: &Binding, now: Instant) -> Self {
        let days = match &binding.says {
            Says::Calendar(poll) => poll.horizon_days,
            Says::Oncall(oncall) => oncall.poll.horizon_days,
            Says::Freezes(schedules) => schedules.horizon_days,
            _ => 60,
        };
        let from = Instant::from_millis(now.millis() - now.millis().rem_euclid(DAY));
        Self { from, to: from.plus_millis(days * DAY), days }
    }

    fn date(at: Instant) -> String {
        at.to_utc().format("%Y-%m-%d").to_string()
    }

    /// A template with every placeholder but the credential's replaced.
    fn expand(&self, template: &str, person: &str, schedule: &str) -> String {
        let encoded = |text: &str| utf8_percent_encode(text, VALUE).to_string();
        let mut url = template.to_owned();
        for (placeholder, value) in [
            ("{from}", self.from.to_string()),
            ("{to}", self.to.to_string()),
            ("{from_date}", Self::date(self.from)),
            ("{to_date}", Self::date(self.to)),
            ("{days}", self.days.to_string()),
            ("{person}", person.to_owned()),
            ("{schedule}", schedule.to_owned()),
        ] {
            url = url.replace(placeholder, &encoded(&value));
        }
        url
    }
}

/// The questions of a binding. Empty where the binding is not polled.
pub fn groups(bound: &NamedBinding, now: Instant) -> Vec<Group> {
    let (Some(target), Some(system)) = (&bound.poll, system::of(bound.binding.format)) else { return Vec::new() };
    let times = AskedTimes::of(&bound.binding, now);
    let format = bound.binding.format;
    let question = |template: &str, person: &str, schedule: &str| Question {
        url: times.expand(template, person, schedule),
        body: None,
        headers: headers(format),
        request: None,
        table: None,
    };
    let url = target.url_of(None);
    let once = || question(url, "", "");
    let groups = match system.asked {
        AskedAs::Once { request } => {
            let mut once = once();
            once.request = request.then(|| asked(&once.url, None));
            vec![vec![once]]
        }
        AskedAs::EachPerson { .. } if !url.contains("{person}") => vec![vec![once()]],
        AskedAs::EachPerson { member, .. } => {
            let of = |name: &str| {
                let mut question = question(url, name, "");
                question.request = Some(match format {
                    Format::IcalVevent => json!({ "person": name, "start": times.from, "end": times.to }),
                    _ => asked(&question.url, Some((member, name))),
                });
                vec![question]
            };
            bound.binding.names().into_iter().flatten().map(of).collect()
        }
        AskedAs::Batches(body) => {
            let of = |names: Vec<&str>| {
                let body = batch(body, &names, &times);
                vec![Question { request: Some(body.clone()), body: Some(body), ..once() }]
            };
            batches(bound.binding.names(), body.most()).into_iter().map(of).collect()
        }
        AskedAs::EachSchedule { member } => {
            let of = |schedule: &String| {
                let mut question = question(url, "", schedule);
                question.request = Some(asked(&question.url, member.map(|member| (member, schedule.as_str()))));
                question
            };
            vec![schedules(&bound.binding).iter().map(of).collect()]
        }
        AskedAs::Tables(tables) => {
            let of =
                |table: &&'static str| Question { table: Some(table), ..question(target.url_of(Some(table)), "", "") };
            vec![tables.iter().map(of).collect()]
        }
    };
    groups.into_iter().map(group).collect()
}

fn group(questions: Vec<Question>) -> Group {
    let asked: Vec<(&str, &Option<Value>)> = questions.iter().map(|one| (one.url.as_str(), &one.body)).collect();
    let key = hex::written(&Digest::of("holdpoint.poll.question.v1", &asked).first_half());
    Group { key, questions }
}

/// What the translator must be told: the query's parameters by name, those that repeat or end in `[]` as lists. Parameters
/// that only page say nothing of what was asked.
fn asked(url: &str, named: Option<(&str, &str)>) -> Value {
    const PAGING: [&str; 8] = ["offset", "limit", "page", "perpage", "pageToken", "maxResults", "page_size", "$top"];
    let mut request = Map::new();
    let query = url.split_once('?').map_or("", |(_, query)| query.split('#').next().unwrap_or_default());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if PAGING.contains(&&*name) || value == CREDENTIAL {
            continue;
        }
        let value = match &*value {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            text => Value::from(text),
        };
        match request.get_mut(&*name) {
            Some(Value::Array(list)) => list.push(value),
            Some(one) => *one = json!([one.take(), value]),
            None if name.ends_with("[]") => drop(request.insert(name.into_owned(), json!([value]))),
            None => drop(request.insert(name.into_owned(), value)),
        }
    }
    if let Some((member, name)) = named {
        request.insert(member.to_owned(), name.into());
    }
    request.into()
}

/// Names in questions of at most so many. The names of one person stay together, as far as one question holds them: their
/// calendars are then one snapshot.
fn batches(names: Vec<Vec<&str>>, most: usize) -> Vec<Vec<&str>> {
    let mut batches: Vec<Vec<&str>> = Vec::new();
    for part in names.iter().flat_map(|of_one| of_one.chunks(most)) {
        match batches.last_mut().filter(|last| last.len() + part.len() <= most) {
            Some(last) => last.extend(part),
            None => batches.push(part.to_vec()),
        }
    }
    batches
}

fn batch(body: BatchBody, people: &[&str], times: &AskedTimes) -> Value {
    let local =
        |at: Instant| json!({ "dateTime": at.to_utc().format("%Y-%m-%dT%H:%M:%S").to_string(), "timeZone": "UTC" });
    match body {
        BatchBody::GetSchedule => json!({
            "schedules": people, "startTime": local(times.from), "endTime": local(times.to),
            "availabilityViewInterval": 30,
        }),
        BatchBody::FreeBusy => {
            let items: Vec<Value> = people.iter().map(|name| json!({ "id": name })).collect();
            json!({ "timeMin": times.from, "timeMax": times.to, "items": items })
        }
    }
}

/// Zones in which an answer is written depend on a header.
fn headers(format: Format) -> Vec<(&'static str, &'static str)> {
    let accept = match format {
        Format::IcalVfreebusy | Format::IcalVevent => "text/calendar, */*;q=0.1",
        Format::RosterCsv => "text/csv, */*;q=0.1",
        Format::GithubWorkflowRun | Format::GithubCheckSuite => "application/vnd.github+json",
        _ => "application/json",
    };
    let mut headers = vec![("accept", accept)];
    if matches!(format, Format::GraphGetSchedule | Format::GraphCalendarView) {
        headers.push(("prefer", "outlook.timezone=\"UTC\""));
    }
    headers
}

fn schedules(binding: &Binding) -> Vec<String> {
    match &binding.says {
        Says::Oncall(oncall) => oncall.schedules.iter().cloned().collect(),
        _ => Vec::new(),
    }
}

/// How the system of a binding is asked, for whoever follows the pages.
pub fn system_of(bound: &NamedBinding) -> Option<System> {
    system::of(bound.binding.format)
}
