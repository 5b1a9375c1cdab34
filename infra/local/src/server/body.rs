//! The body of a request: taken in whole before anything looks at it, within limits of length, time and room.

use std::time::Duration;

use axum::{
    body::{Body, HttpBody},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::Response,
};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::{Shared, door, fence, problem, try_later};

/// The operator's own events come as JSON strings in a list.
pub const LARGEST_OPERATION: usize = 16 * 1_048_576;
/// A form has two choices and a note.
const LARGEST_FORM: usize = 64 * 1_024;
/// From the head of a request to the last byte of its body, on one machine.
const WHOLE_BODY: Duration = Duration::from_secs(30);
/// Of the body of a request that is refused, so much is read and thrown away before the answer: a sender that is still
/// writing when the connection closes never reads why.
const READ_FOR_NOTHING: usize = 64 * 1_048_576;

/// Bodies of all requests together; what comes on top waits. In KiB, as the semaphore counts. `[limits] request_mebibytes`
/// is less.
pub const ROOM: usize = 64 * 1_024;

fn largest(shared: &Shared, path: &str) -> usize {
    match path {
        // A batch of events. One event is a MiB at most.
        "/events" => shared.engine.limits().request,
        path if path.starts_with("/operator/") => LARGEST_OPERATION,
        _ => LARGEST_FORM,
    }
}

pub async fn whole(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    // Of what anybody else sends nothing is kept.
    let brings_events = request.uri().path() == "/events" && fence::is_source(&shared, &request);
    let (parts, body) = request.into_parts();
    if body.is_end_stream() {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let mut stopping = shared.stopping.clone();
    let most = largest(&shared, parts.uri.path());
    let taken = tokio::select! {
        biased;
        taken = tokio::time::timeout(WHOLE_BODY, take(&shared, &parts.headers, body, (most, brings_events))) => taken,
        Ok(_) = async { stopping.wait_for(|stopping| *stopping).await.map(|_| ()) } => {
            return try_later("the engine is stopping; nothing was taken, send it again to the next one");
        }
    };
    match taken {
        Ok(Ok((bytes, _room))) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Err(refusal)) => refusal,
        Err(_) => {
            let seconds = WHOLE_BODY.as_secs();
            let why = format!("the request's body did not come within {seconds} seconds; nothing was taken");
            problem(StatusCode::REQUEST_TIMEOUT, &why, Vec::new())
        }
    }
}

type Taken = (axum::body::Bytes, tokio::sync::OwnedSemaphorePermit);

/// `brings_events`: what is longer than `most` leaves a receipt.
async fn take(
    shared: &Shared,
    headers: &HeaderMap,
    mut body: Body,
    (most, brings_events): (usize, bool),
) -> Result<Taken, Response> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let announced = length.map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    if announced.is_some_and(|length| length > most) {
        // Who asks first sends nothing after this answer.
        if !headers.contains_key(header::EXPECT) {
            read_for_nothing(&mut body).await;
        }
        if brings_events {
            door::keep_too_long(shared, most, announced).await;
        }
        return Err(too_large(most));
    }
    let kib = u32::try_from(announced.unwrap_or(most) / 1_024 + 1).unwrap_or(u32::MAX);
    let room = shared.room.clone().acquire_many_owned(kib).await;
    let room = room.map_err(|_| try_later("the engine is stopping; nothing was taken"))?;
    match Limited::new(&mut body, most).collect().await {
        Ok(whole) => Ok((whole.to_bytes(), room)),
        Err(error) if error.is::<LengthLimitError>() => {
            drop(room);
            read_for_nothing(&mut body).await;
            if brings_events {
                door::keep_too_long(shared, most, None).await;
            }
            Err(too_large(most))
        }
        Err(error) => {
            let why = format!("the request's body broke off: {error}; nothing was taken");
            Err(problem(StatusCode::BAD_REQUEST, &why, Vec::new()))
        }
    }
}

async fn read_for_nothing(body: &mut Body) {
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(0, |data| data.len());
        if read > READ_FOR_NOTHING {
            return;
        }
    }
}

fn too_large(most: usize) -> Response {
    let why =
        format!("nothing was taken: the body is longer than {most} bytes, which is the most here; send it in parts");
    problem(StatusCode::PAYLOAD_TOO_LARGE, &why, Vec::new())
}
