use super::super::topics::TopicId;
use super::*;

const ACCOUNT: AccountId = AccountId::DEFAULT;

fn id(name: &str) -> SubscriptionId {
    let topic = TopicId::parse_arn("arn:aws:sns:us-east-1:000000000000:t").unwrap();
    SubscriptionId { topic, id: name.into() }
}

fn outbox(posts_max: usize) -> Arc<Outbox> {
    Outbox::new(&Options { posts_max, ..Options::default() })
}

fn put(outbox: &Arc<Outbox>, names: &[&str]) -> u64 {
    let staged = outbox.stage(ACCOUNT, 10, names.iter().map(|name| id(name)).collect()).unwrap();
    let number = staged.number;
    staged.go();
    number
}

/// The endpoint of a subscription is its first letter.
fn next(outbox: &Outbox, now_s: u64) -> Result<Job, Option<Duration>> {
    outbox.next(Duration::from_secs(now_s), |id| id.id.get(..1).map(Into::into))
}

fn names(outbox: &Outbox, now_s: u64) -> Vec<(String, u64)> {
    let jobs = std::iter::from_fn(|| next(outbox, now_s).ok());
    jobs.map(|job| (job.subscription.id.to_string(), job.number)).collect()
}

#[test]
fn one_after_another_for_each_subscription() {
    let outbox = outbox(9);
    assert_eq!((put(&outbox, &["a", "b"]), put(&outbox, &["a"])), (0, 1));
    let first = next(&outbox, 0).unwrap();
    assert_eq!((&*first.subscription.id, first.number), ("a", 0));
    assert_eq!(names(&outbox, 0), [("b".to_owned(), 0)], "the second one of `a` waits");
    assert_eq!(outbox.settle(&[0]), [0; 0], "`b` needs it");
    outbox.done(&first, &[0]);
    assert_eq!(names(&outbox, 0), [("a".to_owned(), 1)]);
    assert_eq!(outbox.settle(&[0, 1]), [0, 1]);
    assert_eq!(outbox.waiting(), 0);
}

#[test]
fn one_endpoint_has_one_post_at_a_time() {
    let outbox = outbox(9);
    put(&outbox, &["a1", "a2", "a3", "b1"]);
    let first = next(&outbox, 0).unwrap();
    assert_eq!(names(&outbox, 0), [("b1".to_owned(), 0)]);
    outbox.failed(&first, Duration::from_secs(5));
    let second = next(&outbox, 0).unwrap();
    assert_eq!(&*second.subscription.id, "a2", "a failure lets others have it");
    outbox.done(&second, &[0]);
    assert_eq!(names(&outbox, 0), [("a3".to_owned(), 0)]);
}

#[test]
fn failures_sleep() {
    let outbox = outbox(9);
    put(&outbox, &["a"]);
    let job = next(&outbox, 0).unwrap();
    outbox.failed(&job, Duration::from_secs(5));
    assert_eq!(next(&outbox, 1).unwrap_err(), Some(Duration::from_secs(4)));
    let job = next(&outbox, 5).unwrap();
    assert_eq!(job.tries, 1);
    outbox.done(&job, &[0]);
    assert_eq!(next(&outbox, 5).unwrap_err(), None);
    assert!(!outbox.has(&id("a")));
}

#[test]
fn no_more_at_once_than_may_be() {
    let outbox = outbox(2);
    put(&outbox, &["a", "b", "c"]);
    let jobs = [next(&outbox, 0).unwrap(), next(&outbox, 0).unwrap()];
    assert_eq!(next(&outbox, 0).unwrap_err(), None);
    outbox.done(&jobs[1], &[0]);
    assert_eq!(names(&outbox, 0), [("c".to_owned(), 0)]);
}

#[test]
fn an_account_leaves_room_to_others() {
    let options = Options { deliveries_max: 10, ..Options::default() };
    let outbox = Outbox::new(&options);
    let other = AccountId::parse("111111111111").unwrap();
    let many = |count: usize| (0..count).map(|n| id(&n.to_string())).collect::<Vec<_>>();
    assert!(outbox.stage(ACCOUNT, 0, many(9)).is_none(), "more than four fifths");
    let held = outbox.stage(ACCOUNT, 0, many(8)).unwrap();
    assert!(outbox.stage(ACCOUNT, 0, many(1)).is_none());
    assert!(outbox.stage(other, 0, many(3)).is_none());
    outbox.stage(other, 0, many(2)).unwrap().go();
    drop(held);
    assert_eq!(outbox.waiting(), 2, "what comes to nothing gives its room back");
    let bytes = Outbox::new(&Options { outbox_bytes_max: 1000, ..Options::default() });
    assert!(bytes.stage(ACCOUNT, 601, many(1)).is_none());
    assert!(bytes.stage(ACCOUNT, 600, many(1)).is_some());
}

#[test]
fn numbers_go_on_after_a_start() {
    let outbox = outbox(9);
    outbox.restore(ACCOUNT, (7, 10), vec![id("a")]);
    assert_eq!(put(&outbox, &["a"]), 8);
    assert_eq!(outbox.all_of(&next(&outbox, 0).unwrap()), [7, 8]);
}
