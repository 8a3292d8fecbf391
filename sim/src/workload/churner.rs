//! `Churner`: creates and deletes topics, and knows which there must be.

use std::collections::BTreeMap;
use std::sync::Arc;

use klamm_env::Rng;
use klamm_protocol::ErrorCode;
use klamm_protocol::messages::delete_topics_request::{DeleteTopicState, DeleteTopicsRequest};
use klamm_record::Uuid;
use parking_lot::Mutex;

use super::{World, connected, passes};
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
    next: usize,
}

impl Churner {
    /// Nothing is created yet.
    pub fn new(world: World, rng: Rng, history: TopicHistory) -> Churner {
        Churner { world, rng, history, client: None, next: 0 }
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
        let name = format!("churn-{}", self.next);
        self.next += 1;
        let client = connected(&self.world, &mut self.client).await?;
        self.history.set(&name, Fate::Unknown);
        let created =
            client.create_topic(NewTopic { name: &name, partitions: 2, configs: &[] }).await?;
        match ErrorCode::from_code(created.error_code) {
            ErrorCode::None => self.history.set(&name, Fate::There(created.topic_id)),
            // the only broker is on its way down
            ErrorCode::InvalidReplicationFactor => {}
            code => assert!(passes(code), "CreateTopics: {code} {:?}", created.error_message),
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
