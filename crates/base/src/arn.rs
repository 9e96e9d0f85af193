//! Accounts, regions and the partition that a region belongs to.

use std::fmt;
use std::sync::Arc;

/// Why a text is no account id or no region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadName(pub &'static str);

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for BadName {}

/// An AWS account: exactly twelve ASCII digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId([u8; 12]);

impl AccountId {
    /// The account of a server that nobody configured.
    pub const DEFAULT: AccountId = AccountId(*b"000000000000");

    /// Reads twelve digits.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let bytes: [u8; 12] =
            text.as_bytes().try_into().map_err(|_| BadName("an account id has twelve digits"))?;
        if bytes.iter().all(u8::is_ascii_digit) {
            Ok(Self(bytes))
        } else {
            Err(BadName("an account id has twelve digits"))
        }
    }

    /// The twelve digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("an account id holds ASCII digits only")
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The regions of AWS that have Data Streams (botocore 1.44.5), sorted.
const KNOWN_REGIONS: [&str; 46] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-isoe-west-1",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-isob-west-1",
    "us-isof-east-1",
    "us-isof-south-1",
    "us-west-1",
    "us-west-2",
];

/// An AWS region name: 1 to 64 lower-case letters, digits, hyphens and underscores.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region(Arc<str>);

impl Region {
    /// Longest name accepted; every name becomes part of stored keys.
    pub const NAME_BYTES_MAX: usize = 64;

    /// Reads a region name. AWS has neither capitals nor underscores; users of local servers have.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
        if !(1..=Self::NAME_BYTES_MAX).contains(&text.len()) || !text.bytes().all(legal) {
            return Err(BadName(
                "a region name has 1 to 64 letters, digits, hyphens and underscores",
            ));
        }
        Ok(Self(text.to_ascii_lowercase().into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether AWS has it. Any other name is a space of its own for streams, but none for quotas.
    pub fn is_known(&self) -> bool {
        KNOWN_REGIONS.binary_search(&self.as_str()).is_ok()
    }

    /// The name under which quotas are counted: all regions that AWS does not have share one.
    pub fn quota_name(&self) -> &str {
        if self.is_known() { &self.0 } else { "elsewhere" }
    }

    /// The ARN partition of this region.
    pub fn partition(&self) -> &'static str {
        const PARTITIONS: [(&str, &str); 7] = [
            ("cn-", "aws-cn"),
            ("us-gov-", "aws-us-gov"),
            ("us-iso-", "aws-iso"),
            ("us-isob-", "aws-iso-b"),
            ("us-isof-", "aws-iso-f"),
            ("eu-isoe-", "aws-iso-e"),
            ("eusc-", "aws-eusc"),
        ];
        let found = PARTITIONS.iter().find(|(prefix, _)| self.0.starts_with(prefix));
        found.map_or("aws", |(_, partition)| partition)
    }
}

impl Default for Region {
    fn default() -> Self {
        Self("us-east-1".into())
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn accounts_have_twelve_digits() {
        assert_eq!(AccountId::parse("123456789012").unwrap().as_str(), "123456789012");
        assert!(AccountId::parse("12345678901").is_err());
        assert!(AccountId::parse("12345678901x").is_err());
    }

    #[test]
    fn regions_are_name_safe() {
        for (region, partition) in [
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("us-isof-south-1", "aws-iso-f"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("eusc-de-east-1", "aws-eusc"),
            ("us-east-1", "aws"),
            ("us-isolated-1", "aws"),
        ] {
            assert_eq!(Region::parse(region).unwrap().partition(), partition, "{region}");
        }
        assert!(KNOWN_REGIONS.is_sorted());
        assert_eq!(Region::default().quota_name(), "us-east-1");
        assert_eq!(Region::parse("us-east-9").unwrap().quota_name(), "elsewhere");
        assert!(Region::parse("").is_err());
        assert!(Region::parse("../x").is_err());
        assert_eq!(Region::parse("US-East_1").unwrap().as_str(), "us-east_1");
    }

    #[test]
    fn regions_of_the_great_partitions() {
        for (region, partition, known) in [
            ("us-east-1", "aws", true),
            ("eu-central-2", "aws", true),
            ("cn-northwest-1", "aws-cn", true),
            ("us-gov-east-1", "aws-us-gov", true),
            ("CN-North-1", "aws-cn", true),
            ("cnorth", "aws", false),
            ("us-government", "aws", false),
            ("local", "aws", false),
            ("_", "aws", false),
        ] {
            let read = Region::parse(region).unwrap();
            assert_eq!((read.partition(), read.is_known()), (partition, known), "{region}");
            let lower = region.to_ascii_lowercase();
            assert_eq!(read.quota_name(), if known { &lower } else { "elsewhere" });
            assert_eq!((read.to_string(), format!("{read:?}")), (lower.clone(), lower));
        }
        for region in KNOWN_REGIONS {
            let read = Region::parse(region).unwrap();
            assert!(read.is_known() && read.as_str() == region, "{region}");
        }
    }

    #[test]
    fn names_at_their_bounds() {
        let longest = "a".repeat(Region::NAME_BYTES_MAX);
        assert_eq!(Region::parse(&longest).unwrap().as_str(), longest);
        let too_long = longest + "a";
        for wrong in ["", " ", "a b", "a/b", "a.b", "a:b", "ä", "a\0", "a\n", &too_long] {
            let said = Region::parse(wrong).unwrap_err().to_string();
            assert!(said.starts_with("a region name has 1 to 64"), "{wrong}");
        }
        for wrong in
            ["", "1234567890123", " 23456789012", "-23456789012", "１２３４", "12345678901é"]
        {
            let said = AccountId::parse(wrong).unwrap_err().to_string();
            assert_eq!(said, "an account id has twelve digits", "{wrong}");
        }
        assert_eq!(format!("{}{:?}", AccountId::DEFAULT, AccountId::DEFAULT), "0".repeat(24));
    }

    proptest! {
        #[test]
        fn what_is_read_comes_back(account in "[0-9]{12}", region in "[a-zA-Z0-9_-]{1,64}") {
            prop_assert_eq!(AccountId::parse(&account).unwrap().to_string(), account);
            let read = Region::parse(&region).unwrap();
            prop_assert_eq!(Region::parse(read.as_str()), Ok(read.clone()));
            prop_assert!(read.as_str().eq_ignore_ascii_case(&region));
        }

        #[test]
        fn only_safe_names_are_read(text in "\\PC{0,80}") {
            let is_safe = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
            let safe = !text.is_empty() && text.len() <= 64 && text.bytes().all(is_safe);
            prop_assert_eq!(Region::parse(&text).is_ok(), safe);
        }
    }
}
