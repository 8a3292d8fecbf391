//! `Consumer`: reads every partition from its start on, and tells the history what it sees.

use std::collections::BTreeMap;

use klamm_env::Rng;
use klamm_protocol::ErrorCode;
use klamm_protocol::messages::fetch_request::FetchRequest;
use klamm_protocol::messages::fetch_response::PartitionData;

use super::{World, connected, passes};
use crate::batches;
use crate::client::{Client, ClientError};
use crate::history::Place;
use crate::requests::{self, EARLIEST};

/// Asks for a session: id and epoch.
const NEW_SESSION: (i32, i32) = (0, 0);

/// A consumer on its way.
pub struct Consumer {
    world: World,
    rng: Rng,
    version: i16,
    /// Id and next epoch of the fetch session (KIP-227); none for a consumer without one.
    session: Option<(i32, i32)>,
    client: Option<Client>,
    positions: BTreeMap<Place, i64>,
}

impl Consumer {
    /// Stands at the start of every partition; `version` is that of its Fetch requests.
    pub fn new(world: World, rng: Rng, version: i16) -> Consumer {
        let positions = world.topics.keys().map(|place| (place.clone(), 0)).collect();
        let session = (version >= 7 && rng.below(2) == 0).then_some(NEW_SESSION);
        Consumer { world, rng, version, session, client: None, positions }
    }

    /// Runs until the run comes to its end.
    pub async fn run(mut self) {
        while !self.world.is_ending() {
            match self.step().await {
                Ok(()) => self.world.pause(&self.rng, 20).await,
                Err(error) => {
                    self.client = None;
                    self.session = self.session.map(|_| NEW_SESSION);
                    self.world.recover(&self.rng, "consumer", error).await;
                }
            }
        }
    }

    async fn step(&mut self) -> Result<(), ClientError> {
        let request = self.request();
        let generation = self.world.history.generation();
        let client = connected(&self.world, &mut self.client).await?;
        let response = client.call::<FetchRequest>(self.version, &request).await?;
        match ErrorCode::from_code(response.error_code) {
            ErrorCode::None => {}
            // the node has started anew and knows no sessions
            ErrorCode::FetchSessionIdNotFound | ErrorCode::InvalidFetchSessionEpoch
                if self.session.is_some() =>
            {
                self.session = Some(NEW_SESSION);
                return Ok(());
            }
            code => assert!(passes(code), "Fetch: {code}"),
        }
        if let Some((_, epoch)) = self.session {
            let next = if response.session_id == 0 { 0 } else { epoch + 1 };
            self.session = Some((response.session_id, next));
        }
        let places: Vec<Place> = self.positions.keys().cloned().collect();
        for place in places {
            let topic = self.world.topic(&place);
            if let Some(data) = requests::fetched(&response, topic, place.1) {
                self.take(&place, data, generation).await?;
            }
        }
        Ok(())
    }

    fn request(&self) -> FetchRequest {
        let from: Vec<_> = self
            .positions
            .iter()
            .map(|(place, offset)| (self.world.topic(place), place.1, *offset))
            .collect();
        let mut request = requests::fetch(&from, self.rng.below(300) as i32);
        request.min_bytes = 1 + self.rng.below(2000) as i32;
        request.max_bytes = 1 + self.rng.below(20_000) as i32;
        (request.session_id, request.session_epoch) = self.session.unwrap_or((0, -1));
        let partitions = request.topics.iter_mut().flat_map(|topic| &mut topic.partitions);
        for partition in partitions {
            partition.partition_max_bytes = 1 + self.rng.below(5_000) as i32;
        }
        request
    }

    async fn take(
        &mut self,
        place: &Place,
        data: &PartitionData,
        generation: u64,
    ) -> Result<(), ClientError> {
        match ErrorCode::from_code(data.error_code) {
            ErrorCode::None => {
                let found = batches::parse(&requests::records_of(data))
                    .unwrap_or_else(|error| panic!("{place:?}: {error}"));
                self.world.history.observe(place, &found, data.high_watermark, generation);
                if let Some(last) = found.last() {
                    self.positions.insert(place.clone(), last.header.last_offset().0 + 1);
                }
            }
            ErrorCode::OffsetOutOfRange => {
                let topic = self.world.topic(place);
                let client = self.client.as_mut().expect("connected to fetch");
                let listed = client.list_offset(topic, place.1, EARLIEST).await?;
                if ErrorCode::from_code(listed.error_code) == ErrorCode::None {
                    self.positions.insert(place.clone(), listed.offset);
                }
            }
            code => assert!(passes(code), "{place:?}: Fetch: {code}"),
        }
        Ok(())
    }
}
