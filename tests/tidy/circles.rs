//! The modules of `shared/sources` import each other in no circle: what a source says is read below what a policy binds, and
//! a policy is bound below what is asked.

use std::collections::{BTreeMap, BTreeSet};

use holdpoint_tests::repository;

use crate::{files, rooms::paths, shown, text};

const SOURCES: &str = "shared/sources/src";

/// Each module at the crate's root with those that it imports, in whichever of its files.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let root = text(&repository().join(SOURCES).join("lib.rs"));
    let declared = root.lines().filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod "));
    let modules: BTreeSet<String> = declared.map(|name| name.trim_end_matches(';').to_owned()).collect();
    // `pub use fault::{Fault, Refused};` gives a module's names a second path.
    let exported = modules.iter().flat_map(|module| {
        let names = paths(&root, module).into_iter().filter_map(|path| path.last().cloned());
        names.map(move |name| (name, module.clone())).collect::<Vec<_>>()
    });
    let exported: BTreeMap<String, String> = exported.collect();
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in files(SOURCES, "rs") {
        let inside = path.strip_prefix(repository().join(SOURCES)).expect("a file of the crate").with_extension("");
        let module = inside.iter().next().and_then(|part| part.to_str()).expect("a module").to_owned();
        if module == "lib" {
            continue;
        }
        for path in paths(&text(&path), "crate") {
            let first = &path[0];
            let to = if modules.contains(first) { Some(first) } else { exported.get(first) };
            let to = to.unwrap_or_else(|| panic!("{module}: crate::{first}: expected a module of {SOURCES}"));
            if *to != module {
                imports.entry(module.clone()).or_default().insert(to.clone());
            }
        }
        assert!(modules.contains(&module), "{}: expected a module of lib.rs", shown(&path));
        imports.entry(module).or_default();
    }
    imports
}

#[test]
fn modules_of_the_sources_import_each_other_in_no_circle() {
    let mut left = imports();
    assert!(left["poll"].contains("native") && left["contract"].contains("reader"), "imports are found: {left:?}");
    loop {
        let free = |to: &BTreeSet<String>| to.iter().all(|to| !left.contains_key(to));
        let done: Vec<String> = left.iter().filter(|(_, to)| free(to)).map(|(module, _)| module.clone()).collect();
        if done.is_empty() {
            break;
        }
        done.iter().for_each(|module| drop(left.remove(module)));
    }
    assert!(left.is_empty(), "these modules import each other, or modules that do: {left:#?}");
}
