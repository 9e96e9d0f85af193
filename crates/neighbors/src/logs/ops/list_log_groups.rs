//! `ListLogGroups`.

use super::describe_log_groups::class_of;
use super::shapes;
use crate::logs::access::authorize_listing;
use crate::logs::errors::Result;
use crate::logs::groups::Group;
use crate::logs::service::Logs;
use crate::logs::texts;
use api::logs::{ListLogGroupsRequest, ListLogGroupsResponse, LogGroupSummary};
use base::Cx;
use std::sync::Arc;

/// Lists the groups of an account in a region, by their names.
///
/// # Errors
/// `InvalidParameter`; `AccessDenied`.
pub(super) fn list_log_groups(
    service: &Logs,
    cx: &Cx,
    input: &ListLogGroupsRequest,
) -> Result<ListLogGroupsResponse> {
    authorize_listing(cx, "ListLogGroups")?;
    refuse(input)?;
    let mut groups = service.inner.groups.list(cx.account, &cx.region);
    if let Some(pattern) = &input.log_group_name_pattern {
        groups.retain(|group| pattern.split('|').any(|part| fits(part, &group.id.name)));
    }
    if let Some(class) = input.log_group_class {
        groups.retain(|group| class_of(group) == class);
    }
    let scope = (service, format!("list/{}/{}", cx.account, cx.region));
    let token = (input.next_token.as_ref(), input.limit);
    let (groups, next_token) =
        shapes::page(scope, token, groups, |group| group.id.name.to_string())?;
    let summary = |group: &Arc<Group>| LogGroupSummary {
        log_group_name: Some((*group.id.name).into()),
        log_group_arn: Some(group.id.arn().into()),
        log_group_class: Some(class_of(group)),
    };
    let log_groups = Some(groups.iter().map(summary).collect());
    Ok(ListLogGroupsResponse { log_groups, next_token })
}

/// Whether a name has a part of the pattern in it, or, behind `^`, begins with it.
fn fits(part: &str, name: &str) -> bool {
    match part.strip_prefix('^') {
        Some(prefix) => name.starts_with(prefix),
        None => name.contains(part),
    }
}

fn refuse(refused: &ListLogGroupsRequest) -> Result<()> {
    for (is_there, name) in [
        (refused.include_linked_accounts == Some(true), "includeLinkedAccounts"),
        (refused.account_identifiers.is_some(), "accountIdentifiers"),
        (refused.data_sources.is_some(), "dataSources"),
        (refused.field_index_names.is_some(), "fieldIndexNames"),
        (refused.log_group_tags.is_some(), "logGroupTags"),
    ] {
        if is_there {
            return Err(texts::unsupported(name));
        }
    }
    Ok(())
}
