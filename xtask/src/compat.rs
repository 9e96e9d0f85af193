//! `cargo xtask compat`: docs/reference/compatibility.md out of the model, the handlers and the
//! clients' tests.
//!
//! ```text
//! model/<service>.json + its handlers, one file an operation + interop/<client>/ -> a table each
//! ```
//!
//! An operation is served when it has a handler and the table of refusals does not name it. A
//! member of its input is honoured when the handler reads `input.member`. The texts that are ours
//! are listed out of the code (see `texts`).

mod texts;

use crate::api::{self, names};
use anyhow::{Context as _, ensure};
use proc_macro2::{TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const PAGE: &str = "docs/reference/compatibility.md";
/// A service that is served here.
struct Served {
    /// Its model.
    name: &'static str,
    /// What people call it.
    title: &'static str,
    /// Where its handlers are, one file an operation.
    handlers: &'static str,
    /// The file that binds them.
    bound: &'static str,
    /// Whose texts stand in its section.
    texts: &'static [&'static str],
}

const SERVICES: [Served; 7] = [
    Served {
        name: "kinesis",
        title: "Kinesis Data Streams",
        handlers: "crates/streams/src/ops",
        bound: "crates/streams/src/ops/mod.rs",
        texts: &["crates/streams/src", "crates/wire/src", "crates/server/src"],
    },
    Served {
        name: "dynamodb",
        title: "DynamoDB",
        handlers: "crates/neighbors/src/dynamodb/ops",
        bound: "crates/neighbors/src/dynamodb/ops.rs",
        texts: &["crates/neighbors/src/dynamodb"],
    },
    Served {
        name: "cloudwatch",
        title: "CloudWatch",
        handlers: "crates/neighbors/src/cloudwatch/ops",
        bound: "crates/neighbors/src/cloudwatch/ops.rs",
        texts: &["crates/neighbors/src/cloudwatch"],
    },
    Served {
        name: "logs",
        title: "CloudWatch Logs",
        handlers: "crates/neighbors/src/logs/ops",
        bound: "crates/neighbors/src/logs/ops.rs",
        texts: &["crates/neighbors/src/logs"],
    },
    Served {
        name: "sns",
        title: "SNS",
        handlers: "crates/neighbors/src/sns/ops",
        bound: "crates/neighbors/src/sns/ops.rs",
        texts: &["crates/neighbors/src/sns"],
    },
    Served {
        name: "iam",
        title: "IAM",
        handlers: "crates/neighbors/src/iam/ops",
        bound: "crates/neighbors/src/iam/ops.rs",
        texts: &["crates/neighbors/src/iam"],
    },
    Served {
        name: "sts",
        title: "STS",
        handlers: "crates/neighbors/src/sts/ops",
        bound: "crates/neighbors/src/sts/ops.rs",
        texts: &["crates/neighbors/src/sts"],
    },
];
const CLIENTS: &str = "interop";

/// What `cargo xtask compat` is asked to do.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Writes nothing; fails when the page would change.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let root = api::root();
    let page = page(&root)?;
    let path = root.join(PAGE);
    if std::fs::read_to_string(&path).ok().as_deref() == Some(page.as_str()) {
        return Ok(());
    }
    ensure!(!arguments.check, "{PAGE} is not what `cargo xtask compat` writes");
    api::write(&path, &page)
}

/// One line of the table.
struct Row {
    operation: String,
    served: bool,
    honoured: Vec<String>,
    unused: Vec<String>,
    refused: Vec<String>,
    driven_by: Vec<String>,
}

fn page(root: &Path) -> anyhow::Result<String> {
    let clients = clients(root)?;
    let mut page = String::from(INTRODUCTION);
    for service in &SERVICES {
        section(&mut page, root, service, &clients)?;
    }
    Ok(page)
}

