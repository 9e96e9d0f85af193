//! What endpoints get by unsigned GET on the server's own address: two pages whose addresses stand
//! in messages, and the certificates of their signatures.
//!
//! | address | |
//! | --- | --- |
//! | `/?Action=ConfirmSubscription&TopicArn=..&Token=..` | XML, as the operation answers |
//! | `/?Action=Unsubscribe&SubscriptionArn=..` | XML, as the operation answers |
//! | `/SimpleNotificationService-<id>.pem` | the certificate |
//!
//! A token proves that the endpoint got the message. Who knows a subscription's ARN, with its
//! random id, may end it; its endpoint is told, and its owner may have wished otherwise when it was
//! confirmed.

use super::errors::{Result, fail};
use super::rows::State;
use super::service::{Inner, Sns};
use super::signer::certificate_of;
use super::subscriptions::Confirmation;
use super::texts;
use super::topics::{SubscriptionId, TopicId};
use api::sns::{Error, ROUTES};
use base::RequestId;
use std::sync::Arc;

/// A page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// As 200.
    pub status: u16,
    /// As `text/xml`.
    pub content_type: &'static str,
    /// All of it.
    pub body: String,
}

/// What a page is asked for.
enum Asked {
    Confirm { topic_arn: String, token: String },
    Unsubscribe { subscription_arn: String },
}

/// Longest query that is looked at, in bytes.
const QUERY_BYTES_MAX: usize = 4096;

impl Sns {
    /// Whether an unsigned GET is for a page of this service. One that is signed in its query is
    /// for an operation.
    pub fn has_page(path: &str, query: &str) -> bool {
        certificate_of(path).is_some() || (path == "/" && asked(query).is_some())
    }

    /// Answers an unsigned GET; `None`: it is for no page of this service.
    ///
    /// `query`: what stands behind the `?`, as it was sent.
    /// # Cancel safety
    /// A change that was begun is made to its end.
    pub async fn page(&self, path: &str, query: &str) -> Option<Page> {
        let inner = &self.inner;
        let request_id = RequestId::from_random(inner.env.rng.bytes16());
        if let Some(id) = certificate_of(path) {
            return Some(inner.certificate_page(id, request_id));
        }
        let asked = asked(query).filter(|_| path == "/")?;
        let action = asked.action();
        let result = inner.do_page(asked, request_id).await;
        Some(match result {
            Ok(subscription) => done(action, subscription.as_deref(), request_id),
            Err(error) => refused(&error, request_id),
        })
    }
}

impl Asked {
    fn action(&self) -> &'static str {
        match self {
            Self::Confirm { .. } => "ConfirmSubscription",
            Self::Unsubscribe { .. } => "Unsubscribe",
        }
    }
}

impl Inner {
    fn certificate_page(&self, id: &str, request_id: RequestId) -> Page {
        match self.signer.certificate(id) {
            Ok(Some(body)) => Page { status: 200, content_type: "application/x-pem-file", body },
            Ok(None) => {
                let body = "no such certificate\n".to_owned();
                Page { status: 404, content_type: "text/plain; charset=utf-8", body }
            }
            Err(e) => refused(&fail(request_id, &e), request_id),
        }
    }

    /// Does what is asked for; the ARN of the subscription that was confirmed.
    async fn do_page(
        self: &Arc<Self>,
        asked: Asked,
        request_id: RequestId,
    ) -> Result<Option<String>> {
        let inner = Arc::clone(self);
        match asked {
            Asked::Confirm { topic_arn, token } => {
                let id = TopicId::parse_arn(&topic_arn);
                let id = id.ok_or_else(|| texts::invalid("TopicArn"))?;
                let confirmed = self.alone(async move {
                    let topic = inner.topics.get(&id).ok_or_else(texts::no_such_topic)?;
                    let how = Confirmation { is_signed: false, guards_end: false };
                    inner.confirm(request_id, &topic, &token, how).await
                });
                Ok(Some(confirmed.await?.arn()))
            }
            Asked::Unsubscribe { subscription_arn } => {
                let id = SubscriptionId::parse_arn(&subscription_arn);
                let id = id.ok_or_else(texts::invalid_subscription_id)?;
                let ended = self.alone(async move { inner.end_by_page(request_id, &id).await });
                ended.await.map(|()| None)
            }
        }
    }

