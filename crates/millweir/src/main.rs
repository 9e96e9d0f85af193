//! The `millweir` program: subcommands, configuration, and the wiring of the services.
//!
//! It holds no logic of the services themselves. One flow: command line -> `commands` -> either
//! `serve` (configuration -> engines -> services -> sockets) or a client of a running server.

mod access;
mod cli;
mod commands;
mod config;
mod exit;
mod files;
mod latencies;
mod output;
mod presets;
mod serve;
mod stop;
mod times;

use clap::Parser as _;
use mimalloc::MiMalloc;
use std::process::ExitCode;

/// Why not the system's: a request makes some thirty short-lived blocks, and record bodies are
/// freed by another thread than made them, which glibc's arenas answer with locks and page faults.
/// Without transparent huge pages, which would clear 2 MiB for every fresh body.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match commands::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) if output::is_broken_pipe(&e) => ExitCode::SUCCESS,
        Err(e) if e.is::<exit::Stopped>() => exit::code(&e),
        Err(e) => {
            let text = format!("error: {e:#}");
            // Everything that is wrong with a configuration stands in lines of its own.
            match e.is::<config::settings::Problems>() {
                true => output::lines_of_ours(
                    &text.split('\n').map(output::inert).collect::<Vec<_>>().join("\n"),
                ),
                false => output::note(&text),
            }
            exit::code(&e)
        }
    }
}
