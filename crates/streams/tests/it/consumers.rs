//! Consumers, tags and policies.

use crate::house::*;
use api::Text;
use api::kinesis::*;
use base::{Cx, Origin};
use std::collections::BTreeMap;
use std::time::Duration;
use store::{Catalog, Transaction};

async fn describe(house: &House, arn: &Text) -> Result<ConsumerDescription, Error> {
    let input = DescribeStreamConsumerInput {
        consumer_arn: Some(arn.clone()),
        ..DescribeStreamConsumerInput::default()
    };
    let output = house.streams.describe_stream_consumer(&house.cx, input).await?;
    Ok(output.consumer_description)
}

async fn deregister(house: &House, arn: &Text) -> Result<(), Error> {
    let input = DeregisterStreamConsumerInput {
        consumer_arn: Some(arn.clone()),
        ..DeregisterStreamConsumerInput::default()
    };
    house.streams.deregister_stream_consumer(&house.cx, input).await
}

fn tags(pairs: &[(&str, &str)]) -> BTreeMap<Text, Text> {
    pairs.iter().map(|(k, v)| (Text::from(*k), Text::from(*v))).collect()
}

#[test]
fn a_consumer_comes_and_goes() {
    run(async |house| {
        house.create("s", 1).await;
        let made = house.register("s", "c").await.unwrap();
        assert_eq!(made.consumer_status, ConsumerStatus::Creating);
        let created_s = made.consumer_creation_timestamp.0 / 1000;
        assert_eq!(
            made.consumer_arn,
            format!("{}/consumer/c:{created_s}", stream_arn("s")).as_str()
        );
        refused(
            house.register("s", "c").await,
            "ResourceInUseException",
            "Consumer c under stream s already exists for account 000000000000.",
        );
        house.rest().await;
        let active = describe(house, &made.consumer_arn).await.unwrap();
        assert_eq!(active.consumer_status, ConsumerStatus::Active);
        assert_eq!(active.stream_arn, stream_arn("s"));
        assert_eq!(house.summary("s").await.unwrap().consumer_count, Some(1));
        refused(
            house.delete("s").await,
            "ResourceInUseException",
            "DeleteStream can't delete 000000000000:s because there are consumers associated with \
             this data stream. To delete s anyway, set the EnforceConsumerDeletion parameter to \
             true to force the deletion of all the consumers that are associated with it.",
        );
        deregister(house, &made.consumer_arn).await.unwrap();
        let going = describe(house, &made.consumer_arn).await.unwrap();
        assert_eq!(going.consumer_status, ConsumerStatus::Deleting);
        deregister(house, &made.consumer_arn).await.unwrap();
        house.restart().await;
        house.rest().await;
        refused(
            describe(house, &made.consumer_arn).await,
            "ResourceNotFoundException",
            &format!(
                "Consumer c with creation timestamp {} under stream: s, account 000000000000 not \
                 found.",
                made.consumer_creation_timestamp.0 / 1000
            ),
        );
        let again = house.register("s", "c").await.unwrap();
        assert_ne!(again.consumer_arn, made.consumer_arn, "even within a second");
        house.rest().await;
        let input = DeleteStreamInput {
            stream_name: Some("s".into()),
            enforce_consumer_deletion: Some(true),
            ..DeleteStreamInput::default()
        };
        house.streams.delete_stream(&house.cx, input).await.unwrap();
        house.rest().await;
        assert_eq!(house.rows("kinesis/consumer/"), [""; 0]);
    });
}

#[test]
fn the_ways_to_name_a_consumer() {
    run(async |house| {
        house.create("s", 1).await;
        let arn = house.register("s", "c").await.unwrap().consumer_arn;
        let by = async |stream: Option<&str>, name: Option<&str>, arn: Option<&Text>| {
            let input = DescribeStreamConsumerInput {
                stream_arn: stream.map(stream_arn),
                consumer_name: name.map(Text::from),
                consumer_arn: arn.cloned(),
            };
            let output = house.streams.describe_stream_consumer(&house.cx, input).await;
            output.map(|output| output.consumer_description.consumer_arn).map_err(|e| e.code())
        };
        assert_eq!(by(Some("s"), Some("c"), None).await, Ok(arn.clone()));
        assert_eq!(by(None, None, Some(&arn)).await, Ok(arn.clone()));
        assert_eq!(by(Some("s"), Some("c"), Some(&arn)).await, Ok(arn.clone()));
        let invalid = Err("InvalidArgumentException");
        assert_eq!(by(None, None, None).await, invalid);
        assert_eq!(by(Some("s"), None, None).await, invalid);
        assert_eq!(by(None, Some("c"), None).await, invalid);
        assert_eq!(by(Some("s"), Some("d"), Some(&arn)).await, invalid);
        assert_eq!(by(Some("t"), Some("c"), Some(&arn)).await, invalid);
        assert_eq!(by(Some("s"), Some("d"), None).await, Err("ResourceNotFoundException"));
    });
}

