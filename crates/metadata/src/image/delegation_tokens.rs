//! Delegation tokens (KIP-48, KRaft since 3.6).

use crate::Str;
use crate::metadata_version::MetadataVersion;
use crate::records::{DelegationTokenRecord, MetadataRecord};
use imbl::OrdMap;
use std::sync::Arc;

/// One delegation token; times in Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelegationTokenData {
    pub owner: Arc<str>,
    pub requester: Arc<str>,
    pub renewers: Vec<Arc<str>>,
    pub issue_timestamp_ms: i64,
    pub max_timestamp_ms: i64,
    pub expiration_timestamp_ms: i64,
}

/// Tokens by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DelegationTokenImage {
    pub tokens: OrdMap<Arc<str>, Arc<DelegationTokenData>>,
}

impl DelegationTokenImage {
    pub(super) fn put(&mut self, record: &DelegationTokenRecord) {
        let data = DelegationTokenData {
            owner: Arc::from(&*record.owner),
            requester: Arc::from(&*record.requester),
            renewers: record.renewers.iter().map(|it| Arc::from(&**it)).collect(),
            issue_timestamp_ms: record.issue_timestamp,
            max_timestamp_ms: record.max_timestamp,
            expiration_timestamp_ms: record.expiration_timestamp,
        };
        self.tokens.insert(Arc::from(&*record.token_id), Arc::new(data));
    }

    pub(super) fn remove(&mut self, token_id: &str) {
        self.tokens.remove(token_id);
    }

    pub(super) fn write(&self, version: MetadataVersion, out: &mut Vec<MetadataRecord>) {
        if !version.is_delegation_token_supported() {
            return;
        }
        out.extend(self.tokens.iter().map(|(token_id, data)| {
            MetadataRecord::DelegationToken(DelegationTokenRecord {
                owner: Str::from(&*data.owner),
                requester: Str::from(&*data.requester),
                renewers: data.renewers.iter().map(|it| Str::from(&**it)).collect(),
                issue_timestamp: data.issue_timestamp_ms,
                max_timestamp: data.max_timestamp_ms,
                expiration_timestamp: data.expiration_timestamp_ms,
                token_id: Str::from(&**token_id),
            })
        }));
    }
}
