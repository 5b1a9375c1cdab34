//! The policy's `people`: which person each name of a source stands for. Every format looks names up here.
//!
//! One system writes a name in capitals, another in small letters. Addresses compare in lower case, and so do names.
//! Otherwise a busy answer would belong to a stranger.

use std::collections::{BTreeMap, BTreeSet};

use refresh_core::Person;

/// The names of a source, each with its person.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct People {
    /// By the name in lower case: the name as the policy writes it, and the person.
    known: BTreeMap<String, (String, Person)>,
}

/// A name in the form in which names compare.
pub fn folded(name: &str) -> String {
    name.to_lowercase()
}

impl People {
    /// Binds a name.
    ///
    /// # Errors
    /// The other spelling of the name, which stands for somebody else.
    pub fn bind(&mut self, name: &str, person: Person) -> Result<(), String> {
        let known = self.known.entry(folded(name)).or_insert_with(|| (name.to_owned(), person.clone()));
        if known.1 == person { Ok(()) } else { Err(known.0.clone()) }
    }

    /// The person whom a name is bound to.
    pub fn bound(&self, name: &str) -> Option<&Person> {
        self.known.get(&folded(name)).map(|(_, person)| person)
    }

    /// The person whom a name stands for: as bound, or an address as it is.
    pub fn person_of(&self, name: &str) -> Option<Person> {
        self.person_of_any(&[name])
    }

    /// The same for somebody with several names.
    pub fn person_of_any<S: AsRef<str>>(&self, names: &[S]) -> Option<Person> {
        self.who(names).map(|(person, _)| person)
    }

    /// The same with the name that counts: the first that is bound, else the first that is an address.
    pub fn who<'n, S: AsRef<str>>(&self, names: &'n [S]) -> Option<(Person, &'n str)> {
        let names = || names.iter().map(AsRef::as_ref);
        let bound = names().find_map(|name| Some((self.bound(name)?.clone(), name)));
        bound.or_else(|| names().find_map(|name| Some((Person::parse(name).ok()?, name))))
    }

    /// The names as the policy writes them, in order; those of one person stand together, where the first of them stands.
    pub fn names(&self) -> Vec<Vec<&str>> {
        let mut together: Vec<(&Person, Vec<&str>)> = Vec::new();
        let mut places: BTreeMap<&Person, usize> = BTreeMap::new();
        for (name, person) in self.known.values() {
            match places.get(person) {
                Some(place) => together[*place].1.push(name),
                None => {
                    places.insert(person, together.len());
                    together.push((person, vec![name]));
                }
            }
        }
        together.into_iter().map(|(_, names)| names).collect()
    }

    /// The names that are bound to a person, in lower case, in order.
    pub fn names_of<'p>(&'p self, person: &'p Person) -> impl Iterator<Item = &'p str> {
        let of = self.known.iter().filter(move |(_, (_, bound))| bound == person);
        of.map(|(name, _)| name.as_str())
    }

    /// Everybody, each once.
    pub fn everybody(&self) -> BTreeSet<&Person> {
        self.known.values().map(|(_, person)| person).collect()
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether there is no name.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}
