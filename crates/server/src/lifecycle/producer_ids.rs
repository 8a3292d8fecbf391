//! Blocks of producer ids, from the controller in this process.

use std::future::Future;
use std::pin::Pin;

use klamm_coordinator::transaction::{AllocateError, ProducerIdBlock, ProducerIdSource};
use klamm_protocol::ErrorCode;
use klamm_protocol::messages::allocate_producer_ids_request::AllocateProducerIdsRequest;
use klamm_quorum::ControllerHandle;
use klamm_record::{BrokerId, ProducerId};

/// Asks the controller as AllocateProducerIds does.
pub struct ControllerProducerIds {
    pub controller: ControllerHandle,
    pub node: BrokerId,
    pub broker_epoch: i64,
}

impl ProducerIdSource for ControllerProducerIds {
    fn allocate(
        &self,
    ) -> Pin<Box<dyn Future<Output = Result<ProducerIdBlock, AllocateError>> + Send>> {
        let controller = self.controller.clone();
        let request =
            AllocateProducerIdsRequest { broker_id: self.node.0, broker_epoch: self.broker_epoch };
        Box::pin(async move {
            let response = controller
                .run("allocateProducerIds", move |it, _| it.allocate_producer_ids(&request))
                .await
                .map_err(|error| AllocateError { reason: error.to_string() })?;
            match ErrorCode::from_code(response.error_code) {
                ErrorCode::None => Ok(ProducerIdBlock {
                    first: ProducerId(response.producer_id_start),
                    size: response.producer_id_len,
                }),
                code => Err(AllocateError { reason: code.to_string() }),
            }
        })
    }
}
