//! Tests of logical files over a small descriptor cache.

use std::path::Path;

use super::*;
use crate::disk::{Disk, OpenMode};
use crate::file::File;
use crate::real::RealDisk;

fn disk(descriptors_max: usize) -> (Arc<FdCache>, Disk, tempfile::TempDir) {
    let cache = FdCache::new(descriptors_max);
    let disk = Disk::real(Arc::new(RealDisk::new(Arc::clone(&cache))));
    (cache, disk, tempfile::tempdir().unwrap())
}

fn create(disk: &Disk, dir: &Path, name: &str) -> File {
    disk.open(&dir.join(name), OpenMode::Create).unwrap()
}

#[test]
fn reads_and_writes_are_positioned() {
    let (_, disk, dir) = disk(8);
    let file = create(&disk, dir.path(), "f");
    file.write_all_at(b"hello", 3).unwrap();
    assert_eq!(file.len().unwrap(), 8);
    let mut buffer = [9; 10];
    assert_eq!(file.read_at(&mut buffer, 2).unwrap(), 6);
    assert_eq!(&buffer[..6], b"\0hello");
    assert_eq!(file.read_at(&mut buffer, 100).unwrap(), 0);
    let short = file.read_exact_at(&mut buffer, 2).unwrap_err();
    assert_eq!(short.kind(), io::ErrorKind::UnexpectedEof);
    file.set_len(4).unwrap();
    file.preallocate(1 << 20).unwrap();
    assert_eq!(file.len().unwrap(), 4);
    file.sync_blocking().unwrap();
}

#[test]
fn vectored_writes_go_beyond_the_limit_of_one_call() {
    let (_, disk, dir) = disk(8);
    let file = create(&disk, dir.path(), "f");
    let pieces: Vec<Vec<u8>> = (0..3000u32).map(|i| vec![i as u8; (i % 4) as usize]).collect();
    let slices: Vec<_> = pieces.iter().map(|p| IoSlice::new(p)).collect();
    file.write_vectored_at(&slices, 5).unwrap();
    let expected = pieces.concat();
    let mut read = vec![0; expected.len()];
    file.read_exact_at(&mut read, 5).unwrap();
    assert_eq!(read, expected);
    assert_eq!(file.len().unwrap(), 5 + expected.len() as u64);
    file.write_vectored_at(&[], 0).unwrap();
}

#[test]
fn thousands_of_files_share_a_few_descriptors() {
    let (cache, disk, dir) = disk(16);
    let files: Vec<_> = (0..2000).map(|i| create(&disk, dir.path(), &i.to_string())).collect();
    assert!(cache.open_count() <= 16);
    for (i, file) in files.iter().enumerate() {
        file.write_all_at(&i.to_le_bytes(), 0).unwrap();
        assert!(cache.open_count() <= 16);
    }
    for (i, file) in files.iter().enumerate() {
        let mut bytes = [0; 8];
        file.read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!(usize::from_le_bytes(bytes), i);
    }
    drop(files);
    assert_eq!(cache.open_count(), 0);
}

#[test]
fn the_least_used_descriptor_is_closed_first() {
    let (cache, disk, dir) = disk(3);
    let files: Vec<_> = (0..3).map(|i| create(&disk, dir.path(), &i.to_string())).collect();
    let holds = |file: &File| file.as_real().unwrap().slot.lock().descriptor.is_some();
    let _three = create(&disk, dir.path(), "3");
    // The hand has passed all; 1 alone is used again and stays.
    assert_eq!(files.iter().map(holds).collect::<Vec<_>>(), [false, true, true]);
    files[1].len().unwrap();
    let _four = create(&disk, dir.path(), "4");
    assert_eq!(files.iter().map(holds).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!(cache.open_count(), 3);
}

#[test]
fn a_descriptor_in_use_survives_eviction_and_closing() {
    let (cache, disk, dir) = disk(1);
    let file = create(&disk, dir.path(), "a");
    file.write_all_at(b"abc", 0).unwrap();
    let real = file.as_real().unwrap();
    let held = real.descriptor().unwrap();
    file.close_descriptor();
    let _other = create(&disk, dir.path(), "b");
    let mut buffer = [0; 3];
    rustix::io::pread(&*held, &mut buffer, 0).unwrap();
    assert_eq!(&buffer, b"abc");
    assert_eq!(cache.open_count(), 2);
    drop(held);
    assert_eq!(cache.open_count(), 1);
    assert_eq!(file.len().unwrap(), 3);
}

#[test]
fn evicting_passes_over_what_is_in_use() {
    let (cache, disk, dir) = disk(2);
    let file = create(&disk, dir.path(), "a");
    let held = file.as_real().unwrap().descriptor().unwrap();
    let _others: Vec<_> = (0..5).map(|i| create(&disk, dir.path(), &i.to_string())).collect();
    assert_eq!(cache.open_count(), 2);
    assert!(file.as_real().unwrap().slot.lock().descriptor.is_some());
    drop(held);
}

#[test]
fn many_threads_use_many_files_with_few_descriptors() {
    let (cache, disk, dir) = disk(4);
    let files: Vec<_> = (0..32).map(|i| create(&disk, dir.path(), &i.to_string())).collect();
    std::thread::scope(|scope| {
        for thread in 0..8u64 {
            let files = &files;
            scope.spawn(move || {
                for round in 0..200u64 {
                    let file = &files[((round * 7 + thread * 5) % 32) as usize];
                    file.write_all_at(&thread.to_le_bytes(), thread * 8).unwrap();
                    let mut bytes = [0; 8];
                    file.read_exact_at(&mut bytes, thread * 8).unwrap();
                    assert_eq!(u64::from_le_bytes(bytes), thread);
                }
            });
        }
    });
    assert!(cache.open_count() <= 4 + 8);
}

#[test]
fn a_renamed_file_is_found_and_a_replaced_one_is_not_mistaken() {
    let (_, disk, dir) = disk(4);
    let (old, new) = (dir.path().join("old"), dir.path().join("new"));
    let file = create(&disk, dir.path(), "old");
    file.write_all_at(b"mine", 0).unwrap();
    disk.rename(&old, &new).unwrap();
    file.moved_to(new.clone());
    file.close_descriptor();
    assert_eq!(file.len().unwrap(), 4);
    assert_eq!(file.path(), new);

    file.close_descriptor();
    disk.write_atomic(&new, b"theirs").unwrap();
    let error = file.len().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert!(error.to_string().contains("another file has its name"), "{error}");

    disk.remove_file(&new).unwrap();
    let error = file.len().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert!(error.to_string().starts_with("cannot reopen /"), "{error}");
}

#[test]
fn what_was_just_written_is_not_reported_as_cold() {
    let (_, disk, dir) = disk(4);
    let file = create(&disk, dir.path(), "f");
    file.write_all_at(&vec![1; 300_000], 0).unwrap();
    assert_ne!(file.residency(100, 200_000), Residency::NotCached);
    assert_ne!(file.residency(299_999, 1), Residency::NotCached);
    #[cfg(target_os = "linux")]
    {
        let real = file.as_real().unwrap();
        let fd = real.descriptor().unwrap();
        assert_ne!(cachestat::linux::nowait(&*fd, 100, 200_000), Residency::NotCached);
    }
}
