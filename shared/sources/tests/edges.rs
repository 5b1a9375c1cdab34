//! Edges of translators that a change could move without anybody noticing: mutation testing found each of them unasked. A
//! row is as in the other tables: a sample, one member of it replaced, and what comes of it.

mod common;

use common::{bindings, hold, of, replaced, said, sample};
use serde_json::{Value, json};
use sources::{
    policy,
    reader::{Faults, Node},
};

const RUNS: &str = r#"
gitlab_pipeline | /body/object_attributes/source | "external_pull_request_event" | skipped: a pipeline of a pull request from another system
gitlab_pipeline | /body/object_attributes/source | "merge_request_event" | skipped: a pipeline of a merge request, whose jobs are not the branch's
gitlab_pipeline | /body/merge_request | {"source_project_id":1,"target_project_id":1} | CHG0031337 payment-tests r310000018942 Ready 2026-11-03T13:52:02Z
github_check_suite | /body/check_suite/pull_requests | [{"head":{"repo":{"id":1}},"base":{"repo":{"id":1}}}] | CHG0031337 static-analysis r1793714712000009002 Withdrawn
aws_codepipeline | /body/detail/state | "RESUMED" | CHG0031337 staging-deployment r1793711139200020671 Expected
aws_codepipeline | /body/detail/state | "STOPPING" | CHG0031337 staging-deployment r1793711139200020671 Expected
"#;

