//! Whose an on-call entry is. Somebody of another name is somebody else only where the names can be compared; everything
//! else is unknown for everybody bound.

mod common;

use common::{bindings, hold, of, replaced, said, sample};
use serde_json::json;

/// `sample | pointer | with | becomes`. The binding of Opsgenie has an address, the others have ids.
const ROWS: &str = r#"
opsgenie_timeline | /body/data/finalTimeline/rotations/0/periods/0/recipient | {"id":"u1","type":"user"} | database-owner r1793696472000 busy 0 unknown 540 min; skipped: $.data.finalTimeline.rotations[0].periods[0]: names nobody whom a bound name can be compared with: its time is unknown (and 1 more)
opsgenie_timeline | /body/data/finalTimeline/rotations/0/periods/0/recipient | {"id":"u1","type":"user","name":null} | database-owner r1793696472000 busy 0 unknown 540 min; skipped: $.data.finalTimeline.rotations[0].periods[0]: names nobody whom a bound name can be compared with: its time is unknown (and 1 more)
opsgenie_timeline | /body/data/finalTimeline/rotations/0/periods/0/recipient | {"id":"u1","type":"user","name":" "} | database-owner r1793696472000 busy 0 unknown 540 min; skipped: $.data.finalTimeline.rotations[0].periods[0]: names nobody whom a bound name can be compared with: its time is unknown (and 1 more)
opsgenie_timeline | /body/data/finalTimeline/rotations/0/periods/0/recipient | {"id":"u1","type":"user","username":"database-owner@example.com"} | database-owner r1793696472000 busy 0 unknown 540 min; skipped: $.data.finalTimeline.rotations[0].periods[0]: names nobody whom a bound name can be compared with: its time is unknown (and 1 more)
opsgenie_timeline | /body/data/finalTimeline/rotations/0/periods/0/recipient | {"id":"u1","type":"user","name":"The owner"} | database-owner r1793696472000 busy 0 unknown 540 min; skipped: $.data.finalTimeline.rotations[0].periods[0]: names nobody whom a bound name can be compared with: its time is unknown (and 1 more)
opsgenie_timeline | /body/data/finalTimeline/rotations/0/periods/0/recipient | {"id":"u1","type":"user","name":7} | $.data.finalTimeline.rotations[0].periods[0].recipient.name: expected a string; found 7
opsgenie_timeline | /body/data/finalTimeline/rotations/0/periods/0/recipient | {"type":"user","name":"other@example.com"} | database-owner r1793696472000 busy 0 unknown 60 min; skipped: $.data.finalTimeline.rotations[0].periods[1]: names nobody whom a bound name can be compared with: its time is unknown
opsgenie_timeline | /body/data/finalTimeline/rotations/0/periods/0/recipient | {"type":"none","name":"database-owner@example.com"} | database-owner r1793696472000 busy 0 unknown 540 min; skipped: $.data.finalTimeline.rotations[0].periods[0]: names nobody whom a bound name can be compared with: its time is unknown (and 1 more)
opsgenie_timeline | /body/data/finalTimeline/rotations/0/periods/1/flattenedRecipients | [{"type":"user","id":"u1"},{"type":"user","name":"database-owner@example.com"}] | database-owner r1793696472000 busy 2 unknown 60 min; skipped: $.data.finalTimeline.rotations[0].periods[1]: names nobody whom a bound name can be compared with: its time is unknown
grafana_final_shifts | /body/response/results/0/user_pk | null | database-owner r1793696472000 busy 0 unknown 480 min; reliability-lead r1793696472000 busy 1 unknown 480 min; skipped: $.response.results[0]: names nobody whom a bound name can be compared with: its time is unknown
grafana_final_shifts | /body/response/results/0/user_pk | "" | database-owner r1793696472000 busy 0 unknown 480 min; reliability-lead r1793696472000 busy 1 unknown 480 min; skipped: $.response.results[0]: names nobody whom a bound name can be compared with: its time is unknown
grafana_final_shifts | /body/response/results/0/user_pk | - | database-owner r1793696472000 busy 0 unknown 480 min; reliability-lead r1793696472000 busy 1 unknown 480 min; skipped: $.response.results[0]: names nobody whom a bound name can be compared with: its time is unknown
grafana_final_shifts | /body/response/results/0/user_pk | "UOTHER" | database-owner r1793696472000 busy 0 unknown 0 min; reliability-lead r1793696472000 busy 1 unknown 0 min
grafana_final_shifts | /body/response/results/0/user_pk | 7 | $.response.results[0].user_pk: expected a string; found 7
grafana_final_shifts | /body/response/results/0/user_email | null | database-owner r1793696472000 busy 1 unknown 0 min; reliability-lead r1793696472000 busy 1 unknown 0 min
grafana_final_shifts | /body/response/results/0 | {"user_pk":"","user_email":"Database-Owner@example.com","user_username":"","shift_start":"2026-11-03T09:00:00Z","shift_end":"2026-11-03T17:00:00Z"} | database-owner r1793696472000 busy 1 unknown 0 min; reliability-lead r1793696472000 busy 1 unknown 0 min
incidentio_schedule_entries | /body/response/schedule_entries/final/0/user | {"email":"lisa@example.com","name":"Lisa"} | reliability-lead r1793696472000 busy 0 unknown 1440 min; skipped: $.response.schedule_entries.final[0]: names nobody whom a bound name can be compared with: its time is unknown
incidentio_schedule_entries | /body/response/schedule_entries/final/0/user/id | null | reliability-lead r1793696472000 busy 0 unknown 1440 min; skipped: $.response.schedule_entries.final[0]: names nobody whom a bound name can be compared with: its time is unknown
incidentio_schedule_entries | /body/response/schedule_entries/final/0/user/id | "" | reliability-lead r1793696472000 busy 0 unknown 1440 min; skipped: $.response.schedule_entries.final[0]: names nobody whom a bound name can be compared with: its time is unknown
incidentio_schedule_entries | /body/response/schedule_entries/final/0/user/id | "01OTHER" | reliability-lead r1793696472000 busy 0 unknown 0 min
incidentio_schedule_entries | /body/response/schedule_entries/final/0/user/id | 7 | $.response.schedule_entries.final[0].user.id: expected a string; found 7
incidentio_schedule_entries | /body/response/schedule_entries/final/0/user | {"email":"reliability-lead@example.com"} | reliability-lead r1793696472000 busy 1 unknown 0 min
pagerduty_schedule | /body/response/schedule/final_schedule/rendered_schedule_entries/1/user | {"id":"","summary":"Somebody"} | database-owner r1793696472000 busy 0 unknown 180 min; reliability-lead r1793696472000 busy 2 unknown 180 min; skipped: $.response.schedule.final_schedule.rendered_schedule_entries[1]: names nobody whom a bound name can be compared with: its time is unknown
pagerduty_schedule | /body/response/schedule/final_schedule/rendered_schedule_entries/1/user | {"summary":"Somebody"} | $.response.schedule.final_schedule.rendered_schedule_entries[1].user.id: expected a string; found nothing
pagerduty_schedule | /body/response/schedule/final_schedule/rendered_schedule_entries/1/user/id | "POTHER" | database-owner r1793696472000 busy 0 unknown 0 min; reliability-lead r1793696472000 busy 2 unknown 0 min
pagerduty_oncalls | /body/response/oncalls/0/user/id | " " | database-owner r1793696472000 busy 1 unknown 405 min; reliability-lead r1793696472000 busy 0 unknown 405 min; skipped: $.response.oncalls[0]: names nobody whom a bound name can be compared with: its time is unknown
pagerduty_oncalls | /body/response/oncalls/0/user/id | null | $.response.oncalls[0].user.id: expected a string; found null
servicenow_schedules | /body/spans/result/0/schedule | "" | refused: s1: $.spans.result[0].schedule: expected the sys_id of a record; found an empty one; skipped: freeze calendar maintenance: schedule "08fcd0830a0a0b2600079f56b1adb9ae" is not told whole; skipped: freeze calendar prod: schedule "38f8b4c1eb32010045e1a5115206fe5e" is not told whole
servicenow_schedules | /body/spans/result/0/schedule | {"value":"","display_value":"x"} | refused: s1: $.spans.result[0].schedule: expected the sys_id of a record; found an empty one; skipped: freeze calendar maintenance: schedule "08fcd0830a0a0b2600079f56b1adb9ae" is not told whole; skipped: freeze calendar prod: schedule "38f8b4c1eb32010045e1a5115206fe5e" is not told whole
servicenow_schedules | /body/children/result/x | {"schedule":"","child_schedule":"S9"} | $.children.result[0].schedule: expected the sys_id of a record; found an empty one
"#;

