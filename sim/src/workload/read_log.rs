//! `read_log`: a whole partition, as a consumer that begins at its start would read it.

use klamm_protocol::ErrorCode;

use super::World;
use crate::batches;
use crate::client::{Client, ClientError};
use crate::history::{FoundLog, Place};
use crate::requests::{self, EARLIEST, LATEST};

/// Reads a partition up to where it ended when the reading began, and compares it with the history.
///
/// # Errors
/// If the node goes away.
///
/// # Panics
/// If the log is not what it must be.
pub async fn read_log(
    world: &World,
    client: &mut Client,
    place: &Place,
) -> Result<(), ClientError> {
    let _start_stays = world.deletions.lock().await;
    let topic = world.topic(place);
    loop {
        let log_start = offset(world, client, place, EARLIEST).await?;
        let log_end = offset(world, client, place, LATEST).await?;
        let (mut next, mut found, mut moved) = (log_start, Vec::new(), false);
        while next < log_end && !moved {
            let data = client.read(topic, place.1, next).await?;
            match ErrorCode::from_code(data.error_code) {
                ErrorCode::None => {}
                // retention has moved the start meanwhile
                ErrorCode::OffsetOutOfRange => moved = true,
                code => panic!("{place:?}: cannot be read at {next}: {code}"),
            }
            let batches = batches::parse(&requests::records_of(&data))
                .unwrap_or_else(|error| panic!("{place:?}: at {next}: {error}"));
            assert!(moved || !batches.is_empty(), "{place:?}: nothing at {next}, before {log_end}");
            for batch in batches.into_iter().filter(|it| it.header.base_offset.0 < log_end) {
                next = batch.header.last_offset().0 + 1;
                found.push(batch);
            }
        }
        if !moved {
            let now_ms = world.env.clock().now_ms();
            let log = FoundLog { log_start, log_end, batches: &found, now_ms };
            world.history.verify(place, &log);
            return Ok(());
        }
    }
}

async fn offset(
    world: &World,
    client: &mut Client,
    place: &Place,
    timestamp: i64,
) -> Result<i64, ClientError> {
    let listed = client.list_offset(world.topic(place), place.1, timestamp).await?;
    let code = ErrorCode::from_code(listed.error_code);
    assert_eq!(code, ErrorCode::None, "{place:?}: ListOffsets");
    Ok(listed.offset)
}
