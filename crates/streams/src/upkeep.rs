//! What is looked at again and again for as long as the service lives: the clock, retention and
//! demand.

use crate::demand::Demand;
use crate::lifecycle;
use crate::retention;
use crate::service::Inner;
use base::env::Clock;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Begins to look.
pub(crate) fn start(inner: &Arc<Inner>) {
    let mut in_doubt = false;
    watch_clock(inner, &mut in_doubt);
    for stream in inner.directory.all() {
        retention::trim(inner, &stream);
    }
    let (clock, period) = (inner.env.clock.clone(), inner.options.upkeep_period);
    inner.tasks.spawn(look(Arc::downgrade(inner), in_doubt, (clock, period)));
}

async fn look(weak: Weak<Inner>, mut in_doubt: bool, (clock, period): (Arc<dyn Clock>, Duration)) {
    let mut demand = Demand::default();
    loop {
        clock.sleep(period).await;
        let Some(inner) = weak.upgrade() else { return };
        watch_clock(&inner, &mut in_doubt);
        for stream in inner.directory.all() {
            retention::keep(&inner, &stream).await;
            demand.meet(&inner, &stream).await;
        }
        demand.forget_others(&inner.directory);
        if let Err(e) = lifecycle::forget_predecessors(&inner).await {
            tracing::warn!(kind = ?e.kind(), "rows of deleted streams stay until later: {e}");
        }
    }
}

/// Tells of a wall clock that begins to be in doubt, or is trusted again.
fn watch_clock(inner: &Inner, was_in_doubt: &mut bool) {
    let trouble = inner.guard.trouble();
    let in_doubt = trouble.is_some();
    if std::mem::replace(was_in_doubt, in_doubt) != in_doubt {
        match trouble {
            Some(why) => tracing::warn!("{why}"),
            None => tracing::info!("the wall clock is trusted again"),
        }
    }
    inner.metrics.clock_in_doubt.set(in_doubt.into());
}
