//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Apache Kafka, written again in Rust: one binary that any Kafka client talks to as it is.
#[derive(Debug, Parser)]
#[command(
    name = "klamm",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Start a node and use it with any Kafka client:\n  \
                  klamm server\n  \
                  kcat -b localhost:9092 -L\n\n\
                  Run klamm COMMAND --help for more about a command."
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a node
    #[command(after_help = SERVER_NOTES)]
    Server(ServerArguments),
    /// Look at the files of a log directory
    #[command(arg_required_else_help = true, disable_help_subcommand = true)]
    Log(LogArguments),
}

const SERVER_NOTES: &str = "\
Without --config the node is broker and controller in one, like Kafka's shipped single-node
server.properties: Kafka on 127.0.0.1:9092, HTTP (/healthz, /metrics) on 127.0.0.1:9080, data
in ./klamm-data. With --config, keys that the file does not set have Kafka's defaults.

Examples:
  klamm server
  klamm server --listen 0.0.0.0:9092 --set advertised.listeners=PLAINTEXT://my-host:9092
  klamm server --config /etc/kafka/server.properties --data /srv/kafka

It prints `klamm ready on HOST:PORT` once it answers; logs go to stderr (KLAMM_LOG=debug for more).

An acknowledged record survives kill -9, but not a power cut: as in Kafka, the operating system
writes it to disk later.

Signals:
  SIGINT, SIGTERM   stop cleanly; a second one stops at once, without flushing

Exit codes:
  0    stopped cleanly
  1    could not start, or failed while running
  2    the command line or the configuration is wrong
  74   the metadata log failed while it ran: nothing more was acknowledged
  130  stopped at once by a second signal";

/// Run a node: what `klamm server` takes.
#[derive(Debug, Args)]
pub struct ServerArguments {
    /// Read Kafka's server.properties as it is
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Set one config, over the file; may be given many times
    #[arg(short, long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub set: Vec<(String, String)>,

    /// Keep logs in this directory (log.dirs)
    #[arg(short, long, value_name = "DIR")]
    pub data: Option<String>,

    /// Serve Kafka clients here; port 0 takes a free port
    #[arg(short, long, value_name = "HOST:PORT")]
    pub listen: Option<String>,

    /// Serve HTTP here (klamm.http.listener); `none` for no HTTP
    #[arg(long, value_name = "HOST:PORT")]
    pub http: Option<String>,
}

const LOG_DUMP_NOTES: &str = "\
What a file holds is told by its name:
  *.log                            record batches
  *.index *.timeindex *.txnindex   entries of the indexes
  *.snapshot                       producers and their last sequences
  *.checkpoint                     snapshots of the cluster's metadata
  *-offset-checkpoint, leader-epoch-checkpoint, partition.metadata, meta.properties,
  quorum-state, .kafka_cleanshutdown

Records of the metadata log (in __cluster_metadata-0) and of its snapshots are always shown, and so
are transaction markers. Nothing is changed, and a running node may use the files meanwhile; what
it is just writing may then look damaged.

Examples:
  klamm log dump klamm-data/orders-0/00000000000000000000.log --records
  klamm log dump --check klamm-data/orders-0/*index
  klamm log dump --json klamm-data/__cluster_metadata-0/*.log | jq .fields

Exit codes:
  0  all files are sound
  1  something is damaged; it is shown with its position
  2  the command line is wrong, or a file is not there";

/// What `klamm log` takes.
#[derive(Debug, Args)]
pub struct LogArguments {
    /// What to do.
    #[command(subcommand)]
    pub command: LogCommand,
}

/// The commands of `klamm log`.
#[derive(Debug, Subcommand)]
pub enum LogCommand {
    /// Print batches, records, index entries, snapshots and checkpoints
    #[command(after_help = LOG_DUMP_NOTES)]
    Dump(LogDumpArguments),
}

/// Print what the files of a log directory hold: what `klamm log dump` takes.
#[derive(Debug, Args)]
pub struct LogDumpArguments {
    /// Files of a log directory, Klamm's or Kafka's
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Show keys, values and headers of records too
    #[arg(short, long, alias = "print-data-log")]
    pub records: bool,

    /// Show records with keys and values in hexadecimal digits
    #[arg(long)]
    pub hex: bool,

    /// Decode records as those of the metadata log, wherever the file is
    #[arg(long, alias = "cluster-metadata-decoder")]
    pub metadata: bool,

    /// Compare indexes with the .log file beside them
    #[arg(long)]
    pub check: bool,

    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("the form is KEY=VALUE, like num.partitions=3".to_owned()),
    }
}
