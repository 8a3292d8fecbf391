//! What a schema means: its structs, the versions in which each occurs, and what each field looks like in them.

use anyhow::{Context as _, bail, ensure};

use super::names;
use super::schema::{Field, Schema, Type, Versions};

/// A schema with its structs in order, the root first.
pub struct Layout<'a> {
    pub schema: &'a Schema,
    pub structs: Vec<StructLayout<'a>>,
}

/// One Rust struct.
pub struct StructLayout<'a> {
    pub name: &'a str,
    /// The versions in which it occurs.
    pub versions: Versions,
    pub fields: &'a [Field],
}

/// When something holds, given that the version lies in a known range.
#[derive(PartialEq, Eq)]
pub enum When {
    Always,
    Never,
    If(String),
}

impl<'a> Layout<'a> {
    /// # Errors
    /// When a struct is missing or defined twice, or a field contradicts itself.
    pub fn new(schema: &'a Schema) -> anyhow::Result<Self> {
        let root =
            StructLayout { name: &schema.name, versions: schema.versions, fields: &schema.fields };
        let mut layout = Self { schema, structs: vec![root] };
        layout.define(&schema.fields);
        for shared in &schema.structs {
            layout.add(&shared.name, &shared.fields);
            layout.define(&shared.fields);
        }
        for (index, one) in layout.structs.iter().enumerate() {
            let twice = layout.structs[..index].iter().any(|other| other.name == one.name);
            ensure!(!twice, "{}: struct {} is defined twice", schema.name, one.name);
        }
        layout.spread(&schema.fields, schema.versions).with_context(|| schema.name.clone())?;
        layout.check().with_context(|| schema.name.clone())?;
        Ok(layout)
    }

    fn add(&mut self, name: &'a str, fields: &'a [Field]) {
        self.structs.push(StructLayout { name, versions: Versions::NONE, fields });
    }

    fn define(&mut self, fields: &'a [Field]) {
        for field in fields {
            if let (Type::Struct(name), false) = (&field.kind, field.fields.is_empty()) {
                self.add(name, &field.fields);
                self.define(&field.fields);
            }
        }
    }

    /// Hands the versions of the fields on to the structs they use.
    fn spread(&mut self, fields: &'a [Field], within: Versions) -> anyhow::Result<()> {
        for field in fields {
            let versions = field.versions.intersect(within);
            if let (Type::Struct(name), false) = (&field.kind, versions.is_empty()) {
                let used = self.structs.iter_mut().find(|one| one.name == name);
                let Some(used) = used else { bail!("struct {name} is not defined") };
                used.versions =
                    if used.versions.is_empty() { versions } else { used.versions.hull(versions) };
                let (fields, versions) = (used.fields, used.versions);
                self.spread(fields, versions)?;
            }
        }
        Ok(())
    }

    fn check(&self) -> anyhow::Result<()> {
        for one in &self.structs {
            ensure!(!one.versions.is_empty(), "struct {} is not used", one.name);
            for field in one.fields {
                let present = field.versions.intersect(one.versions);
                let name = &field.name;
                ensure!(!present.is_empty(), "{name} is in no version");
                if field.tag.is_some() {
                    ensure!(self.schema.flexible.covers(present), "{name}: tag, not flexible");
                    let null = one.nullable(field);
                    ensure!(null.is_empty() || null == present, "{name}: null in all or none");
                }
                if field.default.as_deref() == Some("null") {
                    ensure!(one.is_option(field), "{name}: null by default, but not nullable");
                }
            }
        }
        Ok(())
    }

    /// The fewest bytes that an element of an array field takes in any version; at least 1.
    ///
    /// # Errors
    /// When an element may be empty: a count of such could not be bounded by the bytes that are there.
    pub fn element_size_min(&self, one: &StructLayout<'_>, field: &Field) -> anyhow::Result<usize> {
        let present = field.versions.intersect(one.versions);
        let sizes = (present.min..=present.max).map(|version| self.size_min(&field.kind, version));
        let size = sizes.min().unwrap_or_default();
        ensure!(size > 0, "{}: elements of {} may be empty", self.schema.name, field.name);
        Ok(size)
    }

    fn size_min(&self, kind: &Type, version: i16) -> usize {
        let flexible = self.schema.flexible.contains(version);
        match kind {
            Type::Bool | Type::Int8 => 1,
            Type::Int16 | Type::Uint16 => 2,
            Type::Int32 | Type::Uint32 => 4,
            Type::Int64 | Type::Float64 => 8,
            Type::Uuid => 16,
            Type::String => {
                if flexible {
                    1
                } else {
                    2
                }
            }
            Type::Bytes | Type::Records => {
                if flexible {
                    1
                } else {
                    4
                }
            }
            Type::Struct(name) => {
                let used = self.structs.iter().find(|one| one.name == name);
                let fields = used.map_or(&[][..], |one| one.fields);
                let sizes = fields.iter().map(|field| self.field_size_min(field, version));
                sizes.sum::<usize>() + usize::from(flexible)
            }
        }
    }

    fn field_size_min(&self, field: &Field, version: i16) -> usize {
        if !field.versions.contains(version) || field.tag.is_some() {
            0
        } else if field.array {
            self.size_min(&Type::Bytes, version)
        } else if field.nullable.contains(version) && matches!(field.kind, Type::Struct(_)) {
            1
        } else {
            self.size_min(&field.kind, version)
        }
    }
}

impl StructLayout<'_> {
    /// The versions in which the field is there and may be null.
    pub fn nullable(&self, field: &Field) -> Versions {
        field.nullable.intersect(field.versions).intersect(self.versions)
    }

    /// True if the field is an `Option` in Rust.
    pub fn is_option(&self, field: &Field) -> bool {
        !self.nullable(field).is_empty()
    }

    /// When the field is there.
    pub fn when_present(&self, field: &Field) -> When {
        when(field.versions, self.versions)
    }

    /// When the field may be null, given that it is there.
    pub fn when_nullable(&self, field: &Field) -> When {
        when(field.nullable, field.versions.intersect(self.versions))
    }

    /// `Struct.field`, as errors name it.
    pub fn path(&self, field: &Field) -> String {
        format!("{}.{}", self.name, names::snake(&field.name))
    }
}

/// When `version` lies in `versions`, given that it lies in `within`.
pub fn when(versions: Versions, within: Versions) -> When {
    let both = versions.intersect(within);
    if both.is_empty() {
        return When::Never;
    }
    When::If(match (both.min > within.min, both.max < within.max) {
        (false, false) => return When::Always,
        (true, false) => format!("version >= {}", both.min),
        (false, true) => format!("version <= {}", both.max),
        (true, true) if both.min == both.max => format!("version == {}", both.min),
        (true, true) => format!("({}..={}).contains(&version)", both.min, both.max),
    })
}
