//! What endpoints get: against a listener on this machine, with a clock that tests move.

use crate::house::{BASE_URL, House, run_with};
use base::AccountId;
use neighbors::sns::{AlarmMessage, Options, Sns, Trouble};
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use testkit::script::Stage as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const T: &str = "arn:aws:sns:us-east-1:000000000000:t";
/// Real time after which something is stuck.
const STUCK: Duration = Duration::from_secs(60);

/// An endpoint that says what it is told to.
struct Endpoint(TcpListener);

/// A post that came.
struct Hit {
    path: String,
    headers: BTreeMap<String, String>,
    body: String,
    stream: TcpStream,
}

impl Endpoint {
    async fn open() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn url(&self, path: &str) -> String {
        format!("http://hook.test:{}/{path}", self.0.local_addr().unwrap().port())
    }

    /// The next post, which waits for its answer.
    async fn hit(&self) -> Hit {
        let accepted = tokio::time::timeout(STUCK, self.0.accept()).await;
        let (mut stream, _) = accepted.expect("a post comes").unwrap();
        let mut bytes = Vec::new();
        let head_end = loop {
            let end = bytes.windows(4).position(|at| at == b"\r\n\r\n");
            match end {
                Some(end) => break end,
                None => assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0),
            }
        };
        let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
        let mut lines = head.lines();
        let path = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
        let header = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_ascii_lowercase(), value.to_owned())
        };
        let headers: BTreeMap<_, _> = lines.map(header).collect();
        let length: usize = headers["content-length"].parse().unwrap();
        let mut body = bytes.split_off(head_end + 4);
        while body.len() < length {
            assert_ne!(stream.read_buf(&mut body).await.unwrap(), 0);
        }
        Hit { path, headers, body: String::from_utf8(body).unwrap(), stream }
    }

    /// The next post, answered.
    async fn take(&self, status: u16) -> Hit {
        let mut hit = self.hit().await;
        hit.answer(status).await;
        hit
    }

    /// The path of the next post, answered well.
    async fn message(&self) -> String {
        let hit = self.take(200).await;
        hit.json()["Message"].as_str().unwrap().to_owned()
    }
}

