//! Apache Kafka's command line tools, as an operator uses them.

use anyhow::{bail, ensure};

use super::Outcome;
use crate::clients::Context;
use crate::clients::flights::FLIGHTS_FEW;
use crate::clients::programs::{Client, kafka_tool};

/// Creates, describes, alters, measures, trims and deletes a topic.
pub fn run(context: &Context) -> anyhow::Result<Outcome> {
    let mut broker = context.broker("kafka_tools")?;
    let tools = Tools { context, bootstrap: broker.bootstrap() };
    topics(&tools)?;
    configs(&tools)?;
    records(&tools)?;
    tools.run("TopicCommand", "--delete --topic t")?;
    let left = tools.run("TopicCommand", "--list")?;
    ensure!(!left.lines().any(|line| line == "t"), "the topic was not deleted: {left}");
    broker.stop()?;
    let what = "topics, configs, offsets, records, log dirs, performance, console";
    Ok(Outcome::Passed(what.to_owned()))
}

/// Kafka's tools, pointed at one broker.
struct Tools<'a> {
    context: &'a Context,
    bootstrap: String,
}

impl Tools<'_> {
    /// Runs a tool with the given words and returns what it printed.
    fn run(&self, main: &str, words: &str) -> anyhow::Result<String> {
        let mut arguments = vec!["--bootstrap-server", self.bootstrap.as_str()];
        arguments.extend(words.split(' '));
        let package = if main.starts_with("kafka.") { "" } else { "org.apache.kafka.tools." };
        kafka_tool(self.context, &format!("{package}{main}"), &arguments)
    }

    /// Runs a tool and checks that it prints every one of `wanted`.
    fn prints(&self, main: &str, words: &str, wanted: &[&str]) -> anyhow::Result<()> {
        let text = self.run(main, words)?;
        for word in wanted {
            if !text.contains(word) {
                bail!("{main} {words}: `{word}` is missing in: {text}");
            }
        }
        Ok(())
    }

    /// Runs a tool that must fail and say `why`.
    fn refuses(&self, main: &str, words: &str, why: &str) -> anyhow::Result<()> {
        match self.run(main, words) {
            Ok(text) => bail!("{main} {words} was accepted: {text}"),
            Err(error) if format!("{error:#}").contains(why) => Ok(()),
            Err(error) => Err(error.context(format!("`{why}` was expected"))),
        }
    }

    /// The sum of the end (or other) offsets that `GetOffsetShell` prints.
    fn offsets(&self, words: &str) -> anyhow::Result<usize> {
        let mut sum = 0;
        for line in self.run("GetOffsetShell", words)?.lines().filter(|line| line.starts_with("t:"))
        {
            sum += line.rsplit(':').next().unwrap_or_default().parse::<usize>()?;
        }
        Ok(sum)
    }
}

fn topics(tools: &Tools) -> anyhow::Result<()> {
    let topic = "TopicCommand";
    tools.run(topic, "--create --topic t --partitions 2 --config retention.ms=3600000")?;
    tools.prints(
        topic,
        "--describe --topic t",
        &["PartitionCount: 2", "retention.ms=3600000", "Leader: 1"],
    )?;
    tools.run(topic, "--alter --topic t --partitions 4")?;
    tools.prints(topic, "--describe --topic t", &["PartitionCount: 4"])?;
    tools.refuses(topic, "--create --topic t", "already exists")?;
    tools.refuses(topic, "--create --topic a/b", "invalid")
}

fn configs(tools: &Tools) -> anyhow::Result<()> {
    let entity = "--entity-type topics --entity-name t";
    let config = "kafka.admin.ConfigCommand";
    tools.run(config, &format!("--alter --add-config segment.bytes=2097152 {entity}"))?;
    tools.prints(
        config,
        &format!("--describe --all {entity}"),
        &["segment.bytes=2097152", "DYNAMIC_TOPIC_CONFIG", "retention.ms=3600000"],
    )?;
    tools.run(config, &format!("--alter --delete-config segment.bytes {entity}"))?;
    let wrong = format!("--alter --add-config segment.bytes=abc {entity}");
    tools.refuses(config, &wrong, "Not a number of type INT")
}

fn records(tools: &Tools) -> anyhow::Result<()> {
    let context = tools.context;
    Client::Java.write(context, &tools.bootstrap, "t", "snappy", &context.flights_few)?;
    let end = tools.offsets("--topic t")?;
    ensure!(end == FLIGHTS_FEW, "end offsets add up to {end}, not {FLIGHTS_FEW}");
    let trim = context.scratch.join("trim.json");
    let partition = "{\"topic\":\"t\",\"partition\":0,\"offset\":-1}";
    std::fs::write(&trim, format!("{{\"partitions\":[{partition}],\"version\":1}}"))?;
    let start = tools.offsets("--topic t --partitions 0")?;
    tools.run("DeleteRecordsCommand", &format!("--offset-json-file {}", trim.display()))?;
    let earliest = tools.offsets("--topic t --time earliest")?;
    ensure!(earliest == start, "partition 0 was trimmed to {earliest}, not to {start}");
    tools.prints("LogDirsCommand", "--describe", &["\"partition\":\"t-0\"", "\"error\":null"])?;
    let bootstrap = &tools.bootstrap;
    let words = format!(
        "--topic t --num-records 20000 --record-size 1024 --throughput -1 \
         --command-property bootstrap.servers={bootstrap}"
    );
    let words: Vec<&str> = words.split(' ').collect();
    kafka_tool(context, "org.apache.kafka.tools.ProducerPerformance", &words)?;
    let partition = "--topic t --partition 1 --offset earliest --max-messages 5 --timeout-ms 20000";
    let printed = tools.run("consumer.ConsoleConsumer", partition)?;
    let records = printed.lines().filter(|line| line.contains("carrier")).count();
    ensure!(records == 5, "the console consumer printed: {printed}");
    Ok(())
}
