//! Requests that name nothing, too much, or what does not fit together.

use api::kinesis::Error;
use base::Region;

/// Source: ours.
pub(crate) fn no_stream_named() -> Error {
    Error::InvalidArgument("Either StreamName or StreamARN should be provided.".into())
}

/// Source: ours.
pub(crate) fn no_stream_arn() -> Error {
    Error::InvalidArgument("StreamARN should be provided.".into())
}

/// Source: ours.
pub(crate) fn no_consumer_named() -> Error {
    let text = "Either ConsumerARN, or both StreamARN and ConsumerName, should be provided.";
    Error::InvalidArgument(text.into())
}

/// Source: ours.
pub(crate) fn not_a_stream_arn(arn: &str) -> Error {
    Error::InvalidArgument(format!("StreamARN {arn} is not the ARN of a stream."))
}

/// Source: ours.
pub(crate) fn not_a_consumer_arn(arn: &str) -> Error {
    Error::InvalidArgument(format!("ConsumerARN {arn} is not the ARN of a consumer."))
}

/// Source: ours.
pub(crate) fn names_differ(name: &str, arn: &str) -> Error {
    Error::InvalidArgument(format!("StreamName {name} does not match StreamARN {arn}."))
}

/// Source: ours.
pub(crate) fn consumers_differ() -> Error {
    let text = "ConsumerARN does not match StreamARN and ConsumerName.";
    Error::InvalidArgument(text.into())
}

/// Source: ours.
pub(crate) fn other_region(arn: &str, region: &Region) -> Error {
    Error::InvalidArgument(format!(
        "The ARN {arn} is of another region than the request, which is signed for {region}."
    ))
}

/// An ARN of nothing that this server has.
///
/// Source: ours.
pub(crate) fn resource_not_found(arn: &str) -> Error {
    Error::ResourceNotFound(format!("Resource {arn} not found."))
}

/// Of `ListShards`.
///
/// Source: observed (kinesalite's suite).
pub(crate) fn nothing_to_list() -> Error {
    Error::InvalidArgument("Either NextToken or StreamName should be provided.".into())
}

/// Source: observed (harlow/kinesis-consumer 109, aws-cli 9635, beam 33478).
pub(crate) fn beside_next_token(member: &str) -> Error {
    Error::InvalidArgument(format!("NextToken and {member} cannot be provided together."))
}

/// Source: ours.
pub(crate) fn next_token_malformed() -> Error {
    Error::InvalidArgument("The NextToken is invalid.".into())
}

/// Source: ours.
pub(crate) fn next_token_of_another() -> Error {
    Error::InvalidArgument("The NextToken is not of this listing.".into())
}

/// Source: ours.
pub(crate) fn next_token_expired() -> Error {
    Error::ExpiredNextToken("The NextToken has expired.".into())
}

/// Source: ours.
pub(crate) fn filter_needs(kind: &str, member: &str) -> Error {
    Error::InvalidArgument(format!("ShardFilter of type {kind} needs the parameter {member}."))
}
