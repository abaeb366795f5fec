//! What two ends tell each other to set up a call, without SDP text: a [`Description`] each, then [`Candidate`]s.
//!
//! Both are canonical CBOR (RFC 8949 §4.2): one value has one encoding, and anything else is refused.
//!
//! ```text
//! description = [version, ufrag: tstr, password: tstr, fingerprint: bstr .size 32, setup, [* candidate], ? hello]
//! hello       = bstr .size (1..300)                         ; of who answers: its first DTLS record, RFC 6347 §4.2.1
//! candidate   = [kind, ip: bstr (4 or 16 bytes), port, priority]
//! setup       = 0 actpass / 1 active / 2 passive              ; RFC 5763 §5
//! kind        = 0 host / 1 srflx / 2 prflx / 3 relay          ; RFC 8445 §4
//! ```

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use minicbor::{Decoder, Encode, Encoder};

/// Version of the encoding, and of what the two ends expect of each other below it.
const VERSION: u8 = 1;

/// Longest encoded [`Description`]; what is longer is not looked at.
pub const MAX_DESCRIPTION: usize = 700;

/// Longest encoded [`Candidate`].
pub const MAX_CANDIDATE: usize = 40;

/// Longest first flight a description carries.
const MAX_HELLO: usize = 300;

/// How its record begins (RFC 5246 §6.2.1); nothing else is let in this way.
const DTLS_HANDSHAKE: u8 = 22;

/// Candidates one description may carry; the encoder leaves out the rest (they are trickled).
pub const MAX_CANDIDATES: usize = 12;

/// What one end shows the other to set up a call: who may answer at its addresses, and how to prove it.
#[derive(Clone, PartialEq, Eq)]
pub struct Description {
    pub(super) ufrag: Token<4, 32>,
    pub(super) password: Token<22, 64>,
    pub(super) fingerprint: Fingerprint,
    pub(super) setup: Setup,
    pub(super) candidates: Vec<Candidate>,
    /// The first flight of the handshake, where there is one already; may be empty.
    pub(super) hello: Vec<u8>,
}

/// An address at which an end may be reached.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    pub(super) kind: CandidateKind,
    pub(super) address: SocketAddr,
    pub(super) priority: u32,
}

/// How a candidate's address came about (RFC 8445 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CandidateKind {
    /// An address of the machine itself.
    Host,
    /// The machine as a STUN server sees it.
    ServerReflexive,
    /// The machine as the other end sees it.
    PeerReflexive,
    /// An address on a relay.
    Relay,
}

/// Why bytes or text are not a description or candidate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// Longer than it may be.
    #[error("too long")]
    TooLong,
    /// Not the CBOR expected, or not its canonical form.
    #[error("not in canonical form")]
    Encoding,
    /// A version this build does not speak.
    #[error("version {0} is not known")]
    Version(u8),
    /// An ICE user name or password with a forbidden length or character.
    #[error("bad ICE credentials")]
    Credentials,
    /// An address nobody can be reached at.
    #[error("bad address")]
    Address,
    /// SDP that lacks this.
    #[error("SDP without {0}")]
    Sdp(&'static str),
}

impl Description {
    /// The bytes to seal into an envelope.
    pub fn encode(&self) -> Vec<u8> {
        // Writing CBOR into a vector has no way to fail.
        minicbor::to_vec(self).unwrap_or_default()
    }

