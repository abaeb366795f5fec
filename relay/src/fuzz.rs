//! What a fuzzer calls: plain functions over bytes that panic when a decoder does what it must not.
//!
//! ```text
//!   cargo test -p lab --test fuzz       corpus, fresh seeds and mutations of both ─▶ Target::check
//!   cargo fuzz run TARGET (fuzz/)       libFuzzer ──────────────────────────────────▶ Target::check
//! ```
//! Three things are checked: nothing panics; what was read is written and read again as the same; and no input makes
//! its reader hold more memory than [`Target::memory`] (the harness counts). Only compiled with the feature `fuzz`.

mod turn;

use std::net::SocketAddr;

use crate::{
    CredentialIssuer, Now, UnixTime,
    wire::{
        self, AttributeType, ChannelData, ChannelNumber, Class, Fingerprint, MessageBuilder, Method,
        TransactionId,
    },
};

/// One decoder, or one state machine behind decoders.
pub struct Target {
    /// Names its folder in the corpus and its libFuzzer binary.
    pub name: &'static str,
    /// Reads the bytes; panics when that goes wrong in a way it must not.
    pub check: fn(&[u8]),
    /// Bytes that mean something, to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Bytes a check may hold at one time, beside [`PER_BYTE`] for each byte of its input.
    pub memory: usize,
}

/// What a decoder may allocate for each byte it is given.
pub const PER_BYTE: usize = 64;

/// For decoders that keep nothing beside what they read.
pub const SMALL: usize = 16 * 1024;

/// The targets of this crate.
pub const TARGETS: &[Target] = &[
    Target { name: "stun", check: stun, seeds: stun_seeds, memory: SMALL },
    Target { name: "channel_data", check: channel_data, seeds: channel_data_seeds, memory: SMALL },
    Target { name: "credentials", check: credentials, seeds: credentials_seeds, memory: SMALL },
    Target { name: "turn_server", check: turn::server, seeds: turn::server_seeds, memory: 1 << 20 },
    Target { name: "turn_client", check: turn::client, seeds: turn::client_seeds, memory: 1 << 20 },
];

/// Input taken for a story: a byte says what happens, a counted chunk with what.
pub struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    /// Reads from the beginning.
    pub const fn new(input: &'a [u8]) -> Self {
        Self(input)
    }

    /// The next step; nothing when the input is used up.
    pub fn step(&mut self) -> Option<(u8, &'a [u8])> {
        let [what, high, low, rest @ ..] = self.0 else { return None };
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
        let (chunk, rest) = rest.split_at(length);
        self.0 = rest;
        Some((*what, chunk))
    }

    /// Writes a step.
    pub fn write(what: u8, chunk: &[u8]) -> Vec<u8> {
        let length = u16::try_from(chunk.len()).unwrap_or(u16::MAX);
        let chunk = &chunk[..usize::from(length)];
        [&[what], length.to_be_bytes().as_slice(), chunk].concat()
    }
}

/// The time at which every story begins: 2027-01-15 on the wall.
pub fn origin() -> Now {
    Now { unix: UnixTime::from_secs(1_800_000_000), ..crate::driver::now() }
}

const TRANSACTION: TransactionId = TransactionId([7; 12]);

fn stun(input: &[u8]) {
    let Ok(message) = wire::parse(input) else { return };
    assert!(wire::is_stun(input), "what is parsed is recognised");
    let attributes: Vec<_> = message.attributes().collect();
    for attribute in &attributes {
        let end = attribute.offset + attribute.value.len();
        assert_eq!(input.get(attribute.offset..end), Some(attribute.value));
    }
    let _ = (message.text(AttributeType::USERNAME), message.mapped_address(), message.error_code());
    let _ = (message.xor_address(AttributeType::XOR_PEER_ADDRESS), message.lifetime(), message.even_port());
    let _ = (message.channel_number(), message.requested_transport(), message.requested_family());
    let _ = (message.unknown_attributes().count(), message.peer_addresses().count());
    let _ = message.integrity(b"key");
    assert!(message.not_understood(&[]).len() <= attributes.len());

    // Written anew from what was read, it reads the same; the fingerprint belongs to the bytes as they were.
    let begun = MessageBuilder::new(message.class(), message.method(), message.transaction());
    let kept = || attributes.iter().filter(|a| a.kind != AttributeType::FINGERPRINT);
    let again = kept().fold(begun, |m, a| m.attribute(a.kind, a.value)).finish(Fingerprint::With);
    match wire::parse(&again) {
        Ok(again) => {
            let same = (again.class(), again.method(), again.transaction());
            assert_eq!(same, (message.class(), message.method(), message.transaction()));
            let read = again.attributes().filter(|a| a.kind != AttributeType::FINGERPRINT);
            assert!(read.map(|a| (a.kind, a.value)).eq(kept().map(|a| (a.kind, a.value))));
        }
        // Our fingerprint may be one attribute, or eight bytes, too many.
        Err(error) => assert!(
            error == wire::Malformed::TooManyAttributes || input.len() > usize::from(u16::MAX) - 8,
            "{error}"
        ),
    }
}

