//! `PutResourcePolicy`.

use crate::errors::Result;
use crate::policies::Guarded;
use crate::rows;
use crate::service::Streams;
use crate::texts::policy_refused;
use api::kinesis::PutResourcePolicyInput;
use base::Cx;
use base::policy::Policy;
use kit::PolicyRow;
use store::Transaction;

/// Sets the policy that decides which other accounts may use a stream or a consumer.
///
/// # Errors
/// `ResourceNotFound`; `Validation` no policy document, or one about other services or resources.
pub(crate) async fn put_resource_policy(
    streams: Streams,
    cx: Cx,
    input: PutResourcePolicyInput,
) -> Result<()> {
    let guarded = Guarded::find(&streams, &cx, "PutResourcePolicy", &input.resource_arn)?;
    let policy = Policy::parse(&input.policy).map_err(|e| policy_refused(&e.to_string()))?;
    if let Some(action) = policy.actions().find(|action| !is_ours(action)) {
        return Err(policy_refused(&format!("the action `{action}` is not one of `kinesis`")));
    }
    if !policy.concerns(guarded.arn()) {
        let arn = guarded.arn();
        return Err(policy_refused(&format!("a statement's `Resource` is not `{arn}`")));
    }
    let mut transaction = Transaction::default();
    rows::put(&mut transaction, guarded.key(), &PolicyRow(input.policy.to_string()));
    streams.inner.commit(&cx, transaction).await?;
    guarded.replace(Some(policy));
    Ok(())
}

fn is_ours(action: &str) -> bool {
    action == "*" || action.split_once(':').is_some_and(|(service, _)| service == "kinesis")
}
