//! Native payloads, one row a case: a sample, one member of it replaced (or taken out with `-`), and what comes of it.
//! The samples themselves and their whole events are in `samples.rs`.

mod common;

use std::collections::BTreeMap;

use common::{bindings, hold, of, replaced, said, sample};
use refresh_core::facts::fact::Body;
use serde_json::Value;
use sources::read;

const GITHUB: &str = r#"
github_workflow_run   | /                                        |                                | CHG0031337 integration-tests r56200012 Ready 2026-11-03T14:50:00Z
github_workflow_run   | /body/action                             | "requested"                    | CHG0031337 integration-tests r56200010 Expected 2026-11-03T14:50:10Z
github_workflow_run   | /body/action                             | "in_progress"                  | CHG0031337 integration-tests r56200011 Expected 2026-11-03T14:50:10Z
github_workflow_run   | /body/action                             | "approved"                     | skipped: a run of a fork, or an action that says nothing of readiness
github_workflow_run   | /body/workflow_run/conclusion            | "failure"                      | CHG0031337 integration-tests r56200012 Withdrawn
github_workflow_run   | /body/workflow_run/conclusion            | "neutral"                      | CHG0031337 integration-tests r56200012 Withdrawn
github_workflow_run   | /body/workflow_run/conclusion            | "skipped"                      | CHG0031337 integration-tests r56200012 Withdrawn
github_workflow_run   | /body/workflow_run/conclusion            | null                           | CHG0031337 integration-tests r56200012 Withdrawn
github_workflow_run   | /body/workflow_run/conclusion            | "success_with_a_new_word"      | CHG0031337 integration-tests r56200012 Withdrawn
github_workflow_run   | /body/workflow_run/run_attempt           | 2                              | CHG0031337 integration-tests r56200022 Ready 2026-11-03T14:50:00Z
github_workflow_run   | /body/workflow_run/head_branch           | "main"                         | skipped: a run that no binding names (repository, workflow or app, branch and commit must all fit)
github_workflow_run   | /body/workflow_run/head_branch           | "release/"                     | skipped: a run that no binding names (repository, workflow or app, branch and commit must all fit)
github_workflow_run   | /body/workflow_run/head_branch           | null                           | skipped: a run that no binding names (repository, workflow or app, branch and commit must all fit)
github_workflow_run   | /body/workflow_run/head_branch           | "release/ x"                   | skipped: the star of a binding's pattern stands for no change id here
github_workflow_run   | /body/workflow_run/path                  | ".github/workflows/lint.yml"   | skipped: a run that no binding names (repository, workflow or app, branch and commit must all fit)
github_workflow_run   | /body/repository/full_name               | "stranger/identity-service"    | skipped: a run of a fork, or an action that says nothing of readiness
github_workflow_run   | /headers/X-GitHub-Event                  | "check_suite"                  | header x-github-event: expected workflow_run; found check_suite
github_workflow_run   | /headers/X-GitHub-Event                  | "ping"                         | skipped: a ping of GitHub: the webhook is there, and nothing is told yet
github_check_suite    | /body/check_suite/conclusion             | "success"                      | CHG0031337 static-analysis r1793714712000009002 Ready 2026-11-03T14:20:12Z
github_check_suite    | /body/action                             | "rerequested"                  | CHG0031337 static-analysis r1793714712000009003 Expected
github_check_suite    | /body/check_suite/app/slug               | "other-app"                    | skipped: a run that no binding names (repository, workflow or app, branch and commit must all fit)
"#;

