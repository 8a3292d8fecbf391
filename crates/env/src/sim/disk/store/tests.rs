//! Tests of the in-memory disk and of what its crashes leave.

use proptest::prelude::*;

use super::*;
use crate::Disk;
use crate::sim::Sim;

fn names(disk: &SimDisk) -> Vec<String> {
    disk.image().keys().map(|path| path.display().to_string()).collect()
}

fn write(disk: &Disk, path: &str, bytes: &[u8]) -> crate::File {
    let file = disk.open(Path::new(path), OpenMode::Create).unwrap();
    file.write_all_at(bytes, 0).unwrap();
    file
}

fn sync_dir(disk: &Disk, path: &str) {
    disk.sync_dir(Path::new(path)).unwrap();
}

/// The disk after the worst power cut.
fn after_drop(sim: &Sim) -> Disk {
    sim.disk().crash(CrashKind::DropUnsynced);
    sim.env().disk().clone()
}

#[test]
fn behaves_as_a_disk() {
    let sim = Sim::new(1);
    let env = sim.env();
    let disk = env.disk();
    disk.create_dir_all(Path::new("/data/t-0")).unwrap();
    let file = write(disk, "/data/t-0/0.log", b"abc");
    let mut buffer = [0; 8];
    assert_eq!(file.read_at(&mut buffer, 1).unwrap(), 2);
    assert_eq!(file.read_at(&mut buffer, 9).unwrap(), 0);
    file.set_len(2).unwrap();
    assert_eq!(disk.read(Path::new("data/t-0/0.log"), 10).unwrap(), b"ab");
    let missing = disk.open(Path::new("/data/x"), OpenMode::Read).unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    assert!(missing.to_string().starts_with("cannot open /data/x: "), "{missing}");
    let orphan = disk.open(Path::new("/no/x"), OpenMode::Create).unwrap_err();
    assert_eq!(orphan.kind(), io::ErrorKind::NotFound);
    let again = disk.open(Path::new("/data/t-0/0.log"), OpenMode::CreateNew).unwrap_err();
    assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    assert!(!disk.exists(Path::new("/data/t-0/0.log/x")).unwrap());
    disk.rename(Path::new("/data/t-0"), Path::new("/data/t-0.delete")).unwrap();
    let listed = disk.list(Path::new("/data")).unwrap();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].is_dir && listed[0].name == "t-0.delete");
    disk.remove_file(Path::new("/data/t-0.delete/0.log")).unwrap();
    disk.remove_dir_all(Path::new("/data")).unwrap();
    assert!(disk.list(Path::new("/")).unwrap().is_empty());
}

#[test]
fn a_killed_process_loses_nothing() {
    let sim = Sim::new(2);
    let before = {
        let env = sim.env();
        env.disk().create_dir_all(Path::new("/d")).unwrap();
        write(env.disk(), "/d/f", b"abc");
        sim.disk().image()
    };
    sim.disk().crash(CrashKind::Process);
    assert_eq!(sim.disk().image(), before);
    // It is still not on the device.
    after_drop(&sim);
    assert!(names(&sim.disk()).is_empty());
}

#[test]
fn a_synced_file_needs_its_name_synced_too() {
    let sim = Sim::new(3);
    let env = sim.env();
    let disk = env.disk();
    write(disk, "/nameless", b"1").sync_blocking().unwrap();
    write(disk, "/empty", b"2");
    sync_dir(disk, "/");
    let full = write(disk, "/full", b"3");
    full.sync_blocking().unwrap();
    disk.remove_file(Path::new("/nameless")).unwrap();
    write(disk, "/nameless", b"4");
    sync_dir(disk, "/");
    let disk = after_drop(&sim);
    let read = |path| disk.read(Path::new(path), 10).unwrap();
    assert_eq!((read("/empty"), read("/full"), read("/nameless")), (vec![], vec![b'3'], vec![]));
}

#[test]
fn an_atomic_write_survives_and_a_directory_needs_its_parent() {
    let sim = Sim::new(4);
    let disk = sim.env().disk().clone();
    disk.create_dir_all(Path::new("/a/b")).unwrap();
    disk.write_atomic(Path::new("/a/b/checkpoint"), b"1").unwrap();
    assert!(sim.disk().durable_image().is_empty(), "no name leads there");
    sync_dir(&disk, "/a");
    sync_dir(&disk, "/");
    disk.write_atomic(Path::new("/a/b/checkpoint"), b"22").unwrap();
    let durable = sim.disk().durable_image();
    let disk = after_drop(&sim);
    assert_eq!(disk.read(Path::new("/a/b/checkpoint"), 10).unwrap(), b"22");
    assert_eq!(sim.disk().image(), durable);
    assert_eq!(names(&sim.disk()), ["/a/b/checkpoint"]);
}

