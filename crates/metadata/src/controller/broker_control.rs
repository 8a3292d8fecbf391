//! The life of a registered broker: heartbeats, fencing, controlled shutdown, unregistering, and what becomes of its partitions.
//!
//! Source: Kafka's `ReplicationControlManager` and `BrokerHeartbeatManager`.

use super::heartbeats::{BrokerControlState, Wish};
use super::partition_change::{Election, ElectionRules, PartitionChange};
use super::state::ControllerState;
use super::{ApiError, Controller, ControllerContext, ControllerResult};
use crate::partition_registration::NO_LEADER;
use crate::records::{BrokerRegistrationChangeRecord, MetadataRecord, UnregisterBrokerRecord};
use klamm_protocol::ErrorCode;
use klamm_protocol::messages::broker_heartbeat_request::BrokerHeartbeatRequest;
use klamm_protocol::messages::broker_heartbeat_response::BrokerHeartbeatResponse;
use klamm_protocol::messages::unregister_broker_request::UnregisterBrokerRequest;
use klamm_protocol::messages::unregister_broker_response::UnregisterBrokerResponse;
use klamm_record::{BrokerId, Offset, TopicId, Uuid};

/// Which broker comes or goes; the others are as they are registered.
#[derive(Debug, Clone, Copy, Default)]
struct Movement {
    remove: Option<BrokerId>,
    add: Option<BrokerId>,
    unclean_shutdown: Option<BrokerId>,
}

impl Controller {
    /// A broker says that it lives, how far it has read the log, and what it wishes to be.
    ///
    /// If [`Self::is_in_controlled_shutdown`] holds after the records are replayed, call
    /// [`Self::controlled_shutdown_appended`] with the end of the log: the broker may go once all others have read so far.
    pub fn broker_heartbeat(
        &mut self,
        ctx: &ControllerContext,
        request: &BrokerHeartbeatRequest,
    ) -> ControllerResult<BrokerHeartbeatResponse> {
        self.try_heartbeat(ctx, request).unwrap_or_else(|error| {
            let response = BrokerHeartbeatResponse {
                error_code: error.code.code(),
                ..BrokerHeartbeatResponse::default()
            };
            ControllerResult::of(Vec::new(), response)
        })
    }

    /// The records of the heartbeat that began (or repeated) a controlled shutdown end at this offset.
    pub fn controlled_shutdown_appended(&mut self, id: BrokerId, end_offset: Offset) {
        self.heartbeats.start_controlled_shutdown(id, end_offset.0);
    }

    /// Whether the broker is in controlled shutdown, as replayed.
    pub fn is_in_controlled_shutdown(&self, id: BrokerId) -> bool {
        self.latest.image.cluster.broker(id).is_some_and(|broker| broker.in_controlled_shutdown)
    }

    /// Fences one broker that was not heard of for the session timeout; the response says whether there was one, so that the
    /// caller asks again.
    pub fn fence_stale_broker(&mut self, ctx: &ControllerContext) -> ControllerResult<bool> {
        let Some((id, epoch)) = self.heartbeats.take_expired(ctx.now_ms) else {
            return ControllerResult::of(Vec::new(), false);
        };
        let mut records = Vec::new();
        match self.latest.image.cluster.broker(id) {
            None => self.heartbeats.remove(id),
            Some(broker) if broker.epoch != epoch => {}
            Some(_) => {
                tracing::info!(broker = id.0, epoch, "fencing a broker whose session ran out");
                self.fence(id, &mut records);
                self.heartbeats.fence(id);
            }
        }
        ControllerResult::of(records, true)
    }

    /// When [`Self::fence_stale_broker`] may next find a broker, Unix milliseconds.
    pub fn next_session_expiry_ms(&self) -> Option<i64> {
        self.heartbeats.next_expiry_ms()
    }

    /// Removes a broker for good (KIP-631).
    pub fn unregister_broker(
        &self,
        request: &UnregisterBrokerRequest,
    ) -> ControllerResult<UnregisterBrokerResponse> {
        let mut response = UnregisterBrokerResponse::default();
        let id = BrokerId(request.broker_id);
        let mut records = Vec::new();
        let result = match self.latest.image.cluster.broker(id) {
            None => Err(ApiError::new(
                ErrorCode::BrokerIdNotRegistered,
                format!("Broker ID {id} is not currently registered"),
            )),
            Some(broker) => {
                let movement = Movement { remove: Some(id), ..Movement::default() };
                self.move_partitions(movement, self.in_isr(id), &mut records);
                self.move_partitions(movement, self.in_elr(id), &mut records);
                records.push(MetadataRecord::UnregisterBroker(UnregisterBrokerRecord {
                    broker_id: id.0,
                    broker_epoch: broker.epoch,
                }));
                super::context::check_record_count(&records)
            }
        };
        if result.is_err() {
            records.clear();
        }
        (response.error_code, response.error_message) = ApiError::fields(result);
        ControllerResult::of(records, response)
    }

