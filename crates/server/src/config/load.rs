//! File and command line to a checked [`ServerConfig`], or to all that is wrong with them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use klamm_record::BrokerId;
use klamm_record::config::{ConfigError, ConfigKey, parse_properties};

use crate::config::server_config::{ConfigSource, Setting, Values};
use crate::config::shipped::WITHOUT_FILE;
use crate::config::warnings::warnings;
use crate::config::{Listeners, NetworkConfig, ServerConfig, endpoint, tables};

/// Everything a configuration is made of. The caller has read the file.
#[derive(Debug, Clone, Default)]
pub struct ConfigSources {
    /// Name (for errors) and text of `server.properties`; `None` to start without a file.
    pub file: Option<(String, String)>,
    /// `--set key=value`, in order; a later one wins.
    pub overrides: Vec<(String, String)>,
    /// `--data DIR`: sets `log.dirs`.
    pub data: Option<String>,
    /// `--listen HOST:PORT`: moves the first listener for clients there, and what it advertises.
    pub listen: Option<String>,
    /// `--http HOST:PORT`: sets `klamm.http.listener`.
    pub http: Option<String>,
    /// This machine's name, if it can be resolved; advertised where a listener is bound to all
    /// interfaces.
    pub hostname: Option<String>,
}

/// All that is wrong, one line each: which key, which value, what is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors {
    /// The lines.
    pub lines: Vec<String>,
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.join("\n"))
    }
}

impl std::error::Error for ConfigErrors {}

/// Collects what is wrong, so that one start names all of it.
#[derive(Debug, Default)]
pub(super) struct Problems {
    lines: Vec<String>,
}

impl Problems {
    pub fn add(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    pub fn invalid(&mut self, key: &str, value: &str, allowed: &str) {
        self.add(format!("Invalid value {value} for configuration {key}: {allowed}"));
    }

    fn key(&mut self, key: &ConfigKey, error: &ConfigError) {
        let allowed = key.validator.to_string();
        // Kafka's words tell the bounds, except where the text is no number at all.
        match error.to_string() {
            text if text.contains("Not a number") && !allowed.is_empty() => {
                self.add(format!("{text} (allowed: {allowed})"));
            }
            text => self.add(text),
        }
    }
}

type Originals = BTreeMap<String, (String, ConfigSource)>;

impl ConfigSources {
    /// Reads, checks and completes.
    ///
    /// # Errors
    /// With every problem found, not only the first.
    pub fn load(self) -> Result<ServerConfig, ConfigErrors> {
        let mut problems = Problems::default();
        let originals = self.originals(&mut problems);
        let (values, other) = resolve(&originals, &mut problems);
        // Rules between keys make sense only where each key by itself does.
        if !problems.lines.is_empty() {
            return Err(ConfigErrors { lines: problems.lines });
        }
        let config = build(values, other, self.hostname.as_deref(), &mut problems);
        match config {
            Some(config) if problems.lines.is_empty() => Ok(config),
            _ => Err(ConfigErrors { lines: problems.lines }),
        }
    }

