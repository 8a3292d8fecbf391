//! Makes topics that clients ask for before they exist (Kafka: `AutoTopicCreationManager`).

use std::sync::Arc;

use klamm_metadata::topic_name;
use klamm_protocol::messages::create_topics_request::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use klamm_protocol::{ErrorCode, Str};

use crate::broker::Broker;
use crate::config::ServerConfig;

/// Lets the controller decide: `num.partitions`, `default.replication.factor`.
const CONTROLLER_DECIDES: i32 = -1;

/// Asks the controller to make the topics, and waits until it has. What fails is logged; the client asks again and is told
/// then. Must not be cut short.
pub async fn create(broker: &Arc<Broker>, names: Vec<Str>) {
    let topics: Vec<CreatableTopic> =
        names.iter().map(|name| creatable(broker.config(), name)).collect();
    let request = CreateTopicsRequest { topics, ..CreateTopicsRequest::default() };
    let created = broker
        .controller()
        .run("auto-create topics", move |controller, ctx| {
            controller.create_topics(ctx, &request, |_| false)
        })
        .await;
    let response = match created {
        Ok(response) => response,
        Err(error) => {
            tracing::warn!(%error, topics = ?names, "topics were not created automatically");
            return;
        }
    };
    for topic in response.topics {
        match ErrorCode::from_code(topic.error_code) {
            ErrorCode::None => tracing::info!(topic = %topic.name, "topic created automatically"),
            // another client was faster
            ErrorCode::TopicAlreadyExists => {}
            error => {
                let message = topic.error_message.as_deref().unwrap_or_default();
                tracing::warn!(topic = %topic.name, %error, message, "topic was not created automatically");
            }
        }
    }
}

/// The topic with the size and configs that its name asks for.
fn creatable(config: &ServerConfig, name: &Str) -> CreatableTopic {
    let (prefix, configs) = match name.as_str() {
        topic_name::GROUP_METADATA_TOPIC => (
            "offsets.topic",
            vec![
                ("cleanup.policy", "compact".to_owned()),
                ("compression.type", "producer".to_owned()),
                ("segment.bytes", config.int("offsets.topic.segment.bytes").to_string()),
            ],
        ),
        topic_name::TRANSACTION_STATE_TOPIC => (
            "transaction.state.log",
            vec![
                ("cleanup.policy", "compact".to_owned()),
                ("compression.type", "uncompressed".to_owned()),
                ("min.insync.replicas", config.int("transaction.state.log.min.isr").to_string()),
                ("segment.bytes", config.int("transaction.state.log.segment.bytes").to_string()),
                ("unclean.leader.election.enable", "false".to_owned()),
            ],
        ),
        topic_name::SHARE_GROUP_STATE_TOPIC => (
            "share.coordinator.state.topic",
            vec![
                ("cleanup.policy", "delete".to_owned()),
                ("compression.type", "producer".to_owned()),
                (
                    "min.insync.replicas",
                    config.int("share.coordinator.state.topic.min.isr").to_string(),
                ),
                ("retention.ms", "-1".to_owned()),
                (
                    "segment.bytes",
                    config.int("share.coordinator.state.topic.segment.bytes").to_string(),
                ),
            ],
        ),
        _ => {
            return CreatableTopic {
                name: name.detached(),
                num_partitions: CONTROLLER_DECIDES,
                replication_factor: CONTROLLER_DECIDES as i16,
                ..CreatableTopic::default()
            };
        }
    };
    CreatableTopic {
        name: name.detached(),
        num_partitions: config.int(&format!("{prefix}.num.partitions")),
        replication_factor: config.int(&format!("{prefix}.replication.factor")) as i16,
        configs: configs
            .into_iter()
            .map(|(name, value)| CreatableTopicConfig {
                name: Str::from_static(name),
                value: Some(Str::from(value)),
            })
            .collect(),
        ..CreatableTopic::default()
    }
}