const TIMES: &str = r#"
pagerduty_oncalls | /body/response/total | 100 | $.response.total: expected at most the 4 that are here (every page of the answer, put together); found 100
pagerduty_oncalls | /body/response/total | 0 | database-owner r1793696472000 busy 1 unknown 0 min; reliability-lead r1793696472000 busy 0 unknown 0 min
pagerduty_oncalls | /body/request/offset | 1 | $.request.offset: expected 0 (every page of the answer, put together); found 1
pagerduty_oncalls | /body/request/offset | 0 | database-owner r1793696472000 busy 1 unknown 0 min; reliability-lead r1793696472000 busy 0 unknown 0 min
pagerduty_oncalls | /body/request/schedule_ids | [] | database-owner r1793696472000 busy 1 unknown 0 min; reliability-lead r1793696472000 busy 0 unknown 0 min
pagerduty_oncalls | /body/request/escalation_policy_ids | ["PX"] | $.request.escalation_policy_ids: expected nothing, or every policy of the binding's `escalation_policies`; found a list of 1
pagerduty_oncalls | /body/request/escalation_policy_ids | [] | database-owner r1793696472000 busy 1 unknown 0 min; reliability-lead r1793696472000 busy 0 unknown 0 min
pagerduty_oncalls | /body/response/oncalls/0/end | "2026-11-01T00:00:00Z" | $.response.oncalls[0].end: expected an instant after `start` (2026-11-03T08:00:00Z); found 2026-11-01T00:00:00Z
opsgenie_timeline | /body/data/finalTimeline/rotations/0/periods/0/endDate | "2026-11-03T06:00:00.000+01:00" | $.data.finalTimeline.rotations[0].periods[0].endDate: expected an instant after `startDate` (2026-11-03T07:00:00Z); found 2026-11-03T05:00:00Z
pagerduty_oncalls | /body/request/earliest | true | $.request.earliest: expected false: the earliest entry of each does not say when they are free; found true
opsgenie_timeline | /body/data/finalTimeline/rotations/0/periods/1/flattenedRecipients | [{"type":"user","id":"u1","name":"database-owner@example.com"}] | database-owner r1793696472000 busy 2 unknown 0 min
opsgenie_timeline | /body/data/finalTimeline/rotations/0/periods/1/flattenedRecipients | [{"type":"team","id":"t2"}] | database-owner r1793696472000 busy 1 unknown 60 min; skipped: $.data.finalTimeline.rotations[0].periods[1]: names nobody whom a bound name can be compared with: its time is unknown
opsgenie_timeline | /body/data/finalTimeline/rotations/0/periods/1/flattenedRecipients | [{"type":"user","id":"u1","name":"database-owner@example.com"},{"type":"escalation"}] | database-owner r1793696472000 busy 1 unknown 60 min; skipped: $.data.finalTimeline.rotations[0].periods[1]: names nobody whom a bound name can be compared with: its time is unknown
opsgenie_timeline | /body/data/finalTimeline/rotations/0/periods/1/flattenedRecipients | [{"type":"user"}] | database-owner r1793696472000 busy 1 unknown 60 min; skipped: $.data.finalTimeline.rotations[0].periods[1]: names nobody whom a bound name can be compared with: its time is unknown
google_free_busy | /body | {"request":{"items":[{"id":"database-owner@example.com"},{"id":"left-out@example.com"}]},"response":{"timeMin":"2026-11-03T00:00:00Z","timeMax":"2026-11-06T00:00:00Z","calendars":{"database-owner@example.com":{"busy":[]}}}} | database-owner r1793696472000 busy 0 unknown 0 min; left-out r1793696472000 busy 0 unknown 4320 min; skipped: $.request.items[1]: not in the answer: all of its time is unknown
google_events | /body/response/items/0/end/dateTime | "2026-11-03T13:00:00+01:00" | $.response.items[0].end: expected an end after the start; found an object
google_events | /body/response/items/0/end/dateTime | "2026-11-03T14:00:00+01:00" | database-owner r1793696472000 busy 1 unknown 0 min
google_events | /body/request/eventTypes | [] | database-owner r1793696472000 busy 2 unknown 0 min
google_events | /body/request/eventTypes | ["default"] | $.request.eventTypes: expected nothing: what is left out of an answer is not free; found a list of 1
google_events | /body/request/q | false | database-owner r1793696472000 busy 2 unknown 0 min
google_events | /body/request/q | "x" | $.request.q: expected nothing: what is left out of an answer is not free; found "x"
graph_get_schedule | /body/response/value/0 | {"scheduleId":"security-reviewer@example.com","availabilityView":"020","scheduleItems":[{"status":"busy","start":{"dateTime":"2026-11-03T00:00:00","timeZone":"UTC"},"end":{"dateTime":"2026-11-04T00:00:00","timeZone":"UTC"}},{"status":"busy","start":{"dateTime":"2026-11-05T00:00:00","timeZone":"UTC"},"end":{"dateTime":"2026-11-06T00:00:00","timeZone":"UTC"}}]} | security-reviewer r1793696472000 busy 2 unknown 1440 min; gone r1793696472000 busy 0 unknown 4320 min; skipped: $.response.value[0].availabilityView: somebody engaged, and no item says by what: that time is unknown; skipped: $.response.value[1].error: the mailbox could not be read (5009): all of its time is unknown
graph_get_schedule | /body/request/availabilityViewInterval | 1000 | security-reviewer r1793696472000 busy 3 unknown 4320 min; gone r1793696472000 busy 0 unknown 4320 min; skipped: $.response.value[0].availabilityView: not one digit for each slot: all of the mailbox's time is unknown; skipped: $.response.value[1].error: the mailbox could not be read (5009): all of its time is unknown
ical_vfreebusy | ~/body | DTSTAMP: => DTSTAMP;ENCODING=BASE64: | DTSTAMP line: expected a value of the property's own type, not encoded; found "ENCODING=BASE64"
ical_vfreebusy | ~/body | DTSTAMP: => DTSTAMP;CHARSET=UTF-16: | DTSTAMP line: expected a value of the property's own type, not encoded; found "CHARSET=UTF-16"
"#;

