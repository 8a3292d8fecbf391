//! `.kafka_cleanshutdown`: says that the log dir was left in order, and by which broker epoch (KIP-966).

use std::io;
use std::path::{Path, PathBuf};

use klamm_env::{Disk, OpenMode};

/// File name within a log dir.
pub const CLEAN_SHUTDOWN: &str = ".kafka_cleanshutdown";
/// The only version.
const VERSION: i32 = 0;
const FILE_BYTES_MAX: usize = 64 << 10;

/// What a clean stop left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CleanShutdown {
    /// The epoch the broker was registered under; none if the content cannot be read, which is still a clean stop.
    pub broker_epoch: Option<i64>,
}

/// Reads the content. Unknown fields and versions are passed over, as in Kafka.
pub fn parse(bytes: &[u8]) -> CleanShutdown {
    let content: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
    let broker_epoch = content.and_then(|content| content.get("brokerEpoch")?.as_i64());
    CleanShutdown { broker_epoch }
}

/// Writes the content.
pub fn render(broker_epoch: i64) -> String {
    format!("{{\"version\":{VERSION},\"brokerEpoch\":{broker_epoch}}}")
}

/// Where the file lies.
pub fn path(log_dir: &Path) -> PathBuf {
    log_dir.join(CLEAN_SHUTDOWN)
}

/// Reads the marker; none if the last stop was not clean.
///
/// # Errors
/// What the disk says.
pub fn read(disk: &Disk, log_dir: &Path) -> io::Result<Option<CleanShutdown>> {
    match disk.read(&path(log_dir), FILE_BYTES_MAX) {
        Ok(bytes) => Ok(Some(parse(&bytes))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes the marker, synced with its directory: the very last step of a clean stop. Blocks on the disk.
///
/// # Errors
/// What the disk says.
pub fn write(disk: &Disk, log_dir: &Path, broker_epoch: i64) -> io::Result<()> {
    let file = disk.open(&path(log_dir), OpenMode::Truncate)?;
    file.write_all_at(render(broker_epoch).as_bytes(), 0)?;
    file.sync_blocking()?;
    disk.sync_dir(log_dir)
}

/// Deletes the marker, durably: the first step of a start, before anything is loaded. Blocks on the disk.
///
/// # Errors
/// What the disk says; a marker that is not there is no error.
pub fn delete(disk: &Disk, log_dir: &Path) -> io::Result<()> {
    match disk.remove_file(&path(log_dir)) {
        Ok(()) => disk.sync_dir(log_dir),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_round_trips_and_damage_is_a_clean_stop_without_epoch() {
        let text = render(128);
        assert_eq!(text, r#"{"version":0,"brokerEpoch":128}"#);
        assert_eq!(parse(text.as_bytes()).broker_epoch, Some(128));
        assert_eq!(parse(br#"{"version":9,"x":[],"brokerEpoch":-1}"#).broker_epoch, Some(-1));
        for bytes in [&b""[..], b"{", b"{}", b"[]", b"7", b"\xff", br#"{"brokerEpoch":"1"}"#] {
            assert_eq!(parse(bytes).broker_epoch, None);
        }
    }
}
