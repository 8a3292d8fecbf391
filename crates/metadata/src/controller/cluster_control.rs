//! Registration of brokers and controllers.
//!
//! Source: Kafka's `ClusterControlManager`.

use super::{ApiError, Controller, ControllerContext, ControllerResult};
use crate::broker_registration::{BrokerRegistration, VersionRange};
use crate::image::KRAFT_VERSION_FEATURE;
use crate::metadata_version::METADATA_VERSION_FEATURE;
use crate::records::{
    BrokerEndpoint, BrokerFeature, ControllerEndpoint, ControllerFeature, MetadataRecord,
    RegisterBrokerRecord, RegisterControllerRecord,
};
use klamm_protocol::ErrorCode;
use klamm_protocol::messages::broker_registration_request::BrokerRegistrationRequest;
use klamm_protocol::messages::broker_registration_response::BrokerRegistrationResponse;
use klamm_protocol::messages::controller_registration_request::ControllerRegistrationRequest;
use klamm_protocol::messages::controller_registration_response::ControllerRegistrationResponse;
use klamm_record::{BrokerId, Uuid};
use std::collections::BTreeSet;

impl Controller {
    /// Registers a broker, fenced. Its epoch is the offset of the RegisterBrokerRecord.
    ///
    /// A new incarnation first loses what the old one had: with a clean stop behind it (`PreviousBrokerEpoch` is the one
    /// registered) its leaderships and ISR memberships, without one its ELR memberships as well.
    pub fn register_broker(
        &self,
        ctx: &ControllerContext,
        request: &BrokerRegistrationRequest,
    ) -> ControllerResult<BrokerRegistrationResponse> {
        match self.registration_records(ctx, request) {
            Ok((records, broker_epoch)) => {
                let response = BrokerRegistrationResponse {
                    broker_epoch,
                    ..BrokerRegistrationResponse::default()
                };
                ControllerResult::of(records, response)
            }
            Err(error) => {
                tracing::info!(broker = request.broker_id, ?error, "broker registration refused");
                let error_code = error.code.code();
                let response = BrokerRegistrationResponse {
                    error_code,
                    ..BrokerRegistrationResponse::default()
                };
                ControllerResult::of(Vec::new(), response)
            }
        }
    }

    /// Registers a controller (KIP-919).
    pub fn register_controller(
        &self,
        request: &ControllerRegistrationRequest,
    ) -> ControllerResult<ControllerRegistrationResponse> {
        let mut response =
            ControllerRegistrationResponse { error_message: None, ..Default::default() };
        if !self.metadata_version().is_controller_registration_supported() {
            let error = ApiError::new(
                ErrorCode::UnsupportedVersion,
                "The current MetadataVersion is too old to support controller registrations.",
            );
            (response.error_code, response.error_message) = ApiError::fields(Err(error));
            return ControllerResult::of(Vec::new(), response);
        }
        let record = RegisterControllerRecord {
            controller_id: request.controller_id,
            incarnation_id: request.incarnation_id,
            zk_migration_ready: false,
            end_points: request
                .listeners
                .iter()
                .map(|it| ControllerEndpoint {
                    name: it.name.clone(),
                    host: it.host.clone(),
                    port: it.port,
                    security_protocol: it.security_protocol,
                })
                .collect(),
            features: request
                .features
                .iter()
                .map(|it| ControllerFeature {
                    name: it.name.clone(),
                    min_supported_version: it.min_supported_version,
                    max_supported_version: it.max_supported_version,
                })
                .collect(),
        };
        ControllerResult::atomic_of(vec![MetadataRecord::RegisterController(record)], response)
    }

    /// Refuses a broker that is not registered with this epoch.
    pub(super) fn check_broker_epoch(&self, id: BrokerId, epoch: i64) -> Result<(), ApiError> {
        let message = match self.latest.image.cluster.broker(id) {
            Some(broker) if broker.epoch == epoch => return Ok(()),
            Some(broker) => {
                format!("Expected broker epoch {}, but got broker epoch {epoch}", broker.epoch)
            }
            None => format!("No broker registration found for broker id {id}"),
        };
        Err(ApiError::new(ErrorCode::StaleBrokerEpoch, message))
    }

