//! The worst fault is silent: busy or unknown taken for free, failed or foreign evidence taken for ready, not approved
//! taken for approved. Each row is one way of not knowing, for one translator: what a payload says, and what it becomes.
//! The pairs of translator and way are those of the table in `DESIGN.md`, and no others.

mod common;

use std::collections::BTreeSet;

use common::{bindings, of, replaced, said, sample};
use refresh_core::facts::{
    authority::{self, StoredContext},
    fact::{Body, Fact},
};
use serde_json::{Value, json};

/// `format: way | sample | pointer | with | becomes`
const ROWS: &str = r#"
github.workflow_run: a fork | github_workflow_run | /body/workflow_run/head_repository/full_name | "stranger/identity-service" | skipped: a run of a fork, or an action that says nothing of readiness
github.workflow_run: a deleted fork | github_workflow_run | /body/workflow_run/head_repository | null | skipped: a run of a fork, or an action that says nothing of readiness
github.workflow_run: a column not asked for | github_workflow_run | /body/workflow_run/head_repository | - | skipped: a run of a fork, or an action that says nothing of readiness
github.workflow_run: a foreign run | github_workflow_run | /body/workflow_run/event | "pull_request_target" | skipped: a run of the base branch's code in the name of a pull request (pull_request_target)
github.workflow_run: a null branch | github_workflow_run | /body/workflow_run/head_branch | null | skipped: a run that no binding names (repository, workflow or app, branch and commit must all fit)
github.workflow_run: an unknown word | github_workflow_run | /body/workflow_run/conclusion | "erfolgreich" | CHG0031337 integration-tests r56200012 Withdrawn
github.workflow_run: a failure status | github_workflow_run | /body/workflow_run/status | "in_progress" | CHG0031337 integration-tests r56200012 Withdrawn
github.workflow_run: a question | github_workflow_run | /body/action | "approved" | skipped: a run of a fork, or an action that says nothing of readiness
github.check_suite: a fork | github_check_suite | /body/check_suite/pull_requests | [{"head":{"repo":{"id":2}},"base":{"repo":{"id":1}}}] | skipped: a run of a fork, or an action that says nothing of readiness
github.check_suite: a deleted fork | github_check_suite | /body/check_suite/pull_requests | [{"head":{"repo":null},"base":{"repo":{"id":1}}}] | skipped: a run of a fork, or an action that says nothing of readiness
github.check_suite: a null branch | github_check_suite | /body/check_suite/head_branch | null | skipped: a run that no binding names (repository, workflow or app, branch and commit must all fit)
github.check_suite: an unknown word | github_check_suite | /body/check_suite/conclusion | "stale" | CHG0031337 static-analysis r1793714712000009002 Withdrawn
gitlab.pipeline: a fork | gitlab_pipeline | /body/merge_request | {"source_project_id":2,"target_project_id":1} | skipped: a pipeline of a merge request from a fork
gitlab.pipeline: a deleted fork | gitlab_pipeline | /body/merge_request | {"source_project_id":null,"target_project_id":1} | skipped: a pipeline of a merge request from a fork
gitlab.pipeline: a foreign run | gitlab_pipeline | /body/object_attributes/source | "parent_pipeline" | skipped: a child pipeline: the parent says how the whole ended
gitlab.pipeline: a null branch | gitlab_pipeline | /body/object_attributes/tag | true | skipped: a run that no binding names (repository, workflow or app, branch and commit must all fit)
gitlab.pipeline: a failure status | gitlab_pipeline | /body/object_attributes/detailed_status | "passed with warnings" | CHG0031337 payment-tests r310000018942 Withdrawn
gitlab.pipeline: a display value | gitlab_pipeline | /body/object_attributes/detailed_status | "bestanden" | CHG0031337 payment-tests r310000018942 Withdrawn
gitlab.pipeline: an unknown word | gitlab_pipeline | /body/object_attributes/status | "skipped" | CHG0031337 payment-tests r310000018942 Withdrawn
gitlab.pipeline: a missing zone | gitlab_pipeline | /body/object_attributes/created_at | "2026-11-03 13:20:28" | $.object_attributes.created_at: expected an instant like 2026-11-03 14:05:10 UTC; found "2026-11-03 13:20:28"
jenkins.notification: a failure status | jenkins_notification | /body/build/status | "UNSTABLE" | CHG0031337 rehearsal r183 Withdrawn
jenkins.notification: a column not asked for | jenkins_notification | /body/build/status | - | CHG0031337 rehearsal r183 Withdrawn
jenkins.notification: an unknown word | jenkins_notification | /body/build/phase | "DREAMING" | skipped: a phase of a build that says nothing of readiness
azure_devops.build_complete: a fork | azure_devops_build_complete | /body/resource/sourceBranch | "refs/pull/7/merge" | skipped: a run that no binding names (repository, workflow or app, branch and commit must all fit)
azure_devops.build_complete: a null branch | azure_devops_build_complete | /body/resource/sourceBranch | "refs/tags/release/CHG0031337" | skipped: a run that no binding names (repository, workflow or app, branch and commit must all fit)
azure_devops.build_complete: a failure status | azure_devops_build_complete | /body/resource/result | "partiallySucceeded" | CHG0031337 ledger-tests r2727000018280 Withdrawn
azure_devops.build_complete: a column not asked for | azure_devops_build_complete | /body/resource/result | - | $.resource.result: expected a string; found nothing
azure_devops.build_complete: an unknown word | azure_devops_build_complete | /body/resource/status | "postponed" | CHG0031337 ledger-tests r2727000018280 Withdrawn
aws.codepipeline: a foreign run | aws_codepipeline | /body/detail/execution-trigger | {"trigger-type":"AutomatedRollback"} | skipped: an execution that rolls back to an older revision
aws.codepipeline: a second calendar | aws_codepipeline | /body/account | "999922223333" | skipped: a run that no binding names (repository, workflow or app, branch and commit must all fit)
aws.codepipeline: an unknown word | aws_codepipeline | /body/detail/state | "DREAMING" | CHG0031337 staging-deployment r1793711139200020672 Withdrawn
aws.codepipeline: a column not asked for | aws_codepipeline | /body/detail/start-time | - | $.detail["start-time"]: expected an RFC 3339 instant with an offset, like 2026-11-03T15:30:00Z; found nothing
aws.codebuild: a fork | aws_codebuild | /body/detail/additional-information/source-version | "pr/7" | skipped: a run that no binding names (repository, workflow or app, branch and commit must all fit)
aws.codebuild: a null branch | aws_codebuild | /body/detail/additional-information/source-version | "release/CHG0031337" | skipped: a run that no binding names (repository, workflow or app, branch and commit must all fit)
aws.codebuild: an unknown word | aws_codebuild | /body/detail/build-status | "DREAMING" | CHG0031337 load-tests r1793710949000007232 Withdrawn
aws.codebuild: a display value | aws_codebuild | /body/detail/additional-information/build-start-time | "3. Nov. 2026 13:02:29" | $.detail["additional-information"]["build-start-time"]: expected an instant like Nov 3, 2026 2:05:10 PM, in UTC; found "3. Nov. 2026 13:02:29"
cdevents: an unknown word | cdevents_0_5 | /data/subject/content/outcome | "pass" | CHG0031337 performance-tests r17937174000002 Withdrawn
cdevents: a column not asked for | cdevents_0_5 | /data/subject/content/outcome | - | CHG0031337 performance-tests r17937174000002 Withdrawn
cdevents: a second calendar | cdevents_0_5 | /data/subject/content/environment/id | "production" | skipped: a run that no binding for cdevents names (source, name and environment must all fit)
cdevents: an unknown version | cdevents_0_5 | /data/context/specversion | "0.6.0-draft" | $.data.context.specversion: expected CDEvents 0.3, 0.4 or 0.5 (0.6 is a draft); found "0.6.0-draft"
cdevents: a question | cdevents_not_evidence | /context/specversion | "0.6.0-draft" | skipped: a CDEvent of a type that is evidence for nothing (a source-code change, a ticket, an incident ...)
servicenow.change_request: a display value | servicenow_change_request | /body/result/approval | "Approved" | $.result.approval: expected one of not requested, requested, approved, rejected, cancelled, not_required, duplicate, no longer required; found "Approved"
servicenow.change_request: an unknown word | servicenow_change_request | /body/result/state | "Scheduled" | $.result.state: expected -5 to 0, 3 or 4, or a state that the binding's `states` names; found "Scheduled"
servicenow.change_request: a column not asked for | servicenow_change_request | /body/result/on_hold | - | $.result.on_hold: expected a column: a string, or an object with a `value`; found nothing
servicenow.change_request: details missing | servicenow_change_request | /body/result/on_hold | "" | $.result.on_hold: expected true or false; found ""
servicenow.change_request: not approved | servicenow_change_request | /body/result/approval | "not_required" | CHG0031337 r17 Draft
servicenow.change_request: a missing zone | servicenow_change_request | /body/result/end_date | "03.11.2026 23:00:00" | $.result.end_date: expected a UTC date-time like 2026-11-03 13:00:00 (ask with sysparm_display_value=false or all); found "03.11.2026 23:00:00"
servicenow.delegates: a page of several | servicenow_delegates | /headers/Link | "<https://x?sysparm_offset=0>;rel=\"first\",<https://x?sysparm_offset=10>;rel=\"next\"" | header link: expected every page of the answer, put together; found a page of several
servicenow.delegates: a column not asked for | servicenow_delegates | /body/delegates/result/0/ends | - | identity-service security_reviewer r1793696472000 holder security-reviewer@example.com, 0 of 0 approved; refused: 0b1: $.delegates.result[0].ends: expected a column: a string, or an object with a `value`; found nothing
servicenow.delegates: not answered | servicenow_delegates | /body/members/result | [] | identity-service security_reviewer r1793696472000 holder nobody, 0 of 0 approved
servicenow.schedules: not answered | servicenow_schedules | /body/schedules/result/0/sys_id | "another" | maintenance r1793696472000 2 freezes, 0 protected; skipped: freeze calendar prod: schedule "38f8b4c1eb32010045e1a5115206fe5e" is not told whole
servicenow.schedules: a column not asked for | servicenow_schedules | /body/spans/result/0/repeat_type | - | maintenance r1793696472000 2 freezes, 0 protected; refused: s1: $.spans.result[0].repeat_type: expected a column: a string, or an object with a `value`; found nothing; skipped: freeze calendar prod: schedule "38f8b4c1eb32010045e1a5115206fe5e" is not told whole
servicenow.schedules: an unknown word | servicenow_schedules | /body/spans/result/1/repeat_type | "lunar" | prod r1793696472000 1 freezes, 1 protected; refused: s2: $.spans.result[1].repeat_type: expected a daily, weekly, monthly or yearly repetition; found "lunar"; skipped: freeze calendar maintenance: schedule "08fcd0830a0a0b2600079f56b1adb9ae" is not told whole
servicenow.schedules: a page of several | servicenow_schedules | /headers/X-Total-Count | "7" | header link: expected every page of the answer, put together; found a page of several
jira.change: a display value | jira_change | /body/issue/fields/status | {"id":"10011","name":"Wartet auf Umsetzung"} | $.issue.fields.status: expected a status that the binding's `states` names, by id or name; found "Wartet auf Umsetzung"
jira.change: not approved | jira_change | /body/issue/fields/customfield_10003 | [{"finalDecision":"approved"},{"finalDecision":"declined"}] | CHANGE-42 r1793607063211 Draft
jira.change: a column not asked for | jira_change | /body/issue/fields/customfield_10003 | - | $.issue.fields.customfield_10003: expected a list; found nothing
jira.change: a missing zone | jira_change | /body/issue/fields/customfield_10051 | "2026-11-03" | $.issue.fields.customfield_10051: expected a date-time with an offset, like 2026-11-03T21:00:00.000+0000; found "2026-11-03"
roster.csv: an unknown word | roster_csv | ~/body | 1,approved => 1,genehmigt | payments release_manager r1793696472000 holder rm-a@example.com, 0 of 1 approved; payments service_owner r1793696472000 holder nobody, no list; refused: row 3.status: expected one of holder, approved, proposed, revoked; found "genehmigt"; skipped: row 5: a service or a role that the binding does not name
roster.csv: a column not asked for | roster_csv | ~/body | ,valid_until => ,until | $: expected a first line with each of service, role, person, rank, status, valid_from, valid_until once; found "service,role,person,rank,status,valid_from,until"
roster.csv: cut off | roster_csv | ~/body | ,1,approved,,\n => ,1,approved,2026-11-01 | $: expected 7 fields in line 5, the last one; found 6: the text was cut off
roster.json: a page of several | roster_json | /body/total | 7 | $.total: expected at most the 2 that are here (every page of the answer, put together); found 7
grafana.final_shifts: a page of several | grafana_final_shifts | /body/response/total_pages | 3 | $.response.total_pages: expected at most 1 (every page of the answer, put together); found 3
incidentio.schedule_entries: a page of several | incidentio_schedule_entries | /body/response/pagination_meta/total_record_count | 40 | $.response.pagination_meta.total_record_count: expected at most the 1 that are here (every page of the answer, put together); found 40
aws.codebuild: a foreign run | aws_codebuild | /body/detail/additional-information/source-version | "refs/merge-requests/7/head" | skipped: a run that no binding names (repository, workflow or app, branch and commit must all fit)
github.workflow_run: a null branch | github_workflow_run | /body/workflow_run/path | ".github/workflows/integration.yml@refs/tags/release/CHG0031337" | skipped: a run of a tag, which is of no branch
jenkins.notification: a null branch | jenkins_notification | /body/build/scm | {"branch":"refs/tags/release/CHG0031337"} | skipped: a run that no binding names (repository, workflow or app, branch and commit must all fit)
incidentio.schedule_entries: filtered | incidentio_schedule_entries | /body/request/User_ID | "01X" | $.request.User_ID: expected nothing: what is left out of an answer is not free; found "01X"
graph.calendar_view: filtered | graph_calendar_view | /body/request/filter | "showAs eq 'free'" | $.request.filter: expected nothing: what is left out of an answer is not free; found "showAs eq 'free'"
servicenow.change_request: a record twice | servicenow_back_to_draft | /body/result/0 | {"number":"CHG0031338","sys_mod_count":"17","state":"4","approval":"approved","on_hold":"false"} | $ ("CHG0031338"): expected one record of a subject at one revision: of several that differ none counts; found another record of the same revision
roster.csv: not answered | roster_csv | ~/body | payments,release_manager,rm-b => payments,service_owner,rm-b | payments release_manager r1793696472000 holder rm-a@example.com, 0 of 1 approved; payments service_owner r1793696472000 holder nobody, 1 of 1 approved; skipped: row 5: a service or a role that the binding does not name
roster.json: a missing zone | roster_json | /body/rows/1/valid_until | "2026-11-30" | ledger release_manager r1793696472000 holder rm-a@example.com, 0 of 0 approved; ledger service_owner r1793696472000 holder nobody, no list; refused: row 2.valid_until: expected an instant with an offset (a date has no zone: the binding's `time_zone` gives one); found "2026-11-30"
graph.get_schedule: a failure status | graph_get_schedule | /body/response/value/0/error | {"responseCode":"5006"} | security-reviewer r1793696472000 busy 3 unknown 4320 min; gone r1793696472000 busy 0 unknown 4320 min; skipped: $.response.value[0].error: the mailbox could not be read (5006): all of its time is unknown; skipped: $.response.value[1].error: the mailbox could not be read (5009): all of its time is unknown
graph.get_schedule: not answered | graph_get_schedule | /body/request/schedules | ["security-reviewer@example.com","gone@example.com","third@example.com"] | security-reviewer r1793696472000 busy 3 unknown 60 min; gone r1793696472000 busy 0 unknown 4320 min; third r1793696472000 busy 0 unknown 4320 min; skipped: $.response.value[1].error: the mailbox could not be read (5009): all of its time is unknown; skipped: $.request.schedules[2]: not in the answer: all of its time is unknown
graph.get_schedule: filtered | graph_get_schedule | /body/request/$filter | "x" | $.request["$filter"]: expected nothing: what is left out of an answer is not free; found "x"
graph.get_schedule: a page of several | graph_get_schedule | /body/response/@odata.nextLink | "https://x" | $.response["@odata.nextLink"]: expected nothing (every page of the answer, put together); found a link to the next page
graph.get_schedule: details missing | graph_get_schedule | /body/response/value/0/availabilityView | "220" | security-reviewer r1793696472000 busy 3 unknown 1500 min; gone r1793696472000 busy 0 unknown 4320 min; skipped: $.response.value[0].availabilityView: somebody engaged, and no item says by what: that time is unknown; skipped: $.response.value[1].error: the mailbox could not be read (5009): all of its time is unknown
graph.get_schedule: a second calendar | graph_get_schedule | /body/response/value/1 | {"scheduleId":"security-reviewer@example.com","availabilityView":"000","scheduleItems":[]} | security-reviewer r1793696472000 busy 3 unknown 60 min; gone r1793696472000 busy 0 unknown 4320 min; skipped: $.request.schedules[1]: not in the answer: all of its time is unknown
graph.get_schedule: an unknown word | graph_get_schedule | /body/response/value/0/scheduleItems/0/status | "focusTime" | security-reviewer r1793696472000 busy 2 unknown 150 min; gone r1793696472000 busy 0 unknown 4320 min; skipped: $.response.value[0].scheduleItems[0].status: a word that nobody here knows: the entry's time is unknown; skipped: $.response.value[1].error: the mailbox could not be read (5009): all of its time is unknown
graph.get_schedule: a missing zone | graph_get_schedule | /body/response/value/0/scheduleItems/0/end/timeZone | "Middle Earth" | gone r1793696472000 busy 0 unknown 4320 min; refused: $.response.value[0].scheduleItems[0].end.timeZone: expected a time zone by its IANA or Windows name; found "Middle Earth"; skipped: $.response.value[1].error: the mailbox could not be read (5009): all of its time is unknown
graph.calendar_view: a column not asked for | graph_calendar_view | /body/response/value/0/showAs | - | security-reviewer r1793696472000 busy 1 unknown 3150 min; skipped: $.response.value[0].showAs: not told: the entry's time is unknown; skipped: $.response.value[2]: a day on nobody's clock (the binding has no `time_zone`): all that it can be is unknown
graph.calendar_view: an unknown word | graph_calendar_view | /body/response/value/0/showAs | "focusTime" | security-reviewer r1793696472000 busy 1 unknown 3150 min; skipped: $.response.value[0].showAs: a word that nobody here knows: the entry's time is unknown; skipped: $.response.value[2]: a day on nobody's clock (the binding has no `time_zone`): all that it can be is unknown
graph.calendar_view: filtered | graph_calendar_view | /body/request/$filter | "isAllDay eq false" | $.request["$filter"]: expected nothing: what is left out of an answer is not free; found "isAllDay eq false"
graph.calendar_view: a page of several | graph_calendar_view | /body/response/@odata.nextLink | "https://x" | $.response["@odata.nextLink"]: expected nothing (every page of the answer, put together); found a link to the next page
graph.calendar_view: details missing | graph_calendar_view | /body/response/@odata.deltaLink | "https://x" | $.response["@odata.deltaLink"]: expected a whole calendarView; found changes since another answer (delta)
google.free_busy: a failure status | google_free_busy | /body/calendars/database-owner@example.com/errors | [{"domain":"global","reason":"internalError"}] | database-owner r1793696472000 busy 1 unknown 4320 min; gone r1793696472000 busy 0 unknown 4320 min; skipped: $.calendars[0].errors: the calendar could not be read (internalError): all of its time is unknown; skipped: $.calendars[1].errors: the calendar could not be read (notFound): all of its time is unknown
google.free_busy: details missing | google_free_busy | /body/calendars/database-owner@example.com | {} | database-owner r1793696472000 busy 0 unknown 4320 min; gone r1793696472000 busy 0 unknown 4320 min; skipped: $.calendars[0].busy: not told: all of the calendar's time is unknown; skipped: $.calendars[1].errors: the calendar could not be read (notFound): all of its time is unknown
google.events: filtered | google_events | /body/request/q | "standup" | $.request.q: expected nothing: what is left out of an answer is not free; found "standup"
google.events: a page of several | google_events | /body/response/nextPageToken | "x" | $.response.nextPageToken: expected nothing (every page of the answer, put together); found a token of the next page
google.events: details missing | google_events | /body/response/accessRole | "none" | database-owner r1793696472000 busy 2 unknown 4320 min; skipped: $.response.accessRole: may not see entries: all of the calendar's time is unknown
google.events: a question | google_events | /body/request/singleEvents | false | $.request.singleEvents: expected true: recurring events come once each without it; found false
google.events: an unknown word | google_events | /body/response/items/0/status | "perhaps" | database-owner r1793696472000 busy 1 unknown 105 min; skipped: $.response.items[0].status: a word that nobody here knows: the entry's time is unknown
google.events: a missing zone | google_events | /body/response/timeZone | - | database-owner r1793696472000 busy 1 unknown 3000 min; skipped: $.response.items[2]: a day on nobody's clock, or two ends that differ: its time is unknown
ical.vfreebusy: a failure status | ical_vfreebusy | ~/body | DTEND:20261106T000000Z => DTEND:20261106T000000Z\nREQUEST-STATUS:5.1;Service unavailable | service-owner r1793696472000 busy 4 unknown 4320 min; skipped: VFREEBUSY[0].REQUEST-STATUS: no success (5.1): all time of the answer is unknown
ical.vfreebusy: a question | ical_vfreebusy | ~/body | METHOD:REPLY => METHOD:REFRESH | skipped: a VFREEBUSY that asks and does not answer
ical.vfreebusy: not answered | ical_vfreebusy_schedule_response | ~/body | 2.0;Success => 5.3;No scheduling support | skipped: a recipient of a schedule response whose calendar did not answer; skipped: a recipient of a schedule response whose calendar did not answer
ical.vfreebusy: an unknown word | ical_vfreebusy | ~/body | FBTYPE=FREE => FBTYPE=X-AWAY | service-owner r1793696472000 busy 5 unknown 0 min
ical.vfreebusy: a missing zone | ical_vfreebusy | ~/body | 20261104T100000Z/PT1H => 20261104T100000Z/PT1H\nFREEBUSY:20261104T110000/PT1H | VFREEBUSY[0].FREEBUSY[3]: expected UTC periods like 20261103T150000Z/20261103T160000Z or 20261103T150000Z/PT1H, with `,` between them; found "20261104T110000/PT1H"
ical.vfreebusy: cut off | ical_vfreebusy | ~/body | END:VCALENDAR\n => X:1\n | $: expected an END for each BEGIN; found a "VCALENDAR" cut off
ical.vevent: an unknown word | ical_vevent | ~/body/response | FREQ=WEEKLY;BYDAY => FREQ=WEEKLY;RSCALE=HEBREW;BYDAY | service-owner r1793696472000 busy 2 unknown 7200 min; skipped: VEVENT[0].RRULE: recurs in a way that nobody here knows, or too often: time from the earliest instant that the event names on is unknown
ical.vevent: a missing zone | ical_vevent | ~/body/response | DTSTART:20261105T130000Z => DTSTART:20261105T130000 | service-owner r1793696472000 busy 4 unknown 0 min
ical.vevent: a display value | ical_vevent | ~/body/response | DTSTART;TZID=W. Europe Standard Time => DTSTART;TZID=Our own clock | service-owner r1793696472000 busy 2 unknown 8115 min; skipped: VEVENT[0].DTSTART: a zone that nobody here knows: all that its time can be is unknown
ical.vevent: a question | ical_vevent | ~/body/response | METHOD:PUBLISH => METHOD:REQUEST | $.response: expected a calendar (METHOD:PUBLISH, or none); found METHOD:REQUEST
ical.vevent: details missing | ical_vevent | ~/body/response | UID:holiday => UID:holiday\nSTATUS:PERHAPS | service-owner r1793696472000 busy 4 unknown 0 min
ical.vevent: a second calendar | ical_vevent | ~/body/response | END:VCALENDAR => END:VCALENDAR\nBEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:x\nDTSTART:20261107T100000Z\nDTEND:20261107T110000Z\nEND:VEVENT\nEND:VCALENDAR | service-owner r1793696472000 busy 5 unknown 0 min
ical.vevent: cut off | ical_vevent | ~/body/response | END:VEVENT\nEND:VCALENDAR => X:1 | $.response: expected an END for each BEGIN; found a "VEVENT" cut off
pagerduty.oncalls: filtered | pagerduty_oncalls | /body/request/user_ids | ["PRELIA1"] | reliability-lead r1793696472000 busy 0 unknown 0 min; skipped: 1 bound people: the request does not ask for them
pagerduty.oncalls: details missing | pagerduty_oncalls | /body/request/earliest | true | $.request.earliest: expected false: the earliest entry of each does not say when they are free; found true
pagerduty.oncalls: not answered | pagerduty_oncalls | /body/request/schedule_ids | ["PSCHED1"] | $.request.schedule_ids: expected nothing: an answer of some schedules does not say who else is on call; found a list of 1
pagerduty.oncalls: a page of several | pagerduty_oncalls | /body/response/offset | 100 | $.response.offset: expected 0 (every page of the answer, put together); found 100
pagerduty.schedule: filtered | pagerduty_schedule | /body/request/since | - | $.request.since: expected an RFC 3339 instant with an offset, like 2026-11-03T15:30:00Z; found nothing
pagerduty.schedule: details missing | pagerduty_schedule | /body/response/schedule/final_schedule | null | $.response.schedule.final_schedule: expected an object; found null
pagerduty.schedule: not answered | pagerduty_schedule | /body/response/schedule/id | "PSCHED2" | $: expected an answer of every schedule that the binding names; found none of PSCHED1
pagerduty.schedule: an unknown person | pagerduty_schedule | /body/response/schedule/final_schedule/rendered_schedule_entries/1/user | null | database-owner r1793696472000 busy 0 unknown 180 min; reliability-lead r1793696472000 busy 2 unknown 180 min; skipped: $.response.schedule.final_schedule.rendered_schedule_entries[1]: names nobody whom a bound name can be compared with: its time is unknown
opsgenie.timeline: a failure status | opsgenie_timeline | /body/data/_parent/enabled | false | database-owner r1793696472000 busy 1 unknown 10080 min; skipped: $.data._parent.enabled: the schedule is switched off: all of its time is unknown; skipped: $.data.finalTimeline.rotations[0].periods[1]: names nobody whom a bound name can be compared with: its time is unknown
opsgenie.timeline: an unknown word | opsgenie_timeline | /body/data/finalTimeline/rotations/0/periods/0/recipient/type | "robot" | database-owner r1793696472000 busy 0 unknown 540 min; skipped: $.data.finalTimeline.rotations[0].periods[0]: names nobody whom a bound name can be compared with: its time is unknown (and 1 more)
opsgenie.timeline: details missing | opsgenie_timeline | /body/data/finalTimeline | - | $.data.finalTimeline: expected an object; found nothing
grafana.final_shifts: a page of several | grafana_final_shifts | /body/response/next | "https://x" | $.response.next: expected nothing (every page of the answer, put together); found another page
grafana.final_shifts: details missing | grafana_final_shifts | /body/response/count | 7 | $.response.count: expected at most the 2 that are here (every page of the answer, put together); found 7
grafana.final_shifts: filtered | grafana_final_shifts | /body/request/user | "x" | $.request.user: expected nothing: what is left out of an answer is not free; found "x"
incidentio.schedule_entries: a page of several | incidentio_schedule_entries | /body/response/pagination_meta/after | "01X" | $.response.pagination_meta.after: expected nothing (every page of the answer, put together); found another page
incidentio.schedule_entries: an unknown person | incidentio_schedule_entries | /body/response/schedule_entries/final/0/user | null | reliability-lead r1793696472000 busy 0 unknown 1440 min; skipped: $.response.schedule_entries.final[0]: names nobody whom a bound name can be compared with: its time is unknown
graph.calendar_view: a missing zone | graph_calendar_view | /body/response/value/2/isAllDay | - | security-reviewer r1793696472000 busy 2 unknown 3060 min; skipped: $.response.value[2]: a day on nobody's clock (the binding has no `time_zone`): all that it can be is unknown
google.events: details missing | google_events | /body/response/items/0/endTimeUnspecified | true | database-owner r1793696472000 busy 2 unknown 1440 min; skipped: $.response.items[0].endTimeUnspecified: no end is told: the day that begins with it is unknown
graph.calendar_view: details missing | graph_calendar_view | /body/response/value/0/type | "seriesMaster" | $.response.value[0].type: expected an occurrence (calendarView): a series does not say when it recurs; found "seriesMaster"
graph.calendar_view: details missing | graph_calendar_view | /body/response/value/0/recurrence | {"pattern":{"type":"daily","interval":1}} | $.response.value[0].recurrence: expected an occurrence (calendarView); found a series
graph.calendar_view: a page of several | graph_calendar_view | /body/response/@odata.count | 7 | $.response["@odata.count"]: expected at most the 4 that are here (every page of the answer, put together); found 7
graph.get_schedule: a page of several | graph_get_schedule | /body/response/@odata.count | 7 | $.response["@odata.count"]: expected at most the 2 that are here (every page of the answer, put together); found 7
ical.vfreebusy: a second calendar | ical_vfreebusy | ~/body | END:VCALENDAR => BEGIN:VEVENT\nUID:x\nDTSTART:20261104T100000Z\nDTEND:20261104T110000Z\nEND:VEVENT\nEND:VCALENDAR | $: expected VFREEBUSY alone (a calendar of VEVENT is bound by ical.vevent); found "VEVENT"
ical.vfreebusy: a second calendar | ical_vfreebusy | ~/body | END:VCALENDAR => BEGIN:VAVAILABILITY\nBUSYTYPE:BUSY\nEND:VAVAILABILITY\nEND:VCALENDAR | $: expected VFREEBUSY alone (a calendar of VEVENT is bound by ical.vevent); found "VAVAILABILITY"
ical.vevent: details missing | ical_vevent | ~/body/response | DTSTART:20261105T130000Z => DTSTART:20261105T230000Z | service-owner r1793696472000 busy 3 unknown 3525 min; skipped: VEVENT[1].DTEND: not understood, or not after the start: time from the earliest instant that the event names on is unknown
ical.vevent: details missing | ical_vevent | ~/body/response | UID:holiday => UID:holiday\nRDATE;VALUE=PERIOD:20261107T100000Z/20261107T090000Z | service-owner r1793696472000 busy 3 unknown 2940 min; skipped: VEVENT[2].RDATE: not understood: time from the earliest instant that the event names on is unknown
ical.vevent: details missing | ical_vevent | ~/body/response | UID:holiday => UID:holiday\nRDATE;VALUE=PERIOD:20261107T100000Z/-PT1H | service-owner r1793696472000 busy 3 unknown 7200 min; skipped: VEVENT[2].RDATE: not understood: time from the earliest instant that the event names on is unknown
gitlab.pipeline: a column not asked for | gitlab_pipeline | /body/object_attributes/detailed_status | - | CHG0031337 payment-tests r310000018942 Withdrawn
gitlab.pipeline: a column not asked for | gitlab_pipeline | /body/object_attributes/source | "merge_request_event" | skipped: a pipeline of a merge request, whose jobs are not the branch's
azure_devops.build_complete: a foreign run | azure_devops_build_complete | /body/resource/definition/path | "\\Another team" | skipped: a run that no binding names (repository, workflow or app, branch and commit must all fit)
servicenow.schedules: details missing | servicenow_schedules | /body/spans/result/0/end_date_time | "20200101T000000Z" | maintenance r1793696472000 2 freezes, 0 protected; refused: s1: $.spans.result[0].end_date_time: expected an end after `start_date_time`; found "20200101T000000Z"; skipped: freeze calendar prod: schedule "38f8b4c1eb32010045e1a5115206fe5e" is not told whole
servicenow.schedules: a column not asked for | servicenow_schedules | /body/spans/result/1/days_of_week | - | prod r1793696472000 1 freezes, 1 protected; refused: s2: $.spans.result[1].days_of_week: expected a column: a string, or an object with a `value`; found nothing; skipped: freeze calendar maintenance: schedule "08fcd0830a0a0b2600079f56b1adb9ae" is not told whole
graph.change_notification: a question | graph_change_notification | /body/value | [] | skipped: a change notification of nothing
opsgenie.timeline: an unknown person | opsgenie_timeline | /body/data/finalTimeline/rotations/0/periods/0/recipient | {"id":"u1","type":"user"} | database-owner r1793696472000 busy 0 unknown 540 min; skipped: $.data.finalTimeline.rotations[0].periods[0]: names nobody whom a bound name can be compared with: its time is unknown (and 1 more)
grafana.final_shifts: an unknown person | grafana_final_shifts | /body/response/results/0/user_pk | null | database-owner r1793696472000 busy 0 unknown 480 min; reliability-lead r1793696472000 busy 1 unknown 480 min; skipped: $.response.results[0]: names nobody whom a bound name can be compared with: its time is unknown
pagerduty.oncalls: an unknown person | pagerduty_oncalls | /body/response/oncalls/0/user/id | "" | database-owner r1793696472000 busy 1 unknown 405 min; reliability-lead r1793696472000 busy 0 unknown 405 min; skipped: $.response.oncalls[0]: names nobody whom a bound name can be compared with: its time is unknown
incidentio.schedule_entries: an unknown person | incidentio_schedule_entries | /body/response/schedule_entries/final/0/user | {"email":"lisa@example.com"} | reliability-lead r1793696472000 busy 0 unknown 1440 min; skipped: $.response.schedule_entries.final[0]: names nobody whom a bound name can be compared with: its time is unknown
pagerduty.webhook: a question | pagerduty_webhook | /body/event/event_type | "incident.resolved" | skipped: a hint that something changed at //availability.example.com: the next poll says what
ses.received: a failure status | ses_received | /body/receipt/dmarcVerdict/status | "PROCESSING_FAILED" | Reply(security-reviewer@example.com) accepted unavailable
ses.received: not answered | ses_received | /body/receipt/dmarcVerdict | - | Reply(security-reviewer@example.com) accepted missing
ses.received: an unknown word | ses_received | /body/receipt/dmarcVerdict/status | "PASSED" | Reply(security-reviewer@example.com) accepted missing
mail.received: not answered | mail_received | /body/mail | "RnJvbTogYUBleGFtcGxlLmNvbQ0KQ29udGVudC1UeXBlOiB0ZXh0L2NhbGVuZGFyOyBtZXRob2Q9UkVQTFkNCg0KQkVHSU46VkNBTEVOREFSDQpCRUdJTjpWRVZFTlQNClVJRDp1DQpBVFRFTkRFRTtQQVJUU1RBVD1BQ0NFUFRFRDptYWlsdG86YUBleGFtcGxlLmNvbQ0KRU5EOlZFVkVOVA0KRU5EOlZDQUxFTkRBUg0K" | Reply(a@example.com) accepted missing
mail.received: cut off | mail_received | /body/mail | "QXV0aGVudGljYXRpb24tUmVzdWx0czogbXguZXhhbXBsZS5jb207IGRtYXJjPXBhc3MNCkZyb206IGFAZXhhbXBsZS5jb20NCkNvbnRlbnQtVHlwZTogdGV4dC9jYWxlbmRhcjsgbWV0aG9kPVJFUExZDQoNCkJFR0lOOlZDQUxFTkRBUg0KQkVHSU46VkVWRU5UDQpVSUQ6dQ0KQVRURU5ERUU7UEFSVFNUQVQ9QUNDRVBURUQ6bWFpbHRvOmFAZXhhbXBsZS5jb20NCg==" | Reply(a@example.com) unanswered passed
"#;

fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    ROWS.lines().filter(|row| !row.trim().is_empty()).map(|row| {
        let (format, rest) = row.split_once(": ").unwrap_or_else(|| panic!("a format: {row}"));
        let (way, rest) = rest.split_once(" | ").unwrap_or_else(|| panic!("a way: {row}"));
        (format, way, rest)
    })
}

