//! `Trace`: what happened, in order, for comparing two runs and for reading.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use super::time::VirtualTime;

/// Lines kept; all count for the fingerprint.
const LINES_MAX: usize = 100_000;

#[derive(Clone)]
pub(crate) struct Trace {
    time: VirtualTime,
    state: Arc<Mutex<State>>,
}

struct State {
    lines: Vec<String>,
    fingerprint: u64,
}

impl Trace {
    pub(crate) fn new(time: VirtualTime) -> Trace {
        let state = State { lines: Vec::new(), fingerprint: FINGERPRINT_START };
        Trace { time, state: Arc::new(Mutex::new(state)) }
    }

    pub(crate) fn note(&self, node: &str, what: fmt::Arguments<'_>) {
        let line = format!("{} {node} {what}", self.time.elapsed_ms());
        let mut state = self.state.lock();
        state.fingerprint = fingerprint(state.fingerprint, line.as_bytes());
        if state.lines.len() < LINES_MAX {
            state.lines.push(line);
        }
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.state.lock().lines.clone()
    }

    pub(crate) fn fingerprint(&self) -> u64 {
        self.state.lock().fingerprint
    }
}

pub(crate) const FINGERPRINT_START: u64 = 0xCBF2_9CE4_8422_2325;

/// FNV-1a, 64 bits: stable between builds, unlike hashers of libraries.
pub(crate) fn fingerprint(start: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}
