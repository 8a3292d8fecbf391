//! Connections under virtual time, with made-up APIs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use klamm_env::sim::Sim;
use klamm_env::{Env, OpenMode, RealOptions, Stream};
use klamm_protocol::{ApiKey, Encode, EncodeError, Reader, Records, Writer};
use prometheus_client::registry::Registry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::apis::api_versions;
use crate::apis::table::ApiRow;
use crate::broker::Broker;
use crate::config::ConfigSources;
use crate::network::socket_server::{BoundListeners, SocketServer};
use crate::quota::Quota;
use crate::reply::{CloseReason, FilePiece, Reply, Response, ResponseMessage};
use crate::request_context::RequestContext;

/// Made-up APIs: the client id says what the handler does.
static SCRIPTED: &[ApiRow] = &[
    ApiRow::new(ApiKey::Produce, (0, 0), scripted).overlapping(),
    ApiRow::new(ApiKey::Fetch, (4, 4), scripted),
    ApiRow::new(ApiKey::Metadata, (0, 0), scripted).large(),
    ApiRow::new(ApiKey::FindCoordinator, (0, 0), |_, _, _| Ok(Reply::message(ThrottleTime(0)))),
    api_versions::ROW,
];

/// Answers with some bytes.
struct Filler(usize);

impl Encode for Filler {
    fn encode(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.raw(&vec![7; self.0]);
        Ok(())
    }
}

impl ResponseMessage for Filler {
    fn set_throttle_time_ms(&mut self, _throttle_time_ms: i32) {}
}

/// Answers with its throttle time alone.
struct ThrottleTime(i32);

impl Encode for ThrottleTime {
    fn encode(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i32(self.0);
        Ok(())
    }
}

impl ResponseMessage for ThrottleTime {
    fn set_throttle_time_ms(&mut self, throttle_time_ms: i32) {
        self.0 = throttle_time_ms;
    }
}

/// Answers with a byte, bytes of a file, and another byte.
struct FromFile(u32);

impl Encode for FromFile {
    fn encode(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.i8(1);
        w.records(&Records::External { token: 0, size_bytes: self.0 }, false)?;
        w.i8(2);
        Ok(())
    }
}

impl ResponseMessage for FromFile {
    fn set_throttle_time_ms(&mut self, _throttle_time_ms: i32) {}
}

fn scripted(
    broker: &Arc<Broker>,
    ctx: &RequestContext,
    body: Reader,
) -> Result<Reply, klamm_protocol::DecodeError> {
    let script = ctx.client_id().to_owned();
    let mut words = script.split(' ');
    let verb = words.next().unwrap_or_default();
    let number = words.next().and_then(|word| word.parse().ok()).unwrap_or(0u64);
    let sleep = broker.env().clock().sleep(Duration::from_millis(number));
    Ok(match verb {
        "size" => Reply::Now(Response::message(Filler(number as usize))),
        "later" => Reply::later(async move {
            sleep.await;
            Response::message(Filler(0))
        }),
        "work" => {
            let broker = Arc::clone(broker);
            Reply::working(async move {
                let _held_while_working = body;
                sleep.await;
                broker.set_features(crate::broker::Features {
                    finalized_epoch: 99,
                    ..crate::broker::Features::default()
                });
                Reply::Now(Response::message(Filler(0)))
            })
        }
        "silent" => {
            let broker = Arc::clone(broker);
            Reply::working(async move {
                sleep.await;
                let features = broker.features();
                broker.set_features(crate::broker::Features {
                    finalized_epoch: features.finalized_epoch + 1,
                    ..crate::broker::Features::default()
                });
                Reply::None
            })
        }
        "hold" => Reply::later(async move {
            sleep.await;
            drop(body);
            Response::message(Filler(0))
        }),
        "file" => {
            let path = broker.config().log_dirs[0].join("records");
            let file = broker.env().disk().open(&path, OpenMode::Read).unwrap();
            let pieces = vec![FilePiece { file, position: 3, size_bytes: number }];
            Reply::Now(Response::with_files(FromFile(number as u32), pieces))
        }
        "close" => Reply::Close(CloseReason::Other("told to".to_owned())),
        "none" => Reply::None,
        _ => Reply::Now(Response::message(Filler(0))),
    })
}

