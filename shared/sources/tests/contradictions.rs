//! What contradicts itself, leaves out what says how whole it is, or stands beside an error: systems, and what filters their
//! answers, write such things. None of them is read as better than it may be.

mod common;

use common::{bindings, hold, said, sample};
use serde_json::{Value, json};

const CONTRADICTIONS: &str = r#"
graph_calendar_view | /body/response/error | {"code":"ErrorItemNotFound"} | $: expected an answer without an error; found the member `error`
google_events | /body/request/fields | "items(id)" | $.request.fields: expected nothing, or fields with `nextPageToken` among them; found "items(id)"
ical_vevent | ~/body/response | PARTSTAT=DECLINED => PARTSTAT=DECLINED,ACCEPTED | service-owner r1793696472000 busy 5 unknown 0 min
ical_vevent | ~/body/response | DURATION:PT1H\nATTENDEE;PARTSTAT=DECLINED => DURATION:PT1H\nDURATION:PT4H\nATTENDEE;PARTSTAT=X | service-owner r1793696472000 busy 4 unknown 4980 min; skipped: VEVENT[4].DURATION: there twice, and the two differ: time from the earliest instant that the event names on is unknown
ical_vevent | ~/body/response | DURATION:PT1H\nATTENDEE;PARTSTAT=DECLINED => DTEND:20261104T150000Z\nDURATION:PT1H\nATTENDEE;PARTSTAT=X | service-owner r1793696472000 busy 4 unknown 4980 min; skipped: VEVENT[4].DTEND: there beside DURATION: time from the earliest instant that the event names on is unknown
ical_vevent | ~/body/response | RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR => RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;COUNT=2;UNTIL=20261201T000000Z | service-owner r1793696472000 busy 2 unknown 7200 min; skipped: VEVENT[0].RRULE: recurs in a way that nobody here knows, or too often: time from the earliest instant that the event names on is unknown
ical_vevent | ~/body/response | TRANSP:OPAQUE => TRANSP:TRANSPARENT\nTRANSP:OPAQUE | service-owner r1793696472000 busy 4 unknown 0 min
ical_vevent | ~/body/response | RECURRENCE-ID;TZID => RECURRENCE-ID;RANGE=THISANDPRIOR;TZID | service-owner r1793696472000 busy 3 unknown 7200 min; skipped: VEVENT[1].RECURRENCE-ID: a RANGE that nobody here knows: all time of its calendar is unknown
ical_vevent | ~/body/response | FREQ=WEEKLY;BYDAY=MO => FREQ=WEEKLY;BYDAY=1MO | service-owner r1793696472000 busy 2 unknown 7200 min; skipped: VEVENT[0].RRULE: recurs in a way that nobody here knows, or too often: time from the earliest instant that the event names on is unknown
ical_vfreebusy_schedule_response | ~/body | 2.0;Success => 2.8;Success, repeating event ignored | skipped: a recipient of a schedule response whose calendar did not answer; skipped: a recipient of a schedule response whose calendar did not answer
ical_vfreebusy_schedule_response | ~/body | 2.0;Success => 1.0;Request in process | skipped: a recipient of a schedule response whose calendar did not answer; skipped: a recipient of a schedule response whose calendar did not answer
ical_vfreebusy_schedule_response | ~/body | 2.0;Success => 20;Success | skipped: a recipient of a schedule response whose calendar did not answer; skipped: a recipient of a schedule response whose calendar did not answer
ical_vfreebusy_schedule_response | ~/body | FREEBUSY: => FREEBUSY;FBTYPE=FREE: | service-owner r1793696472000 busy 0 unknown 0 min; skipped: a recipient of a schedule response whose calendar did not answer
ical_vfreebusy_schedule_response | ~/body | FREEBUSY: => FREEBUSY;FBTYPE=BUSY-UNAVAILABLE: | service-owner r1793696472000 busy 1 unknown 0 min; skipped: a recipient of a schedule response whose calendar did not answer
ical_vfreebusy_schedule_response | ~/body | FREEBUSY: => FREEBUSY;FBTYPE="FREE": | service-owner r1793696472000 busy 0 unknown 0 min; skipped: a recipient of a schedule response whose calendar did not answer
ical_vfreebusy_schedule_response | ~/body | FREEBUSY: => FREEBUSY;FBTYPE=FREE;FBTYPE=BUSY: | service-owner r1793696472000 busy 1 unknown 0 min; skipped: a recipient of a schedule response whose calendar did not answer
pagerduty_oncalls | /body/response/error | {"message":"x","code":2016} | $: expected an answer without an error; found the member `error`
pagerduty_schedule | /body/response/schedule/final_schedule/rendered_schedule_entries | [] | $.response.schedule.final_schedule: expected the entries of what is covered; found a coverage, and no entry
gitlab_pipeline | /body/object_attributes/source | "ondemand_dast_scan" | skipped: a pipeline that does not count for its branch, by its `source`
gitlab_pipeline | /body/object_attributes/source | "schedule" | CHG0031337 payment-tests r310000018942 Ready 2026-11-03T13:52:02Z
gitlab_pipeline | /body/object_attributes/source | "security_orchestration_policy" | skipped: a pipeline that does not count for its branch, by its `source`
gitlab_pipeline | /body/object_attributes/source | - | $.object_attributes.source: expected a string; found nothing
gitlab_pipeline | /body/object_attributes/tag | - | $.object_attributes.tag: expected true or false; found nothing
jenkins_notification | /body/build/timestamp | 0 | $.build.timestamp: expected a whole number from 1000000000000 to 253402300799000; found 0
jenkins_notification | /body/build/timestamp | 1793711400 | $.build.timestamp: expected a whole number from 1000000000000 to 253402300799000; found 1793711400
azure_devops_build_complete | /body/resource/status | - | $.resource.status: expected a string; found nothing
azure_devops_build_complete | /body/resource/triggerInfo | {"pr.isFork":"True"} | skipped: a build of a pull request from a fork
aws_codebuild | /body/detail/additional-information/build-complete | false | CHG0031337 load-tests r1793710949000007232 Withdrawn
servicenow_change_request | /body/result/end_date | "2026-11-03 20:00:00" | $.result.end_date: expected an instant after `start_date` (2026-11-03T21:00:00Z); found 2026-11-03T20:00:00Z
servicenow_change_request | /body/error | {"message":"partial"} | $: expected an answer without an error; found the member `error`
jira_change | /body/issue/key | "OTHER-42" | skipped: an issue of a project or a type that the binding does not name
servicenow_schedules | /body/schedules/result/0/parent | - | $.schedules.result[0].parent: expected a column: a string, or an object with a `value`; found nothing
servicenow_schedules | /body/schedules/result/0/parent | {"value":"S0"} | maintenance r1793696472000 2 freezes, 0 protected; skipped: freeze calendar prod: schedule "S0", which applies to "38f8b4c1eb32010045e1a5115206fe5e", is not told whole
servicenow_schedules | /body/children | - | $.children: expected an object; found nothing
servicenow_schedules | /body/children/result/x | {"schedule":"08fcd0830a0a0b2600079f56b1adb9ae","child_schedule":"S9"} | prod r1793696472000 1 freezes, 1 protected; skipped: freeze calendar maintenance: schedule "S9", which applies to "08fcd0830a0a0b2600079f56b1adb9ae", is not told whole
servicenow_schedules | /body/spans/result/1/days_of_week | "" | prod r1793696472000 1 freezes, 1 protected; refused: s2: $.spans.result[1].days_of_week: expected the days of a weekly repetition, like 135; found no day; skipped: freeze calendar maintenance: schedule "08fcd0830a0a0b2600079f56b1adb9ae" is not told whole
servicenow_delegates | /body/delegates/result/0/ends | "2026-10-01 08:00:00" | identity-service security_reviewer r1793696472000 holder security-reviewer@example.com, 0 of 0 approved; refused: 0b1: $.delegates.result[0].ends: expected an instant after `starts` (2026-11-01T08:00:00Z); found 2026-10-01T08:00:00Z
roster_json | /body/next | "https://x" | $.next: expected nothing (every page of the answer, put together); found another page
gitlab_pipeline | /body/builds/0/status | "failed" | CHG0031337 payment-tests r310000018942 Withdrawn
gitlab_pipeline | /body/builds/0/status | "running" | CHG0031337 payment-tests r310000018942 Withdrawn
gitlab_pipeline | /body/builds/0/status | "manual" | CHG0031337 payment-tests r310000018942 Withdrawn
gitlab_pipeline | /body/builds/0/status | "some_day" | CHG0031337 payment-tests r310000018942 Withdrawn
gitlab_pipeline | /body/builds/0 | {"status":"failed","allow_failure":true,"created_at":"2026-11-03 13:20:28 UTC"} | CHG0031337 payment-tests r310000018942 Withdrawn
gitlab_pipeline | /body/builds/0 | {"status":"manual","allow_failure":true,"created_at":"2026-11-03 13:20:28 UTC"} | CHG0031337 payment-tests r310000018942 Ready 2026-11-03T13:52:02Z
gitlab_pipeline | /body/builds/0/status | "skipped" | CHG0031337 payment-tests r310000018942 Ready 2026-11-03T13:52:02Z
gitlab_pipeline | /body/builds/0/status | - | CHG0031337 payment-tests r310000018942 Ready 2026-11-03T13:52:02Z
cdevents_0_5 | /type | "dev.cdevents.testsuiterun.started.0.3.0" | CHG0031337 performance-tests r17937174000002 Withdrawn
cdevents_0_5 | /source | "//stranger.example.com" | CHG0031337 performance-tests r17937174000002 Withdrawn
cdevents_0_5 | /subject | "run-1" | CHG0031337 performance-tests r17937174000002 Withdrawn
cdevents_0_5 | /subject | - | CHG0031337 performance-tests r17937174000002 Ready 2026-11-03T14:50:00Z
cdevents_base64 | /source | "//stranger.example.com" | CHG0031337 performance-tests r17937175200002 Withdrawn
roster_json | /body/error | "x" | $: expected an answer without an error; found the member `error`
"#;

