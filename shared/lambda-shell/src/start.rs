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
use serde::Deserialize;
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
    /// Opens the connections that the first request needs.
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

/// What glibc's allocator may keep of what is freed: twice this. Until the first free of a block that large it keeps
/// 128 KB, and an event, whose packing alone takes more, gives its memory back to the system and takes it again.
const KEPT_BYTES: usize = 8 << 20;

/// Freeing one large block is what raises that bound. Nothing is written to the block itself.
fn keep_freed_memory() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(KEPT_BYTES)));
}

async fn connected<E: Connect>(wiring: impl Wiring<E>, patience: Patience) -> Result<E, BadSettings> {
    keep_freed_memory();
    let env = wiring(&mut Settings::from_environment(), &aws::function_config(patience), Clock::system())?;
    log::start();
    env.connect().await;
    Ok(env)
}

/// A queue's function.
///
/// # Errors
///
/// The function's settings are wrong, or the runtime ended.
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

/// A queue's function that answers requests as well, behind a function URL.
///
/// # Errors
///
/// The function's settings are wrong, or the runtime ended.
pub async fn batch_and_web<E: Connect, T>(
    wiring: impl Wiring<E>,
    handle: impl AsyncFn(&E, SqsEvent, Deadline) -> BatchReport<T>,
    answer: impl AsyncFn(&E, Request, Deadline) -> Response,
) -> Result<(), Error> {
    let env = connected(wiring, Patience::Queue).await?;
    let (env, handle, answer) = (&env, &handle, &answer);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        let deadline = Deadline::of(&event.context);
        // A batch has records, a request never has.
        if event.payload.get("Records").is_none() && event.payload.get("requestContext").is_some() {
            return Ok(answered(&event.payload, async |request| answer(env, request, deadline).await).await);
        }
        let event = serde_json::from_value(event.payload)?;
        let response = handle(env, event, deadline).await.response().map_err(|failure| unnamed(&failure))?;
        Ok::<Value, Error>(serde_json::to_value(response)?)
    }))
    .await
}

async fn answered(event: &Value, answer: impl AsyncFn(Request) -> Response) -> Value {
    let request = LambdaFunctionUrlRequest::deserialize(event).map_err(|error| error.to_string());
    match request.and_then(Request::from_event) {
        Ok(request) => {
            let head = request.method == "HEAD";
            let mut response = answer(request).await;
            if head {
                response.body.clear();
            }
            response.to_event()
        }
        Err(expected) => {
            tracing::warn!(error = expected, "the request cannot be read");
            Response::new(400, Vec::new(), Vec::new()).to_event()
        }
    }
}

/// A page's function, behind a function URL.
///
/// # Errors
///
/// The function's settings are wrong, or the runtime ended.
pub async fn web<E: Connect>(
    wiring: impl Wiring<E>,
    handle: impl AsyncFn(&E, Request, Deadline) -> Response,
) -> Result<(), Error> {
    let env = connected(wiring, Patience::Page).await?;
    let (env, handle) = (&env, &handle);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        let deadline = Deadline::of(&event.context);
        Ok::<Value, Error>(answered(&event.payload, async |request| handle(env, request, deadline).await).await)
    }))
    .await
}

/// A schedule's function, or any other whose event is taken as it comes.
///
/// # Errors
///
/// The function's settings are wrong, or the runtime ended.
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
