//! Bodies that are no bodies: cut, trailed, nested too deep, lying about their lengths.

use crate::probe::{Outcome, call};
use crate::vectors::IGNORED;
use testkit::vectors::{Lengths, Value, Vectors};
use wire::Protocol;

fn is_refused(operation: &str, protocol: Protocol, body: &[u8], what: &str) {
    match call(operation, protocol, bytes::Bytes::copy_from_slice(body)) {
        Outcome::Refused(refusal) => {
            assert_eq!(refusal.code, "SerializationException", "{operation}: {what}: {refusal:?}");
        }
        Outcome::Reached(input) => panic!("{operation}: {what} was read as {input}"),
    }
}

fn is_read(operation: &str, protocol: Protocol, body: &[u8], what: &str) -> String {
    match call(operation, protocol, bytes::Bytes::copy_from_slice(body)) {
        Outcome::Reached(input) => input,
        Outcome::Refused(refusal) => panic!("{operation}: {what}: {refusal:?}"),
    }
}

/// Every operation, with its whole sample in every way of writing it.
fn each_sample(mut check: impl FnMut(&str, Protocol, &[u8])) {
    let vectors = Vectors::of("kinesis", IGNORED);
    for operation in vectors.operations() {
        let [whole, _] = vectors.samples(&operation);
        check(&operation, Protocol::Json11, &whole.to_json());
        check(&operation, Protocol::Cbor11, &whole.to_cbor(Lengths::Definite));
        check(&operation, Protocol::Cbor11, &whole.to_cbor(Lengths::Indefinite));
    }
}

#[test]
fn a_cut_body_is_refused_wherever_it_is_cut() {
    each_sample(|operation, format, body| {
        for cut in 0..body.len() {
            is_refused(operation, format, &body[..cut], &format!("cut at {cut}"));
        }
    });
}

#[test]
fn nothing_may_follow() {
    each_sample(|operation, format, body| {
        for more in [&b"}"[..], b"{}", b"\0", b"\xff", b"\xf6"] {
            is_refused(operation, format, &[body, more].concat(), &format!("behind it {more:?}"));
        }
    });
    is_read("ListStreams", Protocol::Json11, b" \r\n\t{ } \n", "white space");
}

#[test]
fn flipped_bytes_never_panic() {
    each_sample(|operation, format, body| {
        for at in 0..body.len() {
            for flip in [0x01, 0x20, 0x80, 0xff] {
                let mut flipped = body.to_vec();
                flipped[at] ^= flip;
                if let Outcome::Refused(refusal) = call(operation, format, flipped.into()) {
                    assert_eq!(refusal.status, 400, "{operation}, byte {at} ^ {flip}");
                }
            }
        }
    });
}