const CDEVENTS: &str = r#"
cdevents_0_5          | /data/subject/content/outcome            | "pass"                         | CHG0031337 performance-tests r17937174000002 Withdrawn
cdevents_0_5          | /data/subject/content/outcome            | "failure"                      | CHG0031337 performance-tests r17937174000002 Withdrawn
cdevents_0_5          | /data/subject/content/outcome            | -                              | CHG0031337 performance-tests r17937174000002 Withdrawn
cdevents_0_4          | /body/subject/content/outcome            | "success"                      | CHG0031337 performance-tests r17937174600002 Withdrawn
cdevents_0_5          | /data/context/type                       | "dev.cdevents.testsuiterun.finished.1.0.0" | CHG0031337 performance-tests r17937174000002 Withdrawn
cdevents_0_5          | /data/context/type                       | "dev.cdevents.testsuiterun.started.0.3.0"  | CHG0031337 performance-tests r17937174000001 Expected 2026-11-03T15:35:00Z
cdevents_0_5          | /data/context/type                       | "dev.cdevents.testsuiterun.queued.0.3.0"   | CHG0031337 performance-tests r17937174000000 Expected 2026-11-03T15:35:00Z
cdevents_0_5          | /data/context/type                       | "dev.cdevents.testcaserun.finished.0.3.0"  | skipped: a CDEvent of a type that is evidence for nothing (a source-code change, a ticket, an incident ...)
cdevents_0_5          | /data/context/type                       | "dev.cdeventsx.tool-thing.done.0.1.0"      | skipped: a CDEvent of a type that is evidence for nothing (a source-code change, a ticket, an incident ...)
cdevents_0_5          | /data/context/source                     | "//another.example.com"        | skipped: a run that no binding for cdevents names (source, name and environment must all fit)
cdevents_0_5          | /data/subject/content/environment/id     | "production"                   | skipped: a run that no binding for cdevents names (source, name and environment must all fit)
cdevents_0_5          | /data/subject/content/testSuite          | -                              | skipped: a run that no binding for cdevents names (source, name and environment must all fit)
"#;

const SERVICENOW: &str = r#"
servicenow_change_request | /body/result/state                   | "-1"                           | CHG0031337 r17 Implementing owner release-owner@example.com confirmed true
servicenow_change_request | /body/result/state                   | "-3"                           | CHG0031337 r17 Draft
servicenow_change_request | /body/result/state                   | "0"                            | CHG0031337 r17 OnHold
servicenow_change_request | /body/result/state                   | "3"                            | CHG0031337 r17 Closed
servicenow_change_request | /body/result/state                   | {"display_value":"Canceled","value":"4"} | CHG0031337 r17 Cancelled
servicenow_change_request | /body/result/state                   | "17"                           | $.result.state: expected -5 to 0, 3 or 4, or a state that the binding's `states` names; found "17"
servicenow_change_request | /body/result/approval                | "requested"                    | CHG0031337 r17 Draft
servicenow_change_request | /body/result/approval                | "rejected"                     | CHG0031337 r17 Draft
servicenow_change_request | /body/result/on_hold                 | "true"                         | CHG0031337 r17 OnHold
servicenow_change_request | /body/result/on_hold                 | true                           | CHG0031337 r17 OnHold
servicenow_change_request | /body/result/assigned_to             | ""                             | CHG0031337 r17 Approved owner nobody confirmed true
servicenow_change_request | /body/result/assigned_to             | "rm-a@example.com"             | CHG0031337 r17 Approved owner rm-a@example.com confirmed true
servicenow_change_request | /body/result/u_owner_confirmed       | -                              | CHG0031337 r17 Approved owner release-owner@example.com confirmed false
servicenow_change_request | /body/result/sys_mod_count           | 18                             | CHG0031337 r18 Approved owner release-owner@example.com confirmed true
servicenow_change_request | /body/result/sys_mod_count           | "many"                         | $.result.sys_mod_count: expected a whole number, 0 or more; found "many"
servicenow_change_request | /body/result/end_date                | "2026-11-03T23:00:00Z"         | $.result.end_date: expected a UTC date-time like 2026-11-03 13:00:00 (ask with sysparm_display_value=false or all); found "2026-11-03T23:00:00Z"
"#;

