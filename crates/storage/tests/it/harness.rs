//! A log in a directory, with the calls that its owner would make.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use klamm_env::Env;
use klamm_record::{
    Batch, BatchBuilder, BatchOptions, LeaderEpoch, Offset, ProducerId, TopicPartition, ValidBatch,
};
use klamm_storage::log_manager::DeletionQueue;
use klamm_storage::producer_state::ProducerStateConfig;
use klamm_storage::{
    AppendError, AppendInfo, AppendItem, LoadArgs, LoadMode, LoadedLog, LogAppender, LogConfig,
    LogDirState, Origin, Progress, ReadArgs, ReadBound, UnifiedLog, log_loader,
};

pub const NOW_MS: i64 = 1_700_000_000_000;

/// A topic configuration with some values set.
pub fn config(values: &[(&str, &str)]) -> Arc<LogConfig> {
    let set = |name: &str| values.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    Arc::new(LogConfig::from_values(set).expect("valid configuration"))
}

/// Small segments, so that a few batches roll.
pub fn small_segments() -> Arc<LogConfig> {
    config(&[("segment.bytes", "1048576"), ("index.interval.bytes", "256")])
}

/// How a log is opened.
pub struct Opening {
    pub env: Env,
    pub dir: PathBuf,
    pub config: Arc<LogConfig>,
    pub mode: LoadMode,
    pub log_start: Offset,
    pub recovery_point: Offset,
    pub high_watermark: Offset,
}

impl Opening {
    pub fn new(env: &Env, parent: &Path, config: &Arc<LogConfig>) -> Self {
        Self {
            env: env.clone(),
            dir: parent.join("t-0"),
            config: Arc::clone(config),
            mode: LoadMode::Clean,
            log_start: Offset(0),
            recovery_point: Offset(0),
            high_watermark: Offset(i64::MAX),
        }
    }

    pub fn unclean(mut self, recovery_point: Offset) -> Self {
        self.mode = LoadMode::Unclean;
        self.recovery_point = recovery_point;
        self
    }

    pub fn open(self) -> LoadedLog {
        log_loader::load(self.args()).expect("the log opens")
    }

    pub fn args(self) -> LoadArgs {
        let parent = self.dir.parent().expect("a replica has a log dir").to_path_buf();
        LoadArgs {
            env: self.env,
            dir: self.dir,
            topic_partition: TopicPartition::new("t", 0),
            topic_id: None,
            config: self.config,
            log_start_offset: self.log_start,
            recovery_point: self.recovery_point,
            high_watermark: self.high_watermark,
            mode: self.mode,
            producer_state: ProducerStateConfig {
                producer_id_expiration_ms: i64::MAX,
                ..ProducerStateConfig::default()
            },
            dir_state: Arc::new(LogDirState::new(parent)),
            deletions: Arc::new(DeletionQueue::default()),
            flush_seconds: None,
        }
    }
}

/// A batch of `count` records of `value_bytes` each; timestamps rise by one from `timestamp_ms`.
pub fn batch(count: i64, value_bytes: usize, timestamp_ms: i64) -> ValidBatch {
    batch_with(BatchOptions::default(), count, value_bytes, timestamp_ms)
}

pub fn batch_with(
    options: BatchOptions,
    count: i64,
    value_bytes: usize,
    timestamp_ms: i64,
) -> ValidBatch {
    let mut builder = BatchBuilder::new(options);
    for i in 0..count {
        let value = vec![b'a' + (i % 26) as u8; value_bytes];
        builder.append(timestamp_ms + i, Some(b"key"), Some(&value), &[]);
    }
    ValidBatch::trusted(builder.build().expect("builds")).expect("is sound")
}

pub fn idempotent(producer_id: i64, epoch: i16, sequence: i32, count: i64) -> ValidBatch {
    let options = BatchOptions {
        producer_id: ProducerId(producer_id),
        producer_epoch: epoch,
        base_sequence: sequence,
        ..BatchOptions::default()
    };
    batch_with(options, count, 20, NOW_MS)
}

