//! The load: one thread that sends through a server and receives what comes out, in one of these ways.
//!
//! `up` client to peer, `down` peer to client, `mates` client to client over two allocations of the same server,
//! `raw` to a bare forwarder. Closed loop: a window of packets is kept on the way; or paced with `--pps`.
//!
//! It makes its calls, says so on one line, and then plays a turn for each line it is given: so many milliseconds of load,
//! until the last packet is through and the server sleeps again, for only then its processor time is up to date.

use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};
use relay::Credentials;
use relay::driver::{Batch, SLOTS};
use relay::wire::AddressFamily;
use serde_json::json;

use crate::calls::{Flow, until};
use crate::{Outcome, number, option};

const CLIENTS: &str = "10.99.0.1";
const PEERS: &str = "10.99.0.2";
/// ChannelData header.
const HEADER: usize = 4;
const WINDOW: u64 = 2000;
/// Before each turn: caches and branch predictors forget who does not run.
const WARM_UP: Duration = Duration::from_millis(40);
/// Nothing arrived for this long: what is on the way is lost.
const LOST: Duration = Duration::from_millis(20);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Up,
    Down,
    Mates,
    Raw,
}

pub(crate) fn run(options: &[&str]) -> Outcome<ExitCode> {
    let server: SocketAddr = option(options, "--server").ok_or("--server")?.parse()?;
    let way = match option(options, "--way") {
        Some("up") => Way::Up,
        Some("down") => Way::Down,
        Some("mates") => Way::Mates,
        Some("raw") => Way::Raw,
        _ => return Err("--way up|down|mates|raw".into()),
    };
    let count = number(options, "--flows", 100)? as usize;
    let size = number(options, "--size", 172)? as usize;
    let pace = number(options, "--pps", 0)?;
    let process = number(options, "--pid", 0)?;
    let credentials = Credentials {
        username: option(options, "--user").unwrap_or("u").to_owned(),
        password: option(options, "--password").unwrap_or("p").to_owned(),
    };
    let clients: IpAddr = CLIENTS.parse()?;
    let peers: IpAddr = PEERS.parse()?;

    let memory = resident_kb(process);
    let before = processor_time(process);
    let mut flows = Vec::new();
    if way != Way::Raw {
        for seed in 0..count {
            flows.push(Flow::new(clients, server, credentials.clone(), seed as u64)?);
        }
        until(&mut flows, |flow| flow.relayed.is_some())?;
    }
    let allocate_ns = (processor_time(process) - before) / count.max(1) as u64;
    let relayed: Vec<SocketAddr> = flows.iter().filter_map(|flow| flow.relayed).collect();

    // Everything that receives, with its token; what sends, with where to.
    let (mut sockets, mut targets) = (Vec::new(), Vec::new());
    let raw_peer = SocketAddr::new(peers, 9999);
    let outside: Vec<UdpSocket> = match way {
        Way::Up | Way::Down => {
            (0..count).map(|_| UdpSocket::bind(SocketAddr::new(peers, 0))).collect::<Result<_, _>>()?
        }
        Way::Raw => vec![UdpSocket::bind(raw_peer)?],
        Way::Mates => Vec::new(),
    };
    for (index, flow) in flows.iter_mut().enumerate() {
        let peer = match way {
            Way::Mates => relayed[index ^ 1],
            _ => outside[index].local_addr()?,
        };
        flow.client.bind_channel(Instant::now(), peer)?;
    }
    until(&mut flows, |flow| flow.ready)?;
    let kb_per_allocation = resident_kb(process).saturating_sub(memory) as f64 / count.max(1) as f64;

    let inside: Vec<UdpSocket> = match way {
        Way::Raw => {
            (0..count).map(|_| UdpSocket::bind(SocketAddr::new(clients, 0))).collect::<Result<_, _>>()?
        }
        _ => flows.into_iter().map(|flow| flow.socket).collect(),
    };
    if way == Way::Raw {
        inside.iter().try_for_each(|socket| socket.connect(server))?;
    }
    if way == Way::Down {
        for (socket, relayed) in outside.iter().zip(&relayed) {
            socket.connect(*relayed)?;
        }
    }
    let (mut senders, mut receivers) = match way {
        Way::Up | Way::Raw => (inside, outside),
        Way::Down => (outside, inside),
        Way::Mates => (inside, Vec::new()),
    };
    let poll = Poll::new()?;
    let heard = if way == Way::Mates { &mut senders } else { &mut receivers };
    for (index, socket) in heard.iter_mut().enumerate() {
        poll.registry().register(socket, Token(index), Interest::READABLE)?;
    }
    sockets.append(&mut senders);
    targets.append(&mut receivers);
    let mut load = Load { way, size, pace, sockets, targets, poll, latencies: Vec::with_capacity(1 << 20) };
    println!("{}", json!({ "allocate_ns": allocate_ns, "kb_per_allocation": kb_per_allocation }));
    for line in std::io::stdin().lines() {
        let time = Duration::from_millis(line?.parse()?);
        load.run(WARM_UP)?;
        load.latencies.clear();
        let before = processor_time(process);
        let (sent, received) = load.run(time)?;
        let used = processor_time(process) - before;
        if received == 0 {
            return Err("nothing came through".into());
        }
        println!(
            "{}",
            json!({
                "ns_per_packet": used as f64 / received as f64,
                "received": received,
                "lost_percent": 100.0 * sent.saturating_sub(received) as f64 / sent as f64,
                "p50_us": load.latency(50),
                "p99_us": load.latency(99),
            })
        );
    }
    Ok(ExitCode::SUCCESS)
}

