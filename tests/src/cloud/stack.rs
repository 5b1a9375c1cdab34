//! The bundle deployed from `infra/template.yaml`, with the real binaries.

use std::{collections::BTreeMap, fs, time::Duration};

use serde_json::{Value, json};

use super::{
    binaries::{self, FUNCTIONS},
    ministack::{Ministack, Options},
};
use crate::repository;

pub const NAME: &str = "holdpoint";
/// One key, of bytes that are no secret.
pub const LINK_KEYS: &str = "1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const PAUSE: Duration = Duration::from_millis(250);
/// Pauses until a stack is taken not to come up.
const ASKED: u32 = 480;

#[derive(Debug)]
pub struct Deployed {
    pub cloud: Ministack,
    outputs: BTreeMap<String, String>,
}

/// What the deployment's parameters are set to.
#[derive(Clone, Debug)]
pub struct Parameters {
    pub policy: String,
    pub mail_from: String,
    pub mail_domain: String,
}

impl Deployed {
    /// As `infra/README.md` says: identity and keys first, then the packaged template. IAM is enforced.
    pub async fn deploy(parameters: &Parameters) -> Result<Self, String> {
        let programs = binaries::built()?;
        let cloud = Ministack::start(Options { enforce_iam: true }).await?;
        cloud.create_bucket("code").await?;
        for (function, program) in &programs {
            let code = binaries::packed(function, program, &parameters.policy, cloud.folder())?;
            cloud.put_object("code", &format!("{function}.zip"), code).await?;
        }
        cloud.put_object("code", "template.yaml", packaged()?.into_bytes()).await?;
        let secret =
            json!({ "Name": "holdpoint/link-keys", "SecretString": LINK_KEYS, "ClientRequestToken": "link-keys" });
        cloud.call("secretsmanager", "secretsmanager.CreateSecret", &secret).await?;
        let parameter = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let query = [
            parameter("Action", "CreateStack"),
            parameter("Version", "2010-05-15"),
            parameter("StackName", NAME),
            // As `sam deploy` does: in a request itself a template may be 51,200 bytes long, in a bucket a million.
            parameter("TemplateURL", &format!("{}/code/template.yaml", cloud.endpoint())),
            parameter("Capabilities.member.1", "CAPABILITY_IAM"),
            parameter("Capabilities.member.2", "CAPABILITY_AUTO_EXPAND"),
            parameter("Parameters.member.1.ParameterKey", "MailFrom"),
            parameter("Parameters.member.1.ParameterValue", &parameters.mail_from),
            parameter("Parameters.member.2.ParameterKey", "MailDomain"),
            parameter("Parameters.member.2.ParameterValue", &parameters.mail_domain),
        ];
        let query: Vec<(&str, &str)> = query.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        cloud.query("cloudformation", &query).await?;
        let outputs = wait_for(&cloud).await?;
        Ok(Self { cloud, outputs })
    }

    pub fn output(&self, name: &str) -> Result<&str, String> {
        self.outputs.get(name).map(String::as_str).ok_or_else(|| format!("template.yaml: expected an output {name}"))
    }

    /// Somebody with no rights but the policy of that output: the key and the secret of a shell of theirs.
    pub async fn person(&self, name: &str, policy: &str) -> Result<(String, String), String> {
        let policy = self.output(policy)?;
        let iam = |action: &'static str, more: Vec<(&'static str, String)>| async move {
            let own = [("Action", action), ("Version", "2010-05-08"), ("UserName", name)];
            let all: Vec<(&str, &str)> =
                own.into_iter().chain(more.iter().map(|(key, value)| (*key, value.as_str()))).collect();
            self.cloud.query("iam", &all).await
        };
        iam("CreateUser", Vec::new()).await?;
        iam("AttachUserPolicy", vec![("PolicyArn", policy.to_owned())]).await?;
        let key = iam("CreateAccessKey", Vec::new()).await?;
        element(&key, "AccessKeyId")
            .zip(element(&key, "SecretAccessKey"))
            .ok_or_else(|| format!("CreateAccessKey: expected a key: {key}"))
    }

    /// As `sam delete` does, until nothing of the stack is left but what it retains.
    pub async fn delete(&self) -> Result<(), String> {
        let query = |action| [("Action", action), ("Version", "2010-05-15"), ("StackName", NAME)];
        self.cloud.query("cloudformation", &query("DeleteStack")).await?;
        for _ in 0..ASKED {
            match self.cloud.query("cloudformation", &query("DescribeStacks")).await {
                Ok(answer) if answer.contains("DELETE_IN_PROGRESS") => tokio::time::sleep(PAUSE).await,
                Ok(answer) if answer.contains("DELETE_COMPLETE") => return Ok(()),
                Ok(answer) => return Err(format!("the stack is not deleted: {answer}")),
                Err(gone) if gone.contains("does not exist") => return Ok(()),
                Err(why) => return Err(why),
            }
        }
        Err("the stack is still being deleted".to_owned())
    }

    /// A request of Lambda's own API; the answer as JSON.
    pub async fn lambda(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let url = format!("{}/2015-03-31/{path}", self.cloud.endpoint());
        let request = self.cloud.signed(http::Request::builder().method(method).uri(url), "lambda");
        let request = request.body(body.to_string().into_bytes()).map_err(|error| error.to_string())?;
        let response = self.cloud.http().send(request).await?;
        let body = super::http::text(&response);
        match response.status().is_success() {
            true => serde_json::from_str(&body).map_err(|error| format!("{path}: {error}: {body}")),
            false => Err(format!("{method} {path}: {}: {body}", response.status())),
        }
    }

    /// Whether a queue's messages go to its function.
    pub async fn read_queue(&self, function: &str, on: bool) -> Result<(), String> {
        let path = format!("event-source-mappings/?FunctionName={NAME}-{function}:live");
        let listed = self.lambda("GET", &path, &Value::Null).await?;
        let id = listed["EventSourceMappings"][0]["UUID"].as_str();
        let id = id.ok_or_else(|| format!("{function}: expected a mapping, found {listed}"))?;
        self.lambda("PUT", &format!("event-source-mappings/{id}"), &json!({ "Enabled": on })).await.map(drop)
    }
}