#[test]
fn not_knowing_is_never_good_news() {
    let table: Vec<&str> = rows().map(|(_, _, row)| row).collect();
    common::hold(&[&table.join("\n")], &bindings(|_| ()));
}

/// Whoever adds a translator says what each way of not knowing becomes, here and in the page.
#[test]
fn the_page_lists_these_ways_and_no_others() {
    let page = include_str!("../DESIGN.md");
    let section = page.split("## What each way of not knowing becomes").nth(1).expect("the section");
    let section = section.split("\n## ").next().expect("its text");
    let told: BTreeSet<(String, String)> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .flat_map(|line| {
            let mut cells = line.split('|').map(str::trim);
            let format = cells.next().unwrap_or_default().trim_end_matches('`').to_owned();
            let ways = cells.next().unwrap_or_default().split("; ").map(|way| (format.clone(), way.trim().to_owned()));
            ways.collect::<Vec<_>>()
        })
        .collect();
    let held: BTreeSet<(String, String)> = rows().map(|(format, way, _)| (format.to_owned(), way.to_owned())).collect();
    let apart: Vec<_> = told.symmetric_difference(&held).collect();
    assert!(apart.is_empty(), "in one of the two alone: {apart:#?}");
    for format in sources::Format::ALL {
        assert!(held.iter().any(|(held, _)| held == format.word()), "no row of {}", format.word());
    }
}

