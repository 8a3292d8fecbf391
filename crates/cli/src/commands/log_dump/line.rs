//! One line of output: named values in order, as text or as a JSON object.

use std::fmt::Write as _;

/// A value of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// A word or a sentence.
    Text(String),
    /// JSON already.
    Json(String),
    /// There is none.
    Null,
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Number(number)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Value {
        Value::Number(i64::from(number))
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Value {
        i64::try_from(number).map_or_else(|_| Value::Text(number.to_string()), Value::Number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Value {
        Value::Flag(flag)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

/// What stands in one line. JSON has every field, so that a reader can rely on it; the text leaves
/// out those that say "none".
#[derive(Debug, Clone)]
pub struct Line {
    what: &'static str,
    fields: Vec<Field>,
}

#[derive(Debug, Clone)]
struct Field {
    name: &'static str,
    value: Value,
    in_text: bool,
}

impl Line {
    /// A line about `what`: `batch`, `record`, `entry`.
    pub fn new(what: &'static str) -> Line {
        Line { what, fields: Vec::new() }
    }

    /// Adds a value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Line {
        self.fields.push(Field { name, value: value.into(), in_text: true });
        self
    }

    /// Adds a value that the text leaves out if it is `usual`.
    #[must_use]
    pub fn unless(
        mut self,
        usual: impl Into<Value>,
        name: &'static str,
        value: impl Into<Value>,
    ) -> Line {
        let value = value.into();
        let in_text = value != usual.into();
        self.fields.push(Field { name, value, in_text });
        self
    }

    /// `batch base_offset=0 codec=none`, indented below what it belongs to.
    pub fn to_text(&self) -> String {
        let mut text = String::from(match self.what {
            "file" => "",
            "record" => "    record",
            _ => "  ",
        });
        if !matches!(self.what, "file" | "record") {
            text.push_str(self.what);
        }
        for field in self.fields.iter().filter(|field| field.in_text) {
            if !text.is_empty() {
                text.push(' ');
            }
            let result = write!(text, "{}={}", field.name, text_of(&field.value));
            result.expect("a String takes everything");
        }
        text
    }

    /// `{"file":"...","entry":"batch","base_offset":0}`.
    pub fn to_json(&self, file: &str) -> String {
        let mut json =
            format!("{{\"file\":{},\"entry\":{}", json_string(file), json_string(self.what));
        for field in &self.fields {
            let (name, value) = (json_string(field.name), json_of(&field.value));
            write!(json, ",{name}:{value}").expect("a String takes everything");
        }
        json.push('}');
        json
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Text(text) if is_plain(text) => text.clone(),
        value => json_of(value),
    }
}

/// Words that can stand without quotes and still be told from what is around them.
fn is_plain(text: &str) -> bool {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/');
    !text.is_empty() && text.bytes().all(plain)
}

fn json_of(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Text(text) => json_string(text),
        Value::Json(json) => json.clone(),
        Value::Null => "null".to_owned(),
    }
}

/// A JSON string.
pub fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Bytes of a client's: their text, or what they are in hexadecimal digits.
pub enum Shown {
    /// UTF-8.
    Text(String),
    /// Anything else, or asked for as such.
    Hex(String),
}

/// Decides how bytes are shown.
pub fn shown(bytes: &[u8], hex: bool) -> Shown {
    match std::str::from_utf8(bytes) {
        Ok(text) if !hex => Shown::Text(text.to_owned()),
        _ => Shown::Hex(hex_of(bytes)),
    }
}

/// Hexadecimal digits of some bytes.
pub fn hex_of(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String takes everything");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_leaves_out_what_is_usual_and_json_does_not() {
        let line = Line::new("batch")
            .with("codec", "none")
            .unless(-1, "producer_id", -1)
            .unless(false, "control", true)
            .with("error", "it is \"bad\"")
            .with("fields", Value::Json("{\"a\":1}".to_owned()));
        let text = r#"  batch codec=none control=true error="it is \"bad\"" fields={"a":1}"#;
        assert_eq!(line.to_text(), text);
        let json = r#"{"file":"x y","entry":"batch","codec":"none","producer_id":-1,"control":true,"error":"it is \"bad\"","fields":{"a":1}}"#;
        assert_eq!(line.to_json("x y"), json);
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_in_hex() {
        assert!(matches!(shown(b"\xff\x00", false), Shown::Hex(hex) if hex == "ff00"));
        assert!(matches!(shown(b"ab", false), Shown::Text(text) if text == "ab"));
        assert!(matches!(shown(b"ab", true), Shown::Hex(hex) if hex == "6162"));
    }
}
