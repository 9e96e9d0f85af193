//! Values of attributes: read from requests with all that makes them valid, and shown again.
//!
//! Stored they are as DynamoDB's JSON has them, `{"S":"a"}`, but each number and each set in one
//! form, so that equal values are equal.

use super::errors::Result;
use super::number::Number;
use super::texts;
use api::Text;
use api::dynamodb::AttributeValue;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Most lists and maps in each other: with what is in the last one that makes AWS's 32 levels.
const DEPTH_MAX: usize = 31;
/// What a list, a map, and each of their elements count beside what is in them.
const CONTAINER_BYTES: usize = 3;
const ELEMENT_BYTES: usize = 1;

/// The attributes of an item, or of a key, by their names.
pub(super) type Item = BTreeMap<String, Value>;

/// The value of an attribute.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[expect(clippy::upper_case_acronyms, reason = "AWS's names of the types, also as stored")]
pub(super) enum Value {
    S(String),
    N(Number),
    B(Binary),
    SS(BTreeSet<String>),
    NS(BTreeSet<Number>),
    BS(BTreeSet<Binary>),
    M(Item),
    L(Vec<Value>),
    NULL(bool),
    BOOL(bool),
}

/// Bytes, in rows as base64.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Binary(pub(super) Bytes);

impl From<Binary> for String {
    fn from(Binary(bytes): Binary) -> Self {
        base64_simd::STANDARD.encode_to_string(bytes)
    }
}

impl TryFrom<String> for Binary {
    type Error = &'static str;

    fn try_from(text: String) -> std::result::Result<Self, &'static str> {
        let bytes = base64_simd::STANDARD.decode_to_vec(text).map_err(|_| "no base64")?;
        Ok(Self(bytes.into()))
    }
}

impl Value {
    /// Reads what a request brings.
    ///
    /// # Errors
    /// `Validation` no type or several, a set that is empty or names a member twice, a text that is
    /// no number, more than 32 levels.
    pub(super) fn read(value: AttributeValue) -> Result<Self> {
        Self::read_at(value, 0)
    }

    fn read_at(value: AttributeValue, depth: usize) -> Result<Self> {
        let AttributeValue { s, n, b, ss, ns, bs, m, l, null, bool } = value;
        let scalars = [s.is_some(), n.is_some(), b.is_some(), null.is_some(), bool.is_some()];
        let others = [ss.is_some(), ns.is_some(), bs.is_some(), m.is_some(), l.is_some()];
        match scalars.into_iter().chain(others).filter(|is_there| *is_there).count() {
            0 => return Err(texts::value_empty()),
            1 => {}
            _ => return Err(texts::value_ambiguous()),
        }
        if depth == DEPTH_MAX && (m.is_some() || l.is_some()) {
            return Err(texts::too_deep());
        }
        if let Some(s) = s {
            return Ok(Self::S(s.to_string()));
        }
        if let Some(n) = n {
            return number(&n).map(Self::N);
        }
        if let Some(b) = b {
            return Ok(Self::B(Binary(b)));
        }
        if let Some(is_null) = null {
            return if is_null { Ok(Self::NULL(true)) } else { Err(texts::null_is_true()) };
        }
        if let Some(bool) = bool {
            return Ok(Self::BOOL(bool));
        }
        match (ss, ns, bs, m) {
            (Some(ss), ..) => string_set(&ss),
            (_, Some(ns), ..) => number_set(&ns),
            (_, _, Some(bs), _) => binary_set(bs),
            (.., Some(m)) => read_item_at(m, depth + 1).map(Self::M),
            _ => {
                let elements = l.into_iter().flatten();
                let elements = elements.map(|value| Self::read_at(value, depth + 1));
                elements.collect::<Result<_>>().map(Self::L)
            }
        }
    }

    /// As answers show it.
    pub(super) fn show(self) -> AttributeValue {
        let mut shown = AttributeValue::default();
        match self {
            Self::S(s) => shown.s = Some(s.into()),
            Self::N(n) => shown.n = Some(n.to_string().into()),
            Self::B(Binary(b)) => shown.b = Some(b),
            Self::SS(ss) => shown.ss = Some(ss.into_iter().map(Text::from).collect()),
            Self::NS(ns) => shown.ns = Some(ns.iter().map(|n| n.to_string().into()).collect()),
            Self::BS(bs) => shown.bs = Some(bs.into_iter().map(|b| b.0).collect()),
            Self::M(m) => shown.m = Some(show_item(m)),
            Self::L(l) => shown.l = Some(l.into_iter().map(Self::show).collect()),
            Self::NULL(null) => shown.null = Some(null),
            Self::BOOL(bool) => shown.bool = Some(bool),
        }
        shown
    }

