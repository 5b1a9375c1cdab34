//! The policy file: what is read, and every fault in it.

use refresh_core::facts::{policy::Prefer, subject::Kind};
use serde_json::{Value, json};
use sources::policy;

const SHIPPED: &str = include_str!("../../../infra/policy.json");

fn faults(text: &str) -> String {
    let faults = policy::read_file(text).expect_err("a bad policy");
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_shipped_policy_is_good() {
    let file = policy::read_file(SHIPPED).unwrap_or_else(|faults| panic!("{faults:?}"));
    for kind in Kind::ALL {
        assert!(file.deployment.sources.iter().any(|source| source.kind == kind), "{}", kind.word());
    }
    assert_eq!(file.deployment.defaults.prefer, Prefer::KeepTime);
    assert_eq!(file.bindings.0.len(), sources::Format::ALL.len());
    assert_eq!(policy::read(SHIPPED).ok(), Some(file.deployment));
}

#[test]
fn bindings_are_read_and_refused_by_whoever_translates() {
    let file = r#"{"sources":[{"kind":"evidence","source":"//ci","governed_by":"re@example.com"}],"native":[{"format":"smoke.signals"}]}"#;
    assert!(policy::read(file).is_ok());
    let faults = policy::read_file(file).expect_err("no format of that name");
    assert!(faults.iter().any(|fault| fault.to_string().contains("$.native[0].format")), "{faults:?}");
    // A member that does not exist is nobody's to leave unread.
    assert!(policy::read(&file.replace("native", "natives")).is_err());
}

#[test]
fn what_the_file_leaves_out_is_as_the_contract_says() {
    let deployment = policy::read(r#"{"sources":[{"kind":"evidence","source":"//ci","governed_by":"re@example.com"}],"defaults":{"quiet_seconds":0}}"#).expect("a good policy");
    assert_eq!(deployment.defaults, refresh_core::facts::policy::Policy { quiet_seconds: 0, ..policy::standard() });
}

#[test]
fn every_fault_is_listed() {
    let text = r#"{
      "sources": [
        {"kind": "evidence", "source": "//ci.example.com/*", "governed_by": "re@example.com"},
        {"kind": "evidence", "source": "//ci.example.com/*", "governed_by": "re@example.com"},
        {"kind": "calendar", "source": "//cal.*.com", "governed_by": "IT"},
        {"kind": "change", "source": "*", "governed_by": "it@example.com", "governd_by": "x"}
      ],
      "defaults": {
        "grid_minutes": 1441, "min_notice_minutes": -1, "evidence_buffer_minutes": "10", "freeze_calendars": "prod",
        "working_hours": {"start": "18:00", "end": "8:00", "days": []}, "prefer": "keep", "distinct_people": 1,
        "exclusions": [{"role": "sre", "person": "x"}], "alternate_owner": "nobody", "remind_every_minutes": 0,
        "escalation_contacts": ["a@example.com", "b"], "churn": {"proposals": 0}, "quiet_second": 5
      },
      "nativ": []
    }"#;
    insta::assert_snapshot!(faults(text));
}

#[test]
fn working_hours_end_after_they_start() {
    let read = |start: &str, end: &str| {
        let hours = format!(r#"{{"start":"{start}","end":"{end}","days":["mon","sun"]}}"#);
        policy::read(&format!(r#"{{"sources":[{{"kind":"evidence","source":"//ci","governed_by":"re@example.com"}}],"defaults":{{"working_hours":{hours}}}}}"#))
            .map(|deployment| deployment.defaults.working_hours.map(|hours| (hours.start, hours.end)))
            .map_err(|faults| faults[0].to_string())
    };
    assert_eq!(read("08:00", "18:30"), Ok(Some((480, 1_110))));
    assert_eq!(read("00:00", "24:00"), Ok(Some((0, 1_440))));
    let path = "$.defaults.working_hours";
    for (start, end, said) in [
        ("08:00", "08:00", format!("{path}.end: expected a time of day after `start` (08:00); found \"08:00\"")),
        ("24:00", "24:00", format!("{path}.start: expected a time of day like 08:00; found \"24:00\"")),
        ("08:00", "24:01", format!("{path}.end: expected a time of day like 18:00, at most 24:00; found \"24:01\"")),
        ("8:00", "18:00", format!("{path}.start: expected a time of day like 08:00; found \"8:00\"")),
        ("08:60", "18:00", format!("{path}.start: expected a time of day like 08:00; found \"08:60\"")),
        ("+8:00", "18:00", format!("{path}.start: expected a time of day like 08:00; found \"+8:00\"")),
    ] {
        assert_eq!(read(start, end), Err(said), "{start} to {end}");
    }
}

#[test]
fn every_fault_of_a_binding_is_listed() {
    let text = r#"{"sources": [{"kind": "evidence", "source": "//ci", "governed_by": "re@example.com"}], "native": [
      {"format": "github.workflow_run", "source": "//ci", "repository": "nowhere", "workflow": "w.yml", "branch": "re*se/*",
       "change_id": "CHG1", "checkpoint": "", "head_sha": "abc", "ready_on": ["failure"], "expected_minutes": 0},
      {"format": "github.check_suite", "source": "//ci", "repository": "a/b", "app": "x", "change_id": "*", "checkpoint": "c"},
      {"format": "cdevents", "source": "//ci", "subject": "testsuiterun", "name": "s", "change_id": "CHG1", "checkpoint": "c"},
      {"format": "cdevents", "source": "//ci", "subject": "pipelinerun", "name": "s", "environment": "prod", "change_id": "CHG2", "checkpoint": "c"},
      {"format": "servicenow.change_request", "source": "//sn", "states": {"7": "done"}, "people": {"id": "Alex"}},
      {"format": "graph.get_schedule", "source": "//cal", "tentative": "maybe"},
      {"format": "graph.get_schedule", "source": "//cal", "levels": [1]},
      {"format": "pagerduty.oncalls", "source": "//pd", "levels": [0]},
      {"format": "jenkins"}
    ]}"#;
    insta::assert_snapshot!(faults(text));
}

/// Two systems' numbers for one checkpoint do not compare, so a file that binds both is refused.
#[test]
fn one_system_speaks_for_a_checkpoint() {
    let file = |other: &str| {
        let text = format!(
            r#"{{"sources": [{{"kind": "evidence", "source": "//ci", "governed_by": "re@example.com"}}], "native": [
              {{"format": "github.workflow_run", "source": "//ci", "repository": "a/b", "workflow": "w.yml", "branch": "release/*",
                "change_id": "*", "checkpoint": "tests"}}, {other}]}}"#
        );
        policy::read_file(&text).map(|file| file.bindings.0.len()).map_err(|faults| faults[0].to_string())
    };
    let suite = |checkpoint: &str| {
        format!(
            r#"{{"format": "cdevents", "source": "//ci", "subject": "pipelinerun", "name": "p-*", "change_id": "*", "checkpoint": "{checkpoint}"}}"#
        )
    };
    assert_eq!(file(&suite("load")), Ok(2));
    let expected = "$.native: expected one system for a source, change and checkpoint, since revisions of two do not \
                    compare; found checkpoint tests of //ci twice";
    assert_eq!(file(&suite("tests")), Err(expected.to_owned()));
}

