//! Produce, key 0, versions 3-13 (told from 0: see ApiVersions).
//!
//! Behaviour: checks one v2 batch per partition as Kafka's LogValidator does, appends it as the leader, and answers when
//! `acks` is satisfied or the timeout is over. Appends are done to their end even if the client goes; only the wait for acks is
//! cancelled. With `acks=0` there is no answer, and an error closes the connection.
//!
//! Notes by version and KIP:
//! - below v7 zstd is refused (KIP-110).
//! - v8 (KIP-467): record errors and a message.
//! - v10 (KIP-951): who leads instead, and where.
//! - v13 (KIP-516): topic ids instead of names.
//! - Topics are never created here, as in Kafka.
//! - Transactional batches need the transaction coordinator; until it is there they are refused with INVALID_TXN_STATE.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use klamm_protocol::messages::produce_request::{
    PartitionProduceData, ProduceRequest, TopicProduceData,
};
use klamm_protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, LeaderIdAndEpoch, NodeEndpoint, PartitionProduceResponse,
    ProduceResponse, TopicProduceResponse,
};
use klamm_protocol::{ApiKey, ErrorCode, Str};
use klamm_record::log_validator::{self, ValidationConfig};
use klamm_record::{Codec, TimestampType, TopicId, TopicPartition, ValidBatch};
use klamm_replica::{Acks, AppendError, Appended, Partition, PartitionError};
use klamm_storage::Origin;
use tokio::time::Instant;

use crate::apis::error::{KafkaError, ToKafkaError};
use crate::apis::table::{ApiRow, decoded};
use crate::authorizer::{AclOperation, Decision, ResourceType};
use crate::broker::Broker;
use crate::quota::ThrottleKind;
use crate::reply::{CloseReason, Reply};
use crate::request_context::RequestContext;
use crate::response_message;

/// The row of this API.
pub const ROW: ApiRow = ApiRow::new(ApiKey::Produce, (3, 13), |broker, ctx, body| {
    decoded(ctx, body, |request| handle(broker, ctx, request))
})
.advertised_from(0)
.throttle(ThrottleKind::Produce)
.overlapping();

response_message!(ProduceResponse, throttle_time_ms);

/// Topics that only the node itself writes to.
const INTERNAL_TOPICS: &[&str] =
    &["__consumer_offsets", "__transaction_state", "__share_group_state"];
/// The one client id that may write to internal topics (Kafka's `AdminUtils`).
const ADMIN_CLIENT_ID: &str = "__admin_client";

fn handle(broker: &Arc<Broker>, ctx: &RequestContext, request: ProduceRequest) -> Reply {
    let produce = Produce {
        broker: Arc::clone(broker),
        ctx: ctx.clone(),
        acks: match request.acks {
            0 => Some(Acks::None),
            1 => Some(Acks::Leader),
            -1 => Some(Acks::All),
            _ => None,
        },
        deadline: ctx.received_at
            + Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0)),
    };
    Reply::working(async move { produce.run(request.topic_data).await })
}

/// One request on its way.
struct Produce {
    broker: Arc<Broker>,
    ctx: RequestContext,
    /// None if the client asked for something that does not exist.
    acks: Option<Acks>,
    deadline: Instant,
}

/// A partition's place in the answer, and how far it has come.
struct Pending {
    topic: usize,
    index: i32,
    append_time_ms: i64,
    outcome: Result<Appended, Refused>,
}

/// Why a partition's batch is not in the log, or not acknowledged.
struct Refused {
    error: KafkaError,
    records: Vec<BatchIndexAndErrorMessage>,
    leader: Option<LeaderIdAndEpoch>,
}

impl From<KafkaError> for Refused {
    fn from(error: KafkaError) -> Self {
        Self { error, records: Vec::new(), leader: None }
    }
}

impl From<AppendError> for Refused {
    fn from(error: AppendError) -> Self {
        let leader = match &error {
            AppendError::Partition(PartitionError::NotLeader { leader, leader_epoch, .. }) => {
                Some(LeaderIdAndEpoch { leader_id: leader.0, leader_epoch: leader_epoch.0 })
            }
            _ => None,
        };
        Self { error: error.to_kafka_error(), records: Vec::new(), leader }
    }
}

