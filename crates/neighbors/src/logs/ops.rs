//! The operations: one file each, and the table that binds them to the wire.
//!
//! Reads look at what is; changes of groups, streams and filters run one after another and to their
//! end; events wait for their own commit alone.

mod create_log_group;
mod create_log_stream;
mod delete_log_group;
mod delete_log_stream;
mod delete_retention_policy;
mod delete_subscription_filter;
mod describe_log_groups;
mod describe_log_streams;
mod describe_subscription_filters;
mod filter_log_events;
mod get_log_events;
mod list_log_groups;
mod list_tags_for_resource;
mod list_tags_log_group;
mod put_log_events;
mod put_retention_policy;
mod put_subscription_filter;
mod shapes;
mod tag_log_group;
mod tag_resource;
mod test_metric_filter;
mod untag_log_group;
mod untag_resource;

use super::errors::Result;
use super::service::Logs;
#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "the table below names every operation's shapes")
)]
use api::logs::*;
use base::Cx;

macro_rules! reads {
    ($($op:ident($input:ty) -> $output:ty;)*) => {$(
        async fn $op(&self, cx: &Cx, input: $input) -> Result<$output> {
            $op::$op(self, cx, &input)
        }
    )*};
}

macro_rules! waits {
    ($($op:ident($input:ty) -> $output:ty;)*) => {$(
        async fn $op(&self, cx: &Cx, input: $input) -> Result<$output> {
            $op::$op(self, cx, &input).await
        }
    )*};
}

macro_rules! changes {
    ($($op:ident($input:ty);)*) => {$(
        async fn $op(&self, cx: &Cx, input: $input) -> Result<()> {
            self.change(cx, input, $op::$op).await
        }
    )*};
}

impl api::logs::CloudWatchLogs for Logs {
    reads! {
        describe_log_groups(DescribeLogGroupsRequest) -> DescribeLogGroupsResponse;
        describe_log_streams(DescribeLogStreamsRequest) -> DescribeLogStreamsResponse;
        describe_subscription_filters(DescribeSubscriptionFiltersRequest)
            -> DescribeSubscriptionFiltersResponse;
        list_log_groups(ListLogGroupsRequest) -> ListLogGroupsResponse;
        list_tags_for_resource(ListTagsForResourceRequest) -> ListTagsForResourceResponse;
        list_tags_log_group(ListTagsLogGroupRequest) -> ListTagsLogGroupResponse;
        test_metric_filter(TestMetricFilterRequest) -> TestMetricFilterResponse;
    }

    waits! {
        filter_log_events(FilterLogEventsRequest) -> FilterLogEventsResponse;
        get_log_events(GetLogEventsRequest) -> GetLogEventsResponse;
        put_log_events(PutLogEventsRequest) -> PutLogEventsResponse;
    }

    changes! {
        create_log_group(CreateLogGroupRequest);
        create_log_stream(CreateLogStreamRequest);
        delete_log_group(DeleteLogGroupRequest);
        delete_log_stream(DeleteLogStreamRequest);
        delete_retention_policy(DeleteRetentionPolicyRequest);
        delete_subscription_filter(DeleteSubscriptionFilterRequest);
        put_retention_policy(PutRetentionPolicyRequest);
        put_subscription_filter(PutSubscriptionFilterRequest);
        tag_log_group(TagLogGroupRequest);
        tag_resource(TagResourceRequest);
        untag_log_group(UntagLogGroupRequest);
        untag_resource(UntagResourceRequest);
    }
}
