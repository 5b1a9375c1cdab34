//! Who fills which role, beside trying every assignment: few roles and people, so that all of them can be listed.

use proptest::{
    prelude::*,
    sample::subsequence,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use refresh_core::choice::assignment::{Assignment, Seatable, Sharing, assign, assign_except};

const PEOPLE: usize = 6;

/// One role: some of the people in an order of ranks, and perhaps one of them sits there today.
fn role() -> impl Strategy<Value = Vec<Seatable>> {
    let people: Vec<usize> = (0..PEOPLE).collect();
    let listed = subsequence(people, 0..=PEOPLE).prop_shuffle();
    (listed, prop::option::of(0..PEOPLE)).prop_map(|(listed, incumbent)| {
        let seat = |(rank, person): (usize, &usize)| Seatable {
            person: *person,
            rank: rank as u32,
            substitution: Some(*person) != incumbent,
        };
        listed.iter().enumerate().map(seat).collect()
    })
}

/// Every way to fill the roles, the best first: fewest substitutions, then the smallest ranks role by role.
fn every(roles: &[Vec<Seatable>], sharing: Sharing) -> Vec<Assignment> {
    let mut ways: Vec<Vec<Seatable>> = vec![Vec::new()];
    for role in roles {
        ways = ways
            .iter()
            .flat_map(|way| role.iter().map(|seat| [way.as_slice(), &[*seat]].concat()))
            .filter(|way| {
                let last = way[way.len() - 1].person;
                sharing == Sharing::Allowed || way[..way.len() - 1].iter().all(|seat| seat.person != last)
            })
            .collect();
    }
    let mut all: Vec<Assignment> = ways
        .into_iter()
        .map(|way| Assignment {
            substitutions: way.iter().filter(|seat| seat.substitution).count() as u32,
            ranks: way.iter().map(|seat| seat.rank).collect(),
            people: way.iter().map(|seat| seat.person).collect(),
        })
        .collect();
    all.sort();
    all
}

fn runner(number: u8) -> TestRunner {
    let config = Config { cases: 1_500, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[number; 32]))
}

#[test]
fn the_best_of_all_assignments_is_found() {
    let inputs = (prop::collection::vec(role(), 1..=5), prop_oneof![Just(Sharing::Allowed), Just(Sharing::Forbidden)]);
    let result = runner(1).run(&inputs, |(roles, sharing)| {
        prop_assert_eq!(assign(&roles, sharing), every(&roles, sharing).into_iter().next());
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn the_best_that_is_not_left_out_is_found() {
    let inputs = (
        prop::collection::vec(role(), 1..=3),
        prop_oneof![Just(Sharing::Allowed), Just(Sharing::Forbidden)],
        prop::collection::vec(any::<prop::sample::Index>(), 1..4),
    );
    let result = runner(2).run(&inputs, |(roles, sharing, left_out)| {
        let all = every(&roles, sharing);
        // Often the best one itself, since that is the one that was declined.
        let mut left_out: Vec<Vec<usize>> = left_out
            .iter()
            .filter(|_| !all.is_empty())
            .map(|index| all[index.index(all.len())].people.clone())
            .collect();
        left_out.extend(all.first().map(|best| best.people.clone()));
        let expected = all.into_iter().find(|way| !left_out.contains(&way.people));
        prop_assert_eq!(assign_except(&roles, sharing, &left_out), expected);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}
