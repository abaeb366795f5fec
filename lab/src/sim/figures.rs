//! What was measured and whether it is good enough.

use std::time::Duration;

use serde::Serialize;

/// One figure against its bar.
#[derive(Debug, Serialize)]
pub struct Bar {
    /// What.
    pub what: &'static str,
    /// How much.
    pub value: f64,
    /// The bar: the most, or the least, that is good enough.
    #[serde(flatten)]
    pub bar: Limit,
    /// Whether it holds.
    pub passed: bool,
}

/// Which way a bar points.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Not more.
    AtMost(f64),
    /// Not less.
    AtLeast(f64),
}

/// How a duration was distributed, in milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Distribution {
    /// How many.
    pub count: usize,
    /// Half of them took no longer.
    pub p50: f64,
    /// 95 of 100 took no longer.
    pub p95: f64,
    /// 99 of 100 took no longer.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

impl Bar {
    /// `value` must not exceed `most`. What was never measured (not a number) fails.
    pub fn at_most(what: &'static str, value: f64, most: f64) -> Self {
        Self { what, value, bar: Limit::AtMost(most), passed: value <= most }
    }

    /// `value` must reach `least`.
    pub fn at_least(what: &'static str, value: f64, least: f64) -> Self {
        Self { what, value, bar: Limit::AtLeast(least), passed: value >= least }
    }
}

impl Distribution {
    /// Of these.
    pub fn of(mut values: Vec<Duration>) -> Self {
        values.sort_unstable();
        let rank = |share: f64| {
            let nth = (values.len() as f64 * share).ceil() as usize;
            values.get(nth.saturating_sub(1)).map_or(f64::NAN, |value| value.as_secs_f64() * 1000.0)
        };
        Self { count: values.len(), p50: rank(0.5), p95: rank(0.95), p99: rank(0.99), max: rank(1.0) }
    }
}

/// `part` of `whole` in percent; of nothing, not a number.
pub(super) fn percent(part: usize, whole: usize) -> f64 {
    part as f64 * 100.0 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_count_from_the_smallest_and_nothing_measured_keeps_no_bar() {
        let spread = Distribution::of((1..=100).rev().map(Duration::from_millis).collect());
        assert_eq!([spread.p50, spread.p95, spread.p99, spread.max], [50.0, 95.0, 99.0, 100.0]);
        assert!(!Bar::at_most("nothing", Distribution::of(Vec::new()).p50, 1.0).passed);
        assert!(!Bar::at_least("nothing", percent(0, 0), 1.0).passed);
    }
}
