//! Which metrics there are: names to the numbers of their series.
//!
//! A metric is a namespace, a name and dimensions in one account and region; it has a series for
//! each unit that values came in. A series is a row of the catalog before it has a point.

use super::errors::Result;
use super::options::Options;
use super::points::SeriesId;
use super::rows::MetricRow;
use super::texts;
use api::cloudwatch::StandardUnit;
use base::{AccountId, Cx, Region};
use bytes::Bytes;
use kit::rows;
use parking_lot::RwLock;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use store::{ErrorKind, Part, Transaction};

const DAY_S: u32 = 86_400;
/// Days after which a series without points is forgotten: its last ones are gone then.
const FORGOTTEN_DAYS: u32 = 456;
/// Rows that are stored in one transaction.
const ROWS_AT_ONCE: usize = 1000;

/// What a metric is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct MetricName {
    pub(super) namespace: Box<str>,
    pub(super) name: Box<str>,
    /// By name.
    pub(super) dimensions: Vec<(Box<str>, Box<str>)>,
}

/// Where a metric is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) account: AccountId,
    pub(super) region: Region,
}

impl Place {
    pub(super) fn of(cx: &Cx) -> Self {
        Self { account: cx.account, region: cx.region.clone() }
    }
}

/// A series, as it is known.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) id: SeriesId,
    pub(super) unit: StandardUnit,
    place: Place,
    row: MetricRow,
    is_fine: AtomicBool,
    /// Seconds of its newest point, about.
    seen_s: AtomicU32,
}

impl Series {
    /// Whether it has more than one point a minute.
    pub(super) fn is_fine(&self) -> bool {
        self.is_fine.load(Ordering::Relaxed)
    }

    fn key(&self) -> Vec<u8> {
        MetricRow::key(self.place.account, &self.place.region, self.id)
    }

    /// Remembers when it had a point.
    pub(super) fn seen(&self, at_s: u32) {
        self.seen_s.fetch_max(at_s, Ordering::Relaxed);
    }
}

/// What a listing asks for.
pub(super) struct Filter<'a> {
    pub(super) namespace: Option<&'a str>,
    pub(super) name: Option<&'a str>,
    /// Names, and values if they matter.
    pub(super) dimensions: Vec<(&'a str, Option<&'a str>)>,
    /// Metrics that had a point after this second.
    pub(super) seen_s: u32,
}

/// See the module.
pub(super) struct Metrics {
    store: Part,
    series_max: usize,
    known: RwLock<Known>,
    /// One at a time makes new ones.
    making: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    /// By [`key`].
    metrics: BTreeMap<Arc<str>, Vec<Arc<Series>>>,
    series: HashMap<SeriesId, Arc<Series>>,
    next_id: SeriesId,
}

/// A metric with a unit, and whether its point is within a minute.
pub(super) type Wanted = (MetricName, StandardUnit, bool);

impl Metrics {
    /// Reads the rows.
    ///
    /// # Errors
    /// `Corrupt` naming the key.
    pub(super) fn open(store: Part, options: &Options) -> store::Result<Self> {
        let mut known = Known::default();
        for (key, row) in rows::scan::<MetricRow>(&store, MetricRow::PREFIX)? {
            let named = MetricRow::parse_key(&key);
            let (account, region, id) = named.ok_or_else(|| unreadable(&key))?;
            let unit = unit(&row.unit).ok_or_else(|| unreadable(&key))?;
            known.insert(Place { account, region }, (id, unit), row);
        }
        let (known, making) = (RwLock::new(known), tokio::sync::Mutex::default());
        Ok(Self { store, series_max: options.series_max, known, making })
    }

    /// The series of a metric.
    pub(super) fn find(&self, place: &Place, name: &MetricName) -> Vec<Arc<Series>> {
        let known = self.known.read();
        known.metrics.get(&*key(place, name)).cloned().unwrap_or_default()
    }

    pub(super) fn get(&self, id: SeriesId) -> Option<Arc<Series>> {
        self.known.read().series.get(&id).cloned()
    }

    /// The series of each of these, made where there is none.
    ///
    /// # Errors
    /// `LimitExceeded` there are too many; what the store says.
    pub(super) async fn take(
        &self,
        cx: &Cx,
        place: &Place,
        wanted: &[Wanted],
    ) -> Result<Vec<Arc<Series>>> {
        let found = self.find_all(place, wanted);
        let found: Option<Vec<_>> = found.into_iter().collect();
        match found {
            Some(found) => Ok(found),
            None => self.make(cx, place, wanted).await,
        }
    }

