//! CreatePartitions.

use super::super::context::check_record_count;
use super::super::replica_placer::place;
use super::super::{ApiError, Controller, ControllerContext, ControllerResult};
use crate::image::TopicImage;
use crate::partition_registration::{PartitionRegistration, brokers};
use crate::records::MetadataRecord;
use klamm_protocol::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsRequest, CreatePartitionsTopic,
};
use klamm_protocol::messages::create_partitions_response::{
    CreatePartitionsResponse, CreatePartitionsTopicResult,
};
use klamm_protocol::{ErrorCode, Str};
use std::collections::BTreeSet;

impl Controller {
    /// Adds partitions to topics, each alone.
    pub fn create_partitions(
        &self,
        ctx: &ControllerContext,
        request: &CreatePartitionsRequest,
    ) -> ControllerResult<CreatePartitionsResponse> {
        let mut seen = BTreeSet::new();
        let names = request.topics.iter().map(|topic| &topic.name);
        let twice: BTreeSet<&Str> = names.filter(|name| !seen.insert(*name)).collect();
        let mut results: Vec<CreatePartitionsTopicResult> = twice
            .iter()
            .map(|name| {
                let error = ApiError::new(ErrorCode::InvalidRequest, "Duplicate topic name.");
                result(name, Err(error))
            })
            .collect();
        let mut records = Vec::new();
        for topic in request.topics.iter().filter(|topic| !twice.contains(&topic.name)) {
            let added = self.add_partitions(ctx, topic).and_then(|mut added| {
                records.append(&mut added);
                check_record_count(&records)
            });
            results.push(result(&topic.name, added));
        }
        if let Err(error) = check_record_count(&records) {
            records.clear();
            results =
                request.topics.iter().map(|it| result(&it.name, Err(error.clone()))).collect();
        }
        if request.validate_only {
            records.clear();
        }
        let response = CreatePartitionsResponse { results, ..CreatePartitionsResponse::default() };
        ControllerResult::atomic_of(records, response)
    }

    fn add_partitions(
        &self,
        ctx: &ControllerContext,
        request: &CreatePartitionsTopic,
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        let topic = self.latest.image.topics.topic_by_name(&request.name);
        let topic = topic.ok_or_else(|| ApiError::bare(ErrorCode::UnknownTopicOrPartition))?;
        let present = topic.partitions.len() as i32;
        let additional = additional(topic, request.count)?;
        let added = match &request.assignments {
            Some(assignments) if assignments.len() as i32 != additional => {
                let message = format!(
                    "Attempted to add {additional} additional partition(s), but only {} assignment(s) were specified.",
                    assignments.len()
                );
                return Err(ApiError::new(ErrorCode::InvalidReplicaAssignment, message));
            }
            Some(assignments) => self.assigned(topic, assignments)?,
            None => self.placed(ctx, topic, additional)?,
        };
        let options = self.record_options();
        Ok((present..)
            .zip(added)
            .map(|(at, partition)| {
                MetadataRecord::Partition(partition.to_record(topic.id, at, options))
            })
            .collect())
    }

    fn assigned(
        &self,
        topic: &TopicImage,
        assignments: &[CreatePartitionsAssignment],
    ) -> Result<Vec<PartitionRegistration>, ApiError> {
        let mut added = Vec::with_capacity(assignments.len());
        for (at, it) in (topic.partitions.len()..).zip(assignments) {
            self.check_assignment(&it.broker_ids, Some(replication_factor(topic)))?;
            added.push(self.new_partition(brokers(&it.broker_ids)).ok_or_else(|| {
                ApiError::new(
                    ErrorCode::InvalidReplicaAssignment,
                    format!(
                        "All brokers specified in the manual partition assignment for partition {at} are fenced or in \
                         controlled shutdown."
                    ),
                )
            })?);
        }
        Ok(added)
    }

    fn placed(
        &self,
        ctx: &ControllerContext,
        topic: &TopicImage,
        additional: i32,
    ) -> Result<Vec<PartitionRegistration>, ApiError> {
        if additional as usize > super::super::RECORDS_PER_OPERATION_MAX {
            let message = "Unable to perform excessively large batch operation.";
            return Err(ApiError::new(ErrorCode::PolicyViolation, message));
        }
        let factor = replication_factor(topic) as i16;
        let placed = place(ctx, self.usable_brokers(), additional as usize, factor)?;
        let fenced = || {
            ApiError::new(
                ErrorCode::InvalidReplicationFactor,
                format!(
                    "Unable to replicate the partition {factor} time(s): All brokers are currently fenced or in controlled \
                     shutdown."
                ),
            )
        };
        placed.into_iter().map(|replicas| self.new_partition(replicas).ok_or_else(fenced)).collect()
    }
}

fn additional(topic: &TopicImage, count: i32) -> Result<i32, ApiError> {
    let present = topic.partitions.len() as i32;
    let message = match count {
        _ if count == present => format!("Topic already has {present} partition(s)."),
        _ if count < present => format!(
            "The topic {} currently has {present} partition(s); {count} would not be an increase.",
            topic.name
        ),
        _ => return Ok(count - present),
    };
    Err(ApiError::new(ErrorCode::InvalidPartitions, message))
}

fn replication_factor(topic: &TopicImage) -> usize {
    topic.partitions.values().next().map_or(0, |partition| partition.replicas.len())
}

fn result(name: &Str, added: Result<(), ApiError>) -> CreatePartitionsTopicResult {
    let (error_code, error_message) = ApiError::fields(added);
    CreatePartitionsTopicResult { name: name.clone(), error_code, error_message }
}
