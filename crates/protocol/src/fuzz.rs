//! What the fuzz target `frame` does with an input; a test replays what it found through the same function.

use bytes::Bytes;

use crate::codec::{Reader, Request, Writer};
use crate::frame::decode_request_header;
use crate::{ApiKey, messages};

/// Reads `input` as a frame without its length: the header, then the body of whatever API and version it names. A body that can be
/// read is written and read again.
///
/// # Panics
/// If what was read cannot be written, or is not what comes back.
pub fn frame(input: &[u8]) {
    let Ok((api, header, reader)) = decode_request_header(Bytes::copy_from_slice(input)) else {
        return;
    };
    let version = header.request_api_version;
    if api.range().contains(version) {
        assert!(round_trip_any(api, version, reader), "{api:?} has a request");
    }
}

macro_rules! first_match {
    ($api:expr, $version:expr, $reader:expr; $($module:ident::$request:ident,)*) => {
        $(if $api == <messages::$module::$request as Request>::API_KEY {
            round_trip::<messages::$module::$request>($reader, $version);
            return true;
        })*
    };
}

/// Answers false if there is no such request.
#[expect(clippy::too_many_lines, reason = "a flat list of all requests")]
fn round_trip_any(api: ApiKey, version: i16, reader: Reader) -> bool {
    first_match! {
        api, version, reader;
        add_offsets_to_txn_request::AddOffsetsToTxnRequest,
        add_partitions_to_txn_request::AddPartitionsToTxnRequest,
        add_raft_voter_request::AddRaftVoterRequest,
        allocate_producer_ids_request::AllocateProducerIdsRequest,
        alter_client_quotas_request::AlterClientQuotasRequest,
        alter_configs_request::AlterConfigsRequest,
        alter_partition_reassignments_request::AlterPartitionReassignmentsRequest,
        alter_partition_request::AlterPartitionRequest,
        alter_replica_log_dirs_request::AlterReplicaLogDirsRequest,
        alter_share_group_offsets_request::AlterShareGroupOffsetsRequest,
        alter_user_scram_credentials_request::AlterUserScramCredentialsRequest,
        api_versions_request::ApiVersionsRequest,
        assign_replicas_to_dirs_request::AssignReplicasToDirsRequest,
        begin_quorum_epoch_request::BeginQuorumEpochRequest,
        broker_heartbeat_request::BrokerHeartbeatRequest,
        broker_registration_request::BrokerRegistrationRequest,
        consumer_group_describe_request::ConsumerGroupDescribeRequest,
        consumer_group_heartbeat_request::ConsumerGroupHeartbeatRequest,
        controller_registration_request::ControllerRegistrationRequest,
        create_acls_request::CreateAclsRequest,
        create_delegation_token_request::CreateDelegationTokenRequest,
        create_partitions_request::CreatePartitionsRequest,
        create_topics_request::CreateTopicsRequest,
        delete_acls_request::DeleteAclsRequest,
        delete_groups_request::DeleteGroupsRequest,
        delete_records_request::DeleteRecordsRequest,
        delete_share_group_offsets_request::DeleteShareGroupOffsetsRequest,
        delete_share_group_state_request::DeleteShareGroupStateRequest,
        delete_topics_request::DeleteTopicsRequest,
        describe_acls_request::DescribeAclsRequest,
        describe_client_quotas_request::DescribeClientQuotasRequest,
        describe_cluster_request::DescribeClusterRequest,
        describe_configs_request::DescribeConfigsRequest,
        describe_delegation_token_request::DescribeDelegationTokenRequest,
        describe_groups_request::DescribeGroupsRequest,
        describe_log_dirs_request::DescribeLogDirsRequest,
        describe_producers_request::DescribeProducersRequest,
        describe_quorum_request::DescribeQuorumRequest,
        describe_share_group_offsets_request::DescribeShareGroupOffsetsRequest,
        describe_topic_partitions_request::DescribeTopicPartitionsRequest,
        describe_transactions_request::DescribeTransactionsRequest,
        describe_user_scram_credentials_request::DescribeUserScramCredentialsRequest,
        elect_leaders_request::ElectLeadersRequest,
        end_quorum_epoch_request::EndQuorumEpochRequest,
        end_txn_request::EndTxnRequest,
        envelope_request::EnvelopeRequest,
        expire_delegation_token_request::ExpireDelegationTokenRequest,
        fetch_request::FetchRequest,
        fetch_snapshot_request::FetchSnapshotRequest,
        find_coordinator_request::FindCoordinatorRequest,
        get_telemetry_subscriptions_request::GetTelemetrySubscriptionsRequest,
        heartbeat_request::HeartbeatRequest,
        incremental_alter_configs_request::IncrementalAlterConfigsRequest,
        init_producer_id_request::InitProducerIdRequest,
        initialize_share_group_state_request::InitializeShareGroupStateRequest,
        join_group_request::JoinGroupRequest,
        leave_group_request::LeaveGroupRequest,
        list_config_resources_request::ListConfigResourcesRequest,
        list_groups_request::ListGroupsRequest,
        list_offsets_request::ListOffsetsRequest,
        list_partition_reassignments_request::ListPartitionReassignmentsRequest,
        list_transactions_request::ListTransactionsRequest,
        metadata_request::MetadataRequest,
        offset_commit_request::OffsetCommitRequest,
        offset_delete_request::OffsetDeleteRequest,
        offset_fetch_request::OffsetFetchRequest,
        offset_for_leader_epoch_request::OffsetForLeaderEpochRequest,
        produce_request::ProduceRequest,
        push_telemetry_request::PushTelemetryRequest,
        read_share_group_state_request::ReadShareGroupStateRequest,
        read_share_group_state_summary_request::ReadShareGroupStateSummaryRequest,
        remove_raft_voter_request::RemoveRaftVoterRequest,
        renew_delegation_token_request::RenewDelegationTokenRequest,
        sasl_authenticate_request::SaslAuthenticateRequest,
        sasl_handshake_request::SaslHandshakeRequest,
        share_acknowledge_request::ShareAcknowledgeRequest,
        share_fetch_request::ShareFetchRequest,
        share_group_describe_request::ShareGroupDescribeRequest,
        share_group_heartbeat_request::ShareGroupHeartbeatRequest,
        streams_group_describe_request::StreamsGroupDescribeRequest,
        streams_group_heartbeat_request::StreamsGroupHeartbeatRequest,
        sync_group_request::SyncGroupRequest,
        txn_offset_commit_request::TxnOffsetCommitRequest,
        unregister_broker_request::UnregisterBrokerRequest,
        update_features_request::UpdateFeaturesRequest,
        update_raft_voter_request::UpdateRaftVoterRequest,
        vote_request::VoteRequest,
        write_share_group_state_request::WriteShareGroupStateRequest,
        write_txn_markers_request::WriteTxnMarkersRequest,
    }
    false
}

