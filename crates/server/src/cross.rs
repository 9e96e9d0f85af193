//! Web pages of other origins, where signatures are verified: there the signature is the
//! credential, which no browser adds by itself, so that pages may call as they may call AWS.
//!
//! Headers and values are AWS's (recorded by kinesalite's tests), but for what a setting narrows.

use crate::answer::Reply;
use crate::options::AuthMode;
use crate::shared::Shared;
use http::Method;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderName, HeaderValue, ORIGIN, VARY,
};
use http::request::Parts as Head;

const ANY: HeaderValue = HeaderValue::from_static("*");
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,x-amzn-ErrorMessage,Date",
);
/// Seconds for which a browser need not ask again.
const AGE: HeaderValue = HeaderValue::from_static("172800");

/// A request of a page that may read the answer.
pub(crate) struct Page {
    /// What the answer allows: everybody, or this origin.
    allowed: HeaderValue,
    /// What a preflight asks to be allowed, when the request is one.
    preflight: Option<[(HeaderName, Option<HeaderValue>); 2]>,
}

impl Page {
    /// The page that asks; nothing when none does, or one that may not.
    pub(crate) fn of(shared: &Shared, head: &Head) -> Option<Self> {
        if shared.auth.mode() != AuthMode::Required {
            return None;
        }
        let origin = head.headers.get(ORIGIN)?;
        let has = |text: &[u8]| shared.origins.iter().any(|known| known.as_bytes() == text);
        let allowed = match () {
            () if has(b"*") => ANY,
            () if has(origin.as_bytes()) => origin.clone(),
            () => return None,
        };
        let asked = |name| head.headers.get(name).cloned();
        let preflight = (head.method == Method::OPTIONS).then(|| {
            [
                (ACCESS_CONTROL_ALLOW_HEADERS, asked(ACCESS_CONTROL_REQUEST_HEADERS)),
                (ACCESS_CONTROL_ALLOW_METHODS, asked(ACCESS_CONTROL_REQUEST_METHOD)),
            ]
        });
        Some(Self { allowed, preflight })
    }

    /// Whether it asks only what it may do.
    pub(crate) fn is_preflight(&self) -> bool {
        self.preflight.is_some()
    }

    /// Lets the page read an answer.
    pub(crate) fn admit(self, reply: &mut Reply) {
        let headers = reply.headers_mut();
        if self.allowed != ANY {
            headers.insert(VARY, HeaderValue::from_static("Origin"));
        }
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, self.allowed);
        match self.preflight {
            Some(asked) => put_preflight(headers, asked),
            None => _ = headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED),
        }
    }
}

fn put_preflight(headers: &mut HeaderMap, asked: [(HeaderName, Option<HeaderValue>); 2]) {
    for (name, value) in asked {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
    headers.insert(ACCESS_CONTROL_MAX_AGE, AGE);
}
