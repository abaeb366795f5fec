//! Whole conversations with the TURN server and the TURN client, in which the input says what is sent. Keys are known
//! here, so that the input reaches what lies behind authentication.

use std::{net::SocketAddr, time::Duration};

use super::{Script, TRANSACTION, origin};
use crate::{
    CredentialIssuer, Credentials, Now, UnixTime,
    client::{Transport, TurnClient, TurnConfig},
    server::{AllocationId, Effect, PeerPolicy, PortOutcome, Server, ServerConfig, Via},
    wire::{
        self, AddressFamily, AttributeType, ChannelData, ChannelNumber, Class, ErrorCode, Fingerprint,
        MessageBuilder, Method, TransactionId, long_term_key,
    },
};

const SECRET: [u8; 32] = [9; 32];

/// Clients of the server; one allocation each at most.
const CLIENTS: u64 = 4;

/// Attributes a request is made of, by number.
const KINDS: [AttributeType; 16] = [
    AttributeType::LIFETIME,
    AttributeType::XOR_PEER_ADDRESS,
    AttributeType::CHANNEL_NUMBER,
    AttributeType::REQUESTED_TRANSPORT,
    AttributeType::REQUESTED_ADDRESS_FAMILY,
    AttributeType::EVEN_PORT,
    AttributeType::DATA,
    AttributeType::XOR_RELAYED_ADDRESS,
    AttributeType::XOR_MAPPED_ADDRESS,
    AttributeType::ERROR_CODE,
    AttributeType::REALM,
    AttributeType::NONCE,
    AttributeType::RESERVATION_TOKEN,
    AttributeType::UNKNOWN_ATTRIBUTES,
    AttributeType::PADDING,
    AttributeType::SOFTWARE,
];

const METHODS: [Method; 5] =
    [Method::Allocate, Method::Refresh, Method::CreatePermission, Method::ChannelBind, Method::Send];

/// What a step of a server's story does.
const RAW: u8 = 0;
const AUTHENTICATED: u8 = 1;
const FROM_PEER: u8 = 2;
const TIME: u8 = 3;
const NO_PORTS: u8 = 4;

/// What a step of a client's story does.
const PROVEN_REPLY: u8 = 1;
const UNPROVEN_REPLY: u8 = 2;
const SEND: u8 = 4;

fn listening() -> SocketAddr {
    ([198, 51, 100, 1], 3478).into()
}

fn client_address(which: u8) -> SocketAddr {
    ([198, 51, 100, 10 + which % CLIENTS as u8], 5000).into()
}

fn ada() -> Credentials {
    CredentialIssuer::new(SECRET).issue(UnixTime::from_secs(4_000_000_000), "ada", Duration::ZERO)
}

fn key() -> [u8; 16] {
    let Credentials { username, password } = ada();
    long_term_key(&username, "silbo", &password)
}

