//! Inputs of the kind that was misread before, invented for every door: each is held to what it becomes. Where a system's own
//! documentation leaves something open, the worse reading counts.

mod common;

use common::{bindings, hold, of, said, sample};
use serde_json::json;

const INVENTED: &str = r#"
github_workflow_run | /body/workflow_run/event | "release" | skipped: a run of a release, which is of a tag and of no branch
github_workflow_run | /body/workflow_run/event | "schedule" | CHG0031337 integration-tests r56200012 Ready 2026-11-03T14:50:00Z
github_workflow_run | /body/workflow_run/conclusion | null | CHG0031337 integration-tests r56200012 Withdrawn
github_workflow_run | /body/workflow_run/conclusion | "action_required" | CHG0031337 integration-tests r56200012 Withdrawn
github_workflow_run | /body/workflow_run/conclusion | " success" | CHG0031337 integration-tests r56200012 Withdrawn
github_workflow_run | /body/workflow_run/head_repository | {"id":1,"name":"identity-service"} | $.workflow_run.head_repository.full_name: expected a string; found nothing
github_workflow_run | /body/workflow_run/path | "dynamic/github-code-scanning/codeql" | skipped: a run that no binding names (repository, workflow or app, branch and commit must all fit)
github_check_suite | /body/check_suite/status | "queued" | CHG0031337 static-analysis r1793714712000009002 Withdrawn
gitlab_pipeline | /body/object_attributes/status | "waiting_for_callback" | CHG0031337 payment-tests r310000018942 Withdrawn
gitlab_pipeline | /body/object_attributes/tag | "false" | $.object_attributes.tag: expected true or false; found "false"
gitlab_pipeline | /body/merge_request | {"source_project_id":1,"target_project_id":"1"} | $.merge_request.target_project_id: expected a whole number from 0 to 9223372036854775807; found "1"
jenkins_notification | /body/build/testSummary | {"total":7,"failed":2,"passed":5,"skipped":0} | CHG0031337 rehearsal r183 Withdrawn
jenkins_notification | /body/build/testSummary | {"total":7,"failed":0,"passed":7,"skipped":0} | CHG0031337 rehearsal r183 Ready 2026-11-03T13:19:00Z
jenkins_notification | /body/build/status | "success" | CHG0031337 rehearsal r183 Withdrawn
azure_devops_build_complete | /body/resource/result | "Succeeded" | CHG0031337 ledger-tests r2727000018280 Withdrawn
aws_codebuild | /body/detail/additional-information/phases | [{"phase-type":"BUILD","phase-status":"FAILED"},{"phase-type":"COMPLETED"}] | CHG0031337 load-tests r1793710949000007232 Withdrawn
aws_codebuild | /body/detail/additional-information/phases | [{"phase-type":"BUILD","phase-status":"SUCCEEDED"},{"phase-type":"COMPLETED"}] | CHG0031337 load-tests r1793710949000007232 Ready 2026-11-03T13:14:32Z
aws_codepipeline | /body/detail/state | "SUPERSEDED" | CHG0031337 staging-deployment r1793711139200020672 Withdrawn
cdevents_0_5 | /data/subject/content/errors | "3 of 7 suites did not start" | CHG0031337 performance-tests r17937174000002 Withdrawn
cdevents_0_5 | /data/subject/content/errors | "" | CHG0031337 performance-tests r17937174000002 Ready 2026-11-03T14:50:00Z
cdevents_0_5 | /data/subject/content/outcome | ["success"] | CHG0031337 performance-tests r17937174000002 Withdrawn
servicenow_change_request | /body/result/active | "false" | CHG0031337 r17 OnHold
servicenow_change_request | /body/result/active | "true" | CHG0031337 r17 Approved owner release-owner@example.com confirmed true
servicenow_change_request | /body/result/approval | {"display_value":"Approved","value":"requested"} | CHG0031337 r17 Draft
servicenow_change_request | /body/result/on_hold | {"display_value":"false","value":"true"} | CHG0031337 r17 OnHold
jira_change | /body/issue/fields/customfield_10003 | [{"finalDecision":"declined"},{"finalDecision":"approved"}] | CHANGE-42 r1793607063211 Draft
jira_change | /body/issue/fields/customfield_10003 | [{"finalDecision":"approved","createdDate":{"epochMillis":2}},{"finalDecision":"declined","createdDate":{"epochMillis":1}}] | CHANGE-42 r1793607063211 Approved owner release-owner@example.com confirmed false
jira_change | /body/issue/fields/customfield_10003 | [{"finalDecision":"declined","createdDate":{"epochMillis":2}},{"finalDecision":"approved","createdDate":{"epochMillis":1}}] | CHANGE-42 r1793607063211 Draft
jira_change | /body/issue/fields/customfield_10003 | [{"createdDate":{"epochMillis":2}},{"finalDecision":"approved","createdDate":{"epochMillis":1}}] | CHANGE-42 r1793607063211 Draft
jira_change | /body/issue/fields/customfield_10003 | [{"finalDecision":"declined"},{"finalDecision":"approved","createdDate":{"epochMillis":1}}] | CHANGE-42 r1793607063211 Draft
jira_change | /body/issue/fields/customfield_10003 | [] | CHANGE-42 r1793607063211 Draft
jira_change | /body/issue/fields/customfield_10003 | [{"finalDecision":"Approved"}] | CHANGE-42 r1793607063211 Draft
graph_calendar_view | /body/response/value/0/isAllDay | true | security-reviewer r1793696472000 busy 2 unknown 4710 min; skipped: $.response.value[0]: a day on nobody's clock (the binding has no `time_zone`): all that it can be is unknown (and 1 more)
graph_calendar_view | /body/response/value/2/isAllDay | - | security-reviewer r1793696472000 busy 2 unknown 3060 min; skipped: $.response.value[2]: a day on nobody's clock (the binding has no `time_zone`): all that it can be is unknown
graph_calendar_view | /body/response/value/2/isAllDay | false | security-reviewer r1793696472000 busy 2 unknown 60 min
graph_calendar_view | /body/response/value/2/showAs | "free" | security-reviewer r1793696472000 busy 1 unknown 60 min
graph_calendar_view | /body/response/value/0/end/timeZone | "tzone://Microsoft/Custom" | $.response.value[0].end.timeZone: expected a time zone by its IANA or Windows name; found "tzone://Microsoft/Custom"
graph_get_schedule | /body/response/value/0/availabilityView | null | security-reviewer r1793696472000 busy 3 unknown 60 min; gone r1793696472000 busy 0 unknown 4320 min; skipped: $.response.value[1].error: the mailbox could not be read (5009): all of its time is unknown
google_free_busy | /body/calendars | {} | skipped: a payload without a record
google_events | /body/response/items/0/endTimeUnspecified | true | database-owner r1793696472000 busy 2 unknown 1440 min; skipped: $.response.items[0].endTimeUnspecified: no end is told: the day that begins with it is unknown
ical_vevent | ~/body/response | TRANSP:OPAQUE => TRANSP:TRANSPARENT\nX-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE | service-owner r1793696472000 busy 4 unknown 0 min
ical_vevent | ~/body/response | TRANSP:OPAQUE => TRANSP:TRANSPARENT\nX-MICROSOFT-CDO-BUSYSTATUS:AWAY | service-owner r1793696472000 busy 4 unknown 0 min
ical_vevent | ~/body/response | TRANSP:OPAQUE => TRANSP:TRANSPARENT\nX-MICROSOFT-CDO-BUSYSTATUS:FREE | service-owner r1793696472000 busy 3 unknown 0 min
ical_vevent | ~/body/response | DTSTART:20261105T130000Z => DTSTART:20261105T130000Z\nX-APPLE-TRAVEL-DURATION;VALUE=DURATION:PT45M | service-owner r1793696472000 busy 5 unknown 0 min
ical_vevent | ~/body/response | DTSTART:20261105T130000Z => DTSTART:20261105T130000Z\nX-APPLE-TRAVEL-DURATION;X-TITLE=b:PT45M | service-owner r1793696472000 busy 4 unknown 1440 min; skipped: VEVENT[1].X-APPLE-TRAVEL-DURATION: not understood: all that its time can be is unknown
ical_vfreebusy | ~/body | FBTYPE=FREE => FBTYPE=BUSY-TENTATIVE | service-owner r1793696472000 busy 5 unknown 0 min
pagerduty_oncalls | /body/response/oncalls/0/user | {"id":"","type":"user_reference"} | database-owner r1793696472000 busy 1 unknown 405 min; reliability-lead r1793696472000 busy 0 unknown 405 min; skipped: $.response.oncalls[0]: names nobody whom a bound name can be compared with: its time is unknown
grafana_final_shifts | /body/response/results/0 | {"user_pk":"","user_email":"","user_username":"","shift_start":"2026-11-03T06:00:00Z","shift_end":"2026-11-03T18:00:00Z"} | database-owner r1793696472000 busy 0 unknown 720 min; reliability-lead r1793696472000 busy 1 unknown 720 min; skipped: $.response.results[0]: names nobody whom a bound name can be compared with: its time is unknown
incidentio_schedule_entries | /body/response/schedule_entries/final/0/user | {"id":"","email":" "} | reliability-lead r1793696472000 busy 0 unknown 1440 min; skipped: $.response.schedule_entries.final[0]: names nobody whom a bound name can be compared with: its time is unknown
opsgenie_timeline | /body/data/finalTimeline/rotations/0/periods/0/recipient | {"type":"user","id":"","name":""} | database-owner r1793696472000 busy 0 unknown 540 min; skipped: $.data.finalTimeline.rotations[0].periods[0]: names nobody whom a bound name can be compared with: its time is unknown (and 1 more)
roster_json | /body/rows/1/valid_from | "2027-11-30T00:00:00Z" | ledger release_manager r1793696472000 holder rm-a@example.com, 0 of 0 approved; ledger service_owner r1793696472000 holder nobody, no list; refused: row 2.valid_until: expected an instant after `valid_from` (2027-11-30T00:00:00Z); found 2026-11-30T23:00:00Z
roster_json | /body/rows/1/status | "Approved" | ledger release_manager r1793696472000 holder rm-a@example.com, 0 of 0 approved; ledger service_owner r1793696472000 holder nobody, no list; refused: row 2.status: expected one of holder, approved, proposed, revoked; found "Approved"
servicenow_schedules | /body/spans/result/0/type | "exclude" | maintenance r1793696472000 2 freezes, 0 protected; prod r1793696472000 0 freezes, 0 protected
servicenow_delegates | /body/delegates/result/0/assignments | "" | identity-service security_reviewer r1793696472000 holder security-reviewer@example.com, 0 of 0 approved; refused: 0b1: $.delegates.result[0].assignments: expected true or false; found ""
graph_get_schedule | /body/response/value/0/scheduleItems/0/status | "Busy" | security-reviewer r1793696472000 busy 2 unknown 150 min; gone r1793696472000 busy 0 unknown 4320 min; skipped: $.response.value[0].scheduleItems[0].status: a word that nobody here knows: the entry's time is unknown; skipped: $.response.value[1].error: the mailbox could not be read (5009): all of its time is unknown
graph_get_schedule | /body/response/value/0/scheduleItems | null | security-reviewer r1793696472000 busy 0 unknown 4320 min; gone r1793696472000 busy 0 unknown 4320 min; skipped: $.response.value[0].scheduleItems: not told: all of the mailbox's time is unknown; skipped: $.response.value[1].error: the mailbox could not be read (5009): all of its time is unknown
google_free_busy | /body/timeMax | "2026-11-03T00:00:00Z" | $.timeMax: expected an instant after `timeMin` (2026-11-03T00:00:00Z); found 2026-11-03T00:00:00Z
ical_vfreebusy | ~/body | METHOD:REPLY => METHOD:REPLY\nMETHOD:REQUEST | skipped: a VFREEBUSY that asks and does not answer
ical_vfreebusy | ~/body | DTEND:20261106T000000Z => DTEND:20261106T000000 | VFREEBUSY[0].DTEND: expected a UTC date-time like 20261103T150000Z; found "20261106T000000"
ical_vevent | ~/body/response | UID:holiday => UID:holiday\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261105T130000Z | service-owner r1793696472000 busy 3 unknown 3540 min; skipped: VEVENT[2].RECURRENCE-ID: stands for all later occurrences (RANGE): time from the earliest instant that the event names on is unknown
ical_vevent | ~/body/response | FREQ=WEEKLY;BYDAY => FREQ=WEEKLY;INTERVAL=0;BYDAY | service-owner r1793696472000 busy 2 unknown 7200 min; skipped: VEVENT[0].RRULE: recurs in a way that nobody here knows, or too often: time from the earliest instant that the event names on is unknown
ical_vevent | ~/body/response | FREQ=WEEKLY;BYDAY => FREQ=WEEKLY;COUNT=0;BYDAY | service-owner r1793696472000 busy 2 unknown 7200 min; skipped: VEVENT[0].RRULE: recurs in a way that nobody here knows, or too often: time from the earliest instant that the event names on is unknown
ical_vevent | ~/body/response | FREQ=WEEKLY;BYDAY => FREQ=WEEKLY;UNTIL=gestern;BYDAY | service-owner r1793696472000 busy 2 unknown 7200 min; skipped: VEVENT[0].RRULE: recurs in a way that nobody here knows, or too often: time from the earliest instant that the event names on is unknown
ical_vevent | ~/body/response | FREQ=WEEKLY;BYDAY => FREQ=HOURLY;BYDAY | service-owner r1793696472000 busy 95 unknown 0 min
ical_vevent | ~/body/response | DTSTART:20261105T130000Z => DTSTART;TZID=UTC+01:00:20261105T130000 | service-owner r1793696472000 busy 3 unknown 7200 min; skipped: VEVENT[1].DTSTART: not understood: all time of its calendar is unknown
ical_vevent | ~/body/response | DTSTART:20261105T130000Z => X-DTSTART:20261105T130000Z | service-owner r1793696472000 busy 3 unknown 7200 min; skipped: VEVENT[1].DTSTART: missing: all time of its calendar is unknown
ical_vevent | ~/body/response | UID:holiday => UID:holiday\nSTATUS:CANCELLED\nSTATUS:CONFIRMED | service-owner r1793696472000 busy 4 unknown 0 min
pagerduty_oncalls | /body/response/oncalls/0/escalation_level | "1" | $.response.oncalls[0].escalation_level: expected a whole number from 1 to 100; found "1"
pagerduty_oncalls | /body/response/oncalls | null | $.response.oncalls: expected a list; found null
pagerduty_schedule | /body/response/schedule/final_schedule/rendered_schedule_entries/0/end | null | $.response.schedule.final_schedule.rendered_schedule_entries[0].end: expected an RFC 3339 instant with an offset, like 2026-11-03T15:30:00Z; found null
opsgenie_timeline | /body/data/finalTimeline/rotations/0/periods/0/recipient | null | database-owner r1793696472000 busy 0 unknown 540 min; skipped: $.data.finalTimeline.rotations[0].periods[0]: names nobody whom a bound name can be compared with: its time is unknown (and 1 more)
incidentio_schedule_entries | /body/request/user_id | "01X" | $.request.user_id: expected nothing: what is left out of an answer is not free; found "01X"
servicenow_change_request | /body/result/sys_mod_count | "-1" | $.result.sys_mod_count: expected a whole number, 0 or more; found "-1"
servicenow_change_request | /body/result/state | {"display_value":"Scheduled","value":"-4"} | CHG0031337 r17 Draft
servicenow_schedules | /body/spans/result/1/repeat_until | "31.12.2026" | prod r1793696472000 1 freezes, 1 protected; refused: s2: $.spans.result[1].repeat_until: expected a date like 20271231; found "31.12.2026"; skipped: freeze calendar maintenance: schedule "08fcd0830a0a0b2600079f56b1adb9ae" is not told whole
servicenow_delegates | /body/delegates/result/0/starts | "11/01/2026 08:00:00" | identity-service security_reviewer r1793696472000 holder security-reviewer@example.com, 0 of 0 approved; refused: 0b1: $.delegates.result[0].starts: expected a UTC date-time like 2026-11-03 13:00:00 (ask with sysparm_display_value=false or all); found "11/01/2026 08:00:00"
roster_csv | ~/body | ,approved, => ,approved;, | payments release_manager r1793696472000 holder rm-a@example.com, 0 of 1 approved; payments service_owner r1793696472000 holder nobody, no list; refused: row 3.status: expected one of holder, approved, proposed, revoked; found "approved;"; skipped: row 5: a service or a role that the binding does not name
roster_json | /body/rows | [] | ledger release_manager r1793696472000 holder nobody, no list; ledger service_owner r1793696472000 holder nobody, no list
jira_change | /body/issue/fields/status | {"id":"99","name":"awaiting implementation"} | $.issue.fields.status: expected a status that the binding's `states` names, by id or name; found "awaiting implementation"
jira_change | /body/issue | - | $.issue: expected an object; found nothing
github_workflow_run | /body/workflow_run/run_attempt | 0 | $.workflow_run.run_attempt: expected a whole number from 1 to 9999; found 0
azure_devops_build_complete | /body/resource/triggerInfo | {"pr.isFork":"false"} | CHG0031337 ledger-tests r2727000018280 Ready 2026-11-03T13:31:00Z
cdevents_0_5 | /data/context/timestamp | "2026-11-03 14:50:00" | $.data.context.timestamp: expected an RFC 3339 instant with an offset, like 2026-11-03T15:30:00Z; found "2026-11-03 14:50:00"
aws_codepipeline | /body/detail/execution-trigger | {"trigger-type":"ManualRollback"} | skipped: an execution that rolls back to an older revision
"#;

