//! Sequence numbers: 56 decimal digits that name a place in a shard.
//!
//! A number is 188 bits, written here as hex digits from the left (decoded from real numbers,
//! facts of AWS's version 2):
//!
//! | digits | what |
//! | --- | --- |
//! | 1 | the constant 2 |
//! | 9 | second in which the shard was made |
//! | 1 | low four bits of the shard's index |
//! | 16 | record index: the ordinal in the shard's log plus one; 0 is the shard's start |
//! | 2 | 00; 01 in a place behind the record, which no record has (ours) |
//! | 9 | second of arrival, not before that in which the shard was made |
//! | 8 | shard index |
//! | 1 | the version, 2 |
//!
//! Invariants: within a shard numbers order as ordinals do, whatever the clock does, since the
//! index stands before the arrival; a child's numbers follow its parents', since it was made in a
//! later second. Every number lies between 2^185 and 1.5 * 2^185 and so has 56 digits.
//!
//! Rendering is on the path of every record read: three divisions of 128 by 64 bits and a table of
//! digit pairs, no allocation.

use crate::errors::Result;
use crate::texts;
use std::fmt;

/// Decimal digits of every number.
pub(crate) const DIGITS: usize = 56;

/// The record index behind every record that a shard may ever hold.
const INDEX_END: u64 = 0x7fff_ffff_ffff_ffff;

/// Largest second that fits nine hex digits.
const SECOND_MAX: i64 = (1 << 36) - 1;

const TEN_19: u64 = 10_000_000_000_000_000_000;

/// A place in a shard; orders as the decimal numbers do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SequenceNumber {
    /// Bits 128 to 187.
    high: u64,
    /// Bits 0 to 127.
    low: u128,
}

impl SequenceNumber {
    /// The place before a shard's first record.
    pub(crate) fn start(shard_index: u32, created_s: i64) -> Self {
        Self::new(shard_index, created_s, Place { index: 0, mark: 0, arrival_s: created_s })
    }

    /// The place behind all of a closed shard's records.
    pub(crate) fn end(shard_index: u32, created_s: i64, closed_s: i64) -> Self {
        let arrival_s = closed_s.max(created_s);
        Self::new(shard_index, created_s, Place { index: INDEX_END, mark: 0, arrival_s })
    }

    /// The number of the record with this ordinal.
    pub(crate) fn record(shard_index: u32, created_s: i64, ordinal: u64, arrival_ms: i64) -> Self {
        let arrival_s = arrival_ms.div_euclid(1000).max(created_s);
        Self::new(shard_index, created_s, Place { index: ordinal + 1, mark: 0, arrival_s })
    }

    /// A place between the record before `next_ordinal` and that one, which moves on with the
    /// clock: what a subscription carries on from although no record has this number.
    pub(crate) fn behind(shard_index: u32, created_s: i64, next_ordinal: u64, now_ms: i64) -> Self {
        let arrival_s = now_ms.div_euclid(1000);
        Self::new(shard_index, created_s, Place { index: next_ordinal, mark: 1, arrival_s })
    }

    fn new(shard_index: u32, created_s: i64, place: Place) -> Self {
        let created = created_s.clamp(0, SECOND_MAX) as u64;
        let arrival = place.arrival_s.clamp(0, SECOND_MAX) as u128;
        let high = 2 << 56 | created << 20 | u64::from(shard_index & 0xf) << 16 | place.index >> 48;
        let low = u128::from(place.index & 0xffff_ffff_ffff) << 80
            | u128::from(place.mark) << 72
            | arrival << 36
            | u128::from(shard_index) << 4
            | 2;
        Self { high, low }
    }

    /// The shard it belongs to.
    pub(crate) fn shard_index(self) -> u32 {
        (self.low >> 4) as u32
    }

    /// When that shard was made, epoch seconds.
    pub(crate) fn created_s(self) -> i64 {
        (self.high >> 20 & 0xf_ffff_ffff) as i64
    }

    /// Its time, epoch seconds: of arrival, of making for a start, of closing for an end.
    pub(crate) fn arrival_s(self) -> i64 {
        (self.low >> 36 & 0xf_ffff_ffff) as i64
    }

    /// Ordinal of the first record at or after this place.
    pub(crate) fn ordinal_at(self) -> u64 {
        if self.mark() == 0 { self.index().saturating_sub(1) } else { self.index() }
    }

    /// Ordinal of the first record after this place.
    pub(crate) fn ordinal_after(self) -> u64 {
        self.index()
    }

    fn index(self) -> u64 {
        (self.high & 0xffff) << 48 | (self.low >> 80) as u64 & 0xffff_ffff_ffff
    }

    fn mark(self) -> u8 {
        (self.low >> 72) as u8
    }

