//! What was being done when it failed, the cause kept as source, and what helps.

use std::{error::Error, fmt, sync::Arc};

use crate::log::masked;

/// Reads after "failed while": `doing` is a phrase like "committing the decision on RR-1".
#[derive(Clone, Debug)]
pub struct Failure {
    /// What was being done.
    pub doing: String,
    // `Arc`, because one group's failure is reported for each of its messages.
    /// Why it failed.
    pub source: Arc<dyn Error + Send + Sync>,
    /// What helps.
    pub remedy: Remedy,
}

/// What helps against a failure: whether to come back later or never, and whether to alarm.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Remedy {
    /// Time. Others were in the way, or time ran out; the next delivery goes through, and nobody needs to look.
    Wait,
    /// Not known. The next delivery may go through, and somebody looks meanwhile.
    Look,
    /// Nothing that comes by itself: no delivery of the same ever goes through.
    Repair,
}

impl Remedy {
    /// Whether somebody is to be alarmed: its line is of level ERROR then, and of level WARN otherwise.
    pub const fn alarms(self) -> bool {
        !matches!(self, Self::Wait)
    }

    /// `later` or `never`: when the same may go through.
    pub const fn again(self) -> &'static str {
        match self {
            Self::Wait | Self::Look => "later",
            Self::Repair => "never",
        }
    }
}

impl Failure {
    /// A failure of which nobody knows what helps: [`Remedy::Look`].
    pub fn new(doing: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { doing: doing.into(), source: Arc::from(source.into()), remedy: Remedy::Look }
    }

    /// One that time heals.
    pub fn passing(doing: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(doing, source).with(Remedy::Wait)
    }

    /// One that no further delivery heals.
    pub fn lasting(doing: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(doing, source).with(Remedy::Repair)
    }

    /// The same failure with another remedy.
    pub fn with(self, remedy: Remedy) -> Self {
        Self { remedy, ..self }
    }

    /// The one log line of a failure, where it is handled. `what` became of the work.
    pub fn log(&self, what: &'static str) {
        let (error, again) = (self.chain(), self.remedy.again());
        if self.remedy.alarms() {
            tracing::error!(error, again, "{what}");
        } else {
            tracing::warn!(error, again, "{what}");
        }
    }

    /// The whole chain on one line: the SDK's own `Display` stops at "service error". Addresses in it are masked, since it
    /// goes where others read: into logs, dead letters, answers.
    pub fn chain(&self) -> String {
        masked(&chained(self.doing.clone(), Some(&*self.source)))
    }
}

/// A line with what caused it, cause by cause.
pub(crate) fn chained(mut line: String, mut cause: Option<&(dyn Error + 'static)>) -> String {
    while let Some(error) = cause {
        let text = error.to_string();
        // Many errors repeat their source in their own text.
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = error.source();
    }
    line
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.doing, self.source)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_names_every_cause_once() {
        let cause = std::io::Error::other("connection reset");
        let failure = Failure::new("sending the mail", Failure::new("connecting", cause));
        assert_eq!(failure.chain(), "sending the mail: connecting: connection reset");
    }

    #[test]
    fn a_failure_says_when_it_may_go_through_and_whom_it_alarms() {
        for (failure, again, alarms) in [
            (Failure::passing("deciding", "another was quicker"), "later", false),
            (Failure::new("deciding", "nobody knows"), "later", true),
            (Failure::lasting("deciding", "nonsense"), "never", true),
        ] {
            assert_eq!((failure.remedy.again(), failure.remedy.alarms()), (again, alarms), "{failure}");
        }
    }

    #[test]
    fn the_chain_names_nobody() {
        let failure = Failure::new("reading TOLD#rm-a@example.com", "refused for rm-a@example.com");
        assert_eq!(failure.chain(), "reading ***@***: refused for ***@***");
    }
}
