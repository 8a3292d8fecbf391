//! Exit codes, as `klamm server --help` documents them.

/// It could not start, or failed while it ran.
pub const FAILED: u8 = 1;
/// The command line or the configuration is wrong (clap uses the same code).
pub const WRONG_USAGE: u8 = 2;
/// A second signal: stopped at once, without flush and clean marker (128 + SIGINT).
pub const STOPPED_AT_ONCE: i32 = 130;
/// The metadata log failed while the node ran: it acknowledged nothing more and ended at once (`EX_IOERR`).
pub const METADATA_LOG_FAILED: i32 = klamm_quorum::EXIT_CODE_METADATA_LOG_FAILED;
