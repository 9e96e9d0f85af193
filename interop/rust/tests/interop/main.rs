//! The AWS SDK for Rust against a running server, over plain HTTP and over TLS.

mod fanout;
mod records;
mod reshard;
mod streams;
