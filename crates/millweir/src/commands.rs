//! What each subcommand does.

mod alarm;
mod bench;
mod check_config;
mod completion;
mod env;
mod generate;
mod lines;
mod logs;
mod metrics;
mod put;
mod sending;
mod stream;
mod tail;
mod verify;

use crate::cli::{Cli, ClientArgs, Command, ServeArgs};
use crate::files;
use anyhow::{Context as _, Result};
use base::env::{Rng as _, SystemRng};
use client::{Client, Config, Credentials};
use std::future::Future;
use wire::Protocol;

/// Where distributions keep the certificates they trust.
const SYSTEM_CA_FILE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Does what the command line says.
///
/// # Errors
/// Whatever went wrong, with its context; `exit` knows the exit codes.
pub(crate) fn run(cli: Cli) -> Result<()> {
    match cli.command {
        None => serve(&cli.serve),
        Some(Command::Serve(args)) => serve(&args),
        Some(Command::Stream(command)) => block_on(stream::run(command)),
        Some(Command::Put(args)) => block_on(put::run(args)),
        Some(Command::Tail(args)) => block_on(tail::run(args)),
        Some(Command::Generate(args)) => block_on(generate::run(args)),
        Some(Command::Bench(args)) => block_on(bench::run(args)),
        Some(Command::Metrics(command)) => block_on(metrics::run(command)),
        Some(Command::Alarm(command)) => block_on(alarm::run(command)),
        Some(Command::Logs(command)) => block_on(logs::run(command)),
        Some(Command::Env(args)) => env::run(&args),
        Some(Command::Verify(args)) => verify::run(&args),
        Some(Command::CheckConfig(args)) => check_config::run(&args),
        Some(Command::Completion(args)) => completion::run(&args),
    }
}

fn serve(args: &ServeArgs) -> Result<()> {
    block_on(crate::serve::run(args))
}

fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.enable_all().build().context("cannot start the runtime")?.block_on(work)
}

/// A name that nobody else uses at the same time, for what a command makes and takes away again.
fn temporary_name(purpose: &str) -> String {
    let random = u128::from_be_bytes(SystemRng.bytes16()) >> 80;
    format!("millweir-{purpose}-{random:012x}")
}

/// A client of the server that the arguments and the environment name.
fn connect(args: &ClientArgs) -> Result<Client> {
    connect_by(args, if args.cbor { Protocol::Cbor11 } else { Protocol::Json11 })
}

/// As [`connect`], for services that speak another version of JSON than Kinesis.
fn connect_to_neighbors(args: &ClientArgs) -> Result<Client> {
    connect_by(args, Protocol::Json10)
}

fn connect_by(args: &ClientArgs, protocol: Protocol) -> Result<Client> {
    let target = args.target(|name| std::env::var(name).ok());
    let ca_file = target.ca_file.clone().or_else(|| {
        let https = target.endpoint.starts_with("https://");
        https.then(|| SYSTEM_CA_FILE.into())
    });
    let ca_pem = ca_file.map(|path| {
        files::read(&path).with_context(|| format!("cannot read `{}`", path.display()))
    });
    let config = Config {
        region: target.region,
        credentials: Credentials {
            access_key_id: target.access_key_id,
            secret_access_key: target.secret_access_key,
            session_token: target.session_token,
        },
        protocol,
        ca_pem: ca_pem.transpose()?,
        ..Config::new(target.endpoint)
    };
    Ok(Client::new(config)?)
}
