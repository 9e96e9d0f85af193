//! Consumers, tags and policies.

use crate::house::{House, run};
use crate::script::cases;
use base::{Cx, Origin};
use store::{Catalog, Transaction};
use testkit::script::{Stage as _, cx};

cases! {
    a_consumer_comes_and_goes: "
        create s 1
        register s c = ConsumerStatus=CREATING ConsumerARN=$arn/consumer/c:1767225600
          = ConsumerARN=$c ConsumerCreationTimestamp=1767225600
        register s c ! ResourceInUseException: Consumer c under stream s already exists for \
          account 000000000000.
        rest
        DescribeStreamConsumer ConsumerARN=$c
          = ConsumerDescription={ConsumerStatus=ACTIVE StreamARN=$arn}
        summary s = ConsumerCount=1
        DeleteStream StreamName=s
          ! ResourceInUseException: DeleteStream can't delete 000000000000:s because there are \
            consumers associated with this data stream. To delete s anyway, set the \
            EnforceConsumerDeletion parameter to true to force the deletion of all the consumers \
            that are associated with it.
        DeregisterStreamConsumer ConsumerARN=$c
        DescribeStreamConsumer ConsumerARN=$c = ConsumerDescription.ConsumerStatus=DELETING
        DeregisterStreamConsumer ConsumerARN=$c
        restart ; rest
        DescribeStreamConsumer ConsumerARN=$c
          ! ResourceNotFoundException: Consumer c with creation timestamp 1767225600 under \
            stream: s, account 000000000000 not found.
        // Another ARN even within a second.
        register s c = ConsumerARN=$arn/consumer/c:1767225601
        rest ; delete s ; rows kinesis/consumer/ = []
    "

    the_ways_to_name_a_consumer: "
        create s 1 ; register s c = ConsumerARN=$c
        DescribeStreamConsumer StreamARN=$arn ConsumerName=c = ConsumerDescription.ConsumerARN=$c
        DescribeStreamConsumer ConsumerARN=$c = ConsumerDescription.ConsumerARN=$c
        DescribeStreamConsumer StreamARN=$arn ConsumerName=c ConsumerARN=$c
          = ConsumerDescription.ConsumerARN=$c
        DescribeStreamConsumer ! InvalidArgumentException
        DescribeStreamConsumer StreamARN=$arn ! InvalidArgumentException
        DescribeStreamConsumer ConsumerName=c ! InvalidArgumentException
        DescribeStreamConsumer StreamARN=$arn ConsumerName=d ConsumerARN=$c
          ! InvalidArgumentException
        DescribeStreamConsumer StreamARN=$stream/t ConsumerName=c ConsumerARN=$c
          ! InvalidArgumentException
        DescribeStreamConsumer StreamARN=$arn ConsumerName=d ! ResourceNotFoundException
    "

    twenty_consumers_five_at_once: "
        create s 1
        5x register s a$i
        register s x ! LimitExceededException
        rest
        5x register s b$i
        rest
        5x register s c$i
        rest
        5x register s d$i
        rest ; register s x ! LimitExceededException
        ListStreamConsumers StreamARN=$arn MaxResults=15 = NextToken=$next
          = Consumers.ConsumerName=[a0 a1 a2 a3 a4 b0 b1 b2 b3 b4 c0 c1 c2 c3 c4]
        ListStreamConsumers StreamARN=$arn MaxResults=15 NextToken=$next
          = Consumers.length=5 NextToken=null
    "

    tags_by_both_families: "
        create s 1 ; register s c = ConsumerARN=$c
        rest
        AddTagsToStream StreamName=s Tags={b='2' a='1'}
        TagResource ResourceARN=$arn Tags={c= a=new}
        TagResource ResourceARN=$c Tags={x=y}
        restart
        ListTagsForStream StreamName=s = HasMoreTags=false
          = Tags=[{Key=a Value=new} {Key=b Value='2'} {Key=c Value=}]
        ListTagsForStream StreamName=s Limit=2 = HasMoreTags=true
          = Tags=[{Key=a Value=new} {Key=b Value='2'}]
        ListTagsForStream StreamName=s Limit=2 ExclusiveStartTagKey=a = HasMoreTags=false
          = Tags=[{Key=b Value='2'} {Key=c Value=}]
        RemoveTagsFromStream StreamName=s TagKeys=[a zz]
        UntagResource ResourceARN=$arn TagKeys=[b c]
        ListTagsForStream StreamName=s = HasMoreTags=false Tags=[]
        ListTagsForResource ResourceARN=$c = Tags=[{Key=x Value=y}]
        DeregisterStreamConsumer ConsumerARN=$c
        rest ; rows kinesis/tags/ = []
    "

    tags_come_with_what_is_made: "
        CreateStream StreamName=s ShardCount=1 Tags={k=v}
        ListTagsForResource ResourceARN=$arn = Tags=[{Key=k Value=v}]
        TagResource ResourceARN=$arn Tags={l=v} ! ResourceInUseException
        rest ; register s c Tags={k=v} = ConsumerARN=$c
        ListTagsForResource ResourceARN=$c = Tags=[{Key=k Value=v}]
    "
}

