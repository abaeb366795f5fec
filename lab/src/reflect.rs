//! Proof that an uplink of the lab is what it says: seen from outside, as RFC 5780 §4 looks at it.
//!
//! ```text
//!   home                                       public host, two addresses of two ports, and a third port at each
//!   one socket ── who am I? ──▶ 7001 at one, 7002 at one, 7001 at the other: three answers tell of the mapping
//!   another    ── who am I? ──▶ 7001 at one
//!              ◀── stranger ─── 7003 at one, 7003 at the other: what comes tells of the filtering
//!   one socket ◀── hairpin ──── by way of its own address outside, from a third socket
//!   TCP        ───────────────▶ 443, 7443
//! ```

use crate::netns::{Home, Internet, PUBLIC, PUBLIC_ALTERNATE};
use crate::process::{EndsWithUs, Place, run};
use anyhow::{Context as _, Result, bail, ensure};
use relay::nat::{Behaviour, Filtering, Mapping, Uplink};
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

/// What a host saw of itself in the mirror.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The port it looked from.
    pub local_port: Option<u16>,
    /// Where it was seen by [`MIRRORS`], in this order; nothing where no datagram comes back.
    pub mapped: Vec<SocketAddr>,
    /// Whether a port that was never written to, at an address that was, got in.
    pub other_port_came_in: bool,
    /// Whether an address that was never written to got in.
    pub other_address_came_in: bool,
    /// Whether a datagram to our own address outside, from another socket of ours, came back to us.
    pub hairpins: bool,
    /// Whether a TCP connection to port 443 opens.
    pub tcp_443_opens: bool,
    /// Whether one to another port opens.
    pub tcp_else_opens: bool,
}

impl Seen {
    /// The same in RFC 4787's words.
    pub fn behaviour(&self) -> Option<Behaviour> {
        let [here, other_port, other_address] = self.mapped[..] else { return None };
        let mapping = match (here == other_port, here == other_address) {
            (true, true) => Mapping::EndpointIndependent,
            (true, false) => Mapping::AddressDependent,
            (false, _) => Mapping::AddressAndPortDependent,
        };
        let filtering = match (self.other_address_came_in, self.other_port_came_in) {
            (true, _) => Filtering::EndpointIndependent,
            (false, true) => Filtering::AddressDependent,
            (false, false) => Filtering::AddressAndPortDependent,
        };
        Some(Behaviour { mapping, filtering })
    }

    /// Where the internet sees the host.
    pub fn outside(&self) -> Option<IpAddr> {
        self.mapped.first().map(SocketAddr::ip)
    }
}

/// Gives a home this uplink, and insists that it is one. What the measurement left in the routers is forgotten.
pub fn put(internet: &Internet, home: Home, uplink: Uplink) -> Result<()> {
    internet.set_nat(home, uplink.into())?;
    let seen = measure(internet, home)?;
    ensure!(seen.behaviour() == uplink.behaviour(), "the lab's {uplink} uplink is none: {seen:?}");
    let outside = uplink.passes_datagrams().then(|| home.public_address(uplink.into()).into());
    ensure!(seen.outside() == outside, "the lab's {uplink} uplink shows itself elsewhere: {seen:?}");
    ensure!(
        seen.tcp_443_opens && seen.tcp_else_opens == uplink.passes_datagrams(),
        "the lab's {uplink} uplink does other things to TCP: {seen:?}"
    );
    internet.set_nat(home, uplink.into())
}

/// Measures the uplink of `home`; the program running must serve [`WORD`] by calling [`serve`].
pub fn measure(internet: &Internet, home: Home) -> Result<Seen> {
    look_from(&internet.public_host(), &home.host())
}

/// The same for any host, and any public host that has both addresses.
pub fn look_from(public: &Place, host: &Place) -> Result<Seen> {
    let exe = std::env::current_exe()?;
    let mirror = public.command(&exe).args([WORD, "mirror"]).spawn()?;
    let _mirror = EndsWithUs(mirror);
    let json = run(host.command(&exe).args([WORD, "look"]))?;
    serde_json::from_str(&json).with_context(|| format!("the probe said {json:?}"))
}

/// The first argument under which the program serves [`serve`].
pub const WORD: &str = "reflect";

/// The two halves of the measurement: `mirror` at the public host, `look` at home. Returns what to print.
pub fn serve(half: &str) -> Result<String> {
    match half {
        "mirror" => mirror(),
        "look" => Ok(serde_json::to_string(&look()?)?),
        other => bail!("no half of the measurement is called {other}"),
    }
}

/// What answers: at one address on two ports, and at the other.
pub const MIRRORS: [(Ipv4Addr, u16); 3] = [(PUBLIC, 7001), (PUBLIC, 7002), (PUBLIC_ALTERNATE, 7001)];
/// What speaks unasked once the first of them was written to.
const OTHER_PORT: (Ipv4Addr, u16) = (PUBLIC, 7003);
const OTHER_ADDRESS: (Ipv4Addr, u16) = (PUBLIC_ALTERNATE, 7003);
const TCP_443: (Ipv4Addr, u16) = (PUBLIC, 443);
const TCP_ELSE: (Ipv4Addr, u16) = (PUBLIC, 7443);

/// How long the looker waits for one answer; everything is within one machine.
const ANSWER: Duration = Duration::from_millis(300);
/// Questions without an answer after which no datagram gets through.
const TRIES: usize = 4;
/// A mirror that takes longer to start is broken.
const STARTS_WITHIN: Duration = Duration::from_secs(10);