    fn registration_records(
        &self,
        ctx: &ControllerContext,
        request: &BrokerRegistrationRequest,
    ) -> Result<(Vec<MetadataRecord>, i64), ApiError> {
        let id = BrokerId(request.broker_id);
        if *request.cluster_id != *self.config.cluster_id {
            let message = format!(
                "Expected cluster ID {}, but got cluster ID {}",
                self.config.cluster_id, request.cluster_id
            );
            return Err(ApiError::new(ErrorCode::InconsistentClusterId, message));
        }
        let existing = self.latest.image.cluster.broker(id);
        self.check_incarnation(ctx, existing, request)?;
        if request.is_migrating_zk_broker {
            let message = "Controller does not support registering ZK brokers.";
            return Err(ApiError::new(ErrorCode::BrokerIdNotRegistered, message));
        }
        let version = self.metadata_version();
        if version.is_directory_assignment_supported() {
            self.check_directories(id, &request.log_dirs)?;
        }
        self.check_features(request)?;
        let mut record = register_record(request);
        if !version.is_directory_assignment_supported() {
            record.log_dirs.clear();
        }
        let mut records = Vec::new();
        match existing {
            Some(existing) if existing.incarnation_id == request.incarnation_id => {
                record.fenced = existing.fenced;
                record.in_controlled_shutdown = existing.in_controlled_shutdown;
                record.broker_epoch = existing.epoch;
            }
            _ => {
                let clean = existing.is_some_and(|it| it.epoch == request.previous_broker_epoch);
                self.broker_stopped(id, clean, &mut records);
                record.broker_epoch = ctx.next_write_offset.0 + records.len() as i64;
            }
        }
        let epoch = record.broker_epoch;
        records.push(MetadataRecord::RegisterBroker(record));
        Ok((records, epoch))
    }

    fn check_incarnation(
        &self,
        ctx: &ControllerContext,
        existing: Option<&BrokerRegistration>,
        request: &BrokerRegistrationRequest,
    ) -> Result<(), ApiError> {
        let Some(existing) = existing else { return Ok(()) };
        if existing.id == self.config.node_id {
            // In the controller's own process: its directory lock says that the former incarnation is gone.
            return Ok(());
        }
        let other = existing.incarnation_id != request.incarnation_id;
        if other && self.heartbeats.has_valid_session(existing.id, existing.epoch, ctx.now_ms) {
            return Err(ApiError::new(
                ErrorCode::DuplicateBrokerRegistration,
                "Another broker is registered with that broker id. If the broker was recently restarted this should \
                 self-resolve once the heartbeat manager expires the broker's session.",
            ));
        }
        Ok(())
    }

    fn check_directories(&self, id: BrokerId, directories: &[Uuid]) -> Result<(), ApiError> {
        let invalid = |message: String| Err(ApiError::new(ErrorCode::InvalidRegistration, message));
        if directories.is_empty() {
            return invalid("No directories specified in request".to_owned());
        }
        if directories.iter().any(|directory| directory.is_reserved()) {
            return invalid("Reserved directory ID in request".to_owned());
        }
        let unique: BTreeSet<&Uuid> = directories.iter().collect();
        if unique.len() != directories.len() {
            return invalid("Duplicate directory ID in request".to_owned());
        }
        for broker in self.latest.image.cluster.brokers.values().filter(|broker| broker.id != id) {
            if let Some(taken) = directories.iter().find(|it| broker.directories.contains(it)) {
                return invalid(format!(
                    "Broker {} is already registered with directory {taken}",
                    broker.id
                ));
            }
        }
        Ok(())
    }

    /// Every finalized level must lie in the broker's range; a feature it does not name it supports at level 0 only.
    fn check_features(&self, request: &BrokerRegistrationRequest) -> Result<(), ApiError> {
        let finalized = &self.latest.image.features;
        let check = |name: &str, range: VersionRange| {
            let level = finalized.level(name);
            if name == KRAFT_VERSION_FEATURE || range.contains(level) {
                return Ok(());
            }
            Err(ApiError::new(
                ErrorCode::UnsupportedVersion,
                format!(
                    "Unable to register because the broker does not support finalized version {level} of {name}. The broker \
                     wants a version between {} and {}, inclusive.",
                    range.min, range.max
                ),
            ))
        };
        for it in &request.features {
            check(
                &it.name,
                VersionRange { min: it.min_supported_version, max: it.max_supported_version },
            )?;
        }
        let names = |name: &str| request.features.iter().any(|it| *it.name == *name);
        if !names(METADATA_VERSION_FEATURE) {
            return Err(ApiError::new(
                ErrorCode::InvalidRegistration,
                format!("Request features do not contain '{METADATA_VERSION_FEATURE}'"),
            ));
        }
        for name in finalized.finalized.keys().filter(|name| !names(name)) {
            check(name, VersionRange { min: 0, max: 0 })?;
        }
        Ok(())
    }
}

fn register_record(request: &BrokerRegistrationRequest) -> RegisterBrokerRecord {
    RegisterBrokerRecord {
        broker_id: request.broker_id,
        incarnation_id: request.incarnation_id,
        rack: request.rack.clone(),
        end_points: request
            .listeners
            .iter()
            .map(|it| BrokerEndpoint {
                name: it.name.clone(),
                host: it.host.clone(),
                port: it.port,
                security_protocol: it.security_protocol,
            })
            .collect(),
        features: request
            .features
            .iter()
            .map(|it| BrokerFeature {
                name: it.name.clone(),
                min_supported_version: it.min_supported_version,
                max_supported_version: it.max_supported_version,
            })
            .collect(),
        log_dirs: request.log_dirs.clone(),
        fenced: true,
        ..RegisterBrokerRecord::default()
    }
}
