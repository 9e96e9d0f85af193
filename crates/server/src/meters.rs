//! What the server counts. Handles are found once; a request then costs two atomic adds.

use base::metrics::{Counter, Definition, Gauge, Histogram, Registry};
use parking_lot::Mutex;
use std::time::Duration;
use wire::Service;

static REQUESTS: Definition = Definition::ours(
    "millweir_api_requests_total",
    "Requests answered, by service, action and error code.",
);
static SECONDS: Definition = Definition::ours(
    "millweir_api_request_duration_seconds",
    "Time from a request's head to its answer's head.",
);
static PANICS: Definition =
    Definition::ours("millweir_panics_total", "Requests that ended in a panic; each is a defect.");
static CONNECTIONS: Definition = Definition::ours("millweir_connections", "Open connections.");
static MEMORY: Definition = Definition::ours(
    "millweir_client_memory_bytes",
    "Memory held for clients beyond their connections as such, of `server.memory`.",
);
static HANDSHAKES_FAILED: Definition = Definition::ours(
    "millweir_tls_handshakes_failed_total",
    "TLS handshakes that failed or took too long.",
);

/// The counters of one operation.
pub(crate) struct OperationMeters {
    registry: Registry,
    service: &'static str,
    action: &'static str,
    ok: Counter,
    seconds: Histogram,
    /// One for each error code answered so far; codes are few and never the client's words.
    codes: Mutex<Vec<(&'static str, Counter)>>,
}

impl OperationMeters {
    fn new(registry: &Registry, service: &'static str, action: &'static str) -> Self {
        let labels = [("service", service), ("action", action)];
        let code = [labels[0], labels[1], ("code", "OK")];
        Self {
            registry: registry.clone(),
            service,
            action,
            ok: registry.counter(&REQUESTS, &code),
            seconds: registry.histogram(&SECONDS, &labels),
            codes: Mutex::default(),
        }
    }

    /// Counts one answer; `code` is the error's.
    pub(crate) fn count(&self, code: Option<&'static str>, took: Duration) {
        self.seconds.observe(took);
        match code {
            None => self.ok.add(1),
            Some(code) => self.of_code(code).add(1),
        }
    }

    fn of_code(&self, code: &'static str) -> Counter {
        let mut codes = self.codes.lock();
        if let Some((_, counter)) = codes.iter().find(|(known, _)| *known == code) {
            return counter.clone();
        }
        let labels = [("service", self.service), ("action", self.action), ("code", code)];
        let counter = self.registry.counter(&REQUESTS, &labels);
        codes.push((code, counter.clone()));
        counter
    }
}

/// All counters of the server.
pub(crate) struct Meters {
    /// By index of the service and of the operation.
    operations: Vec<Vec<OperationMeters>>,
    /// Requests that named no operation.
    unrouted: OperationMeters,
    pub(crate) panics: Counter,
    pub(crate) connections: Gauge,
    pub(crate) memory: Gauge,
    pub(crate) handshakes_failed: Counter,
}

impl Meters {
    pub(crate) fn new(registry: &Registry, services: &[std::sync::Arc<dyn Service>]) -> Self {
        let of_service = |service: &std::sync::Arc<dyn Service>| {
            let routes = service.routes();
            let meters =
                |op: &wire::Operation| OperationMeters::new(registry, routes.signing_name, op.name);
            routes.operations.iter().map(meters).collect()
        };
        Self {
            operations: services.iter().map(of_service).collect(),
            unrouted: OperationMeters::new(registry, "none", "none"),
            panics: registry.counter(&PANICS, &[]),
            connections: registry.gauge(&CONNECTIONS, &[]),
            memory: registry.gauge(&MEMORY, &[]),
            handshakes_failed: registry.counter(&HANDSHAKES_FAILED, &[]),
        }
    }

    /// The counters of this service's operation, or those of requests that named none.
    pub(crate) fn of(&self, target: Option<crate::route::Target>) -> &OperationMeters {
        target
            .and_then(|t| self.operations.get(t.service)?.get(t.operation))
            .unwrap_or(&self.unrouted)
    }
}
