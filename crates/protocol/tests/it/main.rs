//! Tests over every message of the wire protocol.

mod entry;
mod generated;

use bytes::Bytes;

#[test]
fn nothing_at_all_is_no_panic() {
    for entry in generated::messages::entries() {
        assert!(entry.versions.min <= entry.versions.max, "{}", entry.name);
        assert_eq!(entry.theirs.is_some(), entry.their_versions.is_some());
        for version in entry.versions.min..=entry.versions.max {
            if let Ok(bytes) = (entry.ours)(Bytes::new(), version) {
                assert!(bytes.is_empty(), "{} version {version}", entry.name);
            }
        }
    }
}
