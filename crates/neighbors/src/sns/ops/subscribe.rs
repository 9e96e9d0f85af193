//! `Subscribe`.

use crate::sns::errors::Result;
use crate::sns::rows::{State, SubscriptionRow};
use crate::sns::service::Sns;
use crate::sns::texts;
use crate::sns::topics::{SubscriptionId, Topic};
use api::sns::{SubscribeInput, SubscribeResponse};
use base::Cx;

/// Attributes of subscriptions that this server does not have.
const UNSUPPORTED: [&str; 6] = [
    "DeliveryPolicy",
    "FilterPolicy",
    "FilterPolicyScope",
    "RedrivePolicy",
    "ReplayPolicy",
    "SubscriptionRoleArn",
];

/// Subscribes an endpoint, and asks it; an endpoint that is subscribed stays so, and one that did
/// not answer is asked again.
///
/// # Errors
/// `InvalidParameter` another protocol than `http` and `https`, an endpoint that may not be
/// reached; `NotFound` no such topic; `SubscriptionLimitExceeded`; `AuthorizationError`; what the
/// store says.
pub(super) async fn subscribe(
    service: Sns,
    cx: Cx,
    input: SubscribeInput,
) -> Result<SubscribeResponse> {
    let inner = &service.inner;
    let topic = inner.topic(&cx, "Subscribe", &input.topic_arn)?;
    let endpoint = endpoint(&service, &input)?;
    let is_raw = is_raw(&input)?;
    let answer = |id: &SubscriptionId, is_shown: bool| {
        let arn = if is_shown { id.arn() } else { texts::PENDING.to_owned() };
        Ok(SubscribeResponse { subscription_arn: Some(arn.into()) })
    };
    let known = topic.subscriptions();
    let known = known.into_iter().find(|one| *one.row().endpoint == *endpoint);
    let returns_arn = input.return_subscription_arn.unwrap_or(false);
    let new = SubscriptionRow {
        owner: cx.account.as_str().into(),
        principal: (*cx.caller_arn).into(),
        endpoint: endpoint.into(),
        is_raw: is_raw.unwrap_or(false),
        state: State::Pending,
        was_authenticated: false,
        guards_end: false,
        changed_ms: service.now_ms(),
    };
    let (id, row) = match known {
        None => {
            check_room(&service, &topic)?;
            (SubscriptionId { topic: topic.id.clone(), id: inner.new_id().into() }, new)
        }
        Some(known) => {
            let row = known.row();
            let is_other = is_raw.is_some_and(|is_raw| is_raw != row.is_raw);
            match row.state {
                State::Ended => (known.id.clone(), new),
                _ if is_other => return Err(texts::other_subscription_attributes()),
                State::Confirmed => return answer(&known.id, true),
                State::Pending => {
                    let changed_ms = new.changed_ms;
                    let row = SubscriptionRow { changed_ms, ..SubscriptionRow::clone(&row) };
                    (known.id.clone(), row)
                }
            }
        }
    };
    inner.ask(cx.request_id, &topic, &id, row).await?;
    answer(&id, returns_arn)
}

/// The endpoint, if a message may ever go there.
fn endpoint<'a>(service: &Sns, input: &'a SubscribeInput) -> Result<&'a str> {
    let protocol = input.protocol.as_str();
    if !matches!(protocol, "http" | "https") {
        return Err(texts::unknown_protocol(protocol));
    }
    let endpoint = input.endpoint.as_ref().map_or("", |endpoint| endpoint.as_str());
    if endpoint.is_empty() {
        return Err(texts::no_endpoint());
    }
    let of_protocol = endpoint.strip_prefix(protocol);
    if !of_protocol.is_some_and(|rest| rest.starts_with("://")) {
        return Err(texts::endpoint_of_other_protocol());
    }
    let checked = service.inner.poster.check(endpoint);
    checked.map_err(|e| texts::invalid_endpoint(&e.to_string()))?;
    Ok(endpoint)
}

/// Whether messages are to go out without an envelope, if that was said.
fn is_raw(input: &SubscribeInput) -> Result<Option<bool>> {
    let mut is_raw = None;
    for (name, value) in input.attributes.iter().flatten() {
        match name.as_str() {
            "RawMessageDelivery" if value.eq_ignore_ascii_case("true") => is_raw = Some(true),
            "RawMessageDelivery" if value.eq_ignore_ascii_case("false") => is_raw = Some(false),
            "RawMessageDelivery" => return Err(texts::invalid_raw_delivery(value)),
            // Who takes away what is not there may have it so.
            name if UNSUPPORTED.contains(&name) && value.is_empty() => {}
            name if UNSUPPORTED.contains(&name) => {
                return Err(texts::unsupported_subscription_attribute(name));
            }
            _ => return Err(texts::unknown_subscription_attribute()),
        }
    }
    Ok(is_raw)
}

fn check_room(service: &Sns, topic: &Topic) -> Result<()> {
    let most = service.inner.options.subscriptions_max;
    if topic.subscriptions().len() < most {
        return Ok(());
    }
    Err(texts::too_many_subscriptions(most))
}
