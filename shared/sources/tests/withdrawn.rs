//! What was taken back is never heard as still good: an approval that a row revokes which cannot be read, a record that a
//! question leaves out once it is withdrawn, an issue that left its project, a pipeline beside the branch's own.

mod common;

use common::{bindings, hold, of, said, sample};
use serde_json::{Value, json};

const HEAD: &str = "service,role,person,rank,status,valid_from,valid_until\n";

fn roster(rows: &str) -> String {
    let mut payload = sample("native_roster_csv");
    payload["body"] = json!(format!("{HEAD}{rows}\n"));
    said(&payload, &bindings(|_| ()))
}

#[test]
fn a_revocation_that_cannot_be_read_is_one_all_the_same() {
    let held = "payments,release_manager,rm-a@example.com,,holder,,";
    let approved = "payments,release_manager,rm-b@example.com,1,approved,,";
    let other = "payments,release_manager,rm-c@example.com,2,approved,,";
    for (row, approvals) in [
        ("", "2 of 2"),
        // Nobody is at any place who is revoked.
        ("payments,release_manager,rm-d@example.com,,revoked,,", "2 of 3"),
        ("payments,release_manager,rm-b@example.com,,revoked,,", "1 of 1"),
        ("payments,release_manager,rm-b@example.com,,Revoked,,", "1 of 1"),
        ("payments,release_manager,rm-b@example.com,,revoked,soon,", "1 of 1"),
        ("payments,release_manager,rm-b@example.com,revoked,,", "1 of 1"),
        (",,rm-b@example.com,,revoked,,", "1 of 1"),
        ("payments,release_manager,Bo,,revoked,,", "0 of 0"),
        ("payments,release_manager,Bo,,entzogen,,", "0 of 0"),
        // Neither is a revocation.
        ("payments,release_manager,Bo,3,approved,,", "2 of 2"),
        ("payments,release_manager,rm-d@example.com,,approved,,", "2 of 2"),
        // Of another role.
        ("payments,service_owner,rm-b@example.com,,revoked,soon,", "2 of 2"),
    ] {
        let came = roster(&[held, approved, other, row].join("\n"));
        let expected = format!("payments release_manager r1793696472000 holder rm-a@example.com, {approvals} approved");
        assert!(came.starts_with(&expected), "{row}: {came}");
        let doubted = came.contains("expected a delegate whom no row that cannot be read may have revoked");
        let control = row == "payments,release_manager,rm-b@example.com,,revoked,,";
        assert_eq!(doubted, matches!(approvals, "1 of 1" | "0 of 0") && !control, "{row}: {came}");
    }
}

#[test]
fn a_pipeline_of_a_merge_request_says_nothing_of_the_branch() {
    hold(
        &[r#"
gitlab_pipeline | /body/object_attributes/source | "merge_request_event" | skipped: a pipeline of a merge request, whose jobs are not the branch's
gitlab_pipeline | /body/object_attributes/source | "web" | CHG0031337 payment-tests r310000018942 Ready 2026-11-03T13:52:02Z
"#],
        &bindings(|_| ()),
    );
    let mut payload = sample("native_gitlab_pipeline");
    payload["body"]["object_attributes"]["source"] = json!("merge_request_event");
    payload["body"]["merge_request"] = json!({ "source_project_id": 1, "target_project_id": 1 });
    let came = said(&payload, &bindings(|_| ()));
    assert_eq!(came, "skipped: a pipeline of a merge request, whose jobs are not the branch's");
}

/// Of the former key nobody hears again.
#[test]
fn an_issue_that_left_its_project_is_in_force_no_more() {
    let mut moved = sample("native_jira_change");
    moved["body"]["issue"]["key"] = json!("ARCH-3");
    moved["body"]["issue"]["fields"]["project"]["key"] = json!("ARCH");
    let with = |items: Value| {
        let mut payload = moved.clone();
        payload["body"]["changelog"] = json!({ "items": items });
        said(&payload, &bindings(|_| ()))
    };
    let key = |from: &str| json!({ "field": "Key", "fromString": from, "toString": "ARCH-3" });
    assert_eq!(with(json!([{ "field": "project" }, key("CHANGE-42")])), "CHANGE-42 r1793607063211 OnHold");
    let foreign = "skipped: an issue of a project or a type that the binding does not name";
    for items in
        [json!([]), json!([key("OTHER-1")]), json!([{ "field": "status", "fromString": "CHANGE-42" }]), json!(7)]
    {
        assert_eq!(with(items.clone()), foreign, "{items}");
    }
}

/// A question that asks for approved changes alone hears of no withdrawal.
#[test]
fn a_question_that_leaves_out_what_is_withdrawn_is_refused_at_start() {
    let (servicenow, jira) = ("servicenow.change_request", "jira.change");
    let table = "https://x.example.com/api/now/table/change_request?sysparm_query=";
    let search = "https://x.example.com/rest/api/3/search/jql?fields=*all&jql=";
    for (format, url, refused) in [
        (servicenow, format!("{table}stateIN-2,-1^u_review_opensISNOTEMPTY"), Some("state")),
        (servicenow, format!("{table}u_review_opensISNOTEMPTY^active=true"), Some("active")),
        (servicenow, format!("{table}u_review_opensISNOTEMPTY^ORDERBYDESCsys_updated_on"), None),
        (jira, format!("{search}project%3DCHANGE%20AND%20status%3DApproved"), Some("status")),
        (jira, format!("{search}project%3DCHANGE"), None),
    ] {
        let mut policy: Value = serde_json::from_str(include_str!("../../../infra/policy.json")).expect("the policy");
        let binding = of(&mut policy["native"], format);
        binding["name"] = json!("asked");
        binding["poll"] = json!({ "url": url, "every_minutes": 5 });
        let read = sources::policy::read_file(&policy.to_string()).map(|_| ());
        let faults = read.err().unwrap_or_default().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        match refused {
            Some(name) => assert!(faults.contains(&format!("no condition on {name}, ")), "{url}: {faults}"),
            None => assert_eq!(faults, "", "{url}"),
        }
    }
}
