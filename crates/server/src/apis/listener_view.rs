//! The metadata image as clients of one listener see it: which brokers they can reach, and under which address.

use klamm_metadata::{BrokerRegistration, Endpoint, MetadataImage, PartitionRegistration};
use klamm_protocol::ErrorCode;
use klamm_record::{BrokerId, Uuid};

/// Nobody: no leader, no controller.
pub const NO_NODE: i32 = -1;

/// An image and the name of a listener (Kafka: `KRaftMetadataCache`, whose every method takes the name).
#[derive(Clone, Copy)]
pub struct ListenerView<'a> {
    /// All metadata.
    pub image: &'a MetadataImage,
    listener: &'a str,
}

impl<'a> ListenerView<'a> {
    /// The image as seen from this listener.
    pub fn new(image: &'a MetadataImage, listener: &'a str) -> ListenerView<'a> {
        ListenerView { image, listener }
    }

    /// All registered brokers that have the listener, ascending by id, with their address on it.
    pub fn brokers(
        &self,
    ) -> impl Iterator<Item = (&'a BrokerRegistration, &'a Endpoint)> + use<'a> {
        let listener = self.listener;
        let brokers = self.image.cluster.brokers.values();
        brokers.filter_map(move |broker| Some((&**broker, broker.listener(listener)?)))
    }

    /// Those of [`Self::brokers`] that are not fenced.
    pub fn alive_brokers(
        &self,
    ) -> impl Iterator<Item = (&'a BrokerRegistration, &'a Endpoint)> + use<'a> {
        self.brokers().filter(|(broker, _)| !broker.fenced)
    }

    /// Whom clients of this node should take for the controller: an unfenced broker, which passes on what is the controller's
    /// to do. It is this node if it can be; Kafka picks any.
    pub fn controller_id(&self, this_node: BrokerId) -> i32 {
        let brokers = &self.image.cluster.brokers;
        let this = brokers.get(&this_node).filter(|broker| !broker.fenced);
        this.or_else(|| brokers.values().find(|broker| !broker.fenced))
            .map_or(NO_NODE, |broker| broker.id.0)
    }

    /// The leader, if it has the listener; else what keeps clients from reaching it.
    ///
    /// # Errors
    /// LEADER_NOT_AVAILABLE if it is not registered or there is none, LISTENER_NOT_FOUND if only the listener is missing.
    pub fn leader(&self, partition: &PartitionRegistration) -> Result<i32, ErrorCode> {
        match self.image.cluster.broker(partition.leader) {
            None => Err(ErrorCode::LeaderNotAvailable),
            Some(broker) if broker.listener(self.listener).is_none() => {
                Err(ErrorCode::ListenerNotFound)
            }
            Some(broker) => Ok(broker.id.0),
        }
    }

    /// Whether clients of the listener can reach a broker.
    pub fn is_alive(&self, id: BrokerId) -> bool {
        let broker = self.image.cluster.broker(id);
        broker.is_some_and(|broker| !broker.fenced && broker.listener(self.listener).is_some())
    }

    /// The replicas that nobody can read from: their broker is out of reach, or their log dir is offline.
    pub fn offline_replicas(&self, partition: &PartitionRegistration) -> Vec<i32> {
        let is_offline = |id: &&BrokerId| {
            let directory = partition.directory(**id).unwrap_or(Uuid::ZERO);
            let broker = self.image.cluster.broker(**id);
            !self.is_alive(**id) || broker.is_none_or(|it| !it.has_online_directory(directory))
        };
        partition.replicas.iter().filter(is_offline).map(|id| id.0).collect()
    }
}

/// Brokers as a message lists them.
pub fn ids(brokers: &[BrokerId]) -> Vec<i32> {
    brokers.iter().map(|id| id.0).collect()
}
