//! A clean restart and a `kill -9` while a producer writes: nothing acknowledged is lost or doubled.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::{Outcome, dump};
use crate::clients::broker::Broker;
use crate::clients::flights::FLIGHTS;
use crate::clients::programs::Client;
use crate::clients::{Context, compare};

/// Java's and franz-go's idempotent producers write all flights through restarts and kills.
pub fn run(context: &Context) -> anyhow::Result<Outcome> {
    let mut broker = context.broker("crash")?;
    let mut events = 0;
    for (writer, reader) in [(Client::Java, Client::FranzGo), (Client::FranzGo, Client::Confluent)]
    {
        let topic = format!("crash-{}", writer.name());
        events += write_through(context, &mut broker, writer, &topic)?;
        let output = context.scratch.join(format!("{topic}.read"));
        reader.read(context, &broker.bootstrap(), &topic, &output, FLIGHTS)?;
        compare::same(&context.flights, &output, 1)?;
        std::fs::remove_file(&output)?;
    }
    broker.kill()?;
    let files = dump::every_file(context, &broker.data())?;
    broker.restart()?;
    broker.stop()?;
    let files_after = dump::every_file(context, &broker.data())?;
    Ok(Outcome::Passed(format!(
        "{events} restarts and kills under load; Kafka's dump tool read {files} files after kill -9 and {files_after} after a clean stop"
    )))
}

/// Runs the producer and, while it writes, stops and kills the broker in turn.
fn write_through(
    context: &Context,
    broker: &mut Broker,
    writer: Client,
    topic: &str,
) -> anyhow::Result<usize> {
    let bootstrap = broker.bootstrap();
    let error_file = context.scratch.join(format!("{topic}.log"));
    let mut child = writer
        .produce(context, &bootstrap, topic, "lz4", &context.flights)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&error_file)?)
        .spawn()
        .context("the producer cannot be started")?;
    let mut events = 0;
    while child.try_wait()?.is_none() && events < 4 {
        let before = bytes_of(&broker.data(), topic);
        // The next event comes once the producer has visibly got further.
        while child.try_wait()?.is_none() && bytes_of(&broker.data(), topic) < before + 1_000_000 {
            std::thread::sleep(Duration::from_millis(5));
        }
        if events % 2 == 0 {
            broker.kill()?;
        } else {
            broker.stop()?;
        }
        broker.restart()?;
        events += 1;
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{} ended with {status}: {}", writer.name(), compare::text(&error_file)?);
    }
    if events == 0 {
        bail!("{} was done before the broker was killed once", writer.name());
    }
    Ok(events)
}

/// Bytes in the segments of a topic's partitions.
fn bytes_of(data: &std::path::Path, topic: &str) -> u64 {
    let Ok(folders) = std::fs::read_dir(data) else { return 0 };
    folders
        .flatten()
        .filter(|folder| folder.file_name().to_string_lossy().starts_with(topic))
        .flat_map(|folder| std::fs::read_dir(folder.path()).into_iter().flatten().flatten())
        .filter(|file| file.path().extension().is_some_and(|extension| extension == "log"))
        .filter_map(|file| file.metadata().ok())
        .map(|metadata| metadata.len())
        .sum()
}
