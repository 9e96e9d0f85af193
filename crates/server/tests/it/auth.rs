//! Who is believed to ask.

use crate::support::{Raw, Reply, Running, headers, options, render, start, start_with};
use base::AccountId;
use server::{AuthMode, Error, Options, Server, system_env};
use wire::sigv4::{Credentials, Key, Keyring, Parts, Scope, Secret, payload_hash, sign};

async fn who(server: &Running, access_key_id: &str, region: &str) -> Reply {
    let mut headers = headers("Who");
    headers[4].1 = headers[4].1.replace("AKID", access_key_id).replace("eu-west-1", region);
    let mut client = Raw::connect(server.address).await;
    client.send(render(&headers, "{}")).await;
    client.reply().await
}

pub(crate) fn keys(token: Option<&str>) -> Keyring {
    let key = Key {
        secret_access_key: Secret::new("secret"),
        session_token: token.map(Secret::new),
        expires_ms: None,
        account: AccountId::parse("222222222222").unwrap(),
        caller_arn: "arn:aws:iam::222222222222:user/alice".into(),
        user_id: "AIDATEST".into(),
        role_arn: None,
        permissions: base::policy::Permissions::All,
    };
    Keyring::new([("AKIDALICE".to_owned(), key)])
}

#[tokio::test]
async fn any_signature_names_its_region_and_account() {
    let account = AccountId::parse("111111111111").unwrap();
    let server = start_with(Options { account, ..options() }, keys(None), |server| server);
    for (id, region, want) in [
        ("AKID", "eu-west-1", "eu-west-1 111111111111 arn:aws:iam::111111111111:root"),
        ("333333333333", "cn-north-1", "cn-north-1 333333333333 arn:aws:iam::333333333333:root"),
        ("AKIDALICE", "us-east-2", "us-east-2 222222222222 arn:aws:iam::222222222222:user/alice"),
    ] {
        assert_eq!(who(&server, id, region).await.text(), want);
    }
    let nowhere = who(&server, "AKID", "U.P").await;
    assert_eq!(
        nowhere.text(),
        "{\"__type\":\"InvalidSignatureException\",\"message\":\"Credential should be scoped to a \
         valid region, not 'U.P'.\"}"
    );
}

#[tokio::test]
async fn a_query_may_carry_the_signature() {
    let server = start(options());
    let mut headers = headers("Who");
    headers.retain(|(name, _)| name != "authorization" && name != "x-amz-date");
    let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20260101%2Fap-south-1%2F\
                 kinesis%2Faws4_request&X-Amz-Date=20260101T000000Z&X-Amz-SignedHeaders=host&\
                 X-Amz-Signature=00";
    let mut client = Raw::connect(server.address).await;
    client.send(render(&headers, "{}").replacen("/ ", &format!("/?{query} "), 1)).await;
    let reply = client.reply().await;
    assert!(reply.text().starts_with("ap-south-1 000000000000 "), "{}", reply.text());
}

pub(crate) fn required() -> Options {
    Options { auth: AuthMode::Required, ..options() }
}

/// Headers of a request that is signed now.
fn signed(host: &str, body: &str, secret: &str, token: Option<&str>) -> Vec<(String, String)> {
    let mut headers = headers("Who");
    headers.truncate(3);
    headers[0] = (host.to_owned(), "localhost".to_owned());
    let pairs: Vec<(&str, &[u8])> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let parts = Parts { method: "POST", path: "/", query: "", headers: &pairs };
    let credentials = Credentials {
        access_key_id: "AKIDALICE".to_owned(),
        secret_access_key: Secret::new(secret),
        session_token: token.map(Secret::new),
    };
    let scope = Scope { region: "eu-west-1", service: "kinesis" };
    let now_ms = system_env().clock.now_ms();
    let signed = sign(&parts, &payload_hash(body.as_bytes()), &credentials, scope, now_ms);
    headers.push(("x-amz-date".to_owned(), signed.x_amz_date));
    headers.push(("authorization".to_owned(), signed.authorization));
    if let Some(token) = token {
        headers.push(("x-amz-security-token".to_owned(), token.to_owned()));
    }
    headers
}

