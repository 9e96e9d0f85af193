//! Emits enums and structures.

use super::generate::{Kind, Plan};
use super::model::{Shape, Type};
use super::names;
use anyhow::ensure;
use std::collections::BTreeSet;
use std::fmt::Write as _;

pub(super) fn enums(plan: &Plan<'_>) -> anyhow::Result<String> {
    let mut out = plan.caption("Closed sets of strings.");
    if plan.model.shapes.0.iter().any(|(_, shape)| !shape.names.is_empty()) {
        out.push_str("use wire::rules::Enumeration;\n\n");
    }
    for (name, shape) in &plan.model.shapes.0 {
        if shape.kind == Type::String && !shape.names.is_empty() {
            one_enum(&mut out, name, &shape.names)?;
        }
    }
    Ok(out)
}

fn one_enum(out: &mut String, name: &str, values: &[String]) -> anyhow::Result<()> {
    let variants: Vec<String> = values.iter().map(|v| names::variant(v)).collect();
    let distinct: BTreeSet<&String> = variants.iter().collect();
    ensure!(distinct.len() == variants.len(), "values of `{name}` share a variant: {variants:?}");
    writeln!(out, "/// `{name}` of the model.")?;
    out.push_str("#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]\n");
    writeln!(out, "pub enum {name} {{")?;
    for (i, (variant, value)) in variants.iter().zip(values).enumerate() {
        writeln!(out, "/// `{value}`.")?;
        if i == 0 {
            out.push_str("#[default]\n");
        }
        writeln!(out, "{variant},")?;
    }
    out.push_str("}\n\n");
    writeln!(out, "impl {name} {{\n/// Every value, in model order.")?;
    writeln!(out, "pub const ALL: &'static [{name}] = &[")?;
    for variant in &variants {
        writeln!(out, "{name}::{variant},")?;
    }
    out.push_str(
        "];\n\n/// The value's text on the wire.\npub fn as_str(self) -> &'static str {\n",
    );
    out.push_str("<Self as Enumeration>::NAMES[self as usize]\n}\n}\n\n");
    writeln!(out, "impl Enumeration for {name} {{")?;
    writeln!(out, "const NAMES: &'static [&'static str] = &{values:?};")?;
    out.push_str("fn from_index(index: usize) -> Self {\nSelf::ALL[index]\n}\n");
    writeln!(out, "fn as_str(self) -> &'static str {{ {name}::as_str(self) }}\n}}\n")?;
    writeln!(out, "impl wire::Show for {name} {{")?;
    out.push_str("fn show(&self, out: &mut String) { out.push_str(self.as_str()); }\n}\n\n");
    Ok(())
}

pub(super) fn structures(plan: &Plan<'_>) -> anyhow::Result<String> {
    let mut body = String::new();
    for (name, shape) in plan.structures() {
        structure(plan, &mut body, name, shape)?;
    }
    for (name, shape) in &plan.model.shapes.0 {
        if shape.eventstream {
            event_stream(plan, &mut body, name, shape)?;
        }
    }
    let mut out = plan.caption("Structures: inputs, outputs and what they hold.");
    let uses = |word: &str| body.contains(word);
    if !plan.model.shapes.0.iter().all(|(_, s)| s.names.is_empty()) {
        out.push_str("use super::enums::*;\n");
    }
    if [": Bytes,", "<Bytes>", "Text, Bytes>"].iter().any(|held| uses(held)) {
        out.push_str("use bytes::Bytes;\n");
    }
    if uses("BTreeMap<") {
        out.push_str("use std::collections::BTreeMap;\n");
    }
    if uses("fmt::") {
        out.push_str("use std::fmt;\n");
    }
    let wire: Vec<&str> = ["Text", "Timestamp"]
        .into_iter()
        .filter(|w| uses(&format!("{w}>")) || uses(&format!(": {w},")) || uses(&format!("<{w},")))
        .collect();
    if !wire.is_empty() {
        writeln!(out, "use wire::{{{}}};", wire.join(", "))?;
    }
    out.push('\n');
    Ok(out + &body)
}

