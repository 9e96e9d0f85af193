//! `DescribeLogGroups`.

use super::shapes;
use crate::logs::access::{authorize_listing, named};
use crate::logs::errors::Result;
use crate::logs::groups::Group;
use crate::logs::service::Logs;
use crate::logs::texts;
use api::logs::{DescribeLogGroupsRequest, DescribeLogGroupsResponse, LogGroup, LogGroupClass};
use base::Cx;
use std::sync::Arc;

/// Describes the groups of an account in a region, by their names.
///
/// # Errors
/// `InvalidParameter`; `AccessDenied`.
pub(super) fn describe_log_groups(
    service: &Logs,
    cx: &Cx,
    input: &DescribeLogGroupsRequest,
) -> Result<DescribeLogGroupsResponse> {
    authorize_listing(cx, "DescribeLogGroups")?;
    if input.log_group_name_prefix.is_some() && input.log_group_name_pattern.is_some() {
        return Err(texts::prefix_and_pattern());
    }
    refuse(cx, input)?;
    let mut groups = service.inner.groups.list(cx.account, &cx.region);
    if let Some(prefix) = &input.log_group_name_prefix {
        groups.retain(|group| group.id.name.starts_with(prefix.as_str()));
    }
    if let Some(pattern) = &input.log_group_name_pattern {
        let pattern = pattern.to_ascii_lowercase();
        groups.retain(|group| group.id.name.to_ascii_lowercase().contains(&pattern));
    }
    if let Some(class) = input.log_group_class {
        groups.retain(|group| class_of(group) == class);
    }
    if let Some(identifiers) = &input.log_group_identifiers {
        let ids = identifiers.iter().map(|identifier| named(cx, None, Some(identifier)));
        let ids = ids.collect::<Result<Vec<_>>>()?;
        groups.retain(|group| ids.contains(&group.id));
    }
    let scope = (service, format!("groups/{}/{}", cx.account, cx.region));
    let token = (input.next_token.as_ref(), input.limit);
    let (groups, next_token) =
        shapes::page(scope, token, groups, |group| group.id.name.to_string())?;
    let log_groups = Some(groups.iter().map(described).collect());
    Ok(DescribeLogGroupsResponse { log_groups, next_token })
}

/// Other accounts have nothing to show.
fn refuse(cx: &Cx, refused: &DescribeLogGroupsRequest) -> Result<()> {
    let accounts = refused.account_identifiers.iter().flatten();
    let is_other = accounts.into_iter().any(|account| account.as_str() != cx.account.as_str());
    if refused.include_linked_accounts == Some(true) || is_other {
        return Err(texts::unsupported("includeLinkedAccounts"));
    }
    Ok(())
}

pub(super) fn class_of(group: &Group) -> LogGroupClass {
    match group.row().is_infrequent {
        true => LogGroupClass::InfrequentAccess,
        false => LogGroupClass::Standard,
    }
}

fn described(group: &Arc<Group>) -> LogGroup {
    let (row, arn) = (group.row(), group.id.arn());
    LogGroup {
        log_group_name: Some((*group.id.name).into()),
        creation_time: Some(row.created_ms),
        retention_in_days: row.retention_days.map(|days| days as i32),
        metric_filter_count: Some(0),
        arn: Some(format!("{arn}:*").into()),
        stored_bytes: Some(group.bytes() as i64),
        log_group_class: Some(class_of(group)),
        log_group_arn: Some(arn.into()),
        deletion_protection_enabled: Some(false),
        ..LogGroup::default()
    }
}
