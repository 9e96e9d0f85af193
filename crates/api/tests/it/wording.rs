//! Messages as AWS was seen to word them (kinesalite's tests, which ran against AWS).

use crate::probe::{Outcome, call};
use wire::Protocol;

fn check(operation: &str, body: &str, code: &str, message: &str) {
    match call(operation, Protocol::Json11, bytes::Bytes::copy_from_slice(body.as_bytes())) {
        Outcome::Refused(refusal) => {
            assert_eq!((refusal.code, refusal.message.as_ref()), (code, message), "{body}");
        }
        Outcome::Reached(input) => panic!("{body} was read as {input}"),
    }
}

fn serialization(operation: &str, body: &str, message: &str) {
    check(operation, body, "SerializationException", message);
}

fn validation(operation: &str, body: &str, message: &str) {
    check(operation, body, "ValidationException", message);
}

#[test]
fn empty_values() {
    validation(
        "PutRecords",
        r#"{"StreamName":"","Records":[]}"#,
        "3 validation errors detected: Value '[]' at 'records' failed to satisfy constraint: Member \
         must have length greater than or equal to 1; Value '' at 'streamName' failed to satisfy \
         constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; Value '' at \
         'streamName' failed to satisfy constraint: Member must have length greater than or equal to 1",
    );
}

#[test]
fn nothing_given() {
    validation(
        "GetShardIterator",
        "{}",
        "2 validation errors detected: Value null at 'shardId' failed to satisfy constraint: Member \
         must not be null; Value null at 'shardIteratorType' failed to satisfy constraint: Member must \
         not be null",
    );
}

#[test]
fn elements_are_told_of_with_their_list() {
    let long = "a".repeat(129);
    validation(
        "RemoveTagsFromStream",
        &format!(r#"{{"StreamName":"s","TagKeys":["a","{long}","b"]}}"#),
        &format!(
            "1 validation error detected: Value '[a, {long}, b]' at 'tagKeys' failed to satisfy \
             constraint: Member must satisfy constraint: [Member must have length less than or equal to \
             128, Member must have length greater than or equal to 1]"
        ),
    );
}

#[test]
fn blobs_and_nested_paths() {
    validation(
        "PutRecords",
        r#"{"StreamName":"s","Records":[{"Data":"","PartitionKey":"a"},{"PartitionKey":""}]}"#,
        "2 validation errors detected: Value null at 'records.2.member.data' failed to satisfy \
         constraint: Member must not be null; Value '' at 'records.2.member.partitionKey' failed to \
         satisfy constraint: Member must have length greater than or equal to 1",
    );
}

#[test]
fn ten_at_most() {
    let records = vec!["{}"; 500].join(",");
    let body = format!(r#"{{"StreamName":"s","Records":[{records}]}}"#);
    let Outcome::Refused(refusal) = call("PutRecords", Protocol::Json11, body.into()) else {
        panic!("five hundred records without data were read");
    };
    assert!(refusal.message.starts_with("10 validation errors detected: "));
    assert!(refusal.message.contains("'records.10.member.data'"));
    assert!(!refusal.message.contains("'records.11.member.data'"));
}

#[test]
fn a_flood_of_elements_is_counted_but_not_kept() {
    let records = vec!["{}"; 200_000].join(",");
    let body = format!(r#"{{"StreamName":"s","Records":[{records}]}}"#);
    let Outcome::Refused(refusal) = call("PutRecords", Protocol::Json11, body.into()) else {
        panic!("a flood of records was read");
    };
    assert_eq!(refusal.code, "ValidationException");
    assert!(refusal.message.contains("Member must have length less than or equal to 500"));
    assert!(refusal.message.len() < 64 << 10, "{}", refusal.message.len());
}

#[test]
fn a_long_value_is_cut() {
    let body = format!(r#"{{"StreamName":"{}"}}"#, "é".repeat(500_000));
    let Outcome::Refused(refusal) = call("DescribeStream", Protocol::Json11, body.into()) else {
        panic!("a long name was read");
    };
    assert!(refusal.message.len() < 20_000, "{}", refusal.message.len());
}

#[test]
fn wrong_types() {
    const NUMBER: &str = "class com.amazon.coral.value.json.numbers.TruncatingBigNumber";
    let text = |value: &str, message: &str| {
        serialization("PutRecord", &format!(r#"{{"StreamName":{value}}}"#), message);
    };
    text("true", "class java.lang.Boolean can not be converted to an String");
    text("34.56", &format!("{NUMBER} can not be converted to an String"));
    text("[]", "Start of list found where not expected");
    text("{}", "Start of structure or map found where not expected.");
    let blob = |value: &str, message: &str| {
        serialization("PutRecord", &format!(r#"{{"Data":{value}}}"#), message);
    };
    blob("23", &format!("{NUMBER} can not be converted to a Blob"));
    blob(
        r#""23456""#,
        "'23456' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 \
         bytes but found: 5",
    );
    blob(r#""=+/=""#, "'=+/=' can not be converted to a Blob: Invalid Base64 character: '='");
    blob(
        r#""+/+=""#,
        "'+/+=' can not be converted to a Blob: Invalid last non-pad Base64 character dectected",
    );
    let list = |value: &str, message: &str| {
        serialization("PutRecords", &format!(r#"{{"Records":{value}}}"#), message);
    };
    list("23", "Expected list or null");
    list("{}", "Start of structure or map found where not expected.");
    list("[23]", "Expected null");
    list("[[]]", "Start of list found where not expected");
    let map = |value: &str, message: &str| {
        serialization("AddTagsToStream", &format!(r#"{{"Tags":{value}}}"#), message);
    };
    map("\"23\"", "Expected map or null");
    map("[]", "Start of list found where not expected");
    let boolean = |value: &str, message: &str| {
        serialization("PutRecord", &format!(r#"{{"DryRun":{value}}}"#), message);
    };
    boolean("\"no way\"", "'NO WAY' can not be converted to an Boolean");
    boolean("23", &format!("{NUMBER} can not be converted to an Boolean"));
    serialization(
        "DescribeStream",
        r#"{"Limit":"23"}"#,
        "class java.lang.String can not be converted to an Integer",
    );
    serialization(
        "ListStreamConsumers",
        r#"{"StreamCreationTimestamp":"2020-01-01"}"#,
        "class java.lang.String can not be converted to milliseconds since epoch",
    );
}

#[test]
fn numbers_stop_at_their_types_bounds() {
    validation(
        "DescribeStream",
        r#"{"Limit":123456789012345678901234567890}"#,
        "1 validation error detected: Value '2147483647' at 'limit' failed to satisfy constraint: \
         Member must have value less than or equal to 10000",
    );
}
