//! Who is reading: a link opened, its review and reader found, everything their page needs read.

use lambda_shell::{Doing, Failure};
use presentation::{
    link::{self, Purpose, Refusal, Token},
    page::{Form, Hint, Scene},
};
use refresh_core::{Instant, Person, ReviewId, digest::Digest, fact::Facts, policy::Policy, review::Review};

use crate::Env;

/// A link that opened.
pub(crate) struct Opened {
    pub token: Token,
    pub review: ReviewId,
    pub reader: Person,
    /// Genuine, but past its instant.
    pub expired: bool,
    /// `/adopt/{token}` or `/reviews/{token}`
    pub path: String,
    /// What the form of this page carries.
    pub seal: String,
}

/// `None` for everything that gets the page that says nothing.
pub(crate) async fn open(env: &Env, text: &str, purpose: Purpose) -> Result<Option<Opened>, Failure> {
    let now = Instant::from_millis(env.clock.now_millis());
    let (token, expired) = match link::open(text, &env.keys, purpose, now) {
        Ok(token) => (token, false),
        Err(Refusal::Expired(token)) => (token, true),
        Err(Refusal::Unreadable | Refusal::Forged) => return Ok(None),
    };
    let found = env.store.reader(token.review, token.person).await.doing("looking up whose link it is")?;
    Ok(found.map(|(review, reader)| Opened {
        seal: link::form_seal(&env.keys, text, &state(&token), now),
        path: format!("/{}/{text}", purpose.path()),
        token,
        review,
        reader,
        expired,
    }))
}

/// What a form is sealed with: the proposal it decides. Whether that is still the choice is judged at the POST.
pub(crate) fn state(token: &Token) -> Digest {
    Digest::of("adoption-form", &token.thing)
}

impl Opened {
    pub fn form(&self, hint: Option<Hint>) -> Form<'_> {
        Form { action: &self.path, seal: &self.seal, hint }
    }

    pub async fn read(&self, env: &Env) -> Result<Option<Read>, Failure> {
        let Some(review) = env.store.review(&self.review).await.doing("reading the review")? else { return Ok(None) };
        let facts =
            env.store.facts_seen(&self.review, Some(&review), &env.deployment).await.doing("reading the facts")?;
        let Some(terms) = facts.terms(&self.review) else { return Ok(None) };
        let policy = env.deployment.defaults.with(&terms.policy);
        let now = Instant::from_millis(env.clock.now_millis()).max(review.head.at);
        Ok(Some(Read { review, facts, policy, now }))
    }
}

/// Everything a page is rendered from.
pub(crate) struct Read {
    pub review: Review,
    pub facts: Facts,
    pub policy: Policy,
    pub now: Instant,
}

impl Read {
    pub fn scene<'a>(&'a self, reader: &'a Person) -> Scene<'a> {
        Scene { review: &self.review, facts: &self.facts, policy: &self.policy, reader, now: self.now }
    }
}
