//! DescribeLogDirs, key 35, versions 1-5 (KIP-113).
//!
//! Behaviour: every log directory with the replicas in it, their size in bytes and how far they lag; all replicas, or those
//! asked for. Replicas that are not in a directory are left out. An offline directory answers KAFKA_STORAGE_ERROR.
//!
//! Notes:
//! - v3 has an error for the whole answer, v4 (KIP-827) tells the size of the file system and what is free in it.
//! - v5 (KIP-1066) tells whether a directory takes no new replicas (`cordoned.log.dirs`).
//! - Directories answer by their absolute paths.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use klamm_metadata::MetadataImage;
use klamm_metadata::config_resolution::BrokerLayers;
use klamm_protocol::messages::describe_log_dirs_request::DescribeLogDirsRequest;
use klamm_protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResponse, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use klamm_protocol::{ApiKey, ErrorCode, Str};
use klamm_record::TopicPartition;
use klamm_replica::LogDirDescription;

use crate::apis::table::{ApiRow, decoded};
use crate::authorizer::{AclOperation, Rights};
use crate::broker::Broker;
use crate::reply::{Reply, Response};
use crate::request_context::RequestContext;
use crate::response_message;

/// The row of this API.
pub const ROW: ApiRow = ApiRow::new(ApiKey::DescribeLogDirs, (1, 5), |broker, ctx, body| {
    decoded(ctx, body, |request| handle(broker, ctx, request))
})
.large();

response_message!(DescribeLogDirsResponse, throttle_time_ms);

fn handle(broker: &Arc<Broker>, ctx: &RequestContext, request: DescribeLogDirsRequest) -> Reply {
    let rights = Rights::of(broker.authorizer(), ctx);
    if !rights.may_on_cluster(AclOperation::Describe) {
        let error = ErrorCode::ClusterAuthorizationFailed;
        let response = DescribeLogDirsResponse {
            error_code: error.code(),
            ..DescribeLogDirsResponse::default()
        };
        return Reply::Now(Response::message(response).with_error(error));
    }
    let broker = Arc::clone(broker);
    Reply::later(async move {
        let image = broker.image();
        let layers = broker.replica_manager().topic_configs().layers(&image);
        let cordoned = cordoned(&image, &layers);
        let asked = asked(&request);
        let dirs = broker.replica_manager().describe_log_dirs().await;
        let results = dirs.into_iter().map(|dir| result(dir, asked.as_ref(), &cordoned));
        Response::message(DescribeLogDirsResponse {
            results: results.collect(),
            ..DescribeLogDirsResponse::default()
        })
    })
}

/// The partitions asked for; `None` for all.
fn asked(request: &DescribeLogDirsRequest) -> Option<BTreeSet<TopicPartition>> {
    let topics = request.topics.as_ref()?;
    let mut asked = BTreeSet::new();
    for topic in topics {
        let name: Arc<str> = Arc::from(&*topic.topic);
        asked.extend(
            topic.partitions.iter().map(|partition| TopicPartition {
                topic: Arc::clone(&name),
                partition: *partition,
            }),
        );
    }
    Some(asked)
}

/// The value of `cordoned.log.dirs`: directories that take no new replicas, `*` for all of them.
fn cordoned(image: &MetadataImage, layers: &BrokerLayers) -> Vec<String> {
    const KEY: &str = "cordoned.log.dirs";
    if !image.features.metadata_version_or_minimum().is_cordoned_log_dirs_supported() {
        return Vec::new();
    }
    let all = [&layers.dynamic_broker, &layers.dynamic_default, &layers.static_broker];
    let value = all.into_iter().find_map(|layer| layer.get(KEY));
    let dirs = value.into_iter().flat_map(|value| value.split(','));
    dirs.map(|dir| dir.trim().to_owned()).filter(|dir| !dir.is_empty()).collect()
}

fn result(
    dir: LogDirDescription,
    asked: Option<&BTreeSet<TopicPartition>>,
    cordoned: &[String],
) -> DescribeLogDirsResult {
    let path = dir.path.display().to_string();
    if dir.offline.is_some() {
        return DescribeLogDirsResult {
            error_code: ErrorCode::KafkaStorageError.code(),
            log_dir: Str::from(path),
            ..DescribeLogDirsResult::default()
        };
    }
    let mut topics: BTreeMap<Arc<str>, Vec<DescribeLogDirsPartition>> = BTreeMap::new();
    let is_asked = |it: &TopicPartition| asked.is_none_or(|asked| asked.contains(it));
    for replica in dir.replicas.into_iter().filter(|it| is_asked(&it.topic_partition)) {
        let TopicPartition { topic, partition } = replica.topic_partition;
        topics.entry(topic).or_default().push(DescribeLogDirsPartition {
            partition_index: partition,
            partition_size: i64::try_from(replica.size_bytes).unwrap_or(i64::MAX),
            offset_lag: replica.offset_lag,
            is_future_key: false,
        });
    }
    let topics = topics.into_iter().map(|(name, mut partitions)| {
        partitions.sort_by_key(|partition| partition.partition_index);
        DescribeLogDirsTopic { name: Str::from(&*name), partitions }
    });
    DescribeLogDirsResult {
        is_cordoned: cordoned.iter().any(|it| it == "*" || *it == path),
        log_dir: Str::from(path),
        topics: topics.collect(),
        total_bytes: dir.total_bytes,
        usable_bytes: dir.usable_bytes,
        ..DescribeLogDirsResult::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klamm_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
    use klamm_replica::ReplicaDescription;

    fn dir(offline: Option<&str>) -> LogDirDescription {
        let replica = |topic: &str, partition, size_bytes| ReplicaDescription {
            topic_partition: TopicPartition { topic: Arc::from(topic), partition },
            size_bytes,
            offset_lag: 0,
        };
        LogDirDescription {
            path: "/data/a".into(),
            offline: offline.map(str::to_owned),
            total_bytes: 1000,
            usable_bytes: 400,
            replicas: vec![replica("b", 1, 11), replica("a", 0, 10), replica("b", 0, 12)],
        }
    }

    #[test]
    fn replicas_are_grouped_and_filtered() {
        let sizes = |result: &DescribeLogDirsResult| {
            let topics = result.topics.iter();
            topics
                .flat_map(|topic| {
                    let name = topic.name.to_string();
                    let partitions = topic.partitions.iter();
                    partitions
                        .map(move |it| (name.clone(), it.partition_index, it.partition_size))
                        .collect::<Vec<_>>()
                })
                .collect::<Vec<_>>()
        };
        let of = |name: &str, partition, size| (name.to_owned(), partition, size);
        let all = result(dir(None), asked(&DescribeLogDirsRequest { topics: None }).as_ref(), &[]);
        assert_eq!(sizes(&all), [of("a", 0, 10), of("b", 0, 12), of("b", 1, 11)]);
        assert_eq!((all.total_bytes, all.usable_bytes, all.is_cordoned), (1000, 400, false));
        let topic = DescribableLogDirTopic { topic: Str::from("b"), partitions: vec![1, 7] };
        let one = asked(&DescribeLogDirsRequest { topics: Some(vec![topic]) });
        let one = result(dir(None), one.as_ref(), &["/data/a".to_owned()]);
        assert_eq!(sizes(&one), [of("b", 1, 11)]);
        assert!(one.is_cordoned);
    }

    #[test]
    fn an_offline_directory_is_a_storage_error() {
        let offline = result(dir(Some("no space")), None, &[]);
        assert_eq!(offline.error_code, ErrorCode::KafkaStorageError.code());
        assert!(offline.topics.is_empty());
    }
}
