//! Why a post came to nothing.

use std::fmt;

/// What the sender can do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TroubleKind {
    /// The address is none that may be posted to: the same post will never be sent.
    Refused,
    /// Nobody answered there, or not in time; later somebody may.
    Unreachable,
    /// The answer was none.
    Broken,
}

/// Why a post came to nothing; its text is for the owner, in his log or beside his settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trouble {
    kind: TroubleKind,
    text: String,
}

impl Trouble {
    pub(crate) fn refused(text: impl Into<String>) -> Self {
        Self { kind: TroubleKind::Refused, text: text.into() }
    }

    pub(crate) fn unreachable(text: impl Into<String>) -> Self {
        Self { kind: TroubleKind::Unreachable, text: text.into() }
    }

    pub(crate) fn broken(text: impl Into<String>) -> Self {
        Self { kind: TroubleKind::Broken, text: text.into() }
    }

    /// What can be done.
    pub fn kind(&self) -> TroubleKind {
        self.kind
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Trouble {}
