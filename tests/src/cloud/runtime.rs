//! A small stand-in for the Lambda runtime API, and a function's process before it: what Lambda itself is to a binary.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path as Segment, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

/// What a function said of an invocation.
#[derive(Clone, PartialEq, Debug)]
pub enum Said {
    Response(Value),
    Error(Value),
}

/// A function's process. Ends with this value.
#[derive(Debug)]
pub struct Process {
    child: Option<Child>,
    /// What the process writes is read as it comes: a full pipe would stop the process.
    written: Option<[std::thread::JoinHandle<Vec<u8>>; 2]>,
}

fn read_out(mut from: impl std::io::Read + Send + 'static) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut all = Vec::new();
        // What was read until the pipe broke is what there is.
        let _ = from.read_to_end(&mut all);
        all
    })
}

impl Process {
    /// As the system knows it; 0 once it ended.
    pub fn id(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// Asks it to end, as Lambda does.
    pub fn terminate(&self) -> Result<(), String> {
        let id = self.child.as_ref().map(|child| child.id().to_string()).unwrap_or_default();
        let told = Command::new("kill").args(["-TERM", &id]).status().map_err(|error| error.to_string())?;
        if told.success() { Ok(()) } else { Err(format!("kill: {told}")) }
    }

    /// Its end, and what it wrote until then.
    pub async fn ended(mut self) -> Result<Output, String> {
        let (mut child, written) = self.child.take().zip(self.written.take()).ok_or("no process")?;
        let ended = move || {
            let status = child.wait().map_err(|error| error.to_string())?;
            let [stdout, stderr] = written.map(|reader| reader.join().unwrap_or_default());
            Ok(Output { status, stdout, stderr })
        };
        tokio::task::spawn_blocking(ended).await.map_err(|error| error.to_string())?
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

struct Invocation {
    id: String,
    event: Value,
    deadline_millis: u128,
}

struct Shared {
    next: tokio::sync::Mutex<mpsc::Receiver<Invocation>>,
    asked: mpsc::Sender<()>,
    answers: Mutex<BTreeMap<String, oneshot::Sender<Said>>>,
}

/// Serves one process. Ends with this value.
#[derive(Debug)]
pub struct RuntimeApi {
    address: String,
    hand_over: mpsc::Sender<Invocation>,
    /// One for every time the process asked for work.
    asked: mpsc::Receiver<()>,
    shared: Arc<Shared>,
    numbers: AtomicU64,
    server: JoinHandle<()>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

impl RuntimeApi {
    pub async fn start() -> Result<Self, String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?.to_string();
        let (hand_over, next) = mpsc::channel(16);
        let (noted, asked) = mpsc::channel(64);
        let shared = Arc::new(Shared { next: tokio::sync::Mutex::new(next), asked: noted, answers: Mutex::default() });
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next_invocation))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .with_state(shared.clone());
        let server = tokio::spawn(async move {
            // It ends when its task is ended.
            let _ = axum::serve(listener, routes).await;
        });
        Ok(Self { address, hand_over, asked, shared, numbers: AtomicU64::new(1), server })
    }

    /// Ready when the process asks for work.
    pub async fn wanted(&mut self) -> Result<(), String> {
        self.asked.recv().await.ok_or_else(|| "the runtime API ended".to_owned())
    }

    /// Hands one event over, and waits for what is said of it.
    pub async fn invoke(&self, event: Value, left: Duration) -> Result<Said, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?;
        let id = format!("00000000-0000-0000-0000-{:012}", self.numbers.fetch_add(1, Ordering::Relaxed));
        let (say, said) = oneshot::channel();
        self.shared.answers.lock().map_err(|error| error.to_string())?.insert(id.clone(), say);
        let invocation = Invocation { id, event, deadline_millis: (now + left).as_millis() };
        self.hand_over.send(invocation).await.map_err(|error| error.to_string())?;
        said.await.map_err(|_| "the runtime API ended".to_owned())
    }

    /// A function's process, with what Lambda puts into its environment and nothing else.
    pub fn spawn(&self, program: &Path, variables: &[(&str, &str)]) -> Result<Process, String> {
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.start_command(Command::new(program), &name, variables)
    }

    /// The same of a command that runs the program, one that watches the program for instance.
    pub fn start_command(
        &self,
        mut command: Command,
        name: &str,
        variables: &[(&str, &str)],
    ) -> Result<Process, String> {
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", &self.address)
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
            .env("AWS_ACCESS_KEY_ID", super::ministack::ACCOUNT)
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", super::ministack::REGION)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", command.get_program().display()))
            .and_then(|mut child| {
                let pipes = child.stdout.take().zip(child.stderr.take()).ok_or("a process without pipes")?;
                let written = Some([read_out(pipes.0), read_out(pipes.1)]);
                Ok(Process { child: Some(child), written })
            })
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn next_invocation(State(shared): State<Arc<Shared>>) -> Response {
    // Nobody counts them beyond the first: a full channel must not keep the process waiting.
    let _ = shared.asked.try_send(());
    let Some(invocation) = shared.next.lock().await.recv().await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = [
        ("lambda-runtime-aws-request-id", invocation.id),
        ("lambda-runtime-deadline-ms", invocation.deadline_millis.to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-central-1:000000000000:function:x".to_owned()),
        ("content-type", "application/json".to_owned()),
    ];
    (headers, invocation.event.to_string()).into_response()
}

async fn response(State(shared): State<Arc<Shared>>, Segment(id): Segment<String>, body: Bytes) -> StatusCode {
    say(&shared, &id, Said::Response(serde_json::from_slice(&body).unwrap_or_default()))
}

async fn error(State(shared): State<Arc<Shared>>, Segment(id): Segment<String>, body: Bytes) -> StatusCode {
    say(&shared, &id, Said::Error(serde_json::from_slice(&body).unwrap_or_default()))
}

fn say(shared: &Shared, id: &str, said: Said) -> StatusCode {
    let waiting = shared.answers.lock().map(|mut answers| answers.remove(id));
    match waiting {
        Ok(Some(waiting)) => {
            // Nobody waits where the test has ended.
            let _ = waiting.send(said);
            StatusCode::ACCEPTED
        }
        _ => StatusCode::NOT_FOUND,
    }
}