/// A full page that does not say that it is the last may have another behind it.
#[test]
fn a_full_page_is_not_the_whole() {
    let mut payload = sample("native_pagerduty_oncalls");
    let response = payload["body"]["response"].as_object_mut().expect("an answer");
    response.remove("more");
    response.remove("total");
    response["limit"] = json!(response["oncalls"].as_array().map_or(0, Vec::len));
    let came = said(&payload, &bindings(|_| ()));
    assert!(came.starts_with("$.response.limit: expected `more: false` beside it"), "{came}");
    payload["body"]["response"]["limit"] = json!(100);
    assert!(said(&payload, &bindings(|_| ())).starts_with("database-owner r1793696472000 busy 1"));
}

/// A day that ends on itself is that day, and an end before the start is not understood: neither leaves somebody free.
#[test]
fn what_lasts_no_time_by_mistake_is_not_free() {
    let feed = |event: &str| {
        let mut payload = sample("native_ical_vevent");
        let text = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:x\r\n{event}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        payload["body"]["response"] = json!(text.replace('|', "\r\n"));
        said(&payload, &bindings(|_| ()))
    };
    assert_eq!(
        feed("DTSTART;VALUE=DATE:20261105|DTEND;VALUE=DATE:20261105"),
        "service-owner r1793696472000 busy 1 unknown 0 min"
    );
    assert_eq!(
        feed("DTSTART:20261105T130000Z|DTEND:20261105T130000Z"),
        "service-owner r1793696472000 busy 0 unknown 0 min"
    );
    for event in ["DTSTART:20261105T130000Z|DTEND:20261105T120000Z", "DTSTART:20261105T130000Z|DURATION:-PT1H"] {
        assert!(
            feed(event).starts_with("service-owner r1793696472000 busy 0 unknown ") && !feed(event).ends_with(" 0 min"),
            "{}",
            feed(event)
        );
    }
    // Invited twice, and declined under one address alone.
    let invited =
        "DTSTART:20261105T130000Z|DTEND:20261105T140000Z|ATTENDEE;PARTSTAT=DECLINED:mailto:service-owner@example.com";
    assert_eq!(feed(invited), "service-owner r1793696472000 busy 0 unknown 0 min");
    let twice = format!("{invited}|ATTENDEE;PARTSTAT=ACCEPTED:mailto:service-owner@example.com");
    assert_eq!(feed(&twice), "service-owner r1793696472000 busy 1 unknown 0 min");
}

