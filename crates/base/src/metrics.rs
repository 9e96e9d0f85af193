//! Counters and histograms that services keep: `/metrics` prints them, and a reader may take their
//! numbers as CloudWatch calls them.
//!
//! A family has one [`Definition`] and a fixed set of label names; a handle is found once and then
//! costs one atomic add.

use crate::env::Clock;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A number that only grows.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// The number now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes both ways: whole, or a time in seconds.
#[derive(Clone, Debug, Default)]
pub struct Gauge(Arc<AtomicU64>);

impl Gauge {
    /// Sets the number.
    pub fn set(&self, value: u64) {
        self.store(value as f64);
    }

    /// Sets the number to a time in seconds.
    pub fn set_time(&self, time: Duration) {
        self.store(time.as_secs_f64());
    }

    /// Adds one.
    pub fn inc(&self) {
        self.add(1.0);
    }

    /// Takes one away.
    pub fn dec(&self) {
        self.add(-1.0);
    }

    /// The number now.
    pub fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }

    fn store(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    fn add(&self, n: f64) {
        let added = |bits| Some((f64::from_bits(bits) + n).to_bits());
        let _before = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, added);
    }
}

/// Length of the windows of a [`WindowMax`].
const WINDOW: Duration = Duration::from_secs(60);

/// The longest time seen in this minute and the one before it; no number when none was seen.
#[derive(Clone)]
pub struct WindowMax(Arc<WindowCells>);

struct WindowCells {
    clock: Arc<dyn Clock>,
    /// The two last windows that had a value, the newer first.
    windows: Mutex<[Window; 2]>,
}

/// A window's number since the clock's start, and its longest time.
type Window = (u64, Duration);

impl WindowMax {
    fn new(clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(WindowCells { clock, windows: Mutex::default() }))
    }

    /// Takes in one time.
    pub fn observe(&self, time: Duration) {
        let number = self.number();
        let mut windows = self.0.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows[0].0 == number {
            windows[0].1 = windows[0].1.max(time);
        } else {
            *windows = [(number, time), windows[0]];
        }
    }

    /// The longest time now.
    pub fn get(&self) -> Option<Duration> {
        let number = self.number();
        let windows = *self.0.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = windows.into_iter().filter(|(of, _)| of + 1 >= number);
        recent.filter(|(of, _)| *of > 0).map(|(_, time)| time).max()
    }

    /// The window of this moment; the first is 1, so that 0 means none.
    fn number(&self) -> u64 {
        self.0.clock.monotonic().as_secs() / WINDOW.as_secs() + 1
    }
}

impl fmt::Debug for WindowMax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WindowMax").field(&self.get()).finish()
    }
}

/// Upper bounds, in seconds, of a latency histogram's buckets.
const BOUNDS_SECONDS: [f64; 12] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0];

/// Latencies in seconds.
#[derive(Clone, Debug, Default)]
pub struct Histogram(Arc<HistogramCells>);

#[derive(Debug, Default)]
struct HistogramCells {
    buckets: [AtomicU64; BOUNDS_SECONDS.len() + 1],
    sum_nanos: AtomicU64,
}

impl Histogram {
    /// Records one duration.
    pub fn observe(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = BOUNDS_SECONDS.partition_point(|bound| *bound < seconds);
        self.0.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.0.sum_nanos.fetch_add(took.as_nanos() as u64, Ordering::Relaxed);
    }

    fn print(&self, out: &mut String, name: &str, labels: &str) {
        let comma = if labels.is_empty() { "" } else { "," };
        let mut total = 0;
        for (cell, bound) in self.0.buckets.iter().zip(BOUNDS_SECONDS) {
            total += cell.load(Ordering::Relaxed);
            put(out, format_args!("{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {total}\n"));
        }
        total += self.0.buckets[BOUNDS_SECONDS.len()].load(Ordering::Relaxed);
        put(out, format_args!("{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {total}\n"));
        let sum = self.0.sum_nanos.load(Ordering::Relaxed) as f64 / 1e9;
        put(out, format_args!("{name}_sum{{{labels}}} {sum}\n{name}_count{{{labels}}} {total}\n"));
    }
}