const ALICE: &str = "eu-west-1 222222222222 arn:aws:iam::222222222222:user/alice";

async fn ask(server: &Running, headers: &[(String, String)], body: &str) -> Reply {
    let mut client = Raw::connect(server.address).await;
    client.send(render(headers, body)).await;
    client.reply().await
}

#[tokio::test]
async fn required_signatures_are_verified() {
    let server = start_with(required(), keys(None), |server| server);
    let fine = signed("host", "{}", "secret", None);
    assert_eq!(ask(&server, &fine, "{}").await.text(), ALICE);
    let changed = ask(&server, &fine, "{ }").await;
    assert_eq!(changed.status, 400);
    assert!(changed.text().contains("The request signature we calculated"), "{}", changed.text());
    let wrong = ask(&server, &signed("host", "{}", "guess", None), "{}").await;
    assert!(wrong.text().contains("InvalidSignatureException"), "{}", wrong.text());
    let unsigned = ask(&server, &headers("Who"), "{}").await;
    assert!(unsigned.text().contains("Signature expired: 20260101T000000Z"), "{}", unsigned.text());
    let mut none = fine.clone();
    none.retain(|(name, _)| name != "authorization");
    let none = ask(&server, &none, "{}").await;
    assert!(none.text().contains("MissingAuthenticationTokenException"), "{}", none.text());
}

#[tokio::test]
async fn session_tokens_belong_to_their_key() {
    let server = start_with(required(), keys(Some("token")), |server| server);
    let fine = signed("host", "{}", "secret", Some("token"));
    assert_eq!(ask(&server, &fine, "{}").await.text(), ALICE);
    for token in [Some("other"), None] {
        let refused = ask(&server, &signed("host", "{}", "secret", token), "{}").await;
        assert!(refused.text().contains("UnrecognizedClientException"), "{}", refused.text());
    }
}

#[tokio::test]
async fn over_http2_either_name_of_the_host_is_signed() {
    let server = start_with(required(), keys(None), |server| server);
    let (mut client, _connection) = crate::http2::connect(&server).await;
    for host in ["host", ":authority"] {
        let mut request = crate::http2::request("Who", "{}");
        request.headers_mut().clear();
        for (name, value) in signed(host, "{}", "secret", None).into_iter().skip(1) {
            let name = http::HeaderName::try_from(name).unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let reply = client.send_request(request).await.unwrap();
        assert_eq!(crate::http2::text(reply).await, ALICE, "{host}");
    }
}

#[tokio::test]
async fn required_signatures_need_keys() {
    let registry = base::metrics::Registry::default();
    let bound = Server::bind(required(), system_env(), registry, Vec::new(), Keyring::default());
    assert!(matches!(bound.err().unwrap(), Error::NoKeys));
}

#[tokio::test]
async fn a_service_learns_where_a_request_came_from() {
    let server = start(crate::tls::generated(None, &[]));
    let ca = server.ca_pem.clone().unwrap();
    let plain = Raw::connect(server.address).await.call("Origin", "{}").await;
    let stream = crate::tls::connect(server.address, &ca, "localhost", &[]).await.unwrap();
    let over_tls = Raw { stream }.call("Origin", "{}").await;
    for (reply, is_tls) in [(plain, false), (over_tls, true)] {
        let want = format!("Origin {{ address: Some(127.0.0.1), is_tls: {is_tls}, time_ms: ");
        assert!(reply.text().starts_with(&want), "{}", reply.text());
    }
    let mapped = start(crate::admin::off_loopback());
    let reply = crate::support::call(mapped.address, "Origin", "{}").await;
    assert!(reply.text().contains("Some(127.0.0.1)"), "{}", reply.text());
    let server = start_with(options(), keys(None), |server| server);
    for (id, want) in [("AKIDALICE", "Some(\"AKIDALICE\")"), ("AKID", "None")] {
        let mut headers = headers("Origin");
        headers[4].1 = headers[4].1.replace("AKID", id);
        let reply = ask(&server, &headers, "{}").await;
        assert!(reply.text().ends_with(want), "{id}: {}", reply.text());
    }
}
