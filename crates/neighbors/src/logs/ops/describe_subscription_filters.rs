//! `DescribeSubscriptionFilters`.

use super::shapes;
use crate::logs::errors::Result;
use crate::logs::filters::Filter;
use crate::logs::service::Logs;
use api::logs::{
    DescribeSubscriptionFiltersRequest, DescribeSubscriptionFiltersResponse, Distribution,
    SubscriptionFilter,
};
use base::Cx;
use std::sync::Arc;

/// Describes the subscription filters of a group, by their names.
///
/// # Errors
/// `ResourceNotFound`; `InvalidParameter`; `AccessDenied`.
pub(super) fn describe_subscription_filters(
    service: &Logs,
    cx: &Cx,
    input: &DescribeSubscriptionFiltersRequest,
) -> Result<DescribeSubscriptionFiltersResponse> {
    let group = service.inner.group(cx, "DescribeSubscriptionFilters", &input.log_group_name)?;
    let mut filters = group.filters();
    if let Some(prefix) = &input.filter_name_prefix {
        filters.retain(|filter| filter.name.starts_with(prefix.as_str()));
    }
    let scope = (service, format!("filters/{}", group.id.arn()));
    let token = (input.next_token.as_ref(), input.limit);
    let (filters, next_token) =
        shapes::page(scope, token, filters, |filter| filter.name.to_string())?;
    let subscription_filters = Some(filters.iter().map(described).collect());
    Ok(DescribeSubscriptionFiltersResponse { subscription_filters, next_token })
}

fn described(filter: &Arc<Filter>) -> SubscriptionFilter {
    let wants = filter.wants();
    let row = &wants.row;
    let distribution = if row.is_random { Distribution::Random } else { Distribution::ByLogStream };
    SubscriptionFilter {
        filter_name: Some((*row.name).into()),
        log_group_name: Some((*row.group).into()),
        filter_pattern: Some(row.pattern.as_str().into()),
        destination_arn: Some(row.destination_arn.as_str().into()),
        role_arn: Some(row.role_arn.as_str().into()),
        distribution: Some(distribution),
        apply_on_transformed_logs: Some(false),
        creation_time: Some(row.created_ms),
        ..SubscriptionFilter::default()
    }
}
