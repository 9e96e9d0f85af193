//! A subscription: an endpoint that a topic's messages go to.

use serde::{Deserialize, Serialize};

/// As stored under its topic and its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sns) struct SubscriptionRow {
    /// The account that subscribed.
    pub(in crate::sns) owner: Box<str>,
    /// ARN of who subscribed.
    pub(in crate::sns) principal: Box<str>,
    /// Its address, whose scheme is the protocol.
    pub(in crate::sns) endpoint: Box<str>,
    /// Whether messages go out without an envelope.
    pub(in crate::sns) is_raw: bool,
    pub(in crate::sns) state: State,
    /// Whether the request that confirmed it was signed.
    pub(in crate::sns) was_authenticated: bool,
    /// Whether only a signed request may end it.
    pub(in crate::sns) guards_end: bool,
    /// When it came into its state, or was asked for again.
    pub(in crate::sns) changed_ms: i64,
}

/// How far a subscription is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sns) enum State {
    /// The endpoint has not said yes.
    Pending,
    Confirmed,
    /// Ended by somebody who did not sign; the endpoint may take it back. Nobody else sees it.
    Ended,
}

impl SubscriptionRow {
    pub(in crate::sns) const PREFIX: &str = "subscription/";

    pub(in crate::sns) fn key(path: &str) -> Vec<u8> {
        format!("{}{path}", Self::PREFIX).into_bytes()
    }

    pub(in crate::sns) fn protocol(&self) -> &'static str {
        if self.is_https() { "https" } else { "http" }
    }

    pub(in crate::sns) fn is_https(&self) -> bool {
        self.endpoint.starts_with("https:")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        for state in [State::Pending, State::Confirmed, State::Ended] {
            kit::rows::check_round_trip(&SubscriptionRow {
                owner: "000000000000".into(),
                principal: "arn:é".into(),
                endpoint: "https://a/\"".into(),
                is_raw: true,
                state,
                was_authenticated: false,
                guards_end: true,
                changed_ms: 1,
            });
        }
    }
}
