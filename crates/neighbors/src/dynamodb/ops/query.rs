//! `Query`.

use super::shapes::{Used, consumed, projection};
use crate::dynamodb::errors::Result;
use crate::dynamodb::expression::{
    KeyCondition, Kind, Parameters, Projection, check_one_style, conditions, key_conditions,
};
use crate::dynamodb::page::{self, Wanted};
use crate::dynamodb::service::DynamoDb;
use crate::dynamodb::table::Source;
use crate::dynamodb::texts;
use crate::dynamodb::value::{read_item, show_item};
use api::dynamodb::{QueryInput, QueryOutput, Select};
use base::Cx;
use store::Order;

/// Reads the items of one partition of a table or an index, in the order of their sort keys.
///
/// # Errors
/// `ResourceNotFound` no such table; `Validation`; `Throttling` answers on their way take all the
/// client's memory.
pub(super) async fn query(db: &DynamoDb, cx: &Cx, input: QueryInput) -> Result<QueryOutput> {
    check_style(&input)?;
    let index = input.index_name.as_deref();
    let table = db.live_source(cx, "Query", &input.table_name, index)?;
    let state = table.state();
    let source = Source::new(&state, input.index_name.as_deref())?;
    let keys = source.schema().names();
    let expressions =
        [&input.key_condition_expression, &input.filter_expression, &input.projection_expression];
    let has_none = expressions.iter().all(|expression| expression.is_none());
    let missing = has_none.then_some("KeyConditionExpression is null");
    let (names, values) = (input.expression_attribute_names, input.expression_attribute_values);
    let parameters = Parameters::new(names, values, missing)?;
    let condition = match (&input.key_condition_expression, input.key_conditions) {
        (Some(text), _) => {
            let condition = parameters.condition(Kind::KeyCondition, text)?;
            KeyCondition::of_expression(condition, keys)?
        }
        (None, Some(conditions)) => key_conditions(conditions, keys)?,
        (None, None) => return Err(texts::no_key_condition()),
    };
    let filter = match &input.filter_expression {
        Some(text) => Some(parameters.condition(Kind::Filter, text)?),
        None => conditions(input.query_filter, input.conditional_operator)?,
    };
    if let Some(key) = filter.as_ref().and_then(|filter| filter.names_of(source.schema())) {
        return Err(texts::filter_of_key(&key));
    }
    let expression = input.projection_expression.as_ref();
    let projection = projection(&parameters, expression, input.attributes_to_get)?;
    parameters.check_used()?;
    check_select(input.select, &projection, &source, input.index_name.as_deref())?;
    check_consistency(input.consistent_read, input.index_name.is_some())?;
    let order = match input.scan_index_forward {
        Some(false) => Order::Backward,
        Some(true) | None => Order::Forward,
    };
    let mut wanted = Wanted {
        run: source.run(&condition)?,
        order,
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
    Ok(QueryOutput {
        items: (input.select != Some(Select::Count)).then_some(items),
        count: Some(page.count as i32),
        scanned_count: Some(page.scanned as i32),
        last_evaluated_key: page.last.map(show_item),
        consumed_capacity: consumed(input.return_consumed_capacity, &table, &used),
    })
}

fn check_style(input: &QueryInput) -> Result<()> {
    check_one_style(
        &[
            ("AttributesToGet", input.attributes_to_get.is_some()),
            ("QueryFilter", input.query_filter.is_some()),
            ("ConditionalOperator", input.conditional_operator.is_some()),
            ("KeyConditions", input.key_conditions.is_some()),
        ],
        &[
            ("ProjectionExpression", input.projection_expression.is_some()),
            ("FilterExpression", input.filter_expression.is_some()),
            ("KeyConditionExpression", input.key_condition_expression.is_some()),
        ],
    )
}

/// Refuses a choice of attributes that does not go with the rest.
///
/// # Errors
/// `Validation`.
pub(super) fn check_select(
    select: Option<Select>,
    projection: &Projection,
    source: &Source<'_>,
    index: Option<&str>,
) -> Result<()> {
    let is_chosen = *projection != Projection::All;
    match (select, index) {
        (Some(Select::SpecificAttributes), _) if !is_chosen => {
            Err(texts::select_without_projection())
        }
        (Some(select), _) if is_chosen && select != Select::SpecificAttributes => {
            Err(texts::select_with_projection(select.as_str()))
        }
        (Some(Select::AllProjectedAttributes), None) => Err(texts::projected_without_index()),
        (Some(Select::AllAttributes), Some(index)) if source.is_partial() => {
            Err(texts::attributes_of_index(index))
        }
        _ => Ok(()),
    }
}

/// Refuses consistent reads of an index.
///
/// # Errors
/// `Validation`.
pub(super) fn check_consistency(is_consistent: Option<bool>, is_index: bool) -> Result<()> {
    if is_consistent == Some(true) && is_index {
        return Err(texts::consistent_read_of_index());
    }
    Ok(())
}
