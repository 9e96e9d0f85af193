//! Records on their way: outcomes as they come, failures at once, signals heard meanwhile.
//!
//! ```text
//! begin -> during(a line, a pause, room in the producer) -> push(receipt) --+
//!            ^  meanwhile the oldest receipts are settled and shown         |
//!            +--------------------------------------------------------------+
//! nothing from `during`: a record failed or a signal came -> finish settles all that is left
//! ```

use crate::cli::Format;
use crate::exit::Stopped;
use crate::output;
use crate::stop::{Stop, waiting_for};
use anyhow::{Error, Result, bail};
use api::kinesis::{DescribeStreamSummaryInput, ops};
use api::limits::kinesis::{KEY_CHARS_MAX, REQUEST_BYTES_MAX};
use client::{Client, Entry, ErrorKind, Placed, Receipt, Retry};
use indicatif::ProgressBar;
use serde_json::json;
use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, BufWriter, Stdout, Write as _};
use std::pin::pin;

/// Records whose outcome is waited for before more are begun.
const RECEIPTS_MAX: usize = 8192;

pub(super) struct Sending {
    /// With the number of each record, from 1.
    receipts: VecDeque<(u64, Receipt)>,
    stop: Stop,
    /// The first that failed.
    failure: Option<Error>,
    /// What a numbered record is called; absent when there is only one.
    unit: Option<&'static str>,
    record_bytes_max: usize,
    begun: u64,
    written: u64,
    shown: Option<Format>,
    out: BufWriter<Stdout>,
    progress: ProgressBar,
}

/// How it ended when nothing failed.
pub(super) struct Ended {
    pub(super) begun: u64,
    pub(super) written: u64,
    pub(super) stopped: Option<Stopped>,
}

impl Sending {
    /// `shown`: how the place of each record is printed. `total`: 0 when it is not known.
    pub(super) fn new(
        unit: Option<&'static str>,
        shown: Option<Format>,
        total: u64,
    ) -> Result<Self> {
        Ok(Self {
            receipts: VecDeque::new(),
            stop: Stop::listen()?,
            failure: None,
            unit,
            record_bytes_max: REQUEST_BYTES_MAX,
            begun: 0,
            written: 0,
            shown,
            out: output::stdout(),
            progress: output::progress(total, "records"),
        })
    }

    /// Looks whether there is such a stream, and how large its records may be.
    ///
    /// # Errors
    /// No server, no stream. What may pass, or forbids only the look, is left to the records.
    pub(super) async fn look(&mut self, client: &Client, stream: &str) -> Result<()> {
        let input = DescribeStreamSummaryInput {
            stream_name: Some(stream.into()),
            ..DescribeStreamSummaryInput::default()
        };
        let look = client.call_with::<ops::DescribeStreamSummary>(&input, Retry::NONE);
        match self.during(look).await? {
            None => {}
            Some(Ok(found)) => {
                let kib = found.stream_description_summary.max_record_size_in_kib;
                let bytes_max = kib.and_then(|kib| usize::try_from(kib).ok()).map(|kib| kib << 10);
                self.record_bytes_max = bytes_max.unwrap_or(REQUEST_BYTES_MAX);
            }
            Some(Err(e)) => {
                let passes = e.is_transient() && e.kind() != ErrorKind::Unreachable;
                if !passes && !e.code().starts_with("AccessDenied") {
                    return Err(e.into());
                }
            }
        }
        Ok(())
    }

    /// Counts a record that is about to be sent.
    pub(super) fn begin(&mut self) {
        self.begun += 1;
    }

    /// The record begun last is on its way.
    pub(super) fn push(&mut self, receipt: Receipt) {
        self.receipts.push_back((self.begun, receipt));
    }

    /// The record begun last cannot be sent.
    pub(super) fn fail(&mut self, e: Error) {
        self.fail_at(self.begun, e);
    }

    /// Checks beforehand what would fail a whole call.
    pub(super) fn check(&self, entry: &Entry) -> Result<()> {
        let (key, bytes_max) = (entry.partition_key.as_str(), self.record_bytes_max);
        check_key(key)?;
        let bytes = entry.data.len() + key.len();
        if bytes > bytes_max {
            bail!("{bytes} bytes with its key, and the stream takes records up to {bytes_max}");
        }
        Ok(())
    }

