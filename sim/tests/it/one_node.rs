//! One node, several clients, crashes and restarts: what clients were told holds.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use klamm_env::sim::Sim;
use klamm_env::{Env, Rng, TaskHandle};
use klamm_protocol::ErrorCode;
use klamm_server::ServerHandle;
use klamm_sim::client::Client;
use klamm_sim::history::{History, Place, Rules};
use klamm_sim::requests::{NewTopic, Topic};
use klamm_sim::seeds;
use klamm_sim::workload::{
    Churner, Consumer, Deleter, Producer, ProducerPlan, TopicHistory, World, read_log,
};

use crate::node::{self, CLIENTS, Stop};

/// How long records of the topic with retention must stay, in ms.
const RETENTION_MS: i64 = 3000;

#[test]
fn what_clients_were_told_holds() {
    seeds::for_each_seed("one node", 8, |seed| {
        let sim = run(seed);
        if seeds::is_replay() {
            sim.trace().iter().for_each(|line| println!("{line}"));
        }
    });
}

/// The whole scenario; answers the simulation as it is at the end.
pub fn run(seed: u64) -> Sim {
    let sim = Sim::new(seed);
    let rng = Rng::seeded(seed);
    sim.run(|_| scenario(&sim, &rng));
    sim
}

async fn scenario(sim: &Sim, rng: &Rng) {
    let clients = sim.node(CLIENTS);
    let mut running = node::start(sim, &[]).await;
    let world = world(sim, &clients, rng).await;
    let topics = TopicHistory::default();
    let tasks = clients_of(&world, &topics, rng);
    for _ in 0..2 + rng.below(3) {
        clients.clock().sleep(Duration::from_millis(200 + rng.below(3000))).await;
        let how =
            [Stop::Clean, Stop::Kill, Stop::PowerLoss, Stop::DropUnsynced][rng.below(4) as usize];
        running = restart(sim, &world, running, how).await;
        topics.verify(&mut client(&world).await).await.unwrap();
    }
    let (producers, others) = tasks;
    for producer in producers {
        producer.await.unwrap();
    }
    world.ending.store(true, Ordering::SeqCst);
    for other in others {
        other.await.unwrap();
    }
    verify(&world).await;
    running = restart(sim, &world, running, Stop::Clean).await;
    node::stop(sim, running, Stop::Clean).await;
    check_disk(sim, &topics);
    let acked = world.history.acked_count();
    assert!(acked > 20, "only {acked} records were acknowledged");
}

/// What a node leaves that has stopped in order: its marker, and nothing of topics that were deleted but what is on its way out.
fn check_disk(sim: &Sim, topics: &TopicHistory) {
    let image = sim.disk().image();
    let names: Vec<_> = image.keys().map(|path| path.display().to_string()).collect();
    assert!(names.iter().any(|name| name == "/data/.kafka_cleanshutdown"), "{names:?}");
    for topic in topics.gone() {
        for partition in 0..2 {
            let dir = format!("/data/{topic}-{partition}/");
            let left = names.iter().find(|name| name.starts_with(&dir));
            assert_eq!(left, None, "topic {topic} was deleted");
        }
    }
}

/// Takes the node down, starts it again, and compares all logs with what clients know.
async fn restart(sim: &Sim, world: &World, running: ServerHandle, how: Stop) -> ServerHandle {
    let synced = node::stop(sim, running, how).await;
    world.history.stopped();
    match how {
        Stop::Clean => {}
        Stop::Kill => world.history.killed(),
        Stop::PowerLoss | Stop::DropUnsynced => world.history.power_lost(&synced),
    }
    if seeds::is_replay() {
        println!("{how:?} at {} ms; synced: {synced:?}", world.env.clock().now_ms());
    }
    let running = node::start(sim, &[]).await;
    note_epochs(world).await;
    verify(world).await;
    running
}

async fn client(world: &World) -> Client {
    Client::connect(&world.env, world.address).await.unwrap()
}

