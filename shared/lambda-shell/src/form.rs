//! A posted form: `application/x-www-form-urlencoded`, with a number on everything.

use crate::web::Request;

/// A form of ours has a handful of fields.
pub const MOST_FIELDS: usize = 32;
/// A note of some thousand characters, percent-encoded, and a token.
pub const LONGEST_FORM: usize = 64 * 1024;

/// The fields in order. The error says what was expected.
///
/// # Errors
///
/// What was expected and what was found: of another content type, longer than [`LONGEST_FORM`], or with more fields
/// than [`MOST_FIELDS`].
pub fn read(request: &Request) -> Result<Vec<(String, String)>, String> {
    let kind = request.header("content-type").unwrap_or("");
    let media = kind.split(';').next().unwrap_or("").trim();
    if !media.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(format!("expected content-type application/x-www-form-urlencoded, found {kind:?}"));
    }
    if request.body.len() > LONGEST_FORM {
        return Err(format!("expected a form of at most {LONGEST_FORM} bytes, found {}", request.body.len()));
    }
    let fields: Vec<(String, String)> =
        form_urlencoded::parse(&request.body).into_owned().take(MOST_FIELDS + 1).collect();
    if fields.len() > MOST_FIELDS {
        return Err(format!("expected at most {MOST_FIELDS} fields, found more"));
    }
    Ok(fields)
}

/// The only field of that name; a name that stands twice is nobody's choice.
pub fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut found = fields.iter().filter(|(field, _)| field == name);
    let value = found.next().map(|(_, value)| value.as_str());
    if found.next().is_some() { None } else { value }
}
