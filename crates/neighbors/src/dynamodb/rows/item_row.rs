//! `item/<table><key>`: an item, as [`Item`](crate::dynamodb::value::Item).
//!
//! `<table>` is the eight bytes that no other table has, also none that had its name before;
//! `<key>` is of [`crate::dynamodb::key`].

/// What the keys of a table's items start with.
pub(in crate::dynamodb) fn item_prefix(table: u64) -> Vec<u8> {
    [b"item/".as_slice(), &table.to_be_bytes()].concat()
}

/// The catalog key of an item.
pub(in crate::dynamodb) fn item_key(table: u64, key: &[u8]) -> Vec<u8> {
    [&item_prefix(table), key].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamodb::number::Number;
    use crate::dynamodb::value::{Item, Value};

    #[test]
    fn round_trip() {
        let lease = Item::from([
            ("leaseKey".to_owned(), Value::S("shardId-1".into())),
            ("leaseCounter".to_owned(), Value::N(Number::parse("7").unwrap())),
            ("parentShardId".to_owned(), Value::SS(["a".into(), "b".into()].into())),
        ]);
        kit::rows::check_round_trip(&lease);
        let stored = kit::rows::encode(&lease);
        assert_eq!(
            std::str::from_utf8(&stored).unwrap(),
            r#"{"leaseCounter":{"N":"7"},"leaseKey":{"S":"shardId-1"},"parentShardId":{"SS":["a","b"]}}"#
        );
        assert_eq!(item_key(1, b"k"), b"item/\0\0\0\0\0\0\0\x01k");
    }
}
