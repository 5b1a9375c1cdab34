//! `/reviews` and `/reviews/{id}`: the coordination workspace, for whoever sits at this machine.

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, RawQuery, Request, State},
    response::Response,
};
use packet_store::{Store, StoreError};
use presentation::page::{
    Page, Scene, failure,
    review::{Workspace, review as review_page},
    workspace::{ListedReview, ReviewList, UnreadableReview, workspace},
};
use refresh_core::{
    Instant, Person, ReviewId,
    audience::open::Open,
    choice::silence::Silence,
    facts::{
        fact::{Body, Facts},
        subject::Subject,
    },
    record::review::Review,
};

use super::{Shared, fence, functions, queried, respond};
use crate::{engine::Engine, roster::ReviewsAsked};

/// A review with all that its pages are made from.
struct Loaded {
    review: Review,
    facts: Facts,
    path: String,
}

async fn load(engine: &Engine, review: Review) -> Result<Loaded, String> {
    let id = review.head.review.clone();
    let functions = engine.functions();
    let deployment = &functions.refresh.deployment;
    // Of a seat that cannot be read the refresh tells.
    let read = engine.store().facts_seen(&id, Some(&review), deployment).await.map_err(|error| error.to_string())?;
    Ok(Loaded { path: path_of(&id), review, facts: read.facts })
}

/// A review's id may hold anything printable.
fn path_of(review: &ReviewId) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    format!("/reviews/{}", review.as_str().bytes().map(escape).collect::<String>())
}

fn failed(engine: &Engine, why: &str) -> Response {
    engine.complain(&why, "the page could not be made");
    respond(failure::unavailable())
}

/// `after=RR-7`: what comes after that review; `open=yes`: only where somebody has something to do.
pub async fn list(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let after = queried(query.as_deref(), "after").and_then(|id| ReviewId::parse(&id).ok());
    let open = queried(query.as_deref(), "open").is_some_and(|word| word == "yes");
    let asked = ReviewsAsked { after, open, limit: None };
    match listed(&shared.engine, &asked).await {
        Ok(page) => respond(page),
        Err(why) => failed(&shared.engine, &why),
    }
}

/// Read of each review is what its line shows: HEAD, the versions, the terms, and who is named.
async fn listed(engine: &Engine, asked: &ReviewsAsked) -> Result<Page, String> {
    let told = |error: StoreError| error.to_string();
    let (store, now) = (engine.store(), engine.now());
    let page = engine.concerns().roster(store, |roster| roster.page(asked, now)).await.map_err(told)?;
    let heads = store.heads(&page.reviews).await.map_err(told)?;
    let reviews = store.unfold_all(heads.read).await.map_err(told)?;
    let mut unreadable: Vec<UnreadableReview> = page.nameless.iter().map(|why| because(None, why)).collect();
    let named = heads.unreadable.iter().chain(&reviews.unreadable);
    unreadable.extend(named.map(|one| because(one.review.as_ref(), &one.error)));
    let mut facts = Facts::default();
    for some in reviews.read.chunks(AT_ONCE) {
        for (review, why) in add_shown(store, some, now, &mut facts).await {
            unreadable.push(because(Some(&review), why));
        }
    }
    let paths: Vec<String> = reviews.read.iter().map(|review| path_of(&review.head.review)).collect();
    let lines = reviews.read.iter().zip(&paths);
    let entries: Vec<ListedReview<'_>> = lines
        .filter_map(|(review, path)| Some(ListedReview { review, terms: facts.terms(&review.head.review)?, path }))
        .collect();
    let without = reviews.read.iter().map(|review| &review.head.review);
    for review in without.filter(|review| facts.terms(review).is_none()) {
        if !unreadable.iter().any(|one| one.review.as_ref() == Some(review)) {
            unreadable.push(because(Some(review), "its terms are missing"));
        }
    }
    for one in &unreadable {
        let review_id = one.review.as_ref().map(tracing::field::display);
        tracing::error!(review_id, error = one.because, "a review cannot be read; the list goes on without it");
    }
    let next = page.next.as_ref().map(ReviewId::as_str);
    let list = ReviewList {
        entries: &entries,
        unreadable: &unreadable,
        people: &names(&facts),
        counts: page.counts,
        only_open: asked.open,
        is_first: asked.after.is_none(),
        next,
    };
    Ok(workspace(&list, now))
}

/// Reviews whose facts are read together.
const AT_ONCE: usize = 25;

