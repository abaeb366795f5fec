//! Who talks to the relay: one end of a UDP 5-tuple or of a stream, and the keyed hash it is found by.

use std::hash::{BuildHasher, Hash, Hasher};
use std::net::{IpAddr, SocketAddr};

/// Names one TCP or TLS connection between the server and its driver; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

/// The client's end of a 5-tuple (RFC 8656 §3.2): its address, and over which connection when it is not UDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// Where it is.
    pub address: SocketAddr,
    /// Its connection; nothing for UDP.
    pub stream: Option<StreamId>,
}

impl Client {
    /// A client over UDP.
    pub const fn udp(address: SocketAddr) -> Self {
        Self { address, stream: None }
    }

    /// A client over TCP or TLS.
    pub const fn stream(address: SocketAddr, stream: StreamId) -> Self {
        Self { address, stream: Some(stream) }
    }
}

impl Hash for Client {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [high, low] = words(self.address.ip());
        state.write_u64(high);
        state.write_u64(low);
        let stream = self.stream.map_or(0, |StreamId(id)| id.wrapping_add(1));
        state.write_u64(u64::from(self.address.port()) ^ stream.rotate_left(16));
    }
}

fn words(ip: IpAddr) -> [u64; 2] {
    let bits = match ip {
        IpAddr::V4(ip) => 0xFFFF_0000_0000_u128 | u128::from(ip.to_bits()),
        IpAddr::V6(ip) => ip.to_bits(),
    };
    [(bits >> 64) as u64, bits as u64]
}

/// SipHash-1-3 over whole words under a key nobody outside knows: strangers cannot choose addresses that collide.
#[derive(Clone, Copy)]
pub(super) struct Keyed {
    key: [u64; 2],
}

impl Keyed {
    pub(super) const fn new(key: [u64; 2]) -> Self {
        Self { key }
    }
}

impl std::fmt::Debug for Keyed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyed").finish_non_exhaustive()
    }
}

impl BuildHasher for Keyed {
    type Hasher = Sip;

    fn build_hasher(&self) -> Sip {
        let [k0, k1] = self.key;
        Sip {
            v: [
                k0 ^ 0x736F_6D65_7073_6575,
                k1 ^ 0x646F_7261_6E64_6F6D,
                k0 ^ 0x6C79_6765_6E65_7261,
                k1 ^ 0x7465_6462_7974_6573,
            ],
        }
    }
}

/// The state of one hash; every write is padded to words of eight bytes.
#[derive(Debug)]
pub(super) struct Sip {
    v: [u64; 4],
}

impl Sip {
    const fn round(&mut self) {
        let [mut a, mut b, mut c, mut d] = self.v;
        a = a.wrapping_add(b);
        b = b.rotate_left(13) ^ a;
        a = a.rotate_left(32);
        c = c.wrapping_add(d);
        d = d.rotate_left(16) ^ c;
        a = a.wrapping_add(d);
        d = d.rotate_left(21) ^ a;
        c = c.wrapping_add(b);
        b = b.rotate_left(17) ^ c;
        c = c.rotate_left(32);
        self.v = [a, b, c, d];
    }
}

impl Hasher for Sip {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.v[3] ^= word;
        self.round();
        self.v[0] ^= word;
    }

    fn finish(&self) -> u64 {
        let mut end = Self { v: self.v };
        end.v[2] ^= 0xFF;
        end.round();
        end.round();
        end.round();
        end.v[0] ^ end.v[1] ^ end.v[2] ^ end.v[3]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_depends_on_the_key_and_on_every_part_of_a_client() {
        let hash = |key, client: Client| Keyed::new(key).hash_one(client);
        let ada = Client::udp("192.0.2.1:5000".parse().unwrap());
        let others = [
            Client::udp("192.0.2.1:5001".parse().unwrap()),
            Client::udp("192.0.2.2:5000".parse().unwrap()),
            Client::udp("[2001:db8::1]:5000".parse().unwrap()),
            Client::stream(ada.address, StreamId(0)),
            Client::stream(ada.address, StreamId(1)),
        ];
        assert_eq!(hash([1, 2], ada), hash([1, 2], ada));
        assert_ne!(hash([1, 2], ada), hash([1, 3], ada));
        for other in others {
            assert_ne!(hash([1, 2], ada), hash([1, 2], other), "{other:?}");
        }
    }
}
