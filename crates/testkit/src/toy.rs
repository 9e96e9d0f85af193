//! A service of three operations that speaks every protocol: what the next one costs, and what
//! clients of all kinds are held against.
//!
//! `Greet` has members in every place, `Upload` takes a body as it comes, `Watch` has no end.

use api::toy::{
    Error, GreetInput, GreetOutput, GreetingRefusedException, Server, Tick, Ticks, Toy,
    UploadInput, UploadOutput, WatchInput,
};
use api::{EventStream, Text};
use base::metrics::Registry;
use base::{AccountId, Cx};
use futures_util::{StreamExt as _, stream};
use server::{AuthMode, Loops, Options, Server as HttpServer, system_env};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use wire::sigv4::{Key, Keyring, Secret};

/// The service.
#[derive(Debug, Default)]
pub struct ToyService;

/// Whom it greets never.
pub const NOBODY: &str = "nobody";

impl Toy for ToyService {
    async fn greet(&self, _: &Cx, input: GreetInput) -> Result<GreetOutput, Error> {
        if input.name == NOBODY {
            let message = Some("<Nobody> is greeted.".into());
            let reason = Some("not \"here\"".into());
            let refused = GreetingRefusedException { message, reason };
            return Err(Error::GreetingRefusedWith(Box::new(refused)));
        }
        let word = match input.language.as_deref() {
            Some("de") => "Hallo",
            _ => "Hello",
        };
        let end = if input.excited == Some(true) { "!" } else { "." };
        let one = format!("{word} {}{end}", input.name);
        let times = input.times.unwrap_or(1).max(1) as usize;
        let text = Text::from(vec![one; times].join(" "));
        Ok(GreetOutput {
            length: Some(text.len() as i64),
            text,
            since: input.since,
            guests: input.guests,
            titles: input.titles,
            badge: input.badge,
        })
    }

    async fn upload(&self, _: &Cx, input: UploadInput) -> Result<UploadOutput, Error> {
        let mut bytes = 0;
        let mut pieces = input.data.unwrap_or_default().into_stream();
        while let Some(piece) = pieces.next().await {
            bytes += piece.map_err(|e| Error::Validation(e.message.into_owned()))?.len();
        }
        Ok(UploadOutput { bytes: bytes as i64 })
    }

    async fn watch(&self, _: &Cx, _: WatchInput) -> Result<EventStream<Ticks, Error>, Error> {
        let tick = |number| async move { Ok(Ticks::Tick(Tick { number })) };
        // The runtime takes its turn between ticks.
        let paced = stream::iter(1..).then(move |number| async move {
            tokio::task::yield_now().await;
            tick(number).await
        });
        Ok(Box::pin(paced))
    }
}

/// Id and secret of the one key that it believes.
pub const KEY: (&str, &str) = ("AKIDTOY", "secret of the toy");

/// Serves it on a free port of this machine until `shutdown`, telling `ready` where. Signatures
/// must be right.
///
/// # Panics
/// When it cannot be served.
pub async fn serve(ready: impl FnOnce(SocketAddr), shutdown: impl Future<Output = ()>) {
    let options = Options {
        listen: ([127, 0, 0, 1], 0).into(),
        auth: AuthMode::Required,
        ..Options::default()
    };
    let key = Key {
        secret_access_key: Secret::new(KEY.1),
        session_token: None,
        expires_ms: None,
        account: AccountId::DEFAULT,
        caller_arn: "arn:aws:iam::000000000000:user/toy".into(),
        user_id: "AIDATOY".into(),
        role_arn: None,
        permissions: base::policy::Permissions::All,
    };
    let keys = Keyring::new([(KEY.0.to_owned(), key)]);
    let service = Arc::new(Server::new(Arc::new(ToyService)));
    let server = HttpServer::bind(options, system_env(), Registry::default(), vec![service], keys);
    let server = server.expect("a free port of this machine");
    ready(server.local_addr());
    server.run(Loops::start(1).expect("a thread"), shutdown).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::toy::ops;
    use client::{Client, Config};
    use tokio::sync::oneshot;
    use wire::Protocol;
    use wire::sigv4::Credentials;

    /// The protocol that no SDK with models of its own speaks.
    #[tokio::test(flavor = "multi_thread")]
    async fn cbor_of_aws_and_json() {
        let (tell, told) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving =
            tokio::spawn(serve(|address| tell.send(address).expect("the test waits"), async {
                drop(stopped.await);
            }));
        let endpoint = format!("http://{}", told.await.unwrap());
        for protocol in [Protocol::Cbor11, Protocol::Json11, Protocol::Json10] {
            let credentials = Credentials {
                access_key_id: KEY.0.to_owned(),
                secret_access_key: Secret::new(KEY.1),
                session_token: None,
            };
            let config = Config { protocol, credentials, ..Config::new(&*endpoint) };
            let client = Client::new(config).unwrap();
            let greeting = GreetInput {
                name: "you".into(),
                since: Some(api::Timestamp(1_500)),
                badge: Some(vec![0, 255].into()),
                ..Default::default()
            };
            let answer = client.call::<ops::Greet>(&greeting).await.unwrap();
            assert_eq!(answer.text, "Hello you.", "{protocol:?}");
            assert_eq!(answer.length, Some(10), "in the body where there is no header");
            assert_eq!((answer.since, answer.badge), (greeting.since, greeting.badge));
            let nobody = GreetInput { name: NOBODY.into(), ..Default::default() };
            let refused = client.call::<ops::Greet>(&nobody).await.unwrap_err();
            assert_eq!(refused.code(), "GreetingRefusedException");
            let data = Some(wire::Payload::Whole(vec![1; 9_000].into()));
            let upload = UploadInput { name: "up".into(), data };
            assert_eq!(client.call::<ops::Upload>(&upload).await.unwrap().bytes, 9_000);
        }
        drop(stop);
        serving.await.unwrap();
    }
}
