//! The page a reply link shows, by GET and after a POST.

use lambda_shell::{Doing, Failure};
use presentation::{
    link::{Purpose, Token},
    page::{
        Hint, Page,
        acknowledgement::{Seat, Situation, acknowledgement},
        failure::no_link,
    },
};
use refresh_core::{
    audience::{deadlines, reading::Reading},
    choice::situation,
    decide::acknowledge,
    facts::subject::Subject,
    record::{
        delta::Change,
        lineage::{AnswerResult, Happening},
        packet::Standpoint,
        review::Reply,
    },
    telling::owed,
};
use signed_pages::{Env, Opened, Read, open, signed};

pub(crate) async fn page(env: &Env, text: &str) -> Result<Page, Failure> {
    let Some(opened) = open(env, text, Purpose::Acknowledge).await? else { return Ok(no_link()) };
    present(env, &opened, None).await
}

/// The page as things stand now. `hint`: why a form sent before came back.
pub(crate) async fn present(env: &Env, opened: &Opened, hint: Option<Hint>) -> Result<Page, Failure> {
    let Some(read) = opened.read(env).await? else { return Ok(no_link()) };
    let situation = situation::Situation::of(&opened.review, &read.facts, &env.deployment, read.now);
    let Some(facts) = situation else { return Ok(no_link()) };
    let (result, _) = acknowledge::look(&read.review, &facts, &opened.reader, opened.token.thing);
    let result = if opened.expired { AnswerResult::Expired } else { result };
    render(env, opened, &read, result, hint, hint.is_some()).await
}

/// A result in its page.
pub(crate) async fn render(
    env: &Env,
    opened: &Opened,
    read: &Read,
    result: AnswerResult,
    hint: Option<Hint>,
    posted: bool,
) -> Result<Page, Failure> {
    let Some(terms) = read.facts.terms(&opened.review) else { return Ok(no_link()) };
    let reading = Reading { review: &read.review, terms, policy: &read.policy };
    let told = env.store.told(&opened.review).await.doing("reading what they were told")?;
    let last = told.get(&opened.reader).and_then(|record| record.told.as_ref()).and_then(|told| told.seat.clone());
    let view = reading.view(&opened.reader, last.as_ref());
    let (changes, why) = told_lately(env, opened, read).await?;
    let head = &read.review.head;
    let of_reader = |person: &refresh_core::Person| *person == opened.reader;
    let about = |row: &refresh_core::base::digest::Digest| row.short() == opened.token.thing;
    let answer = head.answers.iter().find(|answer| of_reader(&answer.person) && about(&answer.row));
    let due = deadlines::outstanding(head).find(|duty| of_reader(&duty.person) && about(&duty.row));
    // As in their mail: of other people's calendars and delegations they hear nothing.
    let sees_all = reading.sees_all(&opened.reader);
    let may_know = |standpoint: &Standpoint| match &standpoint.subject {
        Subject::Availability(person, _) | Subject::Person(person) => of_reader(person),
        Subject::Delegation(_, role) => view.roles.contains(role),
        _ => true,
    };
    let why: Vec<Standpoint> = why.into_iter().filter(|standpoint| sees_all || may_know(standpoint)).collect();
    let seat = Seat { view: &view, changes: &changes, why: &why, answer, due_at: due.map(|duty| duty.due_at) };
    let fresh = fresh(env, opened, &reading, read)?;
    let situation = match (result, answer) {
        (AnswerResult::Shown, _) => Situation::Open(opened.form(hint)),
        (AnswerResult::Expired, _) => Situation::Expired,
        (AnswerResult::Recorded, answer) => Situation::Recorded {
            reply: answer.map_or(Reply::Acknowledged, |answer| answer.reply),
            at: answer.map_or(read.now, |answer| answer.at),
        },
        _ => Situation::Stale { fresh: fresh.as_deref() },
    };
    Ok(acknowledgement(&read.scene(&opened.reader), &seat, &situation, posted))
}

/// What the newest notice told them, as the lineage has it, and the facts that were new in the version it was about.
async fn told_lately(env: &Env, opened: &Opened, read: &Read) -> Result<(Vec<Change>, Vec<Standpoint>), Failure> {
    /// Far enough back for everything that is still worth answering.
    const TAIL: u64 = 200;
    let from = read.review.head.lineage.sequence.saturating_sub(TAIL).max(1);
    let entries = env.store.lineage(&opened.review, from).await.doing("reading what they were told")?;
    let told = entries.into_iter().rev().flat_map(|entry| entry.happenings).find_map(|happening| match happening {
        Happening::Notice { to, changes, version, .. } if to == opened.reader && !changes.is_empty() => {
            Some((changes, version))
        }
        _ => None,
    });
    let Some((changes, number)) = told else { return Ok((Vec::new(), Vec::new())) };
    let version = async |number: u32| env.store.version(&opened.review, number).await.doing("reading a version");
    let Some(about) = version(number).await? else { return Ok((changes, Vec::new())) };
    let before = match about.parent {
        Some(parent) => version(parent).await?.map(|parent| parent.stands_on).unwrap_or_default(),
        None => Vec::new(),
    };
    let new = about.stands_on.into_iter().filter(|standpoint| !before.contains(standpoint));
    Ok((changes, new.collect()))
}

/// The reader's link to the row they have now, if it is another than this link's.
fn fresh(env: &Env, opened: &Opened, reading: &Reading<'_>, read: &Read) -> Result<Option<String>, Failure> {
    let Some(row) = reading.row(&opened.reader).filter(|_| !read.review.head.is_over(read.now)) else {
        return Ok(None);
    };
    if row.digest().short() == opened.token.thing {
        return Ok(None);
    }
    let token = Token { thing: row.digest().short(), expires_at: owed::row_readable_until(&row), ..opened.token };
    signed(env, &token).map(Some)
}
