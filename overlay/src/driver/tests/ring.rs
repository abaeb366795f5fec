//! What a node shows of the ring, over real links.

use super::*;
use crate::outcome::{Carrier, Linked, OnRing, Ties};

/// What there is to see of the one supernode, once it is a home.
async fn home(leaf: &Handle) -> (OnRing, Linked) {
    let ring = leaf.ring().await.unwrap();
    assert_eq!((ring.known, ring.supernodes.len()), (1, 1));
    let shown = ring.supernodes[0];
    let Ties::Home(linked) = shown.ties else { panic!("{shown:?}") };
    (shown, linked)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leaf_knows_how_far_its_home_is_over_quic_and_says_so_of_no_other_link() {
    let (hub, mut hub_events, tcp) = supernode_with_tcp().await;
    online(&mut hub_events).await;
    let (ada, _ada_events) = leaf_over_tcp(tcp, 2).await;
    let (shown, linked) = home(&ada).await;
    assert_eq!((linked.carrier, linked.round_trip), (Carrier::Tcp, None));

    let (bob, mut bob_events) = node(leaf(shown.address), 3).await;
    online(&mut bob_events).await;
    let (again, linked) = home(&bob).await;
    assert_eq!((again.node, again.place, again.address), (shown.node, shown.place, shown.address));
    assert_eq!(linked.carrier, Carrier::Quic);
    let (first, lasted) = (linked.round_trip.unwrap(), linked.lasted);
    assert!(first > Duration::ZERO && first < PATIENCE, "{first:?}");
    // It is the connection's own figure, which follows what is said over it.
    let name = Username::parse("nobody").unwrap();
    for _ in 0..3 {
        assert!(bob.lookup(name.clone()).await.unwrap().claims.is_empty());
    }
    let (_, linked) = home(&bob).await;
    assert!(linked.lasted > lasted && linked.round_trip != Some(first), "{linked:?}");

    // A supernode that knows no other shows none.
    let alone = hub.ring().await.unwrap();
    assert_eq!((alone.known, alone.supernodes), (0, Vec::new()));
    assert_eq!(alone.own, shown.place, "where others see it");
    for node in [ada, bob, hub] {
        node.shutdown().await;
        assert_eq!(node.ring().await, None);
    }
}
