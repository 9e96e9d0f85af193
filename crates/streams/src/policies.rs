//! Resource policies of streams and consumers.

use crate::arn::Resource;
use crate::consumer::Consumer;
use crate::errors::Result;
use crate::rows::policy_key;
use crate::service::Streams;
use crate::stream::Stream;
use crate::texts::resource_not_found;
use api::Text;
use base::Cx;
use base::policy::Policy;
use std::sync::Arc;

/// What a policy hangs on, when the caller may reach it.
pub(crate) struct Guarded {
    stream: Arc<Stream>,
    consumer: Option<Arc<Consumer>>,
}

impl Guarded {
    /// What `ResourceARN` names.
    ///
    /// # Errors
    /// `ResourceNotFound` nothing that this server has; `AccessDenied` another account's.
    pub(crate) fn find(streams: &Streams, cx: &Cx, action: &str, arn: &Text) -> Result<Self> {
        let directory = &streams.inner.directory;
        match Resource::parse(arn).ok_or_else(|| resource_not_found(arn))? {
            Resource::Stream(key) => {
                Ok(Self { stream: directory.reach(cx, action, &key)?, consumer: None })
            }
            Resource::Consumer(key) => {
                let (stream, consumer) = directory.reach_consumer(cx, action, &key)?;
                Ok(Self { stream, consumer: Some(consumer) })
            }
        }
    }

    /// Its ARN.
    pub(crate) fn arn(&self) -> &str {
        self.consumer.as_ref().map_or(&self.stream.arn, |consumer| &consumer.arn)
    }

    /// Where its policy is stored.
    pub(crate) fn key(&self) -> Vec<u8> {
        policy_key(&self.stream.key, self.consumer.as_ref().map(|c| &*c.key.name))
    }

    /// Lets a policy that the catalog has now decide.
    pub(crate) fn replace(&self, policy: Option<Policy>) {
        let slot = self.consumer.as_ref().map_or(&self.stream.policy, |consumer| &consumer.policy);
        slot.replace(policy);
    }
}
