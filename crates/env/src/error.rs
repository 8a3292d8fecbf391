//! `DiskError`: an I/O error that says which operation failed on which path.

use std::io;
use std::path::{Path, PathBuf};

/// The cause inside every `io::Error` that [`crate::Disk`] and [`crate::File`] return.
///
/// The outer error keeps the `ErrorKind` (`StorageFull`, `NotFound`, ...); the operating system's error is the source.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} {}: {source}", path.display())]
pub struct DiskError {
    /// The verb, as in "cannot open".
    pub operation: &'static str,
    pub path: PathBuf,
    pub source: io::Error,
}

impl DiskError {
    /// Wraps an error with the operation and the path, keeping its kind.
    pub(crate) fn wrap(
        operation: &'static str,
        path: &Path,
        source: impl Into<io::Error>,
    ) -> io::Error {
        let source = source.into();
        let path = path.to_path_buf();
        io::Error::new(source.kind(), DiskError { operation, path, source })
    }
}

/// An equal error for another waiter: `io::Error` cannot be cloned, so kind and text are kept.
pub(crate) fn duplicate(error: &io::Error) -> io::Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<DiskError>()) {
        Some(DiskError { operation, path, source }) => {
            DiskError::wrap(operation, path, duplicate(source))
        }
        None => match error.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::new(error.kind(), error.to_string()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapped_error_names_operation_and_path_and_survives_duplication() {
        let cause = io::Error::from_raw_os_error(28);
        let error = DiskError::wrap("write", Path::new("/data/t-0/0.log"), cause);
        let copy = duplicate(&error);
        for e in [&error, &copy] {
            assert_eq!(e.kind(), io::ErrorKind::StorageFull);
            assert!(e.to_string().starts_with("cannot write /data/t-0/0.log: "), "{e}");
        }
        let inner = copy.get_ref().and_then(|e| e.downcast_ref::<DiskError>());
        assert_eq!(inner.and_then(|e| e.source.raw_os_error()), Some(28));
    }
}
