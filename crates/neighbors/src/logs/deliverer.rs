//! What waits for a filter's destination, delivered: one task a filter.
//!
//! ```text
//! queue -> records that fit into one call -> envelopes, a stream each -> PutRecords, as the role
//!   all taken            -> cursor (a row) -> the next ones
//!   some, or none, taken -> a pause -> those again, until they are too old
//! ```
//!
//! A crash between the call and the cursor's commit delivers once more what was in the call.

use super::access::PRINCIPAL;
use super::envelope::{self, Address, ENVELOPE_BYTES};
use super::filters::{Filter, Wants};
use super::place::Place;
use super::record;
use super::rows::CursorRow;
use super::service::{Destinations, Inner};
use super::stream::corrupt;
use super::texts;
use api::kinesis::{PutRecordsInput, PutRecordsOutput, PutRecordsRequestEntry};
use base::Cx;
use base::policy::Context;
use kit::{passing, rows};
use md5::{Digest as _, Md5};
use std::sync::{Arc, Weak};
use std::time::Duration;
use store::{ErrorKind, Transaction};

/// Events of one stream that go into one envelope: the stream, the events, their bytes.
type Open<'a> = (&'a str, Vec<(Place, &'a str)>, usize);

/// Records of the queue that are delivered at once, and their bytes: far below what a call takes.
const RECORDS: usize = 200;
const BYTES: usize = 2 << 20;

/// What is on its way: records of a stream, and how many events are in each.
struct Load {
    entries: Vec<(PutRecordsRequestEntry, usize)>,
    /// Where the queue goes on behind it.
    next: u64,
    /// Bytes of the queue's records.
    bytes: u64,
    /// When the oldest of it came.
    arrival_ms: i64,
}

/// Runs for as long as the filter and the service live.
pub(super) async fn run(service: Weak<Inner>, filter: Arc<Filter>) {
    loop {
        // Nobody waits here with the service in hand.
        let waited = filter.queue.wait_beyond(filter.cursor());
        tokio::select! {
            waited = waited => if waited.is_err() { return },
            () = filter.changed.notified() => {}
        }
        let Some(inner) = service.upgrade() else { return };
        if filter.is_gone() {
            return;
        }
        match inner.next_load(&filter).await {
            Ok(Some(load)) => {
                drop(inner);
                deliver(&service, &filter, load).await;
            }
            Ok(None) => {}
            Err(e) if e.kind() == ErrorKind::Removed => return,
            Err(e) => {
                passing::warn(&e);
                let pause = inner.options.retry_max;
                let clock = inner.env.clock.clone();
                drop(inner);
                clock.sleep(pause).await;
            }
        }
    }
}

/// Delivers a load, however often it takes, or gives it up.
async fn deliver(service: &Weak<Inner>, filter: &Arc<Filter>, mut load: Load) {
    let mut tries = 0;
    loop {
        let Some(inner) = service.upgrade() else { return };
        if filter.is_gone() {
            return;
        }
        let failed = inner.try_load(filter, &mut load).await;
        let Some(why) = failed else { break };
        let age_ms = inner.now_ms().saturating_sub(load.arrival_ms);
        let is_old =
            u128::try_from(age_ms).unwrap_or_default() >= inner.options.age_max.as_millis();
        let events = load.entries.iter().map(|(_, events)| events).sum();
        let (group, name) = (&*filter.group.name, &*filter.name);
        if is_old || filter.is_overfull() {
            tracing::warn!(%group, filter = %name, events, "log events are given up: {why}");
            inner.metrics.given_up(&filter.group, name, events);
            break;
        }
        tracing::debug!(%group, filter = %name, tries, "not delivered: {why}");
        inner.metrics.retried();
        let (pause, clock) = (inner.pause(tries), inner.env.clock.clone());
        drop(inner);
        tries += 1;
        tokio::select! {
            () = clock.sleep(pause) => {}
            () = filter.changed.notified() => {}
        }
    }
    let (next, bytes) = (load.next, load.bytes);
    let clock = match service.upgrade() {
        Some(inner) => inner.env.clock.clone(),
        None => return,
    };
    let commit = |inner: Arc<Inner>| async move { inner.advance(filter, next, bytes).await };
    passing::end(service.clone(), clock, Duration::ZERO, commit).await;
}

impl Inner {
    /// What is to be delivered next; `None`: nothing any more.
    async fn next_load(&self, filter: &Filter) -> store::Result<Option<Load>> {
        let from = filter.cursor().max(filter.queue.tail().first_ordinal);
        let batch = filter.queue.read(from, RECORDS, BYTES).await?;
        let Some(first) = batch.records.first() else {
            // A loss left a gap there.
            filter.advance(batch.next_ordinal.max(from), 0);
            return Ok(None);
        };
        let wants = filter.wants();
        let mut draft = Draft { filter, wants: &wants, inner: self, entries: Vec::new() };
        let mut open: Option<Open<'_>> = None;
        for record in &batch.records {
            let matched = record::read_matched(&record.data)
                .ok_or_else(|| corrupt(filter.log_id, record.ordinal))?;
            for (place, message) in matched.events {
                let is_on = |(stream, _, bytes): &(&str, Vec<_>, usize)| {
                    *stream == matched.stream && bytes + message.len() <= ENVELOPE_BYTES
                };
                if !open.as_ref().is_some_and(is_on)
                    && let Some((stream, events, _)) = open.take()
                {
                    draft.close(stream, &events);
                }
                let (_, events, bytes) = open.get_or_insert((matched.stream, Vec::new(), 0));
                events.push((place, message));
                *bytes += message.len();
            }
        }
        if let Some((stream, events, _)) = open {
            draft.close(stream, &events);
        }
        let entries = draft.entries;
        let bytes = batch.records.iter().map(|record| record.data.len() as u64).sum();
        let (next, arrival_ms) = (batch.next_ordinal, first.arrival_ms);
        Ok(Some(Load { entries, next, bytes, arrival_ms }))
    }

    /// Tries once; what was taken leaves the load. Why it did not work, if so.
    async fn try_load(&self, filter: &Filter, load: &mut Load) -> Option<String> {
        let Some(destinations) = &self.destinations else { return Some(texts::NOBODY.into()) };
        let wants = filter.wants();
        let records = load.entries.iter().map(|(entry, _)| entry.clone()).collect();
        let answer = match destinations.put((filter, &wants), records, self.now_ms()).await {
            Ok(answer) => answer,
            Err(why) => return Some(why),
        };
        let mut results = answer.records.into_iter();
        let mut why = None;
        let mut taken = 0;
        load.entries.retain(|(_, events)| match results.next() {
            Some(result) if result.error_code.is_none() => {
                taken += events;
                false
            }
            result => {
                why = result.and_then(|result| result.error_message);
                true
            }
        });
        self.metrics.forwarded(&filter.group, &filter.name, taken);
        let why = why.map_or_else(|| "a record was not taken".to_owned(), |why| why.to_string());
        (!load.entries.is_empty()).then_some(why)
    }

    /// The destination has everything before this record, or never will.
    async fn advance(&self, filter: &Filter, next: u64, bytes: u64) -> store::Result<()> {
        // The row must not outlive the filter's.
        let _alone = self.lock_changes().await;
        if filter.is_gone() {
            return Ok(());
        }
        let mut transaction = Transaction::default();
        let row = CursorRow { next_ordinal: next };
        rows::put(&mut transaction, CursorRow::key(filter.log_id.0), &row);
        transaction.frees_room();
        self.store.commit(transaction).await?;
        filter.advance(next, bytes);
        Ok(())
    }

    /// How long after a failure, with so many before it, the next try comes.
    fn pause(&self, tries: u32) -> Duration {
        let doubled = 1_u32.checked_shl(tries).unwrap_or(u32::MAX);
        self.options.retry_first.saturating_mul(doubled).min(self.options.retry_max)
    }
}

/// The records of a load as they are made.
struct Draft<'a> {
    inner: &'a Inner,
    filter: &'a Filter,
    wants: &'a Wants,
    entries: Vec<(PutRecordsRequestEntry, usize)>,
}

