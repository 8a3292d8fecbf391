//! Which value of a configuration counts, where it comes from, and which others it hides.
//!
//! A value set for the topic counts before one set for this broker, then for all brokers, then in the properties file, then the
//! default. Descriptions follow Kafka's `ConfigHelper` to the letter, dropped synonyms included.

use crate::config_schema::ConfigSchema;
use crate::image::ConfigMap;
use klamm_record::config::{ConfigDef, ConfigKey, ConfigType, DynamicMode};

/// Where a value comes from; the numbers are those of DescribeConfigs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigSource {
    DynamicTopic = 1,
    DynamicBroker = 2,
    DynamicDefaultBroker = 3,
    StaticBroker = 4,
    Default = 5,
    DynamicBrokerLogger = 6,
    ClientMetrics = 7,
    Group = 8,
}

impl ConfigSource {
    pub fn code(self) -> i8 {
        self as i8
    }
}

/// What is set for brokers: for this one, for all, and in the properties file this one started with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BrokerLayers {
    pub dynamic_broker: ConfigMap,
    pub dynamic_default: ConfigMap,
    pub static_broker: ConfigMap,
}

/// One configuration as DescribeConfigs tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedConfig {
    pub name: String,
    /// `None` if it is null, or must not be shown.
    pub value: Option<String>,
    pub source: ConfigSource,
    pub is_sensitive: bool,
    pub is_read_only: bool,
    /// 0 unknown, 1 boolean, 2 string, 3 int, 4 short, 5 long, 6 double, 7 list, 8 class, 9 password.
    pub type_code: i8,
    pub documentation: Option<&'static str>,
    /// From the value that counts to those it hides.
    pub synonyms: Vec<ConfigSynonymValue>,
}

/// A value under a name at a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigSynonymValue {
    pub name: String,
    pub value: Option<String>,
    pub source: ConfigSource,
}

impl BrokerLayers {
    fn by_source(&self) -> [(&ConfigMap, ConfigSource); 3] {
        [
            (&self.dynamic_broker, ConfigSource::DynamicBroker),
            (&self.dynamic_default, ConfigSource::DynamicDefaultBroker),
            (&self.static_broker, ConfigSource::StaticBroker),
        ]
    }
}

/// The value of a topic configuration that counts, in the topic's unit, and where it comes from.
pub fn effective_topic_value(
    key: &ConfigKey,
    layers: &BrokerLayers,
    topic: &ConfigMap,
) -> (Option<String>, ConfigSource) {
    if let Some(value) = topic.get(key.name) {
        return (Some(value.to_string()), ConfigSource::DynamicTopic);
    }
    for (layer, source) in layers.by_source() {
        for synonym in key.synonyms {
            if let Some(value) = layer.get(synonym.name) {
                return (Some(synonym.convert(value).into_owned()), source);
            }
        }
    }
    (default_text(key), ConfigSource::Default)
}

/// All values of a topic that count, by name and in table order, for building the log's configuration.
pub fn effective_topic_values(
    schema: &ConfigSchema,
    layers: &BrokerLayers,
    topic: &ConfigMap,
) -> Vec<(&'static str, String)> {
    let keys = schema.topics.keys.iter();
    keys.filter_map(|key| Some((key.name, effective_topic_value(key, layers, topic).0?))).collect()
}

/// Describes a topic's configurations; internal ones only if they are set.
pub fn describe_topic(
    schema: &ConfigSchema,
    layers: &BrokerLayers,
    topic: &ConfigMap,
) -> Vec<DescribedConfig> {
    let keys = schema.topics.keys.iter();
    keys.filter(|key| !key.internal || topic.contains_key(key.name))
        .map(|key| {
            let (value, _) = effective_topic_value(key, layers, topic);
            let names: Vec<&str> = key.synonyms.iter().map(|synonym| synonym.name).collect();
            let mut synonyms = broker_synonyms(schema, layers, &names, key.is_sensitive());
            if topic.contains_key(key.name) {
                synonyms.insert(0, synonym(key.name, &value, ConfigSource::DynamicTopic, key));
            }
            describe(key, value, synonyms)
        })
        .collect()
}

/// Describes all configurations of this broker, those that no table knows included.
pub fn describe_broker(schema: &ConfigSchema, layers: &BrokerLayers) -> Vec<DescribedConfig> {
    let mut described: Vec<DescribedConfig> = Vec::new();
    for key in schema.brokers.keys.iter().filter(|key| !key.internal) {
        let value = layers.by_source().iter().find_map(|(layer, _)| layer.get(key.name).cloned());
        let value = value.map(|it| it.to_string()).or_else(|| default_text(key));
        let synonyms = broker_key_synonyms(schema, layers, key.name);
        let is_read_only = key.dynamic == DynamicMode::ReadOnly;
        described.push(DescribedConfig { is_read_only, ..describe(key, value, synonyms) });
    }
    for (layer, _) in layers.by_source() {
        for name in layer.keys() {
            let known = schema.brokers.get(name).is_some();
            if !known && !described.iter().any(|it| it.name == **name) {
                described.push(describe_unknown(name, broker_key_synonyms(schema, layers, name)));
            }
        }
    }
    described
}

