//! Small images made by hand, and requests out of nowhere, for the tests of handlers.

use std::sync::Arc;

use klamm_env::Instant;
use klamm_metadata::records::{
    BrokerEndpoint, ConfigRecord, MetadataRecord, PartitionRecord, RegisterBrokerRecord,
    TopicRecord,
};
use klamm_metadata::{MetadataDelta, MetadataImage, MetadataProvenance};
use klamm_protocol::{ApiKey, Str};
use klamm_record::Uuid;

use crate::config::ListenerName;
use crate::request_context::{
    ClientSoftware, Connection, ListenerContext, ListenerKind, Principal, RequestContext,
};

/// The image that these records make.
pub fn image(records: &[MetadataRecord]) -> MetadataImage {
    let mut delta = MetadataDelta::new(&MetadataImage::empty());
    for record in records {
        delta.replay(record).expect("the records of a test fit together");
    }
    delta.apply(MetadataProvenance::EMPTY)
}

/// A broker that has these listeners, from port 9092 on.
pub fn broker(broker_id: i32, listeners: &[&str], fenced: bool) -> MetadataRecord {
    let end_points = listeners.iter().zip(9092..).map(|(name, port)| BrokerEndpoint {
        name: Str::from(*name),
        host: Str::from(format!("host-{broker_id}")),
        port,
        security_protocol: 0,
    });
    MetadataRecord::RegisterBroker(RegisterBrokerRecord {
        broker_id,
        broker_epoch: 1,
        end_points: end_points.collect(),
        fenced,
        log_dirs: vec![directory(broker_id)],
        ..RegisterBrokerRecord::default()
    })
}

/// Broker 1, and broker 2, which is fenced; both have the listener PLAINTEXT.
pub fn two_brokers() -> Vec<MetadataRecord> {
    vec![broker(1, &["PLAINTEXT"], false), broker(2, &["PLAINTEXT"], true)]
}

/// A topic whose id ends with `id`, led by broker 1 with broker 2 as its other replica.
pub fn topic(name: &str, id: u8, partitions: i32) -> Vec<MetadataRecord> {
    let topic_id = topic_id(id);
    let mut records = vec![MetadataRecord::Topic(TopicRecord { name: Str::from(name), topic_id })];
    records.extend((0..partitions).map(|partition_id| {
        MetadataRecord::Partition(PartitionRecord {
            partition_id,
            topic_id,
            replicas: vec![1, 2],
            isr: vec![1],
            leader: 1,
            leader_epoch: 5,
            partition_epoch: 7,
            directories: vec![directory(1), directory(2)],
            ..PartitionRecord::default()
        })
    }));
    records
}

/// The id of such a topic.
pub fn topic_id(id: u8) -> Uuid {
    let mut bytes = [0; 16];
    bytes[15] = id;
    Uuid(bytes)
}

/// A config that is set.
pub fn config(resource_type: i8, resource: &str, name: &str, value: &str) -> MetadataRecord {
    MetadataRecord::Config(ConfigRecord {
        resource_type,
        resource_name: Str::from(resource),
        name: Str::from(name),
        value: Some(Str::from(value)),
    })
}

/// A request in this version, on the listener PLAINTEXT.
pub fn context(api_key: ApiKey, api_version: i16) -> RequestContext {
    let listener =
        ListenerContext { name: ListenerName::new("PLAINTEXT"), kind: ListenerKind::Broker };
    let address = "127.0.0.1:9092".parse().expect("an address");
    let connection = Connection::new(1, Arc::new(listener), address, address);
    let now = Instant::now();
    RequestContext {
        api_key,
        api_version,
        correlation_id: 1,
        client_id: None,
        connection: Arc::new(connection),
        principal: Principal::anonymous(),
        software: Arc::new(ClientSoftware::default()),
        received_at: now,
        deadline: now,
        request_size_bytes: 0,
        span: tracing::Span::none(),
    }
}

fn directory(broker_id: i32) -> Uuid {
    let mut bytes = [9; 16];
    bytes[15] = broker_id as u8;
    Uuid(bytes)
}
