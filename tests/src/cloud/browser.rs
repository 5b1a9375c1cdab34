//! A person with a mail before them: the link in it, the form on its page. Shared by everything that visits pages.

use serde_json::{Map, Value, json};

/// The path of the first link of a kind (`adopt`, `acknowledge`) in a mail's text.
pub fn link_in(text: &str, base: &str, kind: &str) -> Option<String> {
    let start = format!("{}/{kind}/", base.trim_end_matches('/'));
    let path = &text[text.find(&start)? + base.trim_end_matches('/').len()..];
    let end = path.find(|c: char| !(c.is_ascii_alphanumeric() || "/-_~".contains(c))).unwrap_or(path.len());
    Some(path[..end].to_owned())
}

/// The page's posting form with one choice made, as a browser would send it. `None`: nothing can be chosen.
pub fn filled(html: &str, field: &str, choice: &str) -> Option<Vec<u8>> {
    let form = html.split("<form").skip(1).find(|form| {
        let tag = form.split('>').next().unwrap_or_default();
        attribute(tag, "method").is_some_and(|method| method.eq_ignore_ascii_case("post"))
    })?;
    let form = form.split("</form").next().unwrap_or(form);
    let mut filled = form_urlencoded::Serializer::new(String::new());
    for input in form.split("<input").skip(1) {
        let tag = input.split('>').next().unwrap_or_default();
        if attribute(tag, "type").as_deref() == Some("hidden") {
            filled.append_pair(&attribute(tag, "name")?, &attribute(tag, "value").unwrap_or_default());
        }
    }
    filled.append_pair(field, choice);
    Some(filled.finish().into_bytes())
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let tag = format!(" {}", tag.replace(['\n', '\t'], " "));
    let start = format!(" {name}=\"");
    let value = tag[tag.find(&start)? + start.len()..].split('"').next()?;
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    let plain = entities.iter().fold(value.to_owned(), |text, (entity, plain)| text.replace(entity, plain));
    Some(plain.replace("&amp;", "&"))
}

/// What a browser says of a visit; of a posted form, that it was sent from the page itself.
pub fn headers(base: &str, posting: bool) -> Vec<(String, String)> {
    let mut headers = vec![
        ("accept", "text/html".to_owned()),
        ("sec-fetch-mode", "navigate".to_owned()),
        ("sec-fetch-dest", "document".to_owned()),
        ("sec-fetch-site", if posting { "same-origin" } else { "none" }.to_owned()),
    ];
    if posting {
        headers.push(("origin", base.to_owned()));
        headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
    }
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The same visit as the event of an HTTP API, payload version 2.
pub fn event(base: &str, method: &str, path: &str, body: &[u8]) -> Value {
    let named = headers(base, method == "POST").into_iter().map(|(name, value)| (name, Value::String(value)));
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
        "headers": named.collect::<Map<String, Value>>(),
        "requestContext": {
            "accountId": "000000000000", "apiId": "api", "domainName": base.trim_start_matches("https://"), "domainPrefix": "host",
            "requestId": "request", "routeKey": "$default", "stage": "$default",
            "time": "03/Nov/2026:08:00:00 +0000", "timeEpoch": 1_793_692_800_000_u64,
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "" },
        },
        "body": String::from_utf8_lossy(body), "isBase64Encoded": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_ends_where_the_sentence_goes_on() {
        let text = "Decide here: https://h.example/adopt/abc-_1\nor <https://h.example/acknowledge/z>.";
        assert_eq!(link_in(text, "https://h.example", "adopt").as_deref(), Some("/adopt/abc-_1"));
        assert_eq!(link_in(text, "https://h.example/", "acknowledge").as_deref(), Some("/acknowledge/z"));
        assert_eq!(link_in(text, "https://other.example", "adopt"), None);
    }

    #[test]
    fn hidden_fields_go_along_with_the_choice() {
        let page = "<form method=\"get\"><input type=\"hidden\" name=\"no\" value=\"1\"></form>\
            <form method=\"post\"><input type=\"radio\" name=\"choice\" value=\"adopt\">\
            <input type=\"hidden\" name=\"seal\" value=\"a&#38;b\"></form>";
        assert_eq!(filled(page, "choice", "adopt").as_deref(), Some("seal=a%26b&choice=adopt".as_bytes()));
        assert_eq!(filled("<p>nothing to choose</p>", "choice", "adopt"), None);
    }
}
