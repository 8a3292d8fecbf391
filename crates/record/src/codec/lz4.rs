//! LZ4 frames as Kafka's `Lz4BlockOutputStream` writes and `Lz4BlockInputStream` reads them.
//!
//! Written: independent blocks of 64 KiB, no checksums, no content size. Read: any block size, checksums of header and blocks are
//! checked, that of the content is not (Kafka does not either), linked blocks are refused (consumers in Java could not read
//! them), what follows the end mark is left alone.

use lz4_flex::block::{compress_into, decompress_into, get_maximum_output_size};

use super::scratch::DecompressBuf;
use super::stream::{Fault, take, take_array};
use super::xxhash32::xxhash32;

const MAGIC: u32 = 0x184D_2204;
const UNCOMPRESSED: u32 = 0x8000_0000;
/// Version 1, independent blocks; 64 KiB.
const WRITTEN_DESCRIPTOR: [u8; 2] = [0x60, 0x40];
/// Block that is compressed at a time.
pub(super) const BLOCK_BYTES: usize = 64 * 1024;
/// LZ4 makes at most 255 bytes of one; so a block needs no more room than this.
const RATIO_MAX: usize = 255;

const FLAG_RESERVED: u8 = 0b0000_0011;
const FLAG_CONTENT_CHECKSUM: u8 = 0b0000_0100;
const FLAG_CONTENT_SIZE: u8 = 0b0000_1000;
const FLAG_BLOCK_CHECKSUM: u8 = 0b0001_0000;
const FLAG_INDEPENDENT: u8 = 0b0010_0000;

pub(super) struct Lz4Reader<'a> {
    input: &'a [u8],
    /// None before the header is read.
    frame: Option<Frame>,
    ended: bool,
}

#[derive(Clone, Copy)]
struct Frame {
    block_bytes_max: usize,
    block_checksums: bool,
    content_checksum: bool,
}

impl<'a> Lz4Reader<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self { input, frame: None, ended: false }
    }

    /// Decompresses one block; 0 at the end.
    pub(super) fn next_chunk(&mut self, scratch: &mut DecompressBuf) -> Result<usize, Fault> {
        let frame = match self.frame {
            Some(frame) => frame,
            None => *self.frame.insert(read_header(&mut self.input)?),
        };
        while !self.ended {
            let word = u32::from_le_bytes(take_array(&mut self.input)?);
            let size = (word & !UNCOMPRESSED) as usize;
            if size == 0 {
                self.ended = true;
                if frame.content_checksum {
                    take(&mut self.input, 4)?;
                }
                break;
            }
            if size > frame.block_bytes_max {
                return Err("lz4: a block is larger than its frame allows".into());
            }
            let block = take(&mut self.input, size)?;
            if frame.block_checksums
                && xxhash32(block) != u32::from_le_bytes(take_array(&mut self.input)?)
            {
                return Err("lz4: block checksum mismatch".into());
            }
            let written = if word & UNCOMPRESSED == 0 {
                let room = frame.block_bytes_max.min(size * RATIO_MAX);
                decompress_into(block, scratch.chunk_of(room))
                    .map_err(|error| Fault::Damaged(format!("lz4: {error}")))?
            } else {
                scratch.chunk_of(size).copy_from_slice(block);
                size
            };
            if written > 0 {
                return Ok(written);
            }
        }
        Ok(0)
    }
}

fn read_header(input: &mut &[u8]) -> Result<Frame, Fault> {
    if u32::from_le_bytes(take_array(input)?) != MAGIC {
        return Err("lz4: not an LZ4 frame".into());
    }
    let descriptor = *input;
    let [flags, block_descriptor] = take_array(input)?;
    if flags >> 6 != 1 || flags & FLAG_RESERVED != 0 {
        return Err("lz4: unsupported version of the frame".into());
    }
    if flags & FLAG_INDEPENDENT == 0 {
        return Err("lz4: dependent blocks are not supported".into());
    }
    let size_id = (block_descriptor >> 4) & 7;
    if size_id < 4 || block_descriptor & 0b1000_1111 != 0 {
        return Err("lz4: unsupported block size".into());
    }
    if flags & FLAG_CONTENT_SIZE != 0 {
        take(input, 8)?;
    }
    let hashed = &descriptor[..descriptor.len() - input.len()];
    if take_array::<1>(input)? != [(xxhash32(hashed) >> 8) as u8] {
        return Err("lz4: frame descriptor checksum mismatch".into());
    }
    Ok(Frame {
        block_bytes_max: 1 << (2 * size_id + 8),
        block_checksums: flags & FLAG_BLOCK_CHECKSUM != 0,
        content_checksum: flags & FLAG_CONTENT_CHECKSUM != 0,
    })
}

/// Appends the frame header.
pub(super) fn put_header(output: &mut Vec<u8>) {
    output.extend_from_slice(&MAGIC.to_le_bytes());
    output.extend_from_slice(&WRITTEN_DESCRIPTOR);
    output.push((xxhash32(&WRITTEN_DESCRIPTOR) >> 8) as u8);
}

/// Appends one block of at most `BLOCK_BYTES`; as it is, if compressing gains nothing.
pub(super) fn put_block(block: &[u8], output: &mut Vec<u8>) {
    let start = output.len();
    output.resize(start + 4 + get_maximum_output_size(block.len()), 0);
    let compressed = compress_into(block, &mut output[start + 4..]);
    let (size, word) = match compressed {
        Ok(size) if size < block.len() => (size, size as u32),
        _ => {
            output[start + 4..start + 4 + block.len()].copy_from_slice(block);
            (block.len(), block.len() as u32 | UNCOMPRESSED)
        }
    };
    output[start..start + 4].copy_from_slice(&word.to_le_bytes());
    output.truncate(start + 4 + size);
}

/// Appends the end mark.
pub(super) fn put_end(output: &mut Vec<u8>) {
    output.extend_from_slice(&0_u32.to_le_bytes());
}
