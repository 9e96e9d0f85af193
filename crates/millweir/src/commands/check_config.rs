//! `check-config`.

use crate::cli::{CheckConfigArgs, Format};
use crate::config::table::OPTIONS;
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
    for entry in OPTIONS {
        let (accepts, default) = (entry.kind.accepts(), entry.kind.default_text());
        let value = json!({
            "accepts": accepts,
            "default": default,
            "meaning": entry.help,
            "environment": entry.variable(),
            "also": entry.aliases,
            "flag": entry.flag.map(|(flag, _)| format!("--{flag}")),
        });
        values.insert(entry.name.to_owned(), value);
        table.row(vec![entry.name.to_owned(), accepts, default, entry.help.to_owned()]);
    }
    Ok(output::answer(format, &Value::Object(values), &table)?)
}
