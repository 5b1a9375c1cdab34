//! The payloads of every further system, one row a case: a sample, one member of it replaced, and what comes of it.

mod common;

use common::{bindings, hold, of, replaced, said, sample};
use serde_json::{Value, json};

const CI: &str = r#"
gitlab_pipeline | / | | CHG0031337 payment-tests r310000018942 Ready 2026-11-03T13:52:02Z
gitlab_pipeline | /body/object_attributes/status | "running" | CHG0031337 payment-tests r310000018941 Expected 2026-11-03T13:50:28Z
gitlab_pipeline | /body/object_attributes/status | "failed" | CHG0031337 payment-tests r310000018942 Withdrawn
gitlab_pipeline | /body/object_attributes/status | "manual" | CHG0031337 payment-tests r310000018941 Expected 2026-11-03T13:50:28Z
gitlab_pipeline | /body | {"object_kind":"build","project_id":380} | skipped: a hook of GitLab that tells no pipeline
gitlab_pipeline | /body | {"event_name":"user_add_to_group"} | skipped: a hook of GitLab that tells no pipeline
gitlab_pipeline | /body/object_kind | "build" | skipped: a hook of GitLab that tells no pipeline
jenkins_notification | / | | CHG0031337 rehearsal r183 Ready 2026-11-03T13:19:00Z
jenkins_notification | /body/build/phase | "QUEUED" | CHG0031337 rehearsal r180 Expected
jenkins_notification | /body/build/phase | "STARTED" | CHG0031337 rehearsal r181 Expected
jenkins_notification | /body/build/phase | "COMPLETED" | CHG0031337 rehearsal r182 Ready 2026-11-03T13:19:00Z
jenkins_notification | /body/build/status | "ABORTED" | CHG0031337 rehearsal r183 Withdrawn
jenkins_notification | /body/url | "job/others/job/CHG0031337/" | skipped: a run that no binding names (repository, workflow or app, branch and commit must all fit)
azure_devops_build_complete | / | | CHG0031337 ledger-tests r2727000018280 Ready 2026-11-03T13:31:00Z
azure_devops_build_complete | /body/resource/result | "failed" | CHG0031337 ledger-tests r2727000018280 Withdrawn
azure_devops_build_complete | /body/eventType | "git.push" | skipped: a service hook of Azure DevOps that tells no finished build
aws_codepipeline_bus | / | | CHG0031337 staging-deployment r1793711139200020672 Ready 2026-11-03T13:40:07Z
aws_codepipeline | /body/detail/state | "STARTED" | CHG0031337 staging-deployment r1793711139200020670 Expected
aws_codepipeline | /body/detail/state | "SUPERSEDED" | CHG0031337 staging-deployment r1793711139200020672 Withdrawn
aws_codepipeline | /body/detail-type | "CodePipeline Stage Execution State Change" | skipped: an event of AWS that tells neither a pipeline's execution nor a build
aws_codebuild_bus | / | | CHG0031337 load-tests r1793710949000007232 Ready 2026-11-03T13:14:32Z
aws_codebuild | /body/detail/build-status | "IN_PROGRESS" | CHG0031337 load-tests r1793710949000007231 Expected
aws_codebuild | /body/detail/build-status | "FAULT" | CHG0031337 load-tests r1793710949000007232 Withdrawn
cdevents_base64 | / | | CHG0031337 performance-tests r17937175200002 Ready 2026-11-03T14:52:00Z
"#;

