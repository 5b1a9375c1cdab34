//! The lineage as people read it: each entry with its cause, what was decided, who was told, and its hash.

use refresh_core::{
    facts::authority::Disposition,
    record::{
        decision::{Decision, Earlier, Outcome},
        delivery::Undeliverable,
        lineage::{Entry, Happening},
    },
};

use crate::{
    moment,
    text::{Line, Note, one_line},
    wording::{self, Names},
};

/// One entry.
pub(super) struct HistoryItem {
    pub sequence: u64,
    pub at: String,
    pub lines: Vec<Happened>,
    /// What it goes on, unless the newest event in it says so already.
    pub trace: Option<String>,
    pub hash: String,
    pub previous: String,
}

/// One happening of it: a word to skim by, and a sentence.
pub(super) struct Happened {
    pub kind: &'static str,
    pub text: String,
    pub details: Vec<(String, String, String)>,
    /// Of an event, its own: of several that were decided together one goes on.
    pub trace: Option<String>,
}

pub(super) fn item(entry: &Entry, names: &Names<'_>) -> HistoryItem {
    let lines: Vec<Happened> = entry.happenings.iter().map(|happening| happened(happening, names)).collect();
    let said = lines.iter().rev().find_map(|line| line.trace.clone());
    HistoryItem {
        sequence: entry.sequence,
        at: moment::instant(entry.at, names.zone),
        trace: entry.trace.map(|trace| trace.to_string()).filter(|trace| said.as_ref() != Some(trace)),
        lines,
        hash: entry.hash().to_string(),
        previous: entry.previous.to_string(),
    }
}

fn happened(happening: &Happening, names: &Names<'_>) -> Happened {
    let plain = |kind, text| Happened { kind, text, details: Vec::new(), trace: None };
    match happening {
        Happening::Trigger(trigger) => {
            let what = wording::sentence(&wording::subject(&trigger.subject, names));
            let from = one_line(trigger.identity.source.as_str(), 120);
            let id = one_line(trigger.identity.id.as_str(), 80);
            let became = match trigger.disposition {
                Disposition::Applied if trigger.not_taken.is_empty() => "applied".to_owned(),
                Disposition::Applied => {
                    let members: Vec<&str> = trigger.not_taken.iter().map(|member| member.word()).collect();
                    format!("applied, but its {} count for nothing: the review is issued once", members.join(", "))
                }
                Disposition::Ignored(why) => format!("ignored: {}", why.word().replace('_', " ")),
            };
            let text = format!("{what}, revision {} from {from} (event {id}): {became}.", trigger.revision);
            Happened { trace: Some(trigger.trace().to_string()), ..plain("Trigger", text) }
        }
        Happening::Decision(decision) => plain("Decision", decided(decision, names)),
        Happening::Notice { to, kind, version, changes, calendar, .. } => Happened {
            kind: "Notice",
            text: format!(
                "{} was told ({}, version {version}{}).",
                names.full(to),
                kind.word().replace('_', " "),
                match calendar.len() {
                    0 => String::new(),
                    1 => ", with a calendar part".to_owned(),
                    parts => format!(", with {parts} calendar parts"),
                }
            ),
            details: wording::changes(changes, names).into_iter().map(|row| (row.what, row.was, row.now)).collect(),
            trace: None,
        },
        Happening::Skipped { people } => {
            let people: Vec<String> = people.iter().map(|who| names.full(who)).collect();
            plain("Skipped", format!("Nothing is owed any more to {}.", wording::list(&people)))
        }
        Happening::Answer(answer) => {
            let note = answer.note.as_deref().map(|note| format!(" “{}”", Note::of(note))).unwrap_or_default();
            let result = answer.result.word().replace('_', " ");
            let what = match answer.reply {
                Some(reply) => format!(" {}", wording::reply(reply)),
                None => format!(", {}", wording::action(answer.action)),
            };
            let whom = answer.to.as_ref().map(|to| format!(" to {}", names.full(to))).unwrap_or_default();
            let how = if answer.by_mail.is_some() { " by mail, sender proven" } else { "" };
            plain("Answer", format!("{}{what}{whom}{how}: {result}.{note}", names.full(&answer.by)))
        }
        Happening::Comment(comment) => plain("Comment", wording::comment(comment, names)),
        Happening::Undeliverable { to, why, reason } => {
            let what = match why {
                Undeliverable::Unmailable => "could not be made",
                Undeliverable::Rejected => "was refused by the mailer",
                Undeliverable::Bounced => "bounced",
                Undeliverable::Complained => "was reported as unwanted",
            };
            let reason = reason.as_deref().map(|reason| format!(" “{}”", Note::of(reason))).unwrap_or_default();
            plain("Undeliverable", format!("Mail to {} {what}.{reason}", names.full(to)))
        }
    }
}

fn decided(decision: &Decision, names: &Names<'_>) -> String {
    let mut text = match decision.outcome {
        Outcome::Issued => format!("Issued as version {}.", decision.authoritative),
        Outcome::Unchanged => format!("Unchanged: version {} stays authoritative.", decision.authoritative),
        Outcome::Refreshed => format!("Refreshed: version {} is authoritative.", decision.authoritative),
        Outcome::Held => "Held for the owner.".to_owned(),
        Outcome::Escalated => "Escalated.".to_owned(),
        Outcome::Adopted => format!("Adopted: version {} is authoritative.", decision.authoritative),
        Outcome::Declined => "Declined.".to_owned(),
        Outcome::Closed => "Closed.".to_owned(),
    };
    match decision.proposal {
        Some(Earlier::Superseded) => text += " The earlier proposal is superseded.",
        Some(Earlier::Withdrawn) => text += " The earlier proposal is withdrawn.",
        Some(Earlier::Expired) => text += " The earlier proposal expired.",
        None => {}
    }
    if let Some(pending) = &decision.pending {
        let who = pending
            .adopter
            .as_ref()
            .map_or("nobody may decide it".to_owned(), |who| format!("{} decides", names.full(who)));
        let until = moment::instant(pending.expires_at, names.zone);
        text += &format!(" Version {} is pending until {until}; {who}.", pending.version);
    }
    if !decision.violated.is_empty() {
        text += &format!(" Against the authoritative meeting: {}.", wording::marks(&decision.violated, names));
    }
    for exception in &decision.exceptions {
        text += &format!(" Exception: {}.", Line::of(wording::exception(exception.kind)));
    }
    text
}
