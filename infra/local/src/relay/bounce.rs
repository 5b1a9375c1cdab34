//! Bounces that come later, by mail: a server took a mail, and another one could not deliver it (RFC 3464, RFC 6533), or a
//! mail system sends feedback on it (RFC 5965), as where its reader called the mail unwanted.
//!
//! What proves a bounce is the address that it was sent to. Each mail leaves with an envelope sender of its own,
//! `bounces+<number>-<tag>@example.com`; the tag is a keyed digest of the number, by a key that only this store has. Only the
//! reader and the servers on the way have seen the address, so nobody can silence somebody else. What the bounce says of
//! itself (whom it is about, which message it returns) is not believed.

use std::collections::BTreeSet;

use hmac::{Hmac, KeyInit, Mac};
use mail_parser::{Message, MessageParser, MimeHeaders};
use sha2::Sha256;

use crate::sqlite::Sqlite;

/// Hexadecimal digits of a tag: 80 bits.
const TAG_DIGITS: usize = 20;
/// What is kept of a server's words, in characters.
const LONGEST_WORDS: usize = 200;
/// What is kept of a type of feedback, in characters.
const LONGEST_TYPE: usize = 40;

/// The key of one store, and the address that bounces go to. Cloning is cheap.
#[derive(Clone)]
pub struct BounceAddress {
    local: String,
    domain: String,
    key: [u8; 32],
}

/// What became of a mail, as a bounce says. In the order of weight.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Late {
    /// It arrived, or was passed on.
    Arrived,
    /// The report says nothing that is known.
    Unknown,
    /// It is still tried.
    Delayed(String),
    /// Nobody will take it.
    Failed(String),
    /// Feedback of this type (RFC 5965), in lower case.
    Feedback(String),
}

/// A report on one mail of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Report {
    /// What became of the mail, one for each recipient that is named.
    Delivery(Vec<OfRecipient>),
    /// Feedback of this type, in lower case.
    Feedback(String),
}

/// What a report says of one recipient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OfRecipient {
    /// The addresses that it is said to have, in lower case: the one that was written to, and the one it was forwarded to.
    addresses: Vec<String>,
    late: Late,
}

impl Report {
    /// What became of the mail to this reader. A mail of ours has one recipient; where a list or an alias made several of
    /// it, the reader's own counts, and where none is theirs by name, any may be. Of several the worst counts.
    pub fn on(&self, reader: &str) -> Late {
        let recipients = match self {
            Self::Feedback(kind) => return Late::Feedback(kind.clone()),
            Self::Delivery(recipients) => recipients,
        };
        let reader = reader.to_lowercase();
        let (theirs, others): (Vec<_>, Vec<_>) =
            recipients.iter().partition(|recipient| recipient.addresses.contains(&reader));
        let counted = if theirs.is_empty() { others } else { theirs };
        counted.into_iter().map(|recipient| &recipient.late).max().cloned().unwrap_or(Late::Unknown)
    }
}

/// A mail to an address of ours for bounces.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Returned {
    /// Of the mail with this number.
    Proven(u64, Report),
    /// The tag is none of ours: forged, or of another store.
    Unproven,
    /// The tag is ours, and the mail is no report: an answer of a person or of a vacation.
    NoReport,
}

impl BounceAddress {
    /// `address`: where bounces are read. The key is made once and stays in the store.
    ///
    /// # Errors
    /// The store cannot be read or written, or the address is none.
    pub fn open(address: &str, tables: &Sqlite) -> Result<Self, String> {
        let (local, domain) = address.rsplit_once('@').ok_or_else(|| format!("{address}: expected an address"))?;
        let mut fresh = [0; 32];
        getrandom::fill(&mut fresh).map_err(|error| error.to_string())?;
        let key = tables.look(|transaction| {
            transaction.execute("INSERT OR IGNORE INTO own_keys (name, key) VALUES ('bounces', ?1)", [&fresh[..]])?;
            transaction
                .query_row("SELECT key FROM own_keys WHERE name = 'bounces'", [], |row| row.get::<_, [u8; 32]>(0))
        })?;
        Ok(Self { local: local.to_owned(), domain: domain.to_owned(), key })
    }

