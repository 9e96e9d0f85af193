//! `GetCallerIdentity`.

use api::sts::GetCallerIdentityResponse;
use base::Cx;

/// Tells the caller who he is. No policy keeps him from it, as AWS documents.
pub(super) fn get_caller_identity(cx: &Cx) -> GetCallerIdentityResponse {
    GetCallerIdentityResponse {
        user_id: Some(cx.user_id().into()),
        account: Some(cx.account.as_str().into()),
        arn: Some((&*cx.caller_arn).into()),
    }
}
