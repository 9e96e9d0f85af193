//! Reading by subscription: events, takeover, keep-alive, the end of a shard, slow readers.

use crate::house::{House, MIB, Subscription, entry, run, run_unlimited};
use crate::script::cases;
use api::Text;
use api::kinesis::*;
use base::budget::{Budget, Holder};
use std::time::Duration;
use testkit::script::Stage as _;

/// What the consumer `c` is told of shard 0 from a place on.
async fn subscribed(house: &House, position: &str) -> Subscription {
    let consumer = house.consumer("s", "c").await;
    house.subscribe(&consumer, "#0", position).await
}

async fn event(house: &House, events: &mut Subscription) -> SubscribeToShardEvent {
    events.now(house).await.expect("no end").expect("no refusal")
}

cases! {
    records_are_pushed_as_soon_as_they_are_durable: "
        create s 1 ; put s k before ; consumer s c = $c ; subscribe events $c #0 LATEST
        event events = nothing
        put s k one ; event events = Records.Data=[one] MillisBehindLatest=0 ChildShards=null
        put s k two ; event events = Records.Data=[two] MillisBehindLatest=0 ChildShards=null
    "

    five_types_of_starting_positions: "
        create s 1 ; put s k a ; pass 1s ; put s k b = SequenceNumber=$b
        pass 1s ; put s k c ; consumer s c = $c ; subscribe horizon $c #0 TRIM_HORIZON
        event horizon = Records.Data=[a b c]
        pass 5s ; subscribe at $c #0 AT_SEQUENCE_NUMBER SequenceNumber=$b
        event at = Records.Data=[b c]
        pass 5s ; subscribe after $c #0 AFTER_SEQUENCE_NUMBER SequenceNumber=$b
        event after = Records.Data=[c]
        pass 5s ; subscribe then $c #0 AT_TIMESTAMP Timestamp=1767225601.020
        event then = Records.Data=[b c]
        pass 5s ; subscribe latest $c #0 LATEST ; event latest = nothing
    "

    // None of these counts as a subscription.
    positions_are_checked_before_the_stream_begins: "
        create s 1 ; consumer s c = $c
        SubscribeToShard ConsumerARN=$c ShardId=#0 StartingPosition={Type=AT_SEQUENCE_NUMBER}
          ! InvalidArgumentException
        SubscribeToShard ConsumerARN=$c ShardId=#0 \
          StartingPosition={Type=AT_SEQUENCE_NUMBER SequenceNumber='5'}
          ! InvalidArgumentException: Invalid StartingSequenceNumber. It encodes \
            shardId-000000000005, while it was used in a call to a shard with \
            shardId-000000000000
        SubscribeToShard ConsumerARN=$c ShardId=#0 \
          StartingPosition={Type=AT_TIMESTAMP Timestamp=9000000000000}
          ! InvalidArgumentException
        SubscribeToShard ConsumerARN=$c ShardId='9' StartingPosition={Type=LATEST}
          ! ResourceNotFoundException
        SubscribeToShard ConsumerARN=$c ShardId=#0 StartingPosition={Type=LATEST} DryRun=true
          ! DryRunOperationException
        subscribe events $c #0 LATEST
    "
}

#[test]
fn a_quiet_shard_is_heard_of_every_few_seconds() {
    run(async |house| {
        house.create("s", 1).await;
        let mut events = subscribed(house, "LATEST").await;
        let mut numbers = Vec::new();
        for _ in 0..3 {
            let mut waited_ms = 0;
            let event = loop {
                match events.poll(house).await {
                    Some(item) => break item.unwrap().unwrap(),
                    None => house.pass(Duration::from_millis(100)).await,
                }
                waited_ms += 100;
                assert!(waited_ms < 5_000, "silent for five seconds");
            };
            assert!(event.records.is_empty());
            assert_eq!(event.millis_behind_latest, 0);
            numbers.push(event.continuation_sequence_number.unwrap());
        }
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    });
}

#[test]
fn continuation_numbers_are_places_to_go_on_from() {
    run(async |house| {
        let script = "create s 1
            consumer s c = $c ; subscribe events $c #0 LATEST ; pass 4s
            event events = Records=[] ContinuationSequenceNumber=$empty
            put s k one = SequenceNumber=$put
            event events = Records.Data=[one] ContinuationSequenceNumber=$full
            put s k two ; pass 5s ; subscribe a $c #0 AT_SEQUENCE_NUMBER SequenceNumber=$empty
            event a = Records.Data=[one two]
            pass 5s ; subscribe b $c #0 AT_SEQUENCE_NUMBER SequenceNumber=$full
            event b = Records.Data=[two]
            pass 5s ; subscribe c $c #0 AFTER_SEQUENCE_NUMBER SequenceNumber=$empty
            event c = Records.Data=[one two]
            pass 5s ; subscribe d $c #0 AFTER_SEQUENCE_NUMBER SequenceNumber=$full
            event d = Records.Data=[two]";
        house.check(script).await;
        let [empty, put, full] = ["empty", "put", "full"].map(|name| &house.names[name]);
        assert!(empty < put && put < full, "{empty} {put} {full}");
    });
}

