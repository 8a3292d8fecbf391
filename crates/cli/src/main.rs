//! The `klamm` binary: parses arguments, calls server, gateway and client.

fn main() {}
