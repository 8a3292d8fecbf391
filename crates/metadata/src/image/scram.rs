//! SCRAM credentials (KIP-900).

use crate::Str;
use crate::metadata_version::MetadataVersion;
use crate::records::{MetadataRecord, RemoveUserScramCredentialRecord, UserScramCredentialRecord};
use bytes::Bytes;
use imbl::OrdMap;
use std::fmt;
use std::sync::Arc;

/// What a broker keeps of a password.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramCredentialData {
    pub salt: Bytes,
    pub stored_key: Bytes,
    pub server_key: Bytes,
    pub iterations: i32,
}

impl fmt::Debug for ScramCredentialData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScramCredentialData(hidden)")
    }
}

/// Credentials by mechanism (1 SCRAM-SHA-256, 2 SCRAM-SHA-512) and user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScramImage {
    pub credentials: OrdMap<(i8, Arc<str>), ScramCredentialData>,
}

impl ScramImage {
    pub(super) fn put(&mut self, record: &UserScramCredentialRecord) {
        let copy = |bytes: &Bytes| Bytes::copy_from_slice(bytes);
        let data = ScramCredentialData {
            salt: copy(&record.salt),
            stored_key: copy(&record.stored_key),
            server_key: copy(&record.server_key),
            iterations: record.iterations,
        };
        self.credentials.insert((record.mechanism, Arc::from(&*record.name)), data);
    }

    pub(super) fn remove(&mut self, record: &RemoveUserScramCredentialRecord) {
        self.credentials.remove(&(record.mechanism, Arc::from(&*record.name)));
    }

    pub(super) fn write(&self, version: MetadataVersion, out: &mut Vec<MetadataRecord>) {
        if !version.is_scram_supported() {
            return;
        }
        out.extend(self.credentials.iter().map(|((mechanism, name), data)| {
            MetadataRecord::UserScramCredential(UserScramCredentialRecord {
                name: Str::from(&**name),
                mechanism: *mechanism,
                salt: data.salt.clone(),
                stored_key: data.stored_key.clone(),
                server_key: data.server_key.clone(),
                iterations: data.iterations,
            })
        }));
    }
}
