//! `put`.

use super::{connect, lines};
use crate::cli::{Format, PutArgs};
use crate::output;
use crate::presets::Dice;
use anyhow::{Context as _, Result, bail};
use base::env::{Disk as _, OsDisk, Rng as _};
use bytes::Bytes;
use client::{Client, Entry, Producer, ProducerOptions, Receipt, SystemRng};
use indicatif::ProgressBar;
use serde_json::json;
use std::collections::VecDeque;
use std::io::{IsTerminal as _, Write};
use std::path::Path;
use wire::Text;

/// Records whose outcome is waited for before more lines are read.
const RECEIPTS_MAX: usize = 8192;

pub(super) async fn run(args: PutArgs) -> Result<()> {
    let client = connect(&args.client)?;
    let mut put = Put::new(&client, args)?;
    if let Some(data) = put.args.data.take() {
        put.args.output.get_or_insert(Format::Text);
        put.send(data.into_bytes()).await?;
        return put.finish().await.map(drop);
    }
    if put.args.file.is_none() && std::io::stdin().is_terminal() {
        output::note("each line is a record; ctrl-d ends");
    }
    let mut lines = match &put.args.file {
        Some(path) => lines::read(open(path)?),
        None => lines::read(std::io::stdin()),
    };
    while let Some(line) = lines.recv().await {
        put.send(line.context("cannot read the lines")?).await?;
    }
    let written = put.finish().await?;
    output::note(&format!("{written} records written"));
    Ok(())
}

struct Put {
    args: PutArgs,
    producer: Producer,
    receipts: VecDeque<Receipt>,
    dice: Dice,
    out: Box<dyn Write + Send>,
    progress: ProgressBar,
    written: u64,
}

impl Put {
    fn new(client: &Client, args: PutArgs) -> Result<Self> {
        let mut seed = [0; 8];
        SystemRng::default().fill(&mut seed);
        if args.key.as_deref().is_some_and(str::is_empty) {
            bail!("a partition key has 1 to 256 characters");
        }
        let options = ProducerOptions {
            lanes: args.lanes.clamp(1, 256),
            ..ProducerOptions::new(&args.stream)
        };
        Ok(Self {
            producer: Producer::start(client, &options),
            args,
            receipts: VecDeque::new(),
            dice: Dice::new(u64::from_le_bytes(seed)),
            out: Box::new(output::stdout()),
            progress: output::progress(0, "records"),
            written: 0,
        })
    }

    async fn send(&mut self, data: Vec<u8>) -> Result<()> {
        let partition_key = self.key_of(&data)?;
        let explicit_hash_key = self.args.explicit_hash_key.as_deref().map(Text::from);
        let entry = Entry { partition_key, explicit_hash_key, data: Bytes::from(data) };
        self.receipts.push_back(self.producer.send(entry).await?);
        if self.receipts.len() > RECEIPTS_MAX {
            self.settle_first().await?;
        }
        Ok(())
    }

    fn key_of(&mut self, data: &[u8]) -> Result<Text> {
        let Some(field) = self.args.key_field else {
            let random = || format!("{:016x}", self.dice.bits());
            return Ok(self.args.key.clone().unwrap_or_else(random).into());
        };
        let line = String::from_utf8_lossy(data);
        let key = line.split_whitespace().nth(field.get() - 1);
        let key = key.with_context(|| format!("a line has no field {field}: {line:.80}"))?;
        Ok(key.into())
    }

    async fn settle_first(&mut self) -> Result<()> {
        let Some(receipt) = self.receipts.pop_front() else { return Ok(()) };
        let placed = receipt.await.context(format!("after {} written records", self.written))?;
        self.written += 1;
        self.progress.inc(1);
        let (shard, number) = (&placed.shard_id, &placed.sequence_number);
        match self.args.output {
            Some(Format::Json) => {
                let line = json!({"shardId": shard.as_str(), "sequenceNumber": number.as_str()});
                writeln!(self.out, "{line}")?;
            }
            Some(_) => writeln!(self.out, "{shard}\t{number}")?,
            None => {}
        }
        Ok(())
    }

    /// Waits for all outcomes; gives the records written.
    async fn finish(mut self) -> Result<u64> {
        while !self.receipts.is_empty() {
            self.settle_first().await?;
        }
        self.progress.finish_and_clear();
        self.out.flush()?;
        self.producer.finish().await;
        Ok(self.written)
    }
}

/// The file as a reader, through the `Disk` seam.
fn open(path: &Path) -> Result<impl std::io::Read + Send + use<>> {
    let file = OsDisk.open(path, base::env::Open::Read);
    let file = file.with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(FileReader { file, offset: 0 })
}

struct FileReader {
    file: std::sync::Arc<dyn base::env::DiskFile>,
    offset: u64,
}

impl std::io::Read for FileReader {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read_at(buf, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}
