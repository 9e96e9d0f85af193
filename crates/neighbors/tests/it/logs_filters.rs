//! Subscription filters: what their destination gets, over restarts and outages.

use crate::house::{House, Journals, run_with};
use crate::sink::Mood;
use neighbors::logs::Options;
use std::time::Duration;
use testkit::script::Stage as _;

const STREAM: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/out";
const ROLE: &str = "arn:aws:iam::000000000000:role/r";
/// Real time after which something is stuck.
const STUCK: Duration = Duration::from_secs(60);

/// A group with a stream, and a role that may write to `out` and to a stream that is not there.
const HOUSE: &str = r#"
    let out arn:aws:kinesis:us-east-1:000000000000:stream/out
    let role arn:aws:iam::000000000000:role/r
    let trust {"Statement":[{"Effect":"Allow","Principal":{"Service":"logs.us-east-1.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"000000000000"}}}]}
    let puts {"Statement":[{"Effect":"Allow","Action":"kinesis:PutRecords","Resource":["arn:aws:kinesis:us-east-1:000000000000:stream/out","arn:aws:kinesis:us-east-1:000000000000:stream/none"]}]}
    CreateRole RoleName=r AssumeRolePolicyDocument='$trust'
    PutRolePolicy RoleName=r PolicyName=p PolicyDocument='$puts'
    CreateLogGroup logGroupName=g
    CreateLogStream logGroupName=g logStreamName=s
    CreateLogStream logGroupName=g logStreamName=t
"#;

fn run<F: AsyncFnOnce(&mut House<Journals>)>(options: Options, test: F) {
    run_with::<Journals, _>(options, async |house| {
        house.check(HOUSE).await;
        test(house).await;
    });
}

async fn filter(house: &mut House<Journals>, more: &str) {
    let put = "PutSubscriptionFilter logGroupName=g filterName=f destinationArn=$out roleArn=$role";
    house.check(&format!("{put} {more}")).await;
}

async fn put(house: &mut House<Journals>, stream: &str, messages: &[&str]) {
    let now_ms = house.act("now_ms").await.unwrap();
    let events: Vec<String> = messages
        .iter()
        .map(|message| format!("{{timestamp={now_ms} message='{message}'}}"))
        .collect();
    let put = format!("PutLogEvents logGroupName=g logStreamName={stream} logEvents=[");
    house.act(&format!("{put}{}]", events.join(" "))).await.unwrap();
}

/// Waits until the destination has these messages.
async fn until(house: &House<Journals>, want: &[&str]) {
    let is_so = async {
        while house.home.sink.messages().len() < want.len() {
            tokio::task::yield_now().await;
        }
    };
    let done = tokio::time::timeout(STUCK, is_so).await;
    assert!(done.is_ok(), "{:?}", house.home.sink.messages());
    assert_eq!(house.home.sink.messages(), want);
}

/// Lets time pass in steps, so that pauses end.
async fn pass(house: &mut House<Journals>, seconds: u64) {
    for _ in 0..seconds {
        house.check("pass 1000 ; settle").await;
    }
}

#[test]
fn a_destination_gets_what_matches() {
    run(Options::default(), async |house| {
        filter(house, "filterPattern=ERROR").await;
        let control = house.home.sink.all().remove(0);
        assert_eq!(control["messageType"], "CONTROL_MESSAGE");
        assert_eq!(control["owner"], "CloudwatchLogs");
        assert_eq!(control["logGroup"], "");
        assert_eq!(control["subscriptionFilters"].as_array().unwrap().len(), 0);
        let message = "CWL CONTROL MESSAGE: Checking health of destination Kinesis stream.";
        assert_eq!(control["logEvents"][0]["message"], message);
        put(house, "s", &["ERROR 1", "INFO", "ERROR 2"]).await;
        until(house, &["ERROR 1", "ERROR 2"]).await;
        put(house, "t", &["INFO"]).await;
        put(house, "t", &["ERROR 3"]).await;
        until(house, &["ERROR 1", "ERROR 2", "ERROR 3"]).await;
        let envelopes = house.home.sink.envelopes();
        let first = &envelopes[0];
        assert_eq!(first["owner"], "000000000000");
        assert_eq!(first["logGroup"], "g");
        assert_eq!((&first["logStream"], &envelopes[1]["logStream"]), (&"s".into(), &"t".into()));
        assert_eq!(first["subscriptionFilters"], serde_json::json!(["f"]));
        // The ids are those that a search gives.
        let found = house.act("FilterLogEvents logGroupName=g filterPattern=ERROR").await.unwrap();
        for (at, event) in first["logEvents"].as_array().unwrap().iter().enumerate() {
            assert_eq!(event["id"], found["events"][at]["eventId"]);
            assert_eq!(event["timestamp"], found["events"][at]["timestamp"]);
        }
        let caller = "arn:aws:sts::000000000000:assumed-role/r/CloudWatchLogs";
        assert_eq!(house.home.sink.last_caller(), caller);
        // A stream's records go to one shard.
        put(house, "s", &["ERROR 4"]).await;
        until(house, &["ERROR 1", "ERROR 2", "ERROR 3", "ERROR 4"]).await;
        let keys = house.home.sink.keys();
        assert!(keys[1] == keys[3] && keys[1] != keys[2], "{keys:?}");
    });
}

#[test]
fn what_waits_outlives_restarts_and_outages() {
    run(Options::default(), async |house| {
        filter(house, "filterPattern='' distribution=Random").await;
        house.home.sink.set(Mood::Refuses);
        put(house, "s", &["1"]).await;
        put(house, "t", &["2"]).await;
        pass(house, 3).await;
        house.check("crash").await;
        put(house, "s", &["3"]).await;
        pass(house, 3).await;
        house.check("restart").await;
        pass(house, 3).await;
        let tries = house.home.sink.calls();
        assert!(tries > 4, "{tries}");
        house.home.sink.set(Mood::Takes);
        pass(house, 4).await;
        until(house, &["1", "2", "3"]).await;
        // What was taken is not sent again.
        house.check("settle ; crash ; settle").await;
        put(house, "s", &["4"]).await;
        until(house, &["1", "2", "3", "4"]).await;
        let keys = house.home.sink.keys();
        let others: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(others.len(), keys.len(), "each has a key of its own");
    });
}

#[test]
fn records_that_were_not_taken_are_sent_again_and_no_others() {
    run(Options::default(), async |house| {
        filter(house, "filterPattern=''").await;
        house.home.sink.set(Mood::Refuses);
        for (stream, message) in [("s", "1"), ("t", "2"), ("s", "3")] {
            put(house, stream, &[message]).await;
        }
        house.home.sink.set(Mood::TakesOne);
        pass(house, 70).await;
        until(house, &["1", "2", "3"]).await;
    });
}

#[test]
fn what_is_too_old_or_too_much_is_given_up() {
    let options = Options { filter_bytes_max: 3 << 20, ..Options::default() };
    run(options, async |house| {
        filter(house, "filterPattern=''").await;
        house.home.sink.set(Mood::Refuses);
        put(house, "s", &["old"]).await;
        pass(house, 5).await;
        house.check("pass 86400000 ; settle").await;
        pass(house, 61).await;
        let errors = "millweir_logs_delivery_errors_total";
        let given_up = |house: &House<Journals>| {
            let numbers = house.home.registry.render();
            let line = numbers.lines().find(|line| line.starts_with(errors)).map(str::to_owned);
            line.map_or(0, |line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
        };
        assert_eq!(given_up(house), 1);
        let large = "x".repeat(1 << 19);
        for _ in 0..10 {
            put(house, "s", &[&large]).await;
            house.check("settle").await;
        }
        pass(house, 5).await;
        let gone = given_up(house) - 1;
        assert!((4..10).contains(&gone), "{gone}");
        house.home.sink.set(Mood::Takes);
        pass(house, 61).await;
        put(house, "s", &["new"]).await;
        pass(house, 1).await;
        let messages = house.home.sink.messages();
        assert_eq!(messages.last().map(String::as_str), Some("new"));
        assert_eq!(messages.len() as u64, 10 - gone + 1);
    });
}

#[test]
fn filters_are_described_changed_and_deleted() {
    run(Options::default(), async |house| {
        house
            .check(
                "PutSubscriptionFilter logGroupName=g filterName=f filterPattern=a \
                  destinationArn=$out roleArn=$role
                PutSubscriptionFilter logGroupName=g filterName=e filterPattern='' \
                  destinationArn=$out roleArn=$role distribution=Random
                PutSubscriptionFilter logGroupName=g filterName=d filterPattern=a \
                  destinationArn=$out roleArn=$role \
                  ! LimitExceededException: Resource limit exceeded.
                restart
                DescribeSubscriptionFilters logGroupName=g = subscriptionFilters=[{filterName=e \
                  distribution=Random} {filterName=f logGroupName=g filterPattern=a creationTime=$at \
                  destinationArn=$out roleArn=$role distribution=ByLogStream}] nextToken=null
                DescribeSubscriptionFilters logGroupName=g filterNamePrefix=f \
                  = subscriptionFilters.length=1
                DescribeSubscriptionFilters logGroupName=g limit=1 \
                  = subscriptionFilters.length=1 nextToken=_
                pass 5000
                PutSubscriptionFilter logGroupName=g filterName=f filterPattern=b \
                  destinationArn=$out roleArn=$role
                DescribeSubscriptionFilters logGroupName=g filterNamePrefix=f \
                  = subscriptionFilters=[{filterPattern=b creationTime=$at}]
                DeleteSubscriptionFilter logGroupName=g filterName=e
                DeleteSubscriptionFilter logGroupName=g filterName=e \
                  ! ResourceNotFoundException: The specified subscription filter does not exist.",
            )
            .await;
        put(house, "s", &["a", "b"]).await;
        until(house, &["b"]).await;
        house.check("DeleteLogGroup logGroupName=g ; rows filter/ = 0 ; settle").await;
        house.check("rows cursor/ = 0 ; restart ; DescribeLogGroups = logGroups=[]").await;
    });
}

#[test]
fn what_is_refused_of_filters() {
    run(Options::default(), async |house| {
        let put = "PutSubscriptionFilter logGroupName=g filterName=f filterPattern=''";
        let kinesis = "Could not deliver test message to specified Kinesis stream. Check if the given \
                       kinesis stream is in ACTIVE state.";
        let invalid = "InvalidParameterException";
        let role = format!("roleArn={ROLE}");
        let cases = [
            (format!("destinationArn={STREAM}"), "destinationArn for vendor kinesis cannot be used without roleArn".to_owned()),
            (format!("destinationArn={STREAM} {role}x"), format!("{kinesis} (The role does not exist in this account.)")),
            (format!("destinationArn={STREAM}2 {role}"), format!("{kinesis} (AccessDeniedException: because no identity-based policy allows)")),
            ("destinationArn=arn:aws:kinesis:us-east-1:000000000000:stream/none ".to_owned() + &role, format!("{kinesis} (ResourceNotFoundException: no such stream)")),
            ("destinationArn=arn:aws:kinesis:us-east-1:111122223333:stream/out ".to_owned() + &role, format!("{kinesis} (The stream is of another account or region.)")),
            ("destinationArn=arn:aws:lambda:us-east-1:000000000000:function:f".to_owned(), "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function. (This server has no functions.)".to_owned()),
            ("destinationArn=arn:aws:firehose:us-east-1:000000000000:deliverystream/f ".to_owned() + &role, "Could not deliver test message to specified Firehose stream. Check if the given Firehose stream is in ACTIVE state. (This server has no delivery streams.)".to_owned()),
            (format!("destinationArn=x {role}"), "Invalid destination specified".to_owned()),
            (format!("destinationArn={STREAM} {role} applyOnTransformedLogs=true"), "applyOnTransformedLogs is not supported by this server.".to_owned()),
        ];
        for (parameters, want) in cases {
            let refused = house.act(&format!("{put} {parameters}")).await.unwrap_err();
            assert_eq!((refused.code, &*refused.message), (invalid, &*want), "{parameters}");
        }
        house
            .check(
                "CreateLogGroup logGroupName=i logGroupClass=INFREQUENT_ACCESS
                PutSubscriptionFilter logGroupName=i filterName=f filterPattern='' destinationArn=$out \
                  roleArn=$role ! InvalidOperationException
                PutSubscriptionFilter logGroupName=g filterName=f filterPattern='[' destinationArn=$out \
                  roleArn=$role ! InvalidParameterException: Invalid filter pattern
                rows filter/ = 0
                allow logs:* *
                PutSubscriptionFilter logGroupName=g filterName=f filterPattern='' destinationArn=$out \
                  roleArn=$role ! AccessDeniedException: User: arn:aws:iam::000000000000:user/ann is not \
                  authorized to perform: iam:PassRole on resource: $role because no identity-based \
                  policy allows the iam:PassRole action",
            )
            .await;
        let abroad = ROLE.replace("arn:aws:", "arn:aws-cn:");
        house.check(&format!("deny iam:PassRole {ROLE}")).await;
        let refused = house.act(&format!("{put} destinationArn={STREAM} roleArn={abroad}")).await;
        assert_eq!(refused.unwrap_err().code, "AccessDeniedException", "the same role");
    });
}

#[test]
fn a_role_that_is_gone_delivers_nothing_until_it_is_back() {
    run(Options::default(), async |house| {
        filter(house, "filterPattern=''").await;
        house.check("DeleteRolePolicy RoleName=r PolicyName=p").await;
        put(house, "s", &["1"]).await;
        pass(house, 5).await;
        assert_eq!(house.home.sink.messages().len(), 0);
        house.check("PutRolePolicy RoleName=r PolicyName=p PolicyDocument='$puts'").await;
        pass(house, 10).await;
        until(house, &["1"]).await;
    });
}
