use super::*;

const STREAM: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/a";

fn policy(statement: &str) -> Policy {
    Policy::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#)).unwrap()
}

fn allows(policy: &Policy, caller: &str, action: &str) -> bool {
    let account = AccountId::parse(caller.split(':').nth(4).unwrap()).unwrap();
    policy.allows(&Request { account, caller_arn: caller, action, resource: STREAM })
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
            "arn:aws:iam::111111111111:root","arn:aws:iam::222222222222:role/x/reader"]}}"#,
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
fn resources_and_conditions_narrow() {
    let p = policy(
        r#"{"Effect":"Allow","Principal":"*","Action":"kinesis:*","Resource":"arn:aws:kinesis:*:b"}"#,
    );
    assert!(!allows(&p, ANN, "kinesis:PutRecord"));
    let p = policy(
        r#"{"Effect":"Allow","Principal":"*","Action":"kinesis:*",
            "Condition":{"StringEquals":{"aws:PrincipalAccount":["111111111111"]},
                         "Null":{"aws:SourceIp":true}}}"#,
    );
    assert!(allows(&p, ANN, "kinesis:PutRecord"));
    assert!(!allows(&p, BOB, "kinesis:PutRecord"));
    let p = policy(
        r#"{"Effect":"Allow","Principal":"*","Action":"kinesis:*",
            "Condition":{"StringEquals":{"aws:SourceIp":"1.2.3.4"}}}"#,
    );
    assert!(!allows(&p, ANN, "kinesis:PutRecord"), "an unknown key fails a comparison");
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