const FREEZES: &str = r#"
servicenow_schedules | /body/spans/result/0/repeat_type | "daily" | maintenance r1793696472000 2 freezes, 0 protected; prod r1793696472000 368 freezes, 368 protected
servicenow_schedules | /body/spans/result/0/repeat_type | "weekdays" | maintenance r1793696472000 2 freezes, 0 protected; prod r1793696472000 264 freezes, 264 protected
servicenow_schedules | /body/spans/result/0/repeat_type | "weekends" | maintenance r1793696472000 2 freezes, 0 protected; prod r1793696472000 210 freezes, 210 protected
servicenow_schedules | /body/spans/result/0/repeat_type | "monthly" | maintenance r1793696472000 2 freezes, 0 protected; refused: s1: $.spans.result[0].monthly_type: expected a column: a string, or an object with a `value`; found nothing; skipped: freeze calendar prod: schedule "38f8b4c1eb32010045e1a5115206fe5e" is not told whole
servicenow_schedules | /body/spans/result/0/repeat_type | "yearly" | maintenance r1793696472000 2 freezes, 0 protected; refused: s1: $.spans.result[0].yearly_type: expected a column: a string, or an object with a `value`; found nothing; skipped: freeze calendar prod: schedule "38f8b4c1eb32010045e1a5115206fe5e" is not told whole
servicenow_schedules | /body/spans/result/0/repeat_count | "" | maintenance r1793696472000 2 freezes, 0 protected; prod r1793696472000 1 freezes, 1 protected
servicenow_schedules | /body/spans/result/0/repeat_count | "0" | maintenance r1793696472000 2 freezes, 0 protected; refused: s1: $.spans.result[0].repeat_count: expected a whole number from 1 to 1000; found "0"; skipped: freeze calendar prod: schedule "38f8b4c1eb32010045e1a5115206fe5e" is not told whole
servicenow_schedules | /body/spans/result/0/end_date_time | "20261103T180000" | maintenance r1793696472000 2 freezes, 0 protected; refused: s1: $.spans.result[0].end_date_time: expected an end after `start_date_time`; found "20261103T180000"; skipped: freeze calendar prod: schedule "38f8b4c1eb32010045e1a5115206fe5e" is not told whole
servicenow_schedules | /body/spans/result/0/end_date_time | "20261103T170000" | maintenance r1793696472000 2 freezes, 0 protected; refused: s1: $.spans.result[0].end_date_time: expected an end after `start_date_time`; found "20261103T170000"; skipped: freeze calendar prod: schedule "38f8b4c1eb32010045e1a5115206fe5e" is not told whole
servicenow_schedules | /body/spans/result/0/all_day | "true" | maintenance r1793696472000 2 freezes, 0 protected; prod r1793696472000 1 freezes, 1 protected
servicenow_delegates | /body/delegates/result/0/ends | "" | identity-service security_reviewer r1793696472000 holder security-reviewer@example.com, 1 of 1 approved
roster_json | /body/rows/0/valid_from | "2026-11-04T00:00:00Z" | ledger release_manager r1793696472000 holder rm-a@example.com from 2026-11-04T00:00:00Z, 1 of 1 approved; ledger service_owner r1793696472000 holder nobody, no list
roster_json | /body/rows/0/valid_from | "2026-11-03T09:01:12Z" | ledger release_manager r1793696472000 holder rm-a@example.com from 2026-11-03T09:01:12Z, 1 of 1 approved; ledger service_owner r1793696472000 holder nobody, no list
roster_json | /body/rows/0/valid_until | "2026-11-03T09:01:12Z" | ledger release_manager r1793696472000 holder nobody, 1 of 1 approved; ledger service_owner r1793696472000 holder nobody, no list; refused: row 1.valid_until: expected a holder whose term has not ended at the instant of the header `date`, or without a validity; found another time
roster_json | /body/rows/1 | {"service":"ledger","role":"release_manager","person":"rm-b@example.com","status":"holder"} | ledger release_manager r1793696472000 holder rm-a@example.com, 0 of 0 approved; ledger service_owner r1793696472000 holder nobody, no list; refused: row 2.status: expected one holder of a role; found a second one
roster_json | /body | [] | ledger release_manager r1793696472000 holder nobody, no list; ledger service_owner r1793696472000 holder nobody, no list
"#;

