//! `Scan`.

use super::query::{check_consistency, check_select};
use super::shapes::{Used, consumed, projection};
use crate::dynamodb::errors::Result;
use crate::dynamodb::expression::{Kind, Parameters, check_one_style, conditions};
use crate::dynamodb::key::segment;
use crate::dynamodb::page::{self, Wanted};
use crate::dynamodb::service::DynamoDb;
use crate::dynamodb::table::Source;
use crate::dynamodb::texts;
use crate::dynamodb::value::{read_item, show_item};
use api::dynamodb::{ScanInput, ScanOutput, Select};
use base::Cx;
use store::{Keys, Order};

/// Reads all items of a table or an index, or of one of its segments, in the order of their hashes.
///
/// # Errors
/// As `Query`.
pub(super) async fn scan(db: &DynamoDb, cx: &Cx, input: ScanInput) -> Result<ScanOutput> {
    check_style(&input)?;
    let run = run(input.segment, input.total_segments)?;
    let has_none = input.filter_expression.is_none() && input.projection_expression.is_none();
    let missing = has_none.then_some("FilterExpression is null");
    let (names, values) = (input.expression_attribute_names, input.expression_attribute_values);
    let parameters = Parameters::new(names, values, missing)?;
    let filter = match &input.filter_expression {
        Some(text) => Some(parameters.condition(Kind::Filter, text)?),
        None => conditions(input.scan_filter, input.conditional_operator)?,
    };
    let expression = input.projection_expression.as_ref();
    let projection = projection(&parameters, expression, input.attributes_to_get)?;
    parameters.check_used()?;
    let index = input.index_name.as_deref();
    let table = db.live_source(cx, "Scan", &input.table_name, index)?;
    let state = table.state();
    let source = Source::new(&state, input.index_name.as_deref())?;
    check_select(input.select, &projection, &source, input.index_name.as_deref())?;
    check_consistency(input.consistent_read, input.index_name.is_some())?;
    let mut wanted = Wanted {
        run,
        order: Order::Forward,
        limit: input.limit.map(i32::cast_unsigned).map(|limit| limit as usize),
        filter,
        projection,
        counts_only: input.select == Some(Select::Count),
    };
    if let Some(key) = input.exclusive_start_key {
        wanted.go_on(&source.place(&read_item(key)?)?)?;
    }
    let page = page::read(&db.inner, cx, &source, wanted).await?;
    let is_consistent = input.consistent_read == Some(true);
    let used = Used::page(page.bytes, input.index_name.as_ref(), is_consistent);
    let items = page.items.into_iter().map(show_item).collect();
    Ok(ScanOutput {
        items: (input.select != Some(Select::Count)).then_some(items),
        count: Some(page.count as i32),
        scanned_count: Some(page.scanned as i32),
        last_evaluated_key: page.last.map(show_item),
        consumed_capacity: consumed(input.return_consumed_capacity, &table, &used),
    })
}

fn check_style(input: &ScanInput) -> Result<()> {
    check_one_style(
        &[
            ("AttributesToGet", input.attributes_to_get.is_some()),
            ("ScanFilter", input.scan_filter.is_some()),
            ("ConditionalOperator", input.conditional_operator.is_some()),
        ],
        &[
            ("ProjectionExpression", input.projection_expression.is_some()),
            ("FilterExpression", input.filter_expression.is_some()),
        ],
    )
}

fn run(number: Option<i32>, total: Option<i32>) -> Result<Keys> {
    match (number, total) {
        (None, None) => Ok(Keys::default()),
        (Some(_), None) => Err(texts::total_segments_required()),
        (None, Some(_)) => Err(texts::segment_required()),
        (Some(number), Some(total)) if number >= total => {
            Err(texts::segment_too_large(number, total))
        }
        (Some(number), Some(total)) => Ok(segment(number.cast_unsigned(), total.cast_unsigned())),
    }
}