/// What EventBridge hands over reaches the queue in one of several forms; what was cut out of one is refused by name.
#[test]
fn events_of_aws_are_read_in_every_documented_wrapping() {
    let bindings = bindings(|_| ());
    let notified = |inner: &Value| json!({"Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:eu-west-1:111122223333:t", "Message": inner.to_string(), "Timestamp": "2026-11-03T13:40:08.000Z", "SignatureVersion": "1"});
    for (name, ready) in [
        ("aws_codepipeline", "CHG0031337 staging-deployment r1793711139200020672 Ready 2026-11-03T13:40:07Z"),
        ("aws_codebuild", "CHG0031337 load-tests r1793710949000007232 Ready 2026-11-03T13:14:32Z"),
    ] {
        let bus = sample(&format!("native_{name}_bus"));
        let mut wrapped = sample(&format!("native_{name}"));
        assert_eq!(said(&bus, &bindings), ready);
        assert_eq!(said(&notified(&bus), &bindings), ready, "through a topic");
        wrapped["body"] = notified(&bus);
        assert_eq!(said(&wrapped, &bindings), ready, "a topic's own post to a hook");
        wrapped["body"] = json!(notified(&bus).to_string());
        assert_eq!(said(&wrapped, &bindings), ready, "as text");
        for (payload, expected) in [
            (bus["detail"].clone(), "the event's `detail` alone"),
            (
                json!({"detailType": bus["detail-type"], "source": bus["source"], "detail": bus["detail"]}),
                "a notification of a notification rule",
            ),
        ] {
            assert!(said(&payload, &bindings).contains(expected), "{}", said(&payload, &bindings));
            assert!(
                said(&notified(&payload), &bindings).contains(expected),
                "{}",
                said(&notified(&payload), &bindings)
            );
            wrapped["body"] = payload;
            assert!(said(&wrapped, &bindings).contains(expected), "{}", said(&wrapped, &bindings));
        }
        let mut confirmation = notified(&bus);
        confirmation["Type"] = json!("SubscriptionConfirmation");
        assert!(said(&confirmation, &bindings).contains("confirmed by its operator"));
    }
}

