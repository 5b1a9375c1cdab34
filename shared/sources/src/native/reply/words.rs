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

/// How the line ends that stands above a quoted mail, whoever was quoted.
const INTRODUCES: [&str; 6] = ["wrote:", "schrieb:", "écrit :", "escribió:", "ha scritto:", "geschreven:"];
/// The name that our mails come under, in lower case.
const OUR_NAME: &str = "review coordination";
/// Lines before the one that ends it, on which such a line may begin: programs fold it.
const MOST_FOLDED: usize = 2;
/// A program folds a line that with its next word would be longer than so, in characters.
const LEAST_FOLDED: usize = 64;
/// Characters of what stands before the colon in a quoted mail's header.
const LONGEST_LABEL: usize = 20;

/// The text before the first quotation or signature. `None`: nothing was written. `ours`: the address that the mail went to.
pub fn own(text: &str, ours: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let quoted = QuotedMail::of(ours);
    let mut own: Vec<&str> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let lower = line.trim_start().to_lowercase();
        let above = ABOVE_A_QUOTATION.iter().any(|start| lower.starts_with(start)) || is_rule_with_a_title(&lower);
        if above || *line == "--" || quoted.heads(&lower) {
            break;
        }
        if lower.starts_with('>') {
            continue;
        }
        let quoted_next = lines[at + 1..].iter().find(|line| !line.trim().is_empty());
        let before_a_quotation = quoted_next.is_some_and(|next| next.trim_start().starts_with('>'));
        if let Some(folded) = quoted.introduces(&own, &lower, before_a_quotation) {
            own.truncate(own.len() - folded);
            break;
        }
        own.push(line);
    }
    bounded(&own.join("\n"))
}

/// By what a quotation of a mail of ours is known.
struct QuotedMail {
    /// The address that the mail went to, without its tag.
    bare: String,
    /// With the `@` before it.
    domain: String,
}

impl QuotedMail {
    fn of(address: &str) -> Self {
        let bare = without_tag(&address.to_lowercase());
        let domain = bare.rfind('@').map_or_else(String::new, |at| bare[at..].to_owned());
        Self { bare, domain }
    }

    fn names_us(&self, lower: &str) -> bool {
        let apart = |c: char| c.is_whitespace() || "<>()[],;:\"'".contains(c);
        lower.contains(OUR_NAME) || lower.split(apart).any(|word| word.contains('@') && without_tag(word) == self.bare)
    }

    /// Whether a line is one of a quoted mail's header, in whatever language: a label, and us.
    fn heads(&self, lower: &str) -> bool {
        let line = lower.trim_start_matches(['*', ' ']);
        let label: String = line.chars().take(LONGEST_LABEL).collect();
        let Some(colon) = label.find([':', '：']).filter(|at| *at > 0) else { return false };
        !label[..colon].contains(['@', '<']) && self.names_us(&line[colon..])
    }

    /// Whether a line ends what stands above a quoted mail, in whatever language, and how many lines before it belong to
    /// that: it ends in a colon, and speaks of us, or tells a time or an address right before what is quoted.
    fn introduces(&self, before: &[&str], lower: &str, before_a_quotation: bool) -> Option<usize> {
        let known = INTRODUCES.iter().any(|end| lower.ends_with(end));
        let colon = lower.ends_with([':', '：']);
        if !known && !colon && !before_a_quotation {
            return None;
        }
        let (mut whole, mut folded) = (lower.trim().to_owned(), 0);
        while let Some(previous) = before.len().checked_sub(folded + 1).map(|at| before[at].trim()) {
            if folded == MOST_FOLDED || previous.is_empty() || !self.is_folded(&previous.to_lowercase(), &whole) {
                break;
            }
            whole = format!("{} {whole}", previous.to_lowercase());
            folded += 1;
        }
        let speaks_of_us = self.names_us(&whole) || (tells_a_time(&whole) && whole.contains(&self.domain));
        let tells = tells_a_time(&whole) || whole.contains('@');
        let introduces =
            known || (speaks_of_us && (colon || before_a_quotation)) || (colon && before_a_quotation && tells);
        introduces.then_some(folded)
    }

    /// Whether a program broke a line between these two.
    fn is_folded(&self, previous: &str, next: &str) -> bool {
        if next.starts_with('<') || previous.ends_with('<') || self.names_us(previous) {
            return true;
        }
        // A bracket that closes and did not open.
        let open = next.find('<').unwrap_or(usize::MAX);
        let word = next.split_whitespace().next().unwrap_or_default();
        let is_full = previous.chars().count() + 1 + word.chars().count() > LEAST_FOLDED;
        let is_one_word = word == next && !word.contains('@');
        is_one_word || next.find('>').is_some_and(|close| close < open) || (is_full && !tells_a_time(next))
    }
}

