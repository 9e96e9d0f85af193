//! That a message must still go to a subscription. All that is to be known is in the key:
//! `delivery/<account>/<region>/<topic>/<subscription>/<number of the message>`.

use serde::{Deserialize, Serialize};

/// As stored; an object, so that it can hold more one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sns) struct DeliveryRow {}

impl DeliveryRow {
    pub(in crate::sns) const PREFIX: &str = "delivery/";

    /// `path`: of the subscription.
    pub(in crate::sns) fn key(path: &str, number: u64) -> Vec<u8> {
        format!("{}{path}/{number:020}", Self::PREFIX).into_bytes()
    }

    /// The subscription's path and the message's number.
    pub(in crate::sns) fn parse_key(key: &[u8]) -> Option<(&str, u64)> {
        let rest = std::str::from_utf8(key).ok()?.strip_prefix(Self::PREFIX)?;
        let (path, number) = rest.rsplit_once('/')?;
        Some((path, number.parse().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        kit::rows::check_round_trip(&DeliveryRow {});
        let key = DeliveryRow::key("0/r/t/s", 7);
        assert_eq!(DeliveryRow::parse_key(&key), Some(("0/r/t/s", 7)));
    }
}
