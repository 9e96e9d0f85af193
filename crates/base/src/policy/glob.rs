//! Patterns of policies: `*` stands for any characters, `?` for one.

/// Whether all of `text` fits `pattern`. Linear in the text for each `*`, never exponential.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where to go on when the characters after the last `*` do not fit.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((after_star, from)) = retry else { return false };
                retry = Some((after_star, from + 1));
                (p, t) = (after_star, from + 1);
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;
    use proptest::prelude::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text) in [
            ("*", ""),
            ("", ""),
            ("a*c", "abbc"),
            ("a*c", "ac"),
            ("a?c", "abc"),
            ("*a*b", "xxaxxab"),
            ("kinesis:Put*", "kinesis:PutRecords"),
            ("**", "x"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("", "a"), ("a", ""), ("a?c", "ac"), ("a*c", "abd"), ("?", "ab")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    /// The definition itself, however long it takes.
    fn fits(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), None) => fits(rest, text),
            (Some(('*', rest)), Some((_, behind))) => fits(rest, text) || fits(pattern, behind),
            (Some((p, rest)), Some((t, behind))) => (*p == '?' || p == t) && fits(rest, behind),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn as_it_is_defined(pattern in "[abé*?]{0,9}", text in "[abé*?]{0,9}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            let want = fits(&chars(&pattern), &chars(&text));
            prop_assert_eq!(matches(&pattern, &text), want);
        }
    }

    /// Where the definition would take longer than the world lasts.
    #[test]
    fn many_stars_take_no_time() {
        let (pattern, text) = ("a*".repeat(2_000) + "b", "a".repeat(4_000));
        assert!(!matches(&pattern, &text));
        assert!(matches(&pattern, &(text + "b")));
    }
}
