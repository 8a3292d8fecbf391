//! Reads a file of record batches from front to back, with memory for one batch at most.

use std::io;

use klamm_env::File;
use klamm_record::batch::HEADER_BYTES;
use klamm_record::{BatchError, BatchHeader};

/// The CRC is computed in pieces of this many bytes.
const PIECE_BYTES: usize = 256 * 1024;
/// The CRC covers everything from this byte of a batch on.
const CRC_START: u64 = 21;

/// A batch in the file.
#[derive(Debug, Clone, Copy)]
pub struct FoundBatch {
    /// Its first byte.
    pub position: u64,
    /// Its header.
    pub header: BatchHeader,
}

/// Why reading cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ReadFault {
    /// The bytes at `position` are no batch; where the next one begins is unknown.
    #[error("{error}; {left} bytes from here on are not read")]
    NoBatch {
        /// Where.
        position: u64,
        /// What is wrong.
        error: BatchError,
        /// From there to the end of the file.
        left: u64,
    },
    /// The disk failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl ReadFault {
    /// Where reading ended.
    pub fn position(&self, otherwise: u64) -> u64 {
        match self {
            ReadFault::NoBatch { position, .. } => *position,
            ReadFault::Io(_) => otherwise,
        }
    }
}

/// Walks over the batches of a file.
pub struct BatchReader {
    file: File,
    position: u64,
    end: u64,
}

impl BatchReader {
    /// From the start of the file to its present end.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn new(file: File) -> io::Result<BatchReader> {
        let end = file.len()?;
        Ok(BatchReader { file, position: 0, end })
    }

    /// Where the next batch begins.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The header of the next batch; none at the end.
    ///
    /// # Errors
    /// If there is no whole batch, or the disk fails.
    pub fn next_batch(&mut self) -> Result<Option<FoundBatch>, ReadFault> {
        let (position, left) = (self.position, self.end - self.position);
        if left == 0 {
            return Ok(None);
        }
        let mut bytes = [0; HEADER_BYTES];
        let wanted = usize::try_from(left).unwrap_or(HEADER_BYTES).min(HEADER_BYTES);
        self.file.read_exact_at(&mut bytes[..wanted], position)?;
        let no_batch = |error| ReadFault::NoBatch { position, error, left };
        let header = BatchHeader::decode(&bytes[..wanted]).map_err(no_batch)?;
        let size = header.size_bytes() as u64;
        if size > left {
            let available = usize::try_from(left).unwrap_or(usize::MAX);
            let needed = header.size_bytes();
            return Err(no_batch(BatchError::Truncated { needed, available }));
        }
        self.position += size;
        Ok(Some(FoundBatch { position, header }))
    }

    /// Compares a batch's CRC with its bytes.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn crc_is_valid(&self, batch: &FoundBatch) -> io::Result<bool> {
        let end = batch.position + batch.header.size_bytes() as u64;
        let mut position = batch.position + CRC_START;
        let mut piece = vec![0; batch.header.size_bytes().min(PIECE_BYTES)];
        let mut crc = 0;
        while position < end {
            let wanted = usize::try_from(end - position).unwrap_or(usize::MAX).min(piece.len());
            self.file.read_exact_at(&mut piece[..wanted], position)?;
            crc = crc32c::crc32c_append(crc, &piece[..wanted]);
            position += wanted as u64;
        }
        Ok(crc == batch.header.crc)
    }

    /// All bytes of a batch.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn bytes(&self, batch: &FoundBatch) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; batch.header.size_bytes()];
        self.file.read_exact_at(&mut bytes, batch.position)?;
        Ok(bytes)
    }
}
