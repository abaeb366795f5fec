//! The long runs on loopback: calls that come and go, and a flood of strangers.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use relay::wire::{AttributeType, Class, Fingerprint, MessageBuilder, Method, TransactionId};
use relay::{CredentialIssuer, driver};
use serde_json::json;

use crate::calls::Flow;
use crate::generate::resident_kb;
use crate::place::SECRET;
use crate::{Outcome, number};

const CALLS: usize = 200;
/// A call lasts this long on average; every call has another end.
const CALL: Duration = Duration::from_secs(60);
/// Packets of one end, slowly: the point is time, not load.
const BETWEEN_PACKETS: Duration = Duration::from_millis(200);
const PAYLOAD: [u8; 172] = [0xAB; 172];
/// Memory may move by this much after the first tenth of the time: the allocator's pages.
const FLAT_KB: u64 = 1024;
const STRANGERS: u64 = 1_000_000;
/// Bytes of requests, as the system counts them, that may wait at the relay's socket.
const MOST_WAITING: u64 = 100_000;

struct Relay {
    process: Child,
    address: SocketAddr,
}

impl Relay {
    fn start(options: &[&str]) -> Outcome<Self> {
        let free = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let process = Command::new(std::env::current_exe()?)
            .args(["serve", "--listen", &free.to_string()])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        std::thread::sleep(Duration::from_millis(500));
        Ok(Self { process, address: free })
    }

    fn id(&self) -> u64 {
        self.process.id().into()
    }

