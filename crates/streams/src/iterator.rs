//! Shard iterators: a reader's place as an opaque text that only this server can make or read.
//!
//! ```text
//! place --> bytes, padded --AES-256-GCM--> prefix | nonce | sealed bytes | tag --base64--> text
//! ```
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | 00 00 00 00 00 00 00 01, as AWS's iterators begin (observed); authenticated |
//! | 12 | nonce: 6 random bytes of this process, then a counter |
//! | 1 | length of the region |
//! | 8 | when the stream was made, ms |
//! | 4 | shard index |
//! | 8 | ordinal of the next record to read |
//! | 8 | when the iterator was made, ms |
//! | 12 | account |
//! | 0 to 64, 1 to 128 | region, then the stream's name |
//! | to the length | zeros |
//! | 16 | tag |
//!
//! All numbers big-endian; nonce and tag are in clear. The length is that of AWS's iterators, which
//! grow by 16 bytes with the name: 8 modulo 16 (observed). At most 376 characters (AWS's bound is
//! 512).
//! Every text differs from every other, even for one place, since the nonce never repeats.

use crate::errors::Result;
use crate::stream::StreamKey;
use crate::texts;
use base::date::civil;
use base::env::Rng;
use base::{AccountId, Region};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use std::sync::atomic::{AtomicU64, Ordering};

/// How long an iterator lives (model).
const LIFE_MS: i64 = 300_000;

const PREFIX: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 1];
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// Bytes of an iterator of a stream with this name.
const fn token_bytes(name_bytes: usize) -> usize {
    152 + (name_bytes + 14) / 16 * 16
}

/// Where a reader stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) stream: StreamKey,
    /// Tells the stream from a former one of its name.
    pub(crate) created_ms: i64,
    pub(crate) shard_index: u32,
    /// Ordinal of the next record to read.
    pub(crate) ordinal: u64,
    pub(crate) issued_ms: i64,
}

/// What seals and opens iterators.
pub(crate) struct IteratorKey {
    key: LessSafeKey,
    /// First half of every nonce of this process. A key outlives processes: six random bytes let
    /// two of them meet after some 2^24 starts.
    process: [u8; 6],
    next: AtomicU64,
}

impl IteratorKey {
    /// From the stored key, which must serve nothing else.
    pub(crate) fn new(key: &[u8; 32], rng: &dyn Rng) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key).expect("the key has 32 bytes");
        let mut process = [0; 6];
        rng.fill(&mut process);
        Self { key: LessSafeKey::new(key), process, next: AtomicU64::new(0) }
    }

    /// The text of a place; no two are equal.
    pub(crate) fn seal(&self, place: &Place) -> String {
        let token_bytes = token_bytes(place.stream.name.len());
        let mut token = Vec::with_capacity(token_bytes);
        token.extend_from_slice(&PREFIX);
        token.extend_from_slice(&self.nonce());
        let nonce: [u8; NONCE_BYTES] =
            token[PREFIX.len()..].try_into().expect("the nonce was just written");
        let sealed_from = token.len();
        place.write(&mut token);
        // The longest region fits beside the longest name; what must not happen is a cut.
        token.resize(token.len().max(token_bytes - TAG_BYTES), 0);
        let tag = self
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(PREFIX),
                &mut token[sealed_from..],
            )
            .expect("a few hundred bytes are below every bound of the cipher");
        token.extend_from_slice(tag.as_ref());
        base64_simd::STANDARD.encode_to_string(&token)
    }

    /// Reads a text as clients send it back, quotes around it allowed (observed on AWS).
    ///
    /// # Errors
    /// `InvalidArgument` this server did not make it; `ExpiredIterator` it is older than 300 s.
    pub(crate) fn open(&self, text: &str, now_ms: i64) -> Result<Place> {
        let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
        let place = self.unseal(bare.as_bytes()).ok_or_else(texts::iterator_malformed)?;
        // A wall clock that was set back makes an iterator young, never invalid.
        if now_ms.saturating_sub(place.issued_ms) > LIFE_MS {
            let (created, now) = (date(place.issued_ms), date(now_ms));
            return Err(texts::iterator_expired(&created, &now, LIFE_MS));
        }
        Ok(place)
    }

    fn unseal(&self, text: &[u8]) -> Option<Place> {
        let mut token = base64_simd::STANDARD.decode_to_vec(text).ok()?;
        let rest = token.strip_prefix(&PREFIX)?;
        let (nonce, _sealed) = rest.split_first_chunk::<NONCE_BYTES>()?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let sealed = token.get_mut(PREFIX.len() + NONCE_BYTES..)?;
        let plain = self.key.open_in_place(nonce, Aad::from(PREFIX), sealed).ok()?;
        Place::read(plain)
    }

    fn nonce(&self) -> [u8; NONCE_BYTES] {
        let mut nonce = [0; NONCE_BYTES];
        // 2^48 iterators are ten thousand a second for 900 years.
        let counter = self.next.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        nonce[..6].copy_from_slice(&self.process);
        nonce[6..].copy_from_slice(&counter[2..]);
        nonce
    }
}

