//! Who must know what, by the table "Who is told what" of the rules.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Audit, digest, is_violation, items::hex, quiet::with_all};
use crate::scene;

impl Audit {
    fn terms(&self) -> Value {
        self.fact(&format!("review#{}", self.id)).map(|fact| fact["body"]["review"].clone()).unwrap_or_default()
    }

    pub(super) fn packet(&self, number: &Value) -> Value {
        self.version(number).map(|version| version["packet"].clone()).unwrap_or_default()
    }

    /// Owner, whoever must decide, release manager.
    pub(super) fn sees_all(&self, person: &str) -> bool {
        self.head().is_some_and(|head| self.sees_all_of(head, person))
    }

    fn sees_all_of(&self, head: &Value, person: &str) -> bool {
        decides(head, person) || owns(head, person) || self.manages(head, person)
    }

    fn manages(&self, head: &Value, person: &str) -> bool {
        self.packet(&head["authoritative"])["attendees"]["release_manager"] == person
    }

    /// Everybody the review ever had to do with.
    pub(super) fn audience(&self, head: &Value) -> BTreeSet<String> {
        let mut people: BTreeSet<String> = (0..8).map(scene::person).collect();
        people.extend([scene::DESK, "guest@example.com", "owner@example.com"].map(str::to_owned));
        people.extend(head["today"]["owner"].as_str().map(str::to_owned));
        people
    }

    /// The proposal, as far as this person hears of proposals.
    fn proposal_for(&self, head: &Value, person: &str) -> Option<Value> {
        let proposal = self.packet(head["pending"].get("version")?);
        let decider = owns(head, person) || decides(head, person);
        let hears = if proposal["cancelled"] == true {
            decider || self.manages(head, person)
        } else {
            decider || self.policy["tell_before_adoption"] == true
        };
        hears.then_some(proposal)
    }

    fn seat(&self, head: &Value, person: &str) -> Option<Value> {
        if head["standing"] == "cancelled" {
            return None;
        }
        row(&self.packet(&head["authoritative"]), person, "authoritative")
    }

    fn tentative(&self, head: &Value, person: &str) -> Option<Value> {
        let proposed = row(&self.proposal_for(head, person)?, person, "tentative")?;
        let seat = self.seat(head, person);
        let same = seat.is_some_and(|seat| seat["slot"] == proposed["slot"] && seat["roles"] == proposed["roles"]);
        (!same).then_some(proposed)
    }

    pub(super) fn view(&self, head: &Value, person: &str) -> Value {
        let told = self.review(&format!("TOLD#{person}")).map(|item| &item.body).filter(|body| body.is_object());
        let last = match told {
            Some(told) => Some(told["seat"].clone()).filter(Value::is_object),
            None => row(&self.packet(&head["issued"]), person, "authoritative"),
        };
        self.view_of(head, person, last.as_ref())
    }

    /// What the review was issued with: the first version, its owner, and nothing else open.
    pub(super) fn issued_view(&self, head: &Value, person: &str) -> Value {
        let first = self.version(&head["issued"]).cloned().unwrap_or_default();
        let packet = &first["packet"];
        // What it was issued with is no news; only violations are.
        let marks: Vec<&Value> = first["violated"].as_array().into_iter().flatten().collect();
        let known: Vec<&&Value> =
            marks.iter().filter(|mark| mark.as_str().is_some_and(|mark| !is_violation(mark))).collect();
        let issued = json!({
            "issued": head["issued"], "authoritative": head["issued"], "pending": null, "standing": "open",
            "exceptions": [], "answers": [],
            "today": {
                "owner": first["owner"], "owner_confirmed": true, "violated": known,
                "checkpoints": packet["checkpoints"], "window": packet["window"], "cutover": packet["cutover"],
            },
        });
        self.view_of(&issued, person, None)
    }

    fn view_of(&self, head: &Value, person: &str, last: Option<&Value>) -> Value {
        let mut view = self.seated(head, person, last);
        if head["standing"] == "cancelled" {
            return view;
        }
        if self.sees_all_of(head, person) {
            self.whole(head, person, &mut view);
        }
        let contact = person == scene::DESK;
        let hears = contact || self.sees_all_of(head, person);
        if contact && !self.sees_all_of(head, person) {
            view["contact"] = true.into();
        }
        let told = |exception: &&Value| hears && exception["waits_until"].is_null();
        let exceptions = head["exceptions"].as_array().into_iter().flatten().filter(told);
        view["exceptions"] = exceptions.map(line).collect();
        // That somebody decided in the owner's place is told to whoever hears of exceptions.
        if hears && head["operator"]["decided"].is_object() {
            view["operator"] = head["operator"]["decided"].clone();
        }
        // The present owner may ask for what expired, and so may the alternate who was to decide it.
        let left = &head["undecided"];
        let alternate = left["adopter"] == person && self.policy["alternate_owner"] == person;
        if head["standing"] == "open" && left.is_object() && (owns(head, person) || alternate) {
            view["asks_again"] = left["proposal"].clone();
        }
        view
    }

    /// Whether a proposal leaves them a role; who would lose it and is on the optional list stays as a guest.
    fn stays(&self, head: &Value, person: &str) -> bool {
        self.proposal_for(head, person).is_none_or(|proposal| row(&proposal, person, "tentative").is_some())
    }

