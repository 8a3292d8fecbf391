//! When a reassignment is done (KIP-455).

use klamm_record::BrokerId;

/// Replicas and ISR after the reassignment, once all added replicas are in the ISR; `None` while none is going on or it is not done.
///
/// Source: Kafka's `PartitionReassignmentReplicas`.
pub(super) fn complete_reassignment(
    removing: &[BrokerId],
    adding: &[BrokerId],
    replicas: &[BrokerId],
    isr: &[BrokerId],
) -> Option<(Vec<BrokerId>, Vec<BrokerId>)> {
    if removing.is_empty() && adding.is_empty() {
        return None;
    }
    let stays = |replica: &&BrokerId| !removing.contains(replica);
    let new_isr: Vec<BrokerId> = isr.iter().filter(stays).copied().collect();
    let new_replicas: Vec<BrokerId> = replicas.iter().filter(stays).copied().collect();
    let emptied = !removing.is_empty() && (new_isr.is_empty() || new_replicas.is_empty());
    if emptied || !adding.iter().all(|replica| new_isr.contains(replica)) {
        return None;
    }
    // fewer come than go: wait until those that stay carry the partition
    if adding.len() < removing.len() && !new_replicas.iter().all(|it| new_isr.contains(it)) {
        return None;
    }
    Some((new_replicas, new_isr))
}
