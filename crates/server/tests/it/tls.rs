//! TLS on the plain port: with and without ALPN, certificates made and read.

#![expect(clippy::disallowed_methods, reason = "the tests damage files behind the server's back")]

use crate::support::{Raw, call, options, start};
use rustls::RootCertStore;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use server::tls::{Pem, TlsOptions};
use server::{Error, Options, Server, system_env};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub(crate) fn generated(dir: Option<PathBuf>, names: &[&str]) -> Options {
    let names = names.iter().map(|&name| name.to_owned()).collect();
    Options { tls: TlsOptions::Generated { dir, names }, ..options() }
}

/// Connects as `name`, trusting the authority `ca_pem`, offering `alpn`.
pub(crate) async fn connect(
    address: SocketAddr,
    ca_pem: &str,
    name: &str,
    alpn: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let socket = TcpStream::connect(address).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, socket).await
}

#[tokio::test]
async fn one_port_speaks_everything() {
    let server = start(generated(None, &[]));
    let ca = server.ca_pem.clone().unwrap();
    assert_eq!(call(server.address, "Echo", "{}").await.status, 200);
    for alpn in [&["http/1.1"][..], &[]] {
        let stream = connect(server.address, &ca, "localhost", alpn).await.unwrap();
        assert_eq!(Raw { stream }.call("Echo", "{}").await.status, 200, "{alpn:?}");
    }
    for (alpn, agreed) in [(&["h2", "http/1.1"][..], Some(&b"h2"[..])), (&[], None)] {
        let stream = connect(server.address, &ca, "localhost", alpn).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), agreed);
        let (mut client, _connection) = crate::http2::speak(stream).await;
        let reply = client.send_request(crate::http2::request("Echo", "{}")).await.unwrap();
        assert_eq!(reply.status(), 200, "{alpn:?}");
    }
}

#[tokio::test]
async fn certificates_name_the_server() {
    let server = start(generated(None, &["streams.test", "10.1.2.3"]));
    let ca = server.ca_pem.clone().unwrap();
    let machine = rustix::system::uname().nodename().to_str().unwrap().to_owned();
    for name in ["localhost", "127.0.0.1", "::1", "streams.test", "10.1.2.3", &machine] {
        connect(server.address, &ca, name, &[]).await.unwrap();
    }
    connect(server.address, &ca, "other.test", &[]).await.unwrap_err();
}

#[tokio::test]
async fn the_authority_outlives_the_server() {
    let data = tempfile::tempdir().unwrap();
    let dir = data.path().join("tls");
    let first = start(generated(Some(dir.clone()), &[]));
    let ca = std::fs::read_to_string(dir.join("ca.pem")).unwrap();
    assert_eq!(first.ca_pem.as_ref(), Some(&ca));
    let mode = dir.join("ca-key.pem").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let second = start(generated(Some(dir.clone()), &[]));
    connect(second.address, &ca, "localhost", &[]).await.unwrap();
    // Started again with another name: the authority may not vouch for it, so it is another one.
    let third = start(generated(Some(dir.clone()), &["streams.test"]));
    let other = std::fs::read_to_string(dir.join("ca.pem")).unwrap();
    assert_ne!(other, ca);
    connect(third.address, &other, "streams.test", &[]).await.unwrap();
    connect(third.address, &ca, "localhost", &[]).await.unwrap_err();
}

#[tokio::test]
async fn another_authority_is_not_trusted() {
    let (first, second) = (start(generated(None, &[])), start(generated(None, &[])));
    let ca = first.ca_pem.clone().unwrap();
    connect(second.address, &ca, "localhost", &[]).await.unwrap_err();
}

