//! Systems in this process: each question is shown to a function that answers it.

use std::{
    collections::BTreeMap,
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

/// A question as the system gets it.
#[derive(Clone, Debug)]
pub struct Question {
    pub method: String,
    pub url: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Question {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// A parameter of the query.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let query = self.url.split_once('?')?.1;
        form_urlencoded::parse(query.as_bytes()).find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
    }

    /// The address without its query.
    pub fn path(&self) -> &str {
        self.url.split('?').next().unwrap_or_default()
    }
}

/// What a system does with a question.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Status, headers, body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// The connection breaks.
    Breaks,
    /// Nothing ever comes.
    Hangs,
}

impl Reply {
    pub fn ok(body: impl Into<String>) -> Self {
        Self::Answer(200, Vec::new(), body.into())
    }

    pub fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), String::new())
    }

    pub fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        match self {
            Self::Answer(status, mut headers, body) => {
                headers.push((name, value.into()));
                Self::Answer(status, headers, body)
            }
            other => other,
        }
    }
}

type Answers = dyn Fn(&Question, usize) -> Reply + Send + Sync;

/// A system. Clones are the same one.
#[derive(Clone)]
pub struct Imitation {
    answers: Arc<Answers>,
    asked: Arc<Mutex<Vec<Question>>>,
}

impl std::fmt::Debug for Imitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Imitation")
    }
}

impl Imitation {
    /// `answers` gets the question and how many came before.
    pub fn of(answers: impl Fn(&Question, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self { answers: Arc::new(answers), asked: Arc::default() }
    }

    /// Every question until now.
    pub fn asked(&self) -> Vec<Question> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many questions came since this was asked last.
    pub fn since(&self) -> usize {
        std::mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner)).len()
    }
}

impl HttpConnector for Imitation {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let headers = request.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let body = request.body().bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default();
        let question = Question { method: request.method().to_owned(), url: request.uri().to_owned(), headers, body };
        let before = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.push(question.clone());
            asked.len() - 1
        };
        let reply = (self.answers)(&question, before);
        HttpConnectorFuture::new(async move {
            // Other workers get their turn while an answer is on its way.
            tokio::task::yield_now().await;
            match reply {
                Reply::Breaks => Err(ConnectorError::io("the connection to https://secret.example broke".into())),
                Reply::Hangs => std::future::pending().await,
                Reply::Answer(status, headers, body) => {
                    let status = StatusCode::try_from(status).expect("a status");
                    let mut response = HttpResponse::new(status, SdkBody::from(body));
                    for (name, value) in headers {
                        response.headers_mut().append(name, value);
                    }
                    Ok(response)
                }
            }
        })
    }
}
