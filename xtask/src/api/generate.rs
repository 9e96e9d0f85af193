//! The files of one generated service.

use super::model::{Model, Pin, Reference, Shape, Type};
use super::overrides::Overrides;
use super::{codec, expressible, names, service, shapes};
use anyhow::{Context as _, bail, ensure};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// What every emitter reads.
pub(super) struct Plan<'a> {
    pub(super) module: String,
    pub(super) model: &'a Model,
    pub(super) overrides: &'a Overrides,
    /// Name and version of the model, for captions.
    pub(super) source: String,
}

/// What a member's shape is in Rust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Structure,
    EventStream,
    List,
    Map,
    Enum,
    Text,
    Blob,
    /// Bytes that may be a body as it comes.
    Stream,
    Boolean,
    Integer,
    Long,
    Double,
    Timestamp,
}

impl<'a> Plan<'a> {
    pub(super) fn shape(&self, name: &str) -> anyhow::Result<&'a Shape> {
        self.model.shape(name)
    }

    pub(super) fn kind(&self, name: &str) -> anyhow::Result<Kind> {
        let shape = self.shape(name)?;
        Ok(match shape.kind {
            Type::Structure if shape.eventstream => Kind::EventStream,
            Type::Structure => Kind::Structure,
            Type::List => Kind::List,
            Type::Map => Kind::Map,
            Type::String if !shape.names.is_empty() => Kind::Enum,
            Type::String => Kind::Text,
            Type::Blob if shape.streaming => Kind::Stream,
            Type::Blob => Kind::Blob,
            Type::Boolean => Kind::Boolean,
            Type::Integer => Kind::Integer,
            Type::Long => Kind::Long,
            Type::Double => Kind::Double,
            Type::Timestamp => Kind::Timestamp,
        })
    }

    /// The Rust type of a shape.
    pub(super) fn rust_type(&self, name: &str) -> anyhow::Result<String> {
        Ok(match self.kind(name)? {
            Kind::Structure | Kind::Enum | Kind::EventStream => name.to_owned(),
            Kind::List => format!("Vec<{}>", self.rust_type(self.element(name)?)?),
            Kind::Map => {
                let (_, value) = self.entry(name)?;
                format!("BTreeMap<Text, {}>", self.rust_type(value)?)
            }
            Kind::Text => "Text".to_owned(),
            Kind::Blob => "Bytes".to_owned(),
            Kind::Stream => "wire::Payload".to_owned(),
            Kind::Boolean => "bool".to_owned(),
            Kind::Integer => "i32".to_owned(),
            Kind::Long => "i64".to_owned(),
            Kind::Double => "f64".to_owned(),
            Kind::Timestamp => "Timestamp".to_owned(),
        })
    }

    /// The shape of a list's elements.
    pub(super) fn element(&self, list: &str) -> anyhow::Result<&'a str> {
        let member = self.shape(list)?.member.as_ref();
        Ok(&member.with_context(|| format!("list `{list}` has no member"))?.shape)
    }

    /// The shapes of a map's keys and values.
    pub(super) fn entry(&self, map: &str) -> anyhow::Result<(&'a str, &'a str)> {
        let shape = self.shape(map)?;
        match (&shape.key, &shape.value) {
            (Some(key), Some(value)) => Ok((&key.shape, &value.shape)),
            _ => bail!("map `{map}` has no key or value"),
        }
    }

    /// Structures that are generated: not event streams, and exceptions only when they have more
    /// than a message; sorted.
    pub(super) fn structures(&self) -> Vec<(&'a str, &'a Shape)> {
        let all = self.model.shapes.0.iter();
        all.filter(|(_, s)| s.kind == Type::Structure && !s.eventstream)
            .filter(|(_, s)| !s.exception || has_more(s))
            .filter(|(name, _)| !self.is_event_stream_output(name))
            .map(|(name, shape)| (name.as_str(), shape))
            .collect()
    }

    /// An output whose only member is an event stream; the stream itself is the answer.
    fn is_event_stream_output(&self, name: &str) -> bool {
        self.event_stream_of(name).is_some()
    }

    /// The event stream that an output structure carries.
    pub(super) fn event_stream_of(&self, output: &str) -> Option<&'a str> {
        let shape = self.model.shapes.get(output)?;
        let [(_, only)] = shape.members.0.as_slice() else {
            return None;
        };
        let inner = self.model.shapes.get(&only.shape)?;
        inner.eventstream.then_some(only.shape.as_str())
    }

    pub(super) fn exceptions(&self) -> Vec<(&'a str, &'a Shape)> {
        let all = self.model.shapes.0.iter();
        all.filter(|(_, s)| s.exception).map(|(name, shape)| (name.as_str(), shape)).collect()
    }

    /// An exception's variant; of two that differ in `Exception` alone, that one is called so.
    pub(super) fn error_variant(&self, exception: &str) -> String {
        let short = names::error_variant(exception);
        let mut others = self.exceptions().into_iter().filter(|(name, _)| *name != exception);
        let is_taken = others.any(|(name, _)| names::error_variant(name) == short);
        if is_taken && exception.ends_with("Exception") { short + "Exception" } else { short }
    }

    /// Whether a member must be boxed, since its structure can hold its owner without a list or map
    /// between them.
    pub(super) fn recursive(&self, owner: &str, member: &Reference) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![member.shape.as_str()];
        while let Some(name) = open.pop() {
            if name == owner {
                return true;
            }
            if !seen.insert(name) {
                continue;
            }
            if let Some(shape) = self.model.shapes.get(name) {
                open.extend(shape.members.0.iter().map(|(_, m)| m.shape.as_str()));
            }
        }
        false
    }

    /// A member's name in bodies.
    pub(super) fn wire_name<'m>(name: &'m str, member: &'m Reference) -> &'m str {
        member.location_name.as_deref().filter(|_| member.location.is_none()).unwrap_or(name)
    }

    /// Whether REST-JSON carries a member of this structure elsewhere than in a body of members.
    pub(super) fn is_located(shape: &Shape) -> bool {
        shape.payload.is_some() || shape.members.0.iter().any(|(_, m)| m.location.is_some())
    }

    /// How the service's clients speak, as `wire::Protocol` has it.
    pub(super) fn protocols(&self) -> anyhow::Result<Vec<&'static str>> {
        let metadata = &self.model.metadata;
        let modeled = match metadata.protocols.as_slice() {
            [] => std::slice::from_ref(&metadata.protocol),
            all => all,
        };
        let mut protocols = Vec::new();
        for name in modeled.iter().chain(self.overrides.protocols()) {
            protocols.push(match (name.as_str(), metadata.json_version.as_deref()) {
                ("json", Some("1.0")) | ("json-1.0", _) => "Json10",
                ("json", Some("1.1")) => "Json11",
                ("aws-cbor", _) => "Cbor11",
                ("smithy-rpc-v2-cbor", _) => "RpcCbor",
                ("rest-json", _) => "RestJson",
                ("query", _) => "Query",
                (other, _) => bail!("protocol `{other}` is not known"),
            });
        }
        Ok(protocols)
    }

    /// The name of an error in the query protocol, where clients look for it.
    pub(super) fn query_code(&self, exception: &str) -> Option<&'a str> {
        let metadata = &self.model.metadata;
        let knew_it =
            metadata.aws_query_compatible.is_some() || metadata.protocols().contains(&"query");
        let error = self.model.shapes.get(exception)?.error.as_ref()?;
        error.code.as_deref().filter(|_| knew_it)
    }

    /// Whether a structure has a member that streams.
    pub(super) fn has_stream(&self, name: &str) -> anyhow::Result<bool> {
        let Some(shape) = self.model.shapes.get(name) else { return Ok(false) };
        let kinds: anyhow::Result<Vec<Kind>> =
            shape.members.0.iter().map(|(_, member)| self.kind(&member.shape)).collect();
        Ok(kinds?.contains(&Kind::Stream))
    }

    /// Whether an operation's body may come packed.
    pub(super) fn packs(&self, operation: &str) -> bool {
        let operation = self.model.operations.get(operation);
        operation.is_some_and(|operation| operation.request_compression.is_some())
    }

    /// Whether clients of ours can call it: all of an input is in the body.
    pub(super) fn has_operations(&self) -> anyhow::Result<bool> {
        Ok(self.protocols()?.iter().any(|p| !matches!(*p, "RestJson" | "Query")))
    }

    /// Whether a shape holds a blob, itself or further inside.
    pub(super) fn holds_blob(&self, name: &str) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![name];
        while let Some(name) = open.pop() {
            let Some(shape) = self.model.shapes.get(name).filter(|_| seen.insert(name)) else {
                continue;
            };
            if shape.kind == Type::Blob {
                return true;
            }
            let inner = shape.members.0.iter().map(|(_, m)| m);
            let inner = inner.chain(&shape.member).chain(&shape.value);
            open.extend(inner.map(|m| m.shape.as_str()));
        }
        false
    }

    /// The caption of a generated file.
    pub(super) fn caption(&self, what: &str) -> String {
        format!(
            "//! {what}\n//!\n//! Generated by `cargo xtask api gen` from {}. Do not edit.\n\n",
            self.source
        )
    }
}

