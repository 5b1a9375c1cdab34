//! The whole of a function's `main.rs`: settings, clients, clock, logs, connections, and the loop of the Lambda runtime.
//!
//! ```ignore
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), lambda_runtime::Error> {
//!     lambda_shell::start::batch(ingest::Env::of, ingest::handle).await
//! }
//! ```

use aws_config::SdkConfig;
use aws_lambda_events::{lambda_function_urls::LambdaFunctionUrlRequest, sqs::SqsEvent};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

use crate::{
    Failure,
    aws::{self, Patience},
    batch::BatchReport,
    clock::Clock,
    deadline::Deadline,
    log,
    settings::{BadSettings, Settings},
    web::{Request, Response},
};

/// What a function works with, and whose connections it opens before it asks for its first event.
pub trait Connect {
    fn connect(&self) -> impl Future<Output = ()>;
}

impl Connect for () {
    async fn connect(&self) {}
}

/// The one construction of a function: what it works with, of its settings, the SDK's configuration and its clock. The
/// binary and the local engine call the same.
pub trait Wiring<E>: FnOnce(&mut Settings, &SdkConfig, Clock) -> Result<E, BadSettings> {}

impl<E, F: FnOnce(&mut Settings, &SdkConfig, Clock) -> Result<E, BadSettings>> Wiring<E> for F {}

/// A function that works with nothing outside of it.
///
/// # Errors
///
/// None.
pub fn nothing(_: &mut Settings, _: &SdkConfig, _: Clock) -> Result<(), BadSettings> {
    Ok(())
}

async fn connected<E: Connect>(wiring: impl Wiring<E>, patience: Patience) -> Result<E, BadSettings> {
    let env = wiring(&mut Settings::from_environment(), &aws::function_config(patience), Clock::system())?;
    log::start();
    env.connect().await;
    Ok(env)
}

/// A queue's function.
pub async fn batch<E: Connect, T>(
    wiring: impl Wiring<E>,
    handle: impl AsyncFn(&E, SqsEvent, Deadline) -> BatchReport<T>,
) -> Result<(), Error> {
    let env = connected(wiring, Patience::Queue).await?;
    let (env, handle) = (&env, &handle);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        let deadline = Deadline::of(&event.context);
        // An error fails the whole batch, which is what a batch that cannot be read must come to.
        handle(env, event.payload, deadline).await.response().map_err(|failure| unnamed(&failure))
    }))
    .await
}

/// A page's function, behind a function URL.
pub async fn web<E: Connect>(
    wiring: impl Wiring<E>,
    handle: impl AsyncFn(&E, Request, Deadline) -> Response,
) -> Result<(), Error> {
    let env = connected(wiring, Patience::Page).await?;
    let (env, handle) = (&env, &handle);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<LambdaFunctionUrlRequest>| async move {
        let deadline = Deadline::of(&event.context);
        let request = match Request::from_event(event.payload) {
            Ok(request) => request,
            Err(expected) => {
                tracing::warn!(error = expected, "the request cannot be read");
                return Ok(Response::new(400, Vec::new(), Vec::new()).to_event());
            }
        };
        let head = request.method == "HEAD";
        let mut response = handle(env, request, deadline).await;
        if head {
            response.body.clear();
        }
        Ok::<Value, Error>(response.to_event())
    }))
    .await
}

/// A schedule's function, or any other whose event is taken as it comes.
pub async fn event<E: Connect, T>(
    wiring: impl Wiring<E>,
    handle: impl AsyncFn(&E, Value, Deadline) -> Result<T, Failure>,
) -> Result<(), Error> {
    let env = connected(wiring, Patience::Queue).await?;
    let (env, handle) = (&env, &handle);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        let deadline = Deadline::of(&event.context);
        match handle(env, event.payload, deadline).await {
            Ok(_) => Ok(Value::Null),
            Err(failure) => {
                failure.log("the invocation failed");
                Err(unnamed(&failure))
            }
        }
    }))
    .await
}

/// Lambda writes a failed invocation's message into the log itself.
fn unnamed(failure: &Failure) -> Error {
    Error::from(failure.chain())
}
