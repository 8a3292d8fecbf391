//! Compression of a batch's records: gzip, snappy, lz4 and zstd as Kafka's clients write and read them.
//!
//! Invariant: reading is streaming. A decoder hands out chunks of bounded size from reused memory, and is cut off at a limit;
//! no length that the input claims is allocated before it is known to fit.

mod compression;
mod encoder;
mod gzip;
mod lz4;
mod scratch;
mod snappy;
mod stream;
mod xxhash32;
mod zstd;

pub use compression::Compression;
pub use encoder::{EncodeError, Encoder};
pub use scratch::DecompressBuf;
pub use stream::Stream;

use crate::batch::{BatchError, Codec};

/// Compresses `input` onto the end of `output`.
///
/// # Errors
/// If the codec's library fails, which it does for want of memory only.
pub fn compress(
    compression: Compression,
    input: &[u8],
    output: Vec<u8>,
) -> Result<Vec<u8>, EncodeError> {
    let mut encoder = Encoder::with_known_size(compression, output, input.len())?;
    encoder.write(input)?;
    encoder.finish()
}

/// Decompresses `input` and hands out what comes, chunk by chunk.
///
/// # Errors
/// If the input is damaged, or more than `limit` bytes come out of it.
pub fn decompress(
    codec: Codec,
    input: &[u8],
    limit: usize,
    mut sink: impl FnMut(&[u8]),
) -> Result<(), BatchError> {
    DecompressBuf::with_pooled(|scratch| {
        let mut stream = Stream::new(codec, input, limit, scratch);
        while let Some(chunk) = stream.next_chunk()? {
            sink(chunk);
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests;

/// Packs `input` in snappy blocks of `block_bytes`, for tests that want small chunks.
#[cfg(test)]
pub(crate) fn test_snappy_blocks(input: &[u8], block_bytes: usize, output: &mut Vec<u8>) {
    snappy::put_header(output);
    let mut encoder = snap::raw::Encoder::new();
    for block in input.chunks(block_bytes) {
        snappy::put_block(&mut encoder, block, output).expect("blocks are small");
    }
}
