//! `completion`.

use crate::cli::{Cli, CompletionArgs};
use anyhow::Result;
use clap::CommandFactory as _;
use std::io::Write as _;

pub(super) fn run(args: &CompletionArgs) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "millweir", &mut script);
    let mut out = crate::output::stdout();
    out.write_all(&script)?;
    out.flush()?;
    Ok(())
}
