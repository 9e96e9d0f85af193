//! `tail`.

use super::{connect, temporary_name};
use crate::cli::{Format, TailArgs};
use crate::exit::Usage;
use crate::stop::Stop;
use crate::{output, times};
use anyhow::Result;
use api::kinesis::Record;

use client::{Consumer, ConsumerOptions, From, Mode, Received, system_env};
use serde_json::json;
use std::io::Write;
use std::time::Duration;
use wire::Text;

pub(super) async fn run(args: TailArgs) -> Result<()> {
    let client = connect(&args.client)?;
    let mut options = ConsumerOptions::new(&args.stream);
    options.from = position(&args.from)?;
    if args.fan_out {
        let consumer_name = args.consumer.clone().unwrap_or_else(|| temporary_name("tail"));
        options.mode = Mode::FanOut { consumer_name };
    }
    let mut stop = Stop::listen()?;
    let starting = Consumer::start(client, options);
    let consumer = stop.patiently("the start", starting).await??;
    let mut tail = Tail {
        consumer,
        out: Box::new(output::stdout()),
        inert: output::stdout_is_terminal(),
        left: args.max_records.unwrap_or(u64::MAX),
        args,
    };
    let done = tail.follow(&mut stop).await;
    // Closed also after a failure: a temporary fan-out consumer must not be left behind.
    let closed = stop.patiently("the end", tail.consumer.close()).await?;
    done?;
    Ok(closed?)
}

fn position(text: &str) -> Result<From> {
    match text.to_ascii_lowercase().as_str() {
        "latest" => Ok(From::Latest),
        "trim_horizon" | "trim-horizon" => Ok(From::TrimHorizon),
        _ => {
            let wrong = || format!("`{text}` is neither latest, nor trim_horizon, nor a time");
            let time = times::parse(text, system_env().clock.now_ms());
            Ok(time.map(From::Timestamp).ok_or_else(|| Usage(wrong()))?)
        }
    }
}

struct Tail {
    consumer: Consumer,
    out: Box<dyn Write + Send>,
    inert: bool,
    left: u64,
    args: TailArgs,
}

impl Tail {
    /// Prints until the records asked for came, the shards ended, it was idle, a signal came, or
    /// nobody reads any more.
    async fn follow(&mut self, stop: &mut Stop) -> Result<()> {
        let clock = system_env().clock;
        let idle_max = self.args.idle_timeout.unwrap_or(Duration::MAX);
        let mut closed = std::pin::pin!(output::stdout_closed());
        let mut idle = clock.sleep(idle_max.min(FOREVER));
        while self.left > 0 && stop.seen().is_none() {
            tokio::select! {
                received = self.consumer.next() => match received.transpose()? {
                    None => break,
                    Some(received) if received.records.is_empty() => {}
                    Some(received) => {
                        self.print(&received)?;
                        idle = clock.sleep(idle_max.min(FOREVER));
                    }
                },
                () = &mut idle => break,
                _ = stop.next() => {}
                () = &mut closed => break,
            }
        }
        Ok(self.out.flush()?)
    }

    fn print(&mut self, received: &Received) -> Result<()> {
        for record in received.records.iter().take(usize::try_from(self.left).unwrap_or(usize::MAX))
        {
            self.left -= 1;
            match self.args.output {
                Format::Json => {
                    let json = output::inert_json(&value(&received.shard_id, record).to_string());
                    writeln!(self.out, "{json}")?;
                }
                Format::Text => self.print_data(&record.data)?,
                Format::Table => {
                    let arrival = record.approximate_arrival_timestamp.map_or(0, |t| t.0);
                    let key = output::inert(record.partition_key.as_deref().unwrap_or_default());
                    let shard = output::inert(&received.shard_id);
                    let number = output::inert(&record.sequence_number);
                    let time = times::iso(arrival);
                    write!(self.out, "{shard}  {number}  {time}  {key}  ")?;
                    self.print_data(&record.data)?;
                }
            }
        }
        // Why after each batch: somebody looks at it live.
        Ok(self.out.flush()?)
    }

    /// Bytes go to files and pipes as they are; a terminal gets no control characters.
    fn print_data(&mut self, data: &[u8]) -> Result<()> {
        if self.inert {
            self.out.write_all(output::inert(&String::from_utf8_lossy(data)).as_bytes())?;
        } else {
            self.out.write_all(data)?;
        }
        Ok(self.out.write_all(b"\n")?)
    }
}

/// Longer than anybody waits, short enough for the timer.
const FOREVER: Duration = Duration::from_hours(365 * 24);

/// One record as a line: `data` when it is text, `dataBase64` when it is not.
fn value(shard_id: &Text, record: &Record) -> serde_json::Value {
    let mut value = json!({
        "shardId": shard_id.as_str(),
        "sequenceNumber": record.sequence_number.as_str(),
        "partitionKey": record.partition_key.as_deref(),
        "approximateArrivalTimestamp":
            record.approximate_arrival_timestamp.map(|t| times::iso(t.0)),
    });
    if let Ok(text) = std::str::from_utf8(&record.data) {
        value["data"] = text.into();
    } else {
        let base64 = base64_simd::STANDARD.encode_to_string(&record.data);
        value["dataBase64"] = base64.into();
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions() {
        assert_eq!(position("LATEST").unwrap(), From::Latest);
        assert_eq!(position("trim_horizon").unwrap(), From::TrimHorizon);
        assert_eq!(position("1970-01-01T00:00:01Z").unwrap(), From::Timestamp(1000));
        assert!(position("yesterday").is_err());
    }

    #[test]
    fn bytes_that_are_no_text_are_base64() {
        let mut record = Record { data: bytes::Bytes::from_static(b"hi"), ..Record::default() };
        assert_eq!(value(&"s".into(), &record)["data"], "hi");
        record.data = bytes::Bytes::from_static(b"\xff");
        assert_eq!(value(&"s".into(), &record)["dataBase64"], "/w==");
    }
}