/// What lines of the list show beside HEAD: the terms, and the names of the people whom something is open with. What is
/// damaged leaves out the reviews that need it.
async fn add_shown(store: &Store, reviews: &[Review], now: Instant, facts: &mut Facts) -> Vec<(ReviewId, String)> {
    let mut add = async |reviews: &[Review]| -> Result<(), StoreError> {
        let subjects = reviews.iter().flat_map(|review| shown(review, now)).collect();
        store.facts(&subjects).await?.iter().for_each(|fact| facts.insert(fact.clone()));
        Ok(())
    };
    let mut broken = Vec::new();
    if add(reviews).await.is_err() {
        for review in reviews {
            if let Err(error) = add(std::slice::from_ref(review)).await {
                broken.push((review.head.review.clone(), error.to_string()));
            }
        }
    }
    broken
}

fn shown(review: &Review, now: Instant) -> BTreeSet<Subject> {
    let open = Open::of(&review.head, now);
    let broken = open.violated.iter().filter_map(|mark| mark.violation()?.person());
    let people = broken
        .chain(open.proposal.and_then(|pending| pending.adopter.as_ref()))
        .chain(open.conflicts.iter().map(|answer| &answer.person))
        .chain(open.outstanding.iter().map(|duty| &duty.person))
        .chain(open.undeliverable.iter().map(|known| &known.person));
    let people = people.cloned().map(Subject::Person);
    people.chain([Subject::Review(review.head.review.clone())]).collect()
}

fn names(facts: &Facts) -> BTreeMap<Person, String> {
    let named = facts.iter().filter_map(|fact| match (&fact.subject, &fact.body) {
        (Subject::Person(person), Body::Person(profile)) => Some((person.clone(), profile.name.clone())),
        _ => None,
    });
    named.collect()
}

/// A review that cannot be read is a line of the list.
fn because(review: Option<&ReviewId>, why: impl ToString) -> UnreadableReview {
    UnreadableReview { review: review.cloned(), because: why.to_string() }
}

/// Whoever sits here names a review; somebody's mailed link to their workspace is the function's to open.
pub async fn review(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let version = |name: &str| queried(query.as_deref(), name)?.parse::<u32>().ok();
    let compare = version("from").zip(version("to"));
    let shown = match ReviewId::parse(&id) {
        Ok(id) => whole(&shared.engine, &id, compare).await,
        Err(_) => Ok(None),
    };
    match shown {
        Ok(Some(response)) => response,
        // What looks like a link is somebody's, known here or not: the function says so, and says nothing of any review.
        Ok(None) if !fence::is_link(request.uri()) => respond(failure::no_review()),
        Ok(None) => {
            let (parts, _) = request.into_parts();
            let way = parts.extensions.get().cloned().map(Extension);
            functions(State(shared), way, parts.method, parts.uri, parts.headers, Bytes::new()).await
        }
        Err(why) => failed(&shared.engine, &why),
    }
}

async fn whole(engine: &Engine, id: &ReviewId, compare: Option<(u32, u32)>) -> Result<Option<Response>, String> {
    let told = |error: StoreError| error.to_string();
    let store = engine.store();
    let Some(review) = store.review(id).await.map_err(told)? else { return Ok(None) };
    let loaded = load(engine, review).await?;
    let record = store.record(&loaded.review.head).await.map_err(told)?;
    let functions = engine.functions();
    let defaults = &functions.refresh.deployment.defaults;
    let terms = loaded.facts.terms(id);
    let policy = terms.map_or_else(|| defaults.clone(), |terms| defaults.with(&terms.policy));
    // Whoever sits at the machine sees everything and is nobody in particular: the service's own address is never
    // anybody's.
    let reader = &functions.notify.postage.from;
    let (facts, now) = (&loaded.facts, engine.now());
    let deployment = &functions.refresh.deployment;
    let silence = terms.map(|terms| Silence::of(terms, &policy, facts, deployment, now)).unwrap_or_default();
    let scene = Scene { review: &loaded.review, facts, heard: silence.heard(facts), policy: &policy, reader, now };
    let known = |number: u32| record.versions.iter().any(|version| version.number == number);
    let records = store.told(id).await.map_err(told)?;
    let deliveries: Vec<_> = records.into_iter().filter_map(|(who, record)| Some((who, record.delivery?))).collect();
    let workspace = Workspace {
        versions: &record.versions,
        entries: &record.entries,
        verified: &record.verified,
        compare: compare.filter(|(from, to)| known(*from) && known(*to)),
        path: &loaded.path,
        list: Some("/reviews"),
        deliveries: &deliveries,
    };
    Ok(Some(respond(review_page(&scene, &workspace))))
}
