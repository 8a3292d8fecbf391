//! The registered brokers and controllers.

use super::ReplayError;
use crate::broker_registration::{BrokerRegistration, ControllerRegistration};
use crate::metadata_version::MetadataVersion;
use crate::records::{
    BrokerRegistrationChangeRecord, MetadataRecord, RegisterBrokerRecord, RegisterControllerRecord,
    UnregisterBrokerRecord,
};
use imbl::OrdMap;
use klamm_record::BrokerId;
use std::sync::Arc;

/// Brokers and controllers by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterImage {
    pub brokers: OrdMap<BrokerId, Arc<BrokerRegistration>>,
    pub controllers: OrdMap<BrokerId, Arc<ControllerRegistration>>,
}

impl ClusterImage {
    pub fn broker(&self, id: BrokerId) -> Option<&BrokerRegistration> {
        self.brokers.get(&id).map(Arc::as_ref)
    }

    /// Registered, not fenced and not in controlled shutdown.
    pub fn is_active(&self, id: BrokerId) -> bool {
        self.broker(id).is_some_and(BrokerRegistration::is_active)
    }

    pub(super) fn register(&mut self, record: &RegisterBrokerRecord) {
        let broker = BrokerRegistration::from_record(record);
        self.brokers.insert(broker.id, Arc::new(broker));
    }

    pub(super) fn unregister(
        &mut self,
        record: &UnregisterBrokerRecord,
    ) -> Result<(), ReplayError> {
        let id = BrokerId(record.broker_id);
        self.registered(id, record.broker_epoch)?;
        self.brokers.remove(&id);
        Ok(())
    }

    pub(super) fn register_controller(&mut self, record: &RegisterControllerRecord) {
        let controller = ControllerRegistration::from_record(record);
        self.controllers.insert(controller.id, Arc::new(controller));
    }

    pub(super) fn set_fenced(
        &mut self,
        id: BrokerId,
        epoch: i64,
        fenced: bool,
    ) -> Result<(), ReplayError> {
        self.registered(id, epoch)?.fenced = fenced;
        Ok(())
    }

    pub(super) fn change(
        &mut self,
        record: &BrokerRegistrationChangeRecord,
    ) -> Result<(), ReplayError> {
        let id = BrokerId(record.broker_id);
        let broker = self.registered(id, record.broker_epoch)?;
        match record.fenced {
            0 => {}
            1 => broker.fenced = true,
            -1 => broker.fenced = false,
            value => return Err(ReplayError::UnknownValue { field: "fenced", value }),
        }
        match record.in_controlled_shutdown {
            0 => {}
            1 => broker.in_controlled_shutdown = true,
            value => {
                return Err(ReplayError::UnknownValue { field: "inControlledShutdown", value });
            }
        }
        if !record.log_dirs.is_empty() {
            broker.directories = record.log_dirs.clone();
            broker.directories.sort_unstable();
        }
        if let Some(cordoned) = &record.cordoned_log_dirs {
            broker.cordoned_directories = Some(cordoned.clone());
        }
        Ok(())
    }

    pub(super) fn write(&self, version: MetadataVersion, out: &mut Vec<MetadataRecord>) {
        out.extend(
            self.brokers.values().map(|it| MetadataRecord::RegisterBroker(it.to_record(version))),
        );
        if version.is_controller_registration_supported() {
            out.extend(
                self.controllers
                    .values()
                    .map(|it| MetadataRecord::RegisterController(it.to_record())),
            );
        }
    }

    fn registered(
        &mut self,
        id: BrokerId,
        epoch: i64,
    ) -> Result<&mut BrokerRegistration, ReplayError> {
        let broker = self.brokers.get_mut(&id).ok_or(ReplayError::UnknownBroker { id })?;
        if broker.epoch != epoch {
            return Err(ReplayError::BrokerEpoch { id, expected: broker.epoch, epoch });
        }
        Ok(Arc::make_mut(broker))
    }
}