/// Whole numbers that were seen: how many and their sum since the start, the least and the greatest
/// since a reader took them last.
#[derive(Clone, Debug, Default)]
pub struct Summary(Arc<SummaryCells>);

#[derive(Debug)]
struct SummaryCells {
    count: AtomicU64,
    sum: AtomicU64,
    least: AtomicU64,
    greatest: AtomicU64,
}

impl Default for SummaryCells {
    fn default() -> Self {
        let zero = AtomicU64::default;
        Self { count: zero(), sum: zero(), least: AtomicU64::new(u64::MAX), greatest: zero() }
    }
}

impl Summary {
    /// Takes in one number: two atomic additions and two looks, mostly.
    pub fn observe(&self, number: u64) {
        self.0.count.fetch_add(1, Ordering::Relaxed);
        self.0.sum.fetch_add(number, Ordering::Relaxed);
        // Mostly they need no change, and a look is cheaper than one.
        if number < self.0.least.load(Ordering::Relaxed) {
            self.0.least.fetch_min(number, Ordering::Relaxed);
        }
        if number > self.0.greatest.load(Ordering::Relaxed) {
            self.0.greatest.fetch_max(number, Ordering::Relaxed);
        }
    }

    /// The numbers; the least and the greatest begin anew.
    fn take(&self) -> Numbers {
        Numbers::Summary {
            count: self.0.count.load(Ordering::Relaxed),
            sum: self.0.sum.load(Ordering::Relaxed),
            least: self.0.least.swap(u64::MAX, Ordering::Relaxed),
            greatest: self.0.greatest.swap(0, Ordering::Relaxed),
        }
    }

    fn print(&self, out: &mut String, name: &str, labels: &str) {
        let braced = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        let count = self.0.count.load(Ordering::Relaxed);
        let sum = self.0.sum.load(Ordering::Relaxed);
        put(out, format_args!("{name}_sum{braced} {sum}\n{name}_count{braced} {count}\n"));
    }
}

/// A family of numbers, and all that it is called.
#[derive(Debug)]
pub struct Definition {
    /// Prometheus's name, as `millweir_kinesis_incoming_bytes_total`.
    pub name: &'static str,
    /// One sentence.
    pub help: &'static str,
    /// What CloudWatch calls it; numbers of ours have no such name.
    pub aws: &'static [AwsMetric],
}

impl Definition {
    /// A family that AWS does not have.
    pub const fn ours(name: &'static str, help: &'static str) -> Self {
        Self { name, help, aws: &[] }
    }
}

/// A metric of AWS that a family's numbers make.
#[derive(Clone, Copy, Debug)]
pub struct AwsMetric {
    /// As `AWS/Kinesis`.
    pub namespace: &'static str,
    /// As `IncomingBytes`.
    pub name: &'static str,
    /// As `Bytes`.
    pub unit: &'static str,
    /// What a number of the family is multiplied with, as 1000 to make milliseconds of seconds.
    pub scale: f64,
    /// Labels that are dimensions, and what they are called there. Cells that differ in others only
    /// belong together.
    pub dimensions: &'static [(&'static str, &'static str)],
    /// The metric is made of cells with these labels alone.
    pub only: &'static [(&'static str, &'static str)],
    /// Whether it is made only where it is wanted, see [`Registry::enhance`].
    pub is_enhanced: bool,
}

/// What a cell holds at one moment.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    /// All since the start.
    Counter(u64),
    /// What is now.
    Gauge(f64),
    /// How many and their sum since the start, the least and the greatest since the last sample.
    Summary {
        /// How many.
        count: u64,
        /// Their sum.
        sum: u64,
        /// The least; `u64::MAX` when there was none.
        least: u64,
        /// The greatest.
        greatest: u64,
    },
}

/// A number at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Names and values of the labels.
    pub labels: Vec<(String, String)>,
    /// What it holds.
    pub numbers: Numbers,
}

impl AwsMetric {
    /// The dimensions that a sample has here; nothing when it is no part of it.
    pub fn dimensions_of(&self, sample: &Sample) -> Option<Vec<(&'static str, String)>> {
        let label = |name: &str| {
            sample.labels.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
        };
        let is_part = self.only.iter().all(|(name, value)| label(name) == Some(value));
        let dimensions: Option<Vec<_>> = self
            .dimensions
            .iter()
            .map(|(name, called)| Some((*called, label(name)?.to_owned())))
            .collect();
        dimensions.filter(|_| is_part)
    }
}

