//! The claims of a row's last column, each held against what came about.

use std::collections::BTreeMap;

use refresh_core::{
    Person, Role,
    audience::deadlines,
    record::{
        decision::Decision,
        lineage::{Happening, Trigger},
        notice::{LinkTo, Notice, NoticeKind, UnknownInvitation},
        packet::{Packet, Version},
        review::PlaceElsewhere,
    },
};

use crate::{
    fixture::{self, person, short, short_role},
    show,
    world::World,
};

/// `Err` says what was found instead.
pub fn holds(world: &World, claim: &str) -> Result<(), String> {
    let (word, rest) = claim.split_once(' ').unwrap_or((claim, ""));
    let day = world.day;
    match word {
        "applied" | "ignored" => {
            let found = match world.disposition {
                None => "nothing was sent".to_owned(),
                Some(refresh_core::facts::authority::Disposition::Applied) => "applied".to_owned(),
                Some(refresh_core::facts::authority::Disposition::Ignored(reason)) => {
                    format!("ignored {}", reason.word())
                }
            };
            same(claim, &found)
        }
        "expected" => same(rest, world.expected.as_deref().unwrap_or("nothing")),
        "fact" => {
            let (kind, revision) = rest.rsplit_once(' ').ok_or("a kind and a revision")?;
            let found = world.facts.values().filter(|fact| fact.subject.word() == kind).map(|fact| fact.revision).max();
            same(revision, &found.map_or("none".to_owned(), |found| found.to_string()))
        }
        "silenced" => {
            let silenced = world.facts.values().filter(|fact| fact.order.is_silenced());
            let kinds: Vec<&str> = silenced.map(|fact| fact.subject.word()).collect();
            same(rest, if kinds.is_empty() { "nothing" } else { kinds[0] })
        }
        "untaken" => same(rest, &world.untaken.iter().map(|member| member.word()).collect::<Vec<_>>().join(", ")),
        "answered" => same(rest, world.answered.as_ref().map_or("not at all", |answered| answered.result.word())),
        "before" => {
            let before = world.answered.as_ref().and_then(|answered| answered.before.as_ref());
            let found = before.map_or("nobody".to_owned(), |past| {
                format!("{} {} {}", past.by.as_ref().map_or("nobody", short), show::word(&past.fate), day.show(past.at))
            });
            same(rest, &found)
        }
        "decided" => {
            same(rest, &decisions(world).iter().map(|decision| decided(decision)).collect::<Vec<_>>().join(", "))
        }
        "against" => against(world, rest),
        "recorded" => recorded(world, rest),
        "comments" => {
            let shown = world.head()?.comments.iter();
            same(rest, &shown.map(|line| short(&line.by)).collect::<Vec<_>>().join(", "))
        }
        "commented" => {
            let all = world.entries.iter().flat_map(|entry| &entry.happenings);
            same(rest, &all.filter(|each| matches!(each, Happening::Comment(_))).count().to_string())
        }
        "known" => known(world, rest),
        "moved" => {
            let counter = world.head()?.counter;
            let found = if counter > world.mark.counter { "moved on" } else { "stayed" };
            same(claim, found)
        }
        "seat" => seat(world, rest),
        "shown" => shown(world, rest),
        "asked" => same(rest, &asked(world)),
        "mail" => same(rest, &mails(world)),
        "nothing" | "no" => nothing(world, claim),
        _ if OF_A_MAIL.iter().any(|verb| rest.split(' ').next() == Some(verb)) => mail_to(world, word, rest),
        _ => state(world, claim, word, rest),
    }
}

/// The verbs of claims about the last mail to a person.
const OF_A_MAIL: [&str; 19] = [
    "elsewhere",
    "hears",
    "reads",
    "gets",
    "must",
    "why",
    "about",
    "link",
    "first",
    "escalated",
    "invitation",
    "besides",
    "otherwise",
    "proposed",
    "formerly",
    "repeats",
    "also",
    "replied",
    "ended",
];

fn same(expected: &str, found: &str) -> Result<(), String> {
    if expected == found { Ok(()) } else { Err(format!("found `{found}` for `{expected}`")) }
}

