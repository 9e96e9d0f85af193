//! The consumer by fan-out: subscriptions one behind the other, and the consumer that is registered
//! for them.

use crate::consumer::{Children, children, read, records};
use crate::script::{Answer, client, ok, refuse, timed};
use api::kinesis::{
    ConsumerDescription, ConsumerStatus, DescribeStreamConsumerOutput, DescribeStreamSummaryOutput,
    Error as Refused, ListShardsOutput, RegisterStreamConsumerOutput, Shard, SubscribeToShardEvent,
    SubscribeToShardEventStream, SubscribeToShardInput,
};
use api::{Boxed, EventStream};
use base::env::Clock as _;
use client::{Client, Consumer, ConsumerOptions, ErrorKind, From, Mode};
use futures_util::{StreamExt as _, stream};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use testkit::{FakeClock, FakeEnv};

/// What a subscription gives.
#[derive(Clone, Copy)]
enum Step {
    /// Records, and the number of the last one to go on from.
    Records(&'static [u32]),
    /// No records, and this number to go on from.
    Nothing(u32),
    End(Children),
    Fail(fn(String) -> Refused),
    /// The call itself is refused.
    Refuse(u16, &'static str),
    /// Nothing for so many seconds.
    Idle(u64),
    /// It stays open.
    Open,
}
use Step::{End, Fail, Idle, Nothing, Open, Records, Refuse};

/// Subscriptions of a shard, one behind the other.
type Subscriptions = VecDeque<&'static [Step]>;

/// A stream of one shard, and of its children.
#[derive(Clone)]
struct House {
    subscriptions: Arc<Mutex<BTreeMap<&'static str, Subscriptions>>>,
    /// What the consumer's state is, each time that it is asked for: none, or not yet, or active.
    states: Arc<Mutex<VecDeque<Option<ConsumerStatus>>>>,
    asked: Arc<Mutex<Vec<String>>>,
    clock: Arc<OnceLock<Arc<FakeClock>>>,
}

impl House {
    fn new(
        states: &[Option<ConsumerStatus>],
        subscriptions: &[(&'static str, &[&'static [Step]])],
    ) -> Self {
        let queue = |(shard, all): &(&'static str, &[&'static [Step]])| {
            (*shard, all.iter().copied().collect())
        };
        Self {
            subscriptions: Arc::new(Mutex::new(subscriptions.iter().map(queue).collect())),
            states: Arc::new(Mutex::new(states.iter().copied().collect())),
            asked: Arc::default(),
            clock: Arc::default(),
        }
    }

    fn client(&self) -> (Client, FakeEnv) {
        let house = self.clone();
        let (client, world) = client(move |operation, input| house.answer(operation, input));
        self.clock.set(world.clock.clone()).unwrap();
        (client, world)
    }

    fn note(&self, text: &str) {
        self.asked.lock().unwrap().push(text.to_owned());
    }

    fn answer(&self, operation: &str, input: Boxed) -> Answer {
        match operation {
            "DescribeStreamSummary" => ok(DescribeStreamSummaryOutput::default()),
            "ListShards" => {
                let shard = Shard { shard_id: "a".into(), ..Shard::default() };
                ok(ListShardsOutput { shards: Some(vec![shard]), next_token: None })
            }
            "DescribeStreamConsumer" => self.state(),
            "RegisterStreamConsumer" => {
                self.note("register");
                ok(RegisterStreamConsumerOutput::default())
            }
            "DeregisterStreamConsumer" => {
                self.note("deregister");
                ok(())
            }
            "SubscribeToShard" => self.subscribe(&input.downcast().unwrap()),
            other => panic!("{other}"),
        }
    }

    fn state(&self) -> Answer {
        let mut states = self.states.lock().unwrap();
        // The last one lasts.
        let state = if states.len() > 1 { states.pop_front() } else { states.front().copied() };
        let Some(Some(consumer_status)) = state else {
            return refuse(400, "ResourceNotFoundException");
        };
        let consumer_arn = "arn".into();
        let consumer_description =
            ConsumerDescription { consumer_status, consumer_arn, ..ConsumerDescription::default() };
        ok(DescribeStreamConsumerOutput { consumer_description })
    }