#[test]
fn removals_and_renames_come_undone_until_the_directory_is_synced() {
    let sim = Sim::new(5);
    let disk = sim.env().disk().clone();
    for name in ["/old", "/gone"] {
        write(&disk, name, name.as_bytes()).sync_blocking().unwrap();
    }
    sync_dir(&disk, "/");
    disk.rename(Path::new("/old"), Path::new("/new")).unwrap();
    disk.remove_file(Path::new("/gone")).unwrap();
    let disk = after_drop(&sim);
    assert_eq!(names(&sim.disk()), ["/gone", "/old"]);
    disk.rename(Path::new("/old"), Path::new("/new")).unwrap();
    disk.remove_file(Path::new("/gone")).unwrap();
    sync_dir(&disk, "/");
    let disk = after_drop(&sim);
    assert_eq!(names(&sim.disk()), ["/new"]);
    assert_eq!(disk.read(Path::new("/new"), 10).unwrap(), b"/old");
}

#[test]
fn a_rename_across_directories_is_whole_and_brings_what_it_rests_on() {
    let sim = Sim::new(6);
    let disk = sim.env().disk().clone();
    for dir in ["/a", "/b", "/c"] {
        disk.create_dir_all(Path::new(dir)).unwrap();
    }
    sync_dir(&disk, "/");
    write(&disk, "/a/x", b"x").sync_blocking().unwrap();
    sync_dir(&disk, "/a");
    write(&disk, "/a/other", b"o").sync_blocking().unwrap();
    disk.rename(Path::new("/a/x"), Path::new("/b/y")).unwrap();
    disk.rename(Path::new("/b/y"), Path::new("/c/z")).unwrap();
    sync_dir(&disk, "/c");
    after_drop(&sim);
    assert_eq!(names(&sim.disk()), ["/c/z"]);
}

#[test]
fn a_power_cut_finds_a_renamed_file_under_one_of_its_names() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..100 {
        let sim = Sim::new(seed);
        let disk = sim.env().disk().clone();
        write(&disk, "/x", b"x").sync_blocking().unwrap();
        sync_dir(&disk, "/");
        disk.rename(Path::new("/x"), Path::new("/y")).unwrap();
        disk.rename(Path::new("/y"), Path::new("/z")).unwrap();
        write(&disk, "/new", b"n");
        disk.remove_file(Path::new("/new")).unwrap();
        sim.disk().crash(CrashKind::PowerLoss);
        let mut left = names(&sim.disk());
        left.retain(|name| name != "/new");
        assert_eq!(left.len(), 1, "seed {seed}: {left:?}");
        seen.extend(left);
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["/x", "/y", "/z"]);
}

#[test]
fn nothing_of_the_old_start_reaches_the_new_one() {
    let sim = Sim::new(7);
    let old = sim.env();
    let file = write(old.disk(), "/f", b"abc");
    let lock = old.disk().lock(Path::new("/")).unwrap();
    assert!(old.disk().lock(Path::new("/")).is_err());
    sim.disk().crash(CrashKind::Process);
    let new = sim.env();
    assert!(file.write_all_at(b"xyz", 0).is_err());
    assert!(old.disk().remove_file(Path::new("/f")).is_err());
    let _held = new.disk().lock(Path::new("/")).unwrap();
    drop(lock);
    assert!(new.disk().lock(Path::new("/")).is_err(), "the old lock must not release the new");
    assert_eq!(new.disk().read(Path::new("/f"), 10).unwrap(), b"abc");
}

#[test]
fn a_handle_follows_a_rename_only_if_told() {
    let sim = Sim::new(8);
    let disk = sim.env().disk().clone();
    let file = write(&disk, "/a", b"abc");
    disk.rename(Path::new("/a"), Path::new("/b")).unwrap();
    file.close_descriptor();
    assert_eq!(file.len().unwrap_err().kind(), io::ErrorKind::NotFound);
    file.moved_to(PathBuf::from("/b"));
    assert_eq!(file.len().unwrap(), 3);
    disk.write_atomic(Path::new("/b"), b"other").unwrap();
    file.close_descriptor();
    let error = file.len().unwrap_err();
    assert!(error.to_string().contains("another file has its name"), "{error}");
}

#[test]
fn faults_strike_when_and_where_they_say() {
    let sim = Sim::new(9);
    let disk = sim.env().disk().clone();
    let file = write(&disk, "/t-0/../f", b"abc");
    sim.disk().inject(Fault::on(FaultOperation::Sync).path("f").after(1).times(1));
    file.sync_blocking().unwrap();
    file.write_all_at(b"d", 3).unwrap();
    let error = file.sync_blocking().unwrap_err();
    let cause = error.get_ref().and_then(|e| e.downcast_ref::<DiskError>()).unwrap();
    assert_eq!(cause.source.raw_os_error(), Some(libc::EIO));
    file.write_all_at(b"e", 4).unwrap();
    file.sync_blocking().unwrap();
    sync_dir(&disk, "/");
    sim.disk().inject(Fault::on(FaultOperation::Write).storage_full());
    let full = file.write_all_at(&[b'x'; 100], 5).unwrap_err();
    assert_eq!(full.kind(), io::ErrorKind::StorageFull);
    sim.disk().clear_faults();
    file.write_all_at(b"f", 5).unwrap();
    // The failed sync took its byte with it for good.
    let disk = after_drop(&sim);
    assert_eq!(disk.read(Path::new("/f"), 10).unwrap(), b"abc\0e");
}

