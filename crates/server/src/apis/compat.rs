//! `COMPAT.md`, made from the dispatch table: `UPDATE_EXPECT=1 cargo test -p klamm-server compat` (or `cargo xtask compat`)
//! writes it, the test without the variable checks it.

use std::fmt::Write as _;
use std::path::Path;

use expect_test::expect_file;
use klamm_protocol::ApiKey;
use klamm_protocol::api_versions::{ApiRange, RANGES};

use crate::apis::table::{ApiRow, TABLE};

/// Real clients that write and read, whatever else proves an API.
const ROUND_TRIP: &str = "xtask/src/clients/stories/round_trip.rs";
/// Kafka's own command line tools.
const KAFKA_TOOLS: &str = "xtask/src/clients/stories/kafka_tools.rs";
/// Producers through restarts and kills.
const CRASH: &str = "xtask/src/clients/stories/crash.rs";

/// Where it is proved that an API does what it says. Rows of APIs that are not served yet are ignored.
const API_PROOFS: &[(ApiKey, &[&str])] = &[
    (ApiKey::Produce, &["crates/storage/tests/it/appends.rs", ROUND_TRIP, CRASH]),
    (ApiKey::Fetch, &["crates/server/src/fetch_session/tests.rs", ROUND_TRIP]),
    (ApiKey::ListOffsets, &["crates/server/src/apis/list_offsets.rs", KAFKA_TOOLS]),
    (ApiKey::Metadata, &["crates/server/src/apis/metadata/tests.rs", ROUND_TRIP]),
    (
        ApiKey::ApiVersions,
        &["crates/server/src/apis/api_versions.rs", "crates/server/src/network/tests.rs"],
    ),
    (ApiKey::CreateTopics, &["crates/metadata/tests/it/topics.rs", KAFKA_TOOLS]),
    (ApiKey::DeleteTopics, &["crates/metadata/tests/it/topics.rs", KAFKA_TOOLS]),
    (ApiKey::DeleteRecords, &["crates/server/src/apis/delete_records.rs", KAFKA_TOOLS]),
    (ApiKey::InitProducerId, &["crates/server/src/apis/init_producer_id.rs", CRASH]),
    (ApiKey::OffsetForLeaderEpoch, &["crates/server/src/apis/offset_for_leader_epoch.rs"]),
    (ApiKey::DescribeConfigs, &["crates/server/src/apis/describe_configs/tests.rs", KAFKA_TOOLS]),
    (ApiKey::AlterConfigs, &["crates/metadata/tests/it/configs.rs"]),
    (ApiKey::DescribeLogDirs, &["crates/server/src/apis/describe_log_dirs.rs", KAFKA_TOOLS]),
    (ApiKey::CreatePartitions, &["crates/metadata/tests/it/topics.rs", KAFKA_TOOLS]),
    (ApiKey::IncrementalAlterConfigs, &["crates/metadata/tests/it/configs.rs", KAFKA_TOOLS]),
    (ApiKey::DescribeCluster, &["crates/server/src/apis/describe_cluster.rs"]),
    (ApiKey::DescribeProducers, &["crates/server/src/apis/describe_producers.rs"]),
    (ApiKey::ListConfigResources, &["crates/server/src/apis/list_config_resources.rs"]),
    (
        ApiKey::DescribeTopicPartitions,
        &["crates/server/src/apis/describe_topic_partitions/tests.rs", KAFKA_TOOLS],
    ),
];

/// An improvement proposal: its number, what of it is here, what APIs it stands and falls with, where it is proved.
struct Kip(u16, &'static str, &'static [ApiKey], &'static [&'static str]);

