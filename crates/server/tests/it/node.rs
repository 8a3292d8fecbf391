//! A node in this process, on a directory of its own and a free port.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::OnceLock;

use bytes::Bytes;
use klamm_env::{Env, RealOptions};
use klamm_protocol::ErrorCode;
use klamm_record::Codec;
use klamm_server::{ConfigSources, Server, ServerHandle};
use klamm_sim::batches::{self, FoundBatch, NewRecord, Sequence};
use klamm_sim::client::Client;
use klamm_sim::requests::{self, NewTopic, Topic};

/// A running node.
pub struct Node {
    pub env: Env,
    pub address: SocketAddr,
    handle: ServerHandle,
    dir: tempfile::TempDir,
    settings: Vec<(String, String)>,
}

impl Node {
    /// Starts on an empty directory.
    pub async fn start(settings: &[(&str, &str)]) -> Node {
        let settings = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Node::start_in(tempfile::tempdir().unwrap(), settings).await
    }

    async fn start_in(dir: tempfile::TempDir, settings: Vec<(String, String)>) -> Node {
        let env = Env::real(RealOptions::default());
        let sources = ConfigSources {
            data: Some(dir.path().join("data").display().to_string()),
            listen: Some("127.0.0.1:0".to_owned()),
            overrides: settings.clone(),
            ..ConfigSources::default()
        };
        let handle = Server::start(sources.load().unwrap(), env.clone()).await.unwrap();
        let address = handle.addresses()[0].1;
        Node { env, address, handle, dir, settings }
    }

    /// Where the data lies.
    pub fn data(&self) -> std::path::PathBuf {
        self.dir.path().join("data")
    }

    /// Stops in order; answers the directory.
    pub async fn stop(self) -> tempfile::TempDir {
        self.handle.shutdown().await;
        self.dir
    }

    /// Stops in order and starts again on the same directory.
    pub async fn restart(self) -> Node {
        let settings = self.settings.clone();
        Node::start_in(self.stop().await, settings).await
    }

    /// A new connection.
    pub async fn client(&self) -> Client {
        Client::connect(&self.env, self.address).await.unwrap()
    }

    /// Makes a topic with one partition.
    pub async fn topic(&self, name: &str, configs: &[(&str, &str)]) -> Topic {
        let topic = NewTopic { name, partitions: 1, configs };
        let created = self.client().await.create_topic(topic).await.unwrap();
        assert_eq!(code(created.error_code), ErrorCode::None, "{created:?}");
        Topic { name: name.to_owned(), id: created.topic_id }
    }

    /// Still answers others: produces a batch and reads it back.
    pub async fn assert_alive(&self) {
        let mut client = self.client().await;
        let topic = match client.describe_topic("alive").await.unwrap() {
            known if known.error_code == 0 => {
                Topic { name: "alive".to_owned(), id: known.topic_id }
            }
            _ => self.topic("alive", &[]).await,
        };
        let sent = batch(&["still here"]);
        let produced = client.produce(&topic, 0, sent.clone()).await.unwrap();
        assert_eq!(code(produced.error_code), ErrorCode::None, "{produced:?}");
        let found = read(&mut client, &topic, produced.base_offset).await;
        assert_eq!(found[0].bytes[16..], sent[16..]);
    }
}

/// A code as its name.
pub fn code(code: i16) -> ErrorCode {
    ErrorCode::from_code(code)
}

/// When records are sent, in Unix ms: about now, since retention and producers' expiry go by it.
pub fn sent_ms() -> i64 {
    static SENT_MS: OnceLock<i64> = OnceLock::new();
    *SENT_MS.get_or_init(|| Env::real(RealOptions::default()).clock().now_ms() - 60_000)
}

/// Records with these values, a millisecond apart.
pub fn records(values: &[&str]) -> Vec<NewRecord> {
    let record = |(at, value): (i64, &&str)| NewRecord {
        timestamp_ms: sent_ms() + at,
        key: Bytes::from_static(b"key"),
        value: Some(Bytes::copy_from_slice(value.as_bytes())),
    };
    (0..).zip(values).map(record).collect()
}

/// An uncompressed batch without a producer id.
pub fn batch(values: &[&str]) -> Bytes {
    batches::build(&records(values), Codec::None, None)
}

/// A batch of an idempotent producer.
pub fn sequenced(values: &[&str], producer_id: i64, epoch: i16, base: i32) -> Bytes {
    let sequence = Sequence { producer_id, epoch, base };
    batches::build(&records(values), Codec::None, Some(sequence))
}

/// All batches that one fetch finds from an offset on.
pub async fn read(client: &mut Client, topic: &Topic, offset: i64) -> Vec<FoundBatch> {
    let data = client.read(topic, 0, offset).await.unwrap();
    assert_eq!(code(data.error_code), ErrorCode::None, "{data:?}");
    batches::parse(&requests::records_of(&data)).unwrap()
}

/// The values in these batches.
pub fn values(found: &[FoundBatch]) -> Vec<String> {
    let records = found.iter().flat_map(|batch| &batch.records);
    records.map(|it| String::from_utf8(it.value.clone().unwrap().to_vec()).unwrap()).collect()
}

/// The files and directories in a directory.
#[expect(clippy::disallowed_methods, reason = "a test looks at the disk as a user would")]
pub fn names_in(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