const RECORDS: &str = r#"
servicenow_delegates | / | | identity-service security_reviewer r1793696472000 holder security-reviewer@example.com, 1 of 1 approved
servicenow_delegates | /body/delegates/result | [] | identity-service security_reviewer r1793696472000 holder security-reviewer@example.com, 0 of 0 approved
servicenow_delegates | /body/delegates/result/0/assignments | "false" | identity-service security_reviewer r1793696472000 holder security-reviewer@example.com, 0 of 0 approved
servicenow_schedules | / | | maintenance r1793696472000 2 freezes, 0 protected; prod r1793696472000 1 freezes, 1 protected
servicenow_schedules | /body/spans/result | [] | maintenance r1793696472000 0 freezes, 0 protected; prod r1793696472000 0 freezes, 0 protected
jira_change | / | | CHANGE-42 r1793607063211 Approved owner release-owner@example.com confirmed false
jira_change | /body/issue/fields/status | {"id":"1","name":"Planning"} | CHANGE-42 r1793607063211 Draft
jira_change | /body/issue/fields/assignee | null | CHANGE-42 r1793607063211 Approved owner nobody confirmed false
jira_change | /body/webhookEvent | "jira:issue_deleted" | CHANGE-42 r1793607063211 OnHold
jira_change | /body/webhookEvent | "comment_created" | skipped: a webhook of Jira that tells no issue
jira_change_list | / | | CHANGE-42 r1793607063211 Approved owner release-owner@example.com confirmed false; skipped: an issue of a project or a type that the binding does not name
jira_change_list | /body/issues | [] | skipped: a payload without a record
roster_csv | / | | payments release_manager r1793696472000 holder rm-a@example.com, 1 of 2 approved; payments service_owner r1793696472000 holder nobody, no list; skipped: row 5: a service or a role that the binding does not name
roster_csv | ~/body | rm-b@example.com,1 => rm-b@example.com,one | payments release_manager r1793696472000 holder rm-a@example.com, 0 of 1 approved; payments service_owner r1793696472000 holder nobody, no list; refused: row 3.rank: expected a whole number, 0 or more; found "one"; skipped: row 5: a service or a role that the binding does not name
roster_json | / | | ledger release_manager r1793696472000 holder rm-a@example.com, 1 of 1 approved; ledger service_owner r1793696472000 holder nobody, no list
roster_json | /body/rows/0/valid_until | "2026-11-01T00:00:00Z" | ledger release_manager r1793696472000 holder nobody, 1 of 1 approved; ledger service_owner r1793696472000 holder nobody, no list; refused: row 1.valid_until: expected a holder whose term has not ended at the instant of the header `date`, or without a validity; found another time
roster_json | /body/rows/0/valid_until | "2026-12-01T00:00:00Z" | ledger release_manager r1793696472000 holder rm-a@example.com until 2026-12-01T00:00:00Z, 1 of 1 approved; ledger service_owner r1793696472000 holder nobody, no list
roster_json | /body/rows/0/valid_until | "2029-12-01T00:00:00Z" | ledger release_manager r1793696472000 holder rm-a@example.com until 2029-12-01T00:00:00Z, 1 of 1 approved; ledger service_owner r1793696472000 holder nobody, no list
roster_json | /body/rows/0/valid_from | "2026-12-01T00:00:00Z" | ledger release_manager r1793696472000 holder rm-a@example.com from 2026-12-01T00:00:00Z, 1 of 1 approved; ledger service_owner r1793696472000 holder nobody, no list
roster_json | /body/rows/x | {"service":"ledger","role":"release_manager","person":"rm-b@example.com","rank":2,"status":"revoked"} | ledger release_manager r1793696472000 holder rm-a@example.com, 0 of 0 approved; ledger service_owner r1793696472000 holder nobody, no list; refused: row 2.person: expected each delegate of a role once: of two rows neither counts; found another row of the same; refused: row 3.person: expected each delegate of a role once: of two rows neither counts; found another row of the same
roster_json | /body/rows | [] | ledger release_manager r1793696472000 holder nobody, no list; ledger service_owner r1793696472000 holder nobody, no list
roster_json | /body/rows/1/person | "somebody" | ledger release_manager r1793696472000 holder rm-a@example.com, 0 of 0 approved; ledger service_owner r1793696472000 holder nobody, no list; refused: row 2.person: expected an e-mail address like name@example.com; found "somebody"
"#;

