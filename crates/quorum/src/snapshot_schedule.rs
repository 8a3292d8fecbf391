//! When the next snapshot is due.

use std::time::Duration;

use klamm_env::Instant;

use crate::config::MetadataLogConfig;

/// Counts what was appended since the last snapshot (Kafka's `SnapshotGenerator`).
///
/// Differs from Kafka in one way: there the clock runs by the NoOp records of an idle controller; here a timer does it, so an
/// idle node writes neither records nor snapshots.
#[derive(Debug)]
pub(crate) struct SnapshotSchedule {
    bytes_max: u64,
    interval: Option<Duration>,
    bytes: u64,
    last: Instant,
    /// Set when the bytes alone make one due.
    full_since: Option<Instant>,
}

impl SnapshotSchedule {
    /// With `bytes` behind the newest snapshot, of an age that nobody knows: the interval begins `now`.
    pub fn new(config: &MetadataLogConfig, bytes: u64, now: Instant) -> Self {
        let mut schedule = Self {
            bytes_max: config.snapshot_bytes,
            interval: config.snapshot_interval,
            bytes: 0,
            last: now,
            full_since: None,
        };
        schedule.appended(bytes, now);
        schedule
    }

    /// `bytes` of records were appended.
    pub fn appended(&mut self, bytes: u64, now: Instant) {
        self.bytes += bytes;
        if self.bytes >= self.bytes_max && self.full_since.is_none() {
            self.full_since = Some(now);
        }
    }

    /// A snapshot of all there is has begun.
    pub fn begun(&mut self, now: Instant) {
        self.bytes = 0;
        self.last = now;
        self.full_since = None;
    }

    /// When one is due; `None` while nothing has changed, or one `is_being_written`.
    pub fn due_at(&self, is_being_written: bool) -> Option<Instant> {
        if is_being_written || self.bytes == 0 {
            return None;
        }
        self.full_since.or_else(|| self.interval.map(|interval| self.last + interval))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule() -> (SnapshotSchedule, Instant) {
        let now = Instant::now();
        let config = MetadataLogConfig { snapshot_bytes: 100, ..MetadataLogConfig::default() };
        (SnapshotSchedule::new(&config, 0, now), now)
    }

    #[test]
    fn nothing_changed_nothing_is_due() {
        let (mut schedule, now) = schedule();
        assert_eq!(schedule.due_at(false), None);
        schedule.appended(1, now);
        assert_eq!(schedule.due_at(false), Some(now + Duration::from_secs(3600)));
        assert_eq!(schedule.due_at(true), None);
        schedule.begun(now);
        assert_eq!(schedule.due_at(false), None);
    }

    #[test]
    fn enough_bytes_are_due_at_once() {
        let (mut schedule, now) = schedule();
        schedule.appended(99, now);
        let later = now + Duration::from_secs(5);
        schedule.appended(1, later);
        schedule.appended(1, later + Duration::from_secs(5));
        assert_eq!(schedule.due_at(false), Some(later));
    }
}