const CALENDARS: &str = r#"
graph_get_schedule    | /                                        |                                | security-reviewer r1793696472000 busy 3 unknown 60 min; gone r1793696472000 busy 0 unknown 4320 min; skipped: $.response.value[1].error: the mailbox could not be read (5009): all of its time is unknown
graph_get_schedule    | /body/response/value/0/scheduleItems     | null                           | security-reviewer r1793696472000 busy 0 unknown 4320 min; gone r1793696472000 busy 0 unknown 4320 min; skipped: $.response.value[0].scheduleItems: not told: all of the mailbox's time is unknown; skipped: $.response.value[1].error: the mailbox could not be read (5009): all of its time is unknown
graph_get_schedule    | /body/response/value/0/scheduleItems     | []                             | security-reviewer r1793696472000 busy 0 unknown 1440 min; gone r1793696472000 busy 0 unknown 4320 min; skipped: $.response.value[0].availabilityView: somebody engaged, and no item says by what: that time is unknown; skipped: $.response.value[1].error: the mailbox could not be read (5009): all of its time is unknown
graph_get_schedule    | /body/response/value/0/scheduleItems/0/status | "focusTime"               | security-reviewer r1793696472000 busy 2 unknown 150 min; gone r1793696472000 busy 0 unknown 4320 min; skipped: $.response.value[0].scheduleItems[0].status: a word that nobody here knows: the entry's time is unknown; skipped: $.response.value[1].error: the mailbox could not be read (5009): all of its time is unknown
graph_get_schedule    | /body/response/value/0/scheduleId        | "room 4"                       | gone r1793696472000 busy 0 unknown 4320 min; security-reviewer r1793696472000 busy 0 unknown 4320 min; skipped: $.response.value[0].scheduleId is bound to no person; skipped: $.response.value[1].error: the mailbox could not be read (5009): all of its time is unknown; skipped: $.request.schedules[0]: not in the answer: all of its time is unknown
graph_get_schedule    | /headers/Date                            | "2026-11-03T09:01:12.500Z"     | security-reviewer r1793696472500 busy 3 unknown 60 min; gone r1793696472500 busy 0 unknown 4320 min; skipped: $.response.value[1].error: the mailbox could not be read (5009): all of its time is unknown
graph_get_schedule    | /headers/Date                            | "42"                           | security-reviewer r42 busy 3 unknown 60 min; gone r42 busy 0 unknown 4320 min; skipped: $.response.value[1].error: the mailbox could not be read (5009): all of its time is unknown
google_free_busy      | /                                        |                                | database-owner r1793696472000 busy 1 unknown 0 min; gone r1793696472000 busy 0 unknown 4320 min; skipped: $.calendars[1].errors: the calendar could not be read (notFound): all of its time is unknown
google_free_busy      | /body/calendars/gone@example.com/errors  | []                             | database-owner r1793696472000 busy 1 unknown 0 min; gone r1793696472000 busy 0 unknown 0 min
google_free_busy      | /body/calendars/gone@example.com         | {}                             | database-owner r1793696472000 busy 1 unknown 0 min; gone r1793696472000 busy 0 unknown 4320 min; skipped: $.calendars[1].busy: not told: all of the calendar's time is unknown
pagerduty_oncalls     | /                                        |                                | database-owner r1793696472000 busy 1 unknown 0 min; reliability-lead r1793696472000 busy 0 unknown 0 min
pagerduty_oncalls     | /body/response/oncalls/2/escalation_level | 1                             | database-owner r1793696472000 busy 1 unknown 0 min; reliability-lead r1793696472000 busy 1 unknown 0 min
pagerduty_oncalls     | /body/response/oncalls                   | []                             | database-owner r1793696472000 busy 0 unknown 0 min; reliability-lead r1793696472000 busy 0 unknown 0 min
"#;

#[test]
fn one_member_at_a_time() {
    hold(&[GITHUB, CDEVENTS, SERVICENOW, CALENDARS], &bindings(|_| ()));
}

