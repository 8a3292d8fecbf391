//! Who votes in the metadata quorum, and since when (KIP-853).

use klamm_record::{BrokerId, Offset, Uuid};

/// Lowest `kraft.version`: the voters stand in each node's configuration.
pub const KRAFT_VERSION_STATIC: i16 = 0;
/// `kraft.version` 1: the voters stand in the log.
pub const KRAFT_VERSION_DYNAMIC: i16 = 1;

/// Under which name and address a voter is reached by the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoterEndpoint {
    /// Name of the listener, `CONTROLLER` by custom.
    pub listener: String,
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
}

/// One voter (Kafka's `VoterSet.VoterNode`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voter {
    /// Its node id.
    pub id: BrokerId,
    /// Id of the directory that holds its metadata log: a voter with a new disk is another voter.
    pub directory_id: Uuid,
    /// Where it is reached.
    pub endpoints: Vec<VoterEndpoint>,
    /// Lowest and highest `kraft.version` it supports, both inclusive.
    pub kraft_versions: (i16, i16),
}

/// What the log says of the quorum up to an offset (Kafka's `KRaftControlRecordStateMachine`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuorumMembership {
    /// `kraft.version`.
    pub kraft_version: i16,
    /// The voters; empty at `kraft.version` 0.
    pub voters: Vec<Voter>,
    /// Offset of the record that says so; −1 if it stands in the snapshot of the format step alone or nowhere.
    pub offset: Offset,
}

impl Default for QuorumMembership {
    fn default() -> Self {
        Self { kraft_version: KRAFT_VERSION_STATIC, voters: Vec::new(), offset: Offset::NONE }
    }
}

impl QuorumMembership {
    /// The ids of those who vote; at `kraft.version` 0 this node alone.
    pub fn voter_ids(&self, node_id: BrokerId) -> Vec<BrokerId> {
        if self.voters.is_empty() {
            return vec![node_id];
        }
        self.voters.iter().map(|voter| voter.id).collect()
    }

    /// Whether `node_id` decides alone.
    pub fn is_single(&self, node_id: BrokerId) -> bool {
        self.voter_ids(node_id) == [node_id]
    }
}