impl Hit {
    async fn answer(&mut self, status: u16) {
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n");
        self.stream.write_all(answer.as_bytes()).await.unwrap();
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Runs a test with a topic `t`.
fn run<F: AsyncFnOnce(&mut House<Sns>)>(options: Options, test: F) {
    run_with::<Sns, _>(options, async |house| {
        house.check("CreateTopic Name=t").await;
        test(house).await;
    });
}

/// Waits until a number of the service is this one.
async fn until(house: &House<Sns>, line: &str) {
    let is_so = async {
        while !house.home.registry.render().lines().any(|one| one == line) {
            tokio::task::yield_now().await;
        }
    };
    let done = tokio::time::timeout(STUCK, is_so).await;
    assert!(done.is_ok(), "{line}\n{}", house.home.registry.render());
}

async fn retried(house: &House<Sns>, times: u32) {
    until(house, &format!("millweir_sns_retries_total {times}")).await;
}

/// Waits until nothing waits any more.
async fn over(house: &mut House<Sns>) {
    let is_over = async {
        while !house.holds("rows delivery/ = 0").await {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(STUCK, is_over).await.is_ok(), "all is delivered");
    house.check("rows message/ = 0").await;
}

async fn page(house: &House<Sns>, url: &str) -> (u16, String) {
    let rest = url.strip_prefix(BASE_URL).unwrap();
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    assert!(Sns::has_page(path, query), "{url}");
    let page = house.tenant.page(path, query).await.unwrap();
    (page.status, page.body)
}

/// Subscribes an endpoint, which confirms; the subscription's ARN.
async fn subscribe(house: &mut House<Sns>, endpoint: &Endpoint, path: &str) -> String {
    let url = endpoint.url(path);
    house.check(&format!("Subscribe TopicArn={T} Protocol=http Endpoint='{url}'")).await;
    let asked = endpoint.take(200).await.json();
    let (status, body) = page(house, asked["SubscribeURL"].as_str().unwrap()).await;
    assert_eq!(status, 200, "{body}");
    over(house).await;
    let (_, arn) = body.split_once("<SubscriptionArn>").unwrap();
    arn.split('<').next().unwrap().to_owned()
}

async fn publish(house: &mut House<Sns>, message: &str) {
    house.check(&format!("Publish TopicArn={T} Message='{message}'")).await;
}

/// Whether the signature of a message holds, by its certificate.
async fn is_signed(house: &House<Sns>, json: &Value) -> bool {
    let (status, pem) = page(house, json["SigningCertURL"].as_str().unwrap()).await;
    assert_eq!(status, 200);
    let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap();
    let certificate = pem.parse_x509().unwrap();
    let key = certificate.public_key().subject_public_key.data.to_vec();
    let mut text = String::new();
    let signed = [
        "Message",
        "MessageId",
        "Subject",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ];
    for name in signed {
        if let Some(value) = json[name].as_str() {
            text.extend([name, "\n", value, "\n"]);
        }
    }
    let signature = json["Signature"].as_str().unwrap();
    let signature = base64(signature);
    let verified = match json["SignatureVersion"].as_str().unwrap() {
        "1" => UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, key)
            .verify(text.as_bytes(), &signature),
        _ => UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key)
            .verify(text.as_bytes(), &signature),
    };
    verified.is_ok()
}

fn base64(text: &str) -> Vec<u8> {
    base64_simd::STANDARD.decode_to_vec(text).unwrap()
}

#[test]
fn a_subscription_is_confirmed_by_its_page() {
    run(Options::default(), async |house| {
        let endpoint = Endpoint::open().await;
        let url = endpoint.url("hook?a=b");
        house.check(&format!("Subscribe TopicArn={T} Protocol=http Endpoint='{url}'")).await;
        let hit = endpoint.take(200).await;
        assert_eq!(hit.path, "/hook?a=b");
        let json = hit.json();
        assert_eq!(hit.headers["x-amz-sns-message-type"], "SubscriptionConfirmation");
        assert_eq!(hit.headers["x-amz-sns-message-id"], json["MessageId"]);
        assert_eq!(hit.headers["x-amz-sns-topic-arn"], T);
        assert_eq!(hit.headers.get("x-amz-sns-subscription-arn"), None);
        assert_eq!(hit.headers["content-type"], "text/plain; charset=UTF-8");
        assert_eq!(Some(&*hit.headers["host"]), url.split('/').nth(2));
        assert_eq!(
            (&json["Type"], &json["TopicArn"]),
            (&"SubscriptionConfirmation".into(), &T.into())
        );
        assert!(is_signed(house, &json).await);
        let token = json["Token"].as_str().unwrap();
        let page_url = json["SubscribeURL"].as_str().unwrap();
        let query = format!("/?Action=ConfirmSubscription&TopicArn={T}&Token={token}");
        assert_eq!(page_url, format!("{BASE_URL}{query}"));
        let forged = format!("{BASE_URL}{query}x");
        let (status, body) = page(house, &forged).await;
        assert_eq!(status, 400);
        assert!(body.contains("<Code>InvalidParameter</Code><Message>Invalid parameter: Token<"));
        for _ in 0..2 {
            let (status, body) = page(house, page_url).await;
            assert_eq!(status, 200);
            assert!(body.starts_with("<ConfirmSubscriptionResponse xmlns=\"http://sns.amazonaws"));
        }
        house
            .check(&format!(
                "ListSubscriptionsByTopic TopicArn={T} = Subscriptions=[{{SubscriptionArn=$s}}]
                 GetSubscriptionAttributes SubscriptionArn=$s = Attributes={{\
                   'PendingConfirmation'='false' 'ConfirmationWasAuthenticated'='false'}}
                 ConfirmSubscription TopicArn={T} Token={token} = SubscriptionArn=$s2"
            ))
            .await;
        let (status, _) =
            page(house, &format!("{BASE_URL}/SimpleNotificationService-00.pem")).await;
        assert_eq!(status, 404);
    });
}

#[test]
fn a_notification_and_its_signatures() {
    run(Options::default(), async |house| {
        let endpoint = Endpoint::open().await;
        let arn = subscribe(house, &endpoint, "").await;
        house
            .check(&format!(
                "Publish TopicArn={T} Message='m é' Subject=s MessageAttributes={{\
                   'a'={{DataType=String StringValue=b}}}} = MessageId=$id"
            ))
            .await;
        let hit = endpoint.take(200).await;
        let json = hit.json();
        assert_eq!(hit.headers["x-amz-sns-message-type"], "Notification");
        assert_eq!(hit.headers["x-amz-sns-subscription-arn"], arn);
        assert_eq!((&json["Subject"], &json["Message"]), (&"s".into(), &"m é".into()));
        assert_eq!(json["MessageAttributes"]["a"]["Type"], "String");
        assert_eq!(json["Timestamp"], "2026-01-01T00:00:00.000Z");
        assert_eq!(json["SignatureVersion"], "1");
        assert_eq!(json["Token"], Value::Null);
        assert!(is_signed(house, &json).await);
        let mut forged = json.clone();
        forged["Message"] = "other".into();
        assert!(!is_signed(house, &forged).await);
        over(house).await;
        house
            .check(&format!(
                "restart
                 SetTopicAttributes TopicArn={T} AttributeName=SignatureVersion AttributeValue='2'
                 Publish TopicArn={T} Message='{{\"default\":\"d\",\"http\":\"h\"}}' \
                   MessageStructure=json"
            ))
            .await;
        let second = endpoint.take(200).await.json();
        assert_eq!((&second["SignatureVersion"], &second["Message"]), (&"2".into(), &"h".into()));
        assert!(is_signed(house, &second).await);
        assert_eq!(second["SigningCertURL"], json["SigningCertURL"], "a restart keeps the key");
        over(house).await;
    });
}

#[test]
fn raw_messages() {
    run(Options::default(), async |house| {
        let endpoint = Endpoint::open().await;
        let url = endpoint.url("");
        house
            .check(&format!(
                "Subscribe TopicArn={T} Protocol=http Endpoint='{url}' \
                   Attributes={{'RawMessageDelivery'='true'}}"
            ))
            .await;
        let asked = endpoint.take(200).await;
        assert_eq!(asked.headers.get("x-amz-sns-rawdelivery"), None);
        page(house, asked.json()["SubscribeURL"].as_str().unwrap()).await;
        publish(house, "just this").await;
        let hit = endpoint.take(204).await;
        assert_eq!(hit.body, "just this");
        assert_eq!(hit.headers["x-amz-sns-rawdelivery"], "true");
        assert_eq!(hit.headers["x-amz-sns-message-type"], "Notification");
        over(house).await;
    });
}

#[test]
fn failures_are_tried_again_in_order() {
    run(Options::default(), async |house| {
        let endpoint = Endpoint::open().await;
        subscribe(house, &endpoint, "").await;
        publish(house, "a").await;
        publish(house, "b").await;
        let first = endpoint.take(500).await;
        retried(house, 1).await;
        house.check("rows delivery/ = 2").await;
        house.home.fake.clock.advance_ms(999);
        house.check("settle").await;
        house.home.fake.clock.advance_ms(1);
        let second = endpoint.take(429).await;
        assert_eq!((&first.json()["Message"], first.body), (&"a".into(), second.body));
        retried(house, 2).await;
        house.home.fake.clock.advance_ms(2000);
        assert_eq!(endpoint.message().await, "a");
        assert_eq!(endpoint.message().await, "b");
        over(house).await;
    });
}

#[test]
fn what_waits_survives_a_restart() {
    run(Options::default(), async |house| {
        let endpoint = Endpoint::open().await;
        let arn = subscribe(house, &endpoint, "").await;
        publish(house, "a").await;
        endpoint.take(503).await;
        retried(house, 1).await;
        publish(house, "b").await;
        house.check("restart").await;
        publish(house, "c").await;
        for want in ["a", "b", "c"] {
            assert_eq!(endpoint.message().await, want);
        }
        over(house).await;
        // A restart while a post is on its way sends it once more.
        publish(house, "d").await;
        let hit = endpoint.hit().await;
        house.check("restart").await;
        drop(hit);
        assert_eq!(endpoint.message().await, "d");
        over(house).await;
        house.check(&format!("Unsubscribe SubscriptionArn='{arn}'")).await;
    });
}

#[test]
fn what_is_given_up() {
    let options = Options { tries_max: 2, ..Options::default() };
    run(options, async |house| {
        let endpoint = Endpoint::open().await;
        subscribe(house, &endpoint, "").await;
        let failed = |why: &str, times: u32| {
            format!(
                "millweir_sns_failed_total{{account=\"000000000000\",region=\"us-east-1\",\
                 topic=\"t\",why=\"{why}\"}} {times}"
            )
        };
        publish(house, "refused").await;
        endpoint.take(404).await;
        until(house, &failed("refused", 1)).await;
        publish(house, "twice").await;
        endpoint.take(500).await;
        retried(house, 1).await;
        house.home.fake.clock.advance_ms(1000);
        endpoint.take(302).await;
        until(house, &failed("given_up", 1)).await;
        publish(house, "old").await;
        let silent = endpoint.hit().await;
        house.home.fake.clock.advance_ms(3_600_000);
        until(house, &failed("given_up", 2)).await;
        over(house).await;
        drop(silent);
    });
}

#[test]
fn a_topics_own_policy_is_followed() {
    run(Options::default(), async |house| {
        let endpoint = Endpoint::open().await;
        let policy = r#"{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":7,
            "maxDelayTarget":30,"numRetries":2,"numMinDelayRetries":1,"numMaxDelayRetries":1},
            "defaultRequestPolicy":{"headerContentType":"application/json"}}}"#;
        subscribe(house, &endpoint, "").await;
        let policy = policy.replace(['\n', ' '], "");
        let set = format!("SetTopicAttributes TopicArn={T} AttributeName=DeliveryPolicy");
        house.check(&format!("{set} AttributeValue='{policy}'")).await;
        publish(house, "m").await;
        let hit = endpoint.take(500).await;
        assert_eq!(hit.headers["content-type"], "application/json");
        for (tries, pause_ms) in [(1, 7000), (2, 30_000)] {
            retried(house, tries).await;
            house.home.fake.clock.advance_ms(pause_ms);
            endpoint.take(500).await;
        }
        let failed = "millweir_sns_failed_total{account=\"000000000000\",region=\"us-east-1\",\
            topic=\"t\",why=\"given_up\"} 1";
        until(house, failed).await;
        over(house).await;
    });
}

