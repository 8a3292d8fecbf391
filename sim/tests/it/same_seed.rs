//! The same seed gives the same bytes twice.

use klamm_env::sim::Sim;
use klamm_sim::seeds;

use crate::one_node;

#[test]
fn the_same_seed_gives_the_same_bytes() {
    seeds::for_each_seed("same seed", 2, |seed| {
        let (first, second) = (one_node::run(seed), one_node::run(seed));
        assert_same_trace(&first, &second);
        assert_same_disk(&first, &second);
        assert_eq!(first.fingerprint(), second.fingerprint());
    });
}

#[test]
fn another_seed_gives_other_bytes() {
    assert_ne!(one_node::run(1001).fingerprint(), one_node::run(1002).fingerprint());
}

fn assert_same_trace(first: &Sim, second: &Sim) {
    let (first, second) = (first.trace(), second.trace());
    for (at, (one, other)) in first.iter().zip(&second).enumerate() {
        assert_eq!(one, other, "the runs part at line {at}, after {:?}", first[..at].last());
    }
    assert_eq!(first.len(), second.len());
}

fn assert_same_disk(first: &Sim, second: &Sim) {
    let (first, second) = (first.disk_image(), second.disk_image());
    let names: [Vec<_>; 2] = [first.keys().collect(), second.keys().collect()];
    assert_eq!(names[0], names[1]);
    assert!(names[0].iter().any(|name| name.ends_with(".log")), "{:?}", names[0]);
    for (name, bytes) in &first {
        assert!(second[name] == *bytes, "{name} differs");
    }
}
