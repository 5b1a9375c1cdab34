//! A calendar object's UID: what mail clients know a meeting by.

use serde::{Deserialize, Serialize};

use crate::{ReviewId, base::digest::Digest};

/// Octets. RFC 7986 wants UIDs short. Beyond 255 clients cut them, and a cut UID is another meeting's.
pub const LONGEST_UID: usize = 255;
/// What the UID of a hold has beside that of its meeting.
const HOLD: &str = "-hold";
/// How a local part begins that is made of a digest.
const DIGEST: &str = "sha256-";

/// 1 to [`LONGEST_UID`] visible ASCII characters: what every calendar takes, folds and gives back unchanged.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Uid(String);

impl Uid {
    /// # Errors
    /// What was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        if carried(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("a calendar UID of 1 to {LONGEST_UID} visible ASCII characters"))
    }

    /// The meeting of a review that was issued without a UID.
    pub fn of_meeting(review: &ReviewId, domain: &str) -> Self {
        Self::of(review, "", domain)
    }

    /// The hold of a review.
    pub fn of_hold(review: &ReviewId, domain: &str) -> Self {
        Self::of(review, HOLD, domain)
    }

    /// An id stands in its UID as it is where a calendar can carry it. The id's digest stands there otherwise, and
    /// where the id looks like another review's hold or digest. So no two objects share a UID.
    fn of(review: &ReviewId, suffix: &str, domain: &str) -> Self {
        let id = review.as_str();
        let ambiguous = id.starts_with(DIGEST) || id.ends_with(HOLD);
        let local = match carried(&format!("{id}{HOLD}@{domain}")) && !ambiguous {
            true => id.to_owned(),
            false => digested(id),
        };
        Self(format!("{local}{suffix}@{domain}"))
    }

    /// Whether a digest stands for the review's id in it, in a UID that was made here.
    pub fn is_digested(&self) -> bool {
        self.0.starts_with(DIGEST)
    }

    /// The review whose meeting or hold was given this UID here, where its id stands in the UID.
    pub fn shown_review(&self, domain: &str) -> Option<ReviewId> {
        let local = self.0.strip_suffix(domain)?.strip_suffix('@')?;
        let id = ReviewId::parse(local.strip_suffix(HOLD).unwrap_or(local)).ok()?;
        let made = [Self::of_meeting(&id, domain), Self::of_hold(&id, domain)];
        made.contains(self).then_some(id)
    }

    /// The text as calendars carry it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn carried(text: &str) -> bool {
    (1..=LONGEST_UID).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn digested(text: &str) -> String {
    let hex = Digest::of_bytes("calendar-uid", text.as_bytes()).to_string();
    format!("{DIGEST}{}", &hex[..32])
}

/// A stored UID. Earlier releases stored ids as they were, and no mail with such a UID was ever made. So the reader gets
/// a UID that can be mailed, the same at every reading.
impl From<String> for Uid {
    fn from(text: String) -> Self {
        if carried(&text) {
            return Self(text);
        }
        let domain = text.rsplit_once('@').map_or("", |(_, domain)| domain);
        let local = digested(&text);
        let whole = format!("{local}@{domain}");
        if !domain.is_empty() && carried(&whole) { Self(whole) } else { Self(local) }
    }
}

impl std::fmt::Display for Uid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::name::{LONGEST_MAIL_DOMAIN, mail_domain};

    const DOMAIN: &str = "holdpoint.example.com";

    fn both(id: &str, domain: &str) -> [String; 2] {
        let id = ReviewId::parse(id).unwrap();
        [Uid::of_meeting(&id, domain), Uid::of_hold(&id, domain)].map(|uid| uid.to_string())
    }

    #[test]
    fn an_id_that_a_calendar_carries_stands_there_as_it_is() {
        for id in ["RR-2026-1103", "a", "a@b", "x%20y", "50%", "a,b;c:\"d\"\\n", "-hold-1", "a-holder"] {
            assert_eq!(both(id, DOMAIN), [format!("{id}@{DOMAIN}"), format!("{id}-hold@{DOMAIN}")]);
        }
    }

    #[test]
    fn every_other_id_stands_there_as_its_digest() {
        for id in ["RR 1042", "größe", "日本", "🚀", &"x".repeat(200), &"é".repeat(200)] {
            let domain =
                if id.starts_with('x') { format!("{}.example.com", "d".repeat(60)) } else { DOMAIN.to_owned() };
            for (uid, hold) in both(id, &domain).into_iter().zip([false, true]) {
                let local = uid.strip_suffix(&format!("@{domain}")).unwrap();
                assert!(local.starts_with("sha256-") && local.ends_with("-hold") == hold, "{uid}");
                assert_eq!(Uid::parse(&uid).map(|uid| uid.to_string()), Ok(uid));
            }
        }
    }

    /// Ids made so that one's meeting would be another's hold, or the digest of another.
    #[test]
    fn no_two_objects_share_a_uid() {
        let digest = both("RR 1", DOMAIN)[0].strip_suffix(&format!("@{DOMAIN}")).unwrap().to_owned();
        let ids = ["RR", "RR-hold", "RR-hold-hold", "RR 1", "RR 1-hold", &digest, &format!("{digest}-hold"), "RR%201"];
        let uids: std::collections::BTreeSet<String> = ids.iter().flat_map(|id| both(id, DOMAIN)).collect();
        assert_eq!(uids.len(), 2 * ids.len(), "{uids:?}");
    }

    #[test]
    fn an_id_is_found_in_its_uids_and_in_no_other() {
        for id in ["RR-2026-1103", "a", "a@b", "RR 1042", "größe", "RR-hold", "sha256-x"] {
            let review = ReviewId::parse(id).unwrap();
            for uid in [Uid::of_meeting(&review, DOMAIN), Uid::of_hold(&review, DOMAIN)] {
                assert_eq!(uid.shown_review(DOMAIN), (!uid.is_digested()).then(|| review.clone()), "{uid}");
                assert_eq!(uid.shown_review("other.example.com"), None, "{uid}");
            }
        }
        for other in ["x", "@holdpoint.example.com", "RR-hold-hold@holdpoint.example.com"] {
            assert_eq!(Uid::parse(other).unwrap().shown_review(DOMAIN), None, "{other}");
        }
    }

    #[test]
    fn what_an_earlier_release_stored_can_be_mailed() {
        for (stored, domain) in
            [("RR 1@a.example", "@a.example"), ("größe-hold@a.example", "@a.example"), ("", ""), ("a b@c d", "")]
        {
            let read: Uid = serde_json::from_str(&serde_json::to_string(stored).unwrap()).unwrap();
            assert!(Uid::parse(read.as_str()).is_ok() && read.as_str().ends_with(domain), "{stored:?}: {read}");
            assert_eq!(Uid::from(read.to_string()), read, "read again it is the same");
        }
        let plain: Uid = serde_json::from_str("\"RR-1@a.example\"").unwrap();
        assert_eq!(plain.as_str(), "RR-1@a.example");
    }

    #[test]
    fn a_mail_domain_leaves_room_for_the_longest_uid() {
        let longest = format!("{}.{}.{}", "a".repeat(63), "b".repeat(63), "c".repeat(62));
        assert_eq!(longest.len(), LONGEST_MAIL_DOMAIN);
        let id = ReviewId::parse("größe").unwrap();
        assert!(Uid::parse(Uid::of_hold(&id, &mail_domain(&longest).unwrap()).as_str()).is_ok());
        for bad in ["", "a b", "a..b", "-a.example", "ü.example", "a.example/", &format!("{longest}d")] {
            assert!(mail_domain(bad).is_err(), "{bad}");
        }
    }
}
