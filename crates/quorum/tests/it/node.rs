//! One node as the server starts it, and the text of what it wrote.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use klamm_env::{Env, OpenMode};
use klamm_metadata::controller::ControllerConfig;
use klamm_metadata::image::{ConfigMap, ConfigResource};
use klamm_metadata::records::{ConfigRecord, MetadataRecord};
use klamm_metadata::{ConfigSchema, MetadataVersion};
use klamm_quorum::{
    BatchContents, BrokerIdentity, BrokerLifecycle, ControllerArgs, ControllerHandle,
    ControllerRuntime, FileBatches, FormatArgs, FormattedDirs, MetadataLogConfig, OpenArgs,
    RegisteredListener, StartError, VoterEndpoint, ensure_formatted,
};
use klamm_record::BrokerId;

pub const DIR: &str = "/data";
pub const LOG_DIR: &str = "/data/__cluster_metadata-0";

klamm_record::config_def! {
    static NO_CONFIGS;
}
klamm_record::config_def! {
    static BROKERS;
    /// Minimum ISR.
    "min.insync.replicas": int = 1, at_least(1);
}

pub fn format_args() -> FormatArgs {
    FormatArgs {
        log_dirs: vec![PathBuf::from(DIR)],
        metadata_dir: PathBuf::from(DIR),
        node_id: BrokerId(1),
        cluster_id: Some("5L6g3nShT-eMCtK--X86sw".to_owned()),
        controller: VoterEndpoint {
            listener: "CONTROLLER".to_owned(),
            host: "127.0.0.1".to_owned(),
            port: 21093,
        },
        metadata_version: MetadataVersion::LATEST_PRODUCTION,
    }
}

/// A node between start and stop.
pub struct Node {
    pub env: Env,
    pub controller: ControllerHandle,
    pub dirs: FormattedDirs,
}

impl Node {
    pub async fn start(env: &Env) -> Self {
        Self::start_with(env, MetadataLogConfig::default()).await.expect("the controller starts")
    }

    pub async fn start_with(env: &Env, config: MetadataLogConfig) -> Result<Self, StartError> {
        Self::start_at(env, Path::new(DIR), config).await
    }

    pub async fn start_in(env: &Env, dir: &Path) -> Result<Self, StartError> {
        Self::start_at(env, dir, MetadataLogConfig::default()).await
    }

    async fn start_at(
        env: &Env,
        dir: &Path,
        config: MetadataLogConfig,
    ) -> Result<Self, StartError> {
        let format = FormatArgs {
            log_dirs: vec![dir.to_owned()],
            metadata_dir: dir.to_owned(),
            ..format_args()
        };
        let dirs = ensure_formatted(env, &format).expect("the directory is ours");
        let args = ControllerArgs {
            log: OpenArgs {
                env: env.clone(),
                metadata_dir: dir.to_owned(),
                node_id: BrokerId(1),
                config,
            },
            controller: ControllerConfig {
                node_id: BrokerId(1),
                cluster_id: dirs.cluster_id.clone(),
                default_num_partitions: 1,
                default_replication_factor: 1,
                session_timeout_ms: 9000,
                schema: ConfigSchema {
                    topics: &NO_CONFIGS,
                    brokers: &BROKERS,
                    groups: &NO_CONFIGS,
                    client_metrics: &NO_CONFIGS,
                },
                static_configs: ConfigMap::default(),
            },
            scope: env.scope("controller"),
        };
        let controller = ControllerRuntime::start(args).await?;
        Ok(Self { env: env.clone(), controller, dirs })
    }

    pub async fn register(&self, previous_broker_epoch: i64) -> BrokerLifecycle {
        let listener = |name: &str, port| RegisteredListener {
            name: name.to_owned(),
            host: "127.0.0.1".to_owned(),
            port,
            security_protocol: 0,
        };
        let identity = BrokerIdentity {
            node_id: BrokerId(1),
            cluster_id: self.dirs.cluster_id.clone(),
            listeners: vec![listener("PLAINTEXT", 21092)],
            controller_listeners: vec![listener("CONTROLLER", 21093)],
            rack: None,
            directory_ids: self.dirs.directory_ids.iter().map(|(_, id)| *id).collect(),
            previous_broker_epoch,
        };
        let scope = self.env.scope("broker");
        BrokerLifecycle::register(&self.env, &scope, self.controller.clone(), identity)
            .await
            .expect("the broker is registered")
    }

    /// Sets a config of the cluster; a small change that is easy to find again.
    pub async fn set(&self, name: &str, value: &str) -> Result<(), klamm_quorum::ControllerError> {
        let record = config(name, value);
        self.controller
            .run("set", move |_, _| {
                klamm_metadata::controller::ControllerResult::of(vec![record], ())
            })
            .await
    }

    pub fn get(&self, name: &str) -> Option<Arc<str>> {
        self.controller.image().configs.of(&ConfigResource::default_broker()).get(name).cloned()
    }
}

pub fn config(name: &str, value: &str) -> MetadataRecord {
    MetadataRecord::Config(ConfigRecord {
        resource_type: 4,
        resource_name: "".into(),
        name: name.into(),
        value: Some(value.into()),
    })
}

/// Every batch of a file: a line for it, and one for each record.
pub fn dump(env: &Env, path: &str) -> String {
    let file = env.disk().open(Path::new(path), OpenMode::Read).expect("the file is there");
    let end = file.len().expect("the file has a length");
    let mut batches = FileBatches::new(file, 0, end);
    let mut text = String::new();
    while let Some(batch) = batches.next_batch().expect("every batch is sound") {
        let header = batch.header;
        writeln!(
            text,
            "{}..{} epoch {}{}",
            header.base_offset,
            header.last_offset(),
            header.partition_leader_epoch,
            if header.is_control() { " control" } else { "" }
        )
        .expect("a string takes all");
        match batch.contents {
            BatchContents::Control(records) => {
                for record in records {
                    writeln!(text, "  {record:?}").expect("a string takes all");
                }
            }
            BatchContents::Data(records) => {
                for record in records {
                    writeln!(text, "  {record:?}").expect("a string takes all");
                }
            }
        }
    }
    text
}

pub fn dump_log(env: &Env) -> String {
    dump(env, &format!("{LOG_DIR}/00000000000000000000.log"))
}
