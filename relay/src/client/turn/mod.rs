//! A TURN client over UDP, TCP or TLS (RFC 8656).
//!
//! ```text
//!            401: realm, nonce          success
//! Allocating ----------------> Allocating ----> Allocated --release--> Releasing --> Closed
//!     | no answer, refused         | refused      | refused, lost         | answer, or none
//!     +----------------------------+--------------+--> Closed             +--> Closed
//! ```
//!
//! Each peer gets a channel, renewed every four minutes: ChannelBind also renews the permission (RFC 8656 §12.2), which
//! lasts five, so one request keeps both. Payloads sent before the channel is bound wait in a short queue.

mod outcome;
mod peers;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

pub use self::outcome::{CertificateHash, SendRefused, Transport, TurnConfig, TurnEvent, TurnFailure};
use self::peers::Peers;
use super::retransmit::{Due, Retransmit};
use crate::Credentials;
use crate::wire::{
    self, AddressFamily, AttributeType, ChannelData, Class, ErrorCode, Fingerprint, Integrity, Message,
    MessageBuilder, Method, TransactionId, long_term_key,
};

/// One allocation on one relay: created, kept alive, used and released.
#[derive(Debug)]
pub struct TurnClient {
    config: TurnConfig,
    rng: StdRng,
    state: State,
    /// Of the relayed address: of IPv4, where the relay has it, for those without IPv6 reach nothing else.
    family: AddressFamily,
    login: Option<Login>,
    heard: Option<Instant>,
    requests: Vec<Pending>,
    peers: Peers,
    transmits: VecDeque<Vec<u8>>,
    events: VecDeque<TurnEvent>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Allocating,
    Allocated { relayed: SocketAddr, refresh_at: Option<Instant> },
    Releasing,
    Closed,
}

/// What the relay's challenge made of our credentials.
#[derive(Debug)]
struct Login {
    realm: String,
    nonce: Vec<u8>,
    key: [u8; 16],
}

#[derive(Debug)]
struct Pending {
    purpose: Purpose,
    proof: Proof,
    /// How often this request was sent again under a new nonce.
    challenges: u32,
    retransmit: Retransmit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Allocate,
    Refresh,
    Release,
    Bind(SocketAddr),
}

/// Whether a request carried MESSAGE-INTEGRITY, and its response must.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    None,
    Key([u8; 16]),
}

