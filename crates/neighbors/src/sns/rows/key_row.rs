//! A key that messages are signed with, and its certificate, which stays for as long as somebody
//! may ask for it.

use serde::{Deserialize, Serialize};

/// As stored under the certificate's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sns) struct KeyRow {
    pub(in crate::sns) certificate_pem: String,
    /// The private key, PKCS #8, encrypted; see `signer`.
    pub(in crate::sns) sealed: String,
    pub(in crate::sns) made_ms: i64,
}

impl KeyRow {
    pub(in crate::sns) const PREFIX: &str = "signing-key/";

    pub(in crate::sns) fn key(id: &str) -> Vec<u8> {
        format!("{}{id}", Self::PREFIX).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        kit::rows::check_round_trip(&KeyRow {
            certificate_pem: "-----BEGIN".into(),
            sealed: "AAAA".into(),
            made_ms: 1,
        });
    }
}
