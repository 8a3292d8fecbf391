//! Metadata over small images: which topics, which replicas, which errors.

use klamm_metadata::records::MetadataRecord;
use klamm_protocol::messages::metadata_request::MetadataRequestTopic;

use super::*;
use crate::apis::test_image::{broker, context, image, topic, topic_id, two_brokers};
use crate::authorizer::Authorizer;

fn named(name: &str) -> MetadataRequestTopic {
    MetadataRequestTopic { topic_id: Uuid::ZERO, name: Some(Str::from(name)) }
}

fn with_id(id: Uuid) -> MetadataRequestTopic {
    MetadataRequestTopic { topic_id: id, name: None }
}

fn request(topics: Option<Vec<MetadataRequestTopic>>) -> MetadataRequest {
    MetadataRequest { topics, ..MetadataRequest::default() }
}

fn answer(
    records: &[MetadataRecord],
    version: i16,
    request: &MetadataRequest,
) -> (Vec<MetadataResponseTopic>, Vec<Str>) {
    let (image, ctx) = (image(records), context(ApiKey::Metadata, version));
    let query = Query {
        view: ListenerView::new(&image, "PLAINTEXT"),
        rights: Rights::of(&Authorizer::AllowAll, &ctx),
        version,
        may_create: request.allow_auto_topic_creation,
    };
    query.topics(request)
}

fn cluster() -> Vec<MetadataRecord> {
    let mut records = two_brokers();
    records.extend(topic("flights", 1, 1));
    records.extend(topic("__consumer_offsets", 2, 1));
    records
}

fn names(topics: &[MetadataResponseTopic]) -> Vec<(&str, i16)> {
    topics.iter().map(|it| (it.name.as_deref().unwrap_or("null"), it.error_code)).collect()
}

#[test]
fn all_topics_are_asked_for_with_null_and_in_version_0_with_none() {
    let all = [("__consumer_offsets", 0), ("flights", 0)];
    assert_eq!(names(&answer(&cluster(), 1, &request(None)).0), all);
    assert_eq!(names(&answer(&cluster(), 0, &request(Some(vec![]))).0), all);
    assert_eq!(names(&answer(&cluster(), 1, &request(Some(vec![]))).0), []);
}

#[test]
fn a_topic_is_told_with_its_partitions() {
    let (topics, _) = answer(&cluster(), 13, &request(Some(vec![named("flights")])));
    let expected = MetadataResponseTopic {
        name: Some(Str::from("flights")),
        topic_id: topic_id(1),
        partitions: vec![MetadataResponsePartition {
            leader_id: 1,
            leader_epoch: 5,
            replica_nodes: vec![1, 2],
            isr_nodes: vec![1],
            offline_replicas: vec![2],
            ..MetadataResponsePartition::default()
        }],
        ..MetadataResponseTopic::default()
    };
    assert_eq!(topics, [expected]);
}

#[test]
fn version_0_leaves_out_replicas_that_cannot_be_reached() {
    let (topics, _) = answer(&cluster(), 0, &request(Some(vec![named("flights")])));
    let partition = &topics[0].partitions[0];
    assert_eq!(partition.replica_nodes, [1]);
    assert_eq!(partition.error_code, ErrorCode::ReplicaNotAvailable.code());
}

#[test]
fn a_leader_without_the_listener_or_without_registration() {
    let of = |brokers: Vec<MetadataRecord>, version| {
        let mut records = brokers;
        records.extend(topic("flights", 1, 1));
        let (topics, _) = answer(&records, version, &request(None));
        let partition = &topics[0].partitions[0];
        (ErrorCode::from_code(partition.error_code), partition.leader_id)
    };
    let other = || vec![broker(1, &["INTERNAL"], false)];
    assert_eq!(of(other(), 5), (ErrorCode::LeaderNotAvailable, -1));
    assert_eq!(of(other(), 6), (ErrorCode::ListenerNotFound, -1));
    assert_eq!(of(vec![broker(3, &["PLAINTEXT"], false)], 6), (ErrorCode::LeaderNotAvailable, -1));
}

#[test]
fn missing_topics_are_made_if_that_is_allowed_and_reported_once_in_any_case() {
    let asked = vec![named("new"), named("new"), named("a b"), named("flights")];
    let mut request = request(Some(asked));
    request.allow_auto_topic_creation = true;
    let (topics, missing) = answer(&cluster(), 9, &request);
    assert_eq!(names(&topics), [("new", 3), ("a b", 17), ("flights", 0)]);
    assert_eq!(missing, ["new"]);
    request.allow_auto_topic_creation = false;
    let (topics, missing) = answer(&cluster(), 9, &request);
    assert_eq!(names(&topics), [("new", 3), ("a b", 17), ("flights", 0)]);
    assert!(missing.is_empty());
}

#[test]
fn ids_are_looked_up_and_names_beside_them_are_not() {
    let asked = vec![with_id(topic_id(1)), with_id(topic_id(9)), named("__consumer_offsets")];
    let (topics, _) = answer(&cluster(), 12, &request(Some(asked)));
    assert_eq!(names(&topics), [("flights", 0), ("null", 100)]);
    assert_eq!(topics[1].topic_id, topic_id(9));
}

#[test]
fn null_names_and_ids_are_for_version_12_and_up() {
    assert!(is_valid(&request(Some(vec![with_id(topic_id(1))])), 12));
    assert!(!is_valid(&request(Some(vec![with_id(topic_id(1))])), 11));
    assert!(!is_valid(&request(Some(vec![with_id(Uuid::ZERO)])), 12));
    let mut both = named("flights");
    both.topic_id = topic_id(1);
    assert!(!is_valid(&request(Some(vec![both])), 10));
    assert!(is_valid(&request(None), 0));
    let refused = refused(&request(Some(vec![with_id(topic_id(1))])), ErrorCode::InvalidRequest);
    assert_eq!((refused.error_code, names(&refused.topics)), (42, vec![("", 42)]));
}

#[test]
fn operations_are_told_on_demand() {
    let mut request = request(Some(vec![named("flights")]));
    let none = answer(&cluster(), 8, &request).0[0].topic_authorized_operations;
    assert_eq!(none, i32::MIN);
    request.include_topic_authorized_operations = true;
    let some = answer(&cluster(), 8, &request).0[0].topic_authorized_operations;
    // READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS
    assert_eq!(some, 0b1101_1111_1000);
}
