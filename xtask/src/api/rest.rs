//! Emits how an input or an output travels in REST-JSON when not all of it is in the body.

use super::codec::write_members;
use super::generate::{Kind, Plan};
use super::model::{Reference, Shape};
use super::names;
use anyhow::{Context as _, bail};
use std::fmt::Write as _;

/// What a structure with such members has beside its reading and writing.
pub(super) fn structure(
    plan: &Plan<'_>,
    out: &mut String,
    name: &str,
    shape: &Shape,
) -> anyhow::Result<()> {
    let mut operations = plan.model.operations.0.iter().map(|(_, operation)| operation);
    if operations.clone().any(|o| o.input.as_ref().is_some_and(|i| i.shape == name)) {
        input(plan, out, shape).with_context(|| format!("input `{name}`"))?;
    }
    if operations.any(|o| o.output.as_ref().is_some_and(|o| o.shape == name)) {
        output(plan, out, shape).with_context(|| format!("output `{name}`"))?;
    }
    Ok(())
}

/// The kind of the member that is the body.
fn payload<'a>(plan: &Plan<'a>, shape: &'a Shape) -> anyhow::Result<Option<(&'a str, Kind)>> {
    let Some(member) = &shape.payload else { return Ok(None) };
    let reference = shape.members.get(member).context("the payload is no member")?;
    Ok(Some((member, plan.kind(&reference.shape)?)))
}

/// The headers that an input's members travel in, as `wire::Operation` has them.
pub(super) fn headers(plan: &Plan<'_>, input: &str) -> Vec<String> {
    let Some(shape) = plan.model.shapes.get(input) else { return Vec::new() };
    let named = shape.members.0.iter().filter_map(|(name, member)| {
        let at = member.location_name.as_ref().unwrap_or(name).to_ascii_lowercase();
        match member.location.as_deref()? {
            "header" => Some(at),
            "headers" => Some(at + "*"),
            _ => None,
        }
    });
    named.collect()
}

fn input(plan: &Plan<'_>, out: &mut String, shape: &Shape) -> anyhow::Result<()> {
    out.push_str("/// How it travels in REST-JSON.\n");
    out.push_str(
        "const REST: wire::protocol::RestInput = wire::protocol::RestInput {\nlocated: &[",
    );
    let members = shape.members.0.iter().enumerate();
    for (i, (member, reference)) in members.filter(|(_, (_, m))| m.location.is_some()) {
        let kind = plan.kind(&reference.shape)?;
        let place = match (reference.location.as_deref().unwrap_or_default(), kind) {
            ("uri", Kind::Text | Kind::Enum | Kind::Integer | Kind::Long) => "Path",
            ("querystring", Kind::Map) => "QueryRest",
            ("querystring", _) => "Query",
            ("header", _) => "Header",
            ("headers", Kind::Map) => "Prefix",
            (other, kind) => bail!("`{member}` is at `{other}` and a {kind:?}"),
        };
        let mut at = reference.location_name.clone().unwrap_or_else(|| member.clone());
        if place == "Header" || place == "Prefix" {
            at.make_ascii_lowercase();
        }
        let is_list = kind == Kind::List;
        writeln!(
            out,
            "wire::protocol::Located {{ member: Self::MEMBERS[{i}], \
             place: wire::protocol::Place::{place}, name: {at:?}, is_list: {is_list} }},"
        )?;
    }
    let payload = payload(plan, shape)?;
    let body = match payload {
        None => "Members".to_owned(),
        Some((_, Kind::Blob | Kind::Stream)) => "Blob".to_owned(),
        Some((member, Kind::Structure)) => {
            let i = shape.members.0.iter().position(|(name, _)| name == member);
            format!("Structure(Self::MEMBERS[{}])", i.unwrap_or_default())
        }
        Some((member, kind)) => bail!("the body `{member}` is a {kind:?}"),
    };
    writeln!(out, "],\nbody: wire::protocol::InBody::{body},\n}};\n")?;
    out.push_str("/// Reads and checks the input of a call.\n///\n/// # Errors\n");
    out.push_str("/// Those of [`wire::decode`].\n");
    out.push_str("pub fn of_call(call: &mut wire::Call, routes: &wire::Routes) -> Result<Self, wire::Refusal> {\n");
    match payload {
        Some((member, kind @ (Kind::Blob | Kind::Stream))) => {
            let field = names::field(member);
            let body = if kind == Kind::Blob { "body.whole()?" } else { "body" };
            let is_required = shape.required.iter().any(|name| name == member);
            let body = if is_required { body.to_owned() } else { format!("Some({body})") };
            writeln!(
                out,
                "let (mut input, body) = call.rest_input(routes, Self::REST, Self::read)?;\n\
                 if let Some(body) = body {{\ninput.{field} = {body};\n}}\nOk(input)\n}}\n"
            )?;
        }
        _ => out.push_str("Ok(call.rest_input(routes, Self::REST, Self::read)?.0)\n}\n\n"),
    }
    Ok(())
}

