//! ARNs of streams and consumers, both ways.
//!
//! `arn:<partition>:kinesis:<region>:<account>:stream/<name>[/consumer/<name>:<created epoch s>]`

use crate::service::SERVICE;
use crate::stream::StreamKey;
use kit::Arn;
use std::sync::Arc;

/// What an ARN of this service names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Resource {
    Stream(StreamKey),
    Consumer(ConsumerKey),
}

/// A registration of a consumer; registered again it is another one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ConsumerKey {
    pub(crate) stream: StreamKey,
    pub(crate) name: Arc<str>,
    pub(crate) created_s: i64,
}

impl Resource {
    /// Reads an ARN; `None` when it names nothing this service has (queues and channels included).
    pub(crate) fn parse(arn: &str) -> Option<Self> {
        let Arn { region, account, resource, .. } = Arn::of(SERVICE, arn)?;
        let path = resource.strip_prefix("stream/")?;
        let (name, rest) = match path.split_once('/') {
            Some((name, rest)) => (name, Some(rest)),
            None => (path, None),
        };
        let stream = StreamKey { account, region, name: legal_name(name)?.into() };
        let Some(rest) = rest else { return Some(Self::Stream(stream)) };
        let (name, created_s) = rest.strip_prefix("consumer/")?.rsplit_once(':')?;
        let created_s = created_s.parse().ok()?;
        Some(Self::Consumer(ConsumerKey { stream, name: legal_name(name)?.into(), created_s }))
    }

    /// The stream, or the consumer's stream.
    pub(crate) fn stream(&self) -> &StreamKey {
        match self {
            Self::Stream(key) => key,
            Self::Consumer(key) => &key.stream,
        }
    }
}

/// Names hold no `/` and no `:`, so they are safe inside keys and ARNs.
fn legal_name(name: &str) -> Option<&str> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    ((1..=128).contains(&name.len()) && name.bytes().all(legal)).then_some(name)
}

impl StreamKey {
    /// The stream's ARN.
    pub(crate) fn arn(&self) -> String {
        let (region, account) = (&self.region, self.account);
        let resource = &format!("stream/{}", self.name);
        Arn { service: SERVICE, region, account, resource }.to_string()
    }
}

impl ConsumerKey {
    /// The consumer's ARN.
    pub(crate) fn arn(&self) -> String {
        format!("{}/consumer/{}:{}", self.stream.arn(), self.name, self.created_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_round_trip() {
        for arn in [
            "arn:aws:kinesis:us-east-1:000000000000:stream/a",
            "arn:aws-cn:kinesis:cn-north-1:123456789012:stream/a_b.c-d",
            "arn:aws:kinesis:eu-west-1:123456789012:stream/a/consumer/b:1700000000",
        ] {
            let made = match Resource::parse(arn).unwrap() {
                Resource::Stream(key) => key.arn(),
                Resource::Consumer(key) => key.arn(),
            };
            assert_eq!(made, arn);
        }
    }

    #[test]
    fn other_arns_name_nothing() {
        for arn in [
            "",
            "arn:aws:kinesis:us-east-1:000000000000:stream/",
            "arn:aws:kinesis:us-east-1:000000000000:stream/a b",
            "arn:aws:kinesis:us-east-1:000000000000:stream/a/b",
            "arn:aws:kinesis:us-east-1:000000000000:stream/a/consumer/b",
            "arn:aws:kinesis:us-east-1:000000000000:stream/a/consumer/b:x",
            "arn:aws:kinesis:us-east-1:000000000000:channel/a",
            "arn:aws:kinesis:us-east-1:00000000000:stream/a",
            "arn:aws-cn:kinesis:us-east-1:000000000000:stream/a",
            "arn:aws:s3:us-east-1:000000000000:stream/a",
        ] {
            assert_eq!(Resource::parse(arn), None, "{arn}");
        }
    }
}