struct Node {
    env: Env,
    broker: Arc<Broker>,
    server: SocketServer,
    address: SocketAddr,
    _lifecycle: crate::lifecycle::Lifecycle,
    data: std::path::PathBuf,
}

impl Drop for Node {
    fn drop(&mut self) {
        // of a real disk nothing may stay; in memory it does not matter
        let _ = self.env.disk().remove_dir_all(&self.data);
    }
}

impl Node {
    async fn start(env: &Env, settings: &[(&str, &str)]) -> Node {
        Node::throttled(env, settings, Quota::Unlimited).await
    }

    async fn throttled(env: &Env, settings: &[(&str, &str)], quota: Quota) -> Node {
        let unique = env.rng().next_u64();
        let data = std::env::temp_dir().join(format!("klamm-network-test-{unique:016x}"));
        let sources = ConfigSources {
            data: Some(data.display().to_string()),
            listen: Some("127.0.0.1:0".to_owned()),
            overrides: settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            ..ConfigSources::default()
        };
        let config = Arc::new(sources.load().unwrap());
        let bound = BoundListeners::bind(env, &config.listeners.broker, 50).await.unwrap();
        let address = bound.addresses()[0].1;
        let mut registry = Registry::default();
        let crate::lifecycle::Started { services, lifecycle } =
            crate::lifecycle::start(env, &config, &[], &mut registry).await.unwrap();
        let broker = Broker::new(env.clone(), Arc::clone(&config), Vec::new(), services, registry);
        let broker = Arc::new(broker.with_table(SCRIPTED).with_quota(quota));
        let scope = env.scope("test");
        let server = SocketServer::start(bound, Arc::clone(&broker), &config.network, &scope);
        Node { env: env.clone(), broker, server, address, _lifecycle: lifecycle, data }
    }

    async fn connect(&self) -> Client {
        Client { stream: self.env.net().connect(self.address).await.unwrap() }
    }

    fn metric(&self, line: &str) -> Option<f64> {
        let text = self.broker.metrics_text();
        let line = text.lines().find_map(|found| found.strip_prefix(line))?;
        line.trim().parse().ok()
    }
}

struct Client {
    stream: Stream,
}

fn frame(api: ApiKey, version: i16, correlation_id: i32, client_id: &str, body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.extend_from_slice(&api.code().to_be_bytes());
    frame.extend_from_slice(&version.to_be_bytes());
    frame.extend_from_slice(&correlation_id.to_be_bytes());
    frame.extend_from_slice(&(client_id.len() as i16).to_be_bytes());
    frame.extend_from_slice(client_id.as_bytes());
    frame.extend_from_slice(body);
    let mut whole = (frame.len() as i32).to_be_bytes().to_vec();
    whole.extend_from_slice(&frame);
    whole
}

impl Client {
    async fn produce(&mut self, correlation_id: i32, script: &str) {
        let frame = frame(ApiKey::Produce, 0, correlation_id, script, &[]);
        self.stream.write_all(&frame).await.unwrap();
    }

    async fn fetch(&mut self, correlation_id: i32, script: &str) {
        let frame = frame(ApiKey::Fetch, 4, correlation_id, script, &[]);
        self.stream.write_all(&frame).await.unwrap();
    }

    async fn answer(&mut self) -> Option<(i32, Bytes)> {
        let length = self.stream.read_i32().await.ok()?;
        let mut frame = vec![0; length as usize];
        self.stream.read_exact(&mut frame).await.ok()?;
        let correlation_id = i32::from_be_bytes(*frame.first_chunk().unwrap());
        Some((correlation_id, Bytes::from(frame).slice(4..)))
    }

