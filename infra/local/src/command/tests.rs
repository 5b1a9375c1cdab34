//! The command line as it is defined.

use clap::CommandFactory;

use super::*;

/// A command with every word that leads to it.
fn all() -> Vec<(String, clap::Command)> {
    let mut line = Line::command();
    line.build();
    let mut found = Vec::new();
    let mut left = vec![(line.get_name().to_owned(), line)];
    while let Some((words, command)) = left.pop() {
        let under = command.get_subcommands().filter(|under| under.get_name() != "help");
        left.extend(under.map(|under| (format!("{words} {}", under.get_name()), under.clone())));
        found.push((words, command));
    }
    found
}

/// A capital first, and enough words for a verb and its object.
fn is_a_sentence(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase()) && text.split_whitespace().count() >= 4
}

#[test]
fn every_command_and_argument_has_its_sentence() {
    for (words, command) in all() {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(is_a_sentence(&about), "{words}: {about:?}");
        for argument in command.get_arguments().filter(|one| !matches!(one.get_id().as_str(), "help" | "version")) {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(is_a_sentence(&help), "{words}: {}: {help:?}", argument.get_id());
        }
    }
}

/// What is offered works: a deployment has no store here, no folder, and no clock to turn.
#[test]
fn a_stack_is_offered_by_the_commands_that_ask_one() {
    let takes = |command: &clap::Command| command.get_arguments().any(|one| one.get_id() == "stack");
    let mut offered: Vec<String> =
        all().into_iter().filter(|(_, command)| takes(command)).map(|(words, _)| words).collect();
    offered.sort();
    let asked = [
        "archive", "close", "decide", "discard", "events", "import", "invoke", "redrive", "resend", "reset", "reviews",
        "send", "show", "stuck", "told", "verify", "waiting", "why",
    ];
    assert_eq!(offered, asked.map(|word| format!("holdpoint {word}")));
    for refused in [
        &["holdpoint", "--stack", "x"][..],
        &["holdpoint", "serve", "--stack", "x"],
        &["holdpoint", "replay", "file", "--stack", "x"],
        &["holdpoint", "rotate-link-keys", "--stack", "x"],
        &["holdpoint", "reviews", "--stack", "x", "--data", "y"],
    ] {
        assert!(Line::try_parse_from(refused).is_err(), "{refused:?}");
    }
    assert!(Line::try_parse_from(["holdpoint", "reviews", "--stack", "x"]).is_ok());
}

#[test]
fn what_is_no_number_of_a_mail_is_told_what_is() {
    for line in [&["holdpoint", "mail", "abc"][..], &["holdpoint", "mail", "--before", "1x"]] {
        let said = Line::try_parse_from(line).err().unwrap().to_string();
        assert!(said.contains("expected the number of a mail, as `holdpoint mail` lists it"), "{said}");
    }
}

#[test]
fn every_command_takes_json_and_a_folder() {
    for (words, command) in all() {
        for wanted in ["json", "data"] {
            assert!(command.get_arguments().any(|one| one.get_id() == wanted), "{words}: --{wanted}");
        }
    }
}

/// A page a command, made from the definition itself.
#[test]
fn every_command_has_a_manual_page() {
    let folder = std::env::temp_dir().join(format!("holdpoint-man-{}", std::process::id()));
    let common = Common { json: false, data: None };
    shells::man(&common, &folder).unwrap();
    for (words, command) in all() {
        let page = std::fs::read_to_string(folder.join(format!("{}.1", words.replace(' ', "-")))).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{words}: {page}");
        for argument in command.get_arguments().filter_map(|one| one.get_long()) {
            assert!(page.replace('\\', "").contains(&format!("--{argument}")), "{words}: --{argument}");
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
    let file = std::env::temp_dir().join(format!("holdpoint-man-file-{}", std::process::id()));
    std::fs::write(&file, "").unwrap();
    let refused = shells::man(&common, &file).unwrap_err();
    assert!(refused.why.contains(&file.display().to_string()), "{}", refused.why);
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn the_version_says_commit_and_schema() {
    let text = version::text();
    let expected = format!("{} (commit ", env!("CARGO_PKG_VERSION"));
    assert!(text.starts_with(&expected) && text.ends_with(&format!(", schema {})", packet_store::SCHEMA)), "{text}");
}

/// Who is woken by an alarm reads one line, and runs what is there.
#[test]
fn every_line_of_the_runbook_names_a_command_that_there_is() {
    let known: Vec<String> = all().into_iter().map(|(words, _)| words).collect();
    let named = |text: &str| -> Vec<String> {
        let after = text.split("`holdpoint ").skip(1);
        after.map(|rest| rest.split([' ', '`']).next().unwrap_or_default().to_owned()).collect()
    };
    let page = include_str!("../../../README.md");
    let runbook = page.split("## Runbook").nth(1).unwrap();
    let lines: Vec<&str> = runbook.lines().filter(|line| line.starts_with("| `")).collect();
    assert!(lines.len() > 30, "{}", lines.len());
    for line in lines {
        assert!(!named(line).is_empty(), "expected the command to run in {line}");
    }
    for text in [page, include_str!("../../../../events/CONTRACT.md"), include_str!("../../../../README.md")] {
        for word in named(text).iter().filter(|word| !word.starts_with("--") && *word != "...") {
            assert!(known.contains(&format!("holdpoint {word}")), "holdpoint {word}");
        }
    }
}
