//! An answer in pages: which page is next, and the whole of them.
//!
//! A next page is asked for only where the question went: a link to another host is refused, since the credential would go
//! along. Pages that count something else than the first are of another answer; so nothing is put together of them.

use std::collections::BTreeSet;

use refresh_core::Instant;
use serde_json::Value;
use url::Url;

use super::{PollFailure, SystemResponse, answer, plan::Question};
use crate::{
    json,
    native::{
        binding::system::{CREDENTIAL, Pages, System},
        ical::text_of,
        only_pages,
    },
};

/// Pages of one answer. At a hundred records a page it is ten thousand, more than any translator takes.
pub const MOST_PAGES: usize = 100;
/// Bytes of one answer, all pages together: sixteen messages of the queue, and a small part of a function's memory.
pub const MOST_BYTES: usize = 16 * 1_048_576;
/// A whole answer.
#[derive(Clone, PartialEq, Debug)]
pub struct WholeAnswer {
    /// JSON, or text of its own kind.
    pub body: Value,
    /// The `Date` of the first page, when the answer began to be true; ours where the server names none.
    pub date: String,
    /// The headers of the first page.
    pub first: SystemResponse,
    /// Whether there was one page.
    pub one_page: bool,
}

/// An answer that is being read, page by page.
#[derive(Debug)]
pub struct PagedAnswer<'q> {
    question: &'q Question,
    system: System,
    is_json: bool,
    began: Instant,
    url: String,
    asked: BTreeSet<String>,
    pages: usize,
    bytes: usize,
    joined: Option<Value>,
    first: Option<SystemResponse>,
    total: Option<u64>,
}

impl<'q> PagedAnswer<'q> {
    /// A question that was not asked yet. `now`: when the asking begins.
    pub fn new(question: &'q Question, system: System, is_json: bool, now: Instant) -> Self {
        let url = question.url.clone();
        let asked = BTreeSet::from([url.clone()]);
        Self {
            question,
            system,
            is_json,
            began: now,
            url,
            asked,
            pages: 0,
            bytes: 0,
            joined: None,
            first: None,
            total: None,
        }
    }

    /// The address of the page that is next.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether no page came yet.
    pub const fn is_first(&self) -> bool {
        self.pages == 0
    }

    /// How many bytes the answer may still have.
    pub const fn room(&self) -> usize {
        MOST_BYTES.saturating_sub(self.bytes)
    }

    /// How many pages came.
    pub const fn pages(&self) -> usize {
        self.pages
    }

    /// Takes a page. `true`: there is another, at [`PagedAnswer::url`].
    ///
    /// # Errors
    /// [`PollFailure`], if the page cannot be read, is not of the same answer, or names a next page that may not be asked.
    pub fn take(&mut self, response: SystemResponse) -> Result<bool, PollFailure> {
        self.bytes += response.body.len();
        self.pages += 1;
        if self.bytes > MOST_BYTES {
            return Err(PollFailure::TooLarge);
        }
        if !self.is_json {
            let text = text_of(&response.body).map_err(|_| PollFailure::NotUtf8)?;
            self.joined = Some(Value::from(&*text));
            self.first = Some(response);
            return Ok(false);
        }
        let text = std::str::from_utf8(&response.body).map_err(|_| PollFailure::NotUtf8)?;
        let page = json::parse(text, "$").map_err(|_| PollFailure::Unreadable)?;
        let list = match self.system.list {
            "" => None,
            pointer => Some(page.pointer(pointer).and_then(Value::as_array).ok_or(PollFailure::Unreadable)?.len()),
        };
        self.count(&page, &response)?;
        let records = self.records() + list.unwrap_or(0);
        let next = list.and_then(|here| self.next(&page, &response, here, records));
        self.join(page)?;
        if self.first.is_none() {
            self.first = Some(SystemResponse { body: Vec::new(), ..response });
        }
        let Some(next) = next else {
            let incomplete = self.total.is_some_and(|total| total > self.records() as u64);
            return if incomplete { Err(PollFailure::Incomplete) } else { Ok(false) };
        };
        let next = self.permitted(&next)?;
        if !self.asked.insert(next.clone()) {
            return Err(PollFailure::PageLoop);
        }
        if self.pages == MOST_PAGES {
            return Err(PollFailure::TooManyPages);
        }
        self.url = next;
        Ok(true)
    }

    /// Another address for the page that is next, as the server redirected.
    ///
    /// # Errors
    /// [`PollFailure::Elsewhere`], if the address is of another host; [`PollFailure::Refused`], if what was posted would be
    /// lost on the way.
    pub fn redirect(&mut self, to: &str, keeps_method: bool, status: u16) -> Result<(), PollFailure> {
        if self.question.body.is_some() && !keeps_method {
            return Err(PollFailure::Refused(status));
        }
        self.url = self.permitted(to)?;
        Ok(())
    }

    /// The answer, once no page is next.
    ///
    /// # Errors
    /// [`PollFailure::Unreadable`], if no page came.
    pub fn done(self) -> Result<WholeAnswer, PollFailure> {
        let (Some(mut body), Some(first)) = (self.joined, self.first) else { return Err(PollFailure::Unreadable) };
        let one_page = self.pages == 1;
        if let (false, Some(members)) = (one_page, body.as_object_mut()) {
            members.retain(|name, _| !only_pages(name));
        }
        // A date that nobody can read numbers nothing.
        let date = first.headers.get("date").filter(|date| answer::date(date).is_some()).cloned();
        Ok(WholeAnswer { body, date: date.unwrap_or_else(|| answer::written(self.began)), first, one_page })
    }

