//! RPC v2 CBOR: `POST /service/{service}/operation/{operation}`, as Smithy specifies it.

pub(super) const CONTENT_TYPE: &str = "application/cbor";
pub(super) const HEADERS: &[(&str, &str)] = &[("smithy-protocol", "rpc-v2-cbor")];

/// The service and the operation that a path names; it may stand behind a prefix.
pub fn named(path: &str) -> Option<(&str, &str)> {
    let mut words = path.rsplit('/');
    let operation = words.next().filter(|name| !name.is_empty())?;
    (words.next() == Some("operation")).then_some(())?;
    let service = words.next()?;
    // A client may put the shape's name space in front.
    let service = service.rsplit('.').next().filter(|name| !name.is_empty())?;
    (words.next() == Some("service")).then_some((service, operation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_operations() {
        for (path, want) in [
            ("/service/S_1/operation/Op", Some(("S_1", "Op"))),
            ("/a/service/com.amazon.S/operation/Op", Some(("S", "Op"))),
            ("/service/S/operation/", None),
            ("/service//operation/Op", None),
            ("/S/operation/Op", None),
            ("/", None),
        ] {
            assert_eq!(named(path), want, "{path}");
        }
    }
}