    /// Reads what [`Self::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > MAX_DESCRIPTION {
            return Err(Malformed::TooLong);
        }
        let mut decoder = Decoder::new(bytes);
        let outer = decoder.array().map_err(|_| Malformed::Encoding)?;
        let version = decoder.u8().map_err(|_| Malformed::Encoding)?;
        if version != VERSION {
            return Err(Malformed::Version(version));
        }
        let Some(fields @ 6..=7) = outer else { return Err(Malformed::Encoding) };
        let description = Self {
            ufrag: Token::parse(decoder.str().map_err(|_| Malformed::Encoding)?)?,
            password: Token::parse(decoder.str().map_err(|_| Malformed::Encoding)?)?,
            fingerprint: Fingerprint(
                decoder.bytes().ok().and_then(|bytes| bytes.try_into().ok()).ok_or(Malformed::Encoding)?,
            ),
            setup: Setup::from_code(decoder.u8().map_err(|_| Malformed::Encoding)?)?,
            candidates: {
                let count = decoder.array().map_err(|_| Malformed::Encoding)?.ok_or(Malformed::Encoding)?;
                if count > MAX_CANDIDATES as u64 {
                    return Err(Malformed::TooLong);
                }
                (0..count).map(|_| Candidate::read(&mut decoder)).collect::<Result<_, _>>()?
            },
            hello: match fields {
                6 => Vec::new(),
                _ => decoder.bytes().map_err(|_| Malformed::Encoding)?.to_vec(),
            },
        };
        if description.hello.len() > MAX_HELLO {
            return Err(Malformed::TooLong);
        }
        if description.hello.first().is_some_and(|first| *first != DTLS_HANDSHAKE) {
            return Err(Malformed::Encoding);
        }
        canonical(bytes, description.encode(), description)
    }

    /// SHA-256 of the certificate that this end will show in the handshake; another one ends the call.
    pub fn certificate(&self) -> [u8; 32] {
        self.fingerprint.0
    }

    /// Takes the first flight along, if there is room for it; else it takes the usual way.
    pub(super) fn add_hello(&mut self, hello: &[u8]) {
        if hello.len() <= MAX_HELLO {
            hello.clone_into(&mut self.hello);
            if Self::encode(self).len() > MAX_DESCRIPTION {
                self.hello.clear();
            }
        }
    }

    /// The addresses known when it was made.
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }
}

impl Candidate {
    /// A candidate, if its address is one that somebody can be reached at.
    pub(super) fn new(kind: CandidateKind, address: SocketAddr, priority: u32) -> Result<Self, Malformed> {
        let ip = match address.ip() {
            IpAddr::V4(ip) => !ip.is_unspecified() && !ip.is_multicast() && !ip.is_broadcast(),
            IpAddr::V6(ip) => !ip.is_unspecified() && !ip.is_multicast() && ip.to_ipv4_mapped().is_none(),
        };
        if !ip || address.port() == 0 || priority == 0 || priority > i32::MAX as u32 {
            return Err(Malformed::Address);
        }
        Ok(Self { kind, address, priority })
    }

    /// The bytes to seal into an envelope.
    pub fn encode(&self) -> Vec<u8> {
        minicbor::to_vec(self).unwrap_or_default()
    }

    /// Reads what [`Self::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > MAX_CANDIDATE {
            return Err(Malformed::TooLong);
        }
        let candidate = Self::read(&mut Decoder::new(bytes))?;
        canonical(bytes, candidate.encode(), candidate)
    }

    /// How its address came about.
    pub const fn kind(&self) -> CandidateKind {
        self.kind
    }

    /// Where it is.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    fn read(decoder: &mut Decoder<'_>) -> Result<Self, Malformed> {
        if decoder.array().map_err(|_| Malformed::Encoding)? != Some(4) {
            return Err(Malformed::Encoding);
        }
        let kind = CandidateKind::from_code(decoder.u8().map_err(|_| Malformed::Encoding)?)?;
        let ip = decoder.bytes().map_err(|_| Malformed::Encoding)?;
        let ip = if let Ok(ip) = <[u8; 4]>::try_from(ip) {
            IpAddr::V4(Ipv4Addr::from(ip))
        } else if let Ok(ip) = <[u8; 16]>::try_from(ip) {
            IpAddr::V6(Ipv6Addr::from(ip))
        } else {
            return Err(Malformed::Address);
        };
        let port = decoder.u16().map_err(|_| Malformed::Encoding)?;
        let priority = decoder.u32().map_err(|_| Malformed::Encoding)?;
        Self::new(kind, SocketAddr::new(ip, port), priority)
    }
}

/// One value has one encoding: what does not encode back to the same bytes was not made by us.
fn canonical<T>(given: &[u8], encoded: Vec<u8>, value: T) -> Result<T, Malformed> {
    if given == encoded { Ok(value) } else { Err(Malformed::Encoding) }
}

