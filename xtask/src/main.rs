//! `cargo xtask`: verify, fix, tidy, codegen, sim, clients, bench.

fn main() {}
