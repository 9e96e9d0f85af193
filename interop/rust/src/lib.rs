//! Clients of a running server, and what every test needs to know about records.
//!
//! `MILLWEIR_ENDPOINT` (http://HOST:PORT) and `MILLWEIR_CA` name the server; the same port speaks
//! TLS, where the SDK takes HTTP/2 or HTTP/1.1 by ALPN.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::config::retry::RetryConfig;
use aws_sdk_kinesis::config::{BehaviorVersion, Credentials, Region, SharedHttpClient};
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::{
    ChildShard, ConsumerStatus, PutRecordsRequestEntry, Record, Shard, ShardIteratorType,
    StreamStatus,
};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use md5::{Digest, Md5};

pub const ACCOUNT: &str = "555566667777";
pub const REGION: &str = "ca-central-1";

/// The ways to reach the one port of the server.
#[derive(Clone, Copy, Debug)]
pub enum Transport {
    Plain,
    Tls,
}

pub const BOTH: [Transport; 2] = [Transport::Plain, Transport::Tls];

/// A client with nothing set but endpoint, region, credentials and trust.
pub fn client(transport: Transport) -> Client {
    let plain = env("MILLWEIR_ENDPOINT");
    let (endpoint, http) = match transport {
        Transport::Plain => (plain, Builder::new().build_http()),
        Transport::Tls => {
            let port =
                plain.trim_end_matches('/').rsplit(':').next().expect("the endpoint has a port");
            (format!("https://localhost:{port}"), trusting())
        }
    };
    let config = aws_sdk_kinesis::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new(REGION))
        .credentials_provider(Credentials::new(ACCOUNT, "any", None, None, "interop"))
        .retry_config(RetryConfig::standard().with_max_attempts(12))
        .http_client(http)
        .build();
    Client::from_conf(config)
}

fn trusting() -> SharedHttpClient {
    let authority = std::fs::read(env("MILLWEIR_CA")).expect("MILLWEIR_CA names a file");
    let trust = TrustStore::empty().with_pem_certificate(authority);
    let context =
        TlsContext::builder().with_trust_store(trust).build().expect("the authority is PEM");
    Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context)
        .build_https()
}

fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} names the server under test"))
}

static STREAMS: AtomicU32 = AtomicU32::new(0);

pub fn fresh_name() -> String {
    format!("rust-{}-{}", std::process::id(), STREAMS.fetch_add(1, Ordering::Relaxed))
}

pub fn shard(number: u32) -> String {
    format!("shardId-{number:012}")
}

/// An ACTIVE stream; its name and ARN. The test deletes it with [`delete`].
pub async fn stream(client: &Client, shards: i32) -> (String, String) {
    let name = fresh_name();
    client.create_stream().stream_name(&name).shard_count(shards).send().await.expect("created");
    let arn = active(client, &name).await;
    (name, arn)
}

pub async fn delete(client: &Client, name: &str) {
    let delete = client.delete_stream().stream_name(name).enforce_consumer_deletion(true);
    delete.send().await.expect("deleted");
}

/// Waits until the stream is ACTIVE; its ARN.
pub async fn active(client: &Client, name: &str) -> String {
    for _ in 0..100 {
        let answer =
            client.describe_stream_summary().stream_name(name).send().await.expect("described");
        let summary = answer.stream_description_summary().expect("it is required");
        if *summary.stream_status() == StreamStatus::Active {
            return summary.stream_arn().to_owned();
        }
        pause().await;
    }
    panic!("the stream does not become ACTIVE");
}

/// Waits until the stream is unknown; the SDK's own waiter looks only every ten seconds.
pub async fn gone(client: &Client, name: &str) {
    for _ in 0..100 {
        let answer = client.describe_stream_summary().stream_name(name).send().await;
        if let Err(e) = answer {
            assert!(e.into_service_error().is_resource_not_found_exception());
            return;
        }
        pause().await;
    }
    panic!("the stream is not deleted");
}

/// Registers a consumer and waits until it is ACTIVE; its ARN.
pub async fn consumer(client: &Client, stream_arn: &str) -> String {
    let register = client.register_stream_consumer().stream_arn(stream_arn).consumer_name("reader");
    let registered = register.send().await.expect("registered");
    let arn = registered.consumer().expect("it is required").consumer_arn().to_owned();
    for _ in 0..100 {
        let answer =
            client.describe_stream_consumer().consumer_arn(&arn).send().await.expect("described");
        let described = answer.consumer_description().expect("it is required");
        if *described.consumer_status() == ConsumerStatus::Active {
            return arn;
        }
        pause().await;
    }
    panic!("the consumer does not become ACTIVE");
}

