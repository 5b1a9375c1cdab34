//! What came by mail: an answer is the sender's own, in the sender's words, and the sender was proven. Whatever else came is a
//! comment at most.

use serde_json::Value;

use super::{Audit, ensure, steps::happenings};

impl Audit {
    pub(super) fn heard(&mut self, entry: &Value) -> Result<(), String> {
        for answer in happenings(entry, "answer").filter(|answer| !answer["by_mail"].is_null()) {
            let (by, result) =
                (answer["by"].as_str().unwrap_or_default(), answer["result"].as_str().unwrap_or_default());
            self.met.insert(format!("reply {result}"));
            let accepts = answer["reply"] == "acknowledged";
            let own = self.replies.iter().any(|reply| {
                reply.is_proven
                    && reply.from == by
                    && reply.attendee == by
                    && (result != "recorded" || reply.accepts == accepts)
            });
            ensure(own, || format!("{by} answered by mail, and never said so: {answer}"))?;
        }
        if happenings(entry, "comment").next().is_some() {
            self.met.insert("reply commented".to_owned());
        }
        Ok(())
    }
}