fn refusal(options: Options) -> String {
    let registry = base::metrics::Registry::default();
    let keys = wire::sigv4::Keyring::default();
    match Server::bind(options, system_env(), registry, Vec::new(), keys) {
        Ok(_) => panic!("the server starts"),
        Err(error @ Error::Tls(_)) => error.to_string(),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn damaged_authorities_are_named() {
    let data = tempfile::tempdir().unwrap();
    let authority = |name: &str| {
        let dir = data.path().join(name);
        drop(start(generated(Some(dir.clone()), &[])));
        dir
    };
    let check = |dir: &Path, want: &str| {
        let text = refusal(generated(Some(dir.to_owned()), &[]));
        assert!(text.contains(want) && text.contains(dir.to_str().unwrap()), "{text}");
    };
    let (one, two) = (authority("one"), authority("two"));
    std::fs::copy(two.join("ca.pem"), one.join("ca.pem")).unwrap();
    check(&one, "does not fit its key");
    std::fs::remove_file(two.join("ca-key.pem")).unwrap();
    check(&two, "cannot read");
    let three = authority("three");
    std::fs::write(three.join("ca-key.pem"), "nonsense").unwrap();
    check(&three, "cannot use");
    // Half made: the certificate is written last, so without it nobody can trust the key yet.
    let four = authority("four");
    std::fs::remove_file(four.join("ca.pem")).unwrap();
    let server = start(generated(Some(four), &[]));
    let ca = server.ca_pem.clone().unwrap();
    connect(server.address, &ca, "localhost", &[]).await.unwrap();
}

#[tokio::test]
async fn certificates_come_from_files_as_well() {
    let data = tempfile::tempdir().unwrap();
    let own = rcgen::generate_simple_self_signed(vec!["files.test".to_owned()]).unwrap();
    let (certificate, key) = (data.path().join("cert.pem"), data.path().join("key.pem"));
    std::fs::write(&certificate, own.cert.pem()).unwrap();
    std::fs::write(&key, own.signing_key.serialize_pem()).unwrap();
    let files = |certificate: &Path, key: &Path| TlsOptions::Files {
        certificate: certificate.into(),
        key: key.into(),
    };
    let server = start(Options { tls: files(&certificate, &key), ..options() });
    assert_eq!(server.ca_pem, None);
    let stream = connect(server.address, &own.cert.pem(), "files.test", &[]).await.unwrap();
    assert_eq!(Raw { stream }.call("Echo", "{}").await.status, 200);
    let missing = data.path().join("missing.pem");
    let text = refusal(Options { tls: files(&missing, &key), ..options() });
    assert!(text.contains("missing.pem"), "{text}");
    let swapped = refusal(Options { tls: files(&key, &certificate), ..options() });
    assert!(swapped.contains("cert.pem") || swapped.contains("key.pem"), "{swapped}");
    let check = |chain: &str, secret: &str| {
        let chain = Pem { path: &certificate, bytes: chain.as_bytes() };
        let key = Pem { path: &key, bytes: secret.as_bytes() };
        server::tls::check_pair(chain, key).map_err(|e| e.to_string())
    };
    let (chain, secret) = (own.cert.pem(), own.signing_key.serialize_pem());
    assert_eq!(check(&chain, &secret), Ok(()));
    let empty = check("", &secret).unwrap_err();
    assert!(empty.contains("cert.pem") && empty.contains("no items found"), "{empty}");
    let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
    assert!(check(&chain, &other).unwrap_err().contains("do not fit"));
}

#[tokio::test]
async fn without_tls_a_handshake_is_turned_away() {
    let server = start(options());
    let other = start(generated(None, &[]));
    let ca = other.ca_pem.clone().unwrap();
    connect(server.address, &ca, "localhost", &[]).await.unwrap_err();
    assert_eq!(call(server.address, "Echo", "{}").await.status, 200);
}

#[tokio::test]
async fn plain_connections_can_be_turned_away() {
    let server = start(Options { tls_only: true, ..generated(None, &[]) });
    let mut plain = Raw::connect(server.address).await;
    plain.send(crate::support::post("Echo", "{}")).await;
    assert_eq!(plain.rest().await, b"");
    let ca = server.ca_pem.clone().unwrap();
    let stream = connect(server.address, &ca, "localhost", &[]).await.unwrap();
    assert_eq!(Raw { stream }.call("Echo", "{}").await.status, 200);
}
