//! `stream list` and `stream describe`.

use super::summary;
use crate::cli::{DescribeArgs, Format, ListArgs};
use crate::commands::connect;
use crate::output::{self, Table};
use crate::times;
use anyhow::Result;
use api::kinesis::{ListShardsInput, ListStreamsInput, Shard, StreamDescriptionSummary, ops};
use client::Client;
use serde_json::{Value, json};

pub(super) async fn list(args: &ListArgs) -> Result<()> {
    let client = connect(&args.client)?;
    let mut table = Table::new(&["name", "status", "mode", "created"]);
    let mut values = Vec::new();
    let mut input = ListStreamsInput::default();
    loop {
        let page = client.call::<ops::ListStreams>(&input).await?;
        for stream in page.stream_summaries.unwrap_or_default() {
            let mode = stream.stream_mode_details.map_or("", |m| m.stream_mode.as_str());
            let created = stream.stream_creation_timestamp.map_or(0, |t| t.0);
            let (name, status) = (stream.stream_name.to_string(), stream.stream_status.as_str());
            values.push(json!({
                "name": name,
                "arn": stream.stream_arn.as_str(),
                "status": status,
                "mode": mode,
                "created": times::iso(created),
            }));
            table.row(vec![name, status.into(), mode.into(), times::iso(created)]);
        }
        let Some(next_token) = page.next_token.filter(|_| page.has_more_streams) else { break };
        input.next_token = Some(next_token);
    }
    output::answer(args.output, &Value::Array(values), &table)?;
    Ok(())
}

pub(super) async fn describe(args: &DescribeArgs) -> Result<()> {
    let client = connect(&args.client)?;
    let stream = summary(&client, &args.stream).await?;
    let shards = all_shards(&client, &args.stream).await?;
    let mut table = Table::new(&["shard", "state", "parents", "first hash key", "last hash key"]);
    for shard in &shards {
        let range = &shard.hash_key_range;
        table.row(vec![
            shard.shard_id.to_string(),
            state(shard).into(),
            parents(shard).join(","),
            range.starting_hash_key.to_string(),
            range.ending_hash_key.to_string(),
        ]);
    }
    if args.output == Format::Table {
        output::line(&heading(&stream))?;
    }
    output::answer(args.output, &value(&stream, &shards), &table)?;
    Ok(())
}

fn heading(stream: &StreamDescriptionSummary) -> String {
    let mode = stream.stream_mode_details.as_ref().map_or("", |m| m.stream_mode.as_str());
    let encryption = stream.encryption_type.map_or("NONE", |e| e.as_str());
    format!(
        "name        {}\narn         {}\nstatus      {}\nmode        {mode}\ncreated     {}\n\
         retention   {} hours\nencryption  {encryption}\nconsumers   {}\nopen shards {}\n",
        output::inert(&stream.stream_name),
        output::inert(&stream.stream_arn),
        stream.stream_status.as_str(),
        times::iso(stream.stream_creation_timestamp.0),
        stream.retention_period_hours,
        stream.consumer_count.unwrap_or_default(),
        stream.open_shard_count,
    )
}

fn value(stream: &StreamDescriptionSummary, shards: &[Shard]) -> Value {
    let mode = stream.stream_mode_details.as_ref().map(|m| m.stream_mode.as_str());
    json!({
        "name": stream.stream_name.as_str(),
        "arn": stream.stream_arn.as_str(),
        "status": stream.stream_status.as_str(),
        "mode": mode,
        "created": times::iso(stream.stream_creation_timestamp.0),
        "retentionHours": stream.retention_period_hours,
        "encryption": stream.encryption_type.map(api::kinesis::EncryptionType::as_str),
        "consumers": stream.consumer_count,
        "openShards": stream.open_shard_count,
        "shards": shards.iter().map(shard_value).collect::<Vec<_>>(),
    })
}

fn shard_value(shard: &Shard) -> Value {
    json!({
        "shardId": shard.shard_id.as_str(),
        "state": state(shard),
        "parents": parents(shard),
        "startingHashKey": shard.hash_key_range.starting_hash_key.as_str(),
        "endingHashKey": shard.hash_key_range.ending_hash_key.as_str(),
        "startingSequenceNumber": shard.sequence_number_range.starting_sequence_number.as_str(),
    })
}

/// A shard is closed once its sequence numbers have an end.
pub(super) fn state(shard: &Shard) -> &'static str {
    if shard.sequence_number_range.ending_sequence_number.is_some() { "closed" } else { "open" }
}

fn parents(shard: &Shard) -> Vec<String> {
    let both = [&shard.parent_shard_id, &shard.adjacent_parent_shard_id];
    both.into_iter().flatten().map(ToString::to_string).collect()
}

/// Every shard that is still kept.
pub(super) async fn all_shards(client: &Client, stream: &str) -> Result<Vec<Shard>> {
    let mut input =
        ListShardsInput { stream_name: Some(stream.into()), ..ListShardsInput::default() };
    let mut shards = Vec::new();
    loop {
        let page = client.call::<ops::ListShards>(&input).await?;
        shards.extend(page.shards.unwrap_or_default());
        let Some(next_token) = page.next_token else { return Ok(shards) };
        input = ListShardsInput { next_token: Some(next_token), ..ListShardsInput::default() };
    }
}
