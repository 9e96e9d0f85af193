//! Patterns of the model (Java's dialect) as `wire::rules::Pattern` expressions.

use super::overrides::Overrides;
use anyhow::{Context as _, bail, ensure};
use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

/// The Rust expression of a pattern.
pub(super) fn expression(source: &str, overrides: &Overrides) -> anyhow::Result<String> {
    if let Some(digits_max) = decimal(source) {
        return Ok(format!("Pattern::decimal({source:?}, {digits_max})"));
    }
    let class = single_class(source).and_then(|(class, empty)| Some((class.bits()?, empty)));
    if let Some(((ascii, other), empty)) = class {
        let ascii = grouped_hex(ascii);
        return Ok(format!("Pattern::class({source:?}, {ascii}, {other}, {empty})"));
    }
    let by_hand = overrides.pattern.iter().find(|p| p.model == source);
    let inner = match by_hand {
        Some(entry) => entry.rust.clone(),
        None => translate(strip_anchors(source))?,
    };
    let rust = format!(r"\A(?:{inner})\z");
    regex::Regex::new(&rust).with_context(|| format!("pattern {source}"))?;
    Ok(format!("Pattern::regex({source:?}, {rust:?})"))
}

/// `0x` and groups of four digits.
fn grouped_hex(value: u128) -> String {
    let digits = format!("{value:032x}");
    let groups: Vec<&str> = (0..8).filter_map(|i| digits.get(i * 4..i * 4 + 4)).collect();
    format!("0x{}", groups.join("_"))
}

/// `0|([1-9]\d{0,N})` with and without anchors and a group: N + 1 digits.
fn decimal(source: &str) -> Option<usize> {
    let inner = strip_anchors(source);
    let inner = inner
        .strip_prefix("(0|")
        .map_or(inner.strip_prefix("0|"), |rest| rest.strip_suffix(')'))?;
    let digits = inner.strip_prefix("([1-9]\\d{0,")?.strip_suffix("})")?;
    digits.parse::<usize>().ok().map(|n| n + 1)
}

fn strip_anchors(source: &str) -> &str {
    // Why only a pair or a leading one: `^$|[a-z]+` means its anchors where they stand.
    match source.strip_prefix('^') {
        Some(rest) if !rest.starts_with('$') => {
            rest.strip_suffix('$').filter(|r| !r.ends_with('\\')).unwrap_or(rest)
        }
        _ => source,
    }
}

/// A character class: ranges of code points and Unicode properties.
#[derive(Debug, Default)]
struct Class {
    negated: bool,
    ranges: Vec<(u32, u32)>,
    properties: Vec<String>,
}

impl Class {
    /// The legal ASCII characters as bits, and whether everything else is legal; None when other
    /// characters are legal in part.
    fn bits(&self) -> Option<(u128, bool)> {
        if !self.properties.is_empty() || self.ranges.iter().any(|(_, to)| *to > 127) {
            return None;
        }
        let mut bits = 0_u128;
        for (from, to) in &self.ranges {
            for c in *from..=*to {
                bits |= 1 << c;
            }
        }
        Some(if self.negated { (!bits, true) } else { (bits, false) })
    }

    fn to_rust(&self) -> String {
        let mut out = String::from(if self.negated { "[^" } else { "[" });
        for (from, to) in &self.ranges {
            push_code(&mut out, *from);
            out.push('-');
            push_code(&mut out, *to);
        }
        for property in &self.properties {
            out.push_str(property);
        }
        out.push(']');
        out
    }
}

/// The class of a pattern that is one class, repeated without an upper bound; whether the empty
/// string matches too.
fn single_class(source: &str) -> Option<(Class, bool)> {
    let inner = strip_anchors(source);
    let mut chars = inner.chars().peekable();
    if chars.next() != Some('[') {
        return None;
    }
    let class = read_class(&mut chars).ok()?;
    let empty = match chars.next()? {
        '+' => false,
        '*' => true,
        _ => return None,
    };
    chars.next().is_none().then_some((class, empty))
}

/// Reads a class behind its `[`.
fn read_class(chars: &mut Peekable<Chars<'_>>) -> anyhow::Result<Class> {
    let mut class = Class { negated: chars.next_if_eq(&'^').is_some(), ..Class::default() };
    loop {
        let c = chars.next().context("a class without an end")?;
        let from = match c {
            ']' => return Ok(class),
            '[' => bail!("a class inside a class"),
            '\\' => match read_escape(chars)? {
                Escape::Char(c) => c,
                Escape::Ranges(ranges) => {
                    class.ranges.extend(ranges);
                    continue;
                }
                Escape::Property(text) => {
                    class.properties.push(text);
                    continue;
                }
            },
            c => c as u32,
        };
        let mut ahead = chars.clone();
        let is_range = ahead.next() == Some('-') && ahead.peek().is_some_and(|c| *c != ']');
        if !is_range {
            class.ranges.push((from, from));
            continue;
        }
        chars.next();
        let to = match chars.next().context("a range without an end")? {
            '\\' => match read_escape(chars)? {
                Escape::Char(c) => c,
                _ => bail!("a range that ends with a class"),
            },
            c => c as u32,
        };
        class.ranges.push((from, to));
    }
}

enum Escape {
    Char(u32),
    Ranges(Vec<(u32, u32)>),
    Property(String),
}

