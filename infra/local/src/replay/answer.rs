//! A person's part in a replay: the link in their mail is followed, the page's form is read and sent, like a browser.

use lambda_shell::web::{Request, Response};
use mail_parser::MessageParser;
use presentation::page::RESULT_HEADER;
use refresh_core::record::lineage::{AnswerResult, Happening};
use serde::Deserialize;

use super::scenario::{Link, Visit};
use crate::engine::Engine;

/// A page as somebody has it open.
#[derive(Clone, Debug)]
pub struct OpenPage {
    pub path: String,
    pub result: AnswerResult,
    /// The form's hidden fields; `None` where the page offers no form.
    pub form: Option<Vec<(String, String)>>,
}

/// The path of the link in the newest mail of that person that carries one, or in the newest about one version.
pub async fn find_link(engine: &Engine, visit: &Visit, link: Link) -> Result<Option<String>, String> {
    Ok(links(engine, visit, link).await?.into_iter().next())
}

/// The paths of all such links, the newest first, each once.
pub async fn links(engine: &Engine, visit: &Visit, link: Link) -> Result<Vec<String>, String> {
    let entries = engine.store().lineage(&visit.review, 1).await.map_err(|error| error.to_string())?;
    let happenings = entries.iter().rev().flat_map(|entry| entry.happenings.iter().rev());
    let mut found = Vec::new();
    for happening in happenings {
        let Happening::Notice { to, version, message_id, .. } = happening else { continue };
        if *to != visit.person || visit.of_version.is_some_and(|wanted| wanted != *version) {
            continue;
        }
        let mail = engine.mailbox().to(to.as_str()).into_iter().find(|mail| mail.message_id == *message_id);
        if let Some(path) = mail.and_then(|mail| path_in(&mail.raw, &engine.settings().link_base, link))
            && !found.contains(&path)
        {
            found.push(path);
        }
    }
    Ok(found)
}

/// The adoption page that was mailed last, for whoever wants to see one.
pub fn adoption_path(engine: &Engine) -> Option<String> {
    let mails = engine.mailbox().all();
    mails.iter().rev().find_map(|mail| path_in(&mail.raw, &engine.settings().link_base, Link::Adopt))
}

/// The first link of that kind in a mail's text.
pub fn path_in(raw: &[u8], link_base: &str, link: Link) -> Option<String> {
    let message = MessageParser::default().parse(raw)?;
    let text = message.body_text(0)?;
    let start = format!("{link_base}/{}/", link.word());
    let from = text.find(&start)?;
    let path = &text[from + link_base.len()..];
    let end = path.find(|c: char| !(c.is_ascii_alphanumeric() || "/-_~".contains(c))).unwrap_or(path.len());
    Some(path[..end].to_owned())
}

fn browser(engine: &Engine, method: &str, path: &str, body: Vec<u8>) -> Request {
    let origin = &engine.settings().link_base;
    let host = origin.split("//").nth(1).unwrap_or(origin);
    let mut headers: Vec<(String, String)> = vec![
        ("host".to_owned(), host.to_owned()),
        ("accept".to_owned(), "text/html".to_owned()),
        ("sec-fetch-mode".to_owned(), "navigate".to_owned()),
        ("sec-fetch-dest".to_owned(), "document".to_owned()),
    ];
    let posting = method == "POST";
    headers.push(("sec-fetch-site".to_owned(), if posting { "same-origin" } else { "none" }.to_owned()));
    if posting {
        headers.push(("origin".to_owned(), origin.clone()));
        headers.push(("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
    }
    let domain_name = Some(host.to_owned());
    Request { method: method.to_owned(), path: path.to_owned(), headers, body, domain_name, ..Request::default() }
}

fn result_of(response: &Response) -> Result<AnswerResult, String> {
    let header = response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(RESULT_HEADER));
    let Some((_, word)) = header else {
        return Err(format!("a page with status {} and without {RESULT_HEADER}", response.status));
    };
    let word = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(word);
    AnswerResult::deserialize(word).map_err(|error| format!("{RESULT_HEADER}: {error}"))
}

/// A person whose page did not come asks again: the function may have died in it.
async fn exchange(engine: &Engine, request: Request) -> Result<Response, String> {
    const PATIENCE: usize = 3;
    for _ in 0..PATIENCE {
        if let Some(response) = engine.request(&request).await? {
            return Ok(response);
        }
    }
    // The rest of the path is the token.
    let page = request.path.split('/').nth(1).unwrap_or_default();
    Err(format!("{} {page}: nothing answered", request.method))
}

pub async fn get(engine: &Engine, path: &str) -> Result<OpenPage, String> {
    let response = exchange(engine, browser(engine, "GET", path, Vec::new())).await?;
    let body = String::from_utf8_lossy(&response.body);
    Ok(OpenPage { path: path.to_owned(), result: result_of(&response)?, form: hidden_fields(&body) })
}

/// Sends the page's form with one choice made. A page without a form has said already why nothing can be chosen.
pub async fn post(engine: &Engine, page: &OpenPage, field: &str, choice: &str) -> Result<AnswerResult, String> {
    let Some(hidden) = &page.form else { return Ok(page.result) };
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in hidden {
        form.append_pair(name, value);
    }
    form.append_pair(field, choice);
    let response = exchange(engine, browser(engine, "POST", &page.path, form.finish().into_bytes())).await?;
    result_of(&response)
}

/// The hidden fields of the page's POST form.
fn hidden_fields(html: &str) -> Option<Vec<(String, String)>> {
    let form = html.split("<form").skip(1).find(|form| {
        let tag = form.split('>').next().unwrap_or_default();
        attribute(tag, "method").is_some_and(|method| method.eq_ignore_ascii_case("post"))
    })?;
    let form = form.split("</form").next().unwrap_or(form);
    let inputs = form.split("<input").skip(1).filter_map(|input| {
        let tag = input.split('>').next()?;
        if attribute(tag, "type")? != "hidden" {
            return None;
        }
        Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default()))
    });
    Some(inputs.collect())
}

/// One attribute of our own markup: always quoted, escaped by the templates.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = format!(" {name}=\"");
    let padded = format!(" {}", tag.replace(['\n', '\t'], " ").trim_start());
    let from = padded.find(&start)? + start.len();
    let value = padded[from..].split('"').next()?;
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    let plain = entities.iter().fold(value.to_owned(), |text, (entity, plain)| text.replace(entity, plain));
    Some(plain.replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_fields_of_the_posting_form_are_found() {
        let html = "<form method=\"get\"><input type=\"hidden\" name=\"no\" value=\"1\"></form>\
            <form class=\"x\" method=\"post\" action=\"/adopt/t\">\n<input type=\"radio\" name=\"choice\" value=\"adopt\">\
            <input name=\"seal\" type=\"hidden\" value=\"a&#38;b\"></form>";
        assert_eq!(hidden_fields(html), Some(vec![("seal".to_owned(), "a&b".to_owned())]));
        assert_eq!(hidden_fields("<p>nothing to choose</p>"), None);
    }

    #[test]
    fn a_link_is_cut_where_the_sentence_goes_on() {
        let raw = b"Subject: x\r\nContent-Type: text/plain\r\n\r\nSee https://h.example/adopt/abc-_1. Or <https://h.example/acknowledge/z>\r\n";
        assert_eq!(path_in(raw, "https://h.example", Link::Acknowledge).as_deref(), Some("/acknowledge/z"));
        assert_eq!(path_in(raw, "https://h.example", Link::Adopt).as_deref(), Some("/adopt/abc-_1"));
        assert_eq!(path_in(raw, "https://other.example", Link::Adopt), None);
    }
}
