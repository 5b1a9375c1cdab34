//! ServiceNow's delegates: `{"members": {"result": [sys_user_grmember]}, "delegates": {"result": [sys_user_delegate]}}`.
//!
//! The group's members are who may fill the role at all; the table of delegates says who stands in for whom, and when.
//! Both tables are asked for as a whole: who is not in them any more is no delegate.

use std::collections::{BTreeMap, BTreeSet};

use refresh_core::{Instant, Person, base::name::shorten};
use serde_json::{Value, json};

use super::{MOST_RECORDS, column, date_time, flag, whole_table};
use crate::{
    native::{
        binding::{GroupRole, Says, ServicenowDelegates},
        input::Input,
    },
    reader::{Node, Object, ReadAlone},
};

/// Ten pages of the table, put together.
const MOST_ROWS: usize = 10 * MOST_RECORDS;

struct DelegateRow {
    user: String,
    delegate: String,
    starts: Instant,
    ends: Option<Instant>,
    counts: bool,
}

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    let binding = input.binding(|binding| match &binding.says {
        Says::Delegates(delegates) => Some(delegates),
        _ => None,
    });
    let payload = input.payload.object()?;
    let members = payload.must("members", |node| rows(&node.object()?, member));
    let delegates = payload.must("delegates", |node| rows(&node.object()?, |row| delegate(binding?, row)));
    let binding = binding?;
    let revision = input.polled_revision(&binding.revision_header);
    let (members, delegates, revision) = (members?, delegates?, revision?);
    whole_table(input, &members)?;
    whole_table(input, &delegates)?;
    let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let numbers = |table: &str| {
        let rows = payload.peek(table).and_then(|table| table.get("result")).and_then(Value::as_array);
        let number = |row: &Value| row.get("sys_id").and_then(Value::as_str).map(str::to_owned);
        rows.into_iter().flatten().map(number).collect::<Vec<_>>()
    };
    for (group, user) in good(input, numbers("members"), members) {
        groups.entry(group).or_default().insert(user);
    }
    let mut rows = good(input, numbers("delegates"), delegates);
    rows.sort_by(|a, b| (a.starts, &a.delegate).cmp(&(b.starts, &b.delegate)));
    for role in &binding.roles {
        let members = groups.get(&role.group).cloned().unwrap_or_default();
        tell(input, binding, role, &members, &rows, revision);
    }
    Some(())
}

fn rows<T>(table: &Object<'_>, read: impl Fn(&Node<'_>) -> Option<T>) -> Option<Vec<ReadAlone<T>>> {
    table.must("result", |node| node.each_alone(MOST_ROWS, read))
}

/// The good rows; the bad ones are said by their own number. A row alone would be a table that lacks all others: the
/// whole payload stands for it.
fn good<T>(input: &mut Input<'_>, numbers: Vec<Option<String>>, rows: Vec<ReadAlone<T>>) -> Vec<T> {
    let mut good = Vec::new();
    for (number, read) in numbers.into_iter().zip(rows) {
        match read {
            Ok(row) => good.push(row),
            Err(faults) => input.refuse(number.as_deref(), None, faults),
        }
    }
    good
}

fn member(node: &Node<'_>) -> Option<(String, String)> {
    let row = node.object()?;
    let (group, user) = (row.must("group", column), row.must("user", column));
    Some((group?, user?))
}

fn delegate(binding: &ServicenowDelegates, node: &Node<'_>) -> Option<DelegateRow> {
    let row = node.object()?;
    let user = row.must("user", column);
    let delegate = row.must("delegate", column);
    let starts = row.must("starts", date_time);
    // Empty is without end; a column that was not asked for is not.
    let ends = row.must("ends", |node| match column(node)?.as_str() {
        "" => Some(None),
        _ => date_time(node).map(Some),
    });
    let counts = row.must(binding.purpose, flag);
    if let (Some(starts), Some(Some(ends))) = (starts, ends) {
        row.ordered("starts", starts, "ends", ends)?;
    }
    Some(DelegateRow { user: user?, delegate: delegate?, starts: starts?, ends: ends?, counts: counts? })
}

fn tell(
    input: &mut Input<'_>,
    binding: &ServicenowDelegates,
    role: &GroupRole,
    members: &BTreeSet<String>,
    rows: &[DelegateRow],
    revision: u64,
) {
    let only = members.iter().next().filter(|_| members.len() == 1);
    let Some(holder) = role.holder.as_ref().or(only) else {
        let found = format!("{} members and no `holder`", members.len());
        let expected = "a group of one member, or the `holder` in the binding";
        let fault = crate::fault::Fault::new(format!("$.members ({})", shorten(&role.group)), expected, found);
        return input.refuse(None, None, vec![fault]);
    };
    let person = |id: &str| binding.people.person_of(id);
    let mut told: Vec<Value> = Vec::new();
    let mut seen: BTreeSet<Person> = BTreeSet::new();
    for row in rows.iter().filter(|row| row.counts && row.user == *holder && members.contains(&row.delegate)) {
        let Some(delegate) = person(&row.delegate) else {
            input.unbound(format!("delegate {} is bound to no person", shorten(&row.delegate)));
            continue;
        };
        if !seen.insert(delegate.clone()) {
            input.skip(format!(
                "a second delegation to {} within one role: the earlier one counts",
                shorten(&row.delegate)
            ));
            continue;
        }
        let mut one = json!({
            "person": delegate.as_str(), "status": "approved", "valid_from": row.starts.to_string(),
        });
        if let Some(ends) = row.ends {
            one["valid_until"] = json!(ends.to_string());
        }
        told.push(one);
    }
    // Who left the group holds nothing there any more, whoever the binding names.
    let holder = Some(holder).filter(|holder| members.contains(*holder)).and_then(|holder| person(holder));
    let data = json!({
        "service": role.service.as_str(),
        "role": role.role.as_str(),
        "revision": revision,
        "holder": holder.map(|person| person.as_str().to_owned()),
        "delegates": told,
    });
    input.emit(&binding.source, None, "dev.holdpoint.delegation.updated.v1", data);
}