/// What the deployment says otherwise: conclusions that count, a commit, tentative time, states of its own.
#[test]
fn bindings_say_what_payloads_cannot() {
    let neutral =
        bindings(|native| of(native, "github.check_suite")["ready_on"] = serde_json::json!(["success", "neutral"]));
    assert_eq!(
        said(&sample("native_github_check_suite"), &neutral),
        "CHG0031337 static-analysis r1793714712000009002 Ready 2026-11-03T14:20:12Z"
    );
    let commit = "acb5820ced9479c074f688cc328bf03f341a511d";
    let at = |sha: String| bindings(|native| of(native, "github.workflow_run")["head_sha"] = Value::from(sha.clone()));
    let run = sample("native_github_workflow_run");
    assert!(said(&run, &at(commit.to_uppercase())).contains("Ready"));
    assert!(said(&run, &at(commit.replace('a', "b"))).starts_with("skipped: "));
    let free = bindings(|native| {
        of(native, "graph.get_schedule")["tentative"] = Value::from("free");
        of(native, "ical.vfreebusy")["tentative"] = Value::from("free");
    });
    assert!(said(&sample("native_graph_get_schedule"), &free).starts_with("security-reviewer r1793696472000 busy 2 "));
    assert!(said(&sample("native_ical_vfreebusy"), &free).starts_with("service-owner r1793696472000 busy 3 "));
    let states =
        bindings(|native| of(native, "servicenow.change_request")["states"] = serde_json::json!({"17": "closed"}));
    let payload = replaced(sample("native_servicenow_change_request"), "/body/result/state", "\"17\"");
    assert_eq!(said(&payload, &states), "CHG0031337 r17 Closed");
}

#[test]
fn a_format_without_a_binding_is_refused_with_its_name() {
    let none = sources::Bindings::default();
    let said = |name: &str| said(&sample(name), &none);
    assert_eq!(
        said("native_graph_get_schedule"),
        "$: expected a binding for graph.get_schedule in the policy's `native` list; found none"
    );
    assert!(said("native_github_workflow_run").starts_with("skipped: "));
}

/// Of the words of one run, whatever order they arrive in, the last one said has the greatest revision.
#[test]
fn revisions_rise_as_a_run_goes_on() {
    let bindings = bindings(|_| ());
    let revision = |number: i64, attempt: i64, action: &str| {
        let mut payload = sample("native_github_workflow_run");
        payload["body"]["workflow_run"]["run_number"] = Value::from(number);
        payload["body"]["workflow_run"]["run_attempt"] = Value::from(attempt);
        payload["body"]["action"] = Value::from(action);
        read(&payload.to_string(), &bindings).expect("a good payload").events[0].revision()
    };
    let said = [
        revision(562, 1, "requested"),
        revision(562, 1, "in_progress"),
        revision(562, 1, "completed"),
        revision(562, 2, "requested"),
        revision(562, 9_999, "completed"),
        revision(563, 1, "requested"),
    ];
    assert!(said.is_sorted_by(|a, b| a < b), "{said:?}");
}

/// The same payload handed over again is the same event; another answer is another.
#[test]
fn identity_is_of_the_content() {
    let bindings = bindings(|_| ());
    let id = |payload: &Value| read(&payload.to_string(), &bindings).expect("good").events[0].identity.clone();
    let payload = sample("native_google_free_busy");
    assert_eq!(id(&payload), id(&payload));
    assert_ne!(id(&payload), id(&replaced(payload.clone(), "/body/timeMax", "\"2026-11-07T00:00:00Z\"")));
}

/// In the hour that a clock repeats, and in the one that it skips, busy time is the longest that it can be.
#[test]
fn ambiguous_local_times_are_busy_either_way() {
    let bindings = bindings(|_| ());
    let busy = |start: &str, end: &str| {
        let mut payload = sample("native_graph_get_schedule");
        let zone = "W. Europe Standard Time";
        payload["body"]["response"]["value"] = serde_json::json!([{
            "scheduleId": "a@example.com",
            "scheduleItems": [{"status": "busy", "start": {"dateTime": start, "timeZone": zone}, "end": {"dateTime": end, "timeZone": zone}}],
        }]);
        let events = read(&payload.to_string(), &bindings).unwrap_or_else(|refused| panic!("{refused}")).events;
        let Some(Body::Availability(availability)) = events[0].body() else { panic!("availability") };
        format!("{:?}", availability.busy.get(0).interval())
    };
    // 2026-10-25 03:00 CEST becomes 02:00 CET; 2026-03-29 02:00 CET becomes 03:00 CEST.
    assert_eq!(busy("2026-10-25T02:30:00", "2026-10-25T02:45:00.0000000"), "2026-10-25T00:30:00Z/2026-10-25T01:45:00Z");
    // By the offset before the gap the start is 01:30Z, by the one after it 00:30Z; and it lasts an hour and a half.
    assert_eq!(busy("2026-03-29T02:30:00", "2026-03-29T04:00:00"), "2026-03-29T00:30:00Z/2026-03-29T03:00:00Z");
    assert_eq!(busy("2026-03-29T02:00:00", "2026-03-29T03:00:00"), "2026-03-29T00:00:00Z/2026-03-29T02:00:00Z");
}