async fn pause() {
    tokio::time::sleep(Duration::from_millis(200)).await;
}

/// A record as put.
#[derive(Clone, Debug, PartialEq)]
pub struct Put {
    pub key: String,
    pub data: Vec<u8>,
}

impl Put {
    pub fn new(key: &str, data: impl Into<Vec<u8>>) -> Self {
        Self { key: key.to_owned(), data: data.into() }
    }
}

/// What must be equal between a record put and a record read.
#[derive(Clone, Debug, PartialEq)]
pub struct Brief {
    pub key: String,
    pub data: Vec<u8>,
    pub number: String,
}

pub fn briefs(records: &[Record]) -> Vec<Brief> {
    let brief = |r: &Record| Brief {
        key: r.partition_key().unwrap_or_default().to_owned(),
        data: r.data().as_ref().to_vec(),
        number: r.sequence_number().to_owned(),
    };
    records.iter().map(brief).collect()
}

pub fn every_byte() -> Vec<u8> {
    (0..=255).collect()
}

/// Keys with payloads that a careless codec would alter.
pub fn awkward() -> Vec<Put> {
    vec![
        Put::new("plain", "text"),
        Put::new("ключ", "значение"),
        Put::new("鍵🌊", every_byte()),
        Put::new("quo\"te\\and\ttab", [0, 255, 0, 255]),
        Put::new(&"k".repeat(256), ""),
        Put::new(&"я".repeat(256), "\r\n\0"),
        Put::new(" ", every_byte().repeat(200)),
        Put::new("e\u{301}", [0xc3, 0x28]),
    ]
}

/// `rounds` records for each key; the payload tells key and number.
pub fn numbered(keys: u32, rounds: u32, start: u32) -> Vec<Put> {
    let of_round =
        |n| (0..keys).map(move |k| Put::new(&format!("key-{k}"), format!("key-{k}:{n}")));
    (start..start + rounds).flat_map(of_round).collect()
}

/// The one open shard that holds a partition key.
pub fn owner(shards: &[Shard], key: &str) -> String {
    let hash = u128::from_be_bytes(Md5::digest(key).into());
    let holds = |s: &&Shard| {
        let (range, numbers) = (s.hash_key_range().unwrap(), s.sequence_number_range().unwrap());
        numbers.ending_sequence_number().is_none()
            && range.starting_hash_key().parse::<u128>().unwrap() <= hash
            && hash <= range.ending_hash_key().parse().unwrap()
    };
    let holders: Vec<_> = shards.iter().filter(holds).map(|s| s.shard_id().to_owned()).collect();
    assert_eq!(holders.len(), 1, "{hash} is held by {holders:?}");
    holders.into_iter().next().unwrap()
}

/// The records put into each shard, in the order of their sequence numbers.
pub type Placed = BTreeMap<String, Vec<Brief>>;

fn place(placed: &mut Placed, put: &Put, shard: &str, number: &str) {
    let brief = Brief { key: put.key.clone(), data: put.data.clone(), number: number.to_owned() };
    placed.entry(shard.to_owned()).or_default().push(brief);
}

fn sorted(mut placed: Placed) -> Placed {
    // All numbers have 56 digits, so that their text sorts as they do.
    placed.values_mut().for_each(|briefs| briefs.sort_by(|a, b| a.number.cmp(&b.number)));
    placed
}

pub async fn put_one_by_one(client: &Client, stream: &str, records: &[Put]) -> Placed {
    let mut placed = Placed::new();
    for put in records {
        let data = Blob::new(put.data.clone());
        let call = client.put_record().stream_name(stream).partition_key(&put.key).data(data);
        let answer = call.send().await.expect("put");
        place(&mut placed, put, answer.shard_id(), answer.sequence_number());
    }
    sorted(placed)
}

