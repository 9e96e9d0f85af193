//! What alarms do: topics are told, web hooks called.
//!
//! ```text
//! change of a state -> row, in its transaction -> again and again until it is done or an hour old
//!                   -> one transaction: the row goes, the history tells how it ended
//! ```
//!
//! After a crash an action may be done once more; topics are told once even then, by what they are
//! told under.

use super::history::Told;
use super::{Alarm, message};
use crate::cloudwatch::rows::{ActionRow, AlarmRow};
use crate::cloudwatch::service::{Inner, alarm_arn};
use crate::sns::{AlarmMessage, Sns, Trouble};
use base::env::Clock;
use base::{AccountId, Region};
use kit::rows;
use outgoing::{Poster, TroubleKind};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use store::{Part, Transaction};
use tokio::sync::Notify;

/// Most actions that wait; more fail at once.
const WAITING_MAX: usize = 10_000;
/// First and longest pause before an action is tried again, and how long it is tried at all.
const PAUSE_FIRST_MS: i64 = 1000;
const PAUSE_MAX_MS: i64 = 60_000;
const TRIED_MS: i64 = 3_600_000;

/// Who does what alarms want done.
#[derive(Clone)]
pub struct Doers {
    /// Who tells topics.
    pub topics: Sns,
    /// Who calls web hooks.
    pub poster: Poster,
    /// What calls of web hooks are signed with; without it none is called.
    pub webhook_secret: Option<Vec<u8>>,
}

/// What waits to be done.
pub(in crate::cloudwatch) struct Actions {
    doers: Option<Doers>,
    waiting: Mutex<BTreeMap<u64, Waiting>>,
    next: AtomicU64,
    /// Told when there is more to do.
    more: Arc<Notify>,
}

/// An action that waits.
#[derive(Clone)]
struct Waiting {
    account: AccountId,
    region: Region,
    row: Arc<ActionRow>,
    tries: u32,
    /// When it is tried next.
    due_ms: i64,
}

/// How a try ended.
enum Ended {
    Done,
    /// It cannot be done, and why.
    Failed(String),
    /// It may work later.
    Again(String),
}

impl Actions {
    /// Reads what waits.
    ///
    /// # Errors
    /// `Corrupt` naming the key.
    pub(in crate::cloudwatch) fn open(store: &Part, doers: Option<Doers>) -> store::Result<Self> {
        let mut waiting = BTreeMap::new();
        for (key, row) in rows::scan::<ActionRow>(store, ActionRow::PREFIX)? {
            let parsed = ActionRow::parse_key(&key);
            let (account, region, number) = parsed.ok_or_else(|| super::unreadable(&key))?;
            let row = Arc::new(row);
            waiting.insert(number, Waiting { account, region, row, tries: 0, due_ms: 0 });
        }
        let next = waiting.last_key_value().map_or(0, |(number, _)| number + 1);
        let (waiting, next) = (Mutex::new(waiting), AtomicU64::new(next));
        Ok(Self { doers, waiting, next, more: Arc::default() })
    }

    /// What is due, and when the rest is.
    fn due(&self, now_ms: i64) -> (Vec<(u64, Waiting)>, Option<i64>) {
        let waiting = self.waiting.lock();
        let is_due = |waiting: &Waiting| waiting.due_ms <= now_ms;
        let due = waiting.iter().filter(|(_, waiting)| is_due(waiting));
        let due = due.map(|(number, waiting)| (*number, waiting.clone())).collect();
        let later = waiting.values().filter(|waiting| !is_due(waiting));
        (due, later.map(|waiting| waiting.due_ms).min())
    }
}

impl Inner {
    /// Adds what an alarm does in its new state to the transaction of the change; what of it cannot
    /// wait is told as failed.
    pub(super) fn stage_actions(
        &self,
        transaction: &mut Transaction,
        alarm: &Alarm,
        (before, row): (&AlarmRow, &AlarmRow),
    ) -> Staged {
        let mut staged = Vec::new();
        let is_full = self.actions.waiting.lock().len() >= WAITING_MAX;
        for action in row.actions(row.state()) {
            let waits = ActionRow {
                alarm: (*alarm.name).into(),
                is_composite: row.is_composite(),
                action: action.clone(),
                subject: message::subject(alarm, row),
                message: message::message(alarm, before, row),
                changed_ms: row.updated_ms,
            };
            if is_full || self.actions.doers.is_none() {
                let why = if is_full { TOO_MANY } else { NOBODY };
                self.tell(transaction, alarm.place(), Told::failed(&waits, row.updated_ms, why));
                continue;
            }
            let number = self.actions.next.fetch_add(1, Ordering::Relaxed);
            rows::put(transaction, ActionRow::key(alarm.account, &alarm.region, number), &waits);
            let (account, region) = (alarm.account, alarm.region.clone());
            let row = Arc::new(waits);
            staged.push((number, Waiting { account, region, row, tries: 0, due_ms: 0 }));
        }
        Staged(staged)
    }