#[test]
fn what_contradicts_itself_is_not_the_better_of_the_two() {
    hold(&[CONTRADICTIONS], &bindings(|_| ()));
}

/// An error beside an answer, wherever systems put one: what else stands there is not the whole.
#[test]
fn an_answer_beside_an_error_is_none() {
    let mut asked = 0;
    for (name, payload) in common::natives() {
        if !payload["body"].is_object() || name == "native_jenkins_notification" {
            continue;
        }
        let inner = ["", "/response", "/members", "/delegates", "/schedules", "/spans", "/children"];
        for place in inner.iter().filter(|place| payload["body"].pointer(place).is_some_and(Value::is_object)) {
            for (member, error, counts) in [
                ("error", json!({ "code": 500 }), true),
                ("error", json!("not everything"), true),
                ("errors", json!([{ "reason": "notFound" }]), true),
                ("errorMessages", json!(["x"]), true),
                ("error", json!(null), false),
                ("errors", json!([]), false),
            ] {
                let mut beside = payload.clone();
                beside["body"].pointer_mut(place).expect("it")[member] = error;
                let (came, without) = (said(&beside, &bindings(|_| ())), said(&payload, &bindings(|_| ())));
                let refused = came.starts_with("$: expected an answer without an error")
                    || came.contains("expected an answer without an error");
                assert_eq!(refused, counts, "{name} {place} {member}: {came}");
                assert!(counts || came == without, "{name} {place} {member}: {came}");
                asked += 1;
            }
        }
    }
    assert!(asked > 100, "{asked}");
}

