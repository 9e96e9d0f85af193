//! One text per option, from the strongest of its sources: flag, environment, file, default.
//!
//! ```text
//! file (TOML) --flatten--> dotted names --\
//! MILLWEIR__A__B --------> dotted names ---> check against OPTIONS --> Settings
//! flags -----------------> dotted names --/
//! ```

use super::kinds::Kind;
use super::nearest::nearest;
use super::table::{self, Entry, OPTIONS};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

/// Prefix of our environment variables; the rest is the option's name with `__` for each dot.
pub(crate) const ENV_PREFIX: &str = "MILLWEIR__";
/// What is often written instead; some variables that are no options begin so too.
const ENV_PREFIX_SLIP: &str = "MILLWEIR_";

/// Everything that is wrong with a configuration, one sentence each.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<String>);

impl Problems {
    /// Only this one.
    pub(crate) fn one(sentence: String) -> Self {
        Self(vec![sentence])
    }

    /// Notes others behind these.
    pub(crate) fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    /// Notes one more.
    pub(crate) fn add(&mut self, sentence: String) {
        self.0.push(sentence);
    }

    /// Fails when there is any.
    pub(crate) fn check(self) -> Result<(), Problems> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Problems {}

/// Who said so.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Origin {
    /// Nobody.
    Default,
    /// This file.
    File(PathBuf),
    /// This variable.
    Env(String),
    /// This flag, without its dashes.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(path) => write!(f, "file {}", path.display()),
            Origin::Env(name) => write!(f, "environment {name}"),
            Origin::Flag(name) => write!(f, "flag --{name}"),
        }
    }
}

/// A flag as it was given: the option, the flag's name, the text.
pub(crate) type Flag = (&'static str, &'static str, String);

/// The sources of a configuration.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// Flags given.
    pub(crate) flags: Vec<Flag>,
    /// The whole environment.
    pub(crate) env: Vec<(String, String)>,
    /// Names of our own variables whose name or value is no text.
    pub(crate) no_text: Vec<String>,
    /// The file and its text.
    pub(crate) file: Option<(PathBuf, String)>,
}

/// The text and the origin of each option that somebody set.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    texts: BTreeMap<String, (String, Origin)>,
    /// The file in use.
    file: Option<PathBuf>,
    /// Whether the file holds a secret, be it hidden by a stronger source.
    has_secret_in_file: bool,
    /// Whether the file could not be read as TOML.
    is_file_broken: bool,
}

impl Settings {
    /// Merges the sources and checks each name and text.
    ///
    /// # Errors
    /// All problems of all sources; the weaker sources are checked although they are hidden.
    pub(crate) fn merge(sources: Sources) -> Result<Self, Problems> {
        let (settings, problems) = Self::gather(sources);
        problems.check().map(|()| settings)
    }

    /// As [`Settings::merge`], with what is right beside what is wrong.
    pub(crate) fn gather(sources: Sources) -> (Self, Problems) {
        let mut settings = Settings::default();
        let mut problems = Problems::default();
        if let Some((path, text)) = sources.file {
            settings.take_file(&path, &text, &mut problems);
        }
        settings.take_env(sources.env, &mut problems);
        for name in sources.no_text {
            problems.add(format!("{}: it is no text (UTF-8)", Origin::Env(name)));
        }
        for (name, flag, text) in sources.flags {
            settings.take(name, &text, Origin::Flag(flag), &mut problems);
        }
        (settings, problems)
    }

    /// The file in use.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Whether that file holds a secret.
    pub(crate) fn has_secret_in_file(&self) -> bool {
        self.has_secret_in_file
    }

    /// Whether that file could not be read as TOML, so that nothing is known of what it says.
    pub(crate) fn is_file_broken(&self) -> bool {
        self.is_file_broken
    }

    /// The text of an option; its default when nobody set it, empty when it has none.
    pub(crate) fn text(&self, name: &str) -> String {
        if let Some((text, _)) = self.texts.get(name) {
            return text.clone();
        }
        let (entry, _) = table::find(name).expect("options are asked for by names of the table");
        entry.kind.default_text()
    }

