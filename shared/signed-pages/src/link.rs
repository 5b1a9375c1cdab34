//! Who is reading: a link opened, its review and reader found, everything their page needs read.

use decisions::{Doing, readable_facts};
use lambda_shell::{Failure, log::NOTE};
use presentation::{
    link::{self, Purpose, Token},
    page::{Form, Returned, Scene},
};
use refresh_core::{
    Instant, Person, ReviewId,
    base::digest::Digest,
    choice::silence::Silence,
    facts::{fact::Facts, policy::Policy},
    record::review::Review,
};

use crate::{Env, LinkRefused};

/// A link that opened: genuine, in its time, and of somebody whom its review knows.
pub struct Opened {
    /// What the link says.
    pub token: Token,
    /// The review that the link belongs to.
    pub review: ReviewId,
    /// The person that the link was mailed to.
    pub reader: Person,
    /// `/adopt/{token}` and its siblings.
    pub path: String,
    /// The token as it came.
    pub(crate) text: String,
    /// What the form of this page carries.
    seal: String,
}

/// `None` for everything that gets the page that says nothing: the refusal is recorded by then. Past its own instant a link
/// opens nothing either, whatever it was for.
///
/// # Errors
///
/// The store cannot be asked whose link it is.
pub async fn open(env: &Env, text: &str, purpose: Purpose) -> Result<Option<Opened>, Failure> {
    let now = Instant::from_millis(env.clock.now_millis());
    let token = match link::open(text, &env.keys, purpose, now) {
        Ok(token) => token,
        Err(refusal) => {
            LinkRefused::from(refusal).record(purpose, now);
            return Ok(None);
        }
    };
    if let Some(trace) = token.trace {
        tracing::info!(target: NOTE, trace_id = %trace, "");
    }
    let found = env.store.reader(token.review, token.person).await.doing("looking up whose link it is")?;
    let Some((review, reader)) = found else {
        LinkRefused::Unknown.record(purpose, now);
        return Ok(None);
    };
    tracing::info!(target: NOTE, review_id = %review, "");
    tracing::info!(purpose = purpose.path(), "a link was opened");
    Ok(Some(Opened {
        seal: link::form_seal(&env.keys, text, &state(&token), now),
        path: link::path(purpose, text),
        text: text.to_owned(),
        token,
        review,
        reader,
    }))
}

/// What a form is sealed with: the proposal it decides, or the row it answers to. Whether that is still the one is judged
/// at the POST.
pub(crate) fn state(token: &Token) -> Digest {
    Digest::of_parts("form", &[token.purpose().path().as_bytes(), &token.subject.bytes()])
}

/// The link from one page of a function to another of the same, with a nonce of its own: a path, since both have one
/// origin, whatever it is called.
///
/// # Errors
///
/// The system gives no random bytes.
pub fn signed(env: &Env, token: &Token) -> Result<String, Failure> {
    let mut nonce = [0; 8];
    getrandom::fill(&mut nonce).doing("asking the system for random bytes")?;
    Ok(link::path(token.purpose(), &link::sign(token, &env.keys, nonce)))
}

impl Opened {
    /// The form of this page, with the seal that binds the form to the link.
    pub fn form<'a>(&'a self, returned: Option<&'a Returned>) -> Form<'a> {
        Form { action: &self.path, seal: &self.seal, returned }
    }

    /// Everything as it is now, for somebody who only looks.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn read(&self, env: &Env) -> Result<Option<Read>, Failure> {
        let Some(review) = env.store.review(&self.review).await.doing("reading the review")? else { return Ok(None) };
        let (id, deployment) = (&self.review, &env.deployment);
        // An answer is to the reader's own row: nobody's seats are shown beside it.
        let facts = match self.token.purpose() {
            Purpose::Acknowledge => env.store.facts_but_seats(id, Some(&review), deployment).await,
            _ => env.store.facts_seen(id, Some(&review), deployment).await.map(readable_facts),
        };
        Ok(Read::of(env, review, facts.doing("reading the facts")?))
    }

    /// The same for a decision: HEAD first, then the facts, and what it stands on is registered.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is read cannot be registered.
    pub async fn read_to_decide(&self, env: &Env) -> Result<Option<Read>, Failure> {
        let Some(review) = env.store.review(&self.review).await.doing("reading the review")? else { return Ok(None) };
        let facts = env.store.facts_of(&self.review, Some(&review), &env.deployment).await.map(readable_facts);
        Ok(Read::of(env, review, facts.doing("reading the facts")?))
    }
}

/// Everything a page is rendered from.
pub struct Read {
    /// The review.
    pub review: Review,
    /// The newest facts of what the review depends on.
    pub facts: Facts,
    /// The review's policy: the deployment's, with what the review sets otherwise.
    pub policy: Policy,
    /// What is not known any more, since a source is silent.
    pub silence: Silence,
    /// The time of the reading, never before the review's last decision.
    pub now: Instant,
}

impl Read {
    fn of(env: &Env, review: Review, facts: Facts) -> Option<Self> {
        let terms = facts.terms(&review.head.review)?;
        let policy = env.deployment.defaults.with(&terms.policy);
        let now = Instant::from_millis(env.clock.now_millis()).max(review.head.at);
        let silence = Silence::of(terms, &policy, &facts, &env.deployment, now);
        Some(Self { review, facts, policy, silence, now })
    }

    /// What a page shows to this reader.
    pub fn scene<'a>(&'a self, reader: &'a Person) -> Scene<'a> {
        let heard = self.silence.heard(&self.facts);
        Scene { review: &self.review, facts: &self.facts, heard, policy: &self.policy, reader, now: self.now }
    }
}
