//! A table of configs.

use super::{ConfigError, ConfigKey, ConfigValue};

/// The configs that one module owns. Names are unique (the module's tests say so through [`ConfigDef::check_table`]).
#[derive(Debug, Clone, Copy)]
pub struct ConfigDef {
    /// In the order they are documented.
    pub keys: &'static [ConfigKey],
}

impl ConfigDef {
    /// The config called `name`.
    pub fn get(&self, name: &str) -> Option<&'static ConfigKey> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// Parses and checks a value of the config called `name`.
    ///
    /// # Errors
    /// If there is no such config, or the value is not allowed.
    pub fn parse(&self, name: &str, text: &str) -> Result<ConfigValue, ConfigError> {
        let key = self.get(name).ok_or_else(|| ConfigError::Unknown { name: name.to_owned() })?;
        key.parse(text)
    }

    /// The value that the config called `name` has where `set` tells the text of what is set: its own, else that of the first
    /// synonym set, else the default. Synonyms are checked against this config's bounds.
    ///
    /// # Errors
    /// If there is no such config, the value is not allowed, or the config is required and not set.
    pub fn resolve<'a>(
        &self,
        name: &str,
        set: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<ConfigValue, ConfigError> {
        let key = self.get(name).ok_or_else(|| ConfigError::Unknown { name: name.to_owned() })?;
        if let Some(text) = set(key.name) {
            return key.parse(text);
        }
        for synonym in key.synonyms {
            if let Some(text) = set(synonym.name) {
                return key.parse(&synonym.convert(text));
            }
        }
        key.default_as_value().ok_or_else(|| ConfigError::Missing { name: name.to_owned() })
    }

    /// Checks the table itself, for the owner's tests: names are unique, docs are there, defaults are of their kind and allowed.
    ///
    /// # Errors
    /// With a sentence that names the first config that is wrong.
    pub fn check_table(&self) -> Result<(), String> {
        for (index, key) in self.keys.iter().enumerate() {
            if self.keys[..index].iter().any(|other| other.name == key.name) {
                return Err(format!("{} is declared twice", key.name));
            }
            if key.doc().is_empty() {
                return Err(format!("{} has no documentation", key.name));
            }
            let Some(default) = key.default_as_value() else { continue };
            if let Some(text) = default.to_text() {
                let read = key.parse(&text).map_err(|error| error.to_string())?;
                if read != default {
                    return Err(format!("the default of {} is not of its kind", key.name));
                }
            }
        }
        Ok(())
    }
}
