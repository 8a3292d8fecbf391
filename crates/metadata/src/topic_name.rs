//! Kafka's rules for topic names.
//!
//! Source: `org.apache.kafka.common.internals.Topic`.

/// The metadata log's topic, which nobody creates.
pub const CLUSTER_METADATA_TOPIC: &str = "__cluster_metadata";

/// The group coordinator's topic.
pub const GROUP_METADATA_TOPIC: &str = "__consumer_offsets";

/// The transaction coordinator's topic.
pub const TRANSACTION_STATE_TOPIC: &str = "__transaction_state";

/// The share coordinator's topic.
pub const SHARE_GROUP_STATE_TOPIC: &str = "__share_group_state";

/// Longest topic name, in characters.
pub const NAME_LENGTH_MAX: usize = 249;

/// Checks a name; the error is the whole sentence a client is told.
///
/// # Errors
/// Why the name cannot be a topic's.
pub fn validate(name: &str) -> Result<(), String> {
    let reason = if name.is_empty() {
        "the empty string is not allowed".to_owned()
    } else if name == "." || name == ".." {
        format!("'{name}' is not allowed")
    } else if name.chars().map(char::len_utf16).sum::<usize>() > NAME_LENGTH_MAX {
        format!("the length of '{name}' is longer than the max allowed length {NAME_LENGTH_MAX}")
    } else if !name.bytes().all(is_legal) {
        format!(
            "'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
        )
    } else {
        return Ok(());
    };
    Err(format!("Topic name is invalid: {reason}"))
}

/// Whether a coordinator keeps its state in the topic.
pub fn is_internal(name: &str) -> bool {
    matches!(name, GROUP_METADATA_TOPIC | TRANSACTION_STATE_TOPIC | SHARE_GROUP_STATE_TOPIC)
}

/// Topics whose names differ only in '.' and '_' would share metric names; this is the name they share, if any.
pub fn collision_key(name: &str) -> Option<String> {
    name.contains(['.', '_']).then(|| name.replace('.', "_"))
}

fn is_legal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "A.b_c-9", "...", &"x".repeat(249)] {
            assert_eq!(validate(good), Ok(()), "{good}");
        }
        for bad in ["", ".", "..", "a b", "ä", "a/b", &"x".repeat(250)] {
            assert!(validate(bad).is_err(), "{bad}");
        }
        assert_eq!(collision_key("a.b_c"), Some("a_b_c".to_owned()));
        assert_eq!(collision_key("abc"), None);
    }
}
