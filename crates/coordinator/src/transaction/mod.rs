//! What transactional and idempotent producers need of the coordinator.
//!
//! So far the ids of idempotent producers; the transaction coordinator itself comes with its own issue.

mod producer_id_manager;

pub use producer_id_manager::{
    AllocateError, ProducerIdBlock, ProducerIdError, ProducerIdManager, ProducerIdSource,
};
