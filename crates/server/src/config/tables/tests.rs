//! The tables against themselves.

use std::collections::BTreeSet;

use super::{TABLES, keys};

#[test]
fn every_table_is_sound() {
    for table in TABLES {
        table.check_table().unwrap();
    }
}

#[test]
fn no_key_is_in_two_tables() {
    let mut seen = BTreeSet::new();
    for key in keys() {
        assert!(seen.insert(key.name), "{} is declared twice", key.name);
    }
}
