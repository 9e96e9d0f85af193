//! The texts that clients can see: each in one function or constant, with its source.
//!
//! Such an item's comment ends with a line `Source: ` and one of the words below, then perhaps more
//! in parentheses. A function that refuses with words and names no source is a finding.
//!
//! | word | the words are |
//! | --- | --- |
//! | `model` | AWS's, out of its model or its reference |
//! | `observed` | AWS's, out of an answer of the real service |
//! | `client` | what a client of AWS matches on |
//! | `ours` | ours, since AWS's are not known or there are none |

use anyhow::{Context as _, bail};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::path::{Path, PathBuf};

const SOURCES: [&str; 4] = ["model", "observed", "client", "ours"];

/// One item with words for clients.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// The function's or the constant's name.
    pub(crate) name: String,
    /// A word of `SOURCES`; `None` = it refuses with words and does not say where they are from.
    pub(crate) source: Option<String>,
    /// The error's name, as the code spells it; empty when the item does not make one.
    pub(crate) error: String,
    /// What it says, with the names of what is filled in.
    pub(crate) texts: Vec<String>,
}

/// Every item in these directories.
///
/// # Errors
/// A file that cannot be read; an item without a source, or with a word that is none.
pub(crate) fn all(root: &Path, sources: &[&str]) -> anyhow::Result<Vec<Item>> {
    let mut files = Vec::new();
    for directory in sources {
        list(&root.join(directory), &mut files)?;
    }
    files.sort();
    let mut all = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        for item in read(&text).with_context(|| path.display().to_string())? {
            let name = &item.name;
            match item.source.as_deref() {
                Some(source) if SOURCES.contains(&source) => all.push(item),
                Some(source) => bail!("{}: `{name}`: `{source}` is no source", path.display()),
                None => bail!(
                    "{}: `{name}` refuses with words: its comment must end with `Source: ` and one \
                     of {}",
                    path.display(),
                    SOURCES.join(", ")
                ),
            }
        }
    }
    Ok(all)
}

fn list(directory: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// The items of one file with words for clients.
fn read(text: &str) -> anyhow::Result<Vec<Item>> {
    let tokens: TokenStream = text.parse().map_err(|e| anyhow::anyhow!("{e}"))?;
    let mut items = Vec::new();
    walk(tokens, &mut items);
    Ok(items)
}

/// Looks at the functions and constants of a file, an `impl` or a module, tests left out.
fn walk(tokens: TokenStream, items: &mut Vec<Item>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let (mut comment, mut is_test, mut at) = (Vec::new(), false, 0);
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
                is_test |= group.stream().to_string().replace(' ', "").starts_with("cfg(test");
                comment.extend(comment_line(group.stream()));
            }
            TokenTree::Ident(word) if *word == "fn" || *word == "const" || *word == "static" => {
                let name = tokens.get(at).map(ToString::to_string).unwrap_or_default();
                if name != "fn" && name != "unsafe" {
                    let body = body(&tokens, &mut at, word == "fn");
                    if !is_test {
                        items.extend(Item::of(name, &comment, &body));
                    }
                    (comment, is_test) = (Vec::new(), false);
                }
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                if !is_test {
                    walk(group.stream(), items);
                }
                (comment, is_test) = (Vec::new(), false);
            }
            TokenTree::Punct(end) if end.as_char() == ';' => {
                (comment, is_test) = (Vec::new(), false);
            }
            _ => {}
        }
    }
}

/// The rest of an item from its name on: a function's up to its body, a constant's up to the `;`.
fn body(tokens: &[TokenTree], at: &mut usize, is_function: bool) -> Vec<TokenTree> {
    let is_end = |token: &TokenTree| match token {
        TokenTree::Group(group) => is_function && group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    };
    let rest = tokens.get(*at..).unwrap_or_default();
    let length = rest.iter().position(is_end).map_or(rest.len(), |end| end + 1);
    *at += length;
    rest.iter().take(length).cloned().collect()
}

/// `doc = ".."`, as the compiler sees a line of a comment.
fn comment_line(attribute: TokenStream) -> Option<String> {
    let tokens: Vec<TokenTree> = attribute.into_iter().collect();
    match tokens.as_slice() {
        [TokenTree::Ident(doc), _, TokenTree::Literal(line)] if doc == "doc" => {
            syn::parse_str::<syn::LitStr>(&line.to_string()).ok().map(|line| line.value())
        }
        _ => None,
    }
}

impl Item {
    /// `None` for an item that says nothing to clients.
    fn of(name: String, comment: &[String], body: &[TokenTree]) -> Option<Self> {
        let source = comment.iter().find_map(|line| line.trim().strip_prefix("Source: "));
        let word = |source: &str| source.split([' ', '.', ',']).next().unwrap_or("").to_owned();
        let source = source.map(word);
        let mut found = Found::default();
        found.look(body);
        let says = source.is_some() || found.error.is_some() && !found.texts.is_empty();
        says.then(|| Self {
            name,
            source,
            error: found.error.unwrap_or_default(),
            texts: found.texts,
        })
    }
}

