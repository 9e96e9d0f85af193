//! Typed values: token to shape member, with its rule checked.

use super::{Kind, Number, Raw, Read, Reader, Token, syntax, wrong};
use crate::rules::{DoubleRule, Enumeration, KeyRule, NumberRule, SizeRule, TextRule, UNBOUNDED};
use crate::violations::{Constraint, Show, Shown, show_cut};
use crate::{Text, Timestamp};
use base64_simd::STANDARD;
use bytes::{Bytes, BytesMut};
use std::collections::BTreeMap;

/// Elements kept past a list's bound, so that the message can show what was sent. A longer list is
/// passed over to its end: a body of `{},{},..` would take thirty times its size, and a second.
const ELEMENTS_PAST_MAX: usize = 64;

/// Elements kept of a list or map that the model does not bound; more are refused.
const ELEMENTS_MAX: usize = 1 << 20;

/// Elements of a list that an error message can need: each has at least one character.
const SPELLED_MAX: usize = 4096;

const NUMBER_CLASS: &str = "class com.amazon.coral.value.json.numbers.TruncatingBigNumber";

/// How AWS names what was found, and where it does not fit.
///
/// Source: observed (kinesalite's suite).
fn unexpected<T>(token: &Token, wanted: &str) -> Read<T> {
    let class = match token {
        Token::List(_) => return wrong("Start of list found where not expected"),
        Token::Map(_) => return wrong("Start of structure or map found where not expected."),
        Token::Bool(_) => "class java.lang.Boolean",
        Token::Number(_) => NUMBER_CLASS,
        Token::Text(_) => "class java.lang.String",
        Token::Blob(_) => "class java.nio.HeapByteBuffer",
        Token::Null => "null",
    };
    wrong(format!("{class} can not be converted to {wanted}"))
}

impl Reader {
    /// A string.
    pub fn text(&mut self, rule: &TextRule) -> Read<Option<Text>> {
        let raw = match self.token()? {
            Token::Text(raw) => raw,
            Token::Null => return Ok(None),
            other => return unexpected(&other, "an String"),
        };
        let text = self.text_of(&raw)?;
        if self.strict {
            let broken = rule.check(&text);
            if broken.any() {
                self.text_violates(rule, broken, &text);
            }
        }
        Ok(Some(text))
    }

    #[cold]
    fn text_violates(&mut self, rule: &TextRule, broken: crate::rules::Broken, text: &Text) {
        if self.broken_inside(|| rule.describe()) {
            return;
        }
        let show = |out: &mut String| show_cut(text, out);
        if let Some(pattern) = rule.pattern.filter(|_| broken.pattern) {
            self.violate(Constraint::Pattern(pattern.source()), Shown::By(&show));
        }
        if broken.min {
            self.violate(Constraint::LengthMin(rule.min), Shown::By(&show));
        }
        if broken.max {
            self.violate(Constraint::LengthMax(rule.max), Shown::By(&show));
        }
    }

    /// Of a scalar inside a list or map, AWS shows the whole list with what its elements must
    /// satisfy. Notes that for the container's end; false for a structure's member.
    fn broken_inside(&mut self, describe: impl FnOnce() -> String) -> bool {
        let frame = self.top();
        match frame.kind {
            Kind::Structure(_) => false,
            Kind::List | Kind::Unknown => {
                frame.broken.get_or_insert_with(|| Box::new(Constraint::Elements(describe())));
                true
            }
            Kind::Map => {
                frame.broken.get_or_insert_with(|| Box::new(Constraint::Values(describe())));
                true
            }
        }
    }

    /// An enum's value. A value that the model does not know is a violation, and absent when the
    /// reader is lenient.
    pub fn enumeration<E: Enumeration>(&mut self) -> Read<Option<E>> {
        match self.name_of(E::NAMES)? {
            Some(index) => Ok(Some(E::from_index(index))),
            None => Ok(None),
        }
    }

