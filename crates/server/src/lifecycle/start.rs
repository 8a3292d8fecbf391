//! The start: directories, controller, logs, replicas, registration.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use klamm_coordinator::transaction::ProducerIdManager;
use klamm_env::{DirLock, Env, TaskScope};
use klamm_metadata::MetadataVersion;
use klamm_metadata::controller::ControllerConfig;
use klamm_quorum::{
    BrokerIdentity, BrokerLifecycle, ControllerArgs, ControllerHandle, ControllerRuntime,
    FormatArgs, FormatError, FormattedDirs, LifecycleError, MetadataLogConfig, OpenArgs,
    RegisteredListener, VoterEndpoint, ensure_formatted,
};
use klamm_replica::{HousekeepingIntervals, ReplicaManager, ReplicaManagerArgs, TopicConfigs};
use klamm_storage::log_manager::{BackgroundIntervals, DirArgs, OpenReport};
use klamm_storage::producer_state::ProducerStateConfig;
use klamm_storage::{LogConfig, LogManager, LogManagerArgs, StorageMetrics};
use prometheus_client::registry::Registry;

use super::producer_expiry::{ProducerExpiryPublisher, producer_id_expiration_ms};
use super::producer_ids::ControllerProducerIds;
use super::publishers::ReplicaPublisher;
use super::{Lifecycle, Started, strays};
use crate::broker::Services;
use crate::config::{Endpoint, ServerConfig, schema, static_configs};

