//! Refuses a model with facts that generated code would drop.
//!
//! What is no fact for it: `box`, since every member that is not required is an `Option` already;
//! `idempotencyToken`, since a caller may set the member itself; `union`, since its service says
//! which of its members go together. `resultWrapper` and `xmlOrder` of the query protocol are those
//! that `wire` writes for every operation.

use super::generate::{Kind, Plan};
use super::model::{Operation, Shape};
use anyhow::ensure;
use std::collections::BTreeSet;

/// Checks that generated code says all that the model says.
///
/// # Errors
/// Names each kind of fact that would be dropped, with the first place of it.
pub(super) fn check(plan: &Plan<'_>) -> anyhow::Result<()> {
    let mut facts = Vec::new();
    for (name, operation) in &plan.model.operations.0 {
        facts.extend(of_operation(name, operation));
    }
    for (name, shape) in &plan.model.shapes.0 {
        facts.extend(of_shape(name, shape));
    }
    let text = lines(&facts).join("\n  ");
    ensure!(facts.is_empty(), "generated code would drop:\n  {text}");
    places(plan)?;
    paths(plan)
}

/// Checks that each member is where its protocols can carry it.
fn places(plan: &Plan<'_>) -> anyhow::Result<()> {
    let protocols = plan.protocols()?;
    let is_query = protocols.contains(&"Query");
    let operations = &plan.model.operations.0;
    for (name, shape) in &plan.model.shapes.0 {
        let inputs = operations.iter().filter_map(|(_, operation)| operation.input.as_ref());
        let outputs = operations.iter().filter_map(|(_, operation)| operation.output.as_ref());
        let is_input = inputs.into_iter().any(|input| input.shape == *name);
        let is_output = outputs.into_iter().any(|output| output.shape == *name);
        for (member, reference) in &shape.members.0 {
            let kind = plan.kind(&reference.shape)?;
            let what = format!("member `{member}` of `{name}`");
            let is_end = is_input || is_output || shape.exception;
            ensure!(
                reference.location.is_none() || is_end,
                "{what} is not in the body, but inside"
            );
            ensure!(kind != Kind::Stream || is_end, "{what} streams, but inside");
            ensure!(
                kind != Kind::EventStream || plan.event_stream_of(name).is_some(),
                "{what} is an event stream beside other members"
            );
            ensure!(
                kind != Kind::Stream || !is_output || protocols == ["RestJson"],
                "{what} streams an answer, which REST-JSON alone carries"
            );
            let is_word = matches!(member.as_str(), "member" | "entry");
            ensure!(!(is_query && is_word), "{what} cannot be told from a list in a form");
            let is_said = is_input && matches!(member.as_str(), "Action" | "Version");
            ensure!(!(is_query && is_said), "{what} cannot be told from the operation's name");
        }
        ensure!(!(shape.exception && shape.payload.is_some()), "exception `{name}` is a payload");
        spelled(name, shape)?;
    }
    for (name, operation) in operations {
        let wrapper = operation.output.as_ref().and_then(|output| output.result_wrapper.as_ref());
        let usual = format!("{name}Result");
        ensure!(wrapper.is_none_or(|w| *w == usual), "operation `{name}` has another wrapper");
        let is_fixed = operation.http.request_uri.contains('?');
        ensure!(!is_fixed, "operation `{name}` has a query of its own");
    }
    Ok(())
}

/// Checks that elements and entries are called as `wire` calls them.
fn spelled(name: &str, shape: &Shape) -> anyhow::Result<()> {
    let known = [
        (&shape.member, &["member"][..]),
        (&shape.key, &["key", "Name"]),
        (&shape.value, &["value", "Value"]),
    ];
    for (reference, names) in known {
        let called = reference.as_ref().and_then(|reference| reference.location_name.as_deref());
        let is_known = called.is_none_or(|called| names.contains(&called));
        ensure!(is_known, "what `{name}` holds is called {called:?}");
    }
    Ok(())
}

/// Checks that method and path tell an operation.
fn paths(plan: &Plan<'_>) -> anyhow::Result<()> {
    if !plan.protocols()?.contains(&"RestJson") {
        return Ok(());
    }
    let mut paths = BTreeSet::new();
    for (name, operation) in &plan.model.operations.0 {
        let path = operation.http.request_uri.split('?').next().unwrap_or_default();
        let is_new = paths.insert((&operation.http.method, path));
        ensure!(is_new, "operation `{name}` differs from another by its query alone");
    }
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

fn of_operation(name: &str, operation: &Operation) -> Vec<Fact> {
    let place = format!("operation `{name}`");
    let mut facts = Vec::new();
    let mut add = |kind: String| facts.push(Fact::new(&place, kind));
    let encodings = operation.request_compression.iter().flat_map(|c| &c.encodings);
    for encoding in encodings.filter(|encoding| *encoding != "gzip") {
        add(format!("requestcompression `{encoding}`"));
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
    if let Some(format) = &shape.timestamp_format {
        add(format!("timestampFormat `{format}`"));
    }
    for (member, reference) in &shape.members.0 {
        if reference.event_payload {
            add(format!("eventpayload `{member}`"));
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
        let open = r#"{"http": {"method": "POST", "requestUri": "/"}, "authtype": "none"}"#;
        let open = of_operation("O", &serde_json::from_str(open).unwrap());
        assert_eq!(lines(&open), ["operation `O`: authtype `none`"]);
    }
}