#[derive(Debug, Clone)]
enum Cell {
    Counter(Counter),
    Gauge(Gauge),
    WindowMax(WindowMax),
    Histogram(Histogram),
    Summary(Summary),
}

#[derive(Debug)]
struct Family {
    definition: &'static Definition,
    kind: &'static str,
    cells: BTreeMap<String, Cell>,
}

/// All metrics of one process; cheap to clone.
#[derive(Clone, Default)]
pub struct Registry(Arc<Mutex<BTreeMap<&'static str, Family>>>, Arc<Mutex<Enhancers>>);

/// Whether an enhanced metric is wanted of a sample.
type Enhancer = Box<dyn Fn(&AwsMetric, &Sample) -> bool + Send>;

/// By the namespaces of the metrics.
type Enhancers = BTreeMap<&'static str, Enhancer>;

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registry").field(&self.0).finish()
    }
}

/// Most label sets of one family; past it new ones share an unlisted cell, so that names chosen by
/// clients cannot fill the memory.
const CELLS_MAX: usize = 10_000;

impl Registry {
    /// The counter of this family and these labels.
    pub fn counter(&self, definition: &'static Definition, labels: &[(&str, &str)]) -> Counter {
        let made = Cell::Counter(Counter::default());
        let Cell::Counter(c) = self.cell((definition, "counter"), labels, made) else {
            return Counter::default();
        };
        c
    }

    /// The gauge of this family and these labels.
    pub fn gauge(&self, definition: &'static Definition, labels: &[(&str, &str)]) -> Gauge {
        let made = Cell::Gauge(Gauge::default());
        let Cell::Gauge(g) = self.cell((definition, "gauge"), labels, made) else {
            return Gauge::default();
        };
        g
    }

    /// The gauge of this family and these labels that shows the longest time of a window.
    pub fn window_max(
        &self,
        definition: &'static Definition,
        labels: &[(&str, &str)],
        clock: &Arc<dyn Clock>,
    ) -> WindowMax {
        let made = Cell::WindowMax(WindowMax::new(clock.clone()));
        let Cell::WindowMax(w) = self.cell((definition, "gauge"), labels, made) else {
            return WindowMax::new(clock.clone());
        };
        w
    }

    /// The histogram of this family and these labels.
    pub fn histogram(&self, definition: &'static Definition, labels: &[(&str, &str)]) -> Histogram {
        let made = Cell::Histogram(Histogram::default());
        let Cell::Histogram(h) = self.cell((definition, "histogram"), labels, made) else {
            return Histogram::default();
        };
        h
    }

    /// The summary of this family and these labels.
    pub fn summary(&self, definition: &'static Definition, labels: &[(&str, &str)]) -> Summary {
        let made = Cell::Summary(Summary::default());
        let Cell::Summary(s) = self.cell((definition, "summary"), labels, made) else {
            return Summary::default();
        };
        s
    }

    /// Has enhanced metrics of a namespace made where `is_wanted` says so; nowhere before.
    pub fn enhance(
        &self,
        namespace: &'static str,
        is_wanted: impl Fn(&AwsMetric, &Sample) -> bool + Send + 'static,
    ) {
        let mut enhancers = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        enhancers.insert(namespace, Box::new(is_wanted));
    }

    /// Whether a metric is made of a sample.
    pub fn wants(&self, metric: &AwsMetric, sample: &Sample) -> bool {
        if !metric.is_enhanced {
            return true;
        }
        let enhancers = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        enhancers.get(metric.namespace).is_some_and(|is_wanted| is_wanted(metric, sample))
    }

    /// Forgets every cell that carries this label, as when a stream is deleted.
    pub fn forget(&self, label: (&str, &str)) {
        let text = render_labels(&[label]);
        let mut families = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for family in families.values_mut() {
            family.cells.retain(|labels, _| !carries(labels, &text));
        }
    }