impl<C> Encode<C> for Description {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        let candidates = &self.candidates[..self.candidates.len().min(MAX_CANDIDATES)];
        let fields = if self.hello.is_empty() { 6 } else { 7 };
        e.array(fields)?.u8(VERSION)?.str(self.ufrag.as_str())?.str(self.password.as_str())?;
        e.bytes(&self.fingerprint.0)?.u8(self.setup.code())?.array(candidates.len() as u64)?;
        candidates.iter().try_for_each(|candidate| Encode::encode(candidate, e, ctx))?;
        if fields == 7 {
            e.bytes(&self.hello)?;
        }
        Ok(())
    }
}

impl<C> Encode<C> for Candidate {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(4)?.u8(self.kind.code())?;
        match self.address.ip() {
            IpAddr::V4(ip) => e.bytes(&ip.octets())?,
            IpAddr::V6(ip) => e.bytes(&ip.octets())?,
        };
        e.u16(self.address.port())?.u32(self.priority)?.ok()
    }
}

impl CandidateKind {
    const fn code(self) -> u8 {
        match self {
            Self::Host => 0,
            Self::ServerReflexive => 1,
            Self::PeerReflexive => 2,
            Self::Relay => 3,
        }
    }

    const fn from_code(code: u8) -> Result<Self, Malformed> {
        Ok(match code {
            0 => Self::Host,
            1 => Self::ServerReflexive,
            2 => Self::PeerReflexive,
            3 => Self::Relay,
            _ => return Err(Malformed::Encoding),
        })
    }

    /// RFC 8445 §5.1.2.2.
    pub(super) const fn preference(self) -> u32 {
        match self {
            Self::Host => 126,
            Self::PeerReflexive => 110,
            Self::ServerReflexive => 100,
            Self::Relay => 0,
        }
    }

    /// The word SDP has for it (RFC 8839 §5.1).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::Relay => "relay",
        }
    }
}

impl fmt::Display for CandidateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Addresses are personal: only the kind is shown.
impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Candidate({})", self.kind)
    }
}

/// The password is a secret, the addresses are personal: only counts are shown.
impl fmt::Debug for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Description({:?}, {} candidates)", self.setup, self.candidates.len())
    }
}

/// Who opens the DTLS connection (RFC 5763 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setup {
    /// Either; only in an offer.
    ActPass,
    /// The sender of the description.
    Active,
    /// Its receiver.
    Passive,
}

impl Setup {
    const fn code(self) -> u8 {
        match self {
            Self::ActPass => 0,
            Self::Active => 1,
            Self::Passive => 2,
        }
    }

    const fn from_code(code: u8) -> Result<Self, Malformed> {
        Ok(match code {
            0 => Self::ActPass,
            1 => Self::Active,
            2 => Self::Passive,
            _ => return Err(Malformed::Encoding),
        })
    }
}

/// SHA-256 of a DTLS certificate (RFC 8122 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint(pub(super) [u8; 32]);

/// ICE characters (RFC 8839 §5.4), between `MIN` and `MAX` of them; nothing else can get into SDP through here.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Token<const MIN: usize, const MAX: usize>(String);

