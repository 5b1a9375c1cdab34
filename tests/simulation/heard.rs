//! What is heard otherwise than by events: a system that answers when it is asked, and people's calendar programs.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicUsize, Ordering},
};

use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture},
        orchestrator::{HttpRequest, HttpResponse},
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use base64::{Engine, engine::general_purpose::STANDARD};
use mail_parser::{MessageParser, MimeHeaders};
use serde_json::{Value, json};

use crate::scene;

/// What the roster is about: a service that no review is of.
const SERVICE: &str = "payments";
const ROLE: &str = "release_manager";
/// The subject of the fact that comes of it.
pub const SUBJECT: &str = "delegation#payments#release_manager";
const MAIL_SERVER: &str = "mx.example.com";

/// What a world in which more is heard has in its policy.
pub fn bound(policy: &mut Value) {
    let reply = json!({ "kind": "reply", "source": "//mail.example.com", "governed_by": "gov@example.com" });
    if let Some(sources) = policy["sources"].as_array_mut() {
        sources.push(reply);
    }
    policy["native"] = json!([
        { "format": "mail.received", "source": "//mail.example.com", "authserv_id": MAIL_SERVER },
        {
            "format": "roster.csv", "name": "roster", "source": "//delegation.example.com",
            "services": [SERVICE], "roles": [ROLE],
            "poll": { "url": "https://roster.example/r.csv", "every_minutes": 5 },
        },
    ]);
}

/// A system that keeps a roster. Clones are the same system.
#[derive(Clone, Debug)]
pub struct RosterSystem {
    holder: Arc<AtomicUsize>,
    /// The right time.
    now: Arc<AtomicI64>,
}

impl RosterSystem {
    pub fn new(now: Arc<AtomicI64>) -> Self {
        Self { holder: Arc::default(), now }
    }

    /// Another person holds the role from now on.
    pub fn change(&self) {
        self.holder.fetch_add(1, Ordering::SeqCst);
    }

    pub fn holder(&self) -> String {
        scene::person(self.holder.load(Ordering::SeqCst) % 6)
    }
}

impl HttpConnector for RosterSystem {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let header = "service,role,person,rank,status,valid_from,valid_until";
        let body = format!("{header}\r\n{SERVICE},{ROLE},{},,holder,,\r\n", self.holder());
        let now = chrono::DateTime::from_timestamp_millis(self.now.load(Ordering::SeqCst)).expect("a time");
        let mut response = HttpResponse::new(StatusCode::try_from(200).expect("a status"), SdkBody::from(body));
        response.headers_mut().insert("date", now.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
        HttpConnectorFuture::ready(Ok(response))
    }
}

/// A calendar object that somebody was mailed, as far as their calendar program answers it.
#[derive(Clone, Debug)]
pub struct Invitation {
    pub to: String,
    uid: String,
    sequence: String,
}

impl Invitation {
    pub fn of(to: &str, raw: &[u8]) -> Option<Self> {
        let message = MessageParser::default().parse(raw)?;
        let calendar = |part: &&mail_parser::MessagePart<'_>| {
            part.content_type().is_some_and(|kind| kind.ctype() == "text" && kind.subtype() == Some("calendar"))
        };
        let text = String::from_utf8_lossy(message.parts.iter().find(calendar)?.contents()).replace("\r\n ", "");
        let value = |name: &str| text.lines().find_map(|line| line.trim_end().strip_prefix(name).map(str::to_owned));
        (value("METHOD:")? == "REQUEST").then_some(())?;
        Some(Self { to: to.to_owned(), uid: value("UID:")?, sequence: value("SEQUENCE:")? })
    }
}

/// What somebody sends from a calendar program.
#[derive(Clone, Debug)]
pub struct SentReply {
    pub from: String,
    /// Whose answer it is said to be.
    pub attendee: String,
    pub accepts: bool,
    /// Whether the mail server says that the sender is the sender.
    pub is_proven: bool,
}

impl SentReply {
    /// The message of the door for mail. `number`: what tells this mail from others.
    pub fn message(&self, invitation: &Invitation, number: usize, now: i64) -> Value {
        let Self { from, attendee, accepts, is_proven } = self;
        let verdict = if *is_proven { "pass" } else { "fail" };
        let word = if *accepts { "ACCEPTED" } else { "DECLINED" };
        let at = chrono::DateTime::from_timestamp_millis(now).expect("a time").format("%Y%m%dT%H%M%SZ");
        let Invitation { uid, sequence, .. } = invitation;
        let raw = format!(
            "Authentication-Results: {MAIL_SERVER}; dmarc={verdict} header.from=example.com\r\nFrom: <{from}>\r\n\
             Message-ID: <{number}@example.com>\r\nContent-Type: text/calendar; charset=utf-8; method=REPLY\r\n\r\n\
             BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nSEQUENCE:{sequence}\r\n\
             DTSTAMP:{at}\r\nATTENDEE;PARTSTAT={word}:mailto:{attendee}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        let body = json!({ "mail": STANDARD.encode(raw), "recipients": ["replies@holdpoint.example"] });
        json!({ "format": "mail.received", "headers": {}, "body": body })
    }
}
