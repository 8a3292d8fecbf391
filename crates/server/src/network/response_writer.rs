//! Pieces out: neighbours in memory leave in one vectored write, file slices by `sendfile`.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::time::Duration;

use bytes::{Buf, Bytes};
use klamm_env::{Clock, Stream};
use tokio::io::AsyncWriteExt;

use crate::reply::{FilePiece, Piece};

/// How many pieces one vectored write takes.
const SLICES_MAX: usize = 16;

/// Why a response did not reach the socket whole.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The client takes nothing.
    #[error("the client reads nothing for klamm.connection.stall.timeout.ms")]
    Stalled,
    /// The socket failed, or the file could not be read.
    #[error("cannot write: {0}")]
    Io(#[from] std::io::Error),
}

/// Writes all pieces in order. Not cancel safe: half a response may have left.
///
/// # Errors
/// When the socket fails, a file cannot be read, or nothing moves for `stall_max`.
pub async fn write_pieces(
    stream: &mut Stream,
    clock: &Clock,
    pieces: Vec<Piece>,
    stall_max: Duration,
) -> Result<(), WriteError> {
    let has_files = pieces.iter().any(|piece| matches!(piece, Piece::File(_)));
    if has_files {
        // Header bytes and file slices leave in full segments: a client woken for each part costs both sides.
        stream.set_cork(true)?;
    }
    let mut in_memory = VecDeque::with_capacity(pieces.len());
    for piece in pieces {
        match piece {
            Piece::Bytes(bytes) if bytes.is_empty() => {}
            Piece::Bytes(bytes) => in_memory.push_back(bytes),
            Piece::File(slice) => {
                write_bytes(stream, clock, &mut in_memory, stall_max).await?;
                write_file(stream, clock, &slice, stall_max).await?;
            }
        }
    }
    write_bytes(stream, clock, &mut in_memory, stall_max).await?;
    stream.flush().await?;
    if has_files {
        stream.set_cork(false)?;
    }
    Ok(())
}

async fn write_bytes(
    stream: &mut Stream,
    clock: &Clock,
    pieces: &mut VecDeque<Bytes>,
    stall_max: Duration,
) -> Result<(), WriteError> {
    while !pieces.is_empty() {
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let count = pieces.len().min(SLICES_MAX);
        for (slice, piece) in slices.iter_mut().zip(pieces.iter()) {
            *slice = IoSlice::new(piece);
        }
        let write = stream.write_vectored(&slices[..count]);
        let mut written =
            clock.timeout(stall_max, write).await.map_err(|_| WriteError::Stalled)??;
        if written == 0 {
            return Err(WriteError::Io(std::io::ErrorKind::WriteZero.into()));
        }
        while let Some(front) = pieces.front_mut() {
            if written < front.len() {
                front.advance(written);
                break;
            }
            written -= front.len();
            pieces.pop_front();
        }
    }
    Ok(())
}

async fn write_file(
    stream: &mut Stream,
    clock: &Clock,
    slice: &FilePiece,
    stall_max: Duration,
) -> Result<(), WriteError> {
    let end = slice.position + slice.size_bytes;
    let mut position = slice.position;
    while position < end {
        // The clock starts anew with whatever the client takes: slow is not stalled.
        let send = stream.send_file_some(&slice.file, position, end - position);
        position += clock.timeout(stall_max, send).await.map_err(|_| WriteError::Stalled)??;
    }
    Ok(())
}
