//! Partitions in the simulation: appends, long polls, rolls, deletion while appending, offsets.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use klamm_env::Env;
use klamm_env::sim::Sim;
use klamm_metadata::image::ConfigMap;
use klamm_metadata::records::{
    ConfigRecord, MetadataRecord, PartitionRecord, RemoveTopicRecord, TopicRecord,
};
use klamm_metadata::{ConfigSchema, MetadataDelta, MetadataImage, MetadataProvenance};
use klamm_record::{
    BatchBuilder, BatchOptions, BrokerId, LeaderEpoch, Offset, TopicPartition, Uuid, ValidBatch,
};
use klamm_replica::{
    Acks, AppendError, FetchError, FetchParams, FetchPartition, Isolation, OffsetAsker,
    OffsetQuery, Partition, PartitionError, ReplicaManager, ReplicaManagerArgs, TopicConfigs,
};
use klamm_storage::log_config::TOPIC_CONFIGS;
use klamm_storage::log_manager::DirArgs;
use klamm_storage::producer_state::ProducerStateConfig;
use klamm_storage::{LogConfig, LogManager, LogManagerArgs, OffsetSpec, Origin, StorageMetrics};
use prometheus_client::registry::Registry;

const NODE: BrokerId = BrokerId(1);
const TOPIC: Uuid = Uuid::from_parts(7, 7);

/// A node's replica manager with one partition, `orders-0`, that it leads alone.
struct World {
    env: Env,
    manager: Arc<ReplicaManager>,
    image: MetadataImage,
    registry: Registry,
}

impl World {
    async fn start(env: Env) -> World {
        let mut world = World::without_topics(env).await;
        world.create_topic("orders", TOPIC, 1);
        world
    }

    async fn without_topics(env: Env) -> World {
        let mut registry = Registry::default();
        let path = Path::new("/data").to_path_buf();
        env.disk().create_dir_all(&path).expect("makes it");
        let args = LogManagerArgs {
            env: env.clone(),
            dirs: vec![DirArgs { path, id: Some(Uuid::from_parts(9, 1)) }],
            config_of: Arc::new(|_| Arc::new(LogConfig::default())),
            producer_state: ProducerStateConfig::default(),
            recovery_jobs_per_dir: 1,
            metrics: StorageMetrics::register(&mut registry),
        };
        let (log_manager, _) = LogManager::open(args).await.expect("opens");
        let schema = ConfigSchema {
            topics: &TOPIC_CONFIGS,
            brokers: &TOPIC_CONFIGS,
            groups: &TOPIC_CONFIGS,
            client_metrics: &TOPIC_CONFIGS,
        };
        let broker: ConfigMap = [("log.segment.bytes", "1048576")]
            .map(|(k, v)| (Arc::<str>::from(k), Arc::<str>::from(v)))
            .into_iter()
            .collect();
        let args = ReplicaManagerArgs {
            node: NODE,
            scope: env.scope("replica"),
            env: env.clone(),
            log_manager,
            topic_configs: TopicConfigs::new(schema, NODE, broker),
        };
        let manager = ReplicaManager::new(args, &mut registry);
        World { env, manager, image: MetadataImage::empty(), registry }
    }

    fn create_topic(&mut self, name: &str, topic_id: Uuid, partitions: i32) {
        let topic = MetadataRecord::Topic(TopicRecord { name: name.into(), topic_id });
        let partitions = (0..partitions).map(|partition_id| {
            MetadataRecord::Partition(PartitionRecord {
                partition_id,
                topic_id,
                replicas: vec![1],
                isr: vec![1],
                leader: 1,
                leader_epoch: 3,
                partition_epoch: 0,
                ..PartitionRecord::default()
            })
        });
        let records: Vec<_> = std::iter::once(topic).chain(partitions).collect();
        self.change(&records);
    }

