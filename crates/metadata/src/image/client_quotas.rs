//! Client quotas (KIP-546).

use crate::Str;
use crate::records::{ClientQuotaRecord, EntityData, MetadataRecord};
use imbl::OrdMap;
use std::sync::Arc;

/// An entity type (`user`, `client-id`, `ip`) and a name, `None` being the default of that type.
pub type ClientQuotaEntityPart = (Arc<str>, Option<Arc<str>>);

/// A combination of entity types with a name each; sorted by type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientQuotaEntity(pub Arc<[ClientQuotaEntityPart]>);

/// Quota values by key, for each entity that has one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClientQuotasImage {
    pub entities: OrdMap<ClientQuotaEntity, OrdMap<Arc<str>, f64>>,
}

impl ClientQuotaEntity {
    pub(crate) fn from_record(record: &ClientQuotaRecord) -> Self {
        let mut parts: Vec<ClientQuotaEntityPart> = record
            .entity
            .iter()
            .map(|it| (Arc::from(&*it.entity_type), it.entity_name.as_deref().map(Arc::from)))
            .collect();
        parts.sort();
        Self(Arc::from(parts))
    }
}

impl ClientQuotasImage {
    pub(super) fn replay(&mut self, record: &ClientQuotaRecord) {
        let entity = ClientQuotaEntity::from_record(record);
        if !record.remove {
            self.entities.entry(entity).or_default().insert(Arc::from(&*record.key), record.value);
        } else if let Some(quotas) = self.entities.get_mut(&entity) {
            quotas.remove(&*record.key);
            if quotas.is_empty() {
                self.entities.remove(&entity);
            }
        }
    }

    pub(super) fn write(&self, out: &mut Vec<MetadataRecord>) {
        for (entity, quotas) in &self.entities {
            let parts = entity.0.iter().map(|(entity_type, name)| EntityData {
                entity_type: Str::from(&**entity_type),
                entity_name: name.as_deref().map(Str::from),
            });
            let parts: Vec<EntityData> = parts.collect();
            out.extend(quotas.iter().map(|(key, value)| {
                MetadataRecord::ClientQuota(ClientQuotaRecord {
                    entity: parts.clone(),
                    key: Str::from(&**key),
                    value: *value,
                    remove: false,
                })
            }));
        }
    }
}