#[test]
fn what_a_row_says_is_said() {
    hold(&[RUNS, TIMES, FREEZES], &bindings(|_| ()));
}

/// A day that is frozen as a whole is frozen to its end, though its record ends where it begins.
#[test]
fn a_frozen_day_lasts_the_day() {
    let of_day = |end: &str, kind: Value| {
        let mut payload = sample("native_servicenow_schedules");
        let span = &mut payload["body"]["spans"]["result"][0];
        span["all_day"] = json!("true");
        span["start_date_time"] = json!("20261104T000000");
        span["end_date_time"] = json!(end);
        span["monthly_type"] = kind;
        let bindings = bindings(|_| ());
        let read = sources::read(&payload.to_string(), &bindings).expect("a good sample");
        read.events.iter().map(|event| format!("{:?}", event.statement)).collect::<String>()
    };
    let whole = of_day("20261104T235959", json!(null));
    assert!(whole.contains("2026-11-03T23:00:00Z") && whole.contains("2026-11-04T23:00:00Z"), "{whole}");
    for end in ["20261105T000000", "20261104T000000"] {
        assert_eq!(of_day(end, json!(null)), whole, "{end}");
    }
}

/// Monthly and yearly repetitions are read where they are on the day of the month or the year, and refused by name else.
#[test]
fn a_repetition_on_other_days_is_not_taken_for_one_on_this_day() {
    let of_kind = |kind: &str, member: &str, word: &str| {
        let mut payload = sample("native_servicenow_schedules");
        let span = &mut payload["body"]["spans"]["result"][0];
        span["repeat_type"] = json!(kind);
        span[member] = json!(word);
        said(&payload, &bindings(|_| ()))
    };
    for (kind, member, good, bad) in
        [("monthly", "monthly_type", "dom", "dow"), ("yearly", "yearly_type", "doy", "dowoy")]
    {
        // Ten years, and the time behind.
        let freezes = if kind == "monthly" { 122 } else { 12 };
        let told = format!("prod r1793696472000 {freezes} freezes");
        assert!(of_kind(kind, member, good).contains(&told), "{}", of_kind(kind, member, good));
        assert!(of_kind(kind, member, bad).contains(&format!("{member}: expected")), "{}", of_kind(kind, member, bad));
    }
}

/// Where tentative time is free, nothing else is.
#[test]
fn time_that_nobody_explains_is_not_free_where_tentative_time_is() {
    let free = bindings(|native| of(native, "graph.get_schedule")["tentative"] = json!("free"));
    let with = |view: &str| {
        let mut payload = sample("native_graph_get_schedule");
        payload["body"]["response"]["value"][0] =
            json!({"scheduleId": "security-reviewer@example.com", "availabilityView": view, "scheduleItems": []});
        let came = said(&payload, &free);
        came.split(';').next().unwrap_or_default().to_owned()
    };
    for (view, minutes) in
        [("000", 0), ("040", 0), ("010", 0), ("020", 1_440), ("230", 2_880), ("0?0", 1_440), ("00", 4_320)]
    {
        assert_eq!(with(view), format!("security-reviewer r1793696472000 busy 0 unknown {minutes} min"), "{view}");
    }
    let busy = replaced(sample("native_graph_get_schedule"), "/body/response/value/0/scheduleItems", "[]");
    let busy = replaced(busy, "/body/response/value/0/availabilityView", "\"010\"");
    assert!(said(&busy, &bindings(|_| ())).starts_with("security-reviewer r1793696472000 busy 0 unknown 1440 min"));
}

