//! What was being done when it failed, and what helps: the errors of stores and queues say so themselves.

use std::error::Error;

use lambda_shell::{Failure, failure::Remedy, queue::QueueError};
use packet_store::StoreError;

/// `store.head(&review).await.doing("reading HEAD")?`
pub trait Doing<T> {
    /// # Errors
    ///
    /// The error as the source of a [`Failure`] that says what helps.
    fn doing(self, what: impl Into<String>) -> Result<T, Failure>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> Doing<T> for Result<T, E> {
    fn doing(self, what: impl Into<String>) -> Result<T, Failure> {
        self.map_err(|error| {
            let error = error.into();
            let remedy = remedy(&*error);
            Failure::new(what, error).with(remedy)
        })
    }
}

fn remedy(error: &(dyn Error + Send + Sync + 'static)) -> Remedy {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return failure.remedy;
    }
    if let Some(error) = error.downcast_ref::<StoreError>() {
        return match () {
            () if error.is_busy() => Remedy::Wait,
            () if error.is_retryable() => Remedy::Look,
            () => Remedy::Repair,
        };
    }
    if let Some(error) = error.downcast_ref::<QueueError>() {
        return if error.is_retryable() { Remedy::Look } else { Remedy::Repair };
    }
    // Whatever is not known may pass, but nobody counts on it.
    Remedy::Look
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_failure_is_made_of_says_what_helps() {
        let wrapped = |failure: Failure| Err::<(), _>(failure).doing("deciding").unwrap_err().remedy;
        assert_eq!(wrapped(Failure::passing("reading", "busy")), Remedy::Wait);
        assert_eq!(wrapped(Failure::lasting("reading", "nonsense")), Remedy::Repair);
        let unknown = Err::<(), _>(std::io::Error::other("nobody knows")).doing("reading").unwrap_err();
        assert_eq!(unknown.remedy, Remedy::Look, "what is not known is looked at");
    }
}
