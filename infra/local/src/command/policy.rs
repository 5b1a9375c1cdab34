//! The policy of a store: a file is offered when the engine starts, checked, and accepted or refused. What a store has
//! accepted stays until it accepts another.

use std::path::Path;

use super::{Failed, home::Home};

/// The policy that the bundle ships with: an example.
pub const EXAMPLE: &str = include_str!("../../../policy.json");

/// A checked policy, and where it is from.
pub struct Policy {
    pub text: String,
    /// For people: `policy.json, accepted now`.
    pub from: String,
}

/// A policy file's text, once it was checked.
///
/// # Errors
/// Every fault in it, by file and member, as malformed input.
pub fn read(file: &Path) -> Result<String, Failed> {
    let text = super::read(file)?;
    checked(&text, &file.display().to_string()).map_err(Failed::input)?;
    Ok(text)
}

fn checked(text: &str, name: &str) -> Result<(), String> {
    let told = |faults: Vec<sources::Fault>| {
        let lines: Vec<String> = faults.iter().map(|fault| format!("{name}: {fault}")).collect();
        lines.join("\n")
    };
    sources::policy::read_file(text).map(drop).map_err(told)
}

/// What the engine starts under: the offered file, else what the store accepted before, else, where the store is new,
/// the bundle's example.
///
/// # Errors
/// Every fault in the offered file, and that the accepted policy stays; or what is wrong with the accepted one.
pub fn at_start(home: &Home, offered: Option<&Path>) -> Result<Policy, Failed> {
    if let Some(file) = offered {
        let policy = offer(file).map_err(|refused| match home.policy_file().exists() {
            true => Failed { why: format!("{}\n{}", refused.why, stays(home)), ..refused },
            false => refused,
        })?;
        home.accept_policy(&policy.text)?;
        return Ok(policy);
    }
    if !home.policy_file().exists() && !home.store().exists() {
        home.accept_policy(EXAMPLE)?;
        let from = "the bundle's example, whose sources are of example.com; --policy FILE offers your own".to_owned();
        return Ok(Policy { text: EXAMPLE.to_owned(), from });
    }
    next(home, None)
}

/// A running engine's next policy: the offered file, else what the store accepted before. Nothing is accepted yet.
///
/// # Errors
/// Every fault in it.
pub fn next(home: &Home, offered: Option<&Path>) -> Result<Policy, Failed> {
    let accepted =
        || Ok(Policy { text: accepted(home)?, from: format!("{}, accepted before", home.policy_file().display()) });
    offered.map_or_else(accepted, offer)
}

fn offer(file: &Path) -> Result<Policy, Failed> {
    Ok(Policy { text: read(file)?, from: format!("{}, accepted now", file.display()) })
}

fn stays(home: &Home) -> String {
    format!(
        "the policy was refused and nothing was started; the accepted one stays, in {}: without --policy the engine \
         starts under it",
        home.policy_file().display()
    )
}

/// What the store accepted last.
///
/// # Errors
/// Where it accepted none, or its file was damaged since; each says how to offer one.
pub fn accepted(home: &Home) -> Result<String, Failed> {
    let file = home.policy_file();
    let offer = "`holdpoint serve --policy FILE` offers one";
    let text = home.accepted_policy()?;
    let none = || {
        Failed::new(format!("{}: expected the policy that this store accepted, found none; {offer}", file.display()))
    };
    let text = text.ok_or_else(none)?;
    checked(&text, &file.display().to_string()).map_err(|faults| Failed::input(format!("{faults}\n{offer}")))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use super::*;
    use crate::command::home::{Owner, Place};

    const OTHER: &str =
        r#"{"sources":[{"kind":"review","source":"//other.example.com","governed_by":"a@example.com"}]}"#;
    const BAD: &str = r#"{"sources":[{"kind":"colour","source":"//x"}],"defaults":{"grid":7}}"#;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("holdpoint-policy-{}-{name}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        fn file(&self, name: &str, text: &str) -> PathBuf {
            let file = self.0.join(name);
            fs::write(&file, text).unwrap();
            file
        }

        fn home(&self) -> Home {
            Home::take(&Place::of(Owner::Service, Some(&self.0.join("data")))).unwrap()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn what_was_accepted_stays_until_another_is_accepted() {
        let folder = Folder::new("stays");
        let (home, other) = (folder.home(), folder.file("other.json", OTHER));
        assert_eq!(at_start(&home, None).unwrap().text, EXAMPLE, "a new store");
        assert_eq!(next(&home, Some(&other)).unwrap().text, OTHER);
        assert_eq!(accepted(&home).unwrap(), EXAMPLE, "a reload that fails later has accepted nothing");
        assert_eq!(at_start(&home, Some(&other)).unwrap().text, OTHER);
        assert_eq!(at_start(&home, None).unwrap().text, OTHER, "and not the example again");
        let bad = folder.file("bad.json", BAD);
        let refused = at_start(&home, Some(&bad)).err().unwrap();
        assert_eq!(refused.status, 2);
        for member in ["$.sources[0].kind", "$.sources[0].governed_by", "$.defaults.grid"] {
            assert!(refused.why.contains(&format!("{}: {member}", bad.display())), "{member}: {}", refused.why);
        }
        assert!(refused.why.contains(&home.policy_file().display().to_string()), "{}", refused.why);
        assert_eq!(accepted(&home).unwrap(), OTHER);
        assert_eq!(at_start(&home, None).unwrap().text, OTHER);
    }

    #[test]
    fn a_refused_first_policy_leaves_none() {
        let folder = Folder::new("first");
        let home = folder.home();
        for (name, text) in [("bad.json", BAD), ("no.json", "{"), ("empty.json", "")] {
            let file = folder.file(name, text);
            let refused = at_start(&home, Some(&file)).err().unwrap();
            assert!(refused.why.starts_with(&format!("{}: $", file.display())), "{}", refused.why);
            assert!(!home.policy_file().exists(), "{name}");
        }
        let absent = at_start(&home, Some(&folder.0.join("absent.json"))).err().unwrap();
        assert!(absent.why.contains("absent.json"), "{}", absent.why);
    }

    #[test]
    fn a_store_whose_policy_is_gone_or_damaged_says_so_and_takes_no_example() {
        let folder = Folder::new("damaged");
        let home = folder.home();
        fs::write(home.store(), "").unwrap();
        let gone = at_start(&home, None).err().unwrap();
        assert!(gone.why.contains(&home.policy_file().display().to_string()), "{}", gone.why);
        fs::write(home.policy_file(), BAD).unwrap();
        for refused in [at_start(&home, None).err().unwrap(), accepted(&home).err().unwrap()] {
            let named = format!("{}: $.sources[0].kind", home.policy_file().display());
            assert!(refused.why.contains(&named), "{}", refused.why);
        }
        let other = folder.file("other.json", OTHER);
        assert_eq!(at_start(&home, Some(&other)).unwrap().text, OTHER, "another repairs it");
    }
}
