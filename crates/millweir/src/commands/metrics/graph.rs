//! A line graph for a terminal, eight dots a character.
//!
//! A cell of braille has two columns and four rows of dots; a line is drawn between neighbouring
//! points, and broken where a period has no value.

use crate::output::inert;
use crate::times;

/// Characters of the picture without its axis.
const WIDTH: usize = 72;
const HEIGHT: usize = 12;
/// Dots of a cell.
const DOTS_WIDE: usize = 2;
const DOTS_HIGH: usize = 4;
/// The first character of braille, and the bits of its dots by column and row.
const BLANK: u32 = 0x2800;
const BITS: [[u32; DOTS_HIGH]; DOTS_WIDE] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// Draws points (epoch ms, value) of a time.
pub(super) fn draw(
    title: &str,
    points: &[(i64, f64)],
    (from_ms, to_ms): (i64, i64),
    period_ms: i64,
) -> String {
    let last = points.last().map_or("no values".to_owned(), |(_, value)| short(*value));
    let mut lines = vec![format!("{}   last {last}", inert(title))];
    let low = points.iter().map(|(_, value)| *value).fold(f64::INFINITY, f64::min).min(0.0);
    let high = points.iter().map(|(_, value)| *value).fold(f64::NEG_INFINITY, f64::max);
    // A line at zero is drawn at the bottom, and there is always a scale.
    let high = if high > low { high } else { low + 1.0 };
    let rows = Canvas::of(points, (from_ms, to_ms), (low, high), period_ms).rows();
    for (at, row) in rows.iter().enumerate() {
        let label = match at {
            0 => short(high),
            _ if at == HEIGHT - 1 => short(low),
            _ if at == HEIGHT / 2 => short(f64::midpoint(low, high)),
            _ => String::new(),
        };
        lines.push(format!("{label:>9} │{row}"));
    }
    let (start, end) = (clock(from_ms), clock(to_ms));
    let gap = WIDTH.saturating_sub(start.len() + end.len());
    lines.push(format!("{:>9} └{}", "", "─".repeat(WIDTH)));
    lines.push(format!("{:>11}{start}{:gap$}{end}", "", ""));
    lines.join("\n")
}

/// Dots that are set.
struct Canvas {
    cells: Vec<u32>,
}

impl Canvas {
    fn of(
        points: &[(i64, f64)],
        (from_ms, to_ms): (i64, i64),
        (low, high): (f64, f64),
        period_ms: i64,
    ) -> Self {
        let mut canvas = Self { cells: vec![0; WIDTH * HEIGHT] };
        let (wide, tall) = ((WIDTH * DOTS_WIDE - 1) as f64, (HEIGHT * DOTS_HIGH - 1) as f64);
        let span = (to_ms - from_ms - period_ms).max(1) as f64;
        let dot = |(at_ms, value): (i64, f64)| {
            let x = (at_ms - from_ms) as f64 / span * wide;
            let y = (high - value) / (high - low) * tall;
            (x.clamp(0.0, wide), y.clamp(0.0, tall))
        };
        for pair in points.windows(2).filter(|pair| pair[1].0 - pair[0].0 <= period_ms) {
            canvas.line(dot(pair[0]), dot(pair[1]));
        }
        for point in points {
            canvas.line(dot(*point), dot(*point));
        }
        canvas
    }

    fn line(&mut self, (x0, y0): (f64, f64), (x1, y1): (f64, f64)) {
        let steps = (x1 - x0).abs().max((y1 - y0).abs()).ceil().max(1.0) as usize;
        for step in 0..=steps {
            let part = step as f64 / steps as f64;
            let (x, y) = ((x0 + (x1 - x0) * part).round(), (y0 + (y1 - y0) * part).round());
            self.set(x as usize, y as usize);
        }
    }

    fn set(&mut self, x: usize, y: usize) {
        let cell = y / DOTS_HIGH * WIDTH + x / DOTS_WIDE;
        if let Some(cell) = self.cells.get_mut(cell) {
            *cell |= BITS[x % DOTS_WIDE][y % DOTS_HIGH];
        }
    }

    fn rows(&self) -> Vec<String> {
        let character = |cell: &u32| char::from_u32(BLANK + cell).unwrap_or(' ');
        let row = |cells: &[u32]| cells.iter().map(character).collect();
        self.cells.chunks(WIDTH).map(row).collect()
    }
}

/// A number in few characters: `1.25M`.
fn short(value: f64) -> String {
    let size = value.abs();
    let (scaled, unit) = match size {
        ..1e3 => (value, ""),
        ..1e6 => (value / 1e3, "k"),
        ..1e9 => (value / 1e6, "M"),
        ..1e12 => (value / 1e9, "G"),
        _ => return format!("{value:.2e}"),
    };
    let text = format!("{scaled:.3}");
    format!("{}{unit}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// The time of day of a moment, in UTC.
fn clock(ms: i64) -> String {
    let iso = times::iso(ms);
    iso.get(11..16).unwrap_or_default().to_owned() + "Z"
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    #[test]
    fn a_line_goes_from_corner_to_corner() {
        let points: Vec<_> = (0..60).map(|n| (n * 60_000, n as f64)).collect();
        let drawn = draw("N m Sum", &points, (0, HOUR_MS), 60_000);
        let lines: Vec<&str> = drawn.lines().collect();
        assert_eq!(lines.len(), HEIGHT + 3);
        assert_eq!(lines[0], "N m Sum   last 59");
        assert!(lines[1].starts_with("       59 │") && lines[1].ends_with('⠉'), "{drawn}");
        assert!(lines[HEIGHT].starts_with("        0 │⣀"), "{drawn}");
        assert!(lines[HEIGHT + 2].contains("00:00Z") && drawn.ends_with("01:00Z"), "{drawn}");
    }

    #[test]
    fn nothing_and_gaps_are_drawn_too() {
        let none = draw("N m Sum", &[], (0, HOUR_MS), 60_000);
        assert!(none.starts_with("N m Sum   last no values\n") && !none.contains('⣀'), "{none}");
        let gap = draw("N\u{1b} m", &[(0, 0.0), (HOUR_MS - 60_000, 0.0)], (0, HOUR_MS), 60_000);
        assert!(gap.starts_with("N\\u{1b} m") && gap.matches('\u{2840}').count() == 1, "{gap}");
    }

    #[test]
    fn numbers_are_short() {
        for (value, want) in [
            (0.0, "0"),
            (-1.5, "-1.5"),
            (999.0, "999"),
            (1250.0, "1.25k"),
            (3e6, "3M"),
            (7.5e9, "7.5G"),
            (1e15, "1.00e15"),
        ] {
            assert_eq!(short(value), want);
        }
    }
}
