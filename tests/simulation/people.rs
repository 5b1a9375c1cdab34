//! People and machines with a link: whoever a mail went to, whoever it was forwarded to, and scanners that follow it.

use lambda_shell::web::{Request, Response};
use mail_parser::MessageParser;
use presentation::page::RESULT_HEADER;

/// What a page answered, as far as anybody goes on from it.
#[derive(Clone, Debug)]
pub struct Answered {
    pub status: u16,
    /// The product's own word for it.
    pub result: Option<String>,
    /// What proves a form to be one of ours.
    pub seal: Option<String>,
}

impl Answered {
    pub fn of(response: &Response) -> Self {
        let header = response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(RESULT_HEADER));
        let html = String::from_utf8_lossy(&response.body);
        let input = html.split("<input").find(|input| input.contains("name=\"seal\""));
        let seal = input.and_then(|input| input.split("value=\"").nth(1)).and_then(|rest| rest.split('"').next());
        Self { status: response.status, result: header.map(|(_, word)| word.clone()), seal: seal.map(str::to_owned) }
    }
}

/// Every link of ours in a mail's text: its path.
pub fn links(raw: &[u8], base: &str) -> Vec<String> {
    let Some(text) =
        MessageParser::default().parse(raw).and_then(|mail| mail.body_text(0).map(|text| text.into_owned()))
    else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for part in text.split(base).skip(1) {
        let end = part.find(|c: char| !(c.is_ascii_alphanumeric() || "/-_".contains(c))).unwrap_or(part.len());
        let path = part[..end].to_owned();
        if ["/adopt/", "/acknowledge/"].iter().any(|start| path.starts_with(start)) && !found.contains(&path) {
            found.push(path);
        }
    }
    found
}

pub fn look(method: &str, path: &str) -> Request {
    let headers = vec![("sec-fetch-site".to_owned(), "none".to_owned())];
    Request { method: method.to_owned(), path: path.to_owned(), headers, ..Request::default() }
}

pub fn post(path: &str, seal: &str, field: &str, choice: &str) -> Request {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.append_pair("seal", seal).append_pair(field, choice);
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let headers =
        vec![header("sec-fetch-site", "same-origin"), header("content-type", "application/x-www-form-urlencoded")];
    Request {
        method: "POST".to_owned(),
        path: path.to_owned(),
        headers,
        body: body.finish().into_bytes(),
        ..Request::default()
    }
}
