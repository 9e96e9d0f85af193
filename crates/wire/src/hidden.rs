//! What stands in debug output for values that are not shown.

use std::fmt;

/// A stand-in for data or a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hidden(Option<usize>);

impl Hidden {
    /// Data of this many bytes.
    pub const fn bytes(bytes: usize) -> Self {
        Self(Some(bytes))
    }

    /// A secret.
    pub const fn secret() -> Self {
        Self(None)
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(bytes) => write!(f, "[{bytes} bytes]"),
            None => f.write_str("[secret]"),
        }
    }
}
