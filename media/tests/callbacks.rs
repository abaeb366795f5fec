//! Law 6: what runs on the sound system's thread allocates nothing, nor does what mixes for it.
#![expect(unsafe_code, reason = "a counting allocator can only be an unsafe impl")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use media::device::ring::{CaptureCallback, PlaybackCallback, Pulse, ring};
use media::frame::BLOCK;
use media::mix::{Fader, Mixer, Volume};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations_of(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

#[test]
fn the_counter_counts() {
    assert!(allocations_of(|| drop(std::hint::black_box(Vec::<u8>::with_capacity(10)))) >= 2);
}

#[test]
fn device_callbacks_allocate_nothing_even_when_rings_overflow_or_run_dry() {
    let pulse = Arc::new(Pulse::default());
    let (capture_in, mut captured) = ring(2_000);
    let (mut to_play, playback_out) = ring(2_000);
    let mut capture = CaptureCallback::new(capture_in, 2, Arc::clone(&pulse));
    let mut playback = PlaybackCallback::new(playback_out, 2, Arc::clone(&pulse));
    let heard = [0.25f32; 1_920];
    let mut played = [0.0f32; 1_920];
    let count = allocations_of(|| {
        for turn in 0..10_000 {
            capture.run(&heard, |sample| sample);
            playback.run(&mut played, |sample| sample);
            if turn % 3 == 0 {
                while let Ok(sample) = captured.pop() {
                    assert!(to_play.push(sample).is_ok() || to_play.is_full());
                }
            }
        }
    });
    assert_eq!(count, 0);
    assert_eq!(pulse.callbacks(), 20_000);
    assert!(pulse.missed() > 0);
}

#[test]
fn device_callbacks_allocate_nothing_whatever_a_card_speaks_and_however_it_cuts_its_buffers() {
    let pulse = Arc::new(Pulse::default());
    for channels in [1, 2, 6] {
        // Never read: full from the first seconds on. Never written: dry from the start.
        let (capture_in, _captured) = ring(24_000);
        let (_to_play, playback_out) = ring(24_000);
        let mut capture = CaptureCallback::new(capture_in, channels, Arc::clone(&pulse));
        let mut playback = PlaybackCallback::new(playback_out, channels, Arc::clone(&pulse));
        let mut sound = [1_000i16; 6 * 4_410];
        let count = allocations_of(|| {
            for frames in [0, 1, 24, 240, 441, 480, 960, 4_410].into_iter().cycle().take(400) {
                let buffer = &mut sound[..frames * channels];
                capture.run(buffer, |sample| f32::from(sample) / 32_768.0);
                playback.run(buffer, |sample| (sample * 32_767.0) as i16);
            }
        });
        assert_eq!(count, 0, "{channels} channels");
    }
    assert!(pulse.missed() > 0);
}

#[test]
fn voices_are_mixed_without_an_allocation_however_many_there_are() {
    let (mut mixer, mut faders) = (Mixer::default(), vec![Fader::default(); 12]);
    let mut block = [0.0; BLOCK];
    let count = allocations_of(|| {
        for turn in 0..1_000u16 {
            for fader in &mut faders {
                fader.set(Volume::from_percent((turn % 201) as u8));
                mixer.add(&[0.25; BLOCK], fader);
            }
            mixer.mix(&mut block);
        }
    });
    assert_eq!(count, 0);
    assert!(block.iter().all(|sample| sample.abs() < 1.0));
}