/// A binding's name, its hook and its poll: whatever is wrong with them is listed, and a secret put where its name belongs
/// is not quoted.
#[test]
fn doors_of_bindings_are_judged_at_start() {
    let text = r#"{"sources": [{"kind": "evidence", "source": "//ci", "governed_by": "re@example.com"}], "native": [
      {"format": "graph.get_schedule", "source": "//cal", "name": "Graph A"},
      {"format": "google.free_busy", "source": "//cal", "hook": {"secret": "s"}, "poll": {"url": "https://x", "every_minutes": 5}},
      {"format": "ical.vfreebusy", "source": "//cal", "name": "ical", "hook": {"secret": "hunter2 is mine", "proof": "md5"}},
      {"format": "ical.vfreebusy", "source": "//cal", "name": "ical", "poll": {"url": "http://example.com/?key=hunter2", "every_minutes": 0}},
      {"format": "cdevents", "source": "//ci", "subject": "pipelinerun", "name": "p-*", "change_id": "*", "checkpoint": "t",
       "hook": {"secret": "s"}}
    ]}"#;
    insta::assert_snapshot!(faults(text));
}

/// Several systems of one kind are told apart by the names of their bindings; without a name, one of them would be taken
/// for the other.
#[test]
fn several_bindings_of_one_format_need_names() {
    let file = |first: &str, second: &str| {
        let text = format!(
            r#"{{"sources": [{{"kind": "availability", "source": "//a", "governed_by": "it@example.com"}},
                             {{"kind": "availability", "source": "//b", "governed_by": "it@example.com"}}],
                "native": [{{"format": "google.free_busy", "source": "//a"{first}}},
                                          {{"format": "google.free_busy", "source": "//b"{second}}}]}}"#
        );
        policy::read_file(&text).map(|file| file.bindings).map_err(|faults| faults[0].to_string())
    };
    let expected =
        "$.native[1].format: expected one binding of this format without a `name`; found \"google.free_busy\"";
    assert_eq!(file("", "").map(|_| ()), Err(expected.to_owned()));
    let bindings = file(r#", "name": "a""#, r#", "name": "b""#).expect("two names");
    let body = serde_json::json!({});
    let said = |name: Option<&str>| {
        let headers = std::collections::BTreeMap::new();
        sources::translate("google.free_busy", &headers, &body, name, &bindings).expect_err("nothing is in it").faults
            [0]
        .to_string()
    };
    assert_eq!(said(None), "$.binding: expected the name of one of the bindings: a, b; found nothing");
    assert_eq!(
        said(Some("c")),
        "$.binding: expected the name of a binding for google.free_busy (known: a, b); found \"c\""
    );
    assert!(!said(Some("a")).contains("binding"), "{}", said(Some("a")));
}

