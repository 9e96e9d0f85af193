//! The operations: one file each, and the table that binds them to the wire.
//!
//! Reads look at what is; changes of topics and subscriptions run one after another and to their
//! end; messages wait for their own commit alone.

mod confirm_subscription;
mod create_topic;
mod delete_topic;
mod get_subscription_attributes;
mod get_topic_attributes;
mod list_subscriptions_by_topic;
mod list_tags_for_resource;
mod list_topics;
mod publish;
mod set_topic_attributes;
mod shapes;
mod subscribe;
mod tag_resource;
mod unsubscribe;
mod untag_resource;

use super::errors::Result;
use super::service::Sns;
#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "the table below names every operation's shapes")
)]
use api::sns::*;
use base::Cx;

macro_rules! reads {
    ($($op:ident($input:ty) -> $output:ty;)*) => {$(
        async fn $op(&self, cx: &Cx, input: $input) -> Result<$output> {
            $op::$op(self, cx, &input)
        }
    )*};
}

macro_rules! changes {
    ($($op:ident($input:ty) -> $output:ty;)*) => {$(
        async fn $op(&self, cx: &Cx, input: $input) -> Result<$output> {
            self.change(cx, input, $op::$op).await
        }
    )*};
}

impl api::sns::Sns for Sns {
    reads! {
        get_subscription_attributes(GetSubscriptionAttributesInput)
            -> GetSubscriptionAttributesResponse;
        get_topic_attributes(GetTopicAttributesInput) -> GetTopicAttributesResponse;
        list_subscriptions_by_topic(ListSubscriptionsByTopicInput)
            -> ListSubscriptionsByTopicResponse;
        list_tags_for_resource(ListTagsForResourceRequest) -> ListTagsForResourceResponse;
        list_topics(ListTopicsInput) -> ListTopicsResponse;
    }

    changes! {
        confirm_subscription(ConfirmSubscriptionInput) -> ConfirmSubscriptionResponse;
        create_topic(CreateTopicInput) -> CreateTopicResponse;
        delete_topic(DeleteTopicInput) -> ();
        set_topic_attributes(SetTopicAttributesInput) -> ();
        subscribe(SubscribeInput) -> SubscribeResponse;
        tag_resource(TagResourceRequest) -> TagResourceResponse;
        unsubscribe(UnsubscribeInput) -> ();
        untag_resource(UntagResourceRequest) -> UntagResourceResponse;
    }

    async fn publish(&self, cx: &Cx, input: PublishInput) -> Result<PublishResponse> {
        publish::publish(self, cx, &input).await
    }
}
