//! `ListEntitiesForPolicy`.

use crate::iam::errors::Result;
use crate::iam::holder::{Holder, Kind};
use crate::iam::paging::{Page, Pager};
use crate::iam::policy_name::PolicyName;
use crate::iam::rows::{Entity, RoleRow, UserRow};
use crate::iam::service::Iam;
use api::iam::{
    EntityType, ListEntitiesForPolicyRequest, ListEntitiesForPolicyResponse, PolicyRole,
    PolicyUsageType, PolicyUser,
};
use base::Cx;

/// Lists the roles and the users for whom a managed policy counts, or whom it bounds.
///
/// # Errors
/// `NoSuchEntity`, `InvalidInput`; `Validation` the marker; `AccessDenied`.
pub(super) fn list_entities_for_policy(
    service: &Iam,
    cx: &Cx,
    input: &ListEntitiesForPolicyRequest,
) -> Result<ListEntitiesForPolicyResponse> {
    const OPERATION: &str = "ListEntitiesForPolicy";
    let managed = service.seen_policy(cx, OPERATION, &input.policy_arn)?;
    let pager = Pager::new(service, OPERATION, input.marker.as_ref(), input.max_items)?;
    let wants = |of| input.entity_filter.is_none_or(|filter| filter == of);
    let mut all = Vec::new();
    if wants(EntityType::Role) {
        all.extend(holders::<RoleRow>(service, cx, input, &managed.name));
    }
    if wants(EntityType::User) {
        all.extend(holders::<UserRow>(service, cx, input, &managed.name));
    }
    let place = |(kind, entity): &(Kind, Entity)| {
        format!("{}/{}", kind.word(), entity.name.to_ascii_lowercase())
    };
    let Page { items, is_truncated, marker } = pager.cut(all, place);
    let (mut policy_roles, mut policy_users) = (Vec::new(), Vec::new());
    for (kind, Entity { name, id, .. }) in items {
        let (name, id) = (Some(name.into()), Some(id.into()));
        match kind {
            Kind::Role => policy_roles.push(PolicyRole { role_name: name, role_id: id }),
            Kind::User => policy_users.push(PolicyUser { user_name: name, user_id: id }),
        }
    }
    Ok(ListEntitiesForPolicyResponse {
        policy_groups: Some(Vec::new()),
        policy_users: Some(policy_users),
        policy_roles: Some(policy_roles),
        is_truncated,
        marker,
    })
}

fn holders<R: Holder>(
    service: &Iam,
    cx: &Cx,
    input: &ListEntitiesForPolicyRequest,
    name: &PolicyName,
) -> Vec<(Kind, Entity)> {
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let is_one = |entity: &Entity| {
        let (holds, is_bound) =
            (entity.attached.contains(name), entity.boundary.as_ref() == Some(name));
        let counts = match input.policy_usage_filter {
            Some(PolicyUsageType::PermissionsPolicy) => holds,
            Some(PolicyUsageType::PermissionsBoundary) => is_bound,
            None => holds || is_bound,
        };
        counts && entity.path.starts_with(prefix)
    };
    let all = service.inner.list::<R>(cx.account);
    let of_policy = all.iter().map(|live| live.entity()).filter(|entity| is_one(entity));
    of_policy.map(|entity| (R::KIND, entity.clone())).collect()
}
