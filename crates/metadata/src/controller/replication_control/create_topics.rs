//! CreateTopics.

use super::super::context::check_record_count;
use super::super::replica_placer::place;
use super::super::{ApiError, Controller, ControllerContext, ControllerResult};
use super::PARTITIONS_PER_REQUEST_MAX;
use crate::config_resolution::effective_topic_value;
use crate::image::{ConfigMap, ConfigResource};
use crate::partition_registration::PartitionRegistration;
use crate::records::{MetadataRecord, TopicRecord};
use crate::topic_name;
use klamm_protocol::messages::create_topics_request::{CreatableTopic, CreateTopicsRequest};
use klamm_protocol::messages::create_topics_response::{
    CreatableTopicConfigs, CreatableTopicResult, CreateTopicsResponse,
};
use klamm_protocol::{ErrorCode, Str};
use klamm_record::TopicId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Controller {
    /// Creates topics, each alone: one that is refused does not hold up the others.
    ///
    /// `may_describe_configs` says for which topics the response may tell the configurations.
    pub fn create_topics(
        &self,
        ctx: &ControllerContext,
        request: &CreateTopicsRequest,
        may_describe_configs: impl Fn(&str) -> bool,
    ) -> ControllerResult<CreateTopicsResponse> {
        let (topics, duplicates) = split_duplicates(&request.topics);
        let mut records = Vec::new();
        let mut results = Vec::with_capacity(request.topics.len());
        let whole = self.check_partition_count(&topics);
        for topic in &topics {
            let start = records.len();
            let created = whole.clone().and_then(|()| {
                let describe = may_describe_configs(&topic.name);
                self.create_topic(ctx, topic, describe, &mut records)
            });
            results.push(created.unwrap_or_else(|error| {
                records.truncate(start);
                refused(&topic.name, error)
            }));
        }
        if let Err(error) = check_record_count(&records) {
            records.clear();
            results = topics.iter().map(|topic| refused(&topic.name, error.clone())).collect();
        }
        results.extend(duplicates.into_iter().map(|name| {
            refused(&name, ApiError::new(ErrorCode::InvalidRequest, "Duplicate topic name."))
        }));
        if request.validate_only {
            records.clear();
        }
        let response = CreateTopicsResponse { topics: results, ..CreateTopicsResponse::default() };
        ControllerResult::atomic_of(records, response)
    }

    fn check_partition_count(&self, topics: &[&CreatableTopic]) -> Result<(), ApiError> {
        let count = |topic: &&CreatableTopic| match topic.num_partitions {
            _ if !topic.assignments.is_empty() => topic.assignments.len() as i64,
            -1 => i64::from(self.config.default_num_partitions),
            count => i64::from(count.max(0)),
        };
        if topics.iter().map(count).sum::<i64>() > PARTITIONS_PER_REQUEST_MAX {
            let message = "Excessively large number of partitions per request.";
            return Err(ApiError::new(ErrorCode::PolicyViolation, message));
        }
        Ok(())
    }

    fn create_topic(
        &self,
        ctx: &ControllerContext,
        topic: &CreatableTopic,
        describe: bool,
        records: &mut Vec<MetadataRecord>,
    ) -> Result<CreatableTopicResult, ApiError> {
        self.check_name(&topic.name)?;
        let configs = creation_configs(topic)?;
        let config_records =
            self.new_topic_configs(&ConfigResource::topic(&topic.name), &configs)?;
        let partitions = if topic.assignments.is_empty() {
            self.place_partitions(ctx, topic)?
        } else {
            self.assigned_partitions(topic)?
        };
        let id = ctx.topic_id();
        records
            .push(MetadataRecord::Topic(TopicRecord { name: topic.name.clone(), topic_id: id.0 }));
        records.extend(config_records);
        let options = self.record_options();
        records.extend(partitions.iter().enumerate().map(|(at, partition)| {
            MetadataRecord::Partition(partition.to_record(id, at as i32, options))
        }));
        Ok(self.created(topic, id, &partitions, describe.then_some(&configs)))
    }

    fn check_name(&self, name: &str) -> Result<(), ApiError> {
        if name == topic_name::CLUSTER_METADATA_TOPIC {
            let message = format!("Creation of internal topic {name} is prohibited.");
            return Err(ApiError::new(ErrorCode::InvalidRequest, message));
        }
        if self.latest.image.topics.id_of(name).is_some() {
            let message = format!("Topic '{name}' already exists.");
            return Err(ApiError::new(ErrorCode::TopicAlreadyExists, message));
        }
        topic_name::validate(name)
            .map_err(|message| ApiError::new(ErrorCode::InvalidTopicException, message))?;
        match self.latest.colliding_topic(name) {
            Some(other) => Err(ApiError::new(
                ErrorCode::InvalidTopicException,
                format!("Topic '{name}' collides with existing topic: {other}"),
            )),
            None => Ok(()),
        }
    }

    fn assigned_partitions(
        &self,
        topic: &CreatableTopic,
    ) -> Result<Vec<PartitionRegistration>, ApiError> {
        let request = |message| Err(ApiError::new(ErrorCode::InvalidRequest, message));
        let assignment = |message| Err(ApiError::new(ErrorCode::InvalidReplicaAssignment, message));
        if topic.replication_factor != -1 {
            return request(
                "A manual partition assignment was specified, but replication factor was not set to -1.",
            );
        }
        if topic.num_partitions != -1 {
            return request(
                "A manual partition assignment was specified, but numPartitions was not set to -1.",
            );
        }
        let mut partitions = BTreeMap::new();
        let mut factor = None;
        for it in &topic.assignments {
            let index = it.partition_index;
            if partitions.contains_key(&index) {
                return assignment(format!(
                    "Found multiple manual partition assignments for partition {index}"
                ));
            }
            self.check_assignment(&it.broker_ids, factor)?;
            factor = Some(it.broker_ids.len());
            let replicas = crate::partition_registration::brokers(&it.broker_ids);
            let Some(partition) = self.new_partition(replicas) else {
                return assignment(format!(
                    "All brokers specified in the manual partition assignment for partition {index} are fenced or in \
                     controlled shutdown."
                ));
            };
            partitions.insert(index, partition);
        }
        if !partitions.keys().copied().eq(0..partitions.len() as i32) {
            return assignment(
                "partitions should be a consecutive 0-based integer sequence".to_owned(),
            );
        }
        Ok(partitions.into_values().collect())
    }

    fn place_partitions(
        &self,
        ctx: &ControllerContext,
        topic: &CreatableTopic,
    ) -> Result<Vec<PartitionRegistration>, ApiError> {
        if topic.replication_factor < -1 || topic.replication_factor == 0 {
            return Err(ApiError::new(
                ErrorCode::InvalidReplicationFactor,
                "Replication factor must be larger than 0, or -1 to use the default value.",
            ));
        }
        if topic.num_partitions < -1 || topic.num_partitions == 0 {
            return Err(ApiError::new(
                ErrorCode::InvalidPartitions,
                "Number of partitions was set to an invalid non-positive value.",
            ));
        }
        let count = match topic.num_partitions {
            -1 => self.config.default_num_partitions,
            count => count,
        };
        let factor = match topic.replication_factor {
            -1 => self.config.default_replication_factor,
            factor => factor,
        };
        let unable = |reason: &str| {
            ApiError::new(
                ErrorCode::InvalidReplicationFactor,
                format!("Unable to replicate the partition {factor} time(s): {reason}"),
            )
        };
        let placed = place(ctx, self.usable_brokers(), count.max(0) as usize, factor)
            .map_err(|error| unable(&error.message.unwrap_or_default()))?;
        let fenced = "All brokers are currently fenced or in controlled shutdown.";
        placed
            .into_iter()
            .map(|replicas| self.new_partition(replicas).ok_or_else(|| unable(fenced)))
            .collect()
    }

    fn created(
        &self,
        topic: &CreatableTopic,
        id: TopicId,
        partitions: &[PartitionRegistration],
        configs: Option<&ConfigMap>,
    ) -> CreatableTopicResult {
        let mut result = CreatableTopicResult {
            name: topic.name.clone(),
            topic_id: id.0,
            error_message: None,
            ..CreatableTopicResult::default()
        };
        let Some(configs) = configs else {
            result.topic_config_error_code = ErrorCode::TopicAuthorizationFailed.code();
            return result;
        };
        result.num_partitions = partitions.len() as i32;
        result.replication_factor = partitions.first().map_or(-1, |it| it.replicas.len() as i16);
        let layers = self.layers();
        let keys = self.config.schema.topics.keys.iter();
        let keys = keys.filter(|key| !key.internal || configs.contains_key(key.name));
        let mut described: Vec<CreatableTopicConfigs> = keys
            .map(|key| {
                let (value, source) = effective_topic_value(key, &layers, configs);
                CreatableTopicConfigs {
                    name: Str::from(key.name),
                    value: value.filter(|_| !key.is_sensitive()).map(Str::from),
                    read_only: false,
                    config_source: source.code(),
                    is_sensitive: key.is_sensitive(),
                }
            })
            .collect();
        described.sort_by(|a, b| a.name.cmp(&b.name));
        result.configs = Some(described);
        result
    }
}

