//! Opsgenie's `/schedules/{id}/timeline`, as it is or as `{"request": ..., "response": ...}`: the answer says of which
//! schedule it is, and from when to when.

use refresh_core::Interval;

use super::{
    input::Input,
    oncall::{self, MOST_ENTRIES, OncallEntry, ScheduleAnswer, span},
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
            Some((id?, enabled? != Some(false)))
        });
        let horizon: Option<Interval> = data.interval("startDate", "endDate");
        let entries = data
            .must("finalTimeline", |node| node.object()?.must("rotations", |list| list.list(MOST_ENTRIES, rotation)));
        let (schedule, known) = parent?;
        Some(ScheduleAnswer { schedule, horizon: horizon?, entries: entries?.into_iter().flatten().collect(), known })
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
    let names = match recipient {
        Some(Recipient::Nobody) => return Some(Vec::new()),
        Some(Recipient::User(names)) => vec![names],
        // A team or an escalation: whoever is in it, where the answer says.
        _ if flattened.is_empty() || flattened.iter().any(|one| !matches!(one, Recipient::User(_))) => {
            vec![Vec::new()]
        }
        _ => flattened
            .into_iter()
            .filter_map(|one| match one {
                Recipient::User(names) => Some(names),
                _ => None,
            })
            .collect(),
    };
    Some(names.into_iter().map(|names| OncallEntry { names, start, end }).collect())
}

enum Recipient {
    User(Vec<String>),
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
    let names: Vec<String> = id?.into_iter().chain(name?).collect();
    Some(match kind?.as_str() {
        "user" if !names.is_empty() => Recipient::User(names),
        "none" => Recipient::Nobody,
        _ => Recipient::Other,
    })
}