const KIPS: &[Kip] = &[
    Kip(
        35,
        "Clients ask which versions there are",
        &[ApiKey::ApiVersions],
        &["crates/server/src/network/tests.rs"],
    ),
    Kip(
        74,
        "A fetch has a limit of bytes, and brings at least one batch",
        &[ApiKey::Fetch],
        &["crates/storage/tests/it/appends.rs", ROUND_TRIP],
    ),
    Kip(
        98,
        "Idempotent producers: sequence checks, the last five batches, epoch fencing (transactions: later)",
        &[ApiKey::Produce, ApiKey::InitProducerId],
        &["crates/storage/src/producer_state/tests.rs", CRASH],
    ),
    Kip(
        101,
        "Leader epochs in batches, in the leader epoch checkpoint, and in truncation",
        &[ApiKey::OffsetForLeaderEpoch],
        &["crates/storage/src/leader_epoch_cache.rs"],
    ),
    Kip(107, "Records can be deleted up to an offset", &[ApiKey::DeleteRecords], &[KAFKA_TOOLS]),
    Kip(110, "zstd", &[ApiKey::Produce], &["crates/record/tests/it/kafka_batches.rs", ROUND_TRIP]),
    Kip(
        113,
        "Log directories are described (moving replicas between them: later)",
        &[ApiKey::DescribeLogDirs],
        &["crates/server/src/apis/describe_log_dirs.rs", KAFKA_TOOLS],
    ),
    Kip(
        133,
        "Configs are described and altered",
        &[ApiKey::DescribeConfigs, ApiKey::AlterConfigs],
        &["crates/metadata/tests/it/configs.rs", KAFKA_TOOLS],
    ),
    Kip(
        195,
        "Partitions can be added",
        &[ApiKey::CreatePartitions],
        &["crates/metadata/tests/it/topics.rs", KAFKA_TOOLS],
    ),
    Kip(
        219,
        "A throttled client is answered at once and not read from for the delay",
        &[],
        &["crates/server/src/network/tests.rs"],
    ),
    Kip(
        226,
        "Dynamic broker configs with sources and synonyms; those of topic defaults take effect, the others with their features",
        &[ApiKey::DescribeConfigs, ApiKey::IncrementalAlterConfigs],
        &["crates/metadata/tests/it/configs.rs", "crates/metadata/tests/it/describe.rs"],
    ),
    Kip(227, "Fetch sessions", &[ApiKey::Fetch], &["crates/server/src/fetch_session/tests.rs"]),
    Kip(
        279,
        "The end offset of an epoch that a leader does not know is that of the one before",
        &[ApiKey::OffsetForLeaderEpoch],
        &["crates/storage/src/leader_epoch_cache.rs"],
    ),
    Kip(
        320,
        "Consumers are told of truncation; stale and unknown leader epochs are refused",
        &[ApiKey::OffsetForLeaderEpoch, ApiKey::Fetch],
        &["crates/server/src/apis/offset_for_leader_epoch.rs"],
    ),
    Kip(
        339,
        "Single configs are altered",
        &[ApiKey::IncrementalAlterConfigs],
        &["crates/metadata/tests/it/configs.rs", KAFKA_TOOLS],
    ),
    Kip(
        430,
        "Authorized operations are told (all, until there are ACLs)",
        &[ApiKey::Metadata, ApiKey::DescribeCluster],
        &["crates/server/src/apis/metadata/tests.rs"],
    ),
    Kip(
        464,
        "Partitions and replication factor by the broker's defaults",
        &[ApiKey::CreateTopics],
        &["crates/metadata/tests/it/topics.rs"],
    ),
    Kip(
        482,
        "Flexible versions and tagged fields",
        &[],
        &["crates/protocol/tests/it/differential.rs", "crates/protocol/tests/it/fixtures.rs"],
    ),
    Kip(
        511,
        "Name and version of the client's software",
        &[ApiKey::ApiVersions],
        &["crates/server/src/apis/api_versions.rs"],
    ),
    Kip(
        516,
        "Topic ids",
        &[ApiKey::Metadata, ApiKey::DeleteTopics],
        &["crates/server/src/apis/metadata/tests.rs", "crates/metadata/tests/it/topics.rs"],
    ),
    Kip(
        525,
        "What was created is told with its configs",
        &[ApiKey::CreateTopics],
        &["crates/metadata/tests/it/topics.rs"],
    ),
    Kip(
        569,
        "Configs are described with type and documentation",
        &[ApiKey::DescribeConfigs],
        &["crates/server/src/apis/describe_configs/tests.rs"],
    ),
    Kip(
        664,
        "Producers of a partition are described",
        &[ApiKey::DescribeProducers],
        &["crates/server/src/apis/describe_producers.rs"],
    ),
    Kip(
        700,
        "The cluster is described",
        &[ApiKey::DescribeCluster],
        &["crates/server/src/apis/describe_cluster.rs"],
    ),
    Kip(
        734,
        "The offset of the largest timestamp",
        &[ApiKey::ListOffsets],
        &["crates/server/src/apis/list_offsets.rs"],
    ),
    Kip(
        827,
        "Total and usable bytes of log directories",
        &[ApiKey::DescribeLogDirs],
        &["crates/server/src/apis/describe_log_dirs.rs"],
    ),
    Kip(
        966,
        "Topics are described in pages, with eligible leader replicas",
        &[ApiKey::DescribeTopicPartitions],
        &["crates/server/src/apis/describe_topic_partitions/tests.rs"],
    ),
    Kip(
        1073,
        "Fenced brokers are described",
        &[ApiKey::DescribeCluster],
        &["crates/server/src/apis/describe_cluster.rs"],
    ),
    Kip(
        1142,
        "Resources that can have configs are listed",
        &[ApiKey::ListConfigResources],
        &["crates/server/src/apis/list_config_resources.rs"],
    ),
];

