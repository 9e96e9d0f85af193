//! Access keys with policies: every operation, without a signature, by keys that may do it and by
//! keys that may not.

use crate::support::{Running, write};
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use wire::sigv4::{Credentials, Parts, Scope, Secret, payload_hash, sign};

const REGION: &str = "us-east-1";
const STREAM: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
const CONSUMER: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/s/consumer/c:1700000000";

/// An operation with a body that is legal; nothing of what it names exists.
struct Case {
    /// The service as signatures name it.
    service: &'static str,
    /// What stands before the operation in its target.
    target: &'static str,
    operation: &'static str,
    /// The right that it needs.
    action: String,
    body: String,
}

/// Every operation that is served.
fn operations() -> Vec<Case> {
    let case = |(service, target): (&'static str, &'static str)| {
        move |(operation, body): (&'static str, String)| {
            // A transaction needs the rights of its actions.
            let action = if operation == "TransactWriteItems" { "PutItem" } else { operation };
            Case { service, target, operation, action: format!("{service}:{action}"), body }
        }
    };
    let kinesis = kinesis().into_iter().map(case(("kinesis", "Kinesis_20131202")));
    let dynamodb = dynamodb().into_iter().map(case(("dynamodb", "DynamoDB_20120810")));
    let target = ("cloudwatch", "GraniteServiceVersion20100801");
    let cloudwatch = cloudwatch().into_iter().map(case(target));
    let logs = logs().into_iter().map(case(("logs", "Logs_20140328")));
    kinesis.chain(dynamodb).chain(cloudwatch).chain(logs).collect()
}

