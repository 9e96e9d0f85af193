//! What is looked at again and again for as long as the service lives: retention and demand.

use crate::demand::Demand;
use crate::retention::{self, ClockGuard};
use crate::service::Inner;
use base::env::Clock;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Begins to look.
pub(crate) fn start(inner: &Arc<Inner>) {
    for stream in inner.directory.all() {
        retention::trim(inner, &stream);
    }
    let clock = inner.env.clock.clone();
    let guard = ClockGuard::new(&*clock);
    let (weak, period) = (Arc::downgrade(inner), inner.options.keeper_period);
    inner.tasks.spawn(look(weak, clock, guard, period));
}

async fn look(weak: Weak<Inner>, clock: Arc<dyn Clock>, mut guard: ClockGuard, period: Duration) {
    let mut demand = Demand::default();
    loop {
        clock.sleep(period).await;
        let Some(inner) = weak.upgrade() else { return };
        let trusted = guard.trusts(&*clock);
        for stream in inner.directory.all() {
            if trusted {
                retention::keep(&inner, &stream).await;
            }
            demand.meet(&inner, &stream).await;
        }
        demand.forget_deleted(&inner.directory);
    }
}
