//! `ListShards`.
//!
//! | filter | shards |
//! | --- | --- |
//! | none, `FROM_TRIM_HORIZON` | all that are kept |
//! | `AFTER_SHARD_ID` | those behind an id |
//! | `AT_LATEST` | the open ones |
//! | `AT_TRIM_HORIZON` | kept ones whose parents are not: where a reader of everything starts |
//! | `AT_TIMESTAMP` | opened by then and not closed before |
//! | `FROM_TIMESTAMP` | not closed before |
//!
//! A shard is kept until it has been closed for the whole retention.

use crate::cursor::{Cursor, Filter, Listing};
use crate::errors::Result;
use crate::retention::{horizon_ms, is_expired};
use crate::rows::{ShardRow, Status};
use crate::service::{Inner, Streams};
use crate::shapes;
use crate::shard::{Shard, parse_shard_id};
use crate::stream::{Stream, StreamKey, StreamView};
use crate::texts::{self, shard_not_found, stream_not_active, stream_not_found};
use api::Text;
use api::kinesis::{ListShardsInput, ListShardsOutput, ShardFilter, ShardFilterType};
use base::{AccountId, Cx, Region};
use std::sync::Arc;

/// Most shards of a page, and their number when the request names none (model).
const PAGE_SHARDS: usize = 1000;

/// A page of a stream's shards in order of their ids.
///
/// # Errors
/// `InvalidArgument` a token beside what it stands for, a filter without what it needs;
/// `ExpiredNextToken`; `ResourceNotFound` no such stream, or not made when
/// `StreamCreationTimestamp` says; `ResourceInUse` it is still `CREATING`.
pub(crate) fn list_shards(
    streams: &Streams,
    cx: &Cx,
    input: &ListShardsInput,
) -> Result<ListShardsOutput> {
    let inner = &streams.inner;
    let now_ms = inner.now_ms();
    let (stream, wanted) = match &input.next_token {
        Some(token) => {
            check_alone(input)?;
            resume(inner, cx, Cursor::open(inner, token, now_ms)?)?
        }
        None => begin(inner, cx, input)?,
    };
    let view = stream.view();
    if view.row.status == Status::Creating {
        return Err(stream_not_active(&stream.key, view.row.status));
    }
    let limit = input.max_results.map_or(PAGE_SHARDS, |max| PAGE_SHARDS.min(max as usize));
    let mut page = wanted.list(&view, horizon_ms(&view.row, &inner.guard), limit + 1);
    let more = page.len() > limit;
    page.truncate(limit);
    let next_token = page
        .last()
        .filter(|_| more)
        .map(|last| wanted.cursor(&stream, &view, last.id.to_string()).seal(inner, now_ms));
    let shards = page.iter().map(|shard| shapes::shard(shard)).collect();
    Ok(ListShardsOutput { shards: Some(shards), next_token })
}

/// What is asked for.
#[derive(Clone, Copy)]
struct Wanted {
    filter: Option<Filter>,
    /// Index of the last shard that is not wanted any more.
    after: Option<u32>,
}

impl Wanted {
    fn list<'a>(&self, view: &'a StreamView, horizon_ms: i64, shards_max: usize) -> Vec<&'a Shard> {
        let kept = |row: &ShardRow| !is_expired(row, horizon_ms);
        let has_no_parent = |row: &ShardRow| {
            !row.parents().any(|parent| view.shard(parent).is_some_and(|p| kept(&p.row)))
        };
        let not_closed_before = |row: &ShardRow, at_ms: i64| {
            row.closed.as_ref().is_none_or(|closed| closed.at_ms >= at_ms)
        };
        let fits = |row: &ShardRow| match self.filter {
            None => true,
            Some(Filter::AtLatest { at_ms }) => {
                row.opened_ms <= at_ms && row.closed.as_ref().is_none_or(|c| c.at_ms > at_ms)
            }
            Some(Filter::AtTrimHorizon) => has_no_parent(row),
            // What was open before the horizon is what was open at it.
            Some(Filter::AtMs(at_ms)) if at_ms < horizon_ms => has_no_parent(row),
            Some(Filter::AtMs(at_ms)) => row.opened_ms <= at_ms && not_closed_before(row, at_ms),
            Some(Filter::FromMs(at_ms)) => not_closed_before(row, at_ms),
        };
        let shards = view.shards.iter().map(|shard| &**shard);
        let wanted = shards.filter(|shard| self.after.is_none_or(|after| shard.row.index > after));
        wanted.filter(|s| kept(&s.row) && fits(&s.row)).take(shards_max).collect()
    }

    fn cursor(&self, stream: &Stream, view: &StreamView, after: String) -> Cursor {
        let of = Listing::Shards {
            stream: stream.key.name.to_string(),
            created_ms: view.row.created_ms,
            filter: self.filter,
        };
        Cursor::of_stream(of, &stream.key, after)
    }
}

