//! The `records` field of a response.

use bytes::Bytes;

/// Record batches that a response carries: in memory, or bytes that the sender will put there itself (`sendfile`).
/// Decoding always gives `Memory`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Records {
    /// The batches themselves.
    Memory(Bytes),
    /// `size_bytes` bytes that are not here. The writer leaves a [`super::Piece::External`] in their place.
    External {
        /// Names the bytes to the sender; the protocol gives it no meaning.
        token: usize,
        /// How many they are.
        size_bytes: u32,
    },
}

impl Records {
    /// The size of the batches in bytes.
    pub fn size_bytes(&self) -> usize {
        match self {
            Self::Memory(bytes) => bytes.len(),
            Self::External { size_bytes, .. } => *size_bytes as usize,
        }
    }

    /// True if there is no batch.
    pub fn is_empty(&self) -> bool {
        self.size_bytes() == 0
    }

    /// The batches, if they are in memory.
    pub const fn memory(&self) -> Option<&Bytes> {
        match self {
            Self::Memory(bytes) => Some(bytes),
            Self::External { .. } => None,
        }
    }
}

impl Default for Records {
    fn default() -> Self {
        Self::Memory(Bytes::new())
    }
}

impl From<Bytes> for Records {
    fn from(bytes: Bytes) -> Self {
        Self::Memory(bytes)
    }
}
