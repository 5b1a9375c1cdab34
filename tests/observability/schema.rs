//! Every line fits the published schema, and every key of the schema is found in some line.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    journeys::{of_all_scenarios, read},
    trouble::of_trouble,
};

fn schema() -> Value {
    serde_json::from_str(&read("infra/log-line.schema.json")).expect("the schema as JSON")
}

/// The keywords of JSON Schema that the file uses. Any other is refused, so that none is passed over unseen.
fn fits(value: &Value, schema: &Value, root: &Value) -> Result<(), String> {
    for (keyword, rule) in schema.as_object().expect("a schema is an object") {
        let sound = match keyword.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" | "properties" => true,
            "$ref" => {
                let pointer = rule.as_str().and_then(|text| text.strip_prefix('#')).expect("a reference in the file");
                fits(value, root.pointer(pointer).expect("what is referred to"), root)?;
                true
            }
            "oneOf" => {
                let of = rule.as_array().expect("a list");
                let refused: Vec<String> = of.iter().filter_map(|one| fits(value, one, root).err()).collect();
                if refused.len() + 1 != of.len() {
                    return Err(format!("{} of {} fit: {}", of.len() - refused.len(), of.len(), refused.join("; ")));
                }
                true
            }
            "type" => match rule.as_str().expect("a type") {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_i64() || value.is_u64(),
                "number" => value.is_number(),
                other => panic!("the type {other:?} is not known here"),
            },
            "enum" => rule.as_array().expect("a list").contains(value),
            "minLength" => value.as_str().is_none_or(|text| text.len() as u64 >= rule.as_u64().expect("a number")),
            "maxLength" => value.as_str().is_none_or(|text| text.len() as u64 <= rule.as_u64().expect("a number")),
            "format" => {
                assert_eq!(rule, "date-time", "the format is not known here");
                value.as_str().is_none_or(|text| refresh_core::Instant::parse(text).is_ok())
            }
            "required" => {
                rule.as_array().expect("a list").iter().all(|name| value.get(name.as_str().unwrap()).is_some())
            }
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    fits(item, rule, root)?;
                }
                true
            }
            "additionalProperties" => {
                assert_eq!(rule, false, "only a closed object is known here");
                for (name, member) in value.as_object().into_iter().flatten() {
                    let of =
                        schema["properties"].get(name).ok_or_else(|| format!("{name}: is no key of the schema"))?;
                    fits(member, of, root).map_err(|why| format!("{name}: {why}"))?;
                }
                true
            }
            other => panic!("the keyword {other:?} is not known here"),
        };
        if !sound {
            return Err(format!("{keyword}: expected {rule}, found {value}"));
        }
    }
    Ok(())
}

#[test]
fn every_line_fits_the_schema() {
    let schema = schema();
    for line in of_all_scenarios().iter().chain(of_trouble()) {
        fits(line, &schema, &schema).unwrap_or_else(|why| panic!("{why}\nin {line}"));
    }
}

/// What only the Lambda runtime adds.
const FROM_ELSEWHERE: [&str; 2] = ["function_request_id", "xray_trace_id"];

#[test]
fn every_key_of_the_schema_is_logged_by_some_journey() {
    let schema = schema();
    let lines = || of_all_scenarios().iter().chain(of_trouble());
    let logged: BTreeSet<&str> =
        lines().flat_map(|line| line.as_object().expect("an object").keys()).map(String::as_str).collect();
    for kind in ["happening", "figures"] {
        for key in schema["$defs"][kind]["properties"].as_object().expect("keys").keys() {
            let found = logged.contains(key.as_str()) != FROM_ELSEWHERE.contains(&key.as_str());
            assert!(found, "{kind}: {key}: expected in some line, or else among what comes from elsewhere");
        }
    }
}

#[test]
fn what_does_not_fit_is_found() {
    let schema = schema();
    let good = json!({
        "level": "INFO", "message": "told", "timestamp": "2026-11-03T09:02:00.000Z", "service": "notify",
        "location": "notify::round:7", "trace_id": "0".repeat(32), "version": 3
    });
    assert_eq!(fits(&good, &schema, &schema), Ok(()));
    for (key, bad) in [
        ("level", json!("LOUD")),
        ("message", json!(7)),
        ("timestamp", json!("yesterday")),
        ("trace_id", json!("abc")),
        ("version", json!("three")),
        ("address", json!("someone@example.com")),
    ] {
        let mut line = good.clone();
        line[key] = bad;
        assert!(fits(&line, &schema, &schema).is_err(), "{line}");
    }
    let mut line = good.clone();
    line.as_object_mut().expect("an object").remove("service");
    assert!(fits(&line, &schema, &schema).is_err(), "{line}");
    assert!(fits(&json!([good]), &schema, &schema).is_err());
}
