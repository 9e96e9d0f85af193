use super::*;
use crate::names::Found;
use crate::{Allowed, TroubleKind};
use rustls_pki_types::PrivateKeyDer;
use testkit::{FakeEnv, fake_env};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Every host is at these addresses.
struct At(Vec<IpAddr>);

impl Names for At {
    fn find<'a>(&'a self, _: &'a str) -> Found<'a> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

fn poster(fake: &FakeEnv, options: &Options, addresses: &[&str]) -> Poster {
    let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
    Poster::new(fake.env(), options).unwrap().with_names(Arc::new(At(addresses)))
}

fn here() -> Options {
    Options { is_loopback_allowed: true, answer_bytes_max: 10, ..Options::default() }
}

fn post(body: &str) -> Post {
    Post { headers: vec![("x-a", "b".into())], body: body.to_owned().into() }
}

/// Reads a request up to its end, which the test knows, and answers.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, end: &str, answer: &str) -> String {
    let mut read = Vec::new();
    while !read.ends_with(end.as_bytes()) {
        assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0);
    }
    stream.write_all(answer.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    String::from_utf8(read).unwrap()
}

/// What comes of a post to a listener that answers so, and what the listener read.
async fn exchange(
    options: &Options,
    body: &str,
    answer: &str,
) -> (Result<Answer, Trouble>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let fake = fake_env(1);
    let poster = poster(&fake, options, &["10.0.0.1", "127.0.0.1"]);
    let url = format!("http://a.test:{}/p?q=1", listener.local_addr().unwrap().port());
    let served = async { serve(listener.accept().await.unwrap().0, body, answer).await };
    tokio::join!(poster.post(&url, post(body)), served)
}

#[tokio::test]
async fn a_post_and_its_answer() {
    let answer = "HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok";
    let (answer, request) = exchange(&here(), "the body", answer).await;
    assert_eq!(answer, Ok(Answer { status: 201, body: "ok".into(), is_whole: true }));
    assert!(request.starts_with("POST /p?q=1 HTTP/1.1\r\nhost: a.test:"), "{request}");
    for line in ["x-a: b", "content-length: 8", "user-agent: Millweir"] {
        assert!(request.contains(&format!("\r\n{line}\r\n")), "{line} in {request}");
    }
}

#[tokio::test]
async fn answers_of_all_kinds() {
    for (answer, want) in [
        ("HTTP/1.1 302 Found\r\nlocation: http://b/\r\ncontent-length: 0\r\n\r\n", Some((302, ""))),
        ("HTTP/1.1 500 X\r\n\r\nuntil it ends", Some((500, "until it e"))),
        ("HTTP/1.1 200 X\r\ncontent-length: 99\r\n\r\n", None),
        ("SSH-2.0-OpenSSH\r\n", None),
        ("", None),
    ] {
        let (got, _) = exchange(&here(), "the body", answer).await;
        match want {
            Some((status, body)) => {
                let got = got.unwrap();
                assert_eq!((got.status, &*got.body), (status, body.as_bytes()), "{answer}");
                assert_eq!(got.is_whole, got.body.len() < 10);
            }
            None => assert_eq!(got.unwrap_err().kind(), TroubleKind::Broken, "{answer}"),
        }
    }
}

