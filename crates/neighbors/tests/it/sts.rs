//! Who asks, and sessions of roles.

use crate::house::{Tokens, cases, run_with};
use neighbors::sts::SessionTrouble;
use testkit::script::Stage as _;

cases! { Tokens
    callers: "
        GetCallerIdentity = UserId=$configured Account='000000000000' Arn='arn:aws:iam::000000000000:user/ann'
        @111111111111 GetCallerIdentity = Account='111111111111' Arn='arn:aws:iam::111111111111:user/ann'
        allow none:None arn:aws:none
        GetCallerIdentity = UserId=$configured
        CreateUser UserName=bob ! AccessDeniedException
    "

    a_user_of_iam: "
        CreateUser UserName=bob = User={UserId=$id}
        CreateAccessKey UserName=bob = AccessKey={AccessKeyId=$key}
        as $key
        GetCallerIdentity = UserId=$id Account='000000000000' Arn='arn:aws:iam::000000000000:user/bob'
    "

    another_partition_evades_no_deny: r#"
        let doc {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}
        let all {"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"iam:*PolicyVersion","Resource":"arn:aws:iam::000000000000:policy/guard"}]}
        CreatePolicy PolicyName=guard PolicyDocument='$doc'
        CreateUser UserName=carl
        PutUserPolicy UserName=carl PolicyName=p PolicyDocument='$all'
        CreateAccessKey UserName=carl = AccessKey={AccessKeyId=$key}
        as $key
        GetPolicy PolicyArn='arn:awsx:iam::000000000000:policy/guard' = Policy.Arn='arn:aws:iam::000000000000:policy/guard'
        CreatePolicyVersion PolicyArn='arn:aws:iam::000000000000:policy/guard' PolicyDocument='$doc' ! AccessDeniedException
        CreatePolicyVersion PolicyArn='arn:awsx:iam::000000000000:policy/guard' PolicyDocument='$doc' ! AccessDeniedException
    "#

    a_path_makes_no_session: r#"
        let trust {"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:role/admin"},"Action":"sts:AssumeRole"}]}
        let all {"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}
        let anyone {"Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"}]}
        @111111111111 CreateRole RoleName=admin AssumeRolePolicyDocument='$anyone'
        @111111111111 CreateRole RoleName=guarded AssumeRolePolicyDocument='$trust'
        CreateUser UserName=evil Path='/x:111111111111:assumed-role/admin/' = User={UserId=$id}
        PutUserPolicy UserName=evil PolicyName=p PolicyDocument='$all'
        CreateAccessKey UserName=evil = AccessKey={AccessKeyId=$key}
        as $key
        GetCallerIdentity = UserId=$id
        AssumeRole RoleArn='arn:aws:iam::111111111111:role/guarded' RoleSessionName=me ! AccessDeniedException
    "#

    a_session: r#"
        let trust {"Statement":[{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"sts:AssumeRole"}]}
        let doc {"Statement":[{"Effect":"Allow","Action":["kinesis:*","sns:*"],"Resource":"*"}]}
        CreateRole RoleName=r Path=/a/ AssumeRolePolicyDocument='$trust' = Role={RoleId=$id}
        PutRolePolicy RoleName=r PolicyName=p PolicyDocument='$doc'
        AssumeRole RoleArn='arn:aws:iam::000000000000:role/a/r' RoleSessionName=me = Credentials={AccessKeyId=$key SecretAccessKey=_ SessionToken=$token Expiration=_} AssumedRoleUser={AssumedRoleId='$id:me' Arn='arn:aws:sts::000000000000:assumed-role/r/me'} PackedPolicySize=null
        as $key $token
        GetCallerIdentity = UserId='$id:me' Account='000000000000' Arn='arn:aws:sts::000000000000:assumed-role/r/me'
        may kinesis:PutRecord arn:aws:kinesis:us-east-1:000000000000:stream/a = yes
        may s3:GetObject arn:aws:s3:::a/b = 'because no identity-based policy allows'
        GetRole RoleName=r ! AccessDeniedException
        restart
        may kinesis:PutRecord arn:aws:kinesis:us-east-1:000000000000:stream/a = yes
        as
        DeleteRolePolicy RoleName=r PolicyName=p
        as $key $token
        may kinesis:PutRecord arn:aws:kinesis:us-east-1:000000000000:stream/a = 'because no identity-based policy allows'
        pass 3599000
        GetCallerIdentity
        pass 1000
        GetCallerIdentity ! ExpiredToken
    "#

    sessions_end_with_their_role: r#"
        let trust {"Statement":[{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"sts:AssumeRole"}]}
        CreateRole RoleName=r AssumeRolePolicyDocument='$trust'
        AssumeRole RoleArn='arn:aws:iam::000000000000:role/r' RoleSessionName=me = Credentials={AccessKeyId=$key SessionToken=$token}
        as $key $token
        GetCallerIdentity
        as
        DeleteRole RoleName=r
        as $key $token
        GetCallerIdentity ! RoleGone
        as
        CreateRole RoleName=r AssumeRolePolicyDocument='$trust'
        as $key $token
        GetCallerIdentity ! RoleGone
    "#

    /// A role that trusts the account leaves it to the caller's policies; one that names him does not.
    who_is_trusted: r#"
        let account {"Statement":[{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"sts:AssumeRole"}]}
        let ann {"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:user/ann"},"Action":"sts:AssumeRole"}]}
        let firehose {"Statement":[{"Effect":"Allow","Principal":{"Service":"firehose.amazonaws.com"},"Action":"sts:AssumeRole"}]}
        let external {"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"secret"}}}]}
        CreateRole RoleName=account AssumeRolePolicyDocument='$account'
        CreateRole RoleName=ann AssumeRolePolicyDocument='$ann'
        CreateRole RoleName=firehose AssumeRolePolicyDocument='$firehose'
        CreateRole RoleName=external AssumeRolePolicyDocument='$external'
        AssumeRole RoleSessionName=me RoleArn='arn:aws:iam::000000000000:role/account'
        AssumeRole RoleSessionName=me RoleArn='arn:aws:iam::000000000000:role/ann'
        AssumeRole RoleSessionName=me RoleArn='arn:aws:iam::000000000000:role/firehose' ! AccessDeniedException: User: arn:aws:iam::000000000000:user/ann is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::000000000000:role/firehose
        AssumeRole RoleSessionName=me RoleArn='arn:aws:iam::000000000000:role/external' ExternalId=secret ! AccessDeniedException
        @111111111111 AssumeRole RoleSessionName=me RoleArn='arn:aws:iam::000000000000:role/external' ExternalId=secret
        @111111111111 AssumeRole RoleSessionName=me RoleArn='arn:aws:iam::000000000000:role/external' ! AccessDeniedException
    "#

    role_names_and_lengths: r#"
        let trust {"Statement":[{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"sts:AssumeRole"}]}
        CreateRole RoleName=r AssumeRolePolicyDocument='$trust' MaxSessionDuration=7200
        let arn arn:aws:iam::000000000000:role/r
        AssumeRole RoleArn='$arn' RoleSessionName=x ! ValidationException
        AssumeRole RoleArn='$arn' RoleSessionName='a b' ! ValidationException
        AssumeRole RoleArn='$arn' RoleSessionName=me DurationSeconds=899 ! ValidationException
        AssumeRole RoleArn='$arn' RoleSessionName=me DurationSeconds=900
        AssumeRole RoleArn='$arn' RoleSessionName=me DurationSeconds=7201 ! ValidationException: The requested DurationSeconds exceeds the MaxSessionDuration set for this role.
        AssumeRole RoleArn='arn:aws:iam::000000000000:user/ann' RoleSessionName=me ! ValidationException: arn:aws:iam::000000000000:user/ann is invalid
        AssumeRole RoleArn='arn:aws:iam::000000000000:role/none' RoleSessionName=me ! AccessDeniedException: User: arn:aws:iam::000000000000:user/ann is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::000000000000:role/none
        AssumeRole RoleArn='arn:aws:iam::000000000000:role/x/r' RoleSessionName=me ! AccessDeniedException
        AssumeRole RoleArn='$arn' RoleSessionName=me SerialNumber='arn:aws:iam::1:mfa/x' TokenCode='123456' ! ValidationException: SerialNumber is not supported by this server.
        AssumeRole RoleArn='$arn' RoleSessionName=me SourceIdentity=ann ! ValidationException
        AssumeRole RoleArn='$arn' RoleSessionName=me Tags=[{Key=k Value=v}] ! AccessDeniedException: User: arn:aws:iam::000000000000:user/ann is not authorized to perform: sts:TagSession on resource: arn:aws:iam::000000000000:role/r
        AssumeRole RoleArn='$arn' RoleSessionName=me DurationSeconds=7200 = Credentials={AccessKeyId=$key SessionToken=$token}
        let any {"Statement":[{"Effect":"Allow","Action":"sts:*","Resource":"*"}]}
        PutRolePolicy RoleName=r PolicyName=p PolicyDocument='$any'
        as $key $token
        AssumeRole RoleArn='$arn' RoleSessionName=chained DurationSeconds=3601 ! ValidationException: The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.
        AssumeRole RoleArn='$arn' RoleSessionName=chained = AssumedRoleUser={Arn='arn:aws:sts::000000000000:assumed-role/r/chained'}
        pass 7199000
        GetCallerIdentity
        pass 1000
        GetCallerIdentity ! ExpiredToken
    "#

    /// What a session may is what its role may, and its own policies, too.
    session_policies: r#"
        let trust {"Statement":[{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"sts:AssumeRole"}]}
        let doc {"Statement":[{"Effect":"Allow","Action":["kinesis:*","sns:*"],"Resource":"*"}]}
        let put {"Statement":[{"Effect":"Allow","Action":["kinesis:Put*","s3:*"],"Resource":"*"}]}
        let arn arn:aws:iam::000000000000:role/r
        CreateRole RoleName=r AssumeRolePolicyDocument='$trust'
        PutRolePolicy RoleName=r PolicyName=p PolicyDocument='$doc'
        AssumeRole RoleArn='$arn' RoleSessionName=me Policy='$put' = Credentials={AccessKeyId=$key SessionToken=$token} PackedPolicySize=5
        as $key $token
        may kinesis:PutRecord arn:aws:kinesis:us-east-1:000000000000:stream/a = yes
        may kinesis:GetRecords arn:aws:kinesis:us-east-1:000000000000:stream/a = 'because no session policy allows'
        may s3:GetObject arn:aws:s3:::a/b = 'because no identity-based policy allows'
        restart
        may kinesis:PutRecord arn:aws:kinesis:us-east-1:000000000000:stream/a = yes
        as
        CreatePolicy PolicyName=sns PolicyDocument='{"Statement":[{"Effect":"Allow","Action":"sns:*","Resource":"*"}]}'
        AssumeRole RoleArn='$arn' RoleSessionName=me PolicyArns=[{arn='arn:aws:iam::000000000000:policy/sns'}] = Credentials={AccessKeyId=$two SessionToken=$twice} PackedPolicySize=2
        as $two $twice
        may sns:Publish arn:aws:sns:us-east-1:000000000000:t = yes
        may kinesis:PutRecord arn:aws:kinesis:us-east-1:000000000000:stream/a = 'because no session policy allows'
        as
        DeletePolicy PolicyArn='arn:aws:iam::000000000000:policy/sns'
        as $two $twice
        may sns:Publish arn:aws:sns:us-east-1:000000000000:t = 'because no session policy allows'
        as
        AssumeRole RoleArn='$arn' RoleSessionName=me PolicyArns=[{arn='arn:aws:iam::000000000000:policy/sns'}] ! ValidationException: Policy arn:aws:iam::000000000000:policy/sns does not exist or is not attachable.
        AssumeRole RoleArn='$arn' RoleSessionName=me PolicyArns=[{arn='arn:aws:iam::aws:policy/ReadOnlyAccess'}*11] ! ValidationException: 1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to 10, not 11
        AssumeRole RoleArn='$arn' RoleSessionName=me Policy='{' ! MalformedPolicyDocumentException: This policy contains invalid Json
        AssumeRole RoleArn='$arn' RoleSessionName=me Policy='{}' ! MalformedPolicyDocumentException
        AssumeRole RoleArn='$arn' RoleSessionName=me Policy=x*2100 ! PackedPolicyTooLargeException: Packed policy consumes 103% of allotted space, please use smaller policy.
        PutRolePermissionsBoundary RoleName=r PermissionsBoundary='arn:aws:iam::aws:policy/AmazonSNSFullAccess'
        as $key $token
        may kinesis:PutRecord arn:aws:kinesis:us-east-1:000000000000:stream/a = 'because no permissions boundary allows'
    "#
}

