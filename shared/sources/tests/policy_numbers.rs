//! Every number of the policy's rules: its range, that both ends work, and that what lies beyond is a fault that names
//! the number. The list is held against the published schema, so a new number is a new row.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value, json};
use sources::policy;

/// A year and a day.
const LONG: i64 = 366 * 24 * 60;

/// A number, its smallest and its largest value, and what else must be set for the smallest and for the largest to work.
type Row = (&'static str, i64, i64, &'static str, &'static str);

const NUMBERS: [Row; 16] = [
    ("grid_minutes", 5, 1_440, "{}", "{}"),
    ("min_notice_minutes", 0, LONG, "{}", "{}"),
    ("min_decision_minutes", 0, LONG - 1, "{}", r#"{"adoption_deadline_minutes": 527040, "quiet_seconds": 0}"#),
    ("evidence_buffer_minutes", 0, LONG, "{}", "{}"),
    ("evidence_grace_minutes", 0, LONG, "{}", "{}"),
    ("overdue_lead_minutes", 0, LONG, "{}", "{}"),
    ("lead_before_cutover_minutes", 0, LONG, "{}", "{}"),
    ("freeze_edge_minutes", 0, LONG, "{}", "{}"),
    ("quiet_seconds", 0, 3_600, "{}", "{}"),
    ("adoption_deadline_minutes", 1, LONG, r#"{"quiet_seconds": 0, "min_decision_minutes": 0}"#, "{}"),
    ("remind_before_expiry_minutes", 1, LONG / 2, "{}", r#"{"adoption_deadline_minutes": 527040}"#),
    ("acknowledge_within_minutes", 2, LONG, r#"{"remind_every_minutes": 1}"#, "{}"),
    ("remind_every_minutes", 1, LONG - 1, "{}", r#"{"acknowledge_within_minutes": 527040}"#),
    ("escalate_after_minutes", 0, LONG, "{}", "{}"),
    ("churn.proposals", 1, 1_000, "{}", "{}"),
    ("churn.within_minutes", 1, LONG, "{}", "{}"),
];

/// The rules with one number set, and what goes with it.
fn with(name: &str, value: Value, beside: &str) -> Value {
    let mut rules: Value = serde_json::from_str(beside).expect("what goes with it");
    match name.split_once('.') {
        Some((object, member)) => {
            rules[object] = json!({"proposals": 3, "within_minutes": 30});
            rules[object][member] = value;
        }
        None => rules[name] = value,
    }
    rules
}

/// What a policy with these rules is refused for: the path, and what was expected there.
fn refused(rules: &Value) -> Vec<String> {
    let source = json!({"kind": "evidence", "source": "//ci", "governed_by": "re@example.com"});
    let text = json!({"sources": [source], "defaults": rules}).to_string();
    let faults = policy::read_file(&text).err().unwrap_or_default();
    faults.into_iter().map(|fault| format!("{} {}", fault.path, fault.expected)).collect()
}

#[test]
fn both_ends_of_a_range_work_and_what_lies_beyond_is_named() {
    for (name, least, most, with_least, with_most) in NUMBERS {
        // Where two numbers do not fit together, the fault stands at one of them and names both.
        let named =
            |fault: &String| fault.contains(&format!("$.defaults.{name}")) || fault.contains(&format!("`{name}`"));
        for (value, beside) in [(least, with_least), (most, with_most)] {
            assert_eq!(refused(&with(name, value.into(), beside)), [""; 0], "{name} {value}");
        }
        for (value, beside) in [
            (json!(least - 1), with_least),
            (json!(-1), with_least),
            (json!(i64::MIN), with_least),
            (json!(most + 1), with_most),
            (json!(i64::MAX), with_most),
            (json!(u64::MAX), with_most),
            (json!(1.5), "{}"),
            (json!("30"), "{}"),
            (json!(true), "{}"),
            (json!([30]), "{}"),
        ] {
            let found = refused(&with(name, value.clone(), beside));
            assert!(found.iter().any(named), "{name} {value}: refused are {found:?}");
        }
        let nothing = refused(&with(name, Value::Null, "{}"));
        assert_eq!(nothing.is_empty(), name == "overdue_lead_minutes", "{name}: none");
    }
}

/// The numbers of an object of the schema, with the ranges that stand there.
fn numbers(object: &Value, before: &str, found: &mut BTreeMap<String, (i64, i64)>) {
    for (name, member) in object["properties"].as_object().into_iter().flatten() {
        let choices = member["anyOf"].as_array().into_iter().flatten();
        for one in choices.chain([member]) {
            if let (Some(least), Some(most)) = (one["minimum"].as_i64(), one["maximum"].as_i64()) {
                found.insert(format!("{before}{name}"), (least, most));
            }
            numbers(one, &format!("{before}{name}."), found);
        }
    }
}

/// Where two numbers must fit together, the schema can say less than the reader.
#[test]
fn every_number_of_the_schema_has_its_row() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/schemas/policy.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let schema: Value = serde_json::from_str(&text).expect("a schema");
    let mut found = BTreeMap::new();
    numbers(&schema["$defs"]["rules"], "", &mut found);
    let rows: Vec<&str> = NUMBERS.iter().map(|row| row.0).collect();
    let mut sorted = rows.clone();
    sorted.sort_unstable();
    assert_eq!(found.keys().map(String::as_str).collect::<Vec<_>>(), sorted);
    for (name, least, most, ..) in NUMBERS {
        let (low, high) = found[name];
        let together = ["min_decision_minutes", "remind_before_expiry_minutes", "acknowledge_within_minutes"];
        let narrower = together.contains(&name) || name == "remind_every_minutes";
        assert!(low <= least && most <= high, "{name}: {least} to {most} in the schema's {low} to {high}");
        assert!(narrower || (low, high) == (least, most), "{name}: the schema says {low} to {high}");
    }
}
