//! `stream reshard`.

use super::{show, wait_active};
use crate::cli::ReshardArgs;
use crate::commands::connect;
use crate::output;
use anyhow::{Context as _, Result, bail};
use api::kinesis::{MergeShardsInput, ScalingType, SplitShardInput, UpdateShardCountInput, ops};
use client::Client;

pub(super) async fn run(args: &ReshardArgs) -> Result<()> {
    let client = connect(&args.client)?;
    let stream = args.stream.as_str();
    match (&args.shards, &args.split, args.merge.as_deref()) {
        (Some(target), _, _) => scale(&client, stream, *target).await?,
        (_, Some(shard), _) => split(&client, stream, shard, args.at.as_deref()).await?,
        (_, _, Some([shard, adjacent])) => merge(&client, stream, shard, adjacent).await?,
        _ => bail!("one of --shards, --split and --merge is needed"),
    }
    let summary = wait_active(&client, stream).await?;
    output::line(&format!(
        "stream {stream} is ACTIVE with {} open shards",
        summary.open_shard_count
    ))?;
    Ok(())
}

/// Why in steps: one UpdateShardCount goes at most to the double and at least to the half (AWS).
async fn scale(client: &Client, stream: &str, target: i32) -> Result<()> {
    loop {
        let now = wait_active(client, stream).await?.open_shard_count;
        if now == target {
            return Ok(());
        }
        let step = target.clamp((now + 1) / 2, now.saturating_mul(2));
        let input = UpdateShardCountInput {
            stream_name: Some(stream.into()),
            target_shard_count: step,
            scaling_type: ScalingType::UniformScaling,
            ..UpdateShardCountInput::default()
        };
        client.call::<ops::UpdateShardCount>(&input).await?;
    }
}

async fn split(client: &Client, stream: &str, shard_id: &str, at: Option<&str>) -> Result<()> {
    let at = match at {
        Some(at) => at.to_owned(),
        None => middle(client, stream, shard_id).await?,
    };
    let input = SplitShardInput {
        stream_name: Some(stream.into()),
        shard_to_split: shard_id.into(),
        new_starting_hash_key: at.into(),
        ..SplitShardInput::default()
    };
    Ok(client.call::<ops::SplitShard>(&input).await?)
}

async fn middle(client: &Client, stream: &str, shard_id: &str) -> Result<String> {
    let shards = show::all_shards(client, stream).await?;
    let shard = shards.iter().find(|shard| shard.shard_id == *shard_id);
    let shard = shard.with_context(|| format!("stream {stream} has no shard {shard_id}"))?;
    if show::state(shard) == "closed" {
        bail!("shard {shard_id} is closed");
    }
    let number = |text: &str| text.parse::<u128>().context("the server's hash key is no number");
    let first = number(&shard.hash_key_range.starting_hash_key)?;
    let last = number(&shard.hash_key_range.ending_hash_key)?;
    Ok((first + (last - first) / 2 + 1).to_string())
}

async fn merge(client: &Client, stream: &str, shard_id: &str, adjacent: &str) -> Result<()> {
    let input = MergeShardsInput {
        stream_name: Some(stream.into()),
        shard_to_merge: shard_id.into(),
        adjacent_shard_to_merge: adjacent.into(),
        ..MergeShardsInput::default()
    };
    Ok(client.call::<ops::MergeShards>(&input).await?)
}
