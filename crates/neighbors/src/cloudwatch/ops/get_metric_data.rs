//! `GetMetricData`.

use crate::cloudwatch::errors::Result;
use crate::cloudwatch::queries::{self, Answered, PERIODS_MAX, Plan, Times};
use crate::cloudwatch::reading;
use crate::cloudwatch::rows::{Query, What};
use crate::cloudwatch::series::Place;
use crate::cloudwatch::service::{CloudWatch, authorize};
use crate::cloudwatch::texts;
use api::Timestamp;
use api::cloudwatch::{
    GetMetricDataInput, GetMetricDataOutput, MetricDataResult, ScanBy, StatusCode,
};
use base::Cx;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Most queries and most points of an answer (model's documentation).
const QUERIES_MAX: usize = 500;
const DATAPOINTS_MAX: usize = 100_800;
/// Memory that a point of a result takes, read and sent; and that one metric may take while it is
/// read.
const POINT_BYTES: usize = 48;
const METRIC_BYTES: usize = 4 << 20;
/// Longest wait for it.
const ROOM_WAIT: Duration = Duration::from_secs(2);

/// Where an answer ended.
#[derive(Serialize, Deserialize)]
struct Cursor {
    /// How many results are given whole.
    results: usize,
    /// The last second that was given of the next one.
    after_s: Option<i64>,
    /// What it is of: another request does not go on with it.
    of: String,
}

/// Reads metrics and computes with them.
///
/// # Errors
/// `Validation` what is asked for cannot be; `InvalidNextToken`; `AccessDenied`; what the store
/// says.
pub(super) async fn get_metric_data(
    service: &CloudWatch,
    cx: &Cx,
    input: GetMetricDataInput,
) -> Result<GetMetricDataOutput> {
    authorize(cx, "GetMetricData", "*")?;
    if input.metric_data_queries.len() > QUERIES_MAX {
        return Err(texts::too_many_queries(QUERIES_MAX));
    }
    let most = match input.max_datapoints {
        None => DATAPOINTS_MAX,
        Some(most) => match usize::try_from(most) {
            Ok(most @ 1..=DATAPOINTS_MAX) => most,
            _ => return Err(texts::invalid_max_datapoints(most, DATAPOINTS_MAX)),
        },
    };
    let (from_ms, to_ms) =
        (reading::bounded_ms(input.start_time), reading::bounded_ms(input.end_time));
    if from_ms >= to_ms {
        return Err(texts::start_behind_end_of_data());
    }
    let queries = input.metric_data_queries.iter().map(|query| queries::from_model(cx, query));
    let queries: Vec<Query> = queries.collect::<Result<_>>()?;
    let plan = Plan::new(&queries)?;
    if plan.returned().next().is_none() {
        return Err(texts::nothing_returned());
    }
    let now_ms = service.now_ms();
    let times = Times { from_ms, to_ms, now_ms };
    let periods = plan.periods(times);
    if periods > PERIODS_MAX {
        return Err(texts::too_many_periods(PERIODS_MAX));
    }
    let of = format!("{:?} {:?}", plan.returned().collect::<Vec<_>>(), times.from_ms);
    let cursor = match &input.next_token {
        None => Cursor { results: 0, after_s: None, of: of.clone() },
        Some(token) => {
            let opened = service.inner.tokens.open::<Cursor>(token, now_ms).ok();
            opened.filter(|cursor| cursor.of == of).ok_or_else(texts::invalid_token)?
        }
    };
    let bytes = METRIC_BYTES + periods as usize * POINT_BYTES;
    let room = cx.memory.wait(&*service.inner.env.clock, bytes, ROOM_WAIT).await;
    let _room = room.ok_or_else(texts::no_memory)?;
    let mut answered = plan.run(&service.inner, cx, &Place::of(cx), times).await?;
    answered.retain(|result| result.returns);
    let labels = labels(&queries, &answered);
    let is_ascending = input.scan_by == Some(ScanBy::TimestampAscending);
    let (results, next) = page(answered, labels, (cursor, is_ascending), most);
    let next_token = next.map(|next| service.inner.tokens.seal(&next, now_ms).into());
    let (metric_data_results, messages) = (Some(results), Some(Vec::new()));
    Ok(GetMetricDataOutput { metric_data_results, next_token, messages })
}

/// As many points as an answer may have, from the cursor on; and where to go on.
fn page(
    answered: Vec<Answered>,
    labels: Vec<String>,
    (cursor, is_ascending): (Cursor, bool),
    most: usize,
) -> (Vec<MetricDataResult>, Option<Cursor>) {
    let (mut results, mut left) = (Vec::new(), most);
    let mut after_s = cursor.after_s;
    let all = answered.into_iter().zip(labels).enumerate().skip(cursor.results);
    for (at, (Answered { id, mut points, .. }, label)) in all {
        if !is_ascending {
            points.reverse();
        }
        if let Some(after_s) = after_s.take() {
            points.retain(|(at_s, _)| if is_ascending { *at_s > after_s } else { *at_s < after_s });
        }
        let is_whole = points.len() <= left;
        points.truncate(left);
        left -= points.len();
        let last = points.last().map(|(at_s, _)| *at_s);
        let status = if is_whole { StatusCode::Complete } else { StatusCode::PartialData };
        results.push(MetricDataResult {
            id: Some(id.into()),
            label: Some(label.into()),
            timestamps: Some(points.iter().map(|(at_s, _)| Timestamp(at_s * 1000)).collect()),
            values: Some(points.iter().map(|(_, value)| *value).collect()),
            status_code: Some(status),
            messages: None,
        });
        if !is_whole {
            let after_s = last.or(cursor.after_s.filter(|_| at == cursor.results));
            return (results, Some(Cursor { results: at, after_s, of: cursor.of }));
        }
    }
    (results, None)
}

/// What each result is called: as the client says, or as the metric; those that would be called the
/// same are told apart by what they differ in.
fn labels(queries: &[Query], answered: &[Answered]) -> Vec<String> {
    let query = |id: &str| queries.iter().find(|query| *query.id == *id);
    let plain = |result: &Answered| match (&result.label, query(&result.id).map(|q| &q.what)) {
        (Some(label), _) => label.clone(),
        (None, Some(What::Stat(stat))) => stat.name.to_string(),
        _ => result.id.clone(),
    };
    let mut labels: Vec<String> = answered.iter().map(plain).collect();
    let mut same: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, result) in answered.iter().enumerate().filter(|(_, result)| result.label.is_none()) {
        if query(&result.id).is_some_and(|query| matches!(query.what, What::Stat(_))) {
            same.entry(labels[at].clone()).or_default().push(at);
        }
    }
    for group in same.into_values().filter(|group| group.len() > 1) {
        let parts: Vec<Vec<String>> = group
            .iter()
            .map(|at| query(&answered[*at].id).map(parts).unwrap_or_default())
            .collect();
        let differs = |part: &usize| {
            let values: BTreeSet<_> = parts.iter().filter_map(|parts| parts.get(*part)).collect();
            values.len() > 1
        };
        let columns = parts.iter().map(Vec::len).min().unwrap_or_default();
        let told: Vec<usize> = (0..columns).filter(differs).collect();
        for (at, parts) in group.into_iter().zip(&parts) {
            for part in &told {
                labels[at] = format!("{} {}", labels[at], parts[*part]);
            }
        }
    }
    labels
}

/// What two metrics of one name may differ in.
fn parts(query: &Query) -> Vec<String> {
    let What::Stat(stat) = &query.what else { return Vec::new() };
    let dimensions: Vec<&str> = stat.dimensions.iter().map(|(_, value)| &**value).collect();
    let period = stat.period_s.to_string();
    vec![stat.namespace.to_string(), dimensions.join(" "), stat.stat.to_string(), period]
}
