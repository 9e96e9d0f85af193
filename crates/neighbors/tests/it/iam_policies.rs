//! Managed policies and their versions.

use crate::house::cases;
use neighbors::iam::{Iam, Options};

cases! { Iam
    /// What Terraform does for an `aws_iam_policy`.
    a_policy_of_terraform: r#"
        let doc {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}
        let shown %7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22s3%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D
        let arn arn:aws:iam::000000000000:policy/a/p
        CreatePolicy PolicyName=p Path=/a/ Description=d PolicyDocument='$doc' = Policy={PolicyName=p PolicyId=$id Arn='$arn' Path=/a/ DefaultVersionId=v1 AttachmentCount=0 PermissionsBoundaryUsageCount=0 IsAttachable=true CreateDate=_ UpdateDate=_ Description=null Tags=null}
        GetPolicy PolicyArn='$arn' = Policy={PolicyName=p PolicyId=$id Description=d Tags=[] DefaultVersionId=v1}
        GetPolicyVersion PolicyArn='$arn' VersionId=v1 = PolicyVersion={VersionId=v1 IsDefaultVersion=true Document='$shown' CreateDate=_}
        ListPolicyVersions PolicyArn='$arn' = Versions=[{VersionId=v1 IsDefaultVersion=true Document=null}] IsTruncated=false
        CreatePolicyVersion PolicyArn='$arn' PolicyDocument='$doc' SetAsDefault=true = PolicyVersion={VersionId=v2 IsDefaultVersion=true Document=null}
        3x CreatePolicyVersion PolicyArn='$arn' PolicyDocument='$doc' = PolicyVersion={IsDefaultVersion=false}
        CreatePolicyVersion PolicyArn='$arn' PolicyDocument='$doc' ! LimitExceededException: A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.
        ListPolicyVersions PolicyArn='$arn' = Versions.VersionId=[v5 v4 v3 v2 v1]
        ListPolicyVersions PolicyArn='$arn' MaxItems=3 = Versions.VersionId=[v5 v4 v3] Marker=$marker
        ListPolicyVersions PolicyArn='$arn' Marker='$marker' = Versions.VersionId=[v2 v1]
        DeletePolicyVersion PolicyArn='$arn' VersionId=v2 ! DeleteConflictException: Cannot delete the default version of a policy.
        DeletePolicyVersion PolicyArn='$arn' VersionId=v1
        DeletePolicyVersion PolicyArn='$arn' VersionId=v1 ! NoSuchEntityException: Policy arn:aws:iam::000000000000:policy/a/p version v1 does not exist or is not attachable.
        GetPolicyVersion PolicyArn='$arn' VersionId=v1 ! NoSuchEntityException
        SetDefaultPolicyVersion PolicyArn='$arn' VersionId=v1 ! NoSuchEntityException
        CreatePolicyVersion PolicyArn='$arn' PolicyDocument='$doc' = PolicyVersion={VersionId=v6}
        restart
        SetDefaultPolicyVersion PolicyArn='$arn' VersionId=v6
        GetPolicy PolicyArn='$arn' = Policy={DefaultVersionId=v6 PolicyId=$id}
        DeletePolicy PolicyArn='$arn' ! DeleteConflictException: This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.
        DeletePolicyVersion PolicyArn='$arn' VersionId=v2
        DeletePolicyVersion PolicyArn='$arn' VersionId=v3
        DeletePolicyVersion PolicyArn='$arn' VersionId=v4
        DeletePolicyVersion PolicyArn='$arn' VersionId=v5
        DeletePolicy PolicyArn='$arn'
        GetPolicy PolicyArn='$arn' ! NoSuchEntityException: Policy arn:aws:iam::000000000000:policy/a/p was not found.
        rows policy/ = 0
    "#

    policies_that_cannot_be: r#"
        let doc {"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}
        CreatePolicy PolicyName=p PolicyDocument='$doc'
        CreatePolicy PolicyName=P Path=/x/ PolicyDocument='$doc' ! EntityAlreadyExistsException: A policy called P already exists. Duplicate names are not allowed.
        CreatePolicy PolicyName=q PolicyDocument='x' ! MalformedPolicyDocumentException: This policy contains invalid Json
        let public {"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":"*"}]}
        CreatePolicy PolicyName=q PolicyDocument='$public' ! MalformedPolicyDocumentException: Has prohibited field Principal
        CreatePolicyVersion PolicyArn='arn:aws:iam::000000000000:policy/p' PolicyDocument='$public' ! MalformedPolicyDocumentException
        let unknown {"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"ec2:Owner":"x"}}}]}
        CreatePolicy PolicyName=q PolicyDocument='$unknown' ! MalformedPolicyDocumentException: Syntax errors in policy: the condition key `ec2:Owner` is not supported
        CreatePolicy PolicyName=q PolicyDocument='$doc' Path=x ! ValidationException
        GetPolicy PolicyArn='arn:aws:iam::000000000000:policy/x/p' ! NoSuchEntityException: Policy arn:aws:iam::000000000000:policy/x/p was not found.
        GetPolicy PolicyArn='arn:aws:iam::000000000000:role/some-role' ! ValidationException: ARN arn:aws:iam::000000000000:role/some-role is not valid.
        GetPolicy PolicyArn='arn:aws:iam::111111111111:policy/p' ! AccessDeniedException: User: arn:aws:iam::000000000000:user/ann is not authorized to perform: iam:GetPolicy on resource: policy arn:aws:iam::111111111111:policy/p
        DeletePolicy PolicyArn='arn:aws:iam::000000000000:policy/none' ! NoSuchEntityException
    "#

    policies_are_bounded (Options { policies_max: 1, ..Options::default() }): r#"
        let doc {"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}
        CreatePolicy PolicyName=p PolicyDocument='$doc'
        CreatePolicy PolicyName=q PolicyDocument='$doc' ! LimitExceededException: Cannot exceed quota for PoliciesPerAccount: 1
        @111111111111 CreatePolicy PolicyName=q PolicyDocument='$doc'
        DeletePolicy PolicyArn='arn:aws:iam::000000000000:policy/p'
        CreatePolicy PolicyName=q PolicyDocument='$doc' Tags=[{Key=k Value=v}] = Policy={Tags=[{Key=k Value=v}]}
        TagPolicy PolicyArn='arn:aws:iam::000000000000:policy/q' Tags=[{Key=l Value=w}]
        UntagPolicy PolicyArn='arn:aws:iam::000000000000:policy/q' TagKeys=[k]
        restart
        ListPolicyTags PolicyArn='arn:aws:iam::000000000000:policy/q' = Tags=[{Key=l Value=w}] IsTruncated=false
    "#

    policies_of_aws: "
        let arn arn:aws:iam::aws:policy/AmazonKinesisFullAccess
        GetPolicy PolicyArn='$arn' = Policy={PolicyName=AmazonKinesisFullAccess PolicyId=_ Arn='$arn' Path=/ DefaultVersionId=v1 AttachmentCount=0 Description=_}
        GetPolicyVersion PolicyArn='$arn' VersionId=v1 = PolicyVersion={Document='%7B%22Statement%22%3A%5B%7B%22Action%22%3A%5B%22kinesis%3A%2A%22%5D%2C%22Effect%22%3A%22Allow%22%2C%22Resource%22%3A%22%2A%22%7D%5D%2C%22Version%22%3A%222012-10-17%22%7D'}
        @000000000000/cn-north-1 GetPolicy PolicyArn='arn:aws-cn:iam::aws:policy/AmazonKinesisFullAccess' = Policy={Arn='arn:aws-cn:iam::aws:policy/AmazonKinesisFullAccess'}
        GetPolicy PolicyArn='arn:aws:iam::aws:policy/None' ! NoSuchEntityException
        DeletePolicy PolicyArn='$arn' ! AccessDeniedException: User: arn:aws:iam::000000000000:user/ann is not authorized to perform: iam:DeletePolicy on resource: policy arn:aws:iam::aws:policy/AmazonKinesisFullAccess
        TagPolicy PolicyArn='$arn' Tags=[] ! AccessDeniedException
        ListPolicies Scope=AWS MaxItems=1 = Policies=[{PolicyName=AdministratorAccess Arn='arn:aws:iam::aws:policy/AdministratorAccess'}] IsTruncated=true
        ListPolicies Scope=AWS PathPrefix=/service-role/ = Policies.length=5
        ListPolicies Scope=Local = Policies=[] IsTruncated=false
    "

    who_has_a_policy: r#"
        let trust {"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}
        let doc {"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}
        let arn arn:aws:iam::000000000000:policy/p
        CreatePolicy PolicyName=p PolicyDocument='$doc'
        ListEntitiesForPolicy PolicyArn='$arn' = PolicyRoles=[] PolicyUsers=[] PolicyGroups=[] IsTruncated=false
        CreateRole RoleName=r AssumeRolePolicyDocument='$trust' = Role={RoleId=$role}
        CreateUser UserName=u Path=/x/ PermissionsBoundary='$arn' = User={UserId=$user}
        AttachRolePolicy RoleName=r PolicyArn='$arn'
        GetPolicy PolicyArn='$arn' = Policy={AttachmentCount=1 PermissionsBoundaryUsageCount=1}
        ListEntitiesForPolicy PolicyArn='$arn' = PolicyRoles=[{RoleName=r RoleId=$role}] PolicyUsers=[{UserName=u UserId=$user}]
        ListEntitiesForPolicy PolicyArn='$arn' MaxItems=1 = PolicyRoles=[{RoleName=r}] PolicyUsers=[] IsTruncated=true Marker=$marker
        ListEntitiesForPolicy PolicyArn='$arn' Marker='$marker' = PolicyRoles=[] PolicyUsers=[{UserName=u}] IsTruncated=false
        ListEntitiesForPolicy PolicyArn='$arn' EntityFilter=User = PolicyRoles=[] PolicyUsers=[{}]
        ListEntitiesForPolicy PolicyArn='$arn' PathPrefix=/x/ = PolicyRoles=[] PolicyUsers=[{}]
        ListEntitiesForPolicy PolicyArn='$arn' PolicyUsageFilter=PermissionsPolicy = PolicyRoles=[{}] PolicyUsers=[]
        ListEntitiesForPolicy PolicyArn='$arn' PolicyUsageFilter=PermissionsBoundary = PolicyRoles=[] PolicyUsers=[{}]
        ListPolicies OnlyAttached=true = Policies=[{PolicyName=p AttachmentCount=1}]
        ListPolicies PolicyUsageFilter=PermissionsBoundary = Policies=[{PolicyName=p}]
        DeletePolicy PolicyArn='$arn' ! DeleteConflictException: Cannot delete a policy attached to entities.
        DetachRolePolicy RoleName=r PolicyArn='$arn'
        DeletePolicy PolicyArn='$arn' ! DeleteConflictException: Cannot delete a policy attached to entities.
        DeleteUser UserName=u
        DeletePolicy PolicyArn='$arn'
        CreatePolicy PolicyName=AmazonS3FullAccess PolicyDocument='$doc'
        ListPolicies = Policies.PolicyName=$all IsTruncated=false
    "#
}
