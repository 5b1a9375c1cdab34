//! Whether an answer is the whole of what was asked for, over every format: pages, filters, text that was cut off, and
//! records that are there twice.

mod common;

use std::collections::BTreeSet;

use common::{bindings, of, said, sample};
use serde_json::{Value, json};
use sources::{Format, policy};

/// Formats whose answer is one snapshot, and where its records stand.
const SNAPSHOTS: [(&str, &str); 11] = [
    ("graph_get_schedule", "/body/response"),
    ("graph_calendar_view", "/body/response"),
    ("google_free_busy", "/body"),
    ("google_events", "/body/response"),
    ("pagerduty_oncalls", "/body/response"),
    ("pagerduty_schedule", "/body/response"),
    ("opsgenie_timeline", "/body"),
    ("grafana_final_shifts", "/body/response"),
    ("incidentio_schedule_entries", "/body/response"),
    ("roster_json", "/body"),
    ("servicenow_schedules", "/body/spans"),
];

#[test]
fn a_page_of_several_is_refused_in_every_format() {
    let bindings = bindings(|_| ());
    let pages = [
        json!({"@odata.nextLink": "https://x"}),
        json!({"nextPageToken": "x"}),
        json!({"next": "https://x"}),
        json!({"previous": "https://x"}),
        json!({"next_cursor": "x"}),
        json!({"more": true}),
        json!({"hasMore": true}),
        json!({"isLast": false}),
        json!({"offset": 100}),
        json!({"startAt": "100"}),
        json!({"current_page_number": 2}),
        json!({"total_pages": 3}),
        json!({"totalPages": "3"}),
        json!({"pagination_meta": {"after": "x"}}),
        json!({"paging": {"next": "https://x"}}),
    ];
    let counts = [
        json!({"total": 900}),
        json!({"count": "900"}),
        json!({"@odata.count": 900}),
        json!({"total_count": 900}),
        json!({"total_record_count": 900}),
        json!({"pagination_meta": {"total_record_count": 900}}),
    ];
    let lasts = json!({"@odata.nextLink": null, "next": null, "nextPageToken": "", "more": false, "offset": 0, "isLast": true,
                       "current_page_number": 1, "total_pages": 1, "total": null, "pagination_meta": {"after": ""}});
    for (name, place) in SNAPSHOTS {
        let payload = sample(&format!("native_{name}"));
        let with = |members: &Value| {
            let mut payload = payload.clone();
            let answer = payload.pointer_mut(place).and_then(Value::as_object_mut).expect(place);
            answer.extend(members.as_object().expect("members").clone());
            said(&payload, &bindings)
        };
        // A map or a timeline has no list whose records are counted.
        let counted = !matches!(name, "google_free_busy" | "pagerduty_schedule" | "opsgenie_timeline");
        for marks in pages.iter().chain(counts.iter().filter(|_| counted)) {
            let came = with(marks);
            assert!(came.contains("put together)"), "{name} {marks}: {came}");
        }
        assert_eq!(with(&lasts), said(&payload, &bindings), "{name}");
    }
}

/// One of several answers that were put together.
#[test]
fn a_page_among_answers_is_refused() {
    let mut payload = sample("native_grafana_final_shifts");
    let mut answer = payload["body"].clone();
    payload["body"] = json!({"answers": [answer.clone()]});
    let bindings = bindings(|_| ());
    assert!(said(&payload, &bindings).starts_with("database-owner"), "{}", said(&payload, &bindings));
    answer["response"]["total_pages"] = json!(2);
    payload["body"] = json!({"answers": [answer]});
    let came = said(&payload, &bindings);
    assert!(came.starts_with("$.answers[0].response.total_pages: expected at most 1"), "{came}");
}

/// A full page of a system that says when there is more, and says nothing: the question tells how long a page may be.
#[test]
fn a_question_says_how_long_a_page_may_be() {
    let mut payload = sample("native_pagerduty_oncalls");
    let response = payload["body"]["response"].as_object_mut().expect("an answer");
    response.retain(|name, _| name == "oncalls");
    let listed = response["oncalls"].as_array().map_or(0, Vec::len);
    let bindings = bindings(|_| ());
    payload["body"]["request"]["limit"] = json!(listed);
    let came = said(&payload, &bindings);
    assert!(came.starts_with("$.request.limit: expected `more: false` beside it"), "{came}");
    payload["body"]["request"]["limit"] = json!((listed + 1).to_string());
    assert!(said(&payload, &bindings).starts_with("database-owner"), "{}", said(&payload, &bindings));
    payload["body"]["request"]["limit"] = json!(listed);
    payload["body"]["response"]["more"] = json!(false);
    assert!(said(&payload, &bindings).starts_with("database-owner"), "{}", said(&payload, &bindings));
}

