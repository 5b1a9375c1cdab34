//! A function's settings, read once at start: every one that is missing or wrong is named at once.

use std::{collections::BTreeMap, error::Error, fmt, str::FromStr};

/// ```
/// # use lambda_shell::settings::Settings;
/// let mut settings = Settings::of([("TABLE", "packets")]);
/// let table = settings.required("TABLE");
/// let quiet: u32 = settings.parsed("QUIET_SECONDS", "a number of seconds", 120);
/// let (table, quiet) = settings.finish(Some((table, quiet))).unwrap();
/// assert_eq!((table.as_str(), quiet), ("packets", 120));
/// ```
#[derive(Debug)]
pub struct Settings {
    values: BTreeMap<String, String>,
    /// Files that are given, not read: name and text.
    files: BTreeMap<String, String>,
    faults: Vec<String>,
}

/// Every fault, one a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadSettings(pub Vec<String>);

impl Settings {
    /// The settings of this process's environment.
    pub fn from_environment() -> Self {
        // `vars_os`, since `vars` panics on a value that is not UTF-8, whoever set it.
        let text = |value: std::ffi::OsString| value.into_string().ok();
        Self {
            values: std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect(),
            files: BTreeMap::new(),
            faults: Vec::new(),
        }
    }

    /// These settings.
    pub fn of<N: Into<String>, V: Into<String>>(values: impl IntoIterator<Item = (N, V)>) -> Self {
        let values = values.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { values, files: BTreeMap::new(), faults: Vec::new() }
    }

    /// A file of the function's folder that somebody holds as text already: none of that name is looked for.
    pub fn with_file(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.files.insert(name.into(), text.into());
        self
    }

    /// Empty where it is missing; then [`Settings::finish`] fails.
    pub fn required(&mut self, name: &str) -> String {
        let value = self.optional(name);
        if value.is_none() {
            self.fault(name, "expected a value, found none");
        }
        value.unwrap_or_default()
    }

    /// Empty counts as absent: templates cannot leave a variable out.
    pub fn optional(&self, name: &str) -> Option<String> {
        self.values.get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// A required value that `parse` takes; the default of its type where it does not. The error of `parse` says what was
    /// expected and what was found.
    pub fn checked<T: Default>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> T {
        let Some(value) = self.optional(name) else {
            self.fault(name, "expected a value, found none");
            return T::default();
        };
        parse(&value).unwrap_or_else(|error| {
            self.fault(name, format!("expected {error}"));
            T::default()
        })
    }

    /// A setting that is not required, read by its type: `otherwise` where it is absent or wrong. `expected` says in
    /// words what is read.
    pub fn parsed<T: FromStr>(&mut self, name: &str, expected: &str, otherwise: T) -> T {
        let Some(value) = self.optional(name) else { return otherwise };
        value.parse().unwrap_or_else(|_| {
            self.fault(name, format!("expected {expected}, found {value:?}"));
            otherwise
        })
    }

    /// Reads and parses the file a setting names (relative to the function's own folder), every fault in it listed.
    pub fn file<T, E: fmt::Display>(
        &mut self,
        name: &str,
        otherwise: &str,
        parse: impl FnOnce(&str) -> Result<T, Vec<E>>,
    ) -> Option<T> {
        let named = self.optional(name).unwrap_or_else(|| otherwise.to_owned());
        let folder = self.optional("LAMBDA_TASK_ROOT").unwrap_or_default();
        let path = std::path::Path::new(&folder).join(&named);
        let given = self.files.get(&named).cloned();
        let text = match given.map_or_else(|| std::fs::read_to_string(&path), Ok) {
            Ok(text) => text,
            Err(error) => {
                self.fault(name, format!("expected a readable file at {}: {error}", path.display()));
                return None;
            }
        };
        match parse(&text) {
            Ok(value) => Some(value),
            Err(faults) => {
                for fault in faults {
                    self.fault(name, format!("{}: {fault}", path.display()));
                }
                None
            }
        }
    }

    /// A required value that is never quoted: what was expected of it is said, what was found is not.
    pub fn secret<T, E>(&mut self, name: &str, expected: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let Some(value) = self.optional(name) else {
            self.fault(name, "expected a value, found none");
            return None;
        };
        let parsed = parse(&value).ok();
        if parsed.is_none() {
            self.fault(name, format_args!("expected {expected}"));
        }
        parsed
    }

    /// Records what a caller found wrong with a value. Say what was expected; never quote a secret.
    pub fn fault(&mut self, name: &str, what: impl fmt::Display) {
        self.faults.push(format!("{name}: {what}"));
    }

    /// To be asked before any value is used. `parsed`: what [`Settings::file`], [`Settings::secret`] and the caller made of
    /// the values; it is there exactly if nothing was wrong with them.
    ///
    /// # Errors
    ///
    /// Every fault so far, each naming its setting.
    pub fn finish<T>(&mut self, parsed: Option<T>) -> Result<T, BadSettings> {
        let mut faults = std::mem::take(&mut self.faults);
        match parsed {
            Some(parsed) if faults.is_empty() => Ok(parsed),
            _ => {
                if faults.is_empty() {
                    faults.push("a value is missing, and nobody said which".to_owned());
                }
                Err(BadSettings(faults))
            }
        }
    }
}

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "settings: {}", self.0.join("; "))
    }
}

