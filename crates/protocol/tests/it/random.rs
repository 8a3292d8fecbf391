//! Random messages as bytes, made from the schema files alone: neither our generated code nor `kafka-protocol` has a
//! part in it, so that both are judged by a third.

use std::collections::BTreeMap;

use crate::schema::{Field, Schema, Type};

/// A small random generator (SplitMix64): the same seed gives the same messages.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// What the random messages look like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Every field is set, no field is null, arrays have one to three elements.
    Full,
    /// Nulls, empty arrays and fields left at their defaults.
    Mixed,
}

/// Writes messages of one schema in one version.
pub struct Messages<'a> {
    schema: &'a Schema,
    structs: BTreeMap<&'a str, &'a [Field]>,
    version: i16,
    shape: Shape,
    random: Random,
}

impl<'a> Messages<'a> {
    pub fn new(schema: &'a Schema, version: i16, shape: Shape, seed: u64) -> Self {
        let mut structs = BTreeMap::new();
        define(&schema.fields, &mut structs);
        for shared in &schema.structs {
            structs.insert(shared.name.as_str(), shared.fields.as_slice());
            define(&shared.fields, &mut structs);
        }
        Self { schema, structs, version, shape, random: Random(seed) }
    }

    /// The next message.
    pub fn bytes(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        self.fields(&mut out, &self.schema.fields);
        out
    }

    fn flexible(&self) -> bool {
        self.schema.flexible.contains(self.version)
    }

    fn fields(&mut self, out: &mut Vec<u8>, fields: &[Field]) {
        let (version, mut tagged) = (self.version, BTreeMap::new());
        for field in fields.iter().filter(|field| field.versions.contains(version)) {
            match field.tag {
                None => self.field(out, field),
                Some(tag) => {
                    if let Some(content) = self.tagged(field) {
                        tagged.insert(tag, content);
                    }
                }
            }
        }
        if self.flexible() {
            uvarint(out, tagged.len());
            for (tag, content) in tagged {
                uvarint(out, tag as usize);
                uvarint(out, content.len());
                out.extend(content);
            }
        }
    }

    /// A tagged field that differs from its default; sometimes none.
    fn tagged(&mut self, field: &Field) -> Option<Vec<u8>> {
        if self.shape == Shape::Mixed && self.random.below(2) == 0 {
            return None;
        }
        let default = self.default_content(field);
        for _ in 0..100 {
            let mut content = Vec::new();
            self.field(&mut content, field);
            if Some(&content) != default.as_ref() {
                return Some(content);
            }
        }
        panic!("{}.{} has no value but its default", self.schema.name, field.name);
    }

    fn default_content(&self, field: &Field) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let nullable = field.nullable.contains(self.version);
        let null = field.default.as_deref() == Some("null");
        if nullable && null {
            return Some(vec![0]);
        }
        if field.array {
            return Some(vec![1]);
        }
        let default = field.default.as_deref();
        let number = || default.map_or(0, |text| text.parse::<i64>().expect("a number"));
        match &field.kind {
            Type::Bool => out.push(u8::from(default == Some("true"))),
            Type::Int8 => out.push(number() as u8),
            Type::Int16 | Type::Uint16 => out.extend((number() as i16).to_be_bytes()),
            Type::Int32 | Type::Uint32 => out.extend((number() as i32).to_be_bytes()),
            Type::Int64 => out.extend(number().to_be_bytes()),
            Type::Float64 => out.extend(0f64.to_be_bytes()),
            Type::Uuid => out.extend([0; 16]),
            Type::String | Type::Bytes | Type::Records => out.push(1),
            Type::Struct(name) => {
                if nullable {
                    out.push(1);
                }
                for field in self.structs[name.as_str()] {
                    if field.versions.contains(self.version) && field.tag.is_none() {
                        let content = self.default_content(field)?;
                        out.extend(content);
                    }
                }
                out.push(0);
            }
        }
        Some(out)
    }

    fn field(&mut self, out: &mut Vec<u8>, field: &Field) {
        let flexible = (self.flexible() || field.tag.is_some()) && !field.never_flexible;
        let nullable = field.nullable.contains(self.version);
        let null = nullable && self.shape == Shape::Mixed && self.random.below(3) == 0;
        if field.array {
            if null {
                return long_length(out, None, flexible);
            }
            let count = match self.shape {
                Shape::Full => 1 + self.random.below(3),
                Shape::Mixed => self.random.below(3),
            };
            long_length(out, Some(count as usize), flexible);
            for _ in 0..count {
                self.value(out, &field.kind, flexible);
            }
            return;
        }
        match (&field.kind, null) {
            (Type::Struct(_), true) if field.tag.is_some() => out.push(0),
            (Type::Struct(_), true) => out.push(0xff),
            (Type::Struct(_), false) if nullable => {
                out.push(1);
                self.value(out, &field.kind, flexible);
            }
            (Type::String, true) if !flexible => out.extend([0xff, 0xff]),
            (Type::String | Type::Bytes | Type::Records, true) => long_length(out, None, flexible),
            _ => self.value(out, &field.kind, flexible),
        }
    }

    fn value(&mut self, out: &mut Vec<u8>, kind: &Type, flexible: bool) {
        let number = self.random.next();
        match kind {
            Type::Bool => out.push(u8::from(self.shape == Shape::Full || number.is_multiple_of(2))),
            Type::Int8 => out.push(number as u8),
            Type::Int16 | Type::Uint16 => out.extend((number as u16).to_be_bytes()),
            Type::Int32 | Type::Uint32 => out.extend((number as u32).to_be_bytes()),
            Type::Int64 => out.extend(number.to_be_bytes()),
            Type::Float64 => out.extend((number as f64).to_be_bytes()),
            Type::Uuid => {
                out.extend(number.to_be_bytes());
                out.extend(self.random.next().to_be_bytes());
            }
            Type::String => {
                let count = if self.shape == Shape::Full { 1 + number % 5 } else { number % 5 };
                let text: String = (0..count)
                    .map(|_| ['a', 'Z', '-', 'ä', '語'][self.random.below(5) as usize])
                    .collect();
                if flexible {
                    uvarint(out, text.len() + 1);
                } else {
                    out.extend((text.len() as u16).to_be_bytes());
                }
                out.extend(text.as_bytes());
            }
            Type::Bytes | Type::Records => {
                let length = match self.random.below(20) {
                    0 => 5000,
                    _ if self.shape == Shape::Full => 1 + number % 200,
                    _ => number % 200,
                } as usize;
                long_length(out, Some(length), flexible);
                out.extend((0..length).map(|index| (number as u8).wrapping_add(index as u8)));
            }
            Type::Struct(name) => {
                let fields = self.structs[name.as_str()];
                self.fields(out, fields);
            }
        }
    }
}

fn define<'a>(fields: &'a [Field], structs: &mut BTreeMap<&'a str, &'a [Field]>) {
    for field in fields {
        if let (Type::Struct(name), false) = (&field.kind, field.fields.is_empty()) {
            structs.insert(name, &field.fields);
            define(&field.fields, structs);
        }
    }
}

fn long_length(out: &mut Vec<u8>, length: Option<usize>, flexible: bool) {
    match (flexible, length) {
        (true, length) => uvarint(out, length.map_or(0, |length| length + 1)),
        (false, Some(length)) => out.extend((length as u32).to_be_bytes()),
        (false, None) => out.extend([0xff; 4]),
    }
}

fn uvarint(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
