//! Tests of directories.

use std::sync::Arc;

use super::*;
use crate::disk::Disk;

fn scratch() -> (Disk, tempfile::TempDir) {
    let disk = Disk::real(Arc::new(RealDisk::new(FdCache::new(16))));
    (disk, tempfile::tempdir().unwrap())
}

#[test]
fn modes_do_what_they_say() {
    let (disk, dir) = scratch();
    let path = dir.path().join("f");
    let missing = disk.open(&path, OpenMode::ReadWrite).unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    assert!(missing.to_string().contains(path.to_str().unwrap()));
    disk.open(&path, OpenMode::CreateNew).unwrap().write_all_at(b"abc", 0).unwrap();
    let again = disk.open(&path, OpenMode::CreateNew).unwrap_err();
    assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(disk.open(&path, OpenMode::Create).unwrap().len().unwrap(), 3);
    let reader = disk.open(&path, OpenMode::Read).unwrap();
    assert!(reader.write_all_at(b"x", 0).is_err());
    let truncated = disk.open(&path, OpenMode::Truncate).unwrap();
    assert_eq!(truncated.len().unwrap(), 0);
    truncated.write_all_at(b"kept", 0).unwrap();
    truncated.close_descriptor();
    assert_eq!(truncated.len().unwrap(), 4, "reopening must not truncate");
}

#[test]
fn whole_files_are_replaced_and_read_within_a_limit() {
    let (disk, dir) = scratch();
    let path = dir.path().join("checkpoint");
    disk.write_atomic(&path, b"one").unwrap();
    disk.write_atomic(&path, b"two!").unwrap();
    assert_eq!(disk.read(&path, 4).unwrap(), b"two!");
    assert_eq!(disk.read(&path, 3).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    assert_eq!(disk.list(dir.path()).unwrap().len(), 1);
}

#[test]
fn directories_are_listed_renamed_and_removed() {
    let (disk, dir) = scratch();
    let topic = dir.path().join("a/t-0");
    disk.create_dir_all(&topic).unwrap();
    disk.create_dir_all(&topic).unwrap();
    disk.open(&dir.path().join("a/f"), OpenMode::Create).unwrap().write_all_at(b"12", 0).unwrap();
    let entry = |name: &str, is_dir, len| DirEntry { name: name.to_owned(), is_dir, len };
    let listed = disk.list(&dir.path().join("a")).unwrap();
    assert_eq!(listed, [entry("f", false, 2), entry("t-0", true, 0)]);
    let moved = dir.path().join("a/t-0.delete");
    disk.rename(&topic, &moved).unwrap();
    assert!(!disk.exists(&topic).unwrap() && disk.is_dir(&moved).unwrap());
    disk.sync_dir(&dir.path().join("a")).unwrap();
    disk.remove_dir_all(&dir.path().join("a")).unwrap();
    assert!(!disk.is_dir(&dir.path().join("a")).unwrap());
    let error = disk.remove_dir_all(&moved).unwrap_err();
    assert!(error.to_string().starts_with("cannot remove directory /"), "{error}");
}

#[test]
fn a_directory_is_locked_once() {
    let (disk, dir) = scratch();
    let held = disk.lock(dir.path()).unwrap();
    let Err(error) = disk.lock(dir.path()) else { panic!("locked twice") };
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    assert!(error.to_string().contains(".lock"), "{error}");
    drop(held);
    let _again = disk.lock(dir.path()).unwrap();
}

#[test]
fn a_volume_has_room() {
    let (disk, dir) = scratch();
    let space = disk.space(dir.path()).unwrap();
    assert!(space.total_bytes >= space.usable_bytes && space.usable_bytes > 0);
}
