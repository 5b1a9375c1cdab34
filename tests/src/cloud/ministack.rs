//! A running ministack: AWS's services over real HTTP, in a process of its own on loopback.

use std::{
    fs::File,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use aws_config::{BehaviorVersion, Region, SdkConfig, stalled_stream_protection::StalledStreamProtectionConfig};
use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};
use http::Request;
use serde_json::{Value, json};

use super::{
    http::{Http, text},
    tools::{self, Set},
};

/// The account and region it plays.
pub const ACCOUNT: &str = "000000000000";
pub const REGION: &str = "eu-central-1";

/// How often, and with which pause, a starting server is asked whether it is there: Python on a busy machine.
const ASKED: u32 = 600;
const PAUSE: Duration = Duration::from_millis(100);

/// Ends with this value.
#[derive(Debug)]
pub struct Ministack {
    child: Child,
    folder: PathBuf,
    port: u16,
    http: Http,
}

/// A mail it took, as far as it can be read back: parsed by a MIME reader that is none of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mail {
    pub message_id: String,
    pub from: String,
    pub to: Vec<String>,
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// What it is started with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Every call is held against the caller's IAM policies.
    pub enforce_iam: bool,
}

impl Ministack {
    pub async fn start(options: Options) -> Result<Self, String> {
        let programs = tools::installed(Set::Test)?;
        let port = free_port()?;
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("holdpoint-ministack-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let log = File::create(folder.join("log")).map_err(|error| format!("its log: {error}"))?;
        let log_too = log.try_clone().map_err(|error| format!("its log: {error}"))?;
        let mut command = Command::new(programs.join("ministack"));
        command
            .current_dir(&folder)
            // Its default is every interface of the machine.
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("MINISTACK_HOST", "127.0.0.1")
            .env("MINISTACK_REGION", REGION)
            .env("MINISTACK_ACCOUNT_ID", ACCOUNT)
            .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
            // What it unpacks belongs to this run.
            .env("TMPDIR", &folder)
            .env("LOG_LEVEL", "INFO")
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(log_too);
        if options.enforce_iam {
            command.env("AUTH", "true");
        }
        let child = command.spawn().map_err(|error| format!("ministack: {error}"))?;
        let mut stack = Self { child, folder, port, http: Http::default() };
        stack.wait_until_it_answers().await?;
        Ok(stack)
    }

    async fn wait_until_it_answers(&mut self) -> Result<(), String> {
        let health = format!("{}/_ministack/health", self.endpoint());
        let mut last = String::new();
        for _ in 0..ASKED {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("ministack ended: {status}: {}", self.log()));
            }
            match self.http.get(&health).await {
                Ok(response) if response.status() == 200 => return Ok(()),
                Ok(response) => last = response.status().to_string(),
                Err(error) => last = error,
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(format!("ministack did not answer: {last}: {}", self.log()))
    }

    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    pub const fn http(&self) -> &Http {
        &self.http
    }

    /// Everything it and the functions it runs have written.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// A folder that goes with it.
    pub const fn folder(&self) -> &PathBuf {
        &self.folder
    }

    /// An operator's SDK configuration: time-outs and retries are the SDK's own, the machine may be busy.
    pub fn sdk_config(&self) -> SdkConfig {
        // Root of the account, by the convention that the access key is the account's number.
        let credentials = Credentials::new(ACCOUNT, "test", None, None, "ministack");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(REGION))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(self.endpoint())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build()
    }

    /// A call of one of the JSON protocols whose SDK crate nothing else here needs.
    pub async fn call(&self, service: &str, target: &str, request: &Value) -> Result<Value, String> {
        let content = if target.starts_with("secretsmanager") { "1.1" } else { "1.0" };
        let request = self
            .signed(Request::post(self.endpoint()), service)
            .header("content-type", format!("application/x-amz-json-{content}"))
            .header("x-amz-target", target)
            .body(request.to_string().into_bytes())
            .map_err(|error| error.to_string())?;
        let answer = self.accepted(target, request).await?;
        serde_json::from_str(&answer).map_err(|error| format!("{target}: {error}: {answer}"))
    }

    /// A call of the query protocol; the answer is XML.
    pub async fn query(&self, service: &str, parameters: &[(&str, &str)]) -> Result<String, String> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(parameters);
        let request = self
            .signed(Request::post(self.endpoint()), service)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.finish().into_bytes())
            .map_err(|error| error.to_string())?;
        self.accepted(service, request).await
    }

    pub async fn create_bucket(&self, bucket: &str) -> Result<(), String> {
        let body = format!(
            "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
        );
        let request = self.signed(Request::put(format!("{}/{bucket}", self.endpoint())), "s3");
        let request = request.body(body.into_bytes()).map_err(|error| error.to_string())?;
        self.accepted("CreateBucket", request).await.map(drop)
    }

    pub async fn put_object(&self, bucket: &str, key: &str, body: Vec<u8>) -> Result<(), String> {
        let url = format!("{}/{bucket}/{key}", self.endpoint());
        let request = self.signed(Request::put(url), "s3").body(body).map_err(|error| error.to_string())?;
        self.accepted("PutObject", request).await.map(drop)
    }

    /// It reads region, service and caller of the signature and does not compute it.
    pub fn signed(&self, request: http::request::Builder, service: &str) -> http::request::Builder {
        let scope = format!("{ACCOUNT}/20260101/{REGION}/{service}/aws4_request");
        let value = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        request.header("authorization", value)
    }

    async fn accepted(&self, doing: &str, request: Request<Vec<u8>>) -> Result<String, String> {
        let response = self.http.send(request).await?;
        match response.status().is_success() {
            true => Ok(text(&response)),
            false => Err(format!("{doing}: {}: {}", response.status(), text(&response))),
        }
    }

    /// Every mail so far, oldest first.
    pub async fn mails(&self) -> Result<Vec<Mail>, String> {
        let response = self.http.get(&format!("{}/_ministack/ses/messages", self.endpoint())).await?;
        let read: Value = serde_json::from_slice(response.body()).map_err(|error| error.to_string())?;
        // By account.
        let list = read["messages"].as_object().ok_or_else(|| format!("messages: expected an object: {read}"))?;
        let list = list.values().flat_map(|mails| mails.as_array().into_iter().flatten());
        let word = |mail: &Value, member: &str| mail[member].as_str().unwrap_or_default().to_owned();
        Ok(list
            .map(|mail| Mail {
                message_id: word(mail, "MessageId"),
                from: word(mail, "Source"),
                to: mail["To"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|to| Some(to.as_str()?.to_owned()))
                    .collect(),
                subject: word(mail, "Subject"),
                text: word(mail, "BodyText"),
                html: word(mail, "BodyHtml"),
            })
            .collect())
    }
}

impl Drop for Ministack {
    fn drop(&mut self) {
        // Asked first, so that it ends the functions it runs; then made to.
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status();
        for _ in 0..50 {
            if asked.is_err() || matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                break;
            }
            std::thread::sleep(PAUSE);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Free a moment ago; nobody else here takes fixed ports.
fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| format!("a free port: {error}"))?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}

/// A `CreateTable` call with the template's own words.
pub async fn create_table(stack: &Ministack, name: &str, definition: &Value) -> Result<(), String> {
    let mut request = definition.clone();
    request["TableName"] = json!(name);
    stack.call("dynamodb", "DynamoDB_20120810.CreateTable", &request).await.map(drop)
}
