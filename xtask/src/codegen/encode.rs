//! `impl Encode`.

use std::fmt::Write as _;

use super::decode::{flexible_word, method};
use super::layout::{Layout, StructLayout, When, when};
use super::names;
use super::schema::{Field, Kind, Type};

/// Appends the implementation for one struct.
///
/// # Errors
/// Never in practice: writing to a string does not fail.
pub fn implementation(
    out: &mut String,
    layout: &Layout<'_>,
    one: &StructLayout<'_>,
) -> anyhow::Result<()> {
    let name = one.name;
    writeln!(
        out,
        "impl Encode for {name} {{ fn encode(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {{"
    )?;
    if name == layout.schema.name {
        writeln!(out, "Self::VERSIONS.check_encode(Self::NAME, version)?;")?;
    }
    let flexible = when(layout.schema.flexible, one.versions);
    if let When::If(condition) = &flexible {
        writeln!(out, "let flexible = {condition};")?;
    }
    for field in one.fields.iter().filter(|field| field.tag.is_none()) {
        let word = if field.never_flexible { "false" } else { flexible_word(&flexible) };
        let write = write(layout, one, field, word);
        match (one.when_present(field), field.ignorable) {
            (When::Always, _) => writeln!(out, "{write}")?,
            (When::If(condition), true) => writeln!(out, "if {condition} {{ {write} }}")?,
            (When::If(condition), false) => {
                let error = absent(one, field);
                let set = is_set(one, field);
                writeln!(out, "if {condition} {{ {write} }} else if {set} {{ {error} }}")?;
            }
            (When::Never, _) => {}
        }
    }
    for field in one.fields.iter().filter(|field| field.tag.is_some() && !field.ignorable) {
        if let When::If(condition) = one.when_present(field) {
            let error = absent(one, field);
            writeln!(out, "if !({condition}) && {} {{ {error} }}", is_set(one, field))?;
        }
    }
    match flexible {
        When::Always => tagged_fields(out, layout, one)?,
        When::If(_) => {
            writeln!(out, "if flexible {{")?;
            tagged_fields(out, layout, one)?;
            writeln!(out, "}}")?;
        }
        When::Never => {}
    }
    writeln!(out, "Ok(()) }} }}\n")?;
    Ok(())
}

fn absent(one: &StructLayout<'_>, field: &Field) -> String {
    let path = one.path(field);
    format!("return Err(EncodeError::FieldNotInVersion {{ field: \"{path}\", version }});")
}

/// The expression that is true if a field differs from its default.
fn is_set(one: &StructLayout<'_>, field: &Field) -> String {
    let name = format!("self.{}", names::field(&field.name));
    let default = field.default.as_deref();
    if one.is_option(field) {
        if default == Some("null") || field.kind == Type::Records {
            return format!("{name}.is_some()");
        }
        return match (&field.kind, field.array) {
            (Type::Struct(kind), false) => format!("{name}.as_ref() != Some(&{kind}::default())"),
            _ => format!("{name}.as_ref().is_none_or(|x| !x.is_empty())"),
        };
    }
    match (&field.kind, field.array) {
        (_, true) | (Type::String | Type::Bytes | Type::Records, false) => {
            format!("!{name}.is_empty()")
        }
        (Type::Struct(kind), false) => format!("{name} != {kind}::default()"),
        (Type::Bool, false) if default == Some("true") => format!("!{name}"),
        (Type::Bool, false) => name,
        (Type::Uuid, false) => format!("{name} != Uuid::ZERO"),
        (Type::Float64, false) => format!("{name} != 0.0"),
        (_, false) => format!("{name} != {}", default.unwrap_or("0")),
    }
}

fn write(layout: &Layout<'_>, one: &StructLayout<'_>, field: &Field, flexible: &str) -> String {
    let name = format!("self.{}", names::field(&field.name));
    if !one.is_option(field) {
        return write_value(layout, field, &format!("&{name}"), flexible);
    }
    let nullable = write_nullable(layout, field, &name, flexible);
    let value = format!("required(&{name}, \"{}\", version)?", one.path(field));
    let required = write_value(layout, field, &value, flexible);
    match one.when_nullable(field) {
        When::Always => nullable,
        When::Never => required,
        When::If(condition) => format!("if {condition} {{ {nullable} }} else {{ {required} }}"),
    }
}

/// Writes what the reference `value` points to.
fn write_value(layout: &Layout<'_>, field: &Field, value: &str, flexible: &str) -> String {
    if field.array {
        return format!("w.array({value}, {flexible}, {})?;", element(field, flexible));
    }
    match &field.kind {
        Type::Struct(_) => format!("{}.encode(w, version)?;", value.trim_start_matches('&')),
        Type::String => format!("w.string({value}, {flexible})?;"),
        Type::Records if layout.schema.kind == Kind::Response => {
            format!("w.records({value}, {flexible})?;")
        }
        Type::Bytes | Type::Records => format!("w.bytes({value}, {flexible})?;"),
        kind => format!("w.{}({});", method(kind), value.trim_start_matches('&')),
    }
}

/// Writes the option `name`.
fn write_nullable(layout: &Layout<'_>, field: &Field, name: &str, flexible: &str) -> String {
    if field.array {
        let element = element(field, flexible);
        return format!("w.nullable_array({name}.as_deref(), {flexible}, {element})?;");
    }
    match &field.kind {
        Type::Struct(_) if field.tag.is_some() => format!(
            "if let Some(x) = &{name} {{ w.uvarint(1); x.encode(w, version)?; }} else {{ w.uvarint(0); }}"
        ),
        Type::Struct(_) => format!(
            "w.struct_marker({name}.is_some()); if let Some(x) = &{name} {{ x.encode(w, version)?; }}"
        ),
        Type::String => format!("w.nullable_string({name}.as_ref(), {flexible})?;"),
        Type::Records if layout.schema.kind == Kind::Response => {
            format!("w.nullable_records({name}.as_ref(), {flexible})?;")
        }
        _ => format!("w.nullable_bytes({name}.as_ref(), {flexible})?;"),
    }
}

fn element(field: &Field, flexible: &str) -> String {
    match &field.kind {
        Type::Struct(_) => "|w, x| x.encode(w, version)".to_owned(),
        Type::String => format!("|w, x| w.string(x, {flexible})"),
        Type::Bytes | Type::Records => format!("|w, x| w.bytes(x, {flexible})"),
        kind => format!("|w, x| {{ w.{}(*x); Ok(()) }}", method(kind)),
    }
}

fn tagged_fields(
    out: &mut String,
    layout: &Layout<'_>,
    one: &StructLayout<'_>,
) -> anyhow::Result<()> {
    let mut fields: Vec<_> =
        one.fields.iter().filter_map(|field| field.tag.map(|tag| (tag, field))).collect();
    fields.sort_by_key(|(tag, _)| *tag);
    for (tag, field) in &fields {
        let set = is_set(one, field);
        match one.when_present(field) {
            When::If(condition) => writeln!(out, "let has_{tag} = {condition} && ({set});")?,
            When::Always | When::Never => writeln!(out, "let has_{tag} = {set};")?,
        }
    }
    let count: Vec<_> = fields.iter().map(|(tag, _)| format!("u32::from(has_{tag})")).collect();
    let count = if count.is_empty() { "0".to_owned() } else { count.join(" + ") };
    writeln!(out, "w.uvarint({count});")?;
    for (tag, field) in &fields {
        let write = write(layout, one, field, "true");
        writeln!(out, "if has_{tag} {{ w.tagged({tag}, |w| {{ {write} Ok(()) }})?; }}")?;
    }
    Ok(())
}