    fn tag(&self, number: u64) -> String {
        // HMAC takes a key of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return String::new() };
        mac.update(b"bounce of mail ");
        mac.update(&number.to_be_bytes());
        let digest: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        digest[..TAG_DIGITS].to_owned()
    }

    /// The envelope sender of a mail.
    pub fn of(&self, number: u64) -> String {
        format!("{}+{number}-{}@{}", self.local, self.tag(number), self.domain)
    }

    /// `None`: no address of ours for bounces. `Some(None)`: one whose tag is not ours.
    fn number(&self, address: &str) -> Option<Option<u64>> {
        use subtle::ConstantTimeEq;
        let address = address.trim().trim_matches(['<', '>']).to_ascii_lowercase();
        let (local, domain) = address.rsplit_once('@')?;
        let ours = local.strip_prefix(&self.local.to_ascii_lowercase())?.strip_prefix('+')?;
        if domain != self.domain.to_ascii_lowercase() {
            return None;
        }
        let (number, tag) = ours.split_once('-')?;
        let number: u64 = number.parse().ok()?;
        Some(bool::from(self.tag(number).as_bytes().ct_eq(tag.as_bytes())).then_some(number))
    }

    /// What a received mail says of one of ours; `None` where the mail was not sent to an address for bounces.
    /// `recipients`: as the local server named them; empty where only the mail's headers say.
    pub fn read(&self, mail: &[u8], recipients: &[String]) -> Option<Returned> {
        let message = MessageParser::default().parse(mail)?;
        let report = report(&message);
        let of_kind = |kind: PartKind| report.iter().filter(move |(known, _)| *known == kind).map(|(_, text)| text);
        let feedback: Vec<Fields> = of_kind(PartKind::Feedback).flat_map(|text| groups(text)).collect();
        let addressed = recipients.iter().cloned().chain(addressees(&message));
        // Feedback goes to the sender's own address, and names the envelope sender (RFC 5965, `Original-Mail-From`).
        let named = feedback.iter().filter_map(|fields| fields.first("original-mail-from").map(str::to_owned));
        let number = named.chain(addressed).find_map(|address| self.number(&address))?;
        let Some(number) = number else { return Some(Returned::Unproven) };
        if !feedback.is_empty() {
            return Some(Returned::Proven(number, Report::Feedback(feedback_type(&feedback))));
        }
        let mut status = of_kind(PartKind::Delivery).peekable();
        if status.peek().is_none() {
            return Some(Returned::NoReport);
        }
        let recipients = status.flat_map(|text| groups(text)).filter_map(|fields| of_recipient(&fields)).collect();
        Some(Returned::Proven(number, Report::Delivery(recipients)))
    }
}

/// Where the mail was delivered to, by what the local server wrote, and else by its own header.
fn addressees(message: &Message<'_>) -> Vec<String> {
    let headers = message.headers_raw().filter(|(name, _)| {
        ["delivered-to", "x-original-to", "envelope-to", "to"].contains(&name.to_ascii_lowercase().as_str())
    });
    let lists = headers.flat_map(|(_, value)| value.split([',', ' ', '\r', '\n', '\t']));
    lists.filter(|word| word.contains('@')).map(str::to_owned).collect()
}

/// What a part of a report tells of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PartKind {
    Delivery,
    Feedback,
}

/// The parts of type `message/...` that tell of a message, as text.
fn report(message: &Message<'_>) -> Vec<(PartKind, String)> {
    let told = message.parts.iter().filter_map(|part| {
        let kind = part.content_type()?;
        let told = match kind.subtype()?.to_ascii_lowercase().as_str() {
            // RFC 6533: the same, of addresses that may be written in any script.
            "delivery-status" | "global-delivery-status" => PartKind::Delivery,
            "feedback-report" => PartKind::Feedback,
            _ => return None,
        };
        let is_message = kind.ctype().eq_ignore_ascii_case("message");
        is_message.then(|| (told, String::from_utf8_lossy(part.contents()).into_owned()))
    });
    told.collect()
}

/// Fields that stand together, names in lower case, unfolded.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn first(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }
}

