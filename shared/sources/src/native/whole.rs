//! Whether an answer is the whole of what was asked for: one check for every format whose answer is one snapshot. Entries
//! on the missing pages would be free time, or nobody's freeze.

use serde_json::Value;

use super::{
    binding::{
        Format,
        system::{self, Pages},
    },
    input::says_something,
};
use crate::reader::{Node, Object};

/// What a member says of pages, by the words of all the systems.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PageMark {
    /// A link or a token that leads to another page.
    Link,
    /// Whether there is more.
    More,
    /// Whether this page is the last.
    Last,
    /// How many records stand before this page.
    Start,
    /// Which page this is, or how many there are: counted from one.
    Page,
    /// How many records there are on all pages.
    Total,
    /// How many records a page may have.
    Size,
    /// An object with such members in it.
    Inside,
}

/// A name as it compares: systems write `total_count`, `totalCount` and `@odata.count`.
fn mark(name: &str) -> Option<PageMark> {
    let plain: String = name.trim_start_matches("@odata.").chars().filter(char::is_ascii_alphanumeric).collect();
    Some(match plain.to_ascii_lowercase().as_str() {
        "next" | "nextlink" | "nexturl" | "nextpage" | "nextpagetoken" | "nextcursor" | "nexttoken" | "previous"
        | "previouslink" | "prev" | "prevlink" | "after" | "afterurl" => PageMark::Link,
        "more" | "hasmore" | "hasnext" | "hasnextpage" => PageMark::More,
        "islast" | "islastpage" => PageMark::Last,
        "offset" | "startat" | "skip" => PageMark::Start,
        "page" | "pagenumber" | "currentpage" | "currentpagenumber" | "pages" | "totalpages" | "pagecount" => {
            PageMark::Page
        }
        "total" | "count" | "totalcount" | "totalrecordcount" | "totalrecords" | "totalresults" | "resultscount" => {
            PageMark::Total
        }
        "limit" | "pagesize" | "perpage" | "maxresults" | "top" => PageMark::Size,
        "paginationmeta" | "pagination" | "paging" | "links" => PageMark::Inside,
        _ => return None,
    })
}

/// Whether a member only pages. Of an answer that was put together of several pages the member would be untrue.
pub fn only_pages(name: &str) -> bool {
    mark(name).is_some()
}

/// Where answers stand in a payload: at its root, or put together with their question or with other answers.
pub const ANSWERS: [&str; 6] = ["response", "schedules", "spans", "children", "members", "delegates"];

/// Says each mark of another page. `None`: there is one.
pub fn is_whole(payload: &Node<'_>, format: Format) -> Option<()> {
    let Some(system) = system::of(format).filter(|system| !system.independent) else { return Some(()) };
    let list = if format == Format::RosterJson { "/rows" } else { system.list };
    let root = payload.value().is_object().then(|| payload.object())??;
    let mut good = answer(&root, None, list, system.pages);
    good = good.and(beside(&root, list, system.pages));
    if root.peek("answers").is_some_and(Value::is_array) {
        let each = |item: &Node<'_>| match item.value().is_object() {
            true => beside(&item.object()?, list, system.pages),
            false => Some(()),
        };
        good = good.and(root.must("answers", |node| node.list(usize::MAX, each)).map(|_| ()));
    }
    good
}

/// The answers that stand beside their question, or beside each other.
fn beside(object: &Object<'_>, list: &str, pages: Pages) -> Option<()> {
    let asked = object.peek("request").filter(|request| request.is_object());
    let mut good = Some(());
    for name in ANSWERS.into_iter().filter(|name| object.peek(name).is_some_and(Value::is_object)) {
        let read = object.must(name, |node| {
            let response = node.object()?;
            match asked {
                Some(_) => object.must("request", |node| answer(&response, Some(&node.object()?), list, pages)),
                None => answer(&response, None, list, pages),
            }
        });
        good = good.and(read);
    }
    good
}

/// One answer. `list`: where its records stand, as a JSON pointer; empty where it has no list.
fn answer(answer: &Object<'_>, asked: Option<&Object<'_>>, list: &str, pages: Pages) -> Option<()> {
    let listed = answer.value_at(list).and_then(Value::as_array).map(Vec::len);
    let mut good = marks(answer, listed);
    for name in answer.names().filter(|name| mark(name) == Some(PageMark::Inside)) {
        if answer.peek(name).is_some_and(Value::is_object) {
            good = good.and(answer.must(name, |node| marks(&node.object()?, listed)));
        }
    }
    // Where a system tells its last page by a link that is not there, a full page says nothing.
    let tells_the_end = matches!(pages, Pages::NextLink | Pages::PageToken | Pages::After)
        || answer
            .names()
            .any(|name| matches!(mark(name), Some(PageMark::Link | PageMark::More | PageMark::Last | PageMark::Total)));
    if let (Some(listed), false) = (listed, tells_the_end) {
        for of in [Some(answer), asked].into_iter().flatten() {
            good = good.and(full(of, listed));
        }
    }
    good
}

/// A page that is full, and does not say that it is the last, may have another behind it.
fn full(of: &Object<'_>, listed: usize) -> Option<()> {
    let mut good = Some(());
    for name in of.names().filter(|name| mark(name) == Some(PageMark::Size)) {
        let read = of.may(name, |node| match number(node.value()) {
            Some(size) if listed == 0 || (listed as u64) < size => Some(()),
            _ => node.wrong(format!("`more: false` beside it, since the answer is full with {listed} entries")),
        });
        good = good.and(read.map(|_| ()));
    }
    good
}

fn marks(object: &Object<'_>, listed: Option<usize>) -> Option<()> {
    let mut good = Some(());
    for name in object.names() {
        let Some(mark) = mark(name) else { continue };
        good = good.and(object.may(name, |node| says_whole(node, name, mark, listed)).map(|_| ()));
    }
    good
}

fn says_whole(node: &Node<'_>, name: &str, mark: PageMark, listed: Option<usize>) -> Option<()> {
    const TOGETHER: &str = "(every page of the answer, put together)";
    let at_most = |most: u64| number(node.value()).is_some_and(|found| found <= most);
    match mark {
        PageMark::Link if says_something(node.value()) => {
            let found = match name {
                "@odata.nextLink" => "a link to the next page",
                "nextPageToken" => "a token of the next page",
                _ => "another page",
            };
            node.wrong_as(format!("nothing {TOGETHER}"), found)
        }
        PageMark::More if *node.value() != Value::Bool(false) => node.wrong(format!("false {TOGETHER}")),
        PageMark::Last if *node.value() != Value::Bool(true) => node.wrong(format!("true {TOGETHER}")),
        PageMark::Start if !at_most(0) => node.wrong(format!("0 {TOGETHER}")),
        // Of some systems `page` is an object: nothing that counts.
        PageMark::Page if !node.value().is_object() && !at_most(1) => node.wrong(format!("at most 1 {TOGETHER}")),
        PageMark::Total => match listed {
            Some(listed) if !at_most(listed as u64) => {
                node.wrong(format!("at most the {listed} that are here {TOGETHER}"))
            }
            _ => Some(()),
        },
        _ => Some(()),
    }
}

/// A whole number, as a number or as text.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}
