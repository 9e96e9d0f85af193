//! Parts of a time, in UTC.

const DAY_S: i64 = 86_400;

/// A function that makes numbers of the times of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Minute,
    Hour,
    /// Of the week: Monday is 1.
    Day,
    /// Of the month.
    Date,
    Month,
    Year,
    Epoch,
}

impl Part {
    const ALL: [Self; 7] =
        [Self::Minute, Self::Hour, Self::Day, Self::Date, Self::Month, Self::Year, Self::Epoch];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Minute => "MINUTE",
            Self::Hour => "HOUR",
            Self::Day => "DAY",
            Self::Date => "DATE",
            Self::Month => "MONTH",
            Self::Year => "YEAR",
            Self::Epoch => "EPOCH",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }

    /// Of a time in seconds since the epoch.
    pub(super) fn of(self, time_s: i64) -> f64 {
        let (days, second) = (time_s.div_euclid(DAY_S), time_s.rem_euclid(DAY_S));
        let part = match self {
            Self::Minute => second / 60 % 60,
            Self::Hour => second / 3600,
            // The epoch was a Thursday.
            Self::Day => (days + 3).rem_euclid(7) + 1,
            Self::Date => civil(days).2,
            Self::Month => civil(days).1,
            Self::Year => civil(days).0,
            Self::Epoch => time_s,
        };
        part as f64
    }
}

/// Year, month and day of the month of a day since the epoch.
///
/// Years are taken to begin in March, so that a leap day is a year's last; an era is 400 of them.
fn civil(days: i64) -> (i64, i64, i64) {
    const ERA_DAYS: i64 = 146_097;
    /// From 0000-03-01 to the epoch.
    const SHIFT_DAYS: i64 = 719_468;
    let shifted = days + SHIFT_DAYS;
    let (era, day) = (shifted.div_euclid(ERA_DAYS), shifted.rem_euclid(ERA_DAYS));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let year_day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * year_day + 2) / 153;
    let date = year_day - (153 * month + 2) / 5 + 1;
    let (month, is_next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + is_next_year, month, date)
}
