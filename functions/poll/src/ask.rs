//! One binding, asked: claimed, read to the last page, handed on, settled.
//!
//! ```text
//!  claim ── question ── page ── page ── whole? ── queue ── settle
//!                                 │                 │
//!                                 └ not: nothing of it goes on       died here: asked and handed on again, which is harmless
//! ```

use std::collections::BTreeMap;

use decisions::Doing;
use lambda_shell::{Failure, deadline::Deadline, metrics::Metrics, queue::Outgoing};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use refresh_core::{
    Instant,
    record::poll::{KnownAnswer, PollEnd, PollRecord},
};
use sources::{
    native::{
        NamedBinding,
        binding::system::{CREDENTIAL, System},
    },
    poll::{
        PollFailure,
        answer::{self, SystemAnswer},
        credential::Credential,
        hand,
        page::{PagedAnswer, WholeAnswer},
        plan::{self, Group, Question},
    },
};

use crate::{Env, web::SentQuestion};

/// Questions in a row that were not answered, from which on somebody is told. One may meet a restart.
const TOLD_FROM: u32 = 3;
/// Redirections of one page.
const MOST_REDIRECTIONS: usize = 3;

/// What became of one binding that was due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AskedBinding {
    /// The binding's name.
    pub binding: String,
    /// Why it was not answered, or not whole.
    pub failure: Option<PollFailure>,
    /// How many questions in a row were not answered, this one included.
    pub failures: u32,
    /// Pages that came.
    pub pages: usize,
    /// Messages that were put on the queue.
    pub messages: usize,
}

/// What was found out, so far.
struct Asking<'a> {
    env: &'a Env,
    bound: &'a NamedBinding,
    system: System,
    now: Instant,
    answers: BTreeMap<String, KnownAnswer>,
    pages: usize,
    messages: usize,
}

enum GroupAnswer {
    /// What was handed on before still holds.
    NotModified,
    Whole(Vec<WholeAnswer>),
}

/// Asks a binding's system whatever is due, unless another worker is at it: then `None`. `known`: what was kept of it.
///
/// # Errors
///
/// The store cannot be written. What the system does is no error of ours: it is said, and kept.
pub async fn ask(
    env: &Env,
    bound: &NamedBinding,
    known: Option<&PollRecord>,
    deadline: Deadline,
) -> Result<Option<AskedBinding>, Failure> {
    let (Some(name), Some(target), Some(system)) = (&bound.name, &bound.poll, plan::system_of(bound)) else {
        return Ok(None);
    };
    let now = Instant::from_millis(env.clock.now_millis());
    let record = known.cloned().unwrap_or_default();
    let claimed = record.claimed(now);
    let before = known.map(|known| known.turn);
    if !env.store.keep_poll(name, &claimed, before).await.doing("claiming a system that is polled")? {
        return Ok(None);
    }
    let groups = plan::groups(bound, now);
    // What is not asked any more is forgotten; what is not answered this time is known as before.
    let keys: Vec<&String> = groups.iter().map(|group| &group.key).collect();
    let answers = claimed.answers.iter().filter(|(key, _)| keys.contains(key));
    let answers = answers.map(|(key, known)| (key.clone(), known.clone())).collect();
    let mut asking = Asking { env, bound, system, now, answers, pages: 0, messages: 0 };
    let failure = asking.all(&groups, deadline).await.err();
    let end = failure.map_or(PollEnd::Answered, |failure| PollEnd::Failed {
        why: failure.word().to_owned(),
        not_before: failure.not_before(),
    });
    let Asking { answers, pages, messages, .. } = asking;
    let settled = claimed.settled(end, answers, target.every_minutes);
    if !env.store.keep_poll(name, &settled, Some(claimed.turn)).await.doing("settling a system that was polled")? {
        tracing::warn!(binding = name.as_str(), "another worker took over a system that was being asked");
    }
    let failures = settled.failing.map_or(0, |failing| failing.times);
    let asked = AskedBinding { binding: name.clone(), failure, failures, pages, messages };
    say(&asked, now);
    Ok(Some(asked))
}

/// One line a system. What a system does is no fault of this deployment's, so it is a warning; the figures have alarms.
fn say(asked: &AskedBinding, now: Instant) {
    let (binding, pages, messages) = (asked.binding.as_str(), asked.pages, asked.messages);
    let Some(failure) = asked.failure else {
        tracing::info!(binding, pages, messages, "a system was asked");
        return;
    };
    let (reason, failures) = (failure.word(), asked.failures);
    let http_status = failure.status();
    tracing::warn!(binding, reason, http_status, failures, pages, messages, "a system did not answer whole");
    Metrics::new("Holdpoint").dimension("Reason", reason).count("PollsFailed", 1).emit(now.millis());
    if failure.is_for_an_operator() {
        Metrics::new("Holdpoint").count("PollsDenied", 1).emit(now.millis());
    }
    if failures >= TOLD_FROM {
        Metrics::new("Holdpoint").count("PollsFailing", 1).emit(now.millis());
    }
}

