//! That an alarm's message was published: so that it is once, even if the alarm is told of again.

use base::hex;
use ring::digest;
use serde::{Deserialize, Serialize};

/// As stored under the topic and the alarm's own id of the message, for a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sns) struct AlarmRow {
    pub(in crate::sns) message_id: Box<str>,
    pub(in crate::sns) at_ms: i64,
}

impl AlarmRow {
    pub(in crate::sns) const PREFIX: &str = "alarm/";

    /// The digest, since the id may be of any characters and length.
    pub(in crate::sns) fn key(topic_arn: &str, dedup: &str) -> Vec<u8> {
        let named = format!("{topic_arn}\n{dedup}");
        let digest = digest::digest(&digest::SHA256, named.as_bytes());
        format!("{}{}", Self::PREFIX, hex::encode(digest.as_ref())).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        kit::rows::check_round_trip(&AlarmRow { message_id: "m".into(), at_ms: 1 });
        assert_ne!(AlarmRow::key("a", "b"), AlarmRow::key("a", "c"));
    }
}