#[test]
fn twenty_consumers_five_at_once() {
    run(async |house| {
        house.create("s", 1).await;
        for i in 0..20 {
            house.register("s", &format!("c{i:02}")).await.unwrap();
            if i == 4 {
                let sixth = house.register("s", "x").await.unwrap_err();
                assert_eq!(sixth.code(), "LimitExceededException");
            }
            if i % 5 == 4 {
                house.rest().await;
            }
        }
        let more = house.register("s", "x").await.unwrap_err();
        assert_eq!(more.code(), "LimitExceededException");
        let list = async |next_token| {
            let input = ListStreamConsumersInput {
                stream_arn: stream_arn("s"),
                next_token,
                max_results: Some(15),
                ..ListStreamConsumersInput::default()
            };
            house.streams.list_stream_consumers(&house.cx, input).await.unwrap()
        };
        let first = list(None).await;
        let consumers = first.consumers.unwrap();
        assert_eq!((consumers.len(), &*consumers[14].consumer_name), (15, "c14"));
        let rest = list(first.next_token).await;
        assert_eq!((rest.consumers.unwrap().len(), rest.next_token), (5, None));
    });
}

#[test]
fn tags_by_both_families() {
    run(async |house| {
        house.create("s", 1).await;
        let arn = house.register("s", "c").await.unwrap().consumer_arn;
        house.rest().await;
        let add = AddTagsToStreamInput {
            stream_name: Some("s".into()),
            tags: tags(&[("b", "2"), ("a", "1")]),
            ..AddTagsToStreamInput::default()
        };
        house.streams.add_tags_to_stream(&house.cx, add).await.unwrap();
        let of_stream = TagResourceInput {
            resource_arn: stream_arn("s"),
            tags: tags(&[("c", ""), ("a", "new")]),
        };
        house.streams.tag_resource(&house.cx, of_stream).await.unwrap();
        let of_consumer = TagResourceInput { resource_arn: arn.clone(), tags: tags(&[("x", "y")]) };
        house.streams.tag_resource(&house.cx, of_consumer).await.unwrap();
        house.restart().await;
        let list = async |after: Option<&str>, limit| {
            let input = ListTagsForStreamInput {
                stream_name: Some("s".into()),
                exclusive_start_tag_key: after.map(Text::from),
                limit,
                ..ListTagsForStreamInput::default()
            };
            let output = house.streams.list_tags_for_stream(&house.cx, input).await.unwrap();
            let pair = |tag: &Tag| format!("{}={}", tag.key, tag.value.as_ref().unwrap());
            (output.tags.iter().map(pair).collect::<Vec<_>>().join(" "), output.has_more_tags)
        };
        assert_eq!(list(None, None).await, ("a=new b=2 c=".into(), false));
        assert_eq!(list(None, Some(2)).await, ("a=new b=2".into(), true));
        assert_eq!(list(Some("a"), Some(2)).await, ("b=2 c=".into(), false));
        let remove = RemoveTagsFromStreamInput {
            stream_name: Some("s".into()),
            tag_keys: vec!["a".into(), "zz".into()],
            ..RemoveTagsFromStreamInput::default()
        };
        house.streams.remove_tags_from_stream(&house.cx, remove).await.unwrap();
        let untag = UntagResourceInput {
            resource_arn: stream_arn("s"),
            tag_keys: vec!["b".into(), "c".into()],
        };
        house.streams.untag_resource(&house.cx, untag).await.unwrap();
        assert_eq!(list(None, None).await, (String::new(), false));
        let input = ListTagsForResourceInput { resource_arn: arn.clone() };
        let output = house.streams.list_tags_for_resource(&house.cx, input).await.unwrap();
        assert_eq!(output.tags, Some(vec![Tag { key: "x".into(), value: Some("y".into()) }]));
        deregister(house, &arn).await.unwrap();
        house.rest().await;
        assert_eq!(house.rows("kinesis/tags/"), [""; 0], "a consumer's tags go with it");
    });
}

