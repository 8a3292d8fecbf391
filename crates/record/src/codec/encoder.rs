//! Compressing as a stream, onto the end of a buffer.

use std::io::{self, Write};

use super::{Compression, lz4, snappy};
use crate::batch::Codec;

/// A codec's library failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot compress with {codec}: {reason}")]
pub struct EncodeError {
    codec: Codec,
    reason: String,
}

/// Compresses what is written to it. Memory beyond the output: the codec's own state and one block.
pub struct Encoder {
    codec: Codec,
    state: State,
}

enum State {
    Stored(Vec<u8>),
    Gzip(flate2::write::GzEncoder<Vec<u8>>),
    Snappy { encoder: Box<snap::raw::Encoder>, block: Vec<u8>, output: Vec<u8> },
    Lz4 { block: Vec<u8>, output: Vec<u8> },
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl Encoder {
    /// Compresses onto the end of `output`.
    ///
    /// # Errors
    /// If the codec's library has no memory.
    pub fn new(compression: Compression, mut output: Vec<u8>) -> Result<Self, EncodeError> {
        let Compression { codec, level } = compression;
        let state = match codec {
            Codec::None => State::Stored(output),
            Codec::Gzip => {
                let level = u32::try_from(level).unwrap_or(6).min(9);
                State::Gzip(flate2::write::GzEncoder::new(output, flate2::Compression::new(level)))
            }
            Codec::Snappy => {
                snappy::put_header(&mut output);
                State::Snappy {
                    encoder: Box::new(snap::raw::Encoder::new()),
                    block: Vec::new(),
                    output,
                }
            }
            Codec::Lz4 => {
                lz4::put_header(&mut output);
                State::Lz4 { block: Vec::new(), output }
            }
            Codec::Zstd => State::Zstd(
                zstd::stream::write::Encoder::new(output, level)
                    .map_err(|error| failed(codec, error))?,
            ),
        };
        Ok(Self { codec, state })
    }

    /// As [`Encoder::new`], where exactly `size` bytes will be written: zstd's window then fits them.
    pub(super) fn with_known_size(
        compression: Compression,
        output: Vec<u8>,
        size: usize,
    ) -> Result<Self, EncodeError> {
        let mut encoder = Self::new(compression, output)?;
        if let State::Zstd(zstd) = &mut encoder.state {
            zstd.set_pledged_src_size(Some(size as u64))
                .map_err(|error| failed(compression.codec, error))?;
        }
        Ok(encoder)
    }

    /// Takes `input` in.
    ///
    /// # Errors
    /// If the codec's library has no memory.
    pub fn write(&mut self, mut input: &[u8]) -> Result<(), EncodeError> {
        let codec = self.codec;
        match &mut self.state {
            State::Stored(output) => output.extend_from_slice(input),
            State::Gzip(gzip) => gzip.write_all(input).map_err(|error| failed(codec, error))?,
            State::Zstd(zstd) => zstd.write_all(input).map_err(|error| failed(codec, error))?,
            State::Snappy { encoder, block, output } => {
                while let Some(full) = fill(block, &mut input, snappy::BLOCK_BYTES) {
                    snappy::put_block(encoder, full, output)
                        .map_err(|e| failed(codec, e.into()))?;
                    block.clear();
                }
            }
            State::Lz4 { block, output } => {
                while let Some(full) = fill(block, &mut input, lz4::BLOCK_BYTES) {
                    lz4::put_block(full, output);
                    block.clear();
                }
            }
        }
        Ok(())
    }

    /// Ends the stream and gives the buffer back.
    ///
    /// # Errors
    /// If the codec's library has no memory.
    pub fn finish(self) -> Result<Vec<u8>, EncodeError> {
        let codec = self.codec;
        match self.state {
            State::Stored(output) => Ok(output),
            State::Gzip(gzip) => gzip.finish().map_err(|error| failed(codec, error)),
            State::Zstd(zstd) => zstd.finish().map_err(|error| failed(codec, error)),
            State::Snappy { mut encoder, block, mut output } => {
                if !block.is_empty() {
                    snappy::put_block(&mut encoder, &block, &mut output)
                        .map_err(|e| failed(codec, e.into()))?;
                }
                Ok(output)
            }
            State::Lz4 { block, mut output } => {
                if !block.is_empty() {
                    lz4::put_block(&block, &mut output);
                }
                lz4::put_end(&mut output);
                Ok(output)
            }
        }
    }
}

/// Moves bytes from `input` into `block`; answers the block once it is full.
fn fill<'b>(block: &'b mut Vec<u8>, input: &mut &[u8], block_bytes: usize) -> Option<&'b [u8]> {
    let count = input.len().min(block_bytes - block.len());
    let (head, tail) = input.split_at(count);
    block.extend_from_slice(head);
    *input = tail;
    (block.len() == block_bytes).then_some(block.as_slice())
}

fn failed(codec: Codec, error: io::Error) -> EncodeError {
    EncodeError { codec, reason: error.to_string() }
}
