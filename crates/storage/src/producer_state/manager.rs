//! The producers of one partition, and their snapshots on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use klamm_env::{Disk, File, OpenMode};
use klamm_record::{Offset, ProducerId};

use super::transactions::Transactions;
use super::{
    BatchMetadata, CompletedTxn, Origin, ProducerAppendInfo, ProducerStateEntry,
    VerificationStateEntry,
};
use crate::log_file_names::{LogFileKind, LogFileName, LogFileState};
use crate::producer_snapshot;

/// A transaction is late when it is open for this much longer than any may be.
const LATE_TRANSACTION_BUFFER_MS: i64 = 5 * 60 * 1000;
/// A snapshot of twenty million producers.
const SNAPSHOT_BYTES_MAX: usize = 1 << 30;

/// What the broker's configuration says about producers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProducerStateConfig {
    /// `producer.id.expiration.ms`: how long an idle producer is remembered.
    pub producer_id_expiration_ms: i64,
    /// `transaction.max.timeout.ms`.
    pub transaction_timeout_ms_max: i64,
}

impl Default for ProducerStateConfig {
    fn default() -> Self {
        Self { producer_id_expiration_ms: 86_400_000, transaction_timeout_ms_max: 900_000 }
    }
}

/// State of all producers of one partition (Kafka's `ProducerStateManager`).
///
/// One owner, no locks. Only the methods that say so touch the disk; those block.
pub struct ProducerStateManager {
    disk: Disk,
    dir: PathBuf,
    config: ProducerStateConfig,
    // boxed, so that the nodes of the map stay small where a partition has one producer
    producers: BTreeMap<ProducerId, Box<ProducerStateEntry>>,
    verifications: BTreeMap<ProducerId, VerificationStateEntry>,
    guards_given: u64,
    transactions: Transactions,
    snapshots: BTreeSet<Offset>,
    map_end_offset: Offset,
    snapshot_offset: Offset,
}

impl ProducerStateManager {
    /// An empty state for a replica directory; nothing is read. [`Self::load_snapshots`] follows for a directory with files.
    pub fn new(disk: Disk, dir: PathBuf, config: ProducerStateConfig) -> Self {
        Self {
            disk,
            dir,
            config,
            producers: BTreeMap::new(),
            verifications: BTreeMap::new(),
            guards_given: 0,
            transactions: Transactions::default(),
            snapshots: BTreeSet::new(),
            map_end_offset: Offset(0),
            snapshot_offset: Offset(0),
        }
    }

    /// Notes which snapshots the directory holds. Reads the directory.
    ///
    /// # Errors
    /// What the disk says.
    pub fn load_snapshots(&mut self) -> io::Result<()> {
        self.snapshots = snapshots_in(&self.disk, &self.dir)?;
        Ok(())
    }

    // ---- appends

    /// What is known of a producer.
    pub fn last_entry(&self, producer_id: ProducerId) -> Option<&ProducerStateEntry> {
        self.producers.get(&producer_id).map(|entry| &**entry)
    }

    /// Begins the check of what one producer appends.
    pub fn prepare_update(&self, producer_id: ProducerId, origin: Origin) -> ProducerAppendInfo {
        let current = self.last_entry(producer_id).copied().unwrap_or(ProducerStateEntry::EMPTY);
        let verification = self.verifications.get(&producer_id).copied();
        ProducerAppendInfo::new(producer_id, current, origin, verification)
    }

    /// Takes over an append that was written.
    pub fn update(&mut self, append: &ProducerAppendInfo) {
        let producer_id = append.producer_id();
        assert!(producer_id != ProducerId::NONE, "state is kept for producers with an id only");
        self.producers
            .entry(producer_id)
            .or_insert_with(|| Box::new(append.updated().without_batches()))
            .update(append.updated());
        for first_offset in append.started() {
            self.transactions.begin(producer_id, *first_offset);
        }
    }

    /// The last stable offset once `completed` counts: where the oldest open transaction of another producer begins, else the
    /// offset after the marker. Goes into the transaction index before [`Self::complete_txn`].
    pub fn last_stable_offset(&self, completed: &CompletedTxn) -> Offset {
        let others = self.transactions.first_of_others(completed.producer_id);
        others.unwrap_or(completed.last_offset + 1)
    }