/// What one service has.
fn section(
    page: &mut String,
    root: &Path,
    service: &Served,
    clients: &Clients,
) -> anyhow::Result<()> {
    let (model, overrides) = api::load(root, service.name)?;
    let pin = api::Pin::load(root)?;
    let refused = refused(&root.join(service.bound))?;
    let mut rows = Vec::new();
    for (operation, facts) in &model.operations.0 {
        let input = facts.input.as_ref().with_context(|| format!("`{operation}` has no input"))?;
        let members = model.shape(&input.shape)?.members.0.iter().map(|(name, _)| name.clone());
        let handler = root.join(service.handlers).join(names::snake(operation) + ".rs");
        let served = !refused.contains(&names::snake(operation));
        ensure!(served == handler.exists(), "{}: has it a handler or not?", handler.display());
        let fields = |of| if served { fields_read(&handler, of) } else { Ok(BTreeSet::new()) };
        let (read, not_here) = (fields("input")?, fields("refused")?);
        let (refused, members): (Vec<_>, Vec<_>) =
            members.partition(|name| not_here.contains(&names::field(name)));
        let (honoured, unused) =
            members.into_iter().partition(|name| read.contains(&names::field(name)));
        let driven_by =
            if served { driven_by(clients, (service.name, operation)) } else { Vec::new() };
        let operation = operation.clone();
        rows.push(Row { operation, served, honoured, unused, refused, driven_by });
    }
    let served = rows.iter().filter(|row| row.served).count();
    writeln!(page, "\n## {}\n", service.title)?;
    let (date, package, version) = (&model.metadata.api_version, &pin.package, &pin.version);
    writeln!(page, "API {date}, facts of {package} {version}.")?;
    let known = if pin.is_whole(service.name) { "" } else { "known " };
    writeln!(page, "{served} of {} {known}operations are served.\n", rows.len())?;
    table(page, &rows)?;
    ignored(page, &overrides.dropped_members())?;
    words(page, &texts::all(root, service.texts)?)
}

const INTRODUCTION: &str = "\
# Compatibility

<!-- Generated by `cargo xtask compat`. Do not edit. -->

Every operation, served or not, decodes and checks its whole input: a member of a wrong type or past
its constraints is refused as AWS refuses it. *Honoured* members change what the operation does.
*Checked only* members are checked and then have no effect; a request with a *refused* one that asks
for something hears that it is not supported. Operations that are not served yet
answer a modeled error, and those that the table of a service does not know are unknown operations.
*Driven by* names the clients whose committed tests call the operation (`interop/`).
";

fn table(page: &mut String, rows: &[Row]) -> anyhow::Result<()> {
    page.push_str("| operation | status | honoured | checked only | refused | driven by |\n");
    page.push_str("| --- | --- | --- | --- | --- | --- |\n");
    for row in rows {
        let status = if row.served { "served" } else { "not yet" };
        let unused = if row.served { cell(&row.unused) } else { "-".to_owned() };
        let honoured = if row.served { cell(&row.honoured) } else { "-".to_owned() };
        let refused = cell(&row.refused);
        let driven = if row.driven_by.is_empty() { "-".into() } else { row.driven_by.join(", ") };
        writeln!(
            page,
            "| `{}` | {status} | {honoured} | {unused} | {refused} | {driven} |",
            row.operation
        )?;
    }
    Ok(())
}

fn cell(members: &[String]) -> String {
    if members.is_empty() {
        return "-".to_owned();
    }
    members.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn ignored(page: &mut String, dropped: &[(&str, &str)]) -> anyhow::Result<()> {
    if dropped.is_empty() {
        return Ok(());
    }
    page.push_str("\n### Members that are ignored\n\n");
    for (member, observed) in dropped {
        let observed = observed.split_whitespace().collect::<Vec<_>>().join(" ");
        writeln!(page, "- `{member}`: {observed}")?;
    }
    Ok(())
}

/// How many texts are whose, and those that are ours.
fn words(page: &mut String, items: &[texts::Item]) -> anyhow::Result<()> {
    let count = |word| items.iter().filter(|item| item.source.as_deref() == Some(word)).count();
    let (model, observed, client) = (count("model"), count("observed"), count("client"));
    page.push_str("\n### Texts of our own\n\n");
    writeln!(
        page,
        "Of the texts that an answer can have, {observed} are in the words of the real \
         service's answers, {model} in those\nof its model and reference, {client} in those that \
         clients match on. AWS's words for the cases below are not\nknown, or it has no such \
         case: these are ours. In braces: what is filled in.\n"
    )?;
    page.push_str("| error | text |\n| --- | --- |\n");
    for item in items.iter().filter(|item| item.source.as_deref() == Some("ours")) {
        let error = if item.error.is_empty() { "-" } else { &item.error };
        for text in &item.texts {
            writeln!(page, "| {error} | {} |", text.trim().replace('|', "\\|"))?;
        }
    }
    Ok(())
}

/// Operations that the table which binds handlers refuses.
fn refused(path: &Path) -> anyhow::Result<BTreeSet<String>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let tokens: TokenStream = text.parse().map_err(|e| anyhow::anyhow!("{e}"))?;
    let mut refused = BTreeSet::new();
    find_refusals(tokens, &mut refused);
    Ok(refused)
}

/// Collects the names before each parenthesis of every `refusals! { .. }`.
fn find_refusals(tokens: TokenStream, refused: &mut BTreeSet<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (i, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else { continue };
        let name = i.checked_sub(2).map(|at| tokens[at].to_string());
        if name.as_deref() != Some("refusals") {
            find_refusals(group.stream(), refused);
            continue;
        }
        let inner: Vec<TokenTree> = group.stream().into_iter().collect();
        for two in inner.windows(2) {
            if let [TokenTree::Ident(name), TokenTree::Group(_)] = two {
                refused.insert(name.to_string());
            }
        }
    }
}

