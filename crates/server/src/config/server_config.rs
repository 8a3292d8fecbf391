//! The checked configuration of a node.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use klamm_record::BrokerId;
use klamm_record::config::{ConfigKey, ConfigValue};

use crate::config::tables;
use crate::config::{Listeners, NetworkConfig};

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConfigSource {
    /// Kafka's code default.
    Default,
    /// What a node without a file starts from.
    WithoutFile,
    /// `server.properties`.
    File,
    /// The command line.
    CommandLine,
}

/// One key's value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Setting {
    pub value: ConfigValue,
    pub source: ConfigSource,
    /// As it was set; `None` for a default.
    pub text: Option<String>,
}

/// The value of every key in the tables.
#[derive(Debug, Clone, Default)]
pub(super) struct Values {
    pub settings: BTreeMap<&'static str, Setting>,
}

impl Values {
    fn setting(&self, name: &str) -> &Setting {
        self.settings.get(name).unwrap_or_else(|| panic!("{name} stands in no config table"))
    }

    pub fn get(&self, name: &str) -> &ConfigValue {
        &self.setting(name).value
    }

    pub fn is_set(&self, name: &str) -> bool {
        self.setting(name).source != ConfigSource::Default
    }

    /// The items of a list; empty for null.
    pub fn list(&self, name: &str) -> &[String] {
        self.get(name).as_list().unwrap_or_default()
    }

    /// A text; empty for null.
    pub fn text(&self, name: &str) -> &str {
        self.get(name).as_str().unwrap_or_default()
    }

    /// A whole number; 0 for null.
    pub fn integer(&self, name: &str) -> i64 {
        self.get(name).as_i64().unwrap_or_default()
    }

    /// A whole number of ms as a duration; negative numbers count as 0.
    pub fn millis(&self, name: &str) -> Duration {
        Duration::from_millis(u64::try_from(self.integer(name)).unwrap_or(0))
    }
}

/// The static configuration of a node, checked whole. What changes while it runs (dynamic configs)
/// is in the metadata image and goes before this.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    pub(super) values: Values,
    /// Keys that no table knows, as they were set. They are kept for whoever asks, as in Kafka.
    pub(super) unknown: BTreeMap<String, String>,
    /// `node.id`.
    pub node_id: BrokerId,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// What to bind and what to tell.
    pub listeners: Listeners,
    /// Bounds of connections.
    pub network: NetworkConfig,
    /// Connections that the process has descriptors for.
    pub connections_possible: u32,
    /// `log.dirs`, or `log.dir`; at least one.
    pub log_dirs: Vec<PathBuf>,
    /// `metadata.log.dir`, or the first of the log dirs.
    pub metadata_log_dir: PathBuf,
    /// `request.timeout.ms`.
    pub request_timeout: Duration,
    /// `klamm.http.listener`; `None` for no HTTP.
    pub http_listener: Option<String>,
    /// `klamm.http.max.connections`.
    pub http_connections_max: usize,
    /// `klamm.shutdown.drain.timeout.ms`.
    pub drain_timeout: Duration,
    /// What to say at start: unknown keys, keys without effect yet.
    pub warnings: Vec<String>,
}

impl ServerConfig {
    /// The value of a key in the tables.
    ///
    /// # Panics
    /// If no table has the key: names are written in code, never taken from input. For those, ask
    /// [`tables::get`] first.
    pub fn get(&self, name: &str) -> &ConfigValue {
        self.values.get(name)
    }

    /// As [`Self::get`], for whole numbers that fit 32 bits.
    pub fn int(&self, name: &str) -> i32 {
        self.get(name).as_i32().unwrap_or_else(|| panic!("{name} is not an int"))
    }

    /// As [`Self::get`], for whole numbers of any width.
    pub fn long(&self, name: &str) -> i64 {
        self.get(name).as_i64().unwrap_or_else(|| panic!("{name} is not a whole number"))
    }

    /// As [`Self::get`], for booleans.
    pub fn boolean(&self, name: &str) -> bool {
        self.get(name).as_bool().unwrap_or_else(|| panic!("{name} is not a boolean"))
    }

    /// As [`Self::get`], for texts; `None` for null.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).as_str()
    }

    /// Where the value of a key comes from; `Default` for a key in no table.
    pub fn source(&self, name: &str) -> ConfigSource {
        match self.values.settings.get(name) {
            Some(setting) => setting.source,
            None => ConfigSource::Default,
        }
    }

    /// The text a key was set to, by file, command line or as the start without a file; `None` where
    /// it has its code default. Also for keys that no table knows. Topic configs take their defaults
    /// from here (`ConfigDef::resolve`).
    pub fn set_text(&self, name: &str) -> Option<&str> {
        match self.values.settings.get(name) {
            Some(setting) => setting.text.as_deref(),
            None => self.unknown.get(name).map(String::as_str),
        }
    }

    /// Every key with its value and source, in the order of the tables; for DescribeConfigs.
    pub fn entries(
        &self,
    ) -> impl Iterator<Item = (&'static ConfigKey, &ConfigValue, ConfigSource)> {
        tables::keys().filter_map(|key| {
            let setting = self.values.settings.get(key.name)?;
            Some((key, &setting.value, setting.source))
        })
    }
}
