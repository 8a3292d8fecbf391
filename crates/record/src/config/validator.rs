//! What values a config allows (Kafka's `ConfigDef.Validator` and its implementations).

use std::collections::BTreeSet;
use std::fmt;

use super::{ConfigError, ConfigValue};

/// End of a range, printed as Kafka declares it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Double(f64),
}

/// What is allowed. `Display` gives Kafka's "Valid Values" text.
#[derive(Debug, Clone, Copy)]
pub enum Validator {
    /// Anything of the kind.
    Any,
    /// Numbers between two inclusive bounds.
    Range {
        /// Smallest allowed.
        min: Option<Bound>,
        /// Largest allowed.
        max: Option<Bound>,
    },
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// One of these texts, whatever their case.
    OneOfIgnoringCase(&'static [&'static str]),
    /// A list without duplicates and empty items.
    List {
        /// Allowed items; all if empty.
        allowed: &'static [&'static str],
        /// Whether the list may be empty.
        empty: bool,
        /// Whether the value may be null.
        null: bool,
    },
    /// Not null.
    NonNull,
    /// Text that is not empty.
    NonEmpty,
    /// Whatever the function says; the text describes it.
    Check(fn(&str, &ConfigValue) -> Result<(), ConfigError>, &'static str),
    /// All of these.
    All(&'static [Validator]),
}

impl Validator {
    /// Checks `value` of config `name`.
    ///
    /// # Errors
    /// With Kafka's wording, if it is not allowed.
    pub fn check(&self, name: &str, value: &ConfigValue) -> Result<(), ConfigError> {
        match *self {
            Self::Any => Ok(()),
            Self::Range { min, max } => check_range(name, value, min, max),
            Self::OneOf(allowed) => {
                if value.as_str().is_some_and(|text| allowed.contains(&text)) {
                    return Ok(());
                }
                let reason = format!("String must be one of: {}", allowed.join(", "));
                Err(ConfigError::invalid(name, value, &reason))
            }
            Self::OneOfIgnoringCase(allowed) => {
                let fits = |text: &str| allowed.iter().any(|a| a.eq_ignore_ascii_case(text));
                if value.as_str().is_some_and(fits) {
                    return Ok(());
                }
                let upper = allowed.join(", ").to_uppercase();
                let reason = format!("String must be one of (case insensitive): {upper}");
                Err(ConfigError::invalid(name, value, &reason))
            }
            Self::List { allowed, empty, null } => match value {
                ConfigValue::List(items) => check_list(name, items, allowed, empty),
                _ if null => Ok(()),
                _ => Err(list_error(name, "values must not be null.")),
            },
            Self::NonNull => match value {
                ConfigValue::Null => {
                    Err(ConfigError::invalid(name, value, "entry must be non null"))
                }
                _ => Ok(()),
            },
            Self::NonEmpty => match value.as_str() {
                Some("") => Err(ConfigError::invalid(name, value, "String must be non-empty")),
                _ => Ok(()),
            },
            Self::Check(check, _) => check(name, value),
            Self::All(validators) => validators.iter().try_for_each(|v| v.check(name, value)),
        }
    }
}

fn check_range(
    name: &str,
    value: &ConfigValue,
    min: Option<Bound>,
    max: Option<Bound>,
) -> Result<(), ConfigError> {
    if matches!(value, ConfigValue::Null) {
        return Err(ConfigError::invalid(name, value, "Value must be non-null"));
    }
    if let Some(min) = min
        && min.is_above(value)
    {
        return Err(ConfigError::invalid(name, value, &format!("Value must be at least {min}")));
    }
    if let Some(max) = max
        && max.is_below(value)
    {
        let reason = format!("Value must be no more than {max}");
        return Err(ConfigError::invalid(name, value, &reason));
    }
    Ok(())
}

fn check_list(
    name: &str,
    items: &[String],
    allowed: &'static [&'static str],
    empty: bool,
) -> Result<(), ConfigError> {
    if items.is_empty() && !empty {
        let valid = match allowed {
            [] => "any non-empty value".to_owned(),
            _ => Validator::OneOf(allowed).to_string(),
        };
        return Err(list_error(name, &format!("must not be empty. Valid values include: {valid}")));
    }
    if items.iter().collect::<BTreeSet<_>>().len() != items.len() {
        return Err(list_error(name, "values must not be duplicated."));
    }
    for item in items {
        if item.is_empty() {
            return Err(list_error(name, "values must not be empty."));
        }
        if !allowed.is_empty() {
            Validator::OneOf(allowed).check(name, &ConfigValue::String(item.clone()))?;
        }
    }
    Ok(())
}

fn list_error(name: &str, what: &str) -> ConfigError {
    ConfigError::Other(format!("Configuration '{name}' {what}"))
}

impl Bound {
    fn is_above(self, value: &ConfigValue) -> bool {
        match (self, value.as_i64()) {
            (Self::Integer(bound), Some(value)) => bound > value,
            _ => value.as_f64().is_some_and(|value| value < self.as_f64()),
        }
    }

    fn is_below(self, value: &ConfigValue) -> bool {
        match (self, value.as_i64()) {
            (Self::Integer(bound), Some(value)) => bound < value,
            _ => value.as_f64().is_some_and(|value| value > self.as_f64()),
        }
    }

    fn as_f64(self) -> f64 {
        match self {
            Self::Integer(bound) => bound as f64,
            Self::Double(bound) => bound,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(bound) => write!(f, "{bound}"),
            Self::Double(bound) => write!(f, "{bound:?}"),
        }
    }
}

impl fmt::Display for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => Ok(()),
            Self::Range { min: None, max: None } => f.write_str("[...]"),
            Self::Range { min: None, max: Some(max) } => write!(f, "[...,{max}]"),
            Self::Range { min: Some(min), max: None } => write!(f, "[{min},...]"),
            Self::Range { min: Some(min), max: Some(max) } => write!(f, "[{min},...,{max}]"),
            Self::OneOf(allowed) => write!(f, "[{}]", allowed.join(", ")),
            Self::OneOfIgnoringCase(allowed) => {
                write!(f, "(case insensitive) [{}]", allowed.join(", ").to_uppercase())
            }
            Self::List { allowed: [], .. } => Ok(()),
            Self::List { allowed, .. } => write!(f, "[{}]", allowed.join(", ")),
            Self::NonNull => f.write_str("non-null string"),
            Self::NonEmpty => f.write_str("non-empty string"),
            Self::Check(_, text) => f.write_str(text),
            Self::All(validators) => {
                for (index, validator) in validators.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{validator}")?;
                }
                Ok(())
            }
        }
    }
}
