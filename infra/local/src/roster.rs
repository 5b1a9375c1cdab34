//! Which reviews there are, and what is open in each: what a list needs of the reviews that are not on its page.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use packet_store::Several;
use refresh_core::{
    Instant, ReviewId,
    audience::open::{Open, OpenCounts},
    record::review::{Head, Standing},
};
use serde::{Deserialize, Serialize};

use crate::lines_asked;

/// Reviews of one page, where nobody says how many.
pub const A_PAGE: usize = 100;
/// Items without a readable key that are told of, each with its reason; the others are counted.
const MOST_NAMELESS: usize = 100;

/// Which part of the list is asked for. Everything that is left out lets everything through.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReviewsAsked {
    /// Only reviews whose id comes after this one.
    pub after: Option<ReviewId>,
    /// Only reviews in which something is open, or that cannot be read.
    pub open: bool,
    /// Reviews of one page.
    pub limit: Option<usize>,
}

impl ReviewsAsked {
    /// # Errors
    /// A limit that is out of bounds.
    pub fn check(&self) -> Result<(), String> {
        lines_asked::check(self.limit)
    }
}

/// How many there are of each concern.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Concern {
    /// Reviews whose HEAD cannot be read.
    pub unreadable: usize,
    /// People of open reviews whom no mail reaches.
    pub unreached: usize,
}

/// Some 200 bytes a review.
#[derive(Default)]
pub struct Roster {
    glances: BTreeMap<ReviewId, Glance>,
    /// Why an item cannot be read whose key names no review.
    nameless: Vec<String>,
    not_shown: usize,
}

/// What HEAD of a review said.
enum Glance {
    Unreadable,
    Read {
        /// `None`: the review is over already.
        over_at: Option<Instant>,
        /// What is open until then, and from then on.
        until: OpenCounts,
        afterwards: OpenCounts,
        /// People of an open review whom no mail reaches.
        unreached: usize,
    },
}

impl Glance {
    fn of(head: &Head) -> Self {
        let counts = |now: Instant| OpenCounts::of(&Open::of(head, now));
        let is_open = head.standing == Standing::Open;
        let unreached = head.unreachable.iter().filter(|known| is_open && known.is_open()).count();
        Self::Read {
            over_at: is_open.then_some(head.starts_at),
            until: counts(head.starts_at.plus_millis(-1)),
            afterwards: counts(head.starts_at),
            unreached,
        }
    }

    fn counts(&self, now: Instant) -> Option<OpenCounts> {
        match self {
            Self::Unreadable => None,
            Self::Read { over_at: Some(at), until, .. } if now < *at => Some(*until),
            Self::Read { afterwards, .. } => Some(*afterwards),
        }
    }

    /// Whether somebody has to look at the review.
    fn is_open(&self, now: Instant) -> bool {
        self.counts(now).is_none_or(|counts| counts.anything > 0)
    }
}

/// Which reviews are on a page, and what is so of all of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RosterPage {
    pub reviews: Vec<ReviewId>,
    /// The last one of this page, where others come after it.
    pub next: Option<ReviewId>,
    /// Of all reviews that can be read.
    pub counts: OpenCounts,
    /// Items without a readable key, on the first page.
    pub nameless: Vec<String>,
}

impl Roster {
    pub fn of(heads: &Several<Head>) -> Self {
        let mut roster = Self::default();
        roster.add(heads);
        roster
    }

    pub fn add(&mut self, heads: &Several<Head>) {
        self.glances.extend(heads.read.iter().map(|head| (head.review.clone(), Glance::of(head))));
        for item in &heads.unreadable {
            match &item.review {
                Some(review) => drop(self.glances.insert(review.clone(), Glance::Unreadable)),
                None if self.nameless.len() < MOST_NAMELESS => self.nameless.push(item.error.to_string()),
                None => self.not_shown += 1,
            }
        }
    }

    /// What was known of these reviews counts no more.
    pub fn forget(&mut self, reviews: &BTreeSet<ReviewId>) {
        for review in reviews {
            self.glances.remove(review);
        }
    }

    pub fn concern(&self) -> Concern {
        let mut concern = Concern { unreadable: self.nameless.len() + self.not_shown, unreached: 0 };
        for glance in self.glances.values() {
            match glance {
                Glance::Unreadable => concern.unreadable += 1,
                Glance::Read { unreached, .. } => concern.unreached += unreached,
            }
        }
        concern
    }

