//! What is looked at again and again for as long as the service lives: retention and demand.

use crate::demand::Demand;
use crate::lifecycle;
use crate::retention;
use crate::service::Inner;
use base::env::Clock;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Begins to look.
pub(crate) fn start(inner: &Arc<Inner>) {
    for stream in inner.directory.all() {
        retention::trim(inner, &stream);
    }
    let (clock, period) = (inner.env.clock.clone(), inner.options.keeper_period);
    inner.tasks.spawn(look(Arc::downgrade(inner), clock, period));
}

async fn look(weak: Weak<Inner>, clock: Arc<dyn Clock>, period: Duration) {
    let mut demand = Demand::default();
    loop {
        clock.sleep(period).await;
        let Some(inner) = weak.upgrade() else { return };
        let trusted = inner.guard.lock().trusts(&*clock);
        for stream in inner.directory.all() {
            if trusted {
                retention::keep(&inner, &stream).await;
            }
            demand.meet(&inner, &stream).await;
        }
        demand.forget_others(&inner.directory);
        if let Err(e) = lifecycle::forget_predecessors(&inner).await {
            tracing::warn!(kind = ?e.kind(), "rows of deleted streams stay until later: {e}");
        }
    }
}
