//! Change issues of Jira Service Management: a webhook's issue, one issue, or a search's `issues`.
//!
//! A status is whatever the site calls it, so the binding says what each means, by id or by name. Issues stand each for
//! itself: a bad one holds up no other.

use chrono::DateTime;
use refresh_core::{Instant, Person, base::name::shorten, facts::fact::ChangeState};
use serde_json::{Value, json};

use super::{
    binding::{Jira, Says},
    input::Input,
    servicenow::change::word,
};
use crate::reader::{Node, Object};

const MOST_ISSUES: usize = 1_000;

/// `None` inside: an issue of another project or type.
type JiraChange = Option<Value>;

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    let binding = input.binding(|binding| match &binding.says {
        Says::Jira(jira) => Some(jira),
        _ => None,
    })?;
    let payload = input.payload;
    let object = payload.object()?;
    if object.has("webhookEvent") {
        let event = object.must("webhookEvent", |node| node.text_owned())?;
        return webhook(input, binding, &object, &event);
    }
    let Some(issues) = object.peek("issues").and_then(Value::as_array) else {
        let read = issue(binding, &payload)?;
        tell(input, binding, read);
        return Some(());
    };
    let read = object.must("issues", |list| list.each_alone(MOST_ISSUES, |node| issue(binding, node)))?;
    for (record, read) in issues.iter().zip(read) {
        match read {
            Ok(read) => tell(input, binding, read),
            Err(faults) => {
                let key = record.get("key").and_then(Value::as_str);
                input.refuse(key, Some(json!({ "issues": [record] })), faults);
            }
        }
    }
    Some(())
}

fn webhook(input: &mut Input<'_>, binding: &Jira, payload: &Object<'_>, event: &str) -> Option<()> {
    match event {
        "jira:issue_created" | "jira:issue_updated" => {
            let read = payload.must("issue", |node| issue(binding, node))?;
            if read.is_none()
                && let Some(left) = left_project(binding, payload)?
            {
                tell(input, binding, Some(left));
                return Some(());
            }
            tell(input, binding, read);
        }
        // The record is gone, and nobody has cancelled anything: nothing of it is in force any more.
        "jira:issue_deleted" => {
            let at = payload.must("timestamp", |node| node.revision());
            let read = payload.must("issue", |node| deleted(binding, node));
            let (revision, key) = (at?, read?);
            let data = key.map(|key| json!({ "change_id": key, "revision": revision, "state": "on_hold" }));
            tell(input, binding, data);
        }
        _ => input.skip("a webhook of Jira that tells no issue"),
    }
    Some(())
}

/// An issue that was moved to another project has another key from then on. Of the record by its former key nobody hears any
/// more, so nothing of that record is in force.
fn left_project(binding: &Jira, payload: &Object<'_>) -> Option<JiraChange> {
    let text = |item: &Value, name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
    let items = payload.peek("changelog").and_then(|log| log.get("items")).and_then(Value::as_array);
    let moved = items.into_iter().flatten().find(|item| {
        text(item, "field").is_some_and(|field| field.eq_ignore_ascii_case("key"))
            && text(item, "fromString").is_some_and(|key| is_of(binding, &key))
    });
    let Some(key) = moved.and_then(|item| text(item, "fromString")) else { return Some(None) };
    let revision = payload.must("timestamp", |node| node.revision())?;
    Some(Some(json!({ "change_id": key, "revision": revision, "state": "on_hold" })))
}

/// An issue has the key of its project.
fn is_of(binding: &Jira, key: &str) -> bool {
    key.rsplit_once('-').is_some_and(|(project, _)| project == binding.project)
}

fn tell(input: &mut Input<'_>, binding: &Jira, read: JiraChange) {
    match read {
        Some(data) => input.emit(&binding.source, None, "dev.holdpoint.change.updated.v1", data),
        None => input.unbound("an issue of a project or a type that the binding does not name"),
    }
}

fn deleted(binding: &Jira, node: &Node<'_>) -> Option<Option<String>> {
    let issue = node.object()?;
    let key = issue.must("key", |node| node.text_owned());
    let ours = issue.must("fields", |node| is_ours(binding, &node.object()?));
    let (key, ours) = (key?, ours?);
    Some(ours.then_some(key))
}

fn is_ours(binding: &Jira, fields: &Object<'_>) -> Option<bool> {
    let project = fields.must("project", |node| node.object()?.must("key", |node| node.text_owned()));
    let kind = fields.must("issuetype", id_and_name);
    let (project, (id, name)) = (project?, kind?);
    let wanted = binding.issue_type.as_ref();
    Some(project == binding.project && wanted.is_none_or(|wanted| [id.as_ref(), name.as_ref()].contains(&Some(wanted))))
}

fn id_and_name(node: &Node<'_>) -> Option<(Option<String>, Option<String>)> {
    let object = node.object()?;
    Some((object.may("id", |node| node.text_owned())?, object.may("name", |node| node.text_owned())?))
}