const CALENDARS: &str = r#"
graph_calendar_view | / | | security-reviewer r1793696472000 busy 2 unknown 3060 min; skipped: $.response.value[2]: a day on nobody's clock (the binding has no `time_zone`): all that it can be is unknown
graph_calendar_view | /body/response/value | [] | security-reviewer r1793696472000 busy 0 unknown 0 min
graph_calendar_view | /body/response/value/0/isCancelled | true | security-reviewer r1793696472000 busy 1 unknown 3060 min; skipped: $.response.value[2]: a day on nobody's clock (the binding has no `time_zone`): all that it can be is unknown
graph_change_notification | / | | skipped: a hint that something changed at //availability.example.com: the next poll says what
google_events | / | | database-owner r1793696472000 busy 2 unknown 0 min
google_events | /body/response/items | [] | database-owner r1793696472000 busy 0 unknown 0 min
google_events | /body/response/items/0/status | "tentative" | database-owner r1793696472000 busy 2 unknown 0 min
ical_vevent | / | | service-owner r1793696472000 busy 4 unknown 0 min
ical_vevent_feed | / | | service-owner r1793696472000 busy 23 unknown 0 min
ical_vevent | ~/body/response | PARTSTAT=DECLINED => PARTSTAT=ACCEPTED | service-owner r1793696472000 busy 5 unknown 0 min
ical_vevent | ~/body/response | FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR => FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;UNTIL=20261103T090000Z | service-owner r1793696472000 busy 3 unknown 0 min
ical_vevent | ~/body/response | RECURRENCE-ID;TZID => RECURRENCE-ID;RANGE=THISANDFUTURE;TZID | service-owner r1793696472000 busy 3 unknown 3810 min; skipped: VEVENT[1].RECURRENCE-ID: stands for all later occurrences (RANGE): time from the earliest instant that the event names on is unknown
ical_vevent | ~/body/response | UID:holiday => UID:holiday\nRDATE;VALUE=DATE:20261107 | service-owner r1793696472000 busy 5 unknown 0 min
ical_vevent | ~/body/response | EXDATE;TZID=W. Europe Standard Time:20261104T093000 => EXDATE;TZID=Our own clock:20261104T223000 | service-owner r1793696472000 busy 5 unknown 0 min
ical_vevent | ~/body/response | UID:daily\nRECURRENCE-ID => UID:other\nRECURRENCE-ID | service-owner r1793696472000 busy 5 unknown 0 min
ical_vfreebusy | ~/body | ORGANIZER:mailto:holdpoint@example.com => ATTENDEE:mailto:other@example.com | VFREEBUSY[0].ATTENDEE: expected one attendee, whose time it is; found several
ical_vevent | ~/body/response | UID:holiday => UID:holiday\nSTATUS:CANCELLED | service-owner r1793696472000 busy 3 unknown 0 min
ical_vevent | ~/body/response | UID:holiday => UID:holiday\nX-MICROSOFT-CDO-BUSYSTATUS:FREE | service-owner r1793696472000 busy 4 unknown 0 min
ical_vevent | ~/body/response | TRANSP:TRANSPARENT => TRANSP:TRANSPARENT\nX-MICROSOFT-CDO-BUSYSTATUS:OOF | service-owner r1793696472000 busy 5 unknown 0 min
ical_vevent | ~/body/response | TRANSP:TRANSPARENT => X-MICROSOFT-CDO-BUSYSTATUS:FREE | service-owner r1793696472000 busy 4 unknown 0 min
ical_vfreebusy_schedule_response | / | | service-owner r1793696472000 busy 1 unknown 0 min; skipped: a recipient of a schedule response whose calendar did not answer
ical_vfreebusy_query | / | | service-owner r1793696472000 busy 1 unknown 0 min
pagerduty_schedule | / | | database-owner r1793696472000 busy 1 unknown 0 min; reliability-lead r1793696472000 busy 2 unknown 0 min
pagerduty_webhook | / | | skipped: a hint that something changed at //availability.example.com: the next poll says what
opsgenie_timeline | / | | database-owner r1793696472000 busy 1 unknown 60 min; skipped: $.data.finalTimeline.rotations[0].periods[1]: names nobody whom a bound name can be compared with: its time is unknown
grafana_final_shifts | / | | database-owner r1793696472000 busy 1 unknown 0 min; reliability-lead r1793696472000 busy 1 unknown 0 min
grafana_final_shifts | /body/response | {"results":[]} | database-owner r1793696472000 busy 0 unknown 0 min; reliability-lead r1793696472000 busy 0 unknown 0 min
incidentio_schedule_entries | / | | reliability-lead r1793696472000 busy 1 unknown 0 min
"#;

#[test]
fn one_member_at_a_time() {
    hold(&[CI, RECORDS, CALENDARS], &bindings(|_| ()));
}

/// A payload handed over again is the same events.
#[test]
fn a_redelivery_is_the_same_events() {
    let bindings = bindings(|_| ());
    let mut seen = 0;
    for (name, payload) in common::natives() {
        let read = |payload: &Value| sources::read(&payload.to_string(), &bindings).ok().map(|read| read.events);
        assert_eq!(read(&payload), read(&payload), "{name}");
        seen += read(&payload).map_or(0, |events| events.len());
    }
    assert!(seen >= 30, "{seen} events");
}

