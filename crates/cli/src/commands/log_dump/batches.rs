//! `.log` and `.checkpoint` files: a line for each batch, and below it its records.

use std::io;

use klamm_env::File;
use klamm_record::codec::DecompressBuf;
use klamm_record::{Batch, BatchHeader};

use super::batch_reader::{BatchReader, FoundBatch};
use super::line::Line;
use super::output::Output;
use super::records::{RecordPrinter, Records};

/// A larger batch, as stored or decompressed, is not taken apart; no Kafka writes such a one.
const BATCH_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Prints all batches of a file.
///
/// # Errors
/// If nobody reads the output any more.
pub fn dump(output: &mut Output<'_>, file: File, records: Records) -> io::Result<()> {
    let mut reader = match BatchReader::new(file) {
        Ok(reader) => reader,
        Err(error) => return output.damaged(0, &error),
    };
    let printer = RecordPrinter::new(records);
    let mut last_offset = None;
    loop {
        let batch = match reader.next_batch() {
            Ok(Some(batch)) => batch,
            Ok(None) => return Ok(()),
            Err(fault) => return output.damaged(fault.position(reader.position()), &fault),
        };
        let valid = match reader.crc_is_valid(&batch) {
            Ok(valid) => valid,
            Err(error) => return output.damaged(batch.position, &error),
        };
        output.put(&batch_line(&batch, valid))?;
        if !valid {
            output.damaged(batch.position, &"the CRC does not match the bytes")?;
        }
        let base_offset = batch.header.base_offset;
        if last_offset.is_some_and(|last| base_offset <= last) {
            output.damaged(batch.position, &"offsets do not rise")?;
        }
        last_offset = Some(batch.header.last_offset());
        if valid && printer.wants(&batch.header) {
            dump_records(output, &reader, &batch, &printer)?;
        }
    }
}

fn dump_records(
    output: &mut Output<'_>,
    reader: &BatchReader,
    batch: &FoundBatch,
    printer: &RecordPrinter,
) -> io::Result<()> {
    if batch.header.size_bytes() > BATCH_BYTES_MAX {
        return output.damaged(batch.position, &"the batch is too large to be taken apart");
    }
    let bytes = match reader.bytes(batch) {
        Ok(bytes) => bytes,
        Err(error) => return output.damaged(batch.position, &error),
    };
    let parsed = match Batch::parse(&bytes) {
        Ok((parsed, _)) => parsed,
        Err(error) => return output.damaged(batch.position, &error),
    };
    DecompressBuf::with_pooled(|scratch| {
        let records = match parsed.records(scratch, BATCH_BYTES_MAX) {
            Ok(records) => records,
            Err(error) => return output.damaged(batch.position, &error),
        };
        for record in records {
            match record {
                Ok(record) => printer.print(output, batch, &record)?,
                Err(error) => return output.damaged(batch.position, &error),
            }
        }
        Ok(())
    })
}

fn batch_line(batch: &FoundBatch, valid: bool) -> Line {
    let header: &BatchHeader = &batch.header;
    let codec = header.codec().map_or("unknown", |codec| codec.name());
    Line::new("batch")
        .with("base_offset", header.base_offset.0)
        .with("last_offset", header.last_offset().0)
        .with("count", header.record_count)
        .with("position", batch.position)
        .with("size", header.size_bytes() as u64)
        .with("crc_valid", valid)
        .with("codec", codec)
        .with("leader_epoch", header.partition_leader_epoch.0)
        .unless("CreateTime", "timestamp_type", header.timestamp_type().name())
        .unless(header.max_timestamp_ms, "base_timestamp", header.base_timestamp_ms)
        .with("max_timestamp", header.max_timestamp_ms)
        .unless(-1, "producer_id", header.producer_id.0)
        .unless(-1, "producer_epoch", i32::from(header.producer_epoch))
        .unless(-1, "base_sequence", header.base_sequence)
        .unless(-1, "last_sequence", header.last_sequence())
        .unless(false, "transactional", header.is_transactional())
        .unless(false, "control", header.is_control())
        .unless(-1, "delete_horizon", header.delete_horizon_ms().unwrap_or(-1))
}
