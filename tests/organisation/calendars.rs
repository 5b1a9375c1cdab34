//! Does everybody's calendar show in the end what the packets say?

use holdpoint_tests::expected::Expected;

use crate::{plan::Plan, play::Played};

/// Each calendar entry that is missing, too much, or at another time, in words.
pub fn wrong(plan: &Plan, played: &Played) -> Vec<String> {
    let mut found = Vec::new();
    let states = played.records.iter().filter(|record| record["record"] == "state");
    for state in states {
        let Some(review) = plan.reviews.iter().find(|review| state["review_id"] == review.id.as_str()) else {
            continue;
        };
        let guests: Vec<&str> = review.guests.iter().map(|person| plan.people[*person].address.as_str()).collect();
        let expected = Expected::of(&played.records, state, &guests, Some(&review.uid()));
        for (person, calendar) in &played.calendars {
            found.extend(expected.misses(person, calendar));
        }
    }
    found
}
