//! Every API that is advertised answers a minimal request in every version.

use klamm_protocol::messages::alter_configs_request::AlterConfigsRequest;
use klamm_protocol::messages::api_versions_request::ApiVersionsRequest;
use klamm_protocol::messages::create_partitions_request::CreatePartitionsRequest;
use klamm_protocol::messages::create_topics_request::CreateTopicsRequest;
use klamm_protocol::messages::delete_records_request::DeleteRecordsRequest;
use klamm_protocol::messages::delete_topics_request::DeleteTopicsRequest;
use klamm_protocol::messages::describe_cluster_request::DescribeClusterRequest;
use klamm_protocol::messages::describe_configs_request::DescribeConfigsRequest;
use klamm_protocol::messages::describe_log_dirs_request::DescribeLogDirsRequest;
use klamm_protocol::messages::describe_producers_request::DescribeProducersRequest;
use klamm_protocol::messages::describe_topic_partitions_request::DescribeTopicPartitionsRequest;
use klamm_protocol::messages::fetch_request::FetchRequest;
use klamm_protocol::messages::incremental_alter_configs_request::IncrementalAlterConfigsRequest;
use klamm_protocol::messages::init_producer_id_request::InitProducerIdRequest;
use klamm_protocol::messages::list_config_resources_request::ListConfigResourcesRequest;
use klamm_protocol::messages::list_offsets_request::ListOffsetsRequest;
use klamm_protocol::messages::metadata_request::MetadataRequest;
use klamm_protocol::messages::offset_for_leader_epoch_request::OffsetForLeaderEpochRequest;
use klamm_protocol::messages::produce_request::ProduceRequest;
use klamm_protocol::{ApiKey, Request};
use klamm_server::apis::table::TABLE;
use klamm_sim::client::{Client, ClientError};

use crate::node::Node;

async fn ask<R: Request>(client: &mut Client, version: i16, request: R) -> Result<(), ClientError> {
    client.call(version, &request).await.map(drop)
}

async fn minimal(client: &mut Client, api: ApiKey, version: i16) -> Result<(), ClientError> {
    macro_rules! ask_default {
        ($($api:ident: $request:expr),* $(,)?) => {
            match api {
                $(ApiKey::$api => ask(client, version, $request).await,)*
                other => panic!("{other:?} is in the table but has no minimal request here"),
            }
        };
    }
    ask_default! {
        Produce: ProduceRequest { acks: -1, ..ProduceRequest::default() },
        Fetch: FetchRequest::default(),
        ListOffsets: ListOffsetsRequest::default(),
        Metadata: MetadataRequest::default(),
        ApiVersions: ApiVersionsRequest {
            client_software_name: "klamm".into(),
            client_software_version: "0".into(),
        },
        CreateTopics: CreateTopicsRequest::default(),
        DeleteTopics: DeleteTopicsRequest::default(),
        DeleteRecords: DeleteRecordsRequest::default(),
        InitProducerId: InitProducerIdRequest {
            transactional_id: None, ..InitProducerIdRequest::default()
        },
        OffsetForLeaderEpoch: OffsetForLeaderEpochRequest::default(),
        DescribeConfigs: DescribeConfigsRequest::default(),
        AlterConfigs: AlterConfigsRequest::default(),
        DescribeLogDirs: DescribeLogDirsRequest::default(),
        CreatePartitions: CreatePartitionsRequest::default(),
        IncrementalAlterConfigs: IncrementalAlterConfigsRequest::default(),
        DescribeCluster: DescribeClusterRequest::default(),
        DescribeProducers: DescribeProducersRequest::default(),
        ListConfigResources: ListConfigResourcesRequest::default(),
        DescribeTopicPartitions: DescribeTopicPartitionsRequest::default(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_api_answers_in_every_version() {
    let node = Node::start(&[]).await;
    let mut client = node.client().await;
    for row in TABLE {
        for version in row.version_min..=row.version_max {
            let answer = minimal(&mut client, row.api_key, version).await;
            answer.unwrap_or_else(|error| panic!("{:?} v{version}: {error}", row.api_key));
        }
    }
    node.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_is_what_is_answered() {
    let node = Node::start(&[]).await;
    let mut client = node.client().await;
    let request = ApiVersionsRequest {
        client_software_name: "klamm".into(),
        client_software_version: "0".into(),
    };
    let told = client.call(3, &request).await.unwrap();
    let told: Vec<_> =
        told.api_keys.iter().map(|it| (it.api_key, it.min_version, it.max_version)).collect();
    let rows = TABLE.iter();
    let answered: Vec<_> =
        rows.map(|row| (row.api_key.code(), row.version_min_advertised, row.version_max)).collect();
    assert_eq!(told, answered);
    for row in TABLE.iter().filter(|row| row.api_key != ApiKey::ApiVersions) {
        for version in [row.version_min - 1, row.version_max + 1] {
            let mut client = node.client().await;
            let mut header = vec![0, 0, 0, 12];
            header.extend_from_slice(&row.api_key.code().to_be_bytes());
            header.extend_from_slice(&version.to_be_bytes());
            header.extend_from_slice(&[0, 0, 0, 1, 0xff, 0xff, 0, 0]);
            client.send_bytes(&header).await.unwrap();
            let closed = client.closed().await;
            closed.unwrap_or_else(|error| panic!("{:?} v{version}: {error}", row.api_key));
        }
    }
    node.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_version_of_api_versions_is_answered_in_version_0() {
    let node = Node::start(&[]).await;
    let mut client = node.client().await;
    client.send_bytes(&[0, 0, 0, 11, 0, 18, 0, 99, 0, 0, 0, 7, 0, 0, 0]).await.unwrap();
    let frame = client.receive_frame().await.unwrap();
    assert_eq!(frame[..4], [0, 0, 0, 7], "the correlation id");
    assert_eq!(frame[4..6], [0, 35], "UNSUPPORTED_VERSION");
}
