//! Every figure that an alarm or the dashboard names is emitted in a journey, with those dimensions.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    journeys::{of_all_scenarios, read, text},
    trouble::of_trouble,
};

const NAMESPACE: &str = "Holdpoint";
const ANY: &str = "*";

/// A metric: its name, and its dimensions with their values.
type Metric = (String, BTreeMap<String, String>);

/// What was emitted: what CloudWatch makes of a line of the embedded metric format.
fn emitted() -> BTreeSet<Metric> {
    let mut found = BTreeSet::new();
    for line in of_all_scenarios().iter().chain(of_trouble()).filter(|line| line.get("_aws").is_some()) {
        for directive in line["_aws"]["CloudWatchMetrics"].as_array().expect("directives") {
            assert_eq!(directive["Namespace"], NAMESPACE);
            for set in directive["Dimensions"].as_array().expect("sets of dimensions") {
                let names = set.as_array().expect("names").iter().map(|name| name.as_str().expect("a name"));
                let dimensions: BTreeMap<String, String> =
                    names.map(|name| (name.to_owned(), text(line, name).to_owned())).collect();
                for metric in directive["Metrics"].as_array().expect("metrics") {
                    let name = text(metric, "Name");
                    assert!(line[name].is_number(), "{name}: expected its value in {line}");
                    found.insert((name.to_owned(), dimensions.clone()));
                }
            }
        }
    }
    found
}

/// The template's own text: `!Sub` and its like say nothing about metrics.
fn template() -> Vec<String> {
    read("infra/template.yaml").lines().map(str::to_owned).collect()
}

/// A resource's lines, by the type it has.
fn resources(kind: &str) -> Vec<Vec<String>> {
    let mut found: Vec<Vec<String>> = Vec::new();
    let mut inside = false;
    for line in template() {
        let indent = line.len() - line.trim_start().len();
        if indent <= 2 && !line.trim().is_empty() && !line.trim_start().starts_with('#') {
            inside = false;
        }
        if line.trim() == format!("Type: {kind}") {
            found.push(Vec::new());
            inside = true;
        }
        if inside {
            found.last_mut().expect("begun above").push(line);
        }
    }
    assert!(!found.is_empty(), "infra/template.yaml: found no {kind}");
    found
}

fn member<'a>(resource: &'a [String], name: &str) -> Option<&'a str> {
    resource.iter().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':').map(str::trim))
}

/// Of `[{ Name: Disposition, Value: id_collision }]`.
fn dimensions(written: &str) -> BTreeMap<String, String> {
    let one = |part: &str| {
        let (name, value) = part.split_once(", Value:")?;
        let value = value.split(['}', ',']).next()?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    };
    written.split("Name:").skip(1).filter_map(one).collect()
}

#[test]
fn every_figure_of_an_alarm_is_emitted() {
    let emitted = emitted();
    let filtered: BTreeSet<String> = filters().into_iter().map(|(name, _)| name).collect();
    let mut seen = 0;
    for alarm in resources("AWS::CloudWatch::Alarm") {
        if member(&alarm, "Namespace") != Some(NAMESPACE) {
            continue;
        }
        let name = member(&alarm, "MetricName").expect("a metric").to_owned();
        if filtered.contains(&name) {
            continue;
        }
        let metric = (name, member(&alarm, "Dimensions").map(dimensions).unwrap_or_default());
        assert!(emitted.contains(&metric), "{metric:?} is emitted by no journey; these are: {emitted:?}");
        seen += 1;
    }
    assert!(seen >= 2, "found {seen} alarms on figures of ours");
}

/// Of `SEARCH('{Holdpoint,Kind} MetricName="NoticesSent"','Sum')`: whatever value its dimension has.
fn searched(expression: &str) -> Option<Metric> {
    let inner = expression.split_once("SEARCH('{")?.1;
    let (named, metric) = inner.split_once("} MetricName=\"")?;
    let (namespace, dimension) = named.split_once(',')?;
    assert_eq!(namespace, NAMESPACE, "{expression}");
    Some((metric.split('"').next()?.to_owned(), BTreeMap::from([(dimension.to_owned(), ANY.to_owned())])))
}