#[test]
fn what_nobody_confirms_goes() {
    run(Options::default(), async |house| {
        let url = "http://hook.test:65535/";
        house.check(&format!("Subscribe TopicArn={T} Protocol=http Endpoint='{url}'")).await;
        retried(house, 1).await;
        for _ in 0..48 {
            house.check("pass 3600000 ; settle").await;
        }
        house.check("rows subscription/ = 1 ; pass 3600000 ; settle").await;
        house.check("rows subscription/ = 0").await;
        over(house).await;
    });
}

#[test]
fn deleted_topics_take_all_with_them() {
    run(Options::default(), async |house| {
        let url = "http://hook.test:65535/";
        house.check(&format!("Subscribe TopicArn={T} Protocol=http Endpoint='{url}'")).await;
        retried(house, 1).await;
        house.check(&format!("DeleteTopic TopicArn={T} ; rows subscription/ = 0")).await;
        house.check("rows delivery/ = 1 ; pass 1000").await;
        over(house).await;
        house
            .check(&format!(
                "CreateTopic Name=t
                 ListSubscriptionsByTopic TopicArn={T} = Subscriptions=[]"
            ))
            .await;
    });
}

#[test]
fn a_slow_endpoint_holds_up_itself_alone() {
    run(Options::default(), async |house| {
        let (slow, fast) = (Endpoint::open().await, Endpoint::open().await);
        subscribe(house, &slow, "1").await;
        subscribe(house, &fast, "").await;
        for message in ["a", "b"] {
            publish(house, message).await;
        }
        let mut waits = slow.hit().await;
        for message in ["a", "b"] {
            assert_eq!(fast.message().await, message);
        }
        waits.answer(200).await;
        assert_eq!(slow.message().await, "b");
        over(house).await;
        // One that says nothing is left after a time, and tried again.
        publish(house, "c").await;
        assert_eq!(fast.message().await, "c");
        let silent = slow.hit().await;
        let delivered = "millweir_sns_delivered_total{account=\"000000000000\",\
                         region=\"us-east-1\",topic=\"t\"} 5";
        until(house, delivered).await;
        house.home.fake.clock.advance_ms(15_000);
        retried(house, 1).await;
        house.home.fake.clock.advance_ms(1000);
        assert_eq!(slow.message().await, "c");
        drop(silent);
        over(house).await;
    });
}

