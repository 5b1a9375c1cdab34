//! What the store was doing when it failed, and whether the same may go through later.

use std::{error::Error, fmt};

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::key::Key;

/// What the store was doing, and why that failed.
#[derive(Debug)]
pub struct StoreError {
    /// Reads after "failed while".
    doing: String,
    cause: FailedBy,
}

#[derive(Debug)]
enum FailedBy {
    /// The call itself failed, after the SDK's own retries.
    Call { source: Box<dyn Error + Send + Sync>, code: Option<String>, retryable: bool },
    /// Conflicts or throttling went on for longer than is waited for.
    Contended,
    /// An item does not read as it was written.
    Damaged { item: String, what: String },
    /// An item was written by a newer version of the product than this one.
    Newer { item: String, schema: u32, known: u32 },
    /// DynamoDB will never take this write as it is.
    Poison(String),
}

impl StoreError {
    pub(crate) fn call<E, R>(doing: impl Into<String>, error: SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        R: fmt::Debug + Send + Sync + 'static,
    {
        let code = error.as_service_error().and_then(|error| error.code()).map(str::to_owned);
        let retryable = match (&error, code.as_deref()) {
            // It never left this process: as it is, it never will.
            (SdkError::ConstructionFailure(_), _) => false,
            (SdkError::ServiceError(_), Some(code)) => !NEVER.contains(&code),
            // No answer, or none that can be read: it may have been done or not, and every write is safe to repeat.
            _ => true,
        };
        Self { doing: doing.into(), cause: FailedBy::Call { source: Box::new(error), code, retryable } }
    }

    pub(crate) fn contended(doing: impl Into<String>) -> Self {
        Self { doing: doing.into(), cause: FailedBy::Contended }
    }

    pub(crate) fn damaged(doing: impl Into<String>, item: &Key, what: impl Into<String>) -> Self {
        Self { doing: doing.into(), cause: FailedBy::Damaged { item: item.to_string(), what: what.into() } }
    }

    pub(crate) fn newer(doing: impl Into<String>, item: &Key, schema: u32, known: u32) -> Self {
        Self { doing: doing.into(), cause: FailedBy::Newer { item: item.to_string(), schema, known } }
    }

    pub(crate) fn poison(doing: impl Into<String>, what: impl Into<String>) -> Self {
        Self { doing: doing.into(), cause: FailedBy::Poison(what.into()) }
    }

    /// Whether the same may go through later: after a pause, or once the newer version is deployed here too.
    pub const fn is_retryable(&self) -> bool {
        match &self.cause {
            FailedBy::Call { retryable, .. } => *retryable,
            FailedBy::Contended | FailedBy::Newer { .. } => true,
            FailedBy::Damaged { .. } | FailedBy::Poison(_) => false,
        }
    }

    /// Whether others were in the way for too long and nothing is wrong otherwise: a pause is all it needs.
    pub fn is_busy(&self) -> bool {
        match &self.cause {
            FailedBy::Contended => true,
            FailedBy::Call { code: Some(code), .. } => BUSY.contains(&code.as_str()),
            _ => false,
        }
    }

    /// Whether an item does not read as it was written: an alarm, not a nuisance.
    pub const fn is_damage(&self) -> bool {
        matches!(self.cause, FailedBy::Damaged { .. })
    }
}

/// What DynamoDB says while it is asked for more than it gives at once.
const BUSY: [&str; 6] = [
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "TransactionConflictException",
    "TransactionInProgressException",
    "ReplicatedWriteConflictException",
];

/// The codes that another try does not help; of any other it may.
const NEVER: [&str; 5] = [
    "ValidationException",
    "SerializationException",
    "ResourceNotFoundException",
    "ItemCollectionSizeLimitExceededException",
    "UnrecognizedClientException",
];

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.doing)?;
        match &self.cause {
            // The SDK's own display says "service error" and no more.
            FailedBy::Call { code: Some(code), .. } => write!(f, "DynamoDB answered {code}"),
            FailedBy::Call { source, .. } => write!(f, "{source}"),
            FailedBy::Contended => f.write_str("other writers were in the way for too long"),
            FailedBy::Damaged { item, what } => write!(f, "the item {item} is damaged: {what}"),
            FailedBy::Newer { item, schema, known } => write!(
                f,
                "the item {item} has schema {schema}, newer than the {known} known here: deploy the version that wrote it"
            ),
            FailedBy::Poison(what) => write!(f, "cannot be written as it is: {what}"),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.cause {
            FailedBy::Call { source, .. } => Some(&**source),
            _ => None,
        }
    }
}
