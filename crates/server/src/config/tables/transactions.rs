//! Transactions and producer ids.

use klamm_record::config_def;

use crate::config::later::TRANSACTIONS;

config_def! {
    /// Transactions and producer ids.
    pub static TRANSACTION_CONFIGS;

    /// Least in-sync replicas of `__transaction_state`.
    "transaction.state.log.min.isr": int = 2, at_least(1), high(), effect(TRANSACTIONS);
    /// Bytes read at once when transaction state is loaded.
    "transaction.state.log.load.buffer.size": int = 5_242_880, at_least(1), high(),
        effect(TRANSACTIONS);
    /// Replicas of `__transaction_state`.
    "transaction.state.log.replication.factor": short = 3, at_least(1), high(),
        effect(TRANSACTIONS);
    /// Partitions of `__transaction_state`.
    "transaction.state.log.num.partitions": int = 50, at_least(1), high(), effect(TRANSACTIONS);
    /// Segment size of `__transaction_state`.
    "transaction.state.log.segment.bytes": int = 104_857_600, at_least(1), high(),
        effect(TRANSACTIONS);
    /// Whether a leader asks the coordinator before it takes transactional records.
    "transaction.partition.verification.enable": boolean = true, low(), cluster_wide(),
        effect(TRANSACTIONS);
    /// Silence after which a producer id's state is dropped.
    "producer.id.expiration.ms": int = 86_400_000, at_least(1), low(), cluster_wide();
    /// How often quiet producer ids are looked for.
    "producer.id.expiration.check.interval.ms": int = 600_000, at_least(1), low(), internal();
    /// Silence after which a transactional id is dropped.
    "transactional.id.expiration.ms": int = 604_800_000, at_least(1), high(),
        effect(TRANSACTIONS);
    /// Longest transaction timeout a producer may ask for.
    "transaction.max.timeout.ms": int = 900_000, at_least(1), high(), effect(TRANSACTIONS);
    /// How often transactions past their timeout are looked for.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": int = 10_000, at_least(1),
        low(), effect(TRANSACTIONS);
    /// How often expired transactional ids are looked for.
    "transaction.remove.expired.transaction.cleanup.interval.ms": int = 3_600_000, at_least(1),
        low(), effect(TRANSACTIONS);
    /// Whether producers may take part in two-phase commit.
    "transaction.two.phase.commit.enable": boolean = false, low(), effect(TRANSACTIONS);
    /// Longest time a leader tries to add a partition to a transaction.
    "add.partitions.to.txn.retry.backoff.max.ms": int = 100, at_least(0), high(),
        effect(TRANSACTIONS);
    /// Pause before a partition is added to a transaction again.
    "add.partitions.to.txn.retry.backoff.ms": int = 20, at_least(1), high(), effect(TRANSACTIONS);
}