fn mirror() -> Result<String> {
    let strangers = [UdpSocket::bind(OTHER_PORT)?, UdpSocket::bind(OTHER_ADDRESS)?];
    let [first, second, third] = MIRRORS.map(UdpSocket::bind);
    let first = first?;
    for other in [second?, third?] {
        std::thread::Builder::new().name("mirror".into()).spawn(move || {
            while let Ok((_, from)) = other.recv_from(&mut [0; 64]) {
                let _ = other.send_to(from.to_string().as_bytes(), from);
            }
        })?;
    }
    // Connections wait in the backlog: that they open is all that is asked. Whoever finds one open finds all sockets.
    let _open = [serve_tcp(TCP_ELSE)?, serve_tcp(TCP_443)?];
    loop {
        let (_, from) = first.recv_from(&mut [0; 64])?;
        for stranger in &strangers {
            stranger.send_to(b"stranger", from)?;
        }
        first.send_to(from.to_string().as_bytes(), from)?;
    }
}

/// That a port opens is all that is asked of it: a supernode that serves there already does as well.
fn serve_tcp(at: (Ipv4Addr, u16)) -> Result<Option<TcpListener>> {
    match TcpListener::bind(at) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => Ok(None),
        bound => Ok(Some(bound?)),
    }
}

fn look() -> Result<Seen> {
    let begun = Instant::now();
    let mut seen = Seen::default();
    // Each of the eight lets this port through, so it tells when the mirror has started.
    while !seen.tcp_443_opens && begun.elapsed() < STARTS_WITHIN {
        seen.tcp_443_opens = opens(TCP_443);
        std::thread::sleep(Duration::from_millis(20));
    }
    seen.tcp_else_opens = opens(TCP_ELSE);
    let socket = UdpSocket::bind(("0.0.0.0", 0))?;
    socket.set_read_timeout(Some(ANSWER))?;
    seen.local_port = Some(socket.local_addr()?.port());
    for mirror in MIRRORS {
        match ask(&socket, mirror)? {
            Some(mapped) => seen.mapped.push(mapped),
            None => return Ok(seen),
        }
    }
    let mapped = seen.mapped[0];
    let other = UdpSocket::bind(("0.0.0.0", 0))?;
    other.set_read_timeout(Some(ANSWER))?;
    if let Some(there) = ask(&other, MIRRORS[0])? {
        // Whatever stands before the one that hairpins lets in answers only.
        socket.send_to(b"come in", there)?;
        other.send_to(HAIRPIN, mapped)?;
    }
    let mut came = [0; 64];
    while let Ok((length, _)) = socket.recv_from(&mut came) {
        seen.hairpins |= &came[..length] == HAIRPIN;
    }
    // A socket that has written nowhere else.
    let socket = UdpSocket::bind(("0.0.0.0", 0))?;
    socket.set_read_timeout(Some(ANSWER))?;
    socket.send_to(b"who am I", MIRRORS[0])?;
    while let Ok((_, from)) = socket.recv_from(&mut [0; 64]) {
        seen.other_port_came_in |= from == SocketAddr::from(OTHER_PORT);
        seen.other_address_came_in |= from == SocketAddr::from(OTHER_ADDRESS);
    }
    Ok(seen)
}

const HAIRPIN: &[u8] = b"round the corner";

fn opens(to: (Ipv4Addr, u16)) -> bool {
    TcpStream::connect_timeout(&to.into(), ANSWER).is_ok()
}

/// Our address as one mirror sees it.
fn ask(socket: &UdpSocket, mirror: (Ipv4Addr, u16)) -> Result<Option<SocketAddr>> {
    let mut answer = [0; 64];
    for _ in 0..TRIES {
        socket.send_to(b"who am I", mirror)?;
        while let Ok((length, from)) = socket.recv_from(&mut answer) {
            if from == SocketAddr::from(mirror) {
                return Ok(Some(std::str::from_utf8(&answer[..length])?.parse()?));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(ports: [u16; 3], other_port_came_in: bool, other_address_came_in: bool) -> Option<Behaviour> {
        let mapped = ports.map(|port| (Ipv4Addr::new(192, 0, 2, 1), port).into()).to_vec();
        Seen { mapped, other_port_came_in, other_address_came_in, ..Seen::default() }.behaviour()
    }

    #[test]
    fn what_is_seen_is_told_in_the_words_of_the_eight_uplinks() {
        assert_eq!(seen([5, 5, 5], true, true), Uplink::FullCone.behaviour());
        assert_eq!(seen([5, 5, 5], true, false), Uplink::AddressRestricted.behaviour());
        assert_eq!(seen([5, 5, 5], false, false), Uplink::CarrierPort.behaviour());
        assert_eq!(seen([5, 6, 7], false, false), Uplink::CarrierSymmetric.behaviour());
        assert_eq!(Seen::default().behaviour(), Uplink::UdpBlocked.behaviour());
    }

    #[test]
    fn a_port_for_every_address_is_told_from_a_port_for_every_port() {
        let mapping = |ports| seen(ports, false, false).map(|behaviour| behaviour.mapping);
        assert_eq!(mapping([5, 5, 6]), Some(Mapping::AddressDependent));
        assert_eq!(mapping([5, 6, 5]), Some(Mapping::AddressAndPortDependent));
    }
}