#[test]
fn who_cannot_be_compared_is_not_somebody_else() {
    hold(&[ROWS], &bindings(|_| ()));
}

/// Busy and unknown time of the first person whom a format's sample is told of.
fn first_told(format: &str, people: serde_json::Value, pointer: &str, with: &str) -> String {
    let bindings = bindings(|native| of(native, format)["people"] = people.clone());
    let came = said(&replaced(sample(&format!("native_{}", format.replace('.', "_"))), pointer, with), &bindings);
    came.split(';').next().unwrap_or_default().split(" busy ").nth(1).unwrap_or(&came).to_owned()
}

/// What is compared depends on the names that the policy binds: addresses, ids, or both.
#[test]
fn the_bound_names_say_what_is_compared() {
    let shift = |id: &str, email: &str, name: &str| {
        json!({"user_pk": id, "user_email": email, "user_username": name,
            "shift_start": "2026-11-03T09:00:00Z", "shift_end": "2026-11-03T17:00:00Z"})
        .to_string()
    };
    let grafana = |name: &str, shift: &str| {
        let people = json!({ name: "database-owner@example.com" });
        first_told("grafana.final_shifts", people, "/body/response/results/0", shift)
    };
    for (bound, id, email, name, expected) in [
        ("U1", "U1", "", "", "1 unknown 0 min"),
        ("U1", "U2", "", "bob", "0 unknown 0 min"),
        ("U1", "U2", "", "", "0 unknown 480 min"),
        ("U1", "", "bob@example.com", "bob", "0 unknown 480 min"),
        ("alice", "U1", "", "Alice", "1 unknown 0 min"),
        ("alice", "U1", "alice@example.com", "", "0 unknown 480 min"),
        ("alice@example.com", "U1", "alice@example.com", "", "1 unknown 0 min"),
        ("alice@example.com", "", "bob@example.com", "bob", "0 unknown 0 min"),
        ("alice@example.com", "U2", "", "bob@example.com", "0 unknown 480 min"),
        ("alice@example.com", "U2", "bob@example.com", "", "0 unknown 480 min"),
        ("alice@example.com", "U2", "Bob", "bob", "0 unknown 480 min"),
    ] {
        assert_eq!(grafana(bound, &shift(id, email, name)), expected, "{bound}: {id} {email} {name}");
    }
    let both = json!({"U1": "database-owner@example.com", "b@example.com": "reliability-lead@example.com"});
    for (id, email, expected) in [
        ("U2", "c@example.com", "0 unknown 0 min"),
        ("U2", "", "0 unknown 480 min"),
        ("", "c@example.com", "0 unknown 480 min"),
        // Of two people whom one entry names each is on call.
        ("U1", "b@example.com", "1 unknown 0 min"),
    ] {
        let shift = shift(id, email, "carol");
        let came = first_told("grafana.final_shifts", both.clone(), "/body/response/results/0", &shift);
        assert_eq!(came, expected, "{id} {email}");
    }
    let payload = replaced(
        sample("native_grafana_final_shifts"),
        "/body/response/results/0",
        &shift("U1", "b@example.com", "carol"),
    );
    let two = said(&payload, &bindings(|native| of(native, "grafana.final_shifts")["people"] = both.clone()));
    assert!(two.contains("reliability-lead r1793696472000 busy 1 unknown 0 min"), "{two}");
    // PagerDuty's entries have ids alone: with an address there is nothing to compare.
    let people = json!({"a@example.com": "database-owner@example.com"});
    assert_eq!(first_told("pagerduty.schedule", people.clone(), "/", ""), "0 unknown 4320 min");
    assert_eq!(first_told("pagerduty.oncalls", people, "/", ""), "0 unknown 4320 min");
}

/// Of which policy an entry is may not be told: an empty id is no other policy.
#[test]
fn a_policy_without_its_id_may_be_one_that_counts() {
    let bound = bindings(|native| of(native, "pagerduty.oncalls")["escalation_policies"] = json!(["PPOLICY1"]));
    for (policy, busy) in [(r#"{"id":""}"#, 1), (r#"{"id":" "}"#, 1), ("null", 1), (r#"{"id":"POTHER"}"#, 0)] {
        let mut payload = sample("native_pagerduty_oncalls");
        let entries = payload["body"]["response"]["oncalls"].as_array_mut().expect("entries");
        entries.truncate(1);
        let payload = replaced(payload, "/body/response/oncalls/0/escalation_policy", policy);
        let came = said(&payload, &bound);
        assert!(
            came.starts_with(&format!("database-owner r1793696472000 busy {busy} unknown 0 min")),
            "{policy}: {came}"
        );
    }
}