#[test]
fn eighty_containers_nest_and_no_more() {
    // The body itself is one.
    for (lists, fits) in [(1, true), (79, true), (80, false), (100_000, false)] {
        let json = [&br#"{"Zz":"#[..], &b"[".repeat(lists), &b"]".repeat(lists), b"}"].concat();
        let mut cbor = vec![0xa1, 0x62, b'Z', b'z'];
        cbor.extend(std::iter::repeat_n(0x81, lists - 1));
        cbor.push(0x80);
        for (protocol, body) in [(Protocol::Json11, &json), (Protocol::Cbor11, &cbor)] {
            if fits {
                is_read("ListStreams", protocol, body, "nested lists");
            } else {
                is_refused("ListStreams", protocol, body, "nested lists");
            }
        }
    }
    let deep = (0..80).fold(Value::Null, |inner, _| Value::Map(vec![("Zz".into(), inner)]));
    is_read("ListStreams", Protocol::Json11, &deep.to_json(), "nested structures");
    let deeper = Value::Map(vec![("Zz".into(), deep)]);
    is_refused("ListStreams", Protocol::Json11, &deeper.to_json(), "nested structures");
    is_refused(
        "ListStreams",
        Protocol::Cbor11,
        &deeper.to_cbor(Lengths::Indefinite),
        "nested structures",
    );
}

#[test]
fn json_is_read_as_its_grammar_says() {
    let refused = [
        "",
        " ",
        "null",
        "[]",
        "\"a\"",
        "1",
        "{",
        "{}x",
        "{,}",
        r#"{"Limit":1,}"#,
        r#"{"Limit":}"#,
        r#"{"Limit" 1}"#,
        r#"{"Limit":1 "A":2}"#,
        "{Limit:1}",
        "{'Limit':1}",
        r#"{"Limit":01}"#,
        r#"{"Limit":+1}"#,
        r#"{"Limit":1.}"#,
        r#"{"Limit":.5}"#,
        r#"{"Limit":1e}"#,
        r#"{"Limit":-}"#,
        r#"{"Limit":NaN}"#,
        r#"{"Limit":nul}"#,
        r#"{"Limit":0x10}"#,
        r#"{"NextToken":"a"#,
        r#"{"NextToken":"\x"}"#,
        r#"{"NextToken":"\u12g4"}"#,
        r#"{"NextToken":"\ud800"}"#,
        r#"{"NextToken":"\udc00\ud800"}"#,
        r#"{"NextToken":"\ud800A"}"#,
        "{\"NextToken\":\"a\nb\"}",
        r#"{"NextToken":"\"}"#,
        r#"{"Zz":[1,]}"#,
        r#"{"Zz":[1 2]}"#,
        r#"{"Zz":[1}"#,
        r#"{"Zz":{"a"}}"#,
        r#"{"Zz":"\q"}"#,
        "{\"Zz\":\"\u{1}\"}",
        "\u{feff}{}",
        r#"{"Zz":tru}"#,
        "{} //",
        "{\"Zz\":1/**/}",
    ];
    for body in refused {
        is_refused("ListStreams", Protocol::Json11, body.as_bytes(), body);
    }
    is_refused("ListStreams", Protocol::Json11, b"{\"NextToken\":\"\xff\"}", "no UTF-8");
    is_refused(
        "ListStreams",
        Protocol::Json11,
        b"{\"Zz\":\"\xc3\"}",
        "no UTF-8 where nobody looks",
    );
    is_refused("ListStreams", Protocol::Json11, b"{\"\xc3\":1}", "no UTF-8 in a name");
    is_refused("ListStreams", Protocol::Cbor11, b"\xa1\x61\xc3\x01", "no UTF-8 in a name");
    let long = ["{\"", &"n".repeat(100), "\n\":1}"].concat();
    is_refused("ListStreams", Protocol::Json11, long.as_bytes(), "a line end in a long name");
    let long = ["{\"Zz\":\"", &"n".repeat(100), "\n\"}"].concat();
    is_refused("ListStreams", Protocol::Json11, long.as_bytes(), "a line end in a long string");
    let read = is_read("ListStreams", Protocol::Json11, b"{ \"Limit\" : 7 , \"Limi\":8}", "spaces");
    assert!(read.contains("limit: Some(7)"), "{read}");
    let read = is_read(
        "ListStreams",
        Protocol::Json11,
        "{\"NextToken\":\"\\u00e9\\ud834\\udd1e\\/\\\"\\\\\\b\\f\\n\\r\\té\",\"Li\\u006dit\":1.0e1}".as_bytes(),
        "escapes",
    );
    assert!(read.contains(r#"next_token: Some("é𝄞/\"\\\u{8}\u{c}\n\r\té")"#), "{read}");
    assert!(read.contains("limit: Some(10)"), "{read}");
}

#[test]
fn base64_may_be_escaped_and_must_be_whole() {
    let body = |data: &str| format!(r#"{{"StreamName":"a","PartitionKey":"k","Data":"{data}"}}"#);
    let read = |data: &str| is_read("PutRecord", Protocol::Json11, body(data).as_bytes(), data);
    assert_eq!(read("++\\/\\u002f"), read("++//"));
    for bad in ["+", "++/", "++//=", "====", "+===", "+/+=", "++-_", "++\\n//", "++//++//+"] {
        is_refused("PutRecord", Protocol::Json11, body(bad).as_bytes(), bad);
    }
}

#[test]
fn cbor_lengths_are_not_believed() {
    let refused: &[(&str, &[u8])] = &[
        ("a string of 2^63 bytes", b"\xa1\x69NextToken\x7b\x7f\xff\xff\xff\xff\xff\xff\xff"),
        ("a string of 2^64 - 1 bytes", b"\xa1\x69NextToken\x7b\xff\xff\xff\xff\xff\xff\xff\xff"),
        ("a map of 2^64 - 1 entries", b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff"),
        ("a map of 2^63 entries", b"\xbb\x7f\xff\xff\xff\xff\xff\xff\xff\x60\x00"),
        ("an unknown list of 2^32 elements", b"\xa1\x62Zz\x9a\xff\xff\xff\xff\x00\x00"),
        ("an unknown byte string of 2^32 bytes", b"\xa1\x62Zz\x5a\xff\xff\xff\xff\x00\x00"),
        ("a reserved length", b"\xa1\x69NextToken\x7c\x00"),
        ("a key that is no string", b"\xa1\x01\x02"),
        ("a break alone", b"\xff"),
        ("a break for a value", b"\xa1\x62Zz\xff"),
        ("a break in a definite list", b"\xa1\x62Zz\x82\x00\xff"),
        ("a chunk of another type", b"\xa1\x69NextToken\x7f\x41a\xff"),
        ("a chunk inside a chunk", b"\xa1\x69NextToken\x7f\x7f\x61a\xff\xff"),
        ("a chunked string without end", b"\xa1\x69NextToken\x7f\x61a"),
        ("text that is no UTF-8", b"\xa1\x69NextToken\x62\xc3\x28"),
        ("an unassigned simple value", b"\xa1\x62Zz\xe0"),
        ("tags without a value", b"\xa1\x62Zz\xc1\xc1\xc1\xc1\xc1\xc1\x01"),
        ("a list", b"\x80"),
        ("null", b"\xf6"),
    ];
    for (what, body) in refused {
        is_refused("ListStreams", Protocol::Cbor11, body, what);
    }
    let read =
        is_read("ListStreams", Protocol::Cbor11, b"\xa1\x65Limit\xc1\xf9\x49\x00", "a tagged half");
    assert!(read.contains("limit: Some(10)"), "{read}");
}

#[test]
fn cbor_times_are_milliseconds() {
    for time in [
        &b"\xc1\x1b\x00\x00\x01\x8b\xcf\xe5\x68\x7b"[..],
        b"\x1b\x00\x00\x01\x8b\xcf\xe5\x68\x7b",
        b"\xc1\xfb\x42\x78\xbc\xfe\x56\x87\xb0\x00",
    ] {
        let body =
            [&b"\xa1\x6bShardFilter\xa2\x64Type\x6cAT_TIMESTAMP\x69Timestamp"[..], time].concat();
        let read = is_read("ListShards", Protocol::Cbor11, &body, "a time");
        assert!(read.contains("Timestamp(1700000000123)"), "{read}");
    }
}

#[test]
fn cbor_numbers_that_are_none_are_refused() {
    for float in [&b"\xf9\x7e\x00"[..], b"\xf9\x7c\x00", b"\xfb\xff\xf0\0\0\0\0\0\0"] {
        let body = [&b"\xa1\x65Limit"[..], float].concat();
        is_refused("ListStreams", Protocol::Cbor11, &body, "no number");
        let body =
            [&b"\xa1\x6bShardFilter\xa2\x64Type\x6cAT_TIMESTAMP\x69Timestamp"[..], float].concat();
        is_refused("ListShards", Protocol::Cbor11, &body, "no time");
    }
}

/// What a client sends comes back in messages, but not without bound.
#[test]
fn a_message_shows_a_part_of_what_was_sent() {
    let long = "\u{390}".repeat(1 << 20);
    for body in [
        format!(r#"{{"StreamName":"a","PartitionKey":"k","Data":"","DryRun":"{long}"}}"#),
        format!(r#"{{"StreamName":"{long}","PartitionKey":"{long}","Data":"{long}"}}"#),
        format!(
            r#"{{"StreamName":"{long}","PartitionKey":"{long}","Data":"","StreamARN":"{long}",
                "ExplicitHashKey":"{long}","SequenceNumberForOrdering":"{long}"}}"#
        ),
    ] {
        let Outcome::Refused(refusal) = call("PutRecord", Protocol::Json11, body.into()) else {
            panic!("read");
        };
        for protocol in [Protocol::Json11, Protocol::Cbor11] {
            let bytes = protocol.error_body(&refusal, "", "").len();
            assert!(bytes < 70_000, "{bytes}");
        }
    }
}

/// A list that is far too long is refused for that: nobody looks at its end.
#[test]
fn the_end_of_an_endless_list_is_passed_over() {
    let entry = r#"{"Data":"","PartitionKey":"k"}"#;
    let list = |entries: usize, last: &str| {
        let entries = format!("{entry},").repeat(entries);
        format!(r#"{{"StreamName":"a","Records":[{entries}{last}]}}"#)
    };
    is_refused("PutRecords", Protocol::Json11, list(500, "7").as_bytes(), "a wrong type");
    for body in [list(501, entry), list(5_000, "7"), list(5_000, "[[{\"a\":[]}]]")] {
        let Outcome::Refused(refusal) = call("PutRecords", Protocol::Json11, body.into()) else {
            panic!("read");
        };
        assert_eq!(refusal.code, "ValidationException", "{}", refusal.message);
        let text = "1 validation error detected: Value at 'records' failed to satisfy constraint: \
                    Member must have length less than or equal to 500";
        assert_eq!(refusal.message, text);
    }
    is_refused("PutRecords", Protocol::Json11, list(5_000, "{").as_bytes(), "no JSON");
}
