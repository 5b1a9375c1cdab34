//! Who fills which role: a matching problem. If any assignment exists, one is found, and it is the best one.

use std::collections::VecDeque;

/// Whether one person may fill two roles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sharing {
    /// A person may fill any number of roles.
    Allowed,
    /// A person fills one role at most.
    Forbidden,
}

/// Somebody who could fill a role in one slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seatable {
    /// Index of the person, the same in every role.
    pub person: usize,
    /// The person's place among those who may fill the role: 0 is the holder.
    pub rank: u32,
    /// Another person than the authoritative packet has in this role.
    pub substitution: bool,
}

/// A role each: whom it gets.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Assignment {
    /// How many seats have another person than the authoritative packet.
    pub substitutions: u32,
    /// Delegate ranks, role by role: what decides between equally few substitutions.
    pub ranks: Vec<u32>,
    /// The person of each role, by index, role by role in role-name order.
    pub people: Vec<usize>,
}

/// The assignment with the fewest substitutions, then the smallest ranks role by role. `roles` in role-name order.
/// `None` where a role has nobody, or no distinct people can be found.
pub fn assign(roles: &[Vec<Seatable>], sharing: Sharing) -> Option<Assignment> {
    assign_except(roles, sharing, &[])
}

/// The best assignment that is none of `left_out`.
pub fn assign_except(roles: &[Vec<Seatable>], sharing: Sharing, left_out: &[Vec<usize>]) -> Option<Assignment> {
    let best: Vec<Seatable> = roles.iter().map(|role| preferred(role)).collect::<Option<_>>()?;
    let people = |seats: &[Seatable]| seats.iter().map(|seat| seat.person).collect::<Vec<_>>();
    // The best seat of each role alone makes the best assignment, unless one person sits twice.
    if (sharing == Sharing::Allowed || all_distinct(&best)) && !left_out.contains(&people(&best)) {
        return Some(Assignment::of(&best));
    }
    Choices::of(roles, sharing).best(&as_many(left_out, roles))
}

/// Whether there is any assignment that is none of `left_out`.
pub fn is_possible(roles: &[Vec<Seatable>], sharing: Sharing, left_out: &[Vec<usize>]) -> bool {
    Choices::of(roles, sharing).least(0, &as_many(left_out, roles), u32::MAX).is_some()
}

/// Those of `left_out` that fill as many roles: where a role is waived, none is the same assignment.
fn as_many<'l>(left_out: &'l [Vec<usize>], roles: &[Vec<Seatable>]) -> Vec<&'l [usize]> {
    left_out.iter().filter(|seats| seats.len() == roles.len()).map(Vec::as_slice).collect()
}

/// The fewest substitutions that an assignment of distinct people needs, where they are fewer than `below`.
pub fn fewest_substitutions(roles: &[Vec<Seatable>], below: u32) -> Option<u32> {
    cheapest(roles, Sharing::Forbidden, below)
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

/// By rank; each person once, with their best rank.
fn in_order(role: &[Seatable]) -> Vec<Seatable> {
    let mut order = role.to_vec();
    order.sort_by_key(|seat| (seat.rank, seat.substitution, seat.person));
    let mut once: Vec<Seatable> = Vec::with_capacity(order.len());
    for seat in order {
        if once.iter().all(|before| before.person != seat.person) {
            once.push(seat);
        }
    }
    once
}

/// The choices that are left while the roles are decided one after the other. A decided role has one seat left.
struct Choices {
    roles: Vec<Vec<Seatable>>,
    sharing: Sharing,
}

impl Choices {
    fn of(roles: &[Vec<Seatable>], sharing: Sharing) -> Self {
        Self { roles: roles.iter().map(|role| in_order(role)).collect(), sharing }
    }

    /// Role by role the smallest rank with which the fewest substitutions are still possible.
    fn best(&mut self, left_out: &[&[usize]]) -> Option<Assignment> {
        let least = self.least(0, left_out, u32::MAX)?;
        let mut left_out = left_out.to_vec();
        for role in 0..self.roles.len() {
            let order = self.roles[role].clone();
            let (seat, remaining) = order.into_iter().find_map(|seat| {
                self.roles[role] = vec![seat];
                let remaining = seated_alike(&left_out, role, seat.person);
                self.least(role + 1, &remaining, least + 1).map(|_| (seat, remaining))
            })?;
            self.roles[role] = vec![seat];
            left_out = remaining;
        }
        Some(Assignment::of(&self.roles.iter().map(|role| role[0]).collect::<Vec<_>>()))
    }

    /// The fewest substitutions among the choices left, without the assignments of `left_out`, where they are fewer than
    /// `below`. Those of `left_out` agree with the seats decided for the roles before `role`. An assignment that differs from
    /// all of `left_out` leaves each of them at some role. So the search tries every role to leave at, as long as the choices
    /// that are left allow fewer than were found.
    fn least(&mut self, role: usize, left_out: &[&[usize]], below: u32) -> Option<u32> {
        let at_best = cheapest(&self.roles, self.sharing, below)?;
        if left_out.is_empty() {
            return Some(at_best);
        }
        let all = self.roles.get(role)?.clone();
        let (agreeing, leaving): (Vec<Seatable>, Vec<Seatable>) =
            all.iter().partition(|seat| left_out.iter().any(|seats| seats[role] == seat.person));
        self.roles[role] = leaving;
        let mut least = cheapest(&self.roles, self.sharing, below);
        for seat in agreeing {
            if least == Some(at_best) {
                break;
            }
            self.roles[role] = vec![seat];
            let below = least.unwrap_or(below);
            least = self.least(role + 1, &seated_alike(left_out, role, seat.person), below).or(least);
        }
        self.roles[role] = all;
        least
    }
}

/// Those of `left_out` that have this person in this role.
fn seated_alike<'l>(left_out: &[&'l [usize]], role: usize, person: usize) -> Vec<&'l [usize]> {
    left_out.iter().copied().filter(|seats| seats[role] == person).collect()
}

