//! Reading by subscription: events, takeover, keep-alive, the end of a shard, slow readers.

use crate::plane::{
    MIB, Subscription, World, check_end, cx, entry, half_split, refused, run, run_unlimited,
    subscribe_input, texts,
};
use api::kinesis::*;
use api::{Text, Timestamp};
use base::Cx;
use base::budget::{Budget, Holder};
use std::time::Duration;

const FIRST: &str = "shardId-000000000000";
const IN_USE: &str = "ResourceInUseException";
const NOT_FOUND: &str = "ResourceNotFoundException";
const LATEST: ShardIteratorType = ShardIteratorType::Latest;
const HORIZON: ShardIteratorType = ShardIteratorType::TrimHorizon;

async fn subscribed(world: &World, kind: ShardIteratorType) -> (Text, Subscription) {
    let consumer = world.consumer("s", "c").await;
    let events = world.subscribe(subscribe_input(&consumer, FIRST, kind)).await.unwrap();
    (consumer, events)
}

fn at(consumer: &Text, kind: ShardIteratorType, number: &Text) -> SubscribeToShardInput {
    let mut input = subscribe_input(consumer, FIRST, kind);
    input.starting_position.sequence_number = Some(number.clone());
    input
}

async fn event(world: &World, events: &mut Subscription) -> SubscribeToShardEvent {
    events.now(world).await.expect("no end").expect("no refusal")
}

#[test]
fn records_are_pushed_as_soon_as_they_are_durable() {
    run(async |world| {
        world.create("s", 1).await;
        world.put("s", "k", b"before").await.unwrap();
        let (_, mut events) = subscribed(world, LATEST).await;
        assert!(events.poll(world).await.is_none(), "nothing to say yet");
        for text in ["one", "two"] {
            world.put("s", "k", text.as_bytes()).await.unwrap();
            let event = event(world, &mut events).await;
            assert_eq!(texts(&event.records), [text]);
            assert_eq!(event.millis_behind_latest, 0);
            assert_eq!(event.child_shards, None);
        }
    });
}

#[test]
fn five_types_of_starting_positions() {
    run(async |world| {
        world.create("s", 1).await;
        let mut numbers = Vec::new();
        for text in ["a", "b", "c"] {
            numbers.push(world.put("s", "k", text.as_bytes()).await.unwrap().sequence_number);
            world.pass(Duration::from_secs(1)).await;
        }
        let consumer = world.consumer("s", "c").await;
        let second = world.drain("s", FIRST).await[1].approximate_arrival_timestamp.unwrap();
        let mut in_time = subscribe_input(&consumer, FIRST, ShardIteratorType::AtTimestamp);
        in_time.starting_position.timestamp = Some(second);
        for (input, want) in [
            (subscribe_input(&consumer, FIRST, HORIZON), &["a", "b", "c"][..]),
            (at(&consumer, ShardIteratorType::AtSequenceNumber, &numbers[1]), &["b", "c"]),
            (at(&consumer, ShardIteratorType::AfterSequenceNumber, &numbers[1]), &["c"]),
            (in_time, &["b", "c"]),
        ] {
            world.pass(Duration::from_secs(5)).await;
            let mut events = world.subscribe(input).await.unwrap();
            assert_eq!(texts(&event(world, &mut events).await.records), want);
        }
        world.pass(Duration::from_secs(5)).await;
        let mut events = world.subscribe(subscribe_input(&consumer, FIRST, LATEST)).await.unwrap();
        assert!(events.poll(world).await.is_none());
    });
}