fn output(plan: &Plan<'_>, out: &mut String, shape: &Shape) -> anyhow::Result<()> {
    out.push_str("/// The answer to a call.\n");
    out.push_str(
        "pub fn into_answer(self, call: &wire::Call, routes: &wire::Routes) -> wire::Answer {\n",
    );
    let rest_only = plan.protocols()? == ["RestJson"];
    if !rest_only {
        out.push_str(
            "if call.protocol != wire::Protocol::RestJson {\n\
             let mut w = call.writer(routes, 512);\nself.write(&mut w);\n\
             return call.answer(routes, w);\n}\n",
        );
    }
    let payload = payload(plan, shape)?;
    let is_mutable = shape.members.0.iter().any(|(_, m)| m.location.is_some());
    let binding = if is_mutable { "let mut answer" } else { "let answer" };
    match payload {
        None => {
            writeln!(
                out,
                "let mut writer = call.writer(routes, 512);\nlet w = &mut writer;\nw.begin();"
            )?;
            write_members(plan, out, shape, |_, member| member.location.is_none())?;
            writeln!(out, "w.end();\n{binding} = call.answer(routes, writer);")?;
        }
        Some((member, kind)) => {
            let field = names::field(member);
            let is_required = shape.required.iter().any(|name| name == member);
            let value = if is_required {
                format!("self.{field}")
            } else {
                format!("self.{field}.unwrap_or_default()")
            };
            match kind {
                Kind::Blob => writeln!(
                    out,
                    "{binding} = call.rest_answer(routes, wire::Content::Whole({value}));"
                )?,
                Kind::Stream => {
                    writeln!(out, "{binding} = call.rest_answer(routes, {value}.into());")?;
                }
                Kind::Structure => writeln!(
                    out,
                    "let mut w = call.writer(routes, 512);\n{value}.write(&mut w);\n\
                     {binding} = call.answer(routes, w);"
                )?,
                other => bail!("the body `{member}` is a {other:?}"),
            }
        }
    }
    for (member, reference) in shape.members.0.iter().filter(|(_, m)| m.location.is_some()) {
        header(plan, out, shape, (member, reference))?;
    }
    out.push_str("answer\n}\n\n");
    Ok(())
}

/// What of an exception travels in headers.
pub(super) fn error_headers(
    plan: &Plan<'_>,
    out: &mut String,
    shape: &Shape,
) -> anyhow::Result<()> {
    let located: Vec<_> = shape.members.0.iter().filter(|(_, m)| m.location.is_some()).collect();
    if located.is_empty() {
        return Ok(());
    }
    out.push_str("/// What it has in headers.\n");
    out.push_str("pub(super) fn headers(&self) -> Vec<(&'static str, String)> {\n");
    out.push_str("let mut headers = Vec::new();\n");
    for (member, reference) in located {
        let mut at = reference.location_name.clone().unwrap_or_else(|| member.clone());
        at.make_ascii_lowercase();
        let place = reference.location.as_deref();
        let kind = plan.kind(&reference.shape)?;
        if place != Some("header") || !matches!(kind, Kind::Text | Kind::Integer | Kind::Long) {
            bail!("`{member}` of an exception is at {place:?} and a {kind:?}");
        }
        let field = names::field(member);
        writeln!(
            out,
            "if let Some(value) = &self.{field} {{\nheaders.push(({at:?}, value.to_string()));\n}}"
        )?;
    }
    out.push_str("headers\n}\n\n");
    Ok(())
}

fn header(
    plan: &Plan<'_>,
    out: &mut String,
    shape: &Shape,
    (member, reference): (&str, &Reference),
) -> anyhow::Result<()> {
    let field = names::field(member);
    let kind = plan.kind(&reference.shape)?;
    let mut at = reference.location_name.clone().unwrap_or_else(|| member.to_owned());
    at.make_ascii_lowercase();
    let set = match (reference.location.as_deref().unwrap_or_default(), kind) {
        ("statusCode", Kind::Integer) => {
            "answer.status = u16::try_from(value).unwrap_or(answer.status);".to_owned()
        }
        ("header", Kind::Text | Kind::Enum) => format!("answer.header({at:?}, value.as_str());"),
        ("header", Kind::Integer | Kind::Long | Kind::Boolean) => {
            format!("answer.header({at:?}, value.to_string());")
        }
        (other, kind) => bail!("`{member}` is at `{other}` and a {kind:?}"),
    };
    if shape.required.iter().any(|name| name == member) {
        writeln!(out, "let value = self.{field};\n{set}")?;
    } else {
        writeln!(out, "if let Some(value) = self.{field} {{\n{set}\n}}")?;
    }
    Ok(())
}
