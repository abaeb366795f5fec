//! What the system counts about a process and an interface.

use crate::process::{Place, run};
use anyhow::{Context as _, Result, anyhow};
use std::fs;
use std::time::Duration;

/// Memory of a process that lies in RAM, in MB.
pub fn resident_mb(process: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()).context("no VmRSS")?;
    Ok(kib.parse::<f64>()? * 1024.0 / 1e6)
}

/// Processor time of all threads a process has now, to the nanosecond.
pub fn processor_time(process: u32) -> Result<Duration> {
    let mut total = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        // A thread may end while we look.
        let Ok(text) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
        total += on_processor(&text)?;
    }
    Ok(total)
}

/// The same of its main thread, which draws where there is a window.
pub fn main_thread_time(process: u32) -> Result<Duration> {
    on_processor(&fs::read_to_string(format!("/proc/{process}/task/{process}/schedstat"))?)
}

/// The first number of a `schedstat`: nanoseconds.
fn on_processor(schedstat: &str) -> Result<Duration> {
    let nanos = schedstat.split_whitespace().next().context("empty schedstat")?;
    Ok(Duration::from_nanos(nanos.parse()?))
}

/// What went over an interface, both ways.
#[derive(Debug, Clone, Copy)]
pub struct Traffic {
    bytes: u64,
    packets: u64,
}

/// Every packet is counted with this Ethernet header.
const ETHERNET: u64 = 14;

impl Traffic {
    /// Since the interface `eth0` of `place` is there.
    pub fn of(place: &Place) -> Result<Self> {
        let text = run(place.command("cat").arg("/proc/net/dev"))?;
        let line = text.lines().find_map(|line| line.trim().strip_prefix("eth0:"));
        let line = line.ok_or_else(|| anyhow!("no eth0 in {place:?}"))?;
        let fields: Vec<u64> = line.split_whitespace().filter_map(|field| field.parse().ok()).collect();
        match fields[..] {
            [received, received_packets, _, _, _, _, _, _, sent, sent_packets, ..] => {
                Ok(Self { bytes: received + sent, packets: received_packets + sent_packets })
            }
            _ => Err(anyhow!("cannot read {line:?}")),
        }
    }

    /// UDP and IP bytes, and packets, since `earlier`. ARP is counted with them.
    pub fn since(self, earlier: Self) -> (u64, u64) {
        let packets = self.packets - earlier.packets;
        (self.bytes - earlier.bytes - ETHERNET * packets, packets)
    }
}