fn round_trip<R: Request>(mut reader: Reader, version: i16) {
    let Ok(request) = R::decode(&mut reader, version) else { return };
    let written = encode(&request, version);
    let mut reader = Reader::new(written.clone());
    let again = R::decode(&mut reader, version).expect("what was written can be read");
    assert!(reader.is_empty(), "bytes behind the request");
    assert_eq!(encode(&again, version), written);
}

fn encode<R: Request>(request: &R, version: i16) -> Bytes {
    let mut writer = Writer::new();
    request.encode(&mut writer, version).expect("what was read can be written");
    writer.into_bytes()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a test reads its seeds")]

    use std::path::Path;

    use super::*;
    use crate::api_versions::RANGES;

    #[test]
    fn every_api_is_in_the_list() {
        for range in RANGES {
            let empty = Reader::new(Bytes::new());
            assert!(round_trip_any(range.key, range.max, empty), "{:?}", range.key);
        }
    }

    #[test]
    fn seeds_do_no_harm() {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/frame");
        let mut count = 0;
        for entry in std::fs::read_dir(&seeds).expect("the seeds are in the repository") {
            frame(&std::fs::read(entry.unwrap().path()).unwrap());
            count += 1;
        }
        assert!(count > 0, "no seeds in {}", seeds.display());
    }
}
