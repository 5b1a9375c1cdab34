//! SES v2 over the wire (REST JSON): `SendEmail` with a raw message, kept in the mailbox.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::json;

use super::{Reply, simulator};
use crate::{
    mailbox::{Mailbox, Outgoing},
    queues::{self, Queues},
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendEmail {
    from_email_address: Option<String>,
    destination: Option<Destination>,
    content: Content,
    #[serde(default)]
    email_tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Destination {
    #[serde(default)]
    to_addresses: Vec<String>,
    #[serde(default)]
    cc_addresses: Vec<String>,
    #[serde(default)]
    bcc_addresses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    raw: Option<Raw>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Raw {
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    name: String,
    value: String,
}

/// `reports`: where to say what became of mail to the simulator.
pub async fn serve(mailbox: &Mailbox, reports: Option<(&Queues, &str)>, body: &[u8]) -> Reply {
    let outgoing = match read(body) {
        Ok(outgoing) => outgoing,
        Err(what) => return error(400, "BadRequestException", &what),
    };
    if mailbox.is_paused() {
        return error(400, "SendingPausedException", "Email sending is disabled for this account.");
    }
    if outgoing.to.iter().any(|to| simulator::refuses(to)) {
        return error(400, "MessageRejected", "The simulator refuses every message to this address.");
    }
    let mail = match mailbox.send(outgoing).await {
        Ok(mail) => mail,
        Err(why) => return error(500, "InternalServiceErrorException", &why),
    };
    if let Some((queues, queue)) = reports {
        for report in simulator::reports(&mail) {
            let outgoing = queues::Outgoing { body: report.to_string(), ..queues::Outgoing::default() };
            // The message is out. As on the bus, a report that gets lost is lost.
            if let Err(refusal) = queues.send(queue, outgoing).await {
                tracing::warn!(error = %refusal, "a report of the mailer was lost");
            }
        }
    }
    Reply::json(200, json!({ "MessageId": mail.message_id }).to_string())
}

fn read(body: &[u8]) -> Result<Outgoing, String> {
    let request: SendEmail = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    // The recipients in the message's header are nobody's business here: the envelope says who gets it.
    let destination = request.destination.ok_or("Destination: expected one, found none")?;
    let to: Vec<String> =
        [destination.to_addresses, destination.cc_addresses, destination.bcc_addresses].into_iter().flatten().collect();
    if to.is_empty() || to.len() > 50 {
        return Err(format!("Destination: expected 1 to 50 recipients, found {}", to.len()));
    }
    let raw = request.content.raw.ok_or("Content.Raw: only raw messages are taken here")?;
    let raw = STANDARD.decode(raw.data).map_err(|error| format!("Content.Raw.Data: expected base64: {error}"))?;
    if let Some(line) = raw.split(|byte| *byte == b'\n').find(|line| line.len() > 999) {
        return Err(format!("a line of {} bytes: SES takes less than 1,000", line.len()));
    }
    Ok(Outgoing {
        from: request.from_email_address.ok_or("FromEmailAddress: expected one, found none")?,
        to,
        tags: request.email_tags.into_iter().map(|tag| (tag.name, tag.value)).collect(),
        raw,
    })
}

pub fn error(status: u16, kind: &str, message: &str) -> Reply {
    let mut reply = Reply::json(status, json!({ "message": message }).to_string());
    reply.headers.push(("x-amzn-errortype", kind.to_owned()));
    reply
}
