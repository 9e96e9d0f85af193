//! From rows to the model's shapes.

use crate::iam::documents;
use crate::iam::holder::Live;
use crate::iam::managed::Managed;
use crate::iam::rows::{Entity, RoleRow, UserRow};
use api::iam::{
    AttachedPermissionsBoundary, PermissionsBoundaryAttachmentType, Policy, Role, RoleLastUsed,
    Tag, User,
};
use api::{Text, Timestamp};
use base::Cx;
use kit::Tags;

/// IAM's dates have no fractions (observed).
pub(super) fn date(ms: i64) -> Timestamp {
    Timestamp(ms.div_euclid(1000) * 1000)
}

/// Tags in order of their keys.
pub(super) fn tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: key.into(), value: value.into() }).collect()
}

/// Tags where no tags are no member.
fn some_tags(of: &Tags) -> Option<Vec<Tag>> {
    Some(tags(of)).filter(|tags| !tags.is_empty())
}

fn boundary(entity: &Entity) -> Option<AttachedPermissionsBoundary> {
    let kind = PermissionsBoundaryAttachmentType::Policy;
    entity.boundary.as_ref().map(|name| AttachedPermissionsBoundary {
        permissions_boundary_type: Some(kind),
        permissions_boundary_arn: Some(name.arn(&entity.partition).into()),
    })
}

/// A role as `GetRole` shows it.
pub(super) fn role(role: &Live<RoleRow>) -> Role {
    Role {
        tags: some_tags(&role.entity().tags),
        permissions_boundary: boundary(role.entity()),
        role_last_used: Some(RoleLastUsed::default()),
        ..listed_role(role)
    }
}

/// A role as it is shown when it is made: AWS leaves out how long sessions may be (observed).
pub(super) fn new_role(made: &Live<RoleRow>) -> Role {
    Role { max_session_duration: None, role_last_used: None, ..role(made) }
}

/// A role as lists have it: without tags (observed).
pub(super) fn listed_role(role: &Live<RoleRow>) -> Role {
    let Entity { name, path, id, created_ms, .. } = role.entity();
    Role {
        path: path.as_str().into(),
        role_name: name.as_str().into(),
        role_id: id.as_str().into(),
        arn: role.arn().into(),
        create_date: date(*created_ms),
        assume_role_policy_document: Some(documents::encoded(&role.row.trust)),
        description: role.row.description.as_deref().map(Text::from),
        max_session_duration: Some(role.row.session_seconds_max),
        ..Role::default()
    }
}

/// A user.
pub(super) fn user(user: &Live<UserRow>) -> User {
    User {
        tags: some_tags(&user.entity().tags),
        permissions_boundary: boundary(user.entity()),
        ..listed_user(user)
    }
}

/// A user as lists have it.
pub(super) fn listed_user(user: &Live<UserRow>) -> User {
    let Entity { name, path, id, created_ms, .. } = user.entity();
    User {
        path: path.as_str().into(),
        user_name: name.as_str().into(),
        user_id: id.as_str().into(),
        arn: user.arn().into(),
        create_date: date(*created_ms),
        ..User::default()
    }
}

/// A managed policy as `GetPolicy` shows it. `usage`: how many hold it, and how many it bounds.
pub(super) fn policy(cx: &Cx, managed: &Managed, usage: (i32, i32)) -> Policy {
    Policy {
        description: managed.row.description.as_deref().map(Text::from),
        // A list even without tags (observed).
        tags: Some(tags(&managed.row.tags)),
        ..listed_policy(cx, managed, usage)
    }
}

/// A managed policy as it is shown when it is made.
pub(super) fn new_policy(cx: &Cx, managed: &Managed) -> Policy {
    Policy { tags: some_tags(&managed.row.tags), ..listed_policy(cx, managed, (0, 0)) }
}

/// A managed policy as lists have it.
pub(super) fn listed_policy(cx: &Cx, managed: &Managed, usage: (i32, i32)) -> Policy {
    let row = &managed.row;
    let (attached, bounds) = usage;
    Policy {
        policy_name: Some(row.name.as_str().into()),
        policy_id: Some(row.id.as_str().into()),
        arn: Some(managed.arn(cx).into()),
        path: Some(row.path.as_str().into()),
        default_version_id: Some(super::versions::name(row.default).into()),
        attachment_count: Some(attached),
        permissions_boundary_usage_count: Some(bounds),
        is_attachable: Some(true),
        description: None,
        create_date: Some(date(row.created_ms)),
        update_date: Some(date(row.updated_ms)),
        tags: None,
    }
}
