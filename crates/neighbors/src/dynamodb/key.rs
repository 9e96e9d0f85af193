//! Keys of items, and their order.
//!
//! ```text
//! key attributes -> hash of the partition key (8 bytes) | partition key | sort key
//! ```
//!
//! Each part is bytes whose order is that of its values and of which none begins another, so that
//! all of one partition lie side by side in the order of their sort keys, partitions lie in the
//! order of their hashes as in DynamoDB, and a segment of a scan is a range of hashes.
//!
//! | type | bytes |
//! | --- | --- |
//! | S, B | its bytes, a 0 followed by 255, and at the end 0 and 1 |
//! | N | see [`Number::write_ordered`](super::number::Number::write_ordered) |

use super::errors::Result;
use super::expression::{Comparator, KeyCondition, SortCondition};
use super::texts;
use super::value::{Binary, Item, Value};
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};
use store::Keys;

/// Longest partition and sort key (model's documentation).
const PARTITION_BYTES_MAX: usize = 2048;
const SORT_BYTES_MAX: usize = 1024;

/// The key attributes of a table or an index.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct KeySchema {
    /// `HASH`.
    pub(super) partition: KeyAttribute,
    /// `RANGE`.
    pub(super) sort: Option<KeyAttribute>,
}

/// One key attribute.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct KeyAttribute {
    pub(super) name: String,
    pub(super) kind: KeyKind,
}

/// The type of a key attribute.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum KeyKind {
    S,
    N,
    B,
}

impl KeyKind {
    /// AWS's name of it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::N => "N",
            Self::B => "B",
        }
    }
}

impl KeySchema {
    /// Its attributes, that of the partition first.
    pub(super) fn attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        std::iter::once(&self.partition).chain(&self.sort)
    }

    /// Its attributes, each with the most bytes of its values.
    pub(super) fn attributes_with_bounds(&self) -> impl Iterator<Item = (&KeyAttribute, usize)> {
        self.attributes().zip([PARTITION_BYTES_MAX, SORT_BYTES_MAX])
    }

    /// Whether an attribute is one of the key.
    pub(super) fn has(&self, name: &str) -> bool {
        self.attributes().any(|attribute| attribute.name == name)
    }

    /// Names of the two attributes.
    pub(super) fn names(&self) -> (&str, Option<&str>) {
        (&self.partition.name, self.sort.as_ref().map(|sort| sort.name.as_str()))
    }

    /// The key of an item that is to be stored.
    ///
    /// # Errors
    /// `Validation` an attribute is missing, of another type, empty, or too long.
    pub(super) fn of_item(&self, item: &Item) -> Result<Vec<u8>> {
        for KeyAttribute { name, kind } in self.attributes() {
            let value = item.get(name).ok_or_else(|| texts::key_missing(name))?;
            if value.type_name() != kind.name() {
                return Err(texts::key_type(name, kind.name(), value.type_name()));
            }
        }
        self.of_sound(item)
    }

    /// Whether an item, or a key, has the key attributes with their types.
    pub(super) fn fits(&self, item: &Item) -> bool {
        self.attributes().all(|KeyAttribute { name, kind }| {
            item.get(name).is_some_and(|value| value.type_name() == kind.name())
        })
    }

    /// The key that a request gives.
    ///
    /// # Errors
    /// `Validation` it is not the key attributes and nothing else, or one is empty or too long.
    pub(super) fn of_given(&self, key: &Item) -> Result<Vec<u8>> {
        if key.len() != self.attributes().count() || !self.fits(key) {
            return Err(texts::key_mismatch());
        }
        self.of_sound(key)
    }

    /// The key of an item whose key attributes are there, with their types.
    fn of_sound(&self, item: &Item) -> Result<Vec<u8>> {
        for (attribute, bytes_max) in self.attributes_with_bounds() {
            let (len, kind) = match &item[&attribute.name] {
                Value::S(text) => (text.len(), "string"),
                Value::B(Binary(bytes)) => (bytes.len(), "binary"),
                _ => continue,
            };
            if len == 0 {
                return Err(texts::key_empty(&attribute.name, kind));
            }
            if len > bytes_max {
                return Err(texts::key_too_long(bytes_max));
            }
        }
        Ok(self.write(item))
    }

    /// The place of an item in an index; none when it lacks an attribute of its key.
    pub(super) fn place_of(&self, item: &Item) -> Option<Vec<u8>> {
        self.fits(item).then(|| self.write(item))
    }

    fn write(&self, item: &Item) -> Vec<u8> {
        let mut key = partition_key(&item[&self.partition.name]);
        if let Some(sort) = &self.sort {
            write_ordered(&item[&sort.name], &mut key);
            end_ordered(&item[&sort.name], &mut key);
        }
        key
    }

    /// Its attributes of an item.
    pub(super) fn part_of(&self, item: &Item) -> Item {
        let pair = |KeyAttribute { name, .. }: &KeyAttribute| {
            item.get_key_value(name).map(|(name, value)| (name.clone(), value.clone()))
        };
        self.attributes().filter_map(pair).collect()
    }

    /// The keys that a query is about.
    ///
    /// # Errors
    /// `Validation` a value of another type than the key's, or an empty one.
    pub(super) fn run(&self, condition: &KeyCondition) -> Result<Keys> {
        check_type(&self.partition, &condition.partition)?;
        let prefix = partition_key(&condition.partition);
        let all = Keys::starting_with(&prefix);
        let (Some(test), Some(sort)) = (&condition.sort, &self.sort) else { return Ok(all) };
        let place = |value: &Value, is_whole: bool| -> Result<Vec<u8>> {
            check_type(sort, value)?;
            let mut place = prefix.clone();
            write_ordered(value, &mut place);
            if is_whole {
                end_ordered(value, &mut place);
            }
            Ok(place)
        };
        Ok(match test {
            SortCondition::Compare(comparator, value) => {
                let at = place(value, true)?;
                let behind = Keys::starting_with(&at).end;
                match comparator {
                    Comparator::Equal | Comparator::NotEqual => Keys::starting_with(&at),
                    Comparator::Less => all.before(&at),
                    Comparator::LessOrEqual => Keys { end: behind, ..all },
                    Comparator::Greater => Keys { start: behind.unwrap_or(at), ..all },
                    Comparator::GreaterOrEqual => Keys { start: at, ..all },
                }
            }
            SortCondition::Between(low, high) => {
                let (low, high) = (place(low, true)?, place(high, true)?);
                Keys { start: low, end: Keys::starting_with(&high).end }
            }
            SortCondition::BeginsWith(start) => Keys::starting_with(&place(start, false)?),
        })
    }
}