    fn records(&self) -> usize {
        let list = self.joined.as_ref().and_then(|joined| joined.pointer(self.system.list)).and_then(Value::as_array);
        if self.system.list.is_empty() { 0 } else { list.map_or(0, Vec::len) }
    }

    /// How many records the answer says there are. One that changes between pages of a snapshot says that they are of two;
    /// records that stand each for itself may become more meanwhile.
    fn count(&mut self, page: &Value, response: &SystemResponse) -> Result<(), PollFailure> {
        let counted = match self.system.pages {
            Pages::Servicenow => response.headers.get("x-total-count").and_then(|count| count.trim().parse().ok()),
            Pages::Offset | Pages::Jira => page.get("total").and_then(Value::as_u64),
            Pages::NextAddress => page.get("count").and_then(Value::as_u64),
            _ => None,
        };
        if !self.system.independent && self.pages > 1 && counted != self.total {
            return Err(PollFailure::ChangedBetweenPages);
        }
        self.total = counted;
        Ok(())
    }

    /// The address of the next page, as the system names it. `here`: the records of this page, `records`: of all until now.
    fn next(&self, page: &Value, response: &SystemResponse, here: usize, records: usize) -> Option<String> {
        let text = |pointer: &str| page.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
        let with = |name: &str, value: &str| with_parameter(&self.url, name, value);
        let more = self.total.is_some_and(|total| total > records as u64) && here > 0;
        match self.system.pages {
            Pages::One => None,
            Pages::LinkHeader => linked(response),
            Pages::Servicenow => linked(response).or_else(|| {
                // Where nothing counts, a page as long as was asked for may not be the last.
                let limit = parameter(&self.url, "sysparm_limit").and_then(|limit| limit.parse::<usize>().ok());
                let full = self.total.is_none() && here > 0 && limit.is_some_and(|limit| here >= limit);
                (more || full).then(|| with("sysparm_offset", &records.to_string()))
            }),
            Pages::Offset => {
                let more = page.get("more").and_then(Value::as_bool).unwrap_or(more);
                (more && here > 0).then(|| with("offset", &records.to_string()))
            }
            Pages::Jira => match text("/nextPageToken") {
                Some(token) if page.get("isLast") != Some(&Value::Bool(true)) => Some(with("nextPageToken", token)),
                _ => more.then(|| with("startAt", &records.to_string())),
            },
            Pages::NextLink => text("/@odata.nextLink").map(str::to_owned),
            Pages::PageToken => text("/nextPageToken").map(|token| with("pageToken", token)),
            Pages::NextAddress => text("/next").map(str::to_owned),
            Pages::After => text("/pagination_meta/after").map(|after| with("after", after)),
        }
    }

    fn join(&mut self, page: Value) -> Result<(), PollFailure> {
        let Some(joined) = &mut self.joined else {
            self.joined = Some(page);
            return Ok(());
        };
        let more = page.pointer(self.system.list).and_then(Value::as_array).ok_or(PollFailure::Unreadable)?;
        let list = joined.pointer_mut(self.system.list).and_then(Value::as_array_mut);
        list.ok_or(PollFailure::Unreadable)?.extend(more.iter().cloned());
        Ok(())
    }

    /// An address that the server names, if it leads where the question went.
    fn permitted(&self, address: &str) -> Result<String, PollFailure> {
        // Whatever stands for the credential stands for no host.
        let asked = self.question.url.replace(CREDENTIAL, "credential");
        let asked = Url::parse(&asked).map_err(|_| PollFailure::Elsewhere)?;
        let next = asked.join(&address.replace(CREDENTIAL, "credential")).map_err(|_| PollFailure::Elsewhere)?;
        let same = next.scheme() == asked.scheme()
            && next.host() == asked.host()
            && next.port_or_known_default() == asked.port_or_known_default()
            && next.username().is_empty()
            && next.password().is_none();
        // The next parameter of our own question. A server that writes the placeholder gets no credential by it.
        let ours = before_query(address) == before_query(&self.question.url);
        match (same, address.contains(CREDENTIAL)) {
            (true, false) => Ok(next.into()),
            (true, true) if ours => Ok(address.to_owned()),
            _ => Err(PollFailure::Elsewhere),
        }
    }
}

fn before_query(url: &str) -> &str {
    url.split('?').next().unwrap_or(url)
}

/// `Link: <https://...>; rel="next"`, among others of them (RFC 8288).
fn linked(response: &SystemResponse) -> Option<String> {
    let links = response.headers.get("link")?;
    links.split('<').skip(1).find_map(|link| {
        let (address, rest) = link.split_once('>')?;
        let parameters = rest.split(',').next().unwrap_or(rest);
        let next = parameters.split(';').any(|one| {
            let (name, value) = one.split_once('=').unwrap_or((one, ""));
            name.trim().eq_ignore_ascii_case("rel") && value.trim().trim_matches('"').eq_ignore_ascii_case("next")
        });
        next.then(|| address.to_owned())
    })
}

/// A parameter of the query, as it stands there.
fn parameter(url: &str, name: &str) -> Option<String> {
    let query = url.split_once('?')?.1;
    form_urlencoded::parse(query.as_bytes()).find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

/// The same address with a parameter set; all others stay as they are written.
fn with_parameter(url: &str, name: &str, value: &str) -> String {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let is_it = |pair: &&str| {
        let parsed = form_urlencoded::parse(pair.as_bytes()).next();
        parsed.is_some_and(|(found, _)| found == name)
    };
    let mut pairs: Vec<String> =
        query.split('&').filter(|pair| !pair.is_empty() && !is_it(pair)).map(str::to_owned).collect();
    pairs.push(form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish());
    format!("{path}?{}", pairs.join("&"))
}