/// A build of a branch that the binding does not name is no evidence, nor is one of no branch.
#[test]
fn a_branch_that_is_bound_is_the_branch_that_was_built() {
    let bound = bindings(|native| {
        let jenkins = of(native, "jenkins.notification");
        jenkins["job"] = json!("rehearsals/CHG0031337");
        jenkins["branch"] = json!("release/*");
    });
    let built = |branch: Value| {
        let mut payload = sample("native_jenkins_notification");
        payload["body"]["build"]["scm"]["branch"] = branch;
        said(&payload, &bound)
    };
    let ready = "CHG0031337 rehearsal r183 Ready 2026-11-03T13:19:00Z";
    for good in [
        "origin/release/CHG0031337",
        "refs/heads/release/CHG0031337",
        "refs/remotes/origin/release/CHG0031337",
        "release/CHG0031337",
    ] {
        assert_eq!(built(json!(good)), ready, "{good}");
    }
    for other in [json!("main"), json!("origin/main"), json!("detached"), json!(""), json!("HEAD"), Value::Null] {
        assert!(built(other.clone()).starts_with("skipped: "), "{other}: {}", built(other.clone()));
    }
    // A commit that the binding names.
    let commit = "c6d86dc654b12425e706bcf951adfe5a8627a517";
    let at = |sha: &str| {
        let bound = bindings(|native| {
            let jenkins = of(native, "jenkins.notification");
            jenkins["head_sha"] = json!(sha);
        });
        said(&sample("native_jenkins_notification"), &bound)
    };
    assert_eq!(at(commit), ready);
    assert!(at(&commit.replace('c', "d")).starts_with("skipped: "));
    // A build that names no commit fits none.
    let none = replaced(sample("native_jenkins_notification"), "/body/build/scm/commit", "\"\"");
    let bound = bindings(|native| of(native, "jenkins.notification")["head_sha"] = json!(commit));
    assert!(said(&none, &bound).starts_with("skipped: "), "{}", said(&none, &bound));
    // A pull request that a build names as its source is no branch, whatever the binding leaves open.
    let open = bindings(|native| {
        let build = of(native, "aws.codebuild").as_object_mut().expect("a binding");
        build.remove("branch");
        build.insert("change_id".to_owned(), json!("CHG0031337"));
    });
    for source in ["pr/7", "refs/pull/7/head", "refs/pull/7/head^{c6d86dc654b12425e706bcf951adfe5a8627a517}"] {
        let payload = replaced(
            sample("native_aws_codebuild"),
            "/body/detail/additional-information/source-version",
            &json!(source).to_string(),
        );
        assert!(said(&payload, &open).starts_with("skipped: "), "{source}: {}", said(&payload, &open));
    }
}

/// Runs of pipelines and of suites are told apart by their type, whatever members they have.
#[test]
fn a_run_of_another_kind_is_not_the_run_that_is_bound() {
    let pipeline = bindings(|native| {
        let bound = of(native, "cdevents").as_object_mut().expect("a binding");
        bound.remove("environment");
        bound.insert("subject".to_owned(), json!("pipelinerun"));
        bound.insert("name".to_owned(), json!("release-*"));
    });
    let event = |kind: &str| {
        json!({"context": {"specversion": "0.5.1", "id": "e1", "source": "//evidence.example.com",
                           "type": format!("dev.cdevents.{kind}.finished.0.3.0"), "timestamp": "2026-11-03T10:00:00Z"},
               "subject": {"id": "r", "content": {"outcome": "success", "pipelineName": "release-CHG7",
                           "environment": {"id": "staging"}, "testSuite": {"id": "performance-CHG7"}}}})
    };
    let suites = bindings(|_| ());
    let at = "r17937132000000 Ready 2026-11-03T10:00:00Z";
    for (kind, bound, expected) in [
        ("pipelinerun", &pipeline, "CHG7 performance-tests"),
        ("testsuiterun", &suites, "CHG7 performance-tests"),
        ("testsuiterun", &pipeline, "skipped: "),
        ("pipelinerun", &suites, "skipped: "),
    ] {
        let came = said(&event(kind), bound);
        assert!(came.starts_with(expected), "{kind}: {came} {at}");
    }
}

