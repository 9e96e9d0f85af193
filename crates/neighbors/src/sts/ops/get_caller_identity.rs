//! `GetCallerIdentity`.

use crate::sts::service::Sts;
use api::sts::GetCallerIdentityResponse;
use base::Cx;

/// Tells the caller who he is. No policy keeps him from it, as AWS documents.
pub(super) fn get_caller_identity(service: &Sts, cx: &Cx) -> GetCallerIdentityResponse {
    GetCallerIdentityResponse {
        user_id: Some(service.inner.iam.caller_id(cx).into()),
        account: Some(cx.account.as_str().into()),
        arn: Some((&*cx.caller_arn).into()),
    }
}
