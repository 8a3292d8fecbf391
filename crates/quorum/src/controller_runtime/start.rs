//! Starting the controller: open the log, load what it says, write what a new leader writes, and serve.

use std::sync::Arc;

use arc_swap::ArcSwap;
use klamm_env::TaskScope;
use klamm_metadata::controller::{ControllerConfig, ControllerContext, ControllerResult};
use klamm_metadata::{MetadataImage, MetadataVersion};
use tokio::sync::{mpsc, watch};

use super::handle::ControllerHandle;
use super::loaded_state::LoadedState;
use super::task::ControllerTask;
use crate::batch_encoding::{Atomicity, EncodingError, prepare};
use crate::bootstrap::{BootstrapError, BootstrapMetadata};
use crate::local_metadata_log::{LocalMetadataLog, OpenArgs, OpenError};
use crate::metadata_log::{MetadataLog, MetadataLogError};
use crate::snapshot_schedule::SnapshotSchedule;

/// Operations that may wait in the queue; whoever comes then waits for room.
const QUEUE_MAX: usize = 1024;

/// What the controller of a single node is made from.
pub struct ControllerArgs {
    /// Where the log is.
    pub log: OpenArgs,
    /// What the state machine is told.
    pub controller: ControllerConfig,
    /// Owns the controller's task.
    pub scope: TaskScope,
}

/// Starts controllers; what runs is spoken with through [`ControllerHandle`].
#[derive(Debug)]
pub struct ControllerRuntime;

/// Why the controller did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The log could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The bootstrap records could not be read.
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
    /// The bootstrap records name no `metadata.version`.
    #[error(transparent)]
    NoMetadataVersion(#[from] klamm_metadata::controller::BootstrapError),
    /// The first records could not be written.
    #[error("the first records could not be written: {0}")]
    Encoding(#[from] EncodingError),
    /// The first records could not be written.
    #[error(transparent)]
    Append(#[from] MetadataLogError),
    /// The records of `bootstrap.checkpoint` contradict each other.
    #[error("the bootstrap records contradict each other: {0}")]
    Replay(#[from] klamm_metadata::ReplayError),
}

impl ControllerRuntime {
    /// Opens the log of this node and starts its controller. When this returns, the log names a `metadata.version`, and the
    /// image holds all that it says.
    ///
    /// # Errors
    /// If the log cannot be opened, or the first records cannot be written.
    pub async fn start(args: ControllerArgs) -> Result<ControllerHandle, StartError> {
        let env = args.log.env.clone();
        let metadata_dir = args.log.metadata_dir.clone();
        let config = args.log.config.clone();
        let empty = LoadedState::new(args.controller);
        let (log, loaded) = LocalMetadataLog::open(args.log, empty).await?;
        let behind = log.bytes_behind_snapshot();
        let schedule = SnapshotSchedule::new(&config, behind, env.clock().now());
        let mut task = ControllerTask::new(env.clone(), log, loaded, schedule);
        let disk = env.disk().clone();
        let bootstrap = match task.metadata_version() {
            Some(_) => BootstrapMetadata { records: Vec::new() },
            None => {
                let read = move || BootstrapMetadata::read(&disk, &metadata_dir);
                env.offload("read-bootstrap", read).await?
            }
        };
        task.activate(&bootstrap).await?;
        Ok(spawn(task, &args.scope))
    }
}

fn spawn<L: MetadataLog>(task: ControllerTask<L>, scope: &TaskScope) -> ControllerHandle {
    let (sender, receiver) = mpsc::channel(QUEUE_MAX);
    let (failed, failure) = watch::channel(None);
    let image: Arc<ArcSwap<MetadataImage>> = task.image_cell();
    scope.spawn("controller", task.run(receiver, failed));
    ControllerHandle { commands: sender, image, failure }
}

impl<L: MetadataLog> ControllerTask<L> {
    /// Writes what a new leader writes first, and takes up the brokers' sessions.
    async fn activate(&mut self, bootstrap: &BootstrapMetadata) -> Result<(), StartError> {
        let now_ms = self.env.clock().now_ms();
        let version = bootstrap.metadata_version().or(self.metadata_version());
        let version = version.unwrap_or(MetadataVersion::MINIMUM);
        let ControllerResult { records, atomic, .. } =
            self.controller.activation_records(&bootstrap.records)?;
        let atomicity = if atomic { Atomicity::Atomic } else { Atomicity::Splittable };
        let prepared = prepare(records, atomicity, version, now_ms)?;
        self.append_activation(prepared, now_ms).await?;
        let seed = self.env.rng().next_u64();
        let ctx = ControllerContext::new(now_ms, self.log.end_offset(), seed);
        self.controller.activate(&ctx);
        Ok(())
    }
}
