//! Snappy as xerial's Java library frames it, and raw snappy, which that library reads too.
//!
//! Framing: 8 bytes of magic, two numbers of version, then blocks of a big-endian length and raw snappy. A second header may stand
//! where a block's length is expected (streams put one behind the other).

use super::scratch::DecompressBuf;
use super::stream::{Fault, take, take_array};

pub(super) const MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
const HEADER_BYTES: usize = 16;
const VERSION: i32 = 1;
/// Block that Kafka's Java client compresses at a time.
pub(super) const BLOCK_BYTES: usize = 32 * 1024;
/// Snappy's densest element makes 64 bytes of three; so a block that claims more than this lies.
const RATIO_MAX: usize = 64;

pub(super) struct SnappyReader<'a> {
    input: &'a [u8],
    started: bool,
    decoder: snap::raw::Decoder,
}

impl<'a> SnappyReader<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self { input, started: false, decoder: snap::raw::Decoder::new() }
    }

    /// Decompresses one block; 0 at the end. `left` bytes may still come.
    pub(super) fn next_chunk(
        &mut self,
        scratch: &mut DecompressBuf,
        left: usize,
    ) -> Result<usize, Fault> {
        if !self.started {
            self.started = true;
            if !self.input.starts_with(&MAGIC) {
                let block = std::mem::take(&mut self.input);
                return if block.is_empty() { Ok(0) } else { self.block(block, scratch, left) };
            }
        }
        while !self.input.is_empty() {
            if self.input.starts_with(&MAGIC) {
                self.read_header()?;
                continue;
            }
            let size = i32::from_be_bytes(take_array(&mut self.input)?);
            let size = usize::try_from(size).map_err(|_| Fault::from("snappy: negative block"))?;
            let block = take(&mut self.input, size)?;
            let written = self.block(block, scratch, left)?;
            if written > 0 {
                return Ok(written);
            }
        }
        Ok(0)
    }

    fn read_header(&mut self) -> Result<(), Fault> {
        let header = take_array::<HEADER_BYTES>(&mut self.input)?;
        // the second number is the oldest version that can read this
        match header {
            [_, _, _, _, _, _, _, _, _, _, _, _, compatible @ ..]
                if i32::from_be_bytes(compatible) >= VERSION =>
            {
                Ok(())
            }
            _ => Err("snappy: version of the stream is too old".into()),
        }
    }

    fn block(
        &mut self,
        block: &[u8],
        scratch: &mut DecompressBuf,
        left: usize,
    ) -> Result<usize, Fault> {
        let damaged = |error: snap::Error| Fault::Damaged(error.to_string());
        let size = snap::raw::decompress_len(block).map_err(damaged)?;
        if size > block.len().saturating_mul(RATIO_MAX) {
            return Err("snappy: a block claims more than it can hold".into());
        }
        if size > left {
            return Err(Fault::TooLarge);
        }
        self.decoder.decompress(block, scratch.chunk_of(size)).map_err(damaged)
    }
}

/// Appends the stream header.
pub(super) fn put_header(output: &mut Vec<u8>) {
    output.extend_from_slice(&MAGIC);
    output.extend_from_slice(&VERSION.to_be_bytes());
    output.extend_from_slice(&VERSION.to_be_bytes());
}

/// Appends one block.
pub(super) fn put_block(
    encoder: &mut snap::raw::Encoder,
    block: &[u8],
    output: &mut Vec<u8>,
) -> Result<(), snap::Error> {
    let start = output.len();
    output.resize(start + 4 + snap::raw::max_compress_len(block.len()), 0);
    let size = encoder.compress(block, &mut output[start + 4..])?;
    output[start..start + 4].copy_from_slice(&(size as u32).to_be_bytes());
    output.truncate(start + 4 + size);
    Ok(())
}
