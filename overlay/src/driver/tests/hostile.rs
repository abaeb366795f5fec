//! A real supernode and peers that do not keep to the protocol.

use super::*;
use crate::{
    driver::link::LinkEvent,
    node::LinkId,
    wire::{self, Hello, MAX_FRAME, Message, VersionRange},
};

/// A link on which anything can be said.
struct RawLink {
    outbox: mpsc::Sender<Vec<u8>>,
    events: mpsc::Receiver<LinkEvent>,
}

impl RawLink {
    async fn open(address: SocketAddr) -> Self {
        let tls = Tls::new(&LinkSecret::from_secret([77; 32])).unwrap();
        let endpoint = quic::dial_only(loopback()).unwrap();
        let (report, mut events) = mpsc::channel(64);
        let quic::Dialled::Open(stream) = quic::dial(&endpoint, &tls, address, None).await else {
            panic!("nobody answers");
        };
        tokio::spawn(stream.serve(LinkId::Outbound(1), report));
        match timeout(PATIENCE, events.recv()).await.unwrap() {
            Some(LinkEvent::Up { outbox, .. }) => Self { outbox, events },
            other => panic!("no link: {other:?}"),
        }
    }

    async fn greet(&self, address: SocketAddr) {
        let hello = Hello {
            versions: VersionRange::OURS,
            network: Network::Lab,
            role: Role::Leaf,
            observed: address,
            record: None,
            load: None,
            time: None,
        };
        self.outbox.send(wire::to_bytes(&Message::Hello(Box::new(hello)))).await.unwrap();
    }

    /// Whether the other side ends the link; what it says before is read.
    async fn is_ended(&mut self) -> bool {
        let ended = async {
            loop {
                if let Some(LinkEvent::Down { .. }) | None = self.events.recv().await {
                    return;
                }
            }
        };
        timeout(PATIENCE, ended).await.is_ok()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_breaks_the_framing_or_talks_nonsense_is_cut_off_and_others_are_served() {
    let (hub, mut events) = node(supernode(loopback()), 1).await;
    let address = listening(&mut events).await;
    let before = hub.status().stats.malformed;

    // The length of an empty frame, and of one longer than any may be.
    for frame in [Vec::new(), vec![0; MAX_FRAME + 1]] {
        let mut link = RawLink::open(address).await;
        link.greet(address).await;
        link.outbox.send(frame).await.unwrap();
        assert!(link.is_ended().await);
    }
    // No greeting.
    let mut link = RawLink::open(address).await;
    link.outbox.send(b"nonsense".to_vec()).await.unwrap();
    assert!(link.is_ended().await);
    // Nonsense after a good greeting.
    let mut link = RawLink::open(address).await;
    link.greet(address).await;
    for _ in 0..16 {
        link.outbox.send(b"nonsense".to_vec()).await.unwrap();
    }
    assert!(link.is_ended().await);
    // The link may be gone a moment before the status says why.
    let counted = async {
        while hub.status().stats.malformed - before < 17 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, counted).await.unwrap();
    assert_eq!(hub.status().stats.malformed - before, 17);

    let (ada, _) = node(leaf(address), 2).await;
    assert_eq!(ada.lookup(Username::parse("nobody").unwrap()).await.unwrap().answered, 1);
    ada.shutdown().await;
    hub.shutdown().await;
}
