//! `ListMetrics`.

use crate::cloudwatch::errors::Result;
use crate::cloudwatch::series::{Filter, MetricName, Place};
use crate::cloudwatch::service::{CloudWatch, authorize};
use crate::cloudwatch::texts;
use api::Text;
use api::cloudwatch::{Dimension, ListMetricsInput, ListMetricsOutput, Metric};
use base::Cx;

/// Most metrics of a page (model's documentation).
const PAGE_METRICS: usize = 500;
/// Metrics without a point for so long are not listed (model's documentation), or for so long when
/// only active ones are asked for.
const LISTED_S: i64 = 14 * 24 * 3600;
const ACTIVE_S: i64 = 3 * 3600;

/// Lists metrics by name.
///
/// # Errors
/// `InvalidParameterValue` a token of something else; `AccessDenied`.
pub(super) fn list_metrics(
    service: &CloudWatch,
    cx: &Cx,
    input: &ListMetricsInput,
) -> Result<ListMetricsOutput> {
    authorize(cx, "ListMetrics", "*")?;
    let is_elsewhere =
        input.owning_account.as_ref().is_some_and(|account| *account != cx.account.as_str());
    if is_elsewhere || input.include_linked_accounts == Some(true) {
        return Err(texts::unsupported("A metric of another account"));
    }
    let now_ms = service.now_ms();
    let seen_s = now_ms / 1000 - input.recently_active.map_or(LISTED_S, |_| ACTIVE_S);
    let filters = input.dimensions.as_deref().unwrap_or_default();
    let filters = filters.iter().map(|f| (f.name.as_str(), f.value.as_ref().map(Text::as_str)));
    let filter = Filter {
        namespace: input.namespace.as_ref().map(Text::as_str),
        name: input.metric_name.as_ref().map(Text::as_str),
        dimensions: filters.collect(),
        seen_s: u32::try_from(seen_s).unwrap_or_default(),
    };
    let inner = &service.inner;
    // A token goes on with the same listing alone.
    let listing = format!("{:?} {:?} {:?}", filter.namespace, filter.name, filter.dimensions);
    let after = match &input.next_token {
        None => None,
        Some(token) => {
            let opened = inner.tokens.open::<(String, String)>(token, now_ms);
            let opened = opened.ok().filter(|(of, _)| *of == listing);
            Some(opened.ok_or_else(texts::invalid_list_token)?.1)
        }
    };
    let place = Place::of(cx);
    let (found, last) = inner.metrics.list(&place, &filter, after.as_deref(), PAGE_METRICS);
    let next_token = last.map(|last| inner.tokens.seal(&(listing, last), now_ms).into());
    let metrics = found.iter().map(metric).collect();
    Ok(ListMetricsOutput { metrics: Some(metrics), next_token, owning_accounts: None })
}

fn metric(name: &MetricName) -> Metric {
    let dimension = |(name, value): &(Box<str>, Box<str>)| Dimension {
        name: (**name).into(),
        value: (**value).into(),
    };
    Metric {
        namespace: Some((*name.namespace).into()),
        metric_name: Some((*name.name).into()),
        dimensions: Some(name.dimensions.iter().map(dimension).collect()),
    }
}
