//! Points as bytes: what a put appends, and the chunks of a block.
//!
//! A run is the points of one series; a record is a version byte and runs one after another.
//!
//! ```text
//! run    series (varint), points (varint), then each point
//! point  seconds since the one before, the first since the epoch (varint)
//!        shape (u8): 0 one value that came once; 1 one value; 2 a set; 3 a set with its spread
//!        numbers, by the shape: value | value, count | count, sum, min, max
//!        spread: length (varint), then value and count of each
//! number its bits XOR those of the same number in the point before: zero bytes in front (high half
//!        of a byte) and how many bytes follow (low half), then these, the highest first
//! ```
//!
//! What changes little or has few digits takes little: a constant value takes 3 bytes a point.

use super::super::statistic::Set;
use super::{Point, SeriesId};

const VERSION: u8 = 1;

const ONCE: u8 = 0;
const SAME: u8 = 1;
const SET: u8 = 2;
const SPREAD: u8 = 3;

/// A record with no runs.
pub(super) fn new_record() -> Vec<u8> {
    vec![VERSION]
}

/// Adds a run, in order of time.
pub(super) fn put_run(out: &mut Vec<u8>, series: SeriesId, points: &[Point]) {
    put_varint(out, u64::from(series));
    put_varint(out, points.len() as u64);
    let (mut at_s, mut before) = (0, Before::default());
    for point in points {
        put_varint(out, u64::from(point.at_s - at_s));
        at_s = point.at_s;
        put_set(out, &point.set, &mut before);
    }
}

/// The numbers of the point before, in the order of a set.
#[derive(Default)]
struct Before {
    count: u64,
    sum: u64,
    min: u64,
    max: u64,
}

fn put_set(out: &mut Vec<u8>, set: &Set, before: &mut Before) {
    // To the last bit: what is read is what was written.
    let same = |a: f64, b: f64| a.to_bits() == b.to_bits();
    let is_same = same(set.min, set.max) && same(set.sum, set.min * set.count);
    let shape = match &set.spread {
        Some(_) => SPREAD,
        None if is_same && same(set.count, 1.0) => ONCE,
        None if is_same => SAME,
        None => SET,
    };
    out.push(shape);
    match shape {
        ONCE => put_number(out, set.min, &mut before.min),
        SAME => {
            put_number(out, set.min, &mut before.min);
            put_number(out, set.count, &mut before.count);
        }
        _ => {
            put_number(out, set.count, &mut before.count);
            put_number(out, set.sum, &mut before.sum);
            put_number(out, set.min, &mut before.min);
            put_number(out, set.max, &mut before.max);
        }
    }
    if let Some(spread) = &set.spread {
        put_varint(out, spread.len() as u64);
        let (mut value_before, mut count_before) = (0, 0);
        for (value, count) in spread {
            put_number(out, *value, &mut value_before);
            put_number(out, *count, &mut count_before);
        }
    }
}

fn put_number(out: &mut Vec<u8>, number: f64, before: &mut u64) {
    let bits = number.to_bits();
    let changed = bits ^ *before;
    *before = bits;
    let front = changed.leading_zeros() / 8;
    let behind = if changed == 0 { 0 } else { changed.trailing_zeros() / 8 };
    let len = 8 - front - behind;
    out.push((front << 4 | len) as u8);
    out.extend_from_slice(&changed.to_be_bytes()[front as usize..][..len as usize]);
}

fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Reads the runs of a record; `None` once it is no such record.
pub(super) fn runs(record: &[u8]) -> Runs<'_> {
    match record.split_first() {
        Some((&VERSION, rest)) => Runs(Some(rest)),
        _ => Runs(None),
    }
}

/// The runs of a record that are still to be read; nothing once one could not be.
pub(super) struct Runs<'a>(Option<&'a [u8]>);

impl Iterator for Runs<'_> {
    /// A run, or that the record is damaged.
    type Item = Option<(SeriesId, Vec<Point>)>;

    fn next(&mut self) -> Option<Self::Item> {
        let Some(rest) = &mut self.0 else {
            self.0 = Some(&[]);
            return Some(None);
        };
        if rest.is_empty() {
            return None;
        }
        let run = take_run(rest);
        if run.is_none() {
            self.0 = Some(&[]);
        }
        Some(run)
    }
}

