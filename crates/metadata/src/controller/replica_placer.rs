//! Where the replicas of new partitions go.
//!
//! Racks take turns, brokers within a rack take turns, and the first replica is always on an unfenced broker.
//! Source: Kafka's `StripedReplicaPlacer`.

use super::{ApiError, ControllerContext};
use klamm_protocol::ErrorCode;
use klamm_record::BrokerId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A broker that can take replicas.
#[derive(Debug, Clone)]
pub(super) struct UsableBroker {
    pub id: BrokerId,
    pub rack: Option<Arc<str>>,
    pub fenced: bool,
}

#[derive(Debug, Default)]
struct BrokerList {
    brokers: Vec<BrokerId>,
    index: usize,
    offset: usize,
    epoch: usize,
}

#[derive(Debug, Default)]
struct Rack {
    fenced: BrokerList,
    unfenced: BrokerList,
}

struct RackList<'a> {
    ctx: &'a ControllerContext,
    racks: Vec<Rack>,
    broker_count: usize,
    unfenced_count: usize,
    epoch: usize,
    offset: usize,
}

/// Chooses `replication_factor` brokers for each of `partition_count` partitions.
///
/// # Errors
/// INVALID_REPLICATION_FACTOR if there are too few brokers, or all are fenced.
pub(super) fn place(
    ctx: &ControllerContext,
    brokers: Vec<UsableBroker>,
    partition_count: usize,
    replication_factor: i16,
) -> Result<Vec<Vec<BrokerId>>, ApiError> {
    let invalid = |message| Err(ApiError::new(ErrorCode::InvalidReplicationFactor, message));
    let mut racks = RackList::new(ctx, brokers);
    if replication_factor <= 0 {
        return invalid(format!(
            "Invalid replication factor {replication_factor}: the replication factor must be positive."
        ));
    }
    if racks.unfenced_count == 0 {
        return invalid(
            "All brokers are currently fenced, or have all their log directories cordoned."
                .to_owned(),
        );
    }
    if usize::from(replication_factor.unsigned_abs()) > racks.broker_count {
        return invalid(format!(
            "The target replication factor of {replication_factor} cannot be reached because only {} broker(s) are registered \
             or some brokers have all their log directories cordoned.",
            racks.broker_count
        ));
    }
    let factor = usize::from(replication_factor.unsigned_abs());
    Ok((0..partition_count).map(|_| racks.place(factor)).collect())
}

impl<'a> RackList<'a> {
    fn new(ctx: &'a ControllerContext, brokers: Vec<UsableBroker>) -> Self {
        let broker_count = brokers.len();
        let unfenced_count = brokers.iter().filter(|broker| !broker.fenced).count();
        let mut by_name: BTreeMap<Option<Arc<str>>, Rack> = BTreeMap::new();
        for broker in brokers {
            let rack = by_name.entry(broker.rack).or_default();
            let list = if broker.fenced { &mut rack.fenced } else { &mut rack.unfenced };
            list.brokers.push(broker.id);
        }
        let mut racks: Vec<Rack> = by_name.into_values().collect();
        for rack in &mut racks {
            rack.fenced.initialize(ctx);
            rack.unfenced.initialize(ctx);
        }
        let offset = if racks.is_empty() { 0 } else { ctx.below(racks.len()) };
        Self { ctx, racks, broker_count, unfenced_count, epoch: 0, offset }
    }

    fn place(&mut self, factor: usize) -> Vec<BrokerId> {
        if self.epoch == self.unfenced_count && self.unfenced_count > 1 {
            self.shuffle();
            self.epoch = 0;
        }
        let count = self.racks.len();
        self.offset %= count;
        let epoch = self.epoch;
        let mut placed = Vec::with_capacity(factor);
        let mut first_rack = None;
        for step in 0..count {
            let at = (self.offset + step) % count;
            if let Some(broker) = self.racks[at].unfenced.next(epoch) {
                placed.push(broker);
                first_rack = Some(at);
                break;
            }
        }
        let mut at = self.offset;
        while placed.len() < factor {
            // the rack of the first replica is passed over once
            if first_rack == Some(at) {
                first_rack = None;
            } else {
                placed.extend(self.racks[at].next(epoch));
            }
            at = (at + 1) % count;
        }
        self.epoch += 1;
        self.offset += 1;
        placed
    }

    fn shuffle(&mut self) {
        shuffle(self.ctx, &mut self.racks);
        for rack in &mut self.racks {
            shuffle(self.ctx, &mut rack.fenced.brokers);
            shuffle(self.ctx, &mut rack.unfenced.brokers);
        }
    }
}

impl Rack {
    fn next(&mut self, epoch: usize) -> Option<BrokerId> {
        self.unfenced.next(epoch).or_else(|| self.fenced.next(epoch))
    }
}

impl BrokerList {
    fn initialize(&mut self, ctx: &ControllerContext) {
        self.brokers.sort_unstable();
        if !self.brokers.is_empty() {
            self.offset = ctx.below(self.brokers.len());
        }
    }

    /// The next broker of this round; `None` when all had their turn.
    fn next(&mut self, epoch: usize) -> Option<BrokerId> {
        let count = self.brokers.len();
        if count == 0 {
            return None;
        }
        if self.epoch != epoch {
            self.epoch = epoch;
            self.index = 0;
            self.offset = (self.offset + 1) % count;
        }
        if self.index >= count {
            return None;
        }
        let broker = self.brokers[(self.index + self.offset) % count];
        self.index += 1;
        Some(broker)
    }
}

fn shuffle<T>(ctx: &ControllerContext, items: &mut [T]) {
    for at in (1..items.len()).rev() {
        items.swap(at, ctx.below(at + 1));
    }
}