    fn set_config(&mut self, resource_type: i8, resource_name: &str, name: &str, value: &str) {
        self.change(&[MetadataRecord::Config(ConfigRecord {
            resource_type,
            resource_name: resource_name.into(),
            name: name.into(),
            value: Some(value.into()),
        })]);
    }

    fn change(&mut self, records: &[MetadataRecord]) {
        let mut delta = MetadataDelta::new(&self.image);
        for record in records {
            delta.replay(record).expect("replays");
        }
        self.image = delta.apply(MetadataProvenance::EMPTY);
        self.manager.apply(&delta, &self.image);
    }

    fn delete_topic(&mut self) {
        self.change(&[MetadataRecord::RemoveTopic(RemoveTopicRecord { topic_id: TOPIC })]);
    }

    /// The value of a counter, as `/metrics` shows it.
    fn counted(&self, name: &str) -> u64 {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).expect("encodes");
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.expect("is declared").parse().expect("is a whole number")
    }

    fn partition(&self) -> Arc<Partition> {
        self.manager.partition(&orders(), None).expect("is here")
    }
}

fn orders() -> TopicPartition {
    TopicPartition::new("orders", 0)
}

fn batch(count: i64, value_bytes: usize) -> ValidBatch {
    let mut builder = BatchBuilder::new(BatchOptions::default());
    for i in 0..count {
        builder.append(1_000 + i, None, Some(&vec![b'v'; value_bytes]), &[]);
    }
    ValidBatch::trusted(builder.build().expect("builds")).expect("is sound")
}

async fn append(partition: &Arc<Partition>, batch: ValidBatch) -> Result<i64, AppendError> {
    let appended = partition.append_as_leader(batch, Origin::Client, Acks::All).await?;
    assert!(appended.is_acknowledged(), "nobody else is in sync");
    Ok(appended.info.base_offset.0)
}

fn fetch_from(offset: i64) -> FetchPartition {
    FetchPartition {
        topic_partition: orders(),
        topic_id: None,
        fetch_offset: Offset(offset),
        max_bytes: 1 << 20,
        current_leader_epoch: LeaderEpoch::NONE,
        last_fetched_epoch: LeaderEpoch::NONE,
    }
}

fn params(min_bytes: u32) -> FetchParams {
    FetchParams {
        min_bytes,
        max_bytes: 1 << 20,
        max_wait: Duration::from_secs(10),
        isolation: Isolation::ReadUncommitted,
    }
}

#[test]
fn a_long_poll_wakes_when_enough_bytes_have_come() {
    Sim::new(1).run(|env| async move {
        let world = World::start(env).await;
        let partition = world.partition();
        let size = batch(1, 100).size_bytes() as u32;
        append(&partition, batch(1, 100)).await.expect("appends");
        let (manager, clock) = (Arc::clone(&world.manager), world.env.clock().clone());
        let began = clock.now();
        let fetch = world.env.scope("test").spawn("fetch", async move {
            let answers = manager.fetch(params(3 * size), &[fetch_from(0)]).await;
            answers[0].as_ref().expect("reads").size_bytes()
        });
        clock.sleep(Duration::from_secs(1)).await;
        append(&partition, batch(1, 100)).await.expect("appends");
        clock.sleep(Duration::from_secs(1)).await;
        append(&partition, batch(1, 100)).await.expect("appends");
        assert_eq!(fetch.await.expect("ends"), u64::from(3 * size));
        let waited = clock.now() - began;
        assert!(waited < Duration::from_secs(3), "{waited:?}");
    });
}

