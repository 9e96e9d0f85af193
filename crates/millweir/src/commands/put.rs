//! `put`.

use super::sending::{Ended, Sending, check_key};
use super::{connect, lines};
use crate::cli::{Format, PutArgs};
use crate::exit::Usage;
use crate::presets::Dice;
use crate::{files, output};
use anyhow::{Context as _, Result};
use base::env::{Rng as _, SystemRng};
use bytes::Bytes;
use client::{Entry, Producer, ProducerOptions};
use std::io::{self, IsTerminal as _};
use std::path::Path;
use tokio::sync::mpsc::Receiver;
use wire::Text;

pub(super) async fn run(args: PutArgs) -> Result<()> {
    if let Some(key) = &args.key {
        check_key(key).map_err(|e| Usage(e.to_string()))?;
    }
    let client = connect(&args.client)?;
    let one = args.data.clone().map(String::into_bytes);
    let unit = one.is_none().then_some("line");
    let shown = args.output.or(one.is_some().then_some(Format::Text));
    let mut sending = Sending::new(unit, shown, 0)?;
    sending.look(&client, &args.stream).await?;
    let options =
        ProducerOptions { lanes: args.lanes.clamp(1, 256), ..ProducerOptions::new(&args.stream) };
    let mut put = Put { producer: Producer::start(&client, &options), sending, keys: keys(&args) };
    let Some(data) = one else {
        let mut lines = open(args.file.as_deref())?;
        put.send_all(&mut lines).await?;
        return report(&put.sending.finish().await?);
    };
    put.send(Ok(data)).await?;
    let ended = put.sending.finish().await?;
    ended.stopped.map_or(Ok(()), |stopped| Err(stopped.into()))
}

fn report(ended: &Ended) -> Result<()> {
    let (written, not) = (ended.written, ended.begun - ended.written);
    let not = if not == 0 { String::new() } else { format!(", {not} not") };
    output::note(&format!("{written} records written{not}"));
    ended.stopped.map_or(Ok(()), |stopped| Err(stopped.into()))
}

/// The lines of a file, a pipe, or stdin.
fn open(path: Option<&Path>) -> Result<Receiver<io::Result<Vec<u8>>>> {
    let Some(path) = path.filter(|path| *path != Path::new("-")) else {
        if io::stdin().is_terminal() {
            output::note("each line is a record; ctrl-d ends");
        }
        return Ok(lines::read(io::stdin()));
    };
    let file = files::open(path);
    Ok(lines::read(file.with_context(|| format!("cannot read `{}`", path.display()))?))
}

struct Put {
    producer: Producer,
    sending: Sending,
    keys: Keys,
}

impl Put {
    async fn send_all(&mut self, lines: &mut Receiver<io::Result<Vec<u8>>>) -> Result<()> {
        while let Some(Some(line)) = self.sending.during(lines.recv()).await? {
            self.send(line.context("cannot read it")).await?;
        }
        Ok(())
    }

    /// What is wrong with the record itself becomes the failure of `sending`.
    async fn send(&mut self, data: Result<Vec<u8>>) -> Result<()> {
        self.sending.begin();
        let entry = data.and_then(|data| self.keys.entry(data));
        match entry.and_then(|entry| self.sending.check(&entry).map(|()| entry)) {
            Ok(entry) => {
                if let Some(receipt) = self.sending.during(self.producer.send(entry)).await? {
                    self.sending.push(receipt?);
                }
            }
            Err(e) => self.sending.fail(e),
        }
        Ok(())
    }
}

/// Where the key of each record comes from.
struct Keys {
    field: Option<std::num::NonZeroUsize>,
    key: Option<Text>,
    explicit_hash_key: Option<Text>,
    dice: Dice,
}

fn keys(args: &PutArgs) -> Keys {
    let mut seed = [0; 8];
    SystemRng.fill(&mut seed);
    Keys {
        field: args.key_field,
        key: args.key.as_deref().map(Text::from),
        explicit_hash_key: args.explicit_hash_key.as_deref().map(Text::from),
        dice: Dice::new(u64::from_le_bytes(seed)),
    }
}

impl Keys {
    fn entry(&mut self, data: Vec<u8>) -> Result<Entry> {
        let partition_key = self.of(&data)?;
        let explicit_hash_key = self.explicit_hash_key.clone();
        Ok(Entry { partition_key, explicit_hash_key, data: Bytes::from(data) })
    }

    fn of(&mut self, data: &[u8]) -> Result<Text> {
        let Some(field) = self.field else {
            let random = || format!("{:016x}", self.dice.bits()).into();
            return Ok(self.key.clone().unwrap_or_else(random));
        };
        let line = String::from_utf8_lossy(data);
        let key = line.split_whitespace().nth(field.get() - 1);
        let shown = || output::inert(&format!("there is no field {field}: {line:.80}"));
        Ok(key.with_context(shown)?.into())
    }
}
