//! `check-config`.

use crate::cli::{CheckConfigArgs, Format};
use crate::config::keys::KEYS;
use crate::config::{self, options::Options};
use crate::{files, output};
use anyhow::Result;
use output::Table;
use serde_json::{Map, Value, json};

pub(super) fn run(args: &CheckConfigArgs) -> Result<()> {
    if args.options {
        return list(args.output);
    }
    let settings = config::load(&args.serve)?;
    Options::read(&settings, files::read_for)?;
    let titles: &[_] =
        if args.show_origin { &["key", "value", "origin"] } else { &["key", "value"] };
    let mut table = Table::new(titles);
    let mut values = Map::new();
    for (name, text, origin) in settings.shown() {
        let mut cells = vec![name.clone(), text.clone()];
        let value = if args.show_origin {
            cells.push(origin.to_string());
            json!({ "value": text, "origin": origin.to_string() })
        } else {
            Value::String(text)
        };
        table.row(cells);
        values.insert(name, value);
    }
    output::answer(args.output, &Value::Object(values), &table)?;
    if args.output == Format::Table {
        output::note("the configuration is good");
    }
    Ok(())
}

/// Every option there is.
fn list(format: Format) -> Result<()> {
    let mut table = Table::new(&["key", "accepts", "default", "meaning"]);
    let mut values = Map::new();
    for key in KEYS {
        let (accepts, default) = (key.kind.accepts(), (key.default)());
        let value = json!({
            "accepts": accepts,
            "default": default,
            "meaning": key.help,
            "environment": key.variable(),
            "also": key.aliases,
            "flag": key.flag.map(|(flag, _)| format!("--{flag}")),
        });
        values.insert(key.name.to_owned(), value);
        table.row(vec![key.name.to_owned(), accepts, default, key.help.to_owned()]);
    }
    Ok(output::answer(format, &Value::Object(values), &table)?)
}