/// Two bindings of one workflow, under one checkpoint, that one branch fits both of are refused at start.
#[test]
fn branches_that_meet_are_refused_whichever_has_the_star() {
    let refused = |branches: [&str; 2]| {
        let binding = |branch: &str| {
            json!({"format": "github.workflow_run", "source": "//ci", "repository": "acme/pay", "workflow": "it.yml",
                   "branch": branch, "change_id": if branch.ends_with('*') { "*" } else { "CHG1" }, "checkpoint": "it"})
        };
        let policy = json!({
            "sources": [{"kind": "evidence", "source": "//ci", "governed_by": "it@example.com"}],
            "native": branches.map(binding),
        });
        policy::read_file(&policy.to_string()).is_err()
    };
    for (branches, expected) in [
        (["main", "main"], true),
        (["main", "other"], false),
        (["main", "ma*"], true),
        (["ma*", "main"], true),
        (["mi*", "main"], false),
        (["main", "mi*"], false),
        (["ma*", "mai*"], true),
        (["mai*", "ma*"], true),
        (["mi*", "ma*"], false),
    ] {
        assert_eq!(refused(branches), expected, "{branches:?}");
    }
}

/// What says that something changed asks for a poll, and for nothing else.
#[test]
fn a_hint_asks_for_a_poll() {
    for name in ["native_pagerduty_webhook", "native_graph_change_notification"] {
        let read = sources::read(&sample(name).to_string(), &bindings(|_| ())).expect("a good sample");
        assert_eq!((read.events.len(), read.hints.len()), (0, 1), "{name}");
    }
}

/// A record that has a fault is not taken, though its reader made something of it.
#[test]
fn a_record_with_a_fault_is_none() {
    let list = json!([1, 2]);
    let faults = Faults::default();
    let node = Node::root(&list, "$", &faults);
    let read = node.each_alone(2, |item| {
        let _: Option<()> = (item.value() == &json!(2)).then(|| item.wrong("1")).flatten();
        Some(())
    });
    let read = read.expect("a list");
    assert_eq!(read.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false]);
    assert!(faults.is_empty() && node.each_alone(1, |_| Some(())).is_none());
}

/// A feed of one calendar, read by the shipped binding after a change of it.
fn feed(bindings: &sources::Bindings, events: &[&str]) -> String {
    let mut payload = sample("native_ical_vevent");
    let events: String = events.iter().map(|lines| format!("BEGIN:VEVENT|{lines}|END:VEVENT|")).collect();
    let text = format!("BEGIN:VCALENDAR|VERSION:2.0|{events}END:VCALENDAR|").replace('|', "\r\n");
    payload["body"] = json!(text);
    said(&payload, bindings).replace("service-owner r1793696472000 ", "")
}