#[test]
fn continuation_numbers_grow_when_the_clock_goes_back() {
    run(async |house| {
        house.create("s", 1).await;
        let mut events = subscribed(house, "LATEST").await;
        let mut last = Text::default();
        for jump_ms in [0, -3_600_000, 7_200_000, -1] {
            house.fake.clock.jump_by(jump_ms);
            house.pass(Duration::from_secs(4)).await;
            let number = event(house, &mut events).await.continuation_sequence_number.unwrap();
            assert!(number >= last, "{number} {last}");
            last = number;
            house.put("s", "k", "x").await.unwrap();
            let number = event(house, &mut events).await.continuation_sequence_number.unwrap();
            assert!(number > last, "{number} {last}");
            last = number;
        }
    });
}

#[test]
fn a_subscription_ends_after_five_minutes() {
    run(async |house| {
        house.create("s", 1).await;
        let mut events = subscribed(house, "LATEST").await;
        let mut passed_ms = 0;
        loop {
            match events.poll(house).await {
                Some(Some(event)) => assert!(event.unwrap().records.is_empty()),
                Some(None) => break,
                None => {
                    house.pass(Duration::from_millis(500)).await;
                    passed_ms += 500;
                }
            }
        }
        assert_eq!(passed_ms, 300_000);
        assert!(events.next().await.is_none());
    });
}

