//! Kinds of config values, and how their text is read and written (Kafka's `ConfigDef.parseType` and `convertToString`).

use std::fmt;

use super::ConfigError;

/// Kind of a config's value (Kafka's `ConfigDef.Type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigType {
    /// `true` or `false`, in any case.
    Boolean,
    /// Text, trimmed.
    String,
    /// 32 bits.
    Int,
    /// 16 bits.
    Short,
    /// 64 bits.
    Long,
    /// Floating point.
    Double,
    /// Texts between commas, each trimmed.
    List,
    /// Name of a Java class, kept as text.
    Class,
    /// Text that is never shown.
    Password,
}

impl ConfigType {
    /// Kafka's name, in capitals.
    pub fn name(self) -> &'static str {
        match self {
            Self::Boolean => "BOOLEAN",
            Self::String => "STRING",
            Self::Int => "INT",
            Self::Short => "SHORT",
            Self::Long => "LONG",
            Self::Double => "DOUBLE",
            Self::List => "LIST",
            Self::Class => "CLASS",
            Self::Password => "PASSWORD",
        }
    }
}

/// A config's value.
#[derive(Clone, PartialEq)]
#[expect(missing_docs, reason = "each variant is the ConfigType of the same name")]
pub enum ConfigValue {
    Null,
    Boolean(bool),
    String(String),
    Int(i32),
    Short(i16),
    Long(i64),
    Double(f64),
    List(Vec<String>),
    Class(String),
    Password(String),
}

impl ConfigValue {
    /// Reads the text of a value of kind `kind`; `name` is for the error.
    pub(super) fn parse(name: &str, kind: ConfigType, text: &str) -> Result<Self, ConfigError> {
        let trimmed = text.trim_matches(|c: char| c <= ' ');
        let not_a_number =
            || ConfigError::invalid(name, text, &format!("Not a number of type {}", kind.name()));
        Ok(match kind {
            ConfigType::Boolean => match trimmed {
                _ if trimmed.eq_ignore_ascii_case("true") => Self::Boolean(true),
                _ if trimmed.eq_ignore_ascii_case("false") => Self::Boolean(false),
                _ => {
                    let reason = "Expected value to be either true or false";
                    return Err(ConfigError::invalid(name, text, reason));
                }
            },
            ConfigType::String => Self::String(trimmed.to_owned()),
            ConfigType::Class => Self::Class(trimmed.to_owned()),
            ConfigType::Password => Self::Password(trimmed.to_owned()),
            ConfigType::Int => Self::Int(trimmed.parse().map_err(|_| not_a_number())?),
            ConfigType::Short => Self::Short(trimmed.parse().map_err(|_| not_a_number())?),
            ConfigType::Long => Self::Long(trimmed.parse().map_err(|_| not_a_number())?),
            ConfigType::Double => Self::Double(parse_double(trimmed).ok_or_else(not_a_number)?),
            ConfigType::List if trimmed.is_empty() => Self::List(Vec::new()),
            ConfigType::List => {
                Self::List(trimmed.split(',').map(|item| item.trim().to_owned()).collect())
            }
        })
    }

    /// The text that DescribeConfigs answers and that reads back as this value; none for null. A password is given as it is.
    pub fn to_text(&self) -> Option<String> {
        Some(match self {
            Self::Null => return None,
            Self::Boolean(value) => value.to_string(),
            Self::String(value) | Self::Class(value) | Self::Password(value) => value.clone(),
            Self::Int(value) => value.to_string(),
            Self::Short(value) => value.to_string(),
            Self::Long(value) => value.to_string(),
            Self::Double(value) => double_text(*value),
            Self::List(items) => items.join(","),
        })
    }

    /// The value of an integer of any width, or none.
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            Self::Int(value) => Some(i64::from(value)),
            Self::Short(value) => Some(i64::from(value)),
            Self::Long(value) => Some(value),
            _ => None,
        }
    }

    /// The value of an `Int` or `Short`, or none.
    pub fn as_i32(&self) -> Option<i32> {
        match *self {
            Self::Int(value) => Some(value),
            Self::Short(value) => Some(i32::from(value)),
            _ => None,
        }
    }

    /// The value of a `Double`, or none.
    pub fn as_f64(&self) -> Option<f64> {
        if let Self::Double(value) = *self { Some(value) } else { None }
    }

    /// The value of a `Boolean`, or none.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Boolean(value) = *self { Some(value) } else { None }
    }

    /// The text of a `String`, `Class` or `Password`, or none.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(value) | Self::Class(value) | Self::Password(value) => Some(value),
            _ => None,
        }
    }

    /// The items of a `List`, or none.
    pub fn as_list(&self) -> Option<&[String]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }
}

/// As Kafka prints values in errors: a list in brackets, a password hidden.
impl fmt::Display for ConfigValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Password(_) => f.write_str("[hidden]"),
            Self::List(items) => write!(f, "[{}]", items.join(", ")),
            other => f.write_str(&other.to_text().unwrap_or_default()),
        }
    }
}

impl fmt::Debug for ConfigValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Java's `Double.parseDouble`, without hexadecimal digits.
fn parse_double(text: &str) -> Option<f64> {
    let digits = text.trim_start_matches(['+', '-']);
    if digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        let end = text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text);
        return end.parse().ok();
    }
    matches!(digits, "NaN" | "Infinity").then(|| text.parse().ok()).flatten()
}

/// Java's `Double.toString`: a fraction always, an exponent outside 10^-3 to 10^7.
fn double_text(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let size = value.abs();
    if value == 0.0 || value.is_nan() || (1e-3..1e7).contains(&size) {
        return format!("{value:?}");
    }
    let text = format!("{value:E}");
    match text.split_once('E') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
        _ => text,
    }
}
