//! What a command prints with `--json`, held against the schema that is published for it.

use std::fs;

use serde_json::Value;

/// A JSON text held against a published schema.
pub fn fits(schema: &str, value: &Value) {
    let path = format!("{}/../../events/schemas/commands/{schema}.json", env!("CARGO_MANIFEST_DIR"));
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let against: Vec<String> = validator.iter_errors(value).map(|error| error.to_string()).collect();
    assert!(against.is_empty(), "{against:?}: {value}");
}