/// The template as `sam package` leaves it: code in a bucket.
fn packaged() -> Result<String, String> {
    let file = repository().join("infra/template.yaml");
    let mut template = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    for function in FUNCTIONS {
        let (local, uploaded) = (format!("../target/lambda/{function}\n"), format!("s3://code/{function}.zip\n"));
        if !template.contains(&local) {
            return Err(format!("{}: expected code at {local}", file.display()));
        }
        template = template.replace(&local, &uploaded);
    }
    // The binaries here are of this machine's own kind. Loopback has no TLS, without which the queues refuse every call.
    // To AWS a batch of messages is sent by the right to send one; ministack asks for a right of its own. Nor does it
    // say of a mail whose it is: neither the identity nor the sender's address. It has no CodeDeploy, and its transform
    // does not look at parameters, of which GradualRollout=false leaves that out: versions and aliases stay as they are.
    // It judges who invokes an alias by the function's name alone, AWS by the alias's.
    let here = [
        ("Enabled: !Ref GradualRollout", "Enabled: false"),
        (
            "Action: sqs:SendMessage\n              Resource",
            "Action: [sqs:SendMessage, sqs:SendMessageBatch]\n              Resource",
        ),
        (
            "Action: sqs:SendMessage\n            Resource: [!",
            "Action: [sqs:SendMessage, sqs:SendMessageBatch]\n            Resource: [!",
        ),
        (":function:${AWS::StackName}-*:live", ":function:${AWS::StackName}-*"),
        ("Architectures: [arm64]", "Architectures: [x86_64]"),
        ("!Sub \"arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/*\"", "\"*\""),
        ("Condition: { StringEquals: { \"ses:FromAddress\": !Ref MailFrom } }", ""),
        ("\"aws:SecureTransport\": \"false\"", "\"aws:SecureTransport\": \"lifted\""),
    ];
    for (written, instead) in here {
        if !template.contains(written) {
            return Err(format!("{}: expected {written}", file.display()));
        }
        template = template.replace(written, instead);
    }
    Ok(template)
}

async fn wait_for(cloud: &Ministack) -> Result<BTreeMap<String, String>, String> {
    let query = [("Action", "DescribeStacks"), ("Version", "2010-05-15"), ("StackName", NAME)];
    let mut answer = String::new();
    for _ in 0..ASKED {
        answer = cloud.query("cloudformation", &query).await?;
        match element(&answer, "StackStatus").as_deref() {
            Some("CREATE_COMPLETE") => {
                let members = answer.split("<OutputKey>").skip(1);
                let read = members.filter_map(|member| {
                    let key = member.split('<').next()?.to_owned();
                    Some((key, element(member, "OutputValue")?))
                });
                return Ok(read.collect());
            }
            Some("CREATE_IN_PROGRESS") => tokio::time::sleep(PAUSE).await,
            _ => break,
        }
    }
    Err(format!("the stack did not come up: {answer}: {}", cloud.log()))
}

fn element(xml: &str, name: &str) -> Option<String> {
    let value = xml.split(&format!("<{name}>")).nth(1)?.split(&format!("</{name}>")).next()?;
    Some(value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"))
}