    fn originals(&self, problems: &mut Problems) -> Originals {
        let mut originals = Originals::new();
        let mut set = |key: &str, value: &str, source| {
            originals.insert(key.to_owned(), (value.to_owned(), source));
        };
        match &self.file {
            None => {
                for (key, value) in WITHOUT_FILE {
                    set(key, value, ConfigSource::WithoutFile);
                }
            }
            Some((name, text)) => match parse_properties(text) {
                Ok(pairs) => {
                    for (key, value) in &pairs {
                        set(key, value, ConfigSource::File);
                    }
                }
                Err(error) => problems.add(format!("{name}: {error}")),
            },
        }
        for (key, value) in &self.overrides {
            set(key, value, ConfigSource::CommandLine);
        }
        if let Some(data) = &self.data {
            set("log.dirs", data, ConfigSource::CommandLine);
        }
        if let Some(http) = &self.http {
            set("klamm.http.listener", http, ConfigSource::CommandLine);
        }
        if let Some(listen) = &self.listen {
            move_listener(&mut originals, listen, problems);
        }
        same_id(&mut originals);
        originals
    }
}

/// `broker.id` and `node.id` are one; whichever is set gives the other its value.
fn same_id(originals: &mut Originals) {
    for (one, other) in [("broker.id", "node.id"), ("node.id", "broker.id")] {
        if let (Some(value), None) = (originals.get(one).cloned(), originals.get(other)) {
            originals.insert(other.to_owned(), value);
        }
    }
}

fn move_listener(originals: &mut Originals, listen: &str, problems: &mut Problems) {
    let Ok((_, host, _)) = endpoint::split(&format!("X://{listen}")) else {
        problems.invalid("--listen", listen, "the form is HOST:PORT, like 127.0.0.1:9092");
        return;
    };
    let text = |key: &str| originals.get(key).map(|(value, _)| value.clone());
    let advertised = originals.get("advertised.listeners").cloned();
    let controllers = text("controller.listener.names").unwrap_or_default();
    let is_controller =
        |name: &str| controllers.split(',').any(|other| other.trim().eq_ignore_ascii_case(name));
    let listeners = text("listeners").unwrap_or_else(|| "PLAINTEXT://:9092".to_owned());
    let mut moved = None;
    let listeners = replace(&listeners, |name| {
        let first = moved.is_none() && !is_controller(name);
        if first {
            moved = Some(name.to_owned());
        }
        first.then(|| format!("{name}://{listen}"))
    });
    let source = ConfigSource::CommandLine;
    originals.insert("listeners".to_owned(), (listeners, source));
    // What a file advertises moves along; what the command line advertises, or would be told of all
    // interfaces, does not.
    let wildcard = ["", "0.0.0.0", "::"].contains(&host.as_str());
    if let (Some(moved), Some((advertised, ConfigSource::File)), false) =
        (moved, advertised, wildcard)
    {
        let advertised = replace(&advertised, |name| {
            name.eq_ignore_ascii_case(&moved).then(|| format!("{name}://{listen}"))
        });
        originals.insert("advertised.listeners".to_owned(), (advertised, source));
    }
}

fn replace(listeners: &str, mut with: impl FnMut(&str) -> Option<String>) -> String {
    let entries = listeners.split(',').map(|entry| {
        let name = entry.trim().split(':').next().unwrap_or_default();
        with(name).unwrap_or_else(|| entry.to_owned())
    });
    entries.collect::<Vec<_>>().join(",")
}

/// Gives every key of the tables its value; the rest is kept by name.
fn resolve(originals: &Originals, problems: &mut Problems) -> (Values, BTreeMap<String, String>) {
    let mut values = Values::default();
    for key in tables::keys() {
        let setting = match originals.get(key.name) {
            Some((text, source)) => key.parse(text).map(|value| Setting {
                value,
                source: *source,
                text: Some(text.clone()),
            }),
            None => match key.default_as_value() {
                Some(value) => Ok(Setting { value, source: ConfigSource::Default, text: None }),
                None => Err(ConfigError::Missing { name: key.name.to_owned() }),
            },
        };
        match setting {
            Ok(setting) => {
                values.settings.insert(key.name, setting);
            }
            Err(error) => problems.key(key, &error),
        }
    }
    let other = originals
        .iter()
        .filter(|(key, _)| tables::get(key).is_none())
        .map(|(key, (value, _))| (key.clone(), value.clone()))
        .collect();
    (values, other)
}

/// Prefixes under which anything may stand.
const FREE_PREFIXES: [&str; 4] =
    ["listener.name.", "rsm.config.", "rlmm.config.", "config.providers."];

fn build(
    values: Values,
    other: BTreeMap<String, String>,
    hostname: Option<&str>,
    problems: &mut Problems,
) -> Option<ServerConfig> {
    check_roles(&values, problems);
    check_relations(&values, problems);
    let listeners = Listeners::read(&values, hostname, problems)?;
    let network = NetworkConfig::read(&values, &other, &listeners, problems);
    let log_dirs = log_dirs(&values, problems)?;
    let metadata_log_dir = match values.text("metadata.log.dir") {
        "" => log_dirs[0].clone(),
        dir => PathBuf::from(dir),
    };
    let unknown: BTreeMap<_, _> = other
        .iter()
        .filter(|(key, _)| !FREE_PREFIXES.iter().any(|prefix| key.starts_with(prefix)))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    Some(ServerConfig {
        warnings: warnings(&values, &unknown),
        node_id: BrokerId(i32::try_from(values.integer("node.id")).unwrap_or(0)),
        rack: values.get("broker.rack").as_str().map(str::to_owned),
        listeners,
        network,
        connections_possible: u32::MAX,
        log_dirs,
        metadata_log_dir,
        request_timeout: values.millis("request.timeout.ms"),
        http_listener: http_listener(&values, problems),
        http_connections_max: usize::try_from(values.integer("klamm.http.max.connections"))
            .unwrap_or(1),
        drain_timeout: values.millis("klamm.shutdown.drain.timeout.ms"),
        unknown: other,
        values,
    })
}

fn log_dirs(values: &Values, problems: &mut Problems) -> Option<Vec<PathBuf>> {
    let dirs = match values.list("log.dirs") {
        [] => values.list("log.dir"),
        dirs => dirs,
    };
    if dirs.is_empty() {
        problems.add("At least one log directory must be defined via log.dirs or log.dir.");
        return None;
    }
    Some(dirs.iter().map(PathBuf::from).collect())
}

fn http_listener(values: &Values, problems: &mut Problems) -> Option<String> {
    const KEY: &str = "klamm.http.listener";
    let text = values.text(KEY);
    if text.eq_ignore_ascii_case("none") {
        return None;
    }
    if endpoint::split(&format!("HTTP://{text}")).is_err() {
        problems.invalid(KEY, text, "the form is host:port, like 127.0.0.1:9080, or none");
    }
    Some(text.to_owned())
}

fn check_roles(values: &Values, problems: &mut Problems) {
    let roles = values.list("process.roles");
    let has = |role: &str| roles.iter().any(|other| other == role);
    if !has("broker") || !has("controller") {
        problems.invalid(
            "process.roles",
            &roles.join(","),
            "this version runs one node that is both, broker,controller; separate brokers and \
             controllers come with replication",
        );
    }
    let (node, broker) = (values.integer("node.id"), values.integer("broker.id"));
    if node != broker {
        problems.invalid(
            "broker.id",
            &broker.to_string(),
            &format!("it must be equal to node.id ({node}), of which it is the older name"),
        );
    }
    let voters = values.list("controller.quorum.voters");
    let bootstrap = values.list("controller.quorum.bootstrap.servers");
    if voters.is_empty() && bootstrap.is_empty() {
        problems.add(
            "If using process.roles, either controller.quorum.bootstrap.servers must contain the \
             set of bootstrap controllers or controller.quorum.voters must contain a parseable set \
             of controllers.",
        );
    }
    check_voters(voters, node, problems);
}

fn check_voters(voters: &[String], node: i64, problems: &mut Problems) {
    const KEY: &str = "controller.quorum.voters";
    let mut ids = Vec::new();
    for voter in voters {
        let id = voter.split_once('@').and_then(|(id, address)| {
            endpoint::split(&format!("X://{address}")).ok()?;
            id.trim().parse::<i64>().ok()
        });
        match id {
            Some(id) => ids.push(id),
            None => {
                problems.invalid(KEY, voter, "each voter has the form id@host:port");
                return;
            }
        }
    }
    if ids.is_empty() {
        return;
    }
    if !ids.contains(&node) {
        problems.add(format!(
            "If process.roles contains the 'controller' role, the node id {node} must be included \
             in the set of voters {KEY}={ids:?}"
        ));
    } else if ids.len() > 1 {
        problems.invalid(
            KEY,
            &voters.join(","),
            "this version has one controller; several come with a later release",
        );
    }
}

fn check_relations(values: &Values, problems: &mut Problems) {
    let wait = values.integer("replica.fetch.wait.max.ms");
    for (key, what) in [
        (
            "replica.socket.timeout.ms",
            "replica.socket.timeout.ms should always be at least replica.fetch.wait.max.ms to prevent unnecessary socket timeouts",
        ),
        (
            "replica.lag.time.max.ms",
            "replica.fetch.wait.max.ms should always be less than or equal to replica.lag.time.max.ms to prevent frequent changes in ISR",
        ),
    ] {
        if wait > values.integer(key) {
            problems.add(what);
        }
    }
    let idle = values.integer("connections.max.idle.ms");
    let delay = values.integer("connection.failed.authentication.delay.ms");
    if idle >= 0 && delay >= idle {
        problems.add(format!(
            "connection.failed.authentication.delay.ms={delay} should always be less than \
             connections.max.idle.ms={idle} to prevent failed authentication responses from timing \
             out"
        ));
    }
}

#[cfg(test)]
mod tests;
