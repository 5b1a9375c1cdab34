//! Commands as a process: what they print, write and refuse.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

fn place(name: &str) -> PathBuf {
    let place = std::env::temp_dir().join(format!("holdpoint-commands-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&place);
    place
}

fn command(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdpoint"));
    command.args(words);
    command
}

fn done(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// The status and what was said of a command that fails.
fn refused(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    assert!(!output.status.success(), "{command:?} succeeded");
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|one| one.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn a_stack_without_region_and_credentials_is_told_what_to_set() {
    let empty = [("AWS_CONFIG_FILE", "/dev/null"), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")];
    let keys = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let region = [("AWS_REGION", "eu-central-1")];
    for (given, missing) in [
        (&[][..], &["AWS_REGION", "AWS_ACCESS_KEY_ID"][..]),
        (&keys, &["AWS_REGION"]),
        (&region, &["AWS_ACCESS_KEY_ID"]),
    ] {
        let mut asked = command(&["reviews", "--stack", "prod"]);
        asked.env_clear().envs(empty).env("AWS_EC2_METADATA_DISABLED", "true").envs(given.iter().copied());
        let (status, said) = refused(&mut asked);
        assert_eq!(status, Some(1), "{said}");
        for variable in ["AWS_REGION", "AWS_ACCESS_KEY_ID"] {
            assert_eq!(said.contains(&format!("set {variable}")), missing.contains(&variable), "{given:?}: {said}");
        }
    }
}

#[test]
fn a_replay_writes_each_mail_into_an_empty_folder_alone() {
    let folder = place("replay");
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/scenarios");
    let replay = || {
        let mut replay = command(&["replay", "--json"]);
        replay.arg(scenarios.join("evidence_slips_and_is_adopted.jsonl"));
        replay.arg("--policy").arg(scenarios.join("evidence_slips_and_is_adopted.policy.json"));
        replay.arg("--mailbox").arg(&folder);
        replay
    };
    done(&mut replay());
    let written = files(&folder);
    assert!(!written.is_empty());
    for (index, file) in written.iter().enumerate() {
        assert_eq!(*file, folder.join(format!("{:04}.eml", index + 1)));
        let mail = fs::read_to_string(file).unwrap();
        assert!(mail.contains("\r\nSubject: ") && mail.contains("To: "), "{mail}");
    }
    let (status, said) = refused(&mut replay());
    assert_eq!(status, Some(2));
    assert!(said.contains("expected a new or empty folder"), "{said}");
    assert_eq!(files(&folder), written);
    fs::remove_dir_all(&folder).unwrap();
}

/// The release manager is told that the slot breaks no rule any more, of somebody who has left the review by then.
#[test]
fn a_mail_names_by_name_whom_its_difference_names() {
    let place = place("names");
    fs::create_dir_all(&place).unwrap();
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/scenarios");
    let base = fs::read_to_string(scenarios.join("evidence_slips_and_is_adopted.jsonl")).unwrap();
    let issued = base.lines().filter(|line| !line.contains("T09:"));
    let event = |id: &str, kind: &str, data: &str| {
        format!(
            r#"{{"at":"2026-11-03T09:00:00Z","send":{{"specversion":"1.0","id":"{id}","source":"//{kind}.example.com","type":"dev.holdpoint.{kind}.updated.v1","data":{data}}}}}"#
        )
    };
    let own = [
        event(
            "p1",
            "person",
            r#"{"person":"sec-a@example.com","revision":1,"name":"Aiko Tanaka","time_zone":"Europe/Berlin"}"#,
        ),
        event(
            "a9",
            "availability",
            r#"{"person":"sec-a@example.com","kind":"calendar","revision":9,"horizon":{"start":"2026-11-03T00:00:00Z","end":"2026-11-06T00:00:00Z"},"busy":[{"start":"2026-11-03T14:30:00Z","end":"2026-11-03T16:30:00Z"}]}"#,
        ),
        // The holder is another person from now on: whoever left is no delegate either.
        event(
            "d9",
            "delegation",
            r#"{"service":"identity-service","role":"security_reviewer","revision":9,"holder":"sec-b@example.com","delegates":[]}"#,
        ),
        r#"{"at":"2026-11-03T09:10:00Z","adopt":{"review_id":"RR-1042","as":"rm-a@example.com"}}"#.to_owned(),
    ];
    let scenario: Vec<String> = issued.map(str::to_owned).chain(own).collect();
    fs::write(place.join("left.jsonl"), scenario.join("\n") + "\n").unwrap();
    let mut replay = command(&["replay", "--json"]);
    replay.arg(place.join("left.jsonl"));
    replay.arg("--policy").arg(scenarios.join("evidence_slips_and_is_adopted.policy.json"));
    replay.arg("--mailbox").arg(place.join("mails"));
    done(&mut replay);
    let mails = files(&place.join("mails")).into_iter().map(|file| fs::read_to_string(file).unwrap());
    let unfolded: Vec<String> = mails.map(|mail| mail.replace("=\r\n", "").replace("\r\n", "\n")).collect();
    let told = |mail: &&String| {
        mail.contains("<rm-a@example.com>\n") && mail.contains("X-Holdpoint-Kind: authoritative_update\n")
    };
    let adopted = unfolded.iter().find(told).expect("a mail of the adoption to the release manager");
    assert!(adopted.contains("broken: Aiko Tanaka is "), "{adopted}");
    assert!(!adopted.contains("broken: sec-a@example.com"), "{adopted}");
    fs::remove_dir_all(&place).unwrap();
}

#[test]
fn the_mails_of_the_demo_are_listed_and_each_is_printed_as_it_was_sent() {
    let data = place("mail");
    fs::create_dir_all(&data).unwrap();
    let on = |words: &[&str]| {
        let mut command = command(words);
        command.arg("--data").arg(&data);
        command
    };
    done(&mut on(&["--exit", "--port", "0"]));
    let listed = |words: &[&str]| -> Vec<Value> {
        let output = done(&mut on(words));
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        answer["mails"].as_array().unwrap().clone()
    };
    let all = listed(&["mail", "--json"]);
    assert!(!all.is_empty());
    let to = all[0]["to"][0].as_str().unwrap();
    let theirs = listed(&["mail", "--json", "--to", &to.to_uppercase()]);
    let expected: Vec<Value> =
        all.iter().filter(|mail| mail["to"].as_array().unwrap().iter().any(|one| one == to)).cloned().collect();
    assert_eq!(theirs, expected);
    let (mut pages, mut before) = (Vec::new(), None::<u64>);
    loop {
        let next = before.map(|number| format!("--before={number}"));
        let words: Vec<&str> = ["mail", "--json", "--limit=2"].into_iter().chain(next.as_deref()).collect();
        let page: Value = serde_json::from_slice(&done(&mut on(&words)).stdout).unwrap();
        pages.splice(0..0, page["mails"].as_array().unwrap().iter().cloned());
        before = page["next"].as_u64();
        if before.is_none() {
            break;
        }
    }
    assert_eq!(pages, all, "page by page, each mail once");
    let last = String::from_utf8(done(&mut on(&["mail", "--limit=1"])).stdout).unwrap();
    let newest = all.last().unwrap();
    assert!(last.contains(newest["subject"].as_str().unwrap()), "the newest mail is on the first page: {last}");
    assert!(last.ends_with(&format!("the ones before: holdpoint mail --before {}\n", newest["number"])), "{last}");
    let (status, said) = refused(&mut on(&["mail", "--limit=0"]));
    assert_eq!(status, Some(2));
    assert!(said.contains("limit: expected a whole number from 1 to 1000; found 0"), "{said}");

    let number = all[0]["number"].to_string();
    let raw = done(&mut on(&["mail", &number])).stdout;
    let head = String::from_utf8_lossy(&raw).into_owned();
    assert!(head.contains("\r\nSubject: ") && head.contains(to), "{head}");
    let text = String::from_utf8(done(&mut on(&["mail", &number, "--text"])).stdout).unwrap();
    assert!(!text.trim().is_empty() && !text.contains("Subject: "), "{text}");
    let file = data.join("one.eml");
    done(on(&["mail", &number]).arg("--out").arg(&file));
    assert_eq!(fs::read(&file).unwrap(), raw);

    let (status, said) = refused(&mut on(&["mail", "99999"]));
    assert_eq!(status, Some(1));
    assert!(said.contains(&format!("there is no such mail; the mailbox holds {}", all.len())), "{said}");
    fs::remove_dir_all(&data).unwrap();
}

#[test]
fn a_policy_is_checked_with_every_fault_and_explained() {
    let folder = place("policy");
    fs::create_dir_all(&folder).unwrap();
    let bad = folder.join("bad.json");
    fs::write(&bad, r#"{"sources":[{"kind":"colour","source":"//x"}],"defaults":{"grid":7}}"#).unwrap();
    let (status, said) = refused(command(&["policy", "check"]).arg(&bad));
    assert_eq!(status, Some(2), "{said}");
    let output = command(&["policy", "check", "--json"]).arg(&bad).output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["good"], false);
    let paths: Vec<&str> =
        answer["faults"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
    for path in ["$.sources[0].kind", "$.sources[0].governed_by", "$.defaults.grid"] {
        assert!(paths.contains(&path), "{path}: {answer}");
    }
    let (status, said) = refused(command(&["policy", "explain"]).arg(&bad));
    assert!(status == Some(2) && said.contains("$.sources[0].kind"), "{said}");
    let good = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policy.json");
    let output = done(command(&["policy", "check"]).arg(&good));
    assert!(String::from_utf8_lossy(&output.stdout).contains("good"));
    let words = String::from_utf8(done(command(&["policy", "explain"]).arg(&good)).stdout).unwrap();
    assert!(words.contains("may say evidence") && words.contains("bindings: what is made"), "{words}");
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn filters_of_events_are_refused_by_name_before_anything_is_asked() {
    let (status, said) = refused(&mut command(&["events", "--disposition", "lost", "--since", "yesterday"]));
    assert_eq!(status, Some(2), "{said}");
    for words in
        ["disposition: expected one of applied, ignored, skipped, unbound, refused", "since: expected an RFC 3339"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
}

/// The shell itself reads the script, and completes a command by it.
#[test]
fn bash_completes_the_command_line() {
    let script = String::from_utf8(done(&mut command(&["completions", "bash"])).stdout).unwrap();
    let complete =
        "COMP_WORDS=(holdpoint wai); COMP_CWORD=1; _holdpoint holdpoint wai holdpoint; echo \"${COMPREPLY[@]}\"";
    let output = Command::new("bash").args(["-euc", &format!("{script}\n{complete}")]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "waiting");
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        let script = String::from_utf8(done(&mut command(&["completions", shell])).stdout).unwrap();
        assert!(script.contains("waiting") && script.contains("stack"), "{shell}");
    }
    let (status, said) = refused(&mut command(&["completions", "csh"]));
    assert!(status == Some(2) && said.contains("possible values: bash"), "{said}");
}

#[test]
fn the_version_names_commit_and_schema() {
    let said = String::from_utf8(done(&mut command(&["--version"])).stdout).unwrap();
    assert!(said.starts_with("holdpoint ") && said.contains("(commit ") && said.contains(", schema "), "{said}");
}

/// One line: which stack, where, and why not. No innards of the SDK, and no request.
#[test]
fn a_stack_that_cannot_be_asked_is_named_with_the_cause() {
    let given =
        [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret"), ("AWS_REGION", "eu-central-1")];
    // Nobody listens there.
    let nowhere = "http://127.0.0.1:1";
    let archive = place("of-a-stack");
    let act = ["--as", "a@example.com", "--reason", "r", "--yes", "--source", "//ops.example.com"];
    for words in [
        &["reviews"][..],
        &["verify"],
        &["stuck"],
        &["redrive", "--list"],
        &["invoke", "tick", "-"],
        &["archive", archive.to_str().unwrap()],
        &[&["reset", "evidence", "CHG-1/tests"], &act[..]].concat(),
    ] {
        let mut asked = command(&[words, &["--stack", "prod"]].concat());
        asked.env_clear().envs(given).env("AWS_CONFIG_FILE", "/dev/null").env("AWS_EC2_METADATA_DISABLED", "true");
        let (status, said) = refused(asked.env("AWS_ENDPOINT_URL", nowhere).stdin(with_stdin("{}")));
        let why = said.lines().last().unwrap_or_default();
        assert!(
            status == Some(1) && why.starts_with(&format!("holdpoint: --stack prod (at {nowhere}): ")),
            "{words:?}: {said}"
        );
        assert_eq!(said.lines().filter(|line| line.starts_with("holdpoint: ")).count(), 1, "{said}");
        for innards in ["DispatchFailure", "ConnectorError", "Evidence(", "Some(", "{"] {
            assert!(!said.contains(innards), "{words:?}: {innards}: {said}");
        }
        let (_, said) = refused(asked.env("AWS_ENDPOINT_URL", "bogus").stdin(with_stdin("{}")));
        assert!(said.contains("AWS_ENDPOINT_URL: expected an http or https address; found \"bogus\""), "{said}");
        assert!(!said.contains('{'), "{words:?}: {said}");
    }
    for name in ["", "a/b c", "-prod", "9", "prod_1"] {
        let (status, said) = refused(&mut command(&["reviews", &format!("--stack={name}")]));
        assert!(
            status == Some(2) && said.contains("--stack") && said.contains("the name of a stack"),
            "{name:?}: {said}"
        );
    }
}

/// A file that holds this.
fn with_stdin(text: &str) -> fs::File {
    let file = std::env::temp_dir().join(format!("holdpoint-commands-{}-stdin", std::process::id()));
    fs::write(&file, text).unwrap();
    fs::File::open(file).unwrap()
}

/// Who acts is named, and says yes: at a terminal, or before.
#[test]
fn what_changes_something_is_refused_without_a_name_or_an_answer() {
    let decide = ["decide", "RR-1", "adopt", "--as-operator", "--reason", "The owner is away."];
    for words in [
        &["close", "RR-1", "--reason", "Called off."][..],
        &["reset", "person", "a@example.com", "--reason", "r"],
        &decide,
    ] {
        let (status, said) = refused(command(words).env_remove("HOLDPOINT_OPERATOR").env("USER", "root"));
        assert!(status == Some(2) && said.contains("expected who acts: --as ADDRESS"), "{said}");
        let (status, said) =
            refused(command(words).args(["--as", "duty@example.com"]).stdin(std::process::Stdio::null()));
        assert!(status == Some(2) && said.contains("expected a terminal to ask at, or --yes"), "{said}");
        let (status, said) = refused(command(words).args(["--as", "duty"]));
        assert!(status == Some(2) && said.contains("--as"), "{said}");
    }
    let (status, said) = refused(&mut command(&["close", "RR-1", "--as", "duty@example.com"]));
    assert!(status == Some(2) && said.contains("--reason"), "{said}");
    let (status, said) = refused(
        command(&decide).arg("--yes").env("HOLDPOINT_OPERATOR", "duty@example.com").arg("--data").arg(place("none")),
    );
    assert!(status == Some(1) && said.contains("there is no store"), "{said}");
}
