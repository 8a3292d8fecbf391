//! Whole clusters under a seed: a library with tests.
