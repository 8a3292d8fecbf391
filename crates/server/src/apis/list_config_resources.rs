//! ListConfigResources, key 74, versions 0-1 (KIP-1142; v0 is KIP-714's ListClientMetricsResources).
//!
//! Behaviour: the resources that can have configs, by type; no type asked for means all. Groups and client metrics
//! subscriptions are listed if something is set for them, topics and brokers if they exist.
//!
//! Notes:
//! - v0 knows client metrics subscriptions only. A type that the version does not know is UNSUPPORTED_VERSION.

use std::sync::Arc;

use klamm_metadata::image::ResourceType;
use klamm_protocol::messages::list_config_resources_request::ListConfigResourcesRequest;
use klamm_protocol::messages::list_config_resources_response::{
    ConfigResource, ListConfigResourcesResponse,
};
use klamm_protocol::{ApiKey, ErrorCode, Str};

use crate::apis::listener_view::ListenerView;
use crate::apis::table::{ApiRow, decoded};
use crate::authorizer::{AclOperation, Rights};
use crate::broker::Broker;
use crate::reply::{Reply, Response};
use crate::request_context::RequestContext;
use crate::response_message;

/// The row of this API.
pub const ROW: ApiRow = ApiRow::new(ApiKey::ListConfigResources, (0, 1), |broker, ctx, body| {
    decoded(ctx, body, |request| handle(broker, ctx, request))
})
.large();

response_message!(ListConfigResourcesResponse, throttle_time_ms);

fn handle(
    broker: &Arc<Broker>,
    ctx: &RequestContext,
    request: ListConfigResourcesRequest,
) -> Reply {
    let rights = Rights::of(broker.authorizer(), ctx);
    let allowed = rights.may_on_cluster(AclOperation::DescribeConfigs);
    let types = match allowed {
        true => types(&request, ctx.api_version),
        false => Err(ErrorCode::ClusterAuthorizationFailed),
    };
    match types {
        Ok(types) => {
            let image = broker.image();
            let view = ListenerView::new(&image, ctx.listener().name.as_str());
            Reply::message(ListConfigResourcesResponse {
                config_resources: resources(&view, &types),
                ..ListConfigResourcesResponse::default()
            })
        }
        Err(error) => {
            let error_code = error.code();
            let response = ListConfigResourcesResponse {
                error_code,
                ..ListConfigResourcesResponse::default()
            };
            Reply::Now(Response::message(response).with_error(error))
        }
    }
}

fn types(
    request: &ListConfigResourcesRequest,
    version: i16,
) -> Result<Vec<ResourceType>, ErrorCode> {
    use ResourceType::{Broker, BrokerLogger, ClientMetrics, Group, Topic};
    let supported = match version {
        0 => vec![ClientMetrics],
        _ => vec![Group, ClientMetrics, BrokerLogger, Broker, Topic],
    };
    let asked = &request.resource_types;
    if asked.iter().any(|code| !supported.iter().any(|it| it.code() == *code)) {
        return Err(ErrorCode::UnsupportedVersion);
    }
    let is_asked = |it: &ResourceType| asked.is_empty() || asked.contains(&it.code());
    Ok(supported.into_iter().filter(is_asked).collect())
}

fn resources(view: &ListenerView<'_>, types: &[ResourceType]) -> Vec<ConfigResource> {
    let mut resources = Vec::new();
    for resource_type in types {
        let names: Vec<Str> = match resource_type {
            ResourceType::Topic => {
                view.image.topics.by_name().keys().map(|name| Str::from(&**name)).collect()
            }
            ResourceType::Broker | ResourceType::BrokerLogger => {
                view.brokers().map(|(broker, _)| Str::from(broker.id.to_string())).collect()
            }
            ResourceType::Group | ResourceType::ClientMetrics => {
                let set = view.image.configs.resources().keys();
                let of_type = set.filter(|it| it.resource_type == *resource_type);
                of_type.map(|it| Str::from(&*it.name)).collect()
            }
        };
        let resource_type = resource_type.code();
        let named = |resource_name| ConfigResource { resource_name, resource_type };
        resources.extend(names.into_iter().map(named));
    }
    resources
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apis::test_image::{config, image, topic, two_brokers};

    #[test]
    fn version_0_knows_client_metrics_only() {
        let asked = |resource_types| ListConfigResourcesRequest { resource_types };
        assert_eq!(types(&asked(vec![]), 0), Ok(vec![ResourceType::ClientMetrics]));
        assert_eq!(types(&asked(vec![2]), 0), Err(ErrorCode::UnsupportedVersion));
        assert_eq!(types(&asked(vec![2]), 1), Ok(vec![ResourceType::Topic]));
        assert_eq!(types(&asked(vec![3]), 1), Err(ErrorCode::UnsupportedVersion));
        assert_eq!(types(&asked(vec![]), 1).map(|all| all.len()), Ok(5));
    }

    #[test]
    fn what_exists_and_what_is_configured_is_listed() {
        let mut records = two_brokers();
        records.extend(topic("flights", 1, 1));
        records.push(config(16, "metrics-1", "interval.ms", "1000"));
        records.push(config(32, "g", "consumer.session.timeout.ms", "45000"));
        let image = image(&records);
        let view = ListenerView::new(&image, "PLAINTEXT");
        let all = types(&ListConfigResourcesRequest::default(), 1).unwrap();
        let listed = resources(&view, &all);
        let listed: Vec<_> =
            listed.iter().map(|it| (it.resource_type, it.resource_name.as_str())).collect();
        assert_eq!(
            listed,
            [(32, "g"), (16, "metrics-1"), (8, "1"), (8, "2"), (4, "1"), (4, "2"), (2, "flights")]
        );
    }
}