/// Java's classes are ASCII only.
fn read_escape(chars: &mut Peekable<Chars<'_>>) -> anyhow::Result<Escape> {
    let c = chars.next().context("a pattern ends with a backslash")?;
    let one = |c: char| Escape::Char(c as u32);
    Ok(match c {
        'd' => Escape::Ranges(vec![(0x30, 0x39)]),
        'w' => Escape::Ranges(vec![(0x30, 0x39), (0x41, 0x5a), (0x5f, 0x5f), (0x61, 0x7a)]),
        's' => Escape::Ranges(vec![(9, 13), (0x20, 0x20)]),
        'S' => Escape::Ranges(vec![(0, 8), (14, 0x1f), (0x21, 0xD7FF), (0xE000, 0x10_FFFF)]),
        't' => one('\t'),
        'n' => one('\n'),
        'r' => one('\r'),
        'u' => Escape::Char(read_utf16(chars)?),
        'x' => Escape::Char(read_hex(chars, 2)?),
        'p' => {
            let text: String = chars.by_ref().take_while(|c| *c != '}').collect();
            Escape::Property(format!("\\p{text}}}"))
        }
        c if c.is_ascii_alphanumeric() => bail!("unknown escape \\{c}"),
        c => one(c),
    })
}

/// Reads a UTF-16 unit behind its `\u`, and the second half of a surrogate pair with it.
///
/// STS's model writes `\u10000-\u10FFFF`, of which Java reads four digits each; what is meant is
/// every character behind the first plane.
fn read_utf16(chars: &mut Peekable<Chars<'_>>) -> anyhow::Result<u32> {
    for (meant, text) in [(0x10000, "10000-"), (0x10_FFFF, "10FFFF")] {
        if chars.clone().take(6).eq(text.chars()) {
            chars.nth(text.trim_end_matches('-').len() - 1);
            return Ok(meant);
        }
    }
    let unit = read_hex(chars, 4)?;
    if !(0xD800..0xDC00).contains(&unit) {
        return Ok(unit);
    }
    ensure!(chars.next() == Some('\\') && chars.next() == Some('u'), "half of a surrogate pair");
    let low = read_hex(chars, 4)?;
    ensure!((0xDC00..0xE000).contains(&low), "half of a surrogate pair");
    Ok(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00))
}

fn read_hex(chars: &mut Peekable<Chars<'_>>, digits: usize) -> anyhow::Result<u32> {
    let text: String = chars.by_ref().take(digits).collect();
    u32::from_str_radix(&text, 16).with_context(|| format!("hexadecimal digits {text}"))
}

/// A code point by its number, so that no character of the pattern has a meaning.
fn push_code(out: &mut String, code: u32) {
    // Writing to a String cannot fail.
    let _infallible = write!(out, "\\x{{{code:X}}}");
}

fn translate(source: &str) -> anyhow::Result<String> {
    let mut out = String::new();
    let mut chars = source.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '[' => out.push_str(&read_class(&mut chars)?.to_rust()),
            // Java's dot stops at each of its line ends.
            '.' => out.push_str(r"[^\n\r\x{85}\x{2028}\x{2029}]"),
            '\\' => match chars.next_if_eq(&'S') {
                Some(_) => out.push_str(r"[^\x{9}-\x{D} ]"),
                None => match read_escape(&mut chars)? {
                    Escape::Char(c) => push_code(&mut out, c),
                    Escape::Ranges(ranges) => {
                        out.push_str(&Class { ranges, ..Class::default() }.to_rust());
                    }
                    Escape::Property(text) => out.push_str(&text),
                },
            },
            c => out.push(c),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, want: &str) {
        assert_eq!(expression(source, &Overrides::default()).unwrap(), want);
    }

    #[test]
    fn the_hot_ones_need_no_engine() {
        let bits = "0x07ff_fffe_87ff_fffe_03ff_6000_0000_0000";
        check(
            "[a-zA-Z0-9_.-]+",
            &format!("Pattern::class(\"[a-zA-Z0-9_.-]+\", {bits}, false, false)"),
        );
        check("^(0|([1-9]\\d{0,38}))$", "Pattern::decimal(\"^(0|([1-9]\\\\d{0,38}))$\", 39)");
        check("0|([1-9]\\d{0,128})", "Pattern::decimal(\"0|([1-9]\\\\d{0,128})\", 129)");
    }

    #[test]
    fn java_becomes_rust() {
        let rust = |source: &str| {
            regex::Regex::new(&format!(r"\A(?:{})\z", translate(strip_anchors(source)).unwrap()))
                .unwrap()
        };
        let arn = rust(r"arn:aws.*:kinesis:.*:\d{12}:stream/\S+");
        assert!(arn.is_match("arn:aws:kinesis:us-east-1:123456789012:stream/a"));
        assert!(!arn.is_match("arn:aws:kinesis:us-east-1:١٢٣٤٥٦٧٨٩٠١٢:stream/a"));
        assert!(!arn.is_match("arn:aws:kinesis:us-east-1:123456789012:stream/a b"));
        assert!(rust("^$|[a-z]+").is_match(""));
        assert!(rust("[a-zA-Z0-9-_+/=]+").is_match("-_"));
        let lines = rust(r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*");
        assert!(lines.is_match("a\t\u{FFFD}\u{10000}\u{10FFFF}"));
        assert!(!lines.is_match("\u{FFFE}") && !lines.is_match("\u{1F}"));
        let planes = rust(r"[\u0020-\u007E\u10000-\u10FFFF]+");
        assert!(planes.is_match("a\u{10000}\u{10FFFF}") && !planes.is_match("\u{1000}"));
        assert!(!rust(r"[^ /\.$\x22]*").is_match("a\"b"));
        assert!(rust(r"[\s\S]*").is_match("a b\n\u{10FFFF}"));
    }
}
