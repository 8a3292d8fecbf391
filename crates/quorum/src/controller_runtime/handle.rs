//! `ControllerHandle`: how the rest of the node speaks with the controller.

use std::sync::Arc;

use arc_swap::ArcSwap;
use klamm_metadata::MetadataImage;
use klamm_metadata::controller::{Controller, ControllerContext, ControllerResult};
use tokio::sync::{mpsc, oneshot, watch};

use super::command::{Operation, TypedOperation};
use super::publisher::MetadataPublisher;
use crate::batch_encoding::EncodingError;

/// What the task takes from its queue.
pub(super) enum Command {
    Run(Box<dyn Operation>),
    AddPublisher { publisher: Arc<dyn MetadataPublisher>, done: oneshot::Sender<()> },
    Close { done: oneshot::Sender<()> },
}

/// Why an operation was not carried out. Nothing of it is in the log.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ControllerError {
    /// The controller is stopping, or has failed; another one may answer.
    #[error("the controller is not active")]
    Stopped,
    /// There is no room on the disk; it may be tried again.
    #[error("no space left for the metadata log")]
    DiskFull,
    /// The records cannot be written.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// The operation made records that contradict the state it ran against: a defect, in the log of the node.
    #[error("operation {operation} produced records that do not apply: {reason}")]
    BadRecords {
        /// Its name.
        operation: &'static str,
        /// What is wrong with them.
        reason: String,
    },
}

/// The metadata log failed: the node must stop with [`super::EXIT_CODE_METADATA_LOG_FAILED`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the metadata log failed, the node cannot go on: {reason}")]
pub struct MetadataLogFailure {
    /// What happened.
    pub reason: String,
}

/// Speaks with the controller of this node. Cheap to clone.
#[derive(Clone)]
pub struct ControllerHandle {
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) image: Arc<ArcSwap<MetadataImage>>,
    pub(super) failure: watch::Receiver<Option<Arc<MetadataLogFailure>>>,
}

impl ControllerHandle {
    /// Runs `op` against the controller and answers when its records are committed and published on this node.
    ///
    /// Waits for room in the queue. Once it is queued, it takes place even if the caller goes away.
    ///
    /// # Errors
    /// If it did not take place; see [`ControllerError`].
    pub async fn run<F, R>(&self, name: &'static str, op: F) -> Result<R, ControllerError>
    where
        F: FnOnce(&mut Controller, &ControllerContext) -> ControllerResult<R> + Send + 'static,
        R: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let operation = Box::new(TypedOperation { name, op: Some(op), response: None, reply });
        let queued = self.commands.send(Command::Run(operation)).await;
        queued.map_err(|_| ControllerError::Stopped)?;
        answer.await.map_err(|_| ControllerError::Stopped)?
    }

    /// Adds a publisher behind those that are there. When this returns, it has had its first call, with everything there is.
    ///
    /// # Errors
    /// If the controller has stopped.
    pub async fn add_publisher(
        &self,
        publisher: Arc<dyn MetadataPublisher>,
    ) -> Result<(), ControllerError> {
        let (done, answer) = oneshot::channel();
        let queued = self.commands.send(Command::AddPublisher { publisher, done }).await;
        queued.map_err(|_| ControllerError::Stopped)?;
        answer.await.map_err(|_| ControllerError::Stopped)
    }

    /// The metadata as of the last committed change.
    pub fn image(&self) -> Arc<MetadataImage> {
        self.image.load_full()
    }

    /// The place where the image is published.
    pub fn image_cell(&self) -> Arc<ArcSwap<MetadataImage>> {
        Arc::clone(&self.image)
    }

    /// Completes when the metadata log has failed; never if it does not. Cancel safe.
    pub async fn failed(&self) -> Arc<MetadataLogFailure> {
        let mut failure = self.failure.clone();
        let seen = failure.wait_for(Option::is_some).await.map(|value| value.clone());
        match seen {
            Ok(Some(failure)) => failure,
            // The task ended in peace: there will be no failure.
            _ => std::future::pending().await,
        }
    }

    /// Carries out what is queued, closes the log and stops the controller.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.commands.send(Command::Close { done }).await.is_ok() {
            // An error means that the task is gone already.
            let _ = closed.await;
        }
    }
}