/// The cases that the field found, as they came.
#[test]
fn two_calendars_of_one_person_are_one_snapshot() {
    let both = bindings(|native| {
        of(native, "google.free_busy")["people"] = json!({"team@group.calendar.test": "rev@test.example"});
        of(native, "graph.get_schedule")["people"] = json!({"room": "security-reviewer@example.com"});
    });
    let mut google = sample("native_google_free_busy");
    google["body"]["calendars"] = json!({
        "rev@test.example": {"busy": []},
        "team@group.calendar.test": {"busy": [{"start": "2026-11-03T14:00:00Z", "end": "2026-11-03T16:00:00Z"}]},
    });
    assert_eq!(said(&google, &both), "rev r1793696472000 busy 1 unknown 0 min");
    // One of them cannot be read: what the other says is not the whole.
    google["body"]["calendars"]["rev@test.example"] = json!({"busy": "none"});
    assert!(
        said(&google, &both).starts_with("$.calendars[\"rev@test.example\"].busy: expected a list"),
        "{}",
        said(&google, &both)
    );
    let graph = replaced(sample("native_graph_get_schedule"), "/body/response/value/1/scheduleId", "\"room\"");
    assert!(
        said(&graph, &both).starts_with("security-reviewer r1793696472000 busy 3 unknown 4380 min"),
        "{}",
        said(&graph, &both)
    );
}

