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
use actions::Staged;
pub(super) use actions::{Actions, run as do_actions};
use history::{HISTORY_KEPT_MS, Told};

use super::errors::{Result, fail};
use super::rows::{AlarmRow, HistoryRow, MetricConfig, Source, tags_key};
use super::service::{Inner, alarm_arn};
use base::{AccountId, Cx, Region};
use bytes::Bytes;
use evaluation::State;
use kit::{Directory, rows};
use parking_lot::{Mutex, RwLock};
use reason::Trigger;
use rule::Rule;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use store::{ErrorKind, Part, Transaction};

/// An alarm of one name.
pub(super) struct Alarm {
    pub(super) account: AccountId,
    pub(super) region: Region,
    pub(super) name: Arc<str>,
    shown: RwLock<Shown>,
}

/// How an alarm is.
#[derive(Clone)]
struct Shown {
    row: Arc<AlarmRow>,
    /// Of a composite alarm; none also when what was stored is none to this version.
    rule: Option<Arc<Rule>>,
}

impl Shown {
    fn new(row: AlarmRow) -> Self {
        let rule = match &row.source {
            Source::Composite(text) => Rule::parse(text).ok().map(Arc::new),
            Source::Metric(_) => None,
        };
        Self { row: Arc::new(row), rule }
    }
}

impl Alarm {
    pub(super) fn new(account: AccountId, region: Region, name: &str, row: AlarmRow) -> Self {
        Self { account, region, name: name.into(), shown: RwLock::new(Shown::new(row)) }
    }

    /// How it is now.
    pub(super) fn row(&self) -> Arc<AlarmRow> {
        self.shown.read().row.clone()
    }

    /// Account, region and name.
    fn place(&self) -> (AccountId, &Region, &str) {
        (self.account, &self.region, &self.name)
    }

    /// That of a composite alarm.
    pub(super) fn rule(&self) -> Option<Arc<Rule>> {
        self.shown.read().rule.clone()
    }

    fn show(&self, row: AlarmRow) {
        *self.shown.write() = Shown::new(row);
    }

    pub(super) fn arn(&self) -> String {
        alarm_arn(self.account, &self.region, &self.name)
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
    history: Mutex<History>,
}

/// What is known of the rows of history.
#[derive(Default)]
struct History {
    /// The number of the next one.
    next: u64,
    kept: HashMap<AccountId, Kept>,
}

/// How much history an account has, in all regions.
#[derive(Clone, Copy, Default)]
struct Kept {
    rows: usize,
    bytes: usize,
}

impl Kept {
    fn add(&mut self, bytes: usize) {
        self.rows += 1;
        self.bytes += bytes;
    }

    fn take(&mut self, bytes: usize) {
        self.rows = self.rows.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    fn is_too_much(self) -> bool {
        self.rows > HISTORY_ROWS_MAX || self.bytes > HISTORY_BYTES_MAX
    }
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
        let mut history = History::default();
        for (key, value) in store.scan(HistoryRow::PREFIX.as_bytes(), None, usize::MAX) {
            let (_, number) = HistoryRow::parse_key(&key).ok_or_else(|| unreadable(&key))?;
            history.next = history.next.max(number + 1);
            let account = HistoryRow::account(&key).ok_or_else(|| unreadable(&key))?;
            history.kept.entry(account).or_default().add(key.len() + value.len());
        }
        Ok(Self { directory, history: Mutex::new(history) })
    }

    pub(super) fn get(&self, cx: &Cx, name: &str) -> Option<Arc<Alarm>> {
        self.directory.get(cx.account, &cx.region, name)
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
        self.tell(&mut transaction, alarm.place(), told);
        self.trim(&mut transaction, cx.account, &cx.region);
        self.store.commit(transaction).await.map_err(|e| fail(cx, &e))?;
        alarm.show(row);
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
            let told = Told::deleted(&alarm.name, &alarm.row(), now_ms);
            self.tell(&mut transaction, alarm.place(), told);
        }
        self.trim(&mut transaction, cx.account, &cx.region);
        self.store.commit(transaction).await.map_err(|e| fail(cx, &e))?;
        for alarm in alarms {
            self.alarms.directory.remove(alarm.account, &alarm.region, &alarm.name);
        }
        Ok(())
    }