/// `-----Mensagem original-----`, in whatever language.
fn is_rule_with_a_title(line: &str) -> bool {
    line.starts_with("----") && line.ends_with("----") && line.contains(char::is_alphabetic)
}

/// `answers@example.com` of `answers+tag@example.com`.
fn without_tag(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => format!("{}@{domain}", local.split('+').next().unwrap_or_default()),
        None => address.to_owned(),
    }
}

/// Whether there is a number outside of addresses, as there is in every date.
fn tells_a_time(text: &str) -> bool {
    text.split_whitespace().any(|word| !word.contains('@') && word.contains(char::is_numeric))
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

#[cfg(test)]
mod tests {
    use super::own;

    const OURS: &str = "answers+0123456789abcdef0123456789abcdef@hp.example.org";

    #[test]
    fn what_stands_above_a_quotation_is_nobodys_own() {
        for above in [
            // Gmail, in one line and in two.
            "On Mon, Nov 30, 2026 at 8:15 AM Review coordination <holdpoint@hp.example.org> wrote:",
            "On Mon, Nov 30, 2026 at 8:15 AM Review coordination <\nholdpoint@hp.example.org> wrote:",
            "On Mon, Nov 30, 2026 at 8:15 AM Review coordination\n<holdpoint@hp.example.org> wrote:",
            "On Mon, Nov 30, 2026 at 8:15 AM Review coordination <holdpoint@hp.example.org>\nwrote:",
            "Em seg., 30 de nov. de 2026, 08:15, Review coordination <\nanswers+x@hp.example.org>\nescreveu:",
            "Em seg., 30 de nov. de 2026, 08:15, Review coordination <answers@hp.example.org> escreveu:",
            "пн, 30 нояб. 2026 г. в 08:15, Review coordination <holdpoint@hp.example.org>:",
            "2026年11月30日(月) 8:15 Review coordination <holdpoint@hp.example.org>:",
            "Review coordination <holdpoint@hp.example.org> 于2026年11月30日周一 08:15写道：",
            "Den mån 30 nov. 2026 kl 08:15 skrev Review coordination <holdpoint@hp.example.org>:",
            "pon., 30 lis 2026 o 08:15 <holdpoint@hp.example.org> napisał(a):",
            "Review coordination <holdpoint@hp.example.org> ezt írta (időpont: 2026. nov. 30., H, 8:15):",
            "Am 30.11.26 um 08:15 schrieb Review coordination:",
            "Op ma 30 nov 2026 om 08:15 schreef holdpoint@hp.example.org:",
        ] {
            for quoted in ["\n\n> Decide by 10:00", "\n> Decide by 10:00", "\n\nDecide by 10:00"] {
                for words in ["I come by train.", "No.\n\nAsk me again tomorrow."] {
                    let found = own(&format!("{words}\n\n{above}{quoted}\n"), OURS);
                    assert_eq!(found, Some(words.replace("\n\n", " ")), "{above}{quoted}");
                }
            }
            assert_eq!(own(&format!("OK\n{above}\n> Decide"), OURS).as_deref(), Some("OK"), "{above}");
        }
        // What nobody here can know for ours, right above what is quoted.
        let other = "am 3. nov. 2026 hat x@example.net folgendes geschrieben:";
        assert_eq!(own(&format!("OK\n\n{other}\n> secret"), OURS).as_deref(), Some("OK"));
    }

    #[test]
    fn the_header_of_a_quoted_mail_ends_what_is_own() {
        for header in [
            "De: Review coordination <holdpoint@hp.example.org>\nEnviada em: segunda-feira\nAssunto: x",
            "*Da:* Review coordination\n*Inviato:* lunedì",
            "Od: answers@hp.example.org\nWysłano: 30",
            "差出人：Review coordination\n送信日時：30",
            "From: x@example.net\nSent: Monday",
            "-----Mensagem original-----\nDe: x@example.net",
            "---------- Weitergeleitete Nachricht ----------\nx",
        ] {
            assert_eq!(own(&format!("OK\n{header}\nDecide by 10:00"), OURS).as_deref(), Some("OK"), "{header}");
        }
    }

    #[test]
    fn what_is_own_stays() {
        for words in [
            "I need three things: a room, a plan and a date.",
            "My reasons: 1. leave. 2. no plan.",
            "Please ask bob@example.net: he knows.",
            "See: it ends in a colon:",
            "I need two things:\na plan\na date",
            "The bracket > is mine, and 5 < 6",
        ] {
            assert_eq!(own(words, OURS), Some(words.replace('\n', " ")), "{words}");
        }
        // Words between what is quoted.
        assert_eq!(own("> at ten?\nYes.\n> with whom?\nAlone.", OURS).as_deref(), Some("Yes. Alone."));
        for nothing in ["", "> a", "-- \nSeán", "On Mon Review coordination wrote:\nx"] {
            assert_eq!(own(nothing, OURS), None, "{nothing}");
        }
    }
}
