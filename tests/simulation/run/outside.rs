//! What comes from outside: sources that say things, people and scanners on links, the mailer, the operator.

use holdpoint::queues::Outgoing;
use serde_json::json;

use super::Run;
use crate::{
    audit::Posted,
    people,
    scene::{Event, instant},
    worker,
};

impl Run {
    pub(super) async fn say(&mut self, event: Event) -> Result<(), String> {
        self.tell(format!("said: {} ({})", event.about, event.body["id"]));
        self.audit.said(&event.body);
        self.put(event.body.to_string()).await?;
        self.said.push(event);
        Ok(())
    }

    pub(super) async fn put(&self, body: String) -> Result<(), String> {
        let queue = worker::source_queue(&self.engine, "ingest");
        let outgoing = Outgoing { body, ..Outgoing::default() };
        self.engine.queues().send(&queue, outgoing).await.map(drop).map_err(|refusal| refusal.to_string())
    }

    /// In order as a rule; sometimes out of it, sometimes again.
    pub(super) async fn say_next(&mut self) -> Result<(), String> {
        if self.rng.u8(..6) == 0 && !self.said.is_empty() {
            let again = self.said[self.rng.usize(..self.said.len())].clone();
            return self.say(again).await;
        }
        let among = self.coming.len().min(if self.rng.u8(..4) == 0 { 4 } else { 1 });
        if among == 0 {
            return Ok(());
        }
        let index = self.rng.usize(..among);
        match self.coming.remove(index) {
            Some(event) => self.say(event).await,
            None => Ok(()),
        }
    }

    /// Somebody, or a scanner, opens a link or sends the page they have open.
    pub(super) async fn visit(&mut self, worker: usize) -> Result<(), String> {
        if !self.open.is_empty() && self.rng.u8(..3) > 0 {
            let index = self.open.len() - 1 - self.rng.usize(..self.open.len().min(3));
            // Sent twice now and then: the page stays open.
            let (path, seal) = match self.rng.u8(..3) {
                0 => self.open[index].clone(),
                _ => self.open.remove(index),
            };
            let adopting = path.starts_with("/adopt/");
            let (field, choice) = match (adopting, self.rng.u8(..6)) {
                (true, 0) => ("choice", "decline_other_slot"),
                (true, 1) => ("choice", "decline_stand"),
                (true, 2) => ("choice", "send_link"),
                (true, _) => ("choice", "adopt"),
                (false, 0 | 1) => ("answer", "conflict"),
                (false, _) => ("answer", "acknowledged"),
            };
            let by = self.links.iter().find(|(_, known)| *known == path).map(|(to, _)| to.clone());
            self.tell(format!("worker {worker}: {} sends {choice}", by.as_deref().unwrap_or("a stranger")));
            self.audit.posted(&Posted { by, choice: choice.to_owned() });
            let request = people::post(&path, &seal, field, choice);
            return self.open_page(worker, request, false).await;
        }
        if self.links.is_empty() {
            return Ok(());
        }
        let newest = self.links.iter().rposition(|(_, path)| path.starts_with("/adopt/"));
        let index = match (newest, self.rng.u8(..3)) {
            (Some(newest), 0 | 1) => newest,
            _ => self.rng.usize(..self.links.len()),
        };
        let (to, mut path) = self.links[index].clone();
        let method = if self.rng.u8(..6) == 0 { "HEAD" } else { "GET" };
        if self.rng.u8(..12) == 0 {
            let last = path.pop();
            path.push(if last == Some('A') { 'B' } else { 'A' });
        }
        self.tell(format!("worker {worker}: {method} of the link to {to}"));
        let request = people::look(method, &path);
        self.open_page(worker, request, true).await
    }

    async fn open_page(
        &mut self,
        worker: usize,
        request: lambda_shell::web::Request,
        looks_only: bool,
    ) -> Result<(), String> {
        let function = if request.path.starts_with("/adopt/") { "adopt" } else { "acknowledge" };
        self.begin(worker, function, None, Vec::new());
        if let Some(at) = &mut self.at[worker] {
            (at.path, at.looks_only) = (Some(request.path.clone()), looks_only);
        }
        self.workers[worker].begin_page(request);
        self.go_on(worker, None).await
    }

    /// The mailer says what became of a mail.
    pub(super) async fn report(&mut self) -> Result<(), String> {
        let mails = self.engine.mailbox().all();
        if mails.is_empty() {
            return Ok(());
        }
        let mail = &mails[self.rng.usize(..mails.len())];
        let bounced = self.rng.bool();
        let (kind, word) = if bounced { ("Email Bounced", "Bounce") } else { ("Email Delivered", "Delivery") };
        let at = instant(mail.at);
        let to = mail.to.first().cloned().unwrap_or_default();
        let tags: serde_json::Map<String, serde_json::Value> =
            mail.tags.iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
        let mut detail = json!({
            "eventType": word,
            "mail": {
                "timestamp": at, "source": mail.from, "messageId": mail.message_id, "destination": [to], "tags": tags,
            },
        });
        if bounced {
            let recipients = json!([{ "emailAddress": to, "action": "failed", "status": "5.1.1" }]);
            detail["bounce"] = json!({
                "bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": recipients,
                "timestamp": at,
            });
        } else {
            detail["delivery"] = json!({
                "timestamp": at, "processingTimeMillis": 100, "recipients": [to], "smtpResponse": "250 OK",
            });
        }
        let body = json!({
            "version": "0", "id": format!("{}-{word}", mail.message_id), "detail-type": kind, "source": "aws.ses",
            "account": "000000000000", "time": at, "region": "local", "resources": [], "detail": detail,
        });
        self.tell(format!("the mailer: the mail to {to} came to a {word}"));
        self.put(body.to_string()).await
    }

    /// What was tried too often waits for the operator, who sends it again. Whether there was any.
    pub(super) async fn redrive(&mut self) -> Result<bool, String> {
        let queues = self.engine.queues().clone();
        let mut any = false;
        let dead = self.engine.topology().dead_letter_queues().map(|(dead, _)| dead.name.clone()).collect::<Vec<_>>();
        for name in dead {
            for letter in queues.look(&name).map_err(|refusal| refusal.to_string())? {
                queues.redrive(&name, letter.sequence).await.map_err(|refusal| refusal.to_string())?;
                self.tell(format!("the operator sends again what is on {name}"));
                any = true;
            }
        }
        Ok(any)
    }
}
