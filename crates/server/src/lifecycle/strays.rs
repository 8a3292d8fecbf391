//! Directories of partitions that the metadata do not place on this node.

use std::sync::Arc;

use klamm_env::Env;
use klamm_metadata::MetadataImage;
use klamm_record::{BrokerId, TopicId, TopicPartition};
use klamm_storage::LogManager;

/// Renames them to `-stray` before anybody opens them (Kafka's `LogManager.isStrayKraftReplica`): they are kept, never served, and not
/// in the way of a new topic of the same name. They come from topics that were deleted just before a crash, or while the node was away.
///
/// Topic ids lie in a file in each directory; after a clean stop, which carries out all deletions, they are not read, so that
/// the start does not take longer with more partitions.
pub async fn set_aside(
    env: &Env,
    log_manager: &Arc<LogManager>,
    image: Arc<MetadataImage>,
    (node, after_clean_stop): (BrokerId, bool),
) {
    let log_manager = Arc::clone(log_manager);
    env.offload("set strays aside", move || {
        for (at, dir) in log_manager.partitions() {
            let id = match after_clean_stop {
                true => None,
                // one that cannot be read is told when the log is opened
                false => log_manager.topic_id(&at).ok().flatten(),
            };
            if is_placed_here(&image, &at, id, node) {
                continue;
            }
            tracing::warn!(partition = %at, dir = %dir.display(), "set aside: the metadata do not know this replica");
            if let Err(error) = log_manager.mark_stray(&at, None) {
                tracing::error!(partition = %at, %error, "a stray replica could not be set aside");
            }
        }
    })
    .await;
}

fn is_placed_here(
    image: &MetadataImage,
    at: &TopicPartition,
    id: Option<TopicId>,
    node: BrokerId,
) -> bool {
    let Some(known) = image.topics.id_of(&at.topic) else { return false };
    let replica = image.topics.partition(known, at.partition);
    id.is_none_or(|id| id == known) && replica.is_some_and(|it| it.replicas.contains(&node))
}