/// Describes what is set for all brokers.
pub fn describe_default_broker(
    schema: &ConfigSchema,
    layers: &BrokerLayers,
) -> Vec<DescribedConfig> {
    let set = layers.dynamic_default.iter();
    set.map(|(name, value)| {
        let mut synonyms = broker_key_synonyms(schema, layers, name);
        synonyms.retain(|it| it.source == ConfigSource::DynamicDefaultBroker);
        match schema.brokers.get(name) {
            Some(key) => {
                let is_read_only = key.dynamic == DynamicMode::ReadOnly;
                let described = describe(key, Some(value.to_string()), synonyms);
                DescribedConfig { is_read_only, ..described }
            }
            None => describe_unknown(name, synonyms),
        }
    })
    .collect()
}

/// Describes a client metrics subscription.
pub fn describe_client_metrics(schema: &ConfigSchema, set: &ConfigMap) -> Vec<DescribedConfig> {
    let keys = schema.client_metrics.keys.iter();
    keys.map(|key| {
        let own = set.get(key.name).map(ToString::to_string);
        let own_synonym =
            own.is_some().then(|| synonym(key.name, &own, ConfigSource::ClientMetrics, key));
        describe(key, own.or_else(|| default_text(key)), own_synonym.into_iter().collect())
    })
    .collect()
}

/// Describes a group's configurations.
pub fn describe_group(
    schema: &ConfigSchema,
    layers: &BrokerLayers,
    set: &ConfigMap,
) -> Vec<DescribedConfig> {
    let keys = schema.groups.keys.iter();
    keys.map(|key| {
        let (value, source) = effective_topic_value(key, layers, set);
        let names: Vec<&str> = key.synonyms.iter().map(|synonym| synonym.name).collect();
        let mut synonyms = if names.is_empty() {
            vec![synonym(key.name, &default_text(key), ConfigSource::Default, key)]
        } else {
            broker_synonyms(schema, layers, &names, key.is_sensitive())
        };
        if source == ConfigSource::DynamicTopic {
            synonyms.insert(0, synonym(key.name, &value, ConfigSource::Group, key));
        }
        describe(key, value, synonyms)
    })
    .collect()
}

/// The text of a key's default; `None` if it has none or it is null.
pub(crate) fn default_text(key: &ConfigKey) -> Option<String> {
    key.default_as_value()?.to_text()
}

fn broker_key_synonyms(
    schema: &ConfigSchema,
    layers: &BrokerLayers,
    name: &str,
) -> Vec<ConfigSynonymValue> {
    let key = schema.brokers.get(name);
    let mut names = vec![name];
    names.extend(key.into_iter().flat_map(|key| key.synonyms.iter().map(|it| it.name)));
    broker_synonyms(schema, layers, &names, key.is_none_or(ConfigKey::is_sensitive))
}

/// The values of several names, layer by layer; what stands before the first value of the first name is dropped, as Kafka does.
fn broker_synonyms(
    schema: &ConfigSchema,
    layers: &BrokerLayers,
    names: &[&str],
    is_sensitive: bool,
) -> Vec<ConfigSynonymValue> {
    let mut found = Vec::new();
    let mut add = |name: &str, value: String, source| {
        let value = (!is_sensitive).then_some(value);
        found.push(ConfigSynonymValue { name: name.to_owned(), value, source });
    };
    for (layer, source) in layers.by_source() {
        for name in names {
            if let Some(value) = layer.get(*name) {
                add(name, value.to_string(), source);
            }
        }
    }
    for name in names {
        if let Some(value) = default_of(schema.brokers, name) {
            add(name, value, ConfigSource::Default);
        }
    }
    let first = names.first().copied().unwrap_or_default();
    found.into_iter().skip_while(|it| it.name != first).collect()
}

fn default_of(table: &ConfigDef, name: &str) -> Option<String> {
    default_text(table.get(name)?)
}

fn synonym(
    name: &str,
    value: &Option<String>,
    source: ConfigSource,
    key: &ConfigKey,
) -> ConfigSynonymValue {
    let value = if key.is_sensitive() { None } else { value.clone() };
    ConfigSynonymValue { name: name.to_owned(), value, source }
}

fn describe(
    key: &ConfigKey,
    value: Option<String>,
    synonyms: Vec<ConfigSynonymValue>,
) -> DescribedConfig {
    DescribedConfig {
        name: key.name.to_owned(),
        value: if key.is_sensitive() { None } else { value },
        source: synonyms.first().map_or(ConfigSource::Default, |first| first.source),
        is_sensitive: key.is_sensitive(),
        is_read_only: false,
        type_code: type_code(key.kind),
        documentation: Some(key.doc()),
        synonyms,
    }
}

/// A name that no table knows may be a secret: its value is never shown.
fn describe_unknown(name: &str, synonyms: Vec<ConfigSynonymValue>) -> DescribedConfig {
    DescribedConfig {
        name: name.to_owned(),
        value: None,
        source: synonyms.first().map_or(ConfigSource::Default, |first| first.source),
        is_sensitive: true,
        is_read_only: true,
        type_code: 0,
        documentation: None,
        synonyms,
    }
}

fn type_code(kind: ConfigType) -> i8 {
    match kind {
        ConfigType::Boolean => 1,
        ConfigType::String => 2,
        ConfigType::Int => 3,
        ConfigType::Short => 4,
        ConfigType::Long => 5,
        ConfigType::Double => 6,
        ConfigType::List => 7,
        ConfigType::Class => 8,
        ConfigType::Password => 9,
    }
}
