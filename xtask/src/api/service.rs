//! Emits a service's root, errors, trait, server and client operations.

use super::generate::Plan;
use super::model::{Operation, Shape};
use super::names;
use std::fmt::Write as _;

/// The module itself.
pub(super) fn root(plan: &Plan<'_>) -> String {
    let id = &plan.model.metadata.service_id;
    let mut out = plan.caption(&format!("{id}: shapes, checks, errors, service trait."));
    out.push_str(
        "#![allow(clippy::wildcard_imports, reason = \"generated: shapes name each other\")]\n\
         #![expect(clippy::semicolon_if_nothing_returned, reason = \"rustfmt breaks long arms\")]\n\n",
    );
    out.push_str(
        "mod codec;\nmod enums;\nmod error;\nmod lists;\npub mod ops;\nmod rules;\nmod service;\n\
         mod shapes;\n\n",
    );
    out.push_str("pub use error::Error;\n");
    if plan.model.shapes.0.iter().any(|(_, s)| !s.names.is_empty()) {
        out.push_str("pub use enums::*;\n");
    }
    let service = names::service_trait(id);
    let _infallible = writeln!(out, "pub use service::{{{service}, Server}};");
    out.push_str("pub use shapes::*;\n");
    out
}

/// The errors: modeled exceptions, and those that every service can give.
fn error_cases(plan: &Plan<'_>) -> Vec<(String, String, u16)> {
    let mut cases: Vec<(String, String, u16)> = plan
        .exceptions()
        .into_iter()
        .map(|(name, shape)| (names::error_variant(name), name.to_owned(), status(shape)))
        .collect();
    for (variant, code, status) in [
        ("InternalFailure", "InternalFailureException", 500),
        ("ServiceUnavailable", "ServiceUnavailableException", 503),
        ("Validation", "ValidationException", 400),
    ] {
        if !cases.iter().any(|(v, ..)| v == variant) {
            cases.push((variant.to_owned(), code.to_owned(), status));
        }
    }
    cases.sort();
    cases
}

fn status(shape: &Shape) -> u16 {
    let modeled = shape.error.as_ref().map(|e| e.http_status_code);
    modeled.unwrap_or(if shape.fault { 500 } else { 400 })
}

pub(super) fn errors(plan: &Plan<'_>) -> String {
    let cases = error_cases(plan);
    let mut out = plan.caption("Errors of the service.");
    out.push_str("use std::fmt;\n\n");
    out.push_str(
        "/// What an operation refuses with; each case holds the message for the client.\n\
         #[derive(Clone, Debug, PartialEq, Eq)]\npub enum Error {\n",
    );
    let mut line = |text: String| out.push_str(&(text + "\n"));
    for (variant, code, status) in &cases {
        line(format!("/// `{code}`, HTTP status {status}."));
        line(format!("{variant}(String),"));
    }
    line("}\n\nimpl Error {".to_owned());
    line("/// The error's name on the wire.\npub fn code(&self) -> &'static str {".to_owned());
    line("match self {".to_owned());
    for (variant, code, _) in &cases {
        line(format!("Error::{variant}(_) => {code:?},"));
    }
    line("}\n}\n".to_owned());
    line("/// The HTTP status of the answer.\npub fn status(&self) -> u16 {".to_owned());
    line("match self {".to_owned());
    let unusual: Vec<_> = cases.iter().filter(|(_, _, status)| *status != 400).collect();
    for (variant, _, status) in unusual {
        line(format!("Error::{variant}(_) => {status},"));
    }
    line("_ => 400,\n}\n}\n".to_owned());
    line("/// What the client is told.\npub fn message(&self) -> &str {\nmatch self {".to_owned());
    let all: Vec<String> = cases.iter().map(|(v, ..)| format!("Error::{v}(message)")).collect();
    line(format!("{} => message,\n}}\n}}\n", all.join(" | ")));
    line("fn into_message(self) -> String {\nmatch self {".to_owned());
    line(format!("{} => message,\n}}\n}}\n", all.join(" | ")));
    line(
        "/// The error that a name on the wire stands for; None when the model has no such name.\n\
         pub fn from_code(code: &str, message: String) -> Option<Self> {\nSome(match code {"
            .to_owned(),
    );
    for (variant, code, _) in &cases {
        line(format!("{code:?} => Error::{variant}(message),"));
    }
    line("_ => return None,\n})\n}\n}\n".to_owned());
    line(
        "impl fmt::Display for Error {\n\
         fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {\n\
         write!(f, \"{}: {}\", self.code(), self.message())\n}\n}\n\n\
         impl std::error::Error for Error {}\n\n\
         impl From<Error> for wire::Refusal {\nfn from(error: Error) -> Self {\n\
         let (status, code) = (error.status(), error.code());\n\
         wire::Refusal { status, code, message: error.into_message().into() }\n}\n}"
            .to_owned(),
    );
    out
}