/// What the bindings of a file come to, with every source of theirs registered.
fn bound(native: serde_json::Value) -> Result<usize, String> {
    let registered = |kind: &str| serde_json::json!({"kind": kind, "source": "//s/*", "governed_by": "it@example.com"});
    let sources = ["evidence", "change", "availability", "delegation", "freeze"].map(registered);
    let text = serde_json::json!({"sources": sources, "native": native}).to_string();
    let told = |faults: Vec<sources::Fault>| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    policy::read_file(&text).map(|file| file.bindings.0.len()).map_err(told)
}

/// Bindings whose runs are numbered by two things, or that one run fits both of, are refused when the policy is read.
#[test]
fn bindings_that_cannot_be_told_apart_are_refused() {
    use serde_json::{Value, json};
    let run = |workflow: &str, branch: Value, change: &str| {
        json!({"format": "github.workflow_run", "source": "//s/ci", "repository": "acme/pay", "workflow": workflow,
               "branch": branch, "change_id": change, "checkpoint": "it"})
    };
    let suite = |app: &str, change: &str| {
        json!({"format": "github.check_suite", "source": "//s/ci", "repository": "acme/pay", "app": app,
               "branch": "release/*", "change_id": change, "checkpoint": "it"})
    };
    let with = |mut binding: Value, member: &str, value: Value| {
        binding[member] = value;
        binding
    };
    let release = || json!("release/*");
    let two = "one system for a source, change and checkpoint, since revisions of two do not compare";
    let both = "bindings of one workflow that no run fits both of";
    let job = |job: &str, change: &str| json!({"format": "jenkins.notification", "source": "//s/ci", "job": job, "change_id": change, "checkpoint": "it"});
    let cdevent = |name: &str, change: &str| {
        json!({"format": "cdevents", "source": "//s/ci", "subject": "pipelinerun", "run": name, "change_id": change,
               "checkpoint": "it"})
    };
    for (native, expected) in [
        // A star can be any change, so a named one is among them, whatever the format.
        (json!([run("it.yml", release(), "*"), suite("scan", "CHG7")]), two),
        (json!([run("it.yml", release(), "*"), run("it.yml", json!("release/CHG7"), "CHG7")]), both),
        (json!([run("it.yml", release(), "*"), run("lint.yml", release(), "*")]), two),
        (json!([run("it.yml", release(), "*"), with(run("it.yml", release(), "*"), "repository", json!("a/b"))]), two),
        (json!([run("it.yml", json!("main"), "CHG1"), run("it.yml", Value::Null, "CHG1")]), both),
        (json!([job("pay/*", "*"), job("books/*", "*")]), two),
        (json!([cdevent("p-*", "*"), cdevent("q-*", "*")]), two),
        (json!([cdevent("p-*", "*"), job("pay/*", "*")]), two),
        (json!([job("pay/*", "CHG1")]), "`*`: the star stands for several"),
        (json!([cdevent("p-*", "CHG1")]), "`*`: the star stands for several"),
        (json!([suite("github-actions", "CHG1")]), "another app: the workflows of `github-actions` are bound by"),
    ] {
        let said = bound(native.clone()).expect_err(expected);
        assert!(said.contains(expected), "{native}: {said}");
    }
    for native in [
        json!([run("it.yml", release(), "*"), run("it.yml", json!("hotfix/*"), "*")]),
        json!([run("it.yml", json!("a"), "CHG1"), run("lint.yml", json!("a"), "CHG2")]),
        json!([run("it.yml", release(), "*"), with(suite("scan", "*"), "checkpoint", json!("scan"))]),
        json!([job("pay/nightly", "CHG1"), with(job("pay/nightly", "CHG1"), "checkpoint", json!("load"))]),
    ] {
        assert_eq!(bound(native.clone()), Ok(2), "{native}");
    }
}