impl Produce {
    /// Appends everything; what is left is the wait.
    async fn run(self, topics: Vec<TopicProduceData>) -> Reply {
        let mut responses = Vec::with_capacity(topics.len());
        let mut appends = Vec::new();
        for (at, topic) in topics.into_iter().enumerate() {
            let named = self.topic(&topic);
            for partition in topic.partition_data {
                appends.push(self.append(at, named.clone(), partition));
            }
            responses.push(TopicProduceResponse {
                // the request's bytes must not be held while acks are awaited
                name: topic.name.detached(),
                topic_id: topic.topic_id,
                partition_responses: Vec::new(),
            });
        }
        let pending = join_all(appends).await;
        if self.acks == Some(Acks::None) {
            return unanswered(&pending);
        }
        let waits = pending.iter().any(|it| matches!(&it.outcome, Ok(it) if !it.is_acknowledged()));
        let answer = async move {
            for (topic, response) in
                join_all(pending.into_iter().map(|it| self.acknowledged(it))).await
            {
                responses[topic].partition_responses.push(response);
            }
            self.answer(responses)
        };
        if waits {
            Reply::later(async move { crate::reply::Response::message(answer.await) })
        } else {
            Reply::message(answer.await)
        }
    }

    /// The topic's name and id, and whether this client may write to it.
    fn topic(&self, data: &TopicProduceData) -> Result<(Arc<str>, Option<TopicId>), KafkaError> {
        let image = self.broker.image();
        let (name, id): (Arc<str>, _) = if self.ctx.api_version >= 13 {
            let id = TopicId(data.topic_id);
            let topic =
                image.topics.topic(id).ok_or(KafkaError::code(ErrorCode::UnknownTopicId))?;
            (Arc::clone(&topic.name), Some(id))
        } else {
            (Arc::from(data.name.as_str()), None)
        };
        let resource = (ResourceType::Topic, &*name);
        if self.broker.authorizer().authorize(&self.ctx, AclOperation::Write, resource)
            == Decision::Denied
        {
            return Err(KafkaError::code(ErrorCode::TopicAuthorizationFailed));
        }
        if INTERNAL_TOPICS.contains(&&*name) && self.ctx.client_id() != ADMIN_CLIENT_ID {
            let message = format!("Cannot append to internal topic {name}");
            return Err(KafkaError::new(ErrorCode::InvalidTopicException, message));
        }
        Ok((name, id))
    }

    async fn append(
        &self,
        topic: usize,
        named: Result<(Arc<str>, Option<TopicId>), KafkaError>,
        data: PartitionProduceData,
    ) -> Pending {
        let index = data.index;
        let mut append_time_ms = -1;
        let outcome = self.try_append(named, data, &mut append_time_ms).await;
        Pending { topic, index, append_time_ms, outcome }
    }

    async fn try_append(
        &self,
        named: Result<(Arc<str>, Option<TopicId>), KafkaError>,
        data: PartitionProduceData,
        append_time_ms: &mut i64,
    ) -> Result<Appended, Refused> {
        let acks = self.acks.ok_or(KafkaError::code(ErrorCode::InvalidRequiredAcks))?;
        let (topic, id) = named?;
        let at = TopicPartition { topic, partition: data.index };
        let partition =
            self.broker.replica_manager().partition(&at, id).map_err(|it| it.to_kafka_error())?;
        partition.check_leader(klamm_record::LeaderEpoch::NONE).map_err(AppendError::from)?;
        let records = data.records.unwrap_or_default();
        let batch = self.validated(&partition, records, append_time_ms)?;
        Ok(partition.append_as_leader(batch, Origin::Client, acks).await?)
    }

