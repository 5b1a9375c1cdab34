//! Whether distinct people can fill all roles at a start, where roles share people. The seating of one start is where the
//! next one begins: neighbouring starts differ in few people.

use crate::choice::{candidates::Candidates, starts};

/// Nobody sits in the role, or the person sits nowhere.
const NONE: usize = usize::MAX;

/// How many roles distinct people can fill.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Filling {
    /// All roles.
    All,
    /// All but one; each role that could be the one.
    AllButOne(Vec<usize>),
    /// Two or more roles stay empty.
    Fewer,
}

/// As many roles filled by distinct people as possible.
#[derive(Debug)]
pub struct SeatMatching {
    /// Per person, whether they are free at the present start.
    free: Vec<bool>,
    /// Per role, who may sit there at the present start.
    choices: Vec<Vec<usize>>,
    person_in: Vec<usize>,
    role_of: Vec<usize>,
    /// The roles an attempt came through.
    reached: Vec<bool>,
}

impl SeatMatching {
    /// Nobody sits anywhere yet.
    pub fn new(candidates: &Candidates<'_>) -> Self {
        let roles = candidates.roles.len();
        Self {
            free: vec![false; candidates.people.len()],
            choices: vec![Vec::new(); roles],
            person_in: vec![NONE; roles],
            role_of: vec![NONE; candidates.people.len()],
            reached: vec![false; roles],
        }
    }

    /// Whether distinct people can fill all roles at this start.
    pub fn is_complete(&mut self, candidates: &Candidates<'_>, start: usize) -> bool {
        self.begin(candidates, start);
        (0..self.person_in.len()).all(|role| self.person_in[role] != NONE || self.fill_role(role))
    }

    /// How far distinct people can fill the roles at this start.
    pub fn fill(&mut self, candidates: &Candidates<'_>, start: usize) -> Filling {
        self.begin(candidates, start);
        let mut empty = None;
        for role in 0..self.person_in.len() {
            if self.person_in[role] == NONE && !self.fill_role(role) && empty.replace(role).is_some() {
                return Filling::Fewer;
            }
        }
        let Some(empty) = empty else { return Filling::All };
        // A person who took the empty role would leave their own role empty. The attempt reaches all such roles.
        self.fill_role(empty);
        Filling::AllButOne((0..self.reached.len()).filter(|role| self.reached[*role]).collect())
    }

    /// Takes over from the start before whoever may still sit where they sat.
    fn begin(&mut self, candidates: &Candidates<'_>, start: usize) {
        // Where roles share people, each is looked up once and not once a role.
        for (person, free) in self.free.iter_mut().enumerate() {
            *free = starts::contains(candidates.free(person), start);
        }
        for (index, role) in candidates.roles.iter().enumerate() {
            let free = &self.free;
            let may_sit = role
                .candidates
                .iter()
                .filter(|candidate| candidates.may_sit_if(free[candidate.person], index, candidate, start));
            let choices = &mut self.choices[index];
            choices.clear();
            choices.extend(may_sit.map(|candidate| candidate.person));
            let person = self.person_in[index];
            if person != NONE && !choices.contains(&person) {
                self.person_in[index] = NONE;
                self.role_of[person] = NONE;
            }
        }
    }

    /// Fills an empty role, moving others where that makes room. Remembers the roles the attempt came through.
    fn fill_role(&mut self, role: usize) -> bool {
        self.reached.fill(false);
        self.make_room(role)
    }

    fn make_room(&mut self, role: usize) -> bool {
        self.reached[role] = true;
        let unseated = |seating: &Self, person: &usize| seating.role_of[*person] == NONE;
        if let Some(person) = self.choices[role].iter().copied().find(|person| unseated(self, person)) {
            self.seat(role, person);
            return true;
        }
        for choice in 0..self.choices[role].len() {
            let person = self.choices[role][choice];
            let other = self.role_of[person];
            if !self.reached[other] && self.make_room(other) {
                self.seat(role, person);
                return true;
            }
        }
        false
    }

    fn seat(&mut self, role: usize, person: usize) {
        self.person_in[role] = person;
        self.role_of[person] = role;
    }
}
