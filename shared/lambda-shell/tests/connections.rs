//! What a knock is on the wire, and that the first request after it finds its connection open.

use std::sync::{Arc, Mutex};

use aws_sdk_sqs::config::{Credentials, Region, SharedCredentialsProvider};
use lambda_shell::{aws, connections};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// A request as it came: on which connection, its first line, its headers' names, its body.
#[derive(Clone, Debug)]
struct Came {
    connection: usize,
    line: String,
    headers: Vec<String>,
    body: String,
}

/// Keeps every connection open: knocks are answered as said, all else as an empty list.
async fn service(to_a_knock: &'static str) -> (String, Arc<Mutex<Vec<Came>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("its address"));
    let came = Arc::new(Mutex::new(Vec::new()));
    let kept = came.clone();
    tokio::spawn(async move {
        for connection in 0.. {
            let Ok((stream, _)) = listener.accept().await else { return };
            tokio::spawn(serve(connection, stream, to_a_knock, kept.clone()));
        }
    });
    (endpoint, came)
}

async fn serve(connection: usize, stream: TcpStream, to_a_knock: &str, came: Arc<Mutex<Vec<Came>>>) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_ascii_lowercase()),
            }
        }
        let length = lines.iter().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.expect("a body");
        let headers = lines[1..].iter().filter_map(|line| Some(line.split_once(':')?.0.to_owned())).collect();
        let line = lines[0].clone();
        let (status, answer) = if line.starts_with("get") { (to_a_knock, "<no/>") } else { ("200 OK", "{}") };
        let body = String::from_utf8(body).expect("text");
        came.lock().expect("nobody panicked").push(Came { connection, line, headers, body });
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
        stream.write_all(answer.as_bytes()).await.expect("the client is there");
    }
}

fn config(endpoint: &str) -> aws_config::SdkConfig {
    aws_config::SdkConfig::builder()
        .behavior_version(aws::behavior())
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("id", "secret", None, None, "test")))
        .endpoint_url(endpoint)
        .timeout_config(aws::timeouts(aws::Patience::Queue))
        .retry_config(aws::retries())
        .http_client(aws::http_client())
        .build()
}

#[tokio::test]
async fn the_first_request_finds_the_connection_open() {
    let (endpoint, came) = service("404 Not Found").await;
    let config = config(&endpoint);
    let (queues, table) = (aws_sdk_sqs::Client::new(&config), aws_sdk_dynamodb::Client::new(&config));
    connections::sqs(&queues).await;
    queues.list_queues().send().await.expect("an answer");
    connections::dynamodb(&table).await;
    table.list_tables().send().await.expect("an answer");

    let came = came.lock().expect("nobody panicked").clone();
    let lines: Vec<&str> = came.iter().map(|request| request.line.as_str()).collect();
    assert_eq!(lines, ["get / http/1.1", "post / http/1.1", "get / http/1.1", "post / http/1.1"]);
    assert!(came.iter().all(|request| request.connection == 0), "more than one connection: {came:?}");
    for knock in came.iter().step_by(2) {
        assert_eq!(knock.body, "");
        assert!(!knock.headers.iter().any(|name| name == "x-amz-target"), "names an action: {knock:?}");
    }
}

#[tokio::test]
async fn a_knock_that_fails_is_not_repeated() {
    let (endpoint, came) = service("503 Service Unavailable").await;
    connections::dynamodb(&aws_sdk_dynamodb::Client::new(&config(&endpoint))).await;
    connections::sqs(&aws_sdk_sqs::Client::new(&config(&endpoint))).await;
    assert_eq!(came.lock().expect("nobody panicked").len(), 2);
}
