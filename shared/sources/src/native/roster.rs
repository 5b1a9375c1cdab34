//! Rosters of delegates, as CSV and as JSON: `service, role, person, rank, status, valid_from, valid_until`.
//!
//! A roster is whole for the services and roles that the binding names: who is not in it any more is no delegate, and a
//! role that is not in it any more has nobody. A bad row is said by its own number and column, and holds up no other but of
//! the delegate whom it may have revoked.

use chrono::{Days, NaiveDate};
use refresh_core::{Instant, Person, Role, Service, base::name::shorten};
use serde_json::{Map, Value, json};

use super::{
    binding::{Format, Roster, Says},
    input::Input,
};
use crate::{
    fault::Fault,
    reader::{Faults, Node, Object},
};

const MOST_ROWS: usize = 10_000;
const COLUMNS: [&str; 7] = ["service", "role", "person", "rank", "status", "valid_from", "valid_until"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum RosterStanding {
    Holder,
    Delegate(&'static str),
}

const ROSTER_WORDS: [(&str, RosterStanding); 4] = [
    ("holder", RosterStanding::Holder),
    ("approved", RosterStanding::Delegate("approved")),
    ("proposed", RosterStanding::Delegate("proposed")),
    ("revoked", RosterStanding::Delegate("revoked")),
];

struct RosterRow {
    label: String,
    service: Service,
    role: Role,
    person: Person,
    rank: i64,
    standing: RosterStanding,
    valid_from: Option<Instant>,
    valid_until: Option<Instant>,
}

pub fn translate(input: &mut Input<'_>) -> Option<()> {
    let roster = input.binding(|binding| match &binding.says {
        Says::Roster(roster) => Some(roster),
        _ => None,
    });
    let rows = match input.format {
        Format::RosterCsv => csv_rows(input),
        _ => json_rows(input),
    };
    let roster = roster?;
    let revision = input.polled_revision(&roster.revision_header);
    let (rows, revision) = (rows?, revision?);
    let answered = input.answered_at("date");
    let (good, unread) = good_rows(input, roster, rows, answered);
    let (holders, good): (Vec<RosterRow>, Vec<RosterRow>) =
        good.into_iter().partition(|row| row.standing == RosterStanding::Holder);
    let (good, twice): (Vec<&RosterRow>, Vec<&RosterRow>) = good.iter().partition(|row| is_once(&good, row));
    for row in twice {
        refuse(
            input,
            row,
            "person",
            "each delegate of a role once: of two rows neither counts",
            "another row of the same",
        );
    }
    let (good, perhaps_revoked): (Vec<&RosterRow>, Vec<&RosterRow>) =
        good.into_iter().partition(|row| !unread.iter().any(|unread| unread.may_revoke(row)));
    for row in perhaps_revoked {
        refuse(input, row, "person", "a delegate whom no row that cannot be read may have revoked", "such a row");
    }
    for service in &roster.services {
        for role in &roster.roles {
            let of = |row: &&RosterRow| row.service == *service && row.role == *role;
            let terms = terms(input, holders.iter().filter(of).collect());
            let delegates: Vec<&RosterRow> = good.iter().copied().filter(of).collect();
            let data = json!({ "service": service.as_str(), "role": role.as_str(), "revision": revision });
            let data = told(input, data, terms, delegates);
            input.emit(&roster.source, None, "dev.holdpoint.delegation.updated.v1", data);
        }
    }
    Some(())
}

/// A row that cannot be read, as far as it says whom it is about.
enum UnreadRow {
    /// Of columns that are told apart. `None`: that column cannot be read either.
    Of { service: Option<Service>, role: Option<Role>, person: Option<Person>, may_revoke_anybody: bool },
    /// More or fewer fields than there are columns.
    Fields(Vec<String>),
}

impl UnreadRow {
    fn of(row: &Object<'_>) -> Self {
        let faults = Faults::default();
        let peek = |name: &'static str| row.peek(name).map(|value| Node::root(value, name, &faults));
        Self::Of {
            service: peek("service").and_then(|node| node.parsed(Service::parse)),
            role: peek("role").and_then(|node| node.parsed(Role::parse)),
            person: peek("person").and_then(|node| node.parsed(Person::parse)),
            may_revoke_anybody: peek("status")
                .and_then(|node| node.word(&ROSTER_WORDS))
                .is_none_or(|standing| standing == RosterStanding::Delegate("revoked")),
        }
    }

    /// Whether the row may take back what another row says: a revocation that cannot be read is one all the same.
    fn may_revoke(&self, row: &RosterRow) -> bool {
        match self {
            Self::Of { service, role, person, may_revoke_anybody } => {
                let same_role = service.as_ref().is_none_or(|service| *service == row.service)
                    && role.as_ref().is_none_or(|role| *role == row.role);
                same_role && person.as_ref().map_or(*may_revoke_anybody, |person| *person == row.person)
            }
            Self::Fields(fields) => fields.iter().any(|field| Person::parse(field).as_ref() == Ok(&row.person)),
        }
    }
}

/// The rows that count, of what the binding names, and those that cannot be read. A bad one is said by its own number.
fn good_rows(
    input: &mut Input<'_>,
    roster: &Roster,
    rows: NumberedRows,
    answered: Option<Instant>,
) -> (Vec<RosterRow>, Vec<UnreadRow>) {
    let (mut good, mut unread) = (Vec::new(), Vec::new());
    for (number, members) in rows {
        let label = format!("row {number}");
        let value = match members {
            Ok(members) => Value::Object(members),
            Err(fields) => {
                let fault = Fault::new(label, "as many fields as there are columns", fields.len().to_string());
                input.refuse(None, None, vec![fault]);
                unread.push(UnreadRow::Fields(fields));
                continue;
            }
        };
        let faults = Faults::default();
        let read = Node::root(&value, &label, &faults).object().and_then(|object| row(roster, &label, &object));
        match read.filter(|_| faults.is_empty()) {
            Some(row) if !roster.services.contains(&row.service) || !roster.roles.contains(&row.role) => {
                input.unbound(format!("{label}: a service or a role that the binding does not name"));
            }
            Some(row) if row.standing == RosterStanding::Holder && has_ended(&row, answered) => {
                let expected =
                    "a holder whose term has not ended at the instant of the header `date`, or without a validity";
                let fault = Fault::new(format!("{label}.valid_until"), expected, "another time");
                input.refuse(None, None, vec![fault]);
            }
            Some(row) => good.push(row),
            None => {
                unread.extend(Node::root(&value, &label, &Faults::default()).object().map(|row| UnreadRow::of(&row)));
                input.refuse(None, None, faults.into_vec());
            }
        }
    }
    (good, unread)
}

fn refuse(input: &mut Input<'_>, row: &RosterRow, column: &str, expected: &str, found: &str) {
    input.refuse(None, None, vec![Fault::new(format!("{}.{column}", row.label), expected, found)]);
}

/// Whether a holder's term is over. Of a term of which nobody says what time it is now that is not known either.
fn has_ended(row: &RosterRow, answered: Option<Instant>) -> bool {
    let unbounded = row.valid_from.is_none() && row.valid_until.is_none();
    let over = |now: Instant| row.valid_until.is_some_and(|until| until <= now);
    !unbounded && answered.is_none_or(over)
}

/// The time for which somebody holds a role.
struct Term {
    person: Person,
    from: Option<Instant>,
    until: Option<Instant>,
}

impl Term {
    fn is_bounded(&self) -> bool {
        self.from.is_some() || self.until.is_some()
    }
}

/// The terms of a role's holders, one after another. Of two that overlap the one that begins first counts, since a role has
/// one holder; of one person's the first, unless the next one follows at once.
fn terms(input: &mut Input<'_>, mut rows: Vec<&RosterRow>) -> Vec<Term> {
    rows.sort_by_key(|row| row.valid_from);
    let mut terms: Vec<Term> = Vec::new();
    for row in rows {
        let again = terms.iter().any(|term| term.person == row.person);
        match terms.last_mut() {
            Some(last) if last.person == row.person && last.until.is_some() && last.until == row.valid_from => {
                last.until = row.valid_until;
            }
            Some(last) if last.until.zip(row.valid_from).is_none_or(|(until, from)| from < until) => {
                refuse(input, row, "status", "one holder of a role", "a second one");
            }
            _ if again => {
                refuse(input, row, "person", "each person's term once, or at once after the one before", "a later one");
            }
            _ => terms.push(Term { person: row.person.clone(), from: row.valid_from, until: row.valid_until }),
        }
    }
    terms
}

/// The holder and the delegates of a role. Of several terms the first one's is the holder. Who follows may fill the role
/// for their own term, before all delegates.
fn told(input: &mut Input<'_>, mut data: Value, terms: Vec<Term>, mut rows: Vec<&RosterRow>) -> Value {
    // Of a role that the roster says nothing of there is no explicit list either.
    let nothing = terms.is_empty() && rows.is_empty();
    rows.sort_by_key(|row| row.rank);
    let mut delegates = Vec::new();
    for term in terms.iter().skip(1) {
        delegates.push(delegate(&term.person, "approved", term.from, term.until));
    }
    for row in rows {
        let RosterStanding::Delegate(status) = row.standing else { continue };
        if terms.iter().any(|term| term.is_bounded() && term.person == row.person) {
            let expected = "each person of a role once: the term as its holder counts";
            refuse(input, row, "person", expected, "another row of the same");
            continue;
        }
        delegates.push(delegate(&row.person, status, row.valid_from, row.valid_until));
    }
    let holder = terms.first();
    data["holder"] = json!(holder.map(|term| term.person.as_str()));
    if let Some(term) = holder {
        say_validity(&mut data, ["holder_valid_from", "holder_valid_until"], term.from, term.until);
    }
    data["delegates"] = if nothing { Value::Null } else { Value::from(delegates) };
    data
}

/// One of two rows may have revoked what the other approves.
fn is_once(rows: &[RosterRow], row: &RosterRow) -> bool {
    let same =
        |other: &&RosterRow| (&other.service, &other.role, &other.person) == (&row.service, &row.role, &row.person);
    rows.iter().filter(same).count() == 1
}

fn delegate(person: &Person, status: &str, from: Option<Instant>, until: Option<Instant>) -> Value {
    let mut delegate = json!({ "person": person.as_str(), "status": status });
    say_validity(&mut delegate, ["valid_from", "valid_until"], from, until);
    delegate
}

fn say_validity(of: &mut Value, names: [&str; 2], from: Option<Instant>, until: Option<Instant>) {
    for (name, at) in names.into_iter().zip([from, until]) {
        if let Some(at) = at {
            of[name] = json!(at.to_string());
        }
    }
}

/// Rows by their numbers. Of a line of CSV that has not as many fields as there are columns: the fields.
type NumberedRows = Vec<(usize, Result<Map<String, Value>, Vec<String>>)>;

/// `[{...}, ...]` or `{"rows": [...]}`, with numbers from 1.
fn json_rows(input: &Input<'_>) -> Option<NumberedRows> {
    let payload = input.payload;
    let rows = |list: &Node<'_>| list.list(MOST_ROWS, |item| item.object().and(item.value().as_object().cloned()));
    let rows = match payload.value() {
        Value::Array(_) => rows(&payload)?,
        _ => payload.object()?.must("rows", rows)?,
    };
    Some(rows.into_iter().enumerate().map(|(index, row)| (index + 1, Ok(row))).collect())
}

/// Text with a line of columns first; commas or semicolons between them, as spreadsheets of different countries write.
/// Numbers are those of the lines.
fn csv_rows(input: &Input<'_>) -> Option<NumberedRows> {
    let payload = input.payload;
    let text = payload.text()?.replace("\r\n", "\n");
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().next().unwrap_or_default();
    let semicolons = first.matches(';').count() > first.matches(',').count();
    let delimiter = if semicolons { ';' } else { ',' };
    if ends_in_a_quotation(text, delimiter) {
        return payload
            .wrong_as("CSV text with an end to each quotation", "a quotation that is open: the text was cut off");
    }
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(if semicolons { b';' } else { b',' })
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(text.as_bytes());
    let columns: Vec<String> = match reader.headers() {
        Ok(headers) => headers.iter().map(str::to_ascii_lowercase).collect(),
        Err(_) => return payload.wrong_as("CSV text", "something else"),
    };
    let missing: Vec<&str> = COLUMNS.into_iter().filter(|name| !columns.iter().any(|column| column == name)).collect();
    let twice = columns.iter().enumerate().any(|(index, name)| columns[..index].contains(name));
    if !missing.is_empty() || twice {
        return payload.wrong_as(format!("a first line with each of {} once", COLUMNS.join(", ")), shorten(first));
    }
    let mut rows = NumberedRows::new();
    for record in reader.records() {
        let Ok(record) = record else { return payload.wrong_as("CSV text", "a line that is none") };
        if rows.len() == MOST_ROWS {
            return payload.wrong_as(format!("at most {MOST_ROWS} rows"), "more");
        }
        let line = record.position().map_or(0, csv::Position::line);
        rows.push((usize::try_from(line).unwrap_or(0), fields(&columns, &record)));
    }
    match rows.last().filter(|_| !text.ends_with('\n')) {
        Some((line, last)) => {
            cut_off(&columns, *line, last).map_or(Some(rows), |(expected, found)| payload.wrong_as(expected, found))
        }
        None => Some(rows),
    }
}

/// Which part of its row a last line without an end may lack. An open validity makes an approval longer, so an empty last
/// field counts only where the line ends.
fn cut_off(
    columns: &[String],
    line: usize,
    last: &Result<Map<String, Value>, Vec<String>>,
) -> Option<(String, String)> {
    match last {
        Err(fields) => {
            let expected = format!("{} fields in line {line}, the last one", columns.len());
            Some((expected, format!("{}: the text was cut off", fields.len())))
        }
        Ok(row)
            if row.get("status").and_then(Value::as_str) == Some("approved") && !row.contains_key(columns.last()?) =>
        {
            let expected = format!("a line end after line {line}, the last one, whose last field is empty");
            Some((expected, "none: the text may have been cut off".to_owned()))
        }
        Ok(_) => None,
    }
}

/// A row's members, or the fields where the columns are more or fewer (RFC 4180, 2.4): nobody can tell
/// which field is missing.
fn fields(columns: &[String], record: &csv::StringRecord) -> Result<Map<String, Value>, Vec<String>> {
    if record.len() != columns.len() {
        return Err(record.iter().map(str::to_owned).collect());
    }
    let members = columns.iter().zip(record.iter()).filter(|(_, text)| !text.is_empty());
    Ok(members.map(|(name, text)| (name.clone(), Value::from(text))).collect())
}

/// Whether the text ends inside of a quotation. A quotation begins where a field does, and two quotation marks in it are one.
fn ends_in_a_quotation(text: &str, delimiter: char) -> bool {
    let (mut inside, mut may_begin) = (false, true);
    for c in text.chars() {
        let turns = c == '"' && (inside || may_begin);
        inside ^= turns;
        may_begin = turns || !inside && (c == delimiter || c == '\n');
    }
    inside
}

fn row(roster: &Roster, label: &str, row: &Object<'_>) -> Option<RosterRow> {
    let service = row.must("service", |node| node.parsed(Service::parse));
    let role = row.must("role", |node| node.parsed(Role::parse));
    let person = row.must("person", |node| node.parsed(Person::parse));
    let standing = row.must("status", |node| node.word(&ROSTER_WORDS));
    let told = row.may("rank", rank);
    let valid_from = row.may("valid_from", |node| time(roster, node, 0));
    let valid_until = row.may("valid_until", |node| time(roster, node, 1));
    let standing = standing?;
    let rank = match (standing, told?) {
        (RosterStanding::Holder, _) => 0,
        // Who is revoked comes at no place.
        (RosterStanding::Delegate("revoked"), told) => told.unwrap_or(0),
        (RosterStanding::Delegate(_), Some(rank)) => rank,
        // Which delegate comes first is not to be guessed.
        (RosterStanding::Delegate(_), None) => row.must("rank", rank)?,
    };
    let (valid_from, valid_until) = (valid_from?, valid_until?);
    if let (Some(from), Some(until)) = (valid_from, valid_until) {
        row.ordered("valid_from", from, "valid_until", until)?;
    }
    let label = label.to_owned();
    Some(RosterRow { label, service: service?, role: role?, person: person?, rank, standing, valid_from, valid_until })
}

fn rank(node: &Node<'_>) -> Option<i64> {
    let number = node.value().as_i64().or_else(|| node.value().as_str()?.parse().ok());
    number.filter(|rank| (0..=1_000_000).contains(rank)).or_else(|| node.wrong("a whole number, 0 or more"))
}

/// An instant, or a date in the binding's zone; the last day of a validity is part of it.
fn time(roster: &Roster, node: &Node<'_>, days_more: u64) -> Option<Instant> {
    let text = node.text()?;
    if let Ok(instant) = Instant::parse(text) {
        return Some(instant);
    }
    // A date that was cut off is shorter.
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == "2026-11-03".len());
    match (date, roster.time_zone) {
        (Some(date), Some(zone)) => {
            let midnight = date.checked_add_days(Days::new(days_more))?.and_hms_opt(0, 0, 0)?;
            Some(zone.meaning(midnight).first())
        }
        (Some(_), None) => {
            node.wrong("an instant with an offset (a date has no zone: the binding's `time_zone` gives one)")
        }
        (None, _) => node.wrong("an RFC 3339 instant, or a date like 2026-11-03"),
    }
}
