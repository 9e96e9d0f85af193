//! Sizes of files, functions, parameter lists and lines.

use anyhow::{Context, Result};
use std::path::Path;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

const FILE_LINES_MAX: usize = 800;
const FUNCTION_LINES_MAX: usize = 70;
const PARAMETERS_MAX: usize = 5;
const LINE_COLUMNS_MAX: usize = 100;

/// Findings of one file; test files are free. A line with a text literal may be long: texts that a
/// client matches are not broken up.
pub(crate) fn check(path: &Path, text: &str) -> Result<Vec<String>> {
    if is_test_file(path) {
        return Ok(Vec::new());
    }
    let name = path.display();
    let mut findings: Vec<String> = text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.chars().count() > LINE_COLUMNS_MAX && !line.contains('"'))
        .map(|(i, _)| format!("{name}:{}: line over {LINE_COLUMNS_MAX} columns", i + 1))
        .collect();
    let file = syn::parse_file(text).with_context(|| format!("parsing {name}"))?;
    let mut measure = Measure { name: name.to_string(), test_lines: 0, findings: Vec::new() };
    measure.visit_file(&file);
    let lines = text.lines().count().saturating_sub(measure.test_lines);
    if lines > FILE_LINES_MAX {
        findings.push(format!("{name}: {lines} lines, at most {FILE_LINES_MAX}"));
    }
    findings.append(&mut measure.findings);
    Ok(findings)
}

fn is_test_file(path: &Path) -> bool {
    let is_tests = |c: std::path::Component| c.as_os_str() == "tests";
    path.components().any(is_tests) || path.ends_with("tests.rs")
}

struct Measure {
    name: String,
    test_lines: usize,
    findings: Vec<String>,
}

fn lines_of(node: &impl Spanned) -> usize {
    node.span().end().line - node.span().start().line + 1
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|a| {
        a.path().is_ident("cfg") && a.parse_args::<syn::Path>().is_ok_and(|p| p.is_ident("test"))
    })
}

impl Measure {
    fn function(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let (name, at) = (&signature.ident, signature.span().start().line);
        let lines = lines_of(body);
        if lines > FUNCTION_LINES_MAX {
            let what = format!("{}:{at}: `{name}` has {lines} lines", self.name);
            self.findings.push(format!("{what}, at most {FUNCTION_LINES_MAX}"));
        }
        let is_parameter = |p: &&syn::FnArg| matches!(p, syn::FnArg::Typed(_));
        let parameters = signature.inputs.iter().filter(is_parameter).count();
        if parameters > PARAMETERS_MAX {
            let what = format!("{}:{at}: `{name}` has {parameters} parameters", self.name);
            self.findings.push(format!("{what}, at most {PARAMETERS_MAX}"));
        }
    }
}

impl<'a> Visit<'a> for Measure {
    fn visit_item_mod(&mut self, module: &'a syn::ItemMod) {
        if is_test(&module.attrs) {
            self.test_lines += lines_of(module);
        } else {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'a syn::ItemFn) {
        self.function(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'a syn::ImplItemFn) {
        self.function(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> usize {
        check(Path::new("crates/x/src/a.rs"), text).unwrap().len()
    }

    #[test]
    fn long_functions_are_found_and_tests_are_free() {
        let long = format!("fn f() {{\n{}}}\n", "    g();\n".repeat(70));
        assert_eq!(found(&long), 1);
        assert_eq!(found(&format!("#[cfg(test)]\nmod tests {{\n{long}}}\n")), 0);
        assert_eq!(found(&format!("fn f() {{\n{}}}\n", "    g();\n".repeat(68))), 0);
    }

    #[test]
    fn parameters_lines_and_files_have_bounds() {
        assert_eq!(found("fn f(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8) {}\n"), 1);
        assert_eq!(found("fn f(&self, a: u8, b: u8, c: u8, d: u8, e: u8) {}\n"), 0);
        assert_eq!(found(&format!("// {}\n", "x".repeat(98))), 1);
        assert_eq!(found(&"const A: u8 = 1;\n".repeat(801)), 1);
    }
}
