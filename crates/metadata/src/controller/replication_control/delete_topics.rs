//! DeleteTopics, by name and by id.

use super::super::context::check_record_count;
use super::super::{ApiError, Controller, ControllerResult};
use crate::records::{MetadataRecord, RemoveTopicRecord};
use klamm_protocol::messages::delete_topics_request::DeleteTopicsRequest;
use klamm_protocol::messages::delete_topics_response::{
    DeletableTopicResult, DeleteTopicsResponse,
};
use klamm_protocol::{ErrorCode, Str};
use klamm_record::{TopicId, Uuid};
use std::collections::BTreeSet;

impl Controller {
    /// Deletes topics, each alone. Whether deleting is allowed at all (`delete.topic.enable`) has been asked before.
    pub fn delete_topics(
        &self,
        request: &DeleteTopicsRequest,
    ) -> ControllerResult<DeleteTopicsResponse> {
        let mut results = Vec::new();
        let (mut names, mut ids) = (Named::default(), Named::default());
        for name in &request.topic_names {
            names.add(name.clone());
        }
        for topic in &request.topics {
            match (&topic.name, topic.topic_id) {
                (None, Uuid::ZERO) => results.push(refused(
                    None,
                    Uuid::ZERO,
                    ApiError::new(
                        ErrorCode::InvalidRequest,
                        "Neither topic name nor id were specified.",
                    ),
                )),
                (None, id) => ids.add(id),
                (Some(name), Uuid::ZERO) => names.add(name.clone()),
                (Some(name), id) => results.push(refused(
                    Some(name),
                    id,
                    ApiError::new(
                        ErrorCode::InvalidRequest,
                        "You may not specify both topic name and topic id.",
                    ),
                )),
            }
        }
        for name in &names.twice {
            let error = ApiError::new(ErrorCode::InvalidRequest, "Duplicate topic name.");
            results.push(refused(Some(name), Uuid::ZERO, error));
        }
        for id in &ids.twice {
            let error = ApiError::new(ErrorCode::InvalidRequest, "Duplicate topic id.");
            results.push(refused(None, *id, error));
        }
        let doomed = self.find(&names, &ids, &mut results);
        let mut records: Vec<MetadataRecord> = doomed.iter().map(|(id, _)| remove(*id)).collect();
        let whole = check_record_count(&records);
        if whole.is_err() {
            records.clear();
        }
        for (id, name) in doomed {
            let (error_code, error_message) = ApiError::fields(whole.clone());
            let name = Some(name);
            results.push(DeletableTopicResult { name, topic_id: id.0, error_code, error_message });
        }
        let response =
            DeleteTopicsResponse { responses: results, ..DeleteTopicsResponse::default() };
        ControllerResult::atomic_of(records, response)
    }

    /// The topics that are there; those that are not get their error.
    fn find(
        &self,
        names: &Named<Str>,
        ids: &Named<Uuid>,
        results: &mut Vec<DeletableTopicResult>,
    ) -> Vec<(TopicId, Str)> {
        let topics = &self.latest.image.topics;
        let mut doomed: Vec<(TopicId, Str)> = Vec::new();
        for id in &ids.once {
            match topics.topic(TopicId(*id)) {
                Some(topic) => doomed.push((topic.id, Str::from(&*topic.name))),
                None => {
                    let message = "This server does not host this topic ID.";
                    results.push(refused(
                        None,
                        *id,
                        ApiError::new(ErrorCode::UnknownTopicId, message),
                    ));
                }
            }
        }
        for name in &names.once {
            let Some(id) = topics.id_of(name) else {
                let message = "This server does not host this topic-partition.";
                let error = ApiError::new(ErrorCode::UnknownTopicOrPartition, message);
                results.push(refused(Some(name), Uuid::ZERO, error));
                continue;
            };
            let before = doomed.len();
            doomed.retain(|(other, _)| *other != id);
            if doomed.len() < before || ids.twice.contains(&id.0) {
                let message = "The provided topic name maps to an ID that was already supplied.";
                let error = ApiError::new(ErrorCode::InvalidRequest, message);
                results.push(refused(Some(name), id.0, error));
            } else {
                doomed.push((id, name.clone()));
            }
        }
        doomed
    }
}

/// What was named once, in order, and what was named more than once.
#[derive(Debug)]
struct Named<T> {
    once: Vec<T>,
    twice: BTreeSet<T>,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self { once: Vec::new(), twice: BTreeSet::new() }
    }
}

impl<T: Ord + Clone> Named<T> {
    fn add(&mut self, item: T) {
        if self.once.contains(&item) {
            self.once.retain(|other| *other != item);
            self.twice.insert(item);
        } else if !self.twice.contains(&item) {
            self.once.push(item);
        }
    }
}

fn remove(id: TopicId) -> MetadataRecord {
    MetadataRecord::RemoveTopic(RemoveTopicRecord { topic_id: id.0 })
}

fn refused(name: Option<&Str>, topic_id: Uuid, error: ApiError) -> DeletableTopicResult {
    let (error_code, error_message) = ApiError::fields(Err(error));
    DeletableTopicResult { name: name.cloned(), topic_id, error_code, error_message }
}