    /// Ends a transaction; it stays unstable until the high watermark passes its marker. Answers false if it was not open, which
    /// in a log that passed its checks cannot be.
    pub fn complete_txn(&mut self, completed: &CompletedTxn) -> bool {
        self.transactions.complete(completed)
    }

    /// Completes what is remembered of a producer with older batches of the same epoch, oldest first. A snapshot keeps one batch
    /// for each producer; the log has the others.
    pub fn restore_recent(
        &mut self,
        producer_id: ProducerId,
        producer_epoch: i16,
        batches: &[BatchMetadata],
    ) {
        if let Some(entry) = self.producers.get_mut(&producer_id) {
            entry.restore_recent(producer_epoch, batches);
        }
    }

    /// Sets the offset up to which, exclusive, this state covers the log.
    pub fn update_map_end_offset(&mut self, offset: Offset) {
        self.map_end_offset = offset;
    }

    /// The offset up to which, exclusive, this state covers the log.
    pub fn map_end_offset(&self) -> Offset {
        self.map_end_offset
    }

    // ---- transactions

    /// The first offset whose fate is not settled: of an open transaction, or of one whose marker is not below the high watermark.
    pub fn first_unstable_offset(&self) -> Option<Offset> {
        self.transactions.first_unstable()
    }

    /// The first offset of an open transaction.
    pub fn first_undecided_offset(&self) -> Option<Offset> {
        self.transactions.first_undecided()
    }

    /// Settles the transactions whose markers lie below the high watermark.
    pub fn on_high_watermark_updated(&mut self, high_watermark: Offset) {
        self.transactions.settle_below(high_watermark);
    }

    /// Whether a transaction is open for much longer than any may be: it hangs.
    pub fn has_late_transaction(&self, now_ms: i64) -> bool {
        let oldest = self.transactions.oldest().and_then(|id| self.last_entry(id));
        oldest.is_some_and(|entry| {
            let limit_ms = self.config.transaction_timeout_ms_max + LATE_TRANSACTION_BUFFER_MS;
            entry.last_timestamp_ms > 0 && now_ms.saturating_sub(entry.last_timestamp_ms) > limit_ms
        })
    }

    // ---- verification (KIP-890)

    /// Notes that a producer's transactional write waits for its coordinator's word; answers the entry whose guard the write is to
    /// carry.
    pub fn begin_verification(
        &mut self,
        producer_id: ProducerId,
        sequence: i32,
        epoch: i16,
        seen: VerificationSeen,
    ) -> VerificationStateEntry {
        let guards_given = &mut self.guards_given;
        let entry = self.verifications.entry(producer_id).or_insert_with(|| {
            *guards_given += 1;
            VerificationStateEntry {
                timestamp_ms: seen.now_ms,
                guard: *guards_given,
                lowest_sequence: sequence,
                epoch,
                supports_epoch_bump: seen.supports_epoch_bump,
            }
        });
        entry.see(sequence, epoch);
        *entry
    }

    /// The verification that a producer waits for.
    pub fn verification(&self, producer_id: ProducerId) -> Option<VerificationStateEntry> {
        self.verifications.get(&producer_id).copied()
    }

    /// Forgets a verification, once data or a marker was written.
    pub fn clear_verification(&mut self, producer_id: ProducerId) {
        self.verifications.remove(&producer_id);
    }

    // ---- listing and expiry

    /// All producers, by id.
    pub fn active_producers(&self) -> impl Iterator<Item = (ProducerId, &ProducerStateEntry)> {
        self.producers.iter().map(|(id, entry)| (*id, &**entry))
    }

    /// How many producers are known.
    pub fn producer_count(&self) -> usize {
        self.producers.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.producers.is_empty() && !self.transactions.has_unreplicated()
    }

    /// Forgets producers that were idle for `producer.id.expiration.ms`, unless they are in a transaction, and verifications that
    /// lingered as long.
    pub fn remove_expired(&mut self, now_ms: i64) {
        let expiration_ms = self.config.producer_id_expiration_ms;
        self.producers.retain(|_, entry| !is_expired(entry, now_ms, expiration_ms));
        self.verifications.retain(|_, v| now_ms.saturating_sub(v.timestamp_ms) < expiration_ms);
    }

