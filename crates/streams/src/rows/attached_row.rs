//! `tags/<resource>` and `policy/<resource>`: what hangs on a stream or a consumer.
//!
//! `<resource>` is `<account>/<region>/<stream>` or `<account>/<region>/<stream>/<consumer>`, so
//! that all of a stream's rows, its consumers' included, share a prefix.

use crate::stream::StreamKey;

/// The catalog key of its [`kit::Tags`].
pub(crate) fn tags_key(stream: &StreamKey, consumer: Option<&str>) -> Vec<u8> {
    key("tags", stream, consumer)
}

/// The catalog key of its [`kit::PolicyRow`].
pub(crate) fn policy_key(stream: &StreamKey, consumer: Option<&str>) -> Vec<u8> {
    key("policy", stream, consumer)
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
    fn keys() {
        let stream = StreamKey::for_tests("s");
        assert_eq!(tags_key(&stream, None), b"tags/000000000000/us-east-1/s");
        assert_eq!(policy_key(&stream, Some("c")), b"policy/000000000000/us-east-1/s/c");
    }
}
