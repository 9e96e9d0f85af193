//! The real program, end to end: every subcommand, the configuration, starts and stops.

#![expect(clippy::unwrap_used, reason = "helpers of tests check what happened, too")]

mod bench;
mod clients;
mod configuration;
mod cutting;
mod evil;
mod idle;
mod lifecycle;
mod logging;
mod logs;
mod metrics;
mod policies;
mod proof;
mod records;
mod sending;
mod streams;
mod support;
mod tables;
mod tools;
