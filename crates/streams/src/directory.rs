//! Name or ARN to stream: every stream of every account and region, and who may reach it.

use crate::arn::{ConsumerKey, Resource};
use crate::consumer::Consumer;
use crate::errors::Result;
use crate::rows::Status;
use crate::service::SERVICE;
use crate::stream::{Stream, StreamKey};
use crate::texts::{self, consumer_not_found, denied, stream_not_found};
use api::Text;
use base::Cx;
use base::policy::Denial;
use kit::{PolicySlot, Shared, Target};
use std::ops::Deref;
use std::sync::Arc;

/// All streams.
#[derive(Default)]
pub(crate) struct Directory(kit::Directory<Stream>);

impl Deref for Directory {
    type Target = kit::Directory<Stream>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Directory {
    /// The stream a request names by `StreamName`, `StreamARN` or both, in whatever state.
    ///
    /// `action`: the operation, without the `kinesis:` before it. A name means the caller's account
    /// and region; an ARN may name another account's stream, which that stream's policy must allow.
    ///
    /// # Errors
    /// `InvalidArgument` neither, an ARN of no stream or of another region, a name that is not the
    /// ARN's; `ResourceNotFound` no such stream; `AccessDenied` another account's, not allowed.
    pub(crate) fn find(
        &self,
        cx: &Cx,
        action: &str,
        stream_name: Option<&Text>,
        stream_arn: Option<&Text>,
    ) -> Result<Arc<Stream>> {
        let Some(arn) = stream_arn else {
            let name = stream_name.ok_or_else(texts::no_stream_named)?;
            let found = self.get(cx.account, &cx.region, name);
            return check_own(found, cx, action, || StreamKey {
                account: cx.account,
                region: cx.region.clone(),
                name: name.as_str().into(),
            });
        };
        let Some(Resource::Stream(key)) = Resource::parse(arn) else {
            return Err(texts::not_a_stream_arn(arn));
        };
        if let Some(name) = stream_name.filter(|name| name.as_str() != &*key.name) {
            return Err(texts::names_differ(name, arn));
        }
        self.reach(cx, action, &key)
    }

    /// As `find`, for reading and writing records: a stream in `CREATING` is not found (observed).
    pub(crate) fn find_live(
        &self,
        cx: &Cx,
        action: &str,
        stream_name: Option<&Text>,
        stream_arn: Option<&Text>,
    ) -> Result<Arc<Stream>> {
        let stream = self.find(cx, action, stream_name, stream_arn)?;
        if stream.view().row.status == Status::Creating {
            return Err(stream_not_found(&stream.key));
        }
        Ok(stream)
    }

    /// The stream of this key, if the caller may reach it.
    pub(crate) fn reach(&self, cx: &Cx, action: &str, key: &StreamKey) -> Result<Arc<Stream>> {
        let found = self.in_region(cx, key)?;
        if key.account == cx.account {
            return check_own(found, cx, action, || key.clone());
        }
        // Another account learns nothing of what exists: absent and not allowed look the same.
        let Some(stream) = found else {
            return Err(denied(cx, action, &key.arn(), Denial::NoResource));
        };
        let target = Target::new(&stream.arn, false);
        decide(&stream.policy, cx, action, target).map(|()| stream)
    }

    /// The consumer of this ARN and its stream, in whatever state.
    ///
    /// A consumer of another account is found when its own policy allows it.
    ///
    /// # Errors
    /// As `find`; `ResourceNotFound` no such consumer.
    pub(crate) fn find_consumer(
        &self,
        cx: &Cx,
        action: &str,
        arn: &Text,
    ) -> Result<(Arc<Stream>, Arc<Consumer>)> {
        let Some(Resource::Consumer(key)) = Resource::parse(arn) else {
            return Err(texts::not_a_consumer_arn(arn));
        };
        self.reach_consumer(cx, action, &key)
    }

    /// The consumer of this key and its stream, if the caller may reach it.
    pub(crate) fn reach_consumer(
        &self,
        cx: &Cx,
        action: &str,
        key: &ConsumerKey,
    ) -> Result<(Arc<Stream>, Arc<Consumer>)> {
        let stream = self.in_region(cx, &key.stream)?;
        let consumer = stream.as_ref().and_then(|s| s.consumer(key));
        let is_owned = key.stream.account == cx.account;
        let Some((stream, consumer)) = stream.zip(consumer) else {
            if !is_owned {
                return Err(denied(cx, action, &key.arn(), Denial::NoResource));
            }
            authorize(cx, action, &key.arn())?;
            return Err(consumer_not_found(key));
        };
        decide(&consumer.policy, cx, action, Target::new(&consumer.arn, is_owned))?;
        Ok((stream, consumer))
    }

    /// Adds a stream, after the catalog has it.
    pub(crate) fn insert(&self, stream: Arc<Stream>) {
        let StreamKey { account, region, name } = stream.key.clone();
        self.0.insert(account, &region, name, stream);
    }

    /// Takes a stream out, after the catalog lost it.
    pub(crate) fn remove(&self, StreamKey { account, region, name }: &StreamKey) {
        self.0.remove(*account, region, name);
    }

    fn in_region(&self, cx: &Cx, key: &StreamKey) -> Result<Option<Arc<Stream>>> {
        if key.region == cx.region {
            return Ok(self.get(key.account, &key.region, &key.name));
        }
        Err(texts::other_region(&key.arn(), &cx.region))
    }
}

impl Stream {
    /// The consumer of this registration.
    pub(crate) fn consumer(&self, key: &ConsumerKey) -> Option<Arc<Consumer>> {
        let consumers = self.consumers.read();
        consumers.get(&key.name).filter(|c| c.key.created_s == key.created_s).cloned()
    }
}

/// What policies decide.
const SHARED: Shared = Shared {
    service: SERVICE,
    others: &[
        "DeregisterStreamConsumer",
        "DescribeStream",
        "DescribeStreamConsumer",
        "DescribeStreamSummary",
        "GetRecords",
        "GetShardIterator",
        "ListShards",
        "ListStreamConsumers",
        "ListTagsForResource",
        "ListTagsForStream",
        "PutRecord",
        "PutRecords",
        "RegisterStreamConsumer",
        "SubscribeToShard",
    ],
    owners: &["DeleteResourcePolicy", "GetResourcePolicy", "PutResourcePolicy"],
};

fn decide(policy: &PolicySlot, cx: &Cx, action: &str, target: Target<'_>) -> Result<()> {
    let allowed = policy.decide(&SHARED, cx, action, target);
    allowed.map_err(|denial| denied(cx, action, target.arn, denial))
}

/// Whether the caller's own policies let him do what concerns nothing with a policy of its own.
///
/// # Errors
/// `AccessDenied`.
pub(crate) fn authorize(cx: &Cx, action: &str, resource: &str) -> Result<()> {
    let allowed = SHARED.authorize(cx, action, resource);
    allowed.map_err(|denial| denied(cx, action, resource, denial))
}

/// A stream of the caller's own account, unless a policy stands against it. Who may not do this
/// learns nothing of what exists.
fn check_own(
    stream: Option<Arc<Stream>>,
    cx: &Cx,
    action: &str,
    key: impl Fn() -> StreamKey,
) -> Result<Arc<Stream>> {
    let Some(stream) = stream else {
        let key = key();
        authorize(cx, action, &key.arn())?;
        return Err(stream_not_found(&key));
    };
    let target = Target::new(&stream.arn, true);
    decide(&stream.policy, cx, action, target).map(|()| stream)
}
