//! How managed policies are named: an ARN without what differs between partitions.

use base::AccountId;
use serde::{Deserialize, Serialize};

/// What stands behind `arn:<partition>:iam::`, as `aws:policy/service-role/A` or
/// `000000000000:policy/a`. Why not the ARN: one server is asked in several partitions.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub(super) struct PolicyName(String);

/// Whose a policy is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Owner {
    /// AWS's own.
    Aws,
    /// A customer's.
    Account(AccountId),
}

impl PolicyName {
    /// The name of a policy of an account. `path` begins and ends with a slash.
    pub(super) fn local(account: AccountId, path: &str, name: &str) -> Self {
        Self(format!("{account}:policy{path}{name}"))
    }

    /// The name of one of AWS's policies.
    pub(super) fn of_aws(path: &str, name: &str) -> Self {
        Self(format!("aws:policy{path}{name}"))
    }

    /// Reads an ARN; `None` for what is none of a policy.
    pub(super) fn parse(arn: &str) -> Option<Self> {
        let mut parts = arn.strip_prefix("arn:")?.splitn(4, ':');
        let (partition, service, region) = (parts.next()?, parts.next()?, parts.next()?);
        let name = Self(parts.next()?.to_owned());
        let is_one = partition.starts_with("aws") && service == "iam" && region.is_empty();
        (is_one && name.owner().is_some() && !name.name().is_empty()).then_some(name)
    }

    /// Whose it is.
    pub(super) fn owner(&self) -> Option<Owner> {
        let (owner, path) = self.0.split_once(':')?;
        path.strip_prefix("policy/")?;
        match owner {
            "aws" => Some(Owner::Aws),
            account => AccountId::parse(account).ok().map(Owner::Account),
        }
    }

    /// The policy's own name, without its path.
    pub(super) fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The path: begins and ends with a slash.
    pub(super) fn path(&self) -> &str {
        let path = self.0.split_once(":policy").map_or("/", |(_, path)| path);
        path.strip_suffix(self.name()).unwrap_or("/")
    }

    /// The ARN.
    pub(super) fn arn(&self, partition: &str) -> String {
        format!("arn:{partition}:iam::{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_arns() {
        for (arn, owner, path, name) in [
            ("arn:aws:iam::aws:policy/A", Owner::Aws, "/", "A"),
            ("arn:aws:iam::aws:policy/service-role/A", Owner::Aws, "/service-role/", "A"),
            ("arn:aws:iam::000000000000:policy/p", Owner::Account(AccountId::DEFAULT), "/", "p"),
            (
                "arn:aws:iam::000000000000:policy/a/b/p",
                Owner::Account(AccountId::DEFAULT),
                "/a/b/",
                "p",
            ),
        ] {
            let read = PolicyName::parse(arn).unwrap();
            assert_eq!(read.owner(), Some(owner), "{arn}");
            assert_eq!((read.path(), read.name()), (path, name), "{arn}");
            assert_eq!(read.arn("aws"), arn);
            let made = match owner {
                Owner::Aws => PolicyName::of_aws(path, name),
                Owner::Account(account) => PolicyName::local(account, path, name),
            };
            assert_eq!(made, read);
        }
        kit::rows::check_round_trip(&PolicyName::of_aws("/", "A"));
    }

    #[test]
    fn what_is_none() {
        for arn in [
            "",
            "arn:aws:iam::aws:policy/",
            "arn:aws:iam::aws:role/A",
            "arn:aws:iam::1:policy/A",
            "arn:aws:iam:us-east-1:aws:policy/A",
            "arn:aws:s3:::aws:policy/A",
            "arn:gcp:iam::aws:policy/A",
            "policy/A-that-is-long-enough",
        ] {
            assert_eq!(PolicyName::parse(arn), None, "{arn}");
        }
    }
}