    /// The text of an option when it is not empty.
    pub(crate) fn given(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// Who set an option.
    pub(crate) fn origin(&self, name: &str) -> Origin {
        self.texts.get(name).map_or(Origin::Default, |(_, origin)| origin.clone())
    }

    /// The owner's words in place of the `*` of a name, be it in options beside it: `ci` of
    /// `access_keys.ci.id` for `access_keys.*.secret`.
    pub(crate) fn words(&self, name: &str) -> BTreeSet<String> {
        let (before, _) = name.split_once('*').expect("only names with a `*` have words");
        let word = |name: &str| Some(name.strip_prefix(before)?.split_once('.')?.0.to_owned());
        self.texts.keys().filter_map(|name| word(name)).collect()
    }

    /// Every option with its text, for people: secrets are hidden, unset ones empty.
    pub(crate) fn shown(&self) -> Vec<(String, String, Origin)> {
        let mut rows: BTreeMap<String, (String, Origin)> = OPTIONS
            .iter()
            .filter(|entry| !entry.name.contains('*'))
            .map(|entry| (entry.name.to_owned(), (entry.kind.default_text(), Origin::Default)))
            .collect();
        rows.extend(self.texts.clone());
        let hide = |name: &str, text: String| match table::find(name) {
            Some((Entry { kind: Kind::Secret, .. }, _)) => "(hidden)".to_owned(),
            _ => text,
        };
        rows.into_iter()
            .map(|(name, (text, origin))| (name.clone(), hide(&name, text), origin))
            .collect()
    }

    fn take_file(&mut self, path: &Path, text: &str, problems: &mut Problems) {
        let origin = Origin::File(path.to_owned());
        self.file = Some(path.to_owned());
        let table = match text.parse::<toml::Table>() {
            Ok(table) => table,
            Err(e) => {
                self.is_file_broken = true;
                return problems.add(format!("{}: {}", path.display(), parse_error(text, &e)));
            }
        };
        let mut flat = Vec::new();
        flatten("", table, &mut flat);
        for (name, value) in flat {
            match plain(&value) {
                Some(text) => self.take(&name, &text, origin.clone(), problems),
                None => problems.add(format!("{origin}: `{name}` cannot be a list of tables")),
            }
        }
    }

    fn take_env(&mut self, env: Vec<(String, String)>, problems: &mut Problems) {
        for entry in OPTIONS {
            let found = entry.aliases.iter().find_map(|alias| env.iter().find(|(n, _)| n == alias));
            if let Some((name, text)) = found.filter(|(_, text)| !text.is_empty()) {
                self.take(entry.name, text, Origin::Env(name.clone()), problems);
            }
        }
        for (variable, text) in env {
            let Some(rest) = variable.strip_prefix(ENV_PREFIX) else {
                if let Some(meant) = meant(&variable) {
                    let origin = Origin::Env(variable);
                    problems.add(format!("{origin}: nothing reads it; did you mean `{meant}`?"));
                }
                continue;
            };
            let name = rest.to_ascii_lowercase().replace("__", ".");
            self.take(&name, &text, Origin::Env(variable.clone()), problems);
        }
    }

    fn take(&mut self, name: &str, text: &str, origin: Origin, problems: &mut Problems) {
        let Some((entry, _)) = table::find(name) else {
            return problems.add(unknown(name, &origin));
        };
        match entry.kind.check(text) {
            Ok(text) => {
                self.has_secret_in_file |=
                    matches!((entry.kind, &origin), (Kind::Secret, Origin::File(_)));
                self.texts.insert(name.to_owned(), (text, origin));
            }
            Err(why) => problems.add(format!("{origin}: `{name}`: {why}")),
        }
    }
}

fn unknown(name: &str, origin: &Origin) -> String {
    let known: Vec<String> = OPTIONS.iter().map(|entry| with_word_of(name, entry.name)).collect();
    match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("{origin}: there is no option `{name}`; did you mean `{near}`?"),
        None => {
            format!(
                "{origin}: there is no option `{name}`; `millweir check-config --options` lists them"
            )
        }
    }
}