    fn subscribe(&self, input: &SubscribeToShardInput) -> Answer {
        assert_eq!(input.consumer_arn, "arn");
        let from = &input.starting_position;
        let number = from.sequence_number.as_ref().map(|number| format!(" {number}"));
        let time = from.timestamp.map(|time| format!(" {}", time.0));
        let place = number.or(time).unwrap_or_default();
        self.note(&format!("{} {}{place}", input.shard_id, from.type_.as_str()));
        let mut subscriptions = self.subscriptions.lock().unwrap();
        let steps = subscriptions.get_mut(input.shard_id.as_str()).and_then(VecDeque::pop_front);
        let steps = steps.unwrap_or(&[Open]);
        if let [Refuse(status, code)] = steps {
            return refuse(*status, code);
        }
        let is_open = matches!(steps.last(), Some(Open));
        let steps = stream::iter(steps.iter().filter(|step| !matches!(step, Open)));
        let clock = self.clock.get().unwrap().clone();
        let events = steps.filter_map(move |step| {
            let pause = match step {
                Idle(seconds) => Some(clock.sleep(Duration::from_secs(*seconds))),
                _ => None,
            };
            async move {
                match pause {
                    Some(pause) => {
                        pause.await;
                        None
                    }
                    None => Some(event(step)),
                }
            }
        });
        let events: EventStream<SubscribeToShardEventStream, Refused> =
            if is_open { Box::pin(events.chain(stream::pending())) } else { Box::pin(events) };
        ok(events)
    }
}

fn event(step: &Step) -> Result<SubscribeToShardEventStream, Refused> {
    let of = |numbers: &[u32], next: Option<u32>| SubscribeToShardEvent {
        records: records(numbers),
        continuation_sequence_number: next.map(|number| number.to_string().into()),
        ..SubscribeToShardEvent::default()
    };
    let event = match *step {
        Records(numbers) => of(numbers, numbers.last().copied()),
        Nothing(next) => of(&[], Some(next)),
        End(next) => SubscribeToShardEvent { child_shards: Some(children(next)), ..of(&[], None) },
        Fail(why) => return Err(why("no".into())),
        Open | Idle(_) | Refuse(..) => panic!("no event"),
    };
    Ok(SubscribeToShardEventStream::SubscribeToShardEvent(event))
}

const ACTIVE: Option<ConsumerStatus> = Some(ConsumerStatus::Active);
const CREATING: Option<ConsumerStatus> = Some(ConsumerStatus::Creating);

fn options(from: From) -> ConsumerOptions {
    let mode = Mode::FanOut { consumer_name: "app".into() };
    ConsumerOptions { from, mode, patience: Duration::from_secs(10), ..ConsumerOptions::new("s") }
}

/// Reads a stream so: what comes, what was asked for, and how much time passed.
async fn check(
    from: From,
    subscriptions: &[(&'static str, &[&'static [Step]])],
    want: &[&str],
    asked: &[&str],
) -> Duration {
    let house = House::new(&[ACTIVE], subscriptions);
    let (client, world) = house.client();
    let seen = timed(&world, async {
        let mut consumer = Consumer::start(client, options(from)).await.unwrap();
        let seen = read(&mut consumer, want.len()).await;
        consumer.close().await.unwrap();
        seen
    });
    assert_eq!(seen.await, want);
    assert_eq!(*house.asked.lock().unwrap(), asked);
    world.env().clock.monotonic()
}

/// The five minutes of a subscription end; the next one goes on where it was.
#[tokio::test]
async fn subscriptions_are_renewed() {
    let steps: &[&[Step]] = &[
        &[Records(&[1, 2]), Nothing(4)],
        &[Records(&[5])],
        &[Nothing(6), Nothing(7)],
        &[Records(&[8]), Open],
    ];
    let asked = [
        "a TRIM_HORIZON",
        "a AFTER_SEQUENCE_NUMBER 4",
        "a AFTER_SEQUENCE_NUMBER 5",
        "a AFTER_SEQUENCE_NUMBER 7",
    ];
    let want = ["a:1", "a:2", "a:5", "a:8"];
    let passed = check(From::TrimHorizon, &[("a", steps)], &want, &asked).await;
    assert_eq!(passed, Duration::ZERO);
}

