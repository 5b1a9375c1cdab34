//! Calendar addresses (RFC 5545, 3.3.3): one reader for every property and every door.

use refresh_core::Person;

use super::content::ContentLine;

/// The address behind `mailto:`, which is in any letter case, without the fields of a mail (RFC 6068), and decoded; or a
/// bare address. What cannot be decoded stays as it is written.
pub fn address(text: &str) -> String {
    decoded(text).unwrap_or_else(|| bare(text).to_owned())
}

fn decoded(text: &str) -> Option<String> {
    let address = bare(text).split('?').next().unwrap_or_default();
    let decoded = percent_encoding::percent_decode_str(address).decode_utf8().ok()?;
    Some(decoded.trim().to_owned())
}

fn bare(text: &str) -> &str {
    let text = text.trim().trim_matches('"').trim();
    let mailto = text.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
    if mailto { text[7..].trim() } else { text }
}

/// The person of a calendar address.
pub fn person(text: &str) -> Option<Person> {
    Person::parse(&decoded(text)?).ok()
}

/// The names under which somebody may be bound: the address, the address as it is written, and the e-mail address that
/// RFC 7986 lets an address of another kind carry.
pub fn names_of(line: &ContentLine<'_>) -> Vec<String> {
    let mut names = vec![address(line.value), bare(line.value).to_owned()];
    names.extend(line.said("EMAIL").once().map(address));
    names.dedup();
    names.retain(|name| !name.is_empty());
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_in_every_way_of_writing_it() {
        for text in [
            "mailto:jane+rel@example.com",
            "MAILTO:jane%2Brel@example.com",
            "mailto:jane%2brel%40example.com",
            "mailto:jane+rel@example.com?subject=x",
            "\"mailto:jane+rel@example.com\"",
            " mailto: jane+rel@example.com ",
            "jane+rel@example.com",
        ] {
            assert_eq!(address(text), "jane+rel@example.com", "{text}");
        }
        assert_eq!(address("urn:uuid:1"), "urn:uuid:1");
    }
}
