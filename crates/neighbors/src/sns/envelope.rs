//! What an endpoint gets: headers, and JSON with a signature, or the message alone.
//!
//! What is signed is a line with a name and a line with its value for each of these, in this order:
//! Message, MessageId, Subject (if any), SubscribeURL, Timestamp, Token, TopicArn, Type; a
//! notification has neither SubscribeURL nor Token. Attributes are not signed.

use super::rows::{Kind, MessageRow};
use super::signer::Signed;
use super::topics::SubscriptionId;
use base::date;
use outgoing::Post;
use std::fmt::Write as _;

/// What AWS calls itself.
const AGENT: &str = "Amazon Simple Notification Service Agent";
/// What a message is said to be, unless the topic says something else.
pub(super) const CONTENT_TYPE: &str = "text/plain; charset=UTF-8";

/// A message to one subscription.
pub(super) struct Envelope<'a> {
    row: &'a MessageRow,
    subscription: &'a SubscriptionId,
    topic_arn: String,
    timestamp: String,
    message: &'a str,
    base_url: &'a str,
    /// What confirms the subscription, in messages that ask for it.
    token: Option<String>,
    content_type: Option<String>,
}

impl<'a> Envelope<'a> {
    /// `is_https`: how the endpoint is reached.
    pub(super) fn new(
        row: &'a MessageRow,
        subscription: &'a SubscriptionId,
        is_https: bool,
        base_url: &'a str,
    ) -> Self {
        Self {
            row,
            subscription,
            topic_arn: subscription.topic.arn(),
            timestamp: timestamp(row.at_ms),
            message: row.message_for(is_https),
            base_url,
            token: None,
            content_type: None,
        }
    }

    /// With another content type than [`CONTENT_TYPE`].
    pub(super) fn of_type(self, content_type: Option<String>) -> Self {
        Self { content_type, ..self }
    }

    /// With the token that a confirmation is about.
    pub(super) fn with_token(self, token: String) -> Self {
        Self { token: Some(token), ..self }
    }

    fn subscribe_url(&self) -> Option<String> {
        let Self { topic_arn, base_url, .. } = self;
        let token = self.token.as_ref()?;
        Some(format!("{base_url}/?Action=ConfirmSubscription&TopicArn={topic_arn}&Token={token}"))
    }

    /// What the signature is of.
    pub(super) fn text_to_sign(&self) -> String {
        let MessageRow { kind, id, subject, .. } = self.row;
        let subscribe_url = self.subscribe_url();
        let parts = [
            ("Message", Some(self.message)),
            ("MessageId", Some(&**id)),
            ("Subject", subject.as_deref().filter(|_| *kind == Kind::Notification)),
            ("SubscribeURL", subscribe_url.as_deref()),
            ("Timestamp", Some(&*self.timestamp)),
            ("Token", self.token.as_deref()),
            ("TopicArn", Some(&*self.topic_arn)),
            ("Type", Some(kind.as_str())),
        ];
        let mut text = String::new();
        for (name, value) in parts {
            let Some(value) = value else { continue };
            text.extend([name, "\n", value, "\n"]);
        }
        text
    }

    /// The post, signed.
    pub(super) fn signed(&self, signed: &Signed) -> Post {
        let MessageRow { kind, id, subject, attributes, .. } = self.row;
        let base_url = self.base_url;
        let mut json = Json::default();
        json.text("Type", kind.as_str());
        json.text("MessageId", id);
        if let Some(token) = &self.token {
            json.text("Token", token);
        }
        json.text("TopicArn", &self.topic_arn);
        if let Some(subject) = subject {
            json.text("Subject", subject);
        }
        json.text("Message", self.message);
        if let Some(url) = self.subscribe_url() {
            json.text("SubscribeURL", &url);
        }
        json.text("Timestamp", &self.timestamp);
        json.text("SignatureVersion", signed.version.as_str());
        json.text("Signature", &signed.signature);
        json.text("SigningCertURL", &format!("{base_url}{}", signed.certificate_path()));
        if *kind == Kind::Notification {
            let arn = self.subscription.arn();
            let url = format!("{base_url}/?Action=Unsubscribe&SubscriptionArn={arn}");
            json.text("UnsubscribeURL", &url);
        }
        if !attributes.is_empty() {
            let mut all = Json { depth: 1, ..Json::default() };
            for attribute in attributes {
                let (of_type, value) = (quoted(&attribute.data_type), quoted(&attribute.value));
                let value = format!("{{\"Type\":{of_type},\"Value\":{value}}}");
                all.member(&attribute.name, &value);
            }
            json.member("MessageAttributes", &all.end());
        }
        Post { headers: self.headers(), body: json.end().into() }
    }