async fn note_epochs(world: &World) {
    let mut client = client(world).await;
    for place in world.history.places() {
        let topic = client.describe_topic(&place.0).await.unwrap();
        let mut partitions = topic.partitions.iter();
        let partition = partitions.find(|it| it.partition_index == place.1);
        let partition = partition.unwrap_or_else(|| panic!("{place:?} is not in {topic:?}"));
        world.history.started(&place, partition.leader_epoch);
    }
}

async fn verify(world: &World) {
    let mut client = client(world).await;
    for place in world.history.places() {
        read_log(world, &mut client, &place).await.unwrap();
    }
}

/// The topics, and what clients share.
async fn world(sim: &Sim, clients: &Env, rng: &Rng) -> World {
    let address: SocketAddr = node::address(sim);
    let history = History::new();
    let mut client = Client::connect(clients, address).await.unwrap();
    let segment = (2000 + rng.below(8000)).to_string();
    let retention = RETENTION_MS.to_string();
    let small = ("internal.segment.bytes", segment.as_str());
    let plain = [small, ("segment.index.bytes", "4096")];
    let aged = [small, ("retention.ms", retention.as_str()), ("file.delete.delay.ms", "100")];
    let packed = [small, ("compression.type", "zstd"), ("message.timestamp.type", "LogAppendTime")];
    let as_sent = Rules { as_sent: true, retention_ms: None };
    let topics = [
        (NewTopic { name: "plain", partitions: 2, configs: &plain }, as_sent),
        (
            NewTopic { name: "aged", partitions: 1, configs: &aged },
            Rules { retention_ms: Some(RETENTION_MS), ..as_sent },
        ),
        (NewTopic { name: "packed", partitions: 1, configs: &packed }, Rules::default()),
    ];
    let mut known = BTreeMap::new();
    for (topic, rules) in topics {
        let created = client.create_topic(topic).await.unwrap();
        assert_eq!(ErrorCode::from_code(created.error_code), ErrorCode::None, "{created:?}");
        for partition in 0..topic.partitions {
            let place = (topic.name.to_owned(), partition);
            history.declare(&place, rules);
            known.insert(place, Topic { name: topic.name.to_owned(), id: created.topic_id });
        }
    }
    let world = World {
        env: clients.clone(),
        address,
        topics: Arc::new(known),
        history,
        deletions: Arc::default(),
        ending: Arc::default(),
    };
    note_epochs(&world).await;
    world
}

type Tasks = Vec<TaskHandle<()>>;

/// Producers, and those who run until the end.
fn clients_of(world: &World, topics: &TopicHistory, rng: &Rng) -> (Tasks, Tasks) {
    let scope = world.env.scope("workload");
    let seeded = || Rng::seeded(rng.next_u64());
    let places: Vec<Place> = world.history.places();
    let mut producers = Vec::new();
    for (acks, idempotent) in [(-1, true), (-1, true), (1, true), (1, false), (0, false)] {
        let version = 3 + i16::try_from(rng.below(11)).unwrap();
        let batches = 10 + rng.below(40) as usize;
        let plan = ProducerPlan { places: places.clone(), batches, acks, idempotent, version };
        let producer = Producer::new(world.clone(), seeded(), plan);
        producers.push(scope.spawn("producer", producer.run()));
    }
    let mut others = Vec::new();
    for _ in 0..2 {
        let version = 4 + i16::try_from(rng.below(15)).unwrap();
        let consumer = Consumer::new(world.clone(), seeded(), version);
        others.push(scope.spawn("consumer", consumer.run()));
    }
    let deletable = places.into_iter().filter(|(topic, _)| topic != "aged").collect();
    let deleter = Deleter::new(world.clone(), seeded(), deletable);
    others.push(scope.spawn("deleter", deleter.run()));
    let churner = Churner::new(world.clone(), seeded(), topics.clone());
    others.push(scope.spawn("churner", churner.run()));
    (producers, others)
}
