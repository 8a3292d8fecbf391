//! Turns what `{:?}` writes of a record into JSON, field for field and in order.
//!
//! The generated records have `Debug` and no serialization: names and values are all there, and this is
//! the only place that needs them as JSON.

use super::line::{hex_of, json_string};

/// The name of the innermost struct or variant at the front, and its fields as a JSON object.
/// `Topic(TopicRecord { name: "a" })` gives `TopicRecord` and `{"name":"a"}`.
pub fn debug_json(debug: &str) -> (String, String) {
    let mut name = String::new();
    let mut rest = debug;
    loop {
        let end = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        if !word.is_empty() {
            word.clone_into(&mut name);
        }
        match behind.strip_prefix('(') {
            Some(inner) if inner.starts_with(|c: char| c.is_ascii_uppercase()) => rest = inner,
            Some(_) => {
                let mut reader = Reader { rest: &behind[1..] };
                return (name, format!("{{\"value\":{}}}", reader.value()));
            }
            None => {
                let mut reader = Reader { rest: behind.trim_start() };
                let fields = if reader.rest.is_empty() { "{}".to_owned() } else { reader.fields() };
                return (name, fields);
            }
        }
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_')
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn skip(&mut self, text: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// `{ a: 1, b: 2 }`.
    fn fields(&mut self) -> String {
        self.skip("{");
        let mut fields = Vec::new();
        while !self.skip("}") && !self.rest.is_empty() {
            let name = self.bare();
            self.skip(":");
            fields.push(format!("{}:{}", json_string(name), self.value()));
            self.skip(",");
        }
        format!("{{{}}}", fields.join(","))
    }

    fn value(&mut self) -> String {
        self.rest = self.rest.trim_start();
        if self.skip("[") {
            return self.list("]");
        }
        if self.skip("(") {
            return self.list(")");
        }
        if self.rest.starts_with('"') {
            return json_string(&String::from_utf8_lossy(&self.quoted()));
        }
        if self.rest.starts_with("b\"") {
            self.rest = &self.rest[1..];
            let bytes = self.quoted();
            return match String::from_utf8(bytes) {
                Ok(text) => json_string(&text),
                Err(error) => format!("{{\"hex\":\"{}\"}}", hex_of(error.as_bytes())),
            };
        }
        let word = self.bare();
        if self.skip("(") {
            // a newtype or `Some`: what is in it stands for it
            let value = self.value();
            self.skip(")");
            return value;
        }
        if self.rest.trim_start().starts_with('{') {
            return self.fields();
        }
        match word {
            "None" => "null".to_owned(),
            "true" | "false" => word.to_owned(),
            number if number.parse::<i64>().is_ok() || is_decimal(number) => number.to_owned(),
            text => json_string(text),
        }
    }

    fn list(&mut self, end: &str) -> String {
        let mut values = Vec::new();
        while !self.skip(end) && !self.rest.is_empty() {
            values.push(self.value());
            self.skip(",");
        }
        format!("[{}]", values.join(","))
    }

    /// Up to whatever ends a word.
    fn bare(&mut self) -> &'a str {
        self.rest = self.rest.trim_start();
        let ends = |c: char| matches!(c, ',' | ':' | '(' | ')' | '[' | ']' | '{' | '}' | ' ' | '"');
        let mut end = self.rest.find(ends).unwrap_or(self.rest.len());
        if end == 0 {
            // nothing `Debug` writes; go on behind it all the same
            end = self.rest.chars().next().map_or(0, char::len_utf8);
        }
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    /// The bytes of `"..."` with Rust's escapes undone.
    fn quoted(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut chars = self.rest.char_indices().skip(1);
        let mut end = self.rest.len();
        let mut utf8 = [0; 4];
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    end = at + 1;
                    break;
                }
                '\\' => match chars.next().map(|(_, c)| c) {
                    Some('n') => bytes.push(b'\n'),
                    Some('r') => bytes.push(b'\r'),
                    Some('t') => bytes.push(b'\t'),
                    Some('0') => bytes.push(0),
                    Some('x') => {
                        let digits: String = chars.by_ref().take(2).map(|(_, c)| c).collect();
                        bytes.push(u8::from_str_radix(&digits, 16).unwrap_or_default());
                    }
                    Some('u') => {
                        let digits: String = (chars.by_ref().skip(1))
                            .map(|(_, c)| c)
                            .take_while(|c| *c != '}')
                            .collect();
                        let code = u32::from_str_radix(&digits, 16).unwrap_or_default();
                        let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                        bytes.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
                    }
                    Some(c) => bytes.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes()),
                    None => {}
                },
                c => bytes.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes()),
            }
        }
        self.rest = self.rest.get(end..).unwrap_or_default();
        bytes
    }
}

/// As `f64` is written; `1e5`, `inf` and `NaN` are no such.
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.split_once('.').is_some_and(|(whole, fraction)| {
        let all = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        all(whole) && all(fraction)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use klamm_metadata::records::{
        BrokerEndpoint, ConfigRecord, MetadataRecord, RegisterBrokerRecord, TopicRecord,
    };
    use klamm_quorum::ControlRecord;

    fn json(value: &impl std::fmt::Debug) -> (String, serde_json::Value) {
        let (name, fields) = debug_json(&format!("{value:?}"));
        let parsed = serde_json::from_str(&fields).unwrap_or_else(|error| {
            panic!("{fields}: {error}");
        });
        (name, parsed)
    }

    #[test]
    fn records_keep_their_names_and_fields() {
        let topic = TopicRecord { name: "a \"b\" \\ \n ä\u{7f}".into(), ..TopicRecord::default() };
        let expected = serde_json::json!({
            "name": "a \"b\" \\ \n ä\u{7f}", "topic_id": "AAAAAAAAAAAAAAAAAAAAAA"
        });
        let (name, fields) = json(&MetadataRecord::Topic(topic));
        assert_eq!((name.as_str(), fields), ("TopicRecord", expected));
        let config = ConfigRecord { value: None, ..ConfigRecord::default() };
        assert_eq!(json(&MetadataRecord::Config(config)).1["value"], serde_json::Value::Null);
        let broker = RegisterBrokerRecord {
            broker_id: -3,
            fenced: true,
            end_points: vec![BrokerEndpoint { port: 9092, ..BrokerEndpoint::default() }],
            ..RegisterBrokerRecord::default()
        };
        let (name, fields) = json(&MetadataRecord::RegisterBroker(broker));
        assert_eq!(name, "RegisterBrokerRecord");
        assert_eq!(fields["broker_id"], -3);
        assert_eq!(fields["fenced"], true);
        assert_eq!(fields["end_points"][0]["port"], 9092);
    }

    #[test]
    fn control_records_too() {
        let footer = json(&ControlRecord::SnapshotFooter);
        assert_eq!(footer, ("SnapshotFooter".to_owned(), serde_json::json!({})));
        let version = json(&ControlRecord::KRaftVersion(1));
        assert_eq!(version, ("KRaftVersion".to_owned(), serde_json::json!({"value": 1})));
        let voters = json(&ControlRecord::Voters(Vec::new()));
        assert_eq!(voters, ("Voters".to_owned(), serde_json::json!({"value": []})));
        let (_, pair) = debug_json("Voter { versions: (0, 1), id: Some(3) }");
        assert_eq!(pair, r#"{"versions":[0,1],"id":3}"#);
    }

    #[test]
    fn any_text_ends() {
        for text in
            ["", "(", "a(", "a{", "A { x", "A { x: \"", "A { : , }", "}{", "A([}])", "A { ä: ) }"]
        {
            let _ = debug_json(text);
        }
    }
}
