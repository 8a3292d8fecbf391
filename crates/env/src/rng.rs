//! `Rng`, the source of randomness, and `Map`, the hash map whose order comes from it.

use std::sync::Arc;

use foldhash::SharedSeed;
use foldhash::fast::{FoldHasher, SeedableRandomState};

/// Randomness of one node: the operating system's in production, seeded under simulation. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Rng {
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    Real,
    Seeded(Arc<Seeded>),
}

impl Rng {
    pub(crate) fn real() -> Rng {
        Rng { source: Source::Real }
    }

    /// A reproducible source, for simulation and tests; never for secrets.
    pub fn seeded(seed: u64) -> Rng {
        Rng { source: Source::Seeded(Arc::new(Seeded::new(seed))) }
    }

    pub fn next_u64(&self) -> u64 {
        match &self.source {
            Source::Real => {
                let mut bytes = [0; 8];
                crate::real::random(&mut bytes);
                u64::from_le_bytes(bytes)
            }
            Source::Seeded(seeded) => seeded.next(),
        }
    }

    /// A number in `0..bound`.
    ///
    /// # Panics
    /// When `bound` is 0.
    pub fn below(&self, bound: u64) -> u64 {
        assert!(bound > 0, "no number is below 0");
        // Multiply and shift (Lemire); the bias is below bound / 2^64.
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// Fills the buffer; in production with bytes that are fit for secrets.
    pub fn fill(&self, buffer: &mut [u8]) {
        match &self.source {
            Source::Real => crate::real::random(buffer),
            Source::Seeded(seeded) => {
                for chunk in buffer.chunks_mut(8) {
                    let bytes = seeded.next().to_le_bytes();
                    chunk.copy_from_slice(&bytes[..chunk.len()]);
                }
            }
        }
    }

    /// A hasher state of its own for one map: unpredictable in production, repeatable under simulation.
    pub fn hash_state(&self) -> HashState {
        let shared = match &self.source {
            Source::Real => SharedSeed::global_random(),
            Source::Seeded(_) => SharedSeed::global_fixed(),
        };
        HashState { state: SeedableRandomState::with_seed(self.next_u64(), shared) }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014) on an atomic counter: `Sync` without a lock.
#[derive(Debug)]
struct Seeded {
    state: std::sync::atomic::AtomicU64,
}

impl Seeded {
    const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

    fn new(seed: u64) -> Seeded {
        Seeded { state: std::sync::atomic::AtomicU64::new(seed) }
    }

    fn next(&self) -> u64 {
        let before = self.state.fetch_add(Self::STEP, std::sync::atomic::Ordering::Relaxed);
        let mut z = before.wrapping_add(Self::STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// Builds the hashers of a [`Map`]; made by [`Rng::hash_state`].
#[derive(Clone, Debug)]
pub struct HashState {
    state: SeedableRandomState,
}

impl std::hash::BuildHasher for HashState {
    type Hasher = FoldHasher<'static>;

    fn build_hasher(&self) -> FoldHasher<'static> {
        self.state.build_hasher()
    }
}

/// A hash map for hot look-ups, made with `Map::with_hasher(rng.hash_state())`. Nothing iterates over it.
#[expect(clippy::disallowed_types, reason = "the seeded map that the ban points to")]
pub type Map<K, V> = std::collections::HashMap<K, V, HashState>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_bytes_and_hashes() {
        let draw = |seed| {
            let rng = Rng::seeded(seed);
            let mut bytes = [0; 13];
            rng.fill(&mut bytes);
            let hash = std::hash::BuildHasher::hash_one(&rng.hash_state(), "orders");
            (rng.next_u64(), rng.below(10), bytes, hash)
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn real_numbers_differ_and_stay_below_the_bound() {
        let rng = Rng::real();
        assert_ne!(rng.next_u64(), rng.next_u64());
        assert!((0..1000).all(|_| rng.below(3) < 3));
    }

    #[test]
    fn a_map_finds_what_was_put_in() {
        let mut map: Map<&str, u32> = Map::with_hasher(Rng::real().hash_state());
        map.insert("a", 1);
        assert_eq!(map.get("a"), Some(&1));
    }
}