impl Place {
    fn write(&self, out: &mut Vec<u8>) {
        let region = self.stream.region.as_str();
        out.push(u8::try_from(region.len()).expect("a region has at most 64 bytes"));
        out.extend_from_slice(&self.created_ms.to_be_bytes());
        out.extend_from_slice(&self.shard_index.to_be_bytes());
        out.extend_from_slice(&self.ordinal.to_be_bytes());
        out.extend_from_slice(&self.issued_ms.to_be_bytes());
        out.extend_from_slice(self.stream.account.as_str().as_bytes());
        out.extend_from_slice(region.as_bytes());
        out.extend_from_slice(self.stream.name.as_bytes());
    }

    fn read(plain: &[u8]) -> Option<Self> {
        let (&[region_bytes], rest) = plain.split_first_chunk()?;
        let (created_ms, rest) = rest.split_first_chunk()?;
        let (shard_index, rest) = rest.split_first_chunk()?;
        let (ordinal, rest) = rest.split_first_chunk()?;
        let (issued_ms, rest) = rest.split_first_chunk()?;
        let (account, rest) = rest.split_at_checked(12)?;
        let (region, name) = rest.split_at_checked(region_bytes.into())?;
        let text = |bytes| Some(std::str::from_utf8(bytes).ok()?.trim_end_matches('\0'));
        Some(Self {
            stream: StreamKey {
                account: AccountId::parse(text(account)?).ok()?,
                region: Region::parse(text(region)?).ok()?,
                name: text(name)?.into(),
            },
            created_ms: i64::from_be_bytes(*created_ms),
            shard_index: u32::from_be_bytes(*shard_index),
            ordinal: u64::from_be_bytes(*ordinal),
            issued_ms: i64::from_be_bytes(*issued_ms),
        })
    }
}

