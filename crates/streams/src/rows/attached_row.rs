//! `tags/<resource>` and `policy/<resource>`: what hangs on a stream or a consumer.
//!
//! `<resource>` is `<account>/<region>/<stream>` or `<account>/<region>/<stream>/<consumer>`, so
//! that all of a stream's rows, its consumers' included, share a prefix.

use crate::stream::StreamKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A resource's tags as stored; no row when it has none.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct TagsRow(pub(crate) BTreeMap<String, String>);

/// A resource's policy document as the client wrote it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct PolicyRow(pub(crate) String);

impl TagsRow {
    /// The catalog key.
    pub(crate) fn key(stream: &StreamKey, consumer: Option<&str>) -> Vec<u8> {
        key("tags", stream, consumer)
    }
}

impl PolicyRow {
    /// The catalog key.
    pub(crate) fn key(stream: &StreamKey, consumer: Option<&str>) -> Vec<u8> {
        key("policy", stream, consumer)
    }
}

fn key(family: &str, stream: &StreamKey, consumer: Option<&str>) -> Vec<u8> {
    let StreamKey { account, region, name } = stream;
    match consumer {
        None => format!("{family}/{account}/{region}/{name}").into_bytes(),
        Some(consumer) => format!("{family}/{account}/{region}/{name}/{consumer}").into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        super::super::check_round_trip(&TagsRow(BTreeMap::from([("k".into(), "v\"".into())])));
        super::super::check_round_trip(&PolicyRow("{\"a\": 1}".into()));
        let stream = StreamKey::for_tests("s");
        assert_eq!(TagsRow::key(&stream, None), b"tags/000000000000/us-east-1/s");
        assert_eq!(PolicyRow::key(&stream, Some("c")), b"policy/000000000000/us-east-1/s/c");
    }
}