cases! {
    // An empty event comes meanwhile.
    a_second_subscription_waits_then_takes_over: "
        let in_use ResourceInUseException: Another active subscription exists for this consumer: \
          000000000000:s:shardId-000000000000:c
        create s 1 ; consumer s c = $c ; subscribe old $c #0 LATEST
        SubscribeToShard ConsumerARN=$c ShardId=#0 StartingPosition={Type=LATEST} ! $in_use
        pass 4999ms
        SubscribeToShard ConsumerARN=$c ShardId=#0 StartingPosition={Type=LATEST} ! $in_use
        event old = Records=[]
        event old = nothing
        pass 1ms ; subscribe new $c #0 LATEST
        event old ! $in_use
        event old = end
        put s k x ; event new = Records.Data=[x]
    "

    consumers_do_not_disturb_each_other: "
        create s 1 ; consumer s c = $c ; consumer s d = $d ; subscribe one $c #0 LATEST
        subscribe two $d #0 LATEST ; put s k x ; event one = Records.Data=[x]
        event two = Records.Data=[x]
    "

    a_consumer_must_be_active: "
        create s 1 ; register s c = ConsumerARN=$c ConsumerCreationTimestamp=1767225600
        SubscribeToShard ConsumerARN=$c ShardId=#0 StartingPosition={Type=LATEST}
          ! ResourceInUseException: Consumer c with creation timestamp 1767225600 under stream: \
            s , account 000000000000 is not in ACTIVE status.
        @111122223333 SubscribeToShard ConsumerARN=$c ShardId=#0 StartingPosition={Type=LATEST}
          ! AccessDeniedException
        SubscribeToShard ConsumerARN=$arn/consumer/nobody:1 ShardId=#0 \
          StartingPosition={Type=LATEST} ! ResourceNotFoundException
    "

    the_end_of_a_shard_names_its_children: "
        create s 1 ; consumer s c = $c ; subscribe events $c #0 LATEST ; put s k last
        event events = Records.Data=[last]
        split s #0
        // The split is only acknowledged.
        event events = nothing
        active s
        event events = Records=[] ChildShards.ShardId=[#1 #2] ChildShards.ParentShards=[[#0] [#0]]
        event events = end
        pass 5s ; subscribe again $c #0 TRIM_HORIZON
        event again = Records.Data=[last] ChildShards.length=2
        event again = end
        subscribe child $c #1 TRIM_HORIZON ; event child = nothing
    "

    a_sealed_shard_without_children_is_no_end_yet: "
        create s 1 ; consumer s c = $c ; subscribe events $c #0 LATEST
        iterator s #0 LATEST = $at ; event events = nothing
        half-split s #0 ; event events = nothing
        get $at = NextShardIterator=$next ChildShards=null
        // A sign of life meanwhile.
        pass 4s ; event events = Records=[] ChildShards=null
        commit ; event events = ChildShards.length=2
        get $next = NextShardIterator=null ChildShards.length=2
    "

    a_deleted_consumer_or_stream_ends_its_subscriptions: "
        create s 1 ; consumer s c = $c ; consumer s d = $d ; subscribe one $c #0 LATEST
        subscribe two $d #0 LATEST ; event one = nothing
        DeregisterStreamConsumer ConsumerARN=$c
        pass 100ms ; event one ! ResourceNotFoundException
        event one = end
        event two = nothing
        delete s ; event two ! ResourceNotFoundException
        event two = end
    "
}

#[test]
fn a_slow_reader_holds_one_event_and_no_one_else() {
    run_unlimited(async |house| {
        house.create("s", 1).await;
        let mut slow = subscribed(house, "TRIM_HORIZON").await;
        let other = house.consumer("s", "other").await;
        let mut fast = house.subscribe(&other, "#0", "TRIM_HORIZON").await;
        let mut seen = 0;
        for _ in 0..10 {
            house.put_all("s", vec![entry("k", &[0; 4095]); 500]).await.unwrap();
            while let Some(item) = fast.poll(house).await {
                let event = item.unwrap().unwrap();
                assert!(event.records.len() <= 256, "an event has 1 MiB at most");
                seen += event.records.len();
            }
        }
        assert_eq!(seen, 5000);
        // Only now does the slow one take its first event; it gets what is there, piece by piece.
        let mut seen = 0;
        while let Some(item) = slow.poll(house).await {
            let event = item.unwrap().unwrap();
            assert_eq!(event.millis_behind_latest == 0, seen + event.records.len() == 5000);
            seen += event.records.len();
        }
        assert_eq!(seen, 5000);
    });
}

cases! {
    a_slow_reader_that_comes_back_after_five_minutes_finds_the_end: "
        create s 1 ; consumer s c = $c ; subscribe events $c #0 LATEST ; put s k x ; pass 300s
        event events = end
    "
}

#[test]
fn two_mebibytes_a_second_per_consumer() {
    run(async |house| {
        house.create("s", 1).await;
        for _ in 0..6 {
            house.put("s", "k", vec![0; MIB - 1]).await.unwrap();
            house.pass(Duration::from_secs(1)).await;
        }
        let mut events = subscribed(house, "TRIM_HORIZON").await;
        // A full second's worth, then one record whenever the debt is paid.
        let mut arrivals_ms = Vec::new();
        let mut passed_ms = 0;
        while arrivals_ms.len() < 6 {
            if let Some(item) = events.poll(house).await {
                assert_eq!(item.unwrap().unwrap().records.len(), 1);
                arrivals_ms.push(passed_ms);
            } else {
                house.pass(Duration::from_millis(50)).await;
                passed_ms += 50;
            }
        }
        assert_eq!(arrivals_ms, [0, 0, 0, 500, 1000, 1500]);
    });
}

#[test]
fn a_record_above_an_event_comes_alone() {
    run(async |house| {
        // Its debt outlasts a silence: the client hears in time that there is more to come.
        let script = "create s 1
            UpdateMaxRecordSize StreamARN=$arn MaxRecordSizeInKiB=10240
            active s ; put s k x*9437184 ; pass 10s ; put s k x ; consumer s c = $c
            subscribe events $c #0 TRIM_HORIZON
            event events = Records=[_] MillisBehindLatest=10020 ContinuationSequenceNumber=$large
            event events = nothing
            pass 4s
            event events = Records=[] MillisBehindLatest=14020 ContinuationSequenceNumber=$silence
            event events = nothing
            pass 501ms
            event events = Records.Data=[x] MillisBehindLatest=0";
        house.check(script).await;
        assert!(house.names["silence"] > house.names["large"]);
    });
}

cases! {
    the_metrics_show_how_far_behind_a_consumer_is: "
        create s 1 ; put s k x*1048575 ; pass 7s ; put s k x*1048575 ; pass 7s
        consumer s c = $c ; subscribe events $c #0 TRIM_HORIZON ; event events = Records=[_]
        metric consumer_behind_seconds consumer=c shard=#0 = 14.02
        event events = Records=[_]
        metric consumer_behind_seconds consumer=c shard=#0 = 0.0
    "
}

#[test]
fn an_event_waits_for_memory_before_its_records_are_read() {
    run_unlimited(async |house| {
        house.create("s", 1).await;
        for _ in 0..2 {
            house.put("s", "k", vec![7; MIB - 1]).await.unwrap();
        }
        let budget = Budget::new(6 * MIB);
        house.cx.memory = budget.share(Holder::Account(house.cx.account));
        let mut all = Vec::new();
        for name in ["a", "b"] {
            let consumer = house.consumer("s", name).await;
            all.push(house.subscribe(&consumer, "#0", "TRIM_HORIZON").await);
        }
        let [first, second] = all.as_mut_slice() else { unreachable!() };
        assert_eq!(event(house, first).await.records.len(), 1);
        let held = budget.held();
        assert!((2 * MIB..3 * MIB).contains(&held), "{held}");
        for _ in 0..3 {
            assert!(second.poll(house).await.is_none(), "the first event was not taken");
            house.pass(Duration::from_secs(1)).await;
        }
        assert_eq!(budget.held(), held);
        house.pass(Duration::from_secs(1)).await;
        assert!(event(house, second).await.records.is_empty(), "but it is not silent");
        all.remove(0);
        assert_eq!(budget.held(), 0);
        house.pass(Duration::from_millis(100)).await;
        assert_eq!(event(house, &mut all[0]).await.records.len(), 1);
        drop(all);
        assert_eq!(budget.held(), 0);
    });
}