    /// An earlier incarnation of the broker is gone; a clean stop is one the broker can prove.
    pub(super) fn broker_stopped(
        &self,
        id: BrokerId,
        clean: bool,
        records: &mut Vec<MetadataRecord>,
    ) {
        if self.elr_enabled() && !clean {
            let movement = Movement { unclean_shutdown: Some(id), ..Movement::default() };
            self.move_partitions(movement, self.in_isr(id), records);
            self.move_partitions(movement, self.in_elr(id), records);
        } else {
            let movement = Movement { remove: Some(id), ..Movement::default() };
            self.move_partitions(movement, self.in_isr(id), records);
        }
    }

    fn try_heartbeat(
        &mut self,
        ctx: &ControllerContext,
        request: &BrokerHeartbeatRequest,
    ) -> Result<ControllerResult<BrokerHeartbeatResponse>, ApiError> {
        let (id, epoch) = (BrokerId(request.broker_id), request.broker_epoch);
        self.heartbeats.touch_session(id, epoch, ctx.now_ms);
        let stale = |message| ApiError::new(ErrorCode::StaleBrokerEpoch, message);
        let registered_at = *self.latest.registration_offsets.get(&id).ok_or_else(|| {
            stale(format!("Receive a heartbeat from broker {id} before registration"))
        })?;
        self.check_broker_epoch(id, epoch)?;
        let wish = Wish {
            fence: request.want_fence,
            shut_down: request.want_shut_down,
            caught_up: request.current_metadata_offset >= registered_at.0,
            has_leaderships: self.latest.has_leaderships(id),
        };
        let states = self.heartbeats.next_state(id, wish);
        let (current, next) =
            states.ok_or_else(|| stale(format!("No heartbeat state for broker {id}")))?;
        let mut records = Vec::new();
        if current != next {
            match next {
                BrokerControlState::Fenced | BrokerControlState::ShutdownNow => {
                    self.fence(id, &mut records);
                }
                BrokerControlState::Unfenced => self.unfence(id, epoch, &mut records),
                BrokerControlState::ControlledShutdown => {
                    self.enter_controlled_shutdown(id, epoch, &mut records);
                }
            }
        }
        let is_fenced =
            matches!(next, BrokerControlState::Fenced | BrokerControlState::ShutdownNow);
        self.heartbeats.touch(id, is_fenced, request.current_metadata_offset);
        let version = self.metadata_version();
        if version.is_directory_assignment_supported() {
            self.directories_offline(id, epoch, &request.offline_log_dirs, &mut records);
        }
        if version.is_cordoned_log_dirs_supported() {
            self.directories_cordoned(
                id,
                epoch,
                request.cordoned_log_dirs.as_deref(),
                &mut records,
            );
        }
        let response = BrokerHeartbeatResponse {
            is_caught_up: wish.caught_up,
            is_fenced,
            should_shut_down: next == BrokerControlState::ShutdownNow,
            ..BrokerHeartbeatResponse::default()
        };
        Ok(ControllerResult::of(records, response))
    }

    fn fence(&self, id: BrokerId, records: &mut Vec<MetadataRecord>) {
        let epoch = self.latest.image.cluster.broker(id).map_or(-1, |broker| broker.epoch);
        let movement = Movement { remove: Some(id), ..Movement::default() };
        self.move_partitions(movement, self.in_isr(id), records);
        records.push(change(BrokerRegistrationChangeRecord { fenced: 1, ..change_of(id, epoch) }));
    }

    fn unfence(&self, id: BrokerId, epoch: i64, records: &mut Vec<MetadataRecord>) {
        records.push(change(BrokerRegistrationChangeRecord { fenced: -1, ..change_of(id, epoch) }));
        let leaderless = ControllerState::partitions_of(&self.latest.leaders, NO_LEADER).collect();
        let movement = Movement { add: Some(id), ..Movement::default() };
        self.move_partitions(movement, leaderless, records);
    }