/// Whether an exception has members beside its message.
pub(super) fn has_more(exception: &Shape) -> bool {
    exception.members.0.iter().any(|(name, _)| !is_message(name))
}

/// Whether a member of an exception is its message.
pub(super) fn is_message(member: &str) -> bool {
    member.eq_ignore_ascii_case("message")
}

/// Every file of a service: path below `crates/api/src`, text before rustfmt.
pub(super) fn files(
    name: &str,
    model: &Model,
    overrides: &Overrides,
    pin: &Pin,
) -> anyhow::Result<Vec<(String, String)>> {
    let module = names::module(name);
    let ours = pin.service.iter().any(|service| service.name == name && service.path.is_none());
    let origin = if ours { "ours".to_owned() } else { format!("{} {}", pin.package, pin.version) };
    let source = format!("`{}` {}, {origin}", name, model.metadata.api_version);
    let plan = Plan { module, model, overrides, source };
    check_names(&plan)?;
    expressible::check(&plan).with_context(|| format!("`{name}`"))?;
    let module = &plan.module;
    let mut files = vec![(format!("{module}.rs"), service::root(&plan)?)];
    let mut add = |file: &str, text: String| files.push((format!("{module}/{file}.rs"), text));
    add("enums", shapes::enums(&plan)?);
    add("shapes", shapes::structures(&plan)?);
    add("rules", codec::rules(&plan)?);
    add("codec", codec::structures(&plan)?);
    add("lists", codec::lists(&plan)?);
    add("error", service::errors(&plan)?);
    add("service", service::service(&plan)?);
    if plan.has_operations()? {
        add("ops", service::operations(&plan)?);
    }
    Ok(files)
}