impl<const MIN: usize, const MAX: usize> Token<MIN, MAX> {
    pub(super) fn parse(text: &str) -> Result<Self, Malformed> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
        if (MIN..=MAX).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::Credentials)
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn description(candidates: usize) -> Description {
        Description {
            ufrag: Token::parse(&"u".repeat(32)).unwrap(),
            password: Token::parse(&"p+/9".repeat(16)).unwrap(),
            fingerprint: Fingerprint([0xab; 32]),
            setup: Setup::ActPass,
            candidates: (0..candidates)
                .map(|n| {
                    let address =
                        SocketAddr::new(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, n as u16).into(), 65_535);
                    Candidate::new(CandidateKind::Relay, address, 0x7eff_ffff).unwrap()
                })
                .collect(),
            hello: Vec::new(),
        }
    }

    #[test]
    fn a_first_flight_travels_along_where_there_is_room() {
        let hello = [&[DTLS_HANDSHAKE], &[7; 200][..]].concat();
        let mut short = description(2);
        short.add_hello(&hello);
        assert_eq!(Description::decode(&short.encode()).unwrap().hello, hello);
        let mut full = description(MAX_CANDIDATES);
        full.add_hello(&[hello, vec![7; 99]].concat());
        assert_eq!(full, description(MAX_CANDIDATES), "the longest description has no room");
        short.add_hello(&[DTLS_HANDSHAKE; MAX_HELLO + 1]);
        assert!(short.encode().len() <= MAX_DESCRIPTION);
    }

    #[test]
    fn nothing_but_a_handshake_travels_along() {
        // A STUN message would reach ICE as if it came from the other end.
        let bytes = Description { hello: vec![0, 1, 0, 0], ..description(1) }.encode();
        assert_eq!(Description::decode(&bytes), Err(Malformed::Encoding));
        let empty = description(1).encode();
        let empty = [&[0x87], &empty[1..], &[0x40]].concat();
        assert_eq!(Description::decode(&empty), Err(Malformed::Encoding), "an empty one is left out");
    }

    #[test]
    fn the_longest_description_fits_and_comes_back() {
        let longest = description(MAX_CANDIDATES);
        let bytes = longest.encode();
        assert!(bytes.len() <= MAX_DESCRIPTION, "{} bytes", bytes.len());
        assert_eq!(Description::decode(&bytes), Ok(longest));
    }

    #[test]
    fn candidates_beyond_the_limit_are_left_out() {
        let bytes = description(MAX_CANDIDATES + 5).encode();
        assert_eq!(Description::decode(&bytes).unwrap().candidates().len(), MAX_CANDIDATES);
    }

    #[test]
    fn a_candidate_is_short_and_comes_back() {
        for candidate in description(3).candidates {
            let bytes = candidate.encode();
            assert!(bytes.len() <= MAX_CANDIDATE);
            assert_eq!(Candidate::decode(&bytes), Ok(candidate));
        }
    }

    #[test]
    fn every_truncation_and_every_appended_byte_is_refused() {
        let bytes = description(2).encode();
        for end in 0..bytes.len() {
            assert!(Description::decode(&bytes[..end]).is_err(), "accepted {end} bytes");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(Description::decode(&longer), Err(Malformed::Encoding));
    }

    #[test]
    fn a_longer_way_to_write_the_same_number_is_refused() {
        let mut bytes = description(0).encode();
        assert_eq!(bytes[1], VERSION);
        bytes.splice(1..2, [0x18, VERSION]);
        assert_eq!(Description::decode(&bytes), Err(Malformed::Encoding));
    }

    #[test]
    fn a_version_from_the_future_is_named() {
        let mut bytes = description(0).encode();
        bytes[1] = 2;
        assert_eq!(Description::decode(&bytes), Err(Malformed::Version(2)));
    }

    #[test]
    fn line_breaks_cannot_be_smuggled_into_credentials() {
        assert!(Token::<4, 32>::parse("good\r\na=x").is_err());
        assert!(Token::<4, 32>::parse("abc").is_err());
    }

    #[test]
    fn nobody_is_reached_at_port_zero_or_at_no_address() {
        for address in ["1.2.3.4:0", "0.0.0.0:5", "224.0.0.1:5", "[::]:5", "[::ffff:1.2.3.4]:5"] {
            assert!(Candidate::new(CandidateKind::Host, address.parse().unwrap(), 1).is_err(), "{address}");
        }
    }

    #[test]
    fn debug_output_shows_no_address_and_no_secret() {
        let shown = format!("{:?} {:?}", description(1), description(1).candidates()[0]);
        assert!(!shown.contains("2001") && !shown.contains("p+/9"), "{shown}");
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..800)) {
            let _ = Description::decode(&bytes);
            let _ = Candidate::decode(&bytes);
        }

        #[test]
        fn a_flipped_byte_never_panics(at in 0usize..200, value: u8) {
            let mut bytes = description(3).encode();
            let at = at % bytes.len();
            bytes[at] = value;
            if let Ok(read) = Description::decode(&bytes) {
                prop_assert_eq!(read.encode(), bytes);
            }
        }
    }
}
