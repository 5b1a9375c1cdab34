//! What the seven functions are built of: one TLS stack, and of the SDK only what they use.

use std::{collections::BTreeSet, process::Command};

use holdpoint_tests::repository;

const FUNCTIONS: [&str; 7] = ["ingest", "refresh", "notify", "adopt", "acknowledge", "tick", "poll"];

/// Every crate and feature that the deployed binaries are built with, as `crate` and `crate feature "name"`.
fn graph() -> BTreeSet<String> {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(repository()).args([
        "tree",
        "--locked",
        "--offline",
        "--edges",
        "normal,features",
        "--prefix",
        "none",
    ]);
    for function in FUNCTIONS {
        command.args(["-p", function]);
    }
    let done = command.output().expect("cargo tree");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    text.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
}

fn crates(graph: &BTreeSet<String>) -> BTreeSet<&str> {
    graph.iter().filter_map(|line| line.split(' ').next()).collect()
}

#[test]
fn there_is_one_tls_stack() {
    let graph = graph();
    let crates = crates(&graph);
    assert!(crates.contains("rustls") && crates.contains("ring"), "found no TLS stack at all");
    for other in ["aws-lc-rs", "openssl", "openssl-sys", "native-tls", "s2n-tls", "boring"] {
        assert!(!crates.contains(other), "{other}: a second TLS stack");
    }
    let versions: BTreeSet<&String> =
        graph.iter().filter(|line| line.starts_with("rustls v") || line.starts_with("hyper v")).collect();
    assert_eq!(versions.len(), 2, "one rustls and one hyper: {versions:?}");
}

#[test]
fn no_sdk_crate_has_its_default_features() {
    for line in graph() {
        let sdk = line.starts_with("aws-sdk-") || line.starts_with("aws-config ");
        assert!(!(sdk && line.contains("feature \"default\"")), "{line}");
    }
}

#[test]
fn nothing_of_the_local_engine_or_the_tests_is_deployed() {
    let graph = graph();
    let crates = crates(&graph);
    for stranger in
        ["holdpoint", "dynoxide-rs", "libsqlite3-sys", "axum", "clap", "indicatif", "proptest", "aws-sdk-sso"]
    {
        assert!(!crates.contains(stranger), "{stranger} is deployed");
    }
}

#[test]
fn only_notify_can_send_mail() {
    for function in FUNCTIONS {
        let mut command = Command::new(env!("CARGO"));
        command.current_dir(repository()).args([
            "tree",
            "--locked",
            "--offline",
            "--edges",
            "normal",
            "--prefix",
            "none",
        ]);
        let done = command.args(["-p", function]).output().expect("cargo tree");
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        let mails = text.lines().any(|line| line.starts_with("aws-sdk-sesv2 "));
        assert_eq!(mails, function == "notify", "{function}");
    }
}