/// Appends all batches in one call, rolling where it is asked for, as their partition would.
pub fn append_all(
    appender: &mut LogAppender,
    batches: Vec<ValidBatch>,
    origin: Origin,
) -> Vec<Result<AppendInfo, AppendError>> {
    let mut items: Vec<AppendItem> =
        batches.into_iter().map(|batch| AppendItem::new(batch, origin, LeaderEpoch(0))).collect();
    while let Progress::NeedsRoll { .. } = appender.append(&mut items, NOW_MS) {
        let plan = appender.roll(NOW_MS).expect("rolls");
        appender.log().sync_blocking(&plan).expect("syncs");
    }
    let log = appender.log();
    log.set_high_watermark(log.log_end_offset());
    items.into_iter().map(|item| item.result.expect("every item is answered")).collect()
}

pub fn append_ok(appender: &mut LogAppender, batches: Vec<ValidBatch>) -> Vec<AppendInfo> {
    let results = append_all(appender, batches, Origin::Client);
    results.into_iter().map(|result| result.expect("is appended")).collect()
}

/// Reads everything from `from` on through slices of at most `max_bytes`; answers the offsets of all batches, base and last.
/// Every batch must be sound.
pub fn read_batches(log: &UnifiedLog, from: Offset, max_bytes: u64) -> Vec<(Offset, Offset)> {
    let mut found = Vec::new();
    let mut next = from;
    loop {
        let args = ReadArgs {
            offset: next,
            max_bytes,
            at_least_one: true,
            bound: ReadBound::HighWatermark,
        };
        let info = log.read(args).expect("the offset is in range");
        if info.slice.is_empty() {
            return found;
        }
        let mut bytes = vec![0; info.slice.length as usize];
        info.slice.file.read_exact_at(&mut bytes, info.slice.position).expect("the slice is there");
        let mut rest = &bytes[..];
        let before = next;
        while let Ok((batch, size)) = Batch::parse(rest) {
            batch.verify_crc().expect("the checksum holds");
            let header = batch.header;
            found.push((header.base_offset, header.last_offset()));
            next = header.next_offset();
            rest = &rest[size..];
        }
        assert!(next > before, "at least one whole batch was asked for at {before}");
    }
}

/// Reads every batch once and checks that offsets are dense from `from` to the log end, that each offset is found through the
/// indexes, and that nothing lies behind the end of any segment's file.
pub fn check_log(log: &UnifiedLog, from: Offset) {
    let mut next = from;
    for (base, last) in read_batches(log, from, 1 << 20) {
        assert_eq!(base, next, "offsets are dense");
        next = last + 1;
    }
    assert_eq!(next, log.log_end_offset());
    for offset in (from.0..log.log_end_offset().0).step_by(7) {
        let args = ReadArgs {
            offset: Offset(offset),
            max_bytes: 1,
            at_least_one: true,
            bound: ReadBound::LogEnd,
        };
        let info = log.read(args).expect("in range");
        let mut bytes = vec![0; info.slice.length as usize];
        info.slice.file.read_exact_at(&mut bytes, info.slice.position).expect("there");
        let (batch, size) = Batch::parse(&bytes).expect("a whole batch");
        assert_eq!(size, bytes.len());
        let header = batch.header;
        assert!(header.base_offset.0 <= offset && offset <= header.last_offset().0, "{offset}");
    }
    for segment in log.segments().iter() {
        assert_eq!(segment.file().len().expect("has a length"), segment.size_bytes());
    }
}

/// A replica directory's log, opened anew in a real temporary directory.
pub struct Place {
    pub env: Env,
    pub dir: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self {
            env: Env::real(klamm_env::RealOptions::default()),
            dir: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    pub fn opening(&self, config: &Arc<LogConfig>) -> Opening {
        Opening::new(&self.env, self.dir.path(), config)
    }
}
