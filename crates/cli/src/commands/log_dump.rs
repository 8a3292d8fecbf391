//! `klamm log dump`: shows what is in the files of a log directory, Kafka's or ours.
//!
//! What a file holds is told by its name. Damage is shown where it is and does not end the run.

use std::ffi::OsStr;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use klamm_env::{Disk, Env, File, OpenMode, RealOptions};
use klamm_quorum::METADATA_LOG_DIR;
use klamm_record::Offset;
use klamm_storage::checkpoint_file::{
    CLEANER_OFFSET_CHECKPOINT, LOG_START_OFFSET_CHECKPOINT, RECOVERY_POINT_CHECKPOINT,
    REPLICATION_OFFSET_CHECKPOINT,
};
use klamm_storage::clean_shutdown_file::CLEAN_SHUTDOWN;
use klamm_storage::leader_epoch_cache::LEADER_EPOCH_CHECKPOINT;
use klamm_storage::log_file_names::{LogFileKind, LogFileName};
use klamm_storage::meta_properties::META_PROPERTIES;
use klamm_storage::partition_metadata_file::PARTITION_METADATA;

use self::indexes::IndexFile;
use self::line::Line;
use self::output::{Format, Output};
use self::records::Records;
use crate::args::LogDumpArguments;
use crate::exit;

mod batch_reader;
mod batches;
mod debug_json;
mod index_check;
mod indexes;
mod line;
mod output;
mod records;
mod small_files;

/// A file that is read whole may be this large.
const SMALL_FILE_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Kafka's `QuorumState` file.
const QUORUM_STATE: &str = "quorum-state";

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Segment(LogFileKind, Offset),
    MetadataSnapshot,
    Offsets,
    Epochs,
    Partition,
    Properties,
    Json,
}

impl Kind {
    /// By the file's name alone.
    fn of(name: &str) -> Option<Kind> {
        if let Some(LogFileName { base_offset, kind, .. }) = LogFileName::parse(name) {
            return Some(Kind::Segment(kind, base_offset));
        }
        match name {
            RECOVERY_POINT_CHECKPOINT
            | LOG_START_OFFSET_CHECKPOINT
            | REPLICATION_OFFSET_CHECKPOINT
            | CLEANER_OFFSET_CHECKPOINT => Some(Kind::Offsets),
            LEADER_EPOCH_CHECKPOINT => Some(Kind::Epochs),
            PARTITION_METADATA => Some(Kind::Partition),
            META_PROPERTIES => Some(Kind::Properties),
            QUORUM_STATE | CLEAN_SHUTDOWN => Some(Kind::Json),
            _ if name.strip_suffix(".deleted").unwrap_or(name).ends_with(".checkpoint") => {
                Some(Kind::MetadataSnapshot)
            }
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Segment(LogFileKind::Log, _) => "log",
            Kind::Segment(LogFileKind::OffsetIndex, _) => "offset-index",
            Kind::Segment(LogFileKind::TimeIndex, _) => "time-index",
            Kind::Segment(LogFileKind::TransactionIndex, _) => "transaction-index",
            Kind::Segment(LogFileKind::ProducerSnapshot, _) => "producer-snapshot",
            Kind::MetadataSnapshot => "metadata-snapshot",
            Kind::Offsets => "offset-checkpoint",
            Kind::Epochs => "leader-epoch-checkpoint",
            Kind::Partition => "partition-metadata",
            Kind::Properties => "meta-properties",
            Kind::Json => "json",
        }
    }
}

/// A file to be shown.
struct Task {
    path: PathBuf,
    kind: Kind,
    file: File,
}

/// Shows the files in the order given.
pub fn run(arguments: &LogDumpArguments) -> ExitCode {
    let disk = Env::real(RealOptions::default()).disk().clone();
    let mut tasks = Vec::with_capacity(arguments.files.len());
    let mut is_wrong = false;
    for path in &arguments.files {
        match task(&disk, path) {
            Ok(task) => tasks.push(task),
            Err(reason) => {
                eprintln!("klamm: {}: {reason}", path.display());
                is_wrong = true;
            }
        }
    }
    if is_wrong {
        return ExitCode::from(exit::WRONG_USAGE);
    }
    let mut stdout = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
    let format = if arguments.json { Format::Json } else { Format::Text };
    match dump_all(&mut stdout, format, &disk, arguments, tasks) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(exit::FAILED),
        // whoever reads has seen enough, as with `| head`
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("klamm: cannot write: {error}");
            ExitCode::from(exit::FAILED)
        }
    }
}

fn task(disk: &Disk, path: &Path) -> Result<Task, String> {
    if disk.is_dir(path).unwrap_or(false) {
        return Err("is a directory; name the files in it".to_owned());
    }
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let kind = Kind::of(name).ok_or_else(|| {
        "is no file of a log directory by its name; see klamm log dump --help".to_owned()
    })?;
    let file = disk.open(path, OpenMode::Read).map_err(|error| error.to_string())?;
    // a logical handle: only this shows whether the file is there
    file.len().map_err(|error| error.to_string())?;
    Ok(Task { path: path.to_owned(), kind, file })
}