fn take_run(from: &mut &[u8]) -> Option<(SeriesId, Vec<Point>)> {
    let series = u32::try_from(take_varint(from)?).ok()?;
    let len = usize::try_from(take_varint(from)?).ok()?;
    // Each point takes two bytes at least.
    let mut points = Vec::with_capacity(len.min(from.len() / 2));
    let (mut at_s, mut before) = (0u32, Before::default());
    for _ in 0..len {
        at_s = at_s.checked_add(u32::try_from(take_varint(from)?).ok()?)?;
        points.push(Point { at_s, set: take_set(from, &mut before)? });
    }
    Some((series, points))
}

fn take_set(from: &mut &[u8], before: &mut Before) -> Option<Set> {
    let shape = take_byte(from)?;
    let mut set = match shape {
        ONCE => Set::of(take_number(from, &mut before.min)?, 1.0),
        SAME => {
            let value = take_number(from, &mut before.min)?;
            Set::of(value, take_number(from, &mut before.count)?)
        }
        SET | SPREAD => Set {
            count: take_number(from, &mut before.count)?,
            sum: take_number(from, &mut before.sum)?,
            min: take_number(from, &mut before.min)?,
            max: take_number(from, &mut before.max)?,
            spread: None,
        },
        _ => return None,
    };
    if shape == SPREAD {
        let len = usize::try_from(take_varint(from)?).ok()?;
        let mut spread = Vec::with_capacity(len.min(from.len() / 2));
        let (mut value_before, mut count_before) = (0, 0);
        for _ in 0..len {
            let value = take_number(from, &mut value_before)?;
            spread.push((value, take_number(from, &mut count_before)?));
        }
        set.spread = Some(spread.into());
    }
    Some(set)
}

fn take_number(from: &mut &[u8], before: &mut u64) -> Option<f64> {
    let head = take_byte(from)?;
    let (front, len) = (usize::from(head >> 4), usize::from(head & 15));
    let mut bytes = [0; 8];
    let (taken, rest) = from.split_at_checked(len)?;
    bytes.get_mut(front..front + len)?.copy_from_slice(taken);
    *from = rest;
    *before ^= u64::from_be_bytes(bytes);
    Some(f64::from_bits(*before))
}

fn take_varint(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = take_byte(from)?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn take_byte(from: &mut &[u8]) -> Option<u8> {
    let (byte, rest) = from.split_first()?;
    *from = rest;
    Some(*byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set() -> impl Strategy<Value = Set> {
        let value = prop_oneof![-1e9..1e9, (-99..99i32).prop_map(f64::from)];
        let count = prop_oneof![Just(1.0), (1..999u32).prop_map(f64::from), 0.1..9.0];
        let sent = (count.clone(), value.clone(), value.clone(), value.clone());
        prop_oneof![
            (value.clone(), count.clone()).prop_map(|(value, count)| Set::of(value, count)),
            sent.prop_map(|(count, sum, min, max)| Set { count, sum, min, max, spread: None }),
            prop::collection::vec((value, count), 1..9)
                .prop_map(|values| Set::of_values(values.into_iter()).unwrap()),
        ]
    }

    fn run() -> impl Strategy<Value = (SeriesId, Vec<Point>)> {
        let points = prop::collection::vec((0..9999u32, set()), 0..20);
        (any::<u32>(), points).prop_map(|(series, points)| {
            let mut at_s = 1_800_000_000;
            let point = |(more, set)| {
                at_s += more;
                Point { at_s, set }
            };
            (series, points.into_iter().map(point).collect())
        })
    }

    proptest! {
        #[test]
        fn round_trip(wanted in prop::collection::vec(run(), 0..5)) {
            let mut record = new_record();
            for (series, points) in &wanted {
                put_run(&mut record, *series, points);
            }
            let read: Option<Vec<_>> = runs(&record).collect();
            prop_assert_eq!(read.as_ref(), Some(&wanted));
            for end in 0..record.len() {
                let torn: Option<Vec<_>> = runs(&record[..end]).collect();
                let is_shorter = torn.is_none_or(|torn| wanted.starts_with(&torn));
                prop_assert!(is_shorter, "{} of {}", end, record.len());
            }
        }

        #[test]
        fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _read: Vec<_> = runs(&bytes).collect();
        }
    }

    #[test]
    fn what_changes_little_takes_little() {
        let bytes_per_point = |value: fn(u32) -> f64| {
            let points: Vec<_> =
                (0..60).map(|n| Point { at_s: n * 60, set: Set::of(value(n), 1.0) }).collect();
            let mut record = Vec::new();
            put_run(&mut record, 1, &points);
            record.len() as f64 / 60.0
        };
        assert!(bytes_per_point(|_| 0.1) < 3.2);
        assert!(bytes_per_point(|n| f64::from(n % 100)) < 5.5);
    }
}