#[test]
fn a_full_disk_takes_what_fits_and_goes_on_when_there_is_room() {
    let sim = Sim::new(10);
    let disk = sim.env().disk().clone();
    sim.disk().set_capacity(Some(10));
    let reserve = disk.open(Path::new("/reserve"), OpenMode::Create).unwrap();
    reserve.preallocate(4).unwrap();
    assert_eq!(disk.space(Path::new("/")).unwrap(), Space { total_bytes: 10, usable_bytes: 6 });
    let file = write(&disk, "/f", b"abcd");
    let full = file.write_all_at(b"efgh", 4).unwrap_err();
    assert_eq!(full.kind(), io::ErrorKind::StorageFull);
    assert_eq!(file.len().unwrap(), 6);
    file.write_all_at(b"ABCDEF", 0).unwrap();
    assert_eq!(reserve.preallocate(5).unwrap_err().kind(), io::ErrorKind::StorageFull);
    disk.remove_file(Path::new("/reserve")).unwrap();
    file.write_all_at(b"ghij", 6).unwrap();
    assert_eq!(disk.read(Path::new("/f"), 10).unwrap(), b"ABCDEFghij");
}

#[test]
fn corruption_is_durable() {
    let sim = Sim::new(11);
    let disk = sim.env().disk().clone();
    disk.write_atomic(Path::new("/f"), b"abc").unwrap();
    sim.disk().corrupt(Path::new("/f"), 1, b"X").unwrap();
    assert!(sim.disk().corrupt(Path::new("/f"), 3, b"X").is_err());
    assert_eq!(after_drop(&sim).read(Path::new("/f"), 10).unwrap(), b"aXc");
}

#[derive(Debug, Clone)]
enum Step {
    Create(u8),
    Rename(u8, u8),
    Remove(u8),
    SyncDir(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Eight names, four in each of two directories.
    let step = prop_oneof![
        3 => (0..8u8).prop_map(Step::Create),
        3 => (0..8u8, 0..8u8).prop_map(|(from, to)| Step::Rename(from, to)),
        1 => (0..8u8).prop_map(Step::Remove),
        1 => (0..2u8).prop_map(Step::SyncDir),
    ];
    prop::collection::vec(step, 0..40)
}

fn path(name: u8) -> PathBuf {
    PathBuf::from(format!("/{}/{}", name / 4, name % 4))
}

/// Each file holds its own number, durable at once, so that only names are at stake.
fn play(disk: &Disk, steps: &[Step]) {
    for dir in ["/0", "/1"] {
        disk.create_dir_all(Path::new(dir)).unwrap();
    }
    sync_dir(disk, "/");
    for (i, step) in steps.iter().enumerate() {
        match step {
            Step::Create(name) => {
                if let Ok(file) = disk.open(&path(*name), OpenMode::CreateNew) {
                    file.write_all_at(&[i as u8], 0).unwrap();
                    file.sync_blocking().unwrap();
                }
            }
            Step::Rename(from, to) => {
                let _ = disk.rename(&path(*from), &path(*to));
            }
            Step::Remove(name) => {
                let _ = disk.remove_file(&path(*name));
            }
            Step::SyncDir(dir) => sync_dir(disk, &format!("/{dir}")),
        }
    }
}

proptest! {
    #[test]
    fn no_file_has_two_names_and_synced_directories_stay(
        steps in steps(), seed in any::<u64>(), worst in any::<bool>(),
    ) {
        let sim = Sim::new(seed);
        // A descriptor may be evicted between creating and writing, but the name is still there then.
        play(sim.env().disk(), &steps);
        let last_sync = |dir: u8| steps.iter().rposition(|s| matches!(s, Step::SyncDir(d) if *d == dir));
        let before = sim.disk().image();
        sim.disk().crash(if worst { CrashKind::DropUnsynced } else { CrashKind::PowerLoss });
        let after = sim.disk().image();
        let mut numbers: Vec<_> = after.values().collect();
        numbers.sort();
        numbers.dedup();
        prop_assert_eq!(numbers.len(), after.len(), "two names: {:?}", after);
        for dir in 0..2u8 {
            // Nothing happened in this directory after its last sync: it is as it was.
            let touched = steps.iter().rposition(|step| match step {
                Step::Create(n) | Step::Remove(n) => n / 4 == dir,
                Step::Rename(a, b) => a / 4 == dir || b / 4 == dir,
                Step::SyncDir(_) => false,
            });
            if touched.is_none() || touched < last_sync(dir) {
                let of = |image: &BTreeMap<PathBuf, Vec<u8>>| {
                    let prefix = format!("/{dir}/");
                    let here = |(p, b): (&PathBuf, &Vec<u8>)| (p.clone(), b.clone());
                    image.iter().map(here).filter(|(p, _)| p.starts_with(&prefix)).collect::<Vec<_>>()
                };
                prop_assert_eq!(of(&before), of(&after));
            }
        }
    }
}
