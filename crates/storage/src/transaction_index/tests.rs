//! Tests of the transaction index: what a range overlaps with, truncation, damage.

use klamm_env::{Env, RealOptions};

use super::*;

fn disk() -> Disk {
    Env::real(RealOptions::default()).disk().clone()
}

fn aborted(producer_id: i64, first: i64, last: i64, stable: i64) -> AbortedTxn {
    AbortedTxn {
        producer_id: ProducerId(producer_id),
        first_offset: Offset(first),
        last_offset: Offset(last),
        last_stable_offset: Offset(stable),
    }
}

fn producers(search: &TxnIndexSearch) -> (Vec<i64>, bool) {
    (search.aborted.iter().map(|entry| entry.producer_id.0).collect(), search.complete)
}

#[test]
fn the_file_exists_only_after_an_abort() {
    let (dir, disk) = (tempfile::tempdir().expect("a temporary directory"), disk());
    let path = dir.path().join("x.txnindex");
    let index = TransactionIndex::new(disk.clone(), path.clone(), Offset(0));
    assert_eq!(
        index.collect_aborted(Offset(0), Offset(9)).map(|s| producers(&s)).expect("none"),
        (vec![], false)
    );
    index.truncate_to(Offset(0)).expect("nothing to do");
    index.flush().expect("nothing to do");
    assert!(!disk.exists(&path).expect("readable"));
    index.append(aborted(1, 0, 5, 6)).expect("writable");
    assert!(disk.exists(&path).expect("readable"));
    assert!(matches!(
        index.append(aborted(2, 0, 5, 6)),
        Err(TxnIndexAppendError::NotRising { .. })
    ));
}

#[test]
fn collects_what_overlaps_and_knows_when_it_is_done() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("x.txnindex");
    let index = TransactionIndex::new(disk(), path.clone(), Offset(0));
    for entry in [
        aborted(0, 0, 10, 11),
        aborted(1, 5, 15, 13),
        aborted(2, 18, 35, 25),
        aborted(3, 32, 50, 40),
    ] {
        index.append(entry).expect("writable");
    }
    for reopened in [false, true] {
        if reopened {
            index.drop_memory();
        }
        let at = |from, to| {
            index
                .collect_aborted(Offset(from), Offset(to))
                .map(|s| producers(&s))
                .expect("readable")
        };
        assert_eq!(at(0, 100), (vec![0, 1, 2, 3], false));
        assert_eq!(at(0, 32), (vec![0, 1, 2], true));
        assert_eq!(at(0, 35), (vec![0, 1, 2, 3], true));
        assert_eq!(at(10, 35), (vec![0, 1, 2, 3], true));
        assert_eq!(at(11, 35), (vec![1, 2, 3], true));
        assert_eq!(at(20, 41), (vec![2, 3], false));
    }
    index.truncate_to(Offset(51)).expect("writable");
    assert_eq!(index.all().expect("readable").len(), 4);
    index.truncate_to(Offset(50)).expect("writable");
    assert_eq!(index.all().expect("readable").len(), 3);
    index.append(aborted(4, 40, 50, 51)).expect("the last offset was truncated too");
    index.sanity_check().expect("sound");
    index.reset().expect("writable");
    assert!(index.all().expect("readable").is_empty());
}

#[test]
fn more_entries_than_one_read() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let index = TransactionIndex::new(disk(), dir.path().join("x.txnindex"), Offset(0));
    for n in 0..300 {
        index.append(aborted(n, n * 10, n * 10 + 5, n * 10 + 6)).expect("writable");
    }
    let search = index.collect_aborted(Offset(1290), Offset(2562)).expect("readable");
    assert_eq!(producers(&search), ((129..=256).collect(), true));
    index.truncate_to(Offset(2000)).expect("writable");
    assert_eq!(index.all().expect("readable").len(), 200);
}

#[test]
fn damage_is_found() {
    let (dir, disk) = (tempfile::tempdir().expect("a temporary directory"), disk());
    let path = dir.path().join("x.txnindex");
    let good = aborted(1, 5, 9, 10).encode();
    assert_eq!(check(&good, Offset(9)), Ok(()));
    assert!(matches!(check(&good, Offset(10)), Err(IndexDamage::BelowBase { .. })));
    assert_eq!(check(&[good, good].concat(), Offset(0)), Err(IndexDamage::NotRising { index: 1 }));
    assert_eq!(
        check(&aborted(1, 9, 5, 6).encode(), Offset(0)),
        Err(IndexDamage::Entry { index: 0 })
    );
    let mut unknown = good;
    unknown[1] = 7;
    assert_eq!(check(&unknown, Offset(0)), Err(IndexDamage::Entry { index: 0 }));
    for bytes in [&unknown[..], &good[..33], &aborted(1, 0, 2, 3).encode()] {
        disk.write_atomic(&path, bytes).expect("writable");
        let index = TransactionIndex::new(disk.clone(), path.clone(), Offset(5));
        assert!(matches!(index.sanity_check(), Err(IndexCheckError::Damaged(_))), "{bytes:?}");
    }
}