    async fn ids(&mut self, count: usize) -> Vec<i32> {
        let mut ids = Vec::new();
        for _ in 0..count {
            ids.push(self.answer().await.unwrap().0);
        }
        ids
    }

    async fn is_closed(&mut self) -> bool {
        matches!(self.stream.read(&mut [0; 16]).await, Ok(0) | Err(_))
    }
}

#[test]
fn answers_leave_in_request_order_while_produces_wait_together() {
    Sim::new(1).run(|env| async move {
        let node = Node::start(&env, &[]).await;
        let mut client = node.connect().await;
        let began = env.clock().now();
        client.produce(1, "later 500").await;
        client.produce(2, "later 500").await;
        client.produce(3, "now").await;
        client.fetch(4, "later 500").await;
        client.produce(5, "now").await;
        assert_eq!(client.ids(5).await, [1, 2, 3, 4, 5]);
        let took = env.clock().now() - began;
        // The produces wait side by side; the fetch waits alone, and what comes after it waits too.
        assert!((500..1_100).contains(&(took.as_millis() as i32)), "{took:?}");
    });
}

#[test]
fn a_fetch_that_waits_holds_up_the_next_request() {
    Sim::new(2).run(|env| async move {
        let node = Node::start(&env, &[]).await;
        let mut client = node.connect().await;
        let began = env.clock().now();
        client.fetch(1, "later 300").await;
        client.fetch(2, "later 300").await;
        assert_eq!(client.ids(2).await, [1, 2]);
        assert!(env.clock().now() - began >= Duration::from_millis(600));
    });
}

#[test]
fn at_most_64_produces_wait() {
    Sim::new(3).run(|env| async move {
        let node = Node::start(&env, &[]).await;
        let mut client = node.connect().await;
        for id in 0..200 {
            client.produce(id, "later 1000").await;
        }
        let began = env.clock().now();
        assert_eq!(client.ids(200).await, (0..200).collect::<Vec<_>>());
        // 64, then the next 64 as places come free, and so on: not 200 at once.
        assert!(env.clock().now() - began >= Duration::from_secs(3));
    });
}

#[test]
fn a_change_that_has_begun_outlives_its_client_and_a_wait_does_not() {
    Sim::new(4).run(|env| async move {
        let node = Node::start(&env, &[]).await;
        let mut working = node.connect().await;
        working.fetch(1, "work 5000").await;
        let mut waiting = node.connect().await;
        waiting.fetch(1, "later 5000").await;
        env.clock().sleep(Duration::from_millis(100)).await;
        drop(working);
        drop(waiting);
        env.clock().sleep(Duration::from_millis(100)).await;
        let open = "kafka_server_socketserver_connections{listener=\"PLAINTEXT\"}";
        assert_eq!(node.metric(open), Some(1.0), "the waiting connection is gone");
        env.clock().sleep(Duration::from_secs(6)).await;
        assert_eq!(node.broker.features().finalized_epoch, 99, "the change was carried out");
        assert_eq!(node.metric(open), Some(0.0));
    });
}

/// As with `acks=0`: whoever has sent all and closed counts on all of it.
#[test]
fn requests_without_answers_are_worked_off_after_their_client_has_gone() {
    Sim::new(4).run(|env| async move {
        let node = Node::start(&env, &[]).await;
        let before = node.broker.features().finalized_epoch;
        let mut client = node.connect().await;
        for id in 0..3 {
            client.fetch(id, "silent 1000").await;
        }
        drop(client);
        env.clock().sleep(Duration::from_secs(4)).await;
        assert_eq!(node.broker.features().finalized_epoch, before + 3);
        let open = "kafka_server_socketserver_connections{listener=\"PLAINTEXT\"}";
        assert_eq!(node.metric(open), Some(0.0));
    });
}

