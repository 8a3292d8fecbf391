//! DescribeCluster, key 60, versions 0-2 (KIP-700).
//!
//! Behaviour: the cluster's id, its brokers under the address of the listener the client came in on, and whom to take for the
//! controller.
//!
//! Notes:
//! - v1 (KIP-919): the client says whether it wants brokers (1) or controllers (2). Here it can have brokers: controllers are
//!   asked on their own listener, which a single node does not open.
//! - v2 (KIP-1073): fenced brokers too, if the client wants them.

use std::sync::Arc;

use klamm_protocol::messages::describe_cluster_request::DescribeClusterRequest;
use klamm_protocol::messages::describe_cluster_response::{
    DescribeClusterBroker, DescribeClusterResponse,
};
use klamm_protocol::{ApiKey, ErrorCode, Str};

use crate::apis::error::KafkaError;
use crate::apis::listener_view::{ListenerView, NO_NODE};
use crate::apis::table::{ApiRow, decoded};
use crate::authorizer::Rights;
use crate::broker::Broker;
use crate::reply::{Reply, Response};
use crate::request_context::RequestContext;
use crate::response_message;

/// The row of this API.
pub const ROW: ApiRow = ApiRow::new(ApiKey::DescribeCluster, (0, 2), |broker, ctx, body| {
    decoded(ctx, body, |request| handle(broker, ctx, request))
});

response_message!(DescribeClusterResponse, throttle_time_ms);

/// Endpoint types on the wire.
const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

fn handle(broker: &Arc<Broker>, ctx: &RequestContext, request: DescribeClusterRequest) -> Reply {
    if let Err(error) = check_endpoint_type(request.endpoint_type, ctx.api_version) {
        let response = DescribeClusterResponse {
            error_code: error.code.code(),
            error_message: error.message.map(Str::from),
            ..DescribeClusterResponse::default()
        };
        return Reply::Now(Response::message(response).with_error(error.code));
    }
    let image = broker.image();
    let view = ListenerView::new(&image, ctx.listener().name.as_str());
    let brokers = brokers(&view, request.include_fenced_brokers);
    let controller_id = view.controller_id(broker.node_id());
    let is_listed = brokers.iter().any(|broker| broker.broker_id == controller_id);
    let mut response = DescribeClusterResponse {
        cluster_id: Str::from(broker.cluster_id()),
        controller_id: if is_listed { controller_id } else { NO_NODE },
        brokers,
        ..DescribeClusterResponse::default()
    };
    if request.include_cluster_authorized_operations {
        response.cluster_authorized_operations =
            Rights::of(broker.authorizer(), ctx).cluster_operations();
    }
    Reply::message(response)
}

fn check_endpoint_type(endpoint_type: i8, version: i16) -> Result<(), KafkaError> {
    let error = |code, message: String| {
        let code = if version == 0 { ErrorCode::InvalidRequest } else { code };
        Err(KafkaError::new(code, message))
    };
    match endpoint_type {
        BROKERS => Ok(()),
        CONTROLLERS => error(
            ErrorCode::MismatchedEndpointType,
            "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER"
                .to_owned(),
        ),
        other => error(
            ErrorCode::UnsupportedEndpointType,
            format!("Unsupported endpoint type {other}"),
        ),
    }
}

fn brokers(view: &ListenerView<'_>, include_fenced: bool) -> Vec<DescribeClusterBroker> {
    let brokers = view.brokers().filter(|(broker, _)| include_fenced || !broker.fenced);
    brokers
        .map(|(broker, endpoint)| DescribeClusterBroker {
            broker_id: broker.id.0,
            host: Str::from(&*endpoint.host),
            port: i32::from(endpoint.port),
            rack: broker.rack.as_deref().map(Str::from),
            is_fenced: broker.fenced,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apis::test_image::{image, two_brokers};

    #[test]
    fn only_brokers_are_described_here() {
        assert_eq!(check_endpoint_type(1, 1), Ok(()));
        let code = |endpoint_type, version| {
            check_endpoint_type(endpoint_type, version).map_err(|error| error.code)
        };
        assert_eq!(code(2, 1), Err(ErrorCode::MismatchedEndpointType));
        assert_eq!(code(3, 1), Err(ErrorCode::UnsupportedEndpointType));
        assert_eq!(code(2, 0), Err(ErrorCode::InvalidRequest));
    }

    #[test]
    fn fenced_brokers_are_told_to_those_who_ask() {
        let image = image(&two_brokers());
        let view = ListenerView::new(&image, "PLAINTEXT");
        let ids = |include_fenced| {
            let brokers = brokers(&view, include_fenced);
            brokers.iter().map(|it| (it.broker_id, it.port, it.is_fenced)).collect::<Vec<_>>()
        };
        assert_eq!(ids(false), [(1, 9092, false)]);
        assert_eq!(ids(true), [(1, 9092, false), (2, 9092, true)]);
        assert_eq!(view.controller_id(2.into()), 1);
    }
}
