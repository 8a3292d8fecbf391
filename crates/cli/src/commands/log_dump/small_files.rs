//! Everything that is read whole: producer snapshots, text checkpoints, properties, JSON.

use std::io;

use klamm_storage::meta_properties::{MetaProperties, MetaPropertiesVersion};
use klamm_storage::{
    checkpoint_file, leader_epoch_cache, partition_metadata_file, producer_snapshot,
};

use super::line::{Line, Value, json_string};
use super::output::Output;

/// Prints a `.snapshot`.
///
/// # Errors
/// If nobody reads the output any more.
pub fn dump_producers(output: &mut Output<'_>, bytes: &[u8]) -> io::Result<()> {
    let producers = match producer_snapshot::parse(bytes) {
        Ok(producers) => producers,
        Err(error) => return output.damaged(0, &error),
    };
    for (id, entry) in producers {
        let first = entry.current_txn_first_offset.map_or(-1, |offset| offset.0);
        let line = Line::new("producer")
            .with("producer_id", id.0)
            .with("producer_epoch", i32::from(entry.producer_epoch))
            .with("last_sequence", entry.last_sequence())
            .with("last_offset", entry.last_data_offset().0)
            .with("offset_delta", entry.last_batch().map_or(0, |batch| batch.offset_delta))
            .with("timestamp", entry.last_timestamp_ms)
            .unless(-1, "coordinator_epoch", entry.coordinator_epoch)
            .unless(-1, "txn_first_offset", first);
        output.put(&line)?;
    }
    Ok(())
}

/// Prints an offset checkpoint: recovery points, log starts, high watermarks, cleaner offsets.
///
/// # Errors
/// If nobody reads the output any more.
pub fn dump_offsets(output: &mut Output<'_>, bytes: &[u8]) -> io::Result<()> {
    match checkpoint_file::parse_offsets(bytes) {
        Ok(offsets) => offsets.iter().try_for_each(|(of, offset)| {
            let line = Line::new("entry").with("topic", &*of.topic);
            output.put(&line.with("partition", of.partition).with("offset", offset.0))
        }),
        Err(error) => output.damaged(0, &error),
    }
}

/// Prints a leader epoch checkpoint.
///
/// # Errors
/// If nobody reads the output any more.
pub fn dump_epochs(output: &mut Output<'_>, bytes: &[u8]) -> io::Result<()> {
    match leader_epoch_cache::parse(bytes) {
        Ok(epochs) => epochs.iter().try_for_each(|entry| {
            let line = Line::new("entry").with("leader_epoch", entry.epoch.0);
            output.put(&line.with("start_offset", entry.start_offset.0))
        }),
        Err(error) => output.damaged(0, &error),
    }
}

/// Prints `partition.metadata`.
///
/// # Errors
/// If nobody reads the output any more.
pub fn dump_partition(output: &mut Output<'_>, bytes: &[u8]) -> io::Result<()> {
    match partition_metadata_file::parse(bytes) {
        Ok(id) => output.put(&Line::new("partition").with("topic_id", id.to_string())),
        Err(error) => output.damaged(0, &error),
    }
}

/// Prints `meta.properties`.
///
/// # Errors
/// If nobody reads the output any more.
pub fn dump_properties(output: &mut Output<'_>, bytes: &[u8]) -> io::Result<()> {
    let properties = match MetaProperties::parse(bytes) {
        Ok(properties) => properties,
        Err(error) => return output.damaged(0, &error),
    };
    let text = |value: Option<String>| value.map_or(Value::Null, Value::Text);
    let version = match properties.version {
        MetaPropertiesVersion::V0 => 0,
        MetaPropertiesVersion::V1 => 1,
    };
    let others: Vec<String> = properties
        .other
        .iter()
        .map(|(key, value)| format!("{}:{}", json_string(key), json_string(value)))
        .collect();
    let none = Value::Json("{}".to_owned());
    let line = Line::new("properties")
        .with("version", version)
        .with("cluster_id", text(properties.cluster_id))
        .with("node_id", properties.node_id.map_or(Value::Null, |id| Value::from(id.0)))
        .with("directory_id", text(properties.directory_id.map(|id| id.to_string())))
        .unless(none, "other", Value::Json(format!("{{{}}}", others.join(","))));
    output.put(&line)
}

/// Prints a file that is one JSON object: `quorum-state`, `.kafka_cleanshutdown`.
///
/// # Errors
/// If nobody reads the output any more.
pub fn dump_json(output: &mut Output<'_>, bytes: &[u8]) -> io::Result<()> {
    match serde_json::from_slice::<serde_json::Value>(bytes) {
        Ok(value) => output.put(&Line::new("content").with("json", Value::Json(value.to_string()))),
        Err(error) => output.damaged(0, &error),
    }
}