#[test]
fn typed_columns_and_meta_are_read() {
    let bindings = bindings(|_| ());
    let mut payload = sample("native_servicenow_change_request");
    let record = &mut payload["body"]["result"];
    record["sys_mod_count"] = json!({"display_value": "3", "value": 3.0});
    record["state"] = json!({"display_value": "Scheduled", "value": -2.0});
    record["on_hold"] = json!({"display_value": "false", "value": false});
    record["__meta"] = json!({"ignoredFields": []});
    assert!(said(&payload, &bindings).starts_with("CHG0031337 r3 Approved"), "{}", said(&payload, &bindings));
    record_is_refused(&payload, "/body/result/state", "{\"display_value\":\"Scheduled\",\"value\":-2.5}");
    record_is_refused(&payload, "/body/result/state", "{\"display_value\":\"Scheduled\",\"link\":\"x\"}");
    record_is_refused(&payload, "/body/result/sys_mod_count", "3.5");
}

fn record_is_refused(payload: &Value, pointer: &str, with: &str) {
    let came = said(&replaced(payload.clone(), pointer, with), &bindings(|_| ()));
    assert!(came.starts_with("$.result."), "{pointer} {with}: {came}");
}

#[test]
fn one_bad_record_holds_up_no_other() {
    let bindings = bindings(|_| ());
    let mut payload = sample("native_servicenow_back_to_draft");
    let mut good = payload["body"]["result"][1].clone();
    good["on_hold"] = json!("false");
    let mut bad = good.clone();
    bad["number"] = json!("CHG0031339");
    bad["u_review_opens"] = json!("");
    payload["body"]["result"] = json!([good, bad]);
    let came = said(&payload, &bindings);
    assert_eq!(
        came,
        "CHG0031338 r17 Approved owner release-owner@example.com confirmed true; refused: CHG0031339: \
         $.result[1].u_review_opens: expected a UTC date-time like 2026-11-03 13:00:00 (ask with \
         sysparm_display_value=false or all); found \"\""
    );
}

