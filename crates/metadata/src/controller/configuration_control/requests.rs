//! The two requests, taken apart and put together.

use super::super::context::check_record_count;
use super::super::{ApiError, Controller, ControllerResult};
use super::{ConfigOp, OpType};
use crate::image::{ConfigResource, ResourceType};
use crate::records::MetadataRecord;
use klamm_protocol::messages::alter_configs_request::{self as legacy, AlterConfigsRequest};
use klamm_protocol::messages::alter_configs_response::{
    AlterConfigsResourceResponse as LegacyResult, AlterConfigsResponse,
};
use klamm_protocol::messages::incremental_alter_configs_request::{
    self as incremental, IncrementalAlterConfigsRequest,
};
use klamm_protocol::messages::incremental_alter_configs_response::{
    AlterConfigsResourceResponse as IncrementalResult, IncrementalAlterConfigsResponse,
};
use klamm_protocol::{ErrorCode, Str};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Controller {
    /// AlterConfigs: what the request does not name is removed.
    pub fn alter_configs(
        &self,
        request: &AlterConfigsRequest,
    ) -> ControllerResult<AlterConfigsResponse> {
        let keys: Vec<(i8, &str)> =
            request.resources.iter().map(|it| (it.resource_type, &*it.resource_name)).collect();
        let twice = named_twice(&keys);
        let mut records = Vec::new();
        let mut results = Vec::with_capacity(keys.len());
        for (resource, key) in request.resources.iter().zip(&keys) {
            results.push(if twice.contains(key) {
                Err(named_more_than_once())
            } else {
                self.alter_legacy(resource).map(|mut new| records.append(&mut new))
            });
        }
        self.finish(&mut records, &mut results, request.validate_only);
        let responses = results.into_iter().zip(&keys);
        let responses = responses
            .map(|(result, (resource_type, name))| {
                let (error_code, error_message) = ApiError::fields(result);
                LegacyResult {
                    error_code,
                    error_message,
                    resource_type: *resource_type,
                    resource_name: Str::from(*name),
                }
            })
            .collect();
        let response = AlterConfigsResponse { responses, ..AlterConfigsResponse::default() };
        ControllerResult::atomic_of(records, response)
    }

    /// IncrementalAlterConfigs: what the request does not name stays (KIP-339).
    pub fn incremental_alter_configs(
        &self,
        request: &IncrementalAlterConfigsRequest,
    ) -> ControllerResult<IncrementalAlterConfigsResponse> {
        let keys: Vec<(i8, &str)> =
            request.resources.iter().map(|it| (it.resource_type, &*it.resource_name)).collect();
        let twice = named_twice(&keys);
        let mut records = Vec::new();
        let mut results = Vec::with_capacity(keys.len());
        for (resource, key) in request.resources.iter().zip(&keys) {
            results.push(if twice.contains(key) {
                Err(named_more_than_once())
            } else {
                self.alter_incrementally(resource).map(|mut new| records.append(&mut new))
            });
        }
        self.finish(&mut records, &mut results, request.validate_only);
        let responses = results.into_iter().zip(&keys);
        let responses = responses
            .map(|(result, (resource_type, name))| {
                let (error_code, error_message) = ApiError::fields(result);
                IncrementalResult {
                    error_code,
                    error_message,
                    resource_type: *resource_type,
                    resource_name: Str::from(*name),
                }
            })
            .collect();
        let response = IncrementalAlterConfigsResponse {
            responses,
            ..IncrementalAlterConfigsResponse::default()
        };
        ControllerResult::atomic_of(records, response)
    }

    fn alter_legacy(
        &self,
        resource: &legacy::AlterConfigsResource,
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        let names = resource.configs.iter().map(|config| &*config.name);
        check_names(names)?;
        let nulls = resource.configs.iter().filter(|config| config.value.is_none());
        check_nulls(nulls.map(|config| &*config.name).collect())?;
        let target = config_resource(resource.resource_type, &resource.resource_name)?;
        let values = resource.configs.iter().filter_map(|config| {
            Some((Arc::from(&*config.name), Arc::from(&**config.value.as_ref()?)))
        });
        self.replace_configs(&target, values.collect())
    }

    fn alter_incrementally(
        &self,
        resource: &incremental::AlterConfigsResource,
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        let names = resource.configs.iter().map(|config| &*config.name);
        check_names(names)?;
        let mut ops = Vec::with_capacity(resource.configs.len());
        let mut nulls = Vec::new();
        for config in &resource.configs {
            let op = OpType::from_code(config.config_operation).ok_or_else(|| {
                let message = format!("Unknown operations type {}", config.config_operation);
                ApiError::new(ErrorCode::InvalidRequest, message)
            })?;
            if op != OpType::Delete && config.value.is_none() {
                nulls.push(&*config.name);
            }
            let value = config.value.as_deref().map(Arc::from);
            ops.push(ConfigOp { name: Arc::from(&*config.name), op, value });
        }
        check_nulls(nulls)?;
        let target = config_resource(resource.resource_type, &resource.resource_name)?;
        self.change_configs(&target, &ops)
    }

    fn finish(
        &self,
        records: &mut Vec<MetadataRecord>,
        results: &mut [Result<(), ApiError>],
        validate_only: bool,
    ) {
        let clear_elr = self.clear_elr_records(records);
        records.extend(clear_elr);
        if let Err(error) = check_record_count(records) {
            records.clear();
            results.fill(Err(error));
        }
        if validate_only {
            records.clear();
        }
    }
}

fn config_resource(code: i8, name: &str) -> Result<ConfigResource, ApiError> {
    let unknown =
        || ApiError::new(ErrorCode::InvalidRequest, format!("Unknown resource type {code}"));
    match ResourceType::from_code(code).ok_or_else(unknown)? {
        // levels of loggers are not metadata
        ResourceType::BrokerLogger => Err(unknown()),
        resource_type => Ok(ConfigResource::new(resource_type, name)),
    }
}

fn named_twice<'a>(keys: &[(i8, &'a str)]) -> BTreeSet<(i8, &'a str)> {
    let mut seen = BTreeSet::new();
    keys.iter().copied().filter(|key| !seen.insert(*key)).collect()
}

fn named_more_than_once() -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest, "Each resource must appear at most once.")
}

fn check_names<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), ApiError> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            let message = "Error due to duplicate config keys";
            return Err(ApiError::new(ErrorCode::InvalidRequest, message));
        }
    }
    Ok(())
}

fn check_nulls(names: Vec<&str>) -> Result<(), ApiError> {
    if names.is_empty() {
        return Ok(());
    }
    let message = format!("Null value not supported for : {}", names.join(", "));
    Err(ApiError::new(ErrorCode::InvalidRequest, message))
}
