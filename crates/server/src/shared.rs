//! What all connections of a server share.

use crate::admin::Admin;
use crate::auth::Auth;
use crate::crowd::Crowd;
use crate::ids::RequestIds;
use crate::io::Flights;
use crate::meters::Meters;
use crate::options::Limits;
use crate::site::{Nowhere, Site};
use base::Env;
use base::budget::Budget;
use http::request::Parts as Head;
use std::sync::Arc;
use tokio::sync::watch;
use wire::Service;

/// The state behind every request.
pub(crate) struct Shared {
    pub(crate) env: Env,
    pub(crate) limits: Limits,
    /// Whether connections without TLS are closed.
    pub(crate) tls_only: bool,
    pub(crate) services: Vec<Arc<dyn Service>>,
    pub(crate) auth: Arc<Auth>,
    pub(crate) admin: Admin,
    /// What else is served that is no AWS API.
    pub(crate) sites: Vec<Arc<dyn Site>>,
    /// Origins of web pages that may call where signatures are verified; `*` for all.
    pub(crate) origins: Vec<String>,
    pub(crate) meters: Meters,
    pub(crate) ids: RequestIds,
    /// Memory that clients cause beyond what each connection has.
    pub(crate) budget: Arc<Budget>,
    pub(crate) crowd: Arc<Crowd>,
    /// Requests in flight.
    pub(crate) flights: Arc<Flights>,
    pub(crate) stopping: Stopping,
}

impl Shared {
    /// The site that has what a request asks for.
    pub(crate) fn site_of(&self, head: &Head) -> Option<&dyn Site> {
        let sites = self.sites.iter().map(|site| &**site);
        // Where there is no service, nobody else answers.
        let end = Some(&Nowhere as &dyn Site).filter(|_| self.services.is_empty());
        std::iter::once(&self.admin as &dyn Site).chain(sites).chain(end).find(|s| s.has(head))
    }
}

/// Tells when the server stops.
#[derive(Clone, Debug)]
pub(crate) struct Stopping(watch::Receiver<bool>);

impl Stopping {
    pub(crate) fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    pub(crate) fn now(&self) -> bool {
        *self.0.borrow()
    }

    /// Resolves when the server stops, or is dropped.
    pub(crate) async fn wait(mut self) {
        // An error says that the server is gone, which is as good a stop.
        drop(self.0.wait_for(|stopping| *stopping).await);
    }
}
