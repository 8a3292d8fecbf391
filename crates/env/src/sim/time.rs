//! `VirtualTime`: wall time derived from the runtime's paused clock.

use tokio::runtime::Handle;
use tokio::time::Instant;

/// Where the wall clock of every simulation begins: 2026-01-01T00:00:00Z.
const EPOCH_MS: i64 = 1_767_225_600_000;

#[derive(Clone, Debug)]
pub(crate) struct VirtualTime {
    start: Instant,
    runtime: Handle,
}

impl VirtualTime {
    /// Starts at the runtime's present.
    pub(crate) fn start(runtime: &Handle) -> VirtualTime {
        let _entered = runtime.enter();
        VirtualTime { start: Instant::now(), runtime: runtime.clone() }
    }

    /// Virtual also when asked outside the runtime.
    pub(crate) fn now(&self) -> Instant {
        let _entered = self.runtime.enter();
        Instant::now()
    }

    /// Milliseconds since the start of the simulation.
    pub(crate) fn elapsed_ms(&self) -> i64 {
        (self.now() - self.start).as_millis() as i64
    }

    pub(crate) fn now_ms(&self) -> i64 {
        EPOCH_MS + self.elapsed_ms()
    }
}
