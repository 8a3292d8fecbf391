//! Which versions each API has in Kafka 4.3. What a node advertises is the server's choice among these.

use crate::ApiKey;
use crate::generated::api_key;

/// The versions of one API, and where it is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiRange {
    /// The API.
    pub key: ApiKey,
    /// Lowest version, inclusive.
    pub min: i16,
    /// Highest version, inclusive, unstable ones included.
    pub max: i16,
    /// The first flexible version (KIP-482), if there is one.
    pub flexible_from: Option<i16>,
    /// True if `max` is hidden unless `unstable.api.versions.enable` is set.
    pub latest_unstable: bool,
    /// Offered on ordinary listeners.
    pub on_broker: bool,
    /// Offered on controller listeners.
    pub on_controller: bool,
}

/// Every API, ascending by key.
pub const RANGES: &[ApiRange] = api_key::RANGES;

impl ApiRange {
    /// The highest version that is not unstable, inclusive.
    pub const fn max_stable(&self) -> i16 {
        if self.latest_unstable { self.max - 1 } else { self.max }
    }

    /// True if the API has the version, unstable or not.
    pub const fn contains(&self, version: i16) -> bool {
        self.min <= version && version <= self.max
    }
}

impl ApiKey {
    /// As on the wire.
    pub const fn code(self) -> i16 {
        self as i16
    }

    /// The versions of this API.
    pub fn range(self) -> &'static ApiRange {
        let index = RANGES.binary_search_by_key(&self, |range| range.key);
        &RANGES[index.expect("RANGES has every ApiKey")]
    }

    /// True if a version, known or not, is flexible.
    pub fn is_flexible(self, version: i16) -> bool {
        self.range().flexible_from.is_some_and(|from| version >= from)
    }

    /// The version of the header before a request: 2 if flexible, else 1.
    pub fn request_header_version(self, version: i16) -> i16 {
        if self.is_flexible(version) { 2 } else { 1 }
    }

    /// The version of the header before a response: 1 if flexible, else 0; always 0 for ApiVersions, whose reader does
    /// not know yet what the other side speaks (KIP-511).
    pub fn response_header_version(self, version: i16) -> i16 {
        i16::from(self != Self::ApiVersions && self.is_flexible(version))
    }
}

impl std::fmt::Display for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_finds_its_range() {
        for range in RANGES {
            assert_eq!(range.key.range(), range);
            assert_eq!(ApiKey::from_code(range.key.code()), Some(range.key));
        }
        assert_eq!(RANGES.len(), 89);
        assert_eq!(ApiKey::from_code(4), None);
    }

    #[test]
    fn header_versions() {
        assert_eq!(ApiKey::Fetch.request_header_version(11), 1);
        assert_eq!(ApiKey::Fetch.request_header_version(12), 2);
        assert_eq!(ApiKey::Fetch.response_header_version(12), 1);
        assert_eq!(ApiKey::ApiVersions.request_header_version(99), 2);
        assert_eq!(ApiKey::ApiVersions.response_header_version(4), 0);
        assert_eq!(ApiKey::SaslHandshake.request_header_version(1), 1);
        assert_eq!(ApiKey::InitProducerId.range().max_stable(), 5);
    }
}
