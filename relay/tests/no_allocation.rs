//! A relayed packet costs no heap allocation: proved by an allocator that counts.
#![expect(unsafe_code, reason = "an allocator that counts is an unsafe trait to implement")]
#![expect(clippy::disallowed_types, reason = "this test proves the driver, so it owns sockets")]

#[cfg(test)]
mod endpoint;

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use endpoint::{Endpoint, PATIENCE};
use relay::client::TurnEvent;
use relay::driver::{self, RelayServer};
use relay::server::{Bandwidth, BitRate, Limits, PeerPolicy, PeerProof, ServerConfig};
use relay::{CredentialIssuer, Credentials};

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is handed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, SeqCst);
        // SAFETY: the caller keeps the contract of this same method.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, SeqCst);
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SECRET: [u8; 32] = [7; 32];
const PACKETS: u32 = 2000;

#[tokio::test]
async fn relaying_allocates_nothing_in_memory_upwards_and_downwards() {
    let listen = "127.0.0.1:0".parse().unwrap();
    // Caps are counted, and not reached.
    let much = Some(BitRate(100_000_000_000));
    let bandwidth =
        Bandwidth { total: much, per_prefix: much, per_username: much, bytes_per_day: Some(u64::MAX) };
    let config = ServerConfig {
        limits: Limits { bandwidth, ..Limits::default() },
        peers: PeerPolicy::Lab,
        proof: PeerProof::Waived,
        ..ServerConfig::new(listen, SECRET, [9; 32])
    };
    let server = RelayServer::start(config).await.unwrap();
    let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut ada = Endpoint::new(server.local_addr(), credentials("ada"), 1).await;
    let mut bob = Endpoint::new(server.local_addr(), credentials("bob"), 2).await;
    let (at_ada, at_bob) = (allocated(&mut ada).await, allocated(&mut bob).await);
    for (endpoint, peers) in
        [(&mut ada, [at_bob, peer.local_addr().unwrap()]), (&mut bob, [at_ada, peer.local_addr().unwrap()])]
    {
        for peer in peers {
            endpoint.client.bind_channel(driver::now().instant, peer).unwrap();
            assert_eq!(endpoint.event().await, TurnEvent::PeerReady(peer));
        }
    }
    ada.client.send(driver::now().instant, at_bob, b"first").unwrap();
    ada.flush().await;
    assert_eq!(bob.payload().await, (at_ada, b"first".to_vec()));
    let (ada, bob) = (ada.socket.into_std().unwrap(), bob.socket.into_std().unwrap());
    for socket in [&ada, &bob, &peer] {
        socket.set_nonblocking(false).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
    }
    ada.connect(server.local_addr()).unwrap();
    bob.connect(server.local_addr()).unwrap();
    // Ada's channels: 0x4000 to Bob, 0x4001 to the peer.
    let to_bob = [&[0x40, 0, 0, 100][..], &[1; 100]].concat();
    let to_peer = [&[0x40, 1, 0, 100][..], &[2; 100]].concat();
    let mut buffer = [0; 2048];
    let mut rounds = |count: u32| {
        for _ in 0..count {
            ada.send(&to_bob).unwrap();
            assert_eq!(bob.recv(&mut buffer).unwrap(), 104);
            ada.send(&to_peer).unwrap();
            assert_eq!(peer.recv(&mut buffer).unwrap(), 100);
            peer.send_to(&to_peer[4..], at_ada).unwrap();
            assert_eq!(ada.recv(&mut buffer).unwrap(), 104);
        }
    };
    rounds(100);
    let before = ALLOCATIONS.load(SeqCst);
    rounds(PACKETS);
    let allocated = ALLOCATIONS.load(SeqCst) - before;
    assert_eq!(allocated, 0, "for {} relayed packets", 3 * PACKETS);
    server.shutdown().await;
}

async fn allocated(endpoint: &mut Endpoint) -> SocketAddr {
    match endpoint.event().await {
        TurnEvent::Allocated { relayed, .. } => relayed,
        other => panic!("no allocation: {other:?}"),
    }
}

fn credentials(id: &str) -> Credentials {
    CredentialIssuer::new(SECRET).issue(driver::now().unix, id, std::time::Duration::from_secs(600))
}
