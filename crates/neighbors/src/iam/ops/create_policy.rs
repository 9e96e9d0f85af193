//! `CreatePolicy`.

use super::{holders, shapes};
use crate::iam::errors::Result;
use crate::iam::policy_name::PolicyName;
use crate::iam::rows::{PolicyRow, VersionRow};
use crate::iam::service::{Iam, authorize};
use crate::iam::{documents, ids, texts};
use api::iam::{CreatePolicyRequest, CreatePolicyResponse};
use base::Cx;
use std::collections::BTreeMap;

/// Makes a managed policy with its first version.
///
/// # Errors
/// `EntityAlreadyExists`, `MalformedPolicyDocument`, `LimitExceeded`, `InvalidInput`,
/// `AccessDenied`; what the store says.
pub(super) async fn create_policy(
    service: Iam,
    cx: Cx,
    input: CreatePolicyRequest,
) -> Result<CreatePolicyResponse> {
    let (inner, name) = (&service.inner, input.policy_name.as_str());
    let path = input.path.as_deref().unwrap_or("/");
    let named = PolicyName::local(cx.account, path, name);
    authorize(&cx, "CreatePolicy", &named.arn(cx.partition))?;
    documents::managed(&input.policy_document)?;
    let tags = holders::read_tags("Policy", input.tags.as_deref().unwrap_or_default())?;
    if inner.policy(cx.account, name).is_some() {
        return Err(texts::policy_exists(name));
    }
    let most = inner.options.policies_max;
    if inner.list_policies(cx.account).len() >= most {
        return Err(texts::quota("PoliciesPerAccount", most));
    }
    let now_ms = service.now_ms();
    let version = VersionRow { document: input.policy_document.to_string(), created_ms: now_ms };
    let row = PolicyRow {
        name: name.to_owned(),
        path: path.to_owned(),
        id: ids::new_id(&*inner.env.rng, "ANPA"),
        partition: cx.partition.to_owned(),
        description: input.description.as_ref().map(ToString::to_string),
        tags,
        created_ms: now_ms,
        updated_ms: now_ms,
        versions: BTreeMap::from([(1, version)]),
        default: 1,
        next: 2,
    };
    inner.put_policy(&cx, row).await?;
    let policy = inner.managed(&named).map(|managed| shapes::new_policy(&cx, &managed));
    Ok(CreatePolicyResponse { policy })
}
