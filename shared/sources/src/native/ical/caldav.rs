//! CalDAV's schedule response (RFC 6638 10.1): one calendar object a recipient, or the reason why there is none.

use super::address;
use crate::reader::Node;

const NAMESPACE: &str = "urn:ietf:params:xml:ns:caldav";
const MOST_RESPONSES: usize = 100;

pub struct ScheduleResponse {
    pub recipient: String,
    pub status: String,
    pub data: Option<String>,
}

pub fn is_schedule_response(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with('<')
}

pub fn responses(node: &Node<'_>, text: &str) -> Option<Vec<ScheduleResponse>> {
    let Ok(document) = roxmltree::Document::parse(text.trim_start_matches('\u{feff}')) else {
        return node.wrong_as("a CalDAV schedule-response", "XML that cannot be read");
    };
    let root = document.root_element();
    if !root.has_tag_name((NAMESPACE, "schedule-response")) {
        return node.wrong_as("a CalDAV schedule-response", "another XML document");
    }
    let responses: Vec<_> = root.children().filter(|child| child.has_tag_name((NAMESPACE, "response"))).collect();
    if responses.is_empty() || responses.len() > MOST_RESPONSES {
        return node.wrong_as(format!("1 to {MOST_RESPONSES} responses"), responses.len().to_string());
    }
    let read = responses.into_iter().map(|response| {
        let text_of = |name: &str| text_in(response, name);
        Some(ScheduleResponse {
            recipient: address::address(&text_of("recipient")?),
            status: text_of("request-status")?,
            data: text_of("calendar-data").filter(|data| !data.is_empty()),
        })
    });
    let read: Option<Vec<_>> = read.collect();
    read.or_else(|| node.wrong_as("a recipient and a request-status in every response", "a response without"))
}

/// The text of a member of a response.
fn text_in(response: roxmltree::Node<'_, '_>, name: &str) -> Option<String> {
    let part = response.children().find(|child| child.has_tag_name((NAMESPACE, name)))?;
    let text: String = part.descendants().filter(|inner| inner.is_text()).filter_map(|inner| inner.text()).collect();
    Some(text.trim().to_owned())
}

/// A schedule response with other calendars in it, and with nothing beside what is read. `None`: it is none.
pub fn rewritten(text: &str, calendar: impl Fn(&str) -> String) -> Option<String> {
    let document = roxmltree::Document::parse(text.trim_start_matches('\u{feff}')).ok()?;
    let root = document.root_element();
    if !root.has_tag_name((NAMESPACE, "schedule-response")) {
        return None;
    }
    let mut out = format!("<schedule-response xmlns=\"{NAMESPACE}\">");
    for response in root.children().filter(|child| child.has_tag_name((NAMESPACE, "response"))) {
        out += "<response>";
        for name in ["recipient", "request-status", "calendar-data"] {
            let Some(text) = text_in(response, name) else { continue };
            let text = match name {
                "calendar-data" => calendar(&text),
                "request-status" => text.split(';').next().unwrap_or_default().to_owned(),
                _ => text,
            };
            let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            out += &format!("<{name}>{text}</{name}>");
        }
        out += "</response>";
    }
    Some(out + "</schedule-response>")
}
