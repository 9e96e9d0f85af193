//! What is known of a request beside its input.

use crate::budget::Share;
use crate::policy::Permissions;
use crate::{AccountId, Region};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// The identifier a request carries through the log and back to its client.
///
/// Shown as a version 4 UUID, as AWS shows it in `x-amzn-RequestId`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(u128);

impl RequestId {
    /// Makes an identifier from sixteen random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        let mut id = u128::from_be_bytes(bytes);
        id = (id & !(0xf << 76)) | (4 << 76);
        id = (id & !(0b11 << 62)) | (0b10 << 62);
        Self(id)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // By hand: every answer shows one, and `{:x}` in five groups costs ten times as much.
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'-'; 36];
        let mut place = 0;
        for (nth, byte) in self.0.to_be_bytes().into_iter().enumerate() {
            place += usize::from(matches!(nth, 4 | 6 | 8 | 10));
            text[place] = DIGITS[usize::from(byte >> 4)];
            text[place + 1] = DIGITS[usize::from(byte & 0xf)];
            place += 2;
        }
        f.write_str(std::str::from_utf8(&text).expect("hex digits and hyphens are ASCII"))
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The context of one request: who asks, in which account and region, under which identifier.
#[derive(Clone, Debug)]
pub struct Cx {
    /// Sent back to the client and written to the log.
    pub request_id: RequestId,
    /// The account of the access key that signed the request.
    pub account: AccountId,
    /// The region of the signature's scope.
    pub region: Region,
    /// ARN of the caller, as error messages and resource policies name it.
    pub caller_arn: Arc<str>,
    /// The id of the configured access key that signed; without one the account's root asks.
    pub access_key: Option<Arc<str>>,
    /// What AWS calls the unique id of that key's holder.
    pub user_id: Option<Arc<str>>,
    /// ARN of the role, when one of its sessions asks.
    pub role_arn: Option<Arc<str>>,
    /// The partition of what is in no region, as users are: one for the whole server.
    pub partition: &'static str,
    /// What the caller's own policies let him do.
    pub permissions: Permissions,
    /// Where and when the request came from.
    pub origin: Origin,
    /// Of which the memory is taken that the request causes beside its body and its answer.
    pub memory: Share,
}

/// Where and when a request came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Origin {
    /// The other end of the connection.
    pub address: Option<IpAddr>,
    /// Whether the connection is under TLS.
    pub is_tls: bool,
    /// When the request's head was there, in milliseconds since the epoch.
    pub time_ms: i64,
}

impl Cx {
    /// The context of what the service does by itself, in the account that it does it for.
    pub fn of_service(account: AccountId, region: Region) -> Self {
        let request_id = RequestId::from_random([0; 16]);
        let caller_arn = format!("arn:aws:iam::{account}:root").into();
        // Nobody listens within the server.
        let origin = Origin { is_tls: true, ..Origin::default() };
        let (permissions, memory) = (Permissions::All, Share::unbounded());
        Self {
            request_id,
            account,
            caller_arn,
            access_key: None,
            user_id: None,
            role_arn: None,
            partition: region.partition(),
            region,
            permissions,
            origin,
            memory,
        }
    }

    /// The same at a time, in milliseconds since the epoch.
    #[must_use]
    pub fn at(self, time_ms: i64) -> Self {
        Self { origin: Origin { time_ms, ..self.origin }, ..self }
    }

    /// The caller's name, without its path, when it is a user.
    pub fn user_name(&self) -> Option<&str> {
        self.caller_path().strip_prefix("user/")?.rsplit('/').next()
    }

    /// What stands behind the account in the caller's ARN. It may have colons: those of a user's
    /// path are the user's choice.
    pub fn caller_path(&self) -> &str {
        self.caller_arn.splitn(6, ':').nth(5).unwrap_or_default()
    }

    /// The ARN that policies know the caller by: of a session that of its role.
    pub fn principal_arn(&self) -> &str {
        self.role_arn.as_deref().unwrap_or(&self.caller_arn)
    }

    /// What AWS calls the caller's unique id: of the root it is the account.
    pub fn user_id(&self) -> &str {
        self.user_id.as_deref().unwrap_or(self.account.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_request_id_is_a_version_4_uuid() {
        let id = RequestId::from_random([0xff; 16]).to_string();
        assert_eq!(id, "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(
            RequestId::from_random([0; 16]).to_string(),
            "00000000-0000-4000-8000-000000000000"
        );
    }

    proptest! {
        /// Of the random bytes only version and variant are fixed.
        #[test]
        fn request_ids_keep_what_is_random(bytes in any::<[u8; 16]>()) {
            let id = RequestId::from_random(bytes);
            let text = id.to_string();
            let groups: Vec<usize> = text.split('-').map(str::len).collect();
            prop_assert_eq!(groups, [8, 4, 4, 4, 12]);
            prop_assert_eq!(&text, &format!("{id:?}"));
            let mut read: [u8; 16] = crate::hex::decode(&text.replace('-', "")).unwrap();
            prop_assert_eq!((read[6] >> 4, read[8] >> 6), (4, 0b10));
            read[6] = read[6] & 0xf | bytes[6] & 0xf0;
            read[8] = read[8] & 0x3f | bytes[8] & 0xc0;
            prop_assert_eq!(read, bytes);
        }
    }

    #[test]
    fn callers_have_names_and_ids() {
        let account = AccountId::parse("123456789012").unwrap();
        let service = Cx::of_service(account, Region::default());
        assert_eq!(&*service.caller_arn, "arn:aws:iam::123456789012:root");
        assert_eq!(service.permissions, Permissions::All);
        assert!(service.memory.take(1 << 40).is_some(), "no client causes it");
        for (arn, user_id, name, id) in [
            ("arn:aws:iam::123456789012:root", None, None, "123456789012"),
            ("arn:aws:iam::123456789012:user/ann", Some("AIDA1"), Some("ann"), "AIDA1"),
            ("arn:aws-cn:iam::123456789012:user/ann", Some("AIDA1"), Some("ann"), "AIDA1"),
            ("arn:aws:sts::123456789012:assumed-role/user/ann", None, None, "123456789012"),
        ] {
            let caller_arn = arn.into();
            let cx = Cx { caller_arn, user_id: user_id.map(Into::into), ..service.clone() };
            assert_eq!((cx.user_name(), cx.user_id()), (name, id), "{arn}");
        }
    }
}
