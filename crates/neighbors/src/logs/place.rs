//! Where an event is: its time, and between events of one time its log, its record and its number
//! there. Events are read in this order; tokens and ids of events are places.
//!
//! ```text
//! id = '3', time in ms (15 digits), log (12), ordinal of the record (18), number in it (10)
//! ```

use serde::{Deserialize, Serialize};

/// See the module.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub(super) struct Place {
    /// The event's own time, in ms since the epoch; from 0 on.
    pub(super) at_ms: i64,
    pub(super) log: u64,
    pub(super) ordinal: u64,
    pub(super) number: u32,
}

const TIME_DIGITS: usize = 15;
const LOG_DIGITS: usize = 12;
const ORDINAL_DIGITS: usize = 18;
const NUMBER_DIGITS: usize = 10;
const DIGITS: usize = TIME_DIGITS + LOG_DIGITS + ORDINAL_DIGITS + NUMBER_DIGITS;

impl Place {
    /// Before all events.
    pub(super) const FIRST: Self = Self { at_ms: 0, log: 0, ordinal: 0, number: 0 };

    /// Before all events of a time.
    pub(super) fn before(at_ms: i64) -> Self {
        Self { at_ms, ..Self::FIRST }
    }

    /// Behind all events of a time.
    pub(super) fn behind(at_ms: i64) -> Self {
        let (log, ordinal) = (999_999_999_999, 999_999_999_999_999_999);
        Self { at_ms, log, ordinal, number: u32::MAX }
    }

    /// As clients see it: 56 digits, as AWS has them.
    pub(super) fn id(self) -> String {
        let Self { at_ms, log, ordinal, number } = self;
        format!("3{at_ms:015}{log:012}{ordinal:018}{number:010}")
    }

    /// Reads an id.
    pub(super) fn parse(id: &str) -> Option<Self> {
        let digits = id.strip_prefix('3').filter(|digits| digits.len() == DIGITS)?;
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let (at_ms, rest) = digits.split_at(TIME_DIGITS);
        let (log, rest) = rest.split_at(LOG_DIGITS);
        let (ordinal, number) = rest.split_at(ORDINAL_DIGITS);
        Some(Self {
            at_ms: at_ms.parse().ok()?,
            log: log.parse().ok()?,
            ordinal: ordinal.parse().ok()?,
            number: number.parse().ok()?,
        })
    }
}

/// The token of the page behind a place, in order of time.
pub(super) fn forward_token(place: Place) -> String {
    format!("f/{}/s", place.id())
}

/// The token of the page before a place.
pub(super) fn backward_token(place: Place) -> String {
    format!("b/{}/s", place.id())
}

/// Reads such a token: its place, and whether it leads forward.
pub(super) fn parse_token(token: &str) -> Option<(Place, bool)> {
    let (direction, rest) = token.split_once('/')?;
    let place = Place::parse(rest.strip_suffix("/s")?)?;
    match direction {
        "f" => Some((place, true)),
        "b" => Some((place, false)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place() -> impl Strategy<Value = Place> {
        let parts = (0..4_000_000_000_000i64, 0..999_999_999_999u64, any::<u32>(), any::<u32>());
        parts.prop_map(|(at_ms, log, ordinal, number)| Place {
            at_ms,
            log,
            ordinal: ordinal.into(),
            number,
        })
    }

    proptest! {
        #[test]
        fn ids_are_in_the_order_of_places(a in place(), b in place()) {
            prop_assert_eq!(Place::parse(&a.id()), Some(a));
            prop_assert_eq!(a.id().cmp(&b.id()), a.cmp(&b));
            prop_assert_eq!(parse_token(&forward_token(a)), Some((a, true)));
            prop_assert_eq!(parse_token(&backward_token(a)), Some((a, false)));
            prop_assert!(Place::before(a.at_ms) <= a && a <= Place::behind(a.at_ms));
        }

        #[test]
        fn no_token_is_too_strange(text in ".{0,80}") {
            let _read = parse_token(&text);
        }
    }

    #[test]
    fn what_is_no_token() {
        let id = Place::FIRST.id();
        assert_eq!(id.len(), 56);
        let wrong = format!("x/{id}/s");
        for text in [
            "",
            "f",
            "f/",
            "f/3/s",
            "f/é",
            &id,
            &wrong,
            forward_token(Place::FIRST).get(1..).unwrap_or_default(),
        ] {
            assert_eq!(parse_token(text), None, "{text}");
        }
    }
}
