//! `Producer`: sends batches, several at a time, again and again until each has its answer.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use klamm_env::Rng;
use klamm_protocol::ErrorCode;
use klamm_protocol::messages::init_producer_id_request::InitProducerIdRequest;
use klamm_protocol::messages::produce_request::ProduceRequest;
use klamm_record::Codec;

use super::{World, connected, passes};
use crate::batches::{self, NewRecord, Sequence};
use crate::client::{Client, ClientError};
use crate::history::{self, Place};
use crate::requests;

/// Requests under way at once: as many as idempotence allows (Kafka's `max.in.flight.requests.per.connection`).
const WINDOW_MAX: u64 = 5;
const CODECS: &[Codec] = &[Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];

/// What a producer does.
#[derive(Debug, Clone)]
pub struct ProducerPlan {
    /// Where to.
    pub places: Vec<Place>,
    /// How many batches in all.
    pub batches: usize,
    /// 0, 1 or -1.
    pub acks: i16,
    /// Nothing twice, nothing out of order; needs acks.
    pub idempotent: bool,
    /// Which Produce version.
    pub version: i16,
}

/// A producer on its way.
pub struct Producer {
    world: World,
    rng: Rng,
    plan: ProducerPlan,
    client: Option<Client>,
    /// Id and epoch.
    identity: Option<(i64, i16)>,
    /// How many crashes that lose data there had been when this producer last began anew.
    began_in: u64,
    /// And when each partition last knew it.
    known_in: BTreeMap<Place, u64>,
    sequences: BTreeMap<Place, i32>,
    window: VecDeque<Sending>,
}

struct Sending {
    place: Place,
    first_id: u64,
    count: usize,
    bytes: Bytes,
    /// When it was last sent.
    generation: u64,
    /// In which start of the node it was first sent.
    first_start: Option<u64>,
}

impl Producer {
    /// Nothing is sent yet.
    pub fn new(world: World, rng: Rng, plan: ProducerPlan) -> Producer {
        Producer {
            began_in: world.history.generation(),
            known_in: BTreeMap::new(),
            world,
            rng,
            plan,
            client: None,
            identity: None,
            sequences: BTreeMap::new(),
            window: VecDeque::new(),
        }
    }

    /// Runs until every batch has its answer.
    pub async fn run(mut self) {
        let mut left = self.plan.batches;
        while left > 0 || !self.window.is_empty() {
            match self.step(&mut left).await {
                Ok(()) => self.world.pause(&self.rng, 40).await,
                Err(error) => {
                    self.client = None;
                    self.world.recover(&self.rng, "producer", error).await;
                }
            }
        }
    }

    async fn step(&mut self, left: &mut usize) -> Result<(), ClientError> {
        if self.plan.idempotent && self.identity.is_none() {
            return self.introduce().await;
        }
        if self.window.is_empty() {
            let count = (1 + self.rng.below(WINDOW_MAX)).min(*left as u64);
            let place =
                self.plan.places[self.rng.below(self.plan.places.len() as u64) as usize].clone();
            for _ in 0..count {
                let sending = self.prepare(&place);
                self.window.push_back(sending);
            }
            *left -= count as usize;
        }
        self.send_window().await?;
        if self.plan.acks == 0 {
            self.window.clear();
            return Ok(());
        }
        self.receive_window().await
    }

    async fn introduce(&mut self) -> Result<(), ClientError> {
        let generation = self.world.history.generation();
        let client = connected(&self.world, &mut self.client).await?;
        let response =
            client.call::<InitProducerIdRequest>(5, &requests::init_producer_id()).await?;
        match ErrorCode::from_code(response.error_code) {
            ErrorCode::None => {
                self.world.history.producer_id(response.producer_id);
                self.identity = Some((response.producer_id, response.producer_epoch));
                self.began_in = generation;
                self.known_in.clear();
                self.sequences.clear();
            }
            code => assert!(passes(code), "InitProducerId: {code}"),
        }
        Ok(())
    }

