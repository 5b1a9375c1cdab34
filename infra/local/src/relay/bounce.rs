//! Bounces that come later, by mail: a server took a mail, and another one could not deliver it (RFC 3464), or its reader
//! called the mail unwanted (RFC 5965).
//!
//! What proves a bounce is the address that it was sent to. Each mail leaves with an envelope sender of its own,
//! `bounces+<number>-<tag>@example.com`; the tag is a keyed digest of the number, by a key that only this store has. Only the
//! reader and the servers on the way have seen the address, so nobody can silence somebody else. What the bounce says of
//! itself (whom it is about, which message it returns) is not believed.

use hmac::{Hmac, KeyInit, Mac};
use mail_parser::{Message, MessageParser, MimeHeaders};
use sha2::Sha256;

use crate::sqlite::Sqlite;

/// Hexadecimal digits of a tag: 80 bits.
const TAG_DIGITS: usize = 20;
/// What is kept of a server's words, in characters.
const LONGEST_WORDS: usize = 200;

/// The key of one store, and the address that bounces go to. Cloning is cheap.
#[derive(Clone)]
pub struct BounceAddress {
    local: String,
    domain: String,
    key: [u8; 32],
}

/// What became of a mail, as a bounce says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Late {
    /// Nobody will take it.
    Failed(String),
    /// It is still tried.
    Delayed(String),
    /// Its reader called it unwanted.
    Complained,
    /// It arrived, or was passed on.
    Arrived,
}

/// A mail to an address of ours for bounces.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Returned {
    /// Of the mail with this number.
    Proven(u64, Late),
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
        let complaint = report.iter().find_map(|(kind, fields)| (*kind == "feedback-report").then_some(fields));
        let addressed = recipients.iter().cloned().chain(addressees(&message));
        // A complaint goes to the sender's own address, and names the envelope sender (RFC 5965, `Original-Mail-From`).
        let named = complaint.and_then(|fields| field(fields, "original-mail-from")).into_iter();
        let number = named.chain(addressed).find_map(|address| self.number(&address))?;
        let Some(number) = number else { return Some(Returned::Unproven) };
        if complaint.is_some() {
            return Some(Returned::Proven(number, Late::Complained));
        }
        let status = report.iter().find_map(|(kind, fields)| (*kind == "delivery-status").then_some(fields));
        let Some(fields) = status else { return Some(Returned::NoReport) };
        let said = field(fields, "diagnostic-code").or_else(|| field(fields, "status")).unwrap_or_default();
        let said: String = said.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST_WORDS).collect();
        let late = match field(fields, "action").unwrap_or_default().to_ascii_lowercase().as_str() {
            "failed" => Late::Failed(said),
            "delayed" => Late::Delayed(said),
            _ => Late::Arrived,
        };
        Some(Returned::Proven(number, late))
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

/// The parts of type `message/...` that tell of a message, by subtype, as text.
fn report(message: &Message<'_>) -> Vec<(&'static str, String)> {
    let told = message.parts.iter().filter_map(|part| {
        let kind = part.content_type()?;
        let subtype = kind.subtype()?.to_ascii_lowercase();
        let subtype = ["delivery-status", "feedback-report"].into_iter().find(|known| *known == subtype)?;
        let is_message = kind.ctype().eq_ignore_ascii_case("message");
        is_message.then(|| (subtype, String::from_utf8_lossy(part.contents()).into_owned()))
    });
    told.collect()
}

/// The first field of that name, unfolded.
fn field(text: &str, name: &str) -> Option<String> {
    let unfolded = text.replace("\r\n", "\n").replace("\n ", " ").replace("\n\t", " ");
    unfolded.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
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

    #[test]
    fn a_bounce_to_the_mails_own_address_is_proven_and_read() {
        let ours = address();
        for (action, expected) in [
            ("failed", Late::Failed("smtp; 550 no such user".to_owned())),
            ("Failed", Late::Failed("smtp; 550 no such user".to_owned())),
            ("delayed", Late::Delayed("smtp; 550 no such user".to_owned())),
            ("delivered", Late::Arrived),
            ("relayed", Late::Arrived),
        ] {
            assert_eq!(ours.read(&dsn(&ours.of(7), action), &[]), Some(Returned::Proven(7, expected)), "{action}");
        }
        // The envelope is believed where the headers name somebody else.
        let by_envelope = ours.read(&dsn("list@example.net", "delivered"), &["r@example.com".to_owned(), ours.of(7)]);
        assert_eq!(by_envelope, Some(Returned::Proven(7, Late::Arrived)));
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

    #[test]
    fn a_complaint_names_the_envelope_sender() {
        let ours = address();
        let mail = format!(
            "From: fbl@example.net\r\nTo: abuse@example.com\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=feedback-report; boundary=\"b\"\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nunwanted\r\n\
             --b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: x/1\r\nVersion: 1\r\n\
             Original-Mail-From: <{}>\r\n\r\n--b--\r\n",
            ours.of(9)
        );
        assert_eq!(ours.read(mail.as_bytes(), &[]), Some(Returned::Proven(9, Late::Complained)));
        let other = mail.replace(&ours.of(9), "x@example.net");
        assert_eq!(ours.read(other.as_bytes(), &[]), None);
    }

    #[test]
    fn the_key_of_a_store_stays() {
        let tables = Sqlite::memory().unwrap();
        let [one, two] = [(); 2].map(|()| BounceAddress::open("b@example.com", &tables).unwrap());
        assert_eq!(one.of(3), two.of(3));
    }
}