    /// The decimal digits.
    pub(crate) fn digits(self) -> [u8; DIGITS] {
        // high < 3 * 2^56 < 10^19, so each quotient below fits 64 bits.
        let (q1, r1) = divide(self.high, (self.low >> 64) as u64);
        let (q0, last) = divide(r1, self.low as u64);
        let (first, middle) = divide(q1, q0);
        let mut out = [0; DIGITS];
        render(&mut out[..18], first);
        render(&mut out[18..37], middle);
        render(&mut out[37..], last);
        out
    }

    /// Reads a number of the layout above.
    ///
    /// # Errors
    /// `None`: not such a number.
    fn of_value(high: u64, low: u128) -> Option<Self> {
        let number = Self { high, low };
        let nibble = (high >> 16 & 0xf) as u32;
        let legal = high >> 56 == 2
            && low & 0xf == 2
            && number.index() <= INDEX_END
            && number.mark() <= 1
            && number.shard_index() & 0xf == nibble;
        legal.then_some(number)
    }
}

/// The parts of a number that are not the shard's.
#[derive(Clone, Copy)]
struct Place {
    index: u64,
    mark: u8,
    arrival_s: i64,
}

/// (`high` * 2^64 + `low`) / 10^19 and the rest; `high` < 10^19.
fn divide(high: u64, low: u64) -> (u64, u64) {
    let n = u128::from(high) << 64 | u128::from(low);
    let quotient = (n / u128::from(TEN_19)) as u64;
    // The rest is below 2^64, so the low halves say it all.
    (quotient, low.wrapping_sub(quotient.wrapping_mul(TEN_19)))
}

const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut i = 0;
    while i < 100 {
        pairs[i] = [b'0' + (i / 10) as u8, b'0' + (i % 10) as u8];
        i += 1;
    }
    pairs
};

/// Writes `n` right-aligned over all of `out`.
fn render(out: &mut [u8], mut n: u64) {
    let (odd, pairs) = out.split_at_mut(out.len() % 2);
    for pair in pairs.chunks_exact_mut(2).rev() {
        pair.copy_from_slice(&PAIRS[(n % 100) as usize]);
        n /= 100;
    }
    if let [digit] = odd {
        *digit = b'0' + n as u8;
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits();
        f.write_str(std::str::from_utf8(&digits).expect("digits are ASCII"))
    }
}

impl fmt::Debug for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a decimal number from a client turned out to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Parsed {
    /// One of the layout that shards here hand out.
    Current(SequenceNumber),
    /// One of AWS's layouts of before 2014: it names a shard, yet never one of ours. `value` is the
    /// number as AWS spells it back when it is of the oldest layout.
    Old { shard_index: u32, value: Option<u128> },
}

impl Parsed {
    fn shard_index(self) -> u32 {
        match self {
            Parsed::Current(number) => number.shard_index(),
            Parsed::Old { shard_index, .. } => shard_index,
        }
    }
}

/// Reads decimal digits; `None` when no shard ever handed out such a number.
pub(crate) fn parse(text: &str) -> Option<Parsed> {
    let text = text.as_bytes();
    if text.is_empty() || text.len() > DIGITS || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut padded = [b'0'; DIGITS];
    padded[DIGITS - text.len()..].copy_from_slice(text);
    let (first, middle, last) = (read(&padded[..18]), read(&padded[18..37]), read(&padded[37..]));
    let q = u128::from(first) * u128::from(TEN_19) + u128::from(middle);
    // q * 10^19 + last, in 64-bit columns.
    let right = u128::from(q as u64) * u128::from(TEN_19) + u128::from(last);
    let left = (q >> 64) * u128::from(TEN_19) + (right >> 64);
    let (high, low) = ((left >> 64) as u64, left << 64 | right & u128::from(u64::MAX));
    if high == 0 {
        return parse_oldest(low);
    }
    if high >> 56 == 2 && low & 0xf == 1 {
        let shard_index = (low >> 4) as u32;
        return Some(Parsed::Old { shard_index, value: None });
    }
    SequenceNumber::of_value(high, low).map(Parsed::Current)
}

/// AWS's first layout: 32 hex digits, the constant 1, nine of the shard's second, two, sixteen, and
/// four of the shard's index; numbers without the constant are taken as if they had it (observed).
fn parse_oldest(value: u128) -> Option<Parsed> {
    const SECOND_END: u128 = 16_025_175_000;
    let value = value & !(0xf << 124) | 1 << 124;
    let created_s = value >> 88 & 0xf_ffff_ffff;
    let old = Parsed::Old { shard_index: value as u32 & 0xffff, value: Some(value) };
    (created_s < SECOND_END).then_some(old)
}

fn read(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |n, d| n * 10 + u64::from(d - b'0'))
}

