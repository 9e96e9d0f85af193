//! Where a listing goes on, as paging tokens hold it.

use crate::errors::Result;
use crate::service::Inner;
use crate::stream::StreamKey;
use crate::texts;
use api::Text;
use kit::TokenTrouble;
use serde::{Deserialize, Serialize};

/// A listing that goes on, with all its parameters.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Cursor {
    pub(crate) of: Listing,
    pub(crate) account: String,
    pub(crate) region: String,
    /// Name of the last stream, shard or consumer that was listed.
    pub(crate) after: String,
}

/// What is listed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Listing {
    Streams,
    Shards { stream: String, created_ms: i64, filter: Option<Filter> },
    Consumers { stream: String, created_ms: i64 },
}

/// A `ShardFilter`, resolved when the listing began: its pages show one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Filter {
    AtTrimHorizon,
    /// Open at this moment.
    AtLatest {
        at_ms: i64,
    },
    AtMs(i64),
    FromMs(i64),
}

impl Cursor {
    /// The cursor of a listing of this stream.
    pub(crate) fn of_stream(of: Listing, key: &StreamKey, after: String) -> Self {
        let (account, region) = (key.account.to_string(), key.region.to_string());
        Self { of, account, region, after }
    }

    /// The cursor in a `NextToken`.
    ///
    /// # Errors
    /// `InvalidArgument` this server did not make it; `ExpiredNextToken`.
    pub(crate) fn open(inner: &Inner, token: &str, now_ms: i64) -> Result<Self> {
        inner.tokens.open(token, now_ms).map_err(|trouble| match trouble {
            TokenTrouble::Malformed => texts::next_token_malformed(),
            TokenTrouble::Expired => texts::next_token_expired(),
        })
    }

    /// The `NextToken` that holds it.
    pub(crate) fn seal(&self, inner: &Inner, now_ms: i64) -> Text {
        inner.tokens.seal(self, now_ms).into()
    }
}