    fn validated(
        &self,
        partition: &Partition,
        records: Bytes,
        append_time_ms: &mut i64,
    ) -> Result<ValidBatch, Refused> {
        let config = partition.config();
        if self.ctx.api_version < 7 && log_validator::codec_of(&records) == Some(Codec::Zstd) {
            let code = ErrorCode::UnsupportedCompressionType;
            let message = "Produce requests with version 6 and below cannot use zstd compression";
            return Err(KafkaError::new(code, message).into());
        }
        let now_ms = self.broker.env().clock().now_ms();
        let rules: ValidationConfig = config.validation();
        let batch = log_validator::validate(records, &rules, now_ms).map_err(|error| {
            let records = record_errors(&error, partition.topic_partition());
            let message = error.message(partition.topic_partition());
            let error = KafkaError { message: Some(message), ..error.to_kafka_error() };
            Refused { error, records, leader: None }
        })?;
        if batch.header.attributes.is_transactional() {
            let message = "transactions are not available on this node yet";
            return Err(KafkaError::new(ErrorCode::InvalidTxnState, message).into());
        }
        if rules.timestamp_type == TimestampType::LogAppendTime {
            *append_time_ms = now_ms;
        }
        Ok(batch)
    }

    async fn acknowledged(&self, pending: Pending) -> (usize, PartitionProduceResponse) {
        let Pending { topic, index, append_time_ms, outcome } = pending;
        let acknowledged = match outcome {
            Ok(appended) => {
                let clock = self.broker.env().clock();
                appended.acknowledged(clock, self.deadline).await.map_err(Refused::from)
            }
            Err(refused) => Err(refused),
        };
        let response = match acknowledged {
            Ok(info) => PartitionProduceResponse {
                index,
                base_offset: info.base_offset.0,
                log_append_time_ms: append_time_ms,
                log_start_offset: info.log_start_offset.0,
                ..PartitionProduceResponse::default()
            },
            Err(refused) => self.refusal(index, refused),
        };
        (topic, response)
    }

    fn refusal(&self, index: i32, refused: Refused) -> PartitionProduceResponse {
        let Refused { error, records, leader } = refused;
        tracing::debug!(parent: &self.ctx.span, partition = index, error = %error.code, "a batch was refused");
        PartitionProduceResponse {
            index,
            error_code: error.code.code(),
            base_offset: -1,
            log_append_time_ms: -1,
            log_start_offset: -1,
            record_errors: records,
            error_message: error.message.map(Str::from),
            current_leader: leader.filter(|_| self.ctx.api_version >= 10).unwrap_or_default(),
        }
    }

    fn answer(&self, responses: Vec<TopicProduceResponse>) -> ProduceResponse {
        let mut leaders: Vec<i32> = responses
            .iter()
            .flat_map(|topic| &topic.partition_responses)
            .map(|partition| partition.current_leader.leader_id)
            .filter(|leader| *leader >= 0)
            .collect();
        leaders.sort_unstable();
        leaders.dedup();
        let node_endpoints = leaders
            .into_iter()
            .filter_map(|leader| self.broker.endpoint_of(leader.into(), &self.ctx.listener().name))
            .map(|node| NodeEndpoint {
                node_id: node.id.0,
                host: Str::from(node.host),
                port: i32::from(node.port),
                rack: node.rack.map(Str::from),
            })
            .collect();
        ProduceResponse { responses, node_endpoints, ..ProduceResponse::default() }
    }
}

/// With `acks=0` nobody is told, unless by closing the connection.
fn unanswered(pending: &[Pending]) -> Reply {
    let failed = pending.iter().find_map(|it| it.outcome.as_ref().err());
    match failed {
        None => Reply::None,
        Some(Refused { error, .. }) => {
            let reason = error.message.clone().unwrap_or_else(|| error.code.to_string());
            Reply::Close(CloseReason::UnansweredProduceFailed(reason))
        }
    }
}

fn record_errors(
    error: &log_validator::ValidationError,
    at: &TopicPartition,
) -> Vec<BatchIndexAndErrorMessage> {
    let errors = error.records().iter();
    errors
        .map(|record| BatchIndexAndErrorMessage {
            batch_index: record.index,
            batch_index_error_message: Some(Str::from(record.message(at))),
        })
        .collect()
}