/// The keys of a segment of a scan: a share of the hashes.
pub(super) fn segment(segment: u32, total: u32) -> Keys {
    let first = |segment: u32| (u128::from(segment) << 64) / u128::from(total.max(1));
    let start = u64::try_from(first(segment)).unwrap_or(u64::MAX).to_be_bytes().to_vec();
    let end = u64::try_from(first(segment + 1)).ok().map(|end| end.to_be_bytes().to_vec());
    Keys { start, end }
}

fn check_type(attribute: &KeyAttribute, value: &Value) -> Result<()> {
    if value.type_name() != attribute.kind.name() {
        return Err(texts::condition_type());
    }
    match value {
        Value::S(text) if text.is_empty() => Err(texts::key_empty(&attribute.name, "string")),
        Value::B(Binary(bytes)) if bytes.is_empty() => {
            Err(texts::key_empty(&attribute.name, "binary"))
        }
        _ => Ok(()),
    }
}

/// The hash of a partition key, and the key.
fn partition_key(value: &Value) -> Vec<u8> {
    let mut ordered = Vec::new();
    write_ordered(value, &mut ordered);
    end_ordered(value, &mut ordered);
    let hash: [u8; 16] = Md5::digest(&ordered).into();
    let (hash, _) = hash.split_at(8);
    [hash, &ordered].concat()
}

fn write_ordered(value: &Value, out: &mut Vec<u8>) {
    let mut escaped = |bytes: &[u8]| {
        for byte in bytes {
            out.push(*byte);
            if *byte == 0 {
                out.push(u8::MAX);
            }
        }
    };
    match value {
        Value::S(text) => escaped(text.as_bytes()),
        Value::B(Binary(bytes)) => escaped(bytes),
        Value::N(number) => number.write_ordered(out),
        // No key is of another type.
        _ => {}
    }
}

