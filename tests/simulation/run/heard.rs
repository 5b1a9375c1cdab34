//! A system that is asked, and people who answer by mail.

use holdpoint::embedded::{Embedded, TABLE};

use super::Run;
use crate::{
    audit::Item,
    heard::{Invitation, SUBJECT, SentReply},
    scene::{self, MINUTE},
};

impl Run {
    /// Somebody answers by mail, the system has something new, or the schedule has it asked.
    pub(super) async fn hear(&mut self, idle: Option<usize>) -> Result<(), String> {
        match (self.rng.u8(..6), idle) {
            (0, _) => {
                self.system.change();
                self.tell(format!("the roster's holder is {}", self.system.holder()));
                Ok(())
            }
            (1 | 2, Some(worker)) => self.ask(worker).await,
            _ => self.reply().await,
        }
    }

    async fn ask(&mut self, worker: usize) -> Result<(), String> {
        self.tell(format!("worker {worker}: the system is asked"));
        self.begin(worker, "poll", None, Vec::new());
        self.workers[worker].begin_poll();
        self.go_on(worker, None).await
    }

    /// The newest invitation as a rule. Now and then a stranger answers for somebody, or forges their address.
    async fn reply(&mut self) -> Result<(), String> {
        let mails = self.engine.mailbox().all();
        let invited = |mail: &holdpoint::mailbox::Mail| Invitation::of(mail.to.first()?, &mail.raw);
        let invitations: Vec<Invitation> = mails.iter().filter_map(invited).collect();
        if invitations.is_empty() {
            return Ok(());
        }
        let back = self.rng.usize(..invitations.len().min(4));
        let invitation = &invitations[invitations.len() - 1 - back];
        let stranger = self.rng.u8(..5) == 0;
        let from = if stranger { scene::person(7) } else { invitation.to.clone() };
        let (accepts, is_proven) = (self.rng.u8(..3) > 0, self.rng.u8(..4) > 0);
        let reply = SentReply { from, attendee: invitation.to.clone(), accepts, is_proven };
        self.replies += 1;
        self.audit.replied(&reply);
        self.tell(format!("by mail: {reply:?}"));
        let message = reply.message(invitation, self.replies, self.now()).to_string();
        self.put(message.clone()).await?;
        // A mail server hands a mail over again where the answer to it was lost.
        if self.rng.u8(..5) == 0 { self.put(message).await } else { Ok(()) }
    }

    /// Whoever was invited answers what they were sent last, and some for others.
    pub(super) async fn answer_what_counts(&mut self) -> Result<(), String> {
        for _ in 0..6 {
            self.reply().await?;
        }
        self.rest(MINUTE).await
    }

    /// Asked on schedule for long enough, the system's newest answer is the fact.
    pub(super) async fn ask_to_the_end(&mut self) -> Result<(), String> {
        for _ in 0..3 {
            self.rest(7 * MINUTE).await?;
            self.ask(0).await?;
            self.finish(0).await?;
            // Longer than a quiet period, and a tick after it by any worker's clock.
            self.rest(4 * MINUTE + 13_000).await?;
        }
        let (holder, fact) = (self.system.holder(), fact(self.engine.embedded()).await?);
        let known = fact.as_ref().map(|item| &item.body["body"]["delegation"]["holder"]);
        match known {
            Some(known) if *known == holder.as_str() => Ok(()),
            known => Err(format!("the system says {holder}, and the fact {known:?}")),
        }
    }
}

async fn fact(store: &Embedded) -> Result<Option<Item>, String> {
    let items = store.scan(TABLE).await?;
    let key = format!("FACT#{SUBJECT}");
    let found = items.into_iter().find(|item| item["pk"]["S"] == key.as_str() && item["sk"]["S"] == "FACT");
    found.map(Item::read).transpose()
}
