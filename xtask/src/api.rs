//! `cargo xtask api`: model facts in, generated code out.
//!
//! ```text
//! PyPI wheel -> pull -> model/<service>.json (and overrides) -> gen -> crates/api/src/<service>
//! ```
//!
//! No fact is lost unseen: `pull` fails on a key that it does not know, `gen` on a fact that
//! generated code would not express.

mod codec;
mod expressible;
mod generate;
mod model;
pub(crate) mod names;
mod overrides;
mod pattern;
mod pull;
mod rest;
mod service;
mod shapes;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use model::Model;
pub(crate) use model::Pin;
use std::path::{Path, PathBuf};

/// What `cargo xtask api` is asked to do.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Fetches the pinned model version and writes its facts to `model/`.
    Pull,
    /// Writes `crates/api/src/<service>` from `model/`.
    Gen {
        /// Writes nothing; fails when a file would change.
        #[arg(long)]
        check: bool,
    },
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let root = root();
    match arguments.command {
        Command::Pull => pull::run(&root),
        Command::Gen { check } => generate(&root, check),
    }
}

/// The workspace's directory.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// Reads a service's facts with its overrides applied.
pub(crate) fn load(root: &Path, service: &str) -> anyhow::Result<(Model, overrides::Overrides)> {
    let path = root.join(format!("model/{service}.json"));
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let mut model: Model =
        serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    let overrides = overrides::Overrides::load(root, service)?;
    overrides.apply(&mut model)?;
    Ok((model, overrides))
}

fn generate(root: &Path, check: bool) -> anyhow::Result<()> {
    let pin = Pin::load(root)?;
    let mut stale = Vec::new();
    for service in pin.service.iter().filter(|s| s.generated) {
        let (model, overrides) = load(root, &service.name)?;
        let files = generate::files(&service.name, &model, &overrides, &pin)?;
        for (path, text) in files {
            let path = root.join("crates/api/src").join(path);
            let text = generate::formatted(root, &text)?;
            if std::fs::read_to_string(&path).ok().as_deref() == Some(&text) {
                continue;
            }
            if check {
                stale.push(path.display().to_string());
            } else {
                write(&path, &text)?;
            }
        }
    }
    if !stale.is_empty() {
        bail!("not what `cargo xtask api gen` writes:\n  {}", stale.join("\n  "));
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a tool of the workspace, no server")]
pub(crate) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::write(path, text).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `gen` refuses until generated code says it; a service that is not here is said whole.
    const REFUSED: &str = "\
`glue`: generated code would drop:
  shape `IcebergDocument`: document
";

    #[test]
    fn every_model_generates_rust() {
        let root = root();
        let pin = Pin::load(&root).unwrap();
        assert_eq!(pin.service.len(), 18);
        let mut refused = Vec::new();
        for service in &pin.service {
            let (model, overrides) = load(&root, &service.name).unwrap();
            let files = match generate::files(&service.name, &model, &overrides, &pin) {
                Ok(files) => files,
                Err(error) => {
                    refused.push(format!("{error:#}\n"));
                    continue;
                }
            };
            assert!(files.len() > 5, "{}", service.name);
            for (path, text) in files {
                let parsed = syn::parse_file(&text);
                assert!(parsed.is_ok(), "{}: {path}: {:?}", service.name, parsed.err());
            }
        }
        let refused = refused.concat();
        assert_eq!(refused, REFUSED, "\n{refused}");
    }

    #[test]
    fn models_hold_the_operations_that_are_pinned() {
        let root = root();
        for service in Pin::load(&root).unwrap().service {
            let (model, _) = load(&root, &service.name).unwrap();
            let mut kept = model.clone();
            kept.keep(&service.operations).unwrap();
            assert_eq!(kept.to_text().unwrap(), model.to_text().unwrap(), "{}", service.name);
        }
    }

    #[test]
    fn what_is_committed_is_what_is_generated() {
        generate(&root(), true).unwrap();
    }
}
