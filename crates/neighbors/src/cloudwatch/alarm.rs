//! Alarms: their states, and what becomes of them.
//!
//! ```text
//! points -> evaluation: verdict -> reason -> one transaction: the alarm's row and its history
//!        -> memory -> composite alarms that have it in their rule -> ...
//! ```
//!
//! A state is stored when it changes, so that a restart finds what was and no change is told twice.
//! Changes are made under the lock of all changes of the service.

pub(super) mod evaluation;
pub(super) mod reason;
pub(super) mod rule;

mod actions;
mod history;
mod message;
mod metric;

pub use actions::Doers;
pub(super) use actions::{Actions, run as do_actions};
use history::{HISTORY_KEPT_MS, Told};

use super::errors::{Result, fail};
use super::rows::{AlarmRow, HistoryRow, MetricConfig, Source, tags_key};
use super::service::{Inner, alarm_arn};
use base::{AccountId, Cx, Region};
use bytes::Bytes;
use evaluation::State;
use kit::{Directory, rows};
use parking_lot::RwLock;
use reason::Trigger;
use rule::Rule;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::{ErrorKind, Part, Transaction};

/// An alarm of one name.
pub(super) struct Alarm {
    pub(super) account: AccountId,
    pub(super) region: Region,
    pub(super) name: Arc<str>,
    row: RwLock<Arc<AlarmRow>>,
}

impl Alarm {
    pub(super) fn new(account: AccountId, region: Region, name: &str, row: AlarmRow) -> Self {
        Self { account, region, name: name.into(), row: RwLock::new(Arc::new(row)) }
    }

    /// How it is now.
    pub(super) fn row(&self) -> Arc<AlarmRow> {
        self.row.read().clone()
    }

    pub(super) fn arn(&self) -> String {
        alarm_arn(self.account, &self.region, &self.name)
    }

    /// Whether a rule means it, which may have its name or its ARN.
    fn is_called(&self, child: &str) -> bool {
        *self.name == *child || self.arn() == child
    }
}

impl AlarmRow {
    pub(super) fn state(&self) -> State {
        State::parse(&self.state).unwrap_or(State::InsufficientData)
    }

    pub(super) fn is_composite(&self) -> bool {
        matches!(self.source, Source::Composite(_))
    }

    pub(super) fn metric(&self) -> Option<&MetricConfig> {
        match &self.source {
            Source::Metric(metric) => Some(metric),
            Source::Composite(_) => None,
        }
    }

    /// What is to be done when it comes into a state.
    fn actions(&self, state: State) -> &[String] {
        if !self.config.actions_enabled {
            return &[];
        }
        match state {
            State::Ok => &self.config.ok_actions,
            State::Alarm => &self.config.alarm_actions,
            State::InsufficientData => &self.config.insufficient_data_actions,
        }
    }
}

/// All alarms.
pub(super) struct Alarms {
    pub(super) directory: Directory<Alarm>,
    /// The number of the next row of history.
    history: AtomicU64,
}

/// A new state of an alarm.
pub(super) struct Change {
    pub(super) state: State,
    pub(super) reason: String,
    pub(super) reason_data: Option<String>,
}

impl Alarms {
    /// Reads the rows.
    ///
    /// # Errors
    /// `Corrupt` naming the key.
    pub(super) fn open(store: &Part) -> store::Result<Self> {
        let directory = Directory::default();
        for (key, row) in rows::scan::<AlarmRow>(store, AlarmRow::PREFIX)? {
            let (account, region, name) =
                AlarmRow::parse_key(&key).ok_or_else(|| unreadable(&key))?;
            let alarm = Arc::new(Alarm::new(account, region.clone(), &name, row));
            directory.insert(account, &region, alarm.name.clone(), alarm);
        }
        let mut next_history = 0;
        for (key, _) in rows::scan::<HistoryRow>(store, HistoryRow::PREFIX)? {
            let (_, number) = HistoryRow::parse_key(&key).ok_or_else(|| unreadable(&key))?;
            next_history = next_history.max(number + 1);
        }
        Ok(Self { directory, history: AtomicU64::new(next_history) })
    }

