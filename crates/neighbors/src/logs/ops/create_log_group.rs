//! `CreateLogGroup`.

use super::shapes;
use crate::logs::access::{authorize, own};
use crate::logs::errors::{Result, fail};
use crate::logs::groups::{Group, GroupId};
use crate::logs::rows::{GroupRow, tags_key};
use crate::logs::service::Logs;
use crate::logs::texts;
use api::logs::{CreateLogGroupRequest, LogGroupClass};
use base::Cx;
use kit::{Tags, rows};
use std::sync::Arc;
use store::Transaction;

/// Makes a group.
///
/// # Errors
/// `ResourceAlreadyExists`; `LimitExceeded` there are too many; `InvalidParameter` a tag that
/// cannot be, or what this server does not have; `AccessDenied`; what the store says.
pub(super) async fn create_log_group(
    service: Logs,
    cx: Cx,
    input: CreateLogGroupRequest,
) -> Result<()> {
    let id = own(&cx, &input.log_group_name);
    authorize(&cx, "CreateLogGroup", &id)?;
    let class = class_of(&input)?;
    refuse(&input)?;
    let mut tags = Tags::default();
    if let Some(sent) = &input.tags {
        tags.add(shapes::read_tags(sent)?).map_err(shapes::bad_tag)?;
    }
    let inner = &service.inner;
    if inner.groups.get(&id).is_some() {
        return Err(texts::group_exists());
    }
    if inner.groups.count(id.account, &id.region) >= inner.options.groups_max {
        return Err(texts::limit_exceeded());
    }
    let row = GroupRow {
        created_ms: service.now_ms(),
        retention_days: None,
        is_infrequent: class == LogGroupClass::InfrequentAccess,
    };
    let GroupId { account, region, name } = &id;
    let mut transaction = Transaction::default();
    rows::put(&mut transaction, GroupRow::key(*account, region, name), &row);
    if !tags.is_empty() {
        rows::put(&mut transaction, tags_key(*account, region, name), &tags);
    }
    inner.store.commit(transaction).await.map_err(|e| fail(cx.request_id, &e))?;
    inner.groups.insert(Arc::new(Group::new(id, row)));
    Ok(())
}

fn class_of(input: &CreateLogGroupRequest) -> Result<LogGroupClass> {
    match input.log_group_class.unwrap_or(LogGroupClass::Standard) {
        class @ (LogGroupClass::Standard | LogGroupClass::InfrequentAccess) => Ok(class),
        class => Err(texts::unsupported(&format!("The log group class {}", class.as_str()))),
    }
}

fn refuse(refused: &CreateLogGroupRequest) -> Result<()> {
    if refused.kms_key_id.is_some() {
        return Err(texts::unsupported("kmsKeyId"));
    }
    if refused.deletion_protection_enabled == Some(true) {
        return Err(texts::unsupported("deletionProtectionEnabled"));
    }
    Ok(())
}
