//! one partition's log on disk; synchronous.