    /// Waits for `work` and settles receipts meanwhile; nothing once a record failed or a signal
    /// came.
    ///
    /// # Errors
    /// The outcomes cannot be printed.
    pub(super) async fn during<T>(&mut self, work: impl Future<Output = T>) -> Result<Option<T>> {
        let mut work = pin!(work);
        while self.failure.is_none() && self.stop.seen().is_none() {
            tokio::select! {
                biased;
                _ = self.stop.next() => {}
                outcome = front(&mut self.receipts) => self.settle(outcome)?,
                done = &mut work, if self.receipts.len() < RECEIPTS_MAX => return Ok(Some(done)),
            }
        }
        Ok(None)
    }

    /// Waits for all outcomes; a second signal gives up those that are left.
    ///
    /// # Errors
    /// The first record that failed, and how many were written.
    pub(super) async fn finish(mut self) -> Result<Ended> {
        let mut given_up = false;
        if self.stop.seen().is_some() {
            self.say_waiting();
        }
        while !self.receipts.is_empty() && !given_up {
            let again = self.stop.seen().is_some();
            tokio::select! {
                biased;
                _ = self.stop.next() => {
                    given_up = again;
                    if !given_up {
                        self.say_waiting();
                    }
                }
                outcome = front(&mut self.receipts) => self.settle(outcome)?,
            }
        }
        self.out.flush()?;
        self.progress.finish_and_clear();
        let (begun, written) = (self.begun, self.written);
        match self.failure {
            Some(e) if self.unit.is_none() => Err(e),
            Some(e) => {
                Err(e.context(format!("{written} records written, {} not", begun - written)))
            }
            None => Ok(Ended { begun, written, stopped: self.stop.seen() }),
        }
    }

    fn say_waiting(&self) {
        if !self.receipts.is_empty() {
            let what = format!("{} records", self.receipts.len());
            self.progress.suspend(|| waiting_for(&what));
        }
    }

    fn settle(&mut self, outcome: Result<Placed, client::Error>) -> io::Result<()> {
        let number = self.receipts.pop_front().map_or(self.begun, |(number, _)| number);
        match outcome {
            Ok(placed) => {
                self.written += 1;
                self.progress.inc(1);
                self.show(&placed)?;
            }
            Err(e) => self.fail_at(number, e.into()),
        }
        // Why now: nothing may come for long, and somebody waits for the outcomes there are.
        if self.receipts.is_empty() { self.out.flush() } else { Ok(()) }
    }

    fn fail_at(&mut self, number: u64, e: Error) {
        let place = |unit| format!("{unit} {number}");
        self.failure.get_or_insert_with(|| match self.unit {
            Some(unit) => e.context(place(unit)),
            None => e,
        });
    }

    fn show(&mut self, placed: &Placed) -> io::Result<()> {
        let (shard, number) = (&placed.shard_id, &placed.sequence_number);
        match self.shown {
            Some(Format::Json) => {
                let line = json!({"shardId": shard.as_str(), "sequenceNumber": number.as_str()});
                writeln!(self.out, "{}", output::inert_json(&line.to_string()))
            }
            Some(_) => {
                writeln!(self.out, "{}\t{}", output::inert(shard), output::inert(number))
            }
            None => Ok(()),
        }
    }
}

/// Checks what every stream demands of a partition key.
pub(super) fn check_key(key: &str) -> Result<()> {
    if key.is_empty() || key.chars().nth(KEY_CHARS_MAX).is_some() {
        bail!("a partition key has 1 to {KEY_CHARS_MAX} characters");
    }
    Ok(())
}

impl Ended {
    /// In good order when nothing was given up.
    pub(super) fn unless_given_up(&self) -> Result<()> {
        match self.stopped {
            Some(stopped) if self.written < self.begun => Err(stopped.into()),
            _ => Ok(()),
        }
    }
}

/// The outcome of the oldest record; never when there is none.
async fn front(receipts: &mut VecDeque<(u64, Receipt)>) -> Result<Placed, client::Error> {
    match receipts.front_mut() {
        Some((_, receipt)) => receipt.await,
        None => std::future::pending().await,
    }
}
