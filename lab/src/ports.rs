//! Ports for servers that are told where to listen, and listen there again after they were killed.
//!
//! What the system picks for a socket of its own accord comes from 32768 on (Linux): a port from there that is free now may
//! be somebody's while its server is down. These lie below.

use anyhow::{Result, ensure};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// So many different ports of the loopback that nobody holds, over UDP or TCP; never the same ones twice in this process,
/// and seldom those of another.
pub fn free(count: usize) -> Result<Vec<SocketAddr>> {
    static TRIED: AtomicU16 = AtomicU16::new(0);
    let begin = (u64::from(std::process::id()) * 97 % u64::from(COUNT)) as u16;
    let mut found = Vec::new();
    while found.len() < count {
        let tried = TRIED.fetch_add(1, Ordering::Relaxed);
        ensure!(tried < COUNT, "no port of {FIRST} to {} is free any more", FIRST + COUNT - 1);
        let at = SocketAddr::from((Ipv4Addr::LOCALHOST, FIRST + (begin + tried) % COUNT));
        if UdpSocket::bind(at).is_ok() && TcpListener::bind(at).is_ok() {
            found.push(at);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_free_and_below_those_the_system_picks() {
        let ports = free(20).unwrap();
        assert!(
            ports.iter().all(|at| (FIRST..FIRST + COUNT).contains(&at.port()) && UdpSocket::bind(at).is_ok())
        );
        assert!(free(20).unwrap().iter().all(|at| !ports.contains(at)));
    }
}