impl Asking<'_> {
    /// Every group. One whose question the system refuses holds up no other; whatever befell the system as a whole ends
    /// the asking.
    async fn all(&mut self, groups: &[Group], deadline: Deadline) -> Result<(), PollFailure> {
        let mut first = None;
        for group in groups {
            if deadline.is_near() {
                return Err(PollFailure::OutOfTime);
            }
            match deadline.bound(self.group(group)).await.unwrap_or(Err(PollFailure::OutOfTime)) {
                Ok(()) => {}
                Err(
                    failure @ (PollFailure::Refused(_)
                    | PollFailure::Unreadable
                    | PollFailure::PageLoop
                    | PollFailure::TooManyPages
                    | PollFailure::ChangedBetweenPages
                    | PollFailure::Incomplete
                    | PollFailure::TooLarge
                    | PollFailure::UnaskedNotModified),
                ) => drop(first.get_or_insert(failure)),
                Err(failure) => return Err(failure),
            }
        }
        first.map_or(Ok(()), Err)
    }

    /// One snapshot: every question of it answered whole, then handed on, then known.
    async fn group(&mut self, group: &Group) -> Result<(), PollFailure> {
        let known = self.answers.get(&group.key).cloned();
        let binding = &self.bound.binding;
        let promise = self.env.policy.deployment.promise(binding.format().kind(), &binding.source);
        let renew = known.as_ref().is_none_or(|known| known.is_to_be_renewed(promise, self.now));
        let answers = match self.read(group, known.as_ref().filter(|_| !renew)).await? {
            GroupAnswer::NotModified => return Ok(()),
            GroupAnswer::Whole(answers) => answers,
        };
        let handed = hand::hand_on(self.bound, &self.system, group, &answers, known.as_ref(), renew, self.now)?;
        self.messages += handed.messages.len();
        let letters = handed.messages.into_iter().map(|body| Outgoing { body, ..Outgoing::default() });
        self.env.source_events.send_all(letters.collect()).await.map_err(|error| {
            tracing::error!(error = %error, "an answer could not be put on the queue");
            PollFailure::NotHandedOn
        })?;
        self.answers.insert(group.key.clone(), handed.known);
        Ok(())
    }

    async fn read(&mut self, group: &Group, known: Option<&KnownAnswer>) -> Result<GroupAnswer, PollFailure> {
        let mut answers = Vec::with_capacity(group.questions.len());
        let alone = group.questions.len() == 1;
        for question in &group.questions {
            match self.question(question, known.filter(|_| alone)).await? {
                Some(answer) => answers.push(answer),
                None => return Ok(GroupAnswer::NotModified),
            }
        }
        Ok(GroupAnswer::Whole(answers))
    }

    /// One question, to the last page. `None`: nothing new since what is known.
    async fn question(
        &mut self,
        question: &Question,
        known: Option<&KnownAnswer>,
    ) -> Result<Option<WholeAnswer>, PollFailure> {
        let mut reading = PagedAnswer::new(question, self.system, self.bound.binding.format().is_json(), self.now);
        let (mut redirections, mut renewed) = (0, false);
        loop {
            let conditions = conditions(known.filter(|_| reading.is_first()));
            let conditional = !conditions.is_empty();
            let response = self.exchange(question, reading.url(), conditions, reading.room()).await?;
            // A token may be taken back before its end: one more is fetched, once.
            if response.status == 401 && !renewed && self.forget_token() {
                renewed = true;
                continue;
            }
            match answer::of(&response, self.now)? {
                SystemAnswer::NotModified if conditional => {
                    self.pages += 1;
                    return Ok(None);
                }
                SystemAnswer::NotModified => return Err(PollFailure::UnaskedNotModified),
                SystemAnswer::Moved { to, keeps_method } => {
                    redirections += 1;
                    if redirections > MOST_REDIRECTIONS {
                        return Err(PollFailure::RedirectedTooOften);
                    }
                    reading.redirect(&to, keeps_method, response.status)?;
                }
                SystemAnswer::Page => {
                    self.pages += 1;
                    redirections = 0;
                    if !reading.take(response)? {
                        return reading.done().map(Some);
                    }
                }
            }
        }
    }

    async fn exchange(
        &self,
        question: &Question,
        url: &str,
        conditions: Vec<(String, String)>,
        room: usize,
    ) -> Result<sources::poll::SystemResponse, PollFailure> {
        let written = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut headers: Vec<(String, String)> = question.headers.iter().map(written).collect();
        headers.extend(conditions);
        let body = question.body.as_ref().map(ToString::to_string);
        if body.is_some() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        let credential = self.bound.poll.as_ref().and_then(|target| target.credential.as_deref());
        let mut address = url.to_owned();
        if let Some(name) = credential {
            if question.url.contains(CREDENTIAL) {
                address = address.replace(CREDENTIAL, &self.in_address(name)?);
            } else {
                let credential = self.env.credentials.named(name).ok_or(PollFailure::NoToken)?;
                let (tokens, format) = (&self.env.tokens, self.bound.binding.format());
                headers.push(tokens.header(&self.env.web, format, (name, credential), self.now).await?);
            }
        }
        self.env.web.exchange(SentQuestion { url: &address, headers: &headers, body, room }).await
    }

    /// A credential that is a part of its address, as of a published calendar.
    fn in_address(&self, name: &str) -> Result<String, PollFailure> {
        match self.env.credentials.named(name) {
            Some(Credential::Token(token)) => Ok(utf8_percent_encode(token, NON_ALPHANUMERIC).to_string()),
            _ => Err(PollFailure::NoToken),
        }
    }

    fn forget_token(&self) -> bool {
        let credential = self.bound.poll.as_ref().and_then(|target| target.credential.as_deref());
        credential.is_some_and(|name| self.env.tokens.forget(name))
    }
}

/// What makes a question one for news alone.
fn conditions(known: Option<&KnownAnswer>) -> Vec<(String, String)> {
    let marks = known.map(|known| [("if-none-match", &known.etag), ("if-modified-since", &known.last_modified)]);
    let marks = marks.into_iter().flatten();
    marks.filter_map(|(name, mark)| Some((name.to_owned(), mark.clone()?))).collect()
}