#[test]
fn of_a_feed_only_what_is_free_is_free() {
    let usual = bindings(|_| ());
    let free = bindings(|native| of(native, "ical.vevent")["tentative"] = json!("free"));
    let hour = "DTSTART:20261105T130000Z|DTEND:20261105T140000Z";
    let event = |more: &str| format!("UID:x|{hour}|{more}");
    for (more, with_busy, with_free) in [
        ("SUMMARY:x", 1, 1),
        ("STATUS:CONFIRMED", 1, 1),
        ("STATUS:TENTATIVE", 1, 0),
        ("TRANSP:TRANSPARENT", 0, 0),
        ("TRANSP:OPAQUE", 1, 1),
        ("ATTENDEE;PARTSTAT=TENTATIVE:mailto:service-owner@example.com", 1, 0),
        ("ATTENDEE;PARTSTAT=TENTATIVE:mailto:somebody@example.com", 1, 1),
        ("ATTENDEE;PARTSTAT=DECLINED:mailto:somebody@example.com", 1, 1),
    ] {
        let event = event(more);
        for (bindings, busy) in [(&usual, with_busy), (&free, with_free)] {
            assert_eq!(feed(bindings, &[&event]), format!("busy {busy} unknown 0 min"), "{more}");
        }
    }
    // What has no name stands for no occurrence of another event without one.
    let nameless =
        [hour, &format!("RECURRENCE-ID:20261105T130000Z|{}", hour.replace("T13", "T15").replace("T14", "T16"))];
    assert_eq!(feed(&usual, &nameless), "busy 2 unknown 0 min");
    // Of a named series it does.
    let named = nameless.map(|lines| format!("UID:y|{lines}"));
    assert_eq!(feed(&usual, &[&named[0], &named[1]]), "busy 1 unknown 0 min");
    // A clock that is ahead of UTC is still inside the horizon when its date is past it: 31 days from the day before.
    let tokyo = "UID:z|DTSTART;TZID=Asia/Tokyo:20261103T175500|DTEND;TZID=Asia/Tokyo:20261103T180000|RRULE:FREQ=DAILY";
    assert_eq!(feed(&usual, &[tokyo]), "busy 31 unknown 0 min");
    assert_eq!(
        feed(
            &usual,
            &[
                "UID:p|DTSTART:20261105T130000Z|DTEND:20261105T140000Z|RDATE;VALUE=PERIOD:20261106T130000Z/PT2H,20261107T130000Z/20261107T150000Z"
            ]
        ),
        "busy 3 unknown 0 min"
    );
}

/// A freeze on a clock that is ahead of UTC is told to the end of the horizon, too.
#[test]
fn freezes_are_told_as_far_as_the_list_has_place() {
    let days = |zone: &str| {
        let tokyo = bindings(|native| {
            let schedules = &mut of(native, "servicenow.schedules");
            schedules["horizon_days"] = json!(30);
            schedules["schedules"]["38f8b4c1eb32010045e1a5115206fe5e"]["time_zone"] = json!(zone);
        });
        let mut payload = sample("native_servicenow_schedules");
        let span = &mut payload["body"]["spans"]["result"][0];
        span["repeat_type"] = json!("daily");
        span["start_date_time"] = json!("20261103T175500");
        span["end_date_time"] = json!("20261103T180000");
        said(&payload, &tokyo)
    };
    assert!(days("Asia/Tokyo").contains("prod r1793696472000 368 freezes"), "{}", days("Asia/Tokyo"));
    assert!(days("America/Los_Angeles").contains("prod r1793696472000 368 freezes"), "{}", days("America/Los_Angeles"));
}

/// A question may look like the answer of somebody who has no engagement.
#[test]
fn a_question_without_a_method_is_no_answer() {
    let bindings = bindings(|_| ());
    let with = |method: &str, people: &str, busy: &str| {
        let mut payload = sample("native_ical_vfreebusy");
        let text = format!(
            "BEGIN:VCALENDAR|VERSION:2.0|{method}BEGIN:VFREEBUSY|UID:u|DTSTAMP:20261103T090112Z|DTSTART:20261103T000000Z|DTEND:20261106T000000Z|{people}{busy}END:VFREEBUSY|END:VCALENDAR|"
        );
        payload["body"] = json!(text.replace('|', "\r\n"));
        said(&payload, &bindings)
    };
    let (organizer, attendee) =
        ("ORGANIZER:mailto:holdpoint@example.com|", "ATTENDEE:mailto:service-owner@example.com|");
    let both = format!("{organizer}{attendee}");
    let busy = "FREEBUSY:20261103T150000Z/PT1H|";
    let answer = "service-owner r1793696472000 busy ";
    for (method, people, lines, expected) in [
        ("", both.as_str(), "", "skipped: a VFREEBUSY without METHOD"),
        ("", &both, busy, answer),
        ("METHOD:REPLY|", &both, "", answer),
        ("METHOD:REPLY|", &both, busy, answer),
        ("METHOD:REQUEST|", &both, "", "skipped: "),
        ("", attendee, busy, answer),
        ("METHOD:PUBLISH|", &organizer.replace("holdpoint", "service-owner"), busy, answer),
        ("", &organizer.replace("holdpoint", "service-owner"), "", answer),
    ] {
        let came = with(method, people, lines);
        assert!(came.starts_with(expected), "{method} {people} {lines}: {came}");
    }
    // No answer at all, and no text.
    for text in ["BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REPLY\r\nEND:VCALENDAR\r\n", "", " ", "BEGIN:VCALENDAR\0"] {
        let mut payload = sample("native_ical_vfreebusy");
        payload["body"] = json!(text);
        assert!(said(&payload, &bindings).contains("expected"), "{text:?}: {}", said(&payload, &bindings));
    }
    let mut payload = sample("native_ical_vfreebusy");
    let text = payload["body"].as_str().expect("text").replace("Salary", "\0");
    payload["body"] = json!(text);
    assert!(said(&payload, &bindings).contains("nothing of the kind"), "{}", said(&payload, &bindings));
    let mut payload = sample("native_ical_vfreebusy_schedule_response");
    payload["body"] = json!("<C:schedule-response xmlns:C=\"urn:ietf:params:xml:ns:caldav\"></C:schedule-response>");
    assert!(said(&payload, &bindings).contains("expected 1 to"), "{}", said(&payload, &bindings));
}