impl Draft<'_> {
    fn close(&mut self, stream: &str, events: &[(Place, &str)]) {
        let address = Address {
            owner: self.filter.group.account.as_str(),
            group: &self.filter.group.name,
            stream,
            filter: &self.filter.name,
        };
        let key = match self.wants.row.is_random {
            true => self.inner.env.rng.bytes16(),
            false => Md5::digest(stream).into(),
        };
        let entry = PutRecordsRequestEntry {
            data: envelope::data(address, events).into(),
            partition_key: Some(envelope::partition_key(key).into()),
            explicit_hash_key: None,
        };
        self.entries.push((entry, events.len()));
    }
}

impl Destinations {
    /// Writes records to a filter's stream as its role.
    ///
    /// # Errors
    /// Why not.
    async fn put(
        &self,
        (filter, wants): (&Filter, &Wants),
        records: Vec<PutRecordsRequestEntry>,
        now_ms: i64,
    ) -> std::result::Result<PutRecordsOutput, String> {
        let cx = self.as_role(filter, &wants.row.role_arn, now_ms)?;
        let input = PutRecordsInput {
            records,
            stream_arn: Some(wants.row.destination_arn.as_str().into()),
            ..PutRecordsInput::default()
        };
        let answer = self.kinesis.call(&cx, "PutRecords", Box::new(input)).await;
        let answer = answer.map_err(|refusal| format!("{}: {}", refusal.code, refusal.message))?;
        let answer = answer.downcast::<PutRecordsOutput>();
        answer.map(|answer| *answer).map_err(|_| "an answer of another operation".to_owned())
    }

