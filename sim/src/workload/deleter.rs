//! `Deleter`: moves the start of partitions up by DeleteRecords.

use klamm_env::Rng;
use klamm_protocol::ErrorCode;
use klamm_protocol::messages::delete_records_request::DeleteRecordsRequest;

use super::{World, connected, passes};
use crate::client::{Client, ClientError};
use crate::history::Place;
use crate::requests::{self, EARLIEST, LATEST};

/// A client that deletes, now and then.
pub struct Deleter {
    world: World,
    rng: Rng,
    places: Vec<Place>,
    client: Option<Client>,
}

impl Deleter {
    /// Deletes from these partitions only.
    pub fn new(world: World, rng: Rng, places: Vec<Place>) -> Deleter {
        Deleter { world, rng, places, client: None }
    }

    /// Runs until the run comes to its end.
    pub async fn run(mut self) {
        while !self.world.is_ending() {
            self.world.pause(&self.rng, 1500).await;
            let turn = std::sync::Arc::clone(&self.world.deletions);
            let _turn = turn.lock().await;
            if let Err(error) = self.step().await {
                self.client = None;
                self.world.recover(&self.rng, "deleter", error).await;
            }
        }
    }

    async fn step(&mut self) -> Result<(), ClientError> {
        let place = &self.places[self.rng.below(self.places.len() as u64) as usize];
        let topic = self.world.topic(place);
        let generation = self.world.history.generation();
        let client = connected(&self.world, &mut self.client).await?;
        let mut bounds = [0, 0];
        for (bound, timestamp) in bounds.iter_mut().zip([EARLIEST, LATEST]) {
            let listed = client.list_offset(topic, place.1, timestamp).await?;
            if ErrorCode::from_code(listed.error_code) != ErrorCode::None {
                return Ok(());
            }
            *bound = listed.offset;
        }
        let [start, end] = bounds;
        let room = u64::try_from(end - start).expect("a log ends behind its start");
        let before = start + i64::try_from(self.rng.below(room + 1)).expect("small");
        self.world.history.deleting(place, before);
        let request = requests::delete_records(topic, place.1, before);
        let response = client.call::<DeleteRecordsRequest>(2, &request).await?;
        let result = &response.topics[0].partitions[0];
        match ErrorCode::from_code(result.error_code) {
            ErrorCode::None => {
                assert!(result.low_watermark >= before, "{place:?}: not deleted up to {before}");
                self.world.history.deleted(place, result.low_watermark, generation);
            }
            code => assert!(
                passes(code) || code == ErrorCode::OffsetOutOfRange,
                "{place:?}: DeleteRecords before {before}: {code}"
            ),
        }
        Ok(())
    }
}
