//! Whole nodes under seeds. `KLAMM_SEED` replays one, `KLAMM_SEEDS` says how many (`cargo xtask sim`).

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod node;
mod one_node;
mod same_seed;