#[test]
fn a_full_outbox_takes_nothing_more() {
    let options = Options { deliveries_max: 5, ..Options::default() };
    run(options, async |house| {
        let endpoint = Endpoint::open().await;
        subscribe(house, &endpoint, "").await;
        publish(house, "0").await;
        let mut hit = endpoint.hit().await;
        for message in ["1", "2", "3"] {
            publish(house, message).await;
        }
        house
            .check(&format!(
                "Publish TopicArn={T} Message=x ! ServiceUnavailableException: Rate exceeded: too \
                 many messages wait for their endpoints, try again later.
                 rows message/ = 4"
            ))
            .await;
        hit.answer(200).await;
        for message in ["1", "2", "3"] {
            assert_eq!(endpoint.message().await, message);
        }
        over(house).await;
        publish(house, "5").await;
        assert_eq!(endpoint.message().await, "5");
        over(house).await;
    });
}

#[test]
fn an_endpoint_that_points_inside_gets_nothing() {
    run(Options::default(), async |house| {
        house
            .check(&format!("Subscribe TopicArn={T} Protocol=http Endpoint='http://inside.test/'"))
            .await;
        over(house).await;
        house
            .check(&format!("Subscribe TopicArn={T} Protocol=http Endpoint='http://nowhere.test/'"))
            .await;
        retried(house, 1).await;
    });
}

