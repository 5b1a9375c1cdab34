//! The modules of `shared/sources` import each other in no circle: what a source says is read below what a policy binds, and
//! a policy is bound below what is asked. Nor do files of one crate, there and in the functions.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

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

/// The path of a module, from its crate's root.
type Module = Vec<String>;

/// Each file's module with its text, without its own tests.
fn modules(folder: &str) -> BTreeMap<Module, String> {
    let root = repository().join(folder);
    let module = |path: &std::path::Path| {
        let inside = path.strip_prefix(&root).expect("a file of the folder").with_extension("");
        let mut parts: Module = inside.iter().filter_map(|part| part.to_str()).map(str::to_owned).collect();
        parts.pop_if(|last| matches!(last.as_str(), "mod" | "lib"));
        parts
    };
    let code = |path: &std::path::Path| text(path).split("#[cfg(test)]\nmod ").next().unwrap_or_default().to_owned();
    files(folder, "rs").iter().map(|path| (module(path), code(path))).collect()
}

/// The file that a path leads to: through what modules hand on of their children's names. `None`: no file of the crate.
fn file_of(modules: &BTreeMap<Module, String>, path: &[String]) -> Option<Module> {
    let mut at: Module = Vec::new();
    for name in path {
        let inner: Module = at.iter().chain([name]).cloned().collect();
        if modules.contains_key(&inner) {
            at = inner;
            continue;
        }
        let children = modules.keys().filter(|child| child.len() == at.len() + 1 && child.starts_with(&at));
        let hands_on = |child: &&Module| {
            let handed = paths(modules.get(&at).map_or("", String::as_str), child.last().expect("a name"));
            handed.iter().any(|handed| handed.last() == Some(name))
        };
        let child = children.clone().find(hands_on).cloned();
        return child.or_else(|| modules.contains_key(&at).then_some(at));
    }
    modules.contains_key(&at).then_some(at)
}

/// The files that a file imports, by `crate`, `super`, and a child's own name.
fn imported(modules: &BTreeMap<Module, String>, module: &Module, code: &str) -> BTreeSet<Module> {
    let mut found: Vec<Module> = paths(code, "crate");
    for path in paths(code, "super") {
        let further = path.iter().take_while(|name| *name == "super").count();
        let above = module.len().saturating_sub(further + 1);
        found.push(module[..above].iter().chain(&path[further..]).cloned().collect());
    }
    for child in modules.keys().filter(|child| child.len() == module.len() + 1 && child.starts_with(module)) {
        let inner = paths(code, child.last().expect("a name")).into_iter();
        found.extend(inner.map(|path| child.iter().cloned().chain(path).collect::<Module>()));
    }
    let files = found.iter().filter_map(|path| file_of(modules, path));
    files.filter(|file| file != module).collect()
}

/// The files of a folder that import each other, or files that do; and how many imports were looked at. `passes`: whether an
/// import of a file counts.
fn circles(folder: &str, counts: impl Fn(&Module, &Module) -> bool) -> (Vec<String>, usize) {
    let modules = modules(folder);
    let imports = |(module, code): (&Module, &String)| {
        let to = imported(&modules, module, code).into_iter().filter(|to| counts(module, to)).collect();
        (module.clone(), to)
    };
    let mut left: BTreeMap<Module, BTreeSet<Module>> = modules.iter().map(imports).collect();
    let asked = left.values().map(BTreeSet::len).sum();
    loop {
        let free = |to: &BTreeSet<Module>| to.iter().all(|to| !left.contains_key(to));
        let done: Vec<Module> = left.iter().filter(|(_, to)| free(to)).map(|(module, _)| module.clone()).collect();
        if done.is_empty() {
            break;
        }
        done.iter().for_each(|module| drop(left.remove(module)));
    }
    let named = left.iter().map(|(module, to)| {
        let to = to.iter().filter(|to| left.contains_key(*to)).map(|to| to.join("::"));
        format!("{folder}: {} imports {}", module.join("::"), to.collect::<Vec<_>>().join(", "))
    });
    (named.collect(), asked)
}

/// A file that is read before another needs nothing of that other: whoever reads may begin at the bottom. What a folder's
/// files share has a file of its own, and is not the folder's own `mod.rs`, which imports them.
#[test]
fn files_of_the_sources_and_of_functions_import_each_other_in_no_circle() {
    let functions = fs::read_dir(repository().join("functions")).expect("functions").flatten();
    let functions = functions.filter_map(|entry| Some(format!("functions/{}/src", entry.file_name().to_str()?)));
    let mut asked = 0;
    for folder in functions.chain([SOURCES.to_owned()]) {
        let (found, imports) = circles(&folder, |_, _| true);
        assert!(found.is_empty(), "files in a circle, or above one:\n{}", found.join("\n"));
        asked += imports;
    }
    assert!(asked > 150, "imports are found: {asked}");
}

/// Elsewhere a file may use what the `mod.rs` above it declares, as every part of the store uses `Store`; files beside each
/// other import each other in no circle.
#[test]
fn files_beside_each_other_import_each_other_in_no_circle() {
    let mut asked = 0;
    for folder in ["shared/lambda-shell/src", "shared/presentation/src", "infra/local/src", "shared/packet-store/src"] {
        let (found, imports) = circles(folder, |file, to| !file.starts_with(to));
        assert!(found.is_empty(), "files in a circle, or above one:\n{}", found.join("\n"));
        asked += imports;
    }
    assert!(asked > 300, "imports are found: {asked}");
}
