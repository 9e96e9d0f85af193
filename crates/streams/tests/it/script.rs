//! Scripts of Data Streams, see [`testkit::script`].
//!
//! A blob is written as its text, `#3` is `shardId-000000000003`. The commands are those of
//! `House::act` and [`spelled`].

/// Tests that are scripts: its name, maybe other options than the defaults, its lines.
macro_rules! cases {
    ($($(#[$doc:meta])* $name:ident $(($options:expr))?: $script:literal)*) => {
        $($(#[$doc])* #[test] fn $name() {
            crate::house::check_with(cases!(@ $($options)?), $script);
        })*
    };
    (@) => { streams::Options::default() };
    (@ $options:expr) => { $options };
}
pub(crate) use cases;

use crate::house::{House, answer, check_cover, shard_id, texts};
use serde_json::Value;
use std::sync::LazyLock;
use std::time::Duration;
use testkit::script::{Dialect, Names, Stage, at, caller, cx, with_names};
use wire::{Format, Refusal, Writer};

static DIALECT: LazyLock<Dialect> = LazyLock::new(|| Dialect {
    word: shard_id,
    blobs: &["Data"],
    ..Dialect::of(include_str!("../../../../model/kinesis.json"))
});

/// An operation's members as they are.
pub(crate) fn members(names: &Names, text: &str) -> Value {
    testkit::script::members(&DIALECT, names, text)
}

impl Stage for House {
    fn dialect(&self) -> &Dialect {
        &DIALECT
    }

    fn names(&mut self) -> &mut Names {
        &mut self.names
    }

    /// Does one thing.
    async fn act(&mut self, call: &str) -> Result<Value, Refusal> {
        match *call.split(' ').collect::<Vec<_>>() {
            ["rest"] => self.rest().await,
            ["settle"] => self.settle().await,
            ["restart"] => self.restart().await,
            ["pass", time] => self.pass(duration(time)).await,
            ["advance", time] => self.fake.clock.advance(duration(time)),
            ["jump", ms] => self.fake.clock.jump_by(ms.parse().unwrap()),
            ["active", name] => self.active(name).await,
            ["create", name, shards] => self.create(name, shards.parse().unwrap()).await,
            ["delete", name] => self.delete(name).await,
            // In its middle.
            ["split", name, shard] => self.split(name, shard).await?,
            ["cover", name] => check_cover(&self.shards(name).await),
            ["read", name, shard] => return Ok(self.read(name, shard).await.into()),
            // As much as one call gives from such a place on.
            ["read", name, shard, ref place @ ..] => {
                let iterator = format!("iterator {name} {shard} {}", place.join(" "));
                let iterator = self.call(&iterator).await?;
                let records = self.get(iterator.as_str().unwrap()).await.records;
                return Ok(texts(&records).into());
            }
            ["consumer", stream, name] => {
                return Ok(self.consumer(stream, name).await.as_str().into());
            }
            ["subscribe", name, consumer, shard, ref place @ ..] => {
                let events = self.subscribe(consumer, shard, &place.join(" ")).await;
                self.events.insert(name.to_owned(), events);
            }
            ["event", name] => return self.event(name).await,
            ["half-split", name, shard] => self.half_split(name, shard).await,
            ["commit"] => {
                self.catalog.set_open(true);
                self.settle().await;
            }
            ["allow", name, action, resource] => {
                let effect = r#""Allow","Principal":{"AWS":"111111111111"}"#;
                self.state(name, effect, action, resource);
            }
            ["deny", name, action, resource] => {
                self.state(name, r#""Deny","Principal":"*""#, action, resource);
            }
            ["rows", prefix] => return Ok(self.rows(prefix).into()),
            ["metric", name, ref labels @ ..] => return Ok(self.metric(name, labels).into()),
            _ => return self.call(call).await,
        }
        Ok(Value::Null)
    }
}

impl House {
    /// What a subscription has to say without any time passing: an event, or that it is at its
    /// end, or nothing.
    async fn event(&mut self, name: &str) -> Result<Value, Refusal> {
        let mut events = self.events.remove(name).expect("a subscription of this name");
        let item = events.poll(self).await;
        self.events.insert(name.to_owned(), events);
        match item {
            None => Ok("nothing".into()),
            Some(None) => Ok("end".into()),
            Some(Some(event)) => {
                let mut w = Writer::new(Format::Json, 512);
                event?.write(&mut w);
                Ok(serde_json::from_slice(&w.finish()).unwrap())
            }
        }
    }

    /// Keeps a policy of one statement.
    fn state(&mut self, name: &str, effect: &str, action: &str, resource: &str) {
        let resource = with_names(&self.names, resource);
        let what = format!(r#""Action":"{action}","Resource":"{resource}""#);
        let statement = format!(r#"{{"Effect":{effect},{what}}}"#);
        let document = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
        self.names.insert(name.to_owned(), document);
    }

    /// Calls an operation as the wire does, and gives its answer.
    pub(crate) async fn call(&self, call: &str) -> Result<Value, Refusal> {
        let (who, call) = caller(call);
        let cx = who.map_or_else(|| self.cx.clone(), |(account, region)| cx(account, region));
        let (call, part) = spelled(&self.names, call);
        let (operation, members) = call.split_once(' ').unwrap_or((&call, ""));
        let body = self::members(&self.names, members);
        let body = answer(&self.streams, cx, operation, body).await?;
        let nothing = body.is_empty();
        let answer = if nothing { Value::Null } else { serde_json::from_slice(&body).unwrap() };
        Ok(at(&answer, part))
    }
}

/// A call as it is without the short words for those that are made all the time, and the part of
/// its answer that is meant. A name can stand for how it begins.
fn spelled(names: &Names, call: &str) -> (String, &'static str) {
    let (begin, rest) = call.split_at(call.find([' ', '=']).unwrap_or(call.len()));
    let call = with_names(names, begin) + rest;
    let words: Vec<_> = call.splitn(5, ' ').collect();
    let more = |from: usize| words.get(from..).unwrap_or_default().join(" ");
    // A number is an id, too.
    let id = |shard: &str| format!("'{}'", shard_id(shard));
    let named = |operation: &str| format!("{operation} StreamName={}", words[1]);
    match *words {
        ["summary", _] => (named("DescribeStreamSummary"), "StreamDescriptionSummary"),
        ["shards", ..] => (format!("{} {}", named("ListShards"), more(2)), "Shards.ShardId"),
        ["put", _, key, ..] => {
            (format!("{} PartitionKey={key} Data={}", named("PutRecord"), more(3)), "")
        }
        ["register", _, consumer, ..] => {
            let name = format!("ConsumerName={consumer} {}", more(3));
            let register = "RegisterStreamConsumer StreamARN=$stream";
            (format!("{register}/{} {name}", words[1]), "Consumer")
        }
        ["get", at, ..] => (format!("GetRecords ShardIterator={at} {}", more(2)), ""),
        ["iterator", _, shard, ..] => {
            let members = format!("ShardId={} ShardIteratorType={}", id(shard), more(3));
            (format!("{} {members}", named("GetShardIterator")), "ShardIterator")
        }
        ["split", _, shard, at] => {
            let members = format!("ShardToSplit={} NewStartingHashKey='{at}'", id(shard));
            (format!("{} {members}", named("SplitShard")), "")
        }
        ["merge", _, lower, upper] => {
            let (lower, upper) = (id(lower), id(upper));
            let members = format!("ShardToMerge={lower} AdjacentShardToMerge={upper}");
            (format!("{} {members}", named("MergeShards")), "")
        }
        ["scale", _, target] => {
            let members = format!("TargetShardCount={target} ScalingType=UNIFORM_SCALING");
            (format!("{} {members}", named("UpdateShardCount")), "")
        }
        _ => (call, ""),
    }
}

/// As `20ms`, `5s`, `1h`.
fn duration(text: &str) -> Duration {
    let (number, unit) = text.split_at(text.find(char::is_alphabetic).unwrap());
    let number = number.parse().unwrap();
    match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        _ => Duration::from_hours(number),
    }
}
