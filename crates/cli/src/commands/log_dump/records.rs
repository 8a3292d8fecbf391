//! Records: what a client wrote, or what the controller, a coordinator or a transaction did.

use std::io;

use bytes::Bytes;
use klamm_metadata::records::MetadataRecord;
use klamm_protocol::RecordError;
use klamm_quorum::ControlRecord;
use klamm_record::batch::Record;
use klamm_record::{BatchHeader, EndTxnMarker};

use super::batch_reader::FoundBatch;
use super::debug_json::debug_json;
use super::line::{Line, Shown, Value, json_string, shown};
use super::output::Output;

/// Which records are shown, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Records {
    /// None.
    Hidden,
    /// Keys, values and headers as text where they are text.
    Text,
    /// Keys, values and headers in hexadecimal digits.
    Hex,
    /// Records of the metadata log.
    Metadata,
}

/// Prints the records of batches.
pub struct RecordPrinter {
    records: Records,
}

impl RecordPrinter {
    /// A printer.
    pub fn new(records: Records) -> RecordPrinter {
        RecordPrinter { records }
    }

    /// Whether the records of a batch are to be read at all.
    pub fn wants(&self, header: &BatchHeader) -> bool {
        self.records != Records::Hidden || header.is_control()
    }

    /// Prints one record.
    ///
    /// # Errors
    /// If nobody reads the output any more.
    pub fn print(
        &self,
        output: &mut Output<'_>,
        batch: &FoundBatch,
        record: &Record<'_>,
    ) -> io::Result<()> {
        let header = &batch.header;
        let offset = header.base_offset.0.wrapping_add(i64::from(record.offset_delta));
        let timestamp = match header.timestamp_type().name() {
            "LogAppendTime" => header.max_timestamp_ms,
            _ => header.base_timestamp_ms.wrapping_add(record.timestamp_delta),
        };
        let line = Line::new("record").with("offset", offset).with("timestamp", timestamp);
        if header.is_control() {
            return control(output, batch.position, line, record);
        }
        match self.records {
            Records::Metadata => metadata(output, batch.position, line, record),
            Records::Hex => output.put(&data(line, record, true)),
            _ => output.put(&data(line, record, false)),
        }
    }
}

fn data(line: Line, record: &Record<'_>, hex: bool) -> Line {
    let line = bytes_field(line, ("key", "key_hex"), record.key, hex);
    let line = bytes_field(line, ("value", "value_hex"), record.value, hex);
    let headers: Vec<String> = record
        .headers()
        .map(|header| {
            let field = |name: &str, hex_name: &str, bytes: Option<&[u8]>| match bytes {
                None => format!("\"{name}\":null"),
                Some(bytes) => match shown(bytes, hex) {
                    Shown::Text(text) => format!("\"{name}\":{}", json_string(&text)),
                    Shown::Hex(digits) => format!("\"{hex_name}\":\"{digits}\""),
                },
            };
            let (key, value) = (
                field("key", "key_hex", Some(header.key)),
                field("value", "value_hex", header.value),
            );
            format!("{{{key},{value}}}")
        })
        .collect();
    let none = Value::Json("[]".to_owned());
    line.unless(none, "headers", Value::Json(format!("[{}]", headers.join(","))))
}

fn bytes_field(
    line: Line,
    names: (&'static str, &'static str),
    bytes: Option<&[u8]>,
    hex: bool,
) -> Line {
    match bytes.map(|bytes| shown(bytes, hex)) {
        None => line.with(names.0, Value::Null),
        // in quotes, also where it is one word: it is the client's text, not ours
        Some(Shown::Text(text)) => line.with(names.0, Value::Json(json_string(&text))),
        Some(Shown::Hex(digits)) => line.with(names.1, digits),
    }
}

/// A transaction's end, or what the metadata quorum wrote.
fn control(
    output: &mut Output<'_>,
    position: u64,
    line: Line,
    record: &Record<'_>,
) -> io::Result<()> {
    let (key, value) = (record.key.unwrap_or_default(), record.value.unwrap_or_default());
    match EndTxnMarker::decode(key, value) {
        Ok(Some(marker)) => {
            let kind = if marker.commit { "commit" } else { "abort" };
            let line = line.with("control", kind);
            return output.put(&line.with("coordinator_epoch", marker.coordinator_epoch));
        }
        Ok(None) => {}
        Err(error) => return output.damaged(position, &error),
    }
    match ControlRecord::decode(key, Bytes::copy_from_slice(value)) {
        Ok(record) => {
            let (name, fields) = debug_json(&format!("{record:?}"));
            output.put(&line.with("control", name).with("fields", Value::Json(fields)))
        }
        Err(error) => output.damaged(position, &error),
    }
}

fn metadata(
    output: &mut Output<'_>,
    position: u64,
    line: Line,
    record: &Record<'_>,
) -> io::Result<()> {
    let Some(value) = record.value else {
        return output.damaged(position, &"a metadata record without a value");
    };
    match MetadataRecord::decode_versioned(Bytes::copy_from_slice(value)) {
        Ok((record, version)) => {
            let (name, fields) = debug_json(&format!("{record:?}"));
            let line = line.with("record", name).with("version", i32::from(version));
            output.put(&line.with("fields", Value::Json(fields)))
        }
        // a later Kafka's record is not damage
        Err(error @ (RecordError::UnknownType(_) | RecordError::UnknownFrame(_))) => {
            let line = line.with("record", "unknown").with("reason", error.to_string());
            output.put(&data(line, record, true))
        }
        Err(error) => output.damaged(position, &error),
    }
}
