//! Emits a service's root, errors, trait, server and client operations.

use super::generate::{Plan, has_more, is_message};
use super::model::{Operation, Shape};
use super::{names, rest};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The module itself.
pub(super) fn root(plan: &Plan<'_>) -> anyhow::Result<String> {
    let id = &plan.model.metadata.service_id;
    let mut out = plan.caption(&format!("{id}: shapes, checks, errors, service trait."));
    out.push_str(
        "#![allow(\nclippy::many_single_char_names,\nclippy::match_wildcard_for_single_variants,\n\
         clippy::semicolon_if_nothing_returned,\nclippy::wildcard_imports,\nnon_camel_case_types,\n\
         reason = \"generated: few cases differ, shapes name each other as the model does, rustfmt \
         breaks long arms\"\n)]\n\n",
    );
    let ops = if plan.has_operations()? { "pub mod ops;\n" } else { "" };
    writeln!(
        out,
        "mod codec;\nmod enums;\nmod error;\nmod lists;\n{ops}\
         #[allow(dead_code, reason = \"generated: errors are not read\")]\nmod rules;\nmod service;\nmod shapes;\n"
    )?;
    out.push_str("pub use error::Error;\n");
    if plan.model.shapes.0.iter().any(|(_, s)| !s.names.is_empty()) {
        out.push_str("pub use enums::*;\n");
    }
    let service = names::service_trait(id);
    writeln!(out, "pub use service::{{{service}, ROUTES, Server}};")?;
    out.push_str("pub use shapes::*;\n");
    Ok(out)
}

/// An error of the service.
struct Case<'a> {
    variant: String,
    code: &'a str,
    status: u16,
    /// The model's shape, when it has one.
    shape: Option<&'a Shape>,
}

impl Case<'_> {
    /// Whether it holds a structure, and not its message alone.
    fn is_rich(&self) -> bool {
        self.shape.is_some_and(has_more)
    }

    /// How the message is spelled, when not as usual.
    fn message_key(&self) -> Option<&str> {
        let members = &self.shape?.members.0;
        let (name, member) = members.iter().find(|(name, _)| is_message(name))?;
        Some(Plan::wire_name(name, member)).filter(|name| *name != "message")
    }
}

/// The errors: modeled exceptions, and those that every service can give.
fn error_cases<'a>(plan: &Plan<'a>) -> Vec<Case<'a>> {
    let mut cases: Vec<Case<'a>> = plan
        .exceptions()
        .into_iter()
        .map(|(name, shape)| Case {
            variant: plan.error_variant(name),
            code: name,
            status: status(shape),
            shape: Some(shape),
        })
        .collect();
    for (variant, code, status) in [
        ("AccessDenied", "AccessDeniedException", 400),
        ("InternalFailure", "InternalFailureException", 500),
        ("ServiceUnavailable", "ServiceUnavailableException", 503),
        ("Validation", "ValidationException", 400),
    ] {
        if !cases.iter().any(|case| case.variant == variant) {
            cases.push(Case { variant: variant.to_owned(), code, status, shape: None });
        }
    }
    cases.sort_by(|a, b| a.variant.cmp(&b.variant));
    cases
}

fn status(shape: &Shape) -> u16 {
    let modeled = shape.error.as_ref().map(|e| e.http_status_code);
    modeled.unwrap_or(if shape.fault { 500 } else { 400 })
}

