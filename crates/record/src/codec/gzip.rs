//! gzip (RFC 1952) over a reused inflater. Several members in a row are read as one, as Java's `GZIPInputStream` does.

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::scratch::{CHUNK_BYTES, DecompressBuf};
use super::stream::{Fault, take, take_array};

/// Raw inflate state, 40 KiB or so.
pub(super) struct Inflater(Decompress);

pub(super) struct GzipReader<'a> {
    input: &'a [u8],
    in_member: bool,
    members: usize,
    crc: Crc,
}

const FLAG_HEADER_CRC: u8 = 2;
const FLAG_EXTRA: u8 = 4;
const FLAG_NAME: u8 = 8;
const FLAG_COMMENT: u8 = 16;

impl<'a> GzipReader<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self { input, in_member: false, members: 0, crc: Crc::new() }
    }

    /// Inflates up to one chunk; 0 at the end.
    pub(super) fn next_chunk(&mut self, scratch: &mut DecompressBuf) -> Result<usize, Fault> {
        let inflater = scratch.inflater.take().unwrap_or_else(|| Inflater(Decompress::new(false)));
        let mut inflate = inflater.0;
        let size = self.inflate(&mut inflate, scratch.chunk_of(CHUNK_BYTES));
        scratch.inflater = Some(Inflater(inflate));
        size
    }

    fn inflate(&mut self, inflate: &mut Decompress, chunk: &mut [u8]) -> Result<usize, Fault> {
        loop {
            if !self.in_member {
                // what follows the first member and is no member is left alone, as Java leaves it
                if self.members > 0 && !self.input.starts_with(&[0x1f, 0x8b]) {
                    return Ok(0);
                }
                self.read_header()?;
                inflate.reset(false);
                self.crc = Crc::new();
                self.in_member = true;
                self.members += 1;
            }
            let (read_before, written_before) = (inflate.total_in(), inflate.total_out());
            let status = inflate
                .decompress(self.input, chunk, FlushDecompress::None)
                .map_err(|error| Fault::Damaged(format!("gzip: {error}")))?;
            let read = (inflate.total_in() - read_before) as usize;
            let written = (inflate.total_out() - written_before) as usize;
            take(&mut self.input, read)?;
            self.crc.update(&chunk[..written]);
            if status == Status::StreamEnd {
                self.in_member = false;
                self.read_trailer()?;
            } else if written == 0 && (read == 0 || self.input.is_empty()) {
                return Err("gzip: the stream ends too early".into());
            }
            if written > 0 {
                return Ok(written);
            }
        }
    }

    fn read_header(&mut self) -> Result<(), Fault> {
        let [magic0, magic1, method, flags, ..] = take_array::<10>(&mut self.input)?;
        if [magic0, magic1] != [0x1f, 0x8b] {
            return Err("gzip: not in GZIP format".into());
        }
        if method != 8 {
            return Err("gzip: unsupported compression method".into());
        }
        if flags & FLAG_EXTRA != 0 {
            let size = u16::from_le_bytes(take_array(&mut self.input)?);
            take(&mut self.input, usize::from(size))?;
        }
        for flag in [FLAG_NAME, FLAG_COMMENT] {
            while flags & flag != 0 && take_array::<1>(&mut self.input)? != [0] {}
        }
        if flags & FLAG_HEADER_CRC != 0 {
            take(&mut self.input, 2)?;
        }
        Ok(())
    }

    fn read_trailer(&mut self) -> Result<(), Fault> {
        let crc = u32::from_le_bytes(take_array(&mut self.input)?);
        let size = u32::from_le_bytes(take_array(&mut self.input)?);
        if crc != self.crc.sum() || size != self.crc.amount() {
            return Err("gzip: corrupt trailer".into());
        }
        Ok(())
    }
}