struct Load {
    way: Way,
    size: usize,
    pace: u64,
    sockets: Vec<UdpSocket>,
    targets: Vec<UdpSocket>,
    poll: Poll,
    latencies: Vec<u32>,
}

impl Load {
    fn run(&mut self, time: Duration) -> Outcome<(u64, u64)> {
        let header = match self.way {
            Way::Up | Way::Mates => HEADER,
            Way::Down | Way::Raw => 0,
        };
        let mut packet = vec![0xAB; header + self.size];
        if header > 0 {
            packet[..2].copy_from_slice(&0x4000_u16.to_be_bytes());
            packet[2..4].copy_from_slice(&(self.size as u16).to_be_bytes());
        }
        let arrived = match self.way {
            Way::Down | Way::Mates => HEADER,
            Way::Up | Way::Raw => 0,
        };
        let mut batch = Batch::new(AddressFamily::Ipv4);
        let mut events = Events::with_capacity(256);
        let (mut sent, mut received, mut on_the_way, mut next) = (0u64, 0u64, 0u64, 0usize);
        let started = Instant::now();
        let mut progress = started;
        loop {
            let is_over = started.elapsed() >= time;
            if is_over && (on_the_way == 0 || progress.elapsed() > LOST) {
                break;
            }
            let due = if is_over {
                0
            } else if self.pace > 0 {
                let due = started.elapsed().as_nanos() as u64 * self.pace / 1_000_000_000;
                due.saturating_sub(sent).min(64)
            } else if on_the_way < WINDOW {
                32
            } else {
                0
            };
            for _ in 0..due {
                let stamp = started.elapsed().as_nanos() as u64;
                packet[header..header + 8].copy_from_slice(&stamp.to_le_bytes());
                if self.sockets[next].send(&packet).is_ok() {
                    sent += 1;
                    on_the_way += 1;
                }
                next = (next + 1) % self.sockets.len();
            }
            self.poll.poll(&mut events, Some(Duration::ZERO))?;
            let heard = if self.way == Way::Mates { &self.sockets } else { &self.targets };
            for event in &events {
                loop {
                    batch.clear();
                    let range = batch.receive(&heard[event.token().0], SLOTS);
                    let count = range.len();
                    let now = started.elapsed().as_nanos() as u64;
                    for slot in range {
                        let Some((_, datagram)) = batch.datagram(slot) else { continue };
                        let Some(stamp) = datagram.get(arrived..).and_then(|rest| rest.first_chunk::<8>())
                        else {
                            continue;
                        };
                        if datagram.len() != arrived + self.size {
                            continue;
                        }
                        received += 1;
                        on_the_way = on_the_way.saturating_sub(1);
                        let late = now.saturating_sub(u64::from_le_bytes(*stamp));
                        if self.latencies.len() < self.latencies.capacity() {
                            self.latencies.push(u32::try_from(late).unwrap_or(u32::MAX));
                        }
                        progress = Instant::now();
                    }
                    if count < SLOTS {
                        break;
                    }
                }
            }
            if !is_over && self.pace == 0 && progress.elapsed() > LOST {
                on_the_way = 0;
                progress = Instant::now();
            }
        }
        Ok((sent, received))
    }

    /// A percentile of the last turn, in microseconds.
    fn latency(&mut self, percent: usize) -> f64 {
        self.latencies.sort_unstable();
        let rank = self.latencies.len().saturating_sub(1) * percent / 100;
        f64::from(self.latencies.get(rank).copied().unwrap_or(0)) / 1000.0
    }
}

/// Processor time of all threads of a process, in nanoseconds.
pub(crate) fn processor_time(process: u64) -> u64 {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{process}/task")) else { return 0 };
    let of_task = |task: std::fs::DirEntry| {
        let schedstat = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        schedstat.split(' ').next()?.parse::<u64>().ok()
    };
    tasks.flatten().filter_map(of_task).sum()
}

/// VmRSS.
pub(crate) fn resident_kb(process: u64) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    line.and_then(|line| line.split_whitespace().nth(1)).and_then(|kb| kb.parse().ok()).unwrap_or(0)
}