/// The EMAIL parameter is the address where the address itself is none.
#[test]
fn an_address_of_another_kind_may_carry_an_email() {
    let payload = sample("native_ical_vfreebusy");
    let with = "ATTENDEE;CN=\"Service; Owner\":mailto:service-owner@example.com => \
                ATTENDEE;EMAIL=service-owner@example.com:urn:uuid:00000000-0000-4000-8000-000000000001";
    let came = said(&replaced(payload.clone(), "~/body", with), &bindings(|_| ()));
    assert_eq!(came, "service-owner r1793696472000 busy 4 unknown 0 min");
}

/// Runs merged by the service are told as such, entries are not.
#[test]
fn merged_is_said_of_services_that_merge() {
    let bindings = bindings(|_| ());
    for (name, format, merged) in [
        ("native_google_free_busy", "google.free_busy", true),
        ("native_ical_vfreebusy", "ical.vfreebusy", true),
        ("native_ical_vfreebusy_query", "ical.vfreebusy", true),
        ("native_graph_get_schedule", "graph.get_schedule", false),
        ("native_graph_calendar_view", "graph.calendar_view", false),
        ("native_google_events", "google.events", false),
        ("native_ical_vevent", "ical.vevent", false),
        ("native_pagerduty_oncalls", "pagerduty.oncalls", false),
    ] {
        let payload = sample(name);
        let headers = serde_json::from_value(payload["headers"].clone()).expect("headers");
        let told = sources::translate(format, &headers, &payload["body"], None, &bindings).expect("a good sample");
        assert!(told.events.iter().all(|event| (event["data"]["merged"] == json!(true)) == merged), "{name}");
    }
}