    fn name_of(&mut self, names: &'static [&'static str]) -> Read<Option<usize>> {
        let raw = match self.token()? {
            Token::Text(raw) => raw,
            Token::Null => return Ok(None),
            other => return unexpected(&other, "an String"),
        };
        let text = self.text_of(&raw)?;
        if let Some(index) = names.iter().position(|name| *name == text.as_str()) {
            return Ok(Some(index));
        }
        if !self.strict {
            return Ok(None);
        }
        if !self.broken_inside(|| crate::rules::describe_names(names)) {
            let show = |out: &mut String| show_cut(&text, out);
            self.violate(Constraint::Names(names), Shown::By(&show));
        }
        // Any value will do: the answer is a refusal.
        Ok(Some(0))
    }

    /// A required enum's value; a client cannot go on with one it does not know.
    ///
    /// Source: ours.
    pub fn required_enumeration<E: Enumeration>(
        &mut self,
        index: usize,
        value: Option<E>,
    ) -> Read<E> {
        if value.is_none() && !self.strict && self.top().met >> index & 1 == 1 {
            return wrong("an enum value that this model does not know");
        }
        Ok(self.required(index, value))
    }

    /// True or false. AWS takes some strings too.
    ///
    /// Source: observed (kinesalite's suite).
    pub fn boolean(&mut self) -> Read<Option<bool>> {
        match self.token()? {
            Token::Bool(value) => Ok(Some(value)),
            Token::Null => Ok(None),
            Token::Text(raw) => {
                let mut text = String::new();
                show_cut(&self.text_of(&raw)?, &mut text);
                match text.to_uppercase().as_str() {
                    "TRUE" | "YES" | "1" => Ok(Some(true)),
                    "FALSE" | "NO" | "0" => Ok(Some(false)),
                    other => wrong(format!("'{other}' can not be converted to an Boolean")),
                }
            }
            other => unexpected(&other, "an Boolean"),
        }
    }

    /// A 32-bit integer. Larger numbers stop at its bounds and fractions are cut, as AWS does.
    pub fn integer(&mut self, rule: &NumberRule) -> Read<Option<i32>> {
        let Some(wide) = self.whole("an Integer")? else {
            return Ok(None);
        };
        let value = wide.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32;
        self.check_number(rule, i64::from(value));
        Ok(Some(value))
    }

    /// A 64-bit integer. Larger numbers stop at its bounds and fractions are cut.
    pub fn long(&mut self, rule: &NumberRule) -> Read<Option<i64>> {
        let value = self.whole("an Long")?;
        if let Some(value) = value {
            self.check_number(rule, value);
        }
        Ok(value)
    }

    fn whole(&mut self, wanted: &str) -> Read<Option<i64>> {
        match self.token()? {
            Token::Number(Number::Int(value)) => Ok(Some(value)),
            Token::Number(Number::Float(value)) if value.is_finite() => Ok(Some(value as i64)),
            Token::Number(Number::Spelled(from, to)) => {
                let spelled = self.spelled(from, to)?;
                match spelled.parse::<i64>() {
                    Ok(value) => Ok(Some(value)),
                    Err(_) => Ok(Some(parse_float(spelled)? as i64)),
                }
            }
            Token::Null => Ok(None),
            Token::Text(raw) if self.is_loose() => {
                let text = self.text_of(&raw)?;
                let whole = text.parse::<i64>().ok();
                let whole = whole.or_else(|| finite(&text).map(|value| value as i64));
                whole.map_or_else(|| unexpected(&Token::Text(raw), wanted), |whole| Ok(Some(whole)))
            }
            other => unexpected(&other, wanted),
        }
    }

    fn check_number(&mut self, rule: &NumberRule, value: i64) {
        if !self.strict || (rule.min..=rule.max).contains(&value) {
            return;
        }
        let constraint = if value < rule.min {
            Constraint::ValueMin(rule.min.to_string())
        } else {
            Constraint::ValueMax(rule.max.to_string())
        };
        self.number_violates(constraint, &value);
    }

    #[cold]
    fn number_violates(&mut self, constraint: Constraint, value: &dyn Show) {
        if !self.broken_inside(|| constraint.text()) {
            self.violate(constraint, Shown::By(&|out: &mut String| value.show(out)));
        }
    }

    /// A floating point number.
    pub fn double(&mut self, rule: &DoubleRule) -> Read<Option<f64>> {
        let value = match self.token()? {
            Token::Number(Number::Int(value)) => value as f64,
            Token::Number(Number::Float(value)) => value,
            Token::Number(Number::Spelled(from, to)) => parse_float(self.spelled(from, to)?)?,
            Token::Null => return Ok(None),
            Token::Text(raw) => match self.spelled_double(&self.text_of(&raw)?) {
                Some(value) => value,
                None => return unexpected(&Token::Text(raw), "an Double"),
            },
            other => return unexpected(&other, "an Double"),
        };
        if self.strict && value < rule.min {
            self.number_violates(Constraint::ValueMin(rule.min.to_string()), &value);
        } else if self.strict && value > rule.max {
            self.number_violates(Constraint::ValueMax(rule.max.to_string()), &value);
        }
        Ok(Some(value))
    }

    /// A number that has no digits in JSON, or that is spelled where only strings are.
    fn spelled_double(&self, text: &str) -> Option<f64> {
        match text {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => finite(text).filter(|_| self.is_loose()),
        }
    }

    /// A point in time: seconds with a fraction in JSON and in RPC v2's CBOR, milliseconds in AWS's
    /// (tag 1 with an integer, as AWS writes; a float or no tag is read in the same unit); a date
    /// where only strings are.
    pub fn timestamp(&mut self) -> Read<Option<Timestamp>> {
        let unit_ms = if self.format == crate::Format::RpcCbor { 1000 } else { 1 };
        let ms = match self.token()? {
            Token::Number(Number::Int(units)) => units.saturating_mul(unit_ms),
            Token::Number(Number::Float(units)) if units.is_finite() => {
                (units * unit_ms as f64).round() as i64
            }
            Token::Text(raw) if self.is_loose() => match date(&self.text_of(&raw)?) {
                Some(ms) => ms,
                None => return unexpected(&Token::Text(raw), "milliseconds since epoch"),
            },
            Token::Number(Number::Spelled(from, to)) => parse_seconds(self.spelled(from, to)?)?,
            Token::Null => return Ok(None),
            other => return unexpected(&other, "milliseconds since epoch"),
        };
        Ok(Some(Timestamp(ms)))
    }

    /// A point in time that is a date, whatever the format.
    pub fn timestamp_iso(&mut self) -> Read<Option<Timestamp>> {
        match self.token()? {
            Token::Null => Ok(None),
            Token::Text(raw) => match date(&self.text_of(&raw)?) {
                Some(ms) => Ok(Some(Timestamp(ms))),
                None => unexpected(&Token::Text(raw), "milliseconds since epoch"),
            },
            other => unexpected(&other, "milliseconds since epoch"),
        }
    }

    fn spelled(&self, from: usize, to: usize) -> Read<&str> {
        match std::str::from_utf8(&self.body[from..to]) {
            Ok(text) => Ok(text),
            Err(_) => syntax(),
        }
    }

    /// Bytes: base64 text in JSON, a byte string in CBOR.
    pub fn blob(&mut self, rule: &SizeRule) -> Read<Option<Bytes>> {
        let blob = match (self.token()?, self.format) {
            (Token::Text(raw), crate::Format::Json) => self.base64(&raw)?,
            (Token::Blob(Raw::Slice(from, to)), _) => self.body.slice(from..to),
            (Token::Blob(Raw::Owned(bytes)), _) => *bytes,
            (Token::Null, _) => return Ok(None),
            (other, _) => return unexpected(&other, "a Blob"),
        };
        if let Some(constraint) = self.broken_size(rule, blob.len())
            && !self.broken_inside(|| constraint.text())
        {
            self.violate(constraint, Shown::LeftOut);
        }
        Ok(Some(blob))
    }

    fn base64(&mut self, raw: &Raw) -> Read<Bytes> {
        let unescaped;
        let encoded = match raw {
            Raw::Slice(from, to) => &self.body[*from..*to],
            other => {
                unescaped = self.text_of(other)?;
                unescaped.as_bytes()
            }
        };
        if encoded.is_empty() {
            return Ok(Bytes::new());
        }
        let bytes_max = STANDARD.estimated_decoded_length(encoded.len());
        if self.arena.capacity() < bytes_max {
            // What is left of the body cannot decode to more than three quarters of it.
            let left = (self.body.len() - self.at) / 4 * 3;
            self.arena = BytesMut::with_capacity(left + bytes_max);
        }
        match decode_into(&mut self.arena, encoded, bytes_max) {
            Some(blob) => Ok(blob),
            None => refuse_base64(encoded),
        }
    }

    fn check_size(&mut self, rule: &SizeRule, size: usize, value: &dyn Show) {
        if let Some(constraint) = self.broken_size(rule, size) {
            self.number_violates(constraint, value);
        }
    }

    fn broken_size(&self, rule: &SizeRule, size: usize) -> Option<Constraint> {
        if !self.strict || (rule.min as usize..=rule.max as usize).contains(&size) {
            return None;
        }
        let too_short = size < rule.min as usize;
        Some(if too_short {
            Constraint::LengthMin(rule.min)
        } else {
            Constraint::LengthMax(rule.max)
        })
    }

    /// A list; `read` reads an element. A null element is a violation.
    pub fn list<T: Show>(
        &mut self,
        rule: &SizeRule,
        mut read: impl FnMut(&mut Reader) -> Read<Option<T>>,
    ) -> Read<Option<Vec<T>>> {
        let Some(kept_max) = self.begin_list(rule)? else {
            return Ok(None);
        };
        let room = (self.body.len() - self.at) / 64 + 1;
        let mut list = Vec::with_capacity(room.min(kept_max).min(1024));
        let mut count = 0_usize;
        while kept_max > 0 && self.next_item(false)? {
            count += 1;
            if self.is_past(list.len(), kept_max, rule) {
                self.skip()?;
                continue;
            }
            self.top().current = count as u32 - 1;
            let element = read(self)?;
            if let Some(element) = element {
                keep_bounded(list.len(), kept_max)?;
                list.push(element);
            } else if self.strict {
                self.violate(Constraint::NotNull, Shown::Null);
            }
        }
        let ended = self.frames.pop();
        match self.broken_size(rule, count) {
            Some(too_long @ Constraint::LengthMax(_)) if T::is_left_out() => {
                self.violate(too_long, Shown::LeftOut);
            }
            Some(constraint) => self.number_violates(constraint, &list),
            None => {}
        }
        if let Some((broken, from)) = ended.and_then(|f| Some((f.broken?, f.from))) {
            match self.spelled_list(from) {
                Some(spelled) => self.container_violates(Some(*broken), &spelled),
                None => self.container_violates(Some(*broken), &list),
            }
        }
        Ok(Some(list))
    }

    /// The list that begins at `from` as the body spells it, when it is one of strings: an enum's
    /// value that the model does not know is nowhere else.
    #[cold]
    fn spelled_list(&self, from: usize) -> Option<Vec<Text>> {
        let mut again = Reader::new(self.format, self.body.clone(), false);
        again.at = from;
        let left = super::INDEFINITE;
        again.enter(Kind::List, left).ok()?;
        let mut spelled = Vec::new();
        while again.at < self.at && again.next_item(false).ok()? {
            let text = again.text(&TextRule::ANY).ok()?;
            if spelled.len() <= SPELLED_MAX {
                spelled.extend(text);
            }
        }
        Some(spelled)
    }

    /// Begins a list: how many elements are kept, 0 when none come, or None for null.
    ///
    /// Source: observed (kinesalite's suite).
    fn begin_list(&mut self, rule: &SizeRule) -> Read<Option<usize>> {
        match self.token()? {
            Token::List(left) => self.enter(Kind::List, left)?,
            Token::Null => return Ok(None),
            Token::Map(_) => return wrong("Start of structure or map found where not expected."),
            // An empty list has no name of its own in a form.
            Token::Text(Raw::Slice(from, to)) if from == to && self.is_loose() => {
                self.enter(Kind::List, 0)?;
                return Ok(Some(0));
            }
            _ => return wrong("Expected list or null"),
        }
        Ok(Some(self.kept_max(rule)))
    }

    fn kept_max(&self, rule: &SizeRule) -> usize {
        match rule.max {
            max if self.strict && max != UNBOUNDED => max as usize + ELEMENTS_PAST_MAX,
            _ => ELEMENTS_MAX,
        }
    }

    /// Whether so much is kept that the violation is certain and nothing more is worth a look.
    fn is_past(&self, kept: usize, kept_max: usize, rule: &SizeRule) -> bool {
        kept >= kept_max && self.strict && rule.max != UNBOUNDED
    }

    #[cold]
    fn container_violates(&mut self, broken: Option<Constraint>, value: &dyn Show) {
        if let Some(constraint) = broken {
            self.violate(constraint, Shown::By(&|out: &mut String| value.show(out)));
        }
    }

    /// A map; `read` reads a value. A null value is a violation. Of two equal keys the last wins.
    ///
    /// Source: observed (kinesalite's suite).
    pub fn map<T: Show>(
        &mut self,
        rule: &SizeRule,
        keys: KeyRule,
        mut read: impl FnMut(&mut Reader) -> Read<Option<T>>,
    ) -> Read<Option<BTreeMap<Text, T>>> {
        match self.token()? {
            Token::Map(left) => self.enter(Kind::Map, left)?,
            Token::Null => return Ok(None),
            Token::List(_) => return wrong("Start of list found where not expected"),
            _ => return wrong("Expected map or null"),
        }
        let kept_max = self.kept_max(rule);
        let mut map = BTreeMap::new();
        let (mut count, mut nulls, mut bad_keys) = (0_usize, 0, false);
        while self.next_item(true)? {
            let raw = self.key()?;
            let key = self.text_of(&raw)?;
            if self.is_past(map.len(), kept_max, rule) {
                self.skip()?;
                continue;
            }
            bad_keys |= self.strict && !keys.holds(&key);
            let frame = self.top();
            frame.current = count as u32;
            frame.key = Some(key.clone());
            let value = read(self)?;
            if let Some(value) = value {
                keep_bounded(map.len(), kept_max)?;
                map.insert(key, value);
            } else if self.strict {
                nulls += 1;
                self.violate(Constraint::NotNull, Shown::Null);
            }
            count += 1;
        }
        let broken = self.frames.pop().and_then(|frame| frame.broken);
        self.check_size(rule, map.len() + nulls, &map);
        self.container_violates(bad_keys.then(|| Constraint::Keys(keys.describe())), &map);
        self.container_violates(broken.map(|b| *b), &map);
        Ok(Some(map))
    }

    /// The string that `raw` stands for, checked for UTF-8.
    pub(super) fn text_of(&self, raw: &Raw) -> Read<Text> {
        let bytes = match raw {
            Raw::Slice(from, to) => {
                // What is shorter was looked at when its end was searched.
                let long = to - from > super::json::SCANNED_BYTES;
                if long && self.format == crate::Format::Json {
                    super::json::check_controls(&self.body[*from..*to])?;
                }
                self.body.slice(*from..*to)
            }
            Raw::Escaped(from, to) => Bytes::from(super::json::unescape(&self.body[*from..*to])?),
            Raw::Owned(bytes) => Bytes::clone(bytes),
        };
        match Text::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(_) => syntax(),
        }
    }

    /// Checks a string that nobody wants.
    pub(super) fn check_text(&self, raw: &Raw) -> Read<()> {
        self.text_of(raw).map(drop)
    }
}

