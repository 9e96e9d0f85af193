//! The server's surface, over real sockets, in front of a small service.

#![expect(clippy::unwrap_used, reason = "a helper of tests says by its panic what went wrong")]

mod admin;
mod auth;
mod foreign;
mod http1;
mod http2;
mod limits;
mod memory;
mod pages;
mod shutdown;
mod sites;
mod streaming;
mod support;
mod tls;
