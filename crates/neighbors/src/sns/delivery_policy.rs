//! Delivery policies: how often, and after which pauses, a failed delivery is tried again.
//!
//! ```text
//! failures:  1 ..               without a pause     numNoDelayRetries
//!            then               minDelayTarget      numMinDelayRetries
//!            then               from one to the other, by backoffFunction
//!            the last ones      maxDelayTarget      numMaxDelayRetries
//! ```
//!
//! Members and their bounds are those of AWS's guide; the curves between the two pauses are ours,
//! since the guide has a picture of them only.

use super::options::Options;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// Longest policy, in bytes (ours).
const BYTES_MAX: usize = 20 * 1024;
/// Longest pause, and most of all pauses together, in seconds (documentation).
const SECONDS_MAX: u64 = 3600;
/// Most retries (documentation).
const RETRIES_MAX: u32 = 100;
/// Longest content type, in bytes (ours).
const CONTENT_TYPE_BYTES_MAX: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    http: Option<Http>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct Http {
    default_healthy_retry_policy: Option<RetryPolicy>,
    /// Subscriptions have no policies that could be overridden.
    #[serde(rename = "disableSubscriptionOverrides")]
    _disable_subscription_overrides: bool,
    default_throttle_policy: Option<Value>,
    default_request_policy: Option<Request>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct Request {
    header_content_type: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct RetryPolicy {
    min_delay_target: u64,
    max_delay_target: u64,
    num_retries: u32,
    num_no_delay_retries: u32,
    num_min_delay_retries: u32,
    num_max_delay_retries: u32,
    backoff_function: Curve,
}

impl Default for RetryPolicy {
    /// What stands for members that a policy does not name.
    fn default() -> Self {
        Self {
            min_delay_target: 20,
            max_delay_target: 20,
            num_retries: 3,
            num_no_delay_retries: 0,
            num_min_delay_retries: 0,
            num_max_delay_retries: 0,
            backoff_function: Curve::Linear,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Curve {
    Linear,
    Arithmetic,
    Geometric,
    Exponential,
}

impl Curve {
    fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Arithmetic => "arithmetic",
            Self::Geometric => "geometric",
            Self::Exponential => "exponential",
        }
    }

    /// The pause of a step, counted from 0, of so many steps between two pauses, in seconds.
    fn at(self, step: u32, steps: u32, (least, greatest): (f64, f64)) -> f64 {
        let part = f64::from(step) / f64::from(steps.saturating_sub(1).max(1));
        match self {
            Self::Linear => least + (greatest - least) * part,
            Self::Arithmetic => least + (greatest - least) * part * part,
            Self::Geometric => least * (greatest / least).powf(part),
            Self::Exponential => (least * f64::from(step).exp2()).min(greatest),
        }
    }
}

/// How deliveries of a topic are made.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DeliveryPolicy {
    retries: RetryPolicy,
    /// What notifications say that they are.
    pub(super) content_type: Option<String>,
}

impl DeliveryPolicy {
    /// That of topics without one: what the owner of the server chose.
    pub(super) fn of_server(options: &Options) -> Self {
        let retries = RetryPolicy {
            min_delay_target: options.retry_first.as_secs().max(1),
            max_delay_target: options.retry_max.as_secs().max(1),
            num_retries: options.tries_max.saturating_sub(1),
            backoff_function: Curve::Exponential,
            ..RetryPolicy::default()
        };
        Self { retries, content_type: None }
    }

    /// Reads one; else why it cannot be.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > BYTES_MAX {
            return Err(format!("it must have at most {BYTES_MAX} bytes"));
        }
        let value: Value =
            serde_json::from_str(text).map_err(|_| "it must be a JSON object".to_owned())?;
        if !value.is_object() {
            return Err("it must be a JSON object".into());
        }
        let document: Document = serde_json::from_value(value).map_err(|e| e.to_string())?;
        let http = document.http.unwrap_or_default();
        if http.default_throttle_policy.is_some_and(|throttle| !throttle.is_null()) {
            return Err("defaultThrottlePolicy is not supported by this server".into());
        }
        let retries = http.default_healthy_retry_policy.unwrap_or_default();
        retries.check()?;
        let content_type = http.default_request_policy.unwrap_or_default().header_content_type;
        if content_type.as_deref().is_some_and(|text| !is_content_type(text)) {
            return Err("headerContentType must be a media type".into());
        }
        Ok(Self { retries, content_type })
    }

    /// How long after a failure, with so many before it, the next try comes; none comes any more
    /// when the policy is used up.
    pub(super) fn pause(&self, failures: u32) -> Option<Duration> {
        self.retries.pause(failures)
    }

    /// As clients see it.
    pub(super) fn shown(&self) -> Value {
        let RetryPolicy { min_delay_target, max_delay_target, num_retries, .. } = self.retries;
        json!({
            "http": {
                "defaultHealthyRetryPolicy": {
                    "minDelayTarget": min_delay_target,
                    "maxDelayTarget": max_delay_target,
                    "numRetries": num_retries,
                    "numMaxDelayRetries": self.retries.num_max_delay_retries,
                    "numNoDelayRetries": self.retries.num_no_delay_retries,
                    "numMinDelayRetries": self.retries.num_min_delay_retries,
                    "backoffFunction": self.retries.backoff_function.name()
                },
                "disableSubscriptionOverrides": false,
                "defaultRequestPolicy": {
                    "headerContentType":
                        self.content_type.as_deref().unwrap_or(super::envelope::CONTENT_TYPE)
                }
            }
        })
    }
}