#[test]
fn positions_are_checked_before_the_stream_begins() {
    run(async |world| {
        world.create("s", 1).await;
        let consumer = world.consumer("s", "c").await;
        let outcome = world
            .subscribe(subscribe_input(&consumer, FIRST, ShardIteratorType::AtSequenceNumber))
            .await;
        assert_eq!(outcome.err().unwrap().code(), "InvalidArgumentException");
        let number = Text::from_static("5");
        let input = at(&consumer, ShardIteratorType::AtSequenceNumber, &number);
        let e = world.subscribe(input).await.err().unwrap();
        assert_eq!(
            e.message(),
            "Invalid StartingSequenceNumber. It encodes shardId-000000000005, while it was used in \
             a call to a shard with shardId-000000000000"
        );
        let mut input = subscribe_input(&consumer, FIRST, ShardIteratorType::AtTimestamp);
        input.starting_position.timestamp = Some(Timestamp(i64::MAX));
        assert_eq!(world.subscribe(input).await.err().unwrap().code(), "InvalidArgumentException");
        let e = world.subscribe(subscribe_input(&consumer, "9", LATEST)).await.err().unwrap();
        assert_eq!(e.code(), NOT_FOUND);
        let mut input = subscribe_input(&consumer, FIRST, LATEST);
        input.dry_run = Some(true);
        let e = world.subscribe(input).await.err().unwrap();
        assert_eq!(e.code(), "DryRunOperationException");
        // None of these counted as a subscription.
        world.subscribe(subscribe_input(&consumer, FIRST, LATEST)).await.unwrap();
    });
}

