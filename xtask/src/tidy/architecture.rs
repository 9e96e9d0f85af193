//! ARCHITECTURE.md against the tree.

use super::Manifest;
use anyhow::{Context, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The heading whose table says which crate may import which.
const TABLE_HEADING: &str = "## Imports";
/// Heavy trees that only their fence may name.
const FENCED: [(&str, [&str; 2]); 2] =
    [("arrow", ["columnar", "analytics"]), ("parquet", ["columnar", "analytics"])];

/// Findings about imports: not allowed, not listed, or listed for a crate that does not exist.
pub(crate) fn check_imports(page: &str, manifests: &[Manifest]) -> Result<Vec<String>> {
    let table = import_table(page)?;
    let mut findings = Vec::new();
    for manifest in manifests {
        let name = &manifest.name;
        let Some(allowed) = table.get(name.as_str()) else {
            findings.push(format!("ARCHITECTURE.md: crate `{name}` is missing in the table"));
            continue;
        };
        for import in manifest.imports.iter().filter(|i| !allowed.contains(i.as_str())) {
            findings.push(format!("crates/{name}: may not import `{import}`"));
        }
        for stale in allowed.iter().filter(|a| !manifest.imports.contains(**a)) {
            findings.push(format!("ARCHITECTURE.md: `{name}` does not import `{stale}`"));
        }
        for (tree, fences) in FENCED {
            let named = manifest.foreign.iter().any(|f| f.starts_with(tree));
            if named && !fences.contains(&name.as_str()) {
                findings.push(format!("crates/{name}: `{tree}` stays behind its fence"));
            }
        }
    }
    let known: BTreeSet<&str> = manifests.iter().map(|m| m.name.as_str()).collect();
    for name in table.keys().filter(|name| !known.contains(**name)) {
        findings.push(format!("ARCHITECTURE.md: there is no crate `{name}`"));
    }
    Ok(findings)
}

/// Rows `| crate | imports | ... |` below the heading; names in the second cell are words.
fn import_table(page: &str) -> Result<BTreeMap<&str, BTreeSet<&str>>> {
    let (_, section) = page.split_once(TABLE_HEADING).context("no import table")?;
    let section = section.split("\n## ").next().unwrap_or(section);
    let rows = section.lines().filter(|l| l.starts_with("| ")).skip(2);
    Ok(rows
        .filter_map(|row| {
            let mut cells = row.split('|').skip(1).map(str::trim);
            let name = cells.next()?.trim_matches('`');
            let imports = cells.next()?;
            let is_name = |w: &&str| !w.is_empty();
            let names = imports.split([',', ' ', '`']).filter(is_name).collect();
            Some((name, names))
        })
        .collect())
}

/// Findings about paths in backticks that are not there.
pub(crate) fn check_paths(page: &str) -> Vec<String> {
    let roots = ["crates/", "xtask/", "bench/", "interop/", "model/", "docs/", "console/"];
    page.split('`')
        .skip(1)
        .step_by(2)
        .filter(|code| roots.iter().any(|root| code.starts_with(root)))
        .filter(|code| !code.contains(['*', '<', ' ']))
        .filter(|code| !Path::new(code).exists())
        .map(|code| format!("ARCHITECTURE.md: `{code}` does not exist"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "x\n## Imports\n\n| crate | imports | never |\n| --- | --- | --- |\n\
                        | base | | |\n| wire | `base` | sockets |\n\n## Next\n| a | b |\n";

    fn manifest(name: &str, imports: &[&str]) -> Manifest {
        let imports = imports.iter().map(|&i| i.to_owned()).collect();
        Manifest { name: name.to_owned(), imports, foreign: BTreeSet::new() }
    }

    #[test]
    fn an_import_outside_the_table_is_found() {
        let all = [manifest("base", &[]), manifest("wire", &["base"])];
        assert_eq!(check_imports(PAGE, &all).unwrap(), Vec::<String>::new());
        let upwards = [manifest("base", &["wire"]), manifest("wire", &["base"])];
        let found = check_imports(PAGE, &upwards).unwrap();
        assert_eq!(found, ["crates/base: may not import `wire`"]);
    }

    #[test]
    fn crates_and_edges_must_be_listed() {
        let all = [manifest("base", &[]), manifest("wire", &[]), manifest("new", &[])];
        assert_eq!(check_imports(PAGE, &all).unwrap().len(), 2);
    }

    #[test]
    fn a_missing_path_is_found() {
        assert_eq!(check_paths("see `crates/none/src/lib.rs` and `cargo x`").len(), 1);
    }
}
