//! TURN clients of a test, on one thread, and the calls they hold over a supernode's relay.

use anyhow::{Context as _, Result, bail};
use relay::Credentials;
use relay::client::{Transport, TurnClient, TurnConfig, TurnEvent, TurnFailure};
use serde_json::Value;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// Turns a hang into a failure and judges no speed.
const PATIENCE: Duration = Duration::from_secs(30);

const NAP: Duration = Duration::from_micros(500);

/// One client with an allocation.
#[derive(Debug)]
pub struct Party {
    socket: UdpSocket,
    client: TurnClient,
    state: State,
    /// The relayed address of the other one of a pair.
    mate: Option<SocketAddr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Asking,
    Allocated(SocketAddr),
    Ready(SocketAddr),
    Failed(TurnFailure),
}

/// Where the relay of a supernode is and what it takes, from its `relay` event.
pub fn relay_of(event: &Value) -> Result<(SocketAddr, Credentials)> {
    let text = |value: &Value| value.as_str().map(str::to_owned).with_context(|| format!("{event}"));
    let credential = &event["lab_credential"];
    let credentials =
        Credentials { username: text(&credential["username"])?, password: text(&credential["password"])? };
    Ok((text(&event["udp"])?.parse()?, credentials))
}

impl Party {
    /// Asks `server` for an allocation, from any port of `from`.
    pub fn new(from: IpAddr, server: SocketAddr, credentials: Credentials, seed: u8) -> Result<Self> {
        let socket = UdpSocket::bind((from, 0))?;
        socket.connect(server)?;
        socket.set_nonblocking(true)?;
        let config = TurnConfig { server, credentials, transport: Transport::Udp };
        let client = TurnClient::new(config, [seed; 32], Instant::now());
        Ok(Self { socket, client, state: State::Asking, mate: None })
    }

    /// Two of them with a channel to each other's relayed address.
    pub fn pair(server: SocketAddr, credentials: &Credentials, seed: u8) -> Result<[Self; 2]> {
        let from = server.ip();
        let mut pair = [
            Self::new(from, server, credentials.clone(), seed)?,
            Self::new(from, server, credentials.clone(), seed.wrapping_add(1))?,
        ];
        let addresses = [pair[0].allocated()?, pair[1].allocated()?];
        for (party, peer) in pair.iter_mut().zip(addresses.into_iter().rev()) {
            party.mate = Some(peer);
            party.client.bind_channel(Instant::now(), peer)?;
            party.until(|state| matches!(state, State::Ready(_)))?;
        }
        Ok(pair)
    }

    /// Waits for the allocation, and says its address.
    pub fn allocated(&mut self) -> Result<SocketAddr> {
        self.until(|state| matches!(state, State::Allocated(_) | State::Ready(_)))?;
        match self.state {
            State::Allocated(address) | State::Ready(address) => Ok(address),
            other => bail!("{other:?}"),
        }
    }

    /// Waits for the answer to a request that is to be refused.
    pub fn refused(&mut self) -> Result<TurnFailure> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let State::Failed(why) = self.state {
                return Ok(why);
            }
            self.step(|_| {})?;
            std::thread::sleep(NAP);
        }
        bail!("not refused: {:?}", self.state)
    }

    /// Sends a payload to the other one of a pair.
    pub fn say(&mut self, payload: &[u8]) -> Result<()> {
        let peer = self.mate.context("it was made without a mate")?;
        self.client.send(Instant::now(), peer, payload)?;
        self.flush()
    }

    /// Moves what there is to move; payloads that arrive are given to `heard`.
    pub fn step(&mut self, mut heard: impl FnMut(&[u8])) -> Result<()> {
        let now = Instant::now();
        let mut buffer = [0; 2048];
        loop {
            match self.socket.recv(&mut buffer) {
                Ok(length) => {
                    if let Some((_, range)) = self.client.handle_datagram(now, &buffer[..length]) {
                        heard(&buffer[range]);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // Nobody listens there any more.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => break,
                Err(error) => return Err(error.into()),
            }
        }
        if self.client.poll_timeout().is_some_and(|(at, _)| at <= now) {
            self.client.handle_timeout(now);
        }
        while let Some(event) = self.client.poll_event() {
            self.state = match event {
                TurnEvent::Allocated { relayed, .. } => State::Allocated(relayed),
                TurnEvent::PeerReady(_) => match self.state {
                    State::Allocated(relayed) => State::Ready(relayed),
                    other => other,
                },
                TurnEvent::Failed { reason } => State::Failed(reason),
                _ => self.state,
            };
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<()> {
        while let Some(datagram) = self.client.poll_transmit() {
            match self.socket.send(&datagram) {
                Ok(_) => {}
                // A full buffer loses it, as any network may; so does nobody listening there.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::ConnectionRefused
                    ) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn until(&mut self, done: impl Fn(&State) -> bool) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !done(&self.state) {
            if let State::Failed(why) = self.state {
                bail!("the relay refuses: {why}");
            }
            anyhow::ensure!(Instant::now() < deadline, "the relay does not answer: {:?}", self.state);
            self.step(|_| {})?;
            std::thread::sleep(NAP);
        }
        Ok(())
    }
}
