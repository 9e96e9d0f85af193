//! Users and their access keys.

use crate::house::{cases, run_with};
use neighbors::iam::{Iam, Options};
use testkit::script::Stage as _;

cases! { Iam
    a_user: r#"
        CreateUser UserName=bob Path=/t/ Tags=[{Key=k Value=v}] PermissionsBoundary='arn:aws:iam::aws:policy/ReadOnlyAccess' = User={Path=/t/ UserName=bob UserId=$id Arn='arn:aws:iam::000000000000:user/t/bob' CreateDate=_ Tags=[{Key=k Value=v}] PermissionsBoundary={PermissionsBoundaryArn='arn:aws:iam::aws:policy/ReadOnlyAccess'}}
        GetUser UserName=bob = User={UserId=$id Tags=[{Key=k Value=v}]}
        CreateUser UserName=BOB ! EntityAlreadyExistsException: User with name BOB already exists.
        GetUser UserName=none ! NoSuchEntityException: The user with name none cannot be found.
        TagUser UserName=bob Tags=[{Key=l Value=w}]
        UntagUser UserName=bob TagKeys=[k]
        ListUserTags UserName=bob = Tags=[{Key=l Value=w}]
        ListGroupsForUser UserName=bob = Groups=[] IsTruncated=false
        ListGroupsForUser UserName=none ! NoSuchEntityException
        let doc {"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}
        PutUserPolicy UserName=bob PolicyName=p PolicyDocument='$doc'
        GetUserPolicy UserName=bob PolicyName=p = UserName=bob PolicyName=p PolicyDocument=_
        GetUserPolicy UserName=bob PolicyName=q ! NoSuchEntityException: The user policy with name q cannot be found.
        ListUserPolicies UserName=bob = PolicyNames=[p]
        AttachUserPolicy UserName=bob PolicyArn='arn:aws:iam::aws:policy/AmazonS3FullAccess'
        ListAttachedUserPolicies UserName=bob = AttachedPolicies=[{PolicyName=AmazonS3FullAccess}]
        UpdateUser UserName=bob NewUserName=Bobby NewPath=/u/
        GetUser UserName=bob ! NoSuchEntityException
        GetUser UserName=Bobby = User={UserId=$id Path=/u/ Arn='arn:aws:iam::000000000000:user/u/Bobby'}
        restart
        ListUsers = Users=[{UserName=Bobby UserId=$id Tags=null}] IsTruncated=false
        rows user/ = 1
        CreateUser UserName=eve
        UpdateUser UserName=eve NewUserName=BOBBY ! EntityAlreadyExistsException: User with name BOBBY already exists.
        UpdateUser UserName=eve NewUserName=Eve
        ListUsers PathPrefix=/u/ = Users=[{UserName=Bobby}]
        ListUsers MaxItems=1 = Users=[{UserName=Bobby}] Marker=$marker
        ListUsers Marker='$marker' = Users=[{UserName=Eve}]
        DeleteUser UserName=Bobby ! DeleteConflictException: Cannot delete entity, must detach all policies first.
        DetachUserPolicy UserName=Bobby PolicyArn='arn:aws:iam::aws:policy/AmazonS3FullAccess'
        DeleteUser UserName=Bobby ! DeleteConflictException: Cannot delete entity, must delete policies first.
        DeleteUserPolicy UserName=Bobby PolicyName=p
        CreateAccessKey UserName=Bobby = AccessKey={AccessKeyId=$key}
        DeleteUser UserName=Bobby ! DeleteConflictException: Cannot delete entity, must delete access keys first.
        DeleteAccessKey UserName=Bobby AccessKeyId=$key
        DeleteUser UserName=Bobby
        ListUsers = Users=[{UserName=Eve}]
    "#

    access_keys: "
        CreateUser UserName=bob
        CreateAccessKey UserName=bob = AccessKey={UserName=bob AccessKeyId=$one Status=Active SecretAccessKey=_ CreateDate=_}
        CreateAccessKey UserName=bob = AccessKey={AccessKeyId=$two}
        CreateAccessKey UserName=bob ! LimitExceededException: Cannot exceed quota for AccessKeysPerUser: 2
        CreateAccessKey UserName=none ! NoSuchEntityException
        ListAccessKeys UserName=bob = AccessKeyMetadata.length=2 AccessKeyMetadata.UserName=[bob bob] AccessKeyMetadata.Status=[Active Active] AccessKeyMetadata.SecretAccessKey=[null null]
        ListAccessKeys UserName=bob MaxItems=1 = AccessKeyMetadata.length=1 Marker=$marker
        ListAccessKeys UserName=bob Marker='$marker' = AccessKeyMetadata.length=1 Marker=null
        UpdateAccessKey UserName=bob AccessKeyId=$one Status=Expired ! ValidationException
        UpdateAccessKey UserName=bob AccessKeyId=AKIAABCDEFGHIJKLMNOP Status=Active ! NoSuchEntityException: The Access Key with id AKIAABCDEFGHIJKLMNOP cannot be found.
        GetAccessKeyLastUsed AccessKeyId=$one = UserName=bob AccessKeyLastUsed={LastUsedDate=null ServiceName=N/A Region=N/A}
        GetAccessKeyLastUsed AccessKeyId=AKIAABCDEFGHIJKLMNOP ! NoSuchEntityException: The Access Key with id AKIAABCDEFGHIJKLMNOP cannot be found.
        @111111111111 GetAccessKeyLastUsed AccessKeyId=$one ! NoSuchEntityException
        as $one
        GetUser ! AccessDeniedException
        as
        AttachUserPolicy UserName=bob PolicyArn='arn:aws:iam::aws:policy/IAMFullAccess'
        as $one
        GetUser = User={UserName=bob Arn='arn:aws:iam::000000000000:user/bob'}
        ListAccessKeys = AccessKeyMetadata.length=2
        restart
        GetUser = User={UserName=bob}
        UpdateAccessKey AccessKeyId=$one Status=Inactive
        GetUser ! UnrecognizedClientException
        as $two
        ListAccessKeys = AccessKeyMetadata.length=2
        UpdateAccessKey AccessKeyId=$one Status=Active
        UpdateUser UserName=bob NewUserName=rob
        as $one
        GetUser = User={UserName=rob}
        DeleteAccessKey AccessKeyId=$two
        DeleteAccessKey AccessKeyId=$two ! NoSuchEntityException
        as $two
        GetUser ! UnrecognizedClientException
    "

    /// The caller himself, when he is no user of IAM's.
    callers_of_other_kinds: "
        GetUser = User={UserName=ann UserId=_ Arn='arn:aws:iam::000000000000:user/ann' Path=/}
        CreateAccessKey ! NoSuchEntityException: The user with name ann cannot be found.
        CreateUser UserName=ann Path=/t/
        GetUser = User={Arn='arn:aws:iam::000000000000:user/t/ann'}
        CreateAccessKey = AccessKey={UserName=ann}
    "

    users_are_bounded (Options { users_max: 1, ..Options::default() }): "
        CreateUser UserName=a
        CreateUser UserName=b ! LimitExceededException: Cannot exceed quota for UsersPerAccount: 1
        CreateUser UserName='' ! ValidationException
        CreateUser UserName='a/b' ! ValidationException
        CreateUser UserName=b PermissionsBoundary='arn:aws:iam::aws:policy/None' ! NoSuchEntityException
        @111111111111 CreateUser UserName=b
    "

    what_hangs_on_a_user_is_bounded: r#"
        let doc {"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}
        CreateUser UserName=u
        11x CreatePolicy PolicyName=p$i PolicyDocument='$doc'
        10x AttachUserPolicy UserName=u PolicyArn='arn:aws:iam::000000000000:policy/p$i'
        AttachUserPolicy UserName=u PolicyArn='arn:aws:iam::000000000000:policy/p10' ! LimitExceededException: Cannot exceed quota for PoliciesPerUser: 10
        AttachUserPolicy UserName=u PolicyArn='arn:aws:iam::000000000000:policy/p3'
        AttachUserPolicy UserName=none PolicyArn='arn:aws:iam::000000000000:policy/p3' ! NoSuchEntityException
        PutUserPolicy UserName=u PolicyName=p PolicyDocument=x*2049 ! LimitExceededException: Maximum policy size of 2048 bytes exceeded for user u
        PutUserPolicy UserName=u PolicyName=p PolicyDocument=x*2048 ! MalformedPolicyDocumentException: This policy contains invalid Json
        CreatePolicy PolicyName=long PolicyDocument=x*6145 ! LimitExceededException: Cannot exceed quota for PolicySize: 6144
        CreateRole RoleName=r AssumeRolePolicyDocument=x*2049 ! LimitExceededException: Cannot exceed quota for ACLSizePerRole: 2048
        50x TagUser UserName=u Tags=[{Key=k$i Value=v}]
        TagUser UserName=u Tags=[{Key=k7 Value=w}]
        TagUser UserName=u Tags=[{Key=one Value=v}] ! LimitExceededException: Cannot exceed quota for TagsPerUser: 50
    "#

    /// All policies of a user count together, within his boundary, at once.
    what_a_user_may: r#"
        let s3 {"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::a/*"}]}
        let own {"Statement":[{"Effect":"Allow","Action":["kinesis:*","s3:Get*"],"Resource":"*"},{"Effect":"Deny","Action":"kinesis:DeleteStream","Resource":"*"}]}
        CreateUser UserName=bob
        CreateAccessKey UserName=bob = AccessKey={AccessKeyId=$key}
        CreatePolicy PolicyName=s3 PolicyDocument='$s3'
        as $key
        may s3:GetObject arn:aws:s3:::a/b = 'because no identity-based policy allows'
        as
        AttachUserPolicy UserName=bob PolicyArn='arn:aws:iam::000000000000:policy/s3'
        PutUserPolicy UserName=bob PolicyName=own PolicyDocument='$own'
        as $key
        may s3:GetObject arn:aws:s3:::a/b = yes
        may s3:PutObject arn:aws:s3:::a/b = yes
        may s3:PutObject arn:aws:s3:::b/b = 'because no identity-based policy allows'
        may kinesis:PutRecord arn:aws:kinesis:us-east-1:000000000000:stream/a = yes
        may kinesis:DeleteStream arn:aws:kinesis:us-east-1:000000000000:stream/a = 'with an explicit deny in an identity-based policy'
        as
        let other {"Statement":[{"Effect":"Allow","Action":"sns:*","Resource":"*"}]}
        CreatePolicyVersion PolicyArn='arn:aws:iam::000000000000:policy/s3' PolicyDocument='$other'
        as $key
        may s3:PutObject arn:aws:s3:::a/b = yes
        may sns:Publish arn:aws:sns:us-east-1:000000000000:t = 'because no identity-based policy allows'
        as
        SetDefaultPolicyVersion PolicyArn='arn:aws:iam::000000000000:policy/s3' VersionId=v2
        as $key
        may s3:PutObject arn:aws:s3:::a/b = 'because no identity-based policy allows'
        may sns:Publish arn:aws:sns:us-east-1:000000000000:t = yes
        restart
        may sns:Publish arn:aws:sns:us-east-1:000000000000:t = yes
        as
        CreateUser UserName=eve PermissionsBoundary='arn:aws:iam::000000000000:policy/s3'
        PutUserPolicy UserName=eve PolicyName=own PolicyDocument='$own'
        CreateAccessKey UserName=eve = AccessKey={AccessKeyId=$eve}
        as $eve
        may kinesis:PutRecord arn:aws:kinesis:us-east-1:000000000000:stream/a = 'because no permissions boundary allows'
        may sns:Publish arn:aws:sns:us-east-1:000000000000:t = 'because no identity-based policy allows'
        as
        SetDefaultPolicyVersion PolicyArn='arn:aws:iam::000000000000:policy/s3' VersionId=v1
        as $eve
        may s3:GetObject arn:aws:s3:::a/b = yes
        may s3:GetObject arn:aws:s3:::b/b = 'because no permissions boundary allows'
        may s3:PutObject arn:aws:s3:::a/b = 'because no identity-based policy allows'
    "#
}

/// Rows have no secret that could be read; handles have it, also after a restart.
#[test]
fn secrets_are_sealed() {
    run_with::<Iam, _>(Options::default(), async |house| {
        house.check("CreateUser UserName=bob").await;
        house
            .check("CreateAccessKey UserName=bob = AccessKey={AccessKeyId=$key SecretAccessKey=$secret}")
            .await;
        let (id, secret) = (house.named("key"), house.named("secret"));
        assert!(id.starts_with("AKIA") && id.len() == 20, "{id}");
        assert_eq!(secret.len(), 40);
        let rows = house.home.rows("");
        assert!(rows.iter().any(|row| row.contains(&id)));
        assert!(!rows.iter().any(|row| row.contains(&secret)), "{rows:?}");
        house.check("restart").await;
        let key = house.tenant.key(&id).unwrap();
        assert_eq!((key.secret.as_str(), key.user_name.as_str()), (&*secret, "bob"));
        assert!(!format!("{key:?}").contains(&secret));
        house.check("UpdateAccessKey UserName=bob AccessKeyId=$key Status=Inactive").await;
        assert!(house.tenant.key(&id).is_none());
        assert!(house.tenant.key("AKIAABCDEFGHIJKLMNOP").is_none());
    });
}
