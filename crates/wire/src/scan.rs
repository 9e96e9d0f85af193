//! Searching strings for what JSON escapes, eight bytes at a time.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Where the first control character, quote or backslash stands.
#[inline]
pub(crate) fn first_special(bytes: &[u8]) -> Option<usize> {
    // 0x22 is the quote, 0x5c the backslash.
    let plain = |word: u64| {
        let zero = |word: u64| word.wrapping_sub(ONES) & !word;
        let quote = zero(word ^ (ONES * 0x22));
        let slash = zero(word ^ (ONES * 0x5c));
        (quote | slash | below_space(word)) & HIGHS == 0
    };
    let (words, _tail) = bytes.as_chunks::<8>();
    let clean = words.iter().take_while(|word| plain(u64::from_le_bytes(**word))).count() * 8;
    // The word that is not plain, or the tail, byte by byte.
    let special = |b: &u8| *b < 0x20 || *b == b'"' || *b == b'\\';
    bytes[clean..].iter().position(special).map(|at| clean + at)
}

/// Whether a control character stands anywhere.
#[inline]
pub(crate) fn has_control(bytes: &[u8]) -> bool {
    let (words, tail) = bytes.as_chunks::<8>();
    words.iter().any(|word| below_space(u64::from_le_bytes(*word)) & HIGHS != 0)
        || tail.iter().any(|b| *b < 0x20)
}

/// High bits are set when a byte is below a space; of a word, only "none" and "some" are exact.
#[inline]
fn below_space(word: u64) -> u64 {
    word.wrapping_sub(ONES * 0x20) & !word
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn as_byte_by_byte(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let special = |b: &u8| *b < 0x20 || *b == b'"' || *b == b'\\';
            prop_assert_eq!(first_special(&bytes), bytes.iter().position(special));
            prop_assert_eq!(has_control(&bytes), bytes.iter().any(|b| *b < 0x20));
        }

        #[test]
        fn one_special_byte_is_found(
            plain in prop::collection::vec(0x23_u8..=0x5b, 0..40),
            special in prop::sample::select(vec![0_u8, 0x1f, b'"', b'\\', 0x20, 0x7f, 0x80, 0xff]),
            at in 0_usize..40,
        ) {
            let mut bytes = plain;
            bytes.insert(at.min(bytes.len()), special);
            let expected = bytes.iter().position(|b| *b < 0x20 || *b == b'"' || *b == b'\\');
            prop_assert_eq!(first_special(&bytes), expected);
        }
    }
}
