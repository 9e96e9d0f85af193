//! Conformance vectors made from a service's model, each with the outcome that the model demands.
//!
//! ```text
//! model/<service>.json -> a whole sample of each input -> one change at a time -> oracle -> Vector
//! ```
//!
//! Nothing here knows the generated code: samples, encodings and expectations are made from the
//! model's facts alone. Each bound is tried at min-1, min, max and max+1; each member absent, null
//! and of every wrong type; each enum value and one more; patterns; unknown members; repeated
//! keys; nesting at its cap and past it.

mod model;
mod oracle;
mod samples;
mod value;

pub use model::Model;
pub use value::{Lengths, Value};

use model::{Kind, Shape};
use std::path::Path;

/// What the service must do with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// The body is legal.
    Accepted,
    /// `SerializationException` with this message; None leaves the message open.
    Serialization(Option<String>),
    /// `ValidationException` with this whole message.
    Validation(String),
}

/// One body and what must come of it.
#[derive(Clone, Debug)]
pub struct Vector {
    /// What is tried, as `Records[].Data: max + 1`.
    pub name: String,
    /// The input.
    pub body: Value,
    /// What must come of it.
    pub expect: Expect,
}

/// The vectors of one service.
pub struct Vectors {
    model: Model,
    /// Members that the service ignores although the model has them.
    ignored: Vec<String>,
}

impl Vectors {
    /// Reads a service's model from `model/` in the workspace.
    ///
    /// # Panics
    /// The file is missing or no model.
    pub fn of(service: &str, ignored: &[&str]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let path = root.join(format!("model/{service}.json"));
        let text = std::fs::read_to_string(&path).expect("a model is in the workspace");
        let model = serde_json::from_str(&text).expect("`api pull` writes models");
        Self { model, ignored: ignored.iter().map(|name| (*name).to_owned()).collect() }
    }

    /// Names of the operations, in the model's order.
    pub fn operations(&self) -> Vec<String> {
        self.model.operations.entries.iter().map(|(name, _)| name.clone()).collect()
    }

    /// An input with every member, and one with the required members only.
    pub fn samples(&self, operation: &str) -> [Value; 2] {
        let input = self.input(operation);
        [true, false].map(|whole| self.model.sample(input, whole))
    }

    /// An output with every member, and one with the required members only; None for operations
    /// that answer without a body.
    pub fn output_samples(&self, operation: &str) -> Option<[Value; 2]> {
        let operation = self.model.operations.get(operation)?;
        let output = &operation.output.as_ref()?.shape;
        let members = &self.model.shape(output).members.entries;
        if members.iter().any(|(_, m)| self.model.shape(&m.shape).eventstream) {
            return None;
        }
        Some([true, false].map(|whole| self.model.sample(output, whole)))
    }

    fn input(&self, operation: &str) -> &str {
        let operation = self.model.operations.get(operation).expect("an operation of the model");
        &operation.input.as_ref().expect("every operation has an input").shape
    }

    /// Every vector of an operation.
    pub fn operation(&self, operation: &str) -> Vec<Vector> {
        let input = self.input(operation).to_owned();
        let [whole, least] = self.samples(operation);
        let mut made = Vec::new();
        let mut add = |name: String, body: Value| {
            let expect = oracle::expect(&self.model, &self.ignored, &input, &body);
            made.push(Vector { name, body, expect });
        };
        add("every member".into(), whole.clone());
        add("required members only".into(), least);
        add("nothing".into(), Value::Map(Vec::new()));
        for (name, wrong) in samples::wrong_types() {
            add(format!("a body that is {name}"), wrong);
        }
        self.change(&input, &whole, "", &mut |name, body| add(name, body));
        made
    }

    /// Changes `value`, a sample of `shape`, in one place at a time.
    fn change(&self, shape: &str, value: &Value, path: &str, add: &mut dyn FnMut(String, Value)) {
        let (facts, kind) = (self.model.shape(shape), self.model.kind(shape));
        for (what, changed) in samples::boundaries(&self.model, shape, value) {
            add(format!("{path}: {what}"), changed);
        }
        match (kind, value) {
            (Kind::Structure, Value::Map(entries)) => {
                self.change_structure(facts, entries, path, add);
            }
            (Kind::List, Value::List(elements)) => {
                let element = &facts.member.as_ref().expect("a list has a member").shape;
                if let Some(sample) = elements.first() {
                    self.change_inner(element, sample, &format!("{path}[]"), &mut |name, inner| {
                        add(name, Value::List(vec![inner]));
                    });
                }
            }
            (Kind::Map, Value::Map(entries)) => {
                let inner = &facts.value.as_ref().expect("a map has values").shape;
                if let Some((key, sample)) = entries.first() {
                    self.change_inner(inner, sample, &format!("{path}{{}}"), &mut |name, inner| {
                        add(name, Value::Map(vec![(key.clone(), inner)]));
                    });
                }
            }
            _ => {}
        }
    }

    /// Changes a value that `add` puts back where it stands.
    fn change_inner(
        &self,
        shape: &str,
        sample: &Value,
        path: &str,
        add: &mut dyn FnMut(String, Value),
    ) {
        add(format!("{path}: null"), Value::Null);
        for (name, wrong) in samples::wrong_types() {
            add(format!("{path}: {name}"), wrong);
        }
        self.change(shape, sample, path, add);
    }

    fn change_structure(
        &self,
        facts: &Shape,
        entries: &[(String, Value)],
        path: &str,
        add: &mut dyn FnMut(String, Value),
    ) {
        for (at, (member, sample)) in entries.iter().enumerate() {
            let path = format!("{path}.{member}");
            let without: Vec<_> =
                entries.iter().filter(|(name, _)| name != member).cloned().collect();
            add(format!("{path}: absent"), Value::Map(without));
            let shape = &facts.members.get(member).expect("samples follow the model").shape;
            self.change_inner(shape, sample, &path, &mut |name, inner| {
                let mut entries = entries.to_vec();
                entries[at].1 = inner;
                add(name, Value::Map(entries));
            });
            for (what, other) in samples::boundaries(&self.model, shape, sample) {
                if other.is_large() {
                    continue;
                }
                let mut twice = entries.to_vec();
                twice.push((member.clone(), other.clone()));
                add(format!("{path}: again, then {what}"), Value::Map(twice));
                let mut twice = entries.to_vec();
                twice.insert(0, (member.clone(), other));
                add(format!("{path}: {what}, then again"), Value::Map(twice));
            }
        }
        for (what, unknown) in samples::unknown_values() {
            let mut more = entries.to_vec();
            more.insert(0, ("Zz".to_owned(), unknown));
            add(format!("{path}: an unknown member that is {what}"), Value::Map(more));
        }
    }
}
