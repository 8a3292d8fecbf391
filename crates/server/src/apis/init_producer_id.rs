//! InitProducerId, key 22, versions 0-5, without transactional ids.
//!
//! Behaviour: hands out a producer id with epoch 0, never the same twice in the life of a cluster.
//! Any broker answers. While the controller has no block of ids for us the answer is
//! COORDINATOR_LOAD_IN_PROGRESS, which clients retry.
//!
//! Transactional ids come with the transaction coordinator. Until then they are answered with
//! TRANSACTIONAL_ID_AUTHORIZATION_FAILED: the Java client, librdkafka and franz-go all give up at
//! once on it, while librdkafka would go on asking after UNSUPPORTED_VERSION, and all of them after
//! COORDINATOR_NOT_AVAILABLE. They hardly come this far: they ask FindCoordinator first, which is
//! not advertised, and say so. An empty transactional id is INVALID_REQUEST, as in Kafka.
//!
//! Notes by version and KIP:
//! - v3 (KIP-360): a producer id and epoch to go on from. Without a transactional id they are
//!   looked at only for being both set or both -1, and the producer gets a new id, as in Kafka.
//! - v4 (KIP-588) and v5 (KIP-890) are for transactions.
//! - v6 (KIP-939) is not released.

use std::sync::Arc;

use klamm_protocol::messages::init_producer_id_request::InitProducerIdRequest;
use klamm_protocol::messages::init_producer_id_response::InitProducerIdResponse;
use klamm_protocol::{ApiKey, ErrorCode};

use crate::apis::error::ToKafkaError;
use crate::apis::table::{ApiRow, decoded};
use crate::authorizer::{AclOperation, CLUSTER_NAME, Decision, ResourceType};
use crate::broker::Broker;
use crate::reply::{Reply, Response};
use crate::request_context::RequestContext;
use crate::response_message;

/// The row of this API.
pub const ROW: ApiRow = ApiRow::new(ApiKey::InitProducerId, (0, 5), |broker, ctx, body| {
    decoded(ctx, body, |request| handle(broker, ctx, request))
});

response_message!(InitProducerIdResponse, throttle_time_ms);

/// "None" for a producer id and for an epoch.
const NONE: i64 = -1;

fn handle(broker: &Arc<Broker>, ctx: &RequestContext, request: InitProducerIdRequest) -> Reply {
    let resource = (ResourceType::Cluster, CLUSTER_NAME);
    let decision = broker.authorizer().authorize(ctx, AclOperation::IdempotentWrite, resource);
    if let Some(error) = refusal(&request, decision) {
        if error == ErrorCode::TransactionalIdAuthorizationFailed {
            tracing::warn!(
                parent: &ctx.span,
                transactional_id = request.transactional_id.as_deref(),
                "a transactional producer is refused: this version has no transactions"
            );
        }
        return Reply::Now(failure(error));
    }
    let producer_ids = broker.producer_ids().clone();
    // An id that nobody waits for any more is lost, which costs nothing.
    Reply::later(async move {
        match producer_ids.generate().await {
            Ok(id) => Response::message(InitProducerIdResponse {
                producer_id: id.0,
                producer_epoch: 0,
                ..InitProducerIdResponse::default()
            }),
            Err(error) => failure(error.to_kafka_error().code),
        }
    })
}

/// Why there is no id for this request (Kafka's `handleInitProducerIdRequest` and
/// `TransactionCoordinator.handleInitProducerId`, in their order).
fn refusal(request: &InitProducerIdRequest, idempotent_write: Decision) -> Option<ErrorCode> {
    let has_id = request.producer_id != NONE;
    let has_epoch = i64::from(request.producer_epoch) != NONE;
    match request.transactional_id.as_deref() {
        // Kafka also lets in who may write to any topic; that question comes with the ACLs.
        None if idempotent_write == Decision::Denied => Some(ErrorCode::ClusterAuthorizationFailed),
        _ if has_id != has_epoch => Some(ErrorCode::InvalidRequest),
        None => None,
        Some("") => Some(ErrorCode::InvalidRequest),
        Some(_) => Some(ErrorCode::TransactionalIdAuthorizationFailed),
    }
}

fn failure(error: ErrorCode) -> Response {
    let response = InitProducerIdResponse {
        error_code: error.code(),
        producer_id: NONE,
        producer_epoch: -1,
        ..InitProducerIdResponse::default()
    };
    Response::message(response).with_error(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(transactional_id: Option<&str>, id_and_epoch: (i64, i16)) -> Option<ErrorCode> {
        let request = InitProducerIdRequest {
            transactional_id: transactional_id.map(Into::into),
            producer_id: id_and_epoch.0,
            producer_epoch: id_and_epoch.1,
            ..InitProducerIdRequest::default()
        };
        refusal(&request, Decision::Allowed)
    }

    #[test]
    fn an_idempotent_producer_sends_id_and_epoch_or_neither() {
        assert_eq!(refused(None, (-1, -1)), None);
        assert_eq!(refused(None, (4, 2)), None);
        assert_eq!(refused(None, (-7, -7)), None, "as Kafka: only -1 is none");
        assert_eq!(refused(None, (4, -1)), Some(ErrorCode::InvalidRequest));
        assert_eq!(refused(None, (-1, 0)), Some(ErrorCode::InvalidRequest));
    }

    #[test]
    fn transactional_ids_are_refused_for_good() {
        let fatal = Some(ErrorCode::TransactionalIdAuthorizationFailed);
        assert_eq!(refused(Some("t"), (-1, -1)), fatal);
        assert_eq!(refused(Some(""), (-1, -1)), Some(ErrorCode::InvalidRequest));
    }

    #[test]
    fn who_may_not_write_gets_no_id() {
        let request = InitProducerIdRequest {
            transactional_id: None,
            producer_id: -1,
            producer_epoch: -1,
            ..InitProducerIdRequest::default()
        };
        let denied = refusal(&request, Decision::Denied);
        assert_eq!(denied, Some(ErrorCode::ClusterAuthorizationFailed));
    }
}
