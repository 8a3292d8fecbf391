//! Connections within the process: what the console talks over, and what a simulated network is made of.

mod pipe;
mod stream;

pub(crate) use pipe::Pipe;
#[cfg(feature = "sim")]
pub(crate) use pipe::Weather;
pub(crate) use stream::{MemoryReader, MemoryWriter, join};
