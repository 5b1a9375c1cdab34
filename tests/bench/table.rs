//! Figures as tables: all of a run for the terminal, and those that have a goal for the README.

use serde_json::Value;

const HEADS: [&str; 9] = ["figure", "of", "ours", "peer", "limit", "times better", "goal", "aim", "reached"];

/// Every figure of a run, in the order in which they were found.
pub fn whole(figures: &[Value]) -> String {
    table(&HEADS, figures.iter().map(|figure| HEADS.map(|head| cell(figure, head)).to_vec()))
}

/// The figures that have a goal, and the machine that they were measured on. Of several with one name, goal and unit the
/// worst alone stands for all, where there is no peer.
pub fn of_the_readme(measured: &Value) -> String {
    let all: Vec<&Value> = list(&measured["figures"]).filter(|figure| figure["goal"].is_string()).collect();
    let is_alone = |figure: &Value| figure["peer"].is_null() && figure["peer_absent"].is_null();
    let same = |one: &Value, other: &Value| ["figure", "goal", "unit"].iter().all(|name| one[*name] == other[*name]);
    let is_worst = |figure: &&&Value| {
        let ours = |figure: &Value| figure["ours"].as_f64().unwrap_or_default();
        !is_alone(figure) || all.iter().all(|other| !same(figure, other) || ours(other) <= ours(figure))
    };
    let heads: Vec<&str> = HEADS.into_iter().filter(|head| *head != "aim").collect();
    let rows = all.iter().filter(is_worst).map(|figure| heads.iter().map(|head| cell(figure, head)).collect());
    let machine = &measured["machine"];
    let said = |name: &str| machine[name].as_str().map_or_else(|| machine[name].to_string(), str::to_owned);
    let [processor, cores, memory, compiler, commit, load] =
        ["processor", "cores", "memory_gb", "compiler", "commit", "load_at_the_start"].map(said);
    format!(
        "{processor}, {cores} cores, {memory} GB, {compiler}, commit {commit}, load at the start {load}\n\n{}",
        table(&heads, rows)
    )
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn table(heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let ruled = format!("|{}\n", "---|".repeat(heads.len()));
    rows.fold(line(&heads) + &ruled, |table, cells| table + &line(&cells))
}

fn cell(figure: &Value, head: &str) -> String {
    let text = |name: &str| figure[name].as_str().unwrap_or_default().to_owned();
    let number = |name: &str| figure[name].as_f64().map(words).unwrap_or_default();
    match head {
        "ours" => format!("{} {}", number("ours"), text("unit")).trim().to_owned(),
        "peer" if figure["peer_absent"].is_string() => "absent".to_owned(),
        "peer" if figure["peer"].is_string() => format!("{} ({})", number("peer_value"), text("peer")),
        "limit" => number("limit"),
        "times better" => number("times_better"),
        other => text(other),
    }
}

/// A number as a reader wants it: three digits that say something, and thousands apart.
pub fn words(number: f64) -> String {
    match number.abs() {
        size if size >= 1_000.0 => {
            let digits = format!("{number:.0}");
            let mut grouped = String::new();
            for (place, digit) in digits.chars().enumerate() {
                if place > 0 && (digits.len() - place).is_multiple_of(3) {
                    grouped.push(',');
                }
                grouped.push(digit);
            }
            grouped
        }
        size if size >= 100.0 || number.fract() == 0.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}
