//! `PutSubscriptionFilter`.

use crate::logs::access::authorize_pass;
use crate::logs::errors::{Result, fail};
use crate::logs::filters::{Filter, Wants};
use crate::logs::groups::Group;
use crate::logs::pattern::Pattern;
use crate::logs::rows::FilterRow;
use crate::logs::service::Logs;
use crate::logs::texts;
use api::logs::{Distribution, PutSubscriptionFilterRequest};
use base::Cx;
use kit::{Arn, rows};
use std::sync::Arc;
use store::{LogId, Transaction};

/// Most filters of a group (AWS's documentation).
const FILTERS_MAX: usize = 2;

/// Has events that come from now on and match a pattern told to a stream, or changes what is told.
/// The stream gets a first message before this answers.
///
/// # Errors
/// `ResourceNotFound`; `InvalidParameter` no pattern, or a destination that cannot be, or does not
/// take the first message; `LimitExceeded`; `InvalidOperation` a group of infrequent access;
/// `AccessDenied`, also to who may not pass the role on; what the store says.
pub(super) async fn put_subscription_filter(
    service: Logs,
    cx: Cx,
    input: PutSubscriptionFilterRequest,
) -> Result<()> {
    let inner = &service.inner;
    let group = inner.group(&cx, "PutSubscriptionFilter", &input.log_group_name)?;
    let pattern = Pattern::parse(&input.filter_pattern).ok_or_else(texts::invalid_pattern)?;
    refuse(&input)?;
    let role_arn = own_arn(&service, check_destination(&cx, &input)?);
    authorize_pass(&cx, &role_arn)?;
    if group.row().is_infrequent {
        return Err(texts::infrequent_access());
    }
    let known = group.filter(&input.filter_name);
    if known.is_none() && group.filters().len() >= FILTERS_MAX {
        return Err(texts::limit_exceeded());
    }
    let row = FilterRow {
        account: group.id.account.as_str().into(),
        region: group.id.region.as_str().into(),
        group: (*group.id.name).into(),
        name: input.filter_name.as_str().into(),
        pattern: input.filter_pattern.to_string(),
        destination_arn: input.destination_arn.to_string(),
        role_arn,
        is_random: input.distribution == Some(Distribution::Random),
        created_ms: known.as_ref().map_or(service.now_ms(), |known| known.wants().row.created_ms),
    };
    let wants = Wants { row, pattern };
    match known {
        Some(filter) => change(&service, &cx, (&filter, wants)).await,
        None => make(&service, &cx, (&group, wants)).await,
    }
}

/// A role's ARN as IAM has it: one that is sent may name the same role in another partition.
fn own_arn(service: &Logs, sent: &str) -> String {
    let destinations = service.inner.destinations.as_ref();
    let role = destinations.and_then(|destinations| destinations.iam.role_by_arn(sent));
    role.map_or_else(|| sent.to_owned(), |(_, role)| role.arn)
}

fn refuse(refused: &PutSubscriptionFilterRequest) -> Result<()> {
    for (is_there, name) in [
        (refused.apply_on_transformed_logs == Some(true), "applyOnTransformedLogs"),
        (refused.field_selection_criteria.is_some(), "fieldSelectionCriteria"),
        (refused.emit_system_fields.is_some(), "emitSystemFields"),
    ] {
        if is_there {
            return Err(texts::unsupported(name));
        }
    }
    Ok(())
}

/// Refuses a destination that is no stream of this account and region; the role.
fn check_destination<'a>(cx: &Cx, input: &'a PutSubscriptionFilterRequest) -> Result<&'a str> {
    let arn = Arn::parse(&input.destination_arn).ok_or_else(texts::invalid_destination)?;
    match arn.service {
        "kinesis" if arn.resource.starts_with("stream/") => {}
        "lambda" => return Err(texts::no_functions()),
        "firehose" => return Err(texts::no_delivery_streams()),
        "logs" => return Err(texts::unsupported("A destination of another account")),
        _ => return Err(texts::invalid_destination()),
    }
    let role_arn = input.role_arn.as_deref().ok_or_else(texts::role_needed)?;
    if arn.account != cx.account || arn.region != cx.region {
        return Err(texts::no_delivery(texts::ELSEWHERE));
    }
    Ok(role_arn)
}

async fn change(service: &Logs, cx: &Cx, (filter, wants): (&Arc<Filter>, Wants)) -> Result<()> {
    let inner = &service.inner;
    check(service, (filter, &wants)).await?;
    let mut transaction = Transaction::default();
    rows::put(&mut transaction, FilterRow::key(filter.log_id.0), &wants.row);
    inner.store.commit(transaction).await.map_err(|e| fail(cx.request_id, &e))?;
    filter.set_wants(wants);
    Ok(())
}

async fn make(service: &Logs, cx: &Cx, (group, wants): (&Arc<Group>, Wants)) -> Result<()> {
    let inner = &service.inner;
    let logs = inner.store.take_logs(1).await.map_err(|e| fail(cx.request_id, &e))?;
    let log = logs.first().copied().unwrap_or(LogId(0));
    let queue = inner.store.open_log(log).await.map_err(|e| fail(cx.request_id, &e))?;
    let mut transaction = Transaction::default();
    transaction.own(log);
    rows::put(&mut transaction, FilterRow::key(log.0), &wants.row);
    let bounds = (0, inner.options.filter_bytes_max);
    let filter = Arc::new(Filter::new((group.id.clone(), log), queue, wants, bounds));
    let made = match check(service, (&filter, &filter.wants())).await {
        Ok(()) => inner.store.commit(transaction).await.map_err(|e| fail(cx.request_id, &e)),
        Err(e) => Err(e),
    };
    if let Err(e) = made {
        inner.store.abandon_logs(&logs).await;
        return Err(e);
    }
    group.show_filter(filter.clone());
    inner.begin_delivery(filter);
    Ok(())
}

/// Sends the first message.
async fn check(service: &Logs, wanted: (&Filter, &Wants)) -> Result<()> {
    let Some(destinations) = &service.inner.destinations else {
        return Err(texts::no_delivery(texts::NOBODY));
    };
    let checked = destinations.check(&service.inner, wanted).await;
    checked.map_err(|why| texts::no_delivery(&why))
}
