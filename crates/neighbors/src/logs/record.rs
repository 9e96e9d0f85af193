//! Events as bytes: what a put appends to its stream's log, and what waits for a filter.
//!
//! ```text
//! put     version (u8), events (varint), then each event
//! event   time since the one before, the first since the epoch (varint, ms)
//!         message: length (varint), bytes
//! match   version (u8), stream: length (varint), bytes; log (varint), ordinal (varint)
//!         events (varint), then each: its number in the put (varint), then as in a put
//! ```
//!
//! A put's events are in order of time, so that no difference is negative.

use super::place::Place;

const VERSION: u8 = 1;

/// An event as it is read: its time and its message.
pub(super) type Event<'a> = (i64, &'a str);

/// What of a put matched a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Matched<'a> {
    pub(super) stream: &'a str,
    pub(super) events: Vec<(Place, &'a str)>,
}

/// Writes a put.
pub(super) fn write_put<'a>(events: impl ExactSizeIterator<Item = Event<'a>> + Clone) -> Vec<u8> {
    let bytes: usize = events.clone().map(|(_, message)| message.len() + 8).sum();
    let mut out = Vec::with_capacity(bytes + 16);
    out.push(VERSION);
    put_varint(&mut out, events.len() as u64);
    let mut before_ms = 0;
    for (at_ms, message) in events {
        put_event(&mut out, &mut before_ms, (at_ms, message));
    }
    out
}

/// Reads a put; `None`: it is none.
pub(super) fn read_put(mut from: &[u8]) -> Option<Vec<Event<'_>>> {
    let from = &mut from;
    let count = take_head(from)?;
    // An event takes two bytes at least.
    let mut events = Vec::with_capacity(count.min(from.len() / 2));
    let mut before_ms = 0;
    for _ in 0..count {
        events.push(take_event(from, &mut before_ms)?);
    }
    from.is_empty().then_some(events)
}

/// Writes what matched of a put: numbers of events in it, with the events.
pub(super) fn write_matched(
    stream: &str,
    (log, ordinal): (u64, u64),
    events: &[(u32, Event<'_>)],
) -> Vec<u8> {
    let bytes: usize = events.iter().map(|(_, (_, message))| message.len() + 10).sum();
    let mut out = Vec::with_capacity(bytes + stream.len() + 32);
    out.push(VERSION);
    put_text(&mut out, stream);
    put_varint(&mut out, log);
    put_varint(&mut out, ordinal);
    put_varint(&mut out, events.len() as u64);
    let mut before_ms = 0;
    for (number, event) in events {
        put_varint(&mut out, u64::from(*number));
        put_event(&mut out, &mut before_ms, *event);
    }
    out
}

/// Reads what matched; `None`: it is nothing of the kind.
pub(super) fn read_matched(from: &[u8]) -> Option<Matched<'_>> {
    let (&VERSION, mut from) = from.split_first()? else { return None };
    let from = &mut from;
    let stream = take_text(from)?;
    let (log, ordinal) = (take_varint(from)?, take_varint(from)?);
    let count = usize::try_from(take_varint(from)?).ok()?;
    let mut events = Vec::with_capacity(count.min(from.len() / 3));
    let mut before_ms = 0;
    for _ in 0..count {
        let number = u32::try_from(take_varint(from)?).ok()?;
        let (at_ms, message) = take_event(from, &mut before_ms)?;
        events.push((Place { at_ms, log, ordinal, number }, message));
    }
    from.is_empty().then_some(Matched { stream, events })
}

fn take_head(from: &mut &[u8]) -> Option<usize> {
    let (&VERSION, rest) = from.split_first()? else { return None };
    *from = rest;
    usize::try_from(take_varint(from)?).ok()
}

fn put_event(out: &mut Vec<u8>, before_ms: &mut i64, (at_ms, message): Event<'_>) {
    put_varint(out, at_ms.saturating_sub(*before_ms).unsigned_abs());
    *before_ms = at_ms;
    put_text(out, message);
}

fn take_event<'a>(from: &mut &'a [u8], before_ms: &mut i64) -> Option<Event<'a>> {
    *before_ms = before_ms.checked_add_unsigned(take_varint(from)?)?;
    Some((*before_ms, take_text(from)?))
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn take_text<'a>(from: &mut &'a [u8]) -> Option<&'a str> {
    let len = usize::try_from(take_varint(from)?).ok()?;
    let (text, rest) = from.split_at_checked(len)?;
    *from = rest;
    std::str::from_utf8(text).ok()
}

fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take_varint(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = from.split_first()?;
        *from = rest;
        let part = u64::from(byte & 0x7f);
        if shift == 63 && part > 1 {
            return None;
        }
        number |= part << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn events() -> impl Strategy<Value = Vec<(i64, String)>> {
        prop::collection::vec((0..4_000_000_000_000i64, ".{0,20}"), 0..6).prop_map(|mut events| {
            events.sort_by_key(|(at_ms, _)| *at_ms);
            events
        })
    }

    proptest! {
        #[test]
        fn round_trip(events in events(), stream in ".{1,9}", ordinal in any::<u64>()) {
            let put = write_put(events.iter().map(|(at_ms, text)| (*at_ms, text.as_str())));
            let read = read_put(&put).unwrap();
            let owned = read.iter().map(|(at_ms, text)| (*at_ms, (*text).to_owned()));
            prop_assert!(owned.eq(events.iter().cloned()));
            let numbered: Vec<_> = (3..).zip(read).collect();
            let matched = write_matched(&stream, (7, ordinal), &numbered);
            let want = Matched { stream: &stream, events: numbered.iter().map(|(number, event)| {
                (Place { at_ms: event.0, log: 7, ordinal, number: *number }, event.1)
            }).collect() };
            prop_assert_eq!(read_matched(&matched), Some(want));
            for end in 0..put.len() {
                prop_assert_eq!(read_put(&put[..end]), None);
            }
            for end in 0..matched.len() {
                prop_assert_eq!(read_matched(&matched[..end]), None);
            }
        }

        #[test]
        fn no_bytes_are_too_strange(mut bytes in prop::collection::vec(any::<u8>(), 0..99)) {
            let _read = (read_put(&bytes), read_matched(&bytes));
            bytes.insert(0, VERSION);
            let _read = (read_put(&bytes), read_matched(&bytes));
        }
    }
}
