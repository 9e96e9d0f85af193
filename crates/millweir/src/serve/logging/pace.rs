//! Lines that clients can cause: one a second of each kind, and how many were left out.
//!
//! A kind is a place in the code that logs. Only warnings and errors are held back: who asks for
//! more detail wants all of it.

use base::env::Clock;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Shortest time between two lines of a kind.
const PAUSE: Duration = Duration::from_secs(1);

/// Holds lines back, or lets them pass; cheap to clone.
#[derive(Clone)]
pub(super) struct Pace(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    begun: AtomicBool,
    /// As many as there are places that log.
    kinds: Mutex<HashMap<Identifier, Kind>>,
}

struct Kind {
    last: Duration,
    left_out: u64,
    /// What the first of those said.
    text: String,
}

impl Pace {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner { clock, begun: AtomicBool::new(false), kinds: Mutex::default() }))
    }

    /// Begins to hold lines back.
    pub(super) fn begin(&self) {
        self.0.begun.store(true, Ordering::Relaxed);
    }

    /// Says of each kind how many lines were left out, no more often than lines of it come.
    pub(super) fn tell(&self) {
        for (of, left_out) in self.left_out() {
            tracing::warn!(left_out, of, "more lines like one before were left out");
        }
    }

    fn left_out(&self) -> Vec<(String, u64)> {
        let now = self.0.clock.monotonic();
        let mut kinds = self.0.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let due = |kind: &&mut Kind| kind.left_out > 0 && now >= kind.last + PAUSE;
        kinds
            .values_mut()
            .filter(due)
            .map(|kind| {
                kind.last = now;
                (std::mem::take(&mut kind.text), std::mem::take(&mut kind.left_out))
            })
            .collect()
    }

    fn lets(&self, event: &Event<'_>) -> bool {
        let metadata = event.metadata();
        if *metadata.level() > Level::WARN
            || metadata.target() == module_path!()
            || !self.0.begun.load(Ordering::Relaxed)
        {
            return true;
        }
        let now = self.0.clock.monotonic();
        let mut kinds = self.0.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(kind) = kinds.get_mut(&metadata.callsite()) else {
            kinds.insert(metadata.callsite(), Kind { last: now, left_out: 0, text: String::new() });
            return true;
        };
        if kind.left_out == 0 && now >= kind.last + PAUSE {
            kind.last = now;
            return true;
        }
        if kind.left_out == 0 {
            event.record(&mut Message(&mut kind.text));
        }
        kind.left_out += 1;
        false
    }
}

impl<S: Subscriber> Layer<S> for Pace {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        self.lets(event)
    }
}

/// Takes the message of an event.
struct Message<'a>(&'a mut String);

impl Visit for Message<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            *self.0 = format!("{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{self, Write};
    use tracing_subscriber::layer::SubscriberExt as _;

    #[derive(Clone, Default)]
    struct Out(Arc<Mutex<Vec<u8>>>);

    impl Write for Out {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Still(Mutex<Duration>);

    impl Clock for Still {
        fn now_ms(&self) -> i64 {
            0
        }

        fn monotonic(&self) -> Duration {
            *self.0.lock().unwrap()
        }

        fn sleep(&self, _: Duration) -> base::env::Sleep {
            Box::pin(std::future::pending())
        }
    }

    #[test]
    fn each_kind_comes_once_a_second_with_what_was_left_out() {
        let clock = Arc::new(Still(Mutex::new(Duration::from_secs(5))));
        let (pace, out) = (Pace::new(clock.clone()), Out::default());
        let written = out.clone();
        let log = tracing_subscriber::fmt::layer()
            .with_writer(move || written.clone())
            .with_ansi(false)
            .without_time();
        let subscriber = tracing_subscriber::registry().with(pace.clone()).with(log);
        let lines = || String::from_utf8(std::mem::take(&mut *out.0.lock().unwrap())).unwrap();
        let [refuse, fail, detail]: [fn(u64); 3] = [
            |n| tracing::warn!(n, "refused"),
            |n| tracing::error!(n, "failed"),
            |n| tracing::info!(n, "detail"),
        ];
        let count = |lines: &str, text| lines.matches(text).count();
        tracing::subscriber::with_default(subscriber, || {
            (0..5).for_each(refuse);
            assert_eq!(count(&lines(), "refused"), 5, "nothing is held back at the start");
            pace.begin();
            for call in [refuse, fail, detail] {
                (0..5).for_each(call);
            }
            let said = lines();
            assert_eq!(["refused", "failed", "detail"].map(|t| count(&said, t)), [1, 1, 5]);
            pace.tell();
            assert_eq!(lines(), "", "the second has not passed");
            *clock.0.lock().unwrap() += PAUSE;
            pace.tell();
            let said = lines();
            assert_eq!(count(&said, "left_out=4"), 2, "{said}");
            assert!(said.contains("of=\"refused\"") && said.contains("of=\"failed\""), "{said}");
            refuse(9);
            assert_eq!(lines(), "", "that was the line of this second");
            *clock.0.lock().unwrap() += PAUSE;
            pace.tell();
            assert!(lines().contains("left_out=1"));
        });
    }
}
