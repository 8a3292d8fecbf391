//! Which seeds a test runs: `KLAMM_SEED` replays one, `KLAMM_SEEDS` says how many.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Runs a scenario under each seed; the first that fails ends the test, with the command that replays it.
///
/// # Panics
/// As the scenario does, or when the variables hold no numbers.
pub fn for_each_seed(test: &str, default_count: u64, scenario: impl Fn(u64)) {
    let seeds = match (number("KLAMM_SEED"), number("KLAMM_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, count) => 0..count.unwrap_or(default_count),
    };
    for seed in seeds {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| scenario(seed))) {
            eprintln!(
                "{test} failed with seed {seed}; replay it with: cargo xtask sim --seed {seed}"
            );
            resume_unwind(panic);
        }
    }
}

/// Whether one seed is replayed, so that a scenario may tell all that happens.
pub fn is_replay() -> bool {
    number("KLAMM_SEED").is_some()
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} must be a number, not {text}")))
}