const FILTERS: [(&str, &[&str]); 7] = [
    ("graph_get_schedule", &["filter", "search", "skip"]),
    ("graph_calendar_view", &["filter", "search", "skip", "skiptoken", "deltatoken", "expand"]),
    ("google_free_busy", &["fields"]),
    ("google_events", &["q", "eventTypes", "updatedMin", "syncToken", "pageToken"]),
    ("pagerduty_oncalls", &["schedule_ids"]),
    ("grafana_final_shifts", &["user", "team"]),
    ("incidentio_schedule_entries", &["user_id", "layer_id"]),
];

#[test]
fn a_filter_is_one_however_it_is_spelled() {
    let bindings = bindings(|_| ());
    for (name, filters) in FILTERS {
        for filter in filters {
            for spelled in [(*filter).to_owned(), format!("${filter}"), filter.to_uppercase(), format!("{filter}[]")] {
                let mut payload = sample(&format!("native_{name}"));
                payload["body"]["request"][&spelled] = json!("x");
                let came = said(&payload, &bindings);
                assert!(came.contains("expected nothing: "), "{name} {spelled}: {came}");
            }
        }
    }
}

/// What every answer would be refused for is said when the policy is read.
#[test]
fn an_address_with_a_filter_is_refused_at_start() {
    let faults = |format: &str, query: &str| {
        let url = match format {
            "graph.calendar_view" => {
                format!("https://x.example/{{person}}?startDateTime={{from}}&endDateTime={{to}}&{query}")
            }
            "google.events" => {
                format!("https://x.example/{{person}}?timeMin={{from}}&timeMax={{to}}&singleEvents=true&{query}")
            }
            "pagerduty.oncalls" => format!("https://x.example/?since={{from}}&until={{to}}&{query}"),
            _ => format!("https://x.example/?{query}"),
        };
        let mut binding =
            json!({"name": "b", "format": format, "source": "//s", "poll": {"url": url, "every_minutes": 5}});
        let more = match format {
            "github.workflow_run" => {
                json!({"repository": "a/b", "workflow": "w.yml", "branch": "main", "change_id": "C", "checkpoint": "t"})
            }
            _ => json!({"people": {"a@example.com": "a@example.com"}}),
        };
        binding.as_object_mut().expect("a binding").extend(more.as_object().expect("members").clone());
        let sources = ["availability", "evidence"]
            .map(|kind| json!({"kind": kind, "source": "//s", "governed_by": "it@example.com"}));
        let text = json!({"sources": sources, "native": [binding]}).to_string();
        policy::read_file(&text).err().map(|faults| faults[0].to_string()).unwrap_or_default()
    };
    for (format, query, parameter) in [
        ("graph.calendar_view", "$filter=showAs%20eq%20'free'", "$filter"),
        ("graph.calendar_view", "Filter=x", "Filter"),
        ("pagerduty.oncalls", "schedule_ids[]=S1", "schedule_ids[]"),
        ("pagerduty.oncalls", "earliest=true", "earliest"),
        ("github.workflow_run", "status=success", "status"),
        // A calendar with an error beside it has no busy time.
        ("google.free_busy", "fields=calendars/*/busy", "fields"),
    ] {
        let expected = format!("no parameter {parameter}, which leaves something out of the answer");
        assert!(faults(format, query).contains(&expected), "{format} {query}: {}", faults(format, query));
    }
    for fields in ["items(start,end)", "items(start,end),nextSyncToken"] {
        let came = faults("google.events", &format!("fields={fields}"));
        assert!(came.contains("nextPageToken among the fields"), "{fields}: {came}");
    }
    for (format, query) in [
        ("google.events", "fields=items(start,end),nextPageToken"),
        ("google.events", "fields=*"),
        ("google.free_busy", "prettyPrint=false"),
        ("graph.calendar_view", "$select=start,end&$top=500"),
        ("pagerduty.oncalls", "earliest=false&limit=100&user_ids[]=U1"),
        ("github.workflow_run", "branch=main&per_page=100"),
    ] {
        assert_eq!(faults(format, query), "", "{format} {query}");
    }
}