/// An operation's name, input and output as Rust knows them.
struct Signature<'a> {
    name: &'a str,
    method: String,
    input: &'a str,
    output: Output<'a>,
    errors: Vec<String>,
}

enum Output<'a> {
    Nothing,
    Body(&'a str),
    Events(&'a str),
}

fn signature<'a>(plan: &Plan<'a>, name: &'a str, operation: &'a Operation) -> Signature<'a> {
    let output = match operation.output.as_ref().map(|o| o.shape.as_str()) {
        None => Output::Nothing,
        Some(shape) => match plan.event_stream_of(shape) {
            Some(stream) => Output::Events(stream),
            None => Output::Body(shape),
        },
    };
    Signature {
        name,
        method: names::snake(name),
        input: operation.input.as_ref().map_or("()", |i| i.shape.as_str()),
        output,
        errors: operation.errors.iter().map(|e| names::error_variant(&e.shape)).collect(),
    }
}

fn signatures<'a>(plan: &Plan<'a>) -> Vec<Signature<'a>> {
    let mut all: Vec<_> =
        plan.model.operations.0.iter().map(|(name, o)| signature(plan, name, o)).collect();
    all.sort_by_key(|s| s.name);
    all
}

pub(super) fn service(plan: &Plan<'_>) -> anyhow::Result<String> {
    let service = names::service_trait(&plan.model.metadata.service_id);
    let all = signatures(plan);
    let mut out = plan.caption("The service as a trait, and the trait behind the wire.");
    out.push_str("use super::*;\n");
    if all.iter().any(|s| matches!(s.output, Output::Events(_))) {
        out.push_str("use crate::{EventShape, EventStream};\nuse bytes::Bytes;\n");
    }
    out.push_str(
        "use base::Cx;\nuse std::future::Future;\nuse std::sync::Arc;\n\
         use wire::{Answer, BoxFuture, Call, Operation, Refusal, Routes};\n\n",
    );
    service_trait(&mut out, &service, &all)?;
    routes(plan, &mut out, &all)?;
    server(plan, &mut out, &service, &all)?;
    for signature in &all {
        if let Output::Events(stream) = signature.output {
            event_shape(plan, &mut out, stream)?;
        }
    }
    Ok(out)
}

