//! A message that waits for its deliveries.

use serde::{Deserialize, Serialize};

/// As stored under its number. It goes with its last delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sns) struct MessageRow {
    pub(in crate::sns) kind: Kind,
    pub(in crate::sns) id: Box<str>,
    pub(in crate::sns) subject: Option<String>,
    /// What goes to `http` endpoints.
    pub(in crate::sns) message: String,
    /// What goes to `https` endpoints, when it is something else.
    pub(in crate::sns) https_message: Option<String>,
    pub(in crate::sns) attributes: Vec<Attribute>,
    pub(in crate::sns) at_ms: i64,
}

/// What a message is, as the model of its body calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sns) enum Kind {
    Notification,
    SubscriptionConfirmation,
    UnsubscribeConfirmation,
}

/// An attribute of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sns) struct Attribute {
    pub(in crate::sns) name: Box<str>,
    pub(in crate::sns) data_type: Box<str>,
    /// As bodies show it: base64 of bytes.
    pub(in crate::sns) value: String,
}

impl Kind {
    pub(in crate::sns) fn as_str(self) -> &'static str {
        match self {
            Self::Notification => "Notification",
            Self::SubscriptionConfirmation => "SubscriptionConfirmation",
            Self::UnsubscribeConfirmation => "UnsubscribeConfirmation",
        }
    }
}

impl MessageRow {
    pub(in crate::sns) const PREFIX: &str = "message/";

    pub(in crate::sns) fn key(number: u64) -> Vec<u8> {
        format!("{}{number:020}", Self::PREFIX).into_bytes()
    }

    pub(in crate::sns) fn parse_key(key: &[u8]) -> Option<u64> {
        std::str::from_utf8(key).ok()?.strip_prefix(Self::PREFIX)?.parse().ok()
    }

    /// What goes to an endpoint of this protocol.
    pub(in crate::sns) fn message_for(&self, is_https: bool) -> &str {
        match &self.https_message {
            Some(message) if is_https => message,
            _ => &self.message,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let attribute =
            Attribute { name: "n".into(), data_type: "Number".into(), value: "1".into() };
        for kind in
            [Kind::Notification, Kind::SubscriptionConfirmation, Kind::UnsubscribeConfirmation]
        {
            kit::rows::check_round_trip(&MessageRow {
                kind,
                id: "i".into(),
                subject: Some("é".into()),
                message: "\n\"".into(),
                https_message: None,
                attributes: vec![attribute.clone()],
                at_ms: 7,
            });
        }
        assert_eq!(MessageRow::parse_key(&MessageRow::key(u64::MAX)), Some(u64::MAX));
    }
}
