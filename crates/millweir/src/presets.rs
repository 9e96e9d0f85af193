//! Made-up records that look like what the AWS examples stream.
//!
//! The same seed and the same times make the same records, byte for byte.

use crate::cli::Preset;
use crate::times;
use serde_json::json;

const PATHS: [(&str, u32); 8] = [
    ("/", 20),
    ("/index.html", 15),
    ("/products", 15),
    ("/products/42", 12),
    ("/cart", 8),
    ("/login", 6),
    ("/static/app.js", 14),
    ("/images/logo.png", 10),
];
const STATUSES: [(u16, u32); 6] = [(200, 80), (304, 8), (301, 4), (404, 5), (403, 1), (500, 2)];
const METHODS: [(&str, u32); 3] = [("GET", 88), ("POST", 10), ("HEAD", 2)];
const REFERERS: [(&str, u32); 3] =
    [("-", 60), ("https://www.example.com/", 30), ("https://search.example.net/?q=mill", 10)];
const AGENTS: [(&str, u32); 4] = [
    ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", 40),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Safari/605.1.15", 30),
    ("curl/8.14.1", 15),
    ("Mozilla/5.0 (compatible; examplebot/2.1; +http://www.example.com/bot.html)", 15),
];
const TICKERS: [(&str, &str); 12] = [
    ("AAPL", "TECHNOLOGY"),
    ("AMZN", "RETAIL"),
    ("MSFT", "TECHNOLOGY"),
    ("INTC", "TECHNOLOGY"),
    ("TBV", "HEALTHCARE"),
    ("QXZ", "HEALTHCARE"),
    ("NFS", "ENERGY"),
    ("HJK", "TECHNOLOGY"),
    ("ASD", "FINANCIAL"),
    ("WAS", "RETAIL"),
    ("BAC", "FINANCIAL"),
    ("XTC", "HEALTHCARE"),
];
const SENSORS: u64 = 50;

/// A small generator of random numbers (splitmix64): its only duty is to repeat from a seed.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice of this seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is at least 1.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.bits() % bound
    }

    /// A real from -1 to 1.
    fn swing(&mut self) -> f64 {
        (self.below(2_000_001) as f64) / 1e6 - 1.0
    }

    fn weighted<T: Copy>(&mut self, choices: &[(T, u32)]) -> T {
        let total: u32 = choices.iter().map(|(_, weight)| weight).sum();
        let mut left = self.below(u64::from(total)) as u32;
        for (choice, weight) in choices {
            if left < *weight {
                return *choice;
            }
            left -= weight;
        }
        choices[0].0
    }
}

/// A made-up record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Made {
    /// Its partition key.
    pub(crate) key: String,
    /// Its data, without a line break at the end.
    pub(crate) data: String,
}

/// Makes records of one preset.
#[derive(Debug)]
pub(crate) struct Generator {
    preset: Preset,
    dice: Dice,
    prices: [f64; TICKERS.len()],
    temperatures: Vec<f64>,
}

impl Generator {
    /// A generator at its beginning.
    pub(crate) fn new(preset: Preset, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let prices = TICKERS.map(|_| 10.0 + dice.below(20_000) as f64 / 100.0);
        let temperatures = (0..SENSORS).map(|_| 20.0 + 5.0 * dice.swing()).collect();
        Self { preset, dice, prices, temperatures }
    }

    /// The next record; `time_ms` is the time that stands in it.
    pub(crate) fn next(&mut self, time_ms: i64) -> Made {
        match self.preset {
            Preset::ApacheLog => self.apache_log(time_ms),
            Preset::StockTicker => self.stock_ticker(time_ms),
            Preset::Sensor => self.sensor(time_ms),
        }
    }

    fn apache_log(&mut self, time_ms: i64) -> Made {
        let dice = &mut self.dice;
        // 198.18.0.0/15 is set aside for tests: nobody's address gets into anybody's logs.
        let key = format!("198.{}.{}.{}", 18 + dice.below(2), dice.below(16), 1 + dice.below(254));
        let (method, path) = (dice.weighted(&METHODS), dice.weighted(&PATHS));
        let status = dice.weighted(&STATUSES);
        let bytes = match (method, status) {
            ("HEAD", _) | (_, 304) => "-".to_owned(),
            _ => (200 + dice.below(40_000)).to_string(),
        };
        let (referer, agent) = (dice.weighted(&REFERERS), dice.weighted(&AGENTS));
        let time = times::apache(time_ms);
        let data = format!(
            "{key} - - [{time}] \"{method} {path} HTTP/1.1\" {status} {bytes} \"{referer}\" \
             \"{agent}\""
        );
        Made { key, data }
    }

    fn stock_ticker(&mut self, time_ms: i64) -> Made {
        let index = self.dice.below(TICKERS.len() as u64) as usize;
        let (symbol, sector) = TICKERS[index];
        let change = cents(self.prices[index] * 0.02 * self.dice.swing());
        self.prices[index] = cents((self.prices[index] + change).max(1.0));
        let data = json!({
            "EVENT_TIME": times::iso(time_ms),
            "TICKER_SYMBOL": symbol,
            "SECTOR": sector,
            "CHANGE": change,
            "PRICE": self.prices[index],
        });
        Made { key: symbol.to_owned(), data: data.to_string() }
    }

    fn sensor(&mut self, time_ms: i64) -> Made {
        let index = self.dice.below(SENSORS) as usize;
        let temperature = &mut self.temperatures[index];
        *temperature = cents((*temperature + self.dice.swing()).clamp(-20.0, 110.0));
        let status = if *temperature > 28.0 { "WARN" } else { "OK" };
        let key = format!("sensor-{index:03}");
        let data = json!({
            "sensorId": key,
            "eventTime": times::iso(time_ms),
            "currentTemperature": *temperature,
            "humidityPercent": 40 + self.dice.below(30),
            "status": status,
        });
        Made { key, data: data.to_string() }
    }
}

fn cents(amount: f64) -> f64 {
    (amount * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(preset: Preset, seed: u64) -> Vec<Made> {
        let mut generator = Generator::new(preset, seed);
        (0..200).map(|n| generator.next(1_767_225_600_000 + n * 10)).collect()
    }

    #[test]
    fn a_seed_repeats() {
        for preset in [Preset::ApacheLog, Preset::StockTicker, Preset::Sensor] {
            assert_eq!(some(preset, 7), some(preset, 7));
            assert_ne!(some(preset, 7), some(preset, 8));
        }
    }

    #[test]
    fn log_lines_have_the_combined_form() {
        for made in some(Preset::ApacheLog, 1) {
            let fields: Vec<&str> = made.data.split(' ').collect();
            assert_eq!(fields[0], made.key);
            assert!(fields[3].starts_with("[01/Jan/2026:00:00:0"), "{}", made.data);
            assert!(fields[8].parse::<u16>().is_ok(), "{}", made.data);
            assert_eq!(made.data.matches('"').count(), 6);
        }
    }

    #[test]
    fn json_presets_are_json_with_their_key() {
        for (preset, name) in [(Preset::StockTicker, "TICKER_SYMBOL"), (Preset::Sensor, "sensorId")]
        {
            for made in some(preset, 1) {
                let value: serde_json::Value = serde_json::from_str(&made.data).unwrap();
                assert_eq!(value[name], made.key);
            }
        }
    }
}