    /// The post of the message alone.
    pub(super) fn raw(&self) -> Post {
        let mut headers = self.headers();
        headers.push(("x-amz-sns-rawdelivery", "true".into()));
        Post { headers, body: self.message.to_owned().into() }
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        let MessageRow { kind, id, .. } = self.row;
        let content_type = self.content_type.as_deref().unwrap_or(CONTENT_TYPE);
        let mut headers = vec![
            ("x-amz-sns-message-type", kind.as_str().to_owned()),
            ("x-amz-sns-message-id", id.to_string()),
            ("x-amz-sns-topic-arn", self.topic_arn.clone()),
            ("content-type", content_type.to_owned()),
            ("user-agent", AGENT.to_owned()),
        ];
        if *kind == Kind::Notification {
            headers.push(("x-amz-sns-subscription-arn", self.subscription.arn()));
        }
        headers
    }
}

/// As `2026-01-01T00:00:00.000Z`.
fn timestamp(at_ms: i64) -> String {
    let seconds = date::format_iso(at_ms.div_euclid(1000) * 1000);
    format!("{}.{:03}Z", seconds.trim_end_matches('Z'), at_ms.rem_euclid(1000))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// An object as AWS writes it: a member a line, with spaces around its colon.
#[derive(Default)]
struct Json {
    text: String,
    depth: usize,
}

impl Json {
    fn text(&mut self, name: &str, value: &str) {
        self.member(name, &quoted(value));
    }

    fn member(&mut self, name: &str, value: &str) {
        let start = if self.text.is_empty() { "{" } else { "," };
        let indent = "  ".repeat(self.depth + 1);
        write!(self.text, "{start}\n{indent}{} : {value}", quoted(name)).expect("text has room");
    }

    fn end(mut self) -> String {
        let indent = "  ".repeat(self.depth);
        self.text += "\n";
        self.text += &indent;
        self.text += "}";
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sns::rows::Attribute;
    use crate::sns::signer::Version;

    fn row(kind: Kind) -> MessageRow {
        let attribute =
            Attribute { name: "n".into(), data_type: "String".into(), value: "v\"".into() };
        MessageRow {
            kind,
            id: "m".into(),
            subject: Some("s".into()),
            message: "a\nb".into(),
            https_message: Some("c".into()),
            attributes: vec![attribute],
            at_ms: 1_767_225_600_007,
        }
    }

    const ARN: &str = "arn:aws:sns:us-east-1:000000000000:t";

    fn envelope<'a>(row: &'a MessageRow, id: &'a SubscriptionId) -> Envelope<'a> {
        Envelope::new(row, id, false, "http://h")
    }

    #[test]
    fn a_notification() {
        let row = row(Kind::Notification);
        let id = SubscriptionId::parse_arn(&format!("{ARN}:1")).unwrap();
        let envelope = envelope(&row, &id);
        let time = "2026-01-01T00:00:00.007Z";
        assert_eq!(
            envelope.text_to_sign(),
            format!(
                "Message\na\nb\nMessageId\nm\nSubject\ns\nTimestamp\n{time}\nTopicArn\n{ARN}\n\
                 Type\nNotification\n"
            )
        );
        let signed =
            Signed { version: Version::Two, signature: "sig=".into(), certificate_id: "c".into() };
        let post = envelope.signed(&signed);
        let body = String::from_utf8(post.body.to_vec()).unwrap();
        let want = format!(
            r#"{{
  "Type" : "Notification",
  "MessageId" : "m",
  "TopicArn" : "{ARN}",
  "Subject" : "s",
  "Message" : "a\nb",
  "Timestamp" : "{time}",
  "SignatureVersion" : "2",
  "Signature" : "sig=",
  "SigningCertURL" : "http://h/SimpleNotificationService-c.pem",
  "UnsubscribeURL" : "http://h/?Action=Unsubscribe&SubscriptionArn={ARN}:1",
  "MessageAttributes" : {{
    "n" : {{"Type":"String","Value":"v\""}}
  }}
}}"#
        );
        assert_eq!(body, want);
        assert_eq!(envelope.raw().body, "a\nb");
        assert_eq!(Envelope::new(&row, &id, true, "").raw().body, "c");
    }

    #[test]
    fn a_confirmation() {
        let row =
            MessageRow { subject: None, attributes: vec![], ..row(Kind::SubscriptionConfirmation) };
        let id = SubscriptionId::parse_arn(&format!("{ARN}:1")).unwrap();
        let envelope = envelope(&row, &id).with_token("tok".into());
        let url = format!("http://h/?Action=ConfirmSubscription&TopicArn={ARN}&Token=tok");
        assert_eq!(
            envelope.text_to_sign(),
            format!(
                "Message\na\nb\nMessageId\nm\nSubscribeURL\n{url}\n\
                 Timestamp\n2026-01-01T00:00:00.007Z\nToken\ntok\nTopicArn\n{ARN}\n\
                 Type\nSubscriptionConfirmation\n"
            )
        );
        let headers = envelope.headers();
        assert!(!headers.iter().any(|(name, _)| *name == "x-amz-sns-subscription-arn"));
    }
}