#[test]
fn a_quiet_shard_is_heard_of_every_few_seconds() {
    run(async |world| {
        world.create("s", 1).await;
        let (_, mut events) = subscribed(world, LATEST).await;
        let mut numbers = Vec::new();
        for _ in 0..3 {
            let mut waited_ms = 0;
            let event = loop {
                match events.poll(world).await {
                    Some(item) => break item.unwrap().unwrap(),
                    None => world.pass(Duration::from_millis(100)).await,
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
    run(async |world| {
        world.create("s", 1).await;
        let (consumer, mut events) = subscribed(world, LATEST).await;
        world.pass(Duration::from_secs(4)).await;
        let empty = event(world, &mut events).await.continuation_sequence_number.unwrap();
        let put = world.put("s", "k", b"one").await.unwrap().sequence_number;
        let full = event(world, &mut events).await.continuation_sequence_number.unwrap();
        world.put("s", "k", b"two").await.unwrap();
        assert!(empty < put && put < full, "{empty} {put} {full}");
        for kind in [ShardIteratorType::AtSequenceNumber, ShardIteratorType::AfterSequenceNumber] {
            for (number, want) in [(&empty, &["one", "two"][..]), (&full, &["two"])] {
                world.pass(Duration::from_secs(5)).await;
                let mut events = world.subscribe(at(&consumer, kind, number)).await.unwrap();
                assert_eq!(texts(&event(world, &mut events).await.records), want);
            }
        }
    });
}

#[test]
fn continuation_numbers_grow_when_the_clock_goes_back() {
    run(async |world| {
        world.create("s", 1).await;
        let (_, mut events) = subscribed(world, LATEST).await;
        let mut last = Text::default();
        for jump_ms in [0, -3_600_000, 7_200_000, -1] {
            world.clock().jump_by(jump_ms);
            world.pass(Duration::from_secs(4)).await;
            let number = event(world, &mut events).await.continuation_sequence_number.unwrap();
            assert!(number >= last, "{number} {last}");
            last = number;
            world.put("s", "k", b"x").await.unwrap();
            let number = event(world, &mut events).await.continuation_sequence_number.unwrap();
            assert!(number > last, "{number} {last}");
            last = number;
        }
    });
}

#[test]
fn a_subscription_ends_after_five_minutes() {
    run(async |world| {
        world.create("s", 1).await;
        let (_, mut events) = subscribed(world, LATEST).await;
        let mut passed_ms = 0;
        loop {
            match events.poll(world).await {
                Some(Some(event)) => assert!(event.unwrap().records.is_empty()),
                Some(None) => break,
                None => {
                    world.pass(Duration::from_millis(500)).await;
                    passed_ms += 500;
                }
            }
        }
        assert_eq!(passed_ms, 300_000);
        assert!(events.next().await.is_none());
    });
}

fn in_use_text() -> &'static str {
    "Another active subscription exists for this consumer: \
     000000000000:s:shardId-000000000000:c"
}

#[test]
fn a_second_subscription_waits_then_takes_over() {
    run(async |world| {
        world.create("s", 1).await;
        let (consumer, mut old) = subscribed(world, LATEST).await;
        let input = subscribe_input(&consumer, FIRST, LATEST);
        refused(world.subscribe(input.clone()).await.map(|_| ()), IN_USE, in_use_text());
        world.pass(Duration::from_millis(4_999)).await;
        refused(world.subscribe(input.clone()).await.map(|_| ()), IN_USE, in_use_text());
        while let Some(item) = old.poll(world).await {
            item.unwrap().unwrap();
        }
        world.pass(Duration::from_millis(1)).await;
        let mut new = world.subscribe(input).await.unwrap();
        refused(old.now(world).await.unwrap(), IN_USE, in_use_text());
        assert!(old.next().await.is_none());
        world.put("s", "k", b"x").await.unwrap();
        assert_eq!(texts(&event(world, &mut new).await.records), ["x"]);
    });
}

#[test]
fn consumers_do_not_disturb_each_other() {
    run(async |world| {
        world.create("s", 1).await;
        let (_, mut one) = subscribed(world, LATEST).await;
        let other = world.consumer("s", "other").await;
        let mut two = world.subscribe(subscribe_input(&other, FIRST, LATEST)).await.unwrap();
        world.put("s", "k", b"x").await.unwrap();
        assert_eq!(texts(&event(world, &mut one).await.records), ["x"]);
        assert_eq!(texts(&event(world, &mut two).await.records), ["x"]);
    });
}

#[test]
fn a_consumer_must_be_active() {
    run(async |world| {
        world.create("s", 1).await;
        let input = RegisterStreamConsumerInput {
            stream_arn: world.summary("s").await.unwrap().stream_arn,
            consumer_name: "c".into(),
            ..RegisterStreamConsumerInput::default()
        };
        let made = world.streams.register_stream_consumer(&world.cx, input).await.unwrap().consumer;
        let input = subscribe_input(&made.consumer_arn, FIRST, LATEST);
        let created_s = made.consumer_creation_timestamp.0 / 1000;
        let message = format!(
            "Consumer c with creation timestamp {created_s} under stream: s , account 000000000000 \
             is not in ACTIVE status."
        );
        refused(world.subscribe(input.clone()).await.map(|_| ()), IN_USE, &message);
        let other = world.streams.subscribe_to_shard(&cx("111122223333"), input).await;
        assert_eq!(other.err().unwrap().code(), "AccessDeniedException");
        let arn = "arn:aws:kinesis:us-east-1:000000000000:stream/s/consumer/nobody:1";
        let e = world.subscribe(subscribe_input(&arn.into(), FIRST, LATEST)).await.err().unwrap();
        assert_eq!(e.code(), NOT_FOUND);
    });
}

#[test]
fn the_end_of_a_shard_names_its_children() {
    run(async |world| {
        world.create("s", 1).await;
        let (consumer, mut events) = subscribed(world, LATEST).await;
        world.put("s", "k", b"last").await.unwrap();
        assert_eq!(texts(&event(world, &mut events).await.records), ["last"]);
        world.split("s", FIRST).await;
        assert!(events.poll(world).await.is_none(), "the split is only acknowledged");
        world.active("s").await;
        let end = event(world, &mut events).await;
        assert!(end.records.is_empty());
        let children = end.child_shards.unwrap();
        let names: Vec<_> = children.iter().map(|c| c.shard_id.as_str()).collect();
        assert_eq!(names, ["shardId-000000000001", "shardId-000000000002"]);
        assert!(children.iter().all(|c| c.parent_shards == [FIRST]));
        assert!(events.next().await.is_none());

        world.pass(Duration::from_secs(5)).await;
        let mut again = world.subscribe(subscribe_input(&consumer, FIRST, HORIZON)).await.unwrap();
        let end = event(world, &mut again).await;
        assert_eq!(texts(&end.records), ["last"]);
        assert_eq!(end.child_shards.unwrap().len(), 2);
        assert!(again.next().await.is_none());

        let mut child =
            world.subscribe(subscribe_input(&consumer, names[0], HORIZON)).await.unwrap();
        assert!(child.poll(world).await.is_none());
    });
}

#[test]
fn a_sealed_shard_without_children_is_no_end_yet() {
    run(async |world| {
        world.create("s", 1).await;
        let (_, mut events) = subscribed(world, LATEST).await;
        let at = world.iterator("s", FIRST, LATEST).await;
        assert!(events.poll(world).await.is_none());
        half_split(world, "s", FIRST).await;
        assert!(events.poll(world).await.is_none());
        let output = world.get(&at).await.unwrap();
        check_end(&output);
        let at = output.next_shard_iterator.expect("no end without children");
        world.pass(Duration::from_secs(4)).await;
        assert!(event(world, &mut events).await.records.is_empty(), "a sign of life meanwhile");
        world.catalog.set_open(true);
        world.settle().await;
        assert_eq!(event(world, &mut events).await.child_shards.unwrap().len(), 2);
        let output = world.get(&at).await.unwrap();
        check_end(&output);
        assert_eq!(output.child_shards.unwrap().len(), 2);
    });
}

#[test]
fn a_deleted_consumer_or_stream_ends_its_subscriptions() {
    run(async |world| {
        world.create("s", 1).await;
        let (consumer, mut events) = subscribed(world, LATEST).await;
        let other = world.consumer("s", "other").await;
        let mut others = world.subscribe(subscribe_input(&other, FIRST, LATEST)).await.unwrap();
        assert!(events.poll(world).await.is_none());
        let input = DeregisterStreamConsumerInput {
            consumer_arn: Some(consumer),
            ..DeregisterStreamConsumerInput::default()
        };
        world.streams.deregister_stream_consumer(&world.cx, input).await.unwrap();
        world.pass(Duration::from_millis(100)).await;
        assert_eq!(events.now(world).await.unwrap().unwrap_err().code(), NOT_FOUND);
        assert!(events.next().await.is_none());
        assert!(others.poll(world).await.is_none());
        world.delete("s").await;
        assert_eq!(others.now(world).await.unwrap().unwrap_err().code(), NOT_FOUND);
        assert!(others.next().await.is_none());
    });
}

#[test]
fn a_slow_reader_holds_one_event_and_no_one_else() {
    run_unlimited(async |world| {
        world.create("s", 1).await;
        let (_, mut slow) = subscribed(world, HORIZON).await;
        let other = world.consumer("s", "other").await;
        let mut fast = world.subscribe(subscribe_input(&other, FIRST, HORIZON)).await.unwrap();
        let mut seen = 0;
        for _ in 0..10 {
            world.put_all("s", vec![entry("k", &[0; 4095]); 500]).await.unwrap();
            while let Some(item) = fast.poll(world).await {
                let event = item.unwrap().unwrap();
                assert!(event.records.len() <= 256, "an event has 1 MiB at most");
                seen += event.records.len();
            }
        }
        assert_eq!(seen, 5000);
        // Only now does the slow one take its first event; it gets what is there, piece by piece.
        let mut seen = 0;
        while let Some(item) = slow.poll(world).await {
            let event = item.unwrap().unwrap();
            assert_eq!(event.millis_behind_latest == 0, seen + event.records.len() == 5000);
            seen += event.records.len();
        }
        assert_eq!(seen, 5000);
    });
}

#[test]
fn a_slow_reader_that_comes_back_after_five_minutes_finds_the_end() {
    run(async |world| {
        world.create("s", 1).await;
        let (_, mut events) = subscribed(world, LATEST).await;
        world.put("s", "k", b"x").await.unwrap();
        world.pass(Duration::from_mins(5)).await;
        assert!(events.now(world).await.is_none());
    });
}

#[test]
fn two_mebibytes_a_second_per_consumer() {
    run(async |world| {
        world.create("s", 1).await;
        for _ in 0..6 {
            world.put("s", "k", &vec![0; MIB - 1]).await.unwrap();
            world.pass(Duration::from_secs(1)).await;
        }
        let (_, mut events) = subscribed(world, HORIZON).await;
        // A full second's worth, then one record whenever the debt is paid.
        let mut arrivals_ms = Vec::new();
        let mut passed_ms = 0;
        while arrivals_ms.len() < 6 {
            if let Some(item) = events.poll(world).await {
                assert_eq!(item.unwrap().unwrap().records.len(), 1);
                arrivals_ms.push(passed_ms);
            } else {
                world.pass(Duration::from_millis(50)).await;
                passed_ms += 50;
            }
        }
        assert_eq!(arrivals_ms, [0, 0, 0, 500, 1000, 1500]);
    });
}

#[test]
fn a_record_above_an_event_comes_alone() {
    run(async |world| {
        world.create("s", 1).await;
        let input = UpdateMaxRecordSizeInput {
            stream_arn: Some(world.summary("s").await.unwrap().stream_arn),
            max_record_size_in_kib: 10_240,
        };
        world.streams.update_max_record_size(&world.cx, input).await.unwrap();
        world.active("s").await;
        world.put("s", "k", &vec![0; 9 * MIB]).await.unwrap();
        world.pass(Duration::from_secs(10)).await;
        world.put("s", "k", b"x").await.unwrap();
        let (_, mut events) = subscribed(world, HORIZON).await;
        let large = event(world, &mut events).await;
        assert_eq!(large.records.len(), 1);
        assert!(large.millis_behind_latest > 0);
        // Its debt outlasts a silence: the client hears in time that there is more to come.
        assert!(events.poll(world).await.is_none());
        world.pass(Duration::from_secs(4)).await;
        let silence = event(world, &mut events).await;
        assert!(silence.records.is_empty() && silence.millis_behind_latest > 0);
        assert!(silence.continuation_sequence_number > large.continuation_sequence_number);
        assert!(events.poll(world).await.is_none());
        world.pass(Duration::from_millis(501)).await;
        let small = event(world, &mut events).await;
        assert_eq!((texts(&small.records), small.millis_behind_latest), (vec!["x"], 0));
    });
}

#[test]
fn the_metrics_show_how_far_behind_a_consumer_is() {
    run(async |world| {
        world.create("s", 1).await;
        for _ in 0..2 {
            world.put("s", "k", &vec![0; MIB - 1]).await.unwrap();
            world.pass(Duration::from_secs(7)).await;
        }
        let (_, mut events) = subscribed(world, HORIZON).await;
        let line = "millweir_kinesis_consumer_behind_seconds{account=\"000000000000\",\
                    region=\"us-east-1\",stream=\"s\",consumer=\"c\",\
                    shard=\"shardId-000000000000\"}";
        event(world, &mut events).await;
        assert_eq!(world.metric(line), Some(14.02));
        event(world, &mut events).await;
        assert_eq!(world.metric(line), Some(0.0));
    });
}

#[test]
fn an_event_waits_for_memory_before_its_records_are_read() {
    run_unlimited(async |world| {
        world.create("s", 1).await;
        for _ in 0..2 {
            world.put("s", "k", &vec![7; MIB - 1]).await.unwrap();
        }
        let budget = Budget::new(6 * MIB);
        let cx =
            Cx { memory: budget.share(Holder::Account(world.cx.account)), ..cx("000000000000") };
        let mut all = Vec::new();
        for name in ["a", "b"] {
            let consumer = world.consumer("s", name).await;
            let input = subscribe_input(&consumer, FIRST, HORIZON);
            all.push(Subscription(world.streams.subscribe_to_shard(&cx, input).await.unwrap()));
        }
        let [first, second] = all.as_mut_slice() else { unreachable!() };
        assert_eq!(event(world, first).await.records.len(), 1);
        let held = budget.held();
        assert!((2 * MIB..3 * MIB).contains(&held), "{held}");
        for _ in 0..3 {
            assert!(second.poll(world).await.is_none(), "the first event was not taken");
            world.pass(Duration::from_secs(1)).await;
        }
        assert_eq!(budget.held(), held);
        world.pass(Duration::from_secs(1)).await;
        assert!(event(world, second).await.records.is_empty(), "but it is not silent");
        all.remove(0);
        assert_eq!(budget.held(), 0);
        world.pass(Duration::from_millis(100)).await;
        assert_eq!(event(world, &mut all[0]).await.records.len(), 1);
        drop(all);
        assert_eq!(budget.held(), 0);
    });
}