/// Lists of the dashboard that name a metric of ours: `["Holdpoint","Decisions","Outcome","held"]`. In the next list
/// `"..."` stands for all but the last word.
fn widgets() -> Vec<Metric> {
    let dashboard = resources("AWS::CloudWatch::Dashboard").remove(0);
    let body: Vec<&str> =
        dashboard.iter().map(String::as_str).skip_while(|line| !line.contains("DashboardBody")).skip(1).collect();
    let body: Value = serde_json::from_str(&body.join("\n")).expect("the dashboard's body as JSON");
    let mut found = Vec::new();
    for widget in body["widgets"].as_array().expect("widgets") {
        let mut before: Vec<String> = Vec::new();
        for list in widget["properties"]["metrics"].as_array().into_iter().flatten() {
            let words: Vec<String> =
                list.as_array().expect("a list").iter().filter_map(Value::as_str).map(str::to_owned).collect();
            let words = match words.first().map(String::as_str) {
                Some("...") => {
                    let kept = before.len() - (words.len() - 1);
                    [&before[..kept], &words[1..]].concat()
                }
                _ => words,
            };
            found.extend(list[0]["expression"].as_str().and_then(searched));
            if words.first().is_some_and(|first| first == NAMESPACE) {
                let pairs = words[2..].chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone()));
                found.push((words[1].clone(), pairs.collect()));
            }
            before = words;
        }
    }
    found
}

#[test]
fn every_figure_of_the_dashboard_is_emitted() {
    let emitted = emitted();
    let filtered: BTreeSet<String> = filters().into_iter().map(|(name, _)| name).collect();
    let widgets = widgets();
    assert!(widgets.len() > 5, "found {widgets:?}");
    for metric in widgets.iter().filter(|(name, _)| !filtered.contains(name)) {
        let is = |found: &&Metric| {
            let values =
                || found.1.iter().zip(&metric.1).all(|(found, by)| found == by || found.0 == by.0 && by.1 == ANY);
            found.0 == metric.0 && found.1.len() == metric.1.len() && values()
        };
        assert!(emitted.iter().any(|found| is(&found)), "{metric:?} is emitted by no journey; these are: {emitted:?}");
    }
}

/// A figure that is shown nowhere is paid for and read by nobody.
#[test]
fn every_figure_is_on_the_dashboard() {
    let shown: BTreeSet<String> = widgets().into_iter().map(|(name, _)| name).collect();
    let figures = emitted().into_iter().map(|(name, _)| name).chain(filters().into_iter().map(|(name, _)| name));
    for name in figures.collect::<BTreeSet<String>>() {
        assert!(shown.contains(&name), "{name}: expected on the dashboard, which shows {shown:?}");
    }
}

/// Metrics that a log filter counts, with the pattern: `{ $.error = "*is damaged*" }` or `{ $.level = "ERROR" }`.
fn filters() -> Vec<(String, String)> {
    let of = |filter: Vec<String>| {
        let pattern = member(&filter, "FilterPattern")?.trim_matches('\'').to_owned();
        let name = member(&filter, "MetricTransformations")?.split("MetricName:").nth(1)?;
        Some((name.split([',', '}']).next()?.trim().to_owned(), pattern))
    };
    resources("AWS::Logs::MetricFilter").into_iter().filter_map(of).collect()
}

#[test]
fn every_log_filter_counts_a_line_of_a_journey() {
    let filters = filters();
    assert!(!filters.is_empty());
    for (name, pattern) in filters {
        let (key, words) = pattern
            .strip_prefix("{ $.")
            .and_then(|rest| rest.strip_suffix("\" }")?.split_once(" = \""))
            .unwrap_or_else(|| panic!("{name}: a pattern of another form: {pattern}"));
        let inner = words.strip_prefix('*').and_then(|words| words.strip_suffix('*'));
        let counts = |found: &str| inner.map_or(found == words, |inner| found.contains(inner));
        assert!(of_trouble().iter().any(|line| counts(text(line, key))), "{name}: no line has {words:?} in {key:?}");
    }
}

/// Two answers are given in the story and the others are reminded: the figure rises with the mails and falls with answers.
#[test]
fn outstanding_answers_rise_with_the_telling_and_fall_with_the_answers() {
    let values: Vec<i64> = of_all_scenarios()
        .iter()
        .filter(|line| text(line, "review_id") == "RR-2026-1103")
        .filter_map(|line| line.get("AnswersOutstanding")?.as_f64())
        .map(|value| value as i64)
        .collect();
    let most = values.iter().max().copied().unwrap_or(0);
    let last = values.last().copied().unwrap_or(-1);
    assert!(most >= 2 && last <= most - 2, "{values:?}");
    assert!(values.windows(2).any(|pair| pair[1] > pair[0]) && values.windows(2).any(|pair| pair[1] < pair[0]));
}
