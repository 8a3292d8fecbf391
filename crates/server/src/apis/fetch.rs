//! Fetch, key 1, versions 4-18.
//!
//! Behaviour: reads batches of many partitions, waits until `min_bytes` are there or `max_wait_ms` is over, and sends them
//! without copying. At least one batch comes however large it is. Consumers see up to the high watermark, with
//! `read_committed` up to the last stable offset together with the aborted transactions.
//!
//! Notes by version and KIP:
//! - v5 tells the log start (KIP-107); v7 has sessions (KIP-227).
//! - v9 checks the leader epoch (KIP-320); v12 finds diverging epochs (KIP-595).
//! - v11 tells the rack (KIP-392): with one replica there is no nearer one.
//! - v13 has topic ids instead of names (KIP-516).
//! - v16 tells who leads instead, and where (KIP-951).
//! - Followers come with replication; until then a replica id is answered NOT_LEADER_OR_FOLLOWER, as Kafka answers a replica
//!   that is not assigned.

mod build;
mod partitions;

use std::sync::Arc;
use std::time::Duration;

use klamm_protocol::messages::fetch_request::FetchRequest;
use klamm_protocol::messages::fetch_response::FetchResponse;
use klamm_protocol::{ApiKey, ErrorCode};
use klamm_replica::{FetchParams, Isolation};

use crate::apis::table::{ApiRow, decoded};
use crate::broker::Broker;
use crate::fetch_session::FetchContext;
use crate::quota::ThrottleKind;
use crate::reply::{Reply, Response};
use crate::request_context::RequestContext;
use crate::response_message;

/// The row of this API.
pub const ROW: ApiRow = ApiRow::new(ApiKey::Fetch, (4, 18), |broker, ctx, body| {
    decoded(ctx, body, |request| handle(broker, ctx, request))
})
.throttle(ThrottleKind::Fetch);

response_message!(FetchResponse, throttle_time_ms);

fn handle(broker: &Arc<Broker>, ctx: &RequestContext, request: FetchRequest) -> Reply {
    let params = params(broker, &request);
    let is_follower = request.replica_id >= 0 || request.replica_state.replica_id >= 0;
    let wanted = partitions::wanted(broker, ctx, &request);
    let fetch = match broker.fetch_sessions().begin(broker.env(), wanted) {
        Ok(fetch) => fetch,
        Err(error) => return Reply::Now(refused(error)),
    };
    let broker = Arc::clone(broker);
    let ctx = ctx.clone();
    Reply::later(async move { run(&broker, &ctx, fetch, params, is_follower).await })
}

fn params(broker: &Broker, request: &FetchRequest) -> FetchParams {
    let bound = |bytes: i32| u32::try_from(bytes).unwrap_or(0);
    let max_bytes = bound(request.max_bytes).min(bound(broker.config().int("fetch.max.bytes")));
    FetchParams {
        min_bytes: bound(request.min_bytes).min(max_bytes),
        max_bytes,
        max_wait: Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0)),
        isolation: match request.isolation_level {
            1 => Isolation::ReadCommitted,
            _ => Isolation::ReadUncommitted,
        },
    }
}

fn refused(error: ErrorCode) -> Response {
    let response = FetchResponse { error_code: error.code(), ..FetchResponse::default() };
    Response::message(response).with_error(error)
}

async fn run(
    broker: &Arc<Broker>,
    ctx: &RequestContext,
    fetch: FetchContext,
    params: FetchParams,
    is_follower: bool,
) -> Response {
    let asked = partitions::resolve(broker, ctx, &fetch, is_follower);
    let answers = broker.replica_manager().fetch(params, &asked.readable).await;
    build::response(broker, ctx, fetch, asked, answers)
}
