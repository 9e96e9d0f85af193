use super::*;
use crate::{Origin, Region};

const STREAM: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/a";

fn policy(statement: &str) -> Policy {
    Policy::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#)).unwrap()
}

/// A request of a caller from 192.0.2.7 over TLS, ten seconds after 2026-01-01.
fn cx(caller: &str) -> Cx {
    let account = AccountId::parse(caller.split(':').nth(4).unwrap()).unwrap();
    let address = Some("192.0.2.7".parse().unwrap());
    let origin = Origin { address, is_tls: true, time_ms: 1_767_225_610_999 };
    let user_id = caller.contains(":user/").then(|| "AIDAANN".into());
    let cx = Cx { caller_arn: caller.into(), ..Cx::of_service(account, Region::default()) };
    let session = cx.caller_path().strip_prefix("assumed-role/");
    let role = session.and_then(|session| session.split('/').next());
    let role_arn = role.map(|role| format!("arn:aws:iam::{account}:role/{role}").into());
    Cx { user_id, role_arn, origin, ..cx }
}

fn allows(policy: &Policy, caller: &str, action: &str) -> bool {
    policy.allows(&Request {
        cx: &cx(caller),
        action,
        resource: STREAM,
        context: Context::default(),
    })
}

const ANN: &str = "arn:aws:iam::111111111111:user/ann";
const BOB: &str = "arn:aws:iam::222222222222:user/bob";

#[test]
fn an_account_may_do_what_is_named() {
    let p = policy(&format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":"111111111111"}},
            "Action":["kinesis:Put*","kinesis:describestreamsummary"],"Resource":"{STREAM}"}}"#
    ));
    assert!(allows(&p, ANN, "kinesis:PutRecords"));
    assert!(allows(&p, ANN, "kinesis:DescribeStreamSummary"));
    assert!(!allows(&p, ANN, "kinesis:GetRecords"));
    assert!(!allows(&p, BOB, "kinesis:PutRecord"));
}

#[test]
fn root_means_the_account_and_a_role_means_its_sessions() {
    let p = policy(
        r#"{"Effect":"Allow","Action":"kinesis:*","Principal":{"AWS":[
            "arn:aws:iam::111111111111:root","arn:aws:iam::222222222222:role/reader"]}}"#,
    );
    assert!(allows(&p, ANN, "kinesis:PutRecord"));
    assert!(!allows(&p, BOB, "kinesis:PutRecord"));
    let session = "arn:aws:sts::222222222222:assumed-role/reader/s1";
    assert!(allows(&p, session, "kinesis:PutRecord"));
    assert!(!allows(&p, "arn:aws:sts::333333333333:assumed-role/reader/s1", "kinesis:PutRecord"));
}

#[test]
fn a_denial_wins() {
    let p = policy(&format!(
        r#"{{"Effect":"Allow","Principal":"*","Action":"*"}},
           {{"Effect":"Deny","Principal":{{"AWS":"{BOB}"}},"NotAction":"kinesis:Get*"}}"#
    ));
    assert!(allows(&p, ANN, "kinesis:PutRecord"));
    assert!(!allows(&p, BOB, "kinesis:PutRecord"));
    assert!(allows(&p, BOB, "kinesis:GetRecords"));
}

#[test]
fn resources_narrow() {
    let p = policy(
        r#"{"Effect":"Allow","Principal":"*","Action":"kinesis:*","Resource":"arn:aws:kinesis:*:b"}"#,
    );
    assert!(!allows(&p, ANN, "kinesis:PutRecord"));
}

const ROOT: &str = "arn:aws:iam::333333333333:root";

fn condition(condition: &str) -> Result<Policy, BadPolicy> {
    Policy::parse(&format!(
        r#"{{"Statement":{{"Effect":"Deny","Principal":"*","Action":"*",
            "Condition":{{{condition}}}}}}}"#
    ))
}

