//! Replays the inputs in `fuzz/seeds/record_batch`.

#![expect(clippy::disallowed_methods, reason = "a test reads its seeds")]

use std::path::Path;

#[test]
fn seeds_do_no_harm() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/record_batch");
    let mut count = 0;
    for entry in std::fs::read_dir(&seeds).expect("the seeds are in the repository") {
        let path = entry.expect("readable").path();
        klamm_record::fuzz::record_batch(&std::fs::read(&path).expect("readable"));
        count += 1;
    }
    assert!(count > 0, "no seeds in {}", seeds.display());
}