fn happenings(world: &World) -> impl Iterator<Item = &Happening> {
    world.entries[world.mark.entries..].iter().flat_map(|entry| &entry.happenings)
}

fn decisions(world: &World) -> Vec<&Decision> {
    happenings(world)
        .filter_map(|happening| match happening {
            Happening::Decision(decision) => Some(decision),
            _ => None,
        })
        .collect()
}

fn decided(decision: &Decision) -> String {
    match decision.proposal {
        None => decision.outcome.word().to_owned(),
        Some(earlier) => format!("{} ({})", decision.outcome.word(), show::word(&earlier)),
    }
}

fn seen(world: &World) -> &[Notice] {
    &world.mails[world.mark.mails..]
}

/// `rm-a adoption_request, so-a tentative_change`, in the order they went out.
fn mails(world: &World) -> String {
    let all: Vec<String> = seen(world).iter().map(|mail| format!("{} {}", short(&mail.to), mail.kind.word())).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

fn nothing(world: &World, claim: &str) -> Result<(), String> {
    let head = world.head();
    match claim {
        "no mail" => same("none", &mails(world)),
        "no review" => same("no review", if head.is_ok() { "a review" } else { "no review" }),
        "nothing decided" => {
            same("", &decisions(world).iter().map(|found| decided(found)).collect::<Vec<_>>().join(", "))
        }
        "nothing pending" => same("nothing pending", &pending(world, head?.pending.is_some())?),
        "nothing open" => same("", &open(world)?),
        "nothing violated" => same("nothing", &show::marks(&head?.today.violated)),
        "nothing minted" => same("nothing minted", &minted(world)?),
        "nothing written" => same(&world.mark.counter.to_string(), &head?.counter.to_string()),
        _ => Err(format!("there is no claim `{claim}`")),
    }
}

fn open(world: &World) -> Result<String, String> {
    Ok(world.head()?.exceptions.iter().map(|open| open.kind.word()).collect::<Vec<_>>().join(", "))
}

fn minted(world: &World) -> Result<String, String> {
    let minted: Vec<String> =
        (world.mark.latest + 1..=world.head()?.latest).map(|number| format!("v{number}")).collect();
    Ok(if minted.is_empty() { "nothing minted".to_owned() } else { minted.join(", ") })
}

fn pending(world: &World, is: bool) -> Result<String, String> {
    let review = world.review.as_ref().ok_or("no review was issued")?;
    let authoritative = &review.authoritative.packet;
    match (&review.pending, is) {
        (Some(version), true) => Ok(version_line(world, version, &authoritative.attendees)),
        _ => Ok("nothing pending".to_owned()),
    }
}

/// `v8 15:30-16:30 sec=sec-b edge`: the seats that differ from `attendees` alone.
fn version_line(world: &World, version: &Version, attendees: &BTreeMap<Role, Person>) -> String {
    let Packet { slot, freeze_edge, cancelled, .. } = version.packet;
    let mut said = vec![format!("v{}", version.number), world.day.show_interval(&slot)];
    let seats = version.packet.attendees.iter().filter(|(role, person)| attendees.get(role) != Some(person));
    said.extend(seats.map(|(role, person)| format!("{}={}", short_role(role), short(person))));
    said.extend(freeze_edge.then(|| "edge".to_owned()));
    said.extend(cancelled.then(|| "cancelled".to_owned()));
    said.join(" ")
}

fn state(world: &World, claim: &str, word: &str, rest: &str) -> Result<(), String> {
    let review = world.review.as_ref().ok_or("no review was issued")?;
    let (head, day) = (&review.head, world.day);
    let at = |instant: Option<refresh_core::Instant>| instant.map_or("never".to_owned(), |instant| day.show(instant));
    match word {
        "held" => same(rest, &pending(world, true)?),
        "authoritative" => same(rest, &version_line(world, &review.authoritative, &world.terms_first().attendees)),
        "violated" => same(rest, &show::marks(&head.today.violated)),
        "silent" => same(rest, &head.today.silent.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
        "minted" => same(rest, &minted(world)?),
        "open" => same(rest, &open(world)?),
        "escalated" => {
            same("nothing pending", &pending(world, true)?)?;
            same("no_viable_slot", &open(world)?)?;
            same(rest, &show::reasons(day, &head.exceptions[0]).join(", "))
        }
        "because" => {
            let (kind, reasons) = rest.split_once(": ").ok_or("a kind and its reasons")?;
            let found = head.exceptions.iter().find(|open| open.kind.word() == kind);
            let found = found.map_or_else(|| "it is not open".to_owned(), |open| show::reasons(day, open).join(", "));
            same(reasons, &found)
        }
        "checkpoint" => {
            let (key, time) = rest.split_once(' ').unwrap_or(("tests", rest));
            let found = review.authoritative.packet.checkpoints.iter().find(|(found, _)| found.as_str() == key);
            same(time, &found.map_or("no such checkpoint".to_owned(), |(_, ready)| at(*ready)))
        }
        "expires" => same(rest, &at(head.pending.as_ref().map(|pending| pending.expires_at))),
        "adopter" => {
            let pending = head.pending.as_ref().ok_or("nothing is pending")?;
            same(rest, pending.adopter.as_ref().map_or("nobody", short))
        }
        "next" => {
            let last = decisions(world).last().and_then(|decision| decision.next_check_at);
            same(rest, &at(last))
        }
        "looks" => same(rest, &at(head.check_at)),
        "quiet" => same(rest, &at(head.quiet_until)),
        "outstanding" => same(rest, &show::people(deadlines::outstanding(head).map(|duty| &duty.person))),
        "standing" => same(rest, &show::word(&head.standing)),
        "same" | "other" => {
            let (was, now) = match rest {
                "proposal" => (world.mark.proposal, world.proposal()),
                _ => (world.mark.packet, Some(review.authoritative.packet.digest())),
            };
            let found = if was == now { "same" } else { "other" };
            same(word, found)
        }
        "meeting" => same(rest, &format!("{} sequence {}", head.meeting.uid, head.meeting.sequence)),
        "hold" => same(rest, &format!("{} sequence {}", head.hold.uid, head.hold.sequence)),
        _ if rest.starts_with("owes by ") => {
            let duty = deadlines::outstanding(head).find(|duty| short(&duty.person) == word);
            same(rest.trim_start_matches("owes by "), &at(duty.map(|duty| duty.due_at)))
        }
        _ => Err(format!("there is no claim `{claim}`")),
    }
}

/// Claims about the last mail to one person: `rm-a hears slot, standing`. The one line that ends a hold says nothing else;
/// what it takes from the calendar is said together with the mail before it.
fn mail_to(world: &World, name: &str, claim: &str) -> Result<(), String> {
    let to = person(name)?;
    let mails: Vec<&Notice> = seen(world).iter().filter(|mail| mail.to == to).collect();
    let last = mails.iter().rposition(|mail| mail.kind != NoticeKind::HoldEnded).unwrap_or(0);
    let mail = mails.get(last).ok_or(format!("{name} got no mail"))?;
    let (verb, rest) = claim.split_once(' ').unwrap_or((claim, ""));
    let day = world.day;
    match verb {
        "hears" => same(rest, &mail.changes.iter().map(show::field).collect::<Vec<_>>().join(", ")),
        "reads" => {
            let field = rest.split(' ').next().unwrap_or_default();
            let change = mail.changes.iter().find(|change| show::field(change) == field);
            same(rest, &change.map_or(format!("no {field}"), |change| show::change(day, change)))
        }
        "gets" => {
            let parts = mails.iter().filter(|one| mail.at <= one.at).flat_map(|mail| &mail.calendar);
            let parts: Vec<String> = parts.map(|part| show::part(day, part)).collect();
            same(rest, if parts.is_empty() { "no calendar".to_owned() } else { parts.join(" & ") }.as_str())
        }
        "must" => same(rest, &mail.duty.as_ref().map_or("nothing".to_owned(), |duty| show::duty(day, duty))),
        "why" => same(rest, &mail.why.iter().map(show::standpoint).collect::<Vec<_>>().join(", ")),
        "besides" => same(rest, &mail.besides.iter().map(show::standpoint).collect::<Vec<_>>().join(", ")),
        "elsewhere" => {
            let of = |place: &PlaceElsewhere| {
                let proposed = if place.proposed { " proposed" } else { "" };
                let (who, review) = (short(&place.person), &place.review);
                format!("{who} {review} {}{proposed}", day.show_interval(&place.slot))
            };
            let places: Vec<String> = mail.elsewhere.iter().map(of).collect();
            same(rest, if places.is_empty() { "nothing".to_owned() } else { places.join(", ") }.as_str())
        }
        "about" => same(rest, &format!("v{}", mail.version)),
        "otherwise" => same(rest, &mail.otherwise.iter().map(show::word).collect::<Vec<_>>().join(", ")),
        "proposed" => same(rest, &mail.proposed.iter().map(show::word).collect::<Vec<_>>().join(", ")),
        "formerly" => same(rest, &mail.proposed_before.iter().map(show::word).collect::<Vec<_>>().join(", ")),
        "repeats" => same(rest, &mail.repeated.iter().map(show::word).collect::<Vec<_>>().join(", ")),
        "also" => {
            let due =
                mail.answer_due.map_or("answers nothing".to_owned(), |due| format!("answers by {}", day.show(due)));
            same(rest, &due)
        }
        "replied" => {
            let replied = mail.replied.iter().map(|(by, said)| format!("{} {}", short(by), show::word(said)));
            same(rest, &replied.collect::<Vec<_>>().join(", "))
        }
        "ended" => same(rest, &mail.ended.as_ref().map_or("nothing".to_owned(), show::word)),
        "first" => same(rest, &format!("line {}", show::word(&mail.standing))),
        "invitation" => {
            let said = match &mail.unknown_invitation {
                None => "nothing".to_owned(),
                Some(UnknownInvitation::Stands(slot)) => format!("stands {}", day.show_interval(slot)),
                Some(UnknownInvitation::Remove(slot)) => format!("remove {}", day.show_interval(slot)),
            };
            same(rest, &said)
        }
        "escalated" => {
            let reasons: Vec<String> = mail.exceptions.iter().flat_map(|open| show::reasons(day, open)).collect();
            same(rest, &reasons.join(", "))
        }
        _ => {
            let link = match mail.link {
                None => "none",
                Some(LinkTo::Adopt { .. }) => "adopt",
                Some(LinkTo::Acknowledge { .. }) => "acknowledge",
            };
            same(rest, link)
        }
    }
}

/// `seat sec-a 15:00-16:00 since 08:30`, `seat sec-a proposed 15:30-16:30 since 09:00 told until 13:00`, `seat sec-a none`:
/// this review's entry of a person, as it was last written.
fn seat(world: &World, rest: &str) -> Result<(), String> {
    let (name, expected) = rest.split_once(' ').ok_or("a person and their seat")?;
    let (day, id) = (world.day, fixture::review());
    let known = world.seats.get(&person(name)?);
    if known.is_some_and(|known| known.unreadable.contains(&id)) {
        return same(expected, "unreadable");
    }
    let seats = known.map(|known| known.seats.as_slice()).unwrap_or_default();
    let Some(entry) = seats.iter().find(|seat| seat.review == id) else { return same(expected, "never") };
    let mut said = Vec::new();
    said.extend(entry.authoritative.map(|seat| {
        let millis = seat.claim.millis() % 1_000;
        let after = if millis == 0 { String::new() } else { format!(".{millis:03}") };
        format!("{} since {}{after}", day.show_interval(&seat.slot), day.show(seat.claim.plus_millis(-millis)))
    }));
    said.extend(entry.tentative.map(|seat| {
        let (told, made, until) =
            (if seat.told { " told" } else { "" }, day.show(seat.made_at), day.show(seat.expires_at));
        format!("proposed {} since {made}{told} until {until}", day.show_interval(&seat.slot))
    }));
    same(expected, if said.is_empty() { "none".to_owned() } else { said.join(" & ") }.as_str())
}

/// `shown opt-1 meeting 15:00-16:00 & hold 15:30-16:30`: what the person's calendar shows now, as the entry says.
fn shown(world: &World, rest: &str) -> Result<(), String> {
    let (name, expected) = rest.split_once(' ').ok_or("a person and what they are shown")?;
    let (day, id) = (world.day, fixture::review());
    let known = world.seats.get(&person(name)?).map(|known| known.seats.as_slice()).unwrap_or_default();
    let Some(entry) = known.iter().find(|seat| seat.review == id) else { return same(expected, "never") };
    let now = entry.invitations.iter().filter(|shown| shown.until.is_none());
    let said: Vec<String> =
        now.map(|shown| format!("{} {}", show::word(&shown.by), day.show_interval(&shown.slot))).collect();
    same(expected, if said.is_empty() { "nothing".to_owned() } else { said.join(" & ") }.as_str())
}

/// About whom other reviews were asked to look, since observation began.
fn asked(world: &World) -> String {
    let asked = &world.asked[world.mark.asked..];
    let people: std::collections::BTreeSet<&Person> = asked.iter().flatten().collect();
    format!("about {}", show::people(people))
}

/// `known so-a bounced`: the last that is known of that person's newest mail.
fn known(world: &World, rest: &str) -> Result<(), String> {
    let (name, expected) = rest.split_once(' ').ok_or("a person and what is known of their mail")?;
    let delivery = world.deliveries.get(&fixture::person(name)?);
    same(expected, delivery.map_or("nothing", |delivery| delivery.status.word()))
}

/// `recorded skipped so-a`, `recorded trigger ignored stale_revision`, `recorded answer rm-a adopted`, `recorded N triggers`
fn recorded(world: &World, rest: &str) -> Result<(), String> {
    let said: Vec<String> = happenings(world)
        .filter_map(|happening| match happening {
            Happening::Trigger(Trigger { disposition, .. }) => Some(match disposition {
                refresh_core::facts::authority::Disposition::Applied => "trigger applied".to_owned(),
                refresh_core::facts::authority::Disposition::Ignored(reason) => {
                    format!("trigger ignored {}", reason.word())
                }
            }),
            Happening::Skipped { people } => Some(format!("skipped {}", show::people(people))),
            Happening::Answer(line) => Some(format!("answer {} {}", short(&line.by), line.result.word())),
            Happening::Undeliverable { to, why, .. } => Some(format!("{} {}", show::word(why), short(to))),
            Happening::Comment(line) => Some(format!("comment {} {}", short(&line.by), line.why.word())),
            Happening::Notice { .. } | Happening::Decision(_) => None,
        })
        .collect();
    let said = if said.is_empty() { "nothing".to_owned() } else { said.join(", ") };
    same(rest, &said)
}

/// `against 15:30 sec`: what the last decision's report says of a start; `viable` where nothing is against it.
fn against(world: &World, rest: &str) -> Result<(), String> {
    use refresh_core::record::report::{Against, Because};
    let (start, expected) = rest.split_once(' ').ok_or("a start and what is against it")?;
    let start = world.day.instant(start)?;
    let review = world.review.as_ref().ok_or("no review was issued")?;
    let report = match &review.pending {
        Some(version) => Some(&version.report),
        None => decisions(world).last().and_then(|decision| decision.report.as_ref()),
    };
    let report = report.ok_or("no decision carries a report")?;
    let run = report.runs().iter().find(|run| run.first <= start && start <= run.last).cloned();
    let run = run.ok_or("the report does not reach that start")?;
    let because = |because: Because| show::word(&because);
    let said: Vec<String> = run
        .against
        .iter()
        .map(|against| match against {
            Against::Role { role, people } => {
                let people: Vec<String> =
                    people.iter().map(|one| format!("{} {}", short(&one.person), because(one.because))).collect();
                format!("{} ({})", short_role(role), people.join(" + "))
            }
            other => show::word(other),
        })
        .collect();
    same(expected, if said.is_empty() { "viable".to_owned() } else { said.join(", ") }.as_str())
}

impl World {
    /// What the review was issued with first.
    fn terms_first(&self) -> refresh_core::facts::fact::Terms {
        match self.facts.get(&refresh_core::facts::subject::Subject::Review(fixture::review())).map(|fact| &fact.body) {
            Some(refresh_core::facts::fact::Body::Review(terms)) => (**terms).clone(),
            _ => self.terms.clone(),
        }
    }
}
