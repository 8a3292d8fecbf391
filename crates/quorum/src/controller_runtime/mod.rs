//! The runtime of the controller: one task that owns the state machine, appends what it says and answers when it is committed.
//!
//! Operations run one after another against a state that includes what is not committed yet. Whatever waits in the queue is
//! taken together: one write and one sync for all. Then the image is published, the publishers run in order, and the answers
//! go out: who was answered sees its change everywhere on this node. If the append fails, the state goes back to the last
//! committed one, and nobody is answered with success.
//!
//! Invariant: a record that does not replay is never appended.
//!
//! Does not know: what the records mean, and how the log commits.

mod command;
mod handle;
mod loaded_state;
mod publisher;
mod start;
mod task;

pub use handle::{ControllerError, ControllerHandle, MetadataLogFailure};
pub use publisher::MetadataPublisher;
pub use start::{ControllerArgs, ControllerRuntime, StartError};

/// Exit code of a node whose metadata log failed (`EX_IOERR` of `sysexits.h`).
pub const EXIT_CODE_METADATA_LOG_FAILED: i32 = 74;
