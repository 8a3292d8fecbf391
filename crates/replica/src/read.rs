//! Fetching: bounded reads over many partitions, and the long poll.

use std::sync::Arc;
use std::time::Duration;

use klamm_env::{File, Residency};
use klamm_record::{LeaderEpoch, Offset, TopicId, TopicPartition};
use klamm_storage::transaction_index::AbortedTxn;
use klamm_storage::{FileSlice, ReadArgs, ReadBound, ReadError, ReadInfo};

use crate::error::{LookupError, PartitionError};
use crate::fetch_waiter::FetchWaiter;
use crate::partition::Partition;
use crate::replica_manager::ReplicaManager;

/// Which records a consumer wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// All that are committed to the in-sync replicas (`read_uncommitted`).
    ReadUncommitted,
    /// Only those of decided transactions (`read_committed`).
    ReadCommitted,
}

/// What is asked of the fetch as a whole.
#[derive(Debug, Clone, Copy)]
pub struct FetchParams {
    /// Answer at once when this many bytes are there.
    pub min_bytes: u32,
    /// At most this many bytes, the first batch excepted.
    pub max_bytes: u32,
    /// Answer after this time at the latest.
    pub max_wait: Duration,
    /// How far the consumer may see.
    pub isolation: Isolation,
}

/// What is asked of one partition.
#[derive(Debug, Clone)]
pub struct FetchPartition {
    /// Which partition.
    pub topic_partition: TopicPartition,
    /// The topic id the client sent; none for versions that send names.
    pub topic_id: Option<TopicId>,
    /// First offset wanted (inclusive).
    pub fetch_offset: Offset,
    /// At most this many bytes of this partition.
    pub max_bytes: u32,
    /// The leader epoch the client knows; −1 for no check.
    pub current_leader_epoch: LeaderEpoch,
    /// Epoch of the last record the client has; −1 for no check (KIP-595).
    pub last_fetched_epoch: LeaderEpoch,
}

/// The leader's history differs from the client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DivergingEpoch {
    /// The largest epoch the leader knows that is not above the client's.
    pub epoch: LeaderEpoch,
    /// Where it ends in the leader's log (exclusive).
    pub end_offset: Offset,
}

/// What one partition answers.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Offset up to which records are committed (exclusive).
    pub high_watermark: Offset,
    /// Offset up to which transactions are decided (exclusive).
    pub last_stable_offset: Offset,
    /// First offset there is.
    pub log_start_offset: Offset,
    /// The records; empty if there are none (yet).
    pub records: Option<FileSlice>,
    /// For `read_committed`: aborted transactions that touch the records.
    pub aborted: Option<Vec<AbortedTxn>>,
    /// Set instead of records when the client must truncate.
    pub diverging_epoch: Option<DivergingEpoch>,
    /// The fetch offset lies in an older segment than the end of what may be read: there is more than one read can give.
    pub is_behind: bool,
}

impl Fetched {
    /// Bytes of records.
    pub fn size_bytes(&self) -> u64 {
        self.records.as_ref().map_or(0, |slice| slice.length)
    }
}

