//! What is sent, as the side that checks signatures sees it.

use crate::script::{Give, Sent, config, serve, whole};
use api::kinesis::{DescribeStreamSummaryInput, SubscribeToShardInput, ops};
use client::{Client, Config, Credentials, ErrorKind, Retry, Secret};
use testkit::env::START_MS;
use wire::Protocol;
use wire::sigv4::{Addressee, Key, Keyring, Parts, Vouched, payload_hash};

fn credentials(token: Option<&str>) -> Credentials {
    Credentials {
        access_key_id: "AKIDTEST".into(),
        secret_access_key: Secret::new("wJalrXUtnFEMI"),
        session_token: token.map(Secret::new),
    }
}

fn keyring(secret: &str, token: Option<&str>) -> Keyring {
    let key = Key {
        secret_access_key: Secret::new(secret),
        session_token: token.map(Secret::new),
        expires_ms: None,
        account: base::AccountId::DEFAULT,
        caller_arn: "arn:aws:iam::000000000000:user/ann".into(),
        user_id: "AIDATEST".into(),
        role_arn: None,
        permissions: base::policy::Permissions::All,
    };
    Keyring::new([("AKIDTEST".to_owned(), key)])
}

const KINESIS: Addressee<'static> = Addressee { service: "kinesis", headers: &[] };

/// Whether a request is believed, and if not, why.
fn verify(sent: &Sent, keys: &Keyring) -> Result<String, &'static str> {
    let headers: Vec<_> = sent.headers().collect();
    let parts = Parts { method: "POST", path: "/", query: "", headers: &headers };
    let vouched = Vouched::read(parts, keys, KINESIS, START_MS).map_err(|e| e.code)?;
    let principal = vouched.verify(&payload_hash(&sent.body), false).map_err(|e| e.code)?;
    Ok(format!("{} in {}", principal.caller_arn, principal.region))
}

/// The request of a client of this configuration.
async fn sent(change: impl FnOnce(Config) -> Config) -> Sent {
    let (endpoint, mut sent) = serve(vec![Give::Cut(whole(400, ""))]);
    let client = Client::new(change(config(&endpoint).0)).unwrap();
    let input = DescribeStreamSummaryInput {
        stream_name: Some("s".into()),
        ..DescribeStreamSummaryInput::default()
    };
    let done = client.call_with::<ops::DescribeStreamSummary>(&input, Retry::NONE).await;
    assert_eq!(done.unwrap_err().code(), "Http400");
    let sent = sent.recv().await.unwrap().unwrap();
    assert_eq!(sent.header("host"), endpoint.strip_prefix("http://"));
    sent
}

#[tokio::test]
async fn requests_are_believed() {
    for token in [None, Some("session/token+==")] {
        for (protocol, content_type) in [
            (Protocol::Json11, "application/x-amz-json-1.1"),
            (Protocol::Json10, "application/x-amz-json-1.0"),
            (Protocol::Cbor11, "application/x-amz-cbor-1.1"),
        ] {
            let change = |config| Config {
                region: "eu-west-1".into(),
                credentials: credentials(token),
                protocol,
                ..config
            };
            let sent = sent(change).await;
            assert_eq!(sent.header(""), Some("POST / HTTP/1.1"));
            assert_eq!(sent.header("content-type"), Some(content_type));
            let target = "Kinesis_20131202.DescribeStreamSummary";
            assert_eq!(sent.header("x-amz-target"), Some(target));
            assert_eq!(sent.header("x-amz-date"), Some("20260101T000000Z"));
            assert_eq!(sent.header("x-amz-security-token"), token);
            assert!(sent.header("user-agent").unwrap().starts_with("millweir/"));
            let scope = "Credential=AKIDTEST/20260101/eu-west-1/kinesis/aws4_request";
            assert!(sent.header("authorization").unwrap().contains(scope));
            let believed = verify(&sent, &keyring("wJalrXUtnFEMI", token));
            assert_eq!(believed.unwrap(), "arn:aws:iam::000000000000:user/ann in eu-west-1");
        }
    }
}

#[tokio::test]
async fn what_was_changed_on_the_way_is_not() {
    let keys = keyring("wJalrXUtnFEMI", None);
    let sent = async || sent(|config| Config { credentials: credentials(None), ..config }).await;
    let mut changed = sent().await;
    assert!(verify(&changed, &keys).is_ok());
    changed.body.push(b' ');
    assert_eq!(verify(&changed, &keys), Err("InvalidSignatureException"));
    let other = keyring("another", None);
    assert_eq!(verify(&sent().await, &other), Err("InvalidSignatureException"));
    let with_token = keyring("wJalrXUtnFEMI", Some("token"));
    assert!(verify(&sent().await, &with_token).is_err(), "the token is missing");
}

#[tokio::test]
async fn the_usual_configuration() {
    let sent = sent(|config| config).await;
    let scope = "Credential=test/20260101/us-east-1/kinesis/aws4_request";
    assert!(sent.header("authorization").unwrap().contains(scope));
    assert_eq!(sent.header("content-type"), Some("application/x-amz-json-1.1"));
    assert_eq!(sent.header("x-amz-security-token"), None);
    assert_eq!(sent.body, br#"{"StreamName":"s"}"#);
    let usual = Config::new("http://a");
    assert_eq!((usual.timeout.as_secs(), usual.retry.attempts_max), (30, 4));
}

/// SubscribeToShard is JSON whatever else is spoken.
#[tokio::test]
async fn subscriptions_are_signed_too() {
    let (endpoint, mut sent) = serve(vec![Give::Cut(whole(400, ""))]);
    let protocol = Protocol::Cbor11;
    let config = Config { credentials: credentials(None), protocol, ..config(&endpoint).0 };
    let client = Client::new(config).unwrap();
    let done = client.subscribe(&SubscribeToShardInput::default()).await;
    assert_eq!(done.err().unwrap().code(), "Http400");
    let sent = sent.recv().await.unwrap().unwrap();
    assert_eq!(sent.header("content-type"), Some("application/x-amz-json-1.1"));
    assert_eq!(sent.header("x-amz-target"), Some("Kinesis_20131202.SubscribeToShard"));
    assert!(sent.body.starts_with(b"{"));
    assert!(verify(&sent, &keyring("wJalrXUtnFEMI", None)).is_ok());
}

/// What cannot stand in a header is not sent, and not shown.
#[tokio::test]
async fn keys_that_cannot_be_sent() {
    for (id, token) in [("AKID\n", None), ("AKID", Some("canary\r\nx: y"))] {
        let credentials = Credentials { access_key_id: id.into(), ..credentials(token) };
        let config = Config { credentials, ..config("http://127.0.0.1:1").0 };
        let client = Client::new(config).unwrap();
        let input = DescribeStreamSummaryInput::default();
        let e = client.call::<ops::DescribeStreamSummary>(&input).await.unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Config, "{e}");
        assert_eq!(e.message(), "a key, token or host cannot be in a header");
    }
}
