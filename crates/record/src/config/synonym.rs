//! Other names for a config, some in coarser units of time (Kafka's `ConfigSynonym`).

use std::borrow::Cow;

/// How a synonym's value becomes the config's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conversion {
    /// As it is.
    Same,
    /// Seconds to ms.
    SecondsToMs,
    /// Minutes to ms.
    MinutesToMs,
    /// Hours to ms.
    HoursToMs,
}

/// Another name for a config. Where several are set, the first in the list wins, so the finest unit stands first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Synonym {
    /// The other name.
    pub name: &'static str,
    /// How its value is to be taken.
    pub conversion: Conversion,
}

impl Synonym {
    /// Another name, same value.
    pub const fn same(name: &'static str) -> Self {
        Self { name, conversion: Conversion::Same }
    }

    /// A name whose value counts minutes.
    pub const fn minutes(name: &'static str) -> Self {
        Self { name, conversion: Conversion::MinutesToMs }
    }

    /// A name whose value counts hours.
    pub const fn hours(name: &'static str) -> Self {
        Self { name, conversion: Conversion::HoursToMs }
    }

    /// `text`, a value of this synonym, as a value of the config. A negative number means "no limit" and stays as it is; a text
    /// that is no number is left for the config's own parser to refuse.
    pub fn convert<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let factor = match self.conversion {
            Conversion::Same => return Cow::Borrowed(text),
            Conversion::SecondsToMs => 1_000,
            Conversion::MinutesToMs => 60_000,
            Conversion::HoursToMs => 3_600_000,
        };
        match text.trim().parse::<i64>() {
            Ok(count) if count > 0 => Cow::Owned(count.saturating_mul(factor).to_string()),
            _ => Cow::Borrowed(text),
        }
    }
}
