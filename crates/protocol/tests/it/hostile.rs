//! Bytes that no honest peer sends: decoding fails or gives a message, and that is all that happens.

use bytes::Bytes;

use crate::random::{Messages, Random, Shape};
use crate::{all, seed};

/// What attackers put where a length or a count is expected.
const LENGTHS: &[&[u8]] = &[
    &[0x7f, 0xff, 0xff, 0xff],
    &[0x7f, 0xff],
    &[0x80, 0, 0, 0],
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    &[0xff, 0xff, 0xff, 0xfe],
    &[0x00],
    &[0x00, 0x00, 0x00, 0x01],
];

#[test]
fn every_cut_message_is_refused() {
    let seed = seed();
    for (entry, schema) in all() {
        for version in entry.versions.min..=entry.versions.max {
            let bytes = Bytes::from(Messages::new(&schema, version, Shape::Full, seed).bytes());
            for end in 0..bytes.len().min(300) {
                let cut = (entry.ours)(bytes.slice(..end), version);
                assert!(cut.is_err(), "{} v{version} cut at {end}: {bytes:?}", entry.name);
            }
        }
    }
}

#[test]
fn bytes_behind_a_message_are_seen() {
    for (entry, schema) in all() {
        let version = entry.versions.max;
        let mut bytes = Messages::new(&schema, version, Shape::Full, seed()).bytes();
        bytes.push(0);
        let result = (entry.ours)(bytes.into(), version);
        assert_eq!(result, Err("1 bytes left".to_owned()), "{}", entry.name);
    }
}

#[test]
fn versions_that_do_not_exist_are_refused() {
    for (entry, _) in all() {
        for version in [i16::MIN, -1, entry.versions.min - 1, entry.versions.max + 1, i16::MAX] {
            let error = (entry.ours)(Bytes::from_static(&[0; 100]), version).unwrap_err();
            assert_eq!(error, format!("decode: {} has no version {version}", entry.name));
        }
    }
}

#[test]
fn random_bytes_never_panic() {
    let mut random = Random(seed());
    for (entry, _) in all() {
        for version in entry.versions.min..=entry.versions.max {
            for _ in 0..50 {
                let length = random.below(200);
                // Small numbers get deeper into a message than evenly spread bytes.
                let bound = [256, 8, 3][random.below(3) as usize];
                let bytes: Vec<u8> = (0..length).map(|_| random.below(bound) as u8).collect();
                decodes_or_not(&entry, &bytes, version);
            }
        }
    }
}

#[test]
fn damaged_messages_never_panic() {
    let mut random = Random(seed());
    for (entry, schema) in all() {
        for version in entry.versions.min..=entry.versions.max {
            let mut messages = Messages::new(&schema, version, Shape::Full, random.next());
            for _ in 0..50 {
                let mut bytes = messages.bytes();
                if bytes.is_empty() {
                    continue;
                }
                let place = random.below(bytes.len() as u64) as usize;
                match random.below(3) {
                    0 => bytes[place] = random.next() as u8,
                    1 => _ = bytes.drain(place..bytes.len().min(place + 4)),
                    _ => {
                        let length = LENGTHS[random.below(LENGTHS.len() as u64) as usize];
                        let end = bytes.len().min(place + length.len());
                        bytes.splice(place..end, length.iter().copied());
                    }
                }
                decodes_or_not(&entry, &bytes, version);
            }
        }
    }
}

/// What decodes can also be encoded again in the same version.
fn decodes_or_not(entry: &crate::Entry, bytes: &[u8], version: i16) {
    if let Err(error) = (entry.ours)(Bytes::copy_from_slice(bytes), version) {
        assert!(!error.starts_with("encode"), "{} v{version}: {error}: {bytes:?}", entry.name);
    }
}
