//! Identifiers and secrets as AWS forms them.

use base::env::Rng;
use ring::digest;

/// What ids are written with: five bits a character.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Characters of an id behind its prefix.
const ID_CHARACTERS: usize = 17;
/// Characters of an access key's id behind its prefix.
const KEY_CHARACTERS: usize = 16;
/// Bytes of a secret; forty characters in base64.
pub(crate) const SECRET_BYTES: usize = 30;

/// An id of a role (`AROA`), a user (`AIDA`) or a managed policy (`ANPA`), never given twice.
pub(super) fn new_id(rng: &dyn Rng, prefix: &str) -> String {
    let mut bytes = [0; ID_CHARACTERS];
    rng.fill(&mut bytes);
    spell(prefix, &bytes)
}

/// The id of an access key: `AKIA` for a user's, `ASIA` for temporary ones.
pub(crate) fn new_access_key_id(rng: &dyn Rng, prefix: &str) -> String {
    let mut bytes = [0; KEY_CHARACTERS];
    rng.fill(&mut bytes);
    spell(prefix, &bytes)
}

/// A new secret access key.
pub(super) fn new_secret(rng: &dyn Rng) -> String {
    let mut bytes = [0; SECRET_BYTES];
    rng.fill(&mut bytes);
    secret_of(&bytes)
}

/// A secret access key of these bytes.
pub(crate) fn secret_of(bytes: &[u8; SECRET_BYTES]) -> String {
    base64_simd::STANDARD.encode_to_string(bytes)
}

/// An id that follows from a name, of what nobody made here: a policy of AWS's.
pub(super) fn derived_id(prefix: &str, name: &str) -> String {
    let digest = digest::digest(&digest::SHA256, name.as_bytes());
    spell(prefix, digest.as_ref().get(..ID_CHARACTERS).unwrap_or_default())
}

/// The id of a user of the configuration, always the same for one access key.
pub fn derived_user_id(access_key_id: &str) -> String {
    derived_id("AIDA", access_key_id)
}

fn spell(prefix: &str, bytes: &[u8]) -> String {
    let characters = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    prefix.chars().chain(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::fake_env;

    #[test]
    fn ids_are_of_awss_form() {
        let env = fake_env(1).env();
        for (id, characters) in [
            (new_id(&*env.rng, "AROA"), 21),
            (new_access_key_id(&*env.rng, "AKIA"), 20),
            (derived_user_id("AKIDEXAMPLE"), 21),
        ] {
            assert_eq!(id.len(), characters, "{id}");
            assert!(id.starts_with('A') && id.bytes().all(|b| ALPHABET.contains(&b)), "{id}");
        }
        assert_eq!(new_secret(&*env.rng).len(), 40);
        assert_ne!(new_id(&*env.rng, "AROA"), new_id(&*env.rng, "AROA"));
        assert_eq!(derived_user_id("a"), derived_user_id("a"));
        assert_ne!(derived_user_id("a"), derived_user_id("b"));
    }
}
