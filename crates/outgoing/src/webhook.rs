//! Plain webhooks: JSON with a signature that a shared secret makes.
//!
//! ```text
//! POST url
//! content-type: application/json
//! x-millweir-signature: t=1767225600,v1=<64 hexadecimal digits>
//!
//! the body
//! ```
//!
//! `v1` is HMAC-SHA-256, under the secret, of the number behind `t` (seconds since 1970), a
//! full stop and the bytes of the body. A receiver computes it again, compares in constant
//! time, and refuses a `t` that is older than a few minutes: else a post could be sent again.

use base::hex;
use ring::hmac;

/// The header that holds the signature.
pub const SIGNATURE_HEADER: &str = "x-millweir-signature";

/// The value of [`SIGNATURE_HEADER`] of a body that is sent at this second.
pub fn signature(secret: &[u8], now_s: i64, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret));
    context.update(format!("{now_s}.").as_bytes());
    context.update(body);
    format!("t={now_s},v1={}", hex::encode(context.sign().as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with Python's `hmac`.
    #[test]
    fn a_known_signature() {
        let want = "t=1767225600,v1=\
                    96a067a1c95eb143fc00b9097bcfcbcd5456adda508c443ff219748e764dbed7";
        assert_eq!(signature(b"secret", 1_767_225_600, b"{\"a\":1}"), want);
    }
}