fn stun_seeds() -> Vec<Vec<u8>> {
    let address: SocketAddr = ([203, 0, 113, 7], 40_000).into();
    let request = |method| MessageBuilder::new(Class::Request, method, TRANSACTION);
    let reply = |class, method| MessageBuilder::new(class, method, TRANSACTION);
    vec![
        request(Method::Binding).finish(Fingerprint::With),
        reply(Class::Success, Method::Binding)
            .xor_address(AttributeType::XOR_MAPPED_ADDRESS, address)
            .finish(Fingerprint::Without),
        request(Method::Allocate)
            .requested_transport(17)
            .requested_family(wire::AddressFamily::Ipv6)
            .attribute(AttributeType::EVEN_PORT, &[0x80])
            .text(AttributeType::USERNAME, "1800000600:ada")
            .text(AttributeType::REALM, "silbo")
            .text(AttributeType::NONCE, "00000000aaaaaaaaaaaaaaaa")
            .seal(b"key", Fingerprint::With),
        reply(Class::Error, Method::Allocate)
            .error_code(wire::ErrorCode::UNKNOWN_ATTRIBUTE)
            .unknown_attributes(&[AttributeType::DONT_FRAGMENT, AttributeType::RESERVATION_TOKEN])
            .finish(Fingerprint::Without),
        request(Method::ChannelBind)
            .channel_number(ChannelNumber::FIRST)
            .xor_address(AttributeType::XOR_PEER_ADDRESS, "[2001:db8::7]:9".parse().unwrap_or(address))
            .lifetime(std::time::Duration::from_secs(600))
            .seal(b"key", Fingerprint::Without),
        reply(Class::Indication, Method::Data)
            .xor_address(AttributeType::XOR_PEER_ADDRESS, address)
            .attribute(AttributeType::DATA, b"hello")
            .pad_to(100)
            .finish(Fingerprint::Without),
    ]
}

fn channel_data(input: &[u8]) {
    let whole = cut(&[input]);
    for (head, tail) in [input.split_at(input.len() / 2), input.split_at(input.len().min(1))] {
        assert_eq!(cut(&[head, tail]), whole, "a stream is read the same however it is split");
    }
    let Ok(read) = ChannelData::parse(input) else { return };
    assert!(ChannelData::matches(input) && !wire::is_stun(input));
    let written = read.encode();
    assert_eq!(written.as_deref(), input.get(..ChannelData::HEADER_LEN + read.payload.len()));
}

/// The messages of a stream that comes in these parts, each with its length before it, and whether it can be read on.
fn cut(parts: &[&[u8]]) -> (Vec<u8>, bool) {
    let (mut reader, mut messages) = (wire::StreamReader::default(), Vec::new());
    for part in parts {
        reader.push(part);
        loop {
            match reader.message() {
                Ok(Some(message)) => {
                    messages.extend(message.len().to_be_bytes());
                    messages.extend(message);
                }
                Ok(None) => break,
                Err(_) => return (messages, false),
            }
        }
    }
    (messages, true)
}

fn channel_data_seeds() -> Vec<Vec<u8>> {
    let data = |channel, payload| ChannelData { channel, payload }.encode().unwrap_or_default();
    vec![
        data(ChannelNumber::FIRST, b"hello".as_slice()),
        data(ChannelNumber::LAST, &[]),
        [data(ChannelNumber::FIRST, b"padded".as_slice()), vec![0, 0]].concat(),
    ]
}

fn credentials(input: &[u8]) {
    let Ok(username) = std::str::from_utf8(input) else { return };
    let Some(expires) = crate::expiry(username) else { return };
    let issuer = CredentialIssuer::new([7; 32]);
    let id = username.split_once(':').map_or("", |(_, id)| id);
    let again = issuer.issue(expires, id, std::time::Duration::ZERO);
    assert_eq!(crate::expiry(&again.username), Some(expires));
}

fn credentials_seeds() -> Vec<Vec<u8>> {
    ["1800000600:ada", "0:x", "18446744073709551615:a:b"].map(|text| text.as_bytes().to_vec()).into()
}
