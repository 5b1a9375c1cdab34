//! The rooms of the core: imports run down the list, and never in a circle.

use std::collections::{BTreeMap, BTreeSet};

use holdpoint_tests::repository;

use crate::{files, shown, text};

const CORE: &str = "shared/refresh-core/src";

/// From the lowest to the highest. A file imports from its own room and from lower ones.
const ROOMS: [&str; 7] = ["base", "facts", "record", "choice", "audience", "telling", "decide"];

/// A file of the core: its room and its name there.
type File = (String, String);

/// Every path that starts at `root`, in `use` trees and in code: without `root`, one list of names a leaf.
pub fn paths(source: &str, root: &str) -> Vec<Vec<String>> {
    let code: String = source.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n");
    let start = format!("{root}::");
    let mut found = Vec::new();
    for (at, _) in code.match_indices(&start) {
        let inside = code[..at].ends_with(|before: char| before.is_alphanumeric() || matches!(before, '_' | ':' | '$'));
        if !inside {
            branch(&mut code[at + start.len()..].chars().peekable(), &[], &mut found);
        }
    }
    found
}

/// One branch of a tree of paths: `a::b`, `a::{b, c as d}`, `a::*`.
fn branch(text: &mut std::iter::Peekable<std::str::Chars<'_>>, above: &[String], found: &mut Vec<Vec<String>>) {
    let mut path = above.to_vec();
    loop {
        while text.next_if(|next| next.is_whitespace()).is_some() {}
        if text.next_if_eq(&'{').is_some() {
            while text.peek().is_some() && text.next_if_eq(&'}').is_none() {
                branch(text, &path, found);
                // ` as name`: the new name is no path.
                while text.next_if(|next| !matches!(next, ',' | '}')).is_some() {}
                while text.next_if(|next| next.is_whitespace() || *next == ',').is_some() {}
            }
            return;
        }
        let mut name = String::new();
        while let Some(next) = text.next_if(|next| next.is_alphanumeric() || matches!(next, '_' | '*')) {
            name.push(next);
        }
        if name.is_empty() {
            text.next();
            break;
        }
        if name != "self" {
            path.push(name);
        }
        let mut ahead = text.clone();
        if (ahead.next(), ahead.next()) != (Some(':'), Some(':')) {
            break;
        }
        *text = ahead;
    }
    found.push(path);
}

/// The names at the crate's root and the files that they come from.
fn root_names() -> BTreeMap<String, File> {
    let source = text(&repository().join(CORE).join("lib.rs"));
    let names = paths(&source, "base").into_iter().map(|path| match &path[..] {
        [file, name] => (name.clone(), ("base".to_owned(), file.clone())),
        other => panic!("lib.rs: base::{}: expected a name of a file of base", other.join("::")),
    });
    names.collect()
}

/// Each file of the core with the files that it imports.
fn imports() -> BTreeMap<File, BTreeSet<File>> {
    let roots = root_names();
    let mut sources = BTreeMap::new();
    for path in files(CORE, "rs") {
        let inside = path.strip_prefix(repository().join(CORE)).expect("a file of the core").with_extension("");
        let parts: Vec<&str> = inside.iter().filter_map(|part| part.to_str()).collect();
        match parts[..] {
            ["lib"] | [_, "mod"] => {}
            [room, file] if ROOMS.contains(&room) => {
                drop(sources.insert((room.to_owned(), file.to_owned()), text(&path)));
            }
            _ => panic!("{}: expected a file in one of the rooms {ROOMS:?}", shown(&path)),
        }
    }
    let all: BTreeSet<File> = sources.keys().cloned().collect();
    let import = |file: &File, path: &[String]| match path {
        [name, ..] if roots.contains_key(name) => roots[name].clone(),
        [room, name, ..] if all.contains(&(room.clone(), name.clone())) => (room.clone(), name.clone()),
        other => panic!("{}/{}: crate::{}: expected a file of a room", file.0, file.1, other.join("::")),
    };
    sources
        .iter()
        .map(|(file, source)| {
            let found = paths(source, "crate").iter().map(|path| import(file, path)).filter(|to| to != file).collect();
            (file.clone(), found)
        })
        .collect()
}

fn rank(room: &str) -> usize {
    ROOMS.iter().position(|name| *name == room).expect("one of the rooms")
}

/// What a stranger reads first knows nothing of what a stranger reads last.
#[test]
fn imports_of_the_core_run_down_its_rooms() {
    for ((room, file), imports) in imports() {
        for (to, name) in imports {
            assert!(
                rank(&to) <= rank(&room),
                "{room}/{file}.rs imports {to}/{name}.rs; expected imports down the list {ROOMS:?}"
            );
        }
    }
}

/// Files that import each other in a circle are one file in several pieces.
#[test]
fn no_files_of_the_core_import_each_other_in_a_circle() {
    let mut left = imports();
    loop {
        let done: Vec<File> = left
            .iter()
            .filter(|(_, to)| !to.iter().any(|to| left.contains_key(to)))
            .map(|(file, _)| file.clone())
            .collect();
        if done.is_empty() {
            break;
        }
        done.iter().for_each(|file| drop(left.remove(file)));
    }
    let circle: Vec<String> = left.keys().map(|(room, file)| format!("{room}/{file}.rs")).collect();
    assert!(circle.is_empty(), "these files import each other, or files that do: {circle:?}");
}

/// `super::` would hide an import from the two rows above; a module's tests may look at their own file.
#[test]
fn files_of_the_core_name_each_other_from_the_root() {
    for path in files(CORE, "rs") {
        let source = text(&path);
        let code = source.split("#[cfg(test)]").next().unwrap_or("");
        assert!(!code.contains("super::"), "{}: expected `crate::` instead of `super::`", shown(&path));
    }
}

/// Two paths to one item are two words for one idea.
#[test]
fn names_at_the_root_of_the_core_are_imported_from_there() {
    let roots = root_names();
    for group in ["functions", "shared", "infra", "tests"] {
        for file in files(group, "rs") {
            let source = text(&file);
            for path in paths(&source, "refresh_core").into_iter().chain(paths(&source, "crate")) {
                if let [room, module, name, ..] = &path[..] {
                    let double = room == "base" && roots.get(name).is_some_and(|(_, home)| home == module);
                    assert!(!double, "{}: expected `{name}` from the crate's root", shown(&file));
                }
            }
        }
    }
}

/// The list in `lib.rs` is what a stranger reads first.
#[test]
fn the_table_of_contents_lists_every_room_from_the_top() {
    let source = text(&repository().join(CORE).join("lib.rs"));
    let listed: Vec<&str> =
        source.lines().filter_map(|line| line.strip_prefix("//! | [`")?.split('`').next()).collect();
    let rooms: Vec<&str> = ROOMS.into_iter().rev().collect();
    assert_eq!(listed, rooms, "{CORE}/lib.rs");
}

#[test]
fn paths_are_read_out_of_trees_and_code() {
    let of = |source: &str| -> Vec<String> { paths(source, "crate").iter().map(|path| path.join("::")).collect() };
    assert_eq!(of("use crate::a::B;"), ["a::B"]);
    assert_eq!(of("use crate::{A, b::{self, C, d::*},\n  e::F as G};"), ["A", "b", "b::C", "b::d::*", "e::F"]);
    assert_eq!(of("let x = crate::a::b(crate::C::D);"), ["a::b", "C::D"]);
    assert_eq!(of("fn f(x: &crate::a::B, y: u8) -> crate::C {}"), ["a::B", "C"]);
    assert_eq!(of("// crate::a::B\nlet x = mycrate::a::B;"), [""; 0]);
}
