//! A flood of bogus messages leaves the memory of a node where it was.

use lab::flood::Flood;
use relay::fuzz::origin;

use crate::memory::held;

const MESSAGES: u64 = 200_000;
const PIECES: u64 = 1_000;

/// Queues and trees take and give back pieces of some kilobytes.
const MOST_GROWTH: isize = 64 * 1024;

#[test]
fn two_hundred_thousand_bogus_messages_cost_no_memory() {
    let mut flood = Flood::new([7; 32], origin());
    // Its tables reach the size they keep; what is remembered of strangers' records comes and goes by generations.
    let (before, counted) = (peak(&mut flood), flood.stats());
    let grown = peak(&mut flood) - before;
    assert!(grown < MOST_GROWTH, "{grown} bytes more");
    let stats = flood.stats();
    let refused = (stats.malformed - counted.malformed)
        + (stats.refused_records - counted.refused_records)
        + (stats.limited - counted.limited);
    assert!(refused > MESSAGES / 2, "{refused} of {MESSAGES} are counted as refused");
    assert!(flood.is_answered(), "and whoever asks is answered");
}

/// The most that is held while so many messages come.
fn peak(flood: &mut Flood) -> isize {
    let levels = (0..PIECES).map(|_| {
        flood.send(MESSAGES / PIECES);
        held()
    });
    levels.max().unwrap_or_default()
}
