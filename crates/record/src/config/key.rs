//! One config: its name, kind, default, bounds, synonyms, and what setting it does today.

use super::{Bound, ConfigError, ConfigType, ConfigValue, Synonym, Validator};

/// Default of a config.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ConfigDefault {
    /// There is none: the key must be set.
    Required,
    /// Null.
    Null,
    /// For `Boolean`.
    Boolean(bool),
    /// For `Short`, `Int` and `Long`.
    Integer(i64),
    /// For `Double`.
    Double(f64),
    /// For `String`, `Class` and `Password`.
    Text(&'static str),
    /// For `List`.
    List(&'static [&'static str]),
}

/// How much a config matters (Kafka's `Importance`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Importance {
    /// Look at it before going to production.
    High,
    /// Sometimes of interest.
    Medium,
    /// Hardly ever.
    Low,
}

/// Whether and where a broker config may be changed while the node runs (Kafka's "update mode").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DynamicMode {
    /// At start only.
    ReadOnly,
    /// For each broker alone.
    PerBroker,
    /// For each broker, and as a default for all.
    ClusterWide,
}

/// What setting a config does in this build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// What its documentation says.
    Active,
    /// It is stored, checked and described, and acts later; the reason is said at start and in the docs.
    Later(&'static str),
}

/// A config as declared. Built by `config_def!` through the const methods below.
#[derive(Debug, Clone, Copy)]
pub struct ConfigKey {
    /// Kafka's name, or ours beginning with `klamm.`.
    pub name: &'static str,
    /// Kind of value.
    pub kind: ConfigType,
    /// Value where none is set.
    pub default: ConfigDefault,
    /// Values allowed, beyond the kind.
    pub validator: Validator,
    /// Other names that give this one its value, best first (for a topic config, the broker's).
    pub synonyms: &'static [Synonym],
    /// How much it matters.
    pub importance: Importance,
    /// Kafka's internal configs are neither documented nor listed.
    pub internal: bool,
    /// Whether it may change while the node runs.
    pub dynamic: DynamicMode,
    /// What setting it does today.
    pub effect: Effect,
    doc: &'static str,
}

impl ConfigKey {
    /// A required config without bounds, read-only, of medium importance.
    pub const fn new(name: &'static str, kind: ConfigType, doc: &'static str) -> Self {
        Self {
            name,
            kind,
            default: ConfigDefault::Required,
            validator: Validator::Any,
            synonyms: &[],
            importance: Importance::Medium,
            internal: false,
            dynamic: DynamicMode::ReadOnly,
            effect: Effect::Active,
            doc,
        }
    }

    /// Sets the default.
    pub const fn default_value(mut self, default: ConfigDefault) -> Self {
        self.default = default;
        self
    }

    /// The default is null.
    pub const fn null_default(self) -> Self {
        self.default_value(ConfigDefault::Null)
    }

    /// Sets what is allowed.
    pub const fn validator(mut self, validator: Validator) -> Self {
        self.validator = validator;
        self
    }

    /// Allows `min` and above.
    pub const fn at_least(self, min: i64) -> Self {
        self.validator(Validator::Range { min: Some(Bound::Integer(min)), max: None })
    }

    /// Allows `min` to `max`, both inclusive.
    pub const fn between(self, min: i64, max: i64) -> Self {
        let (min, max) = (Bound::Integer(min), Bound::Integer(max));
        self.validator(Validator::Range { min: Some(min), max: Some(max) })
    }

    /// Allows `min` to `max`, both inclusive, where Kafka writes the bounds with a fraction.
    pub const fn between_fractions(self, min: f64, max: f64) -> Self {
        let (min, max) = (Bound::Double(min), Bound::Double(max));
        self.validator(Validator::Range { min: Some(min), max: Some(max) })
    }

    /// Allows these texts only.
    pub const fn one_of(self, allowed: &'static [&'static str]) -> Self {
        self.validator(Validator::OneOf(allowed))
    }

    /// Sets the synonyms, best first.
    pub const fn synonyms(mut self, synonyms: &'static [Synonym]) -> Self {
        self.synonyms = synonyms;
        self
    }

    /// Of high importance.
    pub const fn high(mut self) -> Self {
        self.importance = Importance::High;
        self
    }

    /// Of low importance.
    pub const fn low(mut self) -> Self {
        self.importance = Importance::Low;
        self
    }

    /// Kept out of docs and listings.
    pub const fn internal(mut self) -> Self {
        self.internal = true;
        self
    }

    /// May change at run time for each broker alone.
    pub const fn per_broker(mut self) -> Self {
        self.dynamic = DynamicMode::PerBroker;
        self
    }

    /// May change at run time for a broker or for all.
    pub const fn cluster_wide(mut self) -> Self {
        self.dynamic = DynamicMode::ClusterWide;
        self
    }

    /// Says what setting it does today.
    pub const fn effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    /// The documentation.
    pub fn doc(&self) -> &'static str {
        self.doc.trim()
    }

    /// Passwords are never shown.
    pub fn is_sensitive(&self) -> bool {
        self.kind == ConfigType::Password
    }

    /// Parses and checks `text`.
    ///
    /// # Errors
    /// With Kafka's wording, if the text is not of the kind or not allowed.
    pub fn parse(&self, text: &str) -> Result<ConfigValue, ConfigError> {
        let value = ConfigValue::parse(self.name, self.kind, text)?;
        self.validator.check(self.name, &value)?;
        Ok(value)
    }

    /// The default as a value; none if the key is required.
    pub fn default_as_value(&self) -> Option<ConfigValue> {
        Some(match self.default {
            ConfigDefault::Required => return None,
            ConfigDefault::Null => ConfigValue::Null,
            ConfigDefault::Boolean(value) => ConfigValue::Boolean(value),
            ConfigDefault::Double(value) => ConfigValue::Double(value),
            ConfigDefault::Integer(value) => match self.kind {
                ConfigType::Short => ConfigValue::Short(value as i16),
                ConfigType::Int => ConfigValue::Int(value as i32),
                _ => ConfigValue::Long(value),
            },
            ConfigDefault::Text(text) => match self.kind {
                ConfigType::Password => ConfigValue::Password(text.to_owned()),
                ConfigType::Class => ConfigValue::Class(text.to_owned()),
                _ => ConfigValue::String(text.to_owned()),
            },
            ConfigDefault::List(items) => {
                ConfigValue::List(items.iter().map(|&item| item.to_owned()).collect())
            }
        })
    }
}
