//! Access control entries, kept as they are; evaluating them is not this module's matter.

use super::ReplayError;
use crate::Str;
use crate::records::{AccessControlEntryRecord, MetadataRecord};
use imbl::OrdMap;
use klamm_record::Uuid;
use std::sync::Arc;

/// One access control entry, in the codes of Kafka's protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandardAcl {
    pub resource_type: i8,
    pub resource_name: Arc<str>,
    pub pattern_type: i8,
    pub principal: Arc<str>,
    pub host: Arc<str>,
    pub operation: i8,
    pub permission_type: i8,
}

/// All access control entries by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AclsImage {
    pub acls: OrdMap<Uuid, Arc<StandardAcl>>,
}

impl AclsImage {
    pub(super) fn add(&mut self, record: &AccessControlEntryRecord) {
        let acl = StandardAcl {
            resource_type: record.resource_type,
            resource_name: Arc::from(&*record.resource_name),
            pattern_type: record.pattern_type,
            principal: Arc::from(&*record.principal),
            host: Arc::from(&*record.host),
            operation: record.operation,
            permission_type: record.permission_type,
        };
        self.acls.insert(record.id, Arc::new(acl));
    }

    pub(super) fn remove(&mut self, id: Uuid) -> Result<(), ReplayError> {
        self.acls.remove(&id).map(drop).ok_or(ReplayError::UnknownAcl { id })
    }

    pub(super) fn write(&self, out: &mut Vec<MetadataRecord>) {
        out.extend(self.acls.iter().map(|(id, acl)| {
            MetadataRecord::AccessControlEntry(AccessControlEntryRecord {
                id: *id,
                resource_type: acl.resource_type,
                resource_name: Str::from(&*acl.resource_name),
                pattern_type: acl.pattern_type,
                principal: Str::from(&*acl.principal),
                host: Str::from(&*acl.host),
                operation: acl.operation,
                permission_type: acl.permission_type,
            })
        }));
    }
}
