//! The services that run here: opened in this order, closed in the reverse one. A new one is a line
//! in [`open`] and one in [`SERVED`].

use super::engines::Engines;
use super::issuer::Issued;
use crate::config::options::Options;
use anyhow::{Context as _, Result};
use base::Env;
use base::metrics::Registry;
use neighbors::cloudwatch::{self, CloudWatch};
use neighbors::dynamodb::{self, DynamoDb};
use neighbors::iam::{self, Iam};
use neighbors::logs::{self, Logs};
use neighbors::sns::{self, Sns};
use neighbors::sts::{self, Sts};
use outgoing::{Allowed, Poster};
use server::AuthMode;
use std::pin::Pin;
use std::sync::Arc;
use streams::{Parts, Streams};
use wire::{Routes, Service};

/// What is served, as clients see it.
pub(crate) static SERVED: [&Routes; 7] = [
    &api::kinesis::ROUTES,
    &api::dynamodb::ROUTES,
    &api::sns::ROUTES,
    &api::cloudwatch::ROUTES,
    &api::logs::ROUTES,
    &api::iam::ROUTES,
    &api::sts::ROUTES,
];

/// A service that runs.
pub(super) struct Hosted {
    /// What the server sees of it.
    pub(super) service: Arc<dyn Service>,
    /// Stops what it does in the background.
    close: Box<dyn FnOnce() -> Closing + Send>,
}

type Closing = Pin<Box<dyn Future<Output = ()> + Send>>;

/// All services, in the order in which they were opened.
pub(super) struct Services {
    hosted: Vec<Hosted>,
    /// Who knows the keys that clients make.
    pub(super) issuer: Arc<Issued>,
    /// Whose pages are there without a signature.
    pub(super) topics: Sns,
}

/// Opens all services upon the engines. `base_url`: where others find this server.
///
/// # Errors
/// What the first one says that cannot be opened.
pub(super) async fn open(
    options: &Options,
    engines: &Engines,
    (env, registry): (&Env, &Registry),
    base_url: String,
) -> Result<Services> {
    let part = |service| engines.store.part(service);
    let parts = Parts {
        env: env.clone(),
        store: part(streams::SERVICE),
        keys: engines.keys.clone(),
        registry: registry.clone(),
    };
    let of_dynamodb = dynamodb::Parts { env: env.clone(), store: part(dynamodb::SERVICE) };
    let poster = poster(options, env)?;
    let secret = engines.keys.server_secret().await.context("the encryption keys")?;
    let topics = Sns::open(
        sns::Parts {
            env: env.clone(),
            store: part(sns::SERVICE),
            secret: secret.clone(),
            registry: registry.clone(),
            poster: poster.clone(),
            base_url: Arc::new(move || base_url.clone()),
        },
        options.sns,
    );
    let topics = topics.await?;
    let of_hooks = options.webhook_secret.as_ref();
    let doers = cloudwatch::Doers {
        topics: topics.clone(),
        poster,
        webhook_secret: of_hooks.map(|secret| secret.reveal().as_bytes().to_vec()),
    };
    let of_cloudwatch = cloudwatch::Parts {
        env: env.clone(),
        store: part(cloudwatch::SERVICE),
        registry: registry.clone(),
        doers: Some(doers),
    };
    let of_iam = iam::Parts { env: env.clone(), store: part(iam::SERVICE), secret: secret.clone() };
    let iam = Iam::open(of_iam, options.iam).await?;
    let sts = Sts::new(sts::Parts { env: env.clone(), secret, iam: iam.clone() });
    let (streams, kinesis) = kinesis(parts, options).await?;
    let of_logs = logs::Parts {
        env: env.clone(),
        store: part(logs::SERVICE),
        registry: registry.clone(),
        destinations: Some(logs::Destinations { kinesis, iam: iam.clone() }),
    };
    let hosted = vec![
        streams,
        dynamodb(of_dynamodb, options)?,
        hosted_sns(topics.clone()),
        cloudwatch(of_cloudwatch, options).await?,
        hosted_iam(iam.clone()),
        hosted_sts(sts.clone()),
        hosted_logs(Logs::open(of_logs, options.logs).await?),
    ];
    let issuer = Arc::new(Issued { iam, sts });
    Ok(Services { hosted, issuer, topics })
}

/// What posts to endpoints of others.
fn poster(options: &Options, env: &Env) -> Result<Poster> {
    let allowed = |text: &String| {
        Allowed::parse(text)
            .with_context(|| format!("`outgoing.allow`: `{text}` is no address, range or name"))
    };
    let posts = outgoing::Options {
        allowed: options.outgoing_allow.iter().map(allowed).collect::<Result<_>>()?,
        // With keys the callers may be elsewhere, behind a proxy on this machine.
        is_loopback_allowed: options.server.listen.ip().is_loopback()
            && options.server.auth == AuthMode::Any,
        roots_pem: outgoing::system_roots(env),
        ..outgoing::Options::default()
    };
    Ok(Poster::new(env.clone(), &posts)?)
}

fn hosted_sns(topics: Sns) -> Hosted {
    let service = Arc::new(api::sns::Server::new(Arc::new(topics.clone())));
    Hosted { service, close: Box::new(move || Box::pin(async move { topics.close().await })) }
}

fn hosted_iam(iam: Iam) -> Hosted {
    let service = Arc::new(api::iam::Server::new(Arc::new(iam.clone())));
    Hosted { service, close: Box::new(move || Box::pin(async move { iam.close().await })) }
}

fn hosted_sts(sts: Sts) -> Hosted {
    let service = Arc::new(api::sts::Server::new(Arc::new(sts)));
    Hosted { service, close: Box::new(|| Box::pin(async {})) }
}

fn hosted_logs(logs: Logs) -> Hosted {
    let service = Arc::new(api::logs::Server::new(Arc::new(logs.clone())));
    Hosted { service, close: Box::new(move || Box::pin(async move { logs.close().await })) }
}

/// The streams, for clients and for other services.
async fn kinesis(parts: Parts, options: &Options) -> Result<(Hosted, Arc<dyn api::Handle>)> {
    let streams = Streams::open(parts, options.streams.clone()).await?;
    let service = Arc::new(api::kinesis::Server::new(Arc::new(streams.clone())));
    let handle = Arc::clone(&service) as Arc<dyn api::Handle>;
    let close = Box::new(move || Box::pin(async move { streams.close().await }) as Closing);
    Ok((Hosted { service, close }, handle))
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
        self.hosted.iter().map(|hosted| Arc::clone(&hosted.service)).collect()
    }

    /// Closes them, the last one first: it may need those before it.
    pub(super) async fn close(self) {
        for Hosted { close, .. } in self.hosted.into_iter().rev() {
            close().await;
        }
    }
}
