//! Names to addresses.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;

/// What a name stands for.
pub type Found<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Resolves the names of hosts.
pub trait Names: Send + Sync + 'static {
    /// All addresses of a host, which may be given by its address, too.
    fn find<'a>(&'a self, host: &'a str) -> Found<'a>;
}

/// The system's way to resolve names.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemNames;

impl Names for SystemNames {
    fn find<'a>(&'a self, host: &'a str) -> Found<'a> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}
