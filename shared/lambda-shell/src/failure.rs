//! What was being done when it failed, the cause kept as source.

use std::{error::Error, fmt, sync::Arc};

use crate::log::masked;

/// Reads after "failed while": `doing` is a phrase like "committing the decision on RR-1".
#[derive(Clone, Debug)]
pub struct Failure {
    pub doing: String,
    // `Arc`, because one group's failure is reported for each of its messages.
    pub source: Arc<dyn Error + Send + Sync>,
}

impl Failure {
    pub fn new(doing: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { doing: doing.into(), source: Arc::from(source.into()) }
    }

    /// The whole chain on one line: the SDK's own `Display` stops at "service error". Addresses in it are masked, since it
    /// goes where others read: into logs, dead letters, answers.
    pub fn chain(&self) -> String {
        let mut line = self.doing.clone();
        let mut cause: Option<&dyn Error> = Some(&*self.source);
        while let Some(error) = cause {
            let text = error.to_string();
            // Many errors repeat their source in their own text.
            if !line.ends_with(&text) {
                line.push_str(": ");
                line.push_str(&text);
            }
            cause = error.source();
        }
        masked(&line)
    }
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

/// `store.head(&review).await.doing("reading HEAD")?`
pub trait Doing<T> {
    fn doing(self, what: impl Into<String>) -> Result<T, Failure>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> Doing<T> for Result<T, E> {
    fn doing(self, what: impl Into<String>) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(what, error))
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
    fn the_chain_names_nobody() {
        let failure = Failure::new("reading TOLD#rm-a@example.com", "refused for rm-a@example.com");
        assert_eq!(failure.chain(), "reading ***@***: refused for ***@***");
    }
}
