//! Reading batches of metadata and control records from a stretch of a file.

use std::io;

use bytes::Bytes;
use klamm_env::File;
use klamm_metadata::records::MetadataRecord;
use klamm_protocol::RecordError;
use klamm_record::codec::DecompressBuf;
use klamm_record::{Batch, BatchError, BatchHeader};

use crate::control_records::ControlRecord;

/// A batch larger than this is damage, not data: Kafka writes at most 8 MiB of records.
const BATCH_BYTES_MAX: usize = 64 << 20;
/// How much is read at once.
const READ_AHEAD_BYTES: usize = 1 << 20;
const LENGTH_PREFIX_BYTES: usize = 12;

/// Why a batch cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BatchReadError {
    /// The disk failed.
    #[error("reading failed: {0}")]
    Io(#[from] io::Error),
    /// The bytes are no batch.
    #[error("bad batch at byte {position}: {source}")]
    Batch {
        /// Where it begins.
        position: u64,
        /// What is wrong.
        source: BatchError,
    },
    /// The file ends within a batch.
    #[error("the batch at byte {position} is cut off")]
    CutOff {
        /// Where it begins.
        position: u64,
    },
    /// The batch claims more than a batch may have.
    #[error("the batch at byte {position} claims {bytes} bytes")]
    TooLarge {
        /// Where it begins.
        position: u64,
        /// What it claims.
        bytes: usize,
    },
    /// A record is not one that we know.
    #[error("bad record in the batch at byte {position}: {source}")]
    Record {
        /// Where the batch begins.
        position: u64,
        /// What is wrong.
        source: RecordError,
    },
}

/// One batch and its records.
#[derive(Debug)]
pub struct ReadBatch {
    /// Its header.
    pub header: BatchHeader,
    /// Its records, in order.
    pub contents: BatchContents,
}

/// The records of a batch.
#[derive(Debug)]
pub enum BatchContents {
    /// Of the controller.
    Data(Vec<MetadataRecord>),
    /// Of the quorum.
    Control(Vec<ControlRecord>),
}

/// Walks the batches in `position..end` of a file. Memory is bounded by the largest batch.
pub struct FileBatches {
    file: File,
    /// Of the next batch.
    position: u64,
    end: u64,
    /// Bytes of the file from `position` on.
    buffer: Vec<u8>,
    consumed: usize,
    decompress: DecompressBuf,
}

impl FileBatches {
    /// Batches from byte `position` (inclusive) to byte `end` (exclusive).
    pub fn new(file: File, position: u64, end: u64) -> Self {
        let decompress = DecompressBuf::new();
        Self { file, position, end, buffer: Vec::new(), consumed: 0, decompress }
    }

    /// The next batch, checked by its CRC; `None` at the end.
    ///
    /// # Errors
    /// If there are bytes but no good batch.
    pub fn next_batch(&mut self) -> Result<Option<ReadBatch>, BatchReadError> {
        if self.position >= self.end {
            return Ok(None);
        }
        let position = self.position;
        self.fill(LENGTH_PREFIX_BYTES)?;
        let bad = |source| BatchReadError::Batch { position, source };
        let size = BatchHeader::peek_size(self.available())
            .map_err(bad)?
            .ok_or(BatchReadError::CutOff { position })?;
        if size > BATCH_BYTES_MAX {
            return Err(BatchReadError::TooLarge { position, bytes: size });
        }
        self.fill(size)?;
        let bytes = Bytes::copy_from_slice(&self.available()[..size]);
        let batch = decode(&bytes, position, &mut self.decompress)?;
        self.consumed += size;
        self.position += size as u64;
        Ok(Some(batch))
    }

    fn available(&self) -> &[u8] {
        &self.buffer[self.consumed..]
    }

    /// Makes at least `wanted` bytes available.
    fn fill(&mut self, wanted: usize) -> Result<(), BatchReadError> {
        if self.available().len() >= wanted {
            return Ok(());
        }
        self.buffer.drain(..self.consumed);
        self.consumed = 0;
        let have = self.buffer.len();
        let left = self.end - self.position - have as u64;
        let more =
            (wanted.max(READ_AHEAD_BYTES) - have).min(usize::try_from(left).unwrap_or(usize::MAX));
        if have + more < wanted {
            return Err(BatchReadError::CutOff { position: self.position });
        }
        self.buffer.resize(have + more, 0);
        self.file.read_exact_at(&mut self.buffer[have..], self.position + have as u64)?;
        Ok(())
    }
}

fn decode(
    bytes: &Bytes,
    position: u64,
    decompress: &mut DecompressBuf,
) -> Result<ReadBatch, BatchReadError> {
    let bad = |source| BatchReadError::Batch { position, source };
    let bad_record = |source| BatchReadError::Record { position, source };
    let (batch, _) = Batch::parse(bytes).map_err(bad)?;
    batch.verify_crc().map_err(bad)?;
    let header = batch.header;
    let mut data = Vec::new();
    let mut control = Vec::new();
    for record in batch.records(decompress, BATCH_BYTES_MAX).map_err(bad)? {
        let record = record.map_err(bad)?;
        let value = Bytes::copy_from_slice(record.value.unwrap_or_default());
        if header.is_control() {
            let key = record.key.unwrap_or_default();
            control.push(
                ControlRecord::decode(key, value).map_err(|source| bad_record(source.into()))?,
            );
        } else {
            data.push(MetadataRecord::decode(value).map_err(bad_record)?);
        }
    }
    let contents = if header.is_control() {
        BatchContents::Control(control)
    } else {
        BatchContents::Data(data)
    };
    Ok(ReadBatch { header, contents })
}
