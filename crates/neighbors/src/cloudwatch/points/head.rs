//! The newest points, in memory, by series and time.

use super::tier::{Span, TIERS};
use super::{Point, SeriesId};
use std::collections::BTreeMap;

/// Points that are in no block.
#[derive(Debug, Default)]
pub(super) struct Head {
    runs: BTreeMap<SeriesId, Vec<Point>>,
    bytes: usize,
}

/// About what a series takes beside its points.
const RUN_BYTES: usize = 64;

impl Head {
    /// Bytes in memory, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes in points; those of a moment that is there are merged.
    pub(super) fn add(&mut self, points: impl IntoIterator<Item = (SeriesId, Point)>) {
        for (series, point) in points {
            let run = self.runs.entry(series).or_default();
            if run.is_empty() {
                self.bytes += RUN_BYTES;
            }
            let at = run.partition_point(|known| known.at_s < point.at_s);
            match run.get_mut(at).filter(|known| known.at_s == point.at_s) {
                Some(known) => {
                    self.bytes -= known.set.spread_bytes();
                    known.set.merge(&point.set);
                    self.bytes += known.set.spread_bytes();
                }
                None => {
                    self.bytes += size_of::<Point>() + point.set.spread_bytes();
                    run.insert(at, point);
                }
            }
        }
    }

    /// Takes in the points of another head.
    pub(super) fn take_in(&mut self, other: &Self) {
        for (series, run) in &other.runs {
            self.add(run.iter().map(|point| (*series, point.clone())));
        }
    }

    /// Each series and the time of its newest point.
    pub(super) fn newest(&self) -> impl Iterator<Item = (SeriesId, u32)> {
        self.runs.iter().filter_map(|(series, run)| Some((*series, run.last()?.at_s)))
    }

    /// Adds the points of a series in a span.
    pub(super) fn collect(&self, series: SeriesId, span: Span, found: &mut Vec<Point>) {
        let Some(run) = self.runs.get(&series) else { return };
        found.extend(run.iter().filter(|point| span.has(point.at_s)).cloned());
    }

    /// What a tier gets: the series in order, each with its points, ascending.
    pub(super) fn runs(&self, tier: usize) -> impl Iterator<Item = (SeriesId, Vec<Point>)> {
        let resolution_s = TIERS[tier].resolution_s;
        let is_fine = |run: &[Point]| run.iter().any(|point| !point.at_s.is_multiple_of(60));
        self.runs
            .iter()
            .filter(move |(_, run)| tier > 0 || is_fine(run))
            .map(move |(series, run)| (*series, merged(run.clone(), resolution_s)))
    }
}

/// Points in any order as one a moment of a resolution, ascending.
pub(super) fn merged(mut points: Vec<Point>, resolution_s: u32) -> Vec<Point> {
    for point in &mut points {
        point.at_s -= point.at_s % resolution_s;
    }
    points.sort_by_key(|point| point.at_s);
    points.dedup_by(|next, kept| {
        let is_same = next.at_s == kept.at_s;
        if is_same {
            kept.set.merge(&next.set);
        }
        is_same
    });
    points
}
