//! Each way of finding the network suffices alone, and a wrong word of it costs nothing but time.

use futures_lite::StreamExt as _;

use super::*;
use crate::hint::{Invite, Roster};

/// A leaf that knows nobody.
fn newcomer() -> Config {
    Config { listen: Some(loopback()), mdns: Mdns::Off, ..Config::leaf(Network::Lab) }
}

async fn comes_online(config: Config) {
    let (node, mut events) = node(config, 7).await;
    online(&mut events).await;
    node.shutdown().await;
}

/// A supernode, and what a leaf remembers of it.
async fn hub() -> (Handle, SocketAddr, Vec<u8>) {
    let (hub, mut events) = node(supernode(loopback()), 1).await;
    let address = listening(&mut events).await;
    let (ada, mut events) = node(leaf(address), 2).await;
    let cache = next(&mut events, |event| if let Event::Cache(cache) = event { Some(cache) } else { None });
    let cache = cache.await;
    ada.shutdown().await;
    (hub, address, cache)
}

#[tokio::test]
async fn the_cache_of_the_last_run_suffices_and_a_damaged_one_does_no_harm() {
    let (hub, address, cache) = hub().await;
    comes_online(Config { cache: cache.clone(), ..newcomer() }).await;
    for damaged in [cache[..cache.len() / 2].to_vec(), vec![0xff; 1_000]] {
        comes_online(Config { cache: damaged, ..leaf(address) }).await;
    }
    hub.shutdown().await;
}

#[tokio::test]
async fn an_invite_suffices_also_when_it_comes_later() {
    let (hub, _, cache) = hub().await;
    let friend = Identity::from_secret([2; 32]);
    let link = Invite::sign(&friend, Network::Lab, None, Hint::from_cache(Network::Lab, &cache)).to_string();
    let invite: Invite = link.parse().unwrap();
    assert_eq!((invite.verify(Network::Lab), invite.hints().len()), (Ok(()), 1));
    comes_online(Config { hints: invite.hints().to_vec(), ..newcomer() }).await;

    let (ada, mut events) = node(newcomer(), 7).await;
    let offline = |event| if let Event::Offline { reason } = event { Some(reason) } else { None };
    assert_eq!(next(&mut events, offline).await, OfflineReason::NobodyKnown);
    ada.add_hints(invite.hints().to_vec()).await;
    online(&mut events).await;
    ada.shutdown().await;
    hub.shutdown().await;
}

#[tokio::test]
async fn whoever_answers_a_hint_with_another_key_is_not_taken() {
    let (hub, address, _) = hub().await;
    let wrong = Hint { node: LinkSecret::from_secret([9; 32]).public_key(), address };
    let (ada, mut events) = node(Config { hints: vec![wrong], ..newcomer() }, 7).await;
    let offline = |event| if let Event::Offline { reason } = event { Some(reason) } else { None };
    assert_eq!(next(&mut events, offline).await, OfflineReason::NobodyAnswers);
    assert_eq!(ada.status().supernodes_known, 0);
    ada.shutdown().await;
    hub.shutdown().await;
}

#[tokio::test]
async fn the_list_of_a_release_suffices() {
    let (hub, _, cache) = hub().await;
    let release = Identity::from_secret([3; 32]);
    let file = Roster::sign(&release, Network::Lab, Hint::from_cache(Network::Lab, &cache)).encode();
    let hints = Roster::read(&file, Some(&release.public_key()), Network::Lab).unwrap();
    comes_online(Config { hints, ..newcomer() }).await;
    hub.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mainline_dht_suffices() {
    let testnet = || ::mainline::Testnet::builder(4).build().unwrap();
    let testnet = tokio::task::spawn_blocking(testnet).await.unwrap();
    let mainline = Mainline::Private(testnet.bootstrap.clone());
    let (hub, mut events) = node(Config { mainline: mainline.clone(), ..supernode(loopback()) }, 1).await;
    let address = listening(&mut events).await;
    // A newcomer that asks too early asks again much later.
    let dht = testnet.nodes[0].clone().as_async();
    let announced =
        async { while dht.get_peers(mainline::info_hash(Network::Lab)).next().await.is_none() {} };
    timeout(PATIENCE, announced).await.unwrap();

    let (ada, mut events) = node(Config { mainline, ..newcomer() }, 7).await;
    online(&mut events).await;
    assert_eq!(ada.status().supernodes_known, 1, "{address}");
    ada.shutdown().await;
    hub.shutdown().await;
}
