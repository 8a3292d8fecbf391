//! A Kafka error with its message.

use klamm_protocol::{ErrorCode, Str};

/// Why a request, or a part of it, was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    pub code: ErrorCode,
    /// `None` where Kafka leaves the client with the code's own text.
    pub message: Option<String>,
}

impl ApiError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: Some(message.into()) }
    }

    /// Only the code.
    pub fn bare(code: ErrorCode) -> Self {
        Self { code, message: None }
    }

    /// The two fields of a response: code 0 and no message for success.
    pub(super) fn fields(result: Result<(), Self>) -> (i16, Option<Str>) {
        match result {
            Ok(()) => (0, None),
            Err(error) => (error.code.code(), error.message.map(Str::from)),
        }
    }
}