/// Refuses names that would hide one of ours.
fn check_names(plan: &Plan<'_>) -> anyhow::Result<()> {
    const TAKEN: [&str; 20] = [
        "Text",
        "Bytes",
        "Timestamp",
        "Vec",
        "Option",
        "Box",
        "BTreeMap",
        "String",
        "Error",
        "Server",
        "Reader",
        "Writer",
        "Member",
        "Result",
        "Default",
        "Debug",
        "Call",
        "Routes",
        "Operation",
        "Answer",
    ];
    for (name, shape) in &plan.model.shapes.0 {
        let ours = shape.kind == Type::Structure || !shape.names.is_empty();
        ensure!(!(ours && TAKEN.contains(&name.as_str())), "shape `{name}` hides a name of ours");
        ensure!(shape.members.0.len() <= 64, "structure `{name}` has more than 64 members");
    }
    Ok(())
}

/// `text` as rustfmt writes it.
pub(super) fn formatted(root: &Path, text: &str) -> anyhow::Result<String> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root.join("rustfmt.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("rustfmt is needed")?;
    let mut stdin = child.stdin.take().context("a piped child has a standard input")?;
    // Why a thread: a file longer than a pipe holds would stop both sides.
    let input = text.to_owned();
    let feeder = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output()?;
    feeder.join().map_err(|_| anyhow::anyhow!("rustfmt could not be fed"))??;
    ensure!(output.status.success(), "rustfmt refused generated code");
    Ok(String::from_utf8(output.stdout)?)
}