    /// Brings an alarm into a state, and the composite alarms whose rules say so then, in one
    /// transaction: no crash leaves one of them behind.
    ///
    /// The caller holds the lock of changes.
    ///
    /// # Errors
    /// What the store says; nothing has changed then.
    pub(super) async fn change_state(
        &self,
        alarm: &Arc<Alarm>,
        change: Change,
    ) -> store::Result<()> {
        let now_ms = self.now_ms();
        let mut transaction = Transaction::default();
        let followers = self.followers(alarm, change.state);
        let mut causes = vec![(alarm.name.clone(), alarm.arn(), change.state)];
        let followed = followers.iter().map(|(one, state)| (one.name.clone(), one.arn(), *state));
        causes.extend(followed);
        let mut moved = vec![self.stage(&mut transaction, (alarm.clone(), change), now_ms)];
        for (follower, state) in followers {
            let rule = follower.rule();
            let is_cause = |(name, arn, _): &&(Arc<str>, String, State)| {
                rule.as_ref().is_some_and(|rule| rule.is_about(name, arn))
            };
            let (_, arn, cause) = causes.iter().find(is_cause).unwrap_or(&causes[0]);
            let trigger = Trigger { arn, state: *cause, changed_ms: now_ms };
            let reason = reason::composite_changed(&trigger);
            let reason_data = Some(reason::composite_data(&[trigger]));
            let change = Change { state, reason, reason_data };
            moved.push(self.stage(&mut transaction, (follower, change), now_ms));
        }
        self.trim(&mut transaction, alarm.account, &alarm.region);
        self.store.commit(transaction).await?;
        for Moved { alarm, row, actions } in moved {
            alarm.show(row);
            if let Some(actions) = actions {
                self.begin_actions(actions);
            }
        }
        Ok(())
    }

    /// Composite alarms that come into another state when this one is in a state: those whose rules
    /// are about it, and so on until nothing changes any more.
    ///
    /// Only what comes out is told: a rule that holds for a moment, while others are still to
    /// follow, does nothing. Rules in a circle may have no end; it is cut then.
    fn followers(&self, first: &Arc<Alarm>, state: State) -> Vec<(Arc<Alarm>, State)> {
        let (account, region) = (first.account, &first.region);
        let all = self.alarms.directory.list(account, region);
        let composites: Vec<_> =
            all.into_iter().filter_map(|alarm| alarm.rule().map(|rule| (alarm, rule))).collect();
        let mut states = BTreeMap::from([(first.name.clone(), state)]);
        let mut turns = TURNS_MAX * composites.len();
        let mut waves = VecDeque::from([first.clone()]);
        while let Some(child) = waves.pop_front() {
            let arn = child.arn();
            for (parent, rule) in &composites {
                if turns == 0 || !rule.is_about(&child.name, &arn) || parent.name == first.name {
                    continue;
                }
                turns -= 1;
                let before = states.get(&parent.name).copied();
                let before = before.unwrap_or_else(|| parent.row().state());
                let state = self.state_of_rule((account, region), rule, &states);
                if state != before {
                    states.insert(parent.name.clone(), state);
                    waves.push_back(parent.clone());
                }
            }
        }
        let changed = composites.into_iter().filter_map(|(alarm, _)| {
            let state = *states.get(&alarm.name).filter(|_| alarm.name != first.name)?;
            (state != alarm.row().state()).then_some((alarm, state))
        });
        changed.collect()
    }

    /// The state of a composite alarm with this rule. `states`: of alarms that are about to change.
    pub(super) fn state_of_rule(
        &self,
        (account, region): (AccountId, &Region),
        rule: &Rule,
        states: &BTreeMap<Arc<str>, State>,
    ) -> State {
        let state_of = |child: &str| {
            let name = name_of(account, region, child);
            let alarm = self.alarms.directory.get(account, region, name);
            let stored = || alarm.map(|alarm| alarm.row().state());
            states.get(name).copied().or_else(stored).unwrap_or(State::InsufficientData)
        };
        if rule.evaluate(state_of) { State::Alarm } else { State::Ok }
    }

    /// Looks at composite alarms whose rules may never have been looked at, since the server ended
    /// between their being put and that.
    pub(super) async fn catch_up(&self) {
        for alarm in self.alarms.directory.all() {
            let Some(rule) = alarm.rule() else { continue };
            let _changes = self.lock_changes().await;
            let row = alarm.row();
            let place = (alarm.account, &alarm.region);
            let state = self.state_of_rule(place, &rule, &BTreeMap::new());
            if row.config.configured_ms < row.updated_ms || state == row.state() {
                continue;
            }
            let reason = reason::composite_updated(&alarm.arn(), state);
            let change = Change { state, reason, reason_data: Some(reason::composite_data(&[])) };
            if let Err(e) = self.change_state(&alarm, change).await {
                tracing::warn!(alarm = %alarm.name, "alarm cannot be evaluated: {e}");
            }
        }
    }