    /// The series of each of these, where there is one.
    pub(super) fn find_all(&self, place: &Place, wanted: &[Wanted]) -> Vec<Option<Arc<Series>>> {
        let known = self.known.read();
        let find = |(name, unit, is_fine): &Wanted| {
            let series = known.metrics.get(&*key(place, name))?;
            let series = series.iter().find(|series| series.unit == *unit)?;
            (series.is_fine() || !is_fine).then(|| series.clone())
        };
        wanted.iter().map(find).collect()
    }

    async fn make(&self, cx: &Cx, place: &Place, wanted: &[Wanted]) -> Result<Vec<Arc<Series>>> {
        let _one = self.making.lock().await;
        let found = self.find_all(place, wanted);
        let mut rows: Vec<(SeriesId, StandardUnit, MetricRow)> = Vec::new();
        let mut made: HashMap<(&MetricName, StandardUnit), usize> = HashMap::new();
        let mut next_id = self.known.read().next_id;
        for ((name, unit, is_fine), _) in
            wanted.iter().zip(&found).filter(|(_, found)| found.is_none())
        {
            if let Some(at) = made.get(&(name, *unit)) {
                rows[*at].2.is_fine |= *is_fine;
                continue;
            }
            let before = self.find(place, name).into_iter().find(|series| series.unit == *unit);
            let (id, row) = match before {
                Some(series) => (series.id, MetricRow { is_fine: true, ..series.row.clone() }),
                None => {
                    next_id += 1;
                    (next_id - 1, self.new_row(name, (*unit, *is_fine)))
                }
            };
            made.insert((name, *unit), rows.len());
            rows.push((id, *unit, row));
        }
        self.check_room(place, (next_id - self.known.read().next_id) as usize)?;
        let mut transaction = Transaction::default();
        for (id, _, row) in &rows {
            rows::put(&mut transaction, MetricRow::key(place.account, &place.region, *id), row);
        }
        self.store.commit(transaction).await.map_err(|e| super::errors::fail(cx, &e))?;
        let mut known = self.known.write();
        for (id, unit, row) in rows {
            known.insert(place.clone(), (id, unit), row);
        }
        drop(known);
        let found: Option<Vec<_>> = self.find_all(place, wanted).into_iter().collect();
        found.ok_or_else(texts::broken)
    }

    fn new_row(&self, name: &MetricName, (unit, is_fine): (StandardUnit, bool)) -> MetricRow {
        let MetricName { namespace, name, dimensions } = name.clone();
        let now_s = self.store.clock().now_ms() / 1000;
        let seen_day = u32::try_from(now_s / i64::from(DAY_S)).unwrap_or_default();
        let unit = unit.as_str().into();
        MetricRow { namespace, name, dimensions, unit, is_fine, seen_day }
    }

    /// An account may have four fifths of all series.
    fn check_room(&self, place: &Place, more: usize) -> Result<()> {
        if more == 0 {
            return Ok(());
        }
        let known = self.known.read();
        let start = format!("{}/", place.account);
        let of_account =
            known.metrics.range::<str, _>((Bound::Included(&*start), Bound::Unbounded));
        let of_account = of_account.take_while(|(key, _)| key.starts_with(&start));
        let count: usize = of_account.map(|(_, series)| series.len()).sum();
        let is_over =
            known.series.len() + more > self.series_max || count + more > self.series_max / 5 * 4;
        if is_over { Err(texts::too_many_metrics(self.series_max)) } else { Ok(()) }
    }

    /// The metrics of an account and region that pass a filter, in order, behind `after`; and where
    /// to go on when there are more.
    pub(super) fn list(
        &self,
        place: &Place,
        filter: &Filter<'_>,
        after: Option<&str>,
        metrics_max: usize,
    ) -> (Vec<MetricName>, Option<String>) {
        let mut start = format!("{}/{}/", place.account, place.region);
        if let Some(namespace) = filter.namespace {
            write!(start, "{namespace}\0").expect("a string takes all");
            if let Some(name) = filter.name {
                write!(start, "{name}\0").expect("a string takes all");
            }
        }
        let from = match after {
            Some(after) => Bound::Excluded(after),
            None => Bound::Included(&*start),
        };
        let known = self.known.read();
        let (mut found, mut last) = (Vec::new(), None);
        for (key, series) in known.metrics.range::<str, _>((from, Bound::Unbounded)) {
            if !key.starts_with(&start) {
                break;
            }
            let Some(first) = series.first().filter(|_| filter.has(series)) else { continue };
            if found.len() == metrics_max {
                return (found, last);
            }
            found.push(first.row.metric());
            last = Some(key.to_string());
        }
        (found, None)
    }

