//! Roles, and what hangs on them.

use crate::house::{cases, run_with};
use base::policy::Context;
use neighbors::iam::{Iam, Options};
use testkit::script::Stage as _;

cases! { Iam
    /// What Terraform does for an `aws_iam_role`.
    a_role_of_terraform: r#"
        let trust {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"firehose.amazonaws.com"},"Action":"sts:AssumeRole"}]}
        let shown %7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22firehose.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D
        CreateRole RoleName=r AssumeRolePolicyDocument='$trust' Path=/a/ Description='a role' Tags=[{Key=k Value=v}] = Role={Path=/a/ RoleName=r RoleId=$id Arn='arn:aws:iam::000000000000:role/a/r' CreateDate=_ AssumeRolePolicyDocument='$shown' Description='a role' MaxSessionDuration=null RoleLastUsed=null PermissionsBoundary=null Tags=[{Key=k Value=v}]}
        GetRole RoleName=r = Role={RoleId=$id Arn='arn:aws:iam::000000000000:role/a/r' AssumeRolePolicyDocument='$shown' Description='a role' MaxSessionDuration=3600 RoleLastUsed={LastUsedDate=null Region=null} Tags=[{Key=k Value=v}]}
        ListRolePolicies RoleName=r = PolicyNames=[] IsTruncated=false Marker=null
        ListAttachedRolePolicies RoleName=r = AttachedPolicies=[] IsTruncated=false
        UpdateRole RoleName=r MaxSessionDuration=43200
        GetRole RoleName=r = Role={MaxSessionDuration=43200 Description='a role'}
        UpdateRoleDescription RoleName=r Description='' = Role={RoleName=r Description='' MaxSessionDuration=43200}
        let other {"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"x"}}}]}
        UpdateAssumeRolePolicy RoleName=r PolicyDocument='$other'
        TagRole RoleName=r Tags=[{Key=l Value=w} {Key=k Value=x}]
        UntagRole RoleName=r TagKeys=[l none]
        ListRoleTags RoleName=r = Tags=[{Key=k Value=x}] IsTruncated=false
        PutRolePermissionsBoundary RoleName=r PermissionsBoundary='arn:aws:iam::aws:policy/ReadOnlyAccess'
        GetRole RoleName=r = Role={PermissionsBoundary={PermissionsBoundaryType=Policy PermissionsBoundaryArn='arn:aws:iam::aws:policy/ReadOnlyAccess'}}
        restart
        GetRole RoleName=r = Role={RoleId=$id Path=/a/ MaxSessionDuration=43200 PermissionsBoundary={PermissionsBoundaryType=Policy} Tags=[{Key=k Value=x}]}
        DeleteRolePermissionsBoundary RoleName=r
        GetRole RoleName=r = Role={PermissionsBoundary=null}
        ListInstanceProfilesForRole RoleName=r = InstanceProfiles=[] IsTruncated=false
        DeleteRole RoleName=r
        GetRole RoleName=r ! NoSuchEntityException: The role with name r cannot be found.
        rows role/ = 0
        CreateRole RoleName=r AssumeRolePolicyDocument='$trust'
        GetRole RoleName=r = Role={RoleId=$another Path=/ Tags=null Description=null}
    "#

    /// What Terraform does for an `aws_iam_role_policy` and an `aws_iam_role_policy_attachment`.
    policies_of_a_role: r#"
        let trust {"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}
        let doc {"Version": "2012-10-17", "Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::a%3Ab/*"}]}
        CreateRole RoleName=r AssumeRolePolicyDocument='$trust'
        PutRolePolicy RoleName=r PolicyName=p PolicyDocument='$doc'
        GetRolePolicy RoleName=r PolicyName=p = RoleName=r PolicyName=p PolicyDocument='%7B%22Version%22%3A%20%222012-10-17%22%2C%20%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22s3%3A%2A%22%2C%22Resource%22%3A%22arn%3Aaws%3As3%3A%3A%3Aa%253Ab%2F%2A%22%7D%5D%7D'
        GetRolePolicy RoleName=r PolicyName=q ! NoSuchEntityException: The role policy with name q cannot be found.
        DeleteRolePolicy RoleName=r PolicyName=q ! NoSuchEntityException: The role policy with name q cannot be found.
        PutRolePolicy RoleName=none PolicyName=p PolicyDocument='$doc' ! NoSuchEntityException: The role with name none cannot be found.
        let managed arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole
        AttachRolePolicy RoleName=r PolicyArn='$managed'
        AttachRolePolicy RoleName=r PolicyArn='$managed'
        AttachRolePolicy RoleName=r PolicyArn='arn:aws:iam::aws:policy/None' ! NoSuchEntityException: Policy arn:aws:iam::aws:policy/None does not exist or is not attachable.
        AttachRolePolicy RoleName=r PolicyArn='arn:aws:s3:::a-bucket-of-mine' ! ValidationException: ARN arn:aws:s3:::a-bucket-of-mine is not valid.
        ListAttachedRolePolicies RoleName=r = AttachedPolicies=[{PolicyName=AWSLambdaBasicExecutionRole PolicyArn='$managed'}] IsTruncated=false
        ListAttachedRolePolicies RoleName=r PathPrefix=/service-role/ = AttachedPolicies=[{}]
        ListAttachedRolePolicies RoleName=r PathPrefix=/x/ = AttachedPolicies=[]
        DeleteRole RoleName=r ! DeleteConflictException: Cannot delete entity, must detach all policies first.
        DetachRolePolicy RoleName=r PolicyArn='$managed'
        DetachRolePolicy RoleName=r PolicyArn='$managed' ! NoSuchEntityException: Policy arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole was not found.
        DetachRolePolicy RoleName=r PolicyArn='arn:aws:s3:::a-bucket-of-mine' ! ValidationException
        DeleteRole RoleName=r ! DeleteConflictException: Cannot delete entity, must delete policies first.
        restart
        ListRolePolicies RoleName=r = PolicyNames=[p]
        DeleteRolePolicy RoleName=r PolicyName=p
        DeleteRole RoleName=r
    "#

    roles_that_cannot_be: r#"
        let trust {"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}
        CreateRole RoleName=Role AssumeRolePolicyDocument='$trust'
        CreateRole RoleName=Role AssumeRolePolicyDocument='$trust' ! EntityAlreadyExistsException: Role with name Role already exists.
        CreateRole RoleName=role AssumeRolePolicyDocument='$trust' ! EntityAlreadyExistsException: Role with name role already exists.
        GetRole RoleName=role ! NoSuchEntityException: The role with name role cannot be found.
        CreateRole RoleName=a AssumeRolePolicyDocument='{' ! MalformedPolicyDocumentException: This policy contains invalid Json
        CreateRole RoleName=a AssumeRolePolicyDocument='{}' ! MalformedPolicyDocumentException
        let resource {"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}]}
        CreateRole RoleName=a AssumeRolePolicyDocument='$resource' ! MalformedPolicyDocumentException: Has prohibited field Resource
        UpdateAssumeRolePolicy RoleName=Role PolicyDocument='$resource' ! MalformedPolicyDocumentException
        UpdateAssumeRolePolicy RoleName=none PolicyDocument='$trust' ! NoSuchEntityException
        CreateRole RoleName=a AssumeRolePolicyDocument='$trust' PermissionsBoundary='arn:aws:iam::aws:policy/None' ! NoSuchEntityException: Scope ARN: arn:aws:iam::aws:policy/None does not exist or is not attachable.
        PutRolePermissionsBoundary RoleName=Role PermissionsBoundary='arn:aws:iam::000000000000:policy/none' ! NoSuchEntityException
        CreateRole RoleName=a AssumeRolePolicyDocument='$trust' Tags=[{Key='aws:x' Value=v}] ! InvalidInputException: System tags cannot be added/updated/deleted
        CreateRole RoleName=a AssumeRolePolicyDocument='$trust' Tags=[{Key=x Value=v} {Key=X Value=v}] ! InvalidInputException: Duplicate tag keys found. Please note that Tag keys are case insensitive.
        CreateRole RoleName='a b' AssumeRolePolicyDocument='$trust' ! ValidationException
        CreateRole RoleName=a Path=a AssumeRolePolicyDocument='$trust' ! ValidationException
        CreateRole RoleName=a AssumeRolePolicyDocument='$trust' MaxSessionDuration=900 ! ValidationException
        DeleteRole RoleName=a ! NoSuchEntityException: The role with name a cannot be found.
        ListRoles = Roles=[{RoleName=Role}]
        @111111111111 ListRoles = Roles=[]
        @000000000000/cn-north-1 CreateRole RoleName=c AssumeRolePolicyDocument='$trust' = Role={Arn='arn:aws-cn:iam::000000000000:role/c'}
        GetRole RoleName=c = Role={Arn='arn:aws-cn:iam::000000000000:role/c'}
    "#

    roles_are_bounded (Options { roles_max: 1, ..Options::default() }): r#"
        let trust {"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}
        CreateRole RoleName=a AssumeRolePolicyDocument='$trust'
        CreateRole RoleName=b AssumeRolePolicyDocument='$trust' ! LimitExceededException: Cannot exceed quota for RolesPerAccount: 1
        @111111111111 CreateRole RoleName=b AssumeRolePolicyDocument='$trust'
    "#

    what_hangs_on_a_role_is_bounded: r#"
        let trust {"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}
        let doc {"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}
        CreateRole RoleName=r AssumeRolePolicyDocument='$trust'
        11x CreatePolicy PolicyName=p$i PolicyDocument='$doc'
        10x AttachRolePolicy RoleName=r PolicyArn='arn:aws:iam::000000000000:policy/p$i'
        AttachRolePolicy RoleName=r PolicyArn='arn:aws:iam::000000000000:policy/p10' ! LimitExceededException: Cannot exceed quota for PoliciesPerRole: 10
        50x TagRole RoleName=r Tags=[{Key=k$i Value=v}]
        TagRole RoleName=r Tags=[{Key=one Value=v}] ! LimitExceededException: Cannot exceed quota for TagsPerRole: 50
    "#

    pages_of_roles: r#"
        let trust {"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}
        let doc {"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}
        105x CreateRole RoleName=R$i AssumeRolePolicyDocument='$trust'
        CreateRole RoleName=other Path=/x/ AssumeRolePolicyDocument='$trust' Tags=[{Key=k Value=v}]
        ListRoles = Roles.length=100 IsTruncated=true Marker=$marker
        ListRoles Marker='$marker' = Roles.length=6 IsTruncated=false Marker=null
        ListRoles PathPrefix=/x = Roles=[{RoleName=other Tags=null MaxSessionDuration=3600 RoleLastUsed=null}]
        ListRoles MaxItems=1 = Roles=[{RoleName=other}] Marker=$first
        ListRoles MaxItems=1 Marker='$first' = Roles=[{RoleName=R0}]
        ListRoles MaxItems=0 ! ValidationException
        ListUsers Marker='$first' ! ValidationException: Invalid Marker.
        ListRoles Marker=x ! ValidationException: Invalid Marker.
        3x PutRolePolicy RoleName=R0 PolicyName=p$i PolicyDocument='$doc'
        ListRolePolicies RoleName=R0 MaxItems=2 = PolicyNames=[p0 p1] IsTruncated=true Marker=$names
        ListRolePolicies RoleName=R0 Marker='$names' = PolicyNames=[p2] IsTruncated=false
        AttachRolePolicy RoleName=R0 PolicyArn='arn:aws:iam::aws:policy/AmazonS3FullAccess'
        AttachRolePolicy RoleName=R0 PolicyArn='arn:aws:iam::aws:policy/AmazonKinesisFullAccess'
        ListAttachedRolePolicies RoleName=R0 MaxItems=1 = AttachedPolicies=[{PolicyName=AmazonKinesisFullAccess}] Marker=$attached
        ListAttachedRolePolicies RoleName=R0 Marker='$attached' = AttachedPolicies=[{PolicyName=AmazonS3FullAccess}]
        TagRole RoleName=R0 Tags=[{Key=a Value=v} {Key=b Value=v}]
        ListRoleTags RoleName=R0 MaxItems=1 = Tags=[{Key=a}] Marker=$tags
        ListRoleTags RoleName=R0 Marker='$tags' = Tags=[{Key=b}] Marker=null
    "#

    /// Who may not do a thing learns nothing of what exists.
    callers_need_permissions: r#"
        let trust {"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}
        CreateRole RoleName=r Path=/a/ AssumeRolePolicyDocument='$trust'
        allow iam:GetRole arn:aws:iam::000000000000:role/a/*
        GetRole RoleName=r
        GetRole RoleName=none ! AccessDeniedException: User: arn:aws:iam::000000000000:user/ann is not authorized to perform: iam:GetRole on resource: arn:aws:iam::000000000000:role/none because no identity-based policy allows the iam:GetRole action
        ListRoles ! AccessDeniedException: User: arn:aws:iam::000000000000:user/ann is not authorized to perform: iam:ListRoles on resource: arn:aws:iam::000000000000:role/ because no identity-based policy allows the iam:ListRoles action
        CreateRole RoleName=r AssumeRolePolicyDocument='$trust' ! AccessDeniedException
        DeleteRole RoleName=r ! AccessDeniedException
        AttachRolePolicy RoleName=r PolicyArn='arn:aws:iam::aws:policy/AmazonS3FullAccess' ! AccessDeniedException
        GetUser ! AccessDeniedException
        ListPolicies ! AccessDeniedException: User: arn:aws:iam::000000000000:user/ann is not authorized to perform: iam:ListPolicies on resource: policy path / because no identity-based policy allows the iam:ListPolicies action
        CreateAccessKey ! AccessDeniedException
        GetAccessKeyLastUsed AccessKeyId=AKIAABCDEFGHIJKLMNOP ! AccessDeniedException
        GetPolicy PolicyArn='arn:aws:iam::aws:policy/AmazonS3FullAccess' ! AccessDeniedException
    "#
}

/// Characters that are no white space count.
#[test]
fn inline_policies_of_a_role_have_room_together() {
    run_with::<Iam, _>(Options::default(), async |house| {
        let put = |name: &str, characters: usize| {
            let id = "x".repeat(characters);
            let statement = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
            let document = format!(r#"{{  "Id":"{id}",  "Statement":[{statement}]}}"#);
            let (length, blanks) = (document.len(), 4);
            let put =
                format!("PutRolePolicy RoleName=r PolicyName={name} PolicyDocument='{document}'");
            (put, length - blanks)
        };
        let trust =
            r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}"#;
        house.check(&format!("CreateRole RoleName=r AssumeRolePolicyDocument='{trust}'")).await;
        let (first, length) = put("a", 5000);
        house.check(&first).await;
        house.check(&first).await;
        let (_, overhead) = put("b", 0);
        let rest = 10_240 - length - overhead;
        let (longer, _) = put("b", rest + 1);
        let told = "Maximum policy size of 10240 bytes exceeded for role r";
        house.check(&format!("{longer} ! LimitExceededException: {told}")).await;
        house.check(&put("b", rest).0).await;
    });
}

/// What others of the server see of roles.
#[test]
fn the_handle_follows_changes() {
    run_with::<Iam, _>(Options::default(), async |house| {
        let account = house.cx().account;
        assert!(house.tenant.role(account, "r").is_none());
        let trust =
            r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}"#;
        house
            .check(&format!("CreateRole RoleName=r Path=/p/ AssumeRolePolicyDocument='{trust}'"))
            .await;
        let role = house.tenant.role(account, "r").unwrap();
        assert_eq!(
            (role.session_seconds_max, role.arn.as_str()),
            (3600, "arn:aws:iam::000000000000:role/p/r")
        );
        assert!(
            house
                .tenant
                .role_by_arn(&role.arn)
                .is_some_and(|(of, same)| of == account && same.id == role.id)
        );
        assert!(house.tenant.role_by_arn("arn:aws-cn:iam::000000000000:role/p/r").is_some());
        for none in ["arn:aws:iam::000000000000:role/r", "arn:aws:iam::111111111111:role/p/r", "r"]
        {
            assert!(house.tenant.role_by_arn(none).is_none(), "{none}");
        }
        house.check("restart").await;
        assert_eq!(house.tenant.role(account, "r").unwrap().id, role.id);
        house.check("DeleteRole RoleName=r").await;
        assert!(house.tenant.role(account, "r").is_none());
    });
}

/// Services take on roles that name them, for whom and what the conditions say.
#[test]
fn services_are_trusted() {
    run_with::<Iam, _>(Options::default(), async |house| {
        let trust = r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"firehose.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"000000000000"},"ArnLike":{"aws:SourceArn":"arn:aws:firehose:*:000000000000:deliverystream/*"}}}]}"#;
        house.check(&format!("CreateRole RoleName=r AssumeRolePolicyDocument='{trust}'")).await;
        let account = house.cx().account;
        let role = house.tenant.role(account, "r").unwrap();
        let context = Context {
            source_arn: Some("arn:aws:firehose:us-east-1:000000000000:deliverystream/d"),
            source_account: Some("000000000000"),
            ..Context::default()
        };
        assert!(role.trusts("firehose.amazonaws.com", account, context, 0));
        assert!(!role.trusts("lambda.amazonaws.com", account, context, 0));
        assert!(!role.trusts("firehose.amazonaws.com", account, Context::default(), 0));
        let other = Context { source_account: Some("111111111111"), ..context };
        assert!(!role.trusts("firehose.amazonaws.com", account, other, 0));
    });
}
