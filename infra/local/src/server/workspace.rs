//! `/reviews` and `/reviews/{id}`: the coordination workspace, for whoever sits at this machine.

use std::collections::BTreeMap;

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, RawQuery, Request, State},
    response::Response,
};
use presentation::page::{
    Scene, failure,
    review::{Workspace, review as review_page},
    workspace::{ListedReview, UnreadableReview, workspace},
};
use refresh_core::{
    Person, ReviewId,
    choice::silence::Silence,
    facts::{
        fact::{Body, Facts},
        subject::Subject,
    },
    record::review::Review,
};

use super::{Shared, functions, queried, respond};
use crate::engine::Engine;

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

fn names(loaded: &[Loaded]) -> BTreeMap<Person, String> {
    let facts = loaded.iter().flat_map(|one| one.facts.iter());
    facts
        .filter_map(|fact| match (&fact.subject, &fact.body) {
            (Subject::Person(person), Body::Person(profile)) => Some((person.clone(), profile.name.clone())),
            _ => None,
        })
        .collect()
}

fn failed(why: &str) -> Response {
    tracing::error!(error = why, "the page could not be made");
    respond(failure::unavailable())
}

pub async fn list(State(shared): State<Shared>) -> Response {
    let engine = &shared.engine;
    let heads = match engine.store().reviews().await {
        Ok(heads) => heads,
        Err(error) => return failed(&error.to_string()),
    };
    let mut unreadable: Vec<UnreadableReview> =
        heads.unreadable.iter().map(|one| because(one.review.as_ref(), &one.error)).collect();
    let mut loaded = Vec::new();
    for head in heads.read {
        let review = head.review.clone();
        let read = async {
            let review = engine.store().unfold(head).await.map_err(|error| error.to_string())?;
            load(engine, review).await
        };
        match read.await {
            Ok(one) if one.facts.terms(&review).is_some() => loaded.push(one),
            Ok(_) => unreadable.push(because(Some(&review), "its terms are missing")),
            Err(why) => unreadable.push(because(Some(&review), why)),
        }
    }
    for one in &unreadable {
        let review_id = one.review.as_ref().map(tracing::field::display);
        tracing::error!(review_id, error = one.because, "a review cannot be read; the list goes on without it");
    }
    let entries: Vec<ListedReview<'_>> = loaded
        .iter()
        .filter_map(|one| {
            let terms = one.facts.terms(&one.review.head.review)?;
            Some(ListedReview { review: &one.review, terms, path: &one.path })
        })
        .collect();
    respond(workspace(&entries, &unreadable, &names(&loaded), engine.now()))
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
        Ok(id) => page(&shared.engine, &id, compare).await,
        Err(_) => Ok(None),
    };
    match shown {
        Ok(Some(response)) => response,
        Ok(None) => {
            let (parts, _) = request.into_parts();
            let way = parts.extensions.get().cloned().map(Extension);
            functions(State(shared), way, parts.method, parts.uri, parts.headers, Bytes::new()).await
        }
        Err(why) => failed(&why),
    }
}

async fn page(engine: &Engine, id: &ReviewId, compare: Option<(u32, u32)>) -> Result<Option<Response>, String> {
    let told = |error: packet_store::StoreError| error.to_string();
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