#[test]
fn tags_come_with_what_is_made() {
    run(async |house| {
        let input = CreateStreamInput { tags: Some(tags(&[("k", "v")])), ..create("s", 1) };
        house.streams.create_stream(&house.cx, input).await.unwrap();
        let list = async |resource_arn| {
            let input = ListTagsForResourceInput { resource_arn };
            let output = house.streams.list_tags_for_resource(&house.cx, input).await.unwrap();
            output.tags.unwrap().len()
        };
        assert_eq!(list(stream_arn("s")).await, 1, "from CREATING on");
        let more = TagResourceInput { resource_arn: stream_arn("s"), tags: tags(&[("l", "v")]) };
        let early = house.streams.tag_resource(&house.cx, more).await;
        assert_eq!(early.unwrap_err().code(), "ResourceInUseException");
        house.rest().await;
        let input = RegisterStreamConsumerInput {
            stream_arn: stream_arn("s"),
            consumer_name: "c".into(),
            tags: Some(tags(&[("k", "v")])),
        };
        let made = house.streams.register_stream_consumer(&house.cx, input).await.unwrap();
        assert_eq!(list(made.consumer.consumer_arn).await, 1);
        house.pass(Duration::from_secs(1)).await;
    });
}

fn policy(action: &str, resource: &str) -> Text {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"{action}",
            "Principal":{{"AWS":"111111111111"}},"Resource":"{resource}"}}]}}"#
    )
    .into()
}

async fn put_policy(house: &House, arn: &Text, policy: Text) -> Result<(), Error> {
    let input = PutResourcePolicyInput { resource_arn: arn.clone(), policy };
    house.streams.put_resource_policy(&house.cx, input).await
}

#[test]
fn policies_are_put_got_and_deleted() {
    run(async |house| {
        house.create("s", 1).await;
        let arn = stream_arn("s");
        let get = async |arn: &Text| {
            let input = GetResourcePolicyInput { resource_arn: arn.clone() };
            Ok::<_, Error>(house.streams.get_resource_policy(&house.cx, input).await?.policy)
        };
        let delete = async || {
            let input = DeleteResourcePolicyInput { resource_arn: arn.clone() };
            house.streams.delete_resource_policy(&house.cx, input).await
        };
        assert_eq!(get(&arn).await.unwrap(), "{}");
        assert_eq!(delete().await.unwrap_err().code(), "ResourceNotFoundException");
        let document = policy("kinesis:Put*", &arn);
        put_policy(house, &arn, document.clone()).await.unwrap();
        assert_eq!(get(&arn).await.unwrap(), document);
        for (action, resource) in
            [("s3:GetObject", &*arn), ("kinesis:PutRecord", "arn:aws:kinesis:*:*:stream/t")]
        {
            let outcome = put_policy(house, &arn, policy(action, resource)).await;
            assert_eq!(outcome.unwrap_err().code(), "ValidationException", "{action} {resource}");
        }
        let outcome = put_policy(house, &arn, "{}".into()).await;
        assert_eq!(outcome.unwrap_err().code(), "ValidationException");
        let missing = put_policy(house, &stream_arn("t"), document.clone()).await;
        assert_eq!(missing.unwrap_err().code(), "ResourceNotFoundException");
        delete().await.unwrap();
        assert_eq!(get(&arn).await.unwrap(), "{}");
    });
}

#[test]
fn another_account_comes_in_by_policy_only() {
    run(async |house| {
        house.create("s", 1).await;
        let (arn, guest) = (stream_arn("s"), cx("111111111111", "us-east-1"));
        let put = async |house: &House| {
            let input = PutRecordInput {
                stream_arn: Some(arn.clone()),
                data: "d".into(),
                partition_key: Some("k".into()),
                ..PutRecordInput::default()
            };
            house.streams.put_record(&guest, input).await.map(drop)
        };
        let text = "User: arn:aws:iam::111111111111:user/ann is not authorized to perform: \
                    kinesis:PutRecord on resource: \
                    arn:aws:kinesis:us-east-1:000000000000:stream/s because no resource-based \
                    policy allows the kinesis:PutRecord action";
        refused(put(house).await, "AccessDeniedException", text);
        put_policy(house, &arn, policy("kinesis:Get*", &arn)).await.unwrap();
        refused(put(house).await, "AccessDeniedException", text);
        put_policy(house, &arn, policy("kinesis:Put*", &arn)).await.unwrap();
        put(house).await.unwrap();
        house.restart().await;
        put(house).await.unwrap();
        let by_name = PutRecordInput {
            stream_name: Some("s".into()),
            data: "d".into(),
            partition_key: Some("k".into()),
            ..PutRecordInput::default()
        };
        refused(
            house.streams.put_record(&guest, by_name).await,
            "ResourceNotFoundException",
            "Stream s under account 111111111111 not found.",
        );
    });
}

