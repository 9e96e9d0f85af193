//! `CreateRole`.

use super::{holders, shapes};
use crate::iam::documents;
use crate::iam::errors::Result;
use crate::iam::holder::Change;
use crate::iam::rows::RoleRow;
use crate::iam::service::Iam;
use api::iam::{CreateRoleRequest, CreateRoleResponse};
use base::Cx;

/// Longest session of a role that says nothing else (model's documentation).
const SESSION_SECONDS_MAX: i32 = 3600;

/// Makes a role.
///
/// # Errors
/// `EntityAlreadyExists`, `MalformedPolicyDocument` the trust policy, `NoSuchEntity` the boundary,
/// `LimitExceeded`, `InvalidInput`, `AccessDenied`; what the store says.
pub(super) async fn create_role(
    service: Iam,
    cx: Cx,
    input: CreateRoleRequest,
) -> Result<CreateRoleResponse> {
    let asked = holders::Asked {
        action: "CreateRole",
        id_prefix: "AROA",
        most: service.inner.options.roles_max,
        name: &input.role_name,
        path: input.path.as_deref(),
        boundary: input.permissions_boundary.as_deref(),
        tags: input.tags.as_deref(),
    };
    let entity = holders::new_entity::<RoleRow>(&service, &cx, &asked)?;
    let trust = input.assume_role_policy_document.to_string();
    documents::trust(&trust)?;
    let description = input.description.as_ref().map(ToString::to_string);
    let session_seconds_max = input.max_session_duration.unwrap_or(SESSION_SECONDS_MAX);
    let row = RoleRow { entity, trust, description, session_seconds_max };
    let change = Change { account: cx.account, before: None, after: Some(&row) };
    service.inner.change(&cx, change).await?;
    let role = service.asked::<RoleRow>(&cx, "CreateRole", &input.role_name)?;
    Ok(CreateRoleResponse { role: shapes::new_role(&role) })
}