/// Every text that can be cut off, at every place: none comes to more than the whole does.
#[test]
fn text_that_ends_in_the_middle_is_never_better() {
    let bindings = bindings(|_| ());
    let mut formats = BTreeSet::new();
    for (name, payload) in common::natives() {
        let Some(format) = payload["format"].as_str().and_then(Format::of).filter(|format| !format.is_json()) else {
            continue;
        };
        formats.insert(format);
        let place = if payload["body"].is_string() { "/body" } else { "/body/response" };
        let text = payload.pointer(place).and_then(Value::as_str).expect("text").to_owned();
        let cut = |at: usize| {
            let mut cut = payload.clone();
            *cut.pointer_mut(place).expect(place) = json!(text[..at]);
            said(&cut, &bindings)
        };
        for at in (1..text.trim_end().len()).filter(|at| text.is_char_boundary(*at)) {
            let came = cut(at);
            match format {
                // Whoever is not in what is left of a roster is no delegate.
                Format::RosterCsv => assert!(
                    !came.contains("1 approved")
                        || came.contains("1 of 2 approved")
                        || came.contains("1 of 1 approved"),
                    "{name} {at}: {came}"
                ),
                _ => assert!(came.contains("expected") || came.starts_with("skipped"), "{name} {at}: {came}"),
            }
        }
    }
    assert_eq!(formats.len(), 3);
}

/// An approval whose end stands behind the cut is not one without an end.
#[test]
fn an_approval_that_was_cut_off_is_none() {
    let bindings = bindings(|native| of(native, "roster.csv")["roles"] = json!(["release_manager"]));
    let header = "service,role,person,rank,status,valid_from,valid_until\r\npayments,release_manager,rm-a@example.com,,holder,,\r\n";
    let came = |row: &str| {
        let mut payload = sample("native_roster_csv");
        payload["body"] = json!(format!("{header}{row}"));
        said(&payload, &bindings)
    };
    let row = "payments,release_manager,rm-b@example.com,1,approved,2026-11-01,2026-11-30";
    for at in 1..row.len() {
        assert!(!came(&row[..at]).contains("1 of 1 approved"), "{}: {}", &row[..at], came(&row[..at]));
    }
    for whole in
        [row.to_owned(), format!("{row}\r\n"), row.replace("2026-11-30", "\r\n"), row.replace("2026-11-30", "\"\"\n")]
    {
        assert!(came(&whole).contains("1 of 1 approved"), "{whole}: {}", came(&whole));
    }
    for (bad, said) in [
        (format!("{row},2026-12-31\r\n"), "row 3: expected as many fields as there are columns; found 8"),
        (row.replace(",2026-11-30", "\r\n"), "row 3: expected as many fields as there are columns; found 6"),
        (row.replace("2026-11-30", "\"\r\n"), "a quotation that is open: the text was cut off"),
        (row.replace("rm-b", "\"rm-b"), "a quotation that is open: the text was cut off"),
    ] {
        let came = came(&bad);
        assert!(came.contains(said) && !came.contains("1 of 1 approved"), "{bad}: {came}");
    }
}

/// Of two records of one change at one revision nobody says which is the newer.
#[test]
fn of_two_records_at_one_revision_neither_counts() {
    let bindings = bindings(|_| ());
    let mut servicenow = sample("native_servicenow_change_request");
    let approved = servicenow["body"]["result"].clone();
    let mut jira = sample("native_jira_change");
    let issue = jira["body"]["issue"].clone();
    let mut both = |first: Value, second: Value| {
        servicenow["body"] = json!({"result": [first, second]});
        said(&servicenow, &bindings)
    };
    let with = |member: &str, value: &str| {
        let mut other = approved.clone();
        other[member] = json!(value);
        other
    };
    assert_eq!(both(approved.clone(), approved.clone()).matches("Approved").count(), 1);
    for other in [with("state", "4"), with("state", "-4"), with("u_review_opens", "2026-11-03 13:00:00")] {
        for came in [both(approved.clone(), other.clone()), both(other, approved.clone())] {
            assert!(came.starts_with("$ (\"CHG0031337\"): expected one record of a subject at one revision"), "{came}");
        }
    }
    let newer = both(approved.clone(), with("sys_mod_count", "18"));
    assert_eq!(newer.matches("Approved").count(), 2, "{newer}");
    // The others of the list are good.
    let came = {
        let mut next = with("number", "CHG0031339");
        next["state"] = json!("3");
        servicenow["body"] = json!({"result": [approved.clone(), with("state", "4"), next]});
        said(&servicenow, &bindings)
    };
    assert!(came.starts_with("CHG0031339 r17 Closed; refused: $ (\"CHG0031337\")"), "{came}");
    let mut done = issue.clone();
    done["fields"]["status"] = json!({"name": "Completed"});
    jira["body"] = json!({"issues": [issue, done]});
    let came = said(&jira, &bindings);
    assert!(came.starts_with("$ (\"CHANGE-42\"): expected one record of a subject at one revision"), "{came}");
}
