//! Emits rules and the reading and writing of every structure, list and map.

use super::generate::{Kind, Plan, is_message};
use super::model::{Reference, Shape, Type};
use super::{names, pattern, rest};
use anyhow::bail;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Statics for every constrained shape, named after it.
pub(super) fn rules(plan: &Plan<'_>) -> anyhow::Result<String> {
    let mut body = String::new();
    let mut patterns: BTreeMap<&str, String> = BTreeMap::new();
    for (name, shape) in &plan.model.shapes.0 {
        let constant = names::upper(name);
        let rule = match plan.kind(name)? {
            Kind::Text => match (&shape.pattern, shape.min, shape.max) {
                (None, None, None) => continue,
                (source, ..) => {
                    let matching = match source {
                        None => "None".to_owned(),
                        Some(source) => {
                            let own = format!("PATTERN_{constant}");
                            let first = patterns.entry(source).or_insert_with(|| own.clone());
                            if *first == own {
                                let made = pattern::expression(source, plan.overrides)?;
                                writeln!(body, "static {own}: Pattern = {made};\n")?;
                            }
                            format!("Some(&{first})")
                        }
                    };
                    let (min, max) = sizes(shape);
                    format!("TextRule = TextRule {{ min: {min}, max: {max}, pattern: {matching} }}")
                }
            },
            Kind::Blob | Kind::List | Kind::Map if shape.min.is_some() || shape.max.is_some() => {
                let (min, max) = sizes(shape);
                format!("SizeRule = SizeRule {{ min: {min}, max: {max} }}")
            }
            Kind::Integer | Kind::Long => match (shape.min, shape.max) {
                (None, None) => continue,
                (min, max) => {
                    let min = min.map_or("i64::MIN".to_owned(), names::number);
                    let max = max.map_or("i64::MAX".to_owned(), names::number);
                    format!("NumberRule = NumberRule {{ min: {min}, max: {max} }}")
                }
            },
            Kind::Double => match (shape.min, shape.max) {
                (None, None) => continue,
                (min, max) => {
                    let min = min.map_or("f64::NEG_INFINITY".to_owned(), |n| format!("{n:?}"));
                    let max = max.map_or("f64::INFINITY".to_owned(), |n| format!("{n:?}"));
                    format!("DoubleRule = DoubleRule {{ min: {min}, max: {max} }}")
                }
            },
            _ => continue,
        };
        writeln!(body, "pub(super) static {constant}: {rule};\n")?;
    }
    let mut out = plan.caption("Constraints of the model, one static a shape.");
    let all = ["DoubleRule", "NumberRule", "Pattern", "SizeRule", "TextRule", "UNBOUNDED"];
    let used: Vec<&str> = all.into_iter().filter(|word| body.contains(word)).collect();
    if !used.is_empty() {
        writeln!(out, "use wire::rules::{{{}}};\n", used.join(", "))?;
    }
    Ok(out + &body)
}

fn sizes(shape: &Shape) -> (String, String) {
    let min = shape.min.map_or("0".to_owned(), names::number);
    let max = shape.max.map_or("UNBOUNDED".to_owned(), names::number);
    (min, max)
}

/// The rule of a shape, as an argument.
fn rule(plan: &Plan<'_>, name: &str) -> anyhow::Result<String> {
    let shape = plan.shape(name)?;
    let bare = shape.min.is_none() && shape.max.is_none() && shape.pattern.is_none();
    let any = match plan.kind(name)? {
        Kind::Text => "TextRule::ANY",
        Kind::Integer | Kind::Long => "NumberRule::ANY",
        Kind::Double => "DoubleRule::ANY",
        _ => "SizeRule::ANY",
    };
    Ok(if bare { format!("&{any}") } else { format!("&rules::{}", names::upper(name)) })
}

/// An expression that reads a value of a shape from the reader `r`.
fn read_value(plan: &Plan<'_>, name: &str) -> anyhow::Result<String> {
    let with_rule = |method: &str| -> anyhow::Result<String> {
        Ok(format!("r.{method}({})", rule(plan, name)?))
    };
    match plan.kind(name)? {
        Kind::Structure => Ok(format!("{name}::read(r)")),
        Kind::List | Kind::Map => Ok(format!("lists::read_{}(r)", names::snake(name))),
        Kind::Enum => Ok(format!("r.enumeration::<{name}>()")),
        Kind::Text => with_rule("text"),
        Kind::Blob => with_rule("blob"),
        Kind::Stream => Ok(format!("{}.map(wire::Payload::Whole)", with_rule("blob")?)),
        Kind::Boolean => Ok("r.boolean()".to_owned()),
        Kind::Integer => with_rule("integer"),
        Kind::Long => with_rule("long"),
        Kind::Double => with_rule("double"),
        Kind::Timestamp => Ok("r.timestamp()".to_owned()),
        Kind::EventStream => bail!("event stream `{name}` is no member of a body"),
    }
}