    /// Takes a changed configuration.
    pub fn set_config(&mut self, config: ProducerStateConfig) {
        self.config = config;
    }

    // ---- truncation

    /// Brings the state to the log range from `log_start_offset` to `log_end_offset` (exclusive): drops snapshots outside of it
    /// and, if the state does not end there, reloads from the newest snapshot that is left. The batches from
    /// [`Self::map_end_offset`] on are then to be shown again. Blocks on the disk.
    ///
    /// # Errors
    /// What the disk says; damaged snapshots are deleted and passed over.
    pub fn truncate_and_reload(
        &mut self,
        log_start_offset: Offset,
        log_end_offset: Offset,
        now_ms: i64,
    ) -> io::Result<()> {
        let outside: Vec<Offset> = self
            .snapshots
            .iter()
            .copied()
            .filter(|offset| *offset > log_end_offset || *offset <= log_start_offset)
            .collect();
        for offset in outside {
            self.delete_snapshot(offset)?;
        }
        if log_end_offset == self.map_end_offset {
            self.on_log_start_offset_incremented(log_start_offset);
            return Ok(());
        }
        self.producers.clear();
        self.transactions.clear();
        self.load_newest(log_start_offset, now_ms)
    }

    /// Forgets everything, deletes all snapshots, and starts at `offset`. Blocks on the disk.
    ///
    /// # Errors
    /// What the disk says.
    pub fn truncate_fully_and_start_at(&mut self, offset: Offset) -> io::Result<()> {
        self.producers.clear();
        self.transactions.clear();
        while let Some(first) = self.snapshots.first().copied() {
            self.delete_snapshot(first)?;
        }
        self.snapshot_offset = Offset(0);
        self.map_end_offset = offset;
        Ok(())
    }

    /// Forgets settled transactions below the new log start. Producers are kept, as in Kafka.
    pub fn on_log_start_offset_incremented(&mut self, log_start_offset: Offset) {
        self.transactions.settle_below(log_start_offset);
        self.map_end_offset = self.map_end_offset.max(log_start_offset);
        self.snapshot_offset = self.latest_snapshot_offset().unwrap_or(log_start_offset);
    }

