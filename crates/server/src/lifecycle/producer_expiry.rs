//! The dynamic config `producer.id.expiration.ms` (KIP-854).

use std::sync::Arc;

use klamm_metadata::image::{ConfigResource, ResourceType};
use klamm_metadata::{MetadataDelta, MetadataImage};
use klamm_quorum::MetadataPublisher;
use klamm_storage::LogManager;

use crate::config::ServerConfig;

const KEY: &str = "producer.id.expiration.ms";

/// Tells the logs how long an idle producer is remembered.
pub struct ProducerExpiryPublisher {
    pub config: Arc<ServerConfig>,
    pub log_manager: Arc<LogManager>,
}

impl MetadataPublisher for ProducerExpiryPublisher {
    fn on_update(&self, delta: &MetadataDelta, image: &Arc<MetadataImage>) {
        let touched = delta.configs();
        if !touched.changed.keys().any(|resource| resource.resource_type == ResourceType::Broker) {
            return;
        }
        let expiration_ms = producer_id_expiration_ms(&self.config, image);
        self.log_manager.set_producer_id_expiration_ms(expiration_ms);
    }
}

/// This broker's own value before that of all brokers before the file's. What is stored was checked when it was set; a value
/// that has no meaning here leaves the static one.
pub fn producer_id_expiration_ms(config: &ServerConfig, image: &MetadataImage) -> i64 {
    let own = ConfigResource::new(ResourceType::Broker, &config.node_id.to_string());
    let all = image.configs.of(&ConfigResource::default_broker());
    let dynamic = image.configs.of(&own).union(all);
    let parsed = dynamic.get(KEY).and_then(|text| text.trim().parse::<i32>().ok());
    i64::from(parsed.filter(|ms| *ms > 0).unwrap_or_else(|| config.int(KEY)))
}

#[cfg(test)]
mod tests {
    use klamm_metadata::MetadataProvenance;
    use klamm_metadata::records::{ConfigRecord, MetadataRecord};

    use super::*;
    use crate::config::ConfigSources;

    fn with(image: &MetadataImage, broker: &str, value: Option<&str>) -> MetadataImage {
        let mut delta = MetadataDelta::new(image);
        let record = ConfigRecord {
            resource_type: ResourceType::Broker.code(),
            resource_name: broker.into(),
            name: KEY.into(),
            value: value.map(Into::into),
        };
        delta.replay(&MetadataRecord::Config(record)).expect("replays");
        delta.apply(MetadataProvenance::EMPTY)
    }

    #[test]
    fn the_brokers_own_value_goes_before_that_of_all_and_the_files() {
        let sources = ConfigSources {
            overrides: vec![(KEY.to_owned(), "7000".to_owned())],
            ..ConfigSources::default()
        };
        let config = sources.load().expect("the overrides are valid");
        let image = MetadataImage::empty();
        assert_eq!(producer_id_expiration_ms(&config, &image), 7000);
        let image = with(&image, "", Some("500"));
        assert_eq!(producer_id_expiration_ms(&config, &image), 500);
        let image = with(&image, "1", Some("90"));
        assert_eq!(producer_id_expiration_ms(&config, &image), 90);
        let image = with(&image, "1", None);
        assert_eq!(producer_id_expiration_ms(&config, &image), 500);
    }
}
