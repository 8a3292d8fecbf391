//! `Churner`: creates and deletes topics, and knows which there must be.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use klamm_env::Rng;
use klamm_protocol::ErrorCode;
use klamm_protocol::messages::delete_topics_request::{DeleteTopicState, DeleteTopicsRequest};
use klamm_record::{Codec, Uuid};
use parking_lot::Mutex;

use super::{World, connected, passes};
use crate::batches::{self, NewRecord};
use crate::client::{Client, ClientError};
use crate::requests::{NewTopic, Topic};

/// What a client was told of the topics it created and deleted. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub struct TopicHistory {
    topics: Arc<Mutex<BTreeMap<String, Fate>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Asked for; no answer yet, or never.
    Unknown,
    /// Created, with this id.
    There(Uuid),
    /// Deleted: it must not come back.
    Gone,
}

impl TopicHistory {
    /// Compares what a node tells with what clients were told.
    ///
    /// # Errors
    /// If the node goes away.
    ///
    /// # Panics
    /// If a topic is lost, or has come back.
    pub async fn verify(&self, client: &mut Client) -> Result<(), ClientError> {
        let names: Vec<String> = self.topics.lock().keys().cloned().collect();
        for name in names {
            let told = self.topics.lock()[&name];
            let found = client.describe_topic(&name).await?;
            let code = ErrorCode::from_code(found.error_code);
            // the client may have been told something else since
            if self.topics.lock()[&name] != told {
                continue;
            }
            match told {
                Fate::Unknown => {}
                Fate::There(id) => {
                    assert_eq!(code, ErrorCode::None, "topic {name} was created and is lost");
                    assert_eq!(found.topic_id, id, "topic {name} is another");
                    assert_eq!(found.partitions.len(), 2, "topic {name}");
                }
                Fate::Gone => {
                    let gone = ErrorCode::UnknownTopicOrPartition;
                    assert_eq!(code, gone, "topic {name} was deleted and came back");
                }
            }
        }
        Ok(())
    }

    /// The topics that must not be there any more.
    pub fn gone(&self) -> Vec<String> {
        let topics = self.topics.lock();
        let gone = topics.iter().filter(|(_, fate)| **fate == Fate::Gone);
        gone.map(|(name, _)| name.clone()).collect()
    }

    fn set(&self, name: &str, fate: Fate) {
        self.topics.lock().insert(name.to_owned(), fate);
    }
}

/// A client that creates and deletes.
pub struct Churner {
    world: World,
    rng: Rng,
    history: TopicHistory,
    client: Option<Client>,
}

impl Churner {
    /// Nothing is created yet.
    pub fn new(world: World, rng: Rng, history: TopicHistory) -> Churner {
        Churner { world, rng, history, client: None }
    }

    /// Runs until the run comes to its end.
    pub async fn run(mut self) {
        while !self.world.is_ending() {
            self.world.pause(&self.rng, 600).await;
            if let Err(error) = self.step().await {
                self.client = None;
                self.world.recover(&self.rng, "churner", error).await;
            }
        }
    }

    async fn step(&mut self) -> Result<(), ClientError> {
        let there: Vec<_> = self
            .history
            .topics
            .lock()
            .iter()
            .filter_map(|(name, fate)| match fate {
                Fate::There(id) => Some(Topic { name: name.clone(), id: *id }),
                _ => None,
            })
            .collect();
        if there.len() < 2 || self.rng.below(2) == 0 {
            return self.create().await;
        }
        let topic = &there[self.rng.below(there.len() as u64) as usize];
        self.delete(topic).await
    }

    async fn create(&mut self) -> Result<(), ClientError> {
        // few names, so that a name comes again after its topic was deleted
        let name = format!("churn-{}", self.rng.below(5));
        if !matches!(self.history.topics.lock().get(&name), None | Some(Fate::Gone)) {
            return Ok(());
        }
        let client = connected(&self.world, &mut self.client).await?;
        self.history.set(&name, Fate::Unknown);
        let created =
            client.create_topic(NewTopic { name: &name, partitions: 2, configs: &[] }).await?;
        match ErrorCode::from_code(created.error_code) {
            ErrorCode::None => {
                self.history.set(&name, Fate::There(created.topic_id));
                self.try_out(&Topic { name, id: created.topic_id }).await
            }
            // the only broker is on its way down
            ErrorCode::InvalidReplicationFactor => Ok(()),
            code => panic!("CreateTopics: {code} {:?}", created.error_message),
        }
    }

    /// A new topic is empty, whatever was there under its name.
    async fn try_out(&mut self, topic: &Topic) -> Result<(), ClientError> {
        let record = NewRecord {
            timestamp_ms: self.world.env.clock().now_ms(),
            key: Bytes::from_static(b"key"),
            value: None,
        };
        let batch = batches::build(&[record], Codec::None, None);
        let client = connected(&self.world, &mut self.client).await?;
        let produced = client.produce(topic, 0, batch).await?;
        match ErrorCode::from_code(produced.error_code) {
            ErrorCode::None => assert_eq!(produced.base_offset, 0, "{} is new", topic.name),
            code => assert!(passes(code), "{}: {code} {:?}", topic.name, produced.error_message),
        }
        Ok(())
    }

    async fn delete(&mut self, topic: &Topic) -> Result<(), ClientError> {
        let client = connected(&self.world, &mut self.client).await?;
        self.history.set(&topic.name, Fate::Unknown);
        let by_id = DeleteTopicState { name: None, topic_id: topic.id };
        let request = DeleteTopicsRequest {
            topics: vec![by_id],
            timeout_ms: 30_000,
            ..DeleteTopicsRequest::default()
        };
        let response = client.call(6, &request).await?;
        match ErrorCode::from_code(response.responses[0].error_code) {
            ErrorCode::None => self.history.set(&topic.name, Fate::Gone),
            code => assert!(passes(code), "DeleteTopics: {code}"),
        }
        Ok(())
    }
}