#[tokio::test]
async fn where_subscriptions_start() {
    let steps: &[&[Step]] = &[&[Records(&[1]), Open]];
    for (from, asked) in [
        (From::TrimHorizon, "a TRIM_HORIZON"),
        (From::Latest, "a LATEST"),
        (From::Timestamp(1500), "a AT_TIMESTAMP 1500"),
    ] {
        check(from, &[("a", steps)], &["a:1"], &[asked]).await;
    }
    // Nothing came: then what was written since the first subscription counts.
    let late: &[&[Step]] = &[&[], &[Records(&[1]), Open]];
    let asked = ["a LATEST", "a AT_TIMESTAMP 1767225600000"];
    check(From::Latest, &[("a", late)], &["a:1"], &asked).await;
    let refused: &[&[Step]] = &[&[Refuse(503, "X")], &[Records(&[1]), Open]];
    check(From::Latest, &[("a", refused)], &["a:1"], &["a LATEST"; 2]).await;
}

#[tokio::test]
async fn children_are_subscribed_behind_their_parents() {
    const SPLIT: Children = &[("b", &["a"]), ("c", &["a"])];
    const MERGE: Children = &[("d", &["b", "c"])];
    let subscriptions: [(_, &[&[Step]]); 4] = [
        ("a", &[&[Records(&[1])], &[Records(&[2]), End(SPLIT)]]),
        ("b", &[&[End(MERGE)]]),
        ("c", &[&[Nothing(3)], &[Records(&[4])], &[End(MERGE)]]),
        ("d", &[&[Records(&[5]), End(&[])]]),
    ];
    let asked = [
        "a TRIM_HORIZON",
        "a AFTER_SEQUENCE_NUMBER 1",
        "b TRIM_HORIZON",
        "c TRIM_HORIZON",
        "c AFTER_SEQUENCE_NUMBER 3",
        "c AFTER_SEQUENCE_NUMBER 4",
        "d TRIM_HORIZON",
    ];
    check(From::TrimHorizon, &subscriptions, &["a:1", "a:2", "c:4", "d:5"], &asked).await;
}

/// What passes is borne: the subscription goes on behind the last event.
#[tokio::test]
async fn errors_of_subscriptions_are_borne() {
    const HELD: &[Step] = &[Refuse(400, "ResourceInUseException")];
    let one = ["a TRIM_HORIZON", "a AFTER_SEQUENCE_NUMBER 1"];
    for (steps, asked, passed_ms) in [
        (&[&[Records(&[1]), Fail(Refused::InternalFailure)][..]][..], &one[..], 100),
        (&[&[Records(&[1]), Fail(Refused::ServiceUnavailable)]], &one, 100),
        (&[&[Records(&[1]), Fail(Refused::KmsThrottling)]], &one, 100),
        (&[&[Records(&[1]), Fail(Refused::ResourceInUse)]], &one, 100),
        (&[HELD, HELD, HELD, &[Records(&[1])]], &[one[0], one[0], one[0], one[0], one[1]], 700),
        (&[&[Records(&[1])], HELD, HELD], &[one[0], one[1], one[1], one[1]], 300),
        (
            &[&[Refuse(400, "LimitExceededException")], &[Records(&[1])]],
            &[one[0], one[0], one[1]],
            100,
        ),
    ] {
        let steps = [steps, &[&[Records(&[2]), Open]]].concat();
        let want = ["a:1", "a:2"];
        let passed = check(From::TrimHorizon, &[("a", &steps)], &want, asked).await;
        assert_eq!(passed.as_millis(), passed_ms, "{asked:?}");
    }
}