/// A statement that writes `value` to the writer `w`; `value` is a reference, or a place when
/// `place` is set.
fn write_value(plan: &Plan<'_>, name: &str, value: &str, place: bool) -> anyhow::Result<String> {
    let borrowed = if place { format!("&{value}") } else { value.to_owned() };
    let copied = if place { value.to_owned() } else { format!("*{value}") };
    Ok(match plan.kind(name)? {
        Kind::Structure => format!("{value}.write(w);"),
        Kind::List | Kind::Map => format!("lists::write_{}(w, {borrowed});", names::snake(name)),
        Kind::Enum => format!("w.text({value}.as_str());"),
        Kind::Text => format!("w.text({borrowed});"),
        Kind::Blob => format!("w.blob({borrowed});"),
        Kind::Stream => bail!("`{name}` streams and is no value in a body"),
        Kind::Boolean => format!("w.boolean({copied});"),
        Kind::Integer => format!("w.integer({copied});"),
        Kind::Long => format!("w.long({copied});"),
        Kind::Double => format!("w.double({copied});"),
        Kind::Timestamp => format!("w.timestamp({copied});"),
        Kind::EventStream => bail!("event stream `{name}` is no member of a body"),
    })
}

/// `read`, `write` and the size hint of every structure.
pub(super) fn structures(plan: &Plan<'_>) -> anyhow::Result<String> {
    let mut body = String::new();
    for (name, shape) in plan.structures() {
        structure(plan, &mut body, name, shape)?;
    }
    Ok(plan.caption("Reading and writing of structures.") + &imports(&body, true) + &body)
}

fn imports(body: &str, with_lists: bool) -> String {
    let mut out = String::new();
    for (word, line) in [("lists::", "use super::lists;\n"), ("rules::", "use super::rules;\n")] {
        if body.contains(word) && (with_lists || word != "lists::") {
            out.push_str(line);
        }
    }
    out.push_str("use super::*;\n");
    if body.contains("BTreeMap<") {
        out.push_str("use std::collections::BTreeMap;\n");
    }
    let rules = ["DoubleRule", "KeyRule", "Member", "NumberRule", "SizeRule", "TextRule"];
    let used = |w: &&str| body.contains(&format!("{w}::")) || body.contains(&format!("[{w}]"));
    let used: Vec<&str> = rules.into_iter().filter(used).collect();
    if !used.is_empty() {
        out.push_str("use wire::rules::{");
        out.push_str(&used.join(", "));
        out.push_str("};\n");
    }
    let types = ["Read", "Reader", "Text", "Timestamp", "Writer"];
    let ends = |w: &&str| {
        [">", ")", ",", "<", ";"].iter().any(|end| {
            [" ", "<", "(", ": "].iter().any(|begin| body.contains(&format!("{begin}{w}{end}")))
        })
    };
    let used: Vec<&str> = types.into_iter().filter(ends).collect();
    out.push_str("use wire::{");
    out.push_str(&used.join(", "));
    out.push_str("};\n");
    if body.contains("Bytes>") {
        out.push_str("use bytes::Bytes;\n");
    }
    out.push('\n');
    out
}

fn structure(plan: &Plan<'_>, out: &mut String, name: &str, shape: &Shape) -> anyhow::Result<()> {
    writeln!(out, "impl {name} {{")?;
    if !shape.members.is_empty() {
        out.push_str("const MEMBERS: &'static [Member] = &[");
        for (member, reference) in &shape.members.0 {
            let wire_name = Plan::wire_name(member, reference);
            write!(out, "Member::new({:?}), ", format!("{wire_name:?}:"))?;
        }
        out.push_str("];\n\n");
    }
    read(plan, out, name, shape)?;
    write_fn(plan, out, shape)?;
    if shape.exception {
        out.push_str("/// Writes what it has beside its message.\n");
        out.push_str("pub(super) fn write_members(&self, w: &mut Writer) {\n");
        write_members(plan, out, shape, |name, m| !is_message(name) && m.location.is_none())?;
        out.push_str("}\n\n");
        rest::error_headers(plan, out, shape)?;
    }
    if !shape.exception && Plan::is_located(shape) {
        rest::structure(plan, out, name, shape)?;
    }
    if plan.holds_blob(name) {
        hint(plan, out, shape)?;
    }
    out.push_str("}\n\n");
    writeln!(out, "impl wire::Show for {name} {{")?;
    writeln!(out, "fn show(&self, out: &mut String) {{ out.push_str({name:?}); }}\n")?;
    if plan.holds_blob(name) {
        out.push_str("fn is_left_out() -> bool {\ntrue\n}\n");
    }
    out.push_str("}\n\n");
    Ok(())
}