    /// Writes the first message to a stream, to see whether it takes any.
    ///
    /// # Errors
    /// Why not.
    pub(super) async fn check(
        &self,
        inner: &Inner,
        (filter, wants): (&Filter, &Wants),
    ) -> std::result::Result<(), String> {
        let entry = PutRecordsRequestEntry {
            data: envelope::control(inner.now_ms()).into(),
            partition_key: Some(envelope::partition_key(inner.env.rng.bytes16()).into()),
            explicit_hash_key: None,
        };
        let answer = self.put((filter, wants), vec![entry], inner.now_ms()).await?;
        match answer.records.into_iter().next() {
            Some(result) if result.error_code.is_none() => Ok(()),
            Some(result) => Err(result.error_message.unwrap_or_default().to_string()),
            None => Err("no answer".into()),
        }
    }

    /// The service in a role that trusts it.
    fn as_role(
        &self,
        filter: &Filter,
        role_arn: &str,
        now_ms: i64,
    ) -> std::result::Result<Cx, String> {
        let (account, region) = (filter.group.account, &filter.group.region);
        let found = self.iam.role_by_arn(role_arn).filter(|(owner, _)| *owner == account);
        let (_, role) = found.ok_or(texts::NO_ROLE)?;
        let arn = filter.group.arn();
        let (source_arn, source_account) = (Some(arn.as_str()), Some(account.as_str()));
        let context = Context { source_arn, source_account, ..Context::default() };
        let regional = format!("logs.{region}.amazonaws.com");
        if ![PRINCIPAL, &regional].iter().any(|name| role.trusts(name, account, context, now_ms)) {
            return Err(texts::NO_TRUST.into());
        }
        let name = role_arn.rsplit('/').next().unwrap_or_default();
        let partition = region.partition();
        let caller = format!("arn:{partition}:sts::{account}:assumed-role/{name}/CloudWatchLogs");
        let user_id = Some(format!("{}:CloudWatchLogs", role.id).into());
        let (role_arn, permissions) = (Some(role.arn.into()), role.permissions);
        let cx = Cx::of_service(account, region.clone()).at(now_ms);
        Ok(Cx { caller_arn: caller.into(), user_id, role_arn, permissions, ..cx })
    }
}