    pub(super) fn get(&self, cx: &Cx, name: &str) -> Option<Arc<Alarm>> {
        self.directory.get(cx.account, &cx.region, name)
    }

    /// The number of another row of history.
    fn next_history(&self) -> u64 {
        self.history.fetch_add(1, Ordering::Relaxed)
    }

    /// Adds a row of history to a transaction.
    fn tell(&self, transaction: &mut Transaction, alarm: &Alarm, told: Told) {
        let row = told.row(&alarm.name);
        let key = HistoryRow::key(alarm.account, &alarm.region, (row.at_ms, self.next_history()));
        rows::put(transaction, key, &row);
    }
}

impl Inner {
    /// Stores an alarm that is new or has another configuration, and shows it.
    ///
    /// # Errors
    /// What the store says.
    pub(super) async fn put_alarm(
        &self,
        cx: &Cx,
        name: &str,
        row: AlarmRow,
        mut transaction: Transaction,
    ) -> Result<Arc<Alarm>> {
        let before = self.alarms.get(cx, name);
        let told =
            Told::configured(name, &row, before.as_ref().map(|alarm| alarm.row()).as_deref());
        rows::put(&mut transaction, AlarmRow::key(cx.account, &cx.region, name), &row);
        let alarm = match before {
            Some(alarm) => alarm,
            None => Arc::new(Alarm::new(cx.account, cx.region.clone(), name, row.clone())),
        };
        self.alarms.tell(&mut transaction, &alarm, told);
        self.store.commit(transaction).await.map_err(|e| fail(cx, &e))?;
        *alarm.row.write() = Arc::new(row);
        let directory = &self.alarms.directory;
        directory.insert(alarm.account, &alarm.region, alarm.name.clone(), alarm.clone());
        Ok(alarm)
    }

    /// Removes alarms with their tags; their history stays.
    ///
    /// # Errors
    /// What the store says.
    pub(super) async fn remove_alarms(&self, cx: &Cx, alarms: &[Arc<Alarm>]) -> Result<()> {
        let mut transaction = Transaction::default();
        let now_ms = self.now_ms();
        transaction.frees_room();
        for alarm in alarms {
            transaction.remove(AlarmRow::key(alarm.account, &alarm.region, &alarm.name));
            transaction.remove(tags_key(&alarm.arn()));
            self.alarms.tell(
                &mut transaction,
                alarm,
                Told::deleted(&alarm.name, &alarm.row(), now_ms),
            );
        }
        self.store.commit(transaction).await.map_err(|e| fail(cx, &e))?;
        for alarm in alarms {
            self.alarms.directory.remove(alarm.account, &alarm.region, &alarm.name);
        }
        Ok(())
    }

    /// Brings an alarm into a state, and the composite alarms that follow from it; each of them
    /// changes once at most, so that rules in a circle come to an end.
    ///
    /// The caller holds the lock of changes.
    ///
    /// # Errors
    /// What the store says.
    pub(super) async fn change_state(
        &self,
        alarm: &Arc<Alarm>,
        change: Change,
    ) -> store::Result<()> {
        let mut changed = BTreeSet::from([alarm.name.clone()]);
        let mut waves = VecDeque::from([(alarm.clone(), change)]);
        while let Some((alarm, change)) = waves.pop_front() {
            let state = change.state;
            self.transit(&alarm, change).await?;
            let arn = alarm.arn();
            let trigger = Trigger { arn: &arn, state, changed_ms: alarm.row().updated_ms };
            for (parent, change) in self.followers(&alarm, trigger) {
                if changed.insert(parent.name.clone()) {
                    waves.push_back((parent, change));
                }
            }
        }
        Ok(())
    }