/// Of a source that nobody registered every event would be ignored: the file is refused, and every such binding named.
#[test]
fn a_binding_needs_a_registered_source() {
    use serde_json::json;
    let said = bound(json!([
        {"format": "google.free_busy", "source": "//s/cal"},
        {"format": "ical.vfreebusy", "source": "//other/cal"},
        {"format": "pagerduty.webhook", "source": "//s"}
    ]));
    let expected = "$.native[1].source: expected a source that `sources` registers for availability; found \"//other/cal\"; \
                    $.native[2].source: expected a source that `sources` registers for availability; found \"//s\"";
    assert_eq!(said, Err(expected.to_owned()));
}

const ONE: &str = r#"[{"kind": "evidence", "source": "//ci/*", "governed_by": "re@example.com"}]"#;

/// Members that are good one by one: what is said of each policy that cannot work, by path.
#[test]
fn what_cannot_work_together_is_refused_at_start() {
    let said = |sources: &str, rest: &str| match policy::read_file(&format!(r#"{{"sources": {sources}{rest}}}"#)) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(|fault| format!("{} {}", fault.path, fault.found)).collect(),
    };
    let rules = |defaults: &str| said(ONE, &format!(r#", "defaults": {defaults}"#));
    for (defaults, faults) in [
        (r#"{}"#, vec![]),
        // A quiet period: at most an hour, and shorter than the deadline less the time to decide.
        (r#"{"quiet_seconds": 3600}"#, vec![]),
        (r#"{"quiet_seconds": 3601}"#, vec!["$.defaults.quiet_seconds 3601"]),
        (r#"{"quiet_seconds": 300, "adoption_deadline_minutes": 3}"#, vec!["$.defaults.quiet_seconds 300"]),
        (r#"{"quiet_seconds": 299, "adoption_deadline_minutes": 20}"#, vec![]),
        (r#"{"quiet_seconds": 300, "adoption_deadline_minutes": 20}"#, vec!["$.defaults.quiet_seconds 300"]),
        (r#"{"adoption_deadline_minutes": 17}"#, vec!["$.defaults.adoption_deadline_minutes 17"]),
        (r#"{"adoption_deadline_minutes": 18}"#, vec![]),
        (r#"{"min_decision_minutes": 238}"#, vec!["$.defaults.min_decision_minutes 238"]),
        (r#"{"min_decision_minutes": 237}"#, vec![]),
        (r#"{"quiet_seconds": 0, "adoption_deadline_minutes": 15}"#, vec!["$.defaults.quiet_seconds 0"]),
        (r#"{"quiet_seconds": 0, "adoption_deadline_minutes": 1, "min_decision_minutes": 0}"#, vec![]),
        // Deadlines and reminders of zero.
        (r#"{"adoption_deadline_minutes": 0}"#, vec!["$.defaults.adoption_deadline_minutes 0"]),
        (r#"{"acknowledge_within_minutes": 0}"#, vec!["$.defaults.acknowledge_within_minutes 0"]),
        (r#"{"remind_every_minutes": 0}"#, vec!["$.defaults.remind_every_minutes 0"]),
        (r#"{"remind_before_expiry_minutes": 0}"#, vec!["$.defaults.remind_before_expiry_minutes 0"]),
        // A last reminder after half of the deadline; a short deadline alone asks for none.
        (r#"{"remind_before_expiry_minutes": 120}"#, vec![]),
        (r#"{"remind_before_expiry_minutes": 121}"#, vec!["$.defaults.remind_before_expiry_minutes 121"]),
        (r#"{"remind_before_expiry_minutes": 240}"#, vec!["$.defaults.remind_before_expiry_minutes 240"]),
        (r#"{"adoption_deadline_minutes": 59}"#, vec![]),
        (
            r#"{"remind_before_expiry_minutes": 30, "adoption_deadline_minutes": 59}"#,
            vec!["$.defaults.remind_before_expiry_minutes 30"],
        ),
        // Reminders within the time to acknowledge.
        (r#"{"remind_every_minutes": 119}"#, vec![]),
        (r#"{"remind_every_minutes": 120}"#, vec!["$.defaults.remind_every_minutes 120"]),
        (r#"{"acknowledge_within_minutes": 60}"#, vec!["$.defaults.acknowledge_within_minutes 60"]),
        // Every fault, not the first alone.
        (
            r#"{"quiet_seconds": 600, "adoption_deadline_minutes": 20, "remind_every_minutes": 500}"#,
            vec!["$.defaults.quiet_seconds 600", "$.defaults.remind_every_minutes 500"],
        ),
    ] {
        assert_eq!(rules(defaults), faults, "{defaults}");
    }
    let sources = |list: &str| said(list, "");
    let one = |kind: &str, source: &str, more: &str| {
        format!(r#"{{"kind": "{kind}", "source": "{source}", "governed_by": "it@example.com"{more}}}"#)
    };
    assert_eq!(sources("[]"), ["$.sources none"]);
    let operator = one("operator", "//ops", r#", "takes_over": ["//a"], "max_age_minutes": 5"#);
    assert_eq!(
        sources(&format!("[{operator}]")),
        ["$.sources[0].takes_over a list of 1", "$.sources[0].max_age_minutes 5"]
    );
    let new = one("availability", "//new", r#", "takes_over": ["//old/*"], "max_age_minutes": 60"#);
    assert_eq!(sources(&format!("[{}, {new}]", one("availability", "//old/*", ""))), [""; 0]);
    let old = one("availability", "//old/*", r#", "takes_over": ["//new"]"#);
    assert_eq!(sources(&format!("[{old}, {new}]")), ["$.sources[1].takes_over //old/*"]);
    let itself = one("change", "//c", r#", "takes_over": ["//c"]"#);
    assert_eq!(sources(&format!("[{itself}]")), ["$.sources[0].takes_over //c"]);
    // Faults of one part hide none of another.
    assert_eq!(
        said("[]", r#", "defaults": {"quiet_seconds": 3000, "adoption_deadline_minutes": 20}, "x": 1"#),
        ["$.x \"x\"", "$.sources none", "$.defaults.quiet_seconds 3000"]
    );
}

/// What a review sets otherwise must work together with what it leaves to the deployment.
#[test]
fn a_review_overrides_nothing_into_the_impossible() {
    let file = policy::read_file(SHIPPED).unwrap_or_else(|faults| panic!("{faults:?}"));
    let check = |overrides: serde_json::Value| {
        let issued = serde_json::json!({
            "specversion": "1.0", "id": "i", "source": "//r", "type": "dev.holdpoint.review.issued.v1",
            "data": {
                "review_id": "RR-1", "revision": 1, "title": "t", "service": "s", "change_id": "C", "time_zone": "UTC",
                "slot": {"start": "2026-11-03T15:00:00Z", "end": "2026-11-03T16:00:00Z"},
                "roles": [{"role": "sre", "attendee": "a@example.com"}], "policy": overrides
            }
        });
        let read = sources::read(&issued.to_string(), &file.bindings).expect("its members are good one by one");
        let faults = file.check(&read).err().map(|refused| refused.faults).unwrap_or_default();
        faults.iter().map(|fault| format!("{} {}", fault.path, fault.found)).collect::<Vec<_>>()
    };
    use serde_json::json;
    assert_eq!(check(json!({})), [""; 0]);
    assert_eq!(check(json!({"adoption_deadline_minutes": 30})), [""; 0]);
    assert_eq!(check(json!({"adoption_deadline_minutes": 3})), ["$.data.policy.adoption_deadline_minutes 3"]);
    assert_eq!(check(json!({"remind_before_expiry_minutes": 200})), ["$.data.policy.remind_before_expiry_minutes 200"]);
    assert_eq!(check(json!({"remind_every_minutes": 200})), ["$.data.policy.remind_every_minutes 200"]);
    assert_eq!(
        check(json!({"min_decision_minutes": 240, "acknowledge_within_minutes": 10})),
        ["$.data.policy.min_decision_minutes 240", "$.data.policy.acknowledge_within_minutes 10"]
    );
}

/// A member that a format does not read would say something that does not hold.
#[test]
fn a_calendars_binding_has_the_members_of_its_format_alone() {
    let shipped: Value = serde_json::from_str(include_str!("../../../infra/policy.json")).expect("JSON");
    let all = [
        ("tentative", json!("busy")),
        ("revision_header", json!("date")),
        ("calendar", json!("x")),
        ("time_zone", json!("UTC")),
        ("person", json!("a@example.com")),
        ("horizon_days", json!(7)),
    ];
    for (format, known) in [
        ("graph.get_schedule", &["tentative", "revision_header", "calendar"][..]),
        ("graph.calendar_view", &["tentative", "revision_header", "calendar", "time_zone"]),
        ("google.free_busy", &["revision_header", "calendar"]),
        ("google.events", &["tentative", "revision_header", "calendar", "time_zone"]),
        ("ical.vfreebusy", &["tentative", "calendar"]),
        ("ical.vevent", &["tentative", "revision_header", "calendar", "time_zone", "person", "horizon_days"]),
    ] {
        for (member, value) in &all {
            let mut policy = shipped.clone();
            let bound = policy["native"].as_array_mut().expect("a list").iter_mut().find(|one| one["format"] == format);
            bound.expect("a binding")[*member] = value.clone();
            let faults = policy::read_file(&policy.to_string()).err().unwrap_or_default();
            let named = faults.iter().any(|fault| fault.path.ends_with(&format!(".{member}")));
            assert_eq!(named, !known.contains(member), "{format} {member}: {faults:?}");
        }
    }
}

/// A sender that SQS never writes would bar the source for ever.
#[test]
fn a_sender_is_what_sqs_calls_one() {
    let faults = |sender: &str| {
        let text = json!({"sources": [{"kind": "evidence", "source": "//ci", "governed_by": "ci@example.com", "sender": sender}]});
        policy::read_file(&text.to_string()).err().unwrap_or_default().len()
    };
    for good in [
        "111122223333",
        "AROAEXAMPLE00000",
        "AROAEXAMPLE00000:runner-7",
        "AIDAIT2UOQQY3AUEKVGXU",
        "AROAEXAMPLE00000:a@example.com",
    ] {
        assert_eq!(faults(good), 0, "{good}");
    }
    for bad in [
        "arn:aws:iam::111122223333:role/ci",
        "arn:aws:sts::111122223333:assumed-role/ci/runner-7",
        "ci-runner",
        "1111-2222-3333",
        "AROAEXAMPLE00000:",
        "AROAEXAMPLE00000:*",
        "AROAEXAMPLE00000:a:b",
        " 111122223333",
        "",
        ":runner",
    ] {
        assert_eq!(faults(bad), 1, "{bad:?}");
    }
}

/// A binding with a fault hides nothing of the others, and nothing of itself: everything is told at once.
#[test]
fn a_binding_whose_source_is_not_registered_is_named_beside_every_other_fault() {
    let text = json!({
        "sources": [{"kind": "evidence", "source": "//ci", "governed_by": "ci@example.com", "max_age_minutes": 5}],
        "native": [
            {"format": "github.workflow_run", "source": "//other", "repository": "a/b", "workflow": "w.yml", "branch": "main", "change_id": "C", "checkpoint": "t"},
            {"format": "gitlab.pipeline", "source": "//another", "branch": "main", "colour": 7},
            {"format": "github.check_suite", "name": "suite", "source": "//ci", "poll": {"url": "https://api.example/x", "every_minutes": 5}},
            {"format": "nothing known", "source": "//third"},
            7,
        ],
    });
    let faults = policy::read_file(&text.to_string()).expect_err("faults");
    let paths: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
    for path in [
        "$.native[0].source",
        "$.native[1].source",
        "$.native[1].colour",
        "$.native[2].poll.every_minutes",
        "$.native[3].format",
        "$.native[4]",
    ] {
        assert_eq!(paths.iter().filter(|found| **found == path).count(), 1, "{path}: {paths:?}");
    }
}
