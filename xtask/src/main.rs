//! The workspace's own commands: `cargo xtask COMMAND`.

mod api;
mod compat;
mod config;
mod tidy;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "xtask", about = "Code generation and checks of this workspace")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The API facts in `model/` and the code made of them.
    Api(api::Arguments),
    /// `docs/reference/compatibility.md` from the model, the handlers and the clients' tests.
    Compat(compat::Arguments),
    /// `docs/reference/configuration.md` from the built program.
    Config(config::Arguments),
    /// Imports, sizes and paths against ARCHITECTURE.md and the style page.
    Tidy,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Api(arguments) => api::run(&arguments),
        Command::Compat(arguments) => compat::run(&arguments),
        Command::Config(arguments) => config::run(&arguments),
        Command::Tidy => tidy::run(),
    }
}