    fn descriptors(&self) -> u64 {
        std::fs::read_dir(format!("/proc/{}/fd", self.id())).map_or(0, |open| open.count() as u64)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Call {
    ends: [Flow; 2],
    until: Instant,
    next: Instant,
    bound: bool,
}

pub(crate) fn run(options: &[&str]) -> Outcome<ExitCode> {
    let time = Duration::from_secs(60 * number(options, "--minutes", 60)?);
    let relay = Relay::start(&[])?;
    let issuer = CredentialIssuer::new(SECRET);
    let started = Instant::now();
    let mut seed = 0;
    let mut place = |age: Duration| -> Outcome<Call> {
        let now = Instant::now();
        let mut end = || {
            seed += 1;
            let name = format!("caller{seed}");
            let credentials = issuer.issue(driver::now().unix, &name, Duration::from_secs(600));
            Flow::new(IpAddr::from(Ipv4Addr::LOCALHOST), relay.address, credentials, seed)
        };
        Ok(Call { ends: [end()?, end()?], until: now + CALL.saturating_sub(age), next: now, bound: false })
    };
    let mut calls = (0..CALLS)
        .map(|index| place(CALL * u32::try_from(index)? / u32::try_from(CALLS)?))
        .collect::<Outcome<Vec<Call>>>()?;
    let (mut made, mut sent, mut heard, mut failed) = (CALLS as u64, 0u64, 0u64, 0u64);
    let (mut settled, mut last) = (None, (0, 0));
    let mut next_look = started;
    while started.elapsed() < time {
        let now = Instant::now();
        for call in &mut calls {
            for end in &mut call.ends {
                end.step(|payload| heard += u64::from(payload == PAYLOAD));
            }
            let [one, other] = &mut call.ends;
            if one.failed || other.failed {
                failed += 1;
                *call = place(Duration::ZERO)?;
                continue;
            }
            if let (Some(of_one), Some(of_other), false) = (one.relayed, other.relayed, call.bound) {
                one.client.bind_channel(now, of_other)?;
                other.client.bind_channel(now, of_one)?;
                call.bound = true;
            }
            if one.ready && other.ready && call.next <= now {
                call.next += BETWEEN_PACKETS;
                let (of_one, of_other) = (one.relayed, other.relayed);
                for (end, to) in [(&mut *one, of_other), (&mut *other, of_one)] {
                    if let Some(to) = to {
                        end.client.send(now, to, &PAYLOAD)?;
                        sent += 1;
                    }
                }
            }
            if call.until <= now {
                for end in &mut call.ends {
                    end.client.release(now);
                    end.step(|payload| heard += u64::from(payload == PAYLOAD));
                }
                *call = place(Duration::ZERO)?;
                made += 1;
            }
        }
        if next_look <= now {
            next_look += Duration::from_secs(10);
            last = (resident_kb(relay.id()), relay.descriptors());
            if settled.is_none() && started.elapsed() >= time / 10 {
                settled = Some(last);
            }
            eprintln!(
                "{:>5} s  {} kB  {} descriptors  {made} calls  {sent} sent",
                now.duration_since(started).as_secs(),
                last.0,
                last.1
            );
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let settled = settled.unwrap_or(last);
    // A released allocation's port closes at once; a few calls are always between one and the next.
    let descriptors_flat = last.1.abs_diff(settled.1) <= 8;
    let lost = 100.0 * sent.saturating_sub(heard) as f64 / sent.max(1) as f64;
    let passed = last.0.saturating_sub(settled.0) <= FLAT_KB && descriptors_flat && failed == 0 && lost < 1.0;
    println!(
        "{}",
        json!({
            "bench": "relay soak", "passed": passed, "minutes": time.as_secs() / 60, "calls_at_once": CALLS,
            "calls_made": made, "failed": failed, "packets": sent, "lost_percent": lost,
            "kb_settled": settled.0, "kb_end": last.0, "descriptors_settled": settled.1, "descriptors_end": last.1,
        })
    );
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A million first Allocates, unpadded as stock clients send them, from many addresses and ports.
pub(crate) fn flood() -> Outcome<ExitCode> {
    // With the limits of a volunteer's relay, not those of a measurement.
    let relay = Relay::start(&["--limits", "default"])?;
    let sockets = (0..64u8)
        .map(|host| UdpSocket::bind((Ipv4Addr::new(127, 0, host, 1), 0)))
        .collect::<Result<Vec<_>, _>>()?;
    sockets.iter().try_for_each(|socket| socket.set_nonblocking(true))?;
    let (mut bytes_out, mut bytes_in, mut buffer) = (0u64, 0u64, [0; 2048]);
    let mut settled = 0;
    for number in 0..STRANGERS {
        let mut id = [0; 12];
        id[..8].copy_from_slice(&number.to_le_bytes());
        let request = MessageBuilder::new(Class::Request, Method::Allocate, TransactionId(id))
            .attribute(AttributeType::REQUESTED_TRANSPORT, &[17, 0, 0, 0])
            .finish(Fingerprint::Without);
        let socket = &sockets[number as usize % sockets.len()];
        bytes_in += socket.send_to(&request, relay.address).unwrap_or(0) as u64;
        if number % 64 == 0 {
            // As fast as they are read, no faster: what the system drops proves nothing.
            while waiting(relay.address).0 > MOST_WAITING {
                std::thread::sleep(Duration::from_micros(100));
            }
            for socket in &sockets {
                while let Ok(length) = socket.recv(&mut buffer) {
                    bytes_out += length as u64;
                }
            }
        }
        if number == STRANGERS / 10 {
            settled = resident_kb(relay.id());
        }
    }
    let end = resident_kb(relay.id());
    let ratio = bytes_out as f64 / bytes_in.max(1) as f64;
    let (_, never_read) = waiting(relay.address);
    let passed = ratio <= 1.0
        && end.saturating_sub(settled) <= FLAT_KB
        && never_read <= STRANGERS / 100
        && bytes_out > 0;
    println!(
        "{}",
        json!({
            "bench": "relay flood", "passed": passed, "requests": STRANGERS, "bytes_out_over_in": ratio,
            "never_read": never_read,
            "kb_settled": settled, "kb_end": end,
        })
    );
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Bytes that wait at the relay's socket, and how many datagrams the system dropped there (/proc/net/udp).
fn waiting(at: SocketAddr) -> (u64, u64) {
    let table = std::fs::read_to_string("/proc/net/udp").unwrap_or_default();
    let port = format!(":{:04X}", at.port());
    let fields = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut of_relay = fields.filter(|fields| fields.get(1).is_some_and(|local| local.ends_with(&port)));
    let Some(fields) = of_relay.next() else { return (0, 0) };
    let queued = fields.get(4).and_then(|queues| queues.split_once(':')).map_or("0", |(_, read)| read);
    let dropped = fields.last().and_then(|drops| drops.parse().ok()).unwrap_or(0);
    (u64::from_str_radix(queued, 16).unwrap_or(0), dropped)
}
