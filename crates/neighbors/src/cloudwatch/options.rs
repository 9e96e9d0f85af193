//! What a server's owner can choose about CloudWatch.

/// Options of the service.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Most series: metrics in each unit that they come in. An account has at most four fifths.
    pub series_max: usize,
    /// Most bytes of points that are in memory, not yet in blocks.
    pub head_bytes_max: usize,
    /// Most bytes of points on the disk: beyond it the oldest of the resolution that takes most go.
    pub points_bytes_max: usize,
    /// Most alarms of an account in a region.
    pub alarms_max: usize,
    /// Most bytes of all dashboards of an account.
    pub dashboards_bytes_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            series_max: 100_000,
            head_bytes_max: 256 << 20,
            points_bytes_max: 8 << 30,
            alarms_max: 5000,
            dashboards_bytes_max: 64 << 20,
        }
    }
}
