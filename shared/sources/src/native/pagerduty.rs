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
    oncall::{self, MOST_ENTRIES, OncallEntry, bounds},
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
        let response = response.object()?;
        let entries = response.must("oncalls", |list| list.list(MOST_ENTRIES, |item| entry(oncall, item)));
        one_page(&response, entries.as_ref()?.len())?;
        entries
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
        let bracketed = format!("{name}[]");
        let ids = |node: &Node<'_>| node.set(MOST_ENTRIES, |item| item.text_owned());
        let (plain, bracketed) = (request.may(name, ids)?, request.may(&bracketed, ids)?);
        // An empty list asks for everything, as none does.
        Some(plain.or(bracketed).filter(|ids| !ids.is_empty()))
    };
    let users = list("user_ids").map(|ids| ids.map(|ids| ids.iter().map(|id| folded(id)).collect()));
    let policies = list("escalation_policy_ids");
    let unfiltered = |node: &Node<'_>| match node.value().as_array() {
        Some(ids) if ids.is_empty() => Some(()),
        _ => node.wrong("nothing: an answer of some schedules does not say who else is on call"),
    };
    let filtered = request.may("schedule_ids", unfiltered).and(request.may("schedule_ids[]", unfiltered));
    let earliest = request.may("earliest", |node| match node.flag()? {
        false => Some(()),
        true => node.wrong("false: the earliest entry of each does not say when they are free"),
    });
    let first = request.may("offset", |node| match node.whole(0..=i64::MAX)? {
        0 => Some(()),
        _ => node.wrong("0 (every page of the answer, put together)"),
    });
    if let Some(Some(policies)) = &policies
        && !oncall.escalation_policies.as_ref().is_some_and(|counting| counting.is_subset(policies))
    {
        let expected = "nothing, or every policy of the binding's `escalation_policies`";
        let member =
            if request.has("escalation_policy_ids") { "escalation_policy_ids" } else { "escalation_policy_ids[]" };
        request.must(member, |node| node.wrong::<()>(expected));
        return None;
    }
    policies?;
    filtered.and(earliest).and(first)?;
    Some(AskedOncalls { horizon: horizon?, users: users? })
}

/// PagerDuty's paging: more to come, an offset, or a total above what is here say that this is not the whole.
fn one_page(response: &Object<'_>, entries: usize) -> Option<()> {
    let more = response.may("more", |node| match node.flag()? {
        true => node.wrong("false (every page of the answer, put together)"),
        false => Some(()),
    });
    let offset = response.may("offset", |node| match node.whole(0..=i64::MAX)? {
        0 => Some(()),
        _ => node.wrong("0 (every page of the answer, put together)"),
    });
    let total = response.may("total", |node| match usize::try_from(node.whole(0..=i64::MAX)?) {
        Ok(total) if total <= entries => Some(()),
        _ => node.wrong(format!("at most the {entries} entries that are here")),
    });
    // A page that is full and does not say that it is the last may have another behind it.
    let limit = response.may("limit", |node| match usize::try_from(node.whole(1..=i64::MAX)?) {
        Ok(limit) if entries < limit || response.has("more") => Some(()),
        _ => node.wrong(format!("`more: false` beside it, since the answer is full with {entries} entries")),
    });
    more.and(offset).and(total).and(limit).map(|_| ())
}

/// `Some(None)`: good, but of a level or a policy that engages nobody.
fn entry(oncall: &Oncall, node: &Node<'_>) -> Option<Option<OncallEntry>> {
    let object = node.object()?;
    let user = object.must("user", |node| node.object()?.must("id", |node| node.text_owned()));
    let level = object.must("escalation_level", |node| node.whole(1..=100));
    let policy = object.may("escalation_policy", |node| node.object()?.must("id", |node| node.text_owned()));
    let (start, end) = bounds(&object, "start", "end")?;
    let (user, level, policy) = (user?, level?, policy?);
    let policies = oncall.escalation_policies.as_ref();
    // Of which policy an entry is may not be told: then it may be one that counts.
    let counts = oncall.levels.contains(&level)
        && policies.is_none_or(|counting| policy.is_none_or(|policy| counting.contains(&policy)));
    Some(counts.then_some(OncallEntry { names: vec![user], start, end }))
}