/// The variable of the option that this one names with single underscores.
fn meant(variable: &str) -> Option<String> {
    let flat = |name: &str| name.replace("__", "_");
    let named = flat(&variable.strip_prefix(ENV_PREFIX_SLIP)?.to_ascii_lowercase());
    let known = OPTIONS.iter().find_map(|entry| {
        let flat = entry.name.replace('.', "_");
        let Some((before, after)) = flat.split_once('*') else {
            return (flat == named).then(|| entry.name.to_owned());
        };
        let word = named.strip_prefix(before)?.strip_suffix(after)?;
        (!word.is_empty()).then(|| entry.name.replacen('*', word, 1))
    });
    Some(format!("{ENV_PREFIX}{}", known?.replace('.', "__").to_ascii_uppercase()))
}

/// `known` with the segment of `name` in place of its `*`, so that the word costs no distance.
fn with_word_of(name: &str, known: &str) -> String {
    let mut words = name.split('.');
    let fill = |segment| match (segment, words.next()) {
        ("*", Some(word)) => word,
        (segment, _) => segment,
    };
    known.split('.').map(fill).collect::<Vec<_>>().join(".")
}

fn flatten(prefix: &str, table: toml::Table, flat: &mut Vec<(String, toml::Value)>) {
    for (key, value) in table {
        let name = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
        match value {
            toml::Value::Table(inner) => flatten(&name, inner, flat),
            value => flat.push((name, value)),
        }
    }
}

fn plain(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Array(items) => {
            let items = items.iter().map(|item| item.as_str().map(str::to_owned));
            items.collect::<Option<Vec<_>>>().map(|items| items.join(","))
        }
        toml::Value::Table(_) => None,
        other => Some(other.to_string()),
    }
}

