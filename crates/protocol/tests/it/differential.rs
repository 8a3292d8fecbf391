//! Random messages go through our code and through `kafka-protocol` and come out as the same bytes.

use bytes::Bytes;

use crate::random::{Messages, Shape};
use crate::{all, seed};

const MESSAGES_PER_VERSION: usize = 40;

#[test]
fn every_message_round_trips_in_every_version() {
    let seed = seed();
    let mut failures = Vec::new();
    for (entry, schema) in all() {
        for version in entry.versions.min..=entry.versions.max {
            for shape in [Shape::Full, Shape::Mixed] {
                let mut messages = Messages::new(&schema, version, shape, seed);
                for _ in 0..MESSAGES_PER_VERSION {
                    let bytes = Bytes::from(messages.bytes());
                    let ours = (entry.ours)(bytes.clone(), version);
                    if ours.as_ref() != Ok(&bytes) {
                        failures.push(format!("{} v{version}: {ours:?} for {bytes:?}", entry.name));
                        break;
                    }
                }
            }
        }
    }
    assert!(failures.is_empty(), "KLAMM_SEED={seed}\n{}", failures.join("\n"));
}

#[test]
fn kafka_protocol_reads_and_writes_the_same_bytes() {
    let seed = seed();
    let (mut failures, mut compared) = (Vec::new(), 0);
    for (entry, schema) in all() {
        let (Some(theirs), Some(range)) = (entry.theirs, entry.their_versions) else { continue };
        for version in entry.versions.min..=entry.versions.max.min(range.max) {
            if !range.contains(version) {
                continue;
            }
            for shape in [Shape::Full, Shape::Mixed] {
                let mut messages = Messages::new(&schema, version, shape, seed);
                for _ in 0..MESSAGES_PER_VERSION {
                    let bytes = Bytes::from(messages.bytes());
                    compared += 1;
                    let back = theirs(bytes.clone(), version);
                    if back.as_ref() != Ok(&bytes) {
                        failures.push(format!("{} v{version}: {back:?} for {bytes:?}", entry.name));
                        break;
                    }
                }
            }
        }
    }
    assert!(failures.is_empty(), "KLAMM_SEED={seed}\n{}", failures.join("\n"));
    assert!(compared > 30_000, "{compared} messages compared");
}