/// Repeats PutRecords until each record is taken.
pub async fn put_all(client: &Client, stream: &str, records: &[Put]) -> Placed {
    let mut placed = Placed::new();
    let mut left = records.to_vec();
    for _ in 0..60 {
        let entry = |put: &Put| {
            let builder = PutRecordsRequestEntry::builder().partition_key(&put.key);
            builder.data(Blob::new(put.data.clone())).build().expect("data is set")
        };
        let entries = left.iter().map(entry).collect();
        let call = client.put_records().stream_name(stream).set_records(Some(entries));
        let answer = call.send().await.expect("put");
        assert_eq!(answer.records().len(), left.len());
        let mut refused = Vec::new();
        for (put, result) in left.iter().zip(answer.records()) {
            match (result.error_code(), result.shard_id(), result.sequence_number()) {
                (None, Some(shard), Some(number)) => place(&mut placed, put, shard, number),
                _ => refused.push(put.clone()),
            }
        }
        assert_eq!(answer.failed_record_count(), Some(refused.len() as i32));
        if refused.is_empty() {
            return sorted(placed);
        }
        left = refused;
        pause().await;
    }
    panic!("{} records are refused", left.len());
}

/// An iterator from the horizon.
pub async fn horizon(client: &Client, stream: &str, shard: &str) -> String {
    let call = client.get_shard_iterator().stream_name(stream).shard_id(shard);
    let answer =
        call.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await.expect("iterator");
    answer.shard_iterator().expect("it is given").to_owned()
}

/// Reads to the tip or the end of the shard.
pub async fn drain(client: &Client, mut iterator: String) -> Vec<Record> {
    let mut records = Vec::new();
    for _ in 0..200 {
        let page =
            client.get_records().shard_iterator(&iterator).limit(100).send().await.expect("read");
        records.extend_from_slice(page.records());
        match page.next_shard_iterator() {
            Some(next) if page.millis_behind_latest() != Some(0) => iterator = next.to_owned(),
            _ => return records,
        }
    }
    panic!("the tip is not reached");
}

/// The same records, once each, in order within each key.
pub fn assert_in_order_per_key(found: &[Put], want: &[Put]) {
    fn per_key(records: &[Put]) -> BTreeMap<&str, Vec<&[u8]>> {
        let mut keys = BTreeMap::<&str, Vec<&[u8]>>::new();
        records.iter().for_each(|r| keys.entry(&r.key).or_default().push(&r.data));
        keys
    }
    assert_eq!(found.len(), want.len());
    assert_eq!(per_key(found), per_key(want));
}

/// Reads a whole stream, opening a shard only when all its parents are drained.
#[derive(Debug)]
pub struct Lineage {
    client: Client,
    stream: String,
    open: BTreeMap<String, String>,
    pub records: Vec<Put>,
    pub closed: Vec<String>,
    pub children: BTreeMap<String, Vec<String>>,
}

impl Lineage {
    pub async fn of(client: Client, stream: &str, shards: &[String]) -> Self {
        let mut open = BTreeMap::new();
        for shard in shards {
            open.insert(shard.clone(), horizon(&client, stream, shard).await);
        }
        let (records, closed, children) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { client, stream: stream.to_owned(), open, records, closed, children }
    }

    /// One GetRecords for each open shard.
    pub async fn round(&mut self) {
        for (shard, iterator) in self.open.clone() {
            let page =
                self.client.get_records().shard_iterator(iterator).send().await.expect("read");
            let put =
                |r: &Record| Put::new(r.partition_key().unwrap_or_default(), r.data().as_ref());
            self.records.extend(page.records().iter().map(put));
            if let Some(next) = page.next_shard_iterator() {
                assert!(page.child_shards().is_empty());
                self.open.insert(shard, next.to_owned());
            } else {
                self.close(shard, page.child_shards()).await;
            }
        }
    }

    async fn close(&mut self, shard: String, ended: &[ChildShard]) {
        assert!(!ended.is_empty(), "a shard ends with its children");
        self.open.remove(&shard);
        for child in ended {
            assert!(child.parent_shards().contains(&shard));
            self.children.insert(child.shard_id().to_owned(), child.parent_shards().to_vec());
        }
        self.closed.push(shard);
        for (child, parents) in &self.children {
            let known = self.open.contains_key(child) || self.closed.contains(child);
            if !known && parents.iter().all(|p| self.closed.contains(p)) {
                let iterator = horizon(&self.client, &self.stream, child).await;
                self.open.insert(child.clone(), iterator);
            }
        }
    }
}