    /// Composite alarms that come into another state because this one did.
    fn followers(&self, child: &Alarm, trigger: Trigger<'_>) -> Vec<(Arc<Alarm>, Change)> {
        let mut followers = Vec::new();
        for alarm in self.alarms.directory.list(child.account, &child.region) {
            let row = alarm.row();
            let Source::Composite(text) = &row.source else { continue };
            let Ok(rule) = Rule::parse(text) else { continue };
            if !rule.children().into_iter().any(|name| child.is_called(name)) {
                continue;
            }
            let state = self.state_of_rule(child.account, &child.region, &rule);
            if state != row.state() {
                let reason = reason::composite_changed(&trigger);
                let reason_data = Some(reason::composite_data(&[trigger]));
                followers.push((alarm, Change { state, reason, reason_data }));
            }
        }
        followers
    }

    /// The state of a composite alarm with this rule.
    pub(super) fn state_of_rule(&self, account: AccountId, region: &Region, rule: &Rule) -> State {
        let state_of = |child: &str| {
            let name = child.rsplit_once(":alarm:").map_or(child, |(_, name)| name);
            let alarm = self.alarms.directory.get(account, region, name);
            let alarm = alarm.filter(|alarm| alarm.is_called(child));
            alarm.map_or(State::InsufficientData, |alarm| alarm.row().state())
        };
        if rule.evaluate(state_of) { State::Alarm } else { State::Ok }
    }

    /// Stores a new state with its history, and does what is to be done then.
    async fn transit(&self, alarm: &Alarm, change: Change) -> store::Result<()> {
        let before = alarm.row();
        let now_ms = self.now_ms();
        let Change { state, reason, reason_data } = change;
        let is_other = state != before.state();
        let row = AlarmRow {
            state: state.as_str().into(),
            reason,
            reason_data,
            updated_ms: now_ms,
            transitioned_ms: if is_other { now_ms } else { before.transitioned_ms },
            ..AlarmRow::clone(&before)
        };
        let mut transaction = Transaction::default();
        rows::put(&mut transaction, AlarmRow::key(alarm.account, &alarm.region, &alarm.name), &row);
        let mut staged = None;
        if is_other {
            self.alarms.tell(&mut transaction, alarm, Told::changed(&before, &row));
            staged = Some(self.stage_actions(&mut transaction, alarm, (&before, &row)));
        }
        self.store.commit(transaction).await?;
        *alarm.row.write() = Arc::new(row);
        if let Some(staged) = staged {
            self.begin_actions(staged);
        }
        Ok(())
    }
}

/// Rows of history that are read at once, and of one account and region at most.
const HISTORY_ROWS: usize = 1000;
const HISTORY_ROWS_MAX: usize = 100_000;

impl Inner {
    /// Removes history that is too old, and of an account and region with too much the oldest.
    ///
    /// # Errors
    /// As [`Part::commit`].
    pub(super) async fn forget_history(&self) -> store::Result<()> {
        let horizon_ms = self.store.clock().horizon_ms(HISTORY_KEPT_MS);
        let mut after: Option<Bytes> = None;
        let (mut space, mut kept): (Vec<u8>, VecDeque<Bytes>) = (Vec::new(), VecDeque::new());
        loop {
            let prefix = HistoryRow::PREFIX.as_bytes();
            let page = self.store.scan(prefix, after.as_deref(), HISTORY_ROWS);
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            let mut transaction = Transaction::default();
            transaction.frees_room();
            for (key, _) in page {
                let (at_ms, _) = HistoryRow::parse_key(&key).ok_or_else(|| unreadable(&key))?;
                let of = key.iter().take(key.len().saturating_sub(36)).copied().collect::<Vec<_>>();
                if of != space {
                    (space, kept) = (of, VecDeque::new());
                }
                if at_ms < horizon_ms {
                    transaction.remove(key.to_vec());
                    continue;
                }
                kept.push_back(key);
                if kept.len() > HISTORY_ROWS_MAX
                    && let Some(oldest) = kept.pop_front()
                {
                    transaction.remove(oldest.to_vec());
                }
            }
            self.store.commit(transaction).await?;
        }
    }
}

fn unreadable(key: &Bytes) -> store::Error {
    let key = String::from_utf8_lossy(key);
    store::Error::new(ErrorKind::Corrupt, format!("catalog row `{key}`: its key is none"))
}