/// A report is of groups of fields with an empty line between: of the mail, and then of each recipient.
fn groups(text: &str) -> Vec<Fields> {
    let text = text.replace("\r\n", "\n").replace("\n ", " ").replace("\n\t", " ");
    let mut groups = vec![Fields(Vec::new())];
    for line in text.lines() {
        if line.trim().is_empty() {
            groups.push(Fields(Vec::new()));
        } else if let (Some((name, value)), Some(group)) = (line.split_once(':'), groups.last_mut()) {
            group.0.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    groups.retain(|group| !group.0.is_empty());
    groups
}

/// `None`: the group is of no recipient.
fn of_recipient(fields: &Fields) -> Option<OfRecipient> {
    let is_one = ["final-recipient", "action", "status"].iter().any(|name| fields.first(name).is_some());
    if !is_one {
        return None;
    }
    let said = fields.first("diagnostic-code").or_else(|| fields.first("status")).unwrap_or_default();
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST_WORDS).collect();
    let action = fields.first("action").map(word).unwrap_or_default();
    // RFC 3464 asks for an action. Where there is none, or none that is known, the class of the status says it.
    let class = fields.first("status").map(word).and_then(|status| status.chars().next());
    let late = match (action.as_str(), class) {
        ("failed", _) => Late::Failed(said),
        ("delayed", _) => Late::Delayed(said),
        ("delivered" | "relayed" | "expanded", _) => Late::Arrived,
        (_, Some('5')) => Late::Failed(said),
        (_, Some('4')) => Late::Delayed(said),
        _ => Late::Unknown,
    };
    let named = ["original-recipient", "final-recipient"].iter().flat_map(|name| fields.all(name));
    Some(OfRecipient { addresses: named.map(address).collect(), late })
}

/// The address of `rfc822; a@example.com`, or of `utf-8; a@example.com` (RFC 6533), in lower case.
fn address(value: &str) -> String {
    let bare = value.split_once(';').map_or(value, |(_, address)| address).trim().trim_matches(['<', '>']);
    let (mut address, mut rest) = (String::new(), bare);
    while let Some((before, after)) = rest.split_once("\\x{") {
        let escaped = after.split_once('}');
        let Some((c, behind)) = escaped.and_then(|(hex, behind)| {
            let c = u32::from_str_radix(hex, 16).ok().and_then(char::from_u32)?;
            Some((c, behind))
        }) else {
            break;
        };
        address.push_str(before);
        address.push(c);
        rest = behind;
    }
    address.push_str(rest);
    address.to_lowercase()
}

/// The type of feedback. Several that differ, or none at all, are of no type that is known.
fn feedback_type(reports: &[Fields]) -> String {
    let told = reports.iter().flat_map(|fields| fields.all("feedback-type"));
    let letter = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    // The type is part of an event's id.
    let kinds = told.map(|kind| word(kind).chars().filter(letter).take(LONGEST_TYPE).collect::<String>());
    let kinds: BTreeSet<String> = kinds.filter(|kind| !kind.is_empty()).collect();
    match kinds.iter().collect::<Vec<_>>().as_slice() {
        [] => "none".to_owned(),
        [one] => (*one).clone(),
        _ => "several".to_owned(),
    }
}

/// The first word of a value that may have comments, in lower case.
fn word(value: &str) -> String {
    let (mut depth, mut plain) = (0_usize, String::new());
    for c in value.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            c if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    let first = plain.split(|c: char| c.is_whitespace() || c == ';').find(|word| !word.is_empty());
    first.unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> BounceAddress {
        BounceAddress::open("Bounces@example.com", &Sqlite::memory().unwrap()).unwrap()
    }

    fn dsn(to: &str, action: &str) -> Vec<u8> {
        format!(
            "From: MAILER-DAEMON@mx.example.net\r\nTo: <{to}>\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nsorry\r\n\
             --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n\
             Final-Recipient: rfc822; somebody-else@example.com\r\nAction: {action}\r\nStatus: 5.1.1\r\n\
             Diagnostic-Code: smtp; 550 no\r\n such user\r\n\r\n--b--\r\n"
        )
        .into_bytes()
    }

    /// What a report says of the mail with this number, to `r@example.com`.
    fn on(ours: &BounceAddress, mail: &[u8], envelope: &[String]) -> Option<(u64, Late)> {
        match ours.read(mail, envelope) {
            Some(Returned::Proven(number, report)) => Some((number, report.on("R@example.com"))),
            other => panic!("expected a proven report, found {other:?}"),
        }
    }

    #[test]
    fn a_bounce_to_the_mails_own_address_is_proven_and_read() {
        let ours = address();
        for (action, expected) in [
            ("failed", Late::Failed("smtp; 550 no such user".to_owned())),
            ("Failed", Late::Failed("smtp; 550 no such user".to_owned())),
            ("delayed", Late::Delayed("smtp; 550 no such user".to_owned())),
            ("delivered", Late::Arrived),
            ("relayed", Late::Arrived),
            ("expanded", Late::Arrived),
            ("failed (for good)", Late::Failed("smtp; 550 no such user".to_owned())),
            // The status says it where the action says nothing that is known.
            ("lost", Late::Failed("smtp; 550 no such user".to_owned())),
            ("", Late::Failed("smtp; 550 no such user".to_owned())),
        ] {
            assert_eq!(on(&ours, &dsn(&ours.of(7), action), &[]), Some((7, expected)), "{action}");
        }
        let nothing = String::from_utf8(dsn(&ours.of(7), "lost")).unwrap().replace("Status: 5.1.1", "Status: ?");
        assert_eq!(on(&ours, nothing.as_bytes(), &[]), Some((7, Late::Unknown)));
        // The envelope is believed where the headers name somebody else.
        let by_envelope = on(&ours, &dsn("list@example.net", "delivered"), &["r@example.com".to_owned(), ours.of(7)]);
        assert_eq!(by_envelope, Some((7, Late::Arrived)));
        let upper = ours.of(7).to_uppercase();
        assert!(matches!(ours.read(&dsn(&upper, "failed"), &[]), Some(Returned::Proven(7, _))));
    }

    /// Another number, another tag, another store: nobody is silenced. What is not for us stays with the other doors.
    #[test]
    fn a_forged_bounce_proves_nothing() {
        let ours = address();
        let tag = ours.tag(7);
        for forged in [
            format!("bounces+8-{tag}@example.com"),
            format!("bounces+7-{}@example.com", "0".repeat(TAG_DIGITS)),
            "bounces+7-@example.com".to_owned(),
            format!("bounces+7-{}@example.com", &tag[..19]),
            address().of(7),
        ] {
            assert_eq!(ours.read(&dsn(&forged, "failed"), &[]), Some(Returned::Unproven), "{forged}");
        }
        for other in ["bounces@example.com", "holdpoint+7-x@example.com", &format!("bounces+7-{tag}@example.org")] {
            assert_eq!(ours.read(&dsn(other, "failed"), &[]), None, "{other}");
        }
        let answer = format!("From: a@example.com\r\nTo: {}\r\n\r\nI am away\r\n", ours.of(7));
        assert_eq!(ours.read(answer.as_bytes(), &[]), Some(Returned::NoReport));
    }

    /// A report with these groups of fields after that of the mail.
    fn report_of(to: &str, kind: &str, groups: &[&str]) -> String {
        format!(
            "From: x@example.net\r\nTo: <{to}>\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nsorry\r\n--b\r\nContent-Type: {kind}\r\n\r\n{}\r\n--b--\r\n",
            groups.join("\r\n\r\n")
        )
    }

    /// Of several recipients the reader's own counts, and the worst of those that may be theirs.
    #[test]
    fn of_several_recipients_the_worst_that_is_ours_counts() {
        let ours = address();
        let of_mail = "Reporting-MTA: dns; x";
        let (relayed, failed) = ("Action: relayed\r\nStatus: 2.0.0", "Action: failed\r\nStatus: 5.1.1");
        let delayed = "Action: delayed\r\nStatus: 4.2.0";
        let to = |address: &str, became: &str| format!("Final-Recipient: rfc822; {address}\r\n{became}");
        let forwarded = format!("Original-Recipient: rfc822;R@Example.com\r\n{}", to("z@example.net", failed));
        let gone = || Late::Failed("5.1.1".to_owned());
        for (groups, expected) in [
            (vec![to("p@example.net", relayed), to("q@example.net", failed)], gone()),
            (vec![to("p@example.net", failed), to("q@example.net", relayed)], gone()),
            (vec![to("p@example.net", relayed), to("r@example.com", failed)], gone()),
            (vec![to("p@example.net", failed), to("r@example.com", relayed)], Late::Arrived),
            (vec![to("p@example.net", failed), to("R@EXAMPLE.COM", delayed)], Late::Delayed("4.2.0".to_owned())),
            (vec![to("p@example.net", relayed), forwarded], gone()),
            (vec![to("p@example.net", relayed), to("q@example.net", delayed)], Late::Delayed("4.2.0".to_owned())),
            (vec![], Late::Unknown),
        ] {
            let groups: Vec<&str> = [of_mail].into_iter().chain(groups.iter().map(String::as_str)).collect();
            let mail = report_of(&ours.of(7), "message/delivery-status", &groups);
            assert_eq!(on(&ours, mail.as_bytes(), &[]), Some((7, expected)), "{groups:?}");
        }
    }

    /// RFC 6533: another name of the part, addresses in any script, and any transfer encoding.
    #[test]
    fn a_bounce_of_an_address_in_another_script_is_read() {
        let ours = address();
        for recipient in
            ["utf-8; jürgen@example.com", "UTF-8;J\\x{FC}RGEN@example.com", "utf-8; j\\x{fc}rgen@example.com"]
        {
            let group = format!("Final-Recipient: {recipient}\r\nAction: failed\r\nStatus: 5.1.1");
            let other = "Final-Recipient: utf-8; p@example.com\r\nAction: relayed\r\nStatus: 2.0.0";
            let groups = ["Reporting-MTA: dns; x", &group, other];
            let plain = report_of(&ours.of(7), "message/global-delivery-status", &groups);
            use base64::{Engine as _, engine::general_purpose::STANDARD};
            let encoded = STANDARD.encode(groups.join("\r\n\r\n"));
            let kind = "message/global-delivery-status\r\nContent-Transfer-Encoding: base64";
            for mail in [plain, report_of(&ours.of(7), kind, &[&encoded])] {
                let Some(Returned::Proven(7, report)) = ours.read(mail.as_bytes(), &[]) else { panic!("{mail}") };
                assert_eq!(report.on("jürgen@example.com"), Late::Failed("5.1.1".to_owned()), "{mail}");
                assert_eq!(report.on("p@example.com"), Late::Arrived, "{mail}");
            }
        }
    }

    fn feedback(ours: &BounceAddress, fields: &str) -> String {
        let fields = format!("{fields}User-Agent: x/1\r\nVersion: 1\r\nOriginal-Mail-From: <{}>", ours.of(9));
        report_of("abuse@example.com", "message/feedback-report", &[&fields])
    }

    #[test]
    fn feedback_names_the_envelope_sender_and_its_type() {
        let ours = address();
        for (fields, expected) in [
            ("Feedback-Type: abuse\r\n", "abuse"),
            ("feedback-type:  Not-Spam (a reader said so)\r\n", "not-spam"),
            ("Feedback-Type: (x) auth-failure\r\n", "auth-failure"),
            ("Feedback-Type: abuse\r\nFeedback-Type: abuse\r\n", "abuse"),
            // Several that differ, and none.
            ("Feedback-Type: abuse\r\nFeedback-Type: not-spam\r\n", "several"),
            ("Feedback-Type: !\r\n", "none"),
            ("", "none"),
        ] {
            let found = on(&ours, feedback(&ours, fields).as_bytes(), &[]);
            assert_eq!(found, Some((9, Late::Feedback(expected.to_owned()))), "{fields:?}");
        }
        let other = feedback(&ours, "Feedback-Type: abuse\r\n").replace(&ours.of(9), "x@example.net");
        assert_eq!(ours.read(other.as_bytes(), &[]), None);
    }

    #[test]
    fn the_key_of_a_store_stays() {
        let tables = Sqlite::memory().unwrap();
        let [one, two] = [(); 2].map(|()| BounceAddress::open("b@example.com", &tables).unwrap());
        assert_eq!(one.of(3), two.of(3));
    }
}
