//! Control records of the metadata log: key and value of each, and back.

use bytes::{BufMut, Bytes, BytesMut};
use klamm_protocol::messages::kraft_version_record::KRaftVersionRecord;
use klamm_protocol::messages::leader_change_message::{self, LeaderChangeMessage};
use klamm_protocol::messages::snapshot_footer_record::SnapshotFooterRecord;
use klamm_protocol::messages::snapshot_header_record::SnapshotHeaderRecord;
use klamm_protocol::messages::voters_record::{self, VotersRecord};
use klamm_protocol::{Decode, DecodeError, Encode, Reader, Writer};
use klamm_record::BrokerId;

use crate::batch_encoding::RawRecord;
use crate::voters::{Voter, VoterEndpoint};

/// A record that the quorum itself wrote (Kafka's `ControlRecordType` and `ControlRecordUtils`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlRecord {
    /// The first record of each epoch.
    LeaderChange {
        /// Who leads.
        leader: BrokerId,
        /// Who may vote.
        voters: Vec<BrokerId>,
        /// Who voted for the leader.
        granting: Vec<BrokerId>,
    },
    /// The first record of a snapshot.
    SnapshotHeader {
        /// Append time of the last batch that the snapshot covers, Unix milliseconds.
        last_contained_log_time_ms: i64,
    },
    /// The last record of a snapshot.
    SnapshotFooter,
    /// The finalized `kraft.version`.
    KRaftVersion(i16),
    /// All voters.
    Voters(Vec<Voter>),
    /// Of a type that this code does not know, and skips as Kafka does.
    Unknown(i16),
}

const TYPE_LEADER_CHANGE: i16 = 2;
const TYPE_SNAPSHOT_HEADER: i16 = 3;
const TYPE_SNAPSHOT_FOOTER: i16 = 4;
const TYPE_KRAFT_VERSION: i16 = 5;
const TYPE_VOTERS: i16 = 6;
/// Version of keys and of all values; Kafka 4.3 writes no other.
const VERSION: i16 = 0;

impl ControlRecord {
    /// Key and value as they stand in a control batch.
    pub fn encode(&self) -> RawRecord {
        let (record_type, value) = match self {
            Self::LeaderChange { leader, voters, granting } => {
                (TYPE_LEADER_CHANGE, bytes_of(&leader_change(*leader, voters, granting)))
            }
            Self::SnapshotHeader { last_contained_log_time_ms } => {
                let message = SnapshotHeaderRecord {
                    version: VERSION,
                    last_contained_log_timestamp: *last_contained_log_time_ms,
                };
                (TYPE_SNAPSHOT_HEADER, bytes_of(&message))
            }
            Self::SnapshotFooter => {
                (TYPE_SNAPSHOT_FOOTER, bytes_of(&SnapshotFooterRecord { version: VERSION }))
            }
            Self::KRaftVersion(level) => {
                let message = KRaftVersionRecord { version: VERSION, kraft_version: *level };
                (TYPE_KRAFT_VERSION, bytes_of(&message))
            }
            Self::Voters(voters) => (TYPE_VOTERS, bytes_of(&voters_message(voters))),
            Self::Unknown(record_type) => (*record_type, Bytes::new()),
        };
        let mut key = BytesMut::with_capacity(4);
        key.put_i16(VERSION);
        key.put_i16(record_type);
        RawRecord { key: Some(key.freeze()), value }
    }

    /// Reads a record of a control batch.
    ///
    /// # Errors
    /// If key or value are not what their type says.
    pub fn decode(key: &[u8], value: Bytes) -> Result<Self, DecodeError> {
        let mut key = Reader::new(Bytes::copy_from_slice(key));
        key.i16()?;
        let record_type = key.i16()?;
        let mut value = Reader::new(value);
        let r = &mut value;
        Ok(match record_type {
            TYPE_LEADER_CHANGE => {
                // The version stands in the value: version 1 adds directory ids to the voters.
                let version = Reader::new(r.rest()).i16()?;
                let message = LeaderChangeMessage::decode(r, version)?;
                let ids = |voters: Vec<leader_change_message::Voter>| {
                    voters.into_iter().map(|voter| BrokerId(voter.voter_id)).collect()
                };
                Self::LeaderChange {
                    leader: BrokerId(message.leader_id),
                    voters: ids(message.voters),
                    granting: ids(message.granting_voters),
                }
            }
            TYPE_SNAPSHOT_HEADER => Self::SnapshotHeader {
                last_contained_log_time_ms: SnapshotHeaderRecord::decode(r, VERSION)?
                    .last_contained_log_timestamp,
            },
            TYPE_SNAPSHOT_FOOTER => {
                SnapshotFooterRecord::decode(r, VERSION)?;
                Self::SnapshotFooter
            }
            TYPE_KRAFT_VERSION => {
                Self::KRaftVersion(KRaftVersionRecord::decode(r, VERSION)?.kraft_version)
            }
            TYPE_VOTERS => {
                let message = VotersRecord::decode(r, VERSION)?;
                Self::Voters(message.voters.into_iter().map(voter_of).collect())
            }
            other => Self::Unknown(other),
        })
    }
}