/// The fewest substitutions that fill all roles, where they are fewer than `below`.
fn cheapest(roles: &[Vec<Seatable>], sharing: Sharing, below: u32) -> Option<u32> {
    if sharing == Sharing::Allowed {
        let best: Option<Vec<Seatable>> = roles.iter().map(|role| preferred(role)).collect();
        return best.map(|seats| Assignment::of(&seats).substitutions).filter(|needed| *needed < below);
    }
    Seats::keeping_incumbents(roles).fill_all(below)
}

/// Nobody, or no role.
const NONE: usize = usize::MAX;

/// A seating while roles are filled one after the other. The filled roles always have the fewest substitutions.
struct Seats<'r> {
    roles: &'r [Vec<Seatable>],
    /// Per role, the place of its seat in the role's list.
    seat: Vec<usize>,
    /// Per person, their role.
    role_of: Vec<usize>,
    substitutions: i32,
}

/// The cheapest way found so far to a role whose person would have to move.
#[derive(Clone, Copy)]
struct Way {
    cost: i32,
    /// The role whose choice takes this role's person.
    from: usize,
    /// That choice's place in the list.
    by: usize,
}

impl<'r> Seats<'r> {
    /// Each incumbent who may stays: that costs nothing, so nothing is cheaper for the roles filled by it.
    fn keeping_incumbents(roles: &'r [Vec<Seatable>]) -> Self {
        let people = roles.iter().flatten().map(|seat| seat.person + 1).max().unwrap_or(0);
        let mut seats = Self { roles, seat: vec![NONE; roles.len()], role_of: vec![NONE; people], substitutions: 0 };
        for (role, choices) in roles.iter().enumerate() {
            let stays = |seat: &Seatable| !seat.substitution && seats.role_of[seat.person] == NONE;
            if let Some(place) = choices.iter().position(stays) {
                seats.take(role, place);
            }
        }
        seats
    }

    fn take(&mut self, role: usize, place: usize) {
        self.seat[role] = place;
        self.role_of[self.roles[role][place].person] = role;
    }

    fn fill_all(mut self, below: u32) -> Option<u32> {
        for role in 0..self.roles.len() {
            if self.seat[role] == NONE {
                self.substitutions += self.fill(role)?;
                // Each role filled later costs no less, so what is too much now stays too much.
                if self.substitutions as u32 >= below {
                    return None;
                }
            }
        }
        Some(self.substitutions as u32).filter(|needed| *needed < below)
    }

    /// Fills an empty role at the least cost, moving others along the cheapest way to somebody without a seat.
    fn fill(&mut self, role: usize) -> Option<i32> {
        let mut ways = vec![Way { cost: i32::MAX, from: NONE, by: NONE }; self.roles.len()];
        ways[role].cost = 0;
        let mut best = Way { cost: i32::MAX, from: NONE, by: NONE };
        let mut waiting = VecDeque::from([role]);
        while let Some(from) = waiting.pop_front() {
            let left = if from == role { 0 } else { self.cost(from, self.seat[from]) };
            for by in (0..self.roles[from].len()).filter(|by| *by != self.seat[from]) {
                let way = Way { cost: ways[from].cost - left + self.cost(from, by), from, by };
                let other = self.role_of[self.roles[from][by].person];
                if other == NONE {
                    best = if way.cost < best.cost { way } else { best };
                } else if way.cost < ways[other].cost {
                    ways[other] = way;
                    waiting.push_back(other);
                }
            }
        }
        let mut step = best;
        while step.from != NONE {
            self.take(step.from, step.by);
            step = ways[step.from];
        }
        (best.from != NONE).then_some(best.cost)
    }

    fn cost(&self, role: usize, place: usize) -> i32 {
        i32::from(self.roles[role][place].substitution)
    }
}
