//! What the controller's task is asked to do, with the type of the answer erased.

use klamm_metadata::controller::{Controller, ControllerContext, ControllerResult};
use klamm_metadata::records::MetadataRecord;
use tokio::sync::oneshot;

use super::handle::ControllerError;
use crate::batch_encoding::Atomicity;

/// The records that an operation wants written.
pub(super) struct Produced {
    pub records: Vec<MetadataRecord>,
    pub atomicity: Atomicity,
}

/// An operation in the queue.
pub(super) trait Operation: Send {
    /// For logs.
    fn name(&self) -> &'static str;
    /// Runs against the state machine, once, and keeps the answer back.
    fn run(&mut self, controller: &mut Controller, ctx: &ControllerContext) -> Produced;
    /// Answers: with what `run` kept back, or with an error.
    fn finish(self: Box<Self>, outcome: Result<(), ControllerError>);
}

pub(super) struct TypedOperation<F, R> {
    pub name: &'static str,
    pub op: Option<F>,
    pub response: Option<R>,
    pub reply: oneshot::Sender<Result<R, ControllerError>>,
}

impl<F, R> Operation for TypedOperation<F, R>
where
    F: FnOnce(&mut Controller, &ControllerContext) -> ControllerResult<R> + Send,
    R: Send,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&mut self, controller: &mut Controller, ctx: &ControllerContext) -> Produced {
        let op = self.op.take().expect("an operation runs once");
        let ControllerResult { records, response, atomic } = op(controller, ctx);
        self.response = Some(response);
        let atomicity = if atomic { Atomicity::Atomic } else { Atomicity::Splittable };
        Produced { records, atomicity }
    }

    fn finish(self: Box<Self>, outcome: Result<(), ControllerError>) {
        let answer = match (outcome, self.response) {
            (Ok(()), Some(response)) => Ok(response),
            (Ok(()), None) => Err(ControllerError::Stopped),
            (Err(error), _) => Err(error),
        };
        // Whoever asked may have gone away; the operation took place all the same.
        let _ = self.reply.send(answer);
    }
}
