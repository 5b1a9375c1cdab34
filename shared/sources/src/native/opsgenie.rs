//! Opsgenie's `/schedules/{id}/timeline`, as it is or as `{"request": ..., "response": ...}`: the answer says of which
//! schedule it is, and from when to when.

use refresh_core::Interval;

use super::{
    input::Input,
    oncall::{self, MOST_ENTRIES, NameKind, OncallEntry, OncallNames, ScheduleAnswer, span},
};
use crate::reader::{Node, Object};

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    oncall::translate(input, |object| match object.has("response") {
        true => object.must("response", |node| answer(&node.object()?)),
        false => answer(object),
    })
}

fn answer(answer: &Object<'_>) -> Option<ScheduleAnswer> {
    answer.must("data", |node| {
        let data = node.object()?;
        let parent = data.must("_parent", |node| {
            let parent = node.object()?;
            let id = parent.must("id", |node| node.text_owned());
            let enabled = parent.may("enabled", |node| node.flag());
            let off = (enabled? == Some(false)).then(|| format!("{}.enabled", node.path()));
            Some((id?, off))
        });
        let horizon: Option<Interval> = data.interval("startDate", "endDate");
        let entries = data
            .must("finalTimeline", |node| node.object()?.must("rotations", |list| list.list(MOST_ENTRIES, rotation)));
        let (schedule, off) = parent?;
        Some(ScheduleAnswer { schedule, horizon: horizon?, entries: entries?.into_iter().flatten().collect(), off })
    })
}

fn rotation(node: &Node<'_>) -> Option<Vec<OncallEntry>> {
    // A rotation in which nobody is named has no periods.
    let periods = node.object()?.may("periods", |list| list.list(MOST_ENTRIES, period))?;
    Some(periods.unwrap_or_default().into_iter().flatten().collect())
}

fn period(node: &Node<'_>) -> Option<Vec<OncallEntry>> {
    let period = node.object()?;
    let (start, end) = span(&period, "startDate", "endDate")?;
    let recipient = period.may("recipient", |node| recipient(&node.object()?));
    let flattened = period.may("flattenedRecipients", |list| list.list(1_000, recipient_of_one));
    let (recipient, flattened) = (recipient?, flattened?.unwrap_or_default());
    let users = match recipient {
        Some(Recipient::Nobody) => return Some(Vec::new()),
        Some(Recipient::User(who)) => vec![who],
        // A team or an escalation: whoever is in it, where the answer says.
        _ => users(flattened).unwrap_or_else(|| vec![OncallNames::default()]),
    };
    Some(users.into_iter().map(|who| OncallEntry { who, path: node.path(), start, end }).collect())
}

/// `None`: not all are users, or there is none.
fn users(recipients: Vec<Recipient>) -> Option<Vec<OncallNames>> {
    let users: Option<Vec<OncallNames>> = recipients
        .into_iter()
        .map(|one| match one {
            Recipient::User(who) => Some(who),
            _ => None,
        })
        .collect();
    users.filter(|users| !users.is_empty())
}

enum Recipient {
    User(OncallNames),
    Nobody,
    /// A team, an escalation, or a word that is added one day.
    Other,
}

fn recipient_of_one(node: &Node<'_>) -> Option<Recipient> {
    recipient(&node.object()?)
}

fn recipient(recipient: &Object<'_>) -> Option<Recipient> {
    let kind = recipient.must("type", |node| node.text_owned());
    let id = recipient.may("id", |node| node.text_owned());
    let name = recipient.may("name", |node| node.text_owned());
    let who = OncallNames::of([(NameKind::Id, id?), (NameKind::Any, name?)]);
    Some(match kind?.as_str() {
        "user" if !who.is_nobody() => Recipient::User(who),
        // Nobody has no name: with one, the answer contradicts itself.
        "none" if who.is_nobody() => Recipient::Nobody,
        _ => Recipient::Other,
    })
}
