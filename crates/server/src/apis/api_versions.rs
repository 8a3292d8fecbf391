//! ApiVersions, key 18, versions 0-4.
//!
//! Behaviour: tells which APIs and versions this listener answers, and which features the cluster
//! supports and has finalized. It is the first request of a connection and works before
//! authentication. Name and version of the client's software are kept for the connection.
//!
//! Notes:
//! - An unknown version is answered with UNSUPPORTED_VERSION in a v0 body that lists ApiVersions
//!   alone, so that any client can start over (KIP-35).
//! - The response header is version 0 always, also where the body is flexible (KIP-511).
//! - v3 (KIP-511): software name and version must match Kafka's pattern, else INVALID_REQUEST;
//!   features (KIP-584) are added.
//! - v0-3 leave out supported features whose minimum is 0, which old clients take for an error.
//! - Produce is advertised from version 0 although only 3 and up are accepted: librdkafka decides
//!   on the presence of old versions (KAFKA-18659).

use std::sync::Arc;

use klamm_protocol::messages::api_versions_request::ApiVersionsRequest;
use klamm_protocol::messages::api_versions_response::{
    ApiVersion, ApiVersionsResponse, FinalizedFeatureKey, SupportedFeatureKey,
};
use klamm_protocol::{ApiKey, ErrorCode, Str};

use crate::apis::table::{Access, ApiRow, Listeners, decoded};
use crate::broker::{Broker, Features};
use crate::quota::ThrottleKind;
use crate::reply::{Reply, Response};
use crate::request_context::{ClientSoftware, RequestContext};
use crate::response_message;

/// The row of this API.
pub const ROW: ApiRow = ApiRow::new(ApiKey::ApiVersions, (0, 4), |broker, ctx, body| {
    decoded(ctx, body, |request| handle(broker, ctx, request))
})
.listeners(Listeners::Both)
.access(Access::Open)
.throttle(ThrottleKind::Exempt);

response_message!(ApiVersionsResponse, throttle_time_ms);

fn handle(broker: &Arc<Broker>, ctx: &RequestContext, request: ApiVersionsRequest) -> Reply {
    if ctx.api_version >= 3 {
        let software = ClientSoftware {
            // Kept as long as the connection, so they must not hold on to the frame.
            name: request.client_software_name.detached(),
            version: request.client_software_version.detached(),
        };
        if !is_software_text(&software.name) || !is_software_text(&software.version) {
            return Reply::Now(failure(ErrorCode::InvalidRequest));
        }
        ctx.connection.set_software(software);
    }
    let rows = broker.table().iter().filter(|row| row.listeners.includes(ctx.listener().kind));
    let api_keys = rows.map(told).collect();
    Reply::message(answer(api_keys, &broker.features(), ctx.api_version))
}

/// The answer to a version nobody knows: error 35 and the range of ApiVersions itself. The dispatcher
/// encodes it in v0.
pub fn unsupported_version() -> Response {
    let response = ApiVersionsResponse {
        error_code: ErrorCode::UnsupportedVersion.code(),
        api_keys: vec![told(&ROW)],
        ..ApiVersionsResponse::default()
    };
    Response::message(response).with_error(ErrorCode::UnsupportedVersion)
}

fn failure(error: ErrorCode) -> Response {
    let response =
        ApiVersionsResponse { error_code: error.code(), ..ApiVersionsResponse::default() };
    Response::message(response).with_error(error)
}

fn answer(api_keys: Vec<ApiVersion>, features: &Features, version: i16) -> ApiVersionsResponse {
    ApiVersionsResponse {
        api_keys,
        supported_features: features
            .supported
            .iter()
            .filter(|feature| version >= 4 || feature.level_min > 0)
            .map(|feature| SupportedFeatureKey {
                name: Str::from_static(feature.name),
                min_version: feature.level_min,
                max_version: feature.level_max,
            })
            .collect(),
        finalized_features_epoch: features.finalized_epoch,
        finalized_features: features
            .finalized
            .iter()
            .map(|(name, level)| FinalizedFeatureKey {
                name: name.as_str().into(),
                min_version_level: *level,
                max_version_level: *level,
            })
            .collect(),
        ..ApiVersionsResponse::default()
    }
}

fn told(row: &ApiRow) -> ApiVersion {
    ApiVersion {
        api_key: row.api_key.code(),
        min_version: row.version_min_advertised,
        max_version: row.version_max,
    }
}

/// Kafka's `SOFTWARE_NAME_VERSION_PATTERN`: letters, digits, `-` and `.`, the last two only inside.
fn is_software_text(text: &str) -> bool {
    let bytes = text.as_bytes();
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_names_follow_the_pattern() {
        for good in ["a", "apache-kafka-java", "4.3.1", "1-x.Y"] {
            assert!(is_software_text(good), "{good}");
        }
        for bad in ["", "-a", "a-", ".a", "a b", "a_b", "ä"] {
            assert!(!is_software_text(bad), "{bad}");
        }
    }

    #[test]
    fn features_with_minimum_zero_are_told_from_version_4_on() {
        let features = Features {
            supported: vec![
                crate::broker::SupportedFeature {
                    name: "group.version",
                    level_min: 0,
                    level_max: 1,
                },
                crate::broker::SupportedFeature {
                    name: "metadata.version",
                    level_min: 7,
                    level_max: 30,
                },
            ],
            finalized: vec![("metadata.version".to_owned(), 30)],
            finalized_epoch: 12,
        };
        let names = |version| {
            answer(Vec::new(), &features, version)
                .supported_features
                .iter()
                .map(|feature| feature.name.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(3), ["metadata.version"]);
        assert_eq!(names(4), ["group.version", "metadata.version"]);
    }
}