#[test]
fn appends_of_many_tasks_stay_dense_over_rolls() {
    for seed in 0..8 {
        Sim::new(seed).run(|env| async move {
            let world = World::start(env).await;
            let scope = world.env.scope("test");
            let tasks: Vec<_> = (0..20)
                .map(|_| {
                    let partition = world.partition();
                    scope.spawn("append", async move {
                        let mut offsets = Vec::new();
                        for _ in 0..4 {
                            offsets
                                .push(append(&partition, batch(2, 40_000)).await.expect("appends"));
                        }
                        offsets
                    })
                })
                .collect();
            let mut offsets = Vec::new();
            for task in tasks {
                let own = task.await.expect("ends");
                assert!(own.is_sorted(), "{own:?}");
                offsets.extend(own);
            }
            offsets.sort_unstable();
            assert_eq!(offsets, (0..80).map(|i| i * 2).collect::<Vec<_>>());
            let log = world.partition().log().await.expect("is open");
            assert_eq!(log.high_watermark(), Offset(160));
            assert!(log.segments().len() > 3, "6 MB in segments of 1 MB");
        });
    }
}

#[test]
fn deleting_a_topic_answers_appends_and_long_polls() {
    for seed in 0..8 {
        Sim::new(seed).run(|env| async move {
            let mut world = World::start(env).await;
            append(&world.partition(), batch(1, 10)).await.expect("appends");
            let scope = world.env.scope("test");
            let appends: Vec<_> = (0..30)
                .map(|_| {
                    let partition = world.partition();
                    scope.spawn("append", async move { append(&partition, batch(2, 60_000)).await })
                })
                .collect();
            let manager = Arc::clone(&world.manager);
            let fetch = scope.spawn("fetch", async move {
                manager.fetch(params(1), &[fetch_from(1_000)]).await.remove(0)
            });
            let partition = world.partition();
            world.delete_topic();
            for task in appends {
                match task.await.expect("ends") {
                    Ok(_) | Err(AppendError::Partition(PartitionError::Closed(_))) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            let fetched = fetch.await.expect("ends");
            assert!(matches!(fetched, Err(FetchError::Lookup(_) | FetchError::Read(_))));
            world.env.clock().sleep(Duration::from_secs(1)).await;
            let late = append(&partition, batch(1, 1)).await;
            assert!(matches!(late, Err(AppendError::Partition(PartitionError::Closed(_)))));
            assert!(!world.manager.log_manager().contains(&orders()));
        });
    }
}

#[test]
fn closing_waits_for_an_opening_that_nobody_waits_for() {
    Sim::new(3).run(|env| async move {
        let world = World::start(env).await;
        append(&world.partition(), batch(1, 10)).await.expect("appends");
        world.manager.shutdown().await;
        let env = world.env.clone();
        drop(world);
        // a log that is there already is opened by whoever needs it first
        let world = World::start(env).await;
        let partition = world.partition();
        {
            let opening = partition.log();
            tokio::pin!(opening);
            tokio::select! {
                biased;
                _ = &mut opening => {}
                () = std::future::ready(()) => {}
            }
        }
        world.manager.shutdown().await;
        assert!(partition.opened_log().is_some(), "else it would be opened after its closing");
        let late = append(&partition, batch(1, 1)).await;
        assert!(matches!(late, Err(AppendError::Partition(PartitionError::Closed(_)))));
    });
}

#[test]
fn offsets_are_told_by_time_and_by_epoch() {
    Sim::new(4).run(|env| async move {
        let world = World::start(env).await;
        let partition = world.partition();
        append(&partition, batch(5, 10)).await.expect("appends");
        let asked = async |spec, epoch| {
            let asker = OffsetAsker::Consumer(Isolation::ReadUncommitted);
            let query = OffsetQuery { spec, asker, current_leader_epoch: LeaderEpoch(epoch) };
            partition
                .list_offset(query)
                .await
                .map(|it| (it.timestamp_ms, it.offset.0, it.leader_epoch.0))
        };
        assert_eq!(asked(OffsetSpec::Latest, -1).await, Ok((-1, 5, 3)));
        assert_eq!(asked(OffsetSpec::Earliest, 3).await, Ok((-1, 0, 3)));
        assert_eq!(asked(OffsetSpec::Timestamp(1_002), 3).await, Ok((1_002, 2, 3)));
        assert_eq!(asked(OffsetSpec::Timestamp(9_000), 3).await, Ok((-1, -1, -1)));
        assert_eq!(asked(OffsetSpec::MaxTimestamp, 3).await, Ok((1_004, 4, 3)));
        assert_eq!(asked(OffsetSpec::LatestTiered, 3).await, Ok((-1, -1, -1)));
        let fenced = asked(OffsetSpec::Latest, 2).await.expect_err("is old");
        assert!(fenced.to_string().contains("older than the current epoch 3"), "{fenced}");
        assert!(asked(OffsetSpec::Latest, 4).await.is_err());
        let end = partition.epoch_end(LeaderEpoch(3), LeaderEpoch::NONE).await.expect("tells");
        assert_eq!((end.leader_epoch.0, end.end_offset.0), (3, 5));
        let end = partition.epoch_end(LeaderEpoch(9), LeaderEpoch::NONE).await.expect("tells");
        assert_eq!((end.leader_epoch.0, end.end_offset.0), (-1, -1));
    });
}

#[test]
fn waits_cold_reads_and_flushes_are_counted() {
    Sim::new(5).run(|env| async move {
        let world = World::start(env).await;
        let partition = world.partition();
        append(&partition, batch(1, 10)).await.expect("appends");
        let fetch =
            async |min_bytes| world.manager.fetch(params(min_bytes), &[fetch_from(0)]).await;
        fetch(1).await;
        assert_eq!(world.counted("klamm_replica_delayed_fetches_total"), 0);
        fetch(1 << 20).await;
        assert_eq!(world.counted("klamm_replica_delayed_fetches_total"), 1);

        for _ in 0..200 {
            fetch(1).await; // the simulated page cache has forgotten something now and then
        }
        let cold = world.counted("klamm_replica_cold_reads_total");
        assert!((1..200).contains(&cold), "{cold}");

        assert_eq!(world.counted("kafka_log_flush_time_seconds_count"), 0);
        append(&partition, batch(2, 400_000)).await.expect("appends");
        append(&partition, batch(2, 400_000)).await.expect("rolls");
        world.env.clock().sleep(Duration::from_secs(1)).await;
        let flushes = world.counted("kafka_log_flush_time_seconds_count");
        assert!(flushes > 0);
        world.manager.shutdown().await;
        assert!(world.counted("kafka_log_flush_time_seconds_count") > flushes);
    });
}

#[test]
fn a_topic_that_comes_back_under_its_name_gets_a_log_of_its_own() {
    for seed in 0..16 {
        Sim::new(seed).run(|env| async move {
            let mut world = World::start(env).await;
            append(&world.partition(), batch(5, 10)).await.expect("appends");
            let again = Uuid::from_parts(7, 8);
            world.delete_topic();
            world.create_topic("orders", again, 1);
            // at first it may have to wait for the old one to leave
            let appended = loop {
                match append(&world.partition(), batch(1, 10)).await {
                    Err(AppendError::Partition(PartitionError::Closed(_))) => {
                        world.env.clock().sleep(Duration::from_millis(1)).await;
                    }
                    other => break other,
                }
            };
            assert_eq!(appended.expect("appends"), 0);
            world.env.clock().sleep(Duration::from_secs(1)).await;
            assert_eq!(append(&world.partition(), batch(1, 10)).await.expect("appends"), 1);
            let there = world.manager.log_manager().topic_id(&orders()).expect("reads");
            assert_eq!(there, Some(again.into()));
        });
    }
}

#[test]
fn the_directory_of_a_topic_deleted_before_the_node_stopped_is_set_aside() {
    Sim::new(5).run(|env| async move {
        let world = World::start(env).await;
        append(&world.partition(), batch(5, 10)).await.expect("appends");
        world.manager.shutdown().await;
        // the node stopped before the deletion reached the disk
        let mut world = World::without_topics(world.env).await;
        world.create_topic("orders", Uuid::from_parts(7, 8), 1);
        assert_eq!(append(&world.partition(), batch(1, 10)).await.expect("appends"), 0);
        let left = world.env.disk().list(Path::new("/data")).expect("lists");
        assert!(left.iter().any(|entry| entry.name.ends_with("-stray")), "{left:?}");
    });
}

#[test]
fn configs_reach_the_partitions_they_are_for() {
    Sim::new(6).run(|env| async move {
        let mut world = World::start(env).await;
        for (at, name) in ["order", "orders-2"].into_iter().enumerate() {
            world.create_topic(name, Uuid::from_parts(8, at as u64), 3);
        }
        world.set_config(2, "order", "retention.ms", "1000");
        let retention = |world: &World| -> Vec<i64> {
            world.manager.partitions().iter().map(|it| it.config().retention_ms).collect()
        };
        let week = 7 * 24 * 3_600_000;
        assert_eq!(retention(&world), [1000, 1000, 1000, week, week, week, week]);
        world.set_config(4, "", "log.retention.ms", "2000");
        assert_eq!(retention(&world), [1000, 1000, 1000, 2000, 2000, 2000, 2000]);
        for (deleted, left) in [(false, 7), (true, 6)] {
            if deleted {
                world.delete_topic();
            }
            assert_eq!(world.counted("klamm_replica_partitions"), left);
            assert_eq!(world.counted("klamm_replica_leaders"), left);
        }
    });
}

#[test]
fn logs_are_closed_several_at_a_time() {
    Sim::new(7).run(|env| async move {
        let mut world = World::start(env).await;
        let count = 128;
        world.create_topic("many", Uuid::from_parts(8, 1), count);
        for partition in world.manager.partitions() {
            append(&partition, batch(1, 10)).await.expect("appends");
        }
        let clock = world.env.clock();
        let began = clock.now();
        world.manager.shutdown().await;
        let took = clock.now() - began;
        // 640 ms one after the other
        assert!(took < Duration::from_millis(400), "{took:?}");
    });
}

#[test]
fn a_fetch_from_an_older_segment_does_not_wait_for_more() {
    Sim::new(8).run(|env| async move {
        let world = World::start(env).await;
        let partition = world.partition();
        for _ in 0..20 {
            append(&partition, batch(2, 40_000)).await.expect("appends");
        }
        let segments = partition.log().await.expect("is open").segments();
        let second = segments.iter().nth(1).expect("has rolled").base_offset().0;
        let clock = world.env.clock();
        let began = clock.now();
        let answers = world.manager.fetch(params(500_000), &[fetch_from(second - 1)]).await;
        let found = answers[0].as_ref().expect("reads").size_bytes();
        assert!((80_000..500_000).contains(&found), "{found}");
        assert!(clock.now() - began < Duration::from_secs(1));
    });
}

#[test]
fn directories_that_the_metadata_do_not_know_are_set_aside_at_start() {
    Sim::new(9).run(|env| async move {
        let mut world = World::start(env).await;
        world.create_topic("kept", Uuid::from_parts(8, 1), 1);
        for partition in world.manager.partitions() {
            append(&partition, batch(5, 10)).await.expect("appends");
        }
        world.manager.shutdown().await;
        let mut world = World::without_topics(world.env).await;
        world.create_topic("kept", Uuid::from_parts(8, 1), 1);
        world.manager.set_strays_aside();
        let kept: Vec<_> = world.manager.log_manager().partitions().into_iter().collect();
        assert_eq!(kept.len(), 1);
        assert_eq!(&*kept[0].0.topic, "kept");
        let names = world.env.disk().list(Path::new("/data")).expect("lists");
        assert!(names.iter().any(|it| it.name.ends_with("-stray")), "{names:?}");
        let partition = &world.manager.partitions()[0];
        assert_eq!(append(partition, batch(1, 10)).await.expect("appends"), 5);
    });
}