/// Keeps `$deny`, which denies everybody everything under a condition.
fn deny_if(house: &mut House, condition: &str) {
    let document = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Principal":"*",
            "Action":"kinesis:*","Condition":{condition}}}]}}"#
    );
    house.names.insert("deny".to_owned(), document);
}

cases! {
    policies_are_put_got_and_deleted: "
        allow put kinesis:Put* $arn ; allow service s3:GetObject $arn
        allow other kinesis:PutRecord arn:aws:kinesis:*:*:stream/t ; create s 1
        GetResourcePolicy ResourceARN=$arn = Policy='{}'
        DeleteResourcePolicy ResourceARN=$arn ! ResourceNotFoundException
        PutResourcePolicy ResourceARN=$arn Policy=$put
        GetResourcePolicy ResourceARN=$arn = Policy=$put
        PutResourcePolicy ResourceARN=$arn Policy=$service ! ValidationException
        PutResourcePolicy ResourceARN=$arn Policy=$other ! ValidationException
        PutResourcePolicy ResourceARN=$arn Policy='{}' ! ValidationException
        PutResourcePolicy ResourceARN=$stream/t Policy=$put ! ResourceNotFoundException
        DeleteResourcePolicy ResourceARN=$arn
        GetResourcePolicy ResourceARN=$arn = Policy='{}'
    "

    another_account_comes_in_by_policy_only: "
        allow get kinesis:Get* $arn ; allow put kinesis:Put* $arn
        let refusal AccessDeniedException: User: arn:aws:iam::111111111111:user/ann is not \
          authorized to perform: kinesis:PutRecord on resource: \
          arn:aws:kinesis:us-east-1:000000000000:stream/s because no resource-based policy \
          allows the kinesis:PutRecord action
        create s 1
        @111111111111 PutRecord StreamARN=$arn PartitionKey=k Data=d ! $refusal
        PutResourcePolicy ResourceARN=$arn Policy=$get
        @111111111111 PutRecord StreamARN=$arn PartitionKey=k Data=d ! $refusal
        PutResourcePolicy ResourceARN=$arn Policy=$put
        @111111111111 PutRecord StreamARN=$arn PartitionKey=k Data=d
        restart
        @111111111111 PutRecord StreamARN=$arn PartitionKey=k Data=d
        @111111111111 put s k d
          ! ResourceNotFoundException: Stream s under account 111111111111 not found.
    "
}

#[test]
fn what_a_policy_cannot_share_and_whom_it_binds() {
    run(async |house| {
        // Only its owner deletes a stream and says who may what; a denial binds the owner too.
        let script = "allow all kinesis:* $arn
            deny all_denied kinesis:* $arn ; create s 1
            PutResourcePolicy ResourceARN=$arn Policy=$all
            @111111111111 DescribeStreamSummary StreamARN=$arn
            @111111111111 DeleteStream StreamARN=$arn ! AccessDeniedException
            @111111111111 PutResourcePolicy ResourceARN=$arn Policy=$all ! AccessDeniedException
            PutResourcePolicy ResourceARN=$arn Policy=$all_denied
            put s k d ! AccessDeniedException
            DescribeStreamSummary StreamARN=$arn ! AccessDeniedException";
        house.check(script).await;
        let refused = house.put("s", "k", "d").await.unwrap_err();
        assert!(refused.message().contains("explicit deny"), "{}", refused.message());
        house.check("DeleteResourcePolicy ResourceARN=$arn \n put s k d").await;
    });
}

