//! `MetadataPublisher`: whoever acts on changes of the metadata.

use std::sync::Arc;

use klamm_metadata::{MetadataDelta, MetadataImage};

/// Told of every change, in the order of the log (Kafka's `MetadataPublisher`).
///
/// Runs on the controller's task: the next operation waits for it. It must not wait for the controller.
pub trait MetadataPublisher: Send + Sync + 'static {
    /// `image` is what holds now, `delta` what changed since the call before; the first delta is from the empty image.
    fn on_update(&self, delta: &MetadataDelta, image: &Arc<MetadataImage>);
}
