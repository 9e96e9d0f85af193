//! Hash keys: where a partition key falls, and how ranges are cut.

use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

/// A position in the 128-bit space that shards divide among them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct HashKey(pub(crate) u128);

impl HashKey {
    /// MD5 of the key's UTF-8 bytes as a big-endian number (model).
    pub(crate) fn of(partition_key: &str) -> Self {
        Self(u128::from_be_bytes(Md5::digest(partition_key.as_bytes()).into()))
    }

    /// Reads a decimal number; `None` from 2^128 on.
    pub(crate) fn parse(decimal: &str) -> Option<Self> {
        decimal.parse().ok().map(Self)
    }
}

/// The hash keys of one shard; both ends belong to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct HashRange {
    pub(crate) start: u128,
    pub(crate) end: u128,
}

impl HashRange {
    /// Cuts the whole space into `shards` ranges: width floor(2^128 / n), the last one takes the
    /// rest (observed).
    pub(crate) fn uniform(shards: u32) -> Vec<HashRange> {
        let n = u128::from(shards.max(1));
        if n == 1 {
            return vec![HashRange { start: 0, end: u128::MAX }];
        }
        // floor(2^128 / n) without 2^128: 2^128 = MAX + 1.
        let width = u128::MAX / n + u128::from(u128::MAX % n == n - 1);
        (0..n)
            .map(|i| HashRange {
                start: i * width,
                end: if i == n - 1 { u128::MAX } else { (i + 1) * width - 1 },
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partition_keys_hash_as_on_aws() {
        // The well-known digests of the empty text and of `a`.
        assert_eq!(HashKey::of("").0, 0xd41d_8cd9_8f00_b204_e980_0998_ecf8_427e);
        assert_eq!(HashKey::of("a").0, 0x0cc1_75b9_c0f1_b6a8_31c3_99e2_6977_2661);
    }

    #[test]
    fn explicit_hash_keys_end_before_two_to_the_128() {
        let max = u128::MAX.to_string();
        assert_eq!(HashKey::parse(&max), Some(HashKey(u128::MAX)));
        assert_eq!(HashKey::parse("340282366920938463463374607431768211456"), None);
        assert_eq!(HashKey::parse("0"), Some(HashKey(0)));
    }

    #[test]
    fn uniform_ranges_are_those_of_aws() {
        let four = HashRange::uniform(4);
        assert_eq!(four[0].end, 85_070_591_730_234_615_865_843_651_857_942_052_863);
        let three = HashRange::uniform(3);
        assert_eq!(three[0].end, 113_427_455_640_312_821_154_458_202_477_256_070_484);
        assert_eq!(three[2].end, u128::MAX);
        for n in [1, 2, 3, 5, 7, 500] {
            let ranges = HashRange::uniform(n);
            assert_eq!(ranges[0].start, 0);
            assert_eq!(ranges.last().unwrap().end, u128::MAX);
            assert!(ranges.windows(2).all(|w| w[0].end + 1 == w[1].start));
        }
    }
}
