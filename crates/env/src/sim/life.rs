//! `Life`: one start of a node, from boot to crash.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Shared by everything that one start of a node holds. After the crash nothing of it works any more, so that what the
/// destructors of aborted tasks do cannot reach the disk or the network of the next start.
#[derive(Clone, Debug, Default)]
pub(crate) struct Life {
    over: Arc<AtomicBool>,
}

impl Life {
    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// # Errors
    /// When the node has crashed since.
    pub(crate) fn check(&self) -> io::Result<()> {
        if self.is_over() { Err(crashed()) } else { Ok(()) }
    }
}

pub(crate) fn crashed() -> io::Error {
    io::Error::other("the simulated node has crashed")
}