#[test]
fn unsubscribing_by_its_page_can_be_taken_back() {
    run(Options::default(), async |house| {
        let endpoint = Endpoint::open().await;
        let arn = subscribe(house, &endpoint, "").await;
        publish(house, "a").await;
        let json = endpoint.take(200).await.json();
        let (status, body) = page(house, json["UnsubscribeURL"].as_str().unwrap()).await;
        assert_eq!(status, 200);
        assert!(body.starts_with("<UnsubscribeResponse xmlns="));
        let told = endpoint.take(200).await;
        assert_eq!(told.headers["x-amz-sns-message-type"], "UnsubscribeConfirmation");
        assert!(is_signed(house, &told.json()).await);
        house
            .check(&format!(
                "GetSubscriptionAttributes SubscriptionArn='{arn}' ! NotFoundException
                 ListSubscriptionsByTopic TopicArn={T} = Subscriptions=[]
                 GetTopicAttributes TopicArn={T} = Attributes={{'SubscriptionsDeleted'='1'}}"
            ))
            .await;
        publish(house, "nobody").await;
        page(house, json["UnsubscribeURL"].as_str().unwrap()).await;
        page(house, told.json()["SubscribeURL"].as_str().unwrap()).await;
        publish(house, "b").await;
        assert_eq!(endpoint.message().await, "b");
        over(house).await;
        // Who confirms with a signature may wish that only signed requests end it.
        house.check(&format!("Unsubscribe SubscriptionArn='{arn}'")).await;
        let url = endpoint.url("");
        house.check(&format!("Subscribe TopicArn={T} Protocol=http Endpoint='{url}'")).await;
        let asked = endpoint.take(200).await.json();
        let token = asked["Token"].as_str().unwrap();
        house
            .check(&format!(
                "ConfirmSubscription TopicArn={T} Token={token} AuthenticateOnUnsubscribe='true' \
                   = SubscriptionArn=$s"
            ))
            .await;
        publish(house, "c").await;
        let json = endpoint.take(200).await.json();
        let (status, _) = page(house, json["UnsubscribeURL"].as_str().unwrap()).await;
        assert_eq!(status, 403);
        house.check("GetSubscriptionAttributes SubscriptionArn=$s").await;
    });
}