pub(super) fn errors(plan: &Plan<'_>) -> anyhow::Result<String> {
    let cases = error_cases(plan);
    let mut out = plan.caption("Errors of the service.");
    if cases.iter().any(Case::is_rich) {
        out.push_str("use super::*;\n");
    }
    out.push_str("use std::fmt;\n\n");
    out.push_str(
        "/// What an operation refuses with; each case holds the message for the client.\n\
         #[derive(Clone, Debug, PartialEq",
    );
    out.push_str(if cases.iter().any(Case::is_rich) { "" } else { ", Eq" });
    out.push_str(")]\npub enum Error {\n");
    for Case { variant, code, status, .. } in &cases {
        writeln!(out, "/// `{code}`, HTTP status {status}.\n{variant}(String),")?;
    }
    for case in cases.iter().filter(|case| case.is_rich()) {
        let Case { variant, code, status, .. } = case;
        writeln!(out, "/// `{code}`, HTTP status {status}, with its members.")?;
        writeln!(out, "{variant}With(Box<{code}>),")?;
    }
    out.push_str("}\n\nimpl Error {\n/// The error's name on the wire.\n");
    out.push_str("pub fn code(&self) -> &'static str {\nmatch self {\n");
    for case in &cases {
        writeln!(out, "{} => {:?},", pattern(case, "_"), case.code)?;
    }
    out.push_str("}\n}\n\n/// The HTTP status of the answer.\npub fn status(&self) -> u16 {\n");
    out.push_str("match self {\n");
    let mut statuses: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for case in cases.iter().filter(|case| case.status != 400) {
        statuses.entry(case.status).or_default().push(pattern(case, "_"));
    }
    for (status, patterns) in statuses {
        writeln!(out, "{} => {status},", patterns.join(" | "))?;
    }
    out.push_str("_ => 400,\n}\n}\n\n");
    message(&mut out, &cases)?;
    out.push_str(
        "/// The error that a name on the wire stands for; None when the model has no such name.\n\
         pub fn from_code(code: &str, message: String) -> Option<Self> {\nSome(match code {\n",
    );
    for Case { variant, code, .. } in &cases {
        writeln!(out, "{code:?} => Error::{variant}(message),")?;
    }
    out.push_str("_ => return None,\n})\n}\n");
    let has_extra = extra(plan, &mut out, &cases)?;
    out.push_str(
        "}\n\nimpl fmt::Display for Error {\n\
         fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {\n\
         write!(f, \"{}: {}\", self.code(), self.message())\n}\n}\n\n\
         impl std::error::Error for Error {}\n\n\
         impl From<Error> for wire::Refusal {\nfn from(error: Error) -> Self {\n\
         let (status, code) = (error.status(), error.code());\n",
    );
    if has_extra {
        out.push_str("let extra = error.extra().map(Box::new);\n");
    }
    let extra = if has_extra { "extra" } else { "extra: None" };
    writeln!(
        out,
        "wire::Refusal {{ status, code, message: error.into_message().into(), {extra} }}\n}}\n}}"
    )?;
    Ok(out)
}

/// A pattern for both forms of a case.
fn pattern(case: &Case<'_>, bound: &str) -> String {
    let plain = format!("Error::{}({bound})", case.variant);
    if case.is_rich() { format!("{plain} | Error::{}With({bound})", case.variant) } else { plain }
}

/// `message` and `into_message`.
fn message(out: &mut String, cases: &[Case<'_>]) -> anyhow::Result<()> {
    let all: Vec<String> =
        cases.iter().map(|case| format!("Error::{}(message)", case.variant)).collect();
    let all = all.join(" | ");
    // `read`: how a message is read that may be absent; `empty`: what an error without any tells.
    let rich = |out: &mut String, read: &str, empty: &str| -> anyhow::Result<()> {
        let message_of = |case: &Case<'_>| {
            let members = case.shape.map_or(&[][..], |shape| shape.members.0.as_slice());
            members.iter().map(|(name, _)| name.clone()).find(|name| is_message(name))
        };
        let rich: Vec<_> = cases.iter().filter(|case| case.is_rich()).collect();
        // All in one arm, where the first of them is.
        let silent = rich.iter().filter(|case| message_of(case).is_none());
        let silent: Vec<_> = silent.map(|case| format!("Error::{}With(_)", case.variant)).collect();
        let mut silent = Some(silent.join(" | "));
        for case in rich {
            let Some(message) = &message_of(case) else {
                if let Some(silent) = silent.take() {
                    writeln!(out, "{silent} => {empty},")?;
                }
                continue;
            };
            let field = names::field(message);
            let required = case.shape.is_some_and(|shape| shape.required.contains(message));
            let value = if required {
                format!("Some(&error.{field})")
            } else {
                format!("error.{field}.as_ref()")
            };
            writeln!(out, "Error::{}With(error) => {value}{read},", case.variant)?;
        }
        Ok(())
    };
    out.push_str("/// What the client is told.\npub fn message(&self) -> &str {\nmatch self {\n");
    writeln!(out, "{all} => message,")?;
    rich(out, ".map_or(\"\", |text| text.as_str())", "\"\"")?;
    out.push_str("}\n}\n\nfn into_message(self) -> String {\nmatch self {\n");
    writeln!(out, "{all} => message,")?;
    rich(out, ".map(ToString::to_string).unwrap_or_default()", "String::new()")?;
    out.push_str("}\n}\n\n");
    Ok(())
}

