//! The facts of a service model, as botocore's `service-2.json` spells them, without prose.
#![expect(dead_code, reason = "keys that are dropped are still named, so that new ones are errors")]

use anyhow::{Context as _, ensure};
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::marker::PhantomData;
use std::path::Path;

/// A key that is known and dropped: prose, deprecation, endpoint rules, which calls may be retried,
/// where the model has a shape from, repetitions.
type Dropped = Option<IgnoredAny>;

/// `model/version.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pin {
    pub(crate) package: String,
    pub(crate) version: String,
    pub(crate) service: Vec<PinnedService>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PinnedService {
    pub(crate) name: String,
    /// Directory below `botocore/data`; none: the model is ours.
    pub(crate) path: Option<String>,
    /// Whether `crates/api` holds it.
    #[serde(default)]
    pub(crate) generated: bool,
    /// The operations that are kept, with what they reach; none named: the whole service.
    #[serde(default)]
    pub(crate) operations: Vec<String>,
}

impl Pin {
    pub(crate) fn load(root: &Path) -> anyhow::Result<Self> {
        let path = root.join("model/version.toml");
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok(toml::from_str(&text)?)
    }

    /// Whether all operations of a service are kept.
    pub(crate) fn is_whole(&self, service: &str) -> bool {
        let mut services = self.service.iter();
        services.any(|pinned| pinned.name == service && pinned.operations.is_empty())
    }
}

/// A JSON object whose order matters.
#[derive(Clone, Debug)]
pub(crate) struct Ordered<T>(pub(crate) Vec<(String, T)>);

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Ordered<T> {
    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Ordered<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

impl<T: Serialize> Serialize for Ordered<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// A service. Unknown keys are errors everywhere, so that a new model version cannot carry a new
/// kind of fact unseen; prose and endpoint rules are read and dropped.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    #[serde(default, skip_serializing)]
    version: Dropped,
    pub(crate) metadata: Metadata,
    pub(crate) operations: Ordered<Operation>,
    pub(crate) shapes: Ordered<Shape>,
    #[serde(default, skip_serializing)]
    documentation: Dropped,
    #[serde(default, skip_serializing)]
    examples: Dropped,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Metadata {
    pub(crate) api_version: String,
    /// Errors also carry the name that the query protocol knew them by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) aws_query_compatible: Option<Marker>,
    pub(crate) endpoint_prefix: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) json_version: Option<String>,
    pub(crate) protocol: String,
    /// Every protocol of the service, the preferred one first; none named: `protocol` alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) protocols: Vec<String>,
    pub(crate) service_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signing_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) xml_namespace: Option<String>,
    #[serde(default, skip_serializing)]
    global_endpoint: Dropped,
    #[serde(default, skip_serializing)]
    protocol_settings: Dropped,
    #[serde(default, skip_serializing)]
    service_abbreviation: Dropped,
    #[serde(default, skip_serializing)]
    service_full_name: Dropped,
    #[serde(default, skip_serializing)]
    signature_version: Dropped,
    #[serde(default, skip_serializing)]
    uid: Dropped,
    #[serde(default, skip_serializing)]
    auth: Dropped,
}

/// A fact that says nothing but that it is there.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Marker {}

impl Metadata {
    /// Every protocol of the service, the preferred one first.
    pub(crate) fn protocols(&self) -> Vec<&str> {
        let listed: Vec<&str> = self.protocols.iter().map(String::as_str).collect();
        if listed.is_empty() { vec![&self.protocol] } else { listed }
    }

    pub(crate) fn signing_name(&self) -> &str {
        self.signing_name.as_deref().unwrap_or(&self.endpoint_prefix)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Operation {
    #[serde(default, skip_serializing)]
    name: Dropped,
    pub(crate) http: Http,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) input: Option<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output: Option<Reference>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<Reference>,
    /// `none`: the operation is called without a signature.
    #[serde(rename = "authtype", skip_serializing_if = "Option::is_none")]
    pub(crate) auth_type: Option<String>,
    #[serde(rename = "requestcompression", skip_serializing_if = "Option::is_none")]
    pub(crate) request_compression: Option<RequestCompression>,
    #[serde(default, skip_serializing)]
    documentation: Dropped,
    #[serde(default, skip_serializing)]
    auth: Dropped,
    #[serde(default, skip_serializing)]
    deprecated: Dropped,
    #[serde(default, skip_serializing)]
    deprecated_message: Dropped,
    /// What a client puts before the host; this server answers to any host.
    #[serde(default, skip_serializing)]
    endpoint: Dropped,
    #[serde(default, rename = "endpointdiscovery", skip_serializing)]
    endpoint_discovery: Dropped,
    #[serde(default, rename = "endpointoperation", skip_serializing)]
    discovers_endpoints: Dropped,
    #[serde(default, skip_serializing)]
    idempotent: Dropped,
    #[serde(default, rename = "operationContextParams", skip_serializing)]
    context_params: Dropped,
    #[serde(default, skip_serializing)]
    readonly: Dropped,
    #[serde(default, skip_serializing)]
    static_context_params: Dropped,
}

/// The encodings that a client may send the body of a request in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestCompression {
    pub(crate) encodings: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Http {
    pub(crate) method: String,
    pub(crate) request_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) response_code: Option<u16>,
}

