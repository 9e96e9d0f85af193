//! AWS's names as Rust spells them.

/// Rust's words that a field may not be called.
const KEYWORDS: [&str; 14] = [
    "type", "match", "ref", "move", "loop", "enum", "struct", "use", "where", "in", "for", "self",
    "box", "final",
];

/// `StreamARN` -> `stream_arn`, `MaxRecordSizeInKiB` -> `max_record_size_in_kib`.
pub(crate) fn snake(name: &str) -> String {
    // Units and plurals of abbreviations are one word each.
    let name = name
        .replace("KiB", "Kib")
        .replace("MiBps", "Mibps")
        .replace("MiB", "Mib")
        .replace("MBs", "Mbs")
        .replace("ARNs", "Arns")
        .replace("URLs", "Urls")
        .replace("URIs", "Uris");
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (i, &c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).map(|b| chars[b]);
        let after = chars.get(i + 1);
        let begins = match before {
            Some(b) if b.is_lowercase() || b.is_ascii_digit() => c.is_uppercase(),
            Some(b) if b.is_uppercase() => {
                c.is_uppercase() && after.is_some_and(|a| a.is_lowercase())
            }
            _ => false,
        };
        if begins {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// A structure's field.
pub(crate) fn field(member: &str) -> String {
    let name = snake(member);
    if KEYWORDS.contains(&name.as_str()) { name + "_" } else { name }
}

/// A constant.
pub(super) fn upper(name: &str) -> String {
    snake(name).to_uppercase()
}

/// An enum's variant: `AT_SEQUENCE_NUMBER` -> `AtSequenceNumber`, `IncomingBytes` as it is.
pub(super) fn variant(value: &str) -> String {
    let mut out = String::new();
    for word in value.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()) {
        let shouts = !word.chars().any(|c| c.is_ascii_lowercase());
        let mut chars = word.chars();
        out.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        let rest = chars.as_str();
        out.push_str(&if shouts { rest.to_ascii_lowercase() } else { rest.to_owned() });
    }
    if out.starts_with(|c: char| c.is_ascii_digit()) || out.is_empty() {
        out.insert(0, 'V');
    }
    out
}

/// An exception's variant: `KMSNotFoundException` -> `KmsNotFound`.
pub(super) fn error_variant(shape: &str) -> String {
    let name = shape.strip_suffix("Exception").unwrap_or(shape);
    snake(name).split('_').map(variant).collect()
}

/// A whole number with its thousands apart.
pub(super) fn number(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut out = String::from(if value < 0.0 { "-" } else { "" });
    for (i, digit) in digits.char_indices() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) && digits.len() > 4 {
            out.push('_');
        }
        out.push(digit);
    }
    out
}

/// A service's module: `kinesis-video-media` -> `kinesis_video_media`.
pub(super) fn module(service: &str) -> String {
    service.replace('-', "_")
}

/// A service's trait, after its id: `Kinesis Analytics V2` -> `KinesisAnalyticsV2`.
pub(super) fn service_trait(service_id: &str) -> String {
    service_id.split(' ').map(variant).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields() {
        for (member, want) in [
            ("StreamARN", "stream_arn"),
            ("HasMoreShards", "has_more_shards"),
            ("MaxRecordSizeInKiB", "max_record_size_in_kib"),
            ("WarmThroughputMiBps", "warm_throughput_mibps"),
            ("TargetMiBps", "target_mibps"),
            ("Type", "type_"),
            ("S3TablesConfigurations", "s3_tables_configurations"),
            ("GSRSchemaARN", "gsr_schema_arn"),
            ("InputProcessingConfiguration", "input_processing_configuration"),
        ] {
            assert_eq!(field(member), want);
        }
    }

    #[test]
    fn variants() {
        for (value, want) in [
            ("AT_SEQUENCE_NUMBER", "AtSequenceNumber"),
            ("IncomingBytes", "IncomingBytes"),
            ("ALL", "All"),
            ("S3_TABLES", "S3Tables"),
            ("ZEPPELIN-FLINK-3_0", "ZeppelinFlink30"),
            ("300", "V300"),
        ] {
            assert_eq!(variant(value), want);
        }
        assert_eq!(number(1_048_576.0), "1_048_576");
        assert_eq!(number(-4096.0), "-4096");
        assert_eq!(error_variant("KMSOptInRequired"), "KmsOptInRequired");
        assert_eq!(error_variant("ResourceNotFoundException"), "ResourceNotFound");
    }
}