/// Source: ours.
fn keep_bounded(kept: usize, kept_max: usize) -> Read<()> {
    if kept >= kept_max { wrong("too many elements") } else { Ok(()) }
}

/// Decodes base64 to the arena's free end and splits it off; None when it is no base64.
#[expect(unsafe_code, reason = "zeroing the arena first costs as much as decoding into it")]
fn decode_into(arena: &mut BytesMut, encoded: &[u8], bytes_max: usize) -> Option<Bytes> {
    arena.clear();
    let free = arena.spare_capacity_mut().get_mut(..bytes_max)?;
    let out = base64_simd::Out::from_uninit_slice(free);
    let bytes = STANDARD.decode(encoded, out).ok()?.len();
    // SAFETY: the decoder returned its output slice, which begins at the arena's free end (the
    // arena is empty) and has this many initialised bytes, all inside the capacity.
    unsafe { arena.set_len(bytes) };
    Some(arena.split().freeze())
}

/// AWS's three ways to say that a string is no base64.
///
/// Source: observed (kinesalite's suite).
#[cold]
fn refuse_base64<T>(encoded: &[u8]) -> Read<T> {
    let mut text = String::new();
    show_cut(&String::from_utf8_lossy(encoded), &mut text);
    let length = encoded.len();
    let why = if !length.is_multiple_of(4) {
        format!("Base64 encoded length is expected a multiple of 4 bytes but found: {length}")
    } else if let Some(bad) = bad_base64_char(encoded) {
        format!("Invalid Base64 character: '{bad}'")
    } else {
        // AWS's own spelling.
        "Invalid last non-pad Base64 character dectected".to_owned()
    };
    wrong(format!("'{text}' can not be converted to a Blob: {why}"))
}