#[tokio::test]
async fn other_errors_end_it_all() {
    for (steps, want) in [
        (&[Fail(Refused::ResourceNotFound)][..], "ResourceNotFoundException"),
        (&[Fail(Refused::KmsDisabled)], "KMSDisabledException"),
        (&[Refuse(400, "ResourceNotFoundException")], "ResourceNotFoundException"),
        (&[Refuse(400, "AccessDeniedException")], "AccessDeniedException"),
        (&[Refuse(400, "InvalidArgumentException")], "InvalidArgumentException"),
    ] {
        let asked = ["a TRIM_HORIZON"];
        let passed = check(From::TrimHorizon, &[("a", &[steps])], &[want], &asked).await;
        assert_eq!(passed, Duration::ZERO);
    }
    // Somebody else reads the shard as this consumer for longer than the patience.
    let held = [&[Refuse(400, "ResourceInUseException")][..]; 99];
    let house = House::new(&[ACTIVE], &[("a", &held)]);
    let (client, world) = house.client();
    let seen = timed(&world, async {
        let mut consumer = Consumer::start(client, options(From::TrimHorizon)).await.unwrap();
        consumer.next().await.unwrap().unwrap_err()
    });
    let e = seen.await;
    assert_eq!((e.code(), e.status(), e.message()), ("ResourceInUseException", 400, "no"));
    assert_eq!(world.env().clock.monotonic().as_millis(), 11_100);
}

/// Who ends each subscription at once is asked again at once only the first time, whatever he
/// gives that does not lead on; one that lasted is renewed for as long as there are such.
#[tokio::test]
async fn subscriptions_that_end_at_once() {
    const NONE: &[Step] = &[];
    const SAME: &[Step] = &[Nothing(1)];
    const LAST: &[Step] = &[Idle(300)];
    let start = |count: usize| vec!["a TRIM_HORIZON"; count];
    let behind = |count: usize| [start(1), vec!["a AFTER_SEQUENCE_NUMBER 1"; count]].concat();
    let then: &[Step] = &[Records(&[1]), Open];
    for (steps, want, asked, passed_ms) in [
        (vec![NONE, then], "a:1", start(2), 0),
        (vec![NONE, NONE, then], "a:1", start(3), 100),
        (vec![NONE; 99], "Broken", start(11), 11_100),
        (vec![SAME; 99], "Broken", behind(10), 11_100),
        ([vec![LAST; 5], vec![then]].concat(), "a:1", start(6), 1_500_000),
        (vec![NONE, NONE, LAST, NONE, then], "a:1", start(5), 300_200),
    ] {
        let passed = check(From::TrimHorizon, &[("a", &steps)], &[want], &asked).await;
        assert_eq!(passed.as_millis(), passed_ms, "{asked:?}");
    }
}

/// The consumer is registered when it is not there, waited for, and taken away again.
#[tokio::test]
async fn consumers_come_and_go() {
    for (states, asked, passed_ms) in [
        (&[ACTIVE][..], &["a LATEST"][..], 0),
        (&[CREATING, CREATING, CREATING, ACTIVE], &["a LATEST"], 100),
        (&[None, ACTIVE], &["register", "a LATEST", "deregister"], 0),
        (&[None, CREATING, CREATING, ACTIVE], &["register", "a LATEST", "deregister"], 100),
    ] {
        let house = House::new(states, &[("a", &[&[Records(&[1]), Open]])]);
        let (client, world) = house.client();
        let run = timed(&world, async {
            let mut consumer = Consumer::start(client, options(From::Latest)).await.unwrap();
            assert_eq!(read(&mut consumer, 1).await, ["a:1"]);
            consumer.close().await.unwrap();
        });
        run.await;
        assert_eq!(*house.asked.lock().unwrap(), asked);
        assert_eq!(world.env().clock.monotonic().as_millis(), passed_ms);
    }
}

#[tokio::test]
async fn a_consumer_that_is_never_active() {
    for (states, asked) in [
        (&[None, CREATING][..], &["register", "deregister"][..]),
        (&[CREATING], &[]),
        (&[Some(ConsumerStatus::Deleting)], &[]),
    ] {
        let house = House::new(states, &[]);
        let (client, world) = house.client();
        let started = Consumer::start(client, options(From::Latest));
        let e = timed(&world, started).await.err().unwrap();
        assert_eq!(e.kind(), ErrorKind::Broken);
        assert_eq!(e.message(), "consumer `app` did not become ACTIVE within 300 s");
        let passed = world.env().clock.monotonic().as_secs();
        assert_eq!(
            (passed, house.asked.lock().unwrap().as_slice()),
            (300, &*asked.iter().map(ToString::to_string).collect::<Vec<_>>())
        );
    }
}