#[test]
fn an_ended_subscription_can_be_asked_for_again() {
    run(Options::default(), async |house| {
        let endpoint = Endpoint::open().await;
        let arn = subscribe(house, &endpoint, "").await;
        let url = format!("{BASE_URL}/?Action=Unsubscribe&SubscriptionArn={arn}");
        page(house, &url).await;
        // What it is told waits for its answer, and is not what it is asked then.
        let mut told = endpoint.hit().await;
        let url = endpoint.url("");
        house.check(&format!("Subscribe TopicArn={T} Protocol=http Endpoint='{url}'")).await;
        told.answer(200).await;
        let asked = endpoint.take(200).await;
        assert_eq!(asked.headers["x-amz-sns-message-type"], "SubscriptionConfirmation");
        page(house, asked.json()["SubscribeURL"].as_str().unwrap()).await;
        publish(house, "a").await;
        assert_eq!(endpoint.message().await, "a");
        over(house).await;
    });
}

#[test]
fn two_subscriptions_of_one_endpoint() {
    run(Options::default(), async |house| {
        let endpoint = Endpoint::open().await;
        subscribe(house, &endpoint, "x").await;
        house.check("CreateTopic Name=u = TopicArn=$u").await;
        let url = endpoint.url("x");
        house.check(&format!("Subscribe TopicArn=$u Protocol=http Endpoint='{url}'")).await;
        let asked = endpoint.take(200).await.json();
        page(house, asked["SubscribeURL"].as_str().unwrap()).await;
        house.check(&format!("Publish TopicArn={T} Message=t")).await;
        house.check("Publish TopicArn=$u Message=u").await;
        let mut first = endpoint.hit().await;
        house.check("settle ; rows delivery/ = 2").await;
        first.answer(200).await;
        let second = endpoint.message().await;
        assert_eq!((first.json()["Message"].as_str().unwrap(), &*second), ("t", "u"));
        over(house).await;
    });
}