#[tokio::test]
async fn internal_addresses_are_refused() {
    let fake = fake_env(1);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = format!("http://a.test:{port}/");
    for addresses in [&["127.0.0.1"][..], &["10.0.0.1", "::ffff:127.0.0.1"], &["169.254.169.254"]] {
        let refused = poster(&fake, &Options::default(), addresses).post(&url, post("x")).await;
        assert_eq!(refused.unwrap_err().kind(), TroubleKind::Refused, "{addresses:?}");
    }
    let poster_ = poster(&fake, &Options::default(), &[]);
    assert_eq!(
        poster_.post(&url, post("x")).await.unwrap_err().kind(),
        TroubleKind::Unreachable,
        "a name without an address"
    );
    for url in ["http://127.0.0.1/", "http://[::1]/", "http://a.test:22/", "http://u@a.test/"] {
        assert_eq!(poster_.check(url).unwrap_err().kind(), TroubleKind::Refused, "{url}");
    }
    assert_eq!(poster_.check("https://a.test/"), Ok(()));
    let allowed = vec![Allowed::parse("a.test").unwrap()];
    let options = Options { allowed, ..Options::default() };
    let poster = poster(&fake, &options, &["127.0.0.1"]);
    let ok = "HTTP/1.1 200 X\r\ncontent-length: 0\r\n\r\n";
    let served = async { serve(listener.accept().await.unwrap().0, "x", ok).await };
    let (answer, _) = tokio::join!(poster.post(&url, post("x")), served);
    assert_eq!(answer.unwrap().status, 200);
}

#[tokio::test]
async fn nobody_waits_for_ever() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let fake = fake_env(1);
    let poster = poster(&fake, &here(), &["127.0.0.1"]);
    let url = format!("http://a.test:{}/", listener.local_addr().unwrap().port());
    let silence = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut read = Vec::new();
        while !read.ends_with(b"x") {
            stream.read_buf(&mut read).await.unwrap();
        }
        fake.clock.advance(here().total_timeout);
        stream
    };
    let (told, _stream) = tokio::join!(poster.post(&url, post("x")), silence);
    assert_eq!(told.unwrap_err().kind(), TroubleKind::Unreachable);
    drop(listener);
    let told = poster.post(&url, post("x")).await.unwrap_err();
    assert_eq!(told.kind(), TroubleKind::Unreachable, "nobody is there: {told}");
}

#[tokio::test]
async fn plain_webhooks_are_signed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let fake = fake_env(1);
    let poster = poster(&fake, &here(), &["127.0.0.1"]);
    let url = format!("http://a.test:{}/", listener.local_addr().unwrap().port());
    let ok = "HTTP/1.1 204 X\r\n\r\n";
    let served = async { serve(listener.accept().await.unwrap().0, "{\"a\":1}", ok).await };
    let sent = poster.post_signed(&url, "{\"a\":1}".into(), b"secret");
    let (answer, request) = tokio::join!(sent, served);
    assert_eq!(answer.unwrap().status, 204);
    let signature = signature(b"secret", 1_767_225_600, b"{\"a\":1}");
    assert!(request.contains(&format!("\r\nx-millweir-signature: {signature}\r\n")), "{request}");
    assert!(request.contains("\r\ncontent-type: application/json\r\n"));
}

#[tokio::test]
async fn https_believes_its_roots_alone() {
    let made = rcgen::generate_simple_self_signed(["a.test".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ));
    let config = config
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // The system's clock decides what certificates are worth; theirs reaches far in both ways.
    let fake = fake_env(1);
    let roots_pem = made.cert.pem().into_bytes();
    for (roots_pem, host, is_fine) in [
        (roots_pem.clone(), "a.test", true),
        (roots_pem, "b.test", false),
        (Vec::new(), "a.test", false),
    ] {
        let poster = poster(&fake, &Options { roots_pem, ..here() }, &["127.0.0.1"]);
        let url = format!("https://{host}:{port}/");
        let served = async {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(stream) = acceptor.accept(stream).await else { return String::new() };
            serve(stream, "x", "HTTP/1.1 200 X\r\ncontent-length: 0\r\n\r\n").await
        };
        let (answer, _) = tokio::join!(poster.post(&url, post("x")), served);
        match is_fine {
            true => assert_eq!(answer.unwrap().status, 200),
            false => assert_eq!(answer.unwrap_err().kind(), TroubleKind::Unreachable, "{host}"),
        }
    }
    let garbage = b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n".to_vec();
    let options = Options { roots_pem: garbage, ..here() };
    assert!(Poster::new(fake.env(), &options).is_err());
}
