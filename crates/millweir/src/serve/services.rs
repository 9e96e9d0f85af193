//! The services that run here: opened in this order, closed in the reverse one. A new one is a line
//! in [`open`] and one in [`SERVED`].

use super::engines::Engines;
use crate::config::options::Options;
use anyhow::Result;
use base::Env;
use base::metrics::Registry;
use neighbors::cloudwatch::{self, CloudWatch};
use neighbors::dynamodb::{self, DynamoDb};
use std::pin::Pin;
use std::sync::Arc;
use streams::{Parts, Streams};
use wire::{Routes, Service};

/// What is served, as clients see it.
pub(crate) static SERVED: [&Routes; 3] =
    [&api::kinesis::ROUTES, &api::dynamodb::ROUTES, &api::cloudwatch::ROUTES];

/// A service that runs.
pub(super) struct Hosted {
    /// What the server sees of it.
    pub(super) service: Arc<dyn Service>,
    /// Stops what it does in the background.
    close: Box<dyn FnOnce() -> Closing + Send>,
}

type Closing = Pin<Box<dyn Future<Output = ()> + Send>>;

/// All services, in the order in which they were opened.
pub(super) struct Services(Vec<Hosted>);

/// Opens all services upon the engines.
///
/// # Errors
/// What the first one says that cannot be opened.
pub(super) async fn open(
    options: &Options,
    engines: &Engines,
    env: &Env,
    registry: &Registry,
) -> Result<Services> {
    let parts = Parts {
        env: env.clone(),
        store: engines.store.part(streams::SERVICE),
        keys: engines.keys.clone(),
        registry: registry.clone(),
    };
    let of_dynamodb =
        dynamodb::Parts { env: env.clone(), store: engines.store.part(dynamodb::SERVICE) };
    let of_cloudwatch = cloudwatch::Parts {
        env: env.clone(),
        store: engines.store.part(cloudwatch::SERVICE),
        registry: registry.clone(),
    };
    Ok(Services(vec![
        kinesis(parts, options).await?,
        dynamodb(of_dynamodb, options)?,
        cloudwatch(of_cloudwatch, options).await?,
    ]))
}

async fn kinesis(parts: Parts, options: &Options) -> Result<Hosted> {
    let streams = Streams::open(parts, options.streams.clone()).await?;
    let service = Arc::new(api::kinesis::Server::new(Arc::new(streams.clone())));
    Ok(Hosted { service, close: Box::new(move || Box::pin(async move { streams.close().await })) })
}

fn dynamodb(parts: dynamodb::Parts, options: &Options) -> Result<Hosted> {
    let tables = DynamoDb::open(parts, options.dynamodb)?;
    let service = Arc::new(api::dynamodb::Server::new(Arc::new(tables.clone())));
    Ok(Hosted { service, close: Box::new(move || Box::pin(async move { tables.close().await })) })
}

async fn cloudwatch(parts: cloudwatch::Parts, options: &Options) -> Result<Hosted> {
    let metrics = CloudWatch::open(parts, options.cloudwatch).await?;
    let service = Arc::new(api::cloudwatch::Server::new(Arc::new(metrics.clone())));
    Ok(Hosted { service, close: Box::new(move || Box::pin(async move { metrics.close().await })) })
}

impl Services {
    /// What the server sees of them.
    pub(super) fn all(&self) -> Vec<Arc<dyn Service>> {
        self.0.iter().map(|hosted| Arc::clone(&hosted.service)).collect()
    }

    /// Closes them, the last one first: it may need those before it.
    pub(super) async fn close(self) {
        for Hosted { close, .. } in self.0.into_iter().rev() {
            close().await;
        }
    }
}
