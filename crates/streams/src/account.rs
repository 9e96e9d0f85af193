//! An account's settings as the API shows them.

use crate::rows::{AccountRow, Commitment};
use api::Timestamp;
use api::kinesis::{
    MinimumThroughputBillingCommitmentOutput as Output,
    MinimumThroughputBillingCommitmentOutputStatus as Status,
};

/// Shortest commitment (model).
pub(crate) const COMMITMENT_MS: i64 = 24 * 3_600_000;

impl Commitment {
    /// Whether it goes on at this time.
    pub(crate) fn runs(&self, now_ms: i64) -> bool {
        self.end_ms.is_none_or(|end_ms| now_ms < end_ms)
    }

    /// When it may end.
    pub(crate) fn earliest_end_ms(&self) -> i64 {
        self.started_ms + COMMITMENT_MS
    }
}

/// The commitment of an account at this time.
pub(crate) fn commitment(row: &AccountRow, now_ms: i64) -> Output {
    let Some(made) = &row.commitment else {
        return Output { status: Status::Disabled, ..Output::default() };
    };
    let runs = made.runs(now_ms);
    let status = match (runs, made.end_ms) {
        (true, None) => Status::Enabled,
        (true, Some(_)) => Status::EnabledUntilEarliestAllowedEnd,
        (false, _) => Status::Disabled,
    };
    Output {
        status,
        started_at: Some(Timestamp(made.started_ms)),
        ended_at: made.end_ms.filter(|_| !runs).map(Timestamp),
        earliest_allowed_end_at: runs.then(|| Timestamp(made.earliest_end_ms())),
    }
}