    fn enter_controlled_shutdown(
        &self,
        id: BrokerId,
        epoch: i64,
        records: &mut Vec<MetadataRecord>,
    ) {
        if !self.is_in_controlled_shutdown(id) {
            records.push(change(BrokerRegistrationChangeRecord {
                in_controlled_shutdown: 1,
                ..change_of(id, epoch)
            }));
        }
        let movement = Movement { remove: Some(id), ..Movement::default() };
        self.move_partitions(movement, self.in_isr(id), records);
    }

    fn directories_offline(
        &self,
        id: BrokerId,
        epoch: i64,
        offline: &[Uuid],
        records: &mut Vec<MetadataRecord>,
    ) {
        let Some(broker) = self.latest.image.cluster.broker(id) else { return };
        let (lost, online): (Vec<Uuid>, Vec<Uuid>) =
            broker.directories.iter().partition(|directory| offline.contains(directory));
        if lost.is_empty() {
            return;
        }
        for directory in &lost {
            let replicas =
                self.latest.directory_replicas.range((*directory, TopicId::ZERO, i32::MIN)..);
            let replicas = replicas.take_while(|(of, ..)| of == directory);
            let replicas = replicas.map(|(_, topic, partition)| (*topic, *partition)).collect();
            let movement = Movement { remove: Some(id), ..Movement::default() };
            self.move_partitions(movement, replicas, records);
        }
        tracing::warn!(broker = id.0, ?lost, "log directories went offline");
        records.push(change(BrokerRegistrationChangeRecord {
            log_dirs: online,
            ..change_of(id, epoch)
        }));
    }

    fn directories_cordoned(
        &self,
        id: BrokerId,
        epoch: i64,
        cordoned: Option<&[Uuid]>,
        records: &mut Vec<MetadataRecord>,
    ) {
        let Some(broker) = self.latest.image.cluster.broker(id) else { return };
        let Some(cordoned) = cordoned else { return };
        let same = broker.cordoned_directories.as_ref().is_some_and(|known| {
            known.iter().all(|it| cordoned.contains(it))
                && cordoned.iter().all(|it| known.contains(it))
        });
        if !same {
            records.push(change(BrokerRegistrationChangeRecord {
                cordoned_log_dirs: Some(cordoned.to_vec()),
                ..change_of(id, epoch)
            }));
        }
    }

    fn rules_of(&self, topic: TopicId) -> (TopicId, ElectionRules, Election) {
        let unclean = self.unclean_election_enabled(topic);
        let election = if unclean { Election::Unclean } else { Election::Online };
        (topic, self.election_rules(topic), election)
    }

    fn in_isr(&self, id: BrokerId) -> Vec<(TopicId, i32)> {
        ControllerState::partitions_of(&self.latest.isr_members, id).collect()
    }

    fn in_elr(&self, id: BrokerId) -> Vec<(TopicId, i32)> {
        ControllerState::partitions_of(&self.latest.elr_members, id).collect()
    }

    /// Leaders, ISR and ELR of these partitions after a broker came or went.
    fn move_partitions(
        &self,
        movement: Movement,
        partitions: Vec<(TopicId, i32)>,
        records: &mut Vec<MetadataRecord>,
    ) {
        let gone = |id| movement.remove == Some(id) || movement.unclean_shutdown == Some(id);
        // partitions come topic by topic, and what they go by is the topic's
        let mut rules: Option<(TopicId, ElectionRules, Election)> = None;
        for at in partitions {
            let Some(partition) = self.latest.image.topics.partition(at.0, at.1) else { continue };
            let (_, rules, election) = match rules {
                Some(known) if known.0 == at.0 => known,
                _ => *rules.insert(self.rules_of(at.0)),
            };
            let can_lead = |id: BrokerId| {
                let added = movement.add == Some(id) && !self.is_in_controlled_shutdown(id);
                let alive = added || self.latest.image.cluster.is_active(id);
                !gone(id) && alive && self.has_online_directory(partition, id)
            };
            let mut change = PartitionChange::new(partition, at, rules, &can_lead);
            change.election = election;
            change.unclean_shutdown = movement.unclean_shutdown;
            change.target_isr.retain(|member| !gone(*member));
            records.extend(change.build().map(MetadataRecord::PartitionChange));
        }
    }
}

fn change_of(id: BrokerId, epoch: i64) -> BrokerRegistrationChangeRecord {
    BrokerRegistrationChangeRecord {
        broker_id: id.0,
        broker_epoch: epoch,
        ..BrokerRegistrationChangeRecord::default()
    }
}

fn change(record: BrokerRegistrationChangeRecord) -> MetadataRecord {
    MetadataRecord::BrokerRegistrationChange(record)
}
