//! The descriptor limit of the process.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Used where the system says "no limit".
const UNLIMITED: u64 = 1 << 20;

/// Raises the soft limit of open descriptors to the hard one and returns what holds afterwards.
pub(crate) fn raise_descriptor_limit() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.unwrap_or(UNLIMITED);
    let current = limit.current.unwrap_or(UNLIMITED);
    if current < wanted {
        let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
        match setrlimit(Resource::Nofile, raised) {
            Ok(()) => return wanted.min(UNLIMITED) as usize,
            Err(error) => {
                tracing::warn!(current, wanted, %error, "cannot raise the descriptor limit");
            }
        }
    }
    current.min(UNLIMITED) as usize
}