    fn load_newest(&mut self, log_start_offset: Offset, now_ms: i64) -> io::Result<()> {
        while let Some(offset) = self.latest_snapshot_offset() {
            let path = self.snapshot_path(offset);
            let bytes = match self.disk.read(&path, SNAPSHOT_BYTES_MAX) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.snapshots.remove(&offset);
                    continue;
                }
                Err(error) => return Err(error),
            };
            match producer_snapshot::parse(&bytes) {
                Ok(entries) => {
                    self.take_entries(entries, now_ms);
                    self.snapshot_offset = offset;
                    self.map_end_offset = offset;
                    return Ok(());
                }
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "deleting a damaged producer snapshot");
                    self.delete_snapshot(offset)?;
                }
            }
        }
        self.snapshot_offset = log_start_offset;
        self.map_end_offset = log_start_offset;
        Ok(())
    }

    fn take_entries(&mut self, entries: Vec<(ProducerId, ProducerStateEntry)>, now_ms: i64) {
        for (producer_id, entry) in entries {
            if is_expired(&entry, now_ms, self.config.producer_id_expiration_ms) {
                continue;
            }
            if let Some(first_offset) = entry.current_txn_first_offset {
                self.transactions.begin(producer_id, first_offset);
            }
            self.producers.insert(producer_id, Box::new(entry));
        }
    }

    // ---- snapshots

    /// Writes a snapshot at the map's end, unless there is one already; answers the file, for the caller to sync. Blocks on the
    /// disk.
    ///
    /// # Errors
    /// What the disk says.
    pub fn take_snapshot(&mut self) -> io::Result<Option<File>> {
        if self.map_end_offset <= self.snapshot_offset {
            return Ok(None);
        }
        let offset = self.map_end_offset;
        let file = self.disk.open(&self.snapshot_path(offset), OpenMode::Truncate)?;
        let bytes = producer_snapshot::encode(self.producers.iter().map(|(id, e)| (*id, &**e)));
        file.write_all_at(&bytes, 0)?;
        self.snapshots.insert(offset);
        self.snapshot_offset = offset;
        Ok(Some(file))
    }

    /// The newest snapshot.
    pub fn latest_snapshot_offset(&self) -> Option<Offset> {
        self.snapshots.last().copied()
    }

    /// The oldest snapshot.
    pub fn oldest_snapshot_offset(&self) -> Option<Offset> {
        self.snapshots.first().copied()
    }

    /// Whether there is a snapshot at exactly this offset.
    pub fn has_snapshot(&self, offset: Offset) -> bool {
        self.snapshots.contains(&offset)
    }

    /// Deletes the snapshots below `offset`. Blocks on the disk.
    ///
    /// # Errors
    /// What the disk says.
    pub fn delete_snapshots_before(&mut self, offset: Offset) -> io::Result<()> {
        while let Some(first) = self.snapshots.first().copied().filter(|first| *first < offset) {
            self.delete_snapshot(first)?;
        }
        Ok(())
    }

    /// Looks at the directory again and deletes the snapshots that belong to no segment, except one above all segments: a clean
    /// stop left it. Blocks on the disk.
    ///
    /// # Errors
    /// What the disk says.
    pub fn remove_stray_snapshots(&mut self, base_offsets: &[Offset]) -> io::Result<()> {
        self.load_snapshots()?;
        let Some(max) = base_offsets.iter().max().copied() else {
            // without segments only the newest one may stay
            let newest = self.latest_snapshot_offset();
            return self.delete_where(|offset| Some(offset) != newest);
        };
        let strays: Vec<Offset> =
            self.snapshots.iter().copied().filter(|o| !base_offsets.contains(o)).collect();
        let newest = strays.last().copied().filter(|offset| *offset >= max);
        self.delete_where(|offset| strays.contains(&offset) && Some(offset) != newest)
    }

    /// Renames the snapshot at `offset` to `.deleted` and forgets it; answers its new path. A file that is gone is no error.
    ///
    /// # Errors
    /// What the disk says.
    pub fn mark_snapshot_for_deletion(&mut self, offset: Offset) -> io::Result<Option<PathBuf>> {
        if !self.snapshots.remove(&offset) {
            return Ok(None);
        }
        let (kind, state) = (LogFileKind::ProducerSnapshot, LogFileState::Deleted);
        let to = self.dir.join(LogFileName { base_offset: offset, kind, state }.to_string());
        match self.disk.rename(&self.snapshot_path(offset), &to) {
            Ok(()) => Ok(Some(to)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Tells that the directory was renamed.
    pub fn renamed(&mut self, dir: PathBuf) {
        self.dir = dir;
    }

    fn snapshot_path(&self, offset: Offset) -> PathBuf {
        self.dir.join(LogFileKind::ProducerSnapshot.file_name(offset))
    }

    fn delete_where(&mut self, gone: impl Fn(Offset) -> bool) -> io::Result<()> {
        let gone: Vec<Offset> = self.snapshots.iter().copied().filter(|o| gone(*o)).collect();
        gone.into_iter().try_for_each(|offset| self.delete_snapshot(offset))
    }

    fn delete_snapshot(&mut self, offset: Offset) -> io::Result<()> {
        self.snapshots.remove(&offset);
        match self.disk.remove_file(&self.snapshot_path(offset)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// What a request says beside the batch that is to be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerificationSeen {
    /// Unix ms.
    pub now_ms: i64,
    /// Whether the client speaks transactions v2.
    pub supports_epoch_bump: bool,
}

fn is_expired(entry: &ProducerStateEntry, now_ms: i64, expiration_ms: i64) -> bool {
    entry.current_txn_first_offset.is_none()
        && now_ms.saturating_sub(entry.last_timestamp_ms) >= expiration_ms
}

fn snapshots_in(disk: &Disk, dir: &Path) -> io::Result<BTreeSet<Offset>> {
    let entries = match disk.list(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(error),
    };
    Ok(entries
        .iter()
        .filter(|entry| !entry.is_dir)
        .filter_map(|entry| LogFileName::parse(&entry.name))
        .filter(|name| {
            name.kind == LogFileKind::ProducerSnapshot && name.state == LogFileState::Live
        })
        .map(|name| name.base_offset)
        .collect())
}
