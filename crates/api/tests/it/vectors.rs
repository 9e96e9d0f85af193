//! The vectors made from the model, in JSON and in both kinds of CBOR, for every operation.

use crate::probe::{Outcome, call};
use testkit::vectors::{Expect, Lengths, Value, Vectors};
use wire::Protocol;

/// Members that the service ignores (model/overrides/kinesis.toml).
pub(crate) const IGNORED: &[&str] = &["StreamId"];

/// A body in each way of writing it.
fn written(body: &Value) -> [(&'static str, Protocol, Vec<u8>); 3] {
    [
        ("JSON", Protocol::Json11, body.to_json()),
        ("CBOR", Protocol::Cbor11, body.to_cbor(Lengths::Definite)),
        ("CBOR, indefinite", Protocol::Cbor11, body.to_cbor(Lengths::Indefinite)),
    ]
}

fn check(operation: &str, name: &str, body: &Value, want: &Expect) {
    let mut inputs = Vec::new();
    for (how, format, bytes) in written(body) {
        let outcome = call(operation, format, bytes.into());
        let context = || format!("{operation}{name} in {how}");
        match (outcome, want) {
            (Outcome::Reached(input), Expect::Accepted) => inputs.push(input),
            (Outcome::Refused(refusal), Expect::Validation(message)) => {
                assert_eq!(refusal.code, "ValidationException", "{}", context());
                assert_eq!(refusal.message, *message, "{}", context());
            }
            (Outcome::Refused(refusal), Expect::Serialization(message)) => {
                assert_eq!(refusal.code, "SerializationException", "{}", context());
                // Only JSON has base64.
                let same = message
                    .as_ref()
                    .filter(|m| format == Protocol::Json11 || !m.contains("Base64"));
                if let Some(message) = same {
                    assert_eq!(refusal.message, *message, "{}", context());
                }
            }
            (Outcome::Reached(input), want) => panic!("{}: {input}, not {want:?}", context()),
            (Outcome::Refused(refusal), _) => panic!("{}: {refusal:?}", context()),
        }
    }
    // A bare number is a time in seconds in JSON and in milliseconds in CBOR.
    let bare_number = name.ends_with("number") || name.ends_with("fraction");
    if !bare_number {
        assert!(inputs.windows(2).all(|two| two[0] == two[1]), "{operation}{name}: {inputs:#?}");
    }
}

/// Checks every vector of the operations that `wanted` picks.
fn check_all(wanted: impl Fn(&str) -> bool, operations_min: usize, vectors_min: usize) {
    let vectors = Vectors::of("kinesis", IGNORED);
    let operations: Vec<_> = vectors.operations().into_iter().filter(|o| wanted(o)).collect();
    assert!(operations.len() >= operations_min, "{operations:?}");
    let (mut count, mut accepted) = (0, 0);
    for operation in operations {
        for vector in vectors.operation(&operation) {
            check(&operation, &vector.name, &vector.body, &vector.expect);
            count += 1;
            accepted += usize::from(vector.expect == Expect::Accepted);
        }
    }
    assert!(count >= vectors_min && accepted > vectors_min / 10, "{count}, {accepted} accepted");
}

fn is_later(operation: &str) -> bool {
    operation.contains("Queue") || operation.contains("Channel")
}

#[test]
fn streams_do_what_the_model_demands() {
    check_all(|operation| !is_later(operation), 40, 5_000);
}

#[test]
fn queues_and_channels_do_what_the_model_demands() {
    check_all(is_later, 17, 5_000);
}

#[test]
fn a_name_that_no_answer_carries_is_ignored_in_requests() {
    let vectors = Vectors::of("kinesis", IGNORED);
    let [whole, _] = vectors.samples("DescribeStream");
    let Value::Map(mut entries) = whole else { panic!("an input is a structure") };
    let at = entries.iter().position(|(name, _)| name == "StreamId").unwrap();
    entries[at].1 = Value::List(vec![Value::Int(1)]);
    check("DescribeStream", ".StreamId: a list", &Value::Map(entries), &Expect::Accepted);
}