    /// AWS's name of its type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::S(_) => "S",
            Self::N(_) => "N",
            Self::B(_) => "B",
            Self::SS(_) => "SS",
            Self::NS(_) => "NS",
            Self::BS(_) => "BS",
            Self::M(_) => "M",
            Self::L(_) => "L",
            Self::NULL(_) => "NULL",
            Self::BOOL(_) => "BOOL",
        }
    }

    /// Bytes that it counts in an item.
    pub(super) fn item_bytes(&self) -> usize {
        let elements = |bytes: usize, count: usize| CONTAINER_BYTES + bytes + count * ELEMENT_BYTES;
        match self {
            Self::S(s) => s.len(),
            Self::N(n) => n.item_bytes(),
            Self::B(Binary(b)) => b.len(),
            Self::SS(ss) => ss.iter().map(String::len).sum(),
            Self::NS(ns) => ns.iter().map(|n| n.item_bytes()).sum(),
            Self::BS(bs) => bs.iter().map(|b| b.0.len()).sum(),
            Self::M(m) => elements(item_bytes(m), m.len()),
            Self::L(l) => elements(l.iter().map(Self::item_bytes).sum(), l.len()),
            Self::NULL(_) | Self::BOOL(_) => 1,
        }
    }

    /// What the function `size` makes of it: UTF-16 units of a string (as dynalite's suite has it),
    /// bytes, or elements; nothing of numbers, booleans and nulls.
    pub(super) fn size(&self) -> Option<usize> {
        match self {
            Self::S(s) => Some(s.encode_utf16().count()),
            Self::B(Binary(b)) => Some(b.len()),
            Self::SS(ss) => Some(ss.len()),
            Self::NS(ns) => Some(ns.len()),
            Self::BS(bs) => Some(bs.len()),
            Self::M(m) => Some(m.len()),
            Self::L(l) => Some(l.len()),
            Self::N(_) | Self::NULL(_) | Self::BOOL(_) => None,
        }
    }

    /// Whether values of its type have an order.
    pub(super) fn has_order(&self) -> bool {
        matches!(self, Self::S(_) | Self::N(_) | Self::B(_))
    }

    /// The order of two values of one type that has an order; none of others.
    pub(super) fn order(&self, other: &Self) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Self::S(a), Self::S(b)) => Some(a.cmp(b)),
            (Self::N(a), Self::N(b)) => Some(a.cmp(b)),
            (Self::B(a), Self::B(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

/// Reads an item, or a key, of a request.
///
/// # Errors
/// As [`Value::read`].
pub(super) fn read_item(item: BTreeMap<Text, AttributeValue>) -> Result<Item> {
    read_item_at(item, 0)
}

fn read_item_at(item: BTreeMap<Text, AttributeValue>, depth: usize) -> Result<Item> {
    let read = |(name, value): (Text, _)| Ok((name.to_string(), Value::read_at(value, depth)?));
    item.into_iter().map(read).collect()
}

/// As answers show it.
pub(super) fn show_item(item: Item) -> BTreeMap<Text, AttributeValue> {
    item.into_iter().map(|(name, value)| (Text::from(name), value.show())).collect()
}

/// Bytes that an item counts: its names and its values.
pub(super) fn item_bytes(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value.item_bytes()).sum()
}

fn number(text: &str) -> Result<Number> {
    Number::parse(text).map_err(|trouble| texts::no_number(trouble, text))
}

fn string_set(values: &[Text]) -> Result<Value> {
    let set: BTreeSet<_> = values.iter().map(ToString::to_string).collect();
    match set.len() {
        0 => Err(texts::set_empty("An string set ")),
        len if len < values.len() => Err(texts::set_repeats(&shown(values))),
        _ => Ok(Value::SS(set)),
    }
}

fn number_set(values: &[Text]) -> Result<Value> {
    let set = values.iter().map(|text| number(text)).collect::<Result<BTreeSet<_>>>()?;
    match set.len() {
        0 => Err(texts::set_empty("An number set ")),
        len if len < values.len() => Err(texts::number_set_repeats()),
        _ => Ok(Value::NS(set)),
    }
}

fn binary_set(values: Vec<Bytes>) -> Result<Value> {
    let set: BTreeSet<_> = values.iter().cloned().map(Binary).collect();
    match set.len() {
        0 => Err(texts::binary_set_empty()),
        len if len < values.len() => {
            let values: Vec<_> =
                values.into_iter().map(|b| String::from(Binary(b)).into()).collect();
            Err(texts::binary_set_repeats(&shown(&values)))
        }
        _ => Ok(Value::BS(set)),
    }
}

fn shown(values: &[Text]) -> String {
    values.iter().map(Text::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_value() -> impl Strategy<Value = Value> {
        let number = || (-1000i64..1000).prop_map(|n| Number::parse(&n.to_string()).unwrap());
        let binary =
            || proptest::collection::vec(any::<u8>(), 0..5).prop_map(|bytes| Binary(bytes.into()));
        let leaf = prop_oneof![
            ".{0,5}".prop_map(Value::S),
            number().prop_map(Value::N),
            binary().prop_map(Value::B),
            proptest::collection::btree_set(".{0,3}", 1..4).prop_map(Value::SS),
            proptest::collection::btree_set(number(), 1..4).prop_map(Value::NS),
            proptest::collection::btree_set(binary(), 1..4).prop_map(Value::BS),
            Just(Value::NULL(true)),
            any::<bool>().prop_map(Value::BOOL),
        ];
        leaf.prop_recursive(4, 20, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::L),
                proptest::collection::btree_map(".{1,3}", inner, 0..4).prop_map(Value::M),
            ]
        })
    }

    proptest! {
        #[test]
        fn shown_and_read_it_is_the_same(value in any_value()) {
            prop_assert_eq!(Value::read(value.clone().show()).unwrap(), value.clone());
            let stored = serde_json::to_vec(&value).unwrap();
            prop_assert_eq!(serde_json::from_slice::<Value>(&stored).unwrap(), value);
        }
    }

    fn check(value: AttributeValue, want: &str) {
        let refused = Value::read(value).unwrap_err();
        assert_eq!(refused.message(), want);
    }

    #[test]
    fn what_is_no_value() {
        let one = || Some(Text::from("1"));
        check(
            AttributeValue::default(),
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        );
        check(
            AttributeValue { s: one(), n: one(), ..Default::default() },
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of \
             the supported datatypes",
        );
        check(
            AttributeValue { null: Some(false), ..Default::default() },
            "One or more parameter values were invalid: Null attribute value types must have the \
             value of true",
        );
        check(
            AttributeValue {
                ss: Some(vec!["b".into(), "a".into(), "b".into()]),
                ..Default::default()
            },
            "One or more parameter values were invalid: Input collection [b, a, b] contains \
             duplicates.",
        );
        check(
            AttributeValue { ns: Some(vec!["1".into(), "1.0".into()]), ..Default::default() },
            "Input collection contains duplicates",
        );
        check(
            AttributeValue { n: Some("x".into()), ..Default::default() },
            "The parameter cannot be converted to a numeric value: x",
        );
        let mut deep = AttributeValue { s: one(), ..Default::default() };
        for _ in 0..=DEPTH_MAX {
            deep = AttributeValue { l: Some(vec![deep]), ..Default::default() };
        }
        check(
            deep,
            "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels \
             beyond supported limit",
        );
    }

    #[test]
    fn bytes_of_an_item() {
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        for (text, want) in [
            (r#"{"S":"grün"}"#, 5),
            (r#"{"N":"-123"}"#, 4),
            (r#"{"N":"0"}"#, 1),
            (r#"{"B":"AAEC"}"#, 3),
            (r#"{"BOOL":true}"#, 1),
            (r#"{"L":[{"S":"ab"},{"NULL":true}]}"#, 3 + 2 + 1 + 2),
            (r#"{"M":{"a":{"S":"b"}}}"#, 3 + 2 + 1),
        ] {
            assert_eq!(value(text).item_bytes(), want, "{text}");
        }
    }
}