    async fn end_by_page(&self, request_id: RequestId, id: &SubscriptionId) -> Result<()> {
        let Some(topic) = self.topics.get(&id.topic) else { return Ok(()) };
        let Some(subscription) = topic.subscription(&id.id) else { return Ok(()) };
        let row = subscription.row();
        if row.guards_end && row.state == State::Confirmed {
            return Err(texts::unsubscribe_needs_signature());
        }
        self.end(request_id, &topic, &subscription).await
    }
}

/// What a query asks for; nothing when it is for no page, or is signed.
fn asked(query: &str) -> Option<Asked> {
    if query.len() > QUERY_BYTES_MAX {
        return None;
    }
    let (mut action, mut topic_arn, mut token, mut subscription_arn) = (None, None, None, None);
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let place = match decoded(name)?.as_str() {
            "Action" => &mut action,
            "TopicArn" => &mut topic_arn,
            "Token" => &mut token,
            "SubscriptionArn" => &mut subscription_arn,
            "X-Amz-Algorithm" | "X-Amz-Signature" | "Signature" | "AWSAccessKeyId" => return None,
            _ => continue,
        };
        *place = Some(decoded(value)?);
    }
    match action?.as_str() {
        "ConfirmSubscription" => Some(Asked::Confirm { topic_arn: topic_arn?, token: token? }),
        "Unsubscribe" => Some(Asked::Unsubscribe { subscription_arn: subscription_arn? }),
        _ => None,
    }
}

/// A part of a query as it was before it was encoded; nothing when it is no UTF-8.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                (high << 4 | low) as u8
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn done(action: &str, subscription: Option<&str>, request_id: RequestId) -> Page {
    let xmlns = ROUTES.xml_namespace;
    let result = subscription.map_or_else(String::new, |arn| {
        let arn = escaped(arn);
        format!("<{action}Result><SubscriptionArn>{arn}</SubscriptionArn></{action}Result>")
    });
    let metadata =
        format!("<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>");
    let body =
        format!("<{action}Response xmlns=\"{xmlns}\">{result}{metadata}</{action}Response>\n");
    Page { status: 200, content_type: "text/xml", body }
}

/// Source: observed, the form of it; the words are the operations'.
fn refused(error: &Error, request_id: RequestId) -> Page {
    let (xmlns, status) = (ROUTES.xml_namespace, error.status());
    let at_fault = if status < 500 { "Sender" } else { "Receiver" };
    // In this protocol errors have names without it.
    let code = error.code().trim_end_matches("Exception");
    let message = escaped(error.message());
    let body = format!(
        "<ErrorResponse xmlns=\"{xmlns}\"><Error><Type>{at_fault}</Type><Code>{code}</Code>\
         <Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>\n"
    );
    Page { status, content_type: "text/xml", body }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_page() {
        for (path, query, want) in [
            ("/", "Action=ConfirmSubscription&TopicArn=a%3Ab&Token=c", true),
            ("/", "Token=c&TopicArn=a&Action=ConfirmSubscription", true),
            ("/", "Action=Unsubscribe&SubscriptionArn=a", true),
            ("/", "Action=Unsubscribe", false),
            ("/", "Action=Publish&TopicArn=a", false),
            ("/", "Action=Unsubscribe&SubscriptionArn=a&X-Amz-Signature=b", false),
            ("/", "Action=Unsubscribe&SubscriptionArn=%ff", false),
            ("/", "Action=Unsubscribe&SubscriptionArn=%4", false),
            ("/", "", false),
            ("/a", "Action=Unsubscribe&SubscriptionArn=a", false),
            ("/SimpleNotificationService-0a.pem", "", true),
            ("/SimpleNotificationService-../x.pem", "", false),
        ] {
            assert_eq!(Sns::has_page(path, query), want, "{path}?{query}");
        }
        assert_eq!(decoded("a%3Ab+c").as_deref(), Some("a:b c"));
    }
}