fn dump_all(
    sink: &mut dyn Write,
    format: Format,
    disk: &Disk,
    arguments: &LogDumpArguments,
    tasks: Vec<Task>,
) -> io::Result<u64> {
    let mut output = Output::new(sink, format);
    for task in tasks {
        let name = task.path.display().to_string();
        output.begin(name.clone());
        let line = Line::new("file");
        let line = match format {
            Format::Text => line.with("file", name),
            Format::Json => line,
        };
        let size = task.file.len().unwrap_or_default();
        output.put(&line.with("kind", task.kind.name()).with("size", size))?;
        dump(&mut output, disk, arguments, task)?;
    }
    output.finish()?;
    Ok(output.damages())
}

fn dump(
    output: &mut Output<'_>,
    disk: &Disk,
    arguments: &LogDumpArguments,
    task: Task,
) -> io::Result<()> {
    let Task { path, kind, file } = task;
    let index = |base_offset, file| {
        let log = arguments.check.then(|| log_beside(disk, &path, base_offset)).flatten();
        IndexFile { file, base_offset, log }
    };
    let print = match kind {
        Kind::Segment(LogFileKind::Log, _) => {
            return batches::dump(output, file, records(arguments, &path));
        }
        Kind::MetadataSnapshot => return batches::dump(output, file, Records::Metadata),
        Kind::Segment(LogFileKind::OffsetIndex, base) => {
            return indexes::dump_offsets(output, index(base, file));
        }
        Kind::Segment(LogFileKind::TimeIndex, base) => {
            return indexes::dump_times(output, index(base, file));
        }
        Kind::Segment(LogFileKind::TransactionIndex, base) => {
            return indexes::dump_transactions(output, index(base, file));
        }
        Kind::Segment(LogFileKind::ProducerSnapshot, _) => small_files::dump_producers,
        Kind::Offsets => small_files::dump_offsets,
        Kind::Epochs => small_files::dump_epochs,
        Kind::Partition => small_files::dump_partition,
        Kind::Properties => small_files::dump_properties,
        Kind::Json => small_files::dump_json,
    };
    match disk.read(&path, SMALL_FILE_BYTES_MAX) {
        Ok(bytes) => print(output, &bytes),
        Err(error) => output.damaged(0, &error),
    }
}

/// The metadata log is shown decoded, whatever was asked for.
fn records(arguments: &LogDumpArguments, path: &Path) -> Records {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let dir_name = dir.file_name().map(OsStr::to_owned).or_else(|| {
        // `.` and `..` have no name of their own
        let here = std::env::current_dir().ok()?;
        (dir == Path::new(".")).then(|| here.file_name().map(OsStr::to_owned)).flatten()
    });
    let is_metadata = dir_name.is_some_and(|name| name == METADATA_LOG_DIR);
    match (arguments.metadata || is_metadata, arguments.hex, arguments.records) {
        (true, _, _) => Records::Metadata,
        (false, true, _) => Records::Hex,
        (false, false, true) => Records::Text,
        (false, false, false) => Records::Hidden,
    }
}

fn log_beside(disk: &Disk, index: &Path, base_offset: Offset) -> Option<File> {
    let path = index.with_file_name(LogFileKind::Log.file_name(base_offset));
    let is_there = disk.exists(&path).unwrap_or(false);
    is_there.then(|| disk.open(&path, OpenMode::Read).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_a_file_holds() {
        let name = |file: &str| Kind::of(file).map(Kind::name);
        assert_eq!(name("00000000000000000104.log"), Some("log"));
        assert_eq!(name("00000000000000000104.log.deleted"), Some("log"));
        assert_eq!(name("00000000000000000104.index"), Some("offset-index"));
        assert_eq!(name("00000000000000000104.timeindex.swap"), Some("time-index"));
        assert_eq!(name("00000000000000000104.txnindex"), Some("transaction-index"));
        assert_eq!(name("00000000000000000104.snapshot"), Some("producer-snapshot"));
        assert_eq!(name("00000000000000000104-0000000003.checkpoint"), Some("metadata-snapshot"));
        assert_eq!(name("bootstrap.checkpoint"), Some("metadata-snapshot"));
        assert_eq!(name("recovery-point-offset-checkpoint"), Some("offset-checkpoint"));
        assert_eq!(name("leader-epoch-checkpoint"), Some("leader-epoch-checkpoint"));
        assert_eq!(name(".kafka_cleanshutdown"), Some("json"));
        assert_eq!(name("notes.txt"), None);
        assert_eq!(name(""), None);
    }
}