fn issue(binding: &Jira, node: &Node<'_>) -> Option<JiraChange> {
    let issue = node.object()?;
    let key = issue.must("key", |node| {
        let key = node.text()?;
        Some((key.to_owned(), is_of(binding, key)))
    });
    issue.must("fields", |node| {
        let fields = node.object()?;
        if !is_ours(binding, &fields)? {
            return Some(None);
        }
        let updated = fields.must("updated", date_time);
        let state = state(binding, &fields);
        let ((key, of_project), updated, state) = (key?, updated?, state?);
        if !of_project {
            return Some(None);
        }
        let revision = u64::try_from(updated.millis()).unwrap_or(0);
        let mut data = json!({ "change_id": key, "revision": revision, "state": word(state) });
        if matches!(state, ChangeState::Approved | ChangeState::Implementing) {
            in_force(binding, &fields, &mut data)?;
        }
        Some(Some(data))
    })
}

fn state(binding: &Jira, fields: &Object<'_>) -> Option<ChangeState> {
    let state = fields.must("status", |node| {
        let (id, name) = id_and_name(node)?;
        let known = id.iter().chain(&name).find_map(|word| binding.states.get(word)).copied();
        known.or_else(|| {
            let found = name.or(id).unwrap_or_default();
            node.wrong_as("a status that the binding's `states` names, by id or name", shorten(&found))
        })
    });
    let state = state?;
    let Some(approvals) = &binding.approvals else { return Some(state) };
    if !matches!(state, ChangeState::Approved | ChangeState::Implementing) {
        return Some(state);
    }
    // A field that was not asked for has approved nothing, and is a fault.
    let decided = fields.must(approvals, |list| list.list(1_000, approval))?;
    Some(if is_approved(&decided) { state } else { ChangeState::Draft })
}

/// When an approval was asked for, where the site says, and whether it was given.
type SeenApproval = (Option<i64>, bool);

fn approval(node: &Node<'_>) -> Option<SeenApproval> {
    let approval = node.object()?;
    let decision = approval.may("finalDecision", |node| node.text_owned());
    let created = approval.peek("createdDate").and_then(|date| date.get("epochMillis")).and_then(Value::as_i64);
    Some((created, decision?.as_deref() == Some("approved")))
}

/// The newest approval decides. Nobody says in which order the site lists them: where their instants do not tell, all must
/// have been given.
fn is_approved(approvals: &[SeenApproval]) -> bool {
    let newest = approvals.iter().map(|(created, _)| *created).max().flatten();
    let dated = approvals.iter().all(|(created, _)| created.is_some());
    let mut deciding = approvals.iter().filter(|(created, _)| !dated || *created == newest).peekable();
    deciding.peek().is_some() && deciding.all(|(_, given)| *given)
}

fn in_force(binding: &Jira, fields: &Object<'_>, data: &mut Value) -> Option<()> {
    let instant = |name: &str| fields.must(name, date_time);
    let opens = instant(&binding.columns.review_opens);
    let closes = instant(&binding.columns.review_closes);
    let starts = instant(&binding.columns.cutover_starts);
    let ends = instant(&binding.columns.cutover_ends);
    let owner = fields.must_or_null(&binding.columns.owner, |node| owner(binding, node));
    let columns = &binding.columns;
    let window = fields.ordered(&columns.review_opens, opens?, &columns.review_closes, closes?);
    let cutover = fields.ordered(&columns.cutover_starts, starts?, &columns.cutover_ends, ends?);
    let (window, cutover) = (window?, cutover?);
    data["review_window"] = json!({ "opens": window.start, "closes": window.end });
    data["cutover"] = json!({ "starts": cutover.start, "ends": cutover.end });
    data["owner"] = json!(owner?.map(|person| person.as_str().to_owned()));
    // Jira knows no owner's confirmation.
    data["owner_confirmation"] = json!("unconfirmed");
    Some(())
}

/// By the account's id as bound, or by an address that the site shows.
fn owner(binding: &Jira, node: &Node<'_>) -> Option<Person> {
    let user = node.object()?;
    let id = user.may("accountId", |node| node.text_owned());
    let name = user.may("name", |node| node.text_owned());
    let email = user.may("emailAddress", |node| node.text_owned());
    let names: Vec<String> = id?.into_iter().chain(name?).chain(email?).collect();
    let person = binding.people.person_of_any(&names);
    person.or_else(|| node.wrong_as("an account that the binding's `people` names, or an address", "another account"))
}

/// `2026-11-03T21:00:00.000+0000`. A date without a time is of no zone.
fn date_time(node: &Node<'_>) -> Option<Instant> {
    let text = node.text()?;
    let offset = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z").ok();
    let read = offset.map(|at| Instant::from_millis(at.timestamp_millis())).or_else(|| Instant::parse(text).ok());
    read.or_else(|| node.wrong("a date-time with an offset, like 2026-11-03T21:00:00.000+0000"))
}