/// A suite in which nothing was checked has succeeded in nothing.
#[test]
fn a_suite_without_a_check_is_not_ready() {
    let with = |checks: Value| {
        let mut payload = sample("native_github_check_suite");
        payload["body"]["check_suite"]["conclusion"] = json!("success");
        payload["body"]["check_suite"]["latest_check_runs_count"] = checks;
        said(&payload, &bindings(|_| ()))
    };
    assert!(with(json!(1)).contains(" Ready "), "{}", with(json!(1)));
    assert!(with(json!(null)).contains(" Ready "), "a sender that does not count");
    assert!(with(json!(0)).ends_with(" Withdrawn"), "{}", with(json!(0)));
}

/// A type of CDEvents whose version nobody here has read is not ready, whatever its outcome is called.
#[test]
fn an_outcome_of_an_unread_version_is_not_ready() {
    for (version, outcome, ready) in [
        ("0.1.0", "pass", true),
        ("0.2.0", "pass", true),
        ("0.2.0", "success", false),
        ("0.3.0", "success", true),
        ("0.3.0", "pass", false),
        ("0.0.1", "pass", false),
        ("0.4.0", "success", false),
        ("0.9.0", "success", false),
        ("1.0.0", "success", false),
    ] {
        let mut payload = sample("native_cdevents_0_5");
        let kind = format!("dev.cdevents.testsuiterun.finished.{version}");
        payload["type"] = json!(kind);
        payload["data"]["context"]["type"] = json!(kind);
        payload["data"]["subject"]["content"]["outcome"] = json!(outcome);
        let came = said(&payload, &bindings(|_| ()));
        assert_eq!(came.contains(" Ready "), ready, "{version} {outcome}: {came}");
    }
}

/// A build that has ended says how long it took: else it would have ended when it began.
#[test]
fn a_build_that_has_ended_says_how_long_it_took() {
    for (phase, expected) in
        [("FINALIZED", "$.build.duration: expected"), ("COMPLETED", "$.build.duration: expected"), ("STARTED", "CHG")]
    {
        let mut payload = sample("native_jenkins_notification");
        payload["body"]["build"]["phase"] = json!(phase);
        payload["body"]["build"].as_object_mut().expect("a build").remove("duration");
        assert!(said(&payload, &bindings(|_| ())).starts_with(expected), "{}", said(&payload, &bindings(|_| ())));
    }
}
