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
    let other = properties.any(|three| {
        three[0].eq_ignore_ascii_case("header.from") && !three[2].trim_matches('"').eq_ignore_ascii_case(domain)
    });
    Some(match result.as_str() {
        _ if other => Authentication::Failed,
        "pass" => Authentication::Passed,
        "fail" => Authentication::Failed,
        "none" | "bestguesspass" => Authentication::NoPolicy,
        "temperror" | "permerror" => Authentication::Unavailable,
        _ => Authentication::Missing,
    })
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