/// Accounts must agree: the role's by its trust, the caller's by his policies.
#[test]
fn roles_of_other_accounts() {
    run_with::<Tokens, _>((), async |house| {
        let trust = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"secret"}}}]}"#;
        house
            .check(&format!(
                "@111111111111 CreateRole RoleName=r AssumeRolePolicyDocument='{trust}'"
            ))
            .await;
        let assume = "AssumeRole RoleArn='arn:aws:iam::111111111111:role/r' RoleSessionName=me";
        house.check(&format!("{assume} ! AccessDeniedException")).await;
        house.check(&format!("{assume} ExternalId=wrong ! AccessDeniedException")).await;
        house
            .check(&format!(
                "{assume} ExternalId=secret = AssumedRoleUser={{Arn='arn:aws:sts::111111111111:assumed-role/r/me'}} \
                 Credentials={{AccessKeyId=$key SessionToken=$token}}"
            ))
            .await;
        house.check("as $key $token").await;
        house.check("GetCallerIdentity = Account='111111111111'").await;
        house.check("as ; allow sts:AssumeRole arn:aws:iam::111111111111:role/other").await;
        house.check(&format!("{assume} ExternalId=secret ! AccessDeniedException")).await;
        house.check("allow sts:AssumeRole arn:aws:iam::111111111111:role/r").await;
        house.check(&format!("{assume} ExternalId=secret")).await;
        house
            .check(&format!("@222222222222 {assume} ExternalId=secret ! AccessDeniedException"))
            .await;
    });
}

