//! the outside world: clock, rng, disk, net, tasks; real and in-memory.
