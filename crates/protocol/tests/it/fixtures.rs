//! Messages that Kafka's own classes wrote (`testdata/messages.txt`: name, version, bytes).

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::generated::messages::entries;

#[test]
fn messages_of_kafka_come_back_as_they_were() {
    let entries: BTreeMap<_, _> = entries().into_iter().map(|entry| (entry.name, entry)).collect();
    let mut read = BTreeMap::new();
    for line in include_str!("../../testdata/messages.txt").lines() {
        if line.starts_with('#') {
            continue;
        }
        let words: Vec<_> = line.split(' ').collect();
        let [name, version, hex] = words[..] else { panic!("name, version, bytes: {line}") };
        let bytes: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal digits"))
            .collect();
        let version = version.parse().expect("a version");
        let result = (entries[name].ours)(bytes.clone().into(), version);
        assert_eq!(result, Ok(Bytes::from(bytes)), "{name} v{version}");
        *read.entry(name).or_insert(0) += 1;
    }
    for (name, entry) in entries {
        let versions = entry.versions.max - entry.versions.min + 1;
        assert_eq!(read.get(name), Some(&versions), "{name} has a line for each version");
    }
}