impl RetryPolicy {
    fn check(&self) -> Result<(), String> {
        let (least, greatest) = (self.min_delay_target, self.max_delay_target);
        if !(1..=SECONDS_MAX).contains(&greatest) || !(1..=greatest).contains(&least) {
            return Err(format!(
                "minDelayTarget must be at least 1 and at most maxDelayTarget, which must be at \
                 most {SECONDS_MAX}"
            ));
        }
        if self.num_retries > RETRIES_MAX {
            return Err(format!("numRetries must be at most {RETRIES_MAX}"));
        }
        let phases =
            [self.num_no_delay_retries, self.num_min_delay_retries, self.num_max_delay_retries];
        if phases.iter().map(|count| u64::from(*count)).sum::<u64>() > u64::from(self.num_retries) {
            return Err("numRetries must be at least the retries of all phases".into());
        }
        let all: Duration = (0..self.num_retries).filter_map(|count| self.pause(count)).sum();
        if all > Duration::from_secs(SECONDS_MAX) {
            return Err(format!("all retries must take at most {SECONDS_MAX} seconds"));
        }
        Ok(())
    }

    fn pause(&self, failures: u32) -> Option<Duration> {
        if failures >= self.num_retries {
            return None;
        }
        let (least, greatest) = (self.min_delay_target, self.max_delay_target);
        let of_min = self.num_no_delay_retries.saturating_add(self.num_min_delay_retries);
        let last = self.num_retries.saturating_sub(self.num_max_delay_retries);
        let seconds = match failures {
            _ if failures < self.num_no_delay_retries => 0.0,
            _ if failures < of_min => least as f64,
            _ if failures >= last => greatest as f64,
            _ => {
                let (step, steps) = (failures - of_min, last.saturating_sub(of_min));
                self.backoff_function.at(step, steps, (least as f64, greatest as f64))
            }
        };
        Some(Duration::from_secs_f64(seconds))
    }
}

/// Whether a text may stand in a header as a media type.
fn is_content_type(text: &str) -> bool {
    let is_short = text.len() <= CONTENT_TYPE_BYTES_MAX;
    is_short && text.contains('/') && text.bytes().all(|b| (b' '..=b'~').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(retries: &str) -> Vec<u64> {
        let text = format!(r#"{{"http":{{"defaultHealthyRetryPolicy":{{{retries}}}}}}}"#);
        let policy = DeliveryPolicy::parse(&text).unwrap();
        (0..).map_while(|failures| policy.pause(failures)).map(|p| p.as_secs()).collect()
    }

    #[test]
    fn phases_come_one_after_another() {
        assert_eq!(pauses(""), [20, 20, 20]);
        let all = r#""minDelayTarget":2,"maxDelayTarget":10,"numRetries":9,"numNoDelayRetries":1,
            "numMinDelayRetries":2,"numMaxDelayRetries":1"#;
        assert_eq!(pauses(all), [0, 2, 2, 2, 4, 6, 8, 10, 10]);
        let curve = |name: &str| {
            pauses(&format!(
                r#""minDelayTarget":1,"maxDelayTarget":81,"numRetries":5,"backoffFunction":"{name}""#
            ))
        };
        assert_eq!(curve("linear"), [1, 21, 41, 61, 81]);
        assert_eq!(curve("arithmetic"), [1, 6, 21, 46, 81]);
        assert_eq!(curve("geometric"), [1, 3, 9, 27, 81]);
        assert_eq!(curve("exponential"), [1, 2, 4, 8, 16]);
        assert_eq!(pauses(r#""numRetries":0"#), [0; 0]);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (text, why) in [
            ("", "JSON object"),
            ("[]", "JSON object"),
            ("1", "JSON object"),
            (r#"{"https":{}}"#, "https"),
            (r#"{"http":{"defaultThrottlePolicy":{"maxReceivesPerSecond":1}}}"#, "not supported"),
            (r#"{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":0}}}"#, "minDelayTarget"),
            (r#"{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":21}}}"#, "minDelayTarget"),
            (r#"{"http":{"defaultHealthyRetryPolicy":{"maxDelayTarget":3601}}}"#, "3600"),
            (r#"{"http":{"defaultHealthyRetryPolicy":{"numRetries":101}}}"#, "at most 100"),
            (r#"{"http":{"defaultHealthyRetryPolicy":{"numMaxDelayRetries":4}}}"#, "phases"),
            (
                r#"{"http":{"defaultHealthyRetryPolicy":{"numNoDelayRetries":4294967295,
                "numMinDelayRetries":4294967295}}}"#,
                "phases",
            ),
            (
                r#"{"http":{"defaultHealthyRetryPolicy":{"maxDelayTarget":3600,
                "numRetries":9}}}"#,
                "3600 seconds",
            ),
            (r#"{"http":{"defaultHealthyRetryPolicy":{"backoffFunction":"square"}}}"#, "square"),
            (r#"{"http":{"defaultRequestPolicy":{"headerContentType":"a/b\r\nc: d"}}}"#, "media"),
        ] {
            let told = DeliveryPolicy::parse(text).unwrap_err();
            assert!(told.contains(why), "{text}: {told}");
        }
    }

    #[test]
    fn what_is_shown_is_what_is_done() {
        let options = Options::default();
        let policy = DeliveryPolicy::of_server(&options);
        assert_eq!(policy.pause(0), Some(options.retry_first));
        assert_eq!(policy.pause(options.tries_max - 2), Some(options.retry_max));
        assert_eq!(policy.pause(options.tries_max - 1), None);
        let own = r#"{"http":{"defaultRequestPolicy":{"headerContentType":"application/json"}}}"#;
        let own = DeliveryPolicy::parse(own).unwrap();
        assert_eq!(DeliveryPolicy::parse(&own.shown().to_string()), Ok(own));
    }
}
