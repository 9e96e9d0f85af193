//! The operations: one file each, and the table that binds them to the wire.
//!
//! Reads look at what is; changes run one after another and to their end.

mod attach_role_policy;
mod attach_user_policy;
mod create_access_key;
mod create_policy;
mod create_policy_version;
mod create_role;
mod create_user;
mod delete_access_key;
mod delete_policy;
mod delete_policy_version;
mod delete_role;
mod delete_role_permissions_boundary;
mod delete_role_policy;
mod delete_user;
mod delete_user_policy;
mod detach_role_policy;
mod detach_user_policy;
mod get_access_key_last_used;
mod get_policy;
mod get_policy_version;
mod get_role;
mod get_role_policy;
mod get_user;
mod get_user_policy;
mod holders;
mod list_access_keys;
mod list_attached_role_policies;
mod list_attached_user_policies;
mod list_entities_for_policy;
mod list_groups_for_user;
mod list_instance_profiles_for_role;
mod list_policies;
mod list_policy_tags;
mod list_policy_versions;
mod list_role_policies;
mod list_role_tags;
mod list_roles;
mod list_user_policies;
mod list_user_tags;
mod list_users;
mod put_role_permissions_boundary;
mod put_role_policy;
mod put_user_policy;
mod set_default_policy_version;
mod shapes;
mod tag_policy;
mod tag_role;
mod tag_user;
mod untag_policy;
mod untag_role;
mod untag_user;
mod update_access_key;
mod update_assume_role_policy;
mod update_role;
mod update_role_description;
mod update_user;
mod versions;

use super::errors::Result;
#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "the table below names every operation's shapes")
)]
use api::iam::*;
use base::Cx;

macro_rules! reads {
    ($($op:ident($input:ty) -> $output:ty;)*) => {$(
        async fn $op(&self, cx: &Cx, input: $input) -> Result<$output> {
            $op::$op(self, cx, &input)
        }
    )*};
}

macro_rules! changes {
    ($($op:ident($input:ty) -> $output:ty;)*) => {$(
        async fn $op(&self, cx: &Cx, input: $input) -> Result<$output> {
            self.make(cx, input, $op::$op).await
        }
    )*};
}

impl api::iam::Iam for super::service::Iam {
    reads! {
        get_access_key_last_used(GetAccessKeyLastUsedRequest) -> GetAccessKeyLastUsedResponse;
        get_policy(GetPolicyRequest) -> GetPolicyResponse;
        get_policy_version(GetPolicyVersionRequest) -> GetPolicyVersionResponse;
        get_role(GetRoleRequest) -> GetRoleResponse;
        get_role_policy(GetRolePolicyRequest) -> GetRolePolicyResponse;
        get_user(GetUserRequest) -> GetUserResponse;
        get_user_policy(GetUserPolicyRequest) -> GetUserPolicyResponse;
        list_access_keys(ListAccessKeysRequest) -> ListAccessKeysResponse;
        list_attached_role_policies(ListAttachedRolePoliciesRequest)
            -> ListAttachedRolePoliciesResponse;
        list_attached_user_policies(ListAttachedUserPoliciesRequest)
            -> ListAttachedUserPoliciesResponse;
        list_entities_for_policy(ListEntitiesForPolicyRequest) -> ListEntitiesForPolicyResponse;
        list_groups_for_user(ListGroupsForUserRequest) -> ListGroupsForUserResponse;
        list_instance_profiles_for_role(ListInstanceProfilesForRoleRequest)
            -> ListInstanceProfilesForRoleResponse;
        list_policies(ListPoliciesRequest) -> ListPoliciesResponse;
        list_policy_tags(ListPolicyTagsRequest) -> ListPolicyTagsResponse;
        list_policy_versions(ListPolicyVersionsRequest) -> ListPolicyVersionsResponse;
        list_role_policies(ListRolePoliciesRequest) -> ListRolePoliciesResponse;
        list_role_tags(ListRoleTagsRequest) -> ListRoleTagsResponse;
        list_roles(ListRolesRequest) -> ListRolesResponse;
        list_user_policies(ListUserPoliciesRequest) -> ListUserPoliciesResponse;
        list_user_tags(ListUserTagsRequest) -> ListUserTagsResponse;
        list_users(ListUsersRequest) -> ListUsersResponse;
    }

    changes! {
        attach_role_policy(AttachRolePolicyRequest) -> ();
        attach_user_policy(AttachUserPolicyRequest) -> ();
        create_access_key(CreateAccessKeyRequest) -> CreateAccessKeyResponse;
        create_policy(CreatePolicyRequest) -> CreatePolicyResponse;
        create_policy_version(CreatePolicyVersionRequest) -> CreatePolicyVersionResponse;
        create_role(CreateRoleRequest) -> CreateRoleResponse;
        create_user(CreateUserRequest) -> CreateUserResponse;
        delete_access_key(DeleteAccessKeyRequest) -> ();
        delete_policy(DeletePolicyRequest) -> ();
        delete_policy_version(DeletePolicyVersionRequest) -> ();
        delete_role(DeleteRoleRequest) -> ();
        delete_role_permissions_boundary(DeleteRolePermissionsBoundaryRequest) -> ();
        delete_role_policy(DeleteRolePolicyRequest) -> ();
        delete_user(DeleteUserRequest) -> ();
        delete_user_policy(DeleteUserPolicyRequest) -> ();
        detach_role_policy(DetachRolePolicyRequest) -> ();
        detach_user_policy(DetachUserPolicyRequest) -> ();
        put_role_permissions_boundary(PutRolePermissionsBoundaryRequest) -> ();
        put_role_policy(PutRolePolicyRequest) -> ();
        put_user_policy(PutUserPolicyRequest) -> ();
        set_default_policy_version(SetDefaultPolicyVersionRequest) -> ();
        tag_policy(TagPolicyRequest) -> ();
        tag_role(TagRoleRequest) -> ();
        tag_user(TagUserRequest) -> ();
        untag_policy(UntagPolicyRequest) -> ();
        untag_role(UntagRoleRequest) -> ();
        untag_user(UntagUserRequest) -> ();
        update_access_key(UpdateAccessKeyRequest) -> ();
        update_assume_role_policy(UpdateAssumeRolePolicyRequest) -> ();
        update_role(UpdateRoleRequest) -> UpdateRoleResponse;
        update_role_description(UpdateRoleDescriptionRequest) -> UpdateRoleDescriptionResponse;
        update_user(UpdateUserRequest) -> ();
    }
}