impl TurnClient {
    /// Starts allocating on `config.server`.
    pub fn new(config: TurnConfig, seed: [u8; 32], now: Instant) -> Self {
        let mut client = Self {
            config,
            rng: StdRng::from_seed(seed),
            state: State::Allocating,
            family: AddressFamily::Ipv4,
            login: None,
            heard: None,
            requests: Vec::new(),
            peers: Peers::default(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        };
        client.request(now, Purpose::Allocate, 0);
        client
    }

    /// The relay used.
    pub const fn server(&self) -> SocketAddr {
        self.config.server
    }

    /// The relayed address, while allocated.
    pub const fn relayed(&self) -> Option<SocketAddr> {
        match self.state {
            State::Allocated { relayed, .. } => Some(relayed),
            State::Allocating | State::Releasing | State::Closed => None,
        }
    }

    /// When the relay last answered in a way nobody else can.
    pub const fn heard(&self) -> Option<Instant> {
        self.heard
    }

    /// Asks for a channel to `peer`; may be called before the allocation exists.
    pub fn bind_channel(&mut self, now: Instant, peer: SocketAddr) -> Result<(), SendRefused> {
        if matches!(self.state, State::Releasing | State::Closed) {
            return Err(SendRefused::Closed);
        }
        if self.peers.add(peer)? && self.relayed().is_some() {
            self.request(now, Purpose::Bind(peer), 0);
        }
        Ok(())
    }

    /// Sends `payload` to `peer` through the relay, binding a channel when there is none.
    ///
    /// Until the channel is bound the last [`TurnClient::QUEUE`] payloads wait; older ones are dropped.
    pub fn send(&mut self, now: Instant, peer: SocketAddr, payload: &[u8]) -> Result<(), SendRefused> {
        if payload.len() > MAX_PAYLOAD {
            return Err(SendRefused::TooLong);
        }
        self.bind_channel(now, peer)?;
        if let Some(datagram) = self.peers.send(peer, payload) {
            self.transmit(datagram);
        }
        Ok(())
    }

    /// Asks the relay for a sign of life, which [`TurnClient::heard`] then tells: a refresh ahead of its time. Without an
    /// allocation, or while a refresh is on its way, nothing more is asked.
    pub fn check(&mut self, now: Instant) {
        if let State::Allocated { relayed, refresh_at: Some(_) } = self.state {
            self.state = State::Allocated { relayed, refresh_at: None };
            self.request(now, Purpose::Refresh, 0);
        }
    }

    /// Payloads that wait for one peer's channel.
    pub const QUEUE: usize = 16;

    /// Takes a datagram, or a message of a stream, that came from the relay; gives the peer and the range of the datagram that is its payload when
    /// it carried one.
    pub fn handle_datagram(&mut self, now: Instant, datagram: &[u8]) -> Option<(SocketAddr, Range<usize>)> {
        if ChannelData::matches(datagram) {
            let received = ChannelData::parse(datagram).ok()?;
            let peer = self.peers.by_channel(received.channel)?;
            let start = ChannelData::HEADER_LEN;
            return Some((peer, start..start + received.payload.len()));
        }
        let message = wire::parse(datagram).ok()?;
        match message.class() {
            Class::Indication if message.method() == Method::Data && self.relayed().is_some() => {
                let peer = message.xor_address(AttributeType::XOR_PEER_ADDRESS).ok()??;
                let payload = message.attribute(AttributeType::DATA)?;
                Some((peer, payload.offset..payload.offset + payload.value.len()))
            }
            Class::Success | Class::Error => {
                self.handle_response(now, &message);
                None
            }
            Class::Request | Class::Indication => None,
        }
    }

    /// Retransmits, refreshes or gives up when due.
    pub fn handle_timeout(&mut self, now: Instant) {
        let mut given_up = Vec::new();
        for index in (0..self.requests.len()).rev() {
            match self.requests[index].retransmit.handle_timeout(now) {
                Due::NotYet => {}
                Due::Send(bytes) => self.transmit(bytes),
                Due::GiveUp => given_up.push(self.requests.remove(index).purpose),
            }
        }
        for purpose in given_up {
            self.fail(purpose, TurnFailure::Timeout);
        }
        if let State::Allocated { relayed, refresh_at: Some(at) } = self.state
            && at <= now
        {
            self.state = State::Allocated { relayed, refresh_at: None };
            self.request(now, Purpose::Refresh, 0);
        }
        for peer in self.peers.due(now) {
            self.request(now, Purpose::Bind(peer), 0);
        }
    }

    /// The next datagram to send to the relay.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.transmits.pop_front()
    }