    /// Has actions done whose change is stored.
    pub(super) fn begin_actions(&self, Staged(staged): Staged) {
        if !staged.is_empty() {
            self.actions.waiting.lock().extend(staged);
            self.actions.more.notify_one();
        }
    }

    /// Tries one action, and stores how it ended.
    async fn try_action(&self, number: u64, waiting: &Waiting) -> store::Result<()> {
        let Some(doers) = &self.actions.doers else { return Ok(()) };
        let ended = doers.act(waiting).await;
        let now_ms = self.now_ms();
        let row = &*waiting.row;
        let told = match ended {
            Ended::Done => Told::done(row, now_ms),
            Ended::Failed(why) => Told::failed(row, now_ms, &why),
            Ended::Again(why) if now_ms - row.changed_ms >= TRIED_MS => {
                Told::failed(row, now_ms, &why)
            }
            Ended::Again(why) => {
                tracing::debug!(alarm = %row.alarm, action = %row.action, "will try again: {why}");
                if let Some(waiting) = self.actions.waiting.lock().get_mut(&number) {
                    let pause_ms = PAUSE_FIRST_MS << waiting.tries.min(6);
                    waiting.tries += 1;
                    waiting.due_ms = now_ms + pause_ms.min(PAUSE_MAX_MS);
                }
                return Ok(());
            }
        };
        let mut transaction = Transaction::default();
        transaction.frees_room();
        let Waiting { account, region, .. } = waiting;
        transaction.remove(ActionRow::key(*account, region, number));
        self.tell(&mut transaction, (*account, region, &row.alarm), told);
        self.trim(&mut transaction, *account, region);
        self.store.commit(transaction).await?;
        self.actions.waiting.lock().remove(&number);
        Ok(())
    }
}

/// Actions whose change is not stored yet.
pub(super) struct Staged(Vec<(u64, Waiting)>);

impl Doers {
    async fn act(&self, waiting: &Waiting) -> Ended {
        let Waiting { account, region, row, .. } = waiting;
        let ActionRow { action, subject, message, .. } = &**row;
        if action.starts_with("http") {
            return self.call(action, message).await;
        }
        let arn = alarm_arn(*account, region, &row.alarm);
        let dedup = format!("{arn} {} {}", row.changed_ms, row.subject);
        let alarm = AlarmMessage {
            topic_arn: action,
            alarm_arn: &arn,
            account: *account,
            subject,
            message,
            dedup: &dedup,
        };
        match self.topics.publish_alarm(alarm).await {
            Ok(_) => Ended::Done,
            Err(e @ (Trouble::Busy | Trouble::Store(_))) => Ended::Again(e.to_string()),
            Err(e) => Ended::Failed(e.to_string()),
        }
    }
}

impl Doers {
    /// Calls a web hook with a message.
    async fn call(&self, url: &str, message: &str) -> Ended {
        let Some(secret) = &self.webhook_secret else { return Ended::Failed(NO_SECRET.into()) };
        match self.poster.post_signed(url, message.to_owned().into(), secret).await {
            Ok(answer) if (200..300).contains(&answer.status) => Ended::Done,
            Ok(answer) if matches!(answer.status, 408 | 429 | 500..) => {
                Ended::Again(format!("status {}", answer.status))
            }
            Ok(answer) => Ended::Failed(format!("status {}", answer.status)),
            Err(e) if e.kind() == TroubleKind::Refused => Ended::Failed(e.to_string()),
            Err(e) => Ended::Again(e.to_string()),
        }
    }
}

/// Does what waits, for as long as the service lives. One after another: a topic takes a message at
/// once, and a web hook that hangs is given up in time.
pub(in crate::cloudwatch) async fn run(service: Weak<Inner>, clock: Arc<dyn Clock>) {
    loop {
        let Some(inner) = service.upgrade() else { return };
        let now_ms = inner.now_ms();
        let (due, next_ms) = inner.actions.due(now_ms);
        let is_idle = due.is_empty();
        for (number, waiting) in due {
            if let Err(e) = inner.try_action(number, &waiting).await {
                tracing::warn!(kind = ?e.kind(), "an action's end cannot be stored: {e}");
                if let Some(waiting) = inner.actions.waiting.lock().get_mut(&number) {
                    waiting.due_ms = inner.now_ms() + PAUSE_MAX_MS;
                }
            }
        }
        if !is_idle {
            continue;
        }
        // Whoever waits here does not keep the service alive.
        let more = Arc::clone(&inner.actions.more);
        drop(inner);
        let pause_ms = next_ms.map_or(PAUSE_MAX_MS, |next_ms| (next_ms - now_ms).max(1));
        let pause = clock.sleep(Duration::from_millis(pause_ms.unsigned_abs()));
        tokio::select! {
            () = more.notified() => {}
            () = pause => {}
        }
    }
}

/// Source: ours.
const NOBODY: &str = "This server does no actions of alarms.";

/// Source: ours.
const NO_SECRET: &str = "Web hooks are called when cloudwatch.webhook_secret_file is set.";

/// Source: ours.
const TOO_MANY: &str = "Too many actions of alarms wait.";
