//! The rules of KIP-227, one by one.

use std::sync::Arc;
use std::time::Duration;

use klamm_env::Env;
use klamm_env::sim::Sim;
use klamm_protocol::ErrorCode;
use klamm_record::{LeaderEpoch, Offset, TopicId, TopicPartition, Uuid};
use prometheus_client::registry::Registry;

use super::*;

fn wanted(topic: &str, partition: i32, offset: i64) -> WantedPartition {
    let topic_partition = TopicPartition { topic: Arc::from(topic), partition };
    WantedPartition {
        key: PartitionKey { topic_id: TopicId(Uuid::ZERO), topic_partition },
        fetch_offset: Offset(offset),
        max_bytes: 1 << 20,
        current_leader_epoch: LeaderEpoch::NONE,
        last_fetched_epoch: LeaderEpoch::NONE,
    }
}

fn request(id: i32, epoch: i32, partitions: Vec<WantedPartition>) -> SessionRequest {
    SessionRequest {
        session_id: id,
        session_epoch: epoch,
        uses_topic_ids: false,
        partitions,
        forgotten: Vec::new(),
    }
}

fn sent(has_records: bool, high_watermark: i64) -> Sent {
    Sent { has_records, error: false, diverging: false, high_watermark, log_start_offset: 0 }
}

fn cache(slots: usize) -> FetchSessionCache {
    FetchSessionCache::new(slots, &mut Registry::default())
}

/// Begins a session of `count` partitions of `t` and returns its id.
fn begin(cache: &FetchSessionCache, env: &Env, count: i32) -> i32 {
    let partitions: Vec<_> = (0..count).map(|partition| wanted("t", partition, 0)).collect();
    let mut fetch = cache.begin(env, request(0, INITIAL_EPOCH, partitions)).unwrap();
    let (id, included) = fetch.finish(cache, env, &vec![sent(false, 5); count as usize]);
    assert!(included.iter().all(|told| *told), "a full fetch tells everything");
    id
}

fn names(fetch: &FetchContext) -> Vec<i32> {
    fetch.partitions().iter().map(|it| it.key.topic_partition.partition).collect()
}

#[test]
fn a_session_tells_only_what_changed() {
    Sim::new(1).run(|env| async move {
        let cache = cache(10);
        let id = begin(&cache, &env, 3);
        assert_ne!(id, 0);
        let mut fetch = cache.begin(&env, request(id, 1, Vec::new())).unwrap();
        assert_eq!(names(&fetch), [0, 1, 2]);
        let answers = [sent(false, 5), sent(true, 9), sent(false, 6)];
        let (again, included) = fetch.finish(&cache, &env, &answers);
        assert_eq!((again, included), (id, vec![false, true, true]));
        // the partition that had records goes to the back
        let fetch = cache.begin(&env, request(id, 2, Vec::new())).unwrap();
        assert_eq!(names(&fetch), [0, 2, 1]);
    });
}

#[test]
fn partitions_come_change_and_go() {
    Sim::new(2).run(|env| async move {
        let cache = cache(10);
        let id = begin(&cache, &env, 2);
        let mut changes = request(id, 1, vec![wanted("t", 1, 7), wanted("t", 5, 0)]);
        changes.forgotten = vec![wanted("t", 0, 0).key];
        let fetch = cache.begin(&env, changes).unwrap();
        assert_eq!(names(&fetch), [1, 5]);
        assert_eq!(fetch.partitions()[0].fetch_offset, Offset(7));
    });
}

#[test]
fn wrong_ids_and_epochs_change_nothing() {
    Sim::new(3).run(|env| async move {
        let cache = cache(10);
        let id = begin(&cache, &env, 1);
        let error = |request| cache.begin(&env, request).unwrap_err();
        assert_eq!(error(request(id + 1, 1, Vec::new())), ErrorCode::FetchSessionIdNotFound);
        assert_eq!(error(request(id, 2, Vec::new())), ErrorCode::InvalidFetchSessionEpoch);
        let by_id = SessionRequest { uses_topic_ids: true, ..request(id, 1, Vec::new()) };
        assert_eq!(error(by_id), ErrorCode::FetchSessionTopicIdError);
        assert!(cache.begin(&env, request(id, 1, Vec::new())).is_ok());
        // the epoch has moved on: the same request again is an old one
        assert_eq!(error(request(id, 1, Vec::new())), ErrorCode::InvalidFetchSessionEpoch);
    });
}