/// A use of a shape: by an operation, a structure's member, a list or a map.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Reference {
    pub(crate) shape: String,
    /// Where a REST protocol carries the member; absent: in the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location_name: Option<String>,
    /// The element around an output in an XML answer of the query protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) result_wrapper: Option<String>,
    /// Absent and null are not the same as zero, false or empty.
    #[serde(default, rename = "box", skip_serializing_if = "is_false")]
    pub(crate) boxed: bool,
    /// The member is the payload of its event.
    #[serde(default, rename = "eventpayload", skip_serializing_if = "is_false")]
    pub(crate) event_payload: bool,
    /// A client that leaves the member out sends a random one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) idempotency_token: bool,
    #[serde(default, skip_serializing)]
    documentation: Dropped,
    #[serde(default, skip_serializing)]
    context_param: Dropped,
    #[serde(default, skip_serializing)]
    deprecated: Dropped,
    #[serde(default, skip_serializing)]
    deprecated_message: Dropped,
    #[serde(default, skip_serializing)]
    deprecated_since: Dropped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Type {
    Structure,
    List,
    Map,
    String,
    Blob,
    Boolean,
    Integer,
    Long,
    Double,
    Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the model's own traits")]
pub(crate) struct Shape {
    #[serde(rename = "type")]
    pub(crate) kind: Type,
    #[serde(default, rename = "enum", skip_serializing_if = "Vec::is_empty")]
    pub(crate) names: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) min: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pattern: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) member: Option<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Reference>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) required: Vec<String>,
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub(crate) members: Ordered<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payload: Option<String>,
    /// The members in the order of their elements in an XML answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) xml_order: Vec<String>,
    /// How a body spells a timestamp, where its protocol would spell it otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timestamp_format: Option<String>,
    /// Absent and null are not the same as zero, false or empty.
    #[serde(default, rename = "box", skip_serializing_if = "is_false")]
    pub(crate) boxed: bool,
    /// Any JSON value; the structure names no members.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) document: bool,
    /// Exactly one member is set.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) union: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) exception: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) fault: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<ErrorFact>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) event: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) eventstream: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) sensitive: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) streaming: bool,
    #[serde(default, skip_serializing)]
    documentation: Dropped,
    #[serde(default, skip_serializing)]
    deprecated: Dropped,
    #[serde(default, skip_serializing)]
    deprecated_message: Dropped,
    #[serde(default, skip_serializing)]
    retryable: Dropped,
    #[serde(default, skip_serializing)]
    synthetic: Dropped,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ErrorFact {
    /// The error's name in the query protocol; absent: the shape's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    pub(crate) http_status_code: u16,
    /// Whether the client is at fault, as the query protocol tells it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) sender_fault: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Shape {
    /// Every use of another shape: members, elements, keys and values.
    fn references(&self) -> impl Iterator<Item = &Reference> {
        let members = self.members.0.iter().map(|(_, member)| member);
        members.chain(&self.member).chain(&self.key).chain(&self.value)
    }
}

impl Model {
    /// The shape of this name.
    pub(crate) fn shape(&self, name: &str) -> anyhow::Result<&Shape> {
        self.shapes.get(name).with_context(|| format!("no shape `{name}`"))
    }

    /// Keeps these operations and the shapes that they reach; the whole service when none is named.
    ///
    /// # Errors
    /// An operation or a shape that the model lacks.
    pub(crate) fn keep(&mut self, operations: &[String]) -> anyhow::Result<()> {
        if operations.is_empty() {
            return Ok(());
        }
        for name in operations {
            ensure!(self.operations.get(name).is_some(), "no operation `{name}`");
        }
        self.operations.0.retain(|(name, _)| operations.contains(name));
        let reached: BTreeSet<String> = self.reached()?.into_iter().map(str::to_owned).collect();
        self.shapes.0.retain(|(name, _)| reached.contains(name));
        Ok(())
    }

