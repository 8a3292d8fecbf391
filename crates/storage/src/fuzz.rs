//! What the fuzz target `index_files` does with an input; a test replays what it found through the same function.

use klamm_record::{Offset, ProducerId};

use crate::meta_properties::MetaProperties;
use crate::{
    checkpoint_file, clean_shutdown_file, leader_epoch_cache, offset_index,
    partition_metadata_file, producer_snapshot, time_index, transaction_index,
};

/// Reads `input` as one of the small files of a log dir; the first byte chooses which. What can be read is written and read again.
///
/// # Panics
/// If what was read is not what comes back.
pub fn index_files(input: &[u8]) {
    let Some((&choice, bytes)) = input.split_first() else { return };
    let base_offset = Offset(if choice & 0x80 == 0 { 0 } else { i64::MAX - 7 });
    match choice & 0x7f {
        0 => {
            let count = offset_index::parse(bytes, base_offset).count();
            let _ = offset_index::check(bytes, base_offset);
            assert!(count <= bytes.len());
        }
        1 => {
            let count = time_index::parse(bytes, base_offset).count();
            let _ = time_index::check(bytes, base_offset);
            assert!(count <= bytes.len());
        }
        2 => {
            let entries: Vec<_> = transaction_index::parse(bytes).map_while(Result::ok).collect();
            let _ = transaction_index::check(bytes, base_offset);
            let written: Vec<u8> = entries.iter().flat_map(|entry| entry.encode()).collect();
            assert!(bytes.starts_with(&written));
        }
        3 => {
            // the CRC made right, so that what it covers is reached
            let mut repaired = bytes.to_vec();
            if repaired.len() >= 6 {
                let crc = crc32c::crc32c(&repaired[6..]);
                repaired[2..6].copy_from_slice(&crc.to_be_bytes());
            }
            let _ = producer_snapshot::parse(bytes);
            let entries: Vec<(ProducerId, _)> =
                producer_snapshot::parse(&repaired).unwrap_or_default();
            assert!(entries.len() <= bytes.len());
        }
        4 => {
            if let Ok(entries) = leader_epoch_cache::parse(bytes) {
                let text = leader_epoch_cache::render(&entries);
                assert_eq!(leader_epoch_cache::parse(text.as_bytes()), Ok(entries.clone()));
                let cache = leader_epoch_cache::LeaderEpochCache::from_entries(entries);
                assert!(cache.entries().is_sorted_by_key(|entry| entry.epoch));
            }
        }
        5 => {
            if let Ok(offsets) = checkpoint_file::parse_offsets(bytes) {
                let text = checkpoint_file::render_offsets(&offsets);
                assert_eq!(checkpoint_file::parse_offsets(text.as_bytes()), Ok(offsets));
            }
        }
        6 => {
            if let Ok(properties) = MetaProperties::parse(bytes) {
                let text = properties.render();
                assert_eq!(MetaProperties::parse(text.as_bytes()).ok(), Some(properties));
            }
        }
        7 => {
            if let Ok(topic_id) = partition_metadata_file::parse(bytes) {
                let text = partition_metadata_file::render(topic_id);
                assert_eq!(partition_metadata_file::parse(text.as_bytes()).ok(), Some(topic_id));
            }
        }
        _ => {
            let _ = clean_shutdown_file::parse(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a test reads its seeds")]

    use std::path::Path;

    #[test]
    fn seeds_do_no_harm() {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/index_files");
        let mut count = 0;
        for entry in std::fs::read_dir(&seeds).expect("the seeds are in the repository") {
            super::index_files(&std::fs::read(entry.unwrap().path()).unwrap());
            count += 1;
        }
        assert!(count > 0, "no seeds in {}", seeds.display());
    }
}
