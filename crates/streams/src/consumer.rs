//! A registered consumer as the running service holds it.

use crate::arn::ConsumerKey;
use crate::errors::Result;
use crate::rows::ConsumerRow;
use crate::service::Streams;
use crate::stream::Stream;
use crate::texts;
use api::Text;
use base::Cx;
use kit::PolicySlot;
use parking_lot::RwLock;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A consumer. Deregistered and registered again it is another `Consumer`, under another ARN.
pub(crate) struct Consumer {
    pub(crate) key: ConsumerKey,
    /// As clients give it to `SubscribeToShard`.
    pub(crate) arn: Arc<str>,
    /// The resource policy, when one is set.
    pub(crate) policy: PolicySlot,
    row: RwLock<ConsumerRow>,
    gone: AtomicBool,
}

impl Consumer {
    /// A consumer as its row says.
    pub(crate) fn new(key: ConsumerKey, row: ConsumerRow) -> Self {
        let arn = key.arn().into();
        let (policy, row) = (PolicySlot::default(), RwLock::new(row));
        Self { key, arn, policy, row, gone: AtomicBool::new(false) }
    }

    /// What the catalog says.
    pub(crate) fn row(&self) -> ConsumerRow {
        self.row.read().clone()
    }

    /// Takes over a row that the catalog has now.
    pub(crate) fn replace(&self, row: ConsumerRow) {
        *self.row.write() = row;
    }

    /// Whether it was deregistered: its subscriptions end. The stream's `changes` fire then.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Marks it deregistered.
    pub(crate) fn retire(&self) {
        self.gone.store(true, Ordering::Release);
    }
}

/// The ways a request names a consumer.
pub(crate) struct Named<'a> {
    pub(crate) stream_arn: Option<&'a Text>,
    pub(crate) name: Option<&'a Text>,
    pub(crate) arn: Option<&'a Text>,
}

impl Named<'_> {
    /// The consumer, by its ARN or by its stream's ARN and its name.
    ///
    /// # Errors
    /// `ResourceNotFound`; `InvalidArgument` neither way is complete, or the two do not agree;
    /// `AccessDenied` another account's, not allowed, or the owner's own policy denies it.
    pub(crate) fn find(
        &self,
        streams: &Streams,
        cx: &Cx,
        action: &str,
    ) -> Result<(Arc<Stream>, Arc<Consumer>)> {
        let directory = &streams.inner.directory;
        let (stream, consumer) = match (self.arn, self.stream_arn, self.name) {
            (Some(arn), _, _) => directory.find_consumer(cx, action, arn)?,
            (None, Some(stream_arn), Some(name)) => {
                let stream = directory.find(cx, action, None, Some(stream_arn))?;
                let consumer = stream.consumers.read().get(name.as_str()).cloned();
                let consumer =
                    consumer.ok_or_else(|| texts::no_consumer_of_name(&stream.key, name))?;
                // The stream's policy opened the name; what may be done is the consumer's to say.
                directory.reach_consumer(cx, action, &consumer.key)?
            }
            _ => return Err(texts::no_consumer_named()),
        };
        let agrees = self.stream_arn.is_none_or(|arn| arn.as_str() == &*stream.arn)
            && self.name.is_none_or(|name| name.as_str() == &*consumer.key.name);
        if agrees { Ok((stream, consumer)) } else { Err(texts::consumers_differ()) }
    }
}
