//! Finds a target by its name, and counts what it holds.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use relay::fuzz::{PER_BYTE, Target};

struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator unchanged; the counters are plain thread-local numbers.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.get() + layout.size() as isize;
        HELD.set(held);
        MOST.set(MOST.get().max(held));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        HELD.set(HELD.get() - layout.size() as isize);
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Gives `input` to the target of that name; panics when it panics or holds more than it may.
pub fn check(name: &str, input: &[u8]) {
    let target = named(name);
    let before = HELD.get();
    MOST.set(before);
    (target.check)(input);
    let most = usize::try_from(MOST.get() - before).unwrap_or(0);
    assert!(most <= target.memory + PER_BYTE * input.len(), "{name} holds {most} bytes for {}", input.len());
}

fn named(name: &str) -> &'static Target {
    let mut all = relay::fuzz::TARGETS
        .iter()
        .chain(overlay::fuzz::TARGETS)
        .chain(media::session::fuzz::TARGETS)
        .chain(app::fuzz::TARGETS);
    all.find(|target| target.name == name).expect("a target of this name")
}