    fn seated(&self, head: &Value, person: &str, last: Option<&Value>) -> Value {
        let authoritative = self.packet(&head["authoritative"]);
        let released =
            |seat: &Value| with_all(&json!({ "slot": seat["slot"], "roles": seat["roles"], "attendance": "released" }));
        let optional = self.terms()["optional"].as_array().is_some_and(|all| all.contains(&json!(person)));
        if head["standing"] == "cancelled" {
            let guest = json!({ "slot": authoritative["slot"], "roles": [] });
            let invited = optional || self.sees_all_of(head, person);
            let was = row(&authoritative, person, "authoritative").or_else(|| last.cloned());
            return was.or(invited.then_some(guest)).map_or_else(|| with_all(&Value::Null), |seat| released(&seat));
        }
        if let Some(row) = self.tentative(head, person) {
            return with_all(&row);
        }
        if let Some(mut seat) = self.seat(head, person).filter(|_| !optional || self.stays(head, person)) {
            if !self.stays(head, person) {
                seat["attendance"] = "would_be_released".into();
            }
            return with_all(&seat);
        }
        if optional {
            let slot = self.proposal_for(head, person).map_or(authoritative["slot"].clone(), |one| one["slot"].clone());
            let same = slot == authoritative["slot"] && self.seat(head, person).is_none();
            let standing = if same { "authoritative" } else { "tentative" };
            return with_all(&json!({ "slot": slot, "standing": standing }));
        }
        last.map_or_else(|| with_all(&Value::Null), released)
    }

    fn whole(&self, head: &Value, person: &str, view: &mut Value) {
        let today = &head["today"];
        let proposal = self.proposal_for(head, person);
        let packet = proposal.clone().unwrap_or_else(|| self.packet(&head["authoritative"]));
        if view["slot"].is_null() {
            view["slot"] = packet["slot"].clone();
        }
        view["roster"] = packet["attendees"].clone();
        view["freeze_edge"] = packet["freeze_edge"].clone();
        if proposal.is_some() {
            view["proposed"] = true.into();
        }
        for name in ["checkpoints", "window", "cutover"] {
            view[name] = today[name].clone();
        }
        let owner = owns(head, person);
        let marks =
            today["violated"].as_array().into_iter().flatten().filter(|mark| owner || **mark != "change_in_flux");
        let mut marks: Vec<Value> = marks.cloned().collect();
        if owner && today["owner_confirmed"] != true {
            // The marks stand in the order of the glossary.
            let flux = marks.iter().position(|mark| *mark == "change_in_flux").unwrap_or(marks.len());
            marks.insert(flux, "owner_unconfirmed".into());
        }
        view["violated"] = marks.into();
        if proposal.is_some_and(|proposal| proposal["cancelled"] == true) {
            view["attendance"] = "cancellation".into();
        }
        if decides(head, person) {
            let pending = &head["pending"];
            let named = format!("[{},{}]", pending["digest"], pending["first_version"]);
            view["decides"] = hex(&digest(&[b"proposal-id", named.as_bytes()])).into();
        }
        for answer in head["answers"].as_array().into_iter().flatten().filter(|one| one["reply"] == "conflict") {
            let by = answer["person"].as_str().unwrap_or_default();
            let rows = [("conflicts_proposed", self.tentative(head, by)), ("conflicts", self.seat(head, by))];
            for (with, row) in rows.into_iter().filter_map(|(with, row)| Some((with, row?))) {
                if answer["row"] == row_digest(&row) {
                    for role in row["roles"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                        view[with][role] = by.into();
                    }
                }
            }
        }
    }
}

fn owns(head: &Value, person: &str) -> bool {
    head["today"]["owner"] == person
}

fn decides(head: &Value, person: &str) -> bool {
    head["pending"]["adopter"] == person
}

fn row(packet: &Value, person: &str, standing: &str) -> Option<Value> {
    let seats = packet["attendees"].as_object()?;
    let roles: Vec<&String> = seats.iter().filter(|(_, who)| *who == person).map(|(role, _)| role).collect();
    (!roles.is_empty()).then(|| json!({ "slot": packet["slot"], "roles": roles, "standing": standing }))
}

/// What an answer is to: slot, roles, standing, in this order.
fn row_digest(row: &Value) -> String {
    let slot = format!("{{\"start\":{},\"end\":{}}}", row["slot"]["start"], row["slot"]["end"]);
    let named = format!("{{\"slot\":{slot},\"roles\":{},\"standing\":{}}}", row["roles"], row["standing"]);
    hex(&digest(&[b"row", named.as_bytes()]))
}

/// An exception is its kind and its rules with role and person.
fn line(exception: &Value) -> Value {
    let mut rules: Vec<Value> = Vec::new();
    for reason in exception["reasons"].as_array().into_iter().flatten() {
        let mut rule = json!({ "rule": reason["rule"] });
        for name in ["role", "person", "source", "subject"] {
            if !reason[name].is_null() {
                rule[name] = reason[name].clone();
            }
        }
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    json!({ "kind": exception["kind"], "rules": rules })
}