#[test]
fn what_was_invented_is_never_read_as_better_than_it_is() {
    hold(&[INVENTED], &bindings(|_| ()));
}

/// Whose day an all-day entry is: on a clock that the binding names the day is exact, whatever zone stands beside its dates.
#[test]
fn an_all_day_entry_is_a_day_on_the_clock_that_the_binding_names() {
    let busy = |zone: Option<&str>, label: &str, all_day: serde_json::Value| {
        let bindings = bindings(|native| of(native, "graph.calendar_view")["time_zone"] = json!(zone));
        let mut payload = sample("native_graph_calendar_view");
        let entry = &mut payload["body"]["response"]["value"][2];
        entry["isAllDay"] = all_day;
        entry["start"]["timeZone"] = json!(label);
        entry["end"]["timeZone"] = json!(label);
        payload["body"]["response"]["value"] = json!([entry.clone()]);
        let headers = serde_json::from_value(payload["headers"].clone()).expect("headers");
        let told = sources::translate("graph.calendar_view", &headers, &payload["body"], None, &bindings);
        let data = told.expect("a view").events[0]["data"].clone();
        format!(
            "{} {}",
            data["busy"][0]["start"].as_str().unwrap_or_default(),
            data["unknown"].as_array().map_or(0, Vec::len)
        )
    };
    for (zone, label, all_day, expected) in [
        (Some("Australia/Sydney"), "UTC", json!(true), "2026-11-04T13:00:00Z 0"),
        (Some("Australia/Sydney"), "UTC", json!(null), "2026-11-04T13:00:00Z 0"),
        (Some("Australia/Sydney"), "UTC", json!(false), "2026-11-05T00:00:00Z 0"),
        (Some("Europe/Berlin"), "Tokyo Standard Time", json!(true), "2026-11-04T23:00:00Z 0"),
        (None, "UTC", json!(true), "2026-11-05T00:00:00Z 1"),
        (None, "UTC", json!(null), "2026-11-05T00:00:00Z 1"),
        (None, "UTC", json!(false), "2026-11-05T00:00:00Z 0"),
        (None, "Tokyo Standard Time", json!(true), "2026-11-04T15:00:00Z 1"),
    ] {
        assert_eq!(busy(zone, label, all_day.clone()), expected, "{zone:?} {label} {all_day}");
    }
    let came = said(&sample("native_graph_calendar_view"), &bindings(|_| ()));
    assert!(came.contains("unknown 3060 min"), "{came}");
}
