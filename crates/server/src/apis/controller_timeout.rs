//! The timeout that a client gives the controller.

use klamm_protocol::ErrorCode;

use crate::apis::error::KafkaError;

/// Kafka's controller drops what waits longer than the client's timeout; one of 0 ms or less is over at once. What has been
/// begun is finished, however long it takes.
///
/// # Errors
/// REQUEST_TIMED_OUT.
pub fn check_timeout(timeout_ms: i32) -> Result<(), KafkaError> {
    if timeout_ms > 0 { Ok(()) } else { Err(KafkaError::code(ErrorCode::RequestTimedOut)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_that_is_not_positive_is_over() {
        assert_eq!(check_timeout(1), Ok(()));
        let over = Err(KafkaError::code(ErrorCode::RequestTimedOut));
        assert_eq!(check_timeout(0), over);
        assert_eq!(check_timeout(-1), over);
    }
}