    /// Adds a new state to a transaction, with its history and what is to be done then.
    fn stage(
        &self,
        transaction: &mut Transaction,
        (alarm, change): (Arc<Alarm>, Change),
        now_ms: i64,
    ) -> Moved {
        let before = alarm.row();
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
        rows::put(transaction, AlarmRow::key(alarm.account, &alarm.region, &alarm.name), &row);
        let actions = is_other.then(|| {
            self.tell(transaction, alarm.place(), Told::changed(&before, &row));
            self.stage_actions(transaction, &alarm, (&before, &row))
        });
        Moved { alarm, row, actions }
    }
}

/// An alarm whose new state is not stored yet.
struct Moved {
    alarm: Arc<Alarm>,
    row: AlarmRow,
    actions: Option<Staged>,
}

/// How often a composite alarm is looked at because of one change, on average.
const TURNS_MAX: usize = 16;

/// The name that an alarm of an account and region is called by, which may be its ARN.
pub(super) fn name_of<'a>(account: AccountId, region: &Region, called: &'a str) -> &'a str {
    if !called.starts_with("arn:") {
        return called;
    }
    called.strip_prefix(&*alarm_arn(account, region, "")).unwrap_or(called)
}

/// Rows of history that are read at once.
const HISTORY_ROWS: usize = 1000;
/// Most history of an account, over all regions: rows, and their bytes.
const HISTORY_ROWS_MAX: usize = 10_000;
const HISTORY_BYTES_MAX: usize = 32 << 20;

impl Inner {
    /// Adds a row of history to a transaction.
    pub(super) fn tell(
        &self,
        transaction: &mut Transaction,
        (account, region, name): (AccountId, &Region, &str),
        told: Told,
    ) {
        let row = told.row(name);
        let mut history = self.alarms.history.lock();
        let key = HistoryRow::key(account, region, (row.at_ms, history.next));
        history.next += 1;
        history.kept.entry(account).or_default().add(key.len() + row.bytes());
        rows::put(transaction, key, &row);
    }

    /// Adds to a transaction that the oldest history of an account goes where it has too much: that
    /// of this region first.
    pub(super) fn trim(&self, transaction: &mut Transaction, account: AccountId, region: &Region) {
        let mut history = self.alarms.history.lock();
        let kept = history.kept.entry(account).or_default();
        let of_region = HistoryRow::prefix(account, region);
        for prefix in [of_region, HistoryRow::prefix_of_account(account)] {
            if !kept.is_too_much() {
                return;
            }
            for (key, value) in self.store.scan(prefix.as_bytes(), None, HISTORY_ROWS) {
                if kept.is_too_much() {
                    kept.take(key.len() + value.len());
                    transaction.remove(key.to_vec());
                }
            }
        }
    }

    /// Removes history that is too old, and counts what stays.
    ///
    /// # Errors
    /// As [`Part::commit`].
    pub(super) async fn forget_history(&self) -> store::Result<()> {
        let horizon_ms = self.store.clock().horizon_ms(HISTORY_KEPT_MS);
        let mut after: Option<Bytes> = None;
        let mut counted: HashMap<AccountId, Kept> = HashMap::new();
        loop {
            let prefix = HistoryRow::PREFIX.as_bytes();
            let page = self.store.scan(prefix, after.as_deref(), HISTORY_ROWS);
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            let mut transaction = Transaction::default();
            transaction.frees_room();
            for (key, value) in page {
                let (at_ms, _) = HistoryRow::parse_key(&key).ok_or_else(|| unreadable(&key))?;
                let account = HistoryRow::account(&key).ok_or_else(|| unreadable(&key))?;
                if at_ms < horizon_ms {
                    transaction.remove(key.to_vec());
                } else {
                    counted.entry(account).or_default().add(key.len() + value.len());
                }
            }
            self.store.commit(transaction).await?;
        }
        self.alarms.history.lock().kept = counted;
        Ok(())
    }
}

fn unreadable(key: &Bytes) -> store::Error {
    let key = String::from_utf8_lossy(key);
    store::Error::new(ErrorKind::Corrupt, format!("catalog row `{key}`: its key is none"))
}
