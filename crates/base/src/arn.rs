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

    /// The ARN partition of this region.
    pub fn partition(&self) -> &'static str {
        if self.0.starts_with("cn-") {
            "aws-cn"
        } else if self.0.starts_with("us-gov-") {
            "aws-us-gov"
        } else {
            "aws"
        }
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

    #[test]
    fn accounts_have_twelve_digits() {
        assert_eq!(AccountId::parse("123456789012").unwrap().as_str(), "123456789012");
        assert!(AccountId::parse("12345678901").is_err());
        assert!(AccountId::parse("12345678901x").is_err());
    }

    #[test]
    fn regions_are_name_safe() {
        assert_eq!(Region::parse("cn-north-1").unwrap().partition(), "aws-cn");
        assert_eq!(Region::parse("us-gov-west-1").unwrap().partition(), "aws-us-gov");
        assert_eq!(Region::default().partition(), "aws");
        assert!(Region::parse("").is_err());
        assert!(Region::parse("../x").is_err());
        assert_eq!(Region::parse("US-East_1").unwrap().as_str(), "us-east_1");
    }
}