/// A raw webhook body is text; it is parsed once, and only where the format is JSON.
#[test]
fn a_body_may_be_text() {
    let bindings = bindings(|_| ());
    let sample = sample("native_google_free_busy");
    let headers = BTreeMap::from([("date".to_owned(), "42".to_owned())]);
    let text = Value::from(sample["body"].to_string());
    let (a, b) = (
        sources::translate("google.free_busy", &headers, &text, None, &bindings),
        sources::translate("google.free_busy", &headers, &sample["body"], None, &bindings),
    );
    assert!(a.is_ok());
    assert_eq!(a, b);
}

/// Calendar text: one line of the sample replaced, and what comes of it.
#[test]
fn calendar_text_is_read_whole_or_refused() {
    let bindings = bindings(|_| ());
    let sample = sample("native_ical_vfreebusy");
    let text = sample["body"].as_str().expect("text");
    let busy = "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20261104T090000Z/PT1H";
    let whole = "service-owner r1793696472000 busy 4 unknown 0 min";
    for (line, with, expected) in [
        (busy, busy, whole),
        (busy, "freebusy;value=period:20261104T090000Z/20261104T100000Z", whole),
        (busy, "FREEBUSY:20261104T0900\r\n\t00Z/PT1H", whole),
        (busy, "FREEBUSY:20261104T090000Z/PT0S", "service-owner r1793696472000 busy 3 unknown 0 min"),
        (
            busy,
            "FREEBUSY;VALUE=RECUR:FREQ=DAILY",
            "FREEBUSY line: expected a value of the property's own type, not encoded; found \"VALUE=RECUR\"",
        ),
        (
            busy,
            "FREEBUSY;VALUE=\"RECUR\":FREQ=DAILY",
            "FREEBUSY line: expected a value of the property's own type, not encoded; found \"VALUE=\\\"RECUR\\\"\"",
        ),
        (
            busy,
            "FREEBUSY",
            "VFREEBUSY[0].FREEBUSY[1]: expected UTC periods like 20261103T150000Z/20261103T160000Z or \
             20261103T150000Z/PT1H, with `,` between them; found \"\"",
        ),
        (
            "END:VFREEBUSY",
            "END:VFREEBUSY\r\nFREEBUSY:20261104T080000Z/PT1H",
            "$: expected 5 FREEBUSY lines inside of VFREEBUSY; found 4",
        ),
        (
            busy,
            "FREEBUSY:20261104T090000/PT1H",
            "VFREEBUSY[0].FREEBUSY[1]: expected UTC periods like 20261103T150000Z/20261103T160000Z or \
             20261103T150000Z/PT1H, with `,` between them; found \"20261104T090000/PT1H\"",
        ),
        ("METHOD:REPLY", "METHOD:REQUEST", "skipped: a VFREEBUSY that asks and does not answer"),
        ("METHOD:REPLY", "METHOD:PUBLISH", whole),
        ("BEGIN:VCALENDAR", "BEGIN:VCARD", "$: expected an END for each BEGIN; found END:\"VCALENDAR\" without one"),
        ("VCALENDAR", "VCARD", "$: expected iCalendar text (BEGIN:VCALENDAR ... END:VCALENDAR); found something else"),
        (
            "DTSTAMP:20261103T090112Z",
            "X:1",
            "VFREEBUSY[0].DTSTAMP: expected a UTC date-time like 20261103T150000Z; found nothing",
        ),
        (
            "DTEND:20261106T000000Z",
            "DTEND:20261101T000000Z",
            "VFREEBUSY[0].DTEND: expected an instant after DTSTART; found 2026-11-01T00:00:00Z",
        ),
    ] {
        assert!(text.contains(line), "{line}");
        let mut payload = sample.clone();
        payload["body"] = Value::from(text.replace(line, with));
        assert_eq!(said(&payload, &bindings), expected, "{with}");
    }
}
