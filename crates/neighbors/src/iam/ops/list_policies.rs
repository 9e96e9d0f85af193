//! `ListPolicies`.

use super::shapes;
use crate::iam::built_in;
use crate::iam::errors::Result;
use crate::iam::managed::Managed;
use crate::iam::paging::{Page, Pager};
use crate::iam::policy_name::{Owner, PolicyName};
use crate::iam::rows::{Entity, RoleRow, UserRow};
use crate::iam::service::{Iam, authorize};
use api::iam::{ListPoliciesRequest, ListPoliciesResponse, PolicyUsageType, policyScopeType};
use base::Cx;
use std::collections::HashMap;
use std::sync::Arc;

/// How many hold each policy, and for how many each is the boundary.
type Usage = HashMap<PolicyName, (i32, i32)>;

/// Lists managed policies, the account's and AWS's, in order of their names.
///
/// # Errors
/// `Validation` the marker; `AccessDenied`.
pub(super) fn list_policies(
    service: &Iam,
    cx: &Cx,
    input: &ListPoliciesRequest,
) -> Result<ListPoliciesResponse> {
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    authorize(cx, "ListPolicies", &format!("policy path {prefix}"))?;
    let pager = Pager::new(service, "ListPolicies", input.marker.as_ref(), input.max_items)?;
    let mut all: Vec<Arc<Managed>> = Vec::new();
    let scope = input.scope.unwrap_or_default();
    if scope != policyScopeType::Aws {
        all.extend(service.inner.list_policies(cx.account));
    }
    if scope != policyScopeType::Local {
        all.extend(built_in::list());
    }
    let usage = usage(service, cx);
    let of = |managed: &Managed| usage.get(&managed.name).copied().unwrap_or_default();
    all.retain(|managed| {
        let (attached, bounds) = of(managed);
        let is_used = match input.policy_usage_filter {
            Some(PolicyUsageType::PermissionsPolicy) => attached > 0,
            Some(PolicyUsageType::PermissionsBoundary) => bounds > 0,
            None => input.only_attached != Some(true) || attached > 0,
        };
        is_used && managed.row.path.starts_with(prefix)
    });
    all.sort_by_key(|managed| place(managed));
    let Page { items, is_truncated, marker } = pager.cut(all, |managed| place(managed));
    let policies = items.iter().map(|managed| shapes::listed_policy(cx, managed, of(managed)));
    Ok(ListPoliciesResponse { policies: Some(policies.collect()), is_truncated, marker })
}

/// By name; an account may have a policy with the name of one of AWS's.
fn place(managed: &Managed) -> String {
    let is_local = matches!(managed.name.owner(), Some(Owner::Account(_)));
    format!("{}/{}", managed.row.name.to_ascii_lowercase(), u8::from(is_local))
}

fn usage(service: &Iam, cx: &Cx) -> Usage {
    let mut usage = Usage::new();
    let mut count = |entity: &Entity| {
        for name in &entity.attached {
            usage.entry(name.clone()).or_default().0 += 1;
        }
        if let Some(name) = &entity.boundary {
            usage.entry(name.clone()).or_default().1 += 1;
        }
    };
    service.inner.list::<RoleRow>(cx.account).iter().for_each(|role| count(role.entity()));
    service.inner.list::<UserRow>(cx.account).iter().for_each(|user| count(user.entity()));
    usage
}
