//! What the writer writes, the reader reads: every kind of value, in both formats.

use super::*;
use crate::rules::{DoubleRule, KeyRule, NumberRule, SizeRule, TextRule};
use crate::{Timestamp, Writer};
use proptest::prelude::*;
use std::collections::BTreeMap;

const MEMBERS: &[Member] = &[
    Member::new("\"Text\":"),
    Member::new("\"Blobs\":"),
    Member::new("\"Long\":"),
    Member::new("\"Double\":"),
    Member::new("\"Boolean\":"),
    Member::new("\"Time\":"),
    Member::new("\"Tags\":"),
    Member::new("\"Inner\":"),
];

/// One member of each kind.
#[derive(Clone, Debug, Default, PartialEq)]
struct Sample {
    text: Text,
    blobs: Vec<Bytes>,
    long: i64,
    double: f64,
    boolean: bool,
    time: Timestamp,
    tags: BTreeMap<Text, Text>,
    inner: Option<Box<Sample>>,
}

impl Sample {
    fn write(&self, w: &mut Writer) {
        w.begin();
        w.key(MEMBERS[0]);
        w.text(&self.text);
        w.key(MEMBERS[1]);
        w.begin_list(self.blobs.len());
        for blob in &self.blobs {
            w.element();
            w.blob(&bytes::Bytes::copy_from_slice(blob));
        }
        w.end_list();
        w.key(MEMBERS[2]);
        w.long(self.long);
        w.key(MEMBERS[3]);
        w.double(self.double);
        w.key(MEMBERS[4]);
        w.boolean(self.boolean);
        w.key(MEMBERS[5]);
        w.timestamp(self.time);
        w.key(MEMBERS[6]);
        w.begin_map(self.tags.len());
        for (key, value) in &self.tags {
            w.map_key(key);
            w.text(value);
        }
        w.end_map();
        if let Some(inner) = &self.inner {
            w.key(MEMBERS[7]);
            inner.write(w);
        }
        w.end();
    }

    fn read(r: &mut Reader) -> Read<Option<Self>> {
        if !r.structure(MEMBERS)? {
            return Ok(None);
        }
        let mut sample = Sample::default();
        while let Some(index) = r.member()? {
            match index {
                0 => sample.text = r.text(&TextRule::ANY)?.unwrap_or_default(),
                1 => {
                    let blobs = r.list(&SizeRule::ANY, |r| r.blob(&SizeRule::ANY))?;
                    sample.blobs = blobs.unwrap_or_default();
                }
                2 => sample.long = r.long(&NumberRule::ANY)?.unwrap_or_default(),
                3 => sample.double = r.double(&DoubleRule::ANY)?.unwrap_or_default(),
                4 => sample.boolean = r.boolean()?.unwrap_or_default(),
                5 => sample.time = r.timestamp()?.unwrap_or_default(),
                6 => {
                    let keys = KeyRule::Text(&TextRule::ANY);
                    let tags = r.map(&SizeRule::ANY, keys, |r| r.text(&TextRule::ANY))?;
                    sample.tags = tags.unwrap_or_default();
                }
                _ => sample.inner = Sample::read(r)?.map(Box::new),
            }
        }
        r.end();
        Ok(Some(sample))
    }
}

prop_compose! {
    fn flat()(
        text in any::<String>(),
        blobs in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..6),
        long in any::<i64>(),
        double in any::<f64>().prop_filter("NaN equals nothing", |d| d.is_finite()),
        boolean in any::<bool>(),
        time in -(1_i64 << 55)..(1_i64 << 55),
        tags in prop::collection::btree_map(any::<String>(), any::<String>(), 0..4),
    ) -> Sample {
        let blobs = blobs.into_iter().map(Bytes::from).collect();
        let tags = tags.into_iter().map(|(k, v)| (Text::from(k), Text::from(v))).collect();
        let (text, time) = (Text::from(text), Timestamp(time));
        Sample { text, blobs, long, double, boolean, time, tags, inner: None }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(outer in flat(), inner in prop::option::of(flat())) {
        let sample = Sample { inner: inner.map(Box::new), ..outer };
        for format in [Format::Json, Format::Cbor] {
            let mut w = Writer::new(format, 0);
            sample.write(&mut w);
            let body = w.finish();
            prop_assert_eq!(decode(format, body.clone(), Sample::read), Ok(sample.clone()));
            prop_assert_eq!(decode_lenient(format, body, Sample::read), Ok(sample.clone()));
        }
    }

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        for format in [Format::Json, Format::Cbor] {
            let _outcome = decode(format, bytes.clone().into(), Sample::read);
        }
    }
}

#[test]
fn blobs_share_one_arena() {
    let blobs: Vec<Bytes> = (0..100_u8).map(|n| vec![n; usize::from(n)].into()).collect();
    let sample = Sample { blobs, ..Sample::default() };
    let mut w = Writer::new(Format::Json, 0);
    sample.write(&mut w);
    let read = decode(Format::Json, w.finish(), Sample::read).expect("the sample is whole");
    assert_eq!(read.blobs, sample.blobs);
    for two in read.blobs.windows(2).filter(|two| !two[0].is_empty()) {
        // Each blob begins where the one before ends.
        assert_eq!(two[0].as_ptr_range().end, two[1].as_ptr_range().start);
    }
}