impl Error for BadSettings {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_named_at_once() {
        let mut settings = Settings::of([("EMPTY", " "), ("COUNT", "seven"), ("GOOD", "x")]);
        assert_eq!(settings.required("GOOD"), "x");
        settings.required("EMPTY");
        settings.required("ABSENT");
        assert_eq!(settings.parsed("COUNT", "a number", 3), 3);
        let faults = settings.finish(Some(())).unwrap_err();
        assert_eq!(
            faults.to_string(),
            "settings: EMPTY: expected a value, found none; ABSENT: expected a value, found none; \
             COUNT: expected a number, found \"seven\""
        );
    }

    #[test]
    fn a_secret_is_never_quoted() {
        let read = |text: &str| text.parse::<u32>();
        let mut good = Settings::of([("KEY", "7")]);
        assert_eq!(good.secret("KEY", "a number", read), Some(7));
        assert_eq!(good.finish(Some(7)), Ok(7));
        let mut bad = Settings::of([("KEY", "hunter2")]);
        assert_eq!(bad.secret("KEY", "a number", read), None);
        assert_eq!(bad.secret("OTHER", "a number", read), None);
        assert_eq!(
            bad.finish(None::<u32>).unwrap_err().to_string(),
            "settings: KEY: expected a number; OTHER: expected a value, found none"
        );
        // Whoever forgets to record a fault is not let through.
        assert!(Settings::of([("KEY", "7")]).finish(None::<u32>).is_err());
    }

    #[test]
    fn a_file_that_is_missing_or_wrong_is_a_fault_like_any_other() {
        let folder = std::env::temp_dir().join(format!("settings-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("policy.json"), "12").unwrap();
        let read = |text: &str| text.parse::<u32>().map_err(|_| vec!["expected a number", "and nothing else"]);
        let root = folder.display().to_string();
        let of = |name: &str| Settings::of([("LAMBDA_TASK_ROOT", root.as_str()), ("POLICY_FILE", name)]);

        let mut good = of("");
        assert_eq!(good.file("POLICY_FILE", "policy.json", read), Some(12));
        assert_eq!(good.finish(Some(12)), Ok(12));

        let mut given = of("").with_file("policy.json", "13");
        assert_eq!(
            given.file("POLICY_FILE", "policy.json", read),
            Some(13),
            "what is given goes before what lies there"
        );

        let mut absent = of("absent.json");
        assert_eq!(absent.file("POLICY_FILE", "policy.json", read), None);
        let fault = absent.finish(None::<u32>).unwrap_err().to_string();
        assert!(fault.starts_with("settings: POLICY_FILE: expected a readable file at "), "{fault}");

        std::fs::write(folder.join("policy.json"), "twelve").unwrap();
        let mut wrong = of("policy.json");
        assert_eq!(wrong.file("POLICY_FILE", "policy.json", read), None);
        let BadSettings(faults) = wrong.finish(None::<u32>).unwrap_err();
        assert_eq!(faults.len(), 2, "every fault in it: {faults:?}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