/// As AWS prints a time there: `Thu Jan 22 01:22:02 UTC 2015`.
fn date(ms: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let second = ms.div_euclid(1000);
    let (day, second) = (second.div_euclid(86_400), second.rem_euclid(86_400));
    let (year, month, month_day) = civil(day);
    format!(
        "{} {} {month_day:02} {:02}:{:02}:{:02} UTC {year}",
        DAYS[day.rem_euclid(7) as usize],
        MONTHS[(month - 1) as usize],
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::env::Rng;
    use proptest::prelude::*;

    struct FixedRng(u8);

    impl Rng for FixedRng {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    fn key(secret: u8) -> IteratorKey {
        IteratorKey::new(&[secret; 32], &FixedRng(9))
    }

    fn place(name: &str) -> Place {
        Place {
            stream: StreamKey {
                account: AccountId::DEFAULT,
                region: Region::default(),
                name: name.into(),
            },
            created_ms: 1_600_000_000_000,
            shard_index: 3,
            ordinal: 77,
            issued_ms: 1_700_000_000_000,
        }
    }

    const INVALID: &str = "Invalid ShardIterator.";

    #[test]
    fn an_iterator_lives_five_minutes() {
        let (key, place) = (key(1), place("a"));
        let text = key.seal(&place);
        assert_eq!(key.open(&text, place.issued_ms + LIFE_MS).unwrap(), place);
        assert_eq!(key.open(&text, place.issued_ms - 1_000_000).unwrap(), place);
        let late = key.open(&text, place.issued_ms + LIFE_MS + 1).unwrap_err();
        assert_eq!(late.code(), "ExpiredIteratorException");
        assert_eq!(
            late.message(),
            "Iterator expired. The iterator was created at time Tue Nov 14 22:13:20 UTC 2023 while \
             right now it is Tue Nov 14 22:18:20 UTC 2023 which is further in the future than the \
             tolerated delay of 300000 milliseconds."
        );
    }

    #[test]
    fn no_two_iterators_are_equal() {
        let (key, place) = (key(1), place("a"));
        let texts: std::collections::HashSet<_> = (0..100).map(|_| key.seal(&place)).collect();
        assert_eq!(texts.len(), 100);
    }

    #[test]
    fn quotes_around_an_iterator_are_fine() {
        let (key, place) = (key(1), place("a"));
        let text = key.seal(&place);
        assert_eq!(key.open(&format!("\"{text}\""), place.issued_ms).unwrap(), place);
        let half = key.open(&format!("\"{text}"), place.issued_ms).unwrap_err();
        assert_eq!(half.message(), INVALID);
    }

    #[test]
    fn garbage_and_other_keys_are_refused() {
        let (key, other, place) = (key(1), key(2), place("a"));
        let now_ms = place.issued_ms;
        for text in
            ["", "a", "\"", "\"\"", "AAAAAAAAAAE=", "AAAAAAAAAAEAAAAA", "é", &"A".repeat(512)]
        {
            assert_eq!(key.open(text, now_ms).unwrap_err().message(), INVALID, "{text}");
        }
        let foreign = other.seal(&place);
        assert_eq!(key.open(&foreign, now_ms).unwrap_err().message(), INVALID);
    }

    #[test]
    fn each_flipped_byte_is_noticed() {
        let (key, place) = (key(1), place("a"));
        let token = base64_simd::STANDARD.decode_to_vec(key.seal(&place)).unwrap();
        for i in 0..token.len() {
            let mut forged = token.clone();
            forged[i] ^= 1;
            let text = base64_simd::STANDARD.encode_to_string(&forged);
            assert_eq!(key.open(&text, place.issued_ms).unwrap_err().message(), INVALID, "{i}");
        }
    }

    #[test]
    fn the_longest_name_fits() {
        let (key, mut place) = (key(1), place(&"n".repeat(128)));
        place.stream.region = Region::parse(&"r".repeat(64)).unwrap();
        let text = key.seal(&place);
        assert!(text.len() <= 512, "{}", text.len());
        assert!(text.starts_with("AAAAAAAAAAE"));
        assert_eq!(key.open(&text, place.issued_ms).unwrap(), place);
    }

    /// As kinesalite's suite asks of AWS's own.
    #[test]
    fn lengths_are_those_of_aws() {
        for name_bytes in 1..=128 {
            let text = key(1).seal(&place(&"n".repeat(name_bytes)));
            let token = base64_simd::STANDARD.decode_to_vec(text).unwrap();
            assert_eq!(token.len(), 152 + (name_bytes + 14) / 16 * 16, "{name_bytes}");
        }
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (ms, want) in [
            (0, "Thu Jan 01 00:00:00 UTC 1970"),
            (1_421_889_722_000, "Thu Jan 22 01:22:02 UTC 2015"),
            (951_782_399_999, "Mon Feb 28 23:59:59 UTC 2000"),
            (951_782_400_000, "Tue Feb 29 00:00:00 UTC 2000"),
            (1_709_251_199_000, "Thu Feb 29 23:59:59 UTC 2024"),
            (4_107_542_400_000, "Mon Mar 01 00:00:00 UTC 2100"),
            (-1, "Wed Dec 31 23:59:59 UTC 1969"),
        ] {
            assert_eq!(date(ms), want);
        }
    }

    proptest! {
        #[test]
        fn places_come_back(
            name in "[a-zA-Z0-9_.-]{1,128}",
            region in "[a-z0-9-]{1,64}",
            account in "[0-9]{12}",
            (created_ms, shard_index, ordinal) in any::<(i64, u32, u64)>(),
        ) {
            let place = Place {
                stream: StreamKey {
                    account: AccountId::parse(&account).unwrap(),
                    region: Region::parse(&region).unwrap(),
                    name: name.as_str().into(),
                },
                created_ms,
                shard_index,
                ordinal,
                issued_ms: 5,
            };
            prop_assert_eq!(key(1).open(&key(1).seal(&place), 6).unwrap(), place);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,80}") {
            prop_assert!(key(1).open(&text, 0).is_err());
        }
    }
}
