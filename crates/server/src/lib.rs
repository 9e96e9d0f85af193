//! Placeholder caption.
