//! The schema format: its model and its parser. Knows nothing of Rust, and is included by the protocol's tests too.

use std::fmt;

/// One schema file.
#[derive(Debug)]
pub struct Schema {
    pub kind: Kind,
    pub name: String,
    /// API key, or the type number of a record.
    pub key: Option<i16>,
    pub listeners: Vec<String>,
    pub versions: Versions,
    pub flexible: Versions,
    pub unstable: Option<i16>,
    pub fields: Vec<Field>,
    pub structs: Vec<Struct>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Request,
    Response,
    Header,
    Data,
    Metadata,
    CoordinatorKey,
    CoordinatorValue,
}

/// A struct that several fields share.
#[derive(Debug)]
pub struct Struct {
    pub name: String,
    pub fields: Vec<Field>,
}

#[derive(Debug)]
pub struct Field {
    pub name: String,
    pub kind: Type,
    pub array: bool,
    pub default: Option<String>,
    pub versions: Versions,
    pub nullable: Versions,
    pub tag: Option<u32>,
    /// May be left out silently in versions that do not have it.
    pub ignorable: bool,
    /// Written in the old way even in flexible versions.
    pub never_flexible: bool,
    /// The fields of a struct that is defined in place.
    pub fields: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    Bool,
    Int8,
    Int16,
    Uint16,
    Int32,
    Uint32,
    Int64,
    Float64,
    Uuid,
    String,
    Bytes,
    Records,
    Struct(String),
}

/// From `min` to `max`, both inclusive; empty if `min > max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    pub min: i16,
    pub max: i16,
}

impl Versions {
    pub const ALL: Self = Self { min: 0, max: i16::MAX };
    pub const NONE: Self = Self { min: i16::MAX, max: -1 };

    pub fn is_empty(self) -> bool {
        self.min > self.max
    }

    pub fn contains(self, version: i16) -> bool {
        self.min <= version && version <= self.max
    }

    pub fn intersect(self, other: Self) -> Self {
        let both = Self { min: self.min.max(other.min), max: self.max.min(other.max) };
        if both.is_empty() { Self::NONE } else { both }
    }

    pub fn covers(self, other: Self) -> bool {
        self.intersect(other) == other
    }

    /// The smallest range with both in it.
    pub fn hull(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.max(other.max) }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse().map_err(|_| format!("bad version `{text}`"));
        if let Some(min) = text.strip_suffix('+') {
            return Ok(Self { min: number(min)?, max: i16::MAX });
        }
        let (min, max) = text.split_once('-').unwrap_or((text, text));
        Ok(Self { min: number(min)?, max: number(max)? })
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (min, i16::MAX) => write!(f, "{min}+"),
            (min, max) if min == max => write!(f, "{min}"),
            (min, max) => write!(f, "{min}-{max}"),
        }
    }
}

/// Reads one schema file.
///
/// # Errors
/// With the line number and what is wrong there.
pub fn parse(text: &str) -> Result<Schema, String> {
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let content = line.split('#').next().unwrap_or_default().trim_end();
        if !content.is_empty() {
            let words = content.trim_start();
            lines.push(Line { number: index + 1, indent: content.len() - words.len(), words });
        }
    }
    let mut lines = lines.as_slice();
    let mut schema = parse_head(&mut lines)?;
    schema.fields = parse_fields(&mut lines, 0)?;
    while let [line, rest @ ..] = lines {
        let Some(name) = line.words.strip_prefix("struct ") else {
            return Err(line.error("expected a field or `struct Name`"));
        };
        lines = rest;
        let fields = parse_fields(&mut lines, 2)?;
        schema.structs.push(Struct { name: name.to_owned(), fields });
    }
    Ok(schema)
}

#[derive(Clone, Copy)]
struct Line<'a> {
    number: usize,
    indent: usize,
    words: &'a str,
}

impl Line<'_> {
    fn error(&self, what: impl fmt::Display) -> String {
        format!("line {}: {what}: `{}`", self.number, self.words)
    }
}