/// A list far over what a system sends is one fault, and short work.
#[test]
fn a_huge_list_is_refused_whole() {
    let bindings = bindings(|_| ());
    for (name, pointer) in [
        ("gitlab_pipeline", "/body/builds"),
        ("servicenow_back_to_draft", "/body/result"),
        ("servicenow_delegates", "/body/delegates/result"),
        ("servicenow_schedules", "/body/spans/result"),
        ("jira_change_list", "/body/issues"),
        ("roster_json", "/body/rows"),
        ("graph_calendar_view", "/body/response/value"),
        ("graph_get_schedule", "/body/response/value"),
        ("google_events", "/body/response/items"),
        ("pagerduty_oncalls", "/body/response/oncalls"),
        ("pagerduty_schedule", "/body/response/schedule/final_schedule/rendered_schedule_entries"),
        ("opsgenie_timeline", "/body/data/finalTimeline/rotations"),
        ("grafana_final_shifts", "/body/response/results"),
        ("incidentio_schedule_entries", "/body/response/schedule_entries/final"),
    ] {
        let mut payload = sample(&format!("native_{name}"));
        let list =
            payload.pointer_mut(pointer).and_then(Value::as_array_mut).unwrap_or_else(|| panic!("{name}{pointer}"));
        list.extend(std::iter::repeat_n(Value::Null, 20_000));
        let came = said(&payload, &bindings);
        assert!(came.contains("a list of at most"), "{name}: {came}");
        assert_eq!(came.lines().count(), 1, "{name}: {came}");
    }
}

/// On-call time of several schedules is one snapshot a person, and only of what all of them were asked about.
#[test]
fn several_schedules_are_one_rota() {
    let two = bindings(|native| of(native, "grafana.final_shifts")["schedules"] = json!(["SBM7DV7BKFUYU", "S2"]));
    let sample = sample("native_grafana_final_shifts");
    assert_eq!(said(&sample, &two), "$: expected an answer of every schedule that the binding names; found none of S2");
    let first = sample["body"].clone();
    let mut second = first.clone();
    second["request"] = json!({"schedule": "S2", "start_date": "2026-11-03", "end_date": "2026-11-05"});
    second["response"]["results"] = json!([]);
    second["response"]["count"] = json!(0);
    let mut both = sample.clone();
    both["body"] = json!({ "answers": [first, second] });
    let events = sources::read(&both.to_string(), &two).expect("both").events;
    assert_eq!(events.len(), 2);
    let horizon = format!("{:?}", events[0].statement);
    assert!(horizon.contains("2026-11-05T00:00:00Z") && !horizon.contains("2026-11-06"), "{horizon}");
}

/// The words of one pipeline, in the order in which they are said: each has a greater revision than the one before.
#[test]
fn revisions_rise_as_a_pipeline_goes_on() {
    let bindings = bindings(|_| ());
    let revision = |status: &str, finished: &str, job: &str| {
        let mut payload = sample("native_gitlab_pipeline");
        payload["body"]["object_attributes"]["status"] = Value::from(status);
        payload["body"]["object_attributes"]["finished_at"] = serde_json::from_str(finished).expect("JSON");
        payload["body"]["builds"][0]["created_at"] = Value::from(job);
        payload["body"]["builds"][0]["finished_at"] = Value::Null;
        let came = said(&payload, &bindings);
        came.split(" r")
            .nth(1)
            .and_then(|rest| rest.split(' ').next()?.parse::<u64>().ok())
            .unwrap_or_else(|| panic!("{came}"))
    };
    let first = "2026-11-03 13:20:28 UTC";
    let said = [
        revision("running", "null", first),
        revision("success", "\"2026-11-03 13:52:02 UTC\"", first),
        // A job is retried: the pipeline keeps its number and its end.
        revision("running", "\"2026-11-03 13:52:02 UTC\"", "2026-11-03 14:00:00 UTC"),
        revision("failed", "\"2026-11-03 14:10:00 UTC\"", "2026-11-03 14:00:00 UTC"),
    ];
    assert!(said.is_sorted_by(|a, b| a < b), "{said:?}");
}

/// A bad record goes to the dead letters by itself, and is read there as it was here.
#[test]
fn a_refused_record_stands_alone() {
    let bindings = bindings(|_| ());
    let mut payload = sample("native_jira_change_list");
    let mut bad = payload["body"]["issues"][0].clone();
    bad["key"] = json!("CHANGE-43");
    bad["fields"]["customfield_10101"] = Value::Null;
    payload["body"]["issues"][1] = bad;
    let read = sources::read(&payload.to_string(), &bindings).expect("one is good");
    let [record] = &read.refused[..] else { panic!("{:?}", read.refused) };
    assert!(!record.body.contains("CHANGE-42") && record.body.contains("CHANGE-43"), "{}", record.body);
    let again = sources::read(&record.body, &bindings).expect_err("it is bad still");
    assert!(again.to_string().contains("customfield_10101"), "{again}");
    let mended = replaced(
        serde_json::from_str(&record.body).expect("JSON"),
        "/body/issues/0/fields/customfield_10101",
        "\"2026-11-03T12:00:00.000+0000\"",
    );
    assert!(said(&mended, &bindings).starts_with("CHANGE-43 r"));
}

