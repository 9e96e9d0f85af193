//! How fine and how long points are kept, and which of it a request can be answered from.

/// A resolution in which points are kept.
pub(super) struct Tier {
    /// Seconds between points.
    pub(super) resolution_s: u32,
    /// How long, in seconds.
    kept_s: i64,
}

const HOUR_S: i64 = 3600;
const DAY_S: i64 = 24 * HOUR_S;

/// From the finest on (AWS's documentation). The first one is of series alone that have more than
/// one point a minute.
pub(super) const TIERS: [Tier; 4] = [
    Tier { resolution_s: 1, kept_s: 3 * HOUR_S },
    Tier { resolution_s: 60, kept_s: 15 * DAY_S },
    Tier { resolution_s: 300, kept_s: 63 * DAY_S },
    Tier { resolution_s: 3600, kept_s: 455 * DAY_S },
];

impl Tier {
    pub(super) fn kept_ms(&self) -> i64 {
        self.kept_s * 1000
    }
}

/// A time in one tier, in seconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cloudwatch) struct Span {
    pub(super) tier: usize,
    /// The first second.
    pub(super) from_s: i64,
    /// The one behind the last.
    pub(super) to_s: i64,
}

impl Span {
    pub(super) fn has(self, at_s: u32) -> bool {
        (self.from_s..self.to_s).contains(&i64::from(at_s))
    }
}

/// Where the points of a time are for a period of so many seconds: of what is older than a tier
/// keeps it, only as far as the period is a multiple of the next one's resolution. `is_fine`:
/// whether the series has more than one point a minute.
pub(in crate::cloudwatch) fn spans(
    from_s: i64,
    to_s: i64,
    period_s: u32,
    (is_fine, now_s): (bool, i64),
) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut behind = to_s;
    for (tier, Tier { resolution_s, kept_s }) in TIERS.iter().enumerate() {
        let is_first = tier == 0;
        let fits = match is_first {
            true => is_fine && period_s < 60,
            // Coarse points answer a fine question, too, while there are no finer ones.
            false => period_s.is_multiple_of(*resolution_s) || (tier == 1 && !is_fine),
        };
        if !fits {
            continue;
        }
        let kept_s = if tier == 1 && period_s < 60 { TIERS[0].kept_s } else { *kept_s };
        // No point of a coarser tier is cut in two.
        let horizon_s = now_s - kept_s;
        let from_s = from_s.max(horizon_s - horizon_s.rem_euclid(HOUR_S));
        if from_s < behind {
            spans.push(Span { tier, from_s, to_s: behind });
            behind = from_s;
        }
    }
    spans.reverse();
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_is_coarser() {
        const NOW_S: i64 = 1000 * DAY_S;
        type Case<'a> = (u32, std::ops::Range<i64>, bool, &'a [(usize, i64, i64)]);
        let cases: [Case<'_>; 9] = [
            (60, 0..2, false, &[(1, 0, 2)]),
            (60, 0..2, true, &[(1, 0, 2)]),
            (60, 0..20 * 24, false, &[(1, 0, 360)]),
            (300, 0..20 * 24, false, &[(2, 360, 480), (1, 0, 360)]),
            (3600, 0..100 * 24, false, &[(3, 1512, 2400), (2, 360, 1512), (1, 0, 360)]),
            (3600, 400..500, false, &[(2, 400, 500)]),
            (10, 0..5, true, &[(0, 0, 3)]),
            (10, 0..5, false, &[(1, 0, 3)]),
            (120, 460 * 24..470 * 24, false, &[]),
        ];
        for (period_s, hours_ago, is_fine, want) in cases {
            let before = |hours: i64| NOW_S - hours * HOUR_S;
            let (from_s, to_s) = (before(hours_ago.end), before(hours_ago.start));
            let want: Vec<_> = want
                .iter()
                .map(|(tier, end, start)| Span {
                    tier: *tier,
                    from_s: before(*start),
                    to_s: before(*end),
                })
                .collect();
            let got = spans(from_s, to_s, period_s, (is_fine, NOW_S));
            assert_eq!(got, want, "{period_s} {hours_ago:?} {is_fine}");
        }
    }
}
