//! The bounds of a connection, as plain numbers.

use std::time::Duration;

/// What a connection may do and for how long it may do nothing.
#[derive(Debug, Clone)]
pub struct ConnectionLimits {
    /// Largest frame that is received (`socket.request.max.bytes`), in bytes, inclusive.
    pub frame_bytes_max: u32,
    /// Silence after which a connection is closed (`connections.max.idle.ms`); `None`: never.
    pub idle_max: Option<Duration>,
    /// How long a connection may hold memory without a byte moving in or out
    /// (`klamm.connection.stall.timeout.ms`).
    pub stall_max: Duration,
    /// `SO_SNDBUF`, in bytes; `None`: the system's.
    pub send_buffer_bytes: Option<u32>,
    /// `SO_RCVBUF`, in bytes; `None`: the system's.
    pub receive_buffer_bytes: Option<u32>,
}

/// How many answered-later requests a connection may have behind each other.
pub const WAITING_RESPONSES_MAX: usize = 64;

/// What a large answer reserves of the response pool before it is built.
pub const LARGE_RESPONSE_RESERVE_BYTES: u32 = 256 * 1024;
