//! What is carried and not owed, by "Carried, not owed" of the rules.

use serde_json::Value;

use super::{Audit, ensure, is_violation};

impl Audit {
    fn carries(&self) -> bool {
        self.policy["metadata_alone"] == "carried"
    }

    /// What somebody was told, with what is carried as it is now.
    pub(super) fn with_carried(&self, head: &Value, mut told: Value, now: &Value) -> Value {
        told["contact"] = now["contact"].clone();
        if now["asks_again"].is_null() {
            told["asks_again"] = Value::Null;
        }
        let waits = all(&head["exceptions"]).any(|open| open["waits_until"].is_string());
        let ended = head["standing"] != "open";
        let both = |name: &str| told[name] == true && now[name] == true;
        let known = |line: &Value| all(&told["exceptions"]).any(|known| known["kind"] == line["kind"]);
        let same = both("proposed") || all(&now["exceptions"]).any(known);
        if waits || ended || self.carries() && same || proven(&told["violated"]).eq(proven(&now["violated"])) {
            told["violated"] = now["violated"].clone();
        }
        let is_override = |line: &Value| line["kind"] == "owner_override";
        let broken = all(&head["today"]["violated"]).filter_map(Value::as_str).any(is_violation);
        if !broken && all(&told["exceptions"]).any(is_override) && !all(&now["exceptions"]).any(is_override) {
            let left: Vec<Value> = all(&told["exceptions"]).filter(|line| !is_override(line)).cloned().collect();
            told["exceptions"] = left.into();
            told["violated"] = now["violated"].clone();
        }
        if !self.carries() {
            return told;
        }
        for (key, ready) in now["checkpoints"].as_object().into_iter().flatten() {
            if told["checkpoints"].get(key).is_some_and(|was| was.is_null() == ready.is_null()) {
                told["checkpoints"][key] = ready.clone();
            }
        }
        // Who does not see the whole has neither.
        if !told["freeze_edge"].is_null() && !now["freeze_edge"].is_null() {
            for name in ["window", "cutover"] {
                told[name] = now[name].clone();
            }
        }
        let less = all(&now["exceptions"]).zip(all(&told["exceptions"])).all(|(now, told)| {
            now["kind"] == told["kind"] && all(&now["rules"]).all(|rule| all(&told["rules"]).any(|known| known == rule))
        });
        if less && all(&now["exceptions"]).count() == all(&told["exceptions"]).count() {
            told["exceptions"] = now["exceptions"].clone();
        }
        told
    }

    /// A mail says more than an evidence time, a window, a cutover or a seat without proof. After a death it may be one that was in doubt.
    pub(super) fn says_more_than_carried(&self, notice: &Value) -> Result<(), String> {
        let alone = |change: &Value| match change["field"].as_str().unwrap_or_default() {
            "window" | "cutover" => true,
            "violated" => proven(&change["was"]).eq(proven(&change["now"])),
            field => field.starts_with("checkpoint.") && !change["was"].is_null() && !change["now"].is_null(),
        };
        let carried = all(&notice["changes"]).count() > 0 && all(&notice["changes"]).all(alone);
        let allowed =
            !self.carries() || self.deaths > 0 || ["reminder", "resent"].iter().any(|kind| notice["kind"] == *kind);
        ensure(!carried || allowed, || format!("a mail of what is carried alone: {notice}"))
    }
}

/// The marks but for seats that stand without proof.
fn proven(marks: &Value) -> impl Iterator<Item = &Value> {
    all(marks).filter(|mark| !mark.as_str().is_some_and(|mark| mark.starts_with("unproven:")))
}

fn all(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}