/// Why a node did not get as far as its sockets.
#[derive(Debug, thiserror::Error)]
pub enum StorageStartError {
    /// Another process works on the directory, or it cannot be made.
    #[error("the log directory {dir} cannot be used: {reason}")]
    Directory {
        /// Which.
        dir: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The directories belong to somebody else, or cannot be formatted.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The metadata log cannot be opened.
    #[error(transparent)]
    Controller(#[from] klamm_quorum::StartError),
    /// The logs cannot be opened.
    #[error(transparent)]
    Logs(#[from] klamm_storage::log_manager::OpenError),
    /// The controller does not take this broker.
    #[error(transparent)]
    Registration(#[from] LifecycleError),
    /// The controller stopped at once.
    #[error(transparent)]
    Stopped(#[from] klamm_quorum::ControllerError),
}

/// Brings up everything behind the sockets. `advertised` is what clients are told, with the ports that were bound.
pub async fn start(
    env: &Env,
    config: &Arc<ServerConfig>,
    advertised: &[Endpoint],
    registry: &mut Registry,
) -> Result<Started, StorageStartError> {
    let scope = env.scope("node");
    let controller_scope = env.scope("controller");
    let locks = lock_directories(env, config).await?;
    let dirs = format(env, config).await?;
    let controller = start_controller(env, config, &dirs, &controller_scope).await?;
    let (log_manager, report) = open_logs(env, config, &dirs, &controller, registry).await?;
    let clean = report.unclean_dirs.is_empty();
    strays::set_aside(env, &log_manager, controller.image(), (config.node_id, clean)).await;
    let args = ReplicaManagerArgs {
        node: config.node_id,
        env: env.clone(),
        scope: scope.child("replicas"),
        log_manager: Arc::clone(&log_manager),
        topic_configs: topic_configs(config),
    };
    let replica_manager = ReplicaManager::new(args, registry);
    let publisher = ReplicaPublisher { replica_manager: Arc::clone(&replica_manager) };
    controller.add_publisher(Arc::new(publisher)).await?;
    let publisher = ProducerExpiryPublisher {
        config: Arc::clone(config),
        log_manager: Arc::clone(&log_manager),
    };
    controller.add_publisher(Arc::new(publisher)).await?;
    let at_start = Arc::clone(&replica_manager);
    env.offload("set strays aside", move || at_start.set_strays_aside()).await;
    let identity = identity(config, &dirs, advertised, &report);
    let broker = BrokerLifecycle::register(env, &scope, controller.clone(), identity).await?;
    broker.unfence().await?;
    start_background(config, &scope, &log_manager, &replica_manager);
    let source = ControllerProducerIds {
        controller: controller.clone(),
        node: config.node_id,
        broker_epoch: broker.broker_epoch(),
    };
    let producer_ids =
        ProducerIdManager::new(env.clone(), scope.child("producer-ids"), Arc::new(source));
    let services = Services {
        cluster_id: dirs.cluster_id,
        replica_manager: Arc::clone(&replica_manager),
        controller: controller.clone(),
        producer_ids,
    };
    let lifecycle = Lifecycle {
        env: env.clone(),
        scope,
        controller_scope,
        controller,
        log_manager,
        replica_manager,
        broker,
        _locks: locks,
    };
    Ok(Started { services, lifecycle })
}

/// All directories that this node uses, the one of the metadata among them.
fn directories(config: &ServerConfig) -> Vec<PathBuf> {
    let mut dirs = config.log_dirs.clone();
    if !dirs.contains(&config.metadata_log_dir) {
        dirs.push(config.metadata_log_dir.clone());
    }
    dirs
}

async fn lock_directories(
    env: &Env,
    config: &ServerConfig,
) -> Result<Vec<DirLock>, StorageStartError> {
    let (disk, dirs) = (env.disk().clone(), directories(config));
    env.offload("lock log directories", move || {
        let mut locks = Vec::with_capacity(dirs.len());
        for dir in dirs {
            let locked = disk.create_dir_all_durably(&dir).and_then(|()| disk.lock(&dir));
            match locked {
                Ok(lock) => locks.push(lock),
                Err(error) => {
                    return Err(StorageStartError::Directory { dir, reason: error.to_string() });
                }
            }
        }
        Ok(locks)
    })
    .await
}

async fn format(env: &Env, config: &ServerConfig) -> Result<FormattedDirs, StorageStartError> {
    let controller = config.listeners.controller.first();
    let args = FormatArgs {
        log_dirs: directories(config),
        metadata_dir: config.metadata_log_dir.clone(),
        node_id: config.node_id,
        cluster_id: None,
        controller: VoterEndpoint {
            listener: controller.map_or("CONTROLLER", |it| it.listener.as_str()).to_owned(),
            host: controller.map_or("localhost", |it| it.host.as_str()).to_owned(),
            port: controller.map_or(9093, |it| it.port),
        },
        metadata_version: MetadataVersion::LATEST_PRODUCTION,
    };
    let formatting = env.clone();
    let dirs = env.offload("format", move || ensure_formatted(&formatting, &args)).await?;
    for dir in &dirs.newly_formatted {
        tracing::info!(dir = %dir.display(), cluster = dirs.cluster_id, "formatted a new log directory");
    }
    Ok(dirs)
}

async fn start_controller(
    env: &Env,
    config: &ServerConfig,
    dirs: &FormattedDirs,
    scope: &TaskScope,
) -> Result<ControllerHandle, StorageStartError> {
    let snapshot_interval_ms = config.long("metadata.log.max.snapshot.interval.ms");
    let log = OpenArgs {
        env: env.clone(),
        metadata_dir: config.metadata_log_dir.clone(),
        node_id: config.node_id,
        config: MetadataLogConfig {
            segment_bytes: config.int("metadata.log.segment.bytes"),
            segment_ms: config.long("metadata.log.segment.ms"),
            retention_bytes: config.long("metadata.max.retention.bytes"),
            retention_ms: config.long("metadata.max.retention.ms"),
            snapshot_bytes: unsigned(
                config.long("metadata.log.max.record.bytes.between.snapshots"),
            ),
            snapshot_interval: (snapshot_interval_ms > 0)
                .then(|| Duration::from_millis(unsigned(snapshot_interval_ms))),
        },
    };
    let controller = ControllerConfig {
        node_id: config.node_id,
        cluster_id: dirs.cluster_id.clone(),
        default_num_partitions: config.int("num.partitions"),
        default_replication_factor: i16::try_from(config.int("default.replication.factor"))
            .unwrap_or(i16::MAX),
        session_timeout_ms: i64::from(config.int("broker.session.timeout.ms")),
        schema: schema(),
        static_configs: static_configs(config),
    };
    let args = ControllerArgs { log, controller, scope: scope.clone() };
    Ok(ControllerRuntime::start(args).await?)
}

fn topic_configs(config: &ServerConfig) -> TopicConfigs {
    TopicConfigs::new(schema(), config.node_id, static_configs(config))
}

async fn open_logs(
    env: &Env,
    config: &ServerConfig,
    dirs: &FormattedDirs,
    controller: &ControllerHandle,
    registry: &mut Registry,
) -> Result<(Arc<LogManager>, OpenReport), StorageStartError> {
    let ids = dirs.directory_ids.iter();
    let log_dirs = ids.filter(|(path, _)| config.log_dirs.contains(path));
    let configs = topic_configs(config);
    let image = controller.image_cell();
    let args = LogManagerArgs {
        env: env.clone(),
        dirs: log_dirs.map(|(path, id)| DirArgs { path: path.clone(), id: Some(*id) }).collect(),
        config_of: Arc::new(move |topic| {
            configs.of(&image.load(), topic).unwrap_or_else(|_| Arc::new(LogConfig::default()))
        }),
        producer_state: ProducerStateConfig {
            producer_id_expiration_ms: producer_id_expiration_ms(config, &controller.image()),
            transaction_timeout_ms_max: i64::from(config.int("transaction.max.timeout.ms")),
        },
        recovery_jobs_per_dir: usize::try_from(config.int("num.recovery.threads.per.data.dir"))
            .unwrap_or(1),
        metrics: StorageMetrics::register(registry),
    };
    let (log_manager, report) = LogManager::open(args).await?;
    if !report.recovered.is_empty() {
        tracing::info!(logs = report.recovered.len(), "recovered after an unclean stop");
    }
    Ok((log_manager, report))
}

fn identity(
    config: &ServerConfig,
    dirs: &FormattedDirs,
    advertised: &[Endpoint],
    report: &OpenReport,
) -> BrokerIdentity {
    let listener = |endpoint: &Endpoint| RegisteredListener {
        name: endpoint.listener.as_str().to_owned(),
        host: endpoint.host.clone(),
        port: endpoint.port,
        security_protocol: endpoint.protocol.code(),
    };
    let is_controller =
        |endpoint: &&Endpoint| config.listeners.controller_names.contains(&endpoint.listener);
    let ids = dirs.directory_ids.iter().filter(|(path, _)| config.log_dirs.contains(path));
    BrokerIdentity {
        node_id: config.node_id,
        cluster_id: dirs.cluster_id.clone(),
        listeners: advertised.iter().filter(|it| !is_controller(it)).map(listener).collect(),
        controller_listeners: config.listeners.controller.iter().map(listener).collect(),
        rack: config.rack.clone(),
        directory_ids: ids.map(|(_, id)| *id).collect(),
        previous_broker_epoch: report.previous_broker_epoch.unwrap_or(-1),
    }
}

fn start_background(
    config: &ServerConfig,
    scope: &TaskScope,
    log_manager: &Arc<LogManager>,
    replica_manager: &Arc<ReplicaManager>,
) {
    let millis = |name: &str| Duration::from_millis(unsigned(config.long(name)));
    let every = BackgroundIntervals {
        recovery_point: millis("log.flush.offset.checkpoint.interval.ms"),
        log_start_offset: millis("log.flush.start.offset.checkpoint.interval.ms"),
        high_watermark: millis("replica.high.watermark.checkpoint.interval.ms"),
        ..BackgroundIntervals::default()
    };
    log_manager.spawn_background(scope, every);
    replica_manager.start_housekeeping(HousekeepingIntervals {
        retention: millis("log.retention.check.interval.ms"),
        producer_expiry: millis("producer.id.expiration.check.interval.ms"),
        initial_delay: millis("log.initial.task.delay.ms"),
    });
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
