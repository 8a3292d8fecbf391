//! `quorum-state`: the election state of this node, one line of JSON beside the metadata log.

use std::io;
use std::path::{Path, PathBuf};

use klamm_env::Disk;
use klamm_record::{BrokerId, LeaderEpoch, Uuid};
use serde::{Deserialize, Serialize};

/// File name in the metadata log's directory (Kafka's `FileQuorumStateStore.DEFAULT_FILE_NAME`).
pub const QUORUM_STATE_FILE: &str = "quorum-state";

const FILE_BYTES_MAX: usize = 1 << 20;

/// Which layout the file has; it follows `kraft.version` (0 for a static quorum, 1 for a dynamic one).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuorumStateLayout {
    /// `kraft.version` 0: the voters stand in the file.
    V0 {
        /// Ids of the voters, as configured.
        voters: Vec<BrokerId>,
    },
    /// `kraft.version` 1 (KIP-853): the voters stand in the log.
    V1,
}

/// What this node knows of the last election (Kafka's `ElectionState`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuorumState {
    /// The leader of `leader_epoch`, −1 if not known.
    pub leader_id: BrokerId,
    /// The last epoch this node has seen.
    pub leader_epoch: LeaderEpoch,
    /// Whom this node voted for in `leader_epoch`, −1 for nobody.
    pub voted_id: BrokerId,
    /// Directory id of the voter voted for; zero in layout V0.
    pub voted_directory_id: Uuid,
    /// Layout of the file.
    pub layout: QuorumStateLayout,
}

/// Why `quorum-state` could not be read.
#[derive(Debug, thiserror::Error)]
pub enum QuorumStateError {
    /// The file is there but could not be read.
    #[error("could not read {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no JSON of a known version.
    #[error("{path} is not a quorum state: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl QuorumState {
    /// State of a node that leads `epoch` alone.
    pub fn leading(node_id: BrokerId, epoch: LeaderEpoch, layout: QuorumStateLayout) -> Self {
        Self {
            leader_id: node_id,
            leader_epoch: epoch,
            voted_id: BrokerId::NONE,
            voted_directory_id: Uuid::ZERO,
            layout,
        }
    }

    /// Reads the file in `log_dir`; `None` if there is none.
    ///
    /// # Errors
    /// If it cannot be read or is no quorum state: without it the next epoch could repeat an old one.
    pub fn read(disk: &Disk, log_dir: &Path) -> Result<Option<Self>, QuorumStateError> {
        let path = log_dir.join(QUORUM_STATE_FILE);
        let bytes = match disk.read(&path, FILE_BYTES_MAX) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(QuorumStateError::Io { path, source }),
        };
        let text = String::from_utf8_lossy(&bytes);
        let line = text.lines().next().unwrap_or_default();
        Self::from_json(line)
            .map(Some)
            .map_err(|reason| QuorumStateError::Malformed { path, reason })
    }

    /// Replaces the file in `log_dir`; it is synced when this returns.
    ///
    /// # Errors
    /// As the disk has them.
    pub fn write(&self, disk: &Disk, log_dir: &Path) -> io::Result<()> {
        disk.write_atomic(&log_dir.join(QUORUM_STATE_FILE), self.to_json().as_bytes())
    }

    /// The line as Kafka writes it: no spaces, fields in schema order, `data_version` last.
    pub fn to_json(&self) -> String {
        let json = match &self.layout {
            QuorumStateLayout::V0 { voters } => serde_json::to_string(&JsonV0 {
                cluster_id: String::new(),
                leader_id: self.leader_id.0,
                leader_epoch: self.leader_epoch.0,
                voted_id: self.voted_id.0,
                applied_offset: 0,
                current_voters: Some(
                    voters.iter().map(|voter| JsonVoter { voter_id: voter.0 }).collect(),
                ),
                data_version: 0,
            }),
            QuorumStateLayout::V1 => serde_json::to_string(&JsonV1 {
                leader_id: self.leader_id.0,
                leader_epoch: self.leader_epoch.0,
                voted_id: self.voted_id.0,
                voted_directory_id: self.voted_directory_id.to_string(),
                data_version: 1,
            }),
        };
        json.expect("a struct of numbers and strings is always JSON")
    }

    fn from_json(line: &str) -> Result<Self, String> {
        let version: JsonVersion = serde_json::from_str(line).map_err(|error| error.to_string())?;
        match version.data_version {
            0 => serde_json::from_str::<JsonV0>(line).map(Self::from).map_err(|e| e.to_string()),
            1 => {
                let json: JsonV1 = serde_json::from_str(line).map_err(|error| error.to_string())?;
                let voted_directory_id = json.voted_directory_id.parse().map_err(|_| {
                    format!("votedDirectoryId `{}` is no uuid", json.voted_directory_id)
                })?;
                Ok(Self {
                    leader_id: BrokerId(json.leader_id),
                    leader_epoch: LeaderEpoch(json.leader_epoch),
                    voted_id: BrokerId(json.voted_id),
                    voted_directory_id,
                    layout: QuorumStateLayout::V1,
                })
            }
            other => Err(format!("data_version {other} is not known (0 and 1 are)")),
        }
    }
}

