//! `stream create|list|describe|delete|reshard`.

mod reshard;
mod show;

use super::connect;
use crate::cli::{CreateArgs, DeleteArgs, StreamCommand};
use crate::output;
use anyhow::{Result, bail};
use api::kinesis::{
    CreateStreamInput, DeleteStreamInput, DescribeStreamSummaryInput,
    IncreaseStreamRetentionPeriodInput, StreamDescriptionSummary, StreamMode, StreamModeDetails,
    StreamStatus, ops,
};

use client::{Client, system_env};
use std::time::Duration;

/// How often a stream is looked at while it changes.
const POLL: Duration = Duration::from_millis(50);
/// Longest wait for a change.
const WAIT: Duration = Duration::from_mins(5);

pub(super) async fn run(command: StreamCommand) -> Result<()> {
    match command {
        StreamCommand::Create(args) => create_and_wait(args).await,
        StreamCommand::List(args) => show::list(&args).await,
        StreamCommand::Describe(args) => show::describe(&args).await,
        StreamCommand::Delete(args) => delete(&args).await,
        StreamCommand::Reshard(args) => reshard::run(&args).await,
    }
}

async fn create_and_wait(args: CreateArgs) -> Result<()> {
    let client = connect(&args.client)?;
    let mode = if args.on_demand { StreamMode::OnDemand } else { StreamMode::Provisioned };
    let input = CreateStreamInput {
        stream_name: args.stream.as_str().into(),
        shard_count: (!args.on_demand).then_some(args.shards),
        stream_mode_details: Some(StreamModeDetails { stream_mode: mode }),
        ..CreateStreamInput::default()
    };
    let exists = match create_once(&client, &input).await {
        Err(e) if args.if_absent && e.code() == "ResourceInUseException" => true,
        other => other.map(|()| false)?,
    };
    wait_active(&client, &args.stream).await?;
    if exists {
        output::note(&format!("stream {} exists already and stays as it is", args.stream));
    } else if let Some(hours) = args.retention {
        let input = IncreaseStreamRetentionPeriodInput {
            stream_name: Some(args.stream.as_str().into()),
            retention_period_hours: hours,
            ..IncreaseStreamRetentionPeriodInput::default()
        };
        client.call::<ops::IncreaseStreamRetentionPeriod>(&input).await?;
    }
    let summary = wait_active(&client, &args.stream).await?;
    output::line(&format!(
        "stream {} is ACTIVE with {} open shards",
        args.stream, summary.open_shard_count
    ))?;
    Ok(())
}

async fn delete(args: &DeleteArgs) -> Result<()> {
    let client = connect(&args.client)?;
    delete_stream(&client, &args.stream, args.with_consumers).await?;
    output::line(&format!("stream {} is gone", args.stream))?;
    Ok(())
}

/// Creates a stream and waits until it is ACTIVE.
pub(super) async fn create_stream(client: &Client, input: &CreateStreamInput) -> Result<()> {
    create_once(client, input).await?;
    wait_active(client, &input.stream_name).await.map(drop)
}

/// Asks for a stream. One that is there already may be the doing of an attempt that broke off.
async fn create_once(client: &Client, input: &CreateStreamInput) -> Result<(), client::Error> {
    match client.call::<ops::CreateStream>(input).await {
        Err(e) if e.tells_done("ResourceInUseException") => Ok(()),
        other => other,
    }
}

/// Deletes a stream and waits until it is gone.
pub(super) async fn delete_stream(client: &Client, stream: &str, consumers: bool) -> Result<()> {
    let input = DeleteStreamInput {
        stream_name: Some(stream.into()),
        enforce_consumer_deletion: Some(consumers),
        ..DeleteStreamInput::default()
    };
    match client.call::<ops::DeleteStream>(&input).await {
        Err(e) if e.tells_done("ResourceNotFoundException") => return Ok(()),
        other => other?,
    }
    let (clock, mut waited) = (system_env().clock, Duration::ZERO);
    while waited < WAIT {
        match summary(client, stream).await {
            Err(e) if e.code() == "ResourceNotFoundException" => return Ok(()),
            other => drop(other?),
        }
        clock.sleep(POLL).await;
        waited += POLL;
    }
    bail!("stream {stream} is still not gone after {} s", WAIT.as_secs())
}

/// Waits until a stream is ACTIVE.
async fn wait_active(client: &Client, stream: &str) -> Result<StreamDescriptionSummary> {
    let (clock, mut waited) = (system_env().clock, Duration::ZERO);
    loop {
        let summary = summary(client, stream).await?;
        if summary.stream_status == StreamStatus::Active {
            return Ok(summary);
        }
        if waited >= WAIT {
            let status = summary.stream_status.as_str();
            bail!("stream {stream} is still {status} after {} s", WAIT.as_secs());
        }
        clock.sleep(POLL).await;
        waited += POLL;
    }
}

async fn summary(client: &Client, stream: &str) -> Result<StreamDescriptionSummary, client::Error> {
    let input = DescribeStreamSummaryInput {
        stream_name: Some(stream.into()),
        ..DescribeStreamSummaryInput::default()
    };
    let answer = client.call::<ops::DescribeStreamSummary>(&input).await?;
    Ok(answer.stream_description_summary)
}
