//! The real program, end to end: every subcommand, the configuration, starts and stops.

mod bench;
mod clients;
mod configuration;
mod lifecycle;
// mod proof;
mod records;
mod streams;
mod support;
mod tools;