#[derive(Deserialize)]
struct JsonVersion {
    data_version: i16,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonV0 {
    cluster_id: String,
    leader_id: i32,
    leader_epoch: i32,
    voted_id: i32,
    applied_offset: i64,
    current_voters: Option<Vec<JsonVoter>>,
    #[serde(rename = "data_version")]
    data_version: i16,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonVoter {
    voter_id: i32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonV1 {
    leader_id: i32,
    leader_epoch: i32,
    voted_id: i32,
    voted_directory_id: String,
    #[serde(rename = "data_version")]
    data_version: i16,
}

impl From<JsonV0> for QuorumState {
    fn from(json: JsonV0) -> Self {
        let voters = json.current_voters.unwrap_or_default();
        Self {
            leader_id: BrokerId(json.leader_id),
            leader_epoch: LeaderEpoch(json.leader_epoch),
            voted_id: BrokerId(json.voted_id),
            voted_directory_id: Uuid::ZERO,
            layout: QuorumStateLayout::V0 {
                voters: voters.into_iter().map(|voter| BrokerId(voter.voter_id)).collect(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both lines as Apache Kafka 4.3.1 wrote them.
    const KAFKA_V1: &str = r#"{"leaderId":1,"leaderEpoch":2,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1}"#;
    const KAFKA_V0: &str = r#"{"clusterId":"","leaderId":1,"leaderEpoch":2,"votedId":-1,"appliedOffset":0,"currentVoters":[{"voterId":1}],"data_version":0}"#;

    #[test]
    fn writes_what_kafka_writes() {
        let v1 = QuorumState::leading(BrokerId(1), LeaderEpoch(2), QuorumStateLayout::V1);
        assert_eq!(v1.to_json(), KAFKA_V1);
        let layout = QuorumStateLayout::V0 { voters: vec![BrokerId(1)] };
        let v0 = QuorumState::leading(BrokerId(1), LeaderEpoch(2), layout);
        assert_eq!(v0.to_json(), KAFKA_V0);
    }

    #[test]
    fn reads_what_kafka_wrote() {
        for line in [KAFKA_V0, KAFKA_V1] {
            assert_eq!(QuorumState::from_json(line).expect("Kafka wrote it").to_json(), line);
        }
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for (line, reason) in [
            (r#"{"data_version":2}"#, "data_version 2 is not known"),
            ("", "EOF"),
            ("[]", "invalid"),
            (r#"{"leaderId":1,"data_version":1}"#, "missing field"),
        ] {
            let error = QuorumState::from_json(line).expect_err(line);
            assert!(error.contains(reason), "{line}: {error}");
        }
    }
}
