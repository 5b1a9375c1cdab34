//! PagerDuty's `/oncalls`: `{"request": {"since", "until"}, "response": {"oncalls": [...]}}`, since an answer does not
//! say what was asked.
//!
//! A request that names users is an answer about them alone. One that leaves out schedules or policies, or asks for the
//! earliest entry, is an answer about nobody.

use std::collections::BTreeSet;

use refresh_core::Interval;

use super::{
    binding::{Oncall, folded},
    input::Input,
    oncall::{self, MOST_ENTRIES, NameKind, OncallEntry, OncallNames, bounds},
};
use crate::reader::{Node, Object};

struct AskedOncalls {
    horizon: Interval,
    users: Option<BTreeSet<String>>,
}

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    let oncall = oncall::binding(input);
    let payload = input.payload;
    let object = payload.object()?;
    let asked = object.must("request", |node| asked(oncall?, &node.object()?));
    let oncall = oncall?;
    let entries = object.must("response", |response| {
        response.object()?.must("oncalls", |list| list.list(MOST_ENTRIES, |item| entry(oncall, item)))
    });
    let revision = input.polled_revision(&oncall.poll.revision_header);
    let (asked, entries, revision) = (asked?, entries?, revision?);
    let named = |id: &str| asked.users.as_ref().is_none_or(|users| users.contains(id));
    // Somebody whom the binding knows by two ids is answered for only where both were asked for.
    let known = &oncall.poll.people;
    let (whole, half): (BTreeSet<_>, BTreeSet<_>) =
        known.everybody().into_iter().cloned().partition(|person| known.names_of(person).all(named));
    if !half.is_empty() {
        input.skip(format!("{} bound people: the request does not ask for them", half.len()));
    }
    oncall::tell(input, oncall, &whole, asked.horizon, entries.into_iter().flatten().collect(), true, revision);
    Some(())
}

fn asked(oncall: &Oncall, request: &Object<'_>) -> Option<AskedOncalls> {
    let horizon = request.interval("since", "until");
    let list = |name: &str| {
        let mut listed: Option<BTreeSet<String>> = None;
        for spelled in request.spellings(name) {
            let ids =
                request.may(spelled, |node| node.set(MOST_ENTRIES, |item| item.text_owned()))?.unwrap_or_default();
            // An empty list asks for everything, as none does.
            if !ids.is_empty() {
                listed.get_or_insert_default().extend(ids);
            }
        }
        Some(listed)
    };
    let users = list("user_ids").map(|ids| ids.map(|ids| ids.iter().map(|id| folded(id)).collect()));
    let policies = list("escalation_policy_ids");
    let each = |name: &str, read: &dyn Fn(&Node<'_>) -> Option<()>| {
        // Each spelling is read, whatever the one before came to.
        let read: Vec<_> = request.spellings(name).map(|spelled| request.may(spelled, read)).collect();
        read.into_iter().collect::<Option<Vec<_>>>().map(|_| ())
    };
    let filtered = each("schedule_ids", &|node| match node.value().as_array() {
        Some(ids) if ids.is_empty() => Some(()),
        _ => node.wrong("nothing: an answer of some schedules does not say who else is on call"),
    });
    let earliest = each("earliest", &|node| match node.flag()? {
        false => Some(()),
        true => node.wrong("false: the earliest entry of each does not say when they are free"),
    });
    let first = each("offset", &|node| match node.whole(0..=i64::MAX)? {
        0 => Some(()),
        _ => node.wrong("0 (every page of the answer, put together)"),
    });
    if let Some(Some(policies)) = &policies
        && !oncall.escalation_policies.as_ref().is_some_and(|counting| counting.is_subset(policies))
    {
        let expected = "nothing, or every policy of the binding's `escalation_policies`";
        return each("escalation_policy_ids", &|node| node.wrong(expected)).and(None);
    }
    policies?;
    filtered.and(earliest).and(first)?;
    Some(AskedOncalls { horizon: horizon?, users: users? })
}

/// `Some(None)`: good, but of a level or a policy that engages nobody.
fn entry(oncall: &Oncall, node: &Node<'_>) -> Option<Option<OncallEntry>> {
    let object = node.object()?;
    let user = object.must("user", |node| node.object()?.must("id", |node| node.text_owned()));
    let level = object.must("escalation_level", |node| node.whole(1..=100));
    let policy = object.may("escalation_policy", |node| node.object()?.must("id", |node| node.text_owned()));
    let (start, end) = bounds(&object, "start", "end")?;
    let (user, level, policy) = (user?, level?, policy?.filter(|policy| !policy.trim().is_empty()));
    let policies = oncall.escalation_policies.as_ref();
    // Of which policy an entry is may not be told: then it may be one that counts.
    let counts = oncall.levels.contains(&level)
        && policies.is_none_or(|counting| policy.is_none_or(|policy| counting.contains(&policy)));
    let who = OncallNames::of([(NameKind::Id, Some(user))]);
    Some(counts.then(|| OncallEntry { who, path: node.path(), start, end }))
}
