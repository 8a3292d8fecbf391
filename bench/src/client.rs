//! As much of a Kafka client as the measurements need: blocking, one request at a time.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use klamm_protocol::messages::create_topics_request::{CreatableTopic, CreateTopicsRequest};
use klamm_protocol::messages::create_topics_response::CreateTopicsResponse;
use klamm_protocol::{ApiKey, Decode, Encode, Reader, Writer};
use klamm_record::{BatchBuilder, BatchHeader, BatchOptions};

/// Versions without flexible encoding or topic ids, so that headers stay short and equal for all.
pub const PRODUCE_VERSION: i16 = 8;
pub const FETCH_VERSION: i16 = 11;
const CREATE_TOPICS_VERSION: i16 = 4;

pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub fn connect(address: &str) -> anyhow::Result<Client> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Client { stream, buffer: Vec::new() })
    }

    /// Sends a request in a version with header v1.
    pub fn send(&mut self, key: ApiKey, version: i16, request: &impl Encode) -> anyhow::Result<()> {
        let mut body = Writer::new();
        request.encode(&mut body, version)?;
        let body = body.into_bytes();
        let mut frame = Vec::with_capacity(body.len() + 16);
        frame.extend_from_slice(&(10 + body.len() as i32).to_be_bytes());
        frame.extend_from_slice(&key.code().to_be_bytes());
        frame.extend_from_slice(&version.to_be_bytes());
        frame.extend_from_slice(&0i32.to_be_bytes());
        frame.extend_from_slice(&(-1i16).to_be_bytes());
        frame.extend_from_slice(&body);
        self.stream.write_all(&frame)?;
        Ok(())
    }

    /// Reads one response and returns its body.
    pub fn receive(&mut self) -> anyhow::Result<&[u8]> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let length = i32::from_be_bytes(length) as usize;
        if self.buffer.len() < length {
            self.buffer.resize(length, 0);
        }
        self.stream.read_exact(&mut self.buffer[..length])?;
        Ok(&self.buffer[4..length])
    }

    pub fn create_topic(&mut self, name: &str, partitions: i32) -> anyhow::Result<()> {
        let request = CreateTopicsRequest {
            topics: vec![CreatableTopic {
                name: name.into(),
                num_partitions: partitions,
                replication_factor: 1,
                ..CreatableTopic::default()
            }],
            timeout_ms: 120_000,
            ..CreateTopicsRequest::default()
        };
        self.send(ApiKey::CreateTopics, CREATE_TOPICS_VERSION, &request)?;
        let body = Bytes::copy_from_slice(self.receive()?);
        let response = CreateTopicsResponse::decode(&mut Reader::new(body), CREATE_TOPICS_VERSION)?;
        let code = response.topics.first().context("no answer for the topic")?.error_code;
        ensure!(code == 0, "creating {name} failed with {code}");
        Ok(())
    }

    /// Sends one batch and waits for its ack.
    pub fn produce(&mut self, topic: &str, partition: i32, batch: &Bytes) -> anyhow::Result<()> {
        use klamm_protocol::messages::produce_request::*;
        let request = ProduceRequest {
            acks: 1,
            timeout_ms: 30_000,
            topic_data: vec![TopicProduceData {
                name: topic.into(),
                partition_data: vec![PartitionProduceData {
                    index: partition,
                    records: Some(batch.clone()),
                }],
                ..TopicProduceData::default()
            }],
            ..ProduceRequest::default()
        };
        self.send(ApiKey::Produce, PRODUCE_VERSION, &request)?;
        let body = Bytes::copy_from_slice(self.receive()?);
        use klamm_protocol::messages::produce_response::ProduceResponse;
        let response = ProduceResponse::decode(&mut Reader::new(body), PRODUCE_VERSION)?;
        let code = response.responses[0].partition_responses[0].error_code;
        if code != 0 {
            bail!("produce failed with {code}");
        }
        Ok(())
    }

    /// Fetches up to 1 MiB of one partition; returns the bytes of records and the next offset.
    pub fn fetch(&mut self, topic: &str, offset: i64) -> anyhow::Result<(usize, i64)> {
        use klamm_protocol::messages::fetch_request::*;
        let request = FetchRequest {
            replica_id: -1,
            max_wait_ms: 500,
            min_bytes: 1,
            max_bytes: 50 << 20,
            session_epoch: -1,
            topics: vec![FetchTopic {
                topic: topic.into(),
                partitions: vec![FetchPartition {
                    partition: 0,
                    fetch_offset: offset,
                    partition_max_bytes: 1 << 20,
                    ..FetchPartition::default()
                }],
                ..FetchTopic::default()
            }],
            ..FetchRequest::default()
        };
        self.send(ApiKey::Fetch, FETCH_VERSION, &request)?;
        let body = self.receive()?;
        // Everything before the records of this one partition has a fixed length.
        let records = records_of(body, topic)?;
        let mut next = offset;
        let mut at = 0;
        while let Ok(header) = BatchHeader::decode(&records[at..]) {
            if at + header.size_bytes() > records.len() {
                break;
            }
            at += header.size_bytes();
            next = header.next_offset().0;
        }
        Ok((records.len(), next))
    }
}

fn records_of<'a>(body: &'a [u8], topic: &str) -> anyhow::Result<&'a [u8]> {
    // throttle 4, error 2, session 4, topics 4, name 2+n, partitions 4, index 4, error 2, hw 8, lso 8,
    // log start 8, aborted 4, preferred 4, length 4
    let fixed = 4 + 2 + 4 + 4 + 2 + topic.len() + 4 + 4 + 2 + 8 + 8 + 8 + 4 + 4;
    let length = body.get(fixed..fixed + 4).context("the fetch response is too short")?;
    let length = i32::from_be_bytes(length.try_into()?) as usize;
    body.get(fixed + 4..fixed + 4 + length).context("the records are cut off")
}

/// A batch of about `size_bytes` with 1 KiB records and no codec.
pub fn batch(size_bytes: usize) -> Bytes {
    let mut builder = BatchBuilder::new(BatchOptions::default());
    let now_ms = std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_millis() as i64);
    let value = vec![b'x'; 1000];
    for _ in 0..(size_bytes / 1024).max(1) {
        builder.append(now_ms, Some(b"key"), Some(&value), &[]);
    }
    builder.build().expect("an uncompressed batch is always built")
}
