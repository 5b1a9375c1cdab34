//! One name, one type: who reads a name knows which type is meant.

use std::{collections::BTreeMap, path::PathBuf};

use crate::{files, shown, text};

/// Names that several crates give to a type of their own, each with its reason.
const SHARED: [(&str, &str); 1] = [("Env", "each function has its own environment, and never sees another's")];

/// Types of a source file, public and private ones. What an `impl` calls its associated types has no name of its own.
fn types(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]\nmod ").next().unwrap_or("");
    let mut found = Vec::new();
    for line in source.lines() {
        let code = line.trim_start();
        let code = match code.strip_prefix("pub") {
            Some(rest) => rest.trim_start_matches(|next: char| next != ' ').trim_start(),
            None => code,
        };
        let Some((word, rest)) = code.split_once(' ') else { continue };
        let alias = word == "type" && !line.starts_with(' ');
        if alias || matches!(word, "struct" | "enum" | "trait" | "union") {
            let name: String = rest.chars().take_while(|next| next.is_alphanumeric() || *next == '_').collect();
            found.extend((!name.is_empty()).then_some(name));
        }
    }
    found
}

/// The sources of the product: shared crates and functions. The local engine and the tests speak of other things, AWS's
/// queues or a judge's case, and use the words of those.
fn sources() -> Vec<PathBuf> {
    let all = ["shared", "functions"].into_iter().flat_map(|group| files(group, "rs"));
    let of_tests =
        |path: &PathBuf| path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs");
    all.filter(|path| !of_tests(path)).collect()
}

#[test]
fn a_name_means_one_type() {
    let mut defined: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in sources() {
        for name in types(&text(&path)) {
            defined.entry(name).or_default().push(shown(&path));
        }
    }
    defined.retain(|name, homes| homes.len() > 1 && !SHARED.iter().any(|(shared, _)| shared == name));
    assert!(defined.is_empty(), "expected one type a name; found several: {defined:#?}");
}

#[test]
fn types_are_found_whoever_may_see_them() {
    let source = "pub struct A;\n    pub(crate) enum B<'a> {}\ntype C = u8;\nimpl X for Y {\n    type D = u8;\n}\ntrait E {}\n// struct F\n#[cfg(test)]\nmod tests {\n struct G;\n}\n";
    assert_eq!(types(source), ["A", "B", "C", "E"]);
}
