//! `logs ls|tail`.

use super::connect_by;
use crate::cli::{Format, LogsCommand, LogsLsArgs, LogsTailArgs};
use crate::output::{self, Table};
use crate::stop::Stop;
use crate::times;
use anyhow::Result;
use api::logs::{DescribeLogGroupsRequest, FilterLogEventsRequest, FilteredLogEvent, ops};
use client::{Client, system_env};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::time::Duration;
use wire::Protocol;

/// Time between two looks for what came.
const PAUSE: Duration = Duration::from_millis(400);
/// How late events may come, by their own time, and still be seen; ids are remembered so long.
const LATE_MS: i64 = 60_000;

pub(super) async fn run(command: LogsCommand) -> Result<()> {
    match command {
        LogsCommand::Ls(args) => list(&args).await,
        LogsCommand::Tail(args) => tail(&args).await,
    }
}

async fn list(args: &LogsLsArgs) -> Result<()> {
    let client = connect_by(&args.client, Protocol::Json11)?;
    let mut input = DescribeLogGroupsRequest {
        log_group_name_prefix: args.prefix.as_deref().map(Into::into),
        ..DescribeLogGroupsRequest::default()
    };
    let mut table = Table::new(&["group", "retention days", "bytes"]);
    let mut values = Vec::new();
    loop {
        let page = client.call::<ops::DescribeLogGroups>(&input).await?;
        for group in page.log_groups.unwrap_or_default() {
            let name = group.log_group_name.unwrap_or_default().to_string();
            let (days, bytes) = (group.retention_in_days, group.stored_bytes.unwrap_or_default());
            values.push(json!({"group": name, "retentionInDays": days, "bytes": bytes}));
            let days = days.map_or_else(|| "forever".to_owned(), |days| days.to_string());
            table.row(vec![name, days, bytes.to_string()]);
        }
        let Some(next_token) = page.next_token else { break };
        input.next_token = Some(next_token);
    }
    output::answer(args.output, &Value::Array(values), &table)?;
    Ok(())
}

async fn tail(args: &LogsTailArgs) -> Result<()> {
    let client = connect_by(&args.client, Protocol::Json11)?;
    let clock = system_env().clock;
    let mut stop = Stop::listen()?;
    let mut closed = std::pin::pin!(output::stdout_closed());
    let since_ms = i64::try_from(args.since.as_millis()).unwrap_or(i64::MAX);
    let mut tail = Tail {
        client,
        args,
        out: Box::new(output::stdout()),
        from_ms: clock.now_ms().saturating_sub(since_ms).max(0),
        newest_ms: 0,
        seen: BTreeSet::new(),
    };
    let is_following = !args.no_follow;
    while stop.seen().is_none() {
        tokio::select! {
            looked = tail.look() => looked?,
            _ = stop.next() => break,
            () = &mut closed => break,
        }
        if !is_following {
            break;
        }
        tokio::select! {
            () = clock.sleep(PAUSE) => {}
            _ = stop.next() => {}
            () = &mut closed => break,
        }
    }
    Ok(tail.out.flush()?)
}

struct Tail<'a> {
    client: Client,
    args: &'a LogsTailArgs,
    out: Box<dyn Write + Send>,
    /// Where the next look begins.
    from_ms: i64,
    /// The time of the newest event that was seen.
    newest_ms: i64,
    /// Times and ids of events since `from_ms` that were printed.
    seen: BTreeSet<(i64, String)>,
}

impl Tail<'_> {
    /// Prints what is there and was not printed yet.
    async fn look(&mut self) -> Result<()> {
        let mut input = FilterLogEventsRequest {
            log_group_name: Some(self.args.group.as_str().into()),
            log_stream_name_prefix: self.args.stream_prefix.as_deref().map(Into::into),
            filter_pattern: self.args.filter.as_deref().map(Into::into),
            start_time: Some(self.from_ms),
            ..FilterLogEventsRequest::default()
        };
        loop {
            let page = self.client.call::<ops::FilterLogEvents>(&input).await?;
            for event in page.events.unwrap_or_default() {
                self.take(&event)?;
            }
            // Somebody looks at it live.
            self.out.flush()?;
            let Some(next_token) = page.next_token else { break };
            input.next_token = Some(next_token);
        }
        self.from_ms = self.from_ms.max(self.newest_ms.saturating_sub(LATE_MS));
        self.seen = self.seen.split_off(&(self.from_ms, String::new()));
        Ok(())
    }

    fn take(&mut self, event: &FilteredLogEvent) -> Result<()> {
        let at_ms = event.timestamp.unwrap_or_default();
        let id = event.event_id.as_deref().unwrap_or_default();
        if !self.seen.insert((at_ms, id.to_owned())) {
            return Ok(());
        }
        self.newest_ms = self.newest_ms.max(at_ms);
        let stream = event.log_stream_name.as_deref().unwrap_or_default();
        let message = event.message.as_deref().unwrap_or_default();
        let line = match self.args.output {
            Format::Json => output::inert_json(&value(at_ms, id, (stream, message)).to_string()),
            Format::Text | Format::Table => {
                let (stream, message) = (output::inert(stream), message.trim_end());
                format!("{} {stream} {}", times::iso(at_ms), output::inert(message))
            }
        };
        Ok(writeln!(self.out, "{line}")?)
    }
}

fn value(at_ms: i64, id: &str, (stream, message): (&str, &str)) -> Value {
    json!({
        "time": times::iso(at_ms),
        "logStreamName": stream,
        "message": message,
        "eventId": id,
    })
}
