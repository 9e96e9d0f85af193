//! What confirms a subscription: its id and a tag that only this server can make.
//!
//! ```text
//! 16 bytes of the id | HMAC-SHA-256 of the subscription's path --hex--> 96 digits
//! ```
//!
//! Nothing is stored: the tag follows from the service's secret. How long a token is good for, the
//! subscription's row tells.

use super::topics::{SubscriptionId, TopicId};
use base::hex;
use ring::hmac;

const ID_DIGITS: usize = 32;

/// What makes and reads tokens.
pub(super) struct SubscriptionTokens(hmac::Key);

impl SubscriptionTokens {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    pub(super) fn seal(&self, subscription: &SubscriptionId) -> String {
        let tag = hmac::sign(&self.0, subscription.path().as_bytes());
        format!("{}{}", subscription.id.replace('-', ""), hex::encode(tag.as_ref()))
    }

    /// The subscription of a topic that a token is for.
    pub(super) fn open(&self, topic: &TopicId, token: &str) -> Option<SubscriptionId> {
        let (id, tag) = token.split_at_checked(ID_DIGITS)?;
        let id: [u8; 16] = hex::decode(id)?;
        let tag: [u8; 32] = hex::decode(tag)?;
        let digits = hex::encode(&id);
        let mut parts = Vec::new();
        let mut rest = digits.as_str();
        for length in [8, 4, 4, 4, 12] {
            let (part, more) = rest.split_at_checked(length)?;
            parts.push(part);
            rest = more;
        }
        let subscription = SubscriptionId { topic: topic.clone(), id: parts.join("-").into() };
        hmac::verify(&self.0, subscription.path().as_bytes(), &tag).ok()?;
        Some(subscription)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_for_one_subscription() {
        let topic = |name: &str| {
            TopicId::parse_arn(&format!("arn:aws:sns:us-east-1:000000000000:{name}")).unwrap()
        };
        let id = "12345678-9abc-4def-8123-456789abcdef".into();
        let subscription = SubscriptionId { topic: topic("a"), id };
        let tokens = SubscriptionTokens::new(&[1; 32]);
        let token = tokens.seal(&subscription);
        assert_eq!(token.len(), 96);
        assert_eq!(tokens.open(&topic("a"), &token), Some(subscription));
        assert_eq!(tokens.open(&topic("b"), &token), None);
        assert_eq!(SubscriptionTokens::new(&[2; 32]).open(&topic("a"), &token), None);
        for at in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(tokens.open(&topic("a"), &forged), None);
        }
        for wrong in ["", "é", "00", &"0".repeat(96), &"é".repeat(48)] {
            assert_eq!(tokens.open(&topic("a"), wrong), None);
        }
    }
}
