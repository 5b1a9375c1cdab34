//! Why something was not done: a reason for a person, and whose fault it is.

use std::fmt;

/// What an operator asked for, and did not get.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotDone {
    /// What was given is malformed: a command ends with status 2. The same again ends the same.
    Malformed(String),
    /// It could not be done: a command ends with status 1.
    Failed(String),
}

impl NotDone {
    /// The reason.
    pub fn why(&self) -> &str {
        let (Self::Malformed(why) | Self::Failed(why)) = self;
        why
    }
}

impl fmt::Display for NotDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.why())
    }
}

impl From<String> for NotDone {
    fn from(why: String) -> Self {
        Self::Failed(why)
    }
}

impl From<NotDone> for String {
    fn from(not_done: NotDone) -> Self {
        not_done.why().to_owned()
    }
}