/// Why a partition answers with an error.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// It is not here.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// It cannot serve.
    #[error(transparent)]
    Partition(#[from] PartitionError),
    /// Outside of the log, or the disk failed.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// What each partition answers, in the order asked.
type Answers = Vec<Result<Fetched, FetchError>>;

/// One round of reads over all partitions.
struct Round {
    answers: Answers,
    bytes: u64,
    /// True if something must be told at once: an error, a diverging epoch, or that waiting would bring no more from a segment
    /// that is full.
    urgent: bool,
}

impl ReplicaManager {
    /// Reads all partitions, and waits until `min_bytes` are there, something must be told at once, or `max_wait` is over.
    /// Dropping the future cancels the wait and changes nothing (Kafka's `ReplicaManager.fetchMessages`).
    pub async fn fetch(&self, params: FetchParams, wanted: &[FetchPartition]) -> Answers {
        let clock = self.env().clock();
        let deadline = clock.now() + params.max_wait;
        let mut round = self.read_once(&params, wanted).await;
        if !round.is_enough(&params, wanted) {
            let wait = Wait::register(self, wanted);
            let mut has_waited = false;
            loop {
                wait.waiter.set_missing(i64::from(params.min_bytes));
                round = self.read_once(&params, wanted).await;
                if round.is_enough(&params, wanted) || clock.now() >= deadline {
                    break;
                }
                wait.waiter.found(round.bytes);
                if !has_waited {
                    has_waited = true;
                    self.metrics.delayed_fetches.inc();
                }
                tokio::select! {
                    biased;
                    () = wait.waiter.woken() => {}
                    () = clock.sleep_until(deadline) => {}
                }
            }
        }
        self.warm(&round.answers).await;
        round.answers
    }

    async fn read_once(&self, params: &FetchParams, wanted: &[FetchPartition]) -> Round {
        let mut round =
            Round { answers: Vec::with_capacity(wanted.len()), bytes: 0, urgent: false };
        for partition in wanted {
            let left = u64::from(params.max_bytes).saturating_sub(round.bytes);
            let limit = left.min(u64::from(partition.max_bytes));
            let at_least_one = round.bytes == 0;
            let answer = self.read_one(partition, limit, at_least_one, params.isolation).await;
            match &answer {
                Ok(fetched) => {
                    round.bytes += fetched.size_bytes();
                    round.urgent |= fetched.diverging_epoch.is_some() || fetched.is_behind;
                }
                Err(_) => round.urgent = true,
            }
            round.answers.push(answer);
        }
        round
    }

    async fn read_one(
        &self,
        wanted: &FetchPartition,
        max_bytes: u64,
        at_least_one: bool,
        isolation: Isolation,
    ) -> Result<Fetched, FetchError> {
        let partition = self.partition(&wanted.topic_partition, wanted.topic_id)?;
        partition.check_leader(wanted.current_leader_epoch)?;
        let log = partition.log().await?;
        let bound = match isolation {
            Isolation::ReadUncommitted => ReadBound::HighWatermark,
            Isolation::ReadCommitted => ReadBound::LastStable,
        };
        let mut fetched = Fetched {
            high_watermark: log.high_watermark(),
            last_stable_offset: log.last_stable_offset(),
            log_start_offset: log.log_start_offset(),
            records: None,
            aborted: None,
            diverging_epoch: None,
            is_behind: false,
        };
        if let Some(diverging) = diverging(&log, wanted)? {
            fetched.diverging_epoch = Some(diverging);
            return Ok(fetched);
        }
        let offset = wanted.fetch_offset;
        let read: ReadInfo = log.read(ReadArgs { offset, max_bytes, at_least_one, bound })?;
        let end = log.bound_metadata(bound).map_err(ReadError::from)?;
        fetched.is_behind = offset < end.offset && read.start.segment_base < end.segment_base;
        if isolation == Isolation::ReadCommitted {
            fetched.aborted = Some(read.aborted);
        }
        if !read.slice.is_empty() && !read.first_batch_incomplete {
            fetched.records = Some(read.slice);
        }
        Ok(fetched)
    }

    /// Reads what is not in the page cache away from the runtime's threads, so that sending it blocks nobody (KAFKA-7504).
    async fn warm(&self, answers: &Answers) {
        let slices = answers.iter().flatten().filter_map(|fetched| fetched.records.as_ref());
        for slice in slices {
            if slice.file.residency(slice.position, slice.length) != Residency::NotCached {
                continue;
            }
            self.metrics.cold_reads.inc();
            let (file, position, length) = (slice.file.clone(), slice.position, slice.length);
            self.env().offload("read ahead", move || read_through(&file, position, length)).await;
        }
    }
}

/// Compares the client's last epoch with the leader's history (KIP-595, KIP-320).
fn diverging(
    log: &klamm_storage::UnifiedLog,
    wanted: &FetchPartition,
) -> Result<Option<DivergingEpoch>, ReadError> {
    if wanted.last_fetched_epoch < LeaderEpoch(0) {
        return Ok(None);
    }
    let Some((epoch, end_offset)) = log.offset_for_leader_epoch(wanted.last_fetched_epoch) else {
        return Err(ReadError::OffsetOutOfRange {
            offset: wanted.fetch_offset,
            log_start: log.log_start_offset(),
            log_end: log.log_end_offset(),
        });
    };
    let differs = epoch < wanted.last_fetched_epoch || end_offset < wanted.fetch_offset;
    Ok(differs.then_some(DivergingEpoch { epoch, end_offset }))
}

/// Reads a stretch of a file for the sake of the page cache alone. An error is left to whoever sends it.
fn read_through(file: &File, position: u64, length: u64) {
    let mut buffer = vec![0; 128 * 1024];
    let end = position + length;
    let mut at = position;
    while at < end {
        let wanted = usize::try_from(end - at).unwrap_or(usize::MAX).min(buffer.len());
        match file.read_at(&mut buffer[..wanted], at) {
            Ok(0) | Err(_) => return,
            Ok(read) => at += read as u64,
        }
    }
}

impl Round {
    /// When a fetch is answered at once (section "Fetch" of KIP-74 and Kafka's `DelayedFetch.tryComplete`).
    fn is_enough(&self, params: &FetchParams, wanted: &[FetchPartition]) -> bool {
        params.max_wait.is_zero()
            || wanted.is_empty()
            || self.urgent
            || self.bytes >= u64::from(params.min_bytes)
    }
}

/// A fetch registered with its partitions, for as long as this lives.
struct Wait {
    waiter: Arc<FetchWaiter>,
    partitions: Vec<Arc<Partition>>,
}

impl Wait {
    fn register(manager: &ReplicaManager, wanted: &[FetchPartition]) -> Wait {
        let waiter = Arc::new(FetchWaiter::default());
        let partitions: Vec<Arc<Partition>> = wanted
            .iter()
            .filter_map(|it| manager.partition(&it.topic_partition, it.topic_id).ok())
            .collect();
        for partition in &partitions {
            partition.waiters.register(&waiter);
        }
        Wait { waiter, partitions }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        for partition in &self.partitions {
            partition.waiters.deregister(&self.waiter);
        }
    }
}
