//! Names that are not known here, and the known names that may have been meant.

use std::collections::BTreeSet;

use packet_store::Store;
use refresh_core::{Person, ReviewId, record::review::Head};

use super::lines::with_causes;

/// How many known names are offered.
const MOST: usize = 3;

/// The review's HEAD.
///
/// # Errors
/// There is no such review, and which names are near; or the store.
pub async fn head(store: &Store, review: &ReviewId) -> Result<Head, String> {
    match store.head(review).await.map_err(with_causes)? {
        Some(head) => Ok(head),
        None => Err(no_review(store, review).await),
    }
}

/// That there is no such review.
pub fn none(review: &ReviewId) -> String {
    format!("{review}: there is no such review")
}

/// Why a review is not found. The known names are only looked up now, since that reads the whole table.
pub async fn no_review(store: &Store, review: &ReviewId) -> String {
    let none = none(review);
    match store.reviews().await {
        Err(error) => format!("{none}; the others could not be read: {}", with_causes(error)),
        Ok(heads) => {
            let unreadable = heads.unreadable.iter().filter_map(|one| one.review.as_ref());
            let known: Vec<&str> =
                heads.read.iter().map(|head| &head.review).chain(unreadable).map(ReviewId::as_str).collect();
            offered(&none, review.as_str(), known, "no review was issued yet")
        }
    }
}

/// Why nothing is known of a person.
pub fn nobody(person: &Person, known: &BTreeSet<Person>) -> String {
    let none = format!("{person}: nobody of that address is in any review");
    offered(&none, person.as_str(), known.iter().map(Person::as_str), "no review names anybody yet")
}

/// Why a review has nothing to tell a person.
pub fn nobody_of(review: &ReviewId, person: &Person, known: &BTreeSet<Person>) -> String {
    let none = format!("{review}: nobody of the address {person} is told anything of it");
    offered(&none, person.as_str(), known.iter().map(Person::as_str), "it names nobody yet")
}

fn offered<'n>(none: &str, meant: &str, known: impl IntoIterator<Item = &'n str>, empty: &str) -> String {
    let near = nearest(meant, known);
    if near.is_empty() { format!("{none}; {empty}") } else { format!("{none}; the nearest: {}", near.join(", ")) }
}

/// Everybody whom any of these reviews seats, invites, told, asks or waits for.
///
/// # Errors
/// Those of the store.
pub async fn people(store: &Store, heads: &[Head]) -> Result<BTreeSet<Person>, String> {
    let mut all = BTreeSet::new();
    for head in heads {
        all.extend(store.told(&head.review).await.map_err(with_causes)?.into_keys());
        let versions = [Some(head.authoritative), head.pending.as_ref().map(|pending| pending.version)];
        for number in versions.into_iter().flatten() {
            let version = store.version(&head.review, number).await.map_err(with_causes)?;
            all.extend(version.into_iter().flat_map(|version| version.packet.attendees.into_values()));
        }
        all.extend(head.today.owner.clone());
        all.extend(head.pending.as_ref().and_then(|pending| pending.adopter.clone()));
        all.extend(head.duties.iter().map(|duty| duty.person.clone()));
    }
    Ok(all)
}

/// The known names that are nearest to one that was meant, the nearest first.
pub fn nearest<'n>(meant: &str, known: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    let meant: Vec<char> = meant.to_lowercase().chars().collect();
    let mut by_distance: Vec<(usize, &str)> = known
        .into_iter()
        .map(|name| (distance(&meant, &name.to_lowercase().chars().collect::<Vec<_>>()), name))
        .collect();
    by_distance.sort_unstable();
    by_distance.into_iter().take(MOST).map(|(_, name)| name).collect()
}

/// How many characters are to be put in, taken out or changed (Levenshtein).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let changed = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_comes_first() {
        let known = ["RR-1042", "RR-1043", "RR-7", "CAB-1042"];
        for (meant, first) in [("rr-1042", "RR-1042"), ("RR-1O43", "RR-1043"), ("CAB1042", "CAB-1042"), ("RR7", "RR-7")]
        {
            assert_eq!(nearest(meant, known).first(), Some(&first), "{meant}");
        }
        assert_eq!(nearest("RR-1", known).len(), MOST);
        assert!(nearest("RR-1", []).is_empty());
    }

    #[test]
    fn a_distance_is_the_fewest_changes() {
        let far = |a: &str, b: &str| distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        for (a, b, expected) in
            [("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("kitten", "sitting", 3), ("ab", "ba", 2)]
        {
            assert_eq!((far(a, b), far(b, a)), (expected, expected), "{a} {b}");
        }
    }
}
