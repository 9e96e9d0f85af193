//! ARNs as far as all services write them the same way.

use base::{AccountId, Region};
use std::fmt;

/// `arn:<partition>:<service>:<region>:<account>:<resource>`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arn<'a, R> {
    /// As `kinesis`.
    pub service: &'a str,
    /// Where it is; the partition follows from it.
    pub region: R,
    /// Whose it is.
    pub account: AccountId,
    /// What it is, in the service's own form.
    pub resource: &'a str,
}

impl<'a> Arn<'a, Region> {
    /// Reads an ARN; `None` for what is none: a part that is missing, a region or an account that
    /// cannot be, a partition that is not the region's.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
        let mut part = || parts.next();
        let (partition, service) = (part()?, part()?);
        let region = Region::parse(part()?).ok()?;
        let account = AccountId::parse(part()?).ok()?;
        let resource = part()?;
        (partition == region.partition()).then_some(Self { service, region, account, resource })
    }

    /// What this service has under an ARN.
    pub fn of(service: &str, text: &'a str) -> Option<Self> {
        Self::parse(text).filter(|arn| arn.service == service)
    }
}

impl fmt::Display for Arn<'_, &Region> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, region, account, resource } = self;
        let partition = region.partition();
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips() {
        for text in [
            "arn:aws:kinesis:us-east-1:000000000000:stream/a",
            "arn:aws-cn:firehose:cn-north-1:123456789012:deliverystream/a:b",
            "arn:aws:sns:eu-west-1:123456789012:",
        ] {
            let Arn { service, region, account, resource } = Arn::parse(text).unwrap();
            assert_eq!(Arn { service, region: &region, account, resource }.to_string(), text);
        }
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            "arn",
            "arn:aws:kinesis:us-east-1:000000000000",
            "arn:aws:kinesis:us-east-1:00000000000:stream/a",
            "arn:aws:kinesis::000000000000:stream/a",
            "arn:aws-cn:kinesis:us-east-1:000000000000:stream/a",
            "urn:aws:kinesis:us-east-1:000000000000:stream/a",
        ] {
            assert_eq!(Arn::parse(text), None, "{text}");
        }
        assert_eq!(Arn::of("sns", "arn:aws:kinesis:us-east-1:000000000000:stream/a"), None);
    }
}
