//! `consumer/<account>/<region>/<stream>/<name>`: a registered consumer.

use crate::arn::ConsumerKey;
use crate::stream::StreamKey;
use serde::{Deserialize, Serialize};

/// A consumer as stored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct ConsumerRow {
    pub(crate) name: String,
    /// Epoch second of its ARN and of its creation timestamp; later than that of any consumer that
    /// was deregistered before, so that no two of one name ever share an ARN.
    pub(crate) created_s: i64,
    pub(crate) status: ConsumerStatus,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum ConsumerStatus {
    Creating,
    Active,
    Deleting,
}

impl ConsumerRow {
    /// The catalog key.
    pub(crate) fn key(stream: &StreamKey, name: &str) -> Vec<u8> {
        let mut key = Self::prefix(stream);
        key.push_str(name);
        key.into_bytes()
    }

    /// What the keys of a stream's consumers start with.
    pub(crate) fn prefix(stream: &StreamKey) -> String {
        format!("consumer/{}/{}/{}/", stream.account, stream.region, stream.name)
    }

    /// What names this registration.
    pub(crate) fn of(&self, stream: &StreamKey) -> ConsumerKey {
        let (stream, name) = (stream.clone(), self.name.as_str().into());
        ConsumerKey { stream, name, created_s: self.created_s }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let status = ConsumerStatus::Deleting;
        super::super::check_round_trip(&ConsumerRow { name: "c".into(), created_s: 3, status });
        let stream = StreamKey::for_tests("s");
        assert_eq!(ConsumerRow::key(&stream, "c"), b"consumer/000000000000/us-east-1/s/c");
    }
}