    /// The names of the shapes that the operations use, themselves or further inside.
    fn reached(&self) -> anyhow::Result<BTreeSet<&str>> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&Reference> = Vec::new();
        for (_, operation) in &self.operations.0 {
            open.extend(operation.input.iter().chain(&operation.output).chain(&operation.errors));
        }
        while let Some(reference) = open.pop() {
            if reached.insert(reference.shape.as_str()) {
                open.extend(self.shape(&reference.shape)?.references());
            }
        }
        Ok(reached)
    }

    /// The facts as text: one line an operation and one line a shape, so that a new version of the
    /// model reads well as a diff.
    pub(crate) fn to_text(&self) -> anyhow::Result<String> {
        let mut text = format!("{{\n\"metadata\": {},\n", serde_json::to_string(&self.metadata)?);
        text.push_str("\"operations\": {\n");
        push_lines(&mut text, &self.operations)?;
        text.push_str("},\n\"shapes\": {\n");
        push_lines(&mut text, &self.shapes)?;
        text.push_str("}\n}\n");
        Ok(text)
    }
}

fn push_lines<T: Serialize>(text: &mut String, entries: &Ordered<T>) -> anyhow::Result<()> {
    let mut sorted: Vec<_> = entries.0.iter().collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    for (i, (name, value)) in sorted.iter().enumerate() {
        let comma = if i + 1 < sorted.len() { "," } else { "" };
        writeln!(text, "{name:?}: {}{comma}", serde_json::to_string(value)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: &str = r#"{
        "metadata": {
            "apiVersion": "1",
            "endpointPrefix": "p",
            "protocol": "json",
            "protocols": ["json", "query"],
            "serviceId": "I"
        },
        "operations": {
            "Get": {
                "http": {"method": "POST", "requestUri": "/"},
                "input": {"shape": "Input"},
                "output": {"shape": "Output", "resultWrapper": "GetResult"},
                "errors": [{"shape": "Gone"}]
            },
            "Put": {"http": {"method": "POST", "requestUri": "/"}, "input": {"shape": "Other"}}
        },
        "shapes": {
            "Input": {"type": "structure", "members": {"Names": {"shape": "List"}}},
            "List": {"type": "list", "member": {"shape": "Name"}},
            "Name": {"type": "string"},
            "Output": {"type": "structure", "members": {"Map": {"shape": "Map"}}},
            "Map": {"type": "map", "key": {"shape": "Key"}, "value": {"shape": "Output"}},
            "Key": {"type": "string"},
            "Gone": {
                "type": "structure",
                "exception": true,
                "error": {"code": "G", "httpStatusCode": 404, "senderFault": true}
            },
            "Other": {"type": "structure", "members": {"Name": {"shape": "Name"}}},
            "Unused": {"type": "string"}
        }
    }"#;

    /// The shapes that are left when these operations are kept, or what is refused.
    fn check(operations: &[&str], want: Result<&[&str], &str>) {
        let mut model: Model = serde_json::from_str(MODEL).unwrap();
        let operations: Vec<String> = operations.iter().map(ToString::to_string).collect();
        let kept = model.keep(&operations).map_err(|e| e.to_string());
        let names = model.shapes.0.iter().map(|(name, _)| name.as_str());
        let kept = kept.map(|()| names.collect::<Vec<_>>());
        assert_eq!(kept, want.map(<[&str]>::to_vec).map_err(str::to_owned));
    }

    #[test]
    fn what_an_operation_reaches_is_kept() {
        check(&["Get"], Ok(&["Input", "List", "Name", "Output", "Map", "Key", "Gone"]));
        check(&["Put"], Ok(&["Name", "Other"]));
        let all = ["Input", "List", "Name", "Output", "Map", "Key", "Gone", "Other", "Unused"];
        check(&[], Ok(&all));
        check(&["Put", "Take"], Err("no operation `Take`"));
    }

    #[test]
    fn facts_survive_and_unknown_keys_do_not() {
        let model: Model = serde_json::from_str(MODEL).unwrap();
        let text = model.to_text().unwrap();
        assert_eq!(serde_json::from_str::<Model>(&text).unwrap().to_text().unwrap(), text);
        assert!(text.contains(r#""resultWrapper":"GetResult""#));
        assert!(text.contains(r#""error":{"code":"G","httpStatusCode":404,"senderFault":true}"#));
        let unknown = MODEL.replace(r#""type": "list","#, r#""type": "list", "flattened": true,"#);
        let error = serde_json::from_str::<Model>(&unknown).unwrap_err().to_string();
        assert!(error.starts_with("unknown field `flattened`"), "{error}");
    }
}
