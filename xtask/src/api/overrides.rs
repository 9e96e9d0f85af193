//! `model/overrides/<service>.toml`: what a service does differently from its model.
//!
//! Each entry carries the observation behind it; one without does not parse.

use super::model::Model;
use anyhow::{Context as _, ensure};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Overrides {
    /// Members that no structure has.
    #[serde(default)]
    drop_member: Vec<DropMember>,
    /// Members that the model requires and the service leaves out.
    #[serde(default)]
    optional_member: Vec<OptionalMember>,
    /// Patterns that need a translation by hand.
    #[serde(default)]
    pub(crate) pattern: Vec<PatternEntry>,
    /// Enumerations that have other values than in the model, or another order where a refusal
    /// lists them.
    #[serde(default)]
    enum_values: Vec<EnumValues>,
    body: Option<Body>,
    violations: Option<Violations>,
    /// Protocols that clients speak and the model does not list.
    #[serde(default)]
    protocol: Vec<ProtocolEntry>,
}

/// The error of a body whose values break the model's constraints, where it is the service's own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Violations {
    code: String,
    observed: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProtocolEntry {
    name: String,
    observed: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DropMember {
    member: String,
    observed: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OptionalMember {
    structure: String,
    member: String,
    observed: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatternEntry {
    pub(crate) model: String,
    pub(crate) rust: String,
    observed: String,
}

/// Largest request bodies.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EnumValues {
    shape: String,
    values: Vec<String>,
    observed: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    bytes_max: usize,
    observed: String,
    #[serde(default)]
    operation: Vec<OperationBody>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OperationBody {
    name: String,
    bytes_max: usize,
    observed: String,
}

impl Overrides {
    /// Reads a service's overrides; a service without such a file has none.
    pub(crate) fn load(root: &Path, service: &str) -> anyhow::Result<Self> {
        let path = root.join(format!("model/overrides/{service}.toml"));
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(&path)?;
        let overrides: Self = toml::from_str(&text).with_context(|| path.display().to_string())?;
        let mut observed: Vec<&str> = Vec::new();
        observed.extend(overrides.drop_member.iter().map(|e| e.observed.as_str()));
        observed.extend(overrides.optional_member.iter().map(|e| e.observed.as_str()));
        observed.extend(overrides.pattern.iter().map(|e| e.observed.as_str()));
        observed.extend(overrides.protocol.iter().map(|e| e.observed.as_str()));
        observed.extend(overrides.enum_values.iter().map(|e| e.observed.as_str()));
        observed.extend(overrides.body.iter().map(|e| e.observed.as_str()));
        observed.extend(overrides.violations.iter().map(|e| e.observed.as_str()));
        let operations = overrides.body.iter().flat_map(|b| &b.operation);
        observed.extend(operations.map(|e| e.observed.as_str()));
        let all = observed.iter().all(|text| !text.trim().is_empty());
        ensure!(all, "{}: an entry has no observation", path.display());
        Ok(overrides)
    }

    /// Changes the model as the service was observed.
    pub(crate) fn apply(&self, model: &mut Model) -> anyhow::Result<()> {
        for entry in &self.drop_member {
            let mut dropped = BTreeSet::new();
            for (_, shape) in &mut model.shapes.0 {
                let hits = shape.members.0.iter().filter(|(name, _)| *name == entry.member);
                dropped.extend(hits.map(|(_, member)| member.shape.clone()));
                shape.members.0.retain(|(name, _)| *name != entry.member);
                shape.required.retain(|name| *name != entry.member);
            }
            ensure!(!dropped.is_empty(), "no structure has a member `{}`", entry.member);
            for shape in dropped {
                if !uses(model, &shape) {
                    model.shapes.0.retain(|(name, _)| *name != shape);
                }
            }
        }
        for entry in &self.optional_member {
            let shape = model.shapes.0.iter_mut().find(|(name, _)| *name == entry.structure);
            let (_, shape) = shape.with_context(|| format!("no shape `{}`", entry.structure))?;
            let before = shape.required.len();
            shape.required.retain(|name| *name != entry.member);
            ensure!(
                shape.required.len() < before,
                "`{}` of `{}` is not required",
                entry.member,
                entry.structure
            );
        }
        for EnumValues { shape: name, values, .. } in &self.enum_values {
            let shape = model.shapes.0.iter_mut().find(|(known, _)| known == name);
            let (_, shape) = shape.with_context(|| format!("no shape `{name}`"))?;
            ensure!(shape.names != *values, "`{name}` has these values already");
            shape.names.clone_from(values);
        }
        let operations = self.body.iter().flat_map(|b| &b.operation);
        for entry in operations {
            let known = model.operations.get(&entry.name).is_some();
            ensure!(known, "no operation `{}`", entry.name);
        }
        Ok(())
    }

    /// Members that are ignored, each with the observation behind it.
    pub(crate) fn dropped_members(&self) -> Vec<(&str, &str)> {
        let entries = self.drop_member.iter();
        entries.map(|entry| (entry.member.as_str(), entry.observed.as_str())).collect()
    }

    /// Protocols that the model does not list.
    pub(crate) fn protocols(&self) -> impl Iterator<Item = &String> {
        self.protocol.iter().map(|entry| &entry.name)
    }

    /// The error of values that break the model's constraints, when it is no `ValidationException`.
    pub(crate) fn violation_code(&self) -> Option<&str> {
        self.violations.as_ref().map(|violations| violations.code.as_str())
    }

    /// Largest body of an operation, in bytes.
    pub(crate) fn body_bytes_max(&self, operation: &str) -> usize {
        let Some(body) = &self.body else {
            return 1 << 20;
        };
        let own = body.operation.iter().find(|o| o.name == operation);
        own.map_or(body.bytes_max, |o| o.bytes_max)
    }
}

/// Whether a shape is still used by another.
fn uses(model: &Model, name: &str) -> bool {
    model.shapes.0.iter().any(|(_, shape)| {
        let inner = shape.members.0.iter().map(|(_, member)| member);
        let inner = inner.chain(&shape.member).chain(&shape.key).chain(&shape.value);
        inner.into_iter().any(|reference| reference.shape == name)
    })
}
