//! The operations: one file each, and the table that binds them to the wire.

mod assume_role;
mod get_caller_identity;

use super::service::{Result, Sts};
use api::sts::{
    AssumeRoleRequest, AssumeRoleResponse, GetCallerIdentityRequest, GetCallerIdentityResponse,
};
use base::Cx;

impl api::sts::Sts for Sts {
    async fn assume_role(&self, cx: &Cx, input: AssumeRoleRequest) -> Result<AssumeRoleResponse> {
        assume_role::assume_role(self, cx, &input)
    }

    async fn get_caller_identity(
        &self,
        cx: &Cx,
        _: GetCallerIdentityRequest,
    ) -> Result<GetCallerIdentityResponse> {
        Ok(get_caller_identity::get_caller_identity(cx))
    }
}