/// Runs of one suite may overlap: the newest that was told to begin decides, whenever the others end.
#[test]
fn of_overlapping_runs_the_newest_decides() {
    let events = |told: &[(&str, &str, &str)]| {
        let minute = |index: usize| format!("2026-11-03T10:{:02}:00Z", 5 * index);
        let event = |(index, (run, predicate, outcome)): (usize, &(&str, &str, &str))| {
            json!({"context": {"specversion": "0.5.1", "id": format!("e{index}"), "source": "//evidence.example.com",
                               "type": format!("dev.cdevents.testsuiterun.{predicate}.0.3.0"), "timestamp": minute(index)},
                   "subject": {"id": run, "content": {"environment": {"id": "staging"}, "outcome": outcome,
                                                      "testSuite": {"id": "performance-CHG7"}}}})
        };
        told.iter().enumerate().map(event).collect::<Vec<Value>>()
    };
    let deployment = sources::policy::read(include_str!("../../../infra/policy.json")).expect("a good policy");
    let bindings = bindings(|_| ());
    let status = |told: &[(&str, &str, &str)]| {
        let mut fact: Option<Fact> = None;
        for payload in events(told) {
            let event = sources::read(&payload.to_string(), &bindings).expect("good").events.remove(0);
            let now = refresh_core::Instant::parse("2026-11-03T12:00:00Z").expect("an instant");
            let known = StoredContext {
                fact: fact.as_ref(),
                review_issued: true,
                uid_in_use: false,
                arrived: now,
                sender: None,
            };
            if let Ok(next) = authority::judge(&event, &known, &deployment, now) {
                fact = Some(next);
            }
        }
        let Some(Body::Evidence(evidence)) = fact.map(|fact| fact.body) else { panic!("evidence") };
        format!("{:?}", evidence.status)
    };
    let (begins, ends) = ("started", "finished");
    for (told, expected) in [
        (&[("a", begins, ""), ("b", begins, ""), ("b", ends, "failure"), ("a", ends, "success")][..], "Withdrawn"),
        (&[("a", begins, ""), ("b", begins, ""), ("b", ends, "success"), ("a", ends, "failure")], "Ready"),
        (&[("a", begins, ""), ("b", begins, ""), ("a", ends, "success")], "Expected"),
        (
            &[
                ("a", "queued", ""),
                ("b", "queued", ""),
                ("a", begins, ""),
                ("b", ends, "failure"),
                ("a", ends, "success"),
            ],
            "Withdrawn",
        ),
        (&[("a", begins, ""), ("a", ends, "failure"), ("b", begins, ""), ("b", ends, "success")], "Ready"),
        // A sender that tells no beginnings: the last word counts.
        (&[("a", ends, "failure"), ("b", ends, "success")], "Ready"),
        (&[("a", ends, "success"), ("b", ends, "failure")], "Withdrawn"),
        // A beginning that was lost: a failure counts, a success may be an older run's.
        (&[("a", begins, ""), ("a", ends, "success"), ("b", ends, "failure")], "Withdrawn"),
        (&[("a", begins, ""), ("a", ends, "failure"), ("b", ends, "success")], "Withdrawn"),
    ] {
        assert_eq!(status(told), expected, "{told:?}");
    }
}
