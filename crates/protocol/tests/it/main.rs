//! Tests over every message of the wire protocol.
#![expect(clippy::disallowed_methods, reason = "tests read the schema files")]

mod differential;
mod entry;
mod fixtures;
mod generated;
mod hostile;
mod random;
#[expect(dead_code, reason = "the generator's parser; tests need less of it")]
#[path = "../../../../xtask/src/codegen/schema.rs"]
mod schema;

use self::entry::Entry;
use self::schema::Schema;

/// Every message with its schema.
fn all() -> Vec<(Entry, Schema)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/schema");
    let mut schemas = Vec::new();
    for file in std::fs::read_dir(folder).expect("the schema folder") {
        let text = std::fs::read_to_string(file.expect("a schema").path()).expect("a schema");
        schemas.push(schema::parse(&text).expect("a schema that parses"));
    }
    let entries = generated::messages::entries();
    assert_eq!(entries.len(), schemas.len());
    let of = |entry: &Entry| schemas.iter().position(|schema| schema.name == entry.name);
    let places: Vec<_> = entries.iter().map(|entry| of(entry).expect("a schema")).collect();
    let mut schemas: Vec<_> = schemas.into_iter().map(Some).collect();
    entries
        .into_iter()
        .zip(places)
        .map(|(entry, place)| (entry, schemas[place].take().expect("names are unique")))
        .collect()
}

/// The seed of random tests: `KLAMM_SEED`, or a fixed one.
fn seed() -> u64 {
    std::env::var("KLAMM_SEED").map_or(1, |seed| seed.parse().expect("KLAMM_SEED is a number"))
}
