//! Many TURN clients on one thread: their allocations and channels, before anything is measured.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use mio::net::UdpSocket;
use relay::Credentials;
use relay::client::{Transport, TurnClient, TurnConfig, TurnEvent};

use crate::Outcome;

/// Requests on their way at one time.
const WINDOW: usize = 32;
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Flow {
    pub(crate) socket: UdpSocket,
    pub(crate) client: TurnClient,
    pub(crate) relayed: Option<SocketAddr>,
    pub(crate) ready: bool,
    pub(crate) failed: bool,
}

impl Flow {
    pub(crate) fn new(
        from: IpAddr,
        server: SocketAddr,
        credentials: Credentials,
        seed: u64,
    ) -> Outcome<Self> {
        let socket = UdpSocket::bind(SocketAddr::new(from, 0))?;
        socket.connect(server)?;
        let mut bytes = [7; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let config = TurnConfig { server, credentials, transport: Transport::Udp };
        let client = TurnClient::new(config, bytes, Instant::now());
        Ok(Self { socket, client, relayed: None, ready: false, failed: false })
    }

    /// Moves what there is to move; payloads that arrive are given to `heard`.
    pub(crate) fn step(&mut self, mut heard: impl FnMut(&[u8])) {
        let now = Instant::now();
        let mut buffer = [0; 2048];
        while let Ok(length) = self.socket.recv(&mut buffer) {
            if let Some((_, range)) = self.client.handle_datagram(now, &buffer[..length]) {
                heard(&buffer[range]);
            }
        }
        if self.client.poll_timeout().is_some_and(|(at, _)| at <= now) {
            self.client.handle_timeout(now);
        }
        while let Some(datagram) = self.client.poll_transmit() {
            let _ = self.socket.send(&datagram);
        }
        while let Some(event) = self.client.poll_event() {
            match event {
                TurnEvent::Allocated { relayed, .. } => self.relayed = Some(relayed),
                TurnEvent::PeerReady(_) => self.ready = true,
                TurnEvent::Closed => self.relayed = None,
                _ => self.failed = true,
            }
        }
    }
}

/// Steps the flows, a window at a time, until `done` holds for each.
pub(crate) fn until(flows: &mut [Flow], done: impl Fn(&Flow) -> bool) -> Outcome<()> {
    for window in flows.chunks_mut(WINDOW) {
        let started = Instant::now();
        while !window.iter().all(&done) {
            for flow in window.iter_mut() {
                flow.step(|_| {});
                if flow.failed {
                    return Err("the server refuses".into());
                }
            }
            if started.elapsed() > PATIENCE {
                return Err("the server does not answer".into());
            }
        }
    }
    Ok(())
}
