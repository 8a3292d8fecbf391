//! The ids of log directories that mean something else than a directory (KIP-858); `Uuid::is_reserved` knows the hundred ids kept for that.

use klamm_record::Uuid;

/// The replica was assigned before directories had ids.
pub const MIGRATING: Uuid = Uuid::from_parts(0, 0);
/// The broker has not said yet in which directory the replica lies.
pub const UNASSIGNED: Uuid = Uuid::from_parts(0, 1);
/// The replica lay in a directory that is gone.
pub const LOST: Uuid = Uuid::from_parts(0, 2);

/// Whether a replica in this directory can be read, `online` being the broker's directories.
///
/// A broker that registered without directories is taken to have all of them (KAFKA-16162).
pub fn is_online(id: Uuid, online: &[Uuid]) -> bool {
    if id == MIGRATING || id == UNASSIGNED {
        return true;
    }
    id != LOST && (online.is_empty() || online.contains(&id))
}
