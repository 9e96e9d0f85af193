//! Whether the engine can write, and why not.

use crate::overdue::Overdue;
use crate::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// See the module.
#[derive(Default)]
pub(crate) struct Health {
    full: AtomicBool,
    why_full: Mutex<String>,
    broken: OnceLock<String>,
    /// The commit that is on its way.
    pub(crate) overdue: Overdue,
}

impl Health {
    /// # Errors
    /// `Full` while the disk has no room.
    pub(crate) fn admit(&self) -> Result<()> {
        if self.full.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Full, self.why_full.lock().clone()));
        }
        Ok(())
    }

    /// Read-only until a restart. The first reason stands.
    pub(crate) fn break_down(&self, why: &str) -> Error {
        let why = self.broken.get_or_init(|| format!("read-only until a restart: {why}"));
        Error::new(ErrorKind::Unavailable, why)
    }

    /// Whether [`Health::break_down`] was called.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.get().is_some()
    }

    /// No room now, or room again.
    pub(crate) fn set_full(&self, why: Option<String>) {
        let was = self.full.swap(why.is_some(), Ordering::Relaxed);
        match (&why, was) {
            (Some(why), false) => tracing::error!(reason = %why, "appends are refused"),
            (None, true) => tracing::info!("there is room again: appends are accepted"),
            _ => {}
        }
        *self.why_full.lock() = why.unwrap_or_default();
    }

    /// What an operator should know.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.broken
            .get()
            .cloned()
            .or_else(|| self.full.load(Ordering::Relaxed).then(|| self.why_full.lock().clone()))
    }
}