/// `| kind | length | value |` again and again.
fn with_attributes(mut message: MessageBuilder, mut bytes: &[u8]) -> MessageBuilder {
    while let [kind, length, rest @ ..] = bytes {
        let (value, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        message = message.attribute(KINDS[usize::from(kind % 16)], value);
        bytes = rest;
    }
    message
}

pub(super) fn server(input: &[u8]) {
    let mut now = origin();
    let mut config = ServerConfig::new(listening(), SECRET, [1; 32]);
    config.peers = PeerPolicy::Lab;
    config.limits = crate::server::Limits::lab();
    let mut story = Story { server: Server::new(config, listening(), now), port: Some(50_000), last: None };
    let mut script = Script::new(input);
    while let Some((what, chunk)) = script.step() {
        let from = client_address(what >> 4);
        match what & 0x0f {
            RAW => story.server.handle_client(now, from, chunk),
            AUTHENTICATED => story.authenticated(now, from, chunk),
            FROM_PEER => {
                if let Some(id) = story.last {
                    story.server.handle_peer(now, id, client_address(what >> 5), chunk);
                }
            }
            TIME => {
                now = now.after(Duration::from_secs(chunk.len() as u64));
                story.server.handle_timeout(now);
            }
            NO_PORTS => story.port = None,
            _ => continue,
        }
        story.settle(now);
    }
    assert!(story.server.stats().allocations <= CLIENTS, "one allocation for each client at most");
}

struct Story {
    server: Server,
    /// The next port the system gives, while it gives any.
    port: Option<u16>,
    last: Option<AllocationId>,
}

impl Story {
    /// Sends a request with attributes of the input's choice, sealed with good credentials and a good nonce.
    fn authenticated(&mut self, now: Now, from: SocketAddr, chunk: &[u8]) {
        let [method, attributes @ ..] = chunk else { return };
        let bare = MessageBuilder::new(Class::Request, Method::Refresh, TRANSACTION).pad_to(100);
        self.server.handle_client(now, from, &bare.finish(Fingerprint::Without));
        let Some(challenge) = self.server.poll_transmit() else { return };
        let Ok(challenge) = wire::parse(&challenge.payload) else { return };
        let Some(nonce) = challenge.attribute(AttributeType::NONCE) else { return };
        let method = METHODS[usize::from(*method) % METHODS.len()];
        let class = if method == Method::Send { Class::Indication } else { Class::Request };
        let request = with_attributes(MessageBuilder::new(class, method, TRANSACTION), attributes)
            .text(AttributeType::USERNAME, &ada().username)
            .text(AttributeType::REALM, "silbo")
            .attribute(AttributeType::NONCE, nonce.value)
            .seal(&key(), Fingerprint::Without);
        self.server.handle_client(now, from, &request);
    }

    fn settle(&mut self, now: Now) {
        while let Some(effect) = self.server.poll_effect() {
            let Effect::OpenRelayPort(id, _) = effect else { continue };
            let outcome = self.port.map_or(PortOutcome::Refused, PortOutcome::Opened);
            self.port = self.port.and_then(|port| port.checked_add(1));
            self.last = Some(id);
            self.server.handle_relay_port(now, id, outcome);
        }
        while let Some(transmit) = self.server.poll_transmit() {
            if transmit.via == Via::Listener {
                let understood =
                    wire::parse(&transmit.payload).is_ok() || ChannelData::parse(&transmit.payload).is_ok();
                assert!(understood, "a client can read what it is sent");
            }
        }
    }
}

pub(super) fn server_seeds() -> Vec<Vec<u8>> {
    let peer = |which: u8| {
        // XOR-PEER-ADDRESS of another client's address, as it lies in a message.
        let address = SocketAddr::new(client_address(which).ip(), 50_001);
        let message = MessageBuilder::new(Class::Request, Method::Binding, TRANSACTION)
            .xor_address(AttributeType::XOR_PEER_ADDRESS, address)
            .finish(Fingerprint::Without);
        [&[1, 8], &message[wire::HEADER_LEN + 4..]].concat()
    };
    let request =
        |method: u8, attributes: &[u8]| Script::write(AUTHENTICATED, &[&[method], attributes].concat());
    let allocate = request(0, &[3, 4, 17, 0, 0, 0]);
    let bind = request(3, &[&[2, 4, 0x40, 0, 0, 0], peer(1).as_slice()].concat());
    let data = ChannelData { channel: ChannelNumber::FIRST, payload: b"sound" }.encode().unwrap_or_default();
    let binding = MessageBuilder::new(Class::Request, Method::Binding, TRANSACTION).finish(Fingerprint::With);
    vec![
        Script::write(RAW, &binding),
        [allocate.clone(), request(2, &peer(1)), Script::write(FROM_PEER | 1 << 5, b"hello")].concat(),
        [allocate.clone(), bind, Script::write(RAW, &data), Script::write(FROM_PEER | 1 << 5, b"back")]
            .concat(),
        [allocate.clone(), Script::write(TIME, &[0; 700]), request(1, &[0, 4, 0, 0, 0, 0])].concat(),
        [Script::write(NO_PORTS, &[]), allocate.clone()].concat(),
        [allocate, request(4, &[peer(1), [&[6, 5], b"hello".as_slice()].concat()].concat())].concat(),
    ]
}

pub(super) fn client(input: &[u8]) {
    let mut now = origin().instant;
    let config = TurnConfig { server: listening(), credentials: ada(), transport: Transport::Udp };
    let mut client = TurnClient::new(config, [2; 32], now);
    let mut asked = Vec::new();
    let mut script = Script::new(input);
    while let Some((what, chunk)) = script.step() {
        while let Some(request) = client.poll_transmit() {
            if let Ok(message) = wire::parse(&request) {
                asked.push((message.method(), message.transaction()));
            }
        }
        match what & 0x0f {
            RAW => {
                let given = client.handle_datagram(now, chunk);
                assert!(
                    given.is_none_or(|(_, range)| chunk.get(range).is_some()),
                    "the payload lies in the datagram"
                );
            }
            kind @ (PROVEN_REPLY | UNPROVEN_REPLY) => {
                if let Some(which) = asked.len().checked_sub(1 + usize::from(what >> 5))
                    && let Some((method, transaction)) = asked.get(which)
                {
                    let class = if what & 0x10 == 0 { Class::Success } else { Class::Error };
                    let reply = with_attributes(MessageBuilder::new(class, *method, *transaction), chunk);
                    let reply = match kind {
                        PROVEN_REPLY => reply.seal(&key(), Fingerprint::Without),
                        _ => reply.finish(Fingerprint::Without),
                    };
                    client.handle_datagram(now, &reply);
                }
            }
            TIME => {
                now += Duration::from_millis(100 * chunk.len() as u64);
                client.handle_timeout(now);
            }
            // A full list of peers, or an end, is told.
            SEND => drop(client.send(now, client_address(what >> 4), chunk)),
            _ => continue,
        }
        while client.poll_event().is_some() {}
    }
}

pub(super) fn client_seeds() -> Vec<Vec<u8>> {
    let attribute =
        |kind: u8, value: &[u8]| [&[kind, u8::try_from(value.len()).unwrap_or(u8::MAX)], value].concat();
    let error = |code: ErrorCode| {
        let (class, number) = (code.0 / 100, code.0 % 100);
        attribute(9, &[0, 0, class as u8, number as u8])
    };
    let nonce = [attribute(10, b"silbo"), attribute(11, b"00000000aaaaaaaaaaaaaaaa")].concat();
    let challenge =
        Script::write(UNPROVEN_REPLY | 0x10, &[error(ErrorCode::UNAUTHENTICATED), nonce.clone()].concat());
    let address = attribute(8, &[0, 1, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66]);
    let relayed = attribute(7, &[0, AddressFamily::Ipv4.to_byte(), 0x11, 0x22, 0x33, 0x44, 0x55, 0x66]);
    let lifetime = attribute(0, &600u32.to_be_bytes());
    let allocated = Script::write(PROVEN_REPLY, &[relayed, address, lifetime].concat());
    let stale = Script::write(PROVEN_REPLY | 0x10, &[error(ErrorCode::STALE_NONCE), nonce].concat());
    let data = ChannelData { channel: ChannelNumber::FIRST, payload: b"sound" }.encode().unwrap_or_default();
    let story = [challenge.clone(), allocated].concat();
    let bound = [Script::write(SEND | 0x10, b"hello"), Script::write(PROVEN_REPLY, &[])].concat();
    let unknown = MessageBuilder::new(Class::Success, Method::Allocate, TransactionId([0; 12]));
    vec![
        Script::write(RAW, &unknown.finish(Fingerprint::Without)),
        story.clone(),
        [story.clone(), bound, Script::write(RAW, &data)].concat(),
        [story, Script::write(TIME, &[0; 6_000]), stale].concat(),
        [challenge, Script::write(PROVEN_REPLY | 0x10, &error(ErrorCode::INSUFFICIENT_CAPACITY))].concat(),
        Script::write(TIME, &[0; 900]),
    ]
}