fn bytes_of(message: &impl Encode) -> Bytes {
    let mut writer = Writer::new();
    message.encode(&mut writer, VERSION).expect("version 0 of a control record says everything");
    writer.into_bytes()
}

fn leader_change(
    leader: BrokerId,
    voters: &[BrokerId],
    granting: &[BrokerId],
) -> LeaderChangeMessage {
    let named = |ids: &[BrokerId]| {
        let voter =
            |id: &BrokerId| leader_change_message::Voter { voter_id: id.0, ..Default::default() };
        ids.iter().map(voter).collect()
    };
    LeaderChangeMessage {
        version: VERSION,
        leader_id: leader.0,
        voters: named(voters),
        granting_voters: named(granting),
    }
}

fn voters_message(voters: &[Voter]) -> VotersRecord {
    let endpoint = |endpoint: &VoterEndpoint| voters_record::Endpoint {
        name: endpoint.listener.as_str().into(),
        host: endpoint.host.as_str().into(),
        port: endpoint.port,
    };
    let voter = |voter: &Voter| voters_record::Voter {
        voter_id: voter.id.0,
        voter_directory_id: voter.directory_id,
        endpoints: voter.endpoints.iter().map(endpoint).collect(),
        kraft_version_feature: voters_record::KRaftVersionFeature {
            min_supported_version: voter.kraft_versions.0,
            max_supported_version: voter.kraft_versions.1,
        },
    };
    VotersRecord { version: VERSION, voters: voters.iter().map(voter).collect() }
}

fn voter_of(voter: voters_record::Voter) -> Voter {
    let endpoint = |endpoint: voters_record::Endpoint| VoterEndpoint {
        listener: endpoint.name.to_string(),
        host: endpoint.host.to_string(),
        port: endpoint.port,
    };
    Voter {
        id: BrokerId(voter.voter_id),
        directory_id: voter.voter_directory_id,
        endpoints: voter.endpoints.into_iter().map(endpoint).collect(),
        kraft_versions: (
            voter.kraft_version_feature.min_supported_version,
            voter.kraft_version_feature.max_supported_version,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klamm_record::Uuid;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Keys and values as Apache Kafka 4.3.1 wrote them for a single dynamic voter.
    #[test]
    fn bytes_are_kafkas() {
        let voter = Voter {
            id: BrokerId(1),
            directory_id: "tHbp7ETGTbO4bDg-Y_EUTw".parse::<Uuid>().expect("a uuid"),
            endpoints: vec![VoterEndpoint {
                listener: "CONTROLLER".to_owned(),
                host: "127.0.0.1".to_owned(),
                port: 21093,
            }],
            kraft_versions: (0, 1),
        };
        let cases = [
            (
                ControlRecord::SnapshotHeader { last_contained_log_time_ms: 1_795_368_835_800 },
                "00000003",
                "0000000001a204525ad800",
            ),
            (ControlRecord::KRaftVersion(1), "00000005", "0000000100"),
            (
                ControlRecord::Voters(vec![voter]),
                "00000006",
                "00000200000001b476e9ec44c64db3b86c383e63f1144f020b434f4e54524f4c4c45520a3132372e302e302e315265\
                 0000000001000000",
            ),
            (ControlRecord::SnapshotFooter, "00000004", "000000"),
            (
                ControlRecord::LeaderChange {
                    leader: BrokerId(1),
                    voters: vec![BrokerId(1)],
                    granting: vec![BrokerId(1)],
                },
                "00000002",
                "00000000000102000000010002000000010000",
            ),
        ];
        for (record, key, value) in cases {
            let raw = record.encode();
            let raw_key = raw.key.expect("control records have keys");
            assert_eq!(hex(&raw_key), key);
            assert_eq!(hex(&raw.value), value, "{record:?}");
            assert_eq!(ControlRecord::decode(&raw_key, raw.value).expect("read back"), record);
        }
    }

    #[test]
    fn an_unknown_type_is_kept_apart() {
        let record = ControlRecord::decode(&[0, 0, 0, 99], Bytes::from_static(b"?"));
        assert_eq!(record.expect("skipped"), ControlRecord::Unknown(99));
        assert!(ControlRecord::decode(&[0, 0], Bytes::new()).is_err());
    }
}
