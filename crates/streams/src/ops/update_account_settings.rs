//! `UpdateAccountSettings`.

use crate::account::commitment;
use crate::directory::authorize;
use crate::errors::Result;
use crate::limits::account;
use crate::rows::{self, AccountRow, Commitment};
use crate::service::Streams;
use api::kinesis::{
    MinimumThroughputBillingCommitmentInputStatus as Status, UpdateAccountSettingsInput,
    UpdateAccountSettingsOutput,
};
use base::Cx;
use store::Transaction;

/// Makes or ends the minimum throughput billing commitment. Nobody is billed here; it gates warm
/// throughput as it does on AWS, 24 hours at least.
pub(crate) async fn update_account_settings(
    streams: Streams,
    cx: Cx,
    input: UpdateAccountSettingsInput,
) -> Result<UpdateAccountSettingsOutput> {
    authorize(&cx, "UpdateAccountSettings", "*")?;
    let inner = &streams.inner;
    let now_ms = inner.now_ms();
    let mut row = account(inner, &cx)?;
    let running = row.commitment.take_if(|made| made.runs(now_ms));
    match (input.minimum_throughput_billing_commitment.status, running) {
        (Status::Enabled, Some(made)) => {
            row.commitment = Some(Commitment { end_ms: None, ..made });
        }
        (Status::Enabled, None) => {
            row.commitment = Some(Commitment { started_ms: now_ms, end_ms: None });
        }
        (Status::Disabled, Some(made)) => {
            let end_ms = Some(made.earliest_end_ms().max(now_ms));
            row.commitment = Some(Commitment { end_ms: made.end_ms.or(end_ms), ..made });
        }
        (Status::Disabled, None) => {}
    }
    let mut transaction = Transaction::default();
    rows::put(&mut transaction, AccountRow::key(cx.account, &cx.region), &row);
    inner.commit(&cx, transaction).await?;
    let shown = commitment(&row, now_ms);
    Ok(UpdateAccountSettingsOutput { minimum_throughput_billing_commitment: Some(shown) })
}