/// Every `owner.field` of a handler.
fn fields_read(handler: &Path, owner: &str) -> anyhow::Result<BTreeSet<String>> {
    let text = std::fs::read_to_string(handler).with_context(|| handler.display().to_string())?;
    let tokens: TokenStream = text.parse().map_err(|e| anyhow::anyhow!("{e}"))?;
    let mut fields = BTreeSet::new();
    find_fields(tokens, owner, &mut fields);
    Ok(fields)
}

fn find_fields(tokens: TokenStream, of: &str, fields: &mut BTreeSet<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for token in &tokens {
        if let TokenTree::Group(group) = token {
            find_fields(group.stream(), of, fields);
        }
    }
    for three in tokens.windows(3) {
        if let [TokenTree::Ident(owner), TokenTree::Punct(dot), TokenTree::Ident(field)] = three
            && owner == of
            && dot.as_char() == '.'
        {
            fields.insert(field.to_string());
        }
    }
}

/// The texts of each client's tests, a file each.
type Clients = BTreeMap<String, Vec<String>>;

fn clients(root: &Path) -> anyhow::Result<Clients> {
    let mut clients = Clients::new();
    let Ok(entries) = std::fs::read_dir(root.join(CLIENTS)) else {
        return Ok(clients);
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() && !name.starts_with('.') {
            let mut texts = Vec::new();
            read_sources(&entry.path(), &mut texts)?;
            clients.insert(name, texts);
        }
    }
    Ok(clients)
}

fn read_sources(directory: &Path, texts: &mut Vec<String>) -> anyhow::Result<()> {
    const SOURCES: [&str; 8] = ["py", "js", "mjs", "ts", "go", "java", "rs", "sh"];
    const NOT_OURS: [&str; 4] = ["node_modules", "target", "__pycache__", ".venv"];
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        paths.push(entry?.path());
    }
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && !NOT_OURS.contains(&name.as_ref()) {
            read_sources(&path, texts)?;
        } else if path.extension().is_some_and(|e| SOURCES.iter().any(|s| e == *s)) {
            texts.push(std::fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

/// The clients whose tests name an operation, in the spelling of any SDK, in a file that names its
/// service: several services have operations of one name.
fn driven_by(clients: &Clients, (service, operation): (&str, &str)) -> Vec<String> {
    let snake = names::snake(operation);
    let mut camel = operation.to_owned();
    if let Some(first) = camel.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    let spellings = [
        format!(".{snake}("),
        format!("\"{snake}\""),
        format!("\"{}\"", snake.replace('_', "-")),
        format!("{operation}Command"),
        format!(".{operation}("),
        format!(".{camel}("),
    ];
    let names = |text: &String| {
        has_word(text, service) && spellings.iter().any(|spelling| text.contains(spelling))
    };
    let drives = |texts: &Vec<String>| texts.iter().any(names);
    clients.iter().filter(|(_, texts)| drives(texts)).map(|(name, _)| name.clone()).collect()
}

fn has_word(text: &str, word: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|one| one.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_inside_groups_and_macros() {
        let source =
            "fn f() { let a = g(&input.stream_name, format!(\"{}\", input.limit)); other.x; }";
        let mut fields = BTreeSet::new();
        find_fields(source.parse().unwrap(), "input", &mut fields);
        assert_eq!(fields.into_iter().collect::<Vec<_>>(), ["limit", "stream_name"]);
    }

    #[test]
    fn refusals_are_found_where_they_stand() {
        let source = "impl K for S { reads! { a(A) -> B; } refusals! { c(C) -> D; e(E) -> F; } }";
        let mut refused = BTreeSet::new();
        find_refusals(source.parse().unwrap(), &mut refused);
        assert_eq!(refused.into_iter().collect::<Vec<_>>(), ["c", "e"]);
    }

    #[test]
    fn every_sdks_spelling_is_known() {
        let text = |text: &str| {
            Clients::from([("sdk".to_owned(), vec![format!("aws_sdk_kinesis\n{text}")])])
        };
        let of = ("kinesis", "PutRecord");
        for spelling in [
            "client.put_record(StreamName=1)",
            "[\"aws\", \"put-record\"]",
            "new PutRecordCommand({})",
            "client.PutRecord(ctx)",
            "client.putRecord(b -> b)",
        ] {
            assert_eq!(driven_by(&text(spelling), of), ["sdk"], "{spelling}");
        }
        assert!(driven_by(&text("client.put_records(1)"), of).is_empty());
        assert!(driven_by(&text("client.put_record(1)"), ("logs", "PutRecord")).is_empty());
    }
}
