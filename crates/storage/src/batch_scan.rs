//! Walks the batches of a `.log` file: header by header for look-ups, with checksums for recovery.

use std::io;

use klamm_env::File;
use klamm_record::batch::HEADER_BYTES;
use klamm_record::{BatchError, BatchHeader};

/// Bytes read at once by a look-up: with small batches one read brings several headers.
const LOOKUP_WINDOW_BYTES: usize = 1024;
/// Bytes read at once by a scan of everything.
const SCAN_WINDOW_BYTES: usize = 256 * 1024;
/// Checksums run over pieces that stay in the cache.
const CRC_PIECE_BYTES: u64 = 64 * 1024;

/// A batch on the disk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScannedBatch {
    /// Where it begins in the file.
    pub position: u64,
    /// Its header.
    pub header: BatchHeader,
}

impl ScannedBatch {
    /// Where the next one begins.
    pub fn end(&self) -> u64 {
        self.position + self.header.size_bytes() as u64
    }
}

/// Why a scan cannot go on at a position.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScanFault {
    /// What is there is no sound batch.
    #[error("batch at byte {position} is invalid: {error}")]
    Corrupt { position: u64, error: BatchError },
    /// The file ends before the batch does.
    #[error("batch at byte {position} is cut short by the end of the file")]
    CutShort { position: u64 },
    /// The disk failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<ScanFault> for io::Error {
    fn from(fault: ScanFault) -> Self {
        match fault {
            ScanFault::Io(error) => error,
            other => Self::new(io::ErrorKind::InvalidData, other.to_string()),
        }
    }
}

/// Walks batches from a position to an end that is known to be a batch boundary or the end of the file.
pub(crate) struct BatchScan<'a> {
    window: Window<'a>,
    position: u64,
    end: u64,
}

impl<'a> BatchScan<'a> {
    /// For finding one batch among a few.
    pub fn lookup(file: &'a File, position: u64, end: u64) -> Self {
        Self { window: Window::new(file, LOOKUP_WINDOW_BYTES), position, end }
    }

    /// For walking everything.
    pub fn all(file: &'a File, position: u64, end: u64) -> Self {
        Self { window: Window::new(file, SCAN_WINDOW_BYTES), position, end }
    }

    /// The next batch by its header alone; none at the end.
    ///
    /// # Errors
    /// If what follows is no whole batch. The scan does not move then.
    pub fn next_batch(&mut self) -> Result<Option<ScannedBatch>, ScanFault> {
        let position = self.position;
        if position >= self.end {
            return Ok(None);
        }
        let available = self.end - position;
        if available < HEADER_BYTES as u64 {
            return Err(ScanFault::CutShort { position });
        }
        let bytes = self.window.slice(position, HEADER_BYTES)?;
        let header =
            BatchHeader::decode(bytes).map_err(|error| ScanFault::Corrupt { position, error })?;
        if header.size_bytes() as u64 > available {
            return Err(ScanFault::CutShort { position });
        }
        let batch = ScannedBatch { position, header };
        self.position = batch.end();
        Ok(Some(batch))
    }

    /// Checks the checksum of a batch of this file.
    pub fn verify_crc(&mut self, batch: &ScannedBatch) -> Result<(), ScanFault> {
        let mut body_crc = 0;
        let mut at = batch.position + HEADER_BYTES as u64;
        while at < batch.end() {
            let piece = (batch.end() - at).min(CRC_PIECE_BYTES);
            body_crc = crc32c::crc32c_append(body_crc, self.window.slice(at, piece as usize)?);
            at += piece;
        }
        let (stored, computed) = (batch.header.crc, batch.header.crc_with_body(body_crc));
        if stored == computed {
            return Ok(());
        }
        let error = BatchError::CrcMismatch { stored, computed };
        Err(ScanFault::Corrupt { position: batch.position, error })
    }

    /// All bytes of a batch of this file.
    pub fn read_whole(&self, batch: &ScannedBatch) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; batch.header.size_bytes()];
        self.window.file.read_exact_at(&mut bytes, batch.position)?;
        Ok(bytes)
    }
}

/// A stretch of the file in memory.
struct Window<'a> {
    file: &'a File,
    bytes: Vec<u8>,
    start: u64,
    capacity: usize,
}

impl<'a> Window<'a> {
    fn new(file: &'a File, capacity: usize) -> Self {
        Self { file, bytes: Vec::new(), start: 0, capacity }
    }

    /// `length` bytes at `position`, which must exist in the file.
    fn slice(&mut self, position: u64, length: usize) -> io::Result<&[u8]> {
        let held_until = self.start + self.bytes.len() as u64;
        if position < self.start || position + length as u64 > held_until {
            self.fill(position, length)?;
        }
        let from = (position - self.start) as usize;
        Ok(&self.bytes[from..from + length])
    }

    fn fill(&mut self, position: u64, needed: usize) -> io::Result<()> {
        self.bytes.resize(self.capacity.max(needed), 0);
        self.start = position;
        let mut filled = 0;
        while filled < needed {
            match self.file.read_at(&mut self.bytes[filled..], position + filled as u64) {
                Ok(0) => {
                    self.bytes.clear();
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.bytes.clear();
                    return Err(error);
                }
            }
        }
        self.bytes.truncate(filled);
        Ok(())
    }
}
