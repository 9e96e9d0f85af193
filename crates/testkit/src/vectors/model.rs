//! The model's facts as the vectors need them.

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, de};
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

/// A JSON object in its own order: violations are listed in the model's.
#[derive(Debug)]
pub struct Ordered<T> {
    /// The entries in order.
    pub entries: Vec<(String, T)>,
    index: HashMap<String, usize>,
}

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), index: HashMap::new() }
    }
}

impl<T> Ordered<T> {
    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.index.get(name).map(|at| &self.entries[*at].1)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: de::Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Ordered<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                let names = entries.iter().enumerate();
                let index = names.map(|(at, (name, _)): (_, &(String, T))| (name.clone(), at));
                Ok(Ordered { index: index.collect(), entries })
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

/// A service's facts.
#[derive(Debug, Deserialize)]
pub struct Model {
    /// Operations by name.
    pub operations: Ordered<Operation>,
    /// Shapes by name.
    pub shapes: Ordered<Shape>,
}

/// An operation's shapes.
#[derive(Debug, Deserialize)]
pub struct Operation {
    /// What is sent.
    pub input: Option<Reference>,
    /// What comes back.
    pub output: Option<Reference>,
}

/// A use of a shape.
#[derive(Debug, Deserialize)]
pub struct Reference {
    /// The shape's name.
    pub shape: String,
}

/// A shape's facts.
#[derive(Debug, Deserialize)]
pub struct Shape {
    #[serde(rename = "type")]
    kind: String,
    /// An enum's values.
    #[serde(default, rename = "enum")]
    pub names: Vec<String>,
    /// Smallest value, length or size.
    pub min: Option<f64>,
    /// Largest value, length or size.
    pub max: Option<f64>,
    /// What a whole string must match.
    pub pattern: Option<String>,
    /// A list's elements.
    pub member: Option<Reference>,
    /// A map's keys.
    pub key: Option<Reference>,
    /// A map's values.
    pub value: Option<Reference>,
    /// Members that must be there.
    #[serde(default)]
    pub required: Vec<String>,
    /// A structure's members.
    #[serde(default)]
    pub members: Ordered<Reference>,
    /// Whether it is a set of events.
    #[serde(default)]
    pub eventstream: bool,
}

/// What a shape is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Named members.
    Structure,
    /// Elements.
    List,
    /// Entries.
    Map,
    /// A string of a closed set.
    Enum,
    /// A string.
    Text,
    /// Bytes.
    Blob,
    /// True or false.
    Boolean,
    /// 32 bits.
    Integer,
    /// 64 bits.
    Long,
    /// Floating point.
    Double,
    /// A point in time.
    Timestamp,
}

impl Model {
    /// The shape of this name.
    ///
    /// # Panics
    /// There is none.
    pub fn shape(&self, name: &str) -> &Shape {
        self.shapes.get(name).expect("a model names only its own shapes")
    }

    /// What the shape of this name is.
    ///
    /// # Panics
    /// Its type is unknown.
    pub fn kind(&self, name: &str) -> Kind {
        let shape = self.shape(name);
        match shape.kind.as_str() {
            "structure" => Kind::Structure,
            "list" => Kind::List,
            "map" => Kind::Map,
            "string" if !shape.names.is_empty() => Kind::Enum,
            "string" => Kind::Text,
            "blob" => Kind::Blob,
            "boolean" => Kind::Boolean,
            "integer" => Kind::Integer,
            "long" => Kind::Long,
            "double" => Kind::Double,
            "timestamp" => Kind::Timestamp,
            other => panic!("shape `{name}` has the unknown type `{other}`"),
        }
    }
}