/// The page for source teams: a section a format, whose binding the policy's reader takes and whose sample is read.
#[test]
fn the_page_of_each_system_works() {
    let page = include_str!("../../../events/README.md");
    let mut formats = std::collections::BTreeSet::new();
    for section in page.split("\n### ").skip(1) {
        let title = section.lines().next().unwrap_or_default();
        let binding = section.split("```json\n").nth(1).and_then(|rest| rest.split("```").next());
        let binding: Value =
            serde_json::from_str(binding.unwrap_or_else(|| panic!("{title}: no binding"))).expect(title);
        let format = binding["format"].as_str().expect("a format").to_owned();
        assert!(section.contains(&format!("`{format}`.")), "{title} does not name {format}");
        let shipped = bindings(|native| {
            let list = native.as_array_mut().expect("a list");
            list.retain(|known| known["format"] != format.as_str());
            list.push(binding.clone());
        });
        let line = section.split("```sh\n").nth(1).and_then(|rest| rest.lines().next()).expect("a line");
        let sent = line.strip_prefix("holdpoint send events/ingest/").and_then(|name| name.strip_suffix(".json"));
        let payload = sample(sent.unwrap_or_else(|| panic!("{title}: {line}")));
        sources::read(&payload.to_string(), &shipped).unwrap_or_else(|refused| panic!("{title}: {refused}"));
        formats.insert(format);
    }
    let all: std::collections::BTreeSet<String> = sources::Format::ALL.map(|format| format.word().to_owned()).into();
    assert_eq!(formats, all);
}

/// A series keeps its wall clock over the end of summer time; an occurrence in the hour that is repeated is as long as the
/// two can be.
#[test]
fn a_series_keeps_its_clock() {
    let bindings = bindings(|_| ());
    let busy = |start: &str, end: &str| {
        let lines = [
            "BEGIN:VCALENDAR",
            "BEGIN:VEVENT",
            "UID:1",
            &format!("DTSTART;TZID=Europe/Berlin:{start}"),
            &format!("DTEND;TZID=Europe/Berlin:{end}"),
            "RRULE:FREQ=DAILY;COUNT=3",
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        ];
        let mut payload = sample("native_ical_vevent");
        payload["body"]["request"]["start"] = json!("2026-10-23T00:00:00Z");
        payload["body"]["request"]["end"] = json!("2026-10-28T00:00:00Z");
        payload["body"]["response"] = json!(lines.join("\r\n"));
        let headers = serde_json::from_value(payload["headers"].clone()).expect("headers");
        let told = sources::translate("ical.vevent", &headers, &payload["body"], None, &bindings).expect("a calendar");
        let busy = told.events[0]["data"]["busy"].as_array().cloned().unwrap_or_default();
        busy.iter()
            .map(|one| format!("{}/{}", one["start"].as_str().unwrap_or(""), one["end"].as_str().unwrap_or("")))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        busy("20261024T093000", "20261024T100000"),
        [
            "2026-10-24T07:30:00Z/2026-10-24T08:00:00Z",
            "2026-10-25T08:30:00Z/2026-10-25T09:00:00Z",
            "2026-10-26T08:30:00Z/2026-10-26T09:00:00Z"
        ]
    );
    assert_eq!(busy("20261024T023000", "20261024T024500")[1], "2026-10-25T00:30:00Z/2026-10-25T01:45:00Z");
}

/// What is neither a CloudEvent nor wrapped is told how to be sent.
#[test]
fn a_raw_payload_is_told_how_to_be_sent() {
    let raw = sample("native_gitlab_pipeline")["body"].clone();
    let said = sources::read(&raw.to_string(), &bindings(|_| ())).expect_err("it is not wrapped").to_string();
    assert!(said.starts_with("$: expected a CloudEvent, or a native payload as {\"format\": ..."), "{said}");
}

/// Paths and names of repositories are told in letters of any case.
#[test]
fn a_project_is_bound_in_letters_of_any_case() {
    let shouted = bindings(|native| of(native, "gitlab.pipeline")["project"] = json!("EXAMPLE/Payments"));
    assert!(said(&sample("native_gitlab_pipeline"), &shouted).contains("Ready"));
}