/// Nobody guesses which of several members of a group is the holder.
#[test]
fn a_group_of_several_has_no_holder_by_itself() {
    let unnamed = bindings(|native| {
        let role = of(native, "servicenow.delegates")["roles"][0].as_object_mut().expect("a role");
        role.remove("holder");
    });
    let payload = sample("native_servicenow_delegates");
    assert!(said(&payload, &unnamed).contains("expected a group of one member"), "{}", said(&payload, &unnamed));
    let mut one = payload;
    one["body"]["members"]["result"].as_array_mut().expect("members").truncate(1);
    assert!(
        said(&one, &unnamed)
            .starts_with("identity-service security_reviewer r1793696472000 holder security-reviewer@example.com")
    );
}

/// What a binding says is said of its own format, and by members that are known.
#[test]
fn bindings_speak_for_their_own_format_in_known_words() {
    let named = bindings(|native| of(native, "google.free_busy")["name"] = json!("team"));
    let mut payload = sample("native_graph_get_schedule");
    payload["binding"] = json!("team");
    assert!(
        said(&payload, &named).starts_with("$.binding: expected the name of a binding for graph.get_schedule"),
        "{}",
        said(&payload, &named)
    );
    let text = include_str!("../../../infra/policy.json");
    let policy: Value = serde_json::from_str(text).expect("JSON");
    for index in 0..policy["native"].as_array().expect("a list").len() {
        let mut changed = policy.clone();
        changed["native"][index]["brnach"] = json!("x");
        let faults = policy::read_file(&changed.to_string()).err().unwrap_or_default();
        assert!(
            faults.iter().any(|fault| fault.to_string().contains("brnach")),
            "{}: {faults:?}",
            policy["native"][index]
        );
    }
    for (format, proof) in [
        ("github.workflow_run", "hub_signature"),
        ("jira.change", "hub_signature"),
        ("pagerduty.webhook", "pagerduty"),
        ("gitlab.pipeline", "gitlab_token"),
        ("incidentio.schedule_entries", "standard_webhooks"),
        ("jenkins.notification", "shared_secret"),
    ] {
        let of = sources::native::binding::Proof::of_format(format);
        let words = format!("{of:?}").to_ascii_lowercase();
        assert_eq!(words, proof.replace('_', ""), "{format}");
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_text() {
    for name in ["native_opsgenie_timeline", "native_graph_get_schedule"] {
        let (bindings, body) = (bindings(|_| ()), sample(name).to_string());
        let read = sources::read(&body, &bindings).expect(name);
        assert_eq!(sources::read(&format!("\u{feff}{body}"), &bindings), Ok(read), "{name}");
    }
}