    /// When to call [`Self::handle_timeout`] next, and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let retransmit =
            self.requests.iter().map(|pending| (pending.retransmit.due(), "TURN retransmission"));
        let refresh = match self.state {
            State::Allocated { refresh_at, .. } => refresh_at,
            State::Allocating | State::Releasing | State::Closed => None,
        };
        let refresh = refresh.map(|at| (at, "TURN allocation refresh"));
        let channel = self.peers.next_renewal().map(|at| (at, "TURN channel renewal"));
        retransmit.chain(refresh).chain(channel).min_by_key(|(at, _)| *at)
    }

    /// What happened since.
    pub fn poll_event(&mut self) -> Option<TurnEvent> {
        self.events.pop_front()
    }

    /// Gives the allocation back (LIFETIME = 0); [`TurnEvent::Closed`] follows, at once when there was none.
    pub fn release(&mut self, now: Instant) {
        match self.state {
            State::Allocated { .. } => {
                self.requests.clear();
                self.peers.clear();
                self.state = State::Releasing;
                self.request(now, Purpose::Release, 0);
            }
            State::Allocating => self.close(TurnEvent::Closed),
            State::Releasing | State::Closed => {}
        }
    }

    fn handle_response(&mut self, now: Instant, message: &Message<'_>) {
        let Some(index) = self.requests.iter().position(|pending| {
            pending.retransmit.transaction() == message.transaction()
                && pending.purpose.method() == message.method()
        }) else {
            return;
        };
        let error = match (message.class(), message.error_code()) {
            (Class::Success, _) => None,
            (_, Ok(Some(code))) => Some(code),
            (_, Ok(None) | Err(_)) => return,
        };
        // RFC 8489 §9.2.5: what is not proven to come from the relay is ignored, as if it had never come. A challenge
        // cannot be proven, and 400 may mean that the relay could not read the proof.
        let unproven_is_fine = matches!(
            error,
            Some(ErrorCode::BAD_REQUEST | ErrorCode::UNAUTHENTICATED | ErrorCode::STALE_NONCE)
        );
        if let Proof::Key(key) = self.requests[index].proof {
            match message.integrity(&key) {
                Integrity::Valid => self.heard = Some(now),
                Integrity::Missing if unproven_is_fine => {}
                Integrity::Missing | Integrity::Wrong => return,
            }
        } else if error.is_none() {
            return;
        }
        let pending = self.requests.remove(index);
        match error {
            None => self.succeed(now, pending.purpose, message),
            Some(code) => self.handle_error(now, &pending, code, message),
        }
    }

    fn handle_error(&mut self, now: Instant, pending: &Pending, code: ErrorCode, message: &Message<'_>) {
        let other_family = pending.purpose == Purpose::Allocate
            && code == ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED
            && self.family == AddressFamily::Ipv4;
        if other_family {
            // RFC 8656 §7.4: the relay has no address of this one.
            self.family = AddressFamily::Ipv6;
            return self.request(now, pending.purpose, pending.challenges);
        }
        let challenged = match code {
            ErrorCode::UNAUTHENTICATED => pending.proof == Proof::None,
            ErrorCode::STALE_NONCE => pending.challenges < MAX_CHALLENGES,
            _ => false,
        };
        if !challenged {
            return self.fail(pending.purpose, code.into());
        }
        let realm = match (message.text(AttributeType::REALM), &self.login) {
            (Ok(Some(realm)), _) => realm.to_owned(),
            (_, Some(login)) => login.realm.clone(),
            (_, None) => return self.fail(pending.purpose, TurnFailure::PeerMisbehaved),
        };
        let nonce = match message.attribute(AttributeType::NONCE) {
            Some(nonce) => nonce.value.to_vec(),
            None => return self.fail(pending.purpose, TurnFailure::PeerMisbehaved),
        };
        let Credentials { username, password } = &self.config.credentials;
        let key = long_term_key(username, &realm, password);
        self.login = Some(Login { realm, nonce, key });
        self.request(now, pending.purpose, pending.challenges + 1);
    }

    fn succeed(&mut self, now: Instant, purpose: Purpose, message: &Message<'_>) {
        match purpose {
            Purpose::Allocate => self.allocated(now, message),
            Purpose::Refresh => {
                let lifetime = message.lifetime().ok().flatten().unwrap_or(DEFAULT_LIFETIME);
                if let State::Allocated { relayed, .. } = self.state {
                    self.state =
                        State::Allocated { relayed, refresh_at: Some(now + refresh_after(lifetime)) };
                }
            }
            Purpose::Release => self.close(TurnEvent::Closed),
            Purpose::Bind(peer) => {
                let Some(bound) = self.peers.bound(now, peer) else { return };
                bound.queued.into_iter().for_each(|datagram| self.transmit(datagram));
                if bound.is_new {
                    self.events.push_back(TurnEvent::PeerReady(peer));
                }
            }
        }
    }

    fn allocated(&mut self, now: Instant, message: &Message<'_>) {
        let relayed = message.xor_address(AttributeType::XOR_RELAYED_ADDRESS);
        let (Ok(Some(relayed)), Ok(Some(reflexive)), Ok(Some(lifetime))) =
            (relayed, message.mapped_address(), message.lifetime())
        else {
            return self.fail(Purpose::Allocate, TurnFailure::PeerMisbehaved);
        };
        self.state = State::Allocated { relayed, refresh_at: Some(now + refresh_after(lifetime)) };
        self.events.push_back(TurnEvent::Allocated { relayed, reflexive, lifetime });
        for peer in self.peers.wanted() {
            self.request(now, Purpose::Bind(peer), 0);
        }
    }

    fn fail(&mut self, purpose: Purpose, reason: TurnFailure) {
        match purpose {
            // Whether the relay heard us or not, its allocation ends by itself.
            Purpose::Release => self.close(TurnEvent::Closed),
            Purpose::Bind(peer) if reason != TurnFailure::AllocationLost => {
                self.peers.remove(peer);
                self.events.push_back(TurnEvent::PeerFailed { peer, reason });
            }
            Purpose::Allocate | Purpose::Refresh | Purpose::Bind(_) => {
                self.close(TurnEvent::Failed { reason });
            }
        }
    }

    fn close(&mut self, event: TurnEvent) {
        if self.state == State::Closed {
            return;
        }
        self.state = State::Closed;
        self.requests.clear();
        self.peers.clear();
        self.transmits.clear();
        self.events.push_back(event);
    }

    /// Sends a new request and watches over it.
    fn request(&mut self, now: Instant, purpose: Purpose, challenges: u32) {
        let mut transaction = [0; 12];
        self.rng.fill_bytes(&mut transaction);
        let transaction = TransactionId(transaction);
        let message = MessageBuilder::new(Class::Request, purpose.method(), transaction);
        let message = match purpose {
            Purpose::Allocate => {
                let message = message.requested_transport(UDP);
                match self.family {
                    AddressFamily::Ipv4 => message,
                    AddressFamily::Ipv6 => message.requested_family(AddressFamily::Ipv6),
                }
            }
            Purpose::Refresh => message,
            Purpose::Release => message.lifetime(Duration::ZERO),
            Purpose::Bind(peer) => {
                let Some(channel) = self.peers.channel(peer) else { return };
                message.channel_number(channel).xor_address(AttributeType::XOR_PEER_ADDRESS, peer)
            }
        };
        let (bytes, proof) = match &self.login {
            None => (message.pad_to(LONGEST_CHALLENGE).finish(Fingerprint::Without), Proof::None),
            Some(Login { realm, nonce, key }) => {
                let sealed = message
                    .text(AttributeType::USERNAME, &self.config.credentials.username)
                    .text(AttributeType::REALM, realm)
                    .attribute(AttributeType::NONCE, nonce)
                    .seal(key, Fingerprint::Without);
                (sealed, Proof::Key(*key))
            }
        };
        self.transmit(bytes.clone());
        let retransmit = match self.config.transport {
            Transport::Udp => Retransmit::sent(now, transaction, bytes),
            Transport::Stream => Retransmit::sent_reliably(now, transaction),
        };
        self.requests.push(Pending { purpose, proof, challenges, retransmit });
    }

    /// Queues a message; a driver that does not collect loses the oldest.
    fn transmit(&mut self, mut datagram: Vec<u8>) {
        if self.config.transport == Transport::Stream {
            datagram.resize(datagram.len().next_multiple_of(4), 0);
        }
        if self.transmits.len() == MAX_TRANSMITS {
            self.transmits.pop_front();
        }
        self.transmits.push_back(datagram);
    }
}

