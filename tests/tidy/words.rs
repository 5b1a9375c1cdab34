//! The glossary's words are the code's words.

use holdpoint_tests::repository;

use crate::{files, text};

/// A type that the glossary names and the core has not is a word that somebody renamed in one place alone.
#[test]
fn the_glossarys_types_are_the_cores() {
    let core: String = files("shared/refresh-core/src", "rs").iter().map(|path| text(path)).collect();
    let glossary = text(&repository().join("shared/refresh-core/GLOSSARY.md"));
    let mut named = 0;
    for row in glossary.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| word")) {
        let types = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        for name in types.split('`').skip(1).step_by(2) {
            let ends = |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
            let defined = ["pub struct ", "pub enum "].iter().any(|keyword| {
                let definition = format!("{keyword}{name}");
                core.match_indices(&definition).any(|(at, _)| ends(&core[at + definition.len()..]))
            });
            // The names of `base::name` are made by a macro: `ReviewId: identifier,`.
            let made = core.contains(&format!("    {name}: "));
            assert!(defined || made, "GLOSSARY.md names `{name}`: expected a type of the core; row: {row}");
            named += 1;
        }
    }
    assert!(named > 20, "the glossary names {named} types");
}
