//! From changes to records, for one resource.

use super::super::{ApiError, Controller};
use super::validation::Change;
use super::{ConfigOp, OpType};
use crate::config_resolution::default_text;
use crate::image::{ConfigMap, ConfigResource, ResourceType};
use crate::records::{ClearElrRecord, ConfigRecord, MetadataRecord};
use klamm_protocol::{ErrorCode, Str};
use std::sync::Arc;

const MIN_INSYNC_REPLICAS: &str = "min.insync.replicas";

impl Controller {
    /// The records that give a topic about to be created its configurations, checked.
    pub(in crate::controller) fn new_topic_configs(
        &self,
        resource: &ConfigResource,
        configs: &ConfigMap,
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        if configs.is_empty() {
            return Ok(Vec::new());
        }
        let changes: Vec<Change> = configs
            .iter()
            .map(|(name, value)| (Arc::clone(name), Some(Arc::clone(value))))
            .collect();
        self.validate_configs(resource, &ConfigMap::new(), &changes)?;
        let mut records = to_records(resource, changes);
        records.extend(self.clear_elr_records(&records));
        Ok(records)
    }

    /// Sets these values and removes all others.
    pub(super) fn replace_configs(
        &self,
        resource: &ConfigResource,
        values: ConfigMap,
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        let present = self.latest.image.configs.of(resource);
        let mut changes: Vec<Change> = Vec::new();
        for (name, value) in &values {
            if present.get(name) != Some(value) || resource.resource_type == ResourceType::Broker {
                changes.push((Arc::clone(name), Some(Arc::clone(value))));
            }
        }
        let removed = present.keys().filter(|name| !values.contains_key(*name));
        changes.extend(removed.map(|name| (Arc::clone(name), None)));
        self.validate_configs(resource, &present, &changes)?;
        self.check_resource(resource)?;
        Ok(to_records(resource, changes))
    }

    /// Changes single values.
    pub(super) fn change_configs(
        &self,
        resource: &ConfigResource,
        ops: &[ConfigOp],
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        let present = self.latest.image.configs.of(resource);
        let mut changes: Vec<Change> = Vec::new();
        for op in ops {
            let current = present.get(&op.name);
            let new = match op.op {
                OpType::Set => op.value.clone(),
                OpType::Delete => None,
                OpType::Append | OpType::Subtract => Some(self.change_list(resource, op, current)?),
            };
            if current != new.as_ref() || resource.resource_type == ResourceType::Broker {
                changes.push((Arc::clone(&op.name), new));
            }
        }
        self.validate_configs(resource, &present, &changes)?;
        self.check_resource(resource)?;
        Ok(to_records(resource, changes))
    }

    /// With ELR, a new minimum ISR makes what is known of eligible leaders void (KIP-966).
    pub(super) fn clear_elr_records(&self, records: &[MetadataRecord]) -> Vec<MetadataRecord> {
        if !self.elr_enabled() {
            return Vec::new();
        }
        let cleared = records.iter().filter_map(|record| match record {
            MetadataRecord::Config(it) if *it.name == *MIN_INSYNC_REPLICAS => {
                let is_topic = it.resource_type == ResourceType::Topic.code();
                let topic_name = if is_topic { it.resource_name.clone() } else { Str::from("") };
                Some(MetadataRecord::ClearElr(ClearElrRecord { topic_name }))
            }
            _ => None,
        });
        cleared.collect()
    }

    fn change_list(
        &self,
        resource: &ConfigResource,
        op: &ConfigOp,
        current: Option<&Arc<str>>,
    ) -> Result<Arc<str>, ApiError> {
        let key = self.config.schema.key(resource.resource_type, &op.name);
        if !self.config.schema.is_list(resource.resource_type, &op.name) {
            let message =
                format!("Can't {} to key {} because its type is not LIST.", op.op.name(), op.name);
            return Err(ApiError::new(ErrorCode::InvalidConfig, message));
        }
        let default = || key.and_then(default_text).unwrap_or_default();
        let current = current.map_or_else(default, ToString::to_string);
        let mut items: Vec<&str> = current.split(',').filter(|item| !item.is_empty()).collect();
        for item in op.value.as_deref().unwrap_or_default().split(',') {
            let at = items.iter().position(|other| *other == item);
            match (op.op, at) {
                (OpType::Append, None) => items.push(item),
                (OpType::Subtract, Some(at)) => {
                    items.remove(at);
                }
                _ => {}
            }
        }
        Ok(Arc::from(items.join(",")))
    }
}

fn to_records(resource: &ConfigResource, changes: Vec<Change>) -> Vec<MetadataRecord> {
    let records = changes.into_iter().map(|(name, value)| {
        MetadataRecord::Config(ConfigRecord {
            resource_type: resource.resource_type.code(),
            resource_name: Str::from(&*resource.name),
            name: Str::from(&*name),
            value: value.as_deref().map(Str::from),
        })
    });
    records.collect()
}
