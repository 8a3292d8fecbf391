//! A directory that Kafka wrote opens in Klamm, and one that Klamm wrote opens in Kafka.

use anyhow::bail;

use super::Outcome;
use crate::clients::broker::{Broker, Kind};
use crate::clients::flights::FLIGHTS_FEW;
use crate::clients::programs::{Client, kafka_tool};
use crate::clients::{Context, compare};

const TOPICS: &str = "org.apache.kafka.tools.TopicCommand";
const CONFIGS: &str = "kafka.admin.ConfigCommand";

/// Kafka writes topics, configs and records; Klamm serves the same, and goes on writing.
pub fn kafka_directory(context: &Context) -> anyhow::Result<Outcome> {
    move_over(context, "kafka_directory", Kind::Kafka, context.kind.clone())
}

/// Klamm writes; Apache Kafka starts on the directory and serves the same.
pub fn klamm_directory(context: &Context) -> anyhow::Result<Outcome> {
    move_over(context, "klamm_directory", context.kind.clone(), Kind::Kafka)
}

fn move_over(context: &Context, name: &str, from: Kind, to: Kind) -> anyhow::Result<Outcome> {
    let folder = context.scratch.join(name);
    let mut first = Broker::start_kind(context, from, folder.clone(), "")?;
    let bootstrap = first.bootstrap();
    let server = ["--bootstrap-server", bootstrap.as_str()];
    for (topic, configs) in [("flights", "segment.bytes=1048576"), ("kept", "retention.ms=-1")] {
        let create = ["--create", "--topic", topic, "--partitions", "3", "--config", configs];
        kafka_tool(context, TOPICS, &[&server[..], &create[..]].concat())?;
    }
    let alter = [
        "--alter",
        "--entity-type",
        "topics",
        "--entity-name",
        "kept",
        "--add-config",
        "max.message.bytes=2000000",
    ];
    kafka_tool(context, CONFIGS, &[&server[..], &alter[..]].concat())?;
    let alter = [
        "--alter",
        "--entity-type",
        "brokers",
        "--entity-default",
        "--add-config",
        "log.retention.ms=86400000",
    ];
    kafka_tool(context, CONFIGS, &[&server[..], &alter[..]].concat())?;
    Client::Java.write(context, &bootstrap, "flights", "zstd", &context.flights_few)?;
    let before = described(context, &bootstrap)?;
    first.stop()?;

    let mut second = Broker::start_kind(context, to, folder, "")?;
    let bootstrap = second.bootstrap();
    let after = described(context, &bootstrap)?;
    if before != after {
        bail!("topics or configs differ; before:\n{before}\nafter:\n{after}");
    }
    let output = context.scratch.join(format!("{name}.read"));
    Client::FranzGo.read(context, &bootstrap, "flights", &output, FLIGHTS_FEW)?;
    compare::same(&context.flights_few, &output, 1)?;
    Client::Java.write(context, &bootstrap, "flights", "none", &context.flights_few)?;
    Client::Java.read(context, &bootstrap, "flights", &output, 2 * FLIGHTS_FEW)?;
    compare::same(&context.flights_few, &output, 2)?;
    second.stop()?;
    Ok(Outcome::Passed(
        "topics, ids, configs and records are the same on the other side".to_owned(),
    ))
}

/// Topics with ids and settings, and dynamic configs, as Kafka's tools print them; leaders' epochs left out.
fn described(context: &Context, bootstrap: &str) -> anyhow::Result<String> {
    let server = ["--bootstrap-server", bootstrap];
    let mut text = kafka_tool(context, TOPICS, &[&server[..], &["--describe"][..]].concat())?;
    for entity in [
        &["--entity-type", "topics", "--entity-name", "kept"][..],
        &["--entity-type", "topics", "--entity-name", "flights"],
        &["--entity-type", "brokers", "--entity-default"],
    ] {
        text.push_str(&kafka_tool(
            context,
            CONFIGS,
            &[&server[..], &["--describe"], entity].concat(),
        )?);
    }
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    Ok(lines.join("\n"))
}