    /// Forgets every cell that carries all of these labels.
    pub fn forget_all(&self, labels: &[(&str, &str)]) {
        let wanted: Vec<String> = labels.iter().map(|label| render_labels(&[*label])).collect();
        let mut families = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for family in families.values_mut() {
            family.cells.retain(|labels, _| !wanted.iter().all(|text| carries(labels, text)));
        }
    }

    /// The Prometheus text format, version 0.0.4.
    pub fn render(&self) -> String {
        let families = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = String::new();
        for (name, family) in families.iter() {
            let (help, kind) = (family.definition.help, family.kind);
            put(&mut out, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
            for (labels, cell) in &family.cells {
                let braced =
                    if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
                match cell {
                    Cell::Counter(c) => put(&mut out, format_args!("{name}{braced} {}\n", c.get())),
                    Cell::Gauge(g) => put(&mut out, format_args!("{name}{braced} {}\n", g.get())),
                    Cell::WindowMax(w) => {
                        if let Some(time) = w.get() {
                            let seconds = time.as_secs_f64();
                            put(&mut out, format_args!("{name}{braced} {seconds}\n"));
                        }
                    }
                    Cell::Histogram(h) => h.print(&mut out, name, labels),
                    Cell::Summary(s) => s.print(&mut out, name, labels),
                }
            }
        }
        out
    }

    /// Every number of every family that has a name of AWS's, now; summaries begin their least and
    /// greatest anew, so that one reader alone may call this.
    pub fn samples(&self) -> Vec<(&'static Definition, Sample)> {
        let families = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut samples = Vec::new();
        for family in families.values().filter(|family| !family.definition.aws.is_empty()) {
            for (labels, cell) in &family.cells {
                let numbers = match cell {
                    Cell::Counter(c) => Some(Numbers::Counter(c.get())),
                    Cell::Gauge(g) => Some(Numbers::Gauge(g.get())),
                    Cell::WindowMax(w) => w.get().map(|time| Numbers::Gauge(time.as_secs_f64())),
                    Cell::Summary(s) => Some(s.take()),
                    Cell::Histogram(_) => None,
                };
                let sample = |numbers| Sample { labels: read_labels(labels), numbers };
                samples.extend(numbers.map(|numbers| (family.definition, sample(numbers))));
            }
        }
        samples
    }

    fn cell(
        &self,
        (definition, kind): (&'static Definition, &'static str),
        labels: &[(&str, &str)],
        made: Cell,
    ) -> Cell {
        let mut families = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let made_family = || Family { definition, kind, cells: BTreeMap::new() };
        let family = families.entry(definition.name).or_insert_with(made_family);
        let labels = render_labels(labels);
        if family.cells.len() >= CELLS_MAX && !family.cells.contains_key(&labels) {
            return made;
        }
        family.cells.entry(labels).or_insert(made).clone()
    }
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to a string cannot fail");
}

/// Whether rendered labels have this one among them. Quotes in values are escaped, so that none
/// of them looks like a label.
fn carries(labels: &str, label: &str) -> bool {
    labels.match_indices(label).any(|(at, _)| {
        let (before, rest) = labels.split_at(at);
        let after = rest.strip_prefix(label).unwrap_or_default();
        (before.is_empty() || before.ends_with(',')) && (after.is_empty() || after.starts_with(','))
    })
}

fn render_labels(labels: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in labels {
        let comma = if out.is_empty() { "" } else { "," };
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        put(&mut out, format_args!("{comma}{name}=\"{value}\""));
    }
    out
}

/// The labels that [`render_labels`] wrote.
fn read_labels(text: &str) -> Vec<(String, String)> {
    let (mut labels, mut rest) = (Vec::new(), text);
    while let Some((name, behind)) = rest.split_once("=\"") {
        let (mut value, mut chars) = (String::new(), behind.chars());
        while let Some(c) = chars.next().filter(|c| *c != '"') {
            value.extend(match c {
                '\\' => chars.next().map(|c| if c == 'n' { '\n' } else { c }),
                c => Some(c),
            });
        }
        rest = chars.as_str().trim_start_matches(',');
        labels.push((name.to_owned(), value));
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::Sleep;
    use proptest::prelude::*;

    static A: Definition = Definition::ours("a", "A.");
    static A_SECONDS: Definition = Definition::ours("a_seconds", "A.");
    static A_TOTAL: Definition = Definition::ours("a_total", "A.");
    static B_SECONDS: Definition = Definition::ours("b_seconds", "B.");
    static NAMED: Definition = Definition {
        name: "c_seconds",
        help: "C.",
        aws: &[AwsMetric {
            namespace: "AWS/C",
            name: "Age",
            unit: "Milliseconds",
            scale: 1000.0,
            dimensions: &[("stream", "StreamName")],
            only: &[("mode", "poll")],
            is_enhanced: false,
        }],
    };

    #[test]
    fn a_reader_has_the_numbers_under_aws_s_names() {
        let registry = Registry::default();
        registry.counter(&A_TOTAL, &[]).add(1);
        let odd = "a,b=\"c\\\n";
        registry
            .gauge(&NAMED, &[("stream", odd), ("mode", "poll")])
            .set_time(Duration::from_millis(5));
        registry.gauge(&NAMED, &[("stream", "s"), ("mode", "push")]).set(1);
        let samples = registry.samples();
        assert_eq!(samples.len(), 2, "families without such a name are left out");
        let made: Vec<_> = samples
            .iter()
            .filter_map(|(of, sample)| Some((of.aws[0].dimensions_of(sample)?, &sample.numbers)))
            .collect();
        assert_eq!(made, [(vec![("StreamName", odd.to_owned())], &Numbers::Gauge(0.005))]);
    }

    #[test]
    fn a_gauge_is_whole_or_a_time() {
        let registry = Registry::default();
        let gauge = registry.gauge(&A, &[]);
        gauge.set(3);
        gauge.inc();
        gauge.dec();
        assert!(registry.render().ends_with("a 3\n"));
        gauge.set_time(Duration::from_millis(1250));
        assert!(registry.render().ends_with("a 1.25\n"));
    }

    #[test]
    fn a_window_shows_its_longest_time_and_then_nothing() {
        let clock = Arc::new(Hands(AtomicU64::new(3599)));
        let (registry, dynamic) = (Registry::default(), clock.clone() as Arc<dyn Clock>);
        let longest = registry.window_max(&A_SECONDS, &[], &dynamic);
        assert!(registry.render().ends_with("gauge\n"), "nothing seen yet");
        longest.observe(Duration::from_millis(1500));
        longest.observe(Duration::from_secs(1));
        assert!(registry.render().ends_with("a_seconds 1.5\n"));
        clock.0.store(3600, Ordering::Relaxed);
        longest.observe(Duration::from_millis(500));
        assert_eq!(longest.get(), Some(Duration::from_millis(1500)), "of the minute before");
        clock.0.store(3660, Ordering::Relaxed);
        assert_eq!(longest.get(), Some(Duration::from_millis(500)));
        clock.0.store(3720, Ordering::Relaxed);
        assert_eq!(longest.get(), None);
        assert!(registry.render().ends_with("gauge\n"), "nothing seen of late");
    }

    /// A clock whose seconds are set by hand.
    struct Hands(AtomicU64);

    impl Clock for Hands {
        fn now_ms(&self) -> i64 {
            0
        }

        fn monotonic(&self) -> Duration {
            Duration::from_secs(self.0.load(Ordering::Relaxed))
        }

        fn sleep(&self, _: Duration) -> Sleep {
            Box::pin(std::future::pending())
        }
    }

    #[test]
    fn same_labels_share_a_cell() {
        let registry = Registry::default();
        registry.counter(&A_TOTAL, &[("op", "x\"y")]).add(2);
        registry.counter(&A_TOTAL, &[("op", "x\"y")]).add(3);
        let text = registry.render();
        assert!(text.contains("a_total{op=\"x\\\"y\"} 5\n"), "{text}");
    }

    #[test]
    fn histogram_counts_add_up() {
        let registry = Registry::default();
        let h = registry.histogram(&B_SECONDS, &[]);
        h.observe(std::time::Duration::from_micros(50));
        h.observe(std::time::Duration::from_secs(60));
        let text = registry.render();
        assert!(text.contains("b_seconds_bucket{le=\"0.0001\"} 1\n"), "{text}");
        assert!(text.contains("b_seconds_bucket{le=\"+Inf\"} 2\n"), "{text}");
        assert!(text.contains("b_seconds_count{} 2\n"), "{text}");
    }

    #[test]
    fn a_label_with_a_comma_is_forgotten() {
        static ONE: Definition = Definition::ours("one_total", "One.");
        let registry = Registry::default();
        for (a, b) in [("x,y", "1"), ("x", "1,a=\"x\""), ("z", "1")] {
            registry.counter(&ONE, &[("a", a), ("b", b)]).add(1);
        }
        registry.forget(("a", "x,y"));
        assert_eq!(registry.render().matches("one_total{").count(), 2);
        registry.forget_all(&[("a", "x"), ("b", "1,a=\"x\"")]);
        registry.forget(("a", "1"));
        assert_eq!(registry.render().matches("one_total{").count(), 1);
    }

    /// What `/metrics` shows, whole.
    fn check(registry: &Registry, want: &[&str]) {
        let text = registry.render();
        assert!(text.is_empty() || text.ends_with('\n'), "{text}");
        assert_eq!(text.lines().collect::<Vec<_>>(), want);
    }

    #[test]
    fn families_and_cells_are_in_order() {
        let registry = Registry::default();
        check(&registry, &[]);
        registry.counter(&A_TOTAL, &[("op", "z"), ("code", "200")]).add(3);
        registry.counter(&A_TOTAL, &[("op", "b"), ("code", "500")]).add(u64::MAX);
        registry.counter(&A_TOTAL, &[]).add(0);
        registry.gauge(&NAMED, &[("stream", "s")]).set(7);
        registry.gauge(&A, &[]).dec();
        check(
            &registry,
            &[
                "# HELP a A.",
                "# TYPE a gauge",
                "a -1",
                "# HELP a_total A.",
                "# TYPE a_total counter",
                "a_total 0",
                r#"a_total{op="b",code="500"} 18446744073709551615"#,
                r#"a_total{op="z",code="200"} 3"#,
                "# HELP c_seconds C.",
                "# TYPE c_seconds gauge",
                r#"c_seconds{stream="s"} 7"#,
            ],
        );
    }

    #[test]
    fn values_of_labels_are_escaped() {
        for (value, want) in [
            ("plain", r#"a{op="plain"} 1"#),
            ("", r#"a{op=""} 1"#),
            (r"\", r#"a{op="\\"} 1"#),
            (r#"""#, r#"a{op="\""} 1"#),
            ("\n", r#"a{op="\n"} 1"#),
            (r"\n", r#"a{op="\\n"} 1"#),
            (r#"x",y="z"#, r#"a{op="x\",y=\"z"} 1"#),
            ("{é}\t", "a{op=\"{é}\t\"} 1"),
        ] {
            let registry = Registry::default();
            registry.gauge(&A, &[("op", value)]).set(1);
            check(&registry, &["# HELP a A.", "# TYPE a gauge", want]);
        }
    }

    /// A bound belongs to its bucket, and each bucket holds those before it.
    #[test]
    fn buckets_of_a_histogram() {
        for (nanos, first) in [
            (0, "0.0001"),
            (100_000, "0.0001"),
            (100_001, "0.00025"),
            (1_000_000, "0.001"),
            (250_000_000, "0.25"),
            (1_000_000_000, "1"),
            (1_000_000_001, "5"),
            (5_000_000_000, "5"),
            (5_000_000_001, "+Inf"),
        ] {
            let registry = Registry::default();
            let histogram = registry.histogram(&B_SECONDS, &[("op", "x")]);
            histogram.observe(Duration::from_nanos(nanos));
            histogram.observe(Duration::from_nanos(nanos));
            let text = registry.render();
            let (mut counted, mut bounds) = (Vec::new(), Vec::new());
            for line in text.lines().filter(|line| line.starts_with("b_seconds_bucket{")) {
                let (labels, count) = line.rsplit_once(' ').unwrap();
                let bound = labels.strip_prefix(r#"b_seconds_bucket{op="x",le=""#).unwrap();
                bounds.push(bound.strip_suffix("\"}").unwrap().to_owned());
                counted.push(count.parse::<u64>().unwrap());
            }
            let at = bounds.iter().position(|bound| bound == first).unwrap();
            let want: Vec<u64> = (0..13).map(|n| if n < at { 0 } else { 2 }).collect();
            assert_eq!(counted, want, "{nanos} ns");
            assert!(text.contains("\n# TYPE b_seconds histogram\n"), "{text}");
            assert!(text.ends_with("b_seconds_count{op=\"x\"} 2\n"), "{text}");
            let sum = text.lines().find_map(|l| l.strip_prefix(r#"b_seconds_sum{op="x"} "#));
            let seconds: f64 = sum.unwrap().parse().unwrap();
            assert!((seconds - 2.0 * nanos as f64 / 1e9).abs() < 1e-12, "{seconds}");
        }
    }

    #[test]
    fn what_is_forgotten_is_gone_and_nothing_else() {
        let made = || {
            let registry = Registry::default();
            for (stream, op) in [("s", "put"), ("s", "get"), ("ss", "put"), ("t\"", "put")] {
                registry.counter(&A_TOTAL, &[("stream", stream), ("op", op)]).add(1);
                registry.gauge(&NAMED, &[("stream", stream)]).set(1);
            }
            registry.gauge(&A, &[]).set(1);
            registry
        };
        let cells = |registry: &Registry| {
            let text = registry.render();
            text.lines().filter(|line| !line.starts_with('#')).count()
        };
        for (labels, left) in [
            (&[("stream", "s")][..], 5),
            (&[("stream", "t\"")], 6),
            (&[("stream", "s"), ("op", "put")], 7),
            (&[("op", "put"), ("stream", "s")], 7),
            (&[("op", "put")], 5),
            (&[("op", "x"), ("stream", "s")], 8),
            (&[("tream", "s")], 8),
            (&[], 0),
        ] {
            let registry = made();
            registry.forget_all(labels);
            assert_eq!(cells(&registry), left, "{labels:?}");
            if let [label] = labels {
                let registry = made();
                registry.forget(*label);
                assert_eq!(cells(&registry), left, "{label:?}");
            }
        }
    }

    /// What was forgotten counts on where it is held, and begins anew for whoever asks again.
    #[test]
    fn a_handle_outlives_its_cell() {
        let registry = Registry::default();
        let held = registry.counter(&A_TOTAL, &[("stream", "s")]);
        held.add(5);
        registry.forget(("stream", "s"));
        held.add(1);
        assert_eq!(held.get(), 6);
        assert_eq!(registry.counter(&A_TOTAL, &[("stream", "s")]).get(), 0);
    }

    #[test]
    fn a_name_of_another_kind_disturbs_nothing() {
        let registry = Registry::default();
        registry.counter(&A, &[]).add(2);
        registry.gauge(&A, &[]).set(9);
        registry.histogram(&A, &[]).observe(Duration::from_secs(9));
        let clock: Arc<dyn Clock> = Arc::new(Hands(AtomicU64::new(0)));
        registry.window_max(&A, &[], &clock).observe(Duration::from_secs(9));
        check(&registry, &["# HELP a A.", "# TYPE a counter", "a 2"]);
    }

    #[test]
    fn names_that_clients_choose_are_bounded() {
        let registry = Registry::default();
        for n in 0..CELLS_MAX + 10 {
            registry.counter(&A_TOTAL, &[("stream", &n.to_string())]).add(1);
        }
        let lines = |registry: &Registry| registry.render().lines().count() - 2;
        assert_eq!(lines(&registry), CELLS_MAX);
        registry.counter(&A_TOTAL, &[("stream", "0")]).add(1);
        assert!(registry.render().contains("a_total{stream=\"0\"} 2\n"), "known ones go on");
        registry.forget(("stream", "7"));
        registry.counter(&A_TOTAL, &[("stream", "new")]).add(1);
        assert!(registry.render().contains("a_total{stream=\"new\"} 1\n"), "there is room again");
    }

    static PER_STREAM: AwsMetric = AwsMetric {
        namespace: "AWS/C",
        name: "Bytes",
        unit: "Bytes",
        scale: 0.5,
        dimensions: &[("stream", "StreamName"), ("shard", "ShardId")],
        only: &[("op", "put"), ("code", "200")],
        is_enhanced: true,
    };

    #[test]
    fn a_metric_of_aws_is_made_of_its_labels() {
        let stream = ("StreamName", "s".to_owned());
        let whole = Some(vec![stream, ("ShardId", "0".to_owned())]);
        for (labels, want) in [
            (&[("stream", "s"), ("shard", "0"), ("op", "put"), ("code", "200")][..], whole.clone()),
            (&[("code", "200"), ("x", "y"), ("op", "put"), ("shard", "0"), ("stream", "s")], whole),
            (&[("stream", "s"), ("shard", "0"), ("op", "get"), ("code", "200")], None),
            (&[("stream", "s"), ("shard", "0"), ("op", "put")], None),
            (&[("stream", "s"), ("op", "put"), ("code", "200")], None),
            (&[], None),
        ] {
            let labels =
                labels.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect::<Vec<_>>();
            let sample = Sample { labels, numbers: Numbers::Counter(42) };
            assert_eq!(PER_STREAM.dimensions_of(&sample), want, "{sample:?}");
        }
    }

    #[test]
    fn samples_tell_what_is_held() {
        static COUNTED: Definition = Definition { name: "d_total", help: "D.", aws: NAMED.aws };
        static TIMED: Definition = Definition { name: "e_seconds", help: "E.", aws: NAMED.aws };
        static LONGEST: Definition = Definition { name: "f_seconds", help: "F.", aws: NAMED.aws };
        static SUMMED: Definition = Definition { name: "g", help: "G.", aws: NAMED.aws };
        let registry = Registry::default();
        registry.counter(&COUNTED, &[]).add(3);
        registry.gauge(&NAMED, &[]).set(4);
        registry.histogram(&TIMED, &[]).observe(Duration::from_secs(1));
        let summary = registry.summary(&SUMMED, &[]);
        summary.observe(5);
        summary.observe(2);
        let clock: Arc<dyn Clock> = Arc::new(Hands(AtomicU64::new(0)));
        let longest = registry.window_max(&LONGEST, &[], &clock);
        let seen = |registry: &Registry| {
            let samples = registry.samples().into_iter();
            samples.map(|(of, s)| (of.name, s.numbers)).collect::<Vec<_>>()
        };
        let summed =
            |count, sum, least, greatest| ("g", Numbers::Summary { count, sum, least, greatest });
        let rest = [("c_seconds", Numbers::Gauge(4.0)), ("d_total", Numbers::Counter(3))];
        assert_eq!(seen(&registry), [&rest[..], &[summed(2, 7, 2, 5)]].concat());
        longest.observe(Duration::from_millis(1500));
        summary.observe(9);
        let seen = seen(&registry);
        assert_eq!(seen[2..], [("f_seconds", Numbers::Gauge(1.5)), summed(3, 16, 9, 9)]);
        assert!(registry.render().ends_with("# TYPE g summary\ng_sum 16\ng_count 3\n"));
    }

    #[test]
    fn enhanced_metrics_are_made_where_they_are_wanted() {
        let registry = Registry::default();
        let sample = |stream: &str| {
            let labels = vec![("stream".into(), stream.into()), ("shard".into(), "0".into())];
            Sample { labels, numbers: Numbers::Counter(1) }
        };
        assert!(!registry.wants(&PER_STREAM, &sample("s")));
        registry.enhance("AWS/C", |metric, of| {
            metric.name == "Bytes" && of.labels.contains(&("stream".into(), "s".into()))
        });
        assert!(registry.wants(&PER_STREAM, &sample("s")));
        assert!(!registry.wants(&PER_STREAM, &sample("t")));
        assert!(registry.wants(&NAMED.aws[0], &sample("t")), "the others always");
    }

    proptest! {
        #[test]
        fn labels_come_back(
            labels in prop::collection::vec(("[a-z_]{1,5}", "[a-c,=\"\\\\\n é]{0,12}"), 0..5),
        ) {
            let borrowed: Vec<(&str, &str)> =
                labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let text = render_labels(&borrowed);
            prop_assert!(!text.contains('\n'), "one line each: {}", text);
            prop_assert_eq!(read_labels(&text), labels);
        }
    }
}
