//! What shells and manual readers get, made from the command line's own definition.

use std::{fs, path::Path};

use clap::CommandFactory;
use clap_complete::Shell;
use serde_json::json;

use super::{Common, Failed, Line, print, say};

/// Prints the script that completes this command line.
///
/// # Errors
/// Standard output cannot be written.
pub fn completions(common: &Common, shell: Shell) -> Result<(), Failed> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Line::command(), "holdpoint", &mut script);
    let script = String::from_utf8_lossy(&script);
    if common.json { print(json!({ "shell": shell.to_string(), "script": script })) } else { print(script.trim_end()) }
}

/// Writes a page a command: `holdpoint.1`, `holdpoint-events.1`.
///
/// # Errors
/// The folder cannot be made or written.
pub fn man(common: &Common, folder: &Path) -> Result<(), Failed> {
    let failed =
        |error: std::io::Error| Failed::new(format!("writing manual pages into {}: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(failed)?;
    let pages = pages();
    for (name, page) in &pages {
        fs::write(folder.join(name), page).map_err(failed)?;
    }
    let names: Vec<&String> = pages.iter().map(|(name, _)| name).collect();
    say(common, format!("{} manual pages are in {}", names.len(), folder.display()));
    if common.json { print(json!({ "folder": folder, "pages": names })) } else { Ok(()) }
}

/// Every page by its file's name.
fn pages() -> Vec<(String, Vec<u8>)> {
    let mut line = Line::command();
    line.build();
    let mut pages = Vec::new();
    let mut left = vec![line];
    while let Some(command) = left.pop() {
        left.extend(command.get_subcommands().filter(|under| under.get_name() != "help").cloned());
        let man = clap_mangen::Man::new(command);
        let mut page = Vec::new();
        // Into memory, where nothing fails.
        if man.render(&mut page).is_ok() {
            pages.push((man.get_filename(), page));
        }
    }
    pages.sort();
    pages
}