    fn prepare(&mut self, place: &Place) -> Sending {
        let (rng, history) = (&self.rng, &self.world.history);
        let first_id = history.next_id();
        let count = 1 + rng.below(5) as usize;
        let now_ms = self.world.env.clock().now_ms();
        let records: Vec<_> = (first_id..)
            .take(count)
            .map(|id| {
                let mut filling = vec![0; rng.below(200) as usize];
                rng.fill(&mut filling);
                let key = Bytes::copy_from_slice(&rng.below(16).to_be_bytes());
                let value = Some(history::value(id, &filling));
                NewRecord { timestamp_ms: now_ms, key, value }
            })
            .collect();
        let next = self.sequences.entry(place.clone()).or_insert(0);
        let sequence =
            self.identity.map(|(producer_id, epoch)| Sequence { producer_id, epoch, base: *next });
        *next += i32::try_from(count).expect("few");
        // below version 7 a node refuses zstd
        let codecs = if self.plan.version < 7 { 4 } else { 5 };
        let codec = CODECS[rng.below(codecs) as usize];
        let bytes = batches::build(&records, codec, sequence);
        history.sending(place, first_id, &records, (&bytes, self.plan.idempotent));
        Sending { place: place.clone(), first_id, count, bytes, generation: 0, first_start: None }
    }

    async fn send_window(&mut self) -> Result<(), ClientError> {
        let (generation, start) = (self.world.history.generation(), self.world.history.starts());
        let client = connected(&self.world, &mut self.client).await?;
        for sending in &mut self.window {
            sending.generation = generation;
            sending.first_start.get_or_insert(start);
            let topic = self.world.topic(&sending.place);
            let acks = (self.plan.acks, 30_000);
            let request = requests::produce(topic, sending.place.1, acks, sending.bytes.clone());
            if self.plan.acks == 0 {
                client.send_unanswered(self.plan.version, &request).await?;
            } else {
                client.send(self.plan.version, &request).await?;
            }
        }
        Ok(())
    }

    /// Takes out of the window what was acknowledged; the rest is sent again.
    async fn receive_window(&mut self) -> Result<(), ClientError> {
        let mut again = VecDeque::new();
        let mut forgotten = false;
        while let Some(sending) = self.window.pop_front() {
            let client = self.client.as_mut().expect("connected to send");
            let response = match client.receive::<ProduceRequest>(self.plan.version).await {
                Ok(response) => requests::only_produced(response),
                Err(error) => {
                    again.push_back(sending);
                    again.append(&mut self.window);
                    self.window = again;
                    return Err(error);
                }
            };
            let Sending { ref place, first_id, count, generation, .. } = sending;
            match ErrorCode::from_code(response.error_code) {
                ErrorCode::None => {
                    self.known_in.insert(place.clone(), generation);
                    self.world.history.acked(first_id, count, response.base_offset, generation);
                }
                code if passes(code) => again.push_back(sending),
                // what comes behind a batch that was not taken is out of order
                ErrorCode::OutOfOrderSequenceNumber if !again.is_empty() => {
                    again.push_back(sending)
                }
                code => {
                    let known_in = self.known_in.get(place).copied().unwrap_or(self.began_in);
                    let lost = self.world.history.generation() > known_in;
                    // of what was under way together, Kafka's snapshots keep the last batch only
                    let behind = !self.window.is_empty()
                        && sending.first_start < Some(self.world.history.starts());
                    assert!(
                        self.plan.idempotent && (lost || behind) && is_forgotten(code),
                        "{:?}: the batch of record {first_id} is refused: {code} {:?}",
                        place,
                        response.error_message
                    );
                    forgotten = true;
                }
            }
        }
        if forgotten {
            // as Kafka's producer: what was under way is in doubt, and a new start is made
            self.identity = None;
            again.clear();
        }
        self.window = again;
        Ok(())
    }
}

/// What a node says that lost this producer's last batches in a power cut.
fn is_forgotten(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::OutOfOrderSequenceNumber | ErrorCode::UnknownProducerId)
}