fn service_trait(out: &mut String, service: &str, all: &[Signature<'_>]) -> anyhow::Result<()> {
    writeln!(out, "/// Every operation of the service. None has a default, so that a new model")?;
    writeln!(out, "/// version does not compile until each has a body or an explicit refusal.")?;
    writeln!(out, "pub trait {service}: Send + Sync + 'static {{")?;
    for s in all {
        writeln!(out, "/// `{}`.\n///\n/// # Errors", s.name)?;
        let errors: Vec<String> = s.errors.iter().map(|e| format!("`{e}`")).collect();
        let errors = if errors.is_empty() { "None is modeled".into() } else { errors.join(", ") };
        for line in wrap(&format!("{errors}."), 94) {
            writeln!(out, "/// {line}")?;
        }
        let output = match s.output {
            Output::Nothing => "()".to_owned(),
            Output::Body(shape) => shape.to_owned(),
            Output::Events(stream) => format!("EventStream<{stream}, Error>"),
        };
        writeln!(
            out,
            "fn {}(&self, cx: &Cx, input: {}) -> impl Future<Output = Result<{output}, Error>> + Send;\n",
            s.method, s.input
        )?;
    }
    out.push_str("}\n\n");
    Ok(())
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let full = lines.last().is_some_and(|l| !l.is_empty() && l.len() + word.len() >= width);
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

fn routes(plan: &Plan<'_>, out: &mut String, all: &[Signature<'_>]) -> anyhow::Result<()> {
    let metadata = &plan.model.metadata;
    out.push_str("static ROUTES: Routes = Routes {\n");
    writeln!(out, "signing_name: {:?},", metadata.signing_name())?;
    writeln!(out, "target_prefix: {:?},", metadata.target_prefix.as_deref().unwrap_or(""))?;
    out.push_str("operations: &[\n");
    for s in all {
        let bytes = plan.overrides.body_bytes_max(s.name) as f64;
        writeln!(
            out,
            "Operation {{ name: {:?}, body_bytes_max: {} }},",
            s.name,
            names::number(bytes)
        )?;
    }
    out.push_str("],\n};\n\n");
    Ok(())
}

fn server(
    plan: &Plan<'_>,
    out: &mut String,
    service: &str,
    all: &[Signature<'_>],
) -> anyhow::Result<()> {
    writeln!(out, "/// A service behind the wire: decode and check, act, encode.")?;
    writeln!(out, "#[derive(Debug)]\npub struct Server<T>(Arc<T>);\n")?;
    writeln!(out, "impl<T: {service}> Server<T> {{\n/// Puts `service` behind the wire.")?;
    out.push_str("pub fn new(service: Arc<T>) -> Self {\nSelf(service)\n}\n}\n\n");
    writeln!(out, "impl<T: {service}> wire::Service for Server<T> {{")?;
    out.push_str("fn routes(&self) -> &'static Routes {\n&ROUTES\n}\n\n");
    out.push_str("fn call(&self, call: Call) -> BoxFuture<'_, Result<Answer, Refusal>> {\n");
    out.push_str("let service = &*self.0;\nmatch call.operation {\n");
    for (i, s) in all.iter().enumerate() {
        let (macro_name, output) = match s.output {
            Output::Nothing => ("answer_nothing", String::new()),
            Output::Body(shape) if plan.holds_blob(shape) => {
                ("answer_body", format!(", {shape}, hint"))
            }
            Output::Body(shape) => ("answer_body", format!(", {shape}")),
            Output::Events(_) => ("answer_events", String::new()),
        };
        let (method, input) = (&s.method, s.input);
        writeln!(out, "{i} => {macro_name}!(service, call, {method}, {input}{output}),")?;
    }
    out.push_str("_ => crate::serve::unknown_operation(),\n}\n}\n}\n\n");
    Ok(())
}

fn event_shape(plan: &Plan<'_>, out: &mut String, stream: &str) -> anyhow::Result<()> {
    let members: Vec<&str> = plan
        .shape(stream)?
        .members
        .0
        .iter()
        .filter(|(_, m)| plan.shape(&m.shape).is_ok_and(|s| !s.exception))
        .map(|(name, _)| name.as_str())
        .collect();
    writeln!(out, "impl EventShape for {stream} {{")?;
    out.push_str("fn frame(&self, format: wire::Format) -> Bytes {\nmatch self {\n");
    for member in &members {
        let inner = member_shape(plan, stream, member)?;
        let hint = if plan.holds_blob(inner) { "event.bytes_hint()" } else { "256" };
        writeln!(out, "{stream}::{member}(event) => {{")?;
        writeln!(
            out,
            "let (frame, mut w) = wire::event_stream::FrameWriter::event({member:?}, format, {hint});"
        )?;
        out.push_str("event.write(&mut w);\nframe.finish(w)\n}\n");
    }
    out.push_str("}\n}\n\n");
    out.push_str("fn read(event_type: &str, format: wire::Format, payload: Bytes) -> Result<Option<Self>, Refusal> {\n");
    out.push_str("match event_type {\n");
    for member in &members {
        let inner = member_shape(plan, stream, member)?;
        writeln!(
            out,
            "{member:?} => wire::decode_lenient(format, payload, {inner}::read).map(|event| \
             Some({stream}::{member}(event))),"
        )?;
    }
    out.push_str("_ => Ok(None),\n}\n}\n}\n\n");
    Ok(())
}

fn member_shape<'a>(plan: &Plan<'a>, owner: &str, member: &str) -> anyhow::Result<&'a str> {
    let reference = plan.shape(owner)?.members.get(member);
    Ok(reference.map_or("", |m| m.shape.as_str()))
}

/// One unit type an operation, for clients.
pub(super) fn operations(plan: &Plan<'_>) -> anyhow::Result<String> {
    let metadata = &plan.model.metadata;
    let all = signatures(plan);
    let mut out = plan.caption("Operations as clients name them.");
    out.push_str("use super::*;\n\n");
    writeln!(out, "const SIGNING_NAME: &str = {:?};", metadata.signing_name())?;
    writeln!(
        out,
        "const TARGET_PREFIX: &str = {:?};\n",
        metadata.target_prefix.as_deref().unwrap_or("")
    )?;
    for s in &all {
        writeln!(out, "/// `{}`.\n#[derive(Clone, Copy, Debug)]\npub struct {};", s.name, s.name)?;
        let input = s.input;
        let hint = if plan.holds_blob(input) { " hint" } else { "" };
        match s.output {
            Output::Body(output) => {
                writeln!(out, "operation!({}, {input}{hint} => {output});\n", s.name)?;
            }
            Output::Nothing | Output::Events(_) => {
                writeln!(out, "operation!({}, {input}{hint});\n", s.name)?;
            }
        }
    }
    Ok(out)
}