/// The first character outside the alphabet, or a pad before the end.
fn bad_base64_char(encoded: &[u8]) -> Option<char> {
    let text = String::from_utf8_lossy(encoded);
    let pads = text.len() - text.trim_end_matches('=').len();
    let body = text.len() - pads.min(2);
    let legal = |at: usize, c: char| {
        c.is_ascii_alphanumeric() || c == '+' || c == '/' || (c == '=' && at >= body)
    };
    text.char_indices().find(|(at, c)| !legal(*at, *c)).map(|(_, c)| c)
}

/// A number of decimal digits.
fn finite(text: &str) -> Option<f64> {
    let numeric = |b: u8| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E');
    text.parse::<f64>().ok().filter(|value| value.is_finite() && text.bytes().all(numeric))
}

/// A date as forms, paths and headers have it, or seconds.
fn date(text: &str) -> Option<i64> {
    let seconds = || finite(text).map(|seconds| (seconds * 1000.0).round() as i64);
    base::date::parse_iso(text).or_else(|| crate::sigv4::http_date(text)).or_else(seconds)
}

fn parse_float(spelled: &str) -> Read<f64> {
    match spelled.parse::<f64>() {
        Ok(value) => Ok(value),
        Err(_) => syntax(),
    }
}

/// Milliseconds of a JSON number of seconds; exact for every number without an exponent.
fn parse_seconds(spelled: &str) -> Read<i64> {
    if spelled.contains(['e', 'E']) {
        return Ok((parse_float(spelled)? * 1000.0).round() as i64);
    }
    let (whole, fraction) = spelled.split_once('.').unwrap_or((spelled, ""));
    let negative = whole.starts_with('-');
    let Ok(seconds) = whole.trim_start_matches('-').parse::<i64>() else {
        return Ok(if negative { i64::MIN } else { i64::MAX });
    };
    let mut digits = fraction.bytes().map(|d| i64::from(d - b'0')).chain(std::iter::repeat(0));
    let mut next = || digits.next().unwrap_or(0);
    let thousandths = next() * 100 + next() * 10 + next();
    let ms = seconds.saturating_mul(1000).saturating_add(thousandths + i64::from(next() >= 5));
    Ok(if negative { -ms } else { ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_read_exactly() {
        let check =
            |text: &str, want: i64| assert_eq!(parse_seconds(text).unwrap(), want, "{text}");
        check("0", 0);
        check("1700000000.123", 1_700_000_000_123);
        check("1700000000.1235", 1_700_000_000_124);
        check("-1.5", -1500);
        check("-0.001", -1);
        check("1.7E9", 1_700_000_000_000);
        check("99999999999999999999", i64::MAX);
    }
}
