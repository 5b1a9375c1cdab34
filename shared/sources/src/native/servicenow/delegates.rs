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
    let rows = good(input, numbers("delegates"), delegates);
    let answer = DelegatesAnswer { rows, revision, answered: input.answered_at("date") };
    for role in &binding.roles {
        let members = groups.get(&role.group).cloned().unwrap_or_default();
        tell(input, binding, role, &members, &answer);
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

/// The good rows of an answer, and when it was given.
struct DelegatesAnswer {
    rows: Vec<DelegateRow>,
    revision: u64,
    answered: Option<Instant>,
}

fn tell(
    input: &mut Input<'_>,
    binding: &ServicenowDelegates,
    role: &GroupRole,
    members: &BTreeSet<String>,
    answer: &DelegatesAnswer,
) {
    let only = members.iter().next().filter(|_| members.len() == 1);
    let Some(holder) = role.holder.as_ref().or(only) else {
        let found = format!("{} members and no `holder`", members.len());
        let expected = "a group of one member, or the `holder` in the binding";
        let fault = crate::fault::Fault::new(format!("$.members ({})", shorten(&role.group)), expected, found);
        return input.refuse(None, None, vec![fault]);
    };
    let person = |id: &str| binding.people.person_of(id);
    let mut delegations: BTreeMap<Person, Vec<Delegation>> = BTreeMap::new();
    let counts = |row: &&DelegateRow| row.counts && row.user == *holder && members.contains(&row.delegate);
    for row in answer.rows.iter().filter(counts) {
        match person(&row.delegate) {
            Some(delegate) => {
                delegations.entry(delegate).or_default().push(Delegation { starts: row.starts, ends: row.ends });
            }
            None => input.unbound(format!("delegate {} is bound to no person", shorten(&row.delegate))),
        }
    }
    let mut told: Vec<(Delegation, Person)> = Vec::new();
    for (delegate, delegations) in delegations {
        let (counts, others) = counting(joined(delegations), answer.answered);
        for other in others {
            input.skip(format!(
                "a delegation to {} from {} on, which another one comes before: of each delegate one counts",
                shorten(delegate.as_str()),
                other.starts
            ));
        }
        told.push((counts, delegate));
    }
    told.sort_by(|a, b| (a.0.starts, &a.1).cmp(&(b.0.starts, &b.1)));
    let delegates: Vec<Value> = told.iter().map(|(delegation, delegate)| delegation.of(delegate)).collect();
    // Who left the group holds nothing there any more, whoever the binding names.
    let holder = Some(holder).filter(|holder| members.contains(*holder)).and_then(|holder| person(holder));
    let data = json!({
        "service": role.service.as_str(),
        "role": role.role.as_str(),
        "revision": answer.revision,
        "holder": holder.map(|person| person.as_str().to_owned()),
        "delegates": delegates,
    });
    input.emit(&binding.source, None, "dev.holdpoint.delegation.updated.v1", data);
}

/// When somebody stands in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Delegation {
    starts: Instant,
    /// `None`: without end.
    ends: Option<Instant>,
}

impl Delegation {
    fn of(self, delegate: &Person) -> Value {
        let mut told =
            json!({ "person": delegate.as_str(), "status": "approved", "valid_from": self.starts.to_string() });
        if let Some(ends) = self.ends {
            told["valid_until"] = json!(ends.to_string());
        }
        told
    }
}

/// Delegations of one person that overlap or touch are one.
fn joined(mut delegations: Vec<Delegation>) -> Vec<Delegation> {
    delegations.sort_unstable();
    let mut joined: Vec<Delegation> = Vec::with_capacity(delegations.len());
    for next in delegations {
        match joined.last_mut() {
            Some(last) if last.ends.is_none_or(|ends| next.starts <= ends) => {
                last.ends = last.ends.zip(next.ends).map(|(one, other)| one.max(other));
            }
            _ => joined.push(next),
        }
    }
    joined
}

/// The delegation that counts, and those that come after it: the first that has not ended. What ended is history. The
/// contract has one validity of each delegate; where nobody says what time it is, the last one counts.
fn counting(mut delegations: Vec<Delegation>, now: Option<Instant>) -> (Delegation, Vec<Delegation>) {
    let ended = |delegation: &Delegation| now.is_none_or(|now| delegation.ends.is_some_and(|ends| ends <= now));
    let first = delegations.iter().take_while(|delegation| ended(delegation)).count();
    let mut later = delegations.split_off(first.min(delegations.len() - 1));
    let counts = later.remove(0);
    (counts, later)
}
