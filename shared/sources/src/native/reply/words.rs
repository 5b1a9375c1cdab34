//! What somebody wrote: their own words, without what they quote, on one line and not long.

use refresh_core::{base::text::OneLine, facts::reply::LONGEST_REPLY_TEXT};

/// How the line begins that stands above a quoted mail, in lower case.
const ABOVE_A_QUOTATION: [&str; 8] = [
    "-----original",
    "----- original",
    "-----ursprüngliche",
    "________________________________",
    "from: ",
    "von: ",
    "de : ",
    "begin forwarded message",
];

/// How the line ends that stands above a quoted mail.
const INTRODUCES: [&str; 6] = ["wrote:", "schrieb:", "écrit :", "escribió:", "ha scritto:", "geschreven:"];

/// The text before the first quotation or signature. `None`: nothing was written.
pub fn own(text: &str) -> Option<String> {
    let mut own = String::new();
    for line in text.lines() {
        let line = line.trim_end();
        let lower = line.trim_start().to_lowercase();
        let quotation = ABOVE_A_QUOTATION.iter().any(|start| lower.starts_with(start))
            || INTRODUCES.iter().any(|end| lower.ends_with(end))
            || line == "--";
        if quotation {
            break;
        }
        if !lower.starts_with('>') {
            own.push_str(line);
            own.push('\n');
        }
    }
    bounded(&own)
}

/// On one line of at most as many characters as are kept.
pub fn bounded(text: &str) -> Option<String> {
    let line = OneLine::of(text)?;
    let words: Vec<&str> = line.as_str().split_whitespace().collect();
    let whole = words.join(" ");
    if whole.is_empty() {
        return None;
    }
    if whole.chars().count() <= LONGEST_REPLY_TEXT {
        return Some(whole);
    }
    let cut: String = whole.chars().take(LONGEST_REPLY_TEXT - 1).collect();
    Some(format!("{}…", cut.trim_end()))
}
