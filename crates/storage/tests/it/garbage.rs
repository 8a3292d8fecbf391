//! No bytes make a parser panic, and what a parser takes, its writer gives back.

use klamm_record::Offset;
use klamm_storage::log_file_names::{LogFileName, ReplicaDirName, replica_dir_name};
use klamm_storage::meta_properties::MetaProperties;
use klamm_storage::{
    checkpoint_file, clean_shutdown_file, leader_epoch_cache, offset_index,
    partition_metadata_file, producer_snapshot, time_index, transaction_index,
};
use proptest::prelude::*;

/// Bytes as they come, or the start of a sound file with a few of them behind.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let starts = proptest::sample::select(vec![
        "",
        "0\n1\n",
        "0\n2\na 0 1\n",
        "version: 0\ntopic_id: ",
        "version=1\nnode.id=",
        "{\"version\":0,\"brokerEpoch\":",
        "\0\x01",
    ]);
    (starts, proptest::collection::vec(any::<u8>(), 0..200))
        .prop_map(|(start, bytes)| [start.as_bytes(), &bytes].concat())
}

proptest! {
    #[test]
    fn parsers_take_anything(bytes in bytes(), base in any::<i64>()) {
        let base = Offset(base);
        prop_assert_eq!(offset_index::parse(&bytes, base).count(), bytes.len() / 8);
        prop_assert_eq!(time_index::parse(&bytes, base).count(), bytes.len() / 12);
        prop_assert_eq!(transaction_index::parse(&bytes).count(), bytes.len() / 34);
        let _ = offset_index::check(&bytes, base);
        let _ = time_index::check(&bytes, base);
        let _ = transaction_index::check(&bytes, base);
        let _ = clean_shutdown_file::parse(&bytes);
        if let Ok(entries) = producer_snapshot::parse(&bytes) {
            let written = producer_snapshot::encode(entries.iter().map(|(id, entry)| (*id, entry)));
            prop_assert_eq!(written.len(), bytes.len());
        }
        if let Ok(topic_id) = partition_metadata_file::parse(&bytes) {
            let text = partition_metadata_file::render(topic_id);
            prop_assert_eq!(partition_metadata_file::parse(text.as_bytes()), Ok(topic_id));
        }
        if let Ok(meta) = MetaProperties::parse(&bytes) {
            prop_assert_eq!(MetaProperties::parse(meta.render().as_bytes()), Ok(meta));
        }
        if let Ok(entries) = leader_epoch_cache::parse(&bytes) {
            let text = leader_epoch_cache::render(&entries);
            prop_assert_eq!(leader_epoch_cache::parse(text.as_bytes()), Ok(entries));
        }
        if let Ok(offsets) = checkpoint_file::parse_offsets(&bytes) {
            let text = checkpoint_file::render_offsets(&offsets);
            prop_assert_eq!(checkpoint_file::parse_offsets(text.as_bytes()), Ok(offsets));
        }
    }

    #[test]
    fn snapshots_with_a_sound_crc_may_say_anything(
        entries in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 46), 0..4),
    ) {
        let mut body = (entries.len() as i32).to_be_bytes().to_vec();
        body.extend(entries.concat());
        let mut bytes = vec![0, 1];
        bytes.extend(crc32c::crc32c(&body).to_be_bytes());
        bytes.extend(&body);
        let read = producer_snapshot::parse(&bytes).expect("whole, and its CRC is right");
        prop_assert_eq!(read.len(), entries.len());
        for (_, entry) in &read {
            for batch in entry.batches() {
                let _ = (batch.first_offset(), batch.first_sequence());
            }
        }
    }

    #[test]
    fn names_take_anything(text in "\\PC{0,40}|[a-z.-]{0,8}-[0-9]{0,11}(\\.[0-9a-f]{0,4})?(-delete|-stray|-future)?|[0-9]{1,21}\\.(log|index|snapshot)(\\.swap)?") {
        if let Some(name) = LogFileName::parse(&text) {
            prop_assert_eq!(LogFileName::parse(&name.to_string()), Some(name));
        }
        if let Some(name) = ReplicaDirName::parse(&text) {
            prop_assert!(text.contains('-') && name.topic_partition.partition >= 0);
            let canonical = replica_dir_name(&name.topic_partition);
            prop_assert_eq!(ReplicaDirName::parse(&canonical).map(|n| n.topic_partition), Some(name.topic_partition));
        }
    }
}
