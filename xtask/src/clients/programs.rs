//! How each client is started.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use super::Context;

/// A client under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    Kcat,
    KafkaPython,
    Confluent,
    Kafkajs,
    Java,
    FranzGo,
}

/// Every client, in the order of the tables that the stories print.
pub const ALL: &[Client] = &[
    Client::Kcat,
    Client::KafkaPython,
    Client::Confluent,
    Client::Kafkajs,
    Client::Java,
    Client::FranzGo,
];

/// The codecs of the record batch format.
pub const CODECS: &[&str] = &["none", "gzip", "snappy", "lz4", "zstd"];

impl Client {
    /// The name in reports and topic names.
    pub fn name(self) -> &'static str {
        match self {
            Client::Kcat => "kcat",
            Client::KafkaPython => "kafka-python",
            Client::Confluent => "confluent-kafka",
            Client::Kafkajs => "kafkajs",
            Client::Java => "java",
            Client::FranzGo => "franz-go",
        }
    }

    /// Whether the program can read without a consumer group.
    pub fn reads(self) -> bool {
        self != Client::Kafkajs
    }

    /// The command that sends every line of `file`.
    pub fn produce(
        self,
        context: &Context,
        bootstrap: &str,
        topic: &str,
        codec: &str,
        file: &Path,
    ) -> Command {
        let file = file.to_string_lossy().into_owned();
        if self == Client::Kcat {
            let mut command = Command::new("kcat");
            command.args(["-P", "-q", "-b", bootstrap, "-t", topic, "-K", "\t", "-z", codec]);
            command.args(["-X", "enable.idempotence=true", "-X", "linger.ms=20", "-l", &file]);
            return command;
        }
        let mut command = self.program(context);
        command.args(["produce", bootstrap, topic, codec, &file]);
        command
    }

    /// The command that reads `count` records into `output`.
    pub fn consume(
        self,
        context: &Context,
        bootstrap: &str,
        topic: &str,
        output: &Path,
        count: usize,
    ) -> Command {
        let file = output.to_string_lossy().into_owned();
        if self == Client::Kcat {
            let mut command = Command::new("kcat");
            command.args(["-C", "-q", "-e", "-b", bootstrap, "-t", topic, "-o", "beginning"]);
            command.args(["-X", "check.crcs=true", "-f", "%p\t%o\t%k\t%s\n"]);
            return command;
        }
        let mut command = self.program(context);
        command.args(["consume", bootstrap, topic, &file, &count.to_string()]);
        command
    }

    fn program(self, context: &Context) -> Command {
        let tools = &context.tools;
        let python = context.root.join("clients").join("python");
        match self {
            Client::Kcat => Command::new("kcat"),
            Client::KafkaPython | Client::Confluent => {
                let name = if self == Client::Confluent {
                    "confluent_client.py"
                } else {
                    "kafka_python_client.py"
                };
                let mut command = Command::new(&tools.python);
                command.arg(python.join(name));
                command
            }
            Client::Kafkajs => {
                let mut command = Command::new("node");
                command.arg(tools.node.join("kafkajs_client.js")).current_dir(&tools.node);
                command
            }
            Client::Java => {
                let mut command = Command::new("java");
                command.args(tools.java("JavaClient"));
                command
            }
            Client::FranzGo => Command::new(&tools.go),
        }
    }

    /// Sends every line of `file` and waits for the program's end.
    pub fn write(
        self,
        context: &Context,
        bootstrap: &str,
        topic: &str,
        codec: &str,
        file: &Path,
    ) -> anyhow::Result<()> {
        let command = self.produce(context, bootstrap, topic, codec, file);
        finish(command, None).with_context(|| format!("{} writing {codec} to {topic}", self.name()))
    }

    /// Reads `count` records of `topic` into `output` and waits for the program's end.
    pub fn read(
        self,
        context: &Context,
        bootstrap: &str,
        topic: &str,
        output: &Path,
        count: usize,
    ) -> anyhow::Result<()> {
        let command = self.consume(context, bootstrap, topic, output, count);
        let stdout = (self == Client::Kcat).then_some(output);
        finish(command, stdout).with_context(|| format!("{} reading {topic}", self.name()))
    }
}

/// Runs a command to its end; what it prints is part of the error only.
pub fn finish(mut command: Command, stdout: Option<&Path>) -> anyhow::Result<()> {
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    match stdout {
        Some(path) => command.stdout(std::fs::File::create(path)?),
        None => command.stdout(Stdio::piped()),
    };
    let output = command.output().context("cannot be started")?;
    if !output.status.success() {
        let said = [output.stderr, output.stdout].concat();
        let said = String::from_utf8_lossy(&said);
        let end = said.trim();
        let tail: String = end.chars().skip(end.chars().count().saturating_sub(2000)).collect();
        bail!("ended with {}: {tail}", output.status);
    }
    Ok(())
}

/// Runs a main class of Kafka's tools and returns what it printed.
pub fn kafka_tool(context: &Context, main: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let mut command = Command::new("java");
    command.args(context.tools.java(main)).args(arguments).stdin(Stdio::null());
    let output = command.output().context("java cannot be started")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("{main} {}: {}: {text}{errors}", arguments.join(" "), output.status);
    }
    Ok(text)
}