    /// Stores by when series had points last, and forgets those whose points are all gone.
    ///
    /// # Errors
    /// As [`Part::commit`].
    pub(super) async fn keep_up(&self, today: u32) -> store::Result<()> {
        let day = |series: &Series| series.seen_s.load(Ordering::Relaxed) / DAY_S;
        let (late, gone): (Vec<_>, Vec<_>) = {
            let known = self.known.read();
            let all = || known.series.values().cloned();
            let is_gone = |series: &Arc<Series>| day(series) + FORGOTTEN_DAYS < today;
            let is_late = |series: &Arc<Series>| day(series) > series.row.seen_day;
            (all().filter(is_late).collect(), all().filter(is_gone).collect())
        };
        for some in late.chunks(ROWS_AT_ONCE) {
            let _one = self.making.lock().await;
            let mut transaction = Transaction::default();
            let mut rows = Vec::new();
            for series in some.iter().filter_map(|series| self.get(series.id)) {
                let row = MetricRow {
                    seen_day: day(&series),
                    is_fine: series.is_fine(),
                    ..series.row.clone()
                };
                rows::put(&mut transaction, series.key(), &row);
                rows.push((series.place.clone(), (series.id, series.unit), row));
            }
            self.store.commit(transaction).await?;
            let mut known = self.known.write();
            for (place, series, row) in rows {
                known.insert(place, series, row);
            }
        }
        for some in gone.chunks(ROWS_AT_ONCE) {
            let _one = self.making.lock().await;
            let mut transaction = Transaction::default();
            transaction.frees_room();
            for series in some {
                transaction.remove(series.key());
            }
            self.store.commit(transaction).await?;
            let mut known = self.known.write();
            for series in some {
                known.remove(series);
            }
        }
        Ok(())
    }
}

impl Known {
    /// Shows a series that the catalog has, or how it is by now.
    fn insert(&mut self, place: Place, (id, unit): (SeriesId, StandardUnit), row: MetricRow) {
        let key: Arc<str> = key(&place, &row.metric()).into();
        let seen_s = row.seen_day * DAY_S;
        let is_fine = AtomicBool::new(row.is_fine);
        let series = Series { id, unit, place, row, is_fine, seen_s: AtomicU32::new(seen_s) };
        if let Some(before) = self.series.get(&id) {
            series.seen(before.seen_s.load(Ordering::Relaxed));
        }
        let series = Arc::new(series);
        self.next_id = self.next_id.max(id + 1);
        self.series.insert(id, series.clone());
        let of_metric = self.metrics.entry(key).or_default();
        of_metric.retain(|known| known.id != id);
        of_metric.push(series);
    }

    fn remove(&mut self, series: &Series) {
        let key = key(&series.place, &series.row.metric());
        self.series.remove(&series.id);
        if let Some(of_metric) = self.metrics.get_mut(&*key) {
            of_metric.retain(|known| known.id != series.id);
            if of_metric.is_empty() {
                self.metrics.remove(&*key);
            }
        }
    }
}

impl Filter<'_> {
    fn has(&self, series: &[Arc<Series>]) -> bool {
        let Some(first) = series.first() else { return false };
        let is_seen = |s: &Arc<Series>| s.seen_s.load(Ordering::Relaxed) >= self.seen_s;
        let has = |(name, value): &(&str, Option<&str>)| {
            let mut dimensions = first.row.dimensions.iter();
            dimensions.any(|(known, of)| **known == **name && value.is_none_or(|v| **of == *v))
        };
        self.namespace.is_none_or(|wanted| *first.row.namespace == *wanted)
            && self.name.is_none_or(|wanted| *first.row.name == *wanted)
            && self.dimensions.iter().all(has)
            && series.iter().any(is_seen)
    }
}

impl MetricRow {
    fn metric(&self) -> MetricName {
        let Self { namespace, name, dimensions, .. } = self.clone();
        MetricName { namespace, name, dimensions }
    }
}

/// The place of a metric among all others. None of its parts has control characters.
fn key(place: &Place, name: &MetricName) -> String {
    let MetricName { namespace, name, dimensions } = name;
    let mut key = format!("{}/{}/{namespace}\0{name}\0", place.account, place.region);
    for (name, value) in dimensions {
        write!(key, "{name}\0{value}\0").expect("a string takes all");
    }
    key
}

/// The unit of this name.
pub(super) fn unit(name: &str) -> Option<StandardUnit> {
    StandardUnit::ALL.iter().copied().find(|unit| unit.as_str() == name)
}

fn unreadable(key: &Bytes) -> store::Error {
    let key = String::from_utf8_lossy(key);
    store::Error::new(ErrorKind::Corrupt, format!("catalog row `{key}`: it is no series"))
}