/// What an item's tokens hold.
#[derive(Default)]
struct Found {
    /// The first error that is made.
    error: Option<String>,
    /// Literals of more than one word that are for clients.
    texts: Vec<String>,
}

impl Found {
    fn look(&mut self, tokens: &[TokenTree]) {
        for (at, token) in tokens.iter().enumerate() {
            let before = |back: usize| {
                at.checked_sub(back).map(|i| tokens[i].to_string()).unwrap_or_default()
            };
            match token {
                TokenTree::Ident(made) if before(1) == ":" => {
                    let refusal = before(3) == "Refusal" && *made != "internal";
                    let upper = made.to_string().starts_with(|c: char| c.is_ascii_uppercase());
                    // Not `rustls::Error::..`.
                    let ours = before(4) != ":" || before(6) == "kinesis";
                    if refusal || before(3) == "Error" && upper && ours {
                        let name = match made.to_string().as_str() {
                            "client" => String::new(), // Named by a literal, if at all.
                            "serialization" => "SerializationException".to_owned(),
                            "unavailable" => "ServiceUnavailableException".to_owned(),
                            "validation" => "ValidationException".to_owned(),
                            other => other.to_owned(),
                        };
                        self.error.get_or_insert(name);
                    }
                }
                // How `wire` says that a value is of a wrong type.
                TokenTree::Group(group) if before(1) == "wrong" => {
                    self.error.get_or_insert("SerializationException".to_owned());
                    self.look(&group.stream().into_iter().collect::<Vec<_>>());
                }
                // For the log, or a claim about the code.
                TokenTree::Group(_) if before(4) == "tracing" || before(1) == "expect" => {}
                TokenTree::Group(_) if before(5) == "tracing" => {}
                TokenTree::Group(group) if !is_attribute(group, &before(1)) => {
                    self.look(&group.stream().into_iter().collect::<Vec<_>>());
                }
                TokenTree::Literal(literal) => self.literal(&literal.to_string()),
                _ => {}
            }
        }
    }

    /// An error's name stands before its text where the model does not have it.
    fn literal(&mut self, literal: &str) {
        let Ok(text) = syn::parse_str::<syn::LitStr>(literal) else { return };
        let text = text.value();
        if text.ends_with("Exception") && !text.contains(' ') {
            self.error = Some(text);
        } else if text.trim().contains(' ') {
            self.texts.push(text);
        }
    }
}

fn is_attribute(group: &proc_macro2::Group, before: &str) -> bool {
    group.delimiter() == Delimiter::Bracket && before == "#"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: &str, want: &[(&str, Option<&str>, &str, &[&str])]) {
        let items = read(code).unwrap();
        let got: Vec<_> = items
            .iter()
            .map(|i| {
                let texts: Vec<&str> = i.texts.iter().map(String::as_str).collect();
                (i.name.as_str(), i.source.as_deref(), i.error.as_str(), texts)
            })
            .collect();
        let want: Vec<_> = want.iter().map(|w| (w.0, w.1, w.2, w.3.to_vec())).collect();
        assert_eq!(got, want, "{code}");
    }

    #[test]
    fn an_item_is_read_with_its_source() {
        check(
            "/// What.\n///\n/// Source: ours.\nfn a() -> Error { Error::InvalidArgument(format!(\"no {b} \\\n  here\")) }",
            &[("a", Some("ours"), "InvalidArgument", &["no {b} here"])],
        );
        check(
            "impl A { /// Source: observed (a suite).\n const fn b() -> R { Refusal::client(\"CException\", \"d e\") } }",
            &[("b", Some("observed"), "CException", &["d e"])],
        );
        check(
            "/// Source: client.\nconst FULL: &str = \"too many\";",
            &[("FULL", Some("client"), "", &["too many"])],
        );
    }

    #[test]
    fn words_without_a_source_are_seen() {
        check(
            "fn a() { let text = format!(\"no {b}\"); Err(Refusal::serialization(text)) }",
            &[("a", None, "SerializationException", &["no {b}"])],
        );
        check("/// Source: model\nfn a() {}", &[("a", Some("model"), "", &[])]);
    }

    #[test]
    fn what_no_client_sees_is_passed_over() {
        for code in [
            "fn a() { tracing::error!(\"it was so\"); Error::Trimmed }",
            "fn a() { b.expect(\"it is so\"); Refusal::client(\"AException\", text) }",
            "fn a() { matches!(e, rustls::Error::Invalid(_)).then(|| log(\"a b\")) }",
            "fn a() { store::Error::new(ErrorKind::Corrupt, \"a b\") }",
            "#[cfg(test)] mod tests { fn a() { Error::Validation(\"a b\") } }",
            "fn a() { text(\"just words\") }",
        ] {
            check(code, &[]);
        }
    }
}