const HEAD: &str = "\
# What Klamm answers

Generated from the dispatch table by `cargo xtask compat`; do not edit.

An API is advertised only if it does what it says. What stands here as not served is unknown to the node: it is not
advertised, and a request for it closes the connection. The wire form of every version, served or not, is proved by
[differential tests](crates/protocol/tests/it/differential.rs) and by
[bytes that Kafka's own classes wrote](crates/protocol/tests/it/fixtures.rs); the proofs below are of what an API does.

## APIs

Versions are inclusive ranges; those of Kafka are what release 4.3 offers without `unstable.api.versions.enable`.

| Key | API | Kafka 4.3 | Klamm | Proof |
|---|---|---|---|---|
";

const KIP_HEAD: &str = "
## KIPs

Of each, what is here.

| KIP | What | Proof |
|---|---|---|
";

fn served(api_key: ApiKey) -> Option<&'static ApiRow> {
    TABLE.iter().find(|row| row.api_key == api_key)
}

fn versions(min: i16, max: i16) -> String {
    if min == max { min.to_string() } else { format!("{min}-{max}") }
}

fn of_kafka(range: &ApiRange) -> String {
    match range.max_stable() {
        max if max < range.min => "none".to_owned(),
        max => versions(range.min, max),
    }
}

fn of_klamm(row: Option<&ApiRow>) -> String {
    let Some(row) = row else { return "not served".to_owned() };
    let served = versions(row.version_min, row.version_max);
    match row.version_min_advertised {
        min if min == row.version_min => served,
        min => format!("{served}, told as {}", versions(min, row.version_max)),
    }
}

fn proofs(api_key: ApiKey) -> &'static [&'static str] {
    API_PROOFS.iter().find(|(key, _)| *key == api_key).map_or(&[], |(_, proofs)| proofs)
}

/// Links, named after the last part of the path that says something.
fn links(paths: &[&str]) -> String {
    let link = |path: &&str| {
        let name = path.trim_end_matches(".rs").trim_end_matches("/tests");
        let name = name.rsplit('/').next().unwrap_or(name);
        format!("[{name}]({path})")
    };
    paths.iter().map(link).collect::<Vec<_>>().join(", ")
}

fn markdown() -> String {
    let mut text = HEAD.to_owned();
    for range in RANGES {
        let row = served(range.key);
        let proof = if row.is_some() { links(proofs(range.key)) } else { String::new() };
        let (code, kafka, klamm) = (range.key.code(), of_kafka(range), of_klamm(row));
        writeln!(text, "| {code} | {} | {kafka} | {klamm} | {proof} |", range.key).unwrap();
    }
    text.push_str(KIP_HEAD);
    let there = |kip: &&Kip| kip.2.iter().all(|api_key| served(*api_key).is_some());
    for Kip(number, what, _, proof) in KIPS.iter().filter(there) {
        writeln!(text, "| {number} | {what} | {} |", links(proof)).unwrap();
    }
    text
}

#[test]
fn compat_md_is_up_to_date() {
    expect_file!["../../../../COMPAT.md"].assert_eq(&markdown());
}

#[test]
fn what_is_served_is_proved_by_files_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for row in TABLE {
        let proofs = proofs(row.api_key);
        assert!(!proofs.is_empty(), "{} names no proof in API_PROOFS", row.api_key);
        for proof in proofs {
            assert!(root.join(proof).exists(), "{} is not proved by {proof}", row.api_key);
        }
    }
    let there = |kip: &&Kip| kip.2.iter().all(|api_key| served(*api_key).is_some());
    for kip in KIPS.iter().filter(there) {
        for proof in kip.3 {
            assert!(root.join(proof).exists(), "KIP-{} is not proved by {proof}", kip.0);
        }
    }
}

#[test]
fn no_version_is_served_that_kafka_does_not_have() {
    for row in TABLE {
        let range = row.api_key.range();
        assert!(range.contains(row.version_min), "{}", row.api_key);
        assert!(row.version_max <= range.max_stable(), "{}", row.api_key);
    }
}