/// The shard that a client's number is used with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used<'a> {
    pub(crate) shard_index: u32,
    pub(crate) created_s: i64,
    pub(crate) shard_id: &'a str,
    pub(crate) stream: &'a str,
    pub(crate) account: &'a str,
}

impl Used<'_> {
    /// Reads a `StartingSequenceNumber` and checks that this shard handed it out.
    ///
    /// # Errors
    /// `InvalidArgument` a malformed number, one of another shard, one of another stream or of a
    /// former stream of this name.
    pub(crate) fn resolve(&self, operation: &str, text: &str) -> Result<SequenceNumber> {
        let parsed = parse(text).ok_or_else(|| texts::number_malformed(self, operation, text))?;
        if parsed.shard_index() != self.shard_index {
            return Err(texts::number_of_another_shard(self, parsed.shard_index()));
        }
        match parsed {
            Parsed::Current(number) if number.created_s() == self.created_s => Ok(number),
            Parsed::Old { value: Some(value), .. } => {
                Err(texts::number_foreign(self, operation, &value))
            }
            _ => Err(texts::number_foreign(self, operation, &text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CREATED_S: i64 = 1_420_000_000;

    /// The number as hex digits, by schoolbook arithmetic on its decimal digits.
    fn hex_of(decimal: &str) -> String {
        let mut digits: Vec<u32> = decimal.bytes().map(|b| u32::from(b - b'0')).collect();
        let mut hex = Vec::new();
        while digits.iter().any(|d| *d != 0) {
            let mut rest = 0;
            for d in &mut digits {
                let n = rest * 10 + *d;
                *d = n / 16;
                rest = n % 16;
            }
            hex.push(char::from_digit(rest, 16).unwrap());
        }
        hex.iter().rev().collect()
    }

    fn decimal_of(hex: &str) -> String {
        let mut digits = vec![0u32];
        for c in hex.chars() {
            let mut carry = c.to_digit(16).unwrap();
            for d in digits.iter_mut().rev() {
                let n = *d * 16 + carry;
                *d = n % 10;
                carry = n / 10;
            }
            while carry > 0 {
                digits.insert(0, carry % 10);
                carry /= 10;
            }
        }
        digits.iter().map(|d| char::from_digit(*d, 10).unwrap()).collect()
    }

    #[test]
    fn layout_is_that_of_version_two() {
        let n = SequenceNumber::record(0x12, 0x0_5555_5555, 0x41, 0x0_6666_6666 * 1000 + 999);
        assert_eq!(hex_of(&n.to_string()), "20555555552000000000000004200066666666000000122");
        let start = SequenceNumber::start(3, 1);
        assert_eq!(hex_of(&start.to_string()), "20000000013000000000000000000000000001000000032");
        let end = SequenceNumber::end(3, 1, 2);
        assert_eq!(hex_of(&end.to_string()), "200000000137fffffffffffffff00000000002000000032");
        let early = SequenceNumber::record(3, 5, 0, 1000);
        assert_eq!(early.arrival_s(), 5, "nothing arrives before its shard is made");
    }

    /// Numbers that AWS publishes in sample events.
    #[test]
    fn real_numbers_are_read() {
        let text = "49590338271490256608559692538361571095921575989136588898";
        let want = SequenceNumber::record(6, 0x5bf_4e5c2, 0x6764_8a17 - 1, 0x5c1_81eea * 1000);
        assert_eq!(parse(text), Some(Parsed::Current(want)));
        let text = "49543463076548007577105092703039560359975228518395019266";
        let want = SequenceNumber::record(0, 0x542_050cd, 0x157d - 1, 0x542_0bb34 * 1000);
        assert_eq!(parse(text), Some(Parsed::Current(want)));
        let text = "49545115243490985018280067714973144582180062593244200961";
        assert_eq!(parse(text), Some(Parsed::Old { shard_index: 0, value: None }));
    }

    fn used() -> Used<'static> {
        Used {
            shard_index: 0,
            created_s: CREATED_S,
            shard_id: "shardId-000000000000",
            stream: "a",
            account: "000000000000",
        }
    }

    fn check(text: &str, want: &str) {
        assert_eq!(used().resolve("GetShardIterator", text).unwrap_err().message(), want);
    }

    #[test]
    fn refusals_have_the_text_of_aws() {
        check(
            "5",
            "Invalid StartingSequenceNumber. It encodes shardId-000000000005, while it was used in \
             a call to a shard with shardId-000000000000",
        );
        check(
            "0",
            "StartingSequenceNumber 21267647932558653966460912964485513216 used in \
             GetShardIterator on shard shardId-000000000000 in stream a under account \
             000000000000 is invalid because it did not come from this stream.",
        );
        let large = decimal_of("f3bb2cc3d7ff7fffffffffffffff0000");
        check(
            &large,
            "StartingSequenceNumber 26227199374821822965252748908982894592 used in \
             GetShardIterator on shard shardId-000000000000 in stream a under account \
             000000000000 is invalid because it did not come from this stream.",
        );
        check(
            &decimal_of("20000000000000000000000000000000000000800000002"),
            "Invalid StartingSequenceNumber. It encodes shardId--02147483648, while it was used in \
             a call to a shard with shardId-000000000000",
        );
        let other = SequenceNumber::record(0, CREATED_S + 1, 7, 0).to_string();
        check(
            &other,
            &format!(
                "StartingSequenceNumber {other} used in GetShardIterator on shard \
                 shardId-000000000000 in stream a under account 000000000000 is invalid because it \
                 did not come from this stream."
            ),
        );
    }

    #[test]
    fn malformed_numbers_are_refused() {
        let index = decimal_of("20000000000800000000000000000000000000000000002");
        let date = decimal_of("13bb2cc3d80000000000000000000000");
        let version = decimal_of("20000000000000000000000000000000000000000000003");
        let top = decimal_of("30000000000000000000000000000000000000000000002");
        let long = "9".repeat(57);
        for text in [&index, &date, &version, &top, &long] {
            check(
                text,
                &format!(
                    "StartingSequenceNumber {text} used in GetShardIterator on shard \
                     shardId-000000000000 in stream a under account 000000000000 is invalid."
                ),
            );
        }
        for text in ["", "x", "-1", "٣", " 1"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_place_behind_a_record_follows_it_and_no_other() {
        let record = SequenceNumber::record(1, CREATED_S, 4, 10_000);
        let behind = SequenceNumber::behind(1, CREATED_S, 5, 10_000);
        let later = SequenceNumber::behind(1, CREATED_S, 5, 15_000);
        let next = SequenceNumber::record(1, CREATED_S, 5, 9_000);
        assert!(record < behind && behind < later && later < next);
        assert_eq!((record.ordinal_at(), record.ordinal_after()), (4, 5));
        assert_eq!((behind.ordinal_at(), behind.ordinal_after()), (5, 5));
        let start = SequenceNumber::start(1, CREATED_S);
        assert_eq!((start.ordinal_at(), start.ordinal_after()), (0, 0));
        assert!(start < SequenceNumber::behind(1, CREATED_S, 0, CREATED_S * 1000));
    }

    proptest! {
        #[test]
        fn numbers_come_back(
            shard in 0..=i32::MAX as u32,
            created_s in 0..=SECOND_MAX,
            ordinal in 0..INDEX_END,
            arrival_ms in 0..SECOND_MAX * 1000,
        ) {
            let n = SequenceNumber::record(shard, created_s, ordinal, arrival_ms);
            let text = n.to_string();
            prop_assert_eq!(text.len(), DIGITS);
            prop_assert_eq!(parse(&text), Some(Parsed::Current(n)));
            prop_assert_eq!(decimal_of(&hex_of(&text)), text);
            prop_assert_eq!(n.ordinal_at(), ordinal);
            prop_assert_eq!(n.arrival_s(), created_s.max(arrival_ms / 1000));
            prop_assert_eq!((n.shard_index(), n.created_s()), (shard, created_s));
        }

        /// Whatever the clock says.
        #[test]
        fn numbers_order_as_ordinals(
            shard in 0..=i32::MAX as u32,
            (a, b) in (0..INDEX_END, 0..INDEX_END),
            (at_a, at_b) in (0..SECOND_MAX * 1000, 0..SECOND_MAX * 1000),
        ) {
            prop_assume!(a != b);
            let x = SequenceNumber::record(shard, CREATED_S, a, at_a);
            let y = SequenceNumber::record(shard, CREATED_S, b, at_b);
            prop_assert_eq!(x < y, a < b);
            prop_assert_eq!(x.to_string() < y.to_string(), a < b);
            prop_assert!(SequenceNumber::start(shard, CREATED_S) < x);
            prop_assert!(x < SequenceNumber::end(shard, CREATED_S, 0));
        }

        #[test]
        fn children_follow_their_parents(
            (parent, child) in (0..1000u32, 0..1000u32),
            later_s in 1..1000i64,
            (a, b) in (0..INDEX_END, 0..INDEX_END),
        ) {
            let end = SequenceNumber::end(parent, CREATED_S, CREATED_S + later_s);
            let last = SequenceNumber::record(parent, CREATED_S, a, 0);
            let first = SequenceNumber::start(child, CREATED_S + later_s);
            prop_assert!(last < end && end < first);
            prop_assert!(first < SequenceNumber::record(child, CREATED_S + later_s, b, 0));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,60}|[0-9]{0,60}") {
            let _parsed = parse(&text);
        }
    }
}