#[test]
fn malformed_input_closes_that_connection_alone() {
    Sim::new(5).run(|env| async move {
        let node = Node::start(&env, &[]).await;
        let mut other = node.connect().await;
        let bad: Vec<(&str, Vec<u8>)> = vec![
            ("2 GB length", i32::MAX.to_be_bytes().to_vec()),
            ("negative length", (-1i32).to_be_bytes().to_vec()),
            ("one byte over the limit", 104_857_601i32.to_be_bytes().to_vec()),
            ("empty frame", vec![0, 0, 0, 0]),
            ("header cut short", vec![0, 0, 0, 3, 0, 18, 0]),
            ("unknown api", frame_of(&[0x7f, 0xff, 0, 0, 0, 0, 0, 1, 0xff, 0xff])),
            ("api that is not in the table", frame(ApiKey::Vote, 0, 1, "x", &[])),
            ("version that is not in the table", frame(ApiKey::Fetch, 3, 1, "now", &[])),
            ("client id longer than the frame", frame_of(&[0, 1, 0, 4, 0, 0, 0, 1, 0x7f, 0xff])),
            ("client id that is no text", frame_of(&[0, 1, 0, 4, 0, 0, 0, 1, 0, 1, 0xff])),
            ("handler says so", frame(ApiKey::Fetch, 4, 1, "close", &[])),
            ("http", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
        ];
        for (what, bytes) in bad {
            let mut client = node.connect().await;
            client.stream.write_all(&bytes).await.unwrap();
            assert!(client.is_closed().await, "{what}");
            other.fetch(1, "now").await;
            assert_eq!(other.ids(1).await, [1], "after {what}");
        }
    });
}

fn frame_of(bytes: &[u8]) -> Vec<u8> {
    let mut frame = (bytes.len() as i32).to_be_bytes().to_vec();
    frame.extend_from_slice(bytes);
    frame
}

#[test]
fn random_bytes_never_do_harm() {
    for seed in 0..20 {
        Sim::new(seed).run(|env| async move {
            let node = Node::start(&env, &[("connections.max.idle.ms", "1000")]).await;
            for _ in 0..20 {
                let mut bytes = vec![0; 1 + env.rng().below(300) as usize];
                env.rng().fill(&mut bytes);
                // Half of them with a length that fits and an API in the table, so that more is read.
                if bytes.len() > 8 && env.rng().below(2) == 0 {
                    let length = bytes.len() as i32 - 4;
                    bytes[..4].copy_from_slice(&length.to_be_bytes());
                    let row = SCRIPTED[env.rng().below(4) as usize];
                    bytes[4..6].copy_from_slice(&row.api_key.code().to_be_bytes());
                    bytes[6..8].copy_from_slice(&row.version_max.to_be_bytes());
                }
                let mut client = node.connect().await;
                client.stream.write_all(&bytes).await.unwrap();
                let mut rest = Vec::new();
                let _closed_or_reset = client.stream.read_to_end(&mut rest).await;
            }
            let mut client = node.connect().await;
            client.fetch(9, "now").await;
            assert_eq!(client.ids(1).await, [9]);
        });
    }
}

#[test]
fn a_truncated_frame_ends_with_its_connection() {
    Sim::new(6).run(|env| async move {
        let node = Node::start(&env, &[]).await;
        for sent in [2, 4, 40] {
            let mut client = node.connect().await;
            let mut whole = frame(ApiKey::Fetch, 4, 1, "now", &[0; 100]);
            whole.truncate(sent);
            client.stream.write_all(&whole).await.unwrap();
            client.stream.shutdown().await.unwrap();
            assert!(client.is_closed().await);
        }
        assert_eq!(
            node.metric("klamm_network_connections_ended_total{reason=\"malformed\"}"),
            Some(3.0)
        );
    });
}

#[test]
fn a_frame_of_any_size_arrives_whole() {
    Sim::new(7).run(|env| async move {
        let node = Node::start(&env, &[]).await;
        let mut client = node.connect().await;
        for (id, size) in [0, 1, 4_000, 5_000, 65_000, 65_536, 70_000, 1_000_000].iter().enumerate()
        {
            let frame = frame(ApiKey::Fetch, 4, id as i32, "now", &vec![1; *size]);
            client.stream.write_all(&frame).await.unwrap();
            assert_eq!(client.ids(1).await, [id as i32], "{size}");
        }
        assert_eq!(node.metric("klamm_network_request_pool_used_bytes"), Some(0.0));
    });
}

#[test]
fn idle_connections_are_closed_and_busy_ones_are_not() {
    Sim::new(8).run(|env| async move {
        let node = Node::start(&env, &[("connections.max.idle.ms", "10000")]).await;
        let mut idle = node.connect().await;
        let mut waiting = node.connect().await;
        waiting.fetch(1, "later 30000").await;
        let began = env.clock().now();
        assert!(idle.is_closed().await);
        let took = env.clock().now() - began;
        assert!((9_900..10_100).contains(&(took.as_millis() as i32)), "{took:?}");
        assert_eq!(waiting.ids(1).await, [1]);
    });
}

#[test]
fn max_connections_lets_the_next_one_wait() {
    Sim::new(9).run(|env| async move {
        let node = Node::start(&env, &[("max.connections", "2")]).await;
        let mut first = node.connect().await;
        let mut second = node.connect().await;
        first.fetch(1, "now").await;
        second.fetch(2, "now").await;
        assert_eq!((first.ids(1).await, second.ids(1).await), (vec![1], vec![2]));
        let mut third = node.connect().await;
        third.fetch(3, "now").await;
        let clock = env.clock();
        assert!(clock.timeout(Duration::from_secs(5), third.answer()).await.is_err());
        drop(first);
        assert_eq!(third.ids(1).await, [3]);
    });
}

#[test]
fn max_connections_per_ip_drops_the_next_one() {
    Sim::new(10).run(|env| async move {
        let settings =
            [("max.connections.per.ip", "5"), ("max.connections.per.ip.overrides", "127.0.0.1:1")];
        let node = Node::start(&env, &settings).await;
        let mut first = node.connect().await;
        first.fetch(1, "now").await;
        assert_eq!(first.ids(1).await, [1]);
        assert!(node.connect().await.is_closed().await);
        drop(first);
        env.clock().sleep(Duration::from_millis(50)).await;
        let mut next = node.connect().await;
        next.fetch(2, "now").await;
        assert_eq!(next.ids(1).await, [2]);
    });
}

#[test]
fn new_connections_come_no_faster_than_allowed() {
    Sim::new(11).run(|env| async move {
        let node = Node::start(&env, &[("max.connection.creation.rate", "10")]).await;
        let began = env.clock().now();
        for id in 0..40 {
            let mut client = node.connect().await;
            client.fetch(id, "now").await;
            assert_eq!(client.ids(1).await, [id]);
        }
        // Ten at once, then ten a second.
        let took = env.clock().now() - began;
        assert!((2_800..3_600).contains(&(took.as_millis() as i32)), "{took:?}");
    });
}

#[test]
fn a_client_that_stops_reading_is_closed() {
    Sim::new(12).run(|env| async move {
        let node = Node::start(&env, &[("klamm.connection.stall.timeout.ms", "3000")]).await;
        let mut client = node.connect().await;
        client.fetch(1, "size 50000000").await;
        env.clock().sleep(Duration::from_secs(5)).await;
        let ended = "klamm_network_connections_ended_total{reason=\"stalled\"}";
        assert_eq!(node.metric(ended), Some(1.0));
        let mut rest = Vec::new();
        let _reset = client.stream.read_to_end(&mut rest).await;
        assert!(rest.len() < 50_000_000);
    });
}

/// The stall bound is about a client that takes nothing, not about one that takes long.
#[test]
fn a_client_that_reads_a_file_slowly_gets_all_of_it() {
    Sim::new(25).run(|env| async move {
        let node = Node::start(&env, &[("klamm.connection.stall.timeout.ms", "3000")]).await;
        let file = node.broker.config().log_dirs[0].join("records");
        env.disk().write_atomic(&file, &vec![7; 2_000_010]).unwrap();
        let mut client = node.connect().await;
        let began = env.clock().now();
        client.fetch(1, "file 2000000").await;
        let mut read = 0;
        let mut piece = vec![0; 150_000];
        while read < 2_000_000 {
            env.clock().sleep(Duration::from_millis(1500)).await;
            client.stream.read_exact(&mut piece[..100_000]).await.unwrap();
            read += 100_000;
        }
        assert!(env.clock().now() - began > Duration::from_secs(20), "far beyond the bound");
        assert_eq!(node.metric("klamm_network_connections_ended_total{reason=\"stalled\"}"), None);
    });
}

#[test]
fn a_permit_is_taken_whole_and_a_holder_without_progress_is_closed() {
    Sim::new(13).run(|env| async move {
        let settings = [
            ("socket.request.max.bytes", "1000000"),
            ("queued.max.request.bytes", "1000000"),
            ("klamm.connection.stall.timeout.ms", "2000"),
        ];
        let node = Node::start(&env, &settings).await;
        let pool = "klamm_network_request_pool_used_bytes";
        let large = frame(ApiKey::Fetch, 4, 1, "now", &vec![0; 900_000]);
        let mut stalled = node.connect().await;
        stalled.stream.write_all(&large[..100_000]).await.unwrap();
        env.clock().sleep(Duration::from_millis(100)).await;
        assert!(node.metric(pool).unwrap() > 900_000.0, "all of it at once");
        let mut other = node.connect().await;
        let began = env.clock().now();
        other.stream.write_all(&large).await.unwrap();
        assert_eq!(other.ids(1).await, [1]);
        assert!(env.clock().now() - began >= Duration::from_millis(1_800));
        assert!(stalled.is_closed().await);
        assert_eq!(node.metric(pool), Some(0.0));
    });
}

#[test]
fn a_permit_goes_back_with_the_bytes_not_with_the_answer() {
    Sim::new(14).run(|env| async move {
        let node = Node::start(&env, &[]).await;
        let pool = "klamm_network_request_pool_used_bytes";
        for (script, held) in [("later 10000", false), ("hold 10000", true)] {
            let mut client = node.connect().await;
            let large = frame(ApiKey::Fetch, 4, 1, script, &vec![0; 200_000]);
            client.stream.write_all(&large).await.unwrap();
            env.clock().sleep(Duration::from_secs(1)).await;
            assert_eq!(node.metric(pool).unwrap() > 0.0, held, "{script}");
            assert_eq!(client.ids(1).await, [1]);
            assert_eq!(node.metric(pool), Some(0.0));
        }
    });
}

#[test]
fn a_stop_gives_answers_that_are_due_until_its_deadline() {
    Sim::new(15).run(|env| async move {
        let node = Node::start(&env, &[]).await;
        let mut soon = node.connect().await;
        soon.fetch(1, "later 1000").await;
        let mut never = node.connect().await;
        never.fetch(1, "later 1000000").await;
        let mut idle = node.connect().await;
        env.clock().sleep(Duration::from_millis(100)).await;
        let began = env.clock().now();
        node.server.stop_accepting().await;
        node.server.drain(&env, Duration::from_secs(3)).await;
        assert_eq!(env.clock().now() - began, Duration::from_secs(3));
        assert_eq!(soon.ids(1).await, [1]);
        assert!(never.is_closed().await);
        assert!(idle.is_closed().await);
        assert!(env.net().connect(node.address).await.is_err());
    });
}

#[test]
fn api_versions_comes_down_to_version_0_for_versions_nobody_knows() {
    Sim::new(16).run(|env| async move {
        let node = Node::start(&env, &[]).await;
        let mut client = node.connect().await;
        let unknown = frame_of(&[0, 18, 0x7f, 0, 0, 0, 0, 5, 0xff, 0xff, 0xee, 0xee]);
        client.stream.write_all(&unknown).await.unwrap();
        let (id, body) = client.answer().await.unwrap();
        assert_eq!(id, 5);
        // Error 35 and one entry: ApiVersions (18) from 0 to 4.
        assert_eq!(body[..], [0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 4]);
        let known = frame_of(&[0, 18, 0, 0, 0, 0, 0, 6, 0xff, 0xff]);
        client.stream.write_all(&known).await.unwrap();
        let (id, body) = client.answer().await.unwrap();
        assert_eq!(id, 6);
        assert_eq!(body[..6], [0, 0, 0, 0, 0, 5], "no error, five rows");
    });
}

#[test]
fn a_throttled_answer_leaves_at_once_and_mutes_its_connection() {
    Sim::new(18).run(|env| async move {
        let quota = Quota::Always(Duration::from_millis(700));
        let node = Node::throttled(&env, &[], quota).await;
        let mut client = node.connect().await;
        let began = env.clock().now();
        for id in 0..3 {
            let frame = frame(ApiKey::FindCoordinator, 0, id, "x", &[]);
            client.stream.write_all(&frame).await.unwrap();
        }
        let (id, body) = client.answer().await.unwrap();
        assert_eq!((id, &body[..]), (0, &700i32.to_be_bytes()[..]));
        assert!(env.clock().now() - began < Duration::from_millis(100));
        assert_eq!(client.ids(2).await, [1, 2]);
        assert!(env.clock().now() - began >= Duration::from_millis(1_400));
    });
}

#[test]
fn large_answers_reserve_from_the_response_pool() {
    Sim::new(17).run(|env| async move {
        let node = Node::start(&env, &[("klamm.response.memory.bytes", "1048576")]).await;
        let used = "klamm_network_response_pool_used_bytes";
        let mut clients = Vec::new();
        for _ in 0..6 {
            let mut client = node.connect().await;
            let frame = frame(ApiKey::Metadata, 0, 1, "later 1000", &[]);
            client.stream.write_all(&frame).await.unwrap();
            clients.push(client);
        }
        env.clock().sleep(Duration::from_millis(500)).await;
        assert_eq!(node.metric(used), Some(1_048_576.0), "four at a time");
        for client in &mut clients {
            assert_eq!(client.ids(1).await, [1]);
        }
        assert_eq!(node.metric(used), Some(0.0));
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tcp_requests_answers_and_file_slices_pass_in_order() {
    let env = Env::real(RealOptions::default());
    let records: Vec<u8> = (0..600_000u32).map(|at| (at % 251) as u8).collect();
    let node = Node::start(&env, &[]).await;
    let file = node.broker.config().log_dirs[0].join("records");
    env.disk().write_atomic(&file, &records).unwrap();
    let mut client = node.connect().await;
    for id in 0..50 {
        client.produce(id * 3, "later 5").await;
        client.produce(id * 3 + 1, "size 100000").await;
        let frame = frame(ApiKey::Fetch, 4, id * 3 + 2, "file 500000", &vec![0; 70_000]);
        client.stream.write_all(&frame).await.unwrap();
        assert_eq!(client.ids(2).await, [id * 3, id * 3 + 1]);
        let (correlation_id, body) = client.answer().await.unwrap();
        assert_eq!((correlation_id, body.len()), (id * 3 + 2, 500_006));
        assert_eq!(body[5..500_005], records[3..500_003]);
        assert_eq!((body[0], body[500_005]), (1, 2));
    }
    node.server.stop_accepting().await;
    node.server.drain(&env, Duration::from_secs(5)).await;
    assert!(client.is_closed().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tcp_a_lost_client_cancels_its_wait() {
    let env = Env::real(RealOptions::default());
    let node = Node::start(&env, &[]).await;
    let mut client = node.connect().await;
    client.fetch(1, "later 3600000").await;
    client.fetch(2, "later 3600000").await;
    drop(client);
    // Ends as soon as the wait is cancelled; the test would hang otherwise.
    while node.metric("klamm_network_connections_ended_total{reason=\"client\"}") != Some(1.0) {
        env.clock().sleep(Duration::from_millis(1)).await;
    }
}
