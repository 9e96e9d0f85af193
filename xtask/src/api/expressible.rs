//! Refuses a model with facts that generated code would drop.
//!
//! What is no fact for it: `box`, since every member that is not required is an `Option` already;
//! `idempotencyToken`, since a caller may set the member itself. Places of a REST protocol
//! (`location`, `payload`, method and path) and names of the query protocol (`resultWrapper`,
//! `xmlOrder`, `code` and `senderFault` of errors) go with their protocol.

use super::model::{Metadata, Model, Operation, Shape};
use anyhow::ensure;

/// The protocols that generated services speak.
const PROTOCOLS: [&str; 1] = ["json"];
/// The version of the JSON protocol whose content type generated services answer with.
const JSON_VERSION: &str = "1.1";
/// The only member of an exception that an error holds.
const MESSAGE: &str = "message";

/// Checks that generated code says all that the model of `service` says.
///
/// # Errors
/// Names the service and each kind of fact that would be dropped, with the first place of it.
pub(super) fn check(service: &str, model: &Model) -> anyhow::Result<()> {
    let mut facts = of_metadata(&model.metadata);
    for (name, operation) in &model.operations.0 {
        facts.extend(of_operation(name, operation));
    }
    for (name, shape) in &model.shapes.0 {
        facts.extend(of_shape(name, shape));
    }
    let text = lines(&facts).join("\n  ");
    ensure!(facts.is_empty(), "`{service}` has facts that generated code would drop:\n  {text}");
    Ok(())
}

/// A fact that would be dropped.
struct Fact {
    /// The part of the model that states it.
    place: String,
    /// What the fact is; equal for facts of one kind.
    kind: String,
}

impl Fact {
    fn new(place: &str, kind: impl Into<String>) -> Self {
        Self { place: place.to_owned(), kind: kind.into() }
    }
}

/// One line for each kind of fact: the first place, and how many more there are.
fn lines(facts: &[Fact]) -> Vec<String> {
    let mut lines = Vec::new();
    for (i, Fact { place, kind }) in facts.iter().enumerate() {
        let (before, from) = facts.split_at(i);
        if before.iter().any(|fact| fact.kind == *kind) {
            continue;
        }
        let more = from.iter().filter(|fact| fact.kind == *kind).count() - 1;
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        lines.push(format!("{place}: {kind}{more}"));
    }
    lines
}

fn of_metadata(metadata: &Metadata) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut add = |kind: String| facts.push(Fact::new("metadata", kind));
    for protocol in metadata.protocols() {
        if !PROTOCOLS.contains(&protocol) {
            add(format!("protocol `{protocol}`"));
        }
    }
    if let Some(version) = metadata.json_version.as_deref().filter(|v| *v != JSON_VERSION) {
        add(format!("jsonVersion `{version}`"));
    }
    if metadata.aws_query_compatible.is_some() {
        add("awsQueryCompatible".to_owned());
    }
    facts
}

fn of_operation(name: &str, operation: &Operation) -> Vec<Fact> {
    let place = format!("operation `{name}`");
    let mut facts = Vec::new();
    let mut add = |kind: String| facts.push(Fact::new(&place, kind));
    if let Some(compression) = &operation.request_compression {
        add(format!("requestcompression `{}`", compression.encodings.join(", ")));
    }
    if let Some(auth_type) = &operation.auth_type {
        add(format!("authtype `{auth_type}`"));
    }
    facts
}

fn of_shape(name: &str, shape: &Shape) -> Vec<Fact> {
    let place = format!("shape `{name}`");
    let mut facts = Vec::new();
    let mut add = |kind: String| facts.push(Fact::new(&place, kind));
    if shape.document {
        add("document".to_owned());
    }
    if shape.union {
        add("union".to_owned());
    }
    if let Some(format) = &shape.timestamp_format {
        add(format!("timestampFormat `{format}`"));
    }
    for (member, reference) in &shape.members.0 {
        if shape.exception && member != MESSAGE {
            add(format!("exception member `{member}`"));
        }
        if reference.event_payload {
            add(format!("eventpayload `{member}`"));
        }
        if reference.location.is_none() && reference.location_name.is_some() {
            add(format!("locationName of `{member}` in a body"));
        }
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(shape: &str, want: &[&str]) {
        let shape: Shape = serde_json::from_str(shape).unwrap();
        assert_eq!(lines(&of_shape("S", &shape)), want);
    }

    #[test]
    fn facts_of_no_kept_operation() {
        check(r#"{"type": "timestamp"}"#, &[]);
        check(
            r#"{"type": "timestamp", "timestampFormat": "iso8601"}"#,
            &["shape `S`: timestampFormat `iso8601`"],
        );
        check(
            r#"{"type": "structure", "members": {"A": {"shape": "B", "eventpayload": true}}}"#,
            &["shape `S`: eventpayload `A`"],
        );
        check(
            r#"{"type": "structure", "members": {"A": {"shape": "B", "locationName": "a"}}}"#,
            &["shape `S`: locationName of `A` in a body"],
        );
        let open = r#"{"http": {"method": "POST", "requestUri": "/"}, "authtype": "none"}"#;
        let open = of_operation("O", &serde_json::from_str(open).unwrap());
        assert_eq!(lines(&open), ["operation `O`: authtype `none`"]);
    }
}