#[test]
fn alarms_are_published_once() {
    run(Options::default(), async |house| {
        let endpoint = Endpoint::open().await;
        subscribe(house, &endpoint, "").await;
        let alarm = AlarmMessage {
            topic_arn: T,
            alarm_arn: "arn:aws:cloudwatch:us-east-1:000000000000:alarm:high",
            account: AccountId::DEFAULT,
            subject: "ALARM: \"high\" in US East\n",
            message: "{}",
            dedup: "1",
        };
        let id = house.tenant.publish_alarm(alarm).await.unwrap();
        assert_eq!(house.tenant.publish_alarm(alarm).await.unwrap(), id);
        house.check("rows delivery/ = 1").await;
        let hit = endpoint.take(200).await;
        over(house).await;
        house.check("restart").await;
        assert_eq!(house.tenant.publish_alarm(alarm).await.unwrap(), id);
        house.check("rows delivery/ = 0").await;
        assert_eq!(hit.json()["Subject"], "ALARM: \"high\" in US East?");
        assert_eq!(hit.json()["MessageId"], *id);
        let next = AlarmMessage { dedup: "2", ..alarm };
        assert_ne!(house.tenant.publish_alarm(next).await.unwrap(), id);
        let other = AccountId::parse("111111111111").unwrap();
        let foreign = AlarmMessage { account: other, dedup: "3", ..alarm };
        let refused = house.tenant.publish_alarm(foreign).await;
        assert!(matches!(refused, Err(Trouble::Denied)));
        for topic_arn in ["", "arn:aws:sns:us-east-1:000000000000:none", "arn:aws:sqs:x"] {
            let refused = house.tenant.publish_alarm(AlarmMessage { topic_arn, ..alarm }).await;
            assert!(matches!(refused, Err(Trouble::NoTopic)));
        }
        house.check("rows alarm/ = 2").await;
        for _ in 0..25 {
            house.check("pass 3600000 ; settle").await;
        }
        house.check("rows alarm/ = 0").await;
    });
}

#[test]
fn alarms_ask_policies_as_cloudwatch() {
    run(Options::default(), async |house| {
        let other = AccountId::parse("111111111111").unwrap();
        for (nth, (statement, of_owner, of_other)) in [
            (r#""Effect":"Deny","Principal":"*","Action":"sns:Publish","Condition":{"Bool":{"aws:SecureTransport":"false"}}"#, true, false),
            (r#""Effect":"Deny","Principal":"*","Action":"sns:Publish","Condition":{"StringNotEquals":{"aws:SourceAccount":"000000000000"}}"#, true, false),
            (r#""Effect":"Deny","Principal":"*","Action":"sns:Publish","Condition":{"Bool":{"aws:PrincipalIsAWSService":"true"}}"#, false, false),
            (r#""Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:cloudwatch:*:111111111111:alarm:*"}}"#, true, true),
            (r#""Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sns:Publish""#, true, true),
            (r#""Effect":"Allow","Principal":{"AWS":"*"},"Action":"sns:Publish","Condition":{"StringEquals":{"AWS:SourceOwner":"111111111111"}}"#, true, true),
            (r#""Effect":"Allow","Principal":"*","Action":"sns:Publish","Condition":{"DateLessThan":{"aws:CurrentTime":"2000-01-01T00:00:00Z"}}"#, true, false),
        ]
        .into_iter()
        .enumerate()
        {
            let policy = format!(r#"{{"Statement":{{{statement},"Resource":"{T}"}}}}"#);
            let set = format!("SetTopicAttributes TopicArn={T} AttributeName=Policy");
            house.check(&format!("{set} AttributeValue='{policy}'")).await;
            for (account, want) in [(AccountId::DEFAULT, of_owner), (other, of_other)] {
                let dedup = format!("{nth} {account}");
                let alarm = AlarmMessage {
                    topic_arn: T,
                    alarm_arn: "arn:aws:cloudwatch:us-east-1:111111111111:alarm:high",
                    account,
                    subject: "s",
                    message: "{}",
                    dedup: &dedup,
                };
                let got = house.tenant.publish_alarm(alarm).await;
                assert_eq!(got.is_ok(), want, "{account} {statement}");
            }
        }
    });
}

#[test]
fn private_keys_are_not_readable_in_the_catalog() {
    run(Options::default(), async |house| {
        let endpoint = Endpoint::open().await;
        subscribe(house, &endpoint, "").await;
        house.check("rows signing-key/ = 1").await;
        let row = house.home.row("signing-key/");
        let row: Value = serde_json::from_slice(&row).unwrap();
        assert!(row["certificate_pem"].as_str().unwrap().starts_with("-----BEGIN CERTIFICATE"));
        let sealed = base64(row["sealed"].as_str().unwrap());
        // How every PKCS #8 document of an RSA key goes on behind its lengths.
        let rsa = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
        assert!(!sealed.windows(rsa.len()).any(|at| at == rsa));
    });
}