    /// Every review, and why an item cannot be read whose key names none.
    pub fn all(&self) -> (Vec<ReviewId>, Vec<String>) {
        let everything = ReviewsAsked { limit: Some(usize::MAX), ..ReviewsAsked::default() };
        let RosterPage { reviews, nameless, .. } = self.page(&everything, Instant::from_millis(0));
        (reviews, nameless)
    }

    pub fn page(&self, asked: &ReviewsAsked, now: Instant) -> RosterPage {
        let most = asked.limit.unwrap_or(A_PAGE);
        let from = asked.after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let after = self.glances.range::<ReviewId, _>((from, Bound::Unbounded));
        let mut wanted = after.filter(|(_, glance)| !asked.open || glance.is_open(now)).map(|(review, _)| review);
        let reviews: Vec<ReviewId> = wanted.by_ref().take(most).cloned().collect();
        let next = wanted.next().and_then(|_| reviews.last().cloned());
        let mut nameless = if asked.after.is_none() { self.nameless.clone() } else { Vec::new() };
        if self.not_shown > 0 && !nameless.is_empty() {
            nameless.push(format!("and {} others", self.not_shown));
        }
        let counts = self.glances.values().filter_map(|glance| glance.counts(now)).sum();
        RosterPage { reviews, next, counts, nameless }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> ReviewId {
        ReviewId::parse(&format!("RR-{number:03}")).unwrap()
    }

    fn at(millis: i64) -> Instant {
        Instant::from_millis(millis)
    }

    /// Of 250 reviews every third has something open until its slot starts, and one cannot be read.
    fn roster() -> Roster {
        let counts = |open: bool| OpenCounts { reviews: 1, anything: usize::from(open), ..OpenCounts::default() };
        let glance = |number: usize| match number {
            100 => Glance::Unreadable,
            _ => Glance::Read {
                over_at: Some(at(1_000)),
                until: counts(number.is_multiple_of(3)),
                afterwards: counts(false),
                unreached: 0,
            },
        };
        let glances = (0..250).map(|number| (id(number), glance(number))).collect();
        Roster { glances, nameless: vec!["damaged".to_owned()], not_shown: 0 }
    }

    fn pages(asked: &ReviewsAsked, now: Instant) -> Vec<RosterPage> {
        let (roster, mut asked, mut pages) = (roster(), asked.clone(), Vec::new());
        loop {
            let page = roster.page(&asked, now);
            let next = page.next.clone();
            pages.push(page);
            match next {
                Some(next) => asked.after = Some(next),
                None => return pages,
            }
        }
    }

    #[test]
    fn every_review_is_on_one_page_and_no_page_is_longer_than_asked_for() {
        for limit in [None, Some(1), Some(7), Some(125), Some(250), Some(1_000)] {
            let pages = pages(&ReviewsAsked { limit, ..ReviewsAsked::default() }, at(0));
            assert!(pages.iter().all(|page| page.reviews.len() <= limit.unwrap_or(A_PAGE)), "{limit:?}");
            let all: Vec<ReviewId> = pages.iter().flat_map(|page| page.reviews.clone()).collect();
            assert_eq!(all, (0..250).map(id).collect::<Vec<_>>(), "{limit:?}");
            assert_eq!(pages.len(), 250_usize.div_ceil(limit.unwrap_or(A_PAGE)), "{limit:?}: no page is empty");
            let told: usize = pages.iter().map(|page| page.nameless.len()).sum();
            assert_eq!(told, 1, "what has no name is told of once");
            assert!(pages.iter().all(|page| page.counts == pages[0].counts), "every page counts all reviews");
            assert_eq!((pages[0].counts.reviews, pages[0].counts.anything), (249, 84));
        }
    }

    #[test]
    fn of_the_open_ones_those_are_left_that_cannot_be_read_or_have_something_open_now() {
        let asked = ReviewsAsked { open: true, limit: Some(50), ..ReviewsAsked::default() };
        let open = |now| pages(&asked, at(now)).iter().flat_map(|page| page.reviews.clone()).collect::<Vec<_>>();
        let expected: Vec<ReviewId> = (0..250_usize).filter(|n| n.is_multiple_of(3) || *n == 100).map(id).collect();
        assert_eq!(open(999), expected);
        assert_eq!(open(1_000), [id(100)]);
    }

    #[test]
    fn a_page_of_no_lines_or_of_too_many_is_refused() {
        for (limit, taken) in
            [(0, false), (1, true), (lines_asked::MOST_LINES, true), (lines_asked::MOST_LINES + 1, false)]
        {
            let asked = ReviewsAsked { limit: Some(limit), ..ReviewsAsked::default() };
            assert_eq!(asked.check().is_ok(), taken, "{limit}");
        }
    }
}
