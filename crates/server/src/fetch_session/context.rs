//! One fetch, as its session sees it.

use klamm_env::Env;

use super::{FetchSessionCache, Sent, WantedPartition};

/// What one fetch reads, and what becomes of its session (Kafka's `FetchContext`).
#[derive(Debug)]
pub struct FetchContext {
    kind: Kind,
    uses_topic_ids: bool,
    partitions: Vec<WantedPartition>,
}

#[derive(Debug)]
enum Kind {
    /// Tells everything and leaves no session.
    Sessionless,
    /// Tells everything and asks for a session.
    Begins,
    /// Tells what changed.
    Incremental(Incremental),
}

/// Which state of which session a fetch reads.
#[derive(Debug)]
pub(super) struct Incremental {
    pub session_id: i32,
    pub epoch: i32,
    /// The partitions' places in the session, in the order in which they are read.
    pub places: Vec<u64>,
}

impl FetchContext {
    pub(super) fn full(
        partitions: Vec<WantedPartition>,
        uses_topic_ids: bool,
        begins: bool,
    ) -> Self {
        let kind = if begins { Kind::Begins } else { Kind::Sessionless };
        Self { kind, uses_topic_ids, partitions }
    }

    pub(super) fn incremental(
        reads: Incremental,
        partitions: Vec<WantedPartition>,
        uses_topic_ids: bool,
    ) -> Self {
        Self { kind: Kind::Incremental(reads), uses_topic_ids, partitions }
    }

    /// What is read, in this order.
    pub fn partitions(&self) -> &[WantedPartition] {
        &self.partitions
    }

    /// True if the client names topics by id.
    pub fn uses_topic_ids(&self) -> bool {
        self.uses_topic_ids
    }

    /// The session id to answer with, and for each partition whether it is told of. `sent` is in the order of `partitions`.
    pub fn finish(
        &mut self,
        cache: &FetchSessionCache,
        env: &Env,
        sent: &[Sent],
    ) -> (i32, Vec<bool>) {
        match &self.kind {
            Kind::Sessionless => (0, vec![true; sent.len()]),
            Kind::Begins => {
                let partitions = std::mem::take(&mut self.partitions);
                let id = if partitions.is_empty() {
                    0
                } else {
                    cache.create(env, partitions, self.uses_topic_ids, sent)
                };
                (id, vec![true; sent.len()])
            }
            Kind::Incremental(reads) => (reads.session_id, cache.told(reads, sent)),
        }
    }
}
