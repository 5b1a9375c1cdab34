//! `Authentication-Results` (RFC 8601): what the deployment's own server says of the sender. A sender can write the same
//! header, so where it stands says whose it is.

use refresh_core::{Person, facts::reply::Authentication};

use crate::native::binding::Authserv;

/// Nested comments that are read.
const DEEPEST: usize = 20;

/// What the server says of the sender's domain. The server puts its header on top of what it received, so only the
/// topmost counts, and only above what a sender can write: above every `Received` but those of servers behind it.
pub fn authentication(headers: &[(String, String)], authserv: Option<&Authserv>, sender: &Person) -> Authentication {
    let Some(authserv) = authserv else { return Authentication::Missing };
    let Some(at) = headers.iter().position(|(name, _)| name == "authentication-results") else {
        return Authentication::Missing;
    };
    let above = headers[..at].iter().filter(|(name, _)| name == "received").count();
    let plain = without_comments(&headers[at].1);
    let Some(plain) = plain.filter(|_| above <= authserv.relays) else { return Authentication::Missing };
    let mut parts = plain.split(';').map(str::trim);
    let id = parts.next().and_then(|id| id.split_whitespace().next()).unwrap_or_default();
    if !id.trim_matches('"').eq_ignore_ascii_case(&authserv.id) {
        return Authentication::Missing;
    }
    let domain = sender.as_str().rsplit_once('@').map(|(_, domain)| domain).unwrap_or_default();
    let results: Vec<Authentication> = parts.filter_map(|part| dmarc(part, domain)).collect();
    match results.as_slice() {
        [one] => *one,
        [] => Authentication::Missing,
        // Two words for one mail: the worse one.
        several => {
            several.iter().copied().max_by_key(|one| *one != Authentication::Passed).unwrap_or(Authentication::Missing)
        }
    }
}

/// The result of the method `dmarc`; `None`: the part is of another method.
fn dmarc(part: &str, domain: &str) -> Option<Authentication> {
    let spaced = part.replace('=', " = ");
    let mut words = spaced.split_whitespace();
    let method = words.next()?.split('/').next()?;
    if !method.eq_ignore_ascii_case("dmarc") || words.next() != Some("=") {
        return None;
    }
    let result = words.next()?.to_ascii_lowercase();
    let words: Vec<&str> = words.collect();
    let mut properties = words.windows(3).filter(|three| three[1] == "=");
    // The domain that was judged, where the server says which.
    let other = properties
        .any(|three| three[0].eq_ignore_ascii_case("header.from") && !judges(three[2].trim_matches('"'), domain));
    Some(match result.as_str() {
        _ if other => Authentication::Failed,
        "pass" => Authentication::Passed,
        "fail" => Authentication::Failed,
        "none" | "bestguesspass" => Authentication::NoPolicy,
        "temperror" | "permerror" => Authentication::Unavailable,
        _ => Authentication::Missing,
    })
}

/// Whether a word on one domain is one on another. A domain without a DMARC record of its own is judged by the record of the
/// organization's domain above it (RFC 7489, 6.6.3), and some servers (rspamd) name that one. Only a server of the deployment
/// says so, of this mail; all the same nothing above an organization's domain vouches for what is below.
fn judges(judged: &str, domain: &str) -> bool {
    let (judged, domain) = (judged.to_ascii_lowercase(), domain.to_ascii_lowercase());
    let judged = judged.strip_suffix('.').unwrap_or(&judged);
    judged == domain || (!is_registry(judged) && domain.strip_suffix(judged).is_some_and(|sub| sub.ends_with('.')))
}

/// Labels under which the registries of countries give out domains.
const UNDER_COUNTRIES: [&str; 36] = [
    "ac", "asn", "co", "com", "ed", "edu", "gob", "gouv", "gov", "govt", "go", "gv", "id", "info", "int", "ltd", "mi",
    "mil", "me", "ne", "net", "ngo", "nhs", "nic", "nom", "or", "org", "plc", "police", "res", "sch", "school", "web",
    "k12", "firm", "gen",
];

/// Whether anybody may have a domain below: a top-level domain, and what is usual below that of a country. There is no list of
/// all such domains here.
fn is_registry(domain: &str) -> bool {
    match domain.split('.').collect::<Vec<_>>().as_slice() {
        [] | [_] => true,
        [name, country] => name.is_empty() || (country.len() == 2 && UNDER_COUNTRIES.contains(name)),
        _ => false,
    }
}

/// The value without comments, line ends and quoted `;`. `None`: a comment or a quotation is not closed.
fn without_comments(value: &str) -> Option<String> {
    let (mut plain, mut depth, mut quoted) = (String::new(), 0_usize, false);
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted || depth > 0 => drop(chars.next()),
            '"' if depth == 0 => {
                quoted = !quoted;
                plain.push('"');
            }
            '(' if !quoted => depth += 1,
            ')' if !quoted && depth > 0 => depth -= 1,
            _ if depth > DEEPEST => return None,
            _ if depth > 0 => {}
            // What is quoted is one word, and holds nothing that parts others.
            ';' | '=' if quoted => plain.push('_'),
            c if quoted && c.is_whitespace() => plain.push('_'),
            c if c.is_control() => plain.push(' '),
            c => plain.push(c),
        }
    }
    (depth == 0 && !quoted).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(from: &str, judged: &str) -> &'static str {
        let sender = Person::parse(&format!("dep@{from}")).expect("an address");
        let authserv = Authserv { id: "mx.example.org".to_owned(), relays: 0 };
        let value = format!("mx.example.org; dmarc=pass (policy=reject) header.from={judged}");
        authentication(&[("authentication-results".to_owned(), value)], Some(&authserv), &sender).word()
    }

    /// A word on an organization's domain is one on what is below it, and a word on a registry's is on nobody below.
    #[test]
    fn a_domain_vouches_for_what_is_below_it() {
        for (from, judged, expected) in [
            ("mail.corp.example", "corp.example", "passed"),
            ("a.b.corp.example", "Corp.Example", "passed"),
            ("a.b.corp.example", "b.corp.example.", "passed"),
            ("mail.corp.co.uk", "corp.co.uk", "passed"),
            ("mail.hp.de", "hp.de", "passed"),
            ("corp.example", "corp.example", "passed"),
            // Below, beside, or only written alike.
            ("corp.example", "mail.corp.example", "failed"),
            ("mail.corp.example", "dev.corp.example", "failed"),
            ("evilcorp.example", "corp.example", "failed"),
            ("mail.evil-corp.example", "corp.example", "failed"),
            ("corp.example.evil.test", "corp.example", "failed"),
            ("corp.example", "evil.test", "failed"),
            // Anybody may have a domain below these.
            ("corp.example", "example", "failed"),
            ("corp.co.uk", "co.uk", "failed"),
            ("mail.corp.com.au", "com.au", "failed"),
            ("mail.corp.example", ".example", "failed"),
            ("mail.corp.example", "\"\"", "failed"),
            ("mail.corp.example", ".", "failed"),
        ] {
            assert_eq!(said(from, judged), expected, "{from}, {judged}");
        }
    }
}
