//! The poller's part in a replay: the recorded answers of a system take the place of the network.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use lambda_shell::deadline::Deadline;
use poll::Web;

use super::{
    records::PollRecord,
    scenario::{RecordedPoll, RecordedResponse},
};
use crate::{engine::Engine, not_done::NotDone};

/// Answers in the order in which they were given.
#[derive(Clone, Debug)]
struct Recorded(Arc<Mutex<VecDeque<RecordedResponse>>>);

impl HttpConnector for Recorded {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let next = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        HttpConnectorFuture::ready(match next {
            Some(response) => answered(response),
            None => Err(ConnectorError::io("the conversation has no further answer".into())),
        })
    }
}

fn answered(response: RecordedResponse) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(response.status).map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut answer = HttpResponse::new(status, SdkBody::from(response.body));
    for (name, value) in response.headers {
        answer.headers_mut().try_insert(name, value).map_err(|error| ConnectorError::other(error.into(), None))?;
    }
    Ok(answer)
}

/// Asks a binding now, whatever is due, with this conversation as its system.
///
/// # Errors
/// No polled binding has the name; answers were left over; the store failed.
pub async fn play(engine: &Engine, conversation: &RecordedPoll) -> Result<PollRecord, NotDone> {
    let RecordedPoll { binding, responses } = conversation;
    let recorded = Recorded(Arc::new(Mutex::new(responses.iter().cloned().collect())));
    let env = engine.functions().poll.by_way_of(Web::through(recorded.clone()));
    let policy = env.policy.clone();
    let bound = policy.bindings.polled().find(|bound| bound.name.as_deref() == Some(binding));
    let expected = || format!("poll.binding: expected a binding with a poll, found {binding:?}");
    let bound = bound.ok_or_else(|| NotDone::Malformed(expected()))?;
    let asking = async {
        let polls = env.store.polls().await.map_err(|error| error.to_string())?;
        let known = polls.records.get(binding);
        poll::ask(&env, bound, known, Deadline::far()).await.map_err(|failure| failure.chain())
    };
    let asked = tokio::select! {
        biased;
        asked = asking => asked?,
        () = engine.faults().crashed() => return Err(format!("poll: died while asking {binding}").into()),
    };
    let asked = asked.ok_or_else(|| format!("poll.binding: another worker is asking {binding}"))?;
    let left = recorded.0.lock().unwrap_or_else(PoisonError::into_inner).len();
    // A failure ends the conversation wherever it is met.
    if left > 0 && asked.failure.is_none() {
        let why = format!("poll.responses: expected as many as are asked for, found {left} more");
        return Err(NotDone::Malformed(why));
    }
    let result = asked.failure.map_or("answered", |failure| failure.word());
    Ok(PollRecord { binding: asked.binding, result: result.to_owned(), messages: asked.messages })
}