fn read(plan: &Plan<'_>, out: &mut String, name: &str, shape: &Shape) -> anyhow::Result<()> {
    let members = &shape.members.0;
    out.push_str("/// Reads the structure; None when it is null.\n");
    out.push_str("pub fn read(r: &mut Reader) -> Read<Option<Self>> {\n");
    let table = if members.is_empty() { "&[]" } else { "Self::MEMBERS" };
    writeln!(out, "if !r.structure({table})? {{ return Ok(None); }}")?;
    if members.is_empty() {
        out.push_str("while r.member()?.is_some() {}\n");
    } else {
        for (member, _) in members {
            writeln!(out, "let mut {} = None;", names::field(member))?;
        }
        out.push_str("while let Some(index) = r.member()? {\n");
        let reads: Vec<String> = members
            .iter()
            .map(|(member, reference)| {
                let value = read_value(plan, &reference.shape)?;
                // What becomes of a value comes behind it.
                let value = match value.split_once(".map(") {
                    Some((value, map)) => format!("{value}?.map({map}"),
                    None => format!("{value}?"),
                };
                Ok(format!("{} = {value}", names::field(member)))
            })
            .collect::<anyhow::Result<_>>()?;
        if let [only] = reads.as_slice() {
            writeln!(out, "debug_assert_eq!(index, 0);\n{only};")?;
        } else {
            out.push_str("match index {\n");
            for (i, read) in reads.iter().enumerate() {
                let arm = if i + 1 == reads.len() { "_".to_owned() } else { i.to_string() };
                writeln!(out, "{arm} => {read},")?;
            }
            out.push_str("}\n");
        }
        out.push_str("}\n");
    }
    out.push_str("let value = Self {\n");
    for (position, (member, reference)) in members.iter().enumerate() {
        let field = names::field(member);
        let kind = plan.kind(&reference.shape)?;
        let boxed = kind == Kind::Structure && plan.recursive(name, reference);
        let local = if boxed { format!("{field}.map(Box::new)") } else { field.clone() };
        let required = shape.required.contains(member);
        // A body of bytes is not told here, and there is always one.
        let is_body = shape.payload.as_ref() == Some(member);
        match (required, kind) {
            (true, Kind::Blob | Kind::Stream) if is_body => {
                writeln!(out, "{field}: {local}.unwrap_or_default(),")?;
            }
            (true, Kind::Enum) => {
                writeln!(out, "{field}: r.required_enumeration({position}, {local})?,")?;
            }
            (true, _) => writeln!(out, "{field}: r.required({position}, {local}),")?,
            (false, _) if boxed => writeln!(out, "{field}: {local},")?,
            (false, _) => writeln!(out, "{field},")?,
        }
    }
    out.push_str("};\nr.end();\nOk(Some(value))\n}\n\n");
    Ok(())
}

fn write_fn(plan: &Plan<'_>, out: &mut String, shape: &Shape) -> anyhow::Result<()> {
    out.push_str("/// Writes the structure.\n");
    out.push_str("pub fn write(&self, w: &mut Writer) {\nw.begin();\n");
    write_members(plan, out, shape, |_, _| true)?;
    out.push_str("w.end();\n}\n\n");
    Ok(())
}

/// Statements that write the members which `is_wanted`.
pub(super) fn write_members(
    plan: &Plan<'_>,
    out: &mut String,
    shape: &Shape,
    is_wanted: impl Fn(&str, &Reference) -> bool,
) -> anyhow::Result<()> {
    let members = shape.members.0.iter().enumerate();
    for (i, (member, reference)) in members.filter(|(_, (name, m))| is_wanted(name, m)) {
        let field = names::field(member);
        let key = format!("w.key(Self::MEMBERS[{i}]);");
        let required = shape.required.contains(member);
        if plan.kind(&reference.shape)? == Kind::Stream {
            let pattern = if required {
                "wire::Payload::Whole(value)"
            } else {
                "Some(wire::Payload::Whole(value))"
            };
            writeln!(out, "if let {pattern} = &self.{field} {{\n{key}\nw.blob(value);\n}}")?;
        } else if required {
            let write = write_value(plan, &reference.shape, &format!("self.{field}"), true)?;
            writeln!(out, "{key}\n{write}")?;
        } else {
            let write = write_value(plan, &reference.shape, "value", false)?;
            writeln!(out, "if let Some(value) = &self.{field} {{\n{key}\n{write}\n}}")?;
        }
    }
    Ok(())
}

