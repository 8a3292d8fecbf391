//! Connections within the process: what the console talks over, and what a simulated network is made of.

mod pipe;
mod stream;

#[cfg(feature = "sim")]
pub(crate) use pipe::Delay;
pub(crate) use pipe::Pipe;
pub(crate) use stream::{MemoryReader, MemoryWriter, join};
