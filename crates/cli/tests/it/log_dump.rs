//! `klamm log dump` over files that Apache Kafka 4.3.1 wrote, over damaged copies, and over noise.

#![expect(clippy::disallowed_methods, reason = "tests make files for the binary to read")]

use std::path::{Path, PathBuf};

use expect_test::expect_file;

use super::{klamm, output, text};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../storage/testdata/kafka-4.3.1")
}

/// Exit code and standard output of a dump that runs in `dir`.
fn dump(dir: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let run = klamm(&["log", "dump"]).args(arguments).current_dir(dir).output().unwrap();
    assert_eq!(text(&run.stderr), "", "{arguments:?}");
    (run.status.code(), text(&run.stdout))
}

/// A directory with one file: a fixture, changed.
fn changed(file: &str, change: impl FnOnce(&mut Vec<u8>)) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let mut bytes = std::fs::read(fixtures().join(file)).unwrap();
    change(&mut bytes);
    let name = Path::new(file).file_name().unwrap().to_str().unwrap().to_owned();
    std::fs::write(dir.path().join(&name), bytes).unwrap();
    (dir, name)
}

#[test]
fn help_is_as_agreed() {
    let help = text(&output(&["log", "dump", "--help"]).stdout);
    expect_file!["../../testdata/help_log_dump.txt"].assert_eq(&help);
}

#[test]
fn kafkas_files_are_shown() {
    let files = [
        "00000000000000000010.log",
        "00000000000000000010.index",
        "00000000000000000010.timeindex",
        "00000000000000000010.txnindex",
        "00000000000000000076.snapshot",
        "leader-epoch-checkpoint",
        "partition.metadata",
        "../meta.properties",
        "../recovery-point-offset-checkpoint",
    ];
    let dir = fixtures().join("txn-topic-0");
    let (code, shown) = dump(&dir, &[&["--check"], &files[..]].concat());
    assert_eq!(code, Some(0));
    expect_file!["../../testdata/log_dump.txt"].assert_eq(&shown);
    let (code, records) = dump(&dir, &["--records", "00000000000000000106.log"]);
    assert_eq!(code, Some(0));
    expect_file!["../../testdata/log_dump_records.txt"].assert_eq(&records);
}

#[test]
fn every_fixture_is_sound_and_every_json_line_is_json() {
    for partition in ["segments-0", "trimmed-0", "txn-topic-0"] {
        let dir = fixtures().join(partition);
        let mut names: Vec<String> = std::fs::read_dir(&dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let mut arguments = vec!["--check", "--json", "--records"];
        arguments.extend(names.iter().map(String::as_str));
        let (code, lines) = dump(&dir, &arguments);
        assert_eq!(code, Some(0), "{partition}");
        for line in lines.lines() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(value["file"].is_string() && value["entry"].is_string(), "{line}");
        }
    }
}

#[test]
fn damage_is_shown_where_it_is() {
    let log = "segments-0/00000000000000000000.log";
    let (dir, name) = changed(log, |bytes| bytes[100] ^= 1);
    let (code, shown) = dump(dir.path(), &[&name]);
    assert_eq!(code, Some(1));
    assert!(shown.contains("crc_valid=false"), "{shown}");
    let expected = r#"  damaged position=0 error="the CRC does not match the bytes""#;
    assert_eq!(shown.lines().nth(2), Some(expected));
    assert!(shown.lines().count() > 4, "the batches behind it are shown: {shown}");

    let (dir, name) = changed(log, |bytes| bytes.truncate(bytes.len() - 1));
    let (code, shown) = dump(dir.path(), &[&name]);
    assert_eq!(code, Some(1));
    assert!(shown.lines().last().unwrap().contains("batch is cut short"), "{shown}");

    let (dir, name) = changed("segments-0/00000000000000000104.snapshot", |bytes| bytes[20] ^= 1);
    let (code, shown) = dump(dir.path(), &[&name]);
    assert_eq!(code, Some(1));
    assert!(shown.contains("stored CRC"), "{shown}");
}

#[test]
fn an_index_that_points_elsewhere_is_found_beside_its_log() {
    let index = "txn-topic-0/00000000000000000010.timeindex";
    let (dir, name) = changed(index, |bytes| bytes[7] ^= 1);
    let log = "00000000000000000010.log";
    std::fs::copy(fixtures().join("txn-topic-0").join(log), dir.path().join(log)).unwrap();
    assert_eq!(dump(dir.path(), &[&name]).0, Some(0), "it is not looked for unless asked");
    let (code, shown) = dump(dir.path(), &["--check", &name]);
    assert_eq!(code, Some(1));
    assert!(shown.contains("the largest timestamp up to this offset is"), "{shown}");
}

#[test]
fn noise_is_damage_and_no_panic() {
    let names = [
        "00000000000000000000.log",
        "00000000000000000000.index",
        "00000000000000000000.timeindex",
        "00000000000000000000.txnindex",
        "00000000000000000000.snapshot",
        "00000000000000000000-0000000001.checkpoint",
        "recovery-point-offset-checkpoint",
        "leader-epoch-checkpoint",
        "partition.metadata",
        "meta.properties",
        "quorum-state",
    ];
    let dir = tempfile::tempdir().unwrap();
    // a fixed xorshift sequence: the same noise each time
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    })
    .take(10_001)
    .collect();
    for name in names {
        std::fs::write(dir.path().join(name), &noise).unwrap();
        let (code, shown) = dump(dir.path(), &["--check", "--records", name]);
        assert!(code == Some(1) || name == "meta.properties", "{name}: {code:?} {shown}");
    }
}

#[test]
fn wrong_usage_is_told_before_anything_is_shown() {
    let dir = fixtures().join("segments-0");
    for file in ["nowhere.log", "00000000000000009999.log", ".", "../configs.txt"] {
        let files = ["log", "dump", "partition.metadata", file];
        let run = klamm(&files).current_dir(&dir).output().unwrap();
        assert_eq!(run.status.code(), Some(2), "{file}");
        assert_eq!(text(&run.stdout), "", "{file}");
        assert!(text(&run.stderr).contains(file), "{}", text(&run.stderr));
    }
    assert_eq!(output(&["log", "dump"]).status.code(), Some(2));
}