/// The caller's own policies where the role trusts his account, and where it names him.
#[test]
fn policies_of_the_caller() {
    run_with::<Tokens, _>((), async |house| {
        for (name, principal) in
            [("account", "000000000000"), ("ann", "arn:aws:iam::000000000000:user/ann")]
        {
            let trust = format!(
                r#"{{"Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":["sts:AssumeRole","sts:TagSession"]}}]}}"#
            );
            house
                .check(&format!("CreateRole RoleName={name} AssumeRolePolicyDocument='{trust}'"))
                .await;
        }
        let assume = |role: &str| {
            format!("AssumeRole RoleArn='arn:aws:iam::000000000000:role/{role}' RoleSessionName=me")
        };
        house.check("allow s3:GetObject *").await;
        house.check(&format!("{} ! AccessDeniedException", assume("account"))).await;
        house.check(&assume("ann")).await;
        house.check(&format!("{} Tags=[{{Key=k Value=v}}]", assume("ann"))).await;
        house.check("allow sts:* *").await;
        house.check(&assume("account")).await;
    });
}

/// Tokens of others, of another key, and forged ones are none.
#[test]
fn forged_tokens() {
    run_with::<Tokens, _>((), async |house| {
        let trust = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"sts:AssumeRole"}]}"#;
        house.check(&format!("CreateRole RoleName=r AssumeRolePolicyDocument='{trust}'")).await;
        let assume = "AssumeRole RoleArn='arn:aws:iam::000000000000:role/r' RoleSessionName=me";
        for n in [1, 2] {
            house
                .check(&format!(
                    "{assume} = Credentials={{AccessKeyId=$key{n} SecretAccessKey=$secret{n} SessionToken=$token{n}}}"
                ))
                .await;
        }
        let (key, token, other) =
            (house.named("key1"), house.named("token1"), house.named("token2"));
        assert!(key.starts_with("ASIA") && key.len() == 20, "{key}");
        let session = house.tenant.sts.session(&key, &token, 0).unwrap();
        assert_eq!(session.secret, house.named("secret1"));
        assert_ne!(house.named("secret1"), house.named("secret2"));
        assert!(!format!("{session:?}").contains(&session.secret));
        let refused = |key: &str, token: &str| house.tenant.sts.session(key, token, 0).err();
        assert_eq!(refused(&key, &other), Some(SessionTrouble::Unknown));
        assert_eq!(refused("ASIAABCDEFGHIJKLMNOP", &token), Some(SessionTrouble::Unknown));
        for at in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[at] ^= 1;
            let forged = String::from_utf8_lossy(&forged).into_owned();
            assert_eq!(refused(&key, &forged), Some(SessionTrouble::Unknown), "byte {at}");
        }
        for forged in ["", "x", "é", token.get(..40).unwrap()] {
            assert_eq!(refused(&key, forged), Some(SessionTrouble::Unknown), "{forged}");
        }
        assert_eq!(
            house.tenant.sts.session(&key, &token, i64::MAX).err(),
            Some(SessionTrouble::Expired)
        );
    });
}
