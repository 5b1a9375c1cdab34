//! `POST /events`: the CloudEvents HTTP binding. Answers only when every event of the request is durable on the queue,
//! or when none was taken and every fault is named.

use std::collections::BTreeMap;

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use ingest::Piece;
use packet_store::Door;
use serde_json::{Value, json};
use sources::{Fault, Refused, http::Unsplit};

use super::{Shared, answered, problem, try_later};
use crate::operator::{self, NotTaken};

/// Faults of one answer.
const MOST_FAULTS: usize = 100;

pub async fn events(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let headers: BTreeMap<String, String> = headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let Ok(_turn) = shared.judging.acquire().await else { return try_later("the engine is stopping") };
    let events = match sources::http::split(&headers, &body) {
        Ok(events) => events,
        Err(unsplit) => {
            let (status, refused) = match unsplit {
                Unsplit::MediaType(fault) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, fault.into()),
                Unsplit::TooLarge(fault) => (StatusCode::PAYLOAD_TOO_LARGE, fault.into()),
                // A webhook that was sent here: what is wrong with it as a CloudEvent is no help.
                Unsplit::Invalid(refused) => {
                    let other_door = sources::hook::misdirected(&headers).map(Refused::from);
                    (StatusCode::BAD_REQUEST, other_door.unwrap_or(refused))
                }
            };
            keep(&shared, &String::from_utf8_lossy(&body), std::slice::from_ref(&refused)).await;
            return refusal(status, Faults::all(&refused));
        }
    };
    let functions = shared.engine.functions();
    let policy = &functions.ingest.policy;
    let (mut faults, mut skipped, mut refused) = (Faults::default(), Vec::new(), Faults::default());
    let mut bad = Vec::new();
    for (index, event) in events.iter().enumerate() {
        let read = sources::read(event, &policy.bindings);
        match read.and_then(|read| policy.check(&read).map(|()| read)) {
            Ok(read) => {
                skipped.extend(read.skipped.into_iter().map(|part| part.why));
                read.refused.iter().for_each(|record| refused.add(Some(index), &record.refused));
            }
            Err(refused) => {
                faults.add(Some(index), &refused);
                bad.push(refused);
            }
        }
    }
    if faults.count > 0
        && let Some(other_door) = sources::hook::misdirected(&headers).map(Refused::from)
    {
        keep(&shared, &String::from_utf8_lossy(&body), std::slice::from_ref(&other_door)).await;
        return refusal(StatusCode::BAD_REQUEST, Faults::all(&other_door));
    }
    if faults.count > 0 {
        keep(&shared, &String::from_utf8_lossy(&body), &bad).await;
        return refusal(StatusCode::BAD_REQUEST, faults);
    }
    match operator::enqueue(&shared.engine, events, Door::Events).await {
        Ok(accepted) => {
            let mut answer = json!({ "accepted": accepted });
            if !skipped.is_empty() {
                answer["skipped"] = skipped.into_iter().take(MOST_FAULTS).collect();
            }
            // Bad records among good ones: they go to the dead letters, each by itself.
            if !refused.said.is_empty() {
                answer["refused"] = refused.said.into();
            }
            answered(StatusCode::ACCEPTED, &answer)
        }
        Err(NotTaken::TooLarge { event, why }) => {
            let fault = Fault::new(format!("$[{event}]"), "an event that fits into one message", why);
            refusal(StatusCode::PAYLOAD_TOO_LARGE, Faults::of(fault))
        }
        Err(NotTaken::Full(why)) => try_later(&why),
        Err(NotTaken::Unavailable(why)) => {
            tracing::error!(error = why, "events could not be put on the queue");
            try_later(
                "nothing was taken: the engine could not make the request durable, its log says why; send it again later",
            )
        }
    }
}

/// What remains of a request that is refused: nothing of it is on the queue.
async fn keep(shared: &Shared, body: &str, refused: &[Refused]) {
    let piece = Piece { body, door: Door::Events, at: shared.engine.now() };
    if let Err(failure) = piece.keep_refused(shared.engine.store(), refused.iter()).await {
        tracing::error!(error = %failure, "the receipt of a refused request could not be kept");
    }
}

/// What is said of a request that is refused: every fault, up to a number that somebody will read.
#[derive(Default)]
struct Faults {
    said: Vec<Value>,
    count: usize,
}

impl Faults {
    fn of(fault: Fault) -> Self {
        Self::all(&fault.into())
    }

    fn all(refused: &Refused) -> Self {
        let mut faults = Self::default();
        faults.add(None, refused);
        faults
    }

    fn add(&mut self, event: Option<usize>, refused: &Refused) {
        self.count += refused.faults.len();
        let room = MOST_FAULTS.saturating_sub(self.said.len());
        self.said.extend(refused.faults.iter().take(room).map(|fault| error(event, refused, fault)));
    }
}

fn refusal(status: StatusCode, faults: Faults) -> Response {
    let title = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "nothing was taken: the request is too large; send it in parts",
        _ => "nothing was taken: the request is not valid",
    };
    let more = faults.count - faults.said.len();
    if more == 0 {
        return problem(status, title, faults.said);
    }
    problem(status, &format!("{title}; {more} faults more than the {MOST_FAULTS} listed"), faults.said)
}

fn error(event: Option<usize>, refused: &Refused, fault: &Fault) -> Value {
    let mut error = json!({ "path": fault.path, "expected": fault.expected, "found": fault.found });
    if let Some(event) = event {
        error["event"] = event.into();
    }
    if let Some(identity) = &refused.identity {
        error["id"] = json!(identity.id);
    }
    error
}