fn parse_head(lines: &mut &[Line<'_>]) -> Result<Schema, String> {
    let [first, second, rest @ ..] = *lines else {
        return Err("two head lines are missing".to_owned());
    };
    *lines = rest;
    let mut schema = Schema {
        kind: Kind::Data,
        name: String::new(),
        key: None,
        listeners: Vec::new(),
        versions: Versions::NONE,
        flexible: Versions::NONE,
        unstable: None,
        fields: Vec::new(),
        structs: Vec::new(),
    };
    let words: Vec<_> = first.words.split_whitespace().collect();
    match words.as_slice() {
        [kind, name, rest @ ..] => {
            schema.kind = parse_kind(kind).ok_or_else(|| first.error("unknown kind"))?;
            schema.name = (*name).to_owned();
            schema.key = match rest {
                [] => None,
                ["key", key] => Some(key.parse().map_err(|_| first.error("bad key"))?),
                _ => return Err(first.error("expected `key N`")),
            };
        }
        _ => return Err(first.error("expected `kind Name key N`")),
    }
    let words: Vec<_> = second.words.split_whitespace().collect();
    for pair in words.chunks(2) {
        match pair {
            ["versions", range] => schema.versions = Versions::parse(range)?,
            ["flexible", range] => schema.flexible = Versions::parse(range)?,
            ["unstable", version] => {
                schema.unstable = Some(version.parse().map_err(|_| second.error("bad version"))?);
            }
            _ => return Err(second.error("expected versions, flexible or unstable")),
        }
    }
    if schema.versions.is_empty() {
        return Err(second.error("no versions"));
    }
    if let [line, rest @ ..] = *lines
        && let Some(names) = line.words.strip_prefix("listeners ")
    {
        schema.listeners = names.split_whitespace().map(str::to_owned).collect();
        *lines = rest;
    }
    Ok(schema)
}

fn parse_kind(word: &str) -> Option<Kind> {
    Some(match word {
        "request" => Kind::Request,
        "response" => Kind::Response,
        "header" => Kind::Header,
        "data" => Kind::Data,
        "metadata" => Kind::Metadata,
        "coordinator-key" => Kind::CoordinatorKey,
        "coordinator-value" => Kind::CoordinatorValue,
        _ => return None,
    })
}

fn parse_fields(lines: &mut &[Line<'_>], indent: usize) -> Result<Vec<Field>, String> {
    let mut fields = Vec::new();
    while let [line, rest @ ..] = *lines {
        if line.indent < indent || line.words.starts_with("struct ") {
            break;
        }
        if line.indent > indent {
            return Err(line.error("indented too far"));
        }
        *lines = rest;
        let mut field = parse_field(line)?;
        field.fields = parse_fields(lines, indent + 2)?;
        if !field.fields.is_empty() && !matches!(field.kind, Type::Struct(_)) {
            return Err(line.error("only a struct has fields"));
        }
        fields.push(field);
    }
    Ok(fields)
}

/// `Name: type? = default, v1-3, nullable v2+, tag 0, ignorable, never flexible`, all from `?` on optional.
fn parse_field(line: &Line<'_>) -> Result<Field, String> {
    let mut parts = line.words.split(", ");
    let head = parts.next().unwrap_or_default();
    let (name, rest) = head.split_once(": ").ok_or_else(|| line.error("expected `Name: type`"))?;
    let (spelled, default) = match rest.split_once(" = ") {
        Some((spelled, default)) => (spelled, Some(default.to_owned())),
        None => (rest, None),
    };
    let (spelled, null) = match spelled.strip_suffix('?') {
        Some(spelled) => (spelled, true),
        None => (spelled, false),
    };
    let element = spelled.strip_prefix("[]");
    let mut field = Field {
        name: name.to_owned(),
        kind: parse_type(element.unwrap_or(spelled)).ok_or_else(|| line.error("bad type"))?,
        array: element.is_some(),
        default,
        versions: Versions::ALL,
        nullable: if null { Versions::ALL } else { Versions::NONE },
        tag: None,
        ignorable: false,
        never_flexible: false,
        fields: Vec::new(),
    };
    for part in parts {
        if let Some(range) = part.strip_prefix("nullable v") {
            field.nullable = Versions::parse(range).map_err(|error| line.error(error))?;
        } else if let Some(tag) = part.strip_prefix("tag ") {
            field.tag = Some(tag.parse().map_err(|_| line.error("bad tag"))?);
        } else if let Some(range) = part.strip_prefix('v') {
            field.versions = Versions::parse(range).map_err(|error| line.error(error))?;
        } else if part == "ignorable" {
            field.ignorable = true;
        } else if part == "never flexible" {
            field.never_flexible = true;
        } else {
            return Err(line.error(format!("unknown word `{part}`")));
        }
    }
    if !null && !field.nullable.is_empty() {
        return Err(line.error("`nullable` needs a `?` behind the type"));
    }
    Ok(field)
}

fn parse_type(word: &str) -> Option<Type> {
    Some(match word {
        "bool" => Type::Bool,
        "int8" => Type::Int8,
        "int16" => Type::Int16,
        "uint16" => Type::Uint16,
        "int32" => Type::Int32,
        "uint32" => Type::Uint32,
        "int64" => Type::Int64,
        "float64" => Type::Float64,
        "uuid" => Type::Uuid,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "records" => Type::Records,
        name if name.starts_with(|first: char| first.is_ascii_uppercase()) => {
            Type::Struct(name.to_owned())
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "\
request ExampleRequest key 7
versions 1-3 flexible 2+ unstable 3
listeners broker

Name: string?, nullable v2+  # a remark
Parts: []Part, v2+, tag 0
  Size: int32 = -1, ignorable
Shared: Other, v1-2

struct Other
  Id: uuid
";

    #[test]
    fn a_schema_is_read() {
        let schema = parse(EXAMPLE).expect("the example is right");
        assert_eq!((schema.kind, schema.key, schema.unstable), (Kind::Request, Some(7), Some(3)));
        assert_eq!(schema.versions, Versions { min: 1, max: 3 });
        assert_eq!(schema.flexible.to_string(), "2+");
        let [name, parts, shared] = schema.fields.as_slice() else { panic!("three fields") };
        assert_eq!((name.versions, name.nullable.min), (Versions::ALL, 2));
        assert!(parts.array && parts.tag == Some(0));
        assert_eq!(parts.kind, Type::Struct("Part".to_owned()));
        assert!(parts.fields[0].ignorable);
        assert_eq!(parts.fields[0].default.as_deref(), Some("-1"));
        assert_eq!(shared.versions.to_string(), "1-2");
        assert_eq!(schema.structs[0].fields[0].kind, Type::Uuid);
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let with = |line: &str| format!("data X\nversions 0\n\n{line}\n");
        for (text, expected) in [
            (with("A: int33"), "line 4: bad type: `A: int33`"),
            (with("A int32"), "line 4: expected `Name: type`: `A int32`"),
            (with("A: int32, optional"), "line 4: unknown word `optional`: `A: int32, optional`"),
            (with("A: int32\n  B: int8"), "line 4: only a struct has fields: `A: int32`"),
            (with("  A: int32"), "line 4: indented too far: `A: int32`"),
            (
                "data X\nversion 0\n".to_owned(),
                "line 2: expected versions, flexible or unstable: `version 0`",
            ),
            ("thing X\nversions 0\n".to_owned(), "line 1: unknown kind: `thing X`"),
        ] {
            assert_eq!(parse(&text).expect_err(&text), expected);
        }
    }
}