/// `extra`, when an error has something beside name and message; whether there is one.
fn extra(plan: &Plan<'_>, out: &mut String, cases: &[Case<'_>]) -> anyhow::Result<bool> {
    let mut arms = String::new();
    // Those without members of their own, by what they have.
    let mut plain: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for case in cases {
        let key = case.message_key();
        let query_code = plan.query_code(case.code);
        if key.is_none() && query_code.is_none() && !case.is_rich() {
            continue;
        }
        let head = format!("wire::Extra {{ message_key: {key:?}, query_code: {query_code:?}, ");
        if key.is_some() || query_code.is_some() {
            plain.entry(head.clone()).or_default().push(format!("Error::{}(_)", case.variant));
        }
        if case.is_rich() {
            let has_headers = case.shape.is_some_and(Plan::is_located);
            let headers = if has_headers { "error.headers()" } else { "Vec::new()" };
            writeln!(
                arms,
                "Error::{}With(error) => {{\nlet (headers, error) = ({headers}, error.clone());\n\
                 let write = move |w: &mut wire::Writer| error.write_members(w);\n\
                 {head} members: Some(wire::Members::new(write)), headers }}\n}},",
                case.variant
            )?;
        }
    }
    for (head, patterns) in plain {
        let patterns = patterns.join(" | ");
        writeln!(arms, "{patterns} => {head} members: None, headers: Vec::new() }},")?;
    }
    if arms.is_empty() {
        return Ok(false);
    }
    out.push_str("\n/// What the model gives the error beside its name and a `message`.\n");
    out.push_str("fn extra(&self) -> Option<wire::Extra> {\nSome(match self {\n");
    out.push_str(&arms);
    out.push_str("_ => return None,\n})\n}\n");
    Ok(true)
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
        errors: operation.errors.iter().map(|e| plan.error_variant(&e.shape)).collect(),
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
         use wire::{Answer, BoxFuture, Call, Operation, Protocol, Refusal, Routes};\n\n",
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
    out.push_str(
        "/// The operations, and how they are asked for.\npub static ROUTES: Routes = Routes {\n",
    );
    writeln!(out, "service_id: {:?},", metadata.service_id)?;
    writeln!(out, "signing_name: {:?},", metadata.signing_name())?;
    writeln!(out, "target_prefix: {:?},", metadata.target_prefix.as_deref().unwrap_or(""))?;
    writeln!(out, "xml_namespace: {:?},", metadata.xml_namespace.as_deref().unwrap_or(""))?;
    let protocols: Vec<String> =
        plan.protocols()?.iter().map(|name| format!("Protocol::{name}")).collect();
    let is_rest = protocols.iter().any(|name| name == "Protocol::RestJson");
    writeln!(out, "protocols: &[{}],", protocols.join(", "))?;
    out.push_str("operations: &[\n");
    for s in all {
        let bytes = plan.overrides.body_bytes_max(s.name) as f64;
        write!(out, "Operation::new({:?}, {})", s.name, names::number(bytes))?;
        let operation = plan.model.operations.get(s.name);
        if let Some(http) = operation.map(|operation| &operation.http).filter(|_| is_rest) {
            let status = http.response_code.unwrap_or(200);
            write!(out, ".at({:?}, {:?}, {status})", http.method, http.request_uri)?;
        }
        let headers = rest::headers(plan, s.input);
        if is_rest && !headers.is_empty() {
            write!(out, ".reading(&{headers:?})")?;
        }
        if plan.has_stream(s.input)? {
            out.push_str(".streaming()");
        }
        if plan.packs(s.name) {
            out.push_str(".packing()");
        }
        out.push_str(",\n");
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
    if let Some(code) = plan.overrides.violation_code() {
        out.push_str(
            "/// Values that break the model's constraints, as this service calls them.\n",
        );
        out.push_str("fn violation(mut refusal: Refusal) -> Refusal {\n");
        out.push_str("if refusal.code == Refusal::validation(\"\").code {\n");
        writeln!(out, "refusal.code = {code:?};\n}}\nrefusal\n}}\n")?;
    }
    writeln!(out, "/// A service behind the wire: decode and check, act, encode.")?;
    writeln!(out, "#[derive(Debug)]\npub struct Server<T>(Arc<T>);\n")?;
    writeln!(out, "impl<T: {service}> Server<T> {{\n/// Puts `service` behind the wire.")?;
    out.push_str("pub fn new(service: Arc<T>) -> Self {\nSelf(service)\n}\n}\n\n");
    writeln!(out, "impl<T: {service}> wire::Service for Server<T> {{")?;
    out.push_str("fn routes(&self) -> &'static Routes {\n&ROUTES\n}\n\n");
    out.push_str("fn call(&self, mut call: Call) -> BoxFuture<'_, Result<Answer, Refusal>> {\n");
    out.push_str("let service = &*self.0;\nmatch call.operation {\n");
    for (i, s) in all.iter().enumerate() {
        let input = match plan.model.shapes.get(s.input) {
            None => "()".to_owned(),
            Some(shape) if Plan::is_located(shape) => {
                format!("{}::of_call(&mut call, &ROUTES)?", s.input)
            }
            Some(_) if plan.overrides.violation_code().is_some() => {
                format!("call.input({}::read).map_err(violation)?", s.input)
            }
            Some(_) => format!("call.input({}::read)?", s.input),
        };
        let method = &s.method;
        let arm = match s.output {
            Output::Nothing => format!("answer_nothing!(service, call, {method}, {input})"),
            Output::Events(_) => format!("answer_events!(service, call, {method}, {input})"),
            Output::Body(shape) if Plan::is_located(plan.shape(shape)?) => {
                format!("answer_located!(service, call, {method}, {input})")
            }
            Output::Body(shape) => {
                let hint = if plan.holds_blob(shape) { ", hint" } else { "" };
                format!("answer_body!(service, call, {method}, {input}, {shape}{hint})")
            }
        };
        writeln!(out, "{i} => {arm},")?;
    }
    out.push_str("_ => crate::serve::unknown_operation(),\n}\n}\n}\n\n");
    writeln!(out, "impl<T: {service}> crate::Handle for Server<T> {{")?;
    out.push_str(
        "fn call<'a>(&'a self, cx: &'a Cx, operation: &'a str, input: crate::Boxed) \
         -> BoxFuture<'a, Result<crate::Boxed, Refusal>> {\n\
         let service = &*self.0;\nmatch operation {\n",
    );
    for s in all.iter().filter(|s| s.input != "()") {
        let (name, method, input) = (s.name, &s.method, s.input);
        writeln!(out, "{name:?} => handle!(service, cx, input, {method}, {input}),")?;
    }
    out.push_str("_ => Box::pin(async { Err(crate::handle::unknown()) }),\n}\n}\n}\n\n");
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
    out.push_str("fn frame(&self, protocol: wire::Protocol) -> Bytes {\nmatch self {\n");
    for member in &members {
        let inner = member_shape(plan, stream, member)?;
        let hint = if plan.holds_blob(inner) { "event.bytes_hint()" } else { "256" };
        writeln!(out, "{stream}::{member}(event) => {{")?;
        writeln!(
            out,
            "let (frame, mut w) = wire::event_stream::FrameWriter::event({member:?}, protocol, {hint});"
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
                let once = if plan.has_stream(input)? { "once " } else { "" };
                writeln!(out, "operation!({once}{}, {input}{hint} => {output});\n", s.name)?;
            }
            Output::Nothing | Output::Events(_) => {
                writeln!(out, "operation!({}, {input}{hint});\n", s.name)?;
            }
        }
    }
    Ok(out)
}
