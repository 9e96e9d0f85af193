//! Hexadecimal digits.

/// Writes bytes as lower-case digits.
pub fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |n: u8| char::from(DIGITS[usize::from(n)]);
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        out.push(digit(byte >> 4));
        out.push(digit(byte & 15));
    }
    out
}

/// Reads `N` bytes of digits in either case; nothing when the text is anything else.
pub fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = Some(text.as_bytes()).filter(|digits| digits.len() == 2 * N)?;
    let digit = |b: u8| char::from(b).to_digit(16).map(|d| d as u8);
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_reads_back() {
        let bytes: [u8; 64] = std::array::from_fn(|n| n as u8 * 7);
        assert_eq!(decode(&encode(&bytes)), Some(bytes));
        assert_eq!(decode("aF09"), Some([0xaf, 9]));
        for bad in ["", "0", "000", "0g00", "+100", "é0"] {
            assert_eq!(decode::<2>(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn bytes_come_back_in_either_case(bytes in any::<[u8; 20]>()) {
            let text = encode(&bytes);
            prop_assert_eq!(text.len(), 40);
            prop_assert!(text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
            prop_assert_eq!(decode(&text), Some(bytes));
            prop_assert_eq!(decode(&text.to_uppercase()), Some(bytes));
            prop_assert_eq!(decode::<19>(&text), None);
            prop_assert_eq!(decode::<21>(&text), None);
        }

        #[test]
        fn nothing_else_is_read(text in "\\PC{0,8}") {
            let is_hex = text.len() == 8 && text.bytes().all(|b| b.is_ascii_hexdigit());
            let read = decode::<4>(&text);
            prop_assert_eq!(read.is_some(), is_hex);
            if let Some(bytes) = read {
                prop_assert_eq!(encode(&bytes), text.to_ascii_lowercase());
            }
        }
    }

    #[test]
    fn none_of_nothing() {
        assert_eq!(encode(&[]), "");
        assert_eq!(decode::<0>(""), Some([]));
        assert_eq!(decode::<1>(" f"), None);
    }
}