#[test]
fn an_error_is_told_and_so_is_its_end() {
    Sim::new(4).run(|env| async move {
        let cache = cache(10);
        let id = begin(&cache, &env, 1);
        let failed =
            Sent { error: true, high_watermark: -1, log_start_offset: -1, ..sent(false, 0) };
        for (epoch, answer, told) in [
            (1, failed, true),
            (2, failed, true),
            (3, sent(false, 5), true),
            (4, sent(false, 5), false),
        ] {
            let mut fetch = cache.begin(&env, request(id, epoch, Vec::new())).unwrap();
            let (_, included) = fetch.finish(&cache, &env, &[answer]);
            assert_eq!(included, [told], "epoch {epoch}");
        }
    });
}

#[test]
fn a_full_cache_evicts_only_what_is_old() {
    Sim::new(5).run(|env| async move {
        let cache = cache(1);
        let first = begin(&cache, &env, 1);
        assert_eq!(begin(&cache, &env, 1), 0, "no room: the fetch goes without a session");
        env.clock().sleep(Duration::from_millis(120_001)).await;
        let second = begin(&cache, &env, 1);
        assert_ne!(second, 0);
        let error = cache.begin(&env, request(first, 1, Vec::new())).unwrap_err();
        assert_eq!(error, ErrorCode::FetchSessionIdNotFound);
    });
}

#[test]
fn a_session_is_closed_by_its_client() {
    Sim::new(6).run(|env| async move {
        let cache = cache(10);
        let id = begin(&cache, &env, 1);
        let fetch = cache.begin(&env, request(id, FINAL_EPOCH, vec![wanted("t", 0, 3)])).unwrap();
        assert_eq!(names(&fetch), [0]);
        assert!(cache.is_empty());
        // forgetting the last partition closes it as well
        let id = begin(&cache, &env, 1);
        let mut last = request(id, 1, Vec::new());
        last.forgotten = vec![wanted("t", 0, 0).key];
        assert!(cache.begin(&env, last).unwrap().partitions().is_empty());
        assert!(cache.is_empty());
    });
}

#[test]
fn a_partition_named_twice_is_in_the_session_once() {
    Sim::new(7).run(|env| async move {
        let cache = cache(10);
        let twice = vec![wanted("t", 0, 0), wanted("t", 1, 0), wanted("t", 0, 3)];
        let mut fetch = cache.begin(&env, request(0, INITIAL_EPOCH, twice)).unwrap();
        let (id, _) = fetch.finish(&cache, &env, &[sent(false, 5); 3]);
        let fetch = cache.begin(&env, request(id, 1, Vec::new())).unwrap();
        assert_eq!(names(&fetch), [0, 1]);
        assert_eq!(fetch.partitions()[0].fetch_offset, Offset(3));
    });
}

/// With a search through all partitions for each of them, this takes minutes.
#[test]
fn a_session_of_very_many_partitions_is_as_quick_for_each_of_them() {
    Sim::new(8).run(|env| async move {
        let (cache, count) = (cache(10), 100_000);
        let id = begin(&cache, &env, count);
        let all: Vec<_> = (0..count).map(|partition| wanted("t", partition, 1)).collect();
        let mut fetch = cache.begin(&env, request(id, 1, all)).unwrap();
        let (_, included) = fetch.finish(&cache, &env, &vec![sent(true, 6); count as usize]);
        assert!(included.iter().all(|told| *told));
        let mut rest = request(id, 2, Vec::new());
        rest.forgotten = (1..count).map(|partition| wanted("t", partition, 0).key).collect();
        let fetch = cache.begin(&env, rest).unwrap();
        assert_eq!(names(&fetch), [0]);
    });
}