#[test]
fn conditions_ask_where_and_when_a_request_came_from() {
    run(async |house| {
        house.create("s", 1).await;
        let plain = house.cx.clone();
        let origin = Origin {
            address: Some("192.0.2.7".parse().unwrap()),
            is_tls: true,
            time_ms: 1_767_225_600_000,
        };
        let over_tls = Cx { origin, user_id: Some("AIDABOB".into()), ..plain.clone() };
        for (condition, denied) in [
            (r#"{"Bool":{"aws:SecureTransport":"false"}}"#, [true, false]),
            (r#"{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}"#, [false, true]),
            (r#"{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#, [true, true]),
            (r#"{"StringEquals":{"aws:username":"ann"}}"#, [true, true]),
            (r#"{"StringEquals":{"aws:userid":"AIDABOB"}}"#, [false, true]),
            (r#"{"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}"#, [false, true]),
        ] {
            deny_if(house, condition);
            house.cx = plain.clone();
            house.check("PutResourcePolicy ResourceARN=$arn Policy=$deny").await;
            for (cx, denied) in [&plain, &over_tls].into_iter().zip(denied) {
                house.cx = cx.clone();
                let outcome = house.put("s", "k", "d").await.map(drop).map_err(|e| e.code());
                let want = if denied { Err("AccessDeniedException") } else { Ok(()) };
                assert_eq!(outcome, want, "{condition} {:?}", cx.origin);
            }
        }
        house.cx = plain;
        deny_if(house, r#"{"Bool":{"aws:SecureTransprot":"false"}}"#);
        let script = "PutResourcePolicy ResourceARN=$arn Policy=$deny
               ! ValidationException: The resource policy is not valid: the condition key \
                 `aws:SecureTransprot` is not supported.";
        house.check(script).await;
    });
}

/// A policy of an older version with a key that nobody understands.
#[test]
fn a_stored_policy_that_is_not_understood_lets_nobody_in() {
    run(async |house| {
        house.create("s", 1).await;
        deny_if(house, r#"{"StringEquals":{"aws:SourceVpce":"vpce-1"}}"#);
        let mut transaction = Transaction::default();
        let row = serde_json::to_vec(&house.names["deny"]).unwrap();
        transaction.put(b"kinesis/policy/000000000000/us-east-1/s".to_vec(), row);
        house.catalog.commit(transaction).await.unwrap();
        let script = "allow get kinesis:Get* $arn
            restart ; put s k d ! AccessDeniedException
            GetResourcePolicy ResourceARN=$arn = Policy=$deny
            PutResourcePolicy ResourceARN=$arn Policy=$get
            put s k d";
        house.check(script).await;
    });
}

#[test]
fn a_consumers_policy_binds_however_it_is_named() {
    run(async |house| {
        house.create("s", 1).await;
        let consumer = house.consumer("s", "c").await;
        house.names.insert("c".to_owned(), consumer.to_string());
        let script = "allow all_of_stream kinesis:* $arn
            allow describe kinesis:DescribeStreamConsumer $c
            deny deregister kinesis:DeregisterStreamConsumer $c
            allow all kinesis:* $c";
        house.check(script).await;
        let (owner, guest) = (house.cx.clone(), cx("111111111111", "us-east-1"));
        let (yes, no) = ("", "! AccessDeniedException");
        for (policy, cx, describe, deregister) in [
            // The stream's policy is not enough.
            ("ResourceARN=$arn Policy=$all_of_stream", &guest, no, no),
            ("ResourceARN=$c Policy=$describe", &guest, yes, no),
            // A denial binds the owner too.
            ("ResourceARN=$c Policy=$deregister", &owner, yes, no),
            ("ResourceARN=$c Policy=$all", &guest, yes, yes),
        ] {
            house.cx = owner.clone();
            house.check(&format!("PutResourcePolicy {policy}")).await;
            house.cx = cx.clone();
            for by in ["ConsumerARN=$c", "StreamARN=$arn ConsumerName=c"] {
                house.check(&format!("DescribeStreamConsumer {by} {describe}")).await;
                house.check(&format!("DeregisterStreamConsumer {by} {deregister}")).await;
            }
        }
    });
}

cases! {
    tag_keys_of_aws_are_reserved: "
        create s 1 ; TagResource ResourceARN=$arn Tags={aws:x=v} ! InvalidArgumentException
        TagResource ResourceARN=$arn Tags={AWS:x=v} ! InvalidArgumentException
        CreateStream StreamName=t ShardCount=1 Tags={aws:x=v} ! InvalidArgumentException
        CreateStream StreamName=t ShardCount=1 Tags={AWS:x=v} ! InvalidArgumentException
    "
}
