//! What is wrong of items, keys and values, and what became of a request.

use super::INVALID;
use crate::dynamodb::number::NumberTrouble;
use crate::dynamodb::value::{Item, show_item};
use api::dynamodb::{
    CancellationReason, ConditionalCheckFailedException, Error, TransactionCanceledException,
};

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn value_empty() -> Error {
    Error::Validation(
        "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
            .into(),
    )
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn value_ambiguous() -> Error {
    Error::Validation(
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the \
         supported datatypes"
            .into(),
    )
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn null_is_true() -> Error {
    invalid("Null attribute value types must have the value of true")
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn too_deep() -> Error {
    Error::Validation(
        "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels \
         beyond supported limit"
            .into(),
    )
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn no_number(trouble: NumberTrouble, text: &str) -> Error {
    let range = |end: &str, size: &str| {
        format!(
            "Number {end}. Attempting to store a number with magnitude {size} than supported range"
        )
    };
    Error::Validation(match trouble {
        NumberTrouble::NotNumeric if text.is_empty() => {
            "The parameter cannot be converted to a numeric value".into()
        }
        NumberTrouble::NotNumeric => {
            format!("The parameter cannot be converted to a numeric value: {text}")
        }
        NumberTrouble::TooManyDigits => {
            "Attempting to store more than 38 significant digits in a Number".into()
        }
        NumberTrouble::Overflow => range("overflow", "larger"),
        NumberTrouble::Underflow => range("underflow", "smaller"),
    })
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn set_empty(set: &str) -> Error {
    invalid(&format!("{set} may not be empty"))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn binary_set_empty() -> Error {
    invalid("Binary sets should not be empty")
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn set_repeats(members: &str) -> Error {
    invalid(&format!("Input collection [{members}] contains duplicates."))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn number_set_repeats() -> Error {
    Error::Validation("Input collection contains duplicates".into())
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn binary_set_repeats(members: &str) -> Error {
    invalid(&format!("Input collection [{members}]of type BS contains duplicates."))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn item_too_large() -> Error {
    Error::Validation("Item size has exceeded the maximum allowed size".into())
}

/// After an update.
///
/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn updated_item_too_large() -> Error {
    Error::Validation("Item size to update has exceeded the maximum allowed size".into())
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn key_missing(name: &str) -> Error {
    invalid(&format!("Missing the key {name} in the item"))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn key_type(name: &str, wanted: &str, got: &str) -> Error {
    invalid(&format!("Type mismatch for key {name} expected: {wanted} actual: {got}"))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn index_key_type(
    name: &str,
    wanted: &str,
    got: &str,
    index: &str,
) -> Error {
    invalid(&format!(
        "Type mismatch for Index Key {name} Expected: {wanted} Actual: {got} IndexName: {index}"
    ))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn key_mismatch() -> Error {
    Error::Validation("The provided key element does not match the schema".into())
}

/// Source: observed (aws-sdk-js 833, since 2020).
pub(in crate::dynamodb) fn key_empty(name: &str, kind: &str) -> Error {
    Error::Validation(format!(
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot \
         contain an empty {kind} value. Key: {name}"
    ))
}

/// `bytes_max` tells of which key, as partition keys are longer.
///
/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn key_too_long(bytes_max: usize) -> Error {
    match bytes_max {
        2048 => invalid("Size of hashkey has exceeded the maximum size limit of2048 bytes"),
        _ => invalid("Aggregated size of all range keys has exceeded the size limit of 1024 bytes"),
    }
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn key_updated(name: &str) -> Error {
    invalid(&format!("Cannot update attribute {name}. This attribute is part of the key"))
}

/// `old`: the item, when the request asks for it and there is one.
///
/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn condition_failed(old: Option<Item>) -> Error {
    const TEXT: &str = "The conditional request failed";
    match old {
        None => Error::ConditionalCheckFailed(TEXT.into()),
        Some(old) => Error::ConditionalCheckFailedWith(Box::new(ConditionalCheckFailedException {
            message: Some(TEXT.into()),
            item: Some(show_item(old)),
        })),
    }
}

/// A write met others of the same item again and again; SDKs try again.
///
/// Source: observed (the words of a write that meets a transaction).
pub(in crate::dynamodb) fn write_conflict() -> Error {
    Error::TransactionConflict("Transaction is ongoing for the item".into())
}

/// `reasons`: one for each action, those that did not fail with the code `None`.
///
/// Source: observed (dynoxide's and moto's recorded forms).
pub(in crate::dynamodb) fn transaction_canceled(reasons: Vec<CancellationReason>) -> Error {
    let codes: Vec<_> = reasons.iter().map(|one| one.code.as_deref().unwrap_or("None")).collect();
    let message = format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    );
    Error::TransactionCanceledWith(Box::new(TransactionCanceledException {
        message: Some(message.into()),
        cancellation_reasons: Some(reasons),
    }))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn transaction_same_item() -> Error {
    Error::Validation("Transaction request cannot include multiple operations on one item".into())
}

/// Source: model.
pub(in crate::dynamodb) fn token_reused() -> Error {
    Error::IdempotentParameterMismatch(
        "The request uses the same client token as a previous, but non-identical request.".into(),
    )
}

/// An action of a transaction names none or several operations.
///
/// Source: observed (moto).
pub(in crate::dynamodb) fn transaction_one_operation() -> Error {
    Error::Validation("TransactItems can only contain one of Check, Put, Update or Delete".into())
}

/// All items of this server together are as many bytes as it keeps.
///
/// Source: ours.
pub(in crate::dynamodb) fn no_room() -> Error {
    Error::RequestLimitExceeded(
        "The items of this server take all the room that `dynamodb.items_bytes_max` gives them."
            .into(),
    )
}

/// Of a put or a delete.
///
/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn return_values() -> Error {
    Error::Validation("ReturnValues can only be ALL_OLD or NONE".into())
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn start_key_invalid() -> Error {
    Error::Validation("The provided starting key is invalid".into())
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn start_key_outside() -> Error {
    Error::Validation(
        "The provided starting key is outside query boundaries based on provided conditions".into(),
    )
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn segment_required() -> Error {
    Error::Validation(
        "The Segment parameter is required but was not present in the request when parameter \
         TotalSegments is present"
            .into(),
    )
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn total_segments_required() -> Error {
    Error::Validation(
        "The TotalSegments parameter is required but was not present in the request when Segment \
         parameter is present"
            .into(),
    )
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn segment_too_large(segment: i32, total: i32) -> Error {
    Error::Validation(format!(
        "The Segment parameter is zero-based and must be less than parameter TotalSegments: \
         Segment: {segment} is not less than TotalSegments: {total}"
    ))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn consistent_read_of_index() -> Error {
    Error::Validation("Consistent reads are not supported on global secondary indexes".into())
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn condition_type() -> Error {
    invalid("Condition parameter type does not match schema type")
}

/// `update`: whether an update made it so.
///
/// Source: observed (aws-sdk-js 833, since 2020).
pub(in crate::dynamodb) fn index_key_empty(
    index: &str,
    key: &str,
    kind: &str,
    update: bool,
) -> Error {
    const START: &str = "One or more parameter values are not valid.";
    let value =
        format!("The AttributeValue for a key attribute cannot contain an empty {kind} value.");
    Error::Validation(if update {
        format!(
            "{START} The update expression attempted to update a secondary index key to a value \
             that is not supported. {value}"
        )
    } else {
        format!(
            "{START} A value specified for a secondary index key is not supported. {value} \
             IndexName: {index}, IndexKey: {key}"
        )
    })
}

fn invalid(why: &str) -> Error {
    Error::Validation(format!("{INVALID}{why}"))
}
