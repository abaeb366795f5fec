//! What the current thread holds on the heap.

use crate::counting::HELD;
pub(crate) use crate::counting::most_during;

/// Bytes this thread holds now.
pub(crate) fn held() -> isize {
    HELD.get()
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