#[test]
fn what_a_policy_cannot_share_and_whom_it_binds() {
    run(async |house| {
        house.create("s", 1).await;
        let (arn, guest) = (stream_arn("s"), cx("111111111111", "us-east-1"));
        put_policy(house, &arn, policy("kinesis:*", &arn)).await.unwrap();
        let summary = || DescribeStreamSummaryInput {
            stream_arn: Some(arn.clone()),
            ..DescribeStreamSummaryInput::default()
        };
        house.streams.describe_stream_summary(&guest, summary()).await.unwrap();
        let delete = DeleteStreamInput { stream_arn: Some(arn.clone()), ..Default::default() };
        let refused = house.streams.delete_stream(&guest, delete).await.unwrap_err();
        assert_eq!(refused.code(), "AccessDeniedException", "only its owner deletes a stream");
        let input =
            PutResourcePolicyInput { resource_arn: arn.clone(), policy: policy("kinesis:*", &arn) };
        let refused = house.streams.put_resource_policy(&guest, input).await.unwrap_err();
        assert_eq!(refused.code(), "AccessDeniedException");

        let deny = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Action":"kinesis:*",
                "Principal":"*","Resource":"{arn}"}}]}}"#
        );
        put_policy(house, &arn, deny.into()).await.unwrap();
        let refused = house.put("s", "k", "d").await.unwrap_err();
        assert_eq!(refused.code(), "AccessDeniedException", "a denial binds the owner too");
        assert!(refused.message().contains("explicit deny"), "{}", refused.message());
        let by_arn = house.streams.describe_stream_summary(&house.cx, summary()).await;
        assert_eq!(by_arn.unwrap_err().code(), "AccessDeniedException");
        let input = DeleteResourcePolicyInput { resource_arn: arn.clone() };
        house.streams.delete_resource_policy(&house.cx, input).await.unwrap();
        house.put("s", "k", "d").await.unwrap();
    });
}

/// A statement of a stream's own policy that denies everybody everything under a condition.
fn deny_if(condition: &str) -> Text {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Principal":"*",
            "Action":"kinesis:*","Condition":{condition}}}]}}"#
    )
    .into()
}