/// About how many bytes a structure with blobs takes.
fn hint(plan: &Plan<'_>, out: &mut String, shape: &Shape) -> anyhow::Result<()> {
    out.push_str("/// About how many bytes the structure takes in a body.\n");
    out.push_str("pub fn bytes_hint(&self) -> usize {\n");
    let members = &shape.members.0;
    write!(out, "{}", members.len() * 64)?;
    for (member, reference) in members {
        let kind = plan.kind(&reference.shape)?;
        let is_counted = matches!(kind, Kind::Blob | Kind::List | Kind::Structure);
        if !is_counted || !plan.holds_blob(&reference.shape) {
            continue;
        }
        let field = names::field(member);
        let required = shape.required.contains(member);
        let of = |v: &str| -> anyhow::Result<String> {
            Ok(match kind {
                Kind::Blob => format!("wire::base64_bytes({v}.len())"),
                Kind::List => {
                    let element = plan.element(&reference.shape)?;
                    let each = if plan.kind(element)? == Kind::Structure {
                        format!("{element}::bytes_hint")
                    } else {
                        "|_| 64".to_owned()
                    };
                    format!("{v}.iter().map({each}).sum::<usize>()")
                }
                Kind::Structure => format!("{v}.bytes_hint()"),
                _ => "0".to_owned(),
            })
        };
        if required {
            write!(out, " + {}", of(&format!("self.{field}"))?)?;
        } else {
            let hint = match kind {
                Kind::Structure => format!("{}::bytes_hint", reference.shape),
                _ => format!("|v| {}", of("v")?),
            };
            write!(out, " + self.{field}.as_ref().map_or(0, {hint})")?;
        }
    }
    out.push_str("\n}\n");
    Ok(())
}

/// `read_..` and `write_..` of every list and map.
pub(super) fn lists(plan: &Plan<'_>) -> anyhow::Result<String> {
    let mut body = String::new();
    for (name, shape) in &plan.model.shapes.0 {
        match shape.kind {
            Type::List => list(plan, &mut body, name)?,
            Type::Map => map(plan, &mut body, name)?,
            _ => {}
        }
    }
    let body = body.replace("lists::", "");
    let mut out = plan.caption("Reading and writing of lists and maps.");
    if !body.is_empty() {
        out.push_str(&imports(&body, false));
    }
    Ok(out + &body)
}

fn list(plan: &Plan<'_>, out: &mut String, name: &str) -> anyhow::Result<()> {
    let element = plan.element(name)?;
    if plan.shape(element)?.exception {
        return Ok(());
    }
    let (snake, of) = (names::snake(name), plan.rust_type(element)?);
    let read = read_value(plan, element)?;
    let size = rule(plan, name)?;
    writeln!(out, "pub(super) fn read_{snake}(r: &mut Reader) -> Read<Option<Vec<{of}>>> {{")?;
    writeln!(out, "r.list({size}, {})\n}}\n", function(&read))?;
    let write = write_value(plan, element, "value", false)?;
    writeln!(out, "pub(super) fn write_{snake}(w: &mut Writer, list: &[{of}]) {{")?;
    writeln!(out, "w.begin_list(list.len());\nfor value in list {{\nw.element();\n{write}\n}}")?;
    out.push_str("w.end_list();\n}\n\n");
    Ok(())
}

/// What reads with the reader `r`, as a function of it.
fn function(read: &str) -> String {
    if let Some(method) = read.strip_prefix("r.").and_then(|m| m.strip_suffix("()")) {
        return format!("Reader::{method}");
    }
    match read.strip_suffix("(r)") {
        Some(function) => function.to_owned(),
        None => format!("|r| {read}"),
    }
}

fn map(plan: &Plan<'_>, out: &mut String, name: &str) -> anyhow::Result<()> {
    let (key, value) = plan.entry(name)?;
    let (snake, of) = (names::snake(name), plan.rust_type(value)?);
    let keys = match plan.kind(key)? {
        Kind::Text => format!("KeyRule::Text({})", rule(plan, key)?),
        Kind::Enum => {
            format!("KeyRule::Names(<{key} as wire::rules::Enumeration>::NAMES)")
        }
        other => bail!("map `{name}` has keys of kind {other:?}"),
    };
    let (size, read) = (rule(plan, name)?, read_value(plan, value)?);
    let of = format!("BTreeMap<Text, {of}>");
    writeln!(out, "pub(super) fn read_{snake}(r: &mut Reader) -> Read<Option<{of}>> {{")?;
    writeln!(out, "r.map({size}, {keys}, {})\n}}\n", function(&read))?;
    let write = write_value(plan, value, "value", false)?;
    writeln!(out, "pub(super) fn write_{snake}(w: &mut Writer, map: &{of}) {{")?;
    writeln!(
        out,
        "w.begin_map(map.len());\nfor (key, value) in map {{\nw.map_key(key);\n{write}\n}}"
    )?;
    out.push_str("w.end_map();\n}\n\n");
    Ok(())
}
