//! The status line of a supernode, on standard error.

use super::print::complaint;
use crate::engine::errand::Desk;
use overlay::Report;
use std::time::Duration;
use tokio::time::sleep;

/// How often.
const EVERY: Duration = Duration::from_secs(10);

/// Prints a line every so often, for as long as the engine runs. A line that says what the last one said is left out.
pub(super) async fn tell(desk: Desk) {
    let mut last = String::new();
    loop {
        sleep(EVERY).await;
        let Some(report) = desk.report().await else { return };
        let line = line(&report);
        if line != last {
            complaint(&line);
            last = line;
        }
    }
}

fn line(report: &Report) -> String {
    let (kept, traffic) = (&report.kept, &report.traffic);
    let (stats, mut relayed) = (&report.status.stats, String::new());
    if let Some(relay) = report.relay {
        relayed = format!("; relayed {} for {} calls' ends", amount(relay.bytes), relay.allocations);
    }
    let vouched = format!(
        "; {} vouchers held, {} calls' ends signed for {}",
        kept.vouchers,
        stats.calls_vouched,
        amount(stats.bytes_vouched)
    );
    format!(
        "silbo: {} leaves, {} links ({} QUIC, {} TCP), {} claims, {} introductions, load {} %{relayed}{vouched}",
        kept.leaves,
        traffic.quic_links + traffic.tcp_links,
        traffic.quic_links,
        traffic.tcp_links,
        kept.claims,
        kept.introductions,
        report.status.load.as_percent(),
    )
}

/// Bytes as a person reads them.
fn amount(bytes: u64) -> String {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    match units.into_iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_short() {
        let all = [0, 999, 1_000, 1_550_000, 12_345_678_901, u64::MAX].map(amount);
        assert_eq!(all, ["0 B", "999 B", "1.0 kB", "1.5 MB", "12.3 GB", "18446744073.7 GB"]);
    }
}