fn structure(plan: &Plan<'_>, out: &mut String, name: &str, shape: &Shape) -> anyhow::Result<()> {
    let hidden = shape.members.0.iter().any(|(_, m)| hides(plan, &m.shape));
    let streams = plan.has_stream(name)?;
    writeln!(out, "/// `{name}` of the model.")?;
    let debug = if hidden { "" } else { "Debug, " };
    // A stream can be read once.
    let derived = if streams { "Default" } else { "Clone, Default, PartialEq" };
    let derived = derived.replacen("Default", &format!("{debug}Default"), 1);
    writeln!(out, "#[derive({derived})]")?;
    if shape.members.is_empty() {
        writeln!(out, "pub struct {name} {{}}\n")?;
        return Ok(());
    }
    writeln!(out, "pub struct {name} {{")?;
    for (member_name, member) in &shape.members.0 {
        let mut of = plan.rust_type(&member.shape)?;
        if plan.kind(&member.shape)? == Kind::Structure && plan.recursive(name, member) {
            of = format!("Box<{of}>");
        }
        if !shape.required.contains(member_name) {
            of = format!("Option<{of}>");
        }
        let facts = facts(plan, &member.shape)?;
        writeln!(out, "/// `{member_name}`{facts}.")?;
        writeln!(out, "pub {}: {of},", names::field(member_name))?;
    }
    out.push_str("}\n\n");
    if hidden {
        debug_impl(plan, out, name, shape)?;
    }
    Ok(())
}

/// Whether a value of this shape is not printed: secrets, and data that can be long.
fn hides(plan: &Plan<'_>, shape: &str) -> bool {
    plan.model.shapes.get(shape).is_some_and(|s| s.sensitive || s.kind == Type::Blob)
}

fn debug_impl(plan: &Plan<'_>, out: &mut String, name: &str, shape: &Shape) -> anyhow::Result<()> {
    writeln!(out, "impl fmt::Debug for {name} {{")?;
    out.push_str("fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {\n");
    writeln!(out, "f.debug_struct({name:?})")?;
    for (member_name, member) in &shape.members.0 {
        let field = names::field(member_name);
        let inner = plan.shape(&member.shape)?;
        if inner.streaming {
            writeln!(out, ".field({field:?}, &self.{field})")?;
        } else if inner.kind == Type::Blob && shape.required.contains(member_name) {
            writeln!(out, ".field({field:?}, &wire::Hidden::bytes(self.{field}.len()))")?;
        } else if inner.kind == Type::Blob {
            writeln!(
                out,
                ".field({field:?}, &self.{field}.as_ref().map(|b| wire::Hidden::bytes(b.len())))"
            )?;
        } else if inner.sensitive {
            writeln!(out, ".field({field:?}, &wire::Hidden::secret())")?;
        } else {
            writeln!(out, ".field({field:?}, &self.{field})")?;
        }
    }
    out.push_str(".finish()\n}\n}\n\n");
    Ok(())
}

/// The constraints of a shape, as a field's documentation shows them.
fn facts(plan: &Plan<'_>, name: &str) -> anyhow::Result<String> {
    let shape = plan.shape(name)?;
    let unit = match plan.kind(name)? {
        Kind::Text => " characters",
        Kind::Blob => " bytes",
        Kind::List => " elements",
        Kind::Map => " entries",
        Kind::Integer | Kind::Long | Kind::Double => "",
        _ => return Ok(String::new()),
    };
    let mut out = match (shape.min, shape.max) {
        (Some(min), Some(max)) => format!(": {min} to {max}{unit}"),
        (Some(min), None) => format!(": at least {min}{unit}"),
        (None, Some(max)) => format!(": at most {max}{unit}"),
        (None, None) => String::new(),
    };
    if let Some(pattern) = &shape.pattern {
        out.push_str(if out.is_empty() { ": `" } else { ", `" });
        out.push_str(pattern);
        out.push('`');
    }
    Ok(out)
}

fn event_stream(
    plan: &Plan<'_>,
    out: &mut String,
    name: &str,
    shape: &Shape,
) -> anyhow::Result<()> {
    writeln!(out, "/// Events of `{name}`; its exceptions travel as errors.")?;
    writeln!(out, "#[derive(Clone, Debug, PartialEq)]\npub enum {name} {{")?;
    for (member, reference) in &shape.members.0 {
        if !plan.shape(&reference.shape)?.exception {
            writeln!(out, "/// `{member}`.\n{member}({}),", reference.shape)?;
        }
    }
    out.push_str("}\n\n");
    Ok(())
}
