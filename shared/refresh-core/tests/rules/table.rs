//! Reads a table and plays its rows.

use std::collections::BTreeSet;

use crate::{outcome, step, world::World};

/// One row, with the section it stands in.
struct Row<'a> {
    line: usize,
    section: &'a str,
    sentence: &'a str,
    steps: &'a str,
    outcome: &'a str,
}

/// `## section`, `# remark`, or `sentence | steps | outcome`. A line that begins with blanks continues the row above.
fn rows<'a>(name: &str, lines: &'a [(usize, String)]) -> Vec<Row<'a>> {
    let mut section = "";
    let mut rows = Vec::new();
    for (line, text) in lines {
        if let Some(heading) = text.strip_prefix("## ") {
            section = heading.trim();
            continue;
        }
        let cells: Vec<&str> = text.split(" | ").map(str::trim).collect();
        let [sentence, steps, outcome] = cells[..] else {
            panic!("{name}.txt, line {line}: a row is `sentence | steps | outcome`; found {} cells", cells.len());
        };
        rows.push(Row { line: *line, section, sentence, steps, outcome });
    }
    rows
}

fn lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        if text.trim().is_empty() || text.starts_with("# ") {
            continue;
        }
        match lines.last_mut() {
            Some((_, row)) if text.starts_with(' ') => {
                row.push(' ');
                row.push_str(text.trim());
            }
            _ => lines.push((line, text.trim_end().to_owned())),
        }
    }
    lines
}

/// Plays every row of a table, and prints all that fail as sentences.
pub fn play(name: &str, text: &str) {
    let lines = lines(text);
    let rows = rows(name, &lines);
    assert!(!rows.is_empty(), "{name}.txt has no rows");
    let failures: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let found = std::panic::catch_unwind(|| run(row)).unwrap_or_else(|_| Err("the core panicked".to_owned()));
            let because = found.err()?;
            Some(format!(
                "\n{name}.txt:{} ({}): {}.\n    After    {}\n    expected {}\n    but      {because}\n",
                row.line, row.section, row.sentence, row.steps, row.outcome
            ))
        })
        .collect();
    assert!(failures.is_empty(), "{} of {} rows fail\n{}", failures.len(), rows.len(), failures.concat());
}

fn run(row: &Row<'_>) -> Result<(), String> {
    let steps: Vec<&str> = row.steps.split(';').map(str::trim).filter(|step| !step.is_empty()).collect();
    let mut world = World::of(&steps)?;
    for step in steps {
        step::take(&mut world, step).map_err(|wrong| format!("the step `{step}` went wrong: {wrong}"))?;
    }
    world.settle_down()?;
    let claims: Vec<&str> = row.outcome.split(';').map(str::trim).filter(|claim| !claim.is_empty()).collect();
    if claims.is_empty() {
        return Err("the row claims nothing".to_owned());
    }
    let wrong: Vec<String> = claims.into_iter().filter_map(|claim| outcome::holds(&world, claim).err()).collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n             and ")) }
}

/// Every section that `design` names as `table § section` exists, and every section of the tables is named.
pub fn hold_against(design: &str, tables: &[(&str, &str)]) {
    let mut there = BTreeSet::new();
    for (name, text) in tables {
        let lines = lines(text);
        there.extend(rows(name, &lines).iter().map(|row| format!("{name} § {}", row.section)));
    }
    let named: BTreeSet<String> = design
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|code| code.contains(" § "))
        .flat_map(|code| {
            let (table, sections) = code.split_once(" § ").unwrap_or_default();
            sections.split(", ").map(move |section| format!("{table} § {section}")).collect::<Vec<_>>()
        })
        .collect();
    let unknown: Vec<_> = named.difference(&there).collect();
    let forgotten: Vec<_> = there.difference(&named).collect();
    assert!(unknown.is_empty(), "DESIGN.md names sections that no table has: {unknown:#?}");
    assert!(forgotten.is_empty(), "DESIGN.md names these sections nowhere: {forgotten:#?}");
}