impl Purpose {
    const fn method(self) -> Method {
        match self {
            Self::Allocate => Method::Allocate,
            Self::Refresh | Self::Release => Method::Refresh,
            Self::Bind(_) => Method::ChannelBind,
        }
    }
}

/// A minute before the end, or halfway when less than two minutes were granted.
fn refresh_after(lifetime: Duration) -> Duration {
    lifetime.saturating_sub(Duration::from_secs(60)).max(lifetime / 2).min(MAX_REFRESH)
}

/// RFC 8656 §7.2: assumed when a refresh does not say.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(600);
/// A relay may grant years; we look in after an hour all the same.
const MAX_REFRESH: Duration = Duration::from_secs(3600);
/// IP protocol number of REQUESTED-TRANSPORT.
const UDP: u8 = 17;
/// A relay that calls its own nonces stale this often in a row is broken.
const MAX_CHALLENGES: u32 = 4;
/// What our relay answers a first Allocate with; our request is at least that long, so it cannot be used to amplify.
const LONGEST_CHALLENGE: usize = 76;
/// Longest payload that fits a UDP datagram with its ChannelData header.
const MAX_PAYLOAD: usize = 65_507 - ChannelData::HEADER_LEN;
/// Datagrams that wait for the driver.
const MAX_TRANSMITS: usize = 256;
