//! Records and partitions in one line.

use klamm_metadata::image::{ResourceType, TopicsImage};
use klamm_metadata::records::MetadataRecord;
use klamm_metadata::{LeaderRecoveryState, PartitionRegistration};
use klamm_record::{TopicId, Uuid};
use std::fmt::{Debug, Write as _};

pub fn record(record: &MetadataRecord, topics: &TopicsImage) -> String {
    let name = |id: Uuid| {
        topics.topic(TopicId(id)).map_or_else(|| "new".to_owned(), |topic| topic.name.to_string())
    };
    match record {
        MetadataRecord::Topic(it) => format!("Topic {}", it.name),
        MetadataRecord::RemoveTopic(it) => format!("RemoveTopic {}", name(it.topic_id)),
        MetadataRecord::Partition(it) => {
            let partition = PartitionRegistration::from_record(it).unwrap();
            let at = it.partition_id;
            format!("Partition {}-{at} {}", name(it.topic_id), self::partition(&partition))
        }
        MetadataRecord::PartitionChange(it) => {
            let mut text = format!("PartitionChange {}-{}", name(it.topic_id), it.partition_id);
            add(&mut text, "replicas", &it.replicas);
            add(&mut text, "isr", &it.isr);
            add(&mut text, "elr", &it.eligible_leader_replicas);
            add(&mut text, "last known", &it.last_known_elr);
            add(&mut text, "leader", &(it.leader != -2).then_some(it.leader));
            let state = it.leader_recovery_state;
            add(&mut text, "recovery", &(state != -1).then_some(state));
            add(&mut text, "directories", &it.directories);
            text
        }
        MetadataRecord::Config(it) => {
            let kind = ResourceType::from_code(it.resource_type).unwrap();
            let value = it.value.as_deref().unwrap_or("(removed)");
            format!("Config {kind} '{}' {} = {value}", it.resource_name, it.name)
        }
        MetadataRecord::RegisterBroker(it) => {
            format!(
                "RegisterBroker {} epoch {} fenced {}",
                it.broker_id, it.broker_epoch, it.fenced
            )
        }
        MetadataRecord::UnregisterBroker(it) => format!("UnregisterBroker {}", it.broker_id),
        MetadataRecord::BrokerRegistrationChange(it) => {
            let mut text = format!("BrokerRegistrationChange {}", it.broker_id);
            add(&mut text, "fenced", &(it.fenced != 0).then_some(it.fenced));
            let shutdown = it.in_controlled_shutdown;
            add(&mut text, "shutdown", &(shutdown != 0).then_some(shutdown));
            add(&mut text, "directories", &(!it.log_dirs.is_empty()).then_some(&it.log_dirs));
            add(&mut text, "cordoned", &it.cordoned_log_dirs);
            text
        }
        MetadataRecord::FeatureLevel(it) => {
            format!("FeatureLevel {} {}", it.name, it.feature_level)
        }
        MetadataRecord::ClearElr(it) => format!("ClearElr '{}'", it.topic_name),
        MetadataRecord::ProducerIds(it) => format!("ProducerIds next {}", it.next_producer_id),
        other => format!("{other:?}"),
    }
}

pub fn partition(partition: &PartitionRegistration) -> String {
    let ids = |brokers: &[klamm_record::BrokerId]| -> Vec<i32> {
        brokers.iter().map(|it| it.0).collect()
    };
    let mut text = format!(
        "replicas {:?} isr {:?} leader {} leader epoch {} partition epoch {}",
        ids(&partition.replicas),
        ids(&partition.isr),
        partition.leader,
        partition.leader_epoch,
        partition.partition_epoch
    );
    if !partition.elr.is_empty() {
        write!(text, " elr {:?}", ids(&partition.elr)).unwrap();
    }
    if !partition.last_known_elr.is_empty() {
        write!(text, " last known {:?}", ids(&partition.last_known_elr)).unwrap();
    }
    if partition.leader_recovery_state == LeaderRecoveryState::Recovering {
        text.push_str(" recovering");
    }
    text
}

fn add(text: &mut String, name: &str, value: &Option<impl Debug>) {
    if let Some(value) = value {
        write!(text, " {name} {value:?}").unwrap();
    }
}
