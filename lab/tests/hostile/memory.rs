//! What the current thread holds on the heap.

use std::{sync::Once, time::Duration};

use overlay::{Network, identity::LinkSecret, record::SupernodeRecord};
use relay::fuzz::origin;

use crate::counting::{self, HELD};

/// Bytes this thread holds now.
pub(crate) fn held() -> isize {
    begin();
    HELD.get()
}

/// The most bytes this thread held at one time during `work`, beyond what it held before.
pub(crate) fn most_during(work: impl FnOnce()) -> usize {
    begin();
    counting::most_during(work)
}

/// What a process remembers of right signatures has its size from the first of them on: that is nobody's growth.
fn begin() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        let (secret, now) = (LinkSecret::from_secret([251; 32]), origin().unix);
        let address = ([10, 0, 0, 251], 7600).into();
        let record =
            SupernodeRecord::sign(&secret, Network::Lab, address, None, None, now, Duration::from_secs(60));
        assert_eq!(record.verify(Network::Lab, now), Ok(()));
    });
}

#[test]
fn the_counter_counts() {
    let most = most_during(|| drop(std::hint::black_box(vec![0u8; 10_000])));
    assert!((10_000..11_000).contains(&most), "{most}");
    let before = held();
    let kept = std::hint::black_box(vec![0u8; 5_000]);
    assert_eq!(held() - before, 5_000);
    drop(kept);
    assert_eq!(held(), before);
}
