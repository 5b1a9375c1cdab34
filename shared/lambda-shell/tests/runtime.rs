//! A function in a process of its own, against a stand-in of the Lambda runtime API on loopback: what is posted back.
//!
//! The process is this very test binary, started again for one of the `function_*` tests; without the stand-in's address
//! in the environment those have nothing to do.

use std::{
    cell::Cell,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};

use lambda_shell::{Failure, batch, start, web::Response};
use serde_json::{Value, json};

const STAND_IN: &str = "AWS_LAMBDA_RUNTIME_API";

fn run(function: impl Future<Output = Result<(), lambda_runtime::Error>>) {
    if std::env::var_os(STAND_IN).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(function).unwrap();
    }
}

/// Whether its connections were opened.
struct Connected(Cell<bool>);

impl start::Connect for Connected {
    async fn connect(&self) {
        self.0.set(true);
    }
}

#[test]
fn function_batch() {
    run(start::batch(
        |_: &mut _, _: &_, _| Ok(Connected(Cell::new(false))),
        async |env: &Connected, event, deadline| {
            assert!(env.0.get(), "asked for an event before it was connected");
            batch::each(event, &deadline, |message| async move {
                match message.body.as_str() {
                    "bad" => Err(Failure::new("reading the body", "expected good, of someone@example.com")),
                    "panic" => panic!("a secret of someone@example.com"),
                    _ => Ok(()),
                }
            })
            .await
        },
    ));
}

#[test]
fn function_web() {
    run(start::web(start::nothing, async |(), request, _| {
        let headers = vec![("x-method".to_owned(), request.method.clone())];
        Response::new(200, headers, format!("{} {}", request.method, request.path))
    }));
}

#[test]
fn function_event() {
    run(start::event(start::nothing, async |(), event: Value, _| match event["fail"].as_bool() {
        Some(true) => Err(Failure::new("looking at what is due", "no, said someone@example.com")),
        _ => Ok(()),
    }));
}

/// Kills the function whatever becomes of the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Gives a function the events, one after the other; answers what was posted for each (path's last word, body) and
/// what the function wrote.
fn serve(function: &str, events: &[Value]) -> (Vec<(String, Value)>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", function, "--nocapture"])
        .env(STAND_IN, listener.local_addr().unwrap().to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "sample")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "g")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "s")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut process = Process(child);
    let mut posted = Vec::new();
    let mut waiting = events.iter();
    'events: for connection in listener.incoming() {
        let mut connection = BufReader::new(connection.unwrap());
        while let Some((line, body)) = request(&mut connection) {
            if line.starts_with("GET") {
                let Some(event) = waiting.next() else { break 'events };
                next(connection.get_mut(), event);
            } else {
                let path = line.split(' ').nth(1).unwrap_or_default();
                let word = path.rsplit('/').next().unwrap_or_default().to_owned();
                posted.push((word, serde_json::from_slice(&body).unwrap()));
                connection.get_mut().write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").unwrap();
            }
        }
    }
    process.0.kill().unwrap();
    let mut said = String::new();
    process.0.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    process.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (posted, said)
}

/// The request line and the body; `None` at the end of the connection.
fn request(connection: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut first = String::new();
    connection.read_line(&mut first).ok().filter(|read| *read > 0)?;
    let mut length = 0;
    let mut chunked = false;
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).ok()?;
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        chunked |= line.starts_with("transfer-encoding:") && line.contains("chunked");
    }
    assert!(!chunked, "a buffered answer has a length");
    let mut body = vec![0; length];
    connection.read_exact(&mut body).ok()?;
    Some((first.trim().to_owned(), body))
}

fn next(connection: &mut TcpStream, event: &Value) {
    let body = event.to_string();
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() + 30_000;
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nlambda-runtime-aws-request-id: r-1\r\n\
         lambda-runtime-deadline-ms: {deadline}\r\nlambda-runtime-invoked-function-arn: arn:x\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).unwrap();
    connection.write_all(body.as_bytes()).unwrap();
}

#[test]
fn a_batch_is_answered_record_by_record_and_nobodys_address_is_logged() {
    let record =
        |id: &str, body: &str| json!({ "messageId": id, "body": body, "attributes": {}, "messageAttributes": {} });
    let records = [record("m1", "good"), record("m2", "bad"), record("m3", "panic"), record("m4", "good")];
    let nameless = json!({ "Records": [{ "body": "good", "attributes": {}, "messageAttributes": {} }] });
    let (posted, said) = serve("function_batch", &[json!({ "Records": records }), nameless, json!({ "Records": [] })]);
    let failures = json!({ "batchItemFailures": [{ "itemIdentifier": "m2" }, { "itemIdentifier": "m3" }] });
    assert_eq!(posted[0], ("response".into(), failures));
    assert_eq!(posted[1].0, "error", "an unreadable batch fails the invocation: {:?}", posted[1]);
    assert_eq!(posted[2], ("response".into(), json!({ "batchItemFailures": [] })));

    let lines: Vec<Value> = said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let about = |id: &str| {
        let failed = |line: &&Value| line["message_id"] == id && line["error"].is_string();
        lines.iter().find(failed).unwrap_or_else(|| panic!("{id}: {said}"))
    };
    assert_eq!(about("m2")["error"], "reading the body: expected good, of ***@***");
    assert_eq!(about("m2")["function_request_id"], "r-1");
    assert_eq!(about("m2")["service"], "sample");
    assert_eq!(about("m3")["error"], "handling the record: panicked");
    // Which record it was is known: the line is within that record's span.
    let panicked = lines.iter().find(|line| line["message"] == "panicked").unwrap_or_else(|| panic!("{said}"));
    assert!(panicked["place"].is_string() && panicked["message_id"] == "m3", "{panicked}");
    assert!(!said.contains("example.com"), "{said}");
}

#[test]
fn a_page_is_answered_and_head_gets_no_body() {
    let event = |method: &str| {
        json!({
            "rawPath": "/adopt/t", "headers": {}, "isBase64Encoded": false,
            "requestContext": { "timeEpoch": 0, "http": { "method": method, "path": "/adopt/t" } }
        })
    };
    let mut pathless = event("GET");
    pathless["body"] = "%".into();
    pathless["isBase64Encoded"] = true.into();
    let (posted, _) = serve("function_web", &[event("GET"), event("HEAD"), pathless]);
    let bodies: Vec<_> =
        posted.iter().map(|(_, answer)| (answer["statusCode"].clone(), answer["body"].clone())).collect();
    assert_eq!(bodies, [(json!(200), json!("GET /adopt/t")), (json!(200), json!("")), (json!(400), json!(""))]);
    assert_eq!(posted[1].1["headers"]["x-method"], "HEAD");
}

#[test]
fn a_schedules_failure_fails_the_invocation() {
    let (posted, _) = serve("function_event", &[json!({}), json!({ "fail": true })]);
    assert_eq!(posted[0], ("response".into(), Value::Null));
    assert_eq!(posted[1].0, "error");
    assert_eq!(posted[1].1["errorMessage"], "looking at what is due: no, said ***@***");
}