fn holds(text: &str, cx: &Cx) -> bool {
    let policy = condition(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    policy.denies(&Request {
        cx,
        action: "kinesis:PutRecord",
        resource: STREAM,
        context: Context::default(),
    })
}

#[test]
fn conditions_hold_as_what_is_known_of_a_request() {
    let user = cx(ANN);
    for (text, want) in [
        (r#""StringEquals":{"aws:PrincipalAccount":["x","111111111111"]}"#, true),
        (r#""StringNotEquals":{"aws:PrincipalAccount":["x","111111111111"]}"#, false),
        (r#""StringEquals":{"AWS:UserName":"ann"}"#, true),
        (r#""StringEquals":{"aws:username":"Ann"}"#, false),
        (r#""StringEqualsIgnoreCase":{"aws:username":"Ann"}"#, true),
        (r#""StringNotEqualsIgnoreCase":{"aws:username":"Ann"}"#, false),
        (r#""StringLike":{"aws:userid":"AIDAA*"}"#, true),
        (r#""StringNotLike":{"aws:userid":["AIDAB*","AROA*"]}"#, true),
        (r#""StringEquals":{"aws:PrincipalType":"User"}"#, true),
        (r#""StringEquals":{"aws:RequestedRegion":"us-east-1"}"#, true),
        (r#""StringLike":{"aws:PrincipalArn":"arn:*:user/ann"}"#, true),
        (r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/*"}"#, true),
        (r#""ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111111111111:user/ann"}"#, true),
        (r#""ArnLike":{"aws:PrincipalArn":"arn:*:*:*:*:*:ann"}"#, false),
        (r#""ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::222222222222:*"}"#, true),
        (r#""ArnLike":{"aws:PrincipalArn":"*"}"#, true),
        (r#""Bool":{"aws:SecureTransport":"true"}"#, true),
        (r#""Bool":{"aws:SecureTransport":false}"#, false),
        (r#""Bool":{"aws:SecureTransport":["FALSE","True"]}"#, true),
        (r#""Bool":{"aws:ViaAWSService":"false","aws:PrincipalIsAWSService":"false"}"#, true),
        (r#""IpAddress":{"aws:SourceIp":["10.0.0.0/8","192.0.2.0/24"]}"#, true),
        (r#""NotIpAddress":{"aws:SourceIp":["10.0.0.0/8","192.0.2.0/24"]}"#, false),
        (r#""NotIpAddress":{"aws:SourceIp":"2001:db8::/32"}"#, true),
        (r#""DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}"#, true),
        (r#""DateLessThan":{"aws:CurrentTime":"2026-01-01T00:00:10Z"}"#, false),
        (r#""DateLessThanEquals":{"aws:CurrentTime":"2026-01-01T00:00:10Z"}"#, true),
        (r#""DateGreaterThanEquals":{"aws:CurrentTime":1767225610}"#, true),
        (r#""DateLessThan":{"aws:CurrentTime":"2030"}"#, true),
        (r#""DateEquals":{"aws:CurrentTime":"1767225610"}"#, true),
        (r#""DateNotEquals":{"aws:CurrentTime":"1767225610"}"#, false),
        (r#""Null":{"aws:SourceIp":"false","aws:username":false}"#, true),
        (r#""Null":{"aws:SourceIp":true}"#, false),
        (r#""ForAllValues:StringEquals":{"aws:username":["ann","bob"]}"#, true),
        (r#""ForAnyValue:StringEquals":{"aws:username":["bob"]}"#, false),
        (r#""ForAnyValue:StringNotEqualsIfExists":{"aws:username":["bob"]}"#, true),
        (r#""StringEquals":{"aws:username":"ann"},"Bool":{"aws:SecureTransport":"false"}"#, false),
        ("", true),
    ] {
        assert_eq!(holds(text, &user), want, "{text}");
    }
    let root = cx(ROOT);
    for (text, want) in [
        (r#""StringEquals":{"aws:PrincipalType":"Account","aws:userid":"333333333333"}"#, true),
        (r#""Bool":{"aws:SecureTransport":"false"}"#, false),
    ] {
        assert_eq!(holds(text, &root), want, "{text}");
    }
    let plain = Cx { origin: Origin { is_tls: false, ..root.origin }, ..root };
    assert!(holds(r#""Bool":{"aws:SecureTransport":"false"}"#, &plain));
}

/// As IAM documents it: a comparison fails, its negation holds.
#[test]
fn what_a_request_does_not_have() {
    let root = cx(ROOT);
    for (operator, want) in [
        ("StringEquals", false),
        ("StringNotEquals", true),
        ("StringEqualsIfExists", true),
        ("StringNotLikeIfExists", true),
        ("ForAllValues:StringEquals", true),
        ("ForAllValues:StringNotEquals", true),
        ("ForAnyValue:StringEquals", false),
        ("ForAnyValue:StringNotEquals", false),
        ("ForAnyValue:StringEqualsIfExists", true),
    ] {
        let text = format!(r#""{operator}":{{"aws:username":"ann"}}"#);
        assert_eq!(holds(&text, &root), want, "{operator}");
    }
    assert!(holds(r#""Null":{"aws:username":"true"}"#, &root));
}

#[test]
fn conditions_that_could_hold_for_nothing_are_refused() {
    for text in [
        r#""StringEquals":{"aws:PrincpalAccount":"111111111111"}"#,
        r#""StringEquals":{"aws:PrincipalOrgID":"o-1"}"#,
        r#""StringNotEquals":{"aws:SourceVpce":"vpce-1"}"#,
        r#""StringLike":{"aws:SourceIp":"127.*"}"#,
        r#""StringEquals":{"aws:SecureTransport":"false"}"#,
        r#""Bool":{"aws:SecureTransport":"no"}"#,
        r#""IpAddress":{"aws:SourceIp":"127.0.0.256"}"#,
        r#""IpAddress":{"aws:SourceIp":["10.0.0.0/8","10.0.0.0/33"]}"#,
        r#""IpAddress":{"aws:PrincipalAccount":"10.0.0.0/8"}"#,
        r#""DateLessThan":{"aws:CurrentTime":"01/02/2026"}"#,
        r#""DateLessThan":{"aws:CurrentTime":"2026-02-30"}"#,
        r#""ArnLike":{"aws:PrincipalArn":"bob"}"#,
        r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*"}"#,
        r#""ArnLike":{"aws:username":"arn:aws:iam::1:user/bob"}"#,
        r#""NumericEquals":{"aws:CurrentTime":"1"}"#,
        r#""Null":{"aws:username":"maybe"}"#,
        r#""NullIfExists":{"aws:username":"true"}"#,
        r#""ForAllValues:Null":{"aws:username":"true"}"#,
        r#""ForSomeValues:StringEquals":{"aws:username":"ann"}"#,
        r#""stringequals":{"aws:username":"ann"}"#,
        r#""StringEquals":{"aws:username":[]}"#,
        r#""StringEquals":{"aws:username":null}"#,
        r#""StringEquals":{}"#,
        r#""StringEquals":"ann""#,
        r#""StringEquals":{"aws:username":"ann","AWS:username":"bob"}"#,
        r#""StringEquals":{"aws:username":"ann","aws:username":"bob"}"#,
        r#""StringEquals":{"aws:username":"ann"},"StringEquals":{"aws:userid":"x"}"#,
        r#""StringEquals":{"aws:PrincipalArn":"${aws:PrincipalArn}"}"#,
    ] {
        assert!(condition(text).is_err(), "{text}");
    }
}

/// A user's path may be whatever he who makes him wants.
#[test]
fn a_user_with_the_path_of_a_session_is_no_session() {
    const FORGED: &str = "arn:aws:iam::222222222222:user/x:333333333333:assumed-role/reader/s1";
    const ROLE: &str = "arn:aws:iam::333333333333:role/reader";
    let p = policy(&format!(
        r#"{{"Effect":"Allow","Action":"kinesis:*","Principal":{{"AWS":"{ROLE}"}}}}"#
    ));
    assert!(allows(&p, "arn:aws:sts::333333333333:assumed-role/reader/s1", "kinesis:PutRecord"));
    assert!(!allows(&p, FORGED, "kinesis:PutRecord"));
    let forged = cx(FORGED);
    assert_eq!((forged.user_name(), forged.principal_arn()), (Some("s1"), FORGED));
}

#[test]
fn policies_of_old_never_open() {
    let read = |document: &str| match Policy::read_stored(document) {
        Stored::Closed(policy, _) => policy,
        Stored::Policy(policy) => panic!("{policy:?}"),
    };
    let of = |effect: &str| {
        read(&format!(
            r#"{{"Statement":[{{"Effect":"Allow","Principal":"*","Action":"*"}},
                {{"Effect":"{effect}","Principal":"*","Action":"*",
                  "Condition":{{"StringEquals":{{"aws:old":"x"}}}}}}]}}"#
        ))
    };
    let cx = cx(ANN);
    let request = Request {
        cx: &cx,
        action: "kinesis:PutRecord",
        resource: STREAM,
        context: Context::default(),
    };
    for (effect, denies) in [("Allow", false), ("Deny", true), ("\\u0044eny", true)] {
        assert!(!of(effect).allows(&request), "{effect}");
        assert_eq!(of(effect).denies(&request), denies, "{effect}");
    }
    let fine = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"*"}}"#;
    assert_eq!(Policy::read_stored(fine), Stored::Policy(Policy::parse(fine).unwrap()));
}

#[test]
fn a_user_is_the_same_in_every_partition() {
    let p = policy(&format!(
        r#"{{"Effect":"Allow","Action":"kinesis:*","Principal":{{"AWS":"{ANN}"}}}}"#
    ));
    assert!(allows(&p, &ANN.replace("arn:aws:", "arn:aws-cn:"), "kinesis:PutRecord"));
    assert!(!allows(&p, BOB, "kinesis:PutRecord"));
}

#[test]
fn what_is_not_understood_is_refused() {
    let ok = r#""Effect":"Allow","Principal":"*","Action":"kinesis:*""#;
    Policy::parse(&format!(r#"{{"Statement":{{{ok}}}}}"#)).unwrap();
    for document in [
        "",
        "[]",
        "{}",
        r#"{"Statement":[]}"#,
        &format!(r#"{{"Version":"2020-01-01","Statement":{{{ok}}}}}"#),
        &format!(r#"{{"Statement":{{{ok},"Extra":1}}}}"#),
        &format!(r#"{{"Statement":{{{ok},"NotAction":"a:b"}}}}"#),
        &format!(r#"{{"Statement":{{{ok},"Condition":{{"NumericEquals":{{"a":"1"}}}}}}}}"#),
        r#"{"Statement":{"Effect":"Deny","Effect":"Allow","Principal":"*","Action":"kinesis:*"}}"#,
        &format!(r#"{{"Statement":{{{ok}}},"Statement":{{{ok}}}}}"#),
        &format!(r#"{{"Statement":{{{ok},"Resource":"arn:aws:kinesis:*:*:${{x}}"}}}}"#),
        r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:user/a?"},
            "Action":"kinesis:*"}}"#,
        r#"{"Statement":{"Effect":"Maybe","Principal":"*","Action":"kinesis:*"}}"#,
        r#"{"Statement":{"Effect":"Allow","Action":"kinesis:*"}}"#,
        r#"{"Statement":{"Effect":"Allow","Principal":"*"}}"#,
        r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"PutRecord"}}"#,
        r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"ann"},"Action":"kinesis:*"}}"#,
        r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":[]},"Action":"kinesis:*"}}"#,
        &format!(r#"{{"Id":"{}","Statement":{{{ok}}}}}"#, "x".repeat(DOCUMENT_BYTES_MAX)),
    ] {
        assert!(Policy::parse(document).is_err(), "{document:.80}");
    }
}

const READER: &str = "arn:aws:sts::222222222222:assumed-role/reader/s1";

/// Whether a policy of these statements lets Ann, Bob and a session of a role put a record.
fn check(statements: &str, want: [bool; 3]) {
    let policy = policy(statements);
    let found = [ANN, BOB, READER].map(|caller| allows(&policy, caller, "kinesis:PutRecord"));
    assert_eq!(found, want, "{statements}");
}

#[test]
fn principals() {
    let allow = |principal: &str| {
        format!(r#"{{"Effect":"Allow","Action":"kinesis:PutRecord",{principal}}}"#)
    };
    for (principal, want) in [
        (r#""Principal":"*""#, [true, true, true]),
        (r#""Principal":{"AWS":"*"}"#, [true, true, true]),
        (r#""Principal":{"AWS":"111111111111"}"#, [true, false, false]),
        (r#""Principal":{"AWS":["111111111111","222222222222"]}"#, [true, true, true]),
        (r#""Principal":{"AWS":"arn:aws:iam::222222222222:root"}"#, [false, true, true]),
        (r#""Principal":{"AWS":"arn:aws:iam::222222222222:user/bob"}"#, [false, true, false]),
        (r#""Principal":{"AWS":"arn:aws:iam::222222222222:user/bo"}"#, [false, false, false]),
        (r#""Principal":{"AWS":"arn:aws:iam::222222222222:user/Bob"}"#, [false, false, false]),
        (r#""Principal":{"AWS":"arn:aws:iam::222222222222:role/reader"}"#, [false, false, true]),
        (r#""Principal":{"AWS":"arn:aws:iam::222222222222:role/a/reader"}"#, [false, false, false]),
        (r#""Principal":{"AWS":"arn:aws:iam::222222222222:role/read"}"#, [false, false, false]),
        (r#""Principal":{"AWS":"arn:aws:iam::111111111111:role/reader"}"#, [false, false, false]),
        (
            r#""Principal":{"AWS":"arn:aws:sts::222222222222:assumed-role/reader/s1"}"#,
            [false, false, true],
        ),
        (
            r#""Principal":{"AWS":"arn:aws:sts::222222222222:assumed-role/reader/s2"}"#,
            [false, false, false],
        ),
        (r#""Principal":{"Service":"firehose.amazonaws.com"}"#, [false, false, false]),
        (r#""Principal":{"Federated":"x","AWS":"111111111111"}"#, [true, false, false]),
        (r#""NotPrincipal":{"AWS":"111111111111"}"#, [false, true, true]),
        (r#""NotPrincipal":{"AWS":"arn:aws:iam::222222222222:user/bob"}"#, [true, false, true]),
        (r#""NotPrincipal":{"Service":"x.amazonaws.com"}"#, [true, true, true]),
        (r#""NotPrincipal":"*""#, [false, false, false]),
    ] {
        check(&allow(principal), want);
    }
    for wrong in [
        r#""Principal":"111111111111""#,
        r#""Principal":["*"]"#,
        r#""Principal":{}"#,
        r#""Principal":{"AWS":{}}"#,
        r#""Principal":{"AWS":1}"#,
        r#""Principal":{"Aws":"*"}"#,
        r#""Principal":{"AWS":"11111111111"}"#,
        r#""Principal":{"AWS":"arn:aws:iam::*:root"}"#,
        r#""Principal":{"AWS":"arn:aws:iam::1:user/a"}"#,
        r#""Principal":{"AWS":"arn:aws:iam::111111111111:user/*"}"#,
        r#""Principal":{"AWS":"arn:aws:s3:::bucket"}"#,
        r#""Principal":{"AWS":"arn:aws:iam::111111111111"}"#,
        r#""Principal":"*","NotPrincipal":"*""#,
    ] {
        let text = format!(r#"{{"Statement":{}}}"#, allow(wrong));
        assert!(Policy::parse(&text).is_err(), "{wrong}");
    }
}

/// A denial wins wherever it stands, and what nothing allows is not allowed.
#[test]
fn statements_meet() {
    const ALL: &str = r#"{"Sid":"all","Effect":"Allow","Principal":"*","Action":"*"}"#;
    const NO_PUT: &str = r#"{"Effect":"Deny","Principal":"*","Action":"kinesis:Put*"}"#;
    const NO_GET: &str = r#"{"Effect":"Deny","Principal":"*","Action":"kinesis:Get*"}"#;
    const NO_BOB: &str = r#"{"Effect":"Deny","Principal":{"AWS":"222222222222"},"Action":"*"}"#;
    const NOT_ANN: &str = r#"{"Effect":"Deny","Action":"*","NotPrincipal":
        {"AWS":"arn:aws:iam::111111111111:user/ann"}}"#;
    const PLAIN: &str = r#"{"Effect":"Deny","Principal":"*","Action":"*",
        "Condition":{"Bool":{"aws:SecureTransport":false}}}"#;
    for (statements, want) in [
        (&[ALL][..], [true, true, true]),
        (&[NO_GET], [false, false, false]),
        (&[ALL, NO_PUT], [false, false, false]),
        (&[NO_PUT, ALL], [false, false, false]),
        (&[ALL, NO_GET], [true, true, true]),
        (&[NO_GET, ALL, NO_BOB, ALL], [true, false, false]),
        (&[NOT_ANN, ALL], [true, false, false]),
        (&[PLAIN, ALL], [true, true, true]),
    ] {
        check(&statements.join(","), want);
    }
}

#[test]
fn actions_and_resources() {
    let statement = |text: &str| format!(r#"{{"Effect":"Allow","Principal":"*",{text}}}"#);
    for (text, want) in [
        (r#""Action":"kinesis:PutRecord""#, true),
        (r#""Action":"KINESIS:putrecord""#, true),
        (r#""Action":"kinesis:*""#, true),
        (r#""Action":"kinesis:P*Record""#, true),
        (r#""Action":"kinesis:PutRecor?""#, true),
        (r#""Action":"kinesis:PutRecord?""#, false),
        (r#""Action":"kinesis:PutRecords""#, false),
        (r#""Action":"firehose:*""#, false),
        (r#""Action":["firehose:*","kinesis:Put*"]"#, true),
        (r#""NotAction":"kinesis:Get*""#, true),
        (r#""NotAction":["kinesis:Get*","kinesis:putrecord"]"#, false),
        (r#""NotAction":"*""#, false),
        (r#""Action":"*","Resource":"*""#, true),
        (r#""Action":"*","Resource":"arn:aws:kinesis:us-east-1:000000000000:stream/a""#, true),
        (r#""Action":"*","Resource":"arn:aws:kinesis:us-east-1:000000000000:stream/A""#, false),
        (r#""Action":"*","Resource":"arn:aws:kinesis:us-east-1:000000000000:stream/?""#, true),
        (r#""Action":"*","Resource":"arn:aws:kinesis:*:*:stream/*""#, true),
        (r#""Action":"*","Resource":["arn:aws:s3:::x","arn:*:stream/b"]"#, false),
        (r#""Action":"*","NotResource":"arn:aws:kinesis:*:*:stream/b*""#, true),
        (r#""Action":"*","NotResource":["arn:aws:s3:::x","arn:*stream/a"]"#, false),
    ] {
        check(&statement(text), [want; 3]);
    }
    for wrong in [
        r#""Action":[]"#,
        r#""Action":["kinesis:*",1]"#,
        r#""Action":"PutRecord""#,
        r#""NotAction":["kinesis:*","Put*"]"#,
        r#""Action":"kinesis:${x}""#,
        r#""Action":"kinesis:a:b""#,
        r#""Action":"kinesis:""#,
        r#""Action":":a""#,
        r#""Action":"*:a""#,
        r#""Action":"kinesis:a b""#,
        r#""Action":"*","Resource":{}"#,
        r#""Action":"*","Resource":"stream/a""#,
        r#""Action":"*","Resource":"arn:error:kinesis:*:*:stream/a""#,
        r#""Action":"*","NotResource":["*","*stream/a"]"#,
        r#""Action":"*","Resource":"*","NotResource":"*""#,
        r#""Action":"*","Condition":[]"#,
    ] {
        let text = format!(r#"{{"Statement":{}}}"#, statement(wrong));
        assert!(Policy::parse(&text).is_err(), "{wrong}");
    }
}

#[test]
fn what_a_policy_is_about() {
    let of = |text: &str| {
        policy(&format!(
            r#"{{"Effect":"Allow","Principal":"*","Action":["kinesis:Put*","kinesis:GetRecords"]}},
               {{"Effect":"Deny","Principal":"*","NotAction":"a:B",{text}}}"#
        ))
    };
    for (resources, want) in [
        (r#""Sid":"none""#, true),
        (r#""Resource":"*""#, true),
        (r#""Resource":["arn:aws:s3:::x","arn:aws:kinesis:*:*:stream/a"]"#, true),
        (r#""Resource":"arn:aws:kinesis:*:*:stream/b""#, false),
        (r#""NotResource":"arn:aws:kinesis:*:*:stream/b""#, true),
        (r#""NotResource":"*""#, false),
    ] {
        let policy = of(resources);
        assert_eq!(policy.concerns(STREAM), want, "{resources}");
        let actions: Vec<&str> = policy.actions().collect();
        assert_eq!(actions, ["kinesis:Put*", "kinesis:GetRecords", "a:B"]);
    }
}

#[test]
fn documents_at_their_bounds() {
    let whole = |version: &str| {
        let statement = r#"{"Effect":"Allow","Principal":"*","Action":"*"}"#;
        format!(r#"{{{version}"Statement":{statement}}}"#)
    };
    for version in ["", r#""Version":"2012-10-17","#, r#""Version":"2008-10-17","Id":"x","#] {
        assert!(Policy::parse(&whole(version)).is_ok(), "{version}");
    }
    for version in [r#""Version":2012,"#, r#""Version":null,"#, r#""version":"2012-10-17","#] {
        assert!(Policy::parse(&whole(version)).is_err(), "{version}");
    }
    let room = DOCUMENT_BYTES_MAX - whole("").len();
    assert!(Policy::parse(&(whole("") + &" ".repeat(room))).is_ok());
    let said = Policy::parse(&(whole("") + &" ".repeat(room + 1))).unwrap_err().to_string();
    assert_eq!(said, "the policy is longer than 20480 bytes");
}

#[test]
fn services_are_let_in_by_their_names() {
    let trust = policy(
        r#"{"Effect":"Allow","Action":"sts:AssumeRole",
            "Principal":{"Service":["firehose.amazonaws.com","lambda.amazonaws.com"]},
            "Condition":{"StringEquals":{"sts:ExternalId":"111111111111"}}}"#,
    );
    let cx = Cx::of_service(AccountId::parse("111111111111").unwrap(), Region::default());
    let grants = |service, external_id| {
        let context = Context { service, external_id, ..Context::default() };
        let request = Request { cx: &cx, action: "sts:AssumeRole", resource: STREAM, context };
        trust.grants(&request)
    };
    let (id, firehose) = (Some("111111111111"), Some("firehose.amazonaws.com"));
    assert_eq!(grants(firehose, id), Some(Grant::Caller));
    assert_eq!(grants(firehose, None), None);
    assert_eq!(grants(Some("sns.amazonaws.com"), id), None);
    assert_eq!(grants(None, id), None, "the account's root is no service");
}