fn begin(inner: &Inner, cx: &Cx, input: &ListShardsInput) -> Result<(Arc<Stream>, Wanted)> {
    let (name, arn) = (input.stream_name.as_ref(), input.stream_arn.as_ref());
    if name.is_none() && arn.is_none() {
        return Err(texts::nothing_to_list());
    }
    let stream = inner.directory.find(cx, "ListShards", name, arn)?;
    let row = &stream.view().row;
    if input.stream_creation_timestamp.is_some_and(|at| !shapes::is_created_at(row, at)) {
        return Err(stream_not_found(&stream.key));
    }
    let index = |id: &Text| parse_shard_id(id).ok_or_else(|| shard_not_found(&stream.key, id));
    let (filter, behind) = match &input.shard_filter {
        Some(filter) => read_filter(filter, latest_ms(&stream.view(), inner.latest_ms()))?,
        None => (None, None),
    };
    let behind = behind.map(index).transpose()?;
    let start = input.exclusive_start_shard_id.as_ref().map(index).transpose()?;
    Ok((stream.clone(), Wanted { filter, after: behind.max(start) }))
}

/// Now, and not before anything of the stream happened: the clock may have been set back.
fn latest_ms(view: &StreamView, now_ms: i64) -> i64 {
    let changes = view.shards.iter().flat_map(|shard| {
        let closed = shard.row.closed.as_ref().map(|closed| closed.at_ms);
        [Some(shard.row.opened_ms), closed].into_iter().flatten()
    });
    changes.fold(now_ms, i64::max)
}

/// The filter, and the id that `AFTER_SHARD_ID` names.
fn read_filter(filter: &ShardFilter, latest_ms: i64) -> Result<(Option<Filter>, Option<&Text>)> {
    let without = |member: &str| texts::filter_needs(filter.type_.as_str(), member);
    let at_ms = || filter.timestamp.map(|at| at.0).ok_or_else(|| without("Timestamp"));
    Ok(match filter.type_ {
        ShardFilterType::AfterShardId => {
            (None, Some(filter.shard_id.as_ref().ok_or_else(|| without("ShardId"))?))
        }
        ShardFilterType::AtTrimHorizon => (Some(Filter::AtTrimHorizon), None),
        ShardFilterType::FromTrimHorizon => (None, None),
        ShardFilterType::AtLatest => (Some(Filter::AtLatest { at_ms: latest_ms }), None),
        ShardFilterType::AtTimestamp => (Some(Filter::AtMs(at_ms()?)), None),
        ShardFilterType::FromTimestamp => (Some(Filter::FromMs(at_ms()?)), None),
    })
}

fn resume(inner: &Inner, cx: &Cx, cursor: Cursor) -> Result<(Arc<Stream>, Wanted)> {
    let wrong = texts::next_token_of_another;
    let Listing::Shards { stream, created_ms, filter } = cursor.of else { return Err(wrong()) };
    let key = StreamKey {
        account: AccountId::parse(&cursor.account).map_err(|_| wrong())?,
        region: Region::parse(&cursor.region).map_err(|_| wrong())?,
        name: stream.as_str().into(),
    };
    let stream = inner.directory.reach(cx, "ListShards", &key)?;
    if stream.view().row.created_ms != created_ms {
        return Err(stream_not_found(&key));
    }
    Ok((stream, Wanted { filter, after: parse_shard_id(&cursor.after) }))
}

/// A token stands for all parameters but `MaxResults` (observed).
fn check_alone(input: &ListShardsInput) -> Result<()> {
    let beside = [
        ("StreamName", input.stream_name.is_some()),
        ("StreamARN", input.stream_arn.is_some()),
        ("ExclusiveStartShardId", input.exclusive_start_shard_id.is_some()),
        ("ShardFilter", input.shard_filter.is_some()),
        ("StreamCreationTimestamp", input.stream_creation_timestamp.is_some()),
    ];
    match beside.iter().find(|(_, present)| *present) {
        Some((member, _)) => Err(texts::beside_next_token(member)),
        None => Ok(()),
    }
}