/// Topics named once, in order, and names that stand more than once.
fn split_duplicates(topics: &[CreatableTopic]) -> (Vec<&CreatableTopic>, BTreeSet<Str>) {
    let mut seen = BTreeSet::new();
    let names = topics.iter().map(|topic| topic.name.clone());
    let duplicates: BTreeSet<Str> = names.filter(|name| !seen.insert(name.clone())).collect();
    let unique = topics.iter().filter(|topic| !duplicates.contains(&topic.name)).collect();
    (unique, duplicates)
}

fn creation_configs(topic: &CreatableTopic) -> Result<ConfigMap, ApiError> {
    let nulls = topic.configs.iter().filter(|config| config.value.is_none());
    let nulls: Vec<&str> = nulls.map(|config| &*config.name).collect();
    if !nulls.is_empty() {
        let message = format!("Null value not supported for topic configs: {}", nulls.join(","));
        return Err(ApiError::new(ErrorCode::InvalidConfig, message));
    }
    let set = topic.configs.iter();
    Ok(set
        .filter_map(|it| Some((Arc::from(&*it.name), Arc::from(&**it.value.as_ref()?))))
        .collect())
}

fn refused(name: &Str, error: ApiError) -> CreatableTopicResult {
    let (error_code, error_message) = ApiError::fields(Err(error));
    CreatableTopicResult {
        name: name.clone(),
        error_code,
        error_message,
        ..CreatableTopicResult::default()
    }
}