#[test]
fn conditions_ask_where_and_when_a_request_came_from() {
    run(async |house| {
        house.create("s", 1).await;
        let (arn, plain) = (stream_arn("s"), house.cx.clone());
        let origin = Origin {
            address: Some("192.0.2.7".parse().unwrap()),
            is_tls: true,
            time_ms: 1_767_225_600_000,
        };
        let over_tls = Cx { origin, access_key: Some("AKANN".into()), ..plain.clone() };
        for (condition, denied) in [
            (r#"{"Bool":{"aws:SecureTransport":"false"}}"#, [true, false]),
            (r#"{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}"#, [false, true]),
            (r#"{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#, [true, true]),
            (r#"{"StringEquals":{"aws:username":"ann"}}"#, [true, true]),
            (r#"{"StringEquals":{"aws:userid":"AKANN"}}"#, [false, true]),
            (r#"{"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}"#, [false, true]),
        ] {
            put_policy(house, &arn, deny_if(condition)).await.unwrap();
            for (cx, denied) in [&plain, &over_tls].into_iter().zip(denied) {
                let input = PutRecordInput {
                    stream_name: Some("s".into()),
                    data: "d".into(),
                    partition_key: Some("k".into()),
                    ..PutRecordInput::default()
                };
                let outcome = house.streams.put_record(cx, input).await.map(drop);
                let want = if denied { Err("AccessDeniedException") } else { Ok(()) };
                assert_eq!(outcome.map_err(|e| e.code()), want, "{condition} {:?}", cx.origin);
            }
        }
        refused(
            put_policy(house, &arn, deny_if(r#"{"Bool":{"aws:SecureTransprot":"false"}}"#)).await,
            "ValidationException",
            "The resource policy is not valid: the condition key `aws:SecureTransprot` is not \
             supported.",
        );
    });
}

/// A policy of an older version with a key that nobody understands.
#[test]
fn a_stored_policy_that_is_not_understood_lets_nobody_in() {
    run(async |house| {
        house.create("s", 1).await;
        let arn = stream_arn("s");
        let document = deny_if(r#"{"StringEquals":{"aws:SourceVpce":"vpce-1"}}"#);
        let mut transaction = Transaction::default();
        let row = serde_json::to_vec(&*document).unwrap();
        transaction.put(b"kinesis/policy/000000000000/us-east-1/s".to_vec(), row);
        house.catalog.commit(transaction).await.unwrap();
        house.restart().await;
        let refused = house.put("s", "k", "d").await.unwrap_err();
        assert_eq!(refused.code(), "AccessDeniedException");
        let input = GetResourcePolicyInput { resource_arn: arn.clone() };
        let shown = house.streams.get_resource_policy(&house.cx, input).await.unwrap();
        assert_eq!(shown.policy, document);
        put_policy(house, &arn, policy("kinesis:Get*", &arn)).await.unwrap();
        house.put("s", "k", "d").await.unwrap();
    });
}

#[test]
fn a_consumers_policy_binds_however_it_is_named() {
    run(async |house| {
        house.create("s", 1).await;
        let arn = stream_arn("s");
        let consumer = house.register("s", "c").await.unwrap().consumer_arn;
        house.rest().await;
        let (owner, guest) = (house.cx.clone(), cx("111111111111", "us-east-1"));
        let try_both = async |cx: &Cx| {
            let mut outcomes = Vec::new();
            for (stream_arn, consumer_name, consumer_arn) in
                [(None, None, Some(consumer.clone())), (Some(arn.clone()), Some("c".into()), None)]
            {
                let name: Option<Text> = consumer_name;
                let input = DescribeStreamConsumerInput {
                    stream_arn: stream_arn.clone(),
                    consumer_name: name.clone(),
                    consumer_arn: consumer_arn.clone(),
                };
                let described = house.streams.describe_stream_consumer(cx, input).await.map(drop);
                let input =
                    DeregisterStreamConsumerInput { stream_arn, consumer_name: name, consumer_arn };
                let gone = house.streams.deregister_stream_consumer(cx, input).await;
                outcomes.push([described, gone].map(|outcome| outcome.map_err(|e| e.code())));
            }
            outcomes
        };
        let (yes, no) = (Ok(()), Err("AccessDeniedException"));
        put_policy(house, &arn, policy("kinesis:*", &arn)).await.unwrap();
        assert_eq!(try_both(&guest).await, [[no; 2]; 2], "the stream's policy is not enough");
        let describe = "kinesis:DescribeStreamConsumer";
        put_policy(house, &consumer, policy(describe, &consumer)).await.unwrap();
        assert_eq!(try_both(&guest).await, [[yes, no]; 2]);
        let deny = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Principal":"*",
                "Action":"kinesis:DeregisterStreamConsumer","Resource":"{consumer}"}}]}}"#
        );
        put_policy(house, &consumer, deny.into()).await.unwrap();
        assert_eq!(try_both(&owner).await, [[yes, no]; 2], "a denial binds the owner too");
        put_policy(house, &consumer, policy("kinesis:*", &consumer)).await.unwrap();
        assert_eq!(try_both(&guest).await, [[yes; 2]; 2]);
    });
}

#[test]
fn tag_keys_of_aws_are_reserved() {
    run(async |house| {
        house.create("s", 1).await;
        for key in ["aws:x", "AWS:x"] {
            let input =
                TagResourceInput { tags: tags(&[(key, "v")]), resource_arn: stream_arn("s") };
            let refused = house.streams.tag_resource(&house.cx, input).await.unwrap_err();
            assert_eq!(refused.code(), "InvalidArgumentException", "{key}");
            let input = CreateStreamInput { tags: Some(tags(&[(key, "v")])), ..create("t", 1) };
            let refused = house.streams.create_stream(&house.cx, input).await.unwrap_err();
            assert_eq!(refused.code(), "InvalidArgumentException", "{key}");
        }
    });
}
