//! Filter patterns: which events a search or a subscription filter wants.
//!
//! ```text
//! nothing                    every event
//! ERROR "a phrase" -not      messages with all of these and none of those
//! ?ERROR ?WARN               messages with one of these; beside others they are passed over
//! { $.a.b = "x*" && ... }    messages that are JSON, by their properties
//! [ip, ..., status = 4*]     messages of columns between blanks, by these
//! ```
//!
//! A value between percent signs is a regular expression. Patterns are read once and asked for each
//! event; none takes more time than a message is long, times what the pattern is.

mod columns;
mod cursor;
mod expression;
mod json;
mod literal;
mod terms;

use columns::Columns;
use json::Properties;
use std::collections::BTreeMap;
use terms::Terms;

/// A pattern that was read.
#[derive(Debug)]
pub(super) enum Pattern {
    Terms(Terms),
    Properties(Properties),
    Columns(Columns),
}

impl Pattern {
    /// Reads a pattern; `None`: it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text.chars().next() {
            Some('{') => Properties::parse(text).map(Self::Properties),
            Some('[') => Columns::parse(text).map(Self::Columns),
            _ => Terms::parse(text).map(Self::Terms),
        }
    }

    /// Whether it wants this message.
    pub(super) fn matches(&self, message: &str) -> bool {
        match self {
            Self::Terms(terms) => terms.matches(message),
            Self::Properties(properties) => properties.matches(message),
            Self::Columns(columns) => columns.matches(message),
        }
    }

    /// The values that it looked at in a message that it wants, by their names.
    pub(super) fn extracted(&self, message: &str) -> BTreeMap<String, String> {
        match self {
            Self::Terms(_) => BTreeMap::new(),
            Self::Properties(properties) => properties.extracted(message),
            Self::Columns(columns) => columns.extracted(message),
        }
    }
}

#[cfg(test)]
mod tests;
