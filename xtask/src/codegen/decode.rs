//! `impl Decode`.

use std::fmt::Write as _;

use super::layout::{Layout, StructLayout, When, when};
use super::names;
use super::schema::{Field, Kind, Type};

/// Appends the implementation for one struct.
///
/// # Errors
/// When an array's elements could be empty.
pub fn implementation(
    out: &mut String,
    layout: &Layout<'_>,
    one: &StructLayout<'_>,
) -> anyhow::Result<()> {
    let name = one.name;
    writeln!(
        out,
        "impl Decode for {name} {{ fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {{"
    )?;
    if name == layout.schema.name {
        writeln!(out, "Self::VERSIONS.check_decode(Self::NAME, version)?;")?;
    }
    let flexible = when(layout.schema.flexible, one.versions);
    if let When::If(condition) = &flexible {
        writeln!(out, "let flexible = {condition};")?;
    }
    let flexible_word = flexible_word(&flexible);
    writeln!(out, "let mut m = Self::default();")?;
    for field in one.fields.iter().filter(|field| field.tag.is_none()) {
        let word = if field.never_flexible { "false" } else { flexible_word };
        let read = assignment(layout, one, field, word)?;
        match one.when_present(field) {
            When::Always => writeln!(out, "{read}")?,
            When::If(condition) => writeln!(out, "if {condition} {{ {read} }}")?,
            When::Never => {}
        }
    }
    let tagged = tagged_fields(layout, one)?;
    match flexible {
        When::Always => writeln!(out, "{tagged}")?,
        When::If(_) => writeln!(out, "if flexible {{ {tagged} }}")?,
        When::Never => {}
    }
    writeln!(out, "Ok(m) }} }}\n")?;
    Ok(())
}

/// How generated code says whether the version is flexible.
pub fn flexible_word(flexible: &When) -> &'static str {
    match flexible {
        When::Always => "true",
        When::Never => "false",
        When::If(_) => "flexible",
    }
}

fn assignment(
    layout: &Layout<'_>,
    one: &StructLayout<'_>,
    field: &Field,
    flexible: &str,
) -> anyhow::Result<String> {
    let target = names::field(&field.name);
    let nullable = expression(layout, one, field, (flexible, true))?;
    let required = expression(layout, one, field, (flexible, false))?;
    Ok(match (one.is_option(field), one.when_nullable(field)) {
        (false, _) => format!("m.{target} = {required};"),
        (true, When::Always) => format!("m.{target} = {nullable};"),
        (true, When::Never) => format!("m.{target} = Some({required});"),
        (true, When::If(condition)) => {
            format!("m.{target} = if {condition} {{ {nullable} }} else {{ Some({required}) }};")
        }
    })
}

/// The expression that reads a field; `how` is the word for flexible and whether null is allowed.
fn expression(
    layout: &Layout<'_>,
    one: &StructLayout<'_>,
    field: &Field,
    how: (&str, bool),
) -> anyhow::Result<String> {
    let (flexible, null) = how;
    let prefix = if null { "nullable_" } else { "" };
    if field.array {
        let size_min = layout.element_size_min(one, field)?;
        let element = match &field.kind {
            Type::Struct(name) => format!("|r| {name}::decode(r, version)"),
            Type::String => format!("|r| r.string({flexible})"),
            Type::Bytes | Type::Records => format!("|r| r.bytes({flexible})"),
            kind => format!("Reader::{}", method(kind)),
        };
        return Ok(format!("r.{prefix}array({flexible}, {size_min}, {element})?"));
    }
    Ok(match &field.kind {
        Type::Struct(name) if null => {
            let marker = if field.tag.is_some() { "tagged_struct_marker" } else { "struct_marker" };
            format!("if r.{marker}()? {{ Some({name}::decode(r, version)?) }} else {{ None }}")
        }
        Type::Struct(name) => format!("{name}::decode(r, version)?"),
        Type::String => format!("r.{prefix}string({flexible})?"),
        Type::Records if layout.schema.kind == Kind::Response => {
            format!("r.{prefix}records({flexible})?")
        }
        Type::Bytes | Type::Records => format!("r.{prefix}bytes({flexible})?"),
        kind => format!("r.{}()?", method(kind)),
    })
}

fn tagged_fields(layout: &Layout<'_>, one: &StructLayout<'_>) -> anyhow::Result<String> {
    let mut arms = String::new();
    for field in one.fields {
        let Some(tag) = field.tag else { continue };
        let guard = match one.when_present(field) {
            When::Always => String::new(),
            When::If(condition) => format!(" if {condition}"),
            When::Never => continue,
        };
        writeln!(arms, "{tag}{guard} => {{ {} }}", assignment(layout, one, field, "true")?)?;
    }
    if arms.is_empty() {
        return Ok("r.skip_tagged_fields()?;".to_owned());
    }
    Ok(format!(
        "for _ in 0..r.uvarint()? {{ let (tag, end) = r.tag()?; match tag {{ {arms} _ => r.skip_to(end), }} r.end_tag(end)?; }}"
    ))
}

/// The method of reader and writer for a type of fixed size.
pub fn method(kind: &Type) -> &'static str {
    match kind {
        Type::Bool => "bool",
        Type::Int8 => "i8",
        Type::Int16 => "i16",
        Type::Uint16 => "u16",
        Type::Int32 => "i32",
        Type::Uint32 => "u32",
        Type::Int64 => "i64",
        Type::Float64 => "f64",
        Type::Uuid => "uuid",
        Type::String | Type::Bytes | Type::Records | Type::Struct(_) => {
            unreachable!("types of variable size have calls of their own")
        }
    }
}
