//! `TestMetricFilter`.

use crate::logs::access::authorize_listing;
use crate::logs::errors::Result;
use crate::logs::pattern::Pattern;
use crate::logs::service::Logs;
use crate::logs::texts;
use api::logs::{MetricFilterMatchRecord, TestMetricFilterRequest, TestMetricFilterResponse};
use base::Cx;

/// Tells which of some messages a pattern wants.
///
/// # Errors
/// `InvalidParameter` no pattern; `AccessDenied`.
pub(super) fn test_metric_filter(
    _: &Logs,
    cx: &Cx,
    input: &TestMetricFilterRequest,
) -> Result<TestMetricFilterResponse> {
    authorize_listing(cx, "TestMetricFilter")?;
    let pattern = Pattern::parse(&input.filter_pattern).ok_or_else(texts::invalid_pattern)?;
    let numbered = (1..).zip(&input.log_event_messages);
    let wanted = numbered.filter(|(_, message)| pattern.matches(message));
    let matches = wanted.map(|(number, message)| MetricFilterMatchRecord {
        event_number: Some(number),
        event_message: Some(message.clone()),
        extracted_values: Some(
            pattern
                .extracted(message)
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        ),
    });
    Ok(TestMetricFilterResponse { matches: Some(matches.collect()) })
}