fn logs() -> Vec<(&'static str, String)> {
    let group = |rest: &str| format!(r#"{{"logGroupName":"g"{rest}}}"#);
    let stream = |rest: &str| group(&format!(r#","logStreamName":"s"{rest}"#));
    let filter = |rest: &str| group(&format!(r#","filterName":"f"{rest}"#));
    let arn = |rest: &str| {
        let arn = "arn:aws:logs:us-east-1:000000000000:log-group:g";
        format!(r#"{{"resourceArn":"{arn}"{rest}}}"#)
    };
    let to =
        r#","filterPattern":"","destinationArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s""#;
    vec![
        ("CreateLogGroup", r#"{"logGroupName":"made"}"#.into()),
        ("CreateLogStream", stream("")),
        ("DeleteLogGroup", group("")),
        ("DeleteLogStream", stream("")),
        ("DeleteRetentionPolicy", group("")),
        ("DeleteSubscriptionFilter", filter("")),
        ("DescribeLogGroups", "{}".into()),
        ("DescribeLogStreams", group("")),
        ("DescribeSubscriptionFilters", group("")),
        ("FilterLogEvents", group("")),
        ("GetLogEvents", stream("")),
        ("ListLogGroups", "{}".into()),
        ("ListTagsForResource", arn("")),
        ("ListTagsLogGroup", group("")),
        ("PutLogEvents", stream(r#","logEvents":[{"timestamp":1,"message":"m"}]"#)),
        ("PutRetentionPolicy", group(r#","retentionInDays":1"#)),
        ("PutSubscriptionFilter", filter(to)),
        ("TagLogGroup", group(r#","tags":{"a":"b"}"#)),
        ("TagResource", arn(r#","tags":{"a":"b"}"#)),
        ("TestMetricFilter", r#"{"filterPattern":"","logEventMessages":["m"]}"#.into()),
        ("UntagLogGroup", group(r#","tags":["a"]"#)),
        ("UntagResource", arn(r#","tagKeys":["a"]"#)),
    ]
}

fn cloudwatch() -> Vec<(&'static str, String)> {
    let alarm = r#"{"AlarmName":"a","StateValue":"OK","StateReason":"r"}"#;
    let alarms = r#"{"AlarmNames":["b"]}"#;
    let metric = r#""Namespace":"N","MetricName":"m""#;
    let times = r#""StartTime":1,"EndTime":61"#;
    let arn = r#""ResourceARN":"arn:aws:cloudwatch:us-east-1:000000000000:alarm:a""#;
    let high = r#""EvaluationPeriods":1,"Threshold":1,"Period":60,"Statistic":"Sum",
        "ComparisonOperator":"GreaterThanThreshold""#;
    let query =
        format!(r#"{{"Id":"m","MetricStat":{{"Metric":{{{metric}}},"Period":60,"Stat":"Sum"}}}}"#);
    vec![
        ("DescribeAlarmHistory", "{}".into()),
        ("DescribeAlarms", "{}".into()),
        ("DescribeAlarmsForMetric", format!("{{{metric}}}")),
        ("GetMetricData", format!(r#"{{{times},"MetricDataQueries":[{query}]}}"#)),
        (
            "GetMetricStatistics",
            format!(r#"{{{metric},{times},"Period":60,"Statistics":["Sum"]}}"#),
        ),
        ("ListDashboards", "{}".into()),
        ("ListMetrics", "{}".into()),
        (
            "PutMetricData",
            r#"{"Namespace":"N","MetricData":[{"MetricName":"m","Value":1}]}"#.into(),
        ),
        ("PutMetricAlarm", format!(r#"{{"AlarmName":"a",{metric},{high}}}"#)),
        ("PutCompositeAlarm", r#"{"AlarmName":"c","AlarmRule":"TRUE"}"#.into()),
        ("SetAlarmState", alarm.into()),
        ("DisableAlarmActions", alarms.into()),
        ("EnableAlarmActions", alarms.into()),
        ("DeleteAlarms", alarms.into()),
        ("ListTagsForResource", format!("{{{arn}}}")),
        ("TagResource", format!(r#"{{{arn},"Tags":[{{"Key":"k","Value":"v"}}]}}"#)),
        ("UntagResource", format!(r#"{{{arn},"TagKeys":["k"]}}"#)),
        ("PutDashboard", r#"{"DashboardName":"d","DashboardBody":"{}"}"#.into()),
        ("GetDashboard", r#"{"DashboardName":"d"}"#.into()),
        ("DeleteDashboards", r#"{"DashboardNames":["d"]}"#.into()),
    ]
}

fn dynamodb() -> Vec<(&'static str, String)> {
    let table = |rest: &str| format!(r#"{{"TableName":"app"{rest}}}"#);
    let key = r#","Key":{"k":{"S":"a"}}"#;
    let keys = r#","KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],
        "AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"}],
        "BillingMode":"PAY_PER_REQUEST""#;
    let item = r#","Item":{"k":{"S":"a"}}"#;
    let of_a = r#","KeyConditionExpression":"k = :k",
        "ExpressionAttributeValues":{":k":{"S":"a"}}"#;
    let off = r#","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":false}"#;
    let put = table(item);
    vec![
        ("CreateTable", table(keys)),
        ("DeleteItem", table(key)),
        ("DeleteTable", table("").replace("app", "other")),
        ("DescribeContinuousBackups", table("")),
        ("DescribeTable", table("")),
        ("DescribeTimeToLive", table("")),
        ("GetItem", table(key)),
        (
            "ListTagsOfResource",
            r#"{"ResourceArn":"arn:aws:dynamodb:us-east-1:000000000000:table/app"}"#.into(),
        ),
        ("PutItem", table(item)),
        ("Query", table(of_a)),
        ("Scan", table("")),
        ("UpdateContinuousBackups", table(off)),
        ("TransactWriteItems", format!(r#"{{"TransactItems":[{{"Put":{put}}}]}}"#)),
        ("UpdateItem", table(key)),
        ("UpdateTable", table(r#","DeletionProtectionEnabled":false"#)),
    ]
}

fn kinesis() -> Vec<(&'static str, String)> {
    let stream = |rest: &str| format!(r#"{{"StreamName":"s"{rest}}}"#);
    let arn = |rest: &str| format!(r#"{{"StreamARN":"{STREAM}"{rest}}}"#);
    let resource = |rest: &str| format!(r#"{{"ResourceARN":"{STREAM}"{rest}}}"#);
    let consumer = |rest: &str| format!(r#"{{"ConsumerARN":"{CONSUMER}"{rest}}}"#);
    let shard = r#","ShardId":"shardId-000000000000""#;
    let policy = r#"{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"kinesis:PutRecord\"}}"#;
    vec![
        ("AddTagsToStream", stream(r#","Tags":{"a":"b"}"#)),
        ("CreateStream", stream(r#","ShardCount":1"#)),
        ("DecreaseStreamRetentionPeriod", stream(r#","RetentionPeriodHours":24"#)),
        ("DeleteResourcePolicy", resource("")),
        ("DeleteStream", stream("")),
        ("DeregisterStreamConsumer", consumer("")),
        ("DescribeAccountSettings", "{}".into()),
        ("DescribeLimits", "{}".into()),
        ("DescribeStream", stream("")),
        ("DescribeStreamConsumer", consumer("")),
        ("DescribeStreamSummary", stream("")),
        ("DisableEnhancedMonitoring", stream(r#","ShardLevelMetrics":["ALL"]"#)),
        ("EnableEnhancedMonitoring", stream(r#","ShardLevelMetrics":["ALL"]"#)),
        ("GetResourcePolicy", resource("")),
        ("GetShardIterator", stream(&format!(r#"{shard},"ShardIteratorType":"LATEST""#))),
        ("IncreaseStreamRetentionPeriod", stream(r#","RetentionPeriodHours":48"#)),
        ("ListShards", stream("")),
        ("ListStreamConsumers", arn("")),
        ("ListStreams", "{}".into()),
        ("ListTagsForResource", resource("")),
        ("ListTagsForStream", stream("")),
        (
            "MergeShards",
            stream(
                r#","ShardToMerge":"shardId-000000000000","AdjacentShardToMerge":"shardId-000000000001""#,
            ),
        ),
        ("PutRecord", stream(r#","PartitionKey":"k","Data":"eA==""#)),
        ("PutRecords", stream(r#","Records":[{"PartitionKey":"k","Data":"eA=="}]"#)),
        ("PutResourcePolicy", resource(&format!(r#","Policy":"{policy}""#))),
        ("RegisterStreamConsumer", arn(r#","ConsumerName":"c""#)),
        ("RemoveTagsFromStream", stream(r#","TagKeys":["a"]"#)),
        (
            "SplitShard",
            stream(r#","ShardToSplit":"shardId-000000000000","NewStartingHashKey":"5""#),
        ),
        ("StartStreamEncryption", stream(r#","EncryptionType":"KMS","KeyId":"alias/a""#)),
        ("StopStreamEncryption", stream(r#","EncryptionType":"KMS","KeyId":"alias/a""#)),
        (
            "SubscribeToShard",
            consumer(&format!(r#"{shard},"StartingPosition":{{"Type":"LATEST"}}"#)),
        ),
        ("TagResource", resource(r#","Tags":{"a":"b"}"#)),
        ("UntagResource", resource(r#","TagKeys":["a"]"#)),
        (
            "UpdateAccountSettings",
            r#"{"MinimumThroughputBillingCommitment":{"Status":"DISABLED"}}"#.into(),
        ),
        ("UpdateMaxRecordSize", arn(r#","MaxRecordSizeInKiB":1024"#)),
        ("UpdateShardCount", stream(r#","TargetShardCount":2,"ScalingType":"UNIFORM_SCALING""#)),
        ("UpdateStreamMode", arn(r#","StreamModeDetails":{"StreamMode":"ON_DEMAND"}"#)),
        ("UpdateStreamRecordDistributionStrategy", arn(r#","RecordDistributionStrategy":"AUTO""#)),
        ("UpdateStreamWarmThroughput", stream(r#","WarmThroughputMiBps":1"#)),
    ]
}

/// The answer to an operation, signed by `key` when there is one.
fn ask(server: SocketAddr, case: &Case, key: Option<&str>) -> String {
    let Case { service, target, operation, body, .. } = case;
    let version = if matches!(*service, "kinesis" | "logs") { "1.1" } else { "1.0" };
    let target = format!("{target}.{operation}");
    let host = server.to_string();
    let mut head = format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\nX-Amz-Target: {target}\r\nConnection: close\r\n\
         Content-Type: application/x-amz-json-{version}\r\nContent-Length: {}\r\n",
        body.len()
    );
    if let Some(id) = key {
        let headers = [("host", host.as_bytes()), ("x-amz-target", target.as_bytes())];
        let parts = Parts { method: "POST", path: "/", query: "", headers: &headers };
        let credentials = Credentials {
            access_key_id: id.to_owned(),
            secret_access_key: Secret::new("hush"),
            session_token: None,
        };
        // What CloudWatch is called in signatures.
        let service = if *service == "cloudwatch" { "monitoring" } else { service };
        let scope = Scope { region: REGION, service };
        let now_ms = client::system_env().clock.now_ms();
        let signed = sign(&parts, &payload_hash(body.as_bytes()), &credentials, scope, now_ms);
        let (date, authorization) = (signed.x_amz_date, signed.authorization);
        head = format!("{head}X-Amz-Date: {date}\r\nAuthorization: {authorization}\r\n");
    }
    let mut stream = TcpStream::connect(server).unwrap();
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A policy with these actions.
fn policy<'a>(actions: impl Iterator<Item = &'a str>) -> String {
    let actions: Vec<String> = actions.map(|action| format!("\"{action}\"")).collect();
    let actions = actions.join(",");
    format!(r#"{{"Statement":{{"Effect":"Allow","Action":[{actions}],"Resource":"*"}}}}"#)
}

/// A server with a key for every second operation, one for the others, and one for nothing.
fn start() -> Running {
    let dir = tempfile::tempdir().unwrap();
    let operations = operations();
    // Two operations that need one right must be on the same side.
    let nth = |first: usize| {
        policy(operations.iter().skip(first).step_by(2).map(|case| case.action.as_str()))
    };
    write(&dir.path().join("even.json"), &nth(0));
    write(&dir.path().join("odd.json"), &nth(1));
    let key = |name: &str, more: &str| {
        format!("[access_keys.{name}]\nid = 'AK{name}'\nsecret = 'hush'\n{more}\n")
    };
    let file = [
        "auth = 'required'\n".to_owned(),
        key("even", "policy_file = 'even.json'"),
        key("odd", "policy_file = 'odd.json'"),
        key("nothing", "policies = []"),
        key("all", ""),
        key("producer", "policies = ['producer']"),
    ];
    write(&dir.path().join("millweir.toml"), &file.concat());
    Running::start_after("chmod 600 millweir.toml", dir, &[])
}

#[test]
fn every_operation_asks_the_policies_of_the_key() {
    let server = start();
    for (nth, case) in operations().iter().enumerate() {
        let Case { operation, action, .. } = case;
        let (right, other) = if nth % 2 == 0 { ("AKeven", "AKodd") } else { ("AKodd", "AKeven") };
        let ask = |key| ask(server.address(), case, key);
        let unsigned = ask(None);
        assert!(
            unsigned.contains("MissingAuthenticationTokenException"),
            "{operation}: {unsigned}"
        );
        for key in ["AKnothing", other] {
            let denied = ask(Some(key));
            let why = format!("because no identity-based policy allows the {action} action");
            assert!(denied.contains("AccessDeniedException"), "{operation} by {key}: {denied}");
            assert!(denied.contains(&why), "{operation} by {key}: {denied}");
        }
        for key in [right, "AKall"] {
            let done = ask(Some(key));
            assert!(!done.contains("AccessDenied"), "{operation} by {key}: {done}");
            assert!(!done.contains("SerializationException"), "{operation} by {key}: {done}");
            assert!(!done.contains("ValidationException"), "{operation} by {key}: {done}");
        }
    }
}

/// An iterator may be had by one key and used by another.
#[test]
fn a_producer_puts_and_does_not_read() {
    let server = start();
    let ask = |operation, body: &str, key| {
        let (service, target) = ("kinesis", "Kinesis_20131202");
        let (action, body) = (String::new(), body.to_owned());
        ask(server.address(), &Case { service, target, operation, action, body }, Some(key))
    };
    ask("CreateStream", r#"{"StreamName":"t","ShardCount":1}"#, "AKall");
    let put = r#"{"StreamName":"t","PartitionKey":"k","Data":"eA=="}"#;
    let at = r#"{"StreamName":"t","ShardId":"shardId-000000000000","ShardIteratorType":"LATEST"}"#;
    let mut done = ask("PutRecord", put, "AKproducer");
    for _ in 0..100 {
        if done.contains("SequenceNumber") {
            break;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(50));
        done = ask("PutRecord", put, "AKproducer");
    }
    assert!(done.contains("SequenceNumber"), "{done}");
    assert!(ask("GetShardIterator", at, "AKproducer").contains("AccessDeniedException"));
    let got = ask("GetShardIterator", at, "AKall");
    let (_, iterator) = got.split_once("\"ShardIterator\":\"").unwrap();
    let iterator = iterator.split('"').next().unwrap();
    let body = format!(r#"{{"ShardIterator":"{iterator}"}}"#);
    assert!(ask("GetRecords", &body, "AKproducer").contains("AccessDeniedException"));
    assert!(ask("GetRecords", &body, "AKall").contains("\"Records\""));
}

/// A form with what an operation cannot do without.
fn form(model: &serde_json::Value, version: &str, operation: &str) -> String {
    let mut form = format!("Action={operation}&Version={version}");
    let input = &model["operations"][operation]["input"]["shape"];
    let shape = &model["shapes"][input.as_str().unwrap_or_default()];
    for member in shape["required"].as_array().into_iter().flatten() {
        let member = member.as_str().unwrap();
        let of = shape["members"][member]["shape"].as_str().unwrap();
        let is_list = model["shapes"][of]["type"] == "list";
        let (name, value) = match (member, is_list) {
            ("Tags", true) => ("Tags.member.1.Key=k&Tags.member.1.Value".to_owned(), "v"),
            (_, true) => (format!("{member}.member.1"), "k"),
            (_, false) => (member.to_owned(), sample(member)),
        };
        write!(form, "&{name}={value}").unwrap();
    }
    // What the model does not say.
    match operation {
        "Publish" => write!(form, "&TopicArn={}", sample("TopicArn")).unwrap(),
        "Subscribe" => form.push_str("&Endpoint=http%3A%2F%2F127.0.0.1%3A18080%2F"),
        _ => {}
    }
    form
}

/// A value that a member may have.
fn sample(member: &str) -> &'static str {
    match member {
        "PolicyArn" | "PermissionsBoundary" => {
            "arn%3Aaws%3Aiam%3A%3A000000000000%3Apolicy%2Fxyzuvw"
        }
        "RoleArn" => "arn%3Aaws%3Aiam%3A%3A000000000000%3Arole%2Fx",
        "PolicyDocument" => {
            "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22\
             %2C%22Action%22%3A%22%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D"
        }
        "AssumeRolePolicyDocument" => {
            "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22\
             %2C%22Action%22%3A%22sts%3AAssumeRole%22%2C%22Principal%22%3A%7B%22AWS%22%3A%22\
             000000000000%22%7D%7D%7D"
        }
        "AccessKeyId" => "AKIAABCDEFGHIJKLMNOP",
        "VersionId" => "v1",
        "Status" => "Active",
        "TopicArn" | "ResourceArn" => "arn%3Aaws%3Asns%3Aus-east-1%3A000000000000%3Atopic",
        "SubscriptionArn" => {
            "arn%3Aaws%3Asns%3Aus-east-1%3A000000000000%3Atopic%3A\
             8a1b2c3d-0000-4000-8000-000000000000"
        }
        "Protocol" => "http",
        "AttributeName" => "DisplayName",
        _ => "abcdefgh",
    }
}

/// What asks nobody: whoever has a token may confirm, and everybody may ask who he is.
const FREE: [&str; 2] = ["ConfirmSubscription", "GetCallerIdentity"];

#[test]
fn every_operation_of_forms_asks_the_policies_of_the_key() {
    let server = start();
    for (routes, version, model) in [
        (&api::iam::ROUTES, "2010-05-08", include_str!("../../../../model/iam.json")),
        (&api::sns::ROUTES, "2010-03-31", include_str!("../../../../model/sns.json")),
        (&api::sts::ROUTES, "2011-06-15", include_str!("../../../../model/sts.json")),
    ] {
        let model = serde_json::from_str(model).unwrap();
        for operation in routes.operations.iter().filter(|op| !FREE.contains(&op.name)) {
            let (service, operation) = (routes.signing_name, operation.name);
            let body = form(&model, version, operation);
            let ask = |key| ask_form(server.address(), (service, &body), key);
            let denied = ask("AKnothing");
            // SNS has words of its own.
            let (code, said) = match service {
                "sns" => ("AuthorizationError", "SNS"),
                other => ("AccessDenied", other),
            };
            assert!(denied.contains(&format!("<Code>{code}</Code>")), "{operation}: {denied}");
            assert!(denied.contains(&format!("{said}:{operation}")), "{operation}: {denied}");
            let done = ask("AKall");
            // A role that is not there is told in the same words.
            let is_done = operation == "AssumeRole" || !done.contains(code);
            assert!(is_done, "{operation}: {done}");
        }
    }
}

/// Who signs a form.
#[derive(Clone)]
struct Signer {
    id: String,
    secret: String,
    token: Option<String>,
}

impl Signer {
    /// A key of the configuration.
    fn configured(id: &str) -> Self {
        Self { id: id.to_owned(), secret: "hush".to_owned(), token: None }
    }

    /// The key that an answer brings.
    fn issued(answer: &str) -> Self {
        let text = |name: &str| Some(between(answer, name)?.to_owned());
        let (id, secret) = (text("AccessKeyId").unwrap(), text("SecretAccessKey").unwrap());
        Self { id, secret, token: text("SessionToken") }
    }
}

/// The text of an element.
fn between<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = answer.split_once(&format!("<{name}>"))?;
    rest.split_once("</").map(|(text, _)| text)
}

/// The answer to a form.
pub(crate) fn ask_form(server: SocketAddr, (service, body): (&str, &str), key: &str) -> String {
    ask_form_as(server, (service, body), &Signer::configured(key))
}

fn ask_form_as(server: SocketAddr, (service, body): (&str, &str), signer: &Signer) -> String {
    let host = server.to_string();
    let mut headers = vec![("host", host.as_bytes())];
    let token = signer.token.as_deref();
    headers.extend(token.map(|token| ("x-amz-security-token", token.as_bytes())));
    let parts = Parts { method: "POST", path: "/", query: "", headers: &headers };
    let credentials = Credentials {
        access_key_id: signer.id.clone(),
        secret_access_key: Secret::new(signer.secret.as_str()),
        session_token: None,
    };
    let now_ms = client::system_env().clock.now_ms();
    let scope = Scope { region: REGION, service };
    let signed = sign(&parts, &payload_hash(body.as_bytes()), &credentials, scope, now_ms);
    let (date, authorization) = (signed.x_amz_date, signed.authorization);
    let shown = token.map_or(String::new(), |token| format!("X-Amz-Security-Token: {token}\r\n"));
    let head = format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nX-Amz-Date: {date}\r\n{shown}\
         Authorization: {authorization}\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(server).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Users of IAM and sessions of STS sign where signatures are required, and nobody signs for them.
#[test]
fn users_and_sessions_sign() {
    let server = start();
    let ask = |service: &str, body: &str, signer: &Signer| {
        ask_form_as(server.address(), (service, body), signer)
    };
    let admin = Signer::configured("AKall");
    let who = "Action=GetCallerIdentity&Version=2011-06-15";
    let iam = |rest: &str| ask("iam", &format!("Version=2010-05-08&{rest}"), &admin);
    iam("Action=CreateUser&UserName=ann");
    let ann = Signer::issued(&iam("Action=CreateAccessKey&UserName=ann"));
    assert!(ask("sts", who, &ann).contains(":user/ann</Arn>"));
    let list = "Action=ListUsers&Version=2010-05-08";
    let denied = ask("iam", list, &ann);
    assert!(denied.starts_with("HTTP/1.1 403") && denied.contains("AccessDenied"), "{denied}");
    let forged = Signer { secret: "guess".to_owned(), ..ann.clone() };
    assert!(ask("sts", who, &forged).contains("<Code>SignatureDoesNotMatch</Code>"));

    let trust = sample("AssumeRolePolicyDocument");
    iam(&format!("Action=CreateRole&RoleName=worker&AssumeRolePolicyDocument={trust}"));
    let role = "arn%3Aaws%3Aiam%3A%3A000000000000%3Arole%2Fworker";
    let assume =
        format!("Action=AssumeRole&Version=2011-06-15&RoleArn={role}&RoleSessionName=at-work");
    let session = Signer::issued(&ask("sts", &assume, &admin));
    assert!(ask("sts", who, &session).contains(":assumed-role/worker/at-work</Arn>"));
    for token in [None, Some("AAAA".to_owned())] {
        let refused = ask("sts", who, &Signer { token, ..session.clone() });
        assert!(refused.contains("<Code>InvalidClientTokenId</Code>"), "{refused}");
    }
    iam(&format!("Action=UpdateAccessKey&UserName=ann&Status=Inactive&AccessKeyId={}", ann.id));
    iam("Action=DeleteRole&RoleName=worker");
    for gone in [&ann, &session] {
        let refused = ask("sts", who, gone);
        assert!(refused.contains("<Code>InvalidClientTokenId</Code>"), "{refused}");
    }
}