/// Ends what is no number, which ends by itself.
fn end_ordered(value: &Value, out: &mut Vec<u8>) {
    if !matches!(value, Value::N(_)) {
        out.extend([0, 1]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamodb::number::Number;
    use proptest::prelude::*;

    fn schema(partition: KeyKind, sort: KeyKind) -> KeySchema {
        KeySchema {
            partition: KeyAttribute { name: "p".into(), kind: partition },
            sort: Some(KeyAttribute { name: "s".into(), kind: sort }),
        }
    }

    fn item(partition: Value, sort: Value) -> Item {
        Item::from([("p".to_owned(), partition), ("s".to_owned(), sort)])
    }

    fn any_sort() -> impl Strategy<Value = Value> {
        prop_oneof![
            "[a-c\\x00\u{ff}]{1,3}".prop_map(Value::S),
            (-30i64..30).prop_map(|n| Value::N(Number::parse(&n.to_string()).unwrap())),
            proptest::collection::vec(prop_oneof![Just(0u8), Just(1), Just(255)], 1..4)
                .prop_map(|bytes| Value::B(Binary(bytes.into()))),
        ]
    }

    fn kind_of(value: &Value) -> KeyKind {
        match value {
            Value::S(_) => KeyKind::S,
            Value::N(_) => KeyKind::N,
            _ => KeyKind::B,
        }
    }

    fn holds(test: &SortCondition, value: &Value) -> bool {
        let order = |other: &Value| value.order(other).unwrap();
        match test {
            SortCondition::Compare(Comparator::Equal, v) => order(v).is_eq(),
            SortCondition::Compare(Comparator::Less, v) => order(v).is_lt(),
            SortCondition::Compare(Comparator::LessOrEqual, v) => order(v).is_le(),
            SortCondition::Compare(Comparator::Greater, v) => order(v).is_gt(),
            SortCondition::Compare(_, v) => order(v).is_ge(),
            SortCondition::Between(low, high) => order(low).is_ge() && order(high).is_le(),
            SortCondition::BeginsWith(start) => match (value, start) {
                (Value::S(value), Value::S(start)) => value.starts_with(start.as_str()),
                (Value::B(Binary(value)), Value::B(Binary(start))) => value.starts_with(start),
                _ => false,
            },
        }
    }

    proptest! {
        /// The run of a condition holds exactly the keys for which it is true, in their order.
        #[test]
        fn runs(a in any_sort(), b in any_sort(), which in 0usize..7) {
            prop_assume!(kind_of(&a) == kind_of(&b));
            let schema = schema(KeyKind::S, kind_of(&a));
            let partition = Value::S("x".into());
            let compare = |comparator| SortCondition::Compare(comparator, b.clone());
            let test = match which {
                0 => compare(Comparator::Equal),
                1 => compare(Comparator::Less),
                2 => compare(Comparator::LessOrEqual),
                3 => compare(Comparator::Greater),
                4 => compare(Comparator::GreaterOrEqual),
                5 => SortCondition::Between(b.clone(), b.clone()),
                _ => SortCondition::BeginsWith(b.clone()),
            };
            prop_assume!(which != 6 || kind_of(&a) != KeyKind::N);
            let key = schema.of_item(&item(partition.clone(), a.clone())).unwrap();
            let condition = KeyCondition { partition: partition.clone(), sort: Some(test.clone()) };
            let run = schema.run(&condition).unwrap();
            let inside = run.start <= key && run.end.is_none_or(|end| key < end);
            prop_assert_eq!(inside, holds(&test, &a));
            let other = schema.of_item(&item(partition, b.clone())).unwrap();
            prop_assert_eq!(key.cmp(&other), a.order(&b).unwrap());
        }

        /// Every key is in one segment.
        #[test]
        fn segments(total in 1u32..50, name in ".{1,4}") {
            let schema = schema(KeyKind::S, KeyKind::S);
            let key = schema.of_item(&item(Value::S(name), Value::S("s".into()))).unwrap();
            let holds = |one: &u32| {
                let Keys { start, end } = segment(*one, total);
                start <= key && end.is_none_or(|end| key < end)
            };
            prop_assert_eq!((0..total).filter(holds).count(), 1);
        }
    }

    const MISMATCH: &str = "The provided key element does not match the schema";

    #[test]
    fn what_is_no_key() {
        let schema = schema(KeyKind::S, KeyKind::N);
        let text = |text: &str| Value::S(text.into());
        let check = |key: Item, of_item: &str, of_given: &str| {
            assert_eq!(schema.of_item(&key).unwrap_err().message(), of_item);
            assert_eq!(schema.of_given(&key).unwrap_err().message(), of_given);
        };
        check(
            Item::from([("p".to_owned(), text("a"))]),
            "One or more parameter values were invalid: Missing the key s in the item",
            MISMATCH,
        );
        check(
            item(text("a"), text("b")),
            "One or more parameter values were invalid: Type mismatch for key s expected: N actual: S",
            MISMATCH,
        );
        let empty = "One or more parameter values are not valid. The AttributeValue for a key \
                     attribute cannot contain an empty string value. Key: p";
        check(item(text(""), Value::N(Number::ZERO)), empty, empty);
        let long = "One or more parameter values were invalid: Size of hashkey has exceeded the \
                    maximum size limit of2048 bytes";
        check(item(text(&"x".repeat(2049)), Value::N(Number::ZERO)), long, long);
        let mut more = item(text("a"), Value::N(Number::ZERO));
        more.insert("other".into(), text("b"));
        assert!(schema.of_item(&more).is_ok());
        assert_eq!(schema.of_given(&more).unwrap_err().message(), MISMATCH);
    }
}
