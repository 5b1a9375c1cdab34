//! Who fills which role: a matching problem. If any assignment exists, one is found, and it is the best one.

/// Somebody who could fill a role in one slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seatable {
    /// Index of the person, the same in every role.
    pub person: usize,
    pub rank: u32,
    /// Another person than the authoritative packet has in this role.
    pub substitution: bool,
}

/// A role each: whom it gets.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Assignment {
    pub substitutions: u32,
    /// Delegate ranks, role by role: what decides between equally few substitutions.
    pub ranks: Vec<u32>,
    pub people: Vec<usize>,
}

/// The assignment with the fewest substitutions, then the smallest ranks role by role. `roles` in role-name order.
/// `None` where a role has nobody, or no distinct people can be found.
pub fn assign(roles: &[Vec<Seatable>], distinct: bool) -> Option<Assignment> {
    let best: Vec<Seatable> = roles.iter().map(|role| preferred(role)).collect::<Option<_>>()?;
    // What is best for each role alone is best for all, unless it sits one person twice.
    if !distinct || all_distinct(&best) {
        return Some(Assignment::of(&best));
    }
    let least = fewest_substitutions(roles)?;
    let mut fixed: Vec<Vec<Seatable>> = roles.to_vec();
    for role in 0..roles.len() {
        let mut order = roles[role].clone();
        order.sort_by_key(|seat| (seat.rank, seat.substitution, seat.person));
        let found = order.into_iter().find(|seat| {
            fixed[role] = vec![*seat];
            fewest_substitutions(&fixed) == Some(least)
        })?;
        fixed[role] = vec![found];
    }
    Some(Assignment::of(&fixed.iter().map(|role| role[0]).collect::<Vec<_>>()))
}

/// The best assignment that is none of `left_out`. A best one that is left out is split: each of its seats in turn is
/// forbidden, and the best of what remains is taken.
pub fn assign_except(roles: &[Vec<Seatable>], distinct: bool, left_out: &[Vec<usize>]) -> Option<Assignment> {
    let best = assign(roles, distinct)?;
    if !left_out.contains(&best.people) {
        return Some(best);
    }
    (0..roles.len())
        .filter_map(|role| {
            let mut fewer = roles.to_vec();
            fewer[role].retain(|seat| seat.person != best.people[role]);
            assign_except(&fewer, distinct, left_out)
        })
        .min()
}

impl Assignment {
    fn of(seats: &[Seatable]) -> Self {
        Self {
            substitutions: seats.iter().filter(|seat| seat.substitution).count() as u32,
            ranks: seats.iter().map(|seat| seat.rank).collect(),
            people: seats.iter().map(|seat| seat.person).collect(),
        }
    }
}

fn preferred(role: &[Seatable]) -> Option<Seatable> {
    role.iter().copied().min_by_key(|seat| (seat.substitution, seat.rank, seat.person))
}

fn all_distinct(seats: &[Seatable]) -> bool {
    let mut people: Vec<usize> = seats.iter().map(|seat| seat.person).collect();
    people.sort_unstable();
    people.windows(2).all(|pair| pair[0] != pair[1])
}

/// The Hungarian method on a roles x people matrix of 0 (the incumbent), 1 (a substitution) and `NEVER`.
/// At most 30 roles and 100 people, so dense arrays are the plain and the fast form.
fn fewest_substitutions(roles: &[Vec<Seatable>]) -> Option<u32> {
    const NEVER: i64 = 1_000_000;
    let n = roles.len();
    let m = roles.iter().flatten().map(|seat| seat.person + 1).max().unwrap_or(0).max(n);
    let mut cost = vec![vec![NEVER; m]; n];
    for (row, seats) in cost.iter_mut().zip(roles) {
        for seat in seats {
            row[seat.person] = row[seat.person].min(i64::from(seat.substitution));
        }
    }
    // Potentials u, v; `taken[j]` is the role (1-based) that person j has. Index 0 is the usual sentinel.
    let mut u = vec![0i64; n + 1];
    let mut v = vec![0i64; m + 1];
    let mut taken = vec![0usize; m + 1];
    for role in 1..=n {
        taken[0] = role;
        let mut slack = vec![i64::MAX; m + 1];
        let mut from = vec![0usize; m + 1];
        let mut seen = vec![false; m + 1];
        let mut at = 0;
        while taken[at] != 0 {
            seen[at] = true;
            let (row, mut delta, mut next) = (taken[at], i64::MAX, 0);
            for person in (1..=m).filter(|person| !seen[*person]).collect::<Vec<_>>() {
                let reduced = cost[row - 1][person - 1] - u[row] - v[person];
                if reduced < slack[person] {
                    slack[person] = reduced;
                    from[person] = at;
                }
                if slack[person] < delta {
                    delta = slack[person];
                    next = person;
                }
            }
            for person in 0..=m {
                if seen[person] {
                    u[taken[person]] += delta;
                    v[person] -= delta;
                } else if slack[person] != i64::MAX {
                    slack[person] -= delta;
                }
            }
            at = next;
        }
        while at != 0 {
            taken[at] = taken[from[at]];
            at = from[at];
        }
    }
    let total: i64 =
        (1..=m).filter(|person| taken[*person] != 0).map(|person| cost[taken[person] - 1][person - 1]).sum();
    (total < NEVER).then_some(total as u32)
}
