//! A mail that is written in HTML, as text: each block on lines of its own, and of what it quotes a `>` alone.

use mail_parser::decoders::html::html_to_text;

/// What stands in place of a quotation.
const QUOTED: &str = "<br>&gt; <br>";
/// What holds a quotation whole, by a word in the attributes of its tag: Gmail, Yahoo, Thunderbird, Proton, Tuta, Zoho,
/// Spark, Roundcube.
const HOLDS_A_QUOTATION: [&str; 10] = [
    "gmail_quote",
    "gmail_attr",
    "yahoo_quoted",
    "moz-cite-prefix",
    "protonmail_quote",
    "tutanota_quote",
    "zmail_extra",
    "messagereplysection",
    "reply-intro",
    "type=\"cite\"",
];
/// What begins a quotation that goes on to the end: Outlook and its kin, which put the quoted mail behind a header.
const BEGINS_A_QUOTATION: [&str; 8] = [
    "divrplyfwdmsg",
    "appendonsend",
    "mail-editor-reference-message-container",
    "outlookmessageheader",
    "olk_src_body_section",
    "stopspelling",
    "isreplycontent",
    // The line that Outlook draws above the header.
    "border-top:solid",
];
/// What says nothing to a reader.
const UNSEEN: [&str; 5] = ["head", "style", "script", "title", "template"];
/// What stands on lines of its own.
const BLOCKS: [&str; 16] =
    ["div", "p", "li", "ul", "ol", "tr", "table", "hr", "pre", "section", "article", "h1", "h2", "h3", "h4", "dl"];

/// The text of an HTML body.
pub fn text(html: &str) -> String {
    html_to_text(&plain(html))
}

/// The markup without attributes, comments, quotations and what nobody sees.
fn plain(html: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(html.len()), html);
    while let Some((before, from)) = rest.find('<').map(|at| rest.split_at(at)) {
        plain.push_str(before);
        if let Some(comment) = from.strip_prefix("<!--") {
            rest = comment.split_once("-->").map_or("", |(_, behind)| behind);
            continue;
        }
        let Some(tag) = Tag::of(from) else {
            plain.push_str("&lt;");
            rest = &from[1..];
            continue;
        };
        rest = &from[tag.length..];
        if tag.closes || !tag.begins_a_quotation() && !tag.holds_a_quotation() {
            if !tag.closes && UNSEEN.contains(&tag.name.as_str()) {
                rest = behind_unseen(rest, &tag.name);
            } else if BLOCKS.contains(&tag.name.as_str()) {
                plain.push_str("<br>");
            } else {
                plain.push_str(&format!("<{}{}>", if tag.closes { "/" } else { "" }, tag.name));
            }
            continue;
        }
        plain.push_str(QUOTED);
        rest = if tag.begins_a_quotation() { "" } else { behind(rest, &tag.name) };
    }
    plain + rest
}

/// What follows the end of an element whose begin was read. One that has no end goes on to the end of the mail.
fn behind<'a>(html: &'a str, name: &str) -> &'a str {
    let (mut rest, mut depth) = (html, 1_usize);
    while let Some(at) = rest.find('<') {
        let from = &rest[at..];
        let Some(tag) = Tag::of(from) else {
            rest = &from[1..];
            continue;
        };
        rest = &from[tag.length..];
        if tag.name == name {
            depth = if tag.closes { depth - 1 } else { depth + 1 };
        }
        if depth == 0 {
            return rest;
        }
    }
    ""
}

/// The same of one whose text may hold brackets that begin no tag, as a script does.
fn behind_unseen<'a>(html: &'a str, name: &str) -> &'a str {
    let end = format!("</{name}");
    let at = html.to_ascii_lowercase().find(&end).unwrap_or(html.len());
    html[at..].split_once('>').map_or("", |(_, behind)| behind)
}

struct Tag {
    name: String,
    closes: bool,
    /// Attributes in lower case, without white space.
    attributes: String,
    /// Bytes, brackets included.
    length: usize,
}

impl Tag {
    /// The tag that a text begins with. `None`: the bracket begins none.
    fn of(text: &str) -> Option<Self> {
        let inner = text.strip_prefix('<')?;
        let closes = inner.starts_with('/');
        let inner = inner.strip_prefix('/').unwrap_or(inner);
        if !inner.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '!' | '?')) {
            return None;
        }
        let mut quote = None;
        let end = inner.char_indices().find(|(_, c)| match (quote, c) {
            (Some(open), c) if open == *c => {
                quote = None;
                false
            }
            (None, '"' | '\'') => {
                quote = Some(*c);
                false
            }
            (None, '>') => true,
            _ => false,
        });
        // A quotation mark that is not closed ends with the tag, as readers take it.
        let end = end.map(|(at, _)| at).or_else(|| inner.find('>'))?;
        let name_end = inner[..end].find(|c: char| c.is_whitespace() || c == '/').unwrap_or(end);
        let attributes = inner[name_end..end].chars().filter(|c| !c.is_whitespace()).collect::<String>();
        Some(Self {
            name: inner[..name_end].to_ascii_lowercase(),
            closes,
            attributes: attributes.to_ascii_lowercase().replace("type=cite", "type=\"cite\""),
            length: 1 + usize::from(closes) + end + 1,
        })
    }

    fn holds_a_quotation(&self) -> bool {
        self.name == "blockquote" || HOLDS_A_QUOTATION.iter().any(|word| self.attributes.contains(word))
    }

    fn begins_a_quotation(&self) -> bool {
        BEGINS_A_QUOTATION.iter().any(|word| self.attributes.contains(word))
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn of_what_is_quoted_a_mark_stays() {
        for (html, expected) in [
            ("<div>ok</div><div>fine</div>", "ok|fine"),
            ("ok<blockquote type=cite>ours<blockquote>older</blockquote>ours</blockquote>then", "ok|>|then"),
            ("ok<BLOCKQUOTE>ours", "ok|>"),
            ("<div>ok</div><div class=\"gmail_quote gmail_quote_container\"><div>ours</div></div>", "ok|>"),
            ("ok<div id='yahoo_quoted_17' class=yahoo_quoted>ours</div>", "ok|>"),
            ("ok<hr tabindex=-1><div id=\"divRplyFwdMsg\" dir=ltr>From: us</div><div>ours</div>", "ok|>"),
            ("ok<div><div style='border:none;border-top: solid #E1E1E1 1.0pt'>From: us</div></div>ours", "ok|>"),
            ("<head><title>t</title><style>a > b {}</style></head>ok<!-- <div> --> 1 &lt; 2 < 3", "ok 1 < 2 < 3"),
            ("<p title=\"a>b\">ok</p>", "ok"),
            ("<p title=\"a>ok", "ok"),
            ("ok<script>if (a<b) {}</script><o:p>then</o:p>", "okthen"),
            ("", ""),
            ("<", "<"),
        ] {
            let found = text(html);
            let lines: Vec<&str> = found.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
            assert_eq!(lines.join("|"), expected, "{html}: {found:?}");
        }
    }
}
