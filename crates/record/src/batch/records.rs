//! Iterates over the records of a batch.

use super::{BatchError, Record};

/// The records of a batch, exactly as many as its header says. After an error there is nothing more.
#[derive(Debug, Clone)]
pub struct Records<'a> {
    left: &'a [u8],
    declared: i32,
    read: i32,
}

impl<'a> Records<'a> {
    /// Records in `bytes`, which are not compressed (any more).
    pub(super) fn new(bytes: &'a [u8], declared: i32) -> Self {
        Self { left: bytes, declared, read: 0 }
    }

    fn read_one(&mut self) -> Result<Record<'a>, BatchError> {
        if self.left.is_empty() {
            return Err(BatchError::RecordsMissing { declared: self.declared, found: self.read });
        }
        let (record, left) = Record::parse(self.left)?;
        self.left = left;
        self.read += 1;
        if self.read == self.declared && !left.is_empty() {
            return Err(BatchError::RecordsRemaining);
        }
        Ok(record)
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.read >= self.declared {
            return None;
        }
        let record = self.read_one();
        if record.is_err() {
            self.read = self.declared;
        }
        Some(record)
    }
}