/// What the parser says and where. Why not its own text: that shows the line, which may hold a
/// secret.
fn parse_error(text: &str, e: &toml::de::Error) -> String {
    let before = e.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    let message = e.message().replace('\n', " ");
    format!("TOML parse error at line {line}, column {column}: {message}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(file: &str, env: &[(&str, &str)], flags: &[Flag]) -> Sources {
        Sources {
            flags: flags.to_vec(),
            env: env.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            file: Some(("m.toml".into(), file.to_owned())),
            no_text: Vec::new(),
        }
    }

    fn fails(file: &str, env: &[(&str, &str)]) -> String {
        Settings::merge(sources(file, env, &[])).unwrap_err().to_string()
    }

    #[test]
    fn flag_beats_env_beats_file_beats_default() {
        let file = "limits = 'hardware'\nauth = 'required'\ndata = '/f'";
        let env = [("MILLWEIR__AUTH", "any"), ("MILLWEIR__DATA", "/e")];
        let flags = [("data", "data", "/flag".to_owned())];
        let s = Settings::merge(sources(file, &env, &flags)).unwrap();
        assert_eq!((s.text("data"), s.origin("data")), ("/flag".into(), Origin::Flag("data")));
        assert_eq!(s.text("auth"), "any");
        assert_eq!(s.origin("auth"), Origin::Env("MILLWEIR__AUTH".into()));
        assert_eq!(s.text("limits"), "hardware");
        assert_eq!(s.origin("limits"), Origin::File("m.toml".into()));
        assert_eq!(
            (s.text("listen"), s.origin("listen")),
            ("127.0.0.1:4566".into(), Origin::Default)
        );
    }

    #[test]
    fn our_variables_beat_the_aliases() {
        let env = [("MILLWEIR__REGION", "eu-west-1"), ("AWS_REGION", "eu-north-1")];
        assert_eq!(Settings::merge(sources("", &env, &[])).unwrap().text("region"), "eu-west-1");
        let s = Settings::merge(sources("region = 'x'", &env[1..], &[])).unwrap();
        assert_eq!(s.text("region"), "eu-north-1");
    }

    #[test]
    fn unknown_names_name_the_nearest() {
        assert_eq!(
            fails("lsiten = 'a'", &[]),
            "file m.toml: there is no option `lsiten`; did you mean `listen`?"
        );
        assert_eq!(
            fails("[access_keys.ci]\nsecret_fiel = 'x'", &[]),
            "file m.toml: there is no option `access_keys.ci.secret_fiel`; did you mean \
             `access_keys.ci.secret_file`?"
        );
        assert!(fails("", &[("MILLWEIR__TLS__CERT", "x")]).contains("`tls.cert`"));
    }

    #[test]
    fn variables_with_single_underscores_are_named() {
        for (variable, want) in [
            ("MILLWEIR_LIMITS", "MILLWEIR__LIMITS"),
            ("MILLWEIR_LOG_LEVEL", "MILLWEIR__LOG__LEVEL"),
            ("MILLWEIR_TLS__CERT_FILE", "MILLWEIR__TLS__CERT_FILE"),
            ("MILLWEIR_ACCESS_KEYS_CI_SECRET_FILE", "MILLWEIR__ACCESS_KEYS__CI__SECRET_FILE"),
        ] {
            let said = fails("", &[(variable, "x")]);
            let whole = "nothing reads it; did you mean";
            assert_eq!(said, format!("environment {variable}: {whole} `{want}`?"));
        }
        for other in ["COMMIT", "ENDPOINT", "CA", "KILL_ROUNDS", "SEED", "SEEDS", "SKIP", "PORT"] {
            let name = format!("MILLWEIR_{other}");
            let env = [(name.as_str(), "x"), ("LIMITS", "x")];
            assert!(Settings::merge(sources("", &env, &[])).is_ok(), "{name}");
        }
    }

    #[test]
    fn all_problems_come_at_once() {
        let said = fails("limits = 'none'\nmemory = 7", &[("MILLWEIR__LISTEN", "here")]);
        assert_eq!(said.lines().count(), 3, "{said}");
        assert!(fails("limits = ", &[]).starts_with("m.toml: TOML parse error"));
    }

    #[test]
    fn a_broken_line_shows_no_secret() {
        for line in [
            "secret = 'hush",
            "secret = \"hush",
            "secret = hush",
            "secret 'hush'",
            "secret = 'hush' 'hush'",
            "secret = 'hush'\nsecret = 'hush'",
            "secret = \"\\hush\"",
            "secret = \"hush\\",
            "secret = ['hush'",
            "secret = {hush}",
            "secret = 0hush",
            "secret = 2026-hush",
            "secret = '''hush",
        ] {
            let said = fails(&format!("[access_keys.ci]\nid = 'k'\n{line}"), &[]);
            assert!(!said.contains("hush"), "{line}: {said}");
            assert!(said.starts_with("m.toml: TOML parse error at line "), "{line}: {said}");
        }
        let said = fails("limits = 'aws'\n  auth = ", &[]);
        assert!(said.starts_with("m.toml: TOML parse error at line 2, column 10: "), "{said}");
    }

    #[test]
    fn tables_and_lists_flatten() {
        let file = "[tls]\nnames = ['a', 'b.c']\n[access_keys.ci]\nid = 'k'\nsecret = 'hush'";
        let s = Settings::merge(sources(file, &[("SERVICES", "kinesis")], &[])).unwrap();
        assert_eq!(s.text("tls.names"), "a,b.c");
        assert_eq!(s.words("access_keys.*.id"), BTreeSet::from(["ci".to_owned()]));
        assert_eq!(s.text("access_keys.ci.secret"), "hush");
        let shown = format!("{:?}", s.shown());
        assert!(!shown.contains("hush") && shown.contains("(hidden)"), "{shown}");
    }
}
