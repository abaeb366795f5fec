//! What a call holds in memory does not grow with how long it lasts; `hour` is the same for an hour.

use anyhow::{Context as _, Result, ensure};
use lab::speech;
use lab::voice::hour::{BOUND, LONGEST_WAIT, LongCall};

#[path = "hostile/counting.rs"]
mod counting;

/// How many are talked through, and the one from which on nothing may grow.
const MINUTES: usize = 5;
const SETTLED: usize = 2;

#[test]
fn a_call_of_minutes_holds_no_more_memory_than_it_did_before_and_no_queue_grows() -> Result<()> {
    let voices = speech::voices()?;
    let [one, other] =
        [0, 1].map(|voice| voices.get(voice).context("no voice").map(|path| speech::read(path)));
    let mut call = LongCall::new([one??, other??])?;
    let mut held = Vec::with_capacity(MINUTES);
    for _ in 0..MINUTES {
        let before = counting::HELD.get();
        let mut minute = None;
        let most = before + counting::most_during(|| minute = Some(call.minute())) as isize;
        let minute = minute.context("no minute")?;
        ensure!(minute.waits <= LONGEST_WAIT.as_millis() && minute.dropped == 0, "{minute:?}");
        held.push(most);
    }
    let most_later = held[SETTLED..].iter().max().context("too few minutes")?;
    ensure!(most_later - held[SETTLED - 1] <= BOUND, "{held:?}");
    Ok(())
}

#[test]
fn what_is_kept_is_seen() {
    let before = counting::HELD.get();
    let kept = std::hint::black_box(vec![0u8; 10_000]);
    assert_eq!(counting::HELD.get() - before, 10_000);
    drop(kept);
    assert_eq!(counting::HELD.get(), before);
}
