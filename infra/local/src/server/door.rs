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
use sources::{Fault, Refused, http::Unsplit, policy::PolicyFile};

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
        Err(Unsplit::MediaType(fault)) => {
            return refuse(&shared, &body, StatusCode::UNSUPPORTED_MEDIA_TYPE, vec![(None, fault.into())]).await;
        }
        Err(Unsplit::TooLarge(fault)) => {
            return refuse(&shared, &body, StatusCode::PAYLOAD_TOO_LARGE, vec![(None, fault.into())]).await;
        }
        Err(Unsplit::Invalid(refused)) => return refuse_invalid(&shared, &headers, &body, vec![(None, refused)]).await,
    };
    let judged = Judged::of(&events, &shared.engine.functions().ingest.policy);
    if !judged.bad.is_empty() {
        return refuse_invalid(&shared, &headers, &body, judged.bad).await;
    }
    match operator::enqueue(&shared.engine, events, Door::Events).await {
        Ok(accepted) => answered(StatusCode::ACCEPTED, &judged.answer(accepted)),
        Err(NotTaken::TooLarge { event, why }) => {
            let fault = Fault::new(format!("$[{event}]"), "an event that fits into one message", why);
            refusal(StatusCode::PAYLOAD_TOO_LARGE, Faults::of(fault))
        }
        Err(NotTaken::Full(why)) => try_later(&why),
        Err(NotTaken::Unavailable(why)) => {
            shared.engine.complain(&why, "events could not be put on the queue");
            try_later(
                "nothing was taken: the engine could not make the request durable, its log says why; send it again later",
            )
        }
    }
}

/// A body that is longer than any may be is not read, so its receipt says how long it was, where that is known.
pub async fn keep_too_long(shared: &Shared, most: usize, announced: Option<usize>) {
    let found = announced.map_or_else(|| "a longer one".to_owned(), |length| format!("{length} bytes"));
    // A receipt keeps what was expected; what was found is elsewhere the sender's, and here a length.
    let expected = format!("a body of at most {most} bytes, and not {found}; send it in parts");
    let refused: Refused = Fault::new("$", expected, found.clone()).into();
    let body = format!("a body that was not read: {found}");
    keep_refused(shared, &body, std::iter::once(&refused)).await;
}

async fn keep_refused(shared: &Shared, body: &str, refused: impl Iterator<Item = &Refused> + Clone) {
    let piece = Piece { body, door: Door::Events, at: shared.engine.now() };
    if let Err(failure) = piece.keep_refused(shared.engine.store(), refused).await {
        shared.engine.complain(&failure, "the receipt of a refused request could not be kept");
    }
}

/// Refuses the whole request: the receipt says what was wrong, and nothing of the request is on the queue.
async fn refuse(shared: &Shared, body: &[u8], status: StatusCode, bad: Vec<(Option<usize>, Refused)>) -> Response {
    keep_refused(shared, &String::from_utf8_lossy(body), bad.iter().map(|(_, refused)| refused)).await;
    let mut faults = Faults::default();
    bad.iter().for_each(|(event, refused)| faults.add(*event, refused));
    refusal(status, faults)
}

/// Of a webhook that was sent here, what is wrong with the webhook as a CloudEvent is no help.
async fn refuse_invalid(
    shared: &Shared,
    headers: &BTreeMap<String, String>,
    body: &[u8],
    bad: Vec<(Option<usize>, Refused)>,
) -> Response {
    let other_door = sources::hook::misdirected(headers).map(|fault| vec![(None, fault.into())]);
    refuse(shared, body, StatusCode::BAD_REQUEST, other_door.unwrap_or(bad)).await
}

/// The events of a request by the policy.
#[derive(Default)]
struct Judged {
    /// What is wrong with each event that cannot be taken, with the event's place in the request. The request is refused whole.
    bad: Vec<(Option<usize>, Refused)>,
    /// Parts of payloads that are no events, and why.
    skipped: Vec<String>,
    /// Bad records among good ones: they go to the dead letters, each by itself.
    refused: Faults,
}

impl Judged {
    fn of(events: &[String], policy: &PolicyFile) -> Self {
        let mut judged = Self::default();
        for (index, event) in events.iter().enumerate() {
            let read = sources::read(event, &policy.bindings);
            match read.and_then(|read| policy.check(&read).map(|()| read)) {
                Ok(read) => {
                    judged.skipped.extend(read.skipped.into_iter().map(|part| part.why));
                    read.refused.iter().for_each(|record| judged.refused.add(Some(index), &record.refused));
                }
                Err(refused) => judged.bad.push((Some(index), refused)),
            }
        }
        judged
    }

    fn answer(self, accepted: usize) -> Value {
        let mut answer = json!({ "accepted": accepted });
        if !self.skipped.is_empty() {
            answer["skipped"] = self.skipped.into_iter().take(MOST_FAULTS).collect();
        }
        if !self.refused.said.is_empty() {
            answer["refused"] = self.refused.said.into();
        }
        answer
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
